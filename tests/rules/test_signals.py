"""What monitoring tools send, as signals: shared vectors, and samples of our own."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rules import signal_values as values
from rules.errors import RuleError
from rules.signals import FORMATS, Signal, parse, subscribe_url
from tests.rules import samples

VECTORS = Path(__file__).resolve().parents[2].parent / "shared" / "vectors"
NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
EIGHT = datetime(2026, 11, 23, 8, tzinfo=UTC)
CASES = (
    [case for place in sorted(VECTORS.glob("webhook__*.json")) for case in json.loads(place.read_text())]
    if VECTORS.is_dir()
    else []
)


@pytest.mark.skipif(not CASES, reason="the shared vectors are not beside the project")
@pytest.mark.parametrize("case", CASES or [None], ids=lambda case: case and case["case"])
def test_the_shared_vectors_hold(case):
    found = parse(case["format"], case["payload"], NOW)
    assert len(found) == len(case["expect"])
    for signal, expected in zip(found, case["expect"], strict=True):
        assert signal.dedup_key
        for name in ("dedup_key", "status", "severity", "source"):
            assert expected[name] in (None, getattr(signal, name)), name
        assert expected["title"] is None or signal.title in (expected["title"], *expected.get("title_any_of", ()))
        assert expected["started_at"] in (None, signal.started_at.isoformat()) or signal.started_at == at(expected)


def at(expected) -> datetime:
    return datetime.fromisoformat(expected["started_at"])


def one(format, payload) -> Signal:
    found = parse(format, payload, NOW)
    assert len(found) == 1
    return found[0]


def test_alertmanager_counts_each_alert_by_its_own_status():
    full, over = parse("alertmanager", samples.ALERTMANAGER, NOW)
    assert full == Signal(
        dedup_key="1a2b3c",
        status="firing",
        title="Disk of db1 is full",
        severity="Critical",
        source="db1:9100",
        started_at=datetime(2026, 11, 23, 8, 0, 0, 123456, tzinfo=UTC),
        ended_at=None,
        description="Only 1 %\nis left.",
        group_key='{}:{alertname="DiskFull"}',
        links=(
            ("Source", "https://prometheus.example.org/graph?g0.expr=up%7B%7D"),
            ("Runbook", "https://wiki.example.org/disk"),
            ("Alertmanager", "https://alerts.example.org"),
        ),
        details={
            "labels": samples.ALERTMANAGER["alerts"][0]["labels"],
            "annotations": {"runbook_url": "https://wiki.example.org/disk", "owner": "storage"},
            "receiver": "desk",
        },
    )
    assert (over.status, over.title, over.severity) == ("resolved", "DiskFull", "")
    assert over.ended_at == datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
    assert over.dedup_key.startswith("made:")


def test_an_alert_that_fires_has_no_end_yet():
    alert = samples.ALERTMANAGER["alerts"][0] | {"endsAt": "2026-11-23T09:00:00Z"}
    assert one("alertmanager", {"alerts": [alert]}).ended_at is None
    assert one("alertmanager", {"alerts": [alert], "status": "resolved"}).status == "firing"
    assert one("alertmanager", {"alerts": [alert | {"status": None}], "status": "resolved"}).status == "resolved"


def test_details_are_small():
    deep = {"a": {"b": {"c": {"d": {"e": 1}, "x": 1}}}, "none": [None, "", {}, [[]]], "large": 2**63}
    assert values.details_of(deep) == {"a": {"b": {"c": {"x": 1}}}}
    wide = values.details_of({str(at): at for at in range(1000)})
    assert wide == {str(at): at for at in range(values.DETAILS_LIMIT)}
    assert values.details_of({"list": list(range(1000))}) == {"list": list(range(values.DETAILS_LIMIT - 1))}


def test_a_made_key_is_the_same_over_the_order_of_labels_and_only_then():
    def key(labels):
        return one("alertmanager", {"alerts": [{"labels": labels}]}).dedup_key

    assert key({"a": "1", "b": "2"}) == key({"b": "2", "a": "1"})
    assert len({key({"a": "1"}), key({"a": "2"}), key({"b": "1"}), key({"a": "1", "b": ""}), key({"a1": ""})}) == 5


def test_grafana_speaks_both_ways():
    signal = one("grafana", samples.GRAFANA)
    assert (signal.dedup_key, signal.status, signal.title) == ("f1", "firing", "Load")
    assert (signal.severity, signal.source, signal.started_at) == ("warning", "web1", EIGHT)
    assert signal.description == "Load is above 10"
    assert [label for label, _ in signal.links] == ["Dashboard", "Rule", "Silence", "Grafana"]
    legacy = one("grafana", samples.GRAFANA_LEGACY)
    assert (legacy.dedup_key, legacy.status, legacy.title) == ("rule:7", "firing", "[Alerting] Load")
    assert (legacy.severity, legacy.source, legacy.started_at) == ("high", "web1", NOW)
    over = one("grafana", samples.GRAFANA_LEGACY | {"state": "ok", "title": "[OK] Load", "evalMatches": None})
    assert (over.dedup_key, over.status) == (legacy.dedup_key, "resolved")


def test_a_pagerduty_event_is_read_whole():
    signal = one("pagerduty", samples.PAGERDUTY)
    assert (signal.dedup_key, signal.status, signal.title) == ("web1/load", "firing", "Load of web1 is high")
    assert (signal.severity, signal.source, signal.started_at, signal.group_key) == ("error", "web1", EIGHT, "web")
    assert signal.links == (("Graph", "https://watcher.example.org/1"), ("Watcher", "https://watcher.example.org"))
    assert signal.details["details"] == {"load": 11.5}


@pytest.mark.parametrize(("action", "status"), [("acknowledge", "acknowledged"), ("resolve", "resolved")])
def test_pagerduty_needs_only_the_key_to_acknowledge_and_resolve(action, status):
    signal = one("pagerduty", {"event_action": action, "dedup_key": "web1/load"})
    assert (signal.dedup_key, signal.status) == ("web1/load", status)
    assert signal.ended_at == (NOW if status == "resolved" else None)


def test_a_trigger_without_a_key_gets_one_that_a_second_try_gets_too():
    event = {name: value for name, value in samples.PAGERDUTY.items() if name != "dedup_key"}
    made = one("pagerduty", event).dedup_key
    assert made.startswith("made:")
    later = event | {
        "payload": event["payload"] | {"timestamp": "2026-11-23T08:01:00Z", "custom_details": {"load": 12}}
    }
    assert one("pagerduty", later).dedup_key == made
    assert one("pagerduty", event | {"payload": event["payload"] | {"source": "web2"}}).dedup_key != made


def test_an_alarm_has_one_key_however_it_comes():
    enveloped, raw = one("cloudwatch", samples.CLOUDWATCH), one("cloudwatch", samples.ALARM)
    assert enveloped == raw
    assert (raw.dedup_key, raw.status, raw.title) == (samples.ALARM["AlarmArn"], "firing", "cpu-high")
    assert (raw.source, raw.severity) == ("i-0abc", "")
    assert raw.started_at == datetime(2026, 11, 23, 8, 0, 0, 100_000, tzinfo=UTC)
    assert raw.description == "CPU is above 90 %\n\nThreshold crossed"
    bridged = one("cloudwatch", samples.EVENT_BRIDGE)
    assert (bridged.dedup_key, bridged.status) == (raw.dedup_key, "resolved")
    assert bridged.ended_at == datetime(2026, 11, 23, 8, 5, tzinfo=UTC)
    old = {name: value for name, value in samples.ALARM.items() if name != "AlarmArn"}
    keys = {one("cloudwatch", old | {"NewStateValue": state}).dedup_key for state in ("OK", "ALARM")}
    assert len(keys) == 1
    assert one("cloudwatch", old | {"AWSAccountId": "2"}).dedup_key not in keys
    assert one("cloudwatch", samples.ALARM | {"NewStateValue": "INSUFFICIENT_DATA"}).status == "firing"


def test_a_subscription_is_no_signal_but_can_be_confirmed():
    assert parse("cloudwatch", samples.SUBSCRIPTION, NOW) == []
    assert parse("cloudwatch", {"Type": "UnsubscribeConfirmation", "Message": "left"}, NOW) == []
    assert subscribe_url(samples.SUBSCRIPTION) == samples.SUBSCRIPTION["SubscribeURL"]


@pytest.mark.parametrize(
    "address",
    [
        "http://sns.eu-west-1.amazonaws.com/",
        "https://amazonaws.com.example.org/",
        "https://sns.amazonaws.com@example.org/",
        "https://example.org/?x=.amazonaws.com",
        "https://[",
        "",
        7,
        None,
    ],
)
def test_only_amazon_confirms_a_subscription(address):
    assert subscribe_url(samples.SUBSCRIPTION | {"SubscribeURL": address}) is None
    assert subscribe_url(samples.CLOUDWATCH | {"SubscribeURL": samples.SUBSCRIPTION["SubscribeURL"]}) is None
    assert subscribe_url(["SubscriptionConfirmation"]) is None


def test_pingdom_is_about_its_check():
    down = one("pingdom", samples.PINGDOM)
    assert (down.dedup_key, down.status, down.title) == ("check:12345", "firing", "Website")
    assert (down.severity, down.source, down.started_at) == ("HIGH", "www.example.org", EIGHT)
    up = one("pingdom", samples.PINGDOM | {"current_state": "UP", "state_changed_timestamp": None})
    assert (up.dedup_key, up.status, up.ended_at) == (down.dedup_key, "resolved", EIGHT)


@pytest.mark.parametrize(
    ("format", "message"),
    [
        ("pingdom", samples.PINGDOM | {"current_state": "PAUSED"}),
        ("grafana", samples.GRAFANA_LEGACY | {"state": "paused"}),
    ],
)
def test_what_is_paused_is_only_noted(format, message):
    found = one(format, message)
    assert (found.note_only, found.status) == (True, "acknowledged")


def test_zabbix_is_read_by_its_macros():
    problem = one("zabbix", samples.ZABBIX)
    assert (problem.dedup_key, problem.status, problem.title) == ("4711", "firing", "Free space is below 10 %")
    assert (problem.severity, problem.source, problem.started_at) == ("Disaster", "db1", NOW)
    assert problem.links == (("Source", samples.ZABBIX["trigger_url"]),)
    assert "{EVENT" not in json.dumps(problem.details)
    recovered = one("zabbix", samples.ZABBIX | {"event_value": "0"})
    assert (recovered.dedup_key, recovered.status) == (problem.dedup_key, "resolved")
    update = {"event_update_status": "1", "event_update_action": "acknowledged, commented"}
    assert one("zabbix", samples.ZABBIX | update).status == "acknowledged"
    assert one("zabbix", samples.ZABBIX | update | {"event_update_action": "unacknowledged"}).status == "firing"
    assert one("zabbix", samples.ZABBIX | update | {"event_value": "0"}).status == "resolved"
    assert one("zabbix", {"EventID": "4711", "EventName": "x", "EventValue": 0}).status == "resolved"
    template = one("zabbix", samples.ZABBIX_TEMPLATE)
    assert (template.dedup_key, template.status, template.title) == ("4711", "firing", problem.title)


def test_our_own_format_is_read_whole():
    signal = one("generic", samples.GENERIC)
    assert signal == Signal(
        dedup_key="backup-nightly",
        status="firing",
        title="The nightly backup failed",
        severity="P2",
        source="backup1",
        started_at=EIGHT,
        description="Exit code 3\nSee the log.",
        group_key="backup",
        links=(
            ("Source", "https://backup.example.org/log/1"),
            ("Link", "https://backup.example.org"),
            ("Runbook", "https://wiki.example.org"),
        ),
        details={"status": "firing", "labels": {"site": "north"}, "more": {"exit code": 3}},
    )
    assert parse("generic", [samples.GENERIC, samples.GENERIC], NOW) == [signal, signal]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"title": "t"}, {"status": "firing", "started_at": NOW, "source": "", "severity": ""}),
        ({"alert_uid": "a"}, {"dedup_key": "a", "title": "a"}),
        ({"Alert-UID": 17, "name": "n"}, {"dedup_key": "17", "title": "n"}),
        ({"message": "first\nsecond"}, {"title": "first second", "description": "first\nsecond"}),
        ({"title": " a \n b\t"}, {"title": "a b"}),
        ({"title": "t", "state": "OK"}, {"status": "resolved"}),
        ({"title": "t", "state": "Resolved "}, {"status": "resolved"}),
        ({"title": "t", "state": "ACK"}, {"status": "acknowledged"}),
        ({"title": "t", "state": 0}, {"status": "resolved"}),
        ({"title": "t", "state": "no_data"}, {"status": "firing"}),
        ({"title": "t", "status": None, "state": "ok"}, {"status": "resolved"}),
        ({"title": "t", "severity": ["x"], "host": {"a": 1}}, {"severity": "", "source": ""}),
        ({"title": "t\x00\ud800é", "severity": "\udfffx"}, {"title": "t\ufffd\ufffdé", "severity": "\ufffdx"}),
        ({"title": float("nan"), "dedup_key": "a"}, {"title": "a"}),
        ({"title": 1.5, "severity": float("inf")}, {"title": "1.5", "severity": ""}),
        ({"title": "t", "started_at": "yesterday"}, {"started_at": NOW}),
        ({"title": "t", "started_at": "2026-11-23T10:00:00"}, {"started_at": EIGHT.replace(hour=10)}),
        ({"title": "t", "dedup_key": "k" * 255}, {"dedup_key": "k" * 255}),
        ({"title": "t", "ended_at": "2026-11-23T08:00:00Z"}, {"ended_at": None}),
        ({"title": "t", "state": "ok", "ended_at": "2026-11-23T08:00:00Z"}, {"ended_at": EIGHT}),
    ],
)
def test_synonyms_and_gaps_of_our_own_format(sent, expected):
    signal = one("generic", sent)
    assert {name: getattr(signal, name) for name in expected} == expected


def test_what_is_too_long_is_cut_and_a_long_key_is_hashed():
    long = "x" * 5_000_000
    sent = {
        "title": long,
        "description": long,
        "severity": long,
        "source": long,
        "dedup_key": long,
        "labels": {long: long},
    }
    signal = one("generic", sent | {"link": "https://a.example/" + long})
    assert (len(signal.title), len(signal.severity), len(signal.source)) == (200, 64, 255)
    assert len(signal.description) == 10_000
    assert signal.title.endswith("x…")
    assert signal.links == ()
    assert (signal.dedup_key[:7], len(signal.dedup_key)) == ("sha256:", 71)
    assert one("generic", sent | {"dedup_key": long + "y"}).dedup_key != signal.dedup_key
    assert len(json.dumps(signal.details)) < 1000


@pytest.mark.parametrize(
    ("format", "payload", "field", "says"),
    [
        ("nagios", {}, "format", "Choose alertmanager"),
        *((format, payload, None, "Send") for format in FORMATS for payload in ("text", 7, True, None, {})),
        ("alertmanager", [], None, "the body is a list"),
        ("alertmanager", {"alerts": {}}, "alerts", "is an object. Send a list"),
        ("alertmanager", {"alerts": ["x"]}, "alerts[0]", "is text"),
        ("alertmanager", {"alerts": [{"labels": {"a": "b"}}, {}]}, "alerts[1].labels", "no labels"),
        ("alertmanager", {"alerts": [{"labels": []}]}, "alerts[0].labels", "is a list"),
        ("alertmanager", {"alerts": [{"labels": {"a": "b"}, "status": {}}]}, "alerts[0].status", "Send firing"),
        ("alertmanager", {"alerts": [{"fingerprint": True}]}, "alerts[0].fingerprint", "is true"),
        ("alertmanager", {"alerts": [{}] * 10_001}, "alerts", "10,001 alerts"),
        ("grafana", {"alerts": None}, "alerts", "is null"),
        ("grafana", {"ruleId": 1, "title": []}, "title", "Send text"),
        ("pagerduty", {"event_action": "close"}, "event_action", "'close'. Send trigger"),
        ("pagerduty", {"event_action": ["trigger"]}, "event_action", "is a list"),
        ("pagerduty", {"event_action": "trigger"}, "payload.summary", "is missing"),
        ("pagerduty", {"event_action": "trigger", "payload": "x"}, "payload", "Send an object"),
        ("pagerduty", {"event_action": "resolve"}, "dedup_key", "to resolve"),
        ("pagerduty", {"event_action": "resolve", "dedup_key": " "}, "dedup_key", "is missing"),
        ("cloudwatch", {"Type": "Notification", "Message": "hello"}, None, "Message is not JSON"),
        ("cloudwatch", {"Type": "Notification", "Message": "[" * 100_000}, None, "Message is nested"),
        ("cloudwatch", {"Type": "Notification", "Message": "[]"}, "Message", "is a list"),
        ("cloudwatch", {"AlarmName": "x"}, "NewStateValue", "is missing"),
        ("pingdom", {"check_id": 1}, "current_state", "is missing"),
        ("pingdom", {"check_id": [], "current_state": "UP"}, "check_id", "Send text"),
        ("generic", [{"title": "t"}, {}], "alerts[1].title", "Send at least a title"),
        ("generic", {"title": "t", "state": True}, "status", "is true"),
        ("zabbix", {"event_id": "{EVENT.ID}", "event_name": "*UNKNOWN*"}, "title", "Send at least a title"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_a_sentence(format, payload, field, says):
    with pytest.raises(RuleError, match=says.replace("[", r"\[")) as refused:
        parse(format, payload, NOW)
    assert field is None or refused.value.field == field
    assert refused.value.sentence.endswith(".")


def test_a_time_of_receipt_needs_a_zone():
    with pytest.raises(RuleError, match="zone"):
        parse("generic", samples.GENERIC, NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    "sent",
    [
        "2026-11-23T08:00:00Z",
        "2026-11-23T08:00:00.000000000Z",
        "2026-11-23 08:00:00",
        "2026-11-23 09:00:00 +0100",
        "2026-11-23 08:00:00 UTC",
        "2026-11-23 08:00:00 +0000 UTC",
        "Mon, 23 Nov 2026 08:00:00 GMT",
        "Mon, 23 Nov 2026 09:00:00 +0100",
        1795420800,
        1795420800.0,
        "1795420800",
        1795420800000,
        "1795420800000000",
        1795420800 * 10**9,
    ],
)
def test_dates_come_in_many_forms(sent):
    assert values.when(sent) == EIGHT


@pytest.mark.parametrize(
    "sent",
    [
        *(
            "",
            "soon",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59-14:00",
            "1" * 400,
            "Mon, 99 Nov 2026 08:00:00 GMT",
            "NaN",
        ),
        *(
            "\ud800",
            "٢٠٢٦-11-23",
            "Mon,",
            0,
            -1,
            True,
            None,
            [],
            {},
            float("nan"),
            float("inf"),
            10**400,
            -(10**400),
            1e19,
        ),
    ],
)
def test_what_is_no_date_is_none(sent):
    assert values.when(sent) is None


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://a.example/x?y=1#z", True),
        (" http://[2001:db8::1]:80/ ", True),
        ("HTTPS://A.example", True),
        ("javascript:alert(1)", False),
        ("//a.example", False),
        ("https://", False),
        ("https://user:secret@a.example/", False),
        ("https://[", False),
        ("https://a.example/ b", False),
        ('https://a.example/"onclick', False),
        ("https://a.example/\x00", False),
        ("https://a.example/" + "x" * 2000, False),
        (None, False),
        (7, False),
    ],
)
def test_only_web_addresses_are_links(address, kept):
    assert bool(values.links_of([("See", address)])) is kept
