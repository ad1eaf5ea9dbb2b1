"""The formats of particular tools: Alertmanager, Grafana, PagerDuty's Events API v2, CloudWatch and Pingdom.

Facts come from each tool's own documentation of its webhook and from samples that their users published.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from rules.errors import RuleError
from rules.json_body import decode_text
from rules.signal_values import (
    SEVERITY_LIMIT,
    SOURCE_LIMIT,
    TITLE_LIMIT,
    Signal,
    Status,
    alerts_of,
    an_object,
    block,
    details_of,
    first,
    is_link,
    is_paused,
    key,
    kind,
    line,
    links_of,
    made_key,
    required,
    status_of,
    when,
)

_SOURCES = ("instance", "host", "hostname", "node", "pod", "container", "device", "service", "job")
"""labels that name what an alert is about, the most telling first"""
_TOLD = frozenset(("summary", "title", "description", "message"))
"""annotations that have a place of their own in a signal"""
_ACTIONS: dict[str, Status] = {"trigger": "firing", "acknowledge": "acknowledged", "resolve": "resolved"}
_ANNOUNCEMENTS = ("SubscriptionConfirmation", "UnsubscribeConfirmation")
_AMAZON = (".amazonaws.com", ".amazonaws.com.cn")


def alertmanager(payload: Any, received_at: datetime) -> list[Signal]:
    """Each alert by its own status, not the group's. https://prometheus.io/docs/alerting/latest/configuration/#webhook_config"""
    message = an_object(payload, "the body")
    common = [("Alertmanager", message.get("externalURL"))]
    return _labelled(message, received_at, [("Source", "generatorURL")], common)


def grafana(payload: Any, received_at: datetime) -> list[Signal]:
    """Unified alerting sends a list of alerts; the legacy one sends one for each rule, whose state 'ok' resolves it."""
    message = an_object(payload, "the body")
    if "alerts" not in message:
        return [_grafana_legacy(message, received_at)]
    own = (
        ("Panel", "panelURL"),
        ("Dashboard", "dashboardURL"),
        ("Rule", "generatorURL"),
        ("Silence", "silenceURL"),
        ("Image", "imageURL"),
    )
    return _labelled(message, received_at, own, [("Grafana", message.get("externalURL"))])


class _Group(NamedTuple):
    """What the alerts of one message have in common."""

    key: str
    status: Status | None
    receiver: str
    links: Sequence[tuple[str, object]]


def _labelled(
    message: dict[str, Any],
    received_at: datetime,
    own_links: Sequence[tuple[str, str]],
    common_links: Sequence[tuple[str, object]],
) -> list[Signal]:
    alerts = alerts_of(message.get("alerts"), "alerts")
    group = _Group(
        key(message.get("groupKey"), "groupKey"),
        status_of(message.get("status"), "status"),
        line(message.get("receiver"), SOURCE_LIMIT),
        common_links,
    )
    return [_labelled_alert(alert, f"alerts[{at}]", group, own_links, received_at) for at, alert in enumerate(alerts)]


def _labelled_alert(
    alert: dict[str, Any], name: str, group: _Group, own_links: Sequence[tuple[str, str]], received_at: datetime
) -> Signal:
    labels = an_object(alert.get("labels"), f"{name}.labels")
    notes = an_object(alert.get("annotations"), f"{name}.annotations")
    fingerprint = key(alert.get("fingerprint"), f"{name}.fingerprint")
    if not labels and not fingerprint:
        raise RuleError(f"{name} has no labels and no fingerprint to know it by.", field=f"{name}.labels")
    status = status_of(alert.get("status"), f"{name}.status") or group.status or "firing"
    titles = (notes.get("summary"), notes.get("title"), labels.get("alertname"), notes.get("description"))
    runbook = next((notes[one] for one in ("runbook_url", "runbook") if is_link(notes.get(one))), None)
    links = [(label, alert.get(place)) for label, place in own_links]
    return Signal(
        dedup_key=fingerprint or made_key(labels),
        status=status,
        title=first(*titles, notes.get("message"), fingerprint) or "Alert",
        severity=line(labels.get("severity"), SEVERITY_LIMIT),
        source=first(*(labels.get(label) for label in _SOURCES), limit=SOURCE_LIMIT),
        started_at=when(alert.get("startsAt")) or received_at,
        ended_at=when(alert.get("endsAt")) if status == "resolved" else None,
        description=block(notes.get("description")) or block(notes.get("message")),
        group_key=group.key,
        links=links_of([*links, ("Runbook", runbook), *group.links]),
        details=details_of(
            {
                "labels": labels,
                "annotations": {name: note for name, note in notes.items() if name not in _TOLD},
                "values": alert.get("valueString"),
                "receiver": group.receiver,
            }
        ),
    )


