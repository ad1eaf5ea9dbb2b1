"""Words for the screen: what people typed made safe inside Markdown, moments, sizes, and states in everyday words."""

import re
import unicodedata
from datetime import UTC, datetime, time, timedelta

from db.queries.lines import Line
from pages.parts import times
from rules.access import Actor

_MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^=])")
_JOINER = "\u2060"
# Streamlit makes icons, logos, links and arrows out of finished text, where a backslash no longer helps. An unseen
# joiner at these places keeps them as they were typed.
_MADE_LATER = re.compile(
    r"(?<=:)(?=material/|streamlit:)"
    r"|(?<=:)(?=//)"
    r"|(?<=www)(?=\.)"
    r"|(?<=[\w.+-])(?=@[\w-])"
    r"|(?<=<-)(?=>)|(?<=[<>~])(?==)|(?<=-)(?=[->])|(?<=<)(?=-)",
    re.IGNORECASE,
)
_TURNING = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F])
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_KILO = 1024
_PARTS_OF_DAY = (time(16), time(12), time(8))
"""how precisely people remember an earlier day"""


def literal(text: str) -> str:
    """Text that people wrote, safe inside Markdown: it shows as it was typed and formats, links or loads nothing.

    Line breaks stay, blank lines do not, so that it can stand within one paragraph, bold or coloured.
    """
    kept = text.translate(_TURNING) if not text.isascii() else text
    lines = [line.strip() for line in kept.splitlines() if line.strip()]
    safe = "  \n".join(_MARKUP.sub(r"\\\1", _MADE_LATER.sub(_JOINER, line)) for line in lines)
    if not safe.isascii() and any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in safe):
        return f"\u2068{safe}\u2069"  # what is written right to left does not turn the words around it
    return safe


def when(instant: datetime, now: datetime) -> str:
    """'18 min ago, 14:05': how long ago and the exact time, on the reader's clock."""
    return f"{times.ago(instant, now)}, {times.short(instant, now)}"


def moments(now: datetime) -> list[str]:
    """Instants to choose from as ISO text: the last 24 full hours on the reader's clock, then some of six days."""
    local = times.local(now)
    hour = local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
    hours = [hour - timedelta(hours=back) for back in range(24)]
    days = [local.date() - timedelta(days=back) for back in range(1, 7)]
    parts = [datetime.combine(day, at, local.tzinfo).astimezone(UTC) for day in days for at in _PARTS_OF_DAY]
    return [moment.isoformat() for moment in (*hours, *(part for part in parts if part < hours[-1]))]


def moment_words(moment: str, now: datetime) -> str:
    """One of `moments` in words: 'Today, 14:00', 'Yesterday, 22:00', 'Sunday 22 Nov, 08:00'."""
    at, today = times.local(datetime.fromisoformat(moment)), times.local(now).date()
    days = (today - at.date()).days
    day = {0: "Today", 1: "Yesterday"}.get(days, f"{at:%A} {at.day} {at:%b}")
    return f"{day}, {at:%H:%M}"


def size(count: int) -> str:
    """A number of bytes: '312 bytes', '45 kB', '3.4 MB'."""
    if count < _KILO:
        return f"{count} bytes"
    if count < _KILO**2:
        return f"{count / _KILO:,.0f} kB"
    return f"{count / _KILO**2:,.1f} MB"


def status(line: Line, actor: Actor) -> str:
    """Where it stands, in words for people who are not technical."""
    mine = line.reporter_id == actor.id
    if line.state == "on_hold":
        if line.hold_reason == "reporter":
            return "Waiting for your answer" if mine else "Waiting for an answer"
        return {"vendor": "Waiting for a supplier", "change": "Waiting for a planned change"}.get(
            line.hold_reason or "", "On hold"
        )
    if line.state == "recovered":
        return "Fixed" if line.verification else "Fixed? Tell us" if mine else "Fixed, being confirmed"
    return {
        "new": "Received",
        "assigned": "Passed on to a team",
        "in_progress": "Being worked on",
        "resolved": "The fix is being tested",
        "closed": "Closed",
        "cancelled": "Closed without a fix",
    }[line.state]


def next_step(line: Line, actor: Actor, now: datetime) -> str:
    """What happens next with it, and by when if that was promised and is still to come."""
    team = f"The team {line.team}" if line.team else "A team"
    mine = line.reporter_id == actor.id
    due = line.response_due_at
    if line.state in ("new", "assigned") and due is not None and line.acknowledged_at is None:
        who = "The service desk looks at it" if line.state == "new" else f"{team} starts on it"
        if due > now:
            return f"{who} by {times.short(due, now)}."
        return f"{who} as soon as possible; we promised it by {times.short(due, now)}."
    if line.state == "in_progress" and line.resolution_due_at is not None and line.resolution_due_at > now:
        return f"{team} works on it, to be done by {times.short(line.resolution_due_at, now)}."
    if line.state == "on_hold":
        if line.hold_reason == "reporter":
            return "Answer the question and work goes on." if mine else "Work goes on when the reporter has answered."
        until = f" on {times.short(line.hold_until, now)}" if line.hold_until and line.hold_until > now else " soon"
        return f"We look at it again{until}."
    if line.state == "recovered" and line.verification:
        return "The service desk closes it."
    if line.state == "recovered":
        return "Say whether it works again." if mine else "The person who reported it is asked whether it works."
    return {
        "new": "The service desk looks at it.",
        "assigned": f"{team} starts on it.",
        "in_progress": f"{team} works on it.",
        "resolved": "We check that it works, then ask whoever reported it.",
        "closed": "Nothing more happens. If it comes back, report it again.",
        "cancelled": "Nothing more happens.",
    }[line.state]
