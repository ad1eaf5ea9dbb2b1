"""The problems of the sample data: a known error that reporters are helped with, and one that is looked into."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.commands import deflections, problems
from db.demo.organisation import ONSITE, Organisation
from db.models import Incident

MOST = 4
"""incidents of each"""
PRINTERS: dict[str, Any] = {
    "title": "Printers print blank pages or nothing after a weekend",
    "cause": "The print server puts printers to sleep that were not used for a day. Those with the firmware of last "
    "spring do not wake up.",
    "workaround": "Restart the printer, then clear its queue on the print server. Firmware 4.2 wakes up as it should.",
    "public_words": "Switch the printer off, wait ten seconds, and switch it on again. What you sent is printed then; "
    "you need not send it once more.",
}
NETWORK: dict[str, Any] = {
    "title": "The Wi-Fi drops for minutes while somebody walks through the building",
    "cause": "Seen only where old and new access points stand side by side.",
}


def add(db: Session, org: Organisation, now: datetime) -> None:
    """Open both days ago with incidents of that time, as those who work on them would."""
    known = _open(db, org, PRINTERS, "Printing", ("Hardware", "Printer"), ONSITE, now - timedelta(days=9))
    problems.move(db, known, None, "know", actor=org.members(ONSITE)[0], now=now - timedelta(days=8))
    reporters = [actor for actor in org.actors.values() if not actor.roles - {"reporter"}]
    for day, actor in enumerate(reporters[:2], 2):
        deflections.helped(db, known, f"sample {day}", actor=actor, now=now - timedelta(days=day, hours=3))
    pair = ("Network", "Wi-Fi")
    looked_into = _open(db, org, NETWORK, "Network and Wi-Fi", pair, "Network", now - timedelta(days=6))
    problems.move(db, looked_into, None, "investigate", actor=org.members("Network")[0], now=now - timedelta(days=5))


def _open(
    db: Session,
    org: Organisation,
    words: dict[str, Any],
    service: str,
    pair: tuple[str, str],
    team: str,
    at: datetime,
) -> int:
    owner = org.members(team)[0]
    service_id, pair_id = org.services[service].id, org.pairs[pair].id
    those = (
        select(Incident.id)
        .where(
            Incident.service_id == service_id,
            Incident.category_pair_id == pair_id,
            Incident.closed_at < at,
            Incident.restricted.is_(False),
        )
        .order_by(Incident.reported_at.desc())
        .limit(MOST)
    )
    given = words | {"service_id": service_id, "category_pair_id": pair_id, "owner_id": owner.id}
    return problems.begin(db, given, db.scalars(those).all(), actor=owner, now=at).id
