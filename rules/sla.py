"""The clock of a promise: business time that stands still while the incident is paused."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from rules.business_time import Calendar, Span, aware, run
from rules.errors import RuleError

Pause = tuple[datetime, datetime | None]
"""[from, to); to None: it still lasts"""
_FOREVER = datetime.max.replace(tzinfo=UTC)


def due_at(calendar: Calendar, opened: datetime, target_seconds: float, pauses: Sequence[Pause]) -> datetime:
    """The instant (UTC) at which `target_seconds` have run since `opened`, counted while open and not paused.

    Pauses may overlap, lie outside hours or before `opened`. RuleError while one lasts: there is no due time yet.
    """
    opened, spans = aware(opened), _merged(pauses)
    if spans and spans[-1][1] == _FOREVER and _counts(calendar, opened, spans, spans[-1][0]) < target_seconds:
        raise RuleError("The clock is paused: there is no due time before it runs again.")
    return run(_without(calendar.spans(opened), spans), target_seconds)


def elapsed(calendar: Calendar, opened: datetime, until: datetime, pauses: Sequence[Pause]) -> float:
    """Seconds of the promise used in [opened, until): open and not paused. 0 when until <= opened."""
    return _counts(calendar, aware(opened), _merged(pauses), aware(until))


def _counts(calendar: Calendar, opened: datetime, pauses: Sequence[Span], until: datetime) -> float:
    if until <= opened:
        return 0.0
    spans = _without(calendar.spans(opened, until), pauses)
    return sum((end - start for start, end in spans), timedelta()).total_seconds()


def _merged(pauses: Sequence[Pause]) -> list[Span]:
    spans = []
    for start, end in pauses:
        begin, finish = aware(start), _FOREVER if end is None else aware(end)
        if finish < begin:
            raise RuleError("A pause ends before it begins. Correct its times.")
        if finish > begin:
            spans.append((begin, finish))
    spans.sort()
    merged: list[Span] = []
    for begin, finish in spans:
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(finish, merged[-1][1]))
        else:
            merged.append((begin, finish))
    return merged


def _without(spans: Iterator[Span], pauses: Sequence[Span]) -> Iterator[Span]:
    """The parts of `spans` outside `pauses`; both in order."""
    at = 0
    for start, end in spans:
        while at < len(pauses) and pauses[at][1] <= start:
            at += 1
        inside = [pause for pause in pauses[at:] if pause[0] < end]
        edges = [start, *(edge for pause in inside for edge in pause), end]
        for index, (since, until) in enumerate(pairwise(edges)):
            if index % 2 == 0 and since < until:
                yield max(since, start), min(until, end)
