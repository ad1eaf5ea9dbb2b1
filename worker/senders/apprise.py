"""SMS, voice, push and more through Apprise, where it is installed. Its addresses are set by administrators alone.

Apprise makes its own connections, past the guard of worker.senders.outgoing.
"""

import importlib
from datetime import datetime

from db.commands.deliveries import Message
from worker.senders.undelivered import Undelivered

MISSING = "Apprise is not installed. An administrator adds it with: pip install apprise"


def send(message: Message, now: datetime) -> None:
    """Apprise says no more than whether it worked, so a failure is tried again."""
    try:
        library = importlib.import_module("apprise")
    except ImportError as error:
        raise Undelivered(MISSING) from error
    sender = library.Apprise()
    if not sender.add(message.address):
        raise Undelivered("Apprise does not understand this address.", permanent=True)
    words = "\n".join(filter(None, [message.body, *(url for _, url in message.links), message.url]))
    if not sender.notify(title=message.subject, body=words or message.subject):
        raise Undelivered(f"{message.address.partition('://')[0]} did not take the message.")
