"""The clock of a promise: business time that stands still while the incident is paused."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from rules.business_time import Calendar, run
from rules.errors import RuleError
from rules.wall_clock import Span, aware

Pause = tuple[datetime, datetime | None]
"""[from, to); to None: it still lasts"""
Status = Literal["ok", "warning", "breached"]
WARNING_SHARE = 0.75
"""Share of the target used at which people are warned; source: the design, SLA"""
_FOREVER = datetime.max.replace(tzinfo=UTC)


def due_at(calendar: Calendar, opened: datetime, target_seconds: float, pauses: Sequence[Pause]) -> datetime:
    """The instant (UTC) at which `target_seconds` have run since `opened`, counted while open and not paused.

    Pauses may overlap, lie outside hours or before `opened`. One that still lasts is no matter when the target has run
    before it begins; otherwise RuleError: there is no due time yet.
    """
    return run(_running(calendar, aware(opened), None, _merged(pauses)), target_seconds)


def elapsed(calendar: Calendar, opened: datetime, until: datetime, pauses: Sequence[Pause]) -> float:
    """Seconds of the promise used in [opened, until): open and not paused. 0 when until <= opened.

    A pause that still lasts counts as lasting to `until`.
    """
    spans = _running(calendar, aware(opened), aware(until), _merged(pauses))
    return sum((end - start for start, end in spans), timedelta()).total_seconds()


def status(elapsed_seconds: float, target_seconds: float) -> tuple[float, Status]:
    """The share of the target used, and 'ok', 'warning' from 75 % on, 'breached' from 100 % on.

    RuleError for a target of 0 or less, and for elapsed seconds below 0.
    """
    if not target_seconds > 0 or not elapsed_seconds >= 0:
        raise RuleError("Give a target above 0 seconds, and 0 or more seconds used.")
    share = elapsed_seconds / target_seconds
    return share, "breached" if share >= 1 else "warning" if share >= WARNING_SHARE else "ok"


def _running(calendar: Calendar, start: datetime, end: datetime | None, pauses: Sequence[Span]) -> Iterator[Span]:
    """The open spans outside `pauses`, cut to [start, end). Without `end`, RuleError on reaching a pause that lasts."""
    for begin, finish in pauses:
        if end is not None and begin >= end:
            break
        if start < begin:
            yield from calendar.spans(start, begin)
        if end is None and finish == _FOREVER:
            raise RuleError("The clock is paused: there is no due time before it runs again.")
        start = max(start, finish)
    if end is None or start < end:
        yield from calendar.spans(start, end)


def _merged(pauses: Sequence[Pause]) -> list[Span]:
    """The pauses in order and apart, in UTC; one that lasts ends at _FOREVER."""
    merged: list[Span] = []
    for begin, finish in sorted(_spans(pauses)):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(finish, merged[-1][1]))
        elif begin < finish:
            merged.append((begin, finish))
    return merged


def _spans(pauses: Sequence[Pause]) -> Iterator[Span]:
    if not isinstance(pauses, Iterable):
        raise RuleError("Give pauses as a list of from and to.")
    for pause in pauses:
        if isinstance(pause, str) or not isinstance(pause, Sequence) or len(pause) != 2:
            raise RuleError("Give each pause as from and to.")
        begin, finish = aware(pause[0]), _FOREVER if pause[1] is None else aware(pause[1])
        if finish < begin:
            raise RuleError("A pause ends before it begins. Correct its times.")
        yield begin, finish
