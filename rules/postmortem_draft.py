"""The first words of a postmortem, made of what is known about its incident: facts, moments, timeline, causes.

Nothing here judges: what went well, badly or by luck is for people to say. What people wrote goes in as they wrote it,
each on one line; whoever shows a postmortem knows no Markdown but that of rules.markdown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from rules.moments import MOMENTS
from rules.postmortems import FACTOR_LIMIT, FIELDS, MOST_FACTORS, SECTION_LIMIT, TITLE_LIMIT
from rules.priority import EFFECTS, SCOPES, span
from rules.priority import LABELS as PRIORITIES
from rules.states import ACTIONS, RESOLUTION_CODES

MOST_ENTRIES, WORDS_LIMIT = 60, 240
"""of the timeline, and characters of what was written with one; the incident keeps all of it"""
KINDS = (frozenset(ACTIONS) - {"verify", "close"}) | {
    "report", "detected", "declare", "stand_down", "update", "happened", "sla", "merged", "calm", "hypothesis",
}  # fmt: skip
"""kinds of entries that the draft begins with; of suspected causes only those that were confirmed"""
_CONFIRMED = "confirmed "


@dataclass(frozen=True)
class Entry:
    """One thing that happened."""

    at: datetime
    who: str
    kind: str
    what: str
    words: str


@dataclass(frozen=True)
class Facts:
    """What is known of an incident."""

    number: str
    title: str
    service: str
    team: str
    priority: int | None
    major: bool
    people: int | None
    scope: str | None
    effect: str | None
    moments: Mapping[str, datetime | None]
    """of rules.moments"""
    resolution_code: str | None
    resolution_note: str
    missed: tuple[str, ...] = ()
    """promises that were broken: 'the time to fix'"""
    public_updates: Sequence[datetime] = ()
    causes: Sequence[str] = ()
    """confirmed ones, oldest first"""
    entries: Sequence[Entry] = field(default=())
    """oldest first"""


def draft(facts: Facts, zone: tzinfo) -> dict[str, str]:
    """Title and sections (rules.postmortems.FIELDS), times on the organisation's clock."""
    causes = [_cut(_line(cause), FACTOR_LIMIT) for cause in facts.causes[:MOST_FACTORS]]
    return dict.fromkeys(FIELDS, "") | {
        "title": _line(facts.title)[:TITLE_LIMIT],
        "summary": _cut(_summary(facts, zone), SECTION_LIMIT),
        "impact": _impact(facts, zone),
        "timeline": timeline(facts.entries, zone, facts.number),
        "factors": "\n".join(causes),
    }


def timeline(entries: Sequence[Entry], zone: tzinfo, number: str) -> str:
    """The entries that tell the course of it, as a list under each day; the middle is left out where it is too long.

    It fits into its section, with less of what was written where that is much.
    """
    found = ""
    for limit in (WORDS_LIMIT, WORDS_LIMIT // 2, WORDS_LIMIT // 4):
        found = _timeline(entries, zone, number, limit)
        if len(found) <= SECTION_LIMIT:
            break
    return _cut(found, SECTION_LIMIT)


def _timeline(entries: Sequence[Entry], zone: tzinfo, number: str, limit: int) -> str:
    told = [entry for entry in entries if _counts(entry)]
    left_out = len(told) - MOST_ENTRIES
    half = MOST_ENTRIES // 2
    lines = []
    day = None
    for place, entry in enumerate(told):
        if left_out > 0 and half <= place < half + left_out:
            if place == half:
                lines.append(f"- … {left_out} more on the timeline of {number}")
            continue
        local = entry.at.astimezone(zone)
        if local.date() != day:
            day = local.date()
            lines += ["", f"**{local:%A} {local.day} {local:%B %Y}** ({local:%Z})", ""]
        words = f": {_cut(_line(entry.words), limit)}" if entry.words and entry.kind != "report" else ""
        lines.append(f"- {local:%H:%M} {_line(entry.who) or 'Incident Desk'} {_line(entry.what)}{words}")
    return "\n".join(lines).strip()


def _counts(entry: Entry) -> bool:
    return entry.kind in KINDS and (entry.kind != "hypothesis" or entry.what.startswith(_CONFIRMED))


def _summary(facts: Facts, zone: tzinfo) -> str:
    rated = f"P{facts.priority} {PRIORITIES[facts.priority]}" if facts.priority in PRIORITIES else "Not prioritised"
    what = [rated, *(["major incident"] if facts.major else []), *([facts.service] if facts.service else [])]
    began, ended = _began(facts), facts.moments.get("recovered_at") or facts.moments.get("resolved_at")
    sentences = [f"{_line(facts.title).rstrip('.')} ({', '.join(what)})."]
    if began is not None and ended is not None and ended >= began:
        lasted = span((ended - began).total_seconds())
        sentences.append(f"It began {_when(began, zone)} and was over {_when(ended, zone)}, after {lasted}.")
    if facts.team:
        sentences.append(f"{_line(facts.team)} had it.")
    if facts.resolution_note:
        code = RESOLUTION_CODES.get(facts.resolution_code or "", "Resolved")
        sentences.append(f"{code}: {_line(facts.resolution_note)}")
    return " ".join(sentences)


def _impact(facts: Facts, zone: tzinfo) -> str:
    lines = []
    if facts.people:
        lines.append(f"- People affected: {facts.people:,}")
    if facts.scope in SCOPES or facts.effect in EFFECTS:
        said = [SCOPES.get(facts.scope or ""), EFFECTS.get(facts.effect or "")]
        lines.append(f"- The reporter said: {' · '.join(word for word in said if word)}")
    began = _began(facts)
    for name, label in MOMENTS.items():
        at = facts.moments.get(name)
        if at is None or name in ("verified_at", "closed_at"):
            continue
        after = f" (after {span((at - began).total_seconds())})" if began is not None and at > began else ""
        lines.append(f"- {label}: {_when(at, zone)}{after}")
    lines += [f"- Missed: {promise}" for promise in facts.missed]
    if facts.public_updates:
        first = min(facts.public_updates)
        many = len(facts.public_updates)
        when = f"at {_when(first, zone)}" if many == 1 else f"the first {_when(first, zone)}"
        lines.append(f"- The public was told {'once' if many == 1 else f'{many} times'}, {when}")
    return "\n".join(lines)


def _began(facts: Facts) -> datetime | None:
    known = (facts.moments.get(name) for name in ("started_at", "detected_at", "reported_at"))
    return next((at for at in known if at is not None), None)


def _when(at: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y %H:%M %Z}"


def _line(words: str) -> str:
    return " ".join(words.split())


def _cut(words: str, limit: int) -> str:
    return words if len(words) <= limit else f"{words[: limit - 1].rstrip()}…"
