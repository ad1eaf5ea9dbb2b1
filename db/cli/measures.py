"""python -m db measures --json: the numbers of the trends screen, for other programs."""

import argparse
import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from db.engine import migrate, reading
from db.models import Incident
from rules.errors import RuleError


def add(commands: Any) -> None:
    """Add this command."""
    parser = commands.add_parser(
        "measures",
        help="print the trends as JSON",
        description="Prints the measures of a period. Days are local days of the zone: the period begins with the "
        "start of --from and ends with the end of --to. Without them it is everything ever reported, until now. "
        "Restricted incidents are counted too: this is for who runs the app; screens leave out what a reader may not "
        "see.",
    )
    parser.add_argument("--from", dest="first", type=_day, metavar="DAY", help="the first day, such as 2016-03-01")
    parser.add_argument("--to", dest="last", type=_day, metavar="DAY", help="the last day, itself included")
    parser.add_argument("--zone", default="UTC", help="the zone that days and months are counted in")
    parser.add_argument("--json", action="store_true", required=True, help="print JSON (the only form there is)")
    parser.set_defaults(run=_measures)


def _day(given: str) -> date:
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{given}' is not a day such as 2016-03-01") from None


def _measures(given: argparse.Namespace) -> None:
    from db.queries import trends

    try:
        zone = ZoneInfo(given.zone)
    except (KeyError, ValueError, OSError):
        raise RuleError(f"There is no zone '{given.zone}'. Use a name such as UTC or Europe/Berlin.") from None
    migrate()
    with reading() as db:
        now = datetime.now(UTC)
        first = given.first or (db.scalar(select(func.min(Incident.reported_at))) or now).astimezone(zone).date()
        last = given.last or now.astimezone(zone).date()
        if last < first:
            raise RuleError(f"The period ends ({last}) before it begins ({first}). Exchange --from and --to.")
        start = datetime.combine(first, time.min, zone).astimezone(UTC)
        end = datetime.combine(last + timedelta(days=1), time.min, zone).astimezone(UTC)
        found = trends.measures(db, start, end, given.zone, now=now)
    print(json.dumps(found, indent=2, ensure_ascii=False))
