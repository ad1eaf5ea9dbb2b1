"""Incidents over HTTP, through the real routes and the gate: what screens can do, programs can, and no more."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, func, select

from api import calls
from api.rates import Rates
from db.commands import conversation, incidents
from db.engine import reading, writing
from db.models import Attachment, Incident, TimelineEntry
from db.queries import incident_pages
from rules.states import ACTIONS
from tests.api.programs import API, now, refused
from tests.db.imported import ROOT
from tests.db.office import DAY, HOUR, MONDAY

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


def number_of(office, incident):
    return office.incident(incident).number


def test_an_incident_is_reported_read_and_listed(made, office):
    answer = made.call(
        "work",
        "POST",
        API,
        json={
            "title": " Mail  is slow ",
            "service": "e-mail",
            "scope": "everyone",
            "started_at": "2026-03-02T10:00:00+01:00",
        },
    )
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert answer.headers["location"] == f"{API}/{told['number']}"
    assert answer.headers["cache-control"] == "private, no-store"
    assert told["title"] == "Mail is slow"
    assert told["service"] == "E-mail"
    assert told["started_at"] == "2026-03-02T09:00:00Z"
    assert told["source"] == "api"
    assert told["reporter"]["name"] == "work (token)"
    assert (told["state"], told["version"]) == ("new", 1)
    assert "acknowledge" in told["actions"]
    assert made.call("read", "GET", answer.headers["location"]).json() == told | {"actions": []}
    [listed] = made.call("read", "GET", API).json()["incidents"]
    assert listed == {name: told[name] for name in listed}
    with reading() as db:
        entry = db.scalars(select(TimelineEntry)).one()
        assert (entry.actor_name, entry.kind, entry.actor_id) == ("work (token)", "report", told["reporter"]["id"])


def test_it_is_reported_for_somebody(made, office):
    told = made.report(reporter="RITA@example.org", source="phone")
    assert (told["reporter"]["name"], told["source"]) == ("Rita", "phone")
    told = made.report(caller_name="Mr Smith", caller_contact="555 12")
    assert (told["reporter"], told["source"]) == ({"id": None, "name": "Mr Smith"}, "api")
    assert set(refused(made.call("work", "POST", API, json={"source": "mail"}), 422, "not_accepted")) == {"reporter"}
    fields = refused(
        made.call("work", "POST", API, json={"title": "x", "reporter": "no@example.org"}), 422, "not_accepted"
    )
    assert "Nobody has the address" in fields["reporter"]


def test_everything_wrong_is_named_at_once(made, office):
    answer = made.call("work", "POST", API, json={"title": 7, "service": [], "started_at": "yesterday", "vip": True})
    fields = refused(answer, 422, "not_accepted")
    assert set(fields) == {"title", "service", "started_at", "vip"}
    assert "Fields are title, description, service" in fields["vip"]
    many = made.call("work", "POST", API, json={f"f{n}": n for n in range(5000)})
    assert len(refused(many, 422, "not_accepted")) == 20
    answer = made.call("work", "POST", API, json={"title": "  ", "scope": "me", "description": "x" * 20_001})
    assert refused(answer, 422, "not_accepted") == {
        "title": "Say what is wrong.",
        "affected": "Say what or where is affected.",
        "description": "Shorten the description to 20,000 characters; it has 20,001.",
    }
    for long_ago in ("1970-01-01T00:00:00Z", "0002-01-01T00:00:00Z"):
        answer = made.call("work", "POST", API, json={"title": "a", "affected": "b", "started_at": long_ago})
        assert "within the last ten years" in refused(answer, 422, "not_accepted")["started_at"]
    assert stored() == 0


def stored():
    with reading() as db:
        return db.scalar(select(func.count()).select_from(Incident))


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "not_json"),
        (b'{"title": "a", "title": "b"}', 400, "not_json"),
        (b"[" * 100_000, 400, "not_json"),
        (b'{"title": NaN}', 400, "not_json"),
        (b"\xff\xfe", 400, "not_json"),
        (b"[]", 422, "not_accepted"),
        (b'"x"', 422, "not_accepted"),
        (b" " * (10 * 1024 * 1024), 413, "too_large"),
    ],
)
@sqlite
def test_a_body_that_is_none_is_refused(made, office, body, status, code):
    answer = made.call("work", "POST", API, content=body, headers={"content-type": "application/json"})
    refused(answer, status, code)
    assert stored() == 0


def test_what_no_database_holds_is_replaced(made, office):
    body = b'{"title": "a\\u0000b\\ud800", "affected": "x"}'
    answer = made.call("work", "POST", API, content=body, headers={"content-type": "application/json"})
    assert answer.json()["title"] == "a\ufffdb\ufffd"
    for field in ("service", "reporter", "a\\u0000"):
        body = f'{{"title": "a", "{field}": "x\\u0000\\ud800"}}'.encode()
        answer = made.call("work", "POST", API, content=body, headers={"content-type": "application/json"})
        refused(answer, 422, "not_accepted")
    for path in (
        "/%00",
        "/INC-%ED%A0%80",
        "/%F0%9F%92%A9/timeline",
        "?q=%00&team=%00",
        "/x/files/9999999999999999999999",
        f"/{made.report()['number']}/files/{'0' * 25}{'9' * 30}",
        f"?priority={'1' * 5000}",
        "?priority=%D9%A1",
    ):
        assert made.call("read", "GET", API + path).status_code in (404, 422), path


@sqlite
def test_a_body_is_taken_for_json_whatever_it_says_that_it_is(made, office):
    refused(made.call("work", "POST", API, data={"title": "x"}), 400, "not_json")
    headers = {"content-type": "application/x-www-form-urlencoded"}  # what curl -d says
    answer = made.call("work", "POST", API, content=b'{"title": "x", "affected": "y"}', headers=headers)
    assert answer.status_code == 201


def test_the_same_key_makes_one_incident(made, office):
    def send(who, key, title="Mail is slow"):
        headers = {"idempotency-key": key}
        return made.call(who, "POST", API, json={"title": title, "affected": "x"}, headers=headers)

    first, again = send("work", "k1"), send("work", "k1", "Something else")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert send("triage", "k1").json()["number"] != first.json()["number"], "the key of another is another"
    assert send("work", "k2").json()["number"] != first.json()["number"]
    assert stored() == 3
    assert set(refused(send("work", "k" * 201), 422, "not_accepted")) == {"Idempotency-Key"}


def test_the_same_key_at_once_makes_one_incident(made, office):
    made.token("work")
    together = threading.Barrier(6)

    def send(_):
        together.wait()
        headers = {"authorization": f"Bearer {made.tokens['work']}", "idempotency-key": "once"}
        return made.client.post(API, json={"title": "Mail is slow", "affected": "x"}, headers=headers)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["number"] for answer in answers}) == 1
    assert stored() == 1


# --- changes


def test_a_report_takes_few_statements_and_writes_each_row_once(made, office, app_database):
    """The token at the door and again where it counts, the service, two for policies and number, four rows, the answer;
    what begins the two transactions of SQLite, or rings the bell of PostgreSQL.
    """
    report = {"title": "Mail is slow", "service": "E-mail", "scope": "team", "effect": "partly"}
    made.report(**report)  # notes that the token is used
    said = []

    def keep(*given):
        said.append(given[2])

    event.listen(app_database, "before_cursor_execute", keep)
    told = made.report(**report)
    event.remove(app_database, "before_cursor_execute", keep)
    assert len(said) == (12 if app_database.dialect.name == "sqlite" else 11), said
    assert not [statement for statement in said if statement.lower().startswith("update")]
    assert told["number"] == "INC-000002"
    assert made.call("work", "GET", f"{API}/INC-000002").json() == told


def test_what_triage_sets_is_set_with_the_version(made, office):
    told = made.report(service="E-mail")
    path = f"{API}/{told['number']}"
    change = {"version": 1, "category": "NETWORK", "impact": 1, "urgency": 1, "people_affected": 40, "service": None}
    answer = made.call("triage", "PATCH", path, json=change)
    assert answer.status_code == 200, answer.text
    now_ = answer.json()
    assert (now_["category"], now_["priority"], now_["service"], now_["version"]) == ("Network", 1, None, 2)
    fields = refused(made.call("triage", "PATCH", path, json={"impact": 2}), 422, "not_accepted")
    assert set(fields) == {"version"}
    fields = refused(made.call("triage", "PATCH", path, json={"version": 2, "restricted": True}), 422, "not_accepted")
    assert set(fields) == {"restricted"}
    refused(made.call("work", "PATCH", path, json={"version": 2, "impact": 2}), 403, "forbidden")


def test_who_changes_what_another_changed_is_told_what(made, office):
    told = made.report()
    path = f"{API}/{told['number']}"
    made.call("triage", "PATCH", path, json={"version": 1, "impact": 1, "urgency": 1})
    for answer in (
        made.call("triage", "PATCH", path, json={"version": 1, "title": "Something else"}),
        made.call("triage", "POST", f"{path}/cancel", json={"version": 1, "reason": "x"}),
    ):
        assert refused(answer, 409, "conflict") == {}
        [since] = answer.json()["error"]["since"]
        assert (since["actor"], since["kind"]) == ("triage (token)", "prioritise")
        assert since["changes"]["impact"][1] == 1
    assert made.call("read", "GET", path).json()["title"] == "Mail is slow"


SENT = {
    # action: the state it starts from, what is sent, the state it leads to, what is missing from nothing
    "accept": (
        "new",
        {"category": "Network", "impact": 2, "urgency": 2, "team": "Network"},
        "assigned",
        {"category", "team"},
    ),
    "assign": ("assigned", {"team": "servers", "assignee": "sam@example.org"}, "assigned", None),
    "acknowledge": ("assigned", {"assignee": "priya@example.org"}, "in_progress", None),
    "hold": ("in_progress", {"hold_reason": "vendor", "hold_until": None}, "on_hold", {"hold_reason", "hold_until"}),
    "resume": ("on_hold", {}, "in_progress", None),
    "escalate": (
        "in_progress",
        {"team": "Portal", "reason": "The switch is fine, the portal is not."},
        "assigned",
        {"team", "reason"},
    ),
    "resolve": (
        "in_progress",
        {"resolution_code": "fixed", "resolution_note": "Restarted it."},
        "resolved",
        {"resolution_code", "resolution_note"},
    ),
    "recover": ("resolved", {}, "recovered", None),
    "verify": ("recovered", {"answered_by": "Rita"}, "recovered", None),
    "reject": ("assigned", {"reason": "Not ours."}, "new", {"reason"}),
    "close": (
        "recovered",
        {"verification": "not_needed", "verification_note": "Seen on site."},
        "closed",
        {"verification"},
    ),
    "reopen": ("resolved", {"reason": "It is back."}, "in_progress", {"reason"}),
    "cancel": ("new", {"reason": "A mistake."}, "cancelled", {"reason"}),
    "merge": ("new", {"into": None}, "cancelled", {"into"}),
    "unmerge": ("merged", {}, "new", None),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_is_taken_by_name(made, office, action):
    state, sent, reached, missing = SENT[action]
    survivor = number_of(office, office.report("The one that goes on"))
    if action == "verify":  # nobody with an account reported it, so those who close write the answer down
        incident = office.bring_to(state, by="Dora", caller=incidents.checks.Caller(name="Rita", contact="1"))
    elif state == "merged":
        incident = office.report()
        with writing(office.engine) as db:
            into = db.scalar(select(Incident.id).where(Incident.number == survivor))
        office.perform(incident, "merge", "Lena", duplicate_of_id=into)
    else:
        incident = office.bring_to(state)
    path = f"{API}/{number_of(office, incident)}"
    version = office.incident(incident).version
    if missing is not None:
        fields = refused(
            made.call("triage", "POST", f"{path}/{action}", json={"version": version}), 422, "not_accepted"
        )
        assert set(fields) == missing
    full = dict(sent)
    if "hold_until" in sent:
        full["hold_until"] = (now() + 5 * DAY).isoformat()
    if "into" in sent:
        full["into"] = survivor
    assert set(refused(made.call("triage", "POST", f"{path}/{action}", json=full), 422, "not_accepted")) == {"version"}
    answer = made.call("triage", "POST", f"{path}/{action}", json={"version": version, **full})
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == reached
    with reading() as db:
        of_it = TimelineEntry.incident_id == incident
        entry = db.scalars(select(TimelineEntry).where(of_it, TimelineEntry.kind == action).limit(1)).one()
        assert entry.actor_name == "triage (token)"


def test_what_a_program_reported_itself_goes_all_the_way(made, office):
    number = made.report(who="report")["number"]
    path = f"{API}/{number}"

    def take(who, action, **sent):
        version = made.call("triage", "GET", path).json()["version"]
        answer = made.call(who, "POST", f"{path}/{action}", json={"version": version, **sent})
        assert answer.status_code == 200, answer.text
        return answer.json()

    take("triage", "accept", category="Network", team="Network", assignee="priya@example.org", impact=2, urgency=2)
    take("work", "acknowledge")
    take("work", "resolve", resolution_code="fixed", resolution_note="Restarted it.")
    take("work", "recover")
    back = take("report", "reject", reason="Still slow.")
    assert (back["state"], back["priority"], back["not_fixed"]) == ("in_progress", None, "Still slow.")
    take("work", "resolve", resolution_code="fixed", resolution_note="Restarted it twice.")
    take("work", "recover")
    assert take("report", "verify")["verification"] == "confirmed"
    assert take("triage", "close")["state"] == "closed"
    stale = made.call("report", "POST", f"{path}/reopen", json={"version": 2, "reason": "x"})
    kinds = {one["kind"] for one in stale.json()["error"]["since"]}
    assert kinds >= {"acknowledge", "resolve"}
    assert "prioritise" not in kinds
    assert all(one["changes"] is None for one in stale.json()["error"]["since"]), "outside nobody reads what was set"
    done = subprocess.run(
        [sys.executable, "-m", "db", "verify"], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"DATABASE_URL": office.engine.url.render_as_string(hide_password=False)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_program_is_nobody_that_an_incident_is_given_to(made, office):
    incident = office.bring_to("assigned")
    path = f"{API}/{number_of(office, incident)}"
    answer = made.call("work", "POST", f"{path}/acknowledge", json={"version": office.incident(incident).version})
    assert answer.json()["assignee"] is None
    assert answer.json()["acknowledged_at"] is not None


# --- who may what


def test_each_scope_opens_what_it_says_and_no_more(made, office):
    number = made.report()["number"]
    path = f"{API}/{number}"
    calls_ = {
        "list": ("GET", API, None),
        "show": ("GET", path, None),
        "timeline": ("GET", f"{path}/timeline", None),
        "messages": ("GET", f"{path}/messages", None),
        "report": ("POST", API, {"title": "x", "affected": "y"}),
        "report_for": ("POST", API, {"title": "x", "affected": "y", "reporter": "rita@example.org"}),
        "say": ("POST", f"{path}/messages", {"text": "Hello"}),
        "note": ("POST", f"{path}/notes", {"text": "Hello"}),
        "patch": ("PATCH", path, {"version": 1, "impact": 2}),
        "cancel": ("POST", f"{path}/cancel", {"version": 1, "reason": "x"}),
        "oncall": ("GET", "/api/v1/oncall", None),
        "trends": ("GET", "/api/v1/trends", None),
    }
    taken = {
        who: {name for name, (method, at, body) in calls_.items() if who_is(made, who, method, at, body) < 300}
        for who in ("oncall", "trends", "read", "report", "work", "triage")
    }
    reads = {"list", "show", "timeline", "messages"}
    assert taken == {
        "oncall": {"oncall"},
        "trends": {"trends"},
        "read": reads,
        "report": {"report"},
        "work": reads | {"report", "report_for", "say", "note"},
        "triage": reads | {"report", "report_for", "say", "note", "patch", "cancel"},
    }
    answer = made.call("read", "POST", f"{path}/notes", json={"text": "x"})
    refused(answer, 403, "forbidden")
    assert "incidents:write" in answer.json()["error"]["message"]


def who_is(made, who, method, path, body):
    answer = made.call(who, method, path, json=body) if body else made.call(who, method, path)
    assert answer.status_code in (200, 201, 403, 404, 409), answer.text
    return answer.status_code


def test_who_may_only_report_follows_its_own(made, office):
    own = made.report(who="report")
    other = made.report()["number"]
    path = f"{API}/{own['number']}"
    assert made.call("report", "GET", path).json()["title"] == "Mail is slow"
    assert own["priority"] is None, "those outside the work read no priorities"
    entries = made.call("report", "GET", f"{path}/timeline").json()["entries"]
    assert [entry["kind"] for entry in entries] == ["report"]
    assert made.call("report", "POST", f"{path}/notes", json={"text": "Still so.", "public": True}).status_code == 201
    refused(made.call("report", "POST", f"{path}/notes", json={"text": "Among us."}), 403, "forbidden")
    refused(made.call("report", "GET", f"{API}/{other}"), 404, "not_found")
    refused(made.call("report", "GET", API), 403, "forbidden")


def test_a_restricted_incident_is_never_open_to_a_program(made, office):
    hidden, open_ = office.report("Secret thing"), office.report("Open thing")
    own = made.report("My secret")
    for number in (number_of(office, hidden), own["number"]):
        with writing(office.engine) as db:
            incident = db.scalar(select(Incident.id).where(Incident.number == number))
            incidents.prioritise(db, incident, None, {"restricted": True}, actor=office.people["Lena"], now=now())
            conversation.attach(
                db, incident, conversation.files.Upload("a.png", PNG), actor=office.people["Lena"], now=now()
            )
    shown = number_of(office, open_)
    for number in (number_of(office, hidden), own["number"]):
        path = f"{API}/{number}"
        with reading() as db:
            file = db.scalar(select(Attachment.id).join(Incident).where(Incident.number == number))
        for part in ("", "/timeline", "/messages", "/updates", "/files", f"/files/{file}"):
            refused(made.call("triage", "GET", path + part), 404, "not_found")
        refused(made.call("triage", "PATCH", path, json={"version": 2, "impact": 1}), 404, "not_found")
        refused(made.call("triage", "POST", f"{path}/cancel", json={"version": 2, "reason": "x"}), 404, "not_found")
        refused(made.call("triage", "POST", f"{path}/notes", json={"text": "x"}), 404, "not_found")
        refused(made.call("triage", "POST", f"{path}/messages", json={"text": "x"}), 404, "not_found")
        merge = made.call("triage", "POST", f"{API}/{shown}/merge", json={"version": 1, "into": number})
        nowhere = made.call("triage", "POST", f"{API}/{shown}/merge", json={"version": 1, "into": "INC-999999"})
        assert refused(merge, 422, "not_accepted") == refused(nowhere, 422, "not_accepted")
    for query in ("", "?q=secret", "?sort=rank", f"?q={own['number']}"):
        found = made.call("triage", "GET", API + query).json()["incidents"]
        assert {one["number"] for one in found} <= {shown}


@sqlite
def test_trends_by_token_count_nothing_that_is_restricted(made, office):
    office.report("Open thing")
    incident = office.report("Secret thing")
    with writing(office.engine) as db:
        incidents.prioritise(db, incident, None, {"restricted": True}, actor=office.people["Lena"], now=now())
    assert made.call("trends", "GET", "/api/v1/trends").json()["opened"]["n"] == 1


def test_people_read_with_their_session_and_change_nothing(made, office):
    number = number_of(office, office.report("Mail is slow", by="Rita"))
    office.report("Not Rita's", by="Otto")
    assert [one["number"] for one in made.signed_in("Rita", "GET", API).json()["incidents"]] == [number]
    for level in (1, 3):  # as it is not shown
        assert set(refused(made.signed_in("Rita", "GET", f"{API}?priority={level}"), 422, "not_accepted")) == {
            "priority"
        }
        assert made.signed_in("Max", "GET", f"{API}?priority={level}").status_code == 200
    assert len(made.signed_in("Max", "GET", API).json()["incidents"]) == 2
    assert made.signed_in("Ada", "GET", API).json()["incidents"] == []
    refused(made.signed_in("Ada", "GET", f"{API}/{number}"), 404, "not_found")
    for method, path in (("POST", API), ("PATCH", f"{API}/{number}"), ("POST", f"{API}/{number}/cancel")):
        refused(made.signed_in("Lena", method, path, json={"version": 1, "reason": "x"}), 403, "forbidden")
    assert office.incident(1).state == "new"


# --- lists


def numbers(made, query, who="read"):
    """Of every page, and how many pages."""
    found, cursor, pages = [], "", 0
    while True:
        answer = made.call(who, "GET", f"{API}?{query}{cursor}")
        assert answer.status_code == 200, answer.text
        told = answer.json()
        found += [one["number"] for one in told["incidents"]]
        pages += 1
        if told["next"] is None:
            return found, pages
        cursor = f"&cursor={told['next']}"


@pytest.mark.parametrize("dense", [5000, 1])
def test_pages_follow_each_other_in_every_order(made, office, monkeypatch, dense):
    monkeypatch.setattr(incident_pages, "DENSE", dense)  # few that match are sorted, many are met in their order
    ids = [office.report(f"Report {n}", at=MONDAY + (n % 3) * HOUR) for n in range(7)]
    office.perform(ids[2], "accept", "Lena", MONDAY + 9 * HOUR, **office.triage)
    office.perform(ids[5], "cancel", "Lena", MONDAY + 8 * HOUR, reason="x")
    rows = [office.incident(one) for one in ids]
    by = {
        "reported": sorted(rows, key=lambda one: (one.reported_at, one.id)),
        "changed": sorted(rows, key=lambda one: (one.changed_at, one.id)),
        "rank": sorted(
            (one for one in rows if one.state != "cancelled"),
            key=lambda one: (one.queue_group, one.rank_at, one.reported_at, one.id),
        ),
    }
    for sort in ("reported", "-reported", "changed", "-changed", "rank"):
        expected = [one.number for one in by[sort.removeprefix("-")]]
        assert numbers(made, f"sort={sort}&limit=3") == (
            expected[::-1] if sort.startswith("-") else expected,
            -(-len(expected) // 3),
        ), sort
        narrowed = [row.number for row in by[sort.removeprefix("-")] if row.state == "new"]
        assert numbers(made, f"sort={sort}&limit=3&state=new")[0] == (
            narrowed[::-1] if sort.startswith("-") else narrowed
        ), sort
        own = made.signed_in("Rita", "GET", f"{API}?sort={sort}&state=new").json()["incidents"]
        assert [one["number"] for one in own] == (narrowed[::-1] if sort.startswith("-") else narrowed), sort


def test_lists_are_narrowed(made, office):
    first, second = office.report("Mail is slow"), office.report("Printer jams", affected="Room 1")
    office.perform(second, "accept", "Lena", MONDAY + HOUR, **office.triage)
    one, two = number_of(office, first), number_of(office, second)
    asked = {
        "state=new": [one], "state=assigned,closed": [two], "state=open": [two, one], "q=printer": [two],
        "team=network": [two], f"team={office.teams['Servers']}": [], "priority=3&state=assigned": [two],
        "changed_since=2026-03-02T09:30:00Z": [two], "changed_since=2026-03-02T10:30:00%2B01:00": [two],
        "service=E-mail": [],
    }  # fmt: skip
    for query, expected in asked.items():
        assert numbers(made, query)[0] == expected, query
    wrong = "sort=best&state=odd&priority=9&limit=5&changed_since=soon&team=Nobody"
    fields = refused(made.call("read", "GET", f"{API}?{wrong}"), 422, "not_accepted")
    assert set(fields) == {"sort", "state", "priority", "changed_since", "team"}
    for limit in ("0", "201", "x", "-1", "٣"):
        assert set(refused(made.call("read", "GET", f"{API}?limit={limit}"), 422, "not_accepted")) == {"limit"}


def test_a_cursor_serves_only_the_list_that_it_is_of(made, office):
    for n in range(3):
        office.report(f"Report {n}")
    cursor = made.call("read", "GET", f"{API}?limit=1").json()["next"]
    for query in (
        f"cursor={cursor}&sort=rank",
        f"cursor={cursor}x",
        "cursor=AAAA",
        "cursor=%00",
        f"state=new&cursor={cursor}",
    ):
        assert set(refused(made.call("read", "GET", f"{API}?{query}"), 422, "not_accepted")) == {"cursor"}, query


def test_a_list_asks_the_database_as_often_for_many_as_for_few(made, office, app_database):
    for n in range(3):
        office.perform(office.report(f"Report {n}"), "accept", "Lena", MONDAY + HOUR, **office.triage)
    made.token("read")
    made.call("read", "GET", API)  # notes that the token is used
    asked = []

    def count(*given):
        asked.append(given[2])

    event.listen(app_database, "before_cursor_execute", count)
    few = len([made.call("read", "GET", f"{API}?limit=1"), *asked]) - 1
    asked.clear()
    many = len([made.call("read", "GET", f"{API}?limit=200"), *asked]) - 1
    event.remove(app_database, "before_cursor_execute", count)
    assert few == many <= 8, asked


# --- what hangs on it


def test_the_timeline_is_read_page_by_page(made, office):
    incident = office.bring_to("closed")
    path = f"{API}/{number_of(office, incident)}/timeline"
    whole = [entry.kind for entry in sorted(office.timeline(incident), key=lambda one: (one.at, one.id), reverse=True)]
    found, cursor = [], ""
    while cursor is not None:
        told = made.call("read", "GET", f"{path}?limit=2{cursor}").json()
        assert len(told["entries"]) <= 2
        found += [entry["kind"] for entry in told["entries"]]
        cursor = f"&cursor={told['next']}" if told["next"] else None
    assert found == whole
    talk = made.call("read", "GET", f"{path}?kinds=talk").json()["entries"]
    assert {entry["kind"] for entry in talk} <= {"sent", "comment", "note", "update"}
    assert set(refused(made.call("read", "GET", f"{path}?kinds=odd"), 422, "not_accepted")) == {"kinds"}


def test_what_is_said_in_the_room_is_said_once(made, office):
    path = f"{API}/{made.report()['number']}/messages"
    for n in (1, 2, 2, 3):
        headers = {"idempotency-key": f"m{n}"}
        answer = made.call("work", "POST", path, json={"text": f"Message {n} @Priya"}, headers=headers)
        assert answer.status_code == 201, answer.text
    assert answer.json()["author"]["name"] == "work (token)"
    reply = made.call("work", "POST", path, json={"text": "Yes.", "reply_to": answer.json()["id"]}).json()
    assert reply["reply_to"] == answer.json()["id"]
    first = made.call("read", "GET", f"{path}?limit=3").json()
    rest = made.call("read", "GET", f"{path}?limit=3&cursor={first['next']}").json()
    said = [one["text"] for one in first["messages"] + rest["messages"]]
    assert said == ["Yes.", "Message 3 @Priya", "Message 2 @Priya", "Message 1 @Priya"]
    assert rest["next"] is None
    assert [who for who, kind, _ in office.notices(1) if kind == "mention"] == ["Priya"] * 3
    assert set(refused(made.call("work", "POST", path, json={"text": " "}), 422, "not_accepted")) == {"text"}
    refused(made.signed_in("Rita", "GET", path), 404, "not_found")


def test_updates_are_written_and_read(made, office):
    incident = office.bring_to("in_progress")
    path = f"{API}/{number_of(office, incident)}/updates"
    later = (now() + HOUR).isoformat()
    sent = {"audience": "internal", "stage": "investigating", "text": "We look.", "next_at": later}
    answers = [made.call("work", "POST", path, json=sent, headers={"idempotency-key": "u"}) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["state"] == "published"
    public = sent | {"audience": "external", "title": "Mail"}
    assert made.call("work", "POST", path, json=public).json()["state"] == "waiting", (
        "who triages nothing is read first"
    )
    for who in ("work", "triage"):
        for components in ({"1": "nonsense"}, {"999": "degraded"}, {"mail": "degraded"}):
            fields = refused(
                made.call(who, "POST", path, json=public | {"components": components}), 422, "not_accepted"
            )
            assert set(fields) == {"components"}, "what waits can be published"
    assert made.call("triage", "POST", path, json=public).json()["state"] == "published"
    told = made.call("read", "GET", f"{path}?limit=2").json()
    assert [one["audience"] for one in told["updates"]] == ["external", "external"]
    rest = made.call("read", "GET", f"{path}?limit=2&cursor={told['next']}").json()
    assert [one["text"] for one in rest["updates"]] == ["We look."]
    waiting = [one["state"] for one in made.signed_in("Rita", "GET", path).json()["updates"]]
    assert waiting == ["published", "published"]
    fields = refused(
        made.call("work", "POST", path, json={"audience": "internal", "stage": "monitoring"}), 422, "not_accepted"
    )
    assert set(fields) == {"text", "next_at"}


def test_files_are_listed_and_downloaded_as_attachments(made, office):
    incident, other = office.report(), office.report("Another")
    with writing(office.engine) as db:
        for name in ("one.png", "zwei ü.png", "three.png"):
            upload = conversation.files.Upload(name, PNG)
            conversation.attach(db, incident, upload, actor=office.people["Rita"], now=now())
    path = f"{API}/{number_of(office, incident)}/files"
    first = made.call("read", "GET", f"{path}?limit=2").json()
    assert [one["name"] for one in first["files"]] == ["one.png", "zwei ü.png"]
    rest = made.call("read", "GET", f"{path}?limit=2&cursor={first['next']}").json()
    assert ([one["name"] for one in rest["files"]], rest["next"]) == (["three.png"], None)
    answer = made.call("read", "GET", first["files"][1]["url"])
    assert answer.content == PNG
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    elsewhere = f"{API}/{number_of(office, other)}/files/{first['files'][0]['id']}"
    refused(made.call("read", "GET", elsewhere), 404, "not_found")
    refused(made.call("read", "GET", f"{path}/x"), 404, "not_found")


@sqlite
def test_whatever_is_not_there_is_told_in_the_same_form(made, office):
    number = made.report()["number"]
    refused(made.call("work", "GET", "/api/v1/nothing"), 404, "not_found")
    refused(made.call(None, "GET", "/api/v1/nothing"), 404, "not_found")
    refused(made.call("work", "POST", f"{API}/{number}/explode", json={"version": 1}), 404, "not_found")
    refused(made.call("work", "DELETE", f"{API}/{number}"), 405, "method_not_allowed")
    for method, path in (("GET", ""), ("POST", "/resume"), ("PATCH", "")):
        refused(made.call("triage", method, f"{API}/INC-999999{path}", json={"version": 1}), 404, "not_found")


@sqlite
def test_too_many_calls_are_told_to_wait(made, office, monkeypatch):
    monkeypatch.setattr(calls, "rates", Rates(3, 60.0))
    answers = [made.call("read", "GET", API) for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    refused(answers[3], 429, "too_many")
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60
    assert made.call("work", "GET", API).status_code == 200


@sqlite
def test_an_accident_is_told_with_a_reference_and_leaves_nothing(made, office, monkeypatch):
    def accident(*_args, **_given):
        raise RuntimeError("boom")

    monkeypatch.setattr(incidents.opening.timers, "begin", accident)  # its row is written by then
    answer = made.call("work", "POST", API, json={"title": "x", "affected": "y"})
    refused(answer, 500, "failed")
    assert "boom" not in answer.text
    assert stored() == 0
