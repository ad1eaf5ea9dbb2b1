"""A view of trends: its numbers and panels, for the screen and for everything that leaves it."""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from db.queries import report_causes, report_flow, report_load, report_speed
from db.queries.measures import measured
from db.queries.report_parts import Asked
from rules import access
from rules.access import Actor
from rules.errors import RuleError
from rules.measures import Filters
from rules.panels import Number, Panel, Report
from rules.periods import Period

VIEWS: dict[str, tuple[str, Callable[[Asked], tuple[list[Number], list[Panel]]]]] = {
    "overview": ("Overview", report_flow.view),
    "speed": ("Speed and promises", report_speed.view),
    "causes": ("Where they come from", report_causes.view),
    "load": ("Load", report_load.view),
}
_EVER = datetime.max.replace(tzinfo=UTC)


def first_and_last(db: Session, actor: Actor) -> tuple[datetime | None, datetime | None]:
    """When the oldest and the newest incident was reported that the actor may know of."""
    access.check(actor, "trends")
    return measured(db, actor, Filters(), _EVER).view.ends("reported")


def report(
    db: Session,
    actor: Actor,
    view: str,
    period: Period,
    zone: str,
    filters: Filters,
    now: datetime,
) -> Report:
    """The view of a period. Forbidden without the right to trends, RuleError for a view that there is not."""
    access.check(actor, "trends")
    if view not in VIEWS:
        raise RuleError(f"There is no view '{view}'. Choose one of: {', '.join(VIEWS)}.", field="view")
    title, made = VIEWS[view]
    asked = Asked.of(db, measured(db, actor, filters, now), actor, period, zone, filters, now)
    numbers, panels = made(asked)
    return Report(view, title, period.start, period.end, zone, filters, now, numbers, panels, period.before)
