"""Words for the screen: what people typed made safe inside Markdown, moments, sizes, and states in everyday words."""

import re
import unicodedata
from datetime import UTC, datetime, time, timedelta
from urllib.parse import quote

from db.queries.lines import Line
from pages.parts import times
from rules import plain_words
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


def link_to(number: str, page: str = "incident") -> str:
    """Markdown link that opens an incident, or what else a page shows by number. Other systems' may hold any sign."""
    return f"[{literal(number)}](/{page}?number={quote(number, safe='')})"


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


def counted(number: int, most: int) -> str:
    """A count that was not taken further than `most`: '10,000+' when there are more."""
    return f"{most:,}+" if number > most else f"{number:,}"


def size(count: int) -> str:
    """A number of bytes: '312 bytes', '45 kB', '3.4 MB'."""
    if count < _KILO:
        return f"{count} bytes"
    if count < _KILO**2:
        return f"{count / _KILO:,.0f} kB"
    return f"{count / _KILO**2:,.1f} MB"


def status(line: Line, actor: Actor) -> str:
    """Where it stands, in words for people who are not technical."""
    return plain_words.status(line, mine=line.reporter_id == actor.id)


def next_step(line: Line, actor: Actor, now: datetime) -> str:
    """What happens next with it, and by when if that was promised and is still to come."""
    return plain_words.next_step(line, now, lambda moment: times.short(moment, now), mine=line.reporter_id == actor.id)