def _grafana_legacy(message: dict[str, Any], received_at: datetime) -> Signal:
    rule = first(*(message.get(name) for name in ("ruleId", "ruleUid", "ruleUrl", "ruleName")), limit=SOURCE_LIMIT)
    title = required(message.get("title"), "title") or required(message.get("ruleName"), "ruleName")
    if not rule and not title:
        raise RuleError("There are no alerts and no ruleId in it. Send what Grafana's webhook sends.", field="alerts")
    matches = message.get("evalMatches")
    matches = [match for match in matches if isinstance(match, dict)] if isinstance(matches, list) else []
    matched = matches[0].get("tags") if matches else None
    tags = message.get("tags")
    paused = is_paused(message.get("state"))
    known = {**(matched if isinstance(matched, dict) else {}), **(tags if isinstance(tags, dict) else {})}
    return Signal(
        dedup_key=key(f"rule:{rule}", "ruleId") if rule else made_key(title),
        status="acknowledged" if paused else status_of(message.get("state"), "state") or "firing",
        title=title or line(f"Grafana rule {rule}", TITLE_LIMIT),
        severity=line(known.get("severity"), SEVERITY_LIMIT),
        source=first(*(known.get(name) for name in _SOURCES), limit=SOURCE_LIMIT),
        started_at=received_at,
        description=block(message.get("message")),
        links=links_of([("Rule", message.get("ruleUrl")), ("Image", message.get("imageUrl"))]),
        details=details_of({"state": message.get("state"), "tags": tags, "matches": matches}),
        note_only=paused,
    )


def pagerduty(payload: Any, received_at: datetime) -> list[Signal]:
    """One event. A trigger without dedup_key gets a made one, which is returned to the sender: the same for the same
    summary, source, component, group and class, so that a message that is sent again opens nothing twice.

    https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
    """
    event = an_object(payload, "the body")
    action = event.get("event_action")
    status = _ACTIONS.get(action) if isinstance(action, str) else None
    if status is None:
        said = f"'{line(action, 40)}'" if isinstance(action, str) else kind(action)
        raise RuleError(f"event_action is {said}. Send trigger, acknowledge or resolve.", field="event_action")
    facts = an_object(event.get("payload"), "payload")
    summary = required(facts.get("summary"), "payload.summary")
    dedup_key = key(event.get("dedup_key"), "dedup_key")
    if status == "firing":
        if not summary:
            raise RuleError("payload.summary is missing. Say in a sentence what is wrong.", field="payload.summary")
        identity = [facts.get(name) for name in ("summary", "source", "component", "group", "class")]
        dedup_key = dedup_key or made_key(*identity)
    elif not dedup_key:
        raise RuleError(f"dedup_key is missing. Send the key of the alert to {action}.", field="dedup_key")
    links = event.get("links")
    links = [link for link in links if isinstance(link, dict)] if isinstance(links, list) else []
    happened = when(facts.get("timestamp"))
    long_summary = block(facts.get("summary"))
    return [
        Signal(
            dedup_key=dedup_key,
            status=status,
            title=summary or line(dedup_key, TITLE_LIMIT),
            severity=line(facts.get("severity"), SEVERITY_LIMIT),
            source=line(facts.get("source"), SOURCE_LIMIT),
            started_at=happened or received_at,
            ended_at=(happened or received_at) if status == "resolved" else None,
            description=long_summary if long_summary != summary else "",
            group_key=key(line(facts.get("group"), SOURCE_LIMIT), "payload.group"),
            links=links_of(
                [
                    *((link.get("text"), link.get("href")) for link in links),
                    (event.get("client"), event.get("client_url")),
                ]
            ),
            details=details_of(
                {
                    "component": facts.get("component"),
                    "group": facts.get("group"),
                    "class": facts.get("class"),
                    "client": event.get("client"),
                    "details": facts.get("custom_details"),
                }
            ),
        )
    ]


def cloudwatch(payload: Any, received_at: datetime) -> list[Signal]:
    """An alarm's change of state: in SNS's envelope, as SNS sends it raw, or as EventBridge's event.

    OK resolves; ALARM and INSUFFICIENT_DATA fire. Confirmations of a subscription are no signals (see subscribe_url).
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
    """
    envelope = an_object(payload, "the body")
    if envelope.get("Type") in _ANNOUNCEMENTS:
        return []
    alarm = _alarm_in(envelope)
    name = required(alarm.get("AlarmName"), "AlarmName")
    if not name:
        raise RuleError("AlarmName is missing. Send the notification of a CloudWatch alarm.", field="AlarmName")
    status = status_of(alarm.get("NewStateValue"), "NewStateValue")
    if status is None:
        raise RuleError("NewStateValue is missing. Send OK, ALARM or INSUFFICIENT_DATA.", field="NewStateValue")
    arn = key(alarm.get("AlarmArn"), "AlarmArn")
    changed = when(alarm.get("StateChangeTime")) or received_at
    trigger = alarm.get("Trigger")
    trigger = trigger if isinstance(trigger, dict) else {}
    told = [block(alarm.get(part)) for part in ("AlarmDescription", "NewStateReason")]
    return [
        Signal(
            dedup_key=arn or made_key(alarm.get("AWSAccountId"), alarm.get("Region"), alarm.get("AlarmName")),
            status=status,
            title=name,
            severity="",
            source=_dimension(trigger) or first(trigger.get("Namespace"), alarm.get("Region"), limit=SOURCE_LIMIT),
            started_at=changed,
            ended_at=changed if status == "resolved" else None,
            description=block("\n\n".join(filter(None, told))),
            details=details_of(
                {
                    "state": alarm.get("NewStateValue"),
                    "account": alarm.get("AWSAccountId"),
                    "region": alarm.get("Region"),
                    "trigger": trigger,
                }
            ),
        )
    ]


