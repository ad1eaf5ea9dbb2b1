"""What the views of trends are made of: numbers against the period before, and panels over buckets of time."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy.orm import Session

from db.queries import trend_notes
from db.queries.columns import Rows
from db.queries.facts import MISSING
from db.queries.measures import Measured, Quantiles, bucketed, edges, grouped, per_bucket, quantiles
from db.queries.trend_notes import Note
from rules.access import Actor
from rules.measures import FIGURES, Filters
from rules.panels import FEW, Column, Number, Opens, Panel, said
from rules.periods import Bucket, Period, day_words, steps, zone_of

Better = Literal["up", "down"] | None
WHOLES = {
    "opened": "what was reported in the period",
    "to_resolve": "what was resolved in the period",
    "response_due": "the answers that were due",
    "resolution_due": "the resolutions that were due",
}
"""figure that shares are parts of -> the words for it"""
WHEN, KIND = Column("when", "From"), Column("kind", "What")
_YEAR = 366
"""days; in a longer period the same day comes again"""


@dataclass(frozen=True)
class Asked:
    """A period of what somebody may count, and the buckets its pictures are drawn in."""

    db: Session
    found: Measured
    actor: Actor
    period: Period
    zone: str
    filters: Filters
    now: datetime
    buckets: Sequence[Bucket]
    step: str
    """day, week or month"""
    notes: Sequence[Note]
    """what stands on the time axis"""

    @classmethod
    def of(
        cls,
        db: Session,
        found: Measured,
        actor: Actor,
        period: Period,
        zone: str,
        filters: Filters,
        now: datetime,
    ) -> "Asked":
        """With the buckets that fit the period's length."""
        step, buckets = steps(period.start, period.end, zone)
        place = zone_of(zone)
        last = max(period.start, period.end - timedelta.resolution)  # what ends at midnight is not of the day after
        days = (period.start.astimezone(place).date(), last.astimezone(place).date())
        notes = trend_notes.notes(db, actor, *days) if buckets else []
        return cls(db, found, actor, period, zone, filters, now, buckets, step, notes)

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The period's start and end."""
        return self.period.start, self.period.end

    def name(self, bucket: Bucket) -> str:
        """A bucket as it is called below a picture: no two alike, as pictures know it by its name."""
        return day_words(bucket.name, dated=(self.period.end - self.period.start).days > _YEAR)

    def noted(self, buckets: Sequence[Bucket]) -> list[dict[str, str]]:
        """The notes at the buckets that their days lie in; those of one bucket together, as they stand in one place."""
        firsts = [bucket.name for bucket in buckets]
        placed: dict[int, list[str]] = {}
        for note in self.notes:
            at = bisect_right(firsts, note.day.isoformat()[: len(firsts[0])]) - 1 if firsts else -1
            if at >= 0:
                placed.setdefault(at, []).append(note.text)
        return [{"when": self.name(buckets[at]), "note": " · ".join(texts)} for at, texts in placed.items()]

    def opens(self, figure: str, bucket: Bucket | None = None, **filters: Any) -> Opens:
        """The incidents that a figure counts in the period, or in one bucket."""
        start, end = (bucket.start, bucket.end) if bucket else self.span
        return Opens(figure, start, end, replace(self.filters, **filters))


def counted(asked: Asked, figure: str, better: Better = None) -> Number:
    """How many the figure counts."""
    n = asked.found.count(figure, *asked.span)
    before = asked.found.count(figure, *asked.period.before) if asked.period.before else None
    of = FIGURES[figure]
    return Number(
        figure, of.name, "count", n, n, of.definition, of.left_out, before, before, better, asked.opens(figure)
    )


def median(asked: Asked, figure: str) -> Number:
    """The median of the figure's duration."""
    now = asked.found.spread(figure, *asked.span)
    before = asked.found.spread(figure, *asked.period.before) if asked.period.before else None
    of = FIGURES[figure]
    return Number(
        figure,
        of.name,
        "hours",
        now.median,
        now.n,
        f"{of.definition} Half took less than this median.",
        of.left_out,
        before.median if before else None,
        before.n if before else None,
        "down",
        asked.opens(figure),
    )


def share(asked: Asked, figure: str, whole: str, better: Better, name: str = "") -> Number:
    """What part of those that `whole` counts the figure counts."""
    n, of = asked.found.count(figure, *asked.span), asked.found.count(whole, *asked.span)
    part, before, of_before = (n / of if of else None), None, None
    if asked.period.before:
        of_before = asked.found.count(whole, *asked.period.before)
        before = asked.found.count(figure, *asked.period.before) / of_before if of_before else None
    counts = FIGURES[figure]
    definition = f"{counts.definition} As a part of {WHOLES[whole]}."
    return Number(
        f"{figure}_share",
        name or counts.name,
        "share",
        part,
        of,
        definition,
        counts.left_out,
        before,
        of_before,
        better,
        asked.opens(figure),
    )


