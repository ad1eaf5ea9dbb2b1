"""What to put into a monitoring tool so that its alerts come here, ready to copy."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

YOUR_TOKEN = "YOUR-TOKEN"
NAMES = {
    "alertmanager": "Prometheus Alertmanager",
    "grafana": "Grafana",
    "pagerduty": "PagerDuty events (v2)",
    "zabbix": "Zabbix",
    "cloudwatch": "Amazon CloudWatch",
    "pingdom": "Pingdom",
    "generic": "Anything that sends JSON",
}


@dataclass(frozen=True)
class Snippet:
    """Where it goes, and what to copy."""

    where: str
    code: str
    language: str | None = None


def snippet(format: str, base: str, token: str = YOUR_TOKEN) -> Snippet:
    """For a sender of `format`; `base` is this app's address, without a slash at its end."""
    return _MAKERS[format](base, token)


def _alertmanager(base: str, token: str) -> Snippet:
    code = f"""receivers:
  - name: incident-desk
    webhook_configs:
      - url: {base}/api/v1/alerts/alertmanager
        send_resolved: true
        http_config:
          authorization:
            type: Bearer
            credentials: {token}
"""
    return Snippet("In alertmanager.yml; then name the receiver in a route.", code, "yaml")


def _grafana(base: str, token: str) -> Snippet:
    code = f"""apiVersion: 1
contactPoints:
  - orgId: 1
    name: Incident Desk
    receivers:
      - uid: incident-desk
        type: webhook
        settings:
          url: {base}/api/v1/alerts/grafana
          httpMethod: POST
          authorization_scheme: Bearer
          authorization_credentials: {token}
"""
    where = "In provisioning/alerting, or the same values in a contact point of the type Webhook."
    return Snippet(where, code, "yaml")


def _pagerduty(base: str, token: str) -> Snippet:
    code = f"""curl {base}/v2/enqueue -H 'Content-Type: application/json' -d '{{
  "routing_key": "{token}",
  "event_action": "trigger",
  "dedup_key": "disk-db1",
  "payload": {{"summary": "Disk is full", "source": "db1", "severity": "critical"}}
}}'
"""
    where = "What sends to PagerDuty needs this address instead of events.pagerduty.com, and this routing key."
    return Snippet(where, code, "bash")


def _zabbix(base: str, token: str) -> Snippet:
    code = f"""// Parameters of the media type:
//   event_id {{EVENT.ID}}, event_name {{EVENT.NAME}}, event_value {{EVENT.VALUE}},
//   event_severity {{EVENT.SEVERITY}}, host_name {{HOST.NAME}}, event_url {{TRIGGER.URL}},
//   event_update_status {{EVENT.UPDATE.STATUS}}, event_update_action {{EVENT.UPDATE.ACTION}}
var request = new HttpRequest();
request.addHeader('Content-Type: application/json');
request.addHeader('Authorization: Bearer {token}');
var answer = request.post('{base}/api/v1/alerts/zabbix', value);
if (request.getStatus() !== 202) {{
    throw 'Incident Desk: ' + request.getStatus() + ' ' + answer;
}}
return 'OK';
"""
    return Snippet("Script of a media type of the type Webhook, with the parameters named in it.", code, "javascript")


def _with_password(base: str, who: str, token: str, path: str) -> str:
    parts = urlsplit(base)
    return f"{parts.scheme}://{who}:{token}@{parts.netloc}{parts.path}{path}"


_NO_HEADERS = "It cannot send a header of its own; what stands before the @ it sends as one, not in the address."


def _cloudwatch(base: str, token: str) -> Snippet:
    where = (
        f"Endpoint of an HTTPS subscription of the SNS topic that the alarm notifies. {_NO_HEADERS} Administrators are "
        "then told where to confirm the subscription."
    )
    return Snippet(where, _with_password(base, "sns", token, "/api/v1/alerts/cloudwatch"))


def _pingdom(base: str, token: str) -> Snippet:
    where = f"Address of a webhook under Integrations. {_NO_HEADERS}"
    return Snippet(where, _with_password(base, "pingdom", token, "/api/v1/alerts/pingdom"))


def _generic(base: str, token: str) -> Snippet:
    code = f"""curl {base}/api/v1/alerts/generic -H 'Authorization: Bearer {token}' -d '{{
  "title": "Disk is full",
  "dedup_key": "disk-db1",
  "status": "firing",
  "severity": "critical",
  "source": "db1"
}}'
"""
    return Snippet('The same dedup_key with "status": "resolved" ends it.', code, "bash")


_MAKERS: dict[str, Callable[[str, str], Snippet]] = {
    "alertmanager": _alertmanager,
    "grafana": _grafana,
    "pagerduty": _pagerduty,
    "zabbix": _zabbix,
    "cloudwatch": _cloudwatch,
    "pingdom": _pingdom,
    "generic": _generic,
}
