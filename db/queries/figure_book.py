"""The list behind a figure as a file."""

from collections.abc import Sequence
from datetime import datetime

from db.queries.figure import Counted, Found
from rules import period_words
from rules.exports import Book, Cell, Table, head, stem
from rules.measures import FIGURES, LEVELS, MOMENTS
from rules.panels import Opens
from rules.states import LABELS


def book(found: Found, opens: Opens, filtered: Sequence[str], zone: str, as_of: datetime) -> Book:
    """The incidents with the moment they are counted by. `filtered`: the filters in words."""
    figure = FIGURES[opens.figure]
    counted_in = period_words.counted_in(opens.figure in LEVELS, opens.start, opens.end, zone)
    if opens.hour is not None:
        counted_in += f"; {period_words.hour_of_week(opens.hour)}"
    notes = [figure.definition, figure.left_out, _counted(found)]
    headings = ["Number", "Title", "State", "Priority", "Service or place", "Category", "Team", "Reported"]
    if figure.moment != "reported":
        headings.append(MOMENTS[figure.moment])
    if figure.duration:
        headings.append("Hours")
    return Book(
        stem(f"incidents-{opens.figure.replace('_', '-')}", opens.start, opens.end, zone),
        zone,
        head(f"{figure.name}: the incidents that are counted", counted_in, filtered, zone, as_of),
        [Table(figure.name, notes, headings, [_row(opens.figure, counted) for counted in found.rows])],
    )


def _counted(found: Found) -> str:
    words = f"{found.counted:,} counted"
    if found.readable < found.counted:
        words += f", {found.readable:,} of them open to whoever wrote this file"
    if len(found.rows) < found.readable:
        words += f"; here are the newest {len(found.rows):,}"
    return f"{words}."


def _row(key: str, counted: Counted) -> list[Cell]:
    line, figure = counted.line, FIGURES[key]
    cells = [
        Cell("words", line.number),
        Cell("words", line.title),
        Cell("words", LABELS[line.state]),
        Cell("words", f"P{line.priority}" if line.priority else None),
        Cell("words", line.about),
        Cell("words", line.pair),
        Cell("words", line.team),
        Cell("instant", line.reported_at),
    ]
    if figure.moment != "reported":
        cells.append(Cell("instant", counted.at))
    if figure.duration:
        cells.append(Cell("hours", counted.hours))
    return cells
