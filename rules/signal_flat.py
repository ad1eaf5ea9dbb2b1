"""Formats that are one flat object for each alert, by names that anybody can write: our own (generic), and Zabbix's.

Generic, the shortest that works: {"title": "Disk is full", "status": "firing"}. All it knows:

| name | also | meaning |
|---|---|---|
| dedup_key | alert_uid, alert_id, fingerprint, incident_key, alias, key | which alert; else made of title and source |
| title | summary, subject, name, alert_name | one line; else the first words of the description |
| status | state, event_action | ok or resolved resolves, acknowledged acknowledges, all else (and none) fires |
| severity | priority, level | any word; the integration says what it means |
| source | host, hostname, instance, resource, service | what it is about |
| description | message, text, body | several lines |
| started_at, ended_at | starts_at, timestamp, time; ends_at | ISO 8601 (UTC without zone), or seconds since 1970 |
| link | url, link_to_upstream_details; image_url; links | http or https; links: addresses, or {"href", "text"} |
| group_key | group | alerts of one group may share an incident |
| labels | tags, details, custom_details | any small object |

Upper and lower case, '_', '-' and '.' in names make no difference. A list of such objects is several alerts.

Zabbix: a webhook media type whose script sends its parameters as JSON. Beside the names above it knows the usual macros
as parameters, such as event_id {EVENT.ID}, event_value {EVENT.VALUE}, event_name {EVENT.NAME}, event_severity
{EVENT.SEVERITY}, host_name {HOST.NAME}, event_update_status {EVENT.UPDATE.STATUS}, event_update_action, trigger_id,
event_tags and event_url. A macro that Zabbix left as it was ('{EVENT.URL}', '*UNKNOWN*') counts as absent. Zabbix's
dates are local ones without a zone, so the time of receipt counts, unless event_timestamp says otherwise.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rules.errors import RuleError
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
    key,
    line,
    links_of,
    made_key,
    required,
    status_of,
    when,
)

Names = Mapping[str, tuple[str, ...]]
"""what we call it -> what it may be called, folded, the first that is there counts"""

GENERIC: Names = {
    "dedup_key": ("dedupkey", "alertuid", "alertid", "fingerprint", "incidentkey", "alias", "key"),
    "title": ("title", "summary", "subject", "name", "alertname"),
    "status": ("status", "state", "eventaction"),
    "severity": ("severity", "priority", "level"),
    "source": ("source", "host", "hostname", "instance", "resource", "service"),
    "description": ("description", "message", "text", "body"),
    "started_at": ("startedat", "startsat", "timestamp", "time"),
    "ended_at": ("endedat", "endsat"),
    "group_key": ("groupkey", "group"),
    "link": ("link", "url", "linktoupstreamdetails"),
    "image": ("imageurl", "image"),
    "labels": ("labels", "tags", "details", "customdetails"),
}
ZABBIX: Names = {
    **GENERIC,
    "dedup_key": (*GENERIC["dedup_key"], "eventid", "problemid", "triggerid"),
    "title": (*GENERIC["title"], "eventname", "triggername", "problemname", "alertsubject"),
    "status": (*GENERIC["status"], "eventvalue", "triggervalue", "eventstatus", "triggerstatus"),
    "severity": ("eventseverity", "triggerseverity", *GENERIC["severity"], "eventnseverity"),
    "source": (*GENERIC["source"], "hostname1", "hosthost"),
    "description": (*GENERIC["description"], "alertmessage", "eventopdata", "triggerdescription"),
    "started_at": ("startedat", "startsat", "eventtimestamp"),
    "ended_at": ("endedat", "endsat", "eventrecoverytimestamp"),
    "link": (*GENERIC["link"], "eventurl", "alerturl", "triggerurl"),
    "labels": ("labels", "tags", "eventtags", "hostgroups", "details"),
}
_KNOWN = {spelling for names in (GENERIC, ZABBIX) for spellings in names.values() for spelling in spellings} | {"links"}
_UNFILLED = re.compile(r"\{[$#?]?[A-Z][A-Z0-9_.:\"]{0,60}\}|\*UNKNOWN\*|\*UNRESOLVED\*")
_SEPARATORS = re.compile(r"[_\-. ]")
_NAME_LIMIT = 60


def generic(payload: Any, received_at: datetime) -> list[Signal]:
    """One object, or a list of them, by the names of the table above."""
    if not isinstance(payload, list):
        return [_flat(an_object(payload, "the body"), GENERIC, "", received_at)]
    return [
        _flat(alert, GENERIC, f"alerts[{at}].", received_at) for at, alert in enumerate(alerts_of(payload, "alerts"))
    ]


def zabbix(payload: Any, received_at: datetime) -> list[Signal]:
    """One event of Zabbix by the parameters of its media type."""
    message = an_object(payload, "the body")
    filled = {name: value for name, value in message.items() if not _unfilled(value)}
    return [_flat(filled, ZABBIX, "", received_at, _zabbix_update(filled))]


def _unfilled(value: object) -> bool:
    return isinstance(value, str) and len(value) < 70 and _UNFILLED.fullmatch(value.strip()) is not None


def _zabbix_update(message: dict[str, Any]) -> Status | None:
    """An update of a problem that acknowledges it; {EVENT.UPDATE.ACTION} says 'acknowledged' among what was done."""
    sent = _folded(message)
    update, action = line(sent.get("eventupdatestatus"), 20), line(sent.get("eventupdateaction"), 200).casefold()
    return "acknowledged" if update == "1" and re.search(r"\backnowledged", action) else None


def _flat(
    message: dict[str, Any], names: Names, place: str, received_at: datetime, update: Status | None = None
) -> Signal:
    sent = _folded(message)

    def value(name: str) -> Any:
        return next((sent[one] for one in names[name] if sent.get(one) not in (None, "")), None)

    description = block(value("description"))
    source = line(value("source"), SOURCE_LIMIT)
    title = required(value("title"), f"{place}title") or line(description, TITLE_LIMIT)
    dedup_key = key(value("dedup_key"), f"{place}dedup_key")
    if not title and not dedup_key:
        raise RuleError("There is no title and no dedup_key. Send at least a title.", field=f"{place}title")
    status = status_of(value("status"), f"{place}status") or "firing"
    labels = value("labels")
    return Signal(
        dedup_key=dedup_key or made_key(title, source),
        status=update if update and status == "firing" else status,
        title=title or line(dedup_key, TITLE_LIMIT),
        severity=line(value("severity"), SEVERITY_LIMIT),
        source=source,
        started_at=when(value("started_at")) or received_at,
        ended_at=when(value("ended_at")) if status == "resolved" else None,
        description=description,
        group_key=key(line(value("group_key"), SOURCE_LIMIT), f"{place}group_key"),
        links=links_of([("Source", value("link")), *_links(sent.get("links")), ("Image", value("image"))]),
        details=details_of(
            {
                "status": value("status"),
                "labels": labels if isinstance(labels, dict | list | str) else None,
                "more": {name: item for name, item in message.items() if _fold(name) not in _KNOWN},
            }
        ),
    )


def _folded(message: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in message.items():
        if len(name) <= _NAME_LIMIT:
            found.setdefault(_fold(name), value)
    return found


def _fold(name: str) -> str:
    return _SEPARATORS.sub("", name[: _NAME_LIMIT + 1]).casefold()


def _links(value: object) -> list[tuple[object, object]]:
    found: list[tuple[object, object]] = []
    for item in value[:100] if isinstance(value, list) else []:
        if isinstance(item, dict):
            found.append((item.get("text") or item.get("label"), item.get("href") or item.get("url")))
        else:
            found.append(("Link", item))
    return found