def quantile_panel(asked: Asked, figure: str) -> Panel:
    """Median and 90th percentile of the figure's duration in each bucket."""
    of, rows, opens = FIGURES[figure], list[dict[str, Any]](), list[Opens | None]()
    for bucket, spread in zip(asked.buckets, spreads(asked.found, figure, asked.buckets), strict=True):
        for kind, hours in (("Median", spread.median), ("90th percentile", spread.p90)):
            if hours is not None:
                few = spread.n < FEW
                rows.append({"when": asked.name(bucket), "kind": kind, "hours": hours, "n": spread.n, "few": few})
                opens.append(asked.opens(figure, bucket))
    whole = asked.found.spread(figure, *asked.span)
    return Panel(
        figure,
        of.name,
        f"{of.definition} By {asked.step}; hollow: fewer than {FEW}.",
        f"Median {hours_words(whole.median)}, 90th percentile {hours_words(whole.p90)}, n {whole.n:,}.",
        "quantiles",
        (WHEN, KIND, Column("hours", "Hours", "hours"), Column("n", "n", "count")),
        rows,
        opens,
        of.left_out,
        {"notes": asked.noted(asked.buckets)},
    )


def hours_words(hours: float | None) -> str:
    """A duration in words."""
    return said("hours", hours)


def spreads(found: Measured, figure: str, buckets: Sequence[Bucket]) -> list[Quantiles]:
    """The quantiles of the figure's duration in each bucket."""
    if not buckets:
        return []
    start, end = buckets[0].start, buckets[-1].end
    moment, duration = FIGURES[figure].moment, str(FIGURES[figure].duration)

    def made(rows: Rows) -> list[Quantiles]:
        known = rows[duration] != MISSING
        places = bucketed(rows, moment, buckets)
        return [quantiles(part) for part in grouped(rows[duration][known], places[known], len(buckets))]

    return found.rows(figure, start, end).kept(("spreads", duration, edges(buckets)), made)


def counts(asked: Asked, figure: str) -> list[int]:
    """How many the figure counts in each bucket."""
    return per_bucket(asked.found.rows(figure, *asked.span), FIGURES[figure].moment, asked.buckets)


def share_panel(
    asked: Asked, key: str, title: str, definition: str, parts: Mapping[str, tuple[str, str]], left_out: str
) -> Panel:
    """Shares in each bucket. `parts`: what the line is called -> (figure, figure of the whole)."""
    rows, opens, says = list[dict[str, Any]](), list[Opens | None](), list[str]()
    for kind, (figure, whole) in parts.items():
        met, of = counts(asked, figure), counts(asked, whole)
        for bucket, n, all_ in zip(asked.buckets, met, of, strict=True):
            if all_:
                row = {"when": asked.name(bucket), "kind": kind, "share": n / all_, "n": n, "of": all_}
                rows.append({**row, "few": all_ < FEW})
                opens.append(asked.opens(figure, bucket))
        if sum(of):
            says.append(f"{kind}: {sum(met) / sum(of):.1%} of {sum(of):,}.".replace("%", " %"))
    return Panel(
        key,
        title,
        definition,
        " ".join(says) or "There is nothing to say yet.",
        "shares",
        (WHEN, KIND, Column("share", "Share", "share"), Column("n", "n", "count"), Column("of", "of", "count")),
        rows,
        opens,
        left_out,
        {"notes": asked.noted(asked.buckets)},
    )


def ranking_panel(
    key: str,
    title: str,
    definition: str,
    named: Sequence[tuple[str, float, Opens | None]],
    *,
    kind: Literal["count", "hours"] = "count",
    most: int = 8,
    running: bool = False,
    rest: bool = True,
    left_out: str = "Nothing is left out.",
) -> Panel:
    """The largest with their number and share (`running`: added up); what is left over comes last.

    No rows when all are 0.
    """
    total, so_far = sum(n for _, n, _ in named), 0.0
    named = named if total else []
    rows, opens = list[dict[str, Any]](), list[Opens | None]()
    for name, n, opened in named[:most]:
        so_far = so_far + n if running else n
        part = so_far / total if total else None
        rows.append({"name": name, "n": n, "share": part, "words": _words(kind, n, part), "rest": False})
        opens.append(opened)
    others = named[most:]
    if others and rest:
        left = sum(n for _, n, _ in others)
        part = 1.0 if running else left / total if total else None
        words = _words(kind, left, part)
        rows.append({"name": f"All others ({len(others)})", "n": left, "share": part, "words": words, "rest": True})
        opens.append(None)
    most_of_all = max((row for row in rows if not row["rest"]), key=lambda row: row["n"], default=None)
    return Panel(
        key,
        title,
        definition,
        f"Most: {most_of_all['name']} with {most_of_all['words']}."
        if most_of_all and most_of_all["n"]
        else "There is nothing to count.",
        "ranking",
        (
            Column("name", "Name"),
            Column("n", "Incidents" if kind == "count" else "Hours", kind),
            Column("share", "Share so far" if running else "Share", "share"),
            Column("words", ""),
        ),
        rows,
        opens,
        left_out,
    )


def _words(kind: str, n: float, part: float | None) -> str:
    value = f"{n:,.0f}" if kind == "count" else hours_words(n)
    return value if part is None else f"{value} · {part:.0%}"
