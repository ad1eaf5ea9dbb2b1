"""How PagerDuty's Events API v2 is spoken at /v2/enqueue, as /api/openapi.json describes it.

https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
"""

from typing import Any

_TEXT = {"type": "string"}
EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["event_action"],
    "properties": {
        "routing_key": _TEXT
        | {"description": "The token of the integration; without it, the token that a header has."},
        "event_action": {"enum": ["trigger", "acknowledge", "resolve"]},
        "dedup_key": _TEXT
        | {
            "description": "The same key is the same alert. Needed to acknowledge and to resolve; a trigger without "
            "one is answered with the key that was made for it.",
        },
        "payload": {
            "type": "object",
            "description": "What is wrong; needed to trigger.",
            "required": ["summary"],
            "properties": {
                "summary": _TEXT | {"minLength": 1, "description": "In a sentence: the title of the incident."},
                "source": _TEXT | {"description": "Where it was seen: a host, a service."},
                "severity": _TEXT
                | {"description": "critical, error, warning or info; the integration says what each means."},
                "timestamp": _TEXT | {"description": "When it happened, as ISO 8601; without it, when it came."},
                "component": _TEXT,
                "group": _TEXT
                | {"description": "Alerts of one group join one incident, where the integration groups."},
                "class": _TEXT,
                "custom_details": {"description": "Anything more to read."},
            },
        },
        "client": _TEXT | {"description": "What sends it."},
        "client_url": _TEXT,
        "links": {
            "type": "array",
            "items": {"type": "object", "properties": {"href": _TEXT, "text": _TEXT}},
        },
    },
}
"""one event; unknown keys are ignored"""
EVENT_TAKEN: dict[str, Any] = {
    "description": "It is committed.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["status", "message", "dedup_key"],
                "properties": {
                    "status": {"enum": ["success"]},
                    "message": _TEXT,
                    "dedup_key": _TEXT | {"description": "The key of the alert, to acknowledge and resolve it by."},
                },
            }
        }
    },
}