def subscribe_url(payload: Any) -> str | None:
    """Where a person confirms an SNS subscription, if that is what the message asks and the address is Amazon's own."""
    if not isinstance(payload, dict) or payload.get("Type") != "SubscriptionConfirmation":
        return None
    address = payload.get("SubscribeURL")
    if not isinstance(address, str) or not is_link(address):
        return None
    parts = urlsplit(address.strip())
    return address.strip() if parts.scheme == "https" and (parts.hostname or "").endswith(_AMAZON) else None


def _alarm_in(envelope: dict[str, Any]) -> dict[str, Any]:
    """The alarm itself, by the names that SNS gives its parts."""
    alarm = envelope
    if "Message" in envelope and "AlarmName" not in envelope:
        message = envelope["Message"]
        alarm = decode_text(message, "Message") if isinstance(message, str) else message
        if not isinstance(alarm, dict):
            raise RuleError(f"Message is {kind(alarm)}. Send a CloudWatch alarm as JSON in text.", field="Message")
    return _from_event_bridge(alarm) if isinstance(alarm.get("detail"), dict) else alarm


def _from_event_bridge(event: dict[str, Any]) -> dict[str, Any]:
    detail = event["detail"]
    resources, state = event.get("resources"), detail.get("state")
    state = state if isinstance(state, dict) else {}
    return {
        "AlarmName": detail.get("alarmName"),
        "AlarmArn": resources[0] if isinstance(resources, list) and resources else None,
        "NewStateValue": state.get("value"),
        "NewStateReason": state.get("reason"),
        "StateChangeTime": state.get("timestamp") or event.get("time"),
        "AWSAccountId": event.get("account"),
        "Region": event.get("region"),
    }


def _dimension(trigger: dict[str, Any]) -> str:
    """What the alarm's metric is measured on: the first dimension's value, such as an instance's id."""
    dimensions = trigger.get("Dimensions")
    for dimension in dimensions if isinstance(dimensions, list) else []:
        if isinstance(dimension, dict) and (value := line(dimension.get("value"), SOURCE_LIMIT)):
            return value
    return ""


def pingdom(payload: Any, received_at: datetime) -> list[Signal]:
    """A check that changed its state; UP (SUCCESS of a transaction) resolves, PAUSED is only noted.

    https://www.pingdom.com/resources/webhooks/
    """
    check = an_object(payload, "the body")
    check_id = key(check.get("check_id"), "check_id")
    if not check_id:
        raise RuleError("check_id is missing. Send the number of the check.", field="check_id")
    paused = is_paused(check.get("current_state"))
    status = "acknowledged" if paused else status_of(check.get("current_state"), "current_state")
    if status is None:
        raise RuleError("current_state is missing. Send UP or DOWN.", field="current_state")
    params = check.get("check_params")
    params = params if isinstance(params, dict) else {}
    changed = when(check.get("state_changed_timestamp")) or when(check.get("state_changed_utc_time")) or received_at
    told = [block(check.get(part)) for part in ("description", "long_description")]
    return [
        Signal(
            dedup_key=key(f"check:{check_id}", "check_id"),
            status=status,
            title=required(check.get("check_name"), "check_name") or line(f"Pingdom check {check_id}", TITLE_LIMIT),
            severity=line(check.get("importance_level"), SEVERITY_LIMIT),
            source=first(params.get("hostname"), params.get("full_url"), limit=SOURCE_LIMIT),
            started_at=changed,
            ended_at=changed if status == "resolved" else None,
            description=block("\n\n".join(filter(None, told))),
            links=links_of([("Checked address", params.get("full_url"))]),
            details=details_of(
                {
                    "state": check.get("current_state"),
                    "previous_state": check.get("previous_state"),
                    "type": check.get("check_type"),
                    "tags": check.get("tags"),
                    "first_probe": check.get("first_probe"),
                    "second_probe": check.get("second_probe"),
                }
            ),
            note_only=paused,
        )
    ]
