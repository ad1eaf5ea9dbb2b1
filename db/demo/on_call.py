"""Who is on call at the sample hospital: three schedules with a past, an override to come and a swap that waits."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from db.commands import overrides, schedules, swaps
from db.demo.organisation import CLINICAL, NETWORK, PORTAL, ZONE, Organisation
from db.queries import oncall
from rules.wall_clock import first

WEEK = timedelta(days=7)
BACK = 14
"""how many weeks ago the schedules were made"""
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]
NETWORK_TURNS = ("Priya Nair", "Jonas Weber", "Kenji Watanabe", "Siobhán Gallagher")
PORTAL_TURNS = ("Omar Haddad", "Anneke de Vries", "Rafael Moreira")
PORTAL_OFFICE = ("Anneke de Vries", "Omar Haddad")
CLINICAL_TURNS = ("Mateo Fernández", "Leïla Benali", "Hanna Lindqvist")


def add(db: Session, org: Organisation, now: datetime) -> None:
    """Add them as they were made weeks ago, and what has been asked since."""
    zone = ZoneInfo(ZONE)
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())

    def at(days: float, hour: int = 9) -> datetime:
        """That many days after this Monday."""
        return first(datetime.combine(monday + timedelta(days=days), time(hour)), zone)

    def layer(name: str, people: tuple[str, ...], unit: str, hour: int = 9, **more: Any) -> dict[str, Any]:
        members = [str(org.people[person].id) for person in people]
        start = at(-7 * BACK, hour).isoformat()
        return {"name": name, "members": members, "start": start, "unit": unit, "length": 1} | more

    def make(team: str, lead: str, *layers: dict[str, Any]) -> int:
        return schedules.save(
            db,
            None,
            name=team,
            team_id=org.teams[team].id,
            definition={"zone": ZONE, "layers": list(layers)},
            actor=org.actors[lead],
            now=at(-7 * BACK),
        )

    network = make(NETWORK, "Priya Nair", layer("First line", NETWORK_TURNS, "week"))
    office = [{"days": WEEKDAYS, "from": "08:00", "to": "18:00"}]
    portal = make(
        PORTAL,
        "Anneke de Vries",
        layer("Office hours", PORTAL_OFFICE, "week", 8, priority=1, windows=office),
        layer("Nights and weekends", PORTAL_TURNS, "day"),
    )
    day = [{"days": WEEKDAYS, "from": "07:00", "to": "19:00"}]
    clinical = make(CLINICAL, "Leïla Benali", layer("Weekdays", CLINICAL_TURNS, "day", 7, windows=day))
    lead = org.actors["Priya Nair"]
    for start, length, stand_in, absent, reason, asked in (
        (at(-25), 3, "Jonas Weber", "Kenji Watanabe", "training", at(-30)),
        (at(9), 2, "Priya Nair", NETWORK_TURNS[(BACK + 1) % len(NETWORK_TURNS)], "wedding", min(at(-2), now)),
    ):
        overrides.add(
            db,
            network,
            start=start,
            end=start + timedelta(days=length),
            added_id=org.people[stand_in].id,
            removed_id=org.people[absent].id,
            reason=reason,
            actor=lead,
            now=asked,
        )
    overrides.add(
        db,
        portal,
        start=at(5),
        end=at(6),
        added_id=org.people["Zanele Dlamini"].id,
        reason="release weekend",
        actor=org.actors["Anneke de Vries"],
        now=min(at(-1), now),
    )
    leila = org.actors["Leïla Benali"]
    shifts = oncall.shifts(db, clinical, now + timedelta(days=1), now + 2 * WEEK)
    turn = next(shift for shift in shifts if shift.person == str(leila.id) and shift.start > now + timedelta(days=1))
    swaps.ask(
        db,
        clinical,
        to_id=org.people["Mateo Fernández"].id,
        start=turn.start,
        end=turn.end,
        words="I am at the user group in Hamburg that day. I take one of yours in return.",
        actor=leila,
        now=now - timedelta(hours=3),
    )
