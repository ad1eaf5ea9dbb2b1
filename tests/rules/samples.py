"""What monitoring tools send, one message of each kind, with invented values."""

import json
from typing import Any

ALERTMANAGER: dict[str, Any] = {
    "version": "4",
    "groupKey": '{}:{alertname="DiskFull"}',
    "status": "firing",
    "receiver": "desk",
    "externalURL": "https://alerts.example.org",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "DiskFull", "severity": "Critical", "instance": "db1:9100", "job": "node"},
            "annotations": {
                "summary": "Disk of db1 is full",
                "description": "Only 1 %\nis left.",
                "runbook_url": "https://wiki.example.org/disk",
                "owner": "storage",
            },
            "startsAt": "2026-11-23T08:00:00.123456789Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "https://prometheus.example.org/graph?g0.expr=up%7B%7D",
            "fingerprint": "1a2b3c",
        },
        {
            "status": "resolved",
            "labels": {"alertname": "DiskFull", "instance": "db2:9100"},
            "annotations": {},
            "startsAt": "2026-11-23T07:00:00Z",
            "endsAt": "2026-11-23T07:30:00+01:00",
            "generatorURL": "",
        },
    ],
}
GRAFANA: dict[str, Any] = {
    "receiver": "desk",
    "status": "firing",
    "orgId": 1,
    "groupKey": "{}:{}",
    "title": "[FIRING:1] Load",
    "state": "alerting",
    "externalURL": "https://grafana.example.org/",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "Load", "severity": "warning", "host": "web1"},
            "annotations": {"message": "Load is above 10"},
            "startsAt": "2026-11-23T09:00:00+01:00",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "https://grafana.example.org/alerting/rule",
            "fingerprint": "f1",
            "silenceURL": "https://grafana.example.org/silence",
            "dashboardURL": "https://grafana.example.org/d/1",
            "panelURL": "javascript:alert(1)",
            "valueString": "[ var='A' value=11 ]",
        }
    ],
}
GRAFANA_LEGACY: dict[str, Any] = {
    "title": "[Alerting] Load",
    "ruleId": 7,
    "ruleName": "Load",
    "ruleUrl": "https://grafana.example.org/d/1?panelId=2",
    "state": "alerting",
    "message": "Load is high",
    "evalMatches": [{"metric": "load", "value": 11, "tags": {"instance": "web1"}}],
    "tags": {"severity": "high"},
}
PAGERDUTY: dict[str, Any] = {
    "routing_key": "k",
    "event_action": "trigger",
    "dedup_key": "web1/load",
    "client": "Watcher",
    "client_url": "https://watcher.example.org",
    "links": [{"href": "https://watcher.example.org/1", "text": "Graph"}, {"href": "ftp://x"}],
    "payload": {
        "summary": "Load of web1 is high",
        "source": "web1",
        "severity": "error",
        "timestamp": "2026-11-23T08:00:00.000+0000",
        "component": "nginx",
        "group": "web",
        "class": "load",
        "custom_details": {"load": 11.5},
    },
}
ALARM: dict[str, Any] = {
    "AlarmName": "cpu-high",
    "AlarmDescription": "CPU is above 90 %",
    "AWSAccountId": "123456789012",
    "AlarmArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:cpu-high",
    "NewStateValue": "ALARM",
    "OldStateValue": "OK",
    "NewStateReason": "Threshold crossed",
    "StateChangeTime": "2026-11-23T08:00:00.100+0000",
    "Region": "EU (Ireland)",
    "Trigger": {
        "MetricName": "CPUUtilization",
        "Namespace": "AWS/EC2",
        "Dimensions": [{"name": "InstanceId", "value": "i-0abc"}],
        "Threshold": 90.0,
        "Unit": None,
    },
}
CLOUDWATCH: dict[str, Any] = {
    "Type": "Notification",
    "MessageId": "m1",
    "TopicArn": "arn:aws:sns:eu-west-1:123456789012:alarms",
    "Subject": "ALARM",
    "Message": json.dumps(ALARM),
    "Timestamp": "2026-11-23T08:00:01.000Z",
}
EVENT_BRIDGE: dict[str, Any] = {
    "detail-type": "CloudWatch Alarm State Change",
    "account": "123456789012",
    "region": "eu-west-1",
    "time": "2026-11-23T08:00:00Z",
    "resources": ["arn:aws:cloudwatch:eu-west-1:123456789012:alarm:cpu-high"],
    "detail": {
        "alarmName": "cpu-high",
        "state": {"value": "OK", "reason": "Fine", "timestamp": "2026-11-23T08:05:00Z"},
    },
}
SUBSCRIPTION: dict[str, Any] = {
    "Type": "SubscriptionConfirmation",
    "Message": "You have chosen to subscribe",
    "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t",
}
PINGDOM: dict[str, Any] = {
    "check_id": 12345,
    "check_name": "Website",
    "check_type": "HTTP",
    "check_params": {"hostname": "www.example.org", "full_url": "https://www.example.org/", "port": 443},
    "tags": ["web"],
    "previous_state": "UP",
    "current_state": "DOWN",
    "importance_level": "HIGH",
    "state_changed_timestamp": 1795420800,
    "state_changed_utc_time": "2026-11-23T08:00:00",
    "description": "HTTP 503",
    "long_description": "Service unavailable",
    "first_probe": {"location": "Stockholm", "ip": "192.0.2.1"},
}
ZABBIX: dict[str, Any] = {
    "event_id": "4711",
    "event_value": "1",
    "event_name": "Free space is below 10 %",
    "event_severity": "Disaster",
    "host_name": "db1",
    "alert_message": "Problem since 08:00",
    "event_date": "2026.11.23",
    "event_time": "09:00:00",
    "event_update_status": "0",
    "event_update_action": "{EVENT.UPDATE.ACTION}",
    "event_url": "{EVENT.URL}",
    "trigger_url": "https://zabbix.example.org/tr_events.php?triggerid=1",
    "trigger_id": "99",
}
ZABBIX_TEMPLATE: dict[str, Any] = {
    "alert_uid": "4711",
    "title": "Free space is below 10 %",
    "state": "PROBLEM",
    "link_to_upstream_details": "https://zabbix.example.org",
    "message": "Disaster on db1",
}
GENERIC: dict[str, Any] = {
    "dedup_key": "backup-nightly",
    "title": "The nightly backup failed",
    "status": "firing",
    "severity": "P2",
    "source": "backup1",
    "description": "Exit code 3\nSee the log.",
    "started_at": 1795420800000,
    "link": "https://backup.example.org/log/1",
    "links": ["https://backup.example.org", {"href": "https://wiki.example.org", "text": "Runbook"}],
    "group_key": "backup",
    "labels": {"site": "north"},
    "exit code": 3,
}
SAMPLES: list[tuple[str, Any]] = [
    ("alertmanager", ALERTMANAGER),
    ("grafana", GRAFANA),
    ("grafana", GRAFANA_LEGACY),
    ("pagerduty", PAGERDUTY),
    ("pagerduty", {"event_action": "resolve", "dedup_key": "web1/load"}),
    ("cloudwatch", CLOUDWATCH),
    ("cloudwatch", ALARM),
    ("cloudwatch", EVENT_BRIDGE),
    ("cloudwatch", SUBSCRIPTION),
    ("pingdom", PINGDOM),
    ("zabbix", ZABBIX),
    ("zabbix", ZABBIX_TEMPLATE),
    ("generic", GENERIC),
    ("generic", [GENERIC, {"title": "Another"}]),
]
