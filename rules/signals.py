"""What monitoring tools say, as signals: one function for each format, all with the same answer.

| format | who sends it | key |
|---|---|---|
| alertmanager | Prometheus Alertmanager, webhook version 4 (and 3) | fingerprint, else made of the labels |
| grafana | Grafana's webhook: unified alerting, and the legacy one | fingerprint; legacy: ruleId |
| pagerduty | whatever speaks PagerDuty's Events API v2 | dedup_key, else made of the payload |
| zabbix | a webhook media type (see rules.signal_flat) | alert_uid or the event's id |
| cloudwatch | Amazon CloudWatch alarms, through SNS or plain | the alarm's ARN |
| pingdom | Pingdom's webhook | check_id |
| generic | anything that can send JSON (see rules.signal_flat) | dedup_key, else made of title and source |

Unknown names are ignored. A body that cannot be understood raises RuleError with a sentence and the field at fault, and
no part of it counts. Keys longer than 255 characters become 'sha256:' and the hash; a key that was made begins with
'made:'. Severity is as sent; rules.severities says what it stands for.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from rules import signal_flat, signal_formats
from rules.errors import RuleError
from rules.signal_formats import subscribe_url as subscribe_url
from rules.signal_values import Signal as Signal
from rules.signal_values import Status as Status

_READERS: dict[str, Callable[[Any, datetime], list[Signal]]] = {
    "alertmanager": signal_formats.alertmanager,
    "grafana": signal_formats.grafana,
    "pagerduty": signal_formats.pagerduty,
    "zabbix": signal_flat.zabbix,
    "cloudwatch": signal_formats.cloudwatch,
    "pingdom": signal_formats.pingdom,
    "generic": signal_flat.generic,
}
FORMATS = tuple(_READERS)


def parse(format: str, payload: Any, received_at: datetime) -> list[Signal]:
    """The signals of one message, in its order; none when it is about something else, such as a subscription.

    `payload` is a JSON value of any kind (see rules.json_body). RuleError when it is not what the format says.
    """
    reader = _READERS.get(format)
    if reader is None:
        raise RuleError(f"There is no format '{format[:40]}'. Choose {', '.join(FORMATS)}.", field="format")
    if received_at.tzinfo is None:
        raise RuleError("The time of receipt needs a zone.", field="received_at")
    return reader(payload, received_at)
