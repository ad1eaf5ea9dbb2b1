"""One sender for each way out. A sender hands one message over, or raises Undelivered."""

from collections.abc import Callable, Mapping
from datetime import datetime

from db.commands.deliveries import Message
from worker.senders import apprise, chat, email, webhook
from worker.senders.undelivered import Undelivered

Sender = Callable[[Message, datetime], None]
SENDERS: Mapping[str, Sender] = {
    "email": email.send,
    "slack": chat.send_slack,
    "teams": chat.send_teams,
    "mattermost": chat.send_mattermost,
    "webhook": webhook.send,
    "apprise": apprise.send,
}

__all__ = ["SENDERS", "Sender", "Undelivered"]
