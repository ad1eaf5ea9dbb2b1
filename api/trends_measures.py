"""GET /api/v1/trends: the measures of a period as JSON, the same numbers as on the screen."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from api import calls
from api.descriptions import asked, query
from api.v1 import Refused
from db.queries import report, trends
from rules.access import Actor, Forbidden, NotFound
from rules.errors import RuleError
from rules.panels import filtered
from rules.periods import STEPS, day_of, of_days, zone_of
from rules.sources import SOURCES

router = APIRouter()
_NUMBER, _DAY = {"type": "integer"}, {"type": "string", "format": "date"}
_MEASURES = {
    "type": "object",
    "required": ["from", "to", "zone", "opened", "resolved", "backlog", "reopened", "first_line", "handovers", "sla"],
    "description": "The measures, as 'python -m db measures --json' prints them; hours are elapsed.",
}
_PARAMETERS = [
    query("from", _DAY, "The first day; the one of the oldest report, unless given."),
    query("to", _DAY, "The last day, itself included; today, unless given."),
    query("by", {"type": "string", "enum": list(STEPS)}, "What is counted per month (the usual), week or day."),
    query("zone", {"type": "string"}, "Whose days are meant: a name such as Europe/Berlin; UTC, unless given."),
    *(query(name, _NUMBER) for name in ("team", "priority", "category", "service", "pair")),
    query("source", {"type": "string", "enum": list(SOURCES)}),
]


@router.get("/v1/trends", **asked("The measures of a period", _MEASURES, _PARAMETERS, also=400))
async def measures(request: Request) -> Response:
    """GET /api/v1/trends?from&to&by&zone and filters.

    `from` and `to` are local days of `zone` (UTC unless given), both included; without them it is everything so far.
    `by`: month, week or day.
    """

    def work(db: Session, actor: Actor, now: datetime) -> Response:
        try:
            return calls.answer(_measured(db, actor, request.query_params, now))
        except (Forbidden, NotFound):
            raise
        except RuleError as error:
            raise Refused(400, "bad_request", error.sentence, error.fields) from None

    return await calls.read(request, work, opened_by=frozenset({"trends"}))


def _measured(db: Session, actor: Actor, said: Mapping[str, str], now: datetime) -> dict[str, Any]:
    known = [str(parameter["name"]) for parameter in _PARAMETERS]
    unknown = [name for name in said if name not in known]
    if unknown:
        raise RuleError(f"'{unknown[0]}' is unknown here. Use: {', '.join(known)}.", field=unknown[0])
    zone, filters = zone_of(said.get("zone") or "UTC").key, filtered(said)
    today = now.astimezone(zone_of(zone)).date()
    last = day_of(said["to"], "to") if said.get("to") else today
    if said.get("from"):
        first = day_of(said["from"], "from")
    else:
        first = (report.first_and_last(db, actor)[0] or now).astimezone(zone_of(zone)).date()
    start, end = of_days(first, last, zone)
    by = said.get("by") or "month"
    return trends.measures(db, start, end, zone, now=now, actor=actor, filters=filters, by=by)
