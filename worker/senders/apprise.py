"""SMS, voice, push and more through Apprise, where it is installed. Its addresses are set by administrators alone.

Apprise makes its own connections, past the guard of worker.senders.outgoing, and some of its services wait without an
end: it works in a thread of its own, and is not waited for longer than others are.
"""

import importlib
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from db.commands.deliveries import Message
from worker.senders.undelivered import Undelivered

MISSING = "Apprise is not installed. An administrator adds it with: pip install apprise"
SECONDS = 20.0
"""for all of it: less than the lease of the message"""
MOST_HANGING = 4
"""threads of one service that never answered; more are not begun"""
_hanging: Counter[str] = Counter()
_guard = threading.Lock()


def send(message: Message, now: datetime) -> None:
    """Apprise says no more than whether it worked, so a failure is tried again."""
    try:
        library = importlib.import_module("apprise")
    except ImportError as error:
        raise Undelivered(MISSING) from error
    sender = library.Apprise()
    if not sender.add(message.address):
        raise Undelivered("Apprise does not understand this address.", permanent=True)
    leads = message.button[1] if message.button else message.url
    words = "\n".join(filter(None, [message.body, *(url for _, url in message.links), leads]))
    service = message.address.partition("://")[0]
    if not _in_time(service, lambda: bool(sender.notify(title=message.subject, body=words or message.subject))):
        raise Undelivered(f"{service} did not take the message.")


def _in_time(service: str, act: Callable[[], bool]) -> bool:
    """What `act` gives; Undelivered when that takes too long, or others to the service hang already."""
    with _guard:
        if _hanging[service] >= MOST_HANGING:
            raise Undelivered(f"{service} has not answered earlier messages yet.")
        _hanging[service] += 1
    outcome: list[bool | Exception] = []

    def work() -> None:
        try:
            outcome.append(act())
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            outcome.append(error)
        finally:
            with _guard:
                _hanging[service] -= 1

    thread = threading.Thread(target=work, name=f"apprise {service}", daemon=True)
    thread.start()
    thread.join(SECONDS)
    if not outcome:
        raise Undelivered(f"{service} did not answer within {SECONDS:.0f} seconds.")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]
