"""Updates to stakeholders: their stages, when the next is due, and the words they begin with."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rules import text
from rules.errors import RuleError

STAGES = {
    "investigating": "Investigating",
    "identified": "Identified",
    "monitoring": "Monitoring",
    "resolved": "Resolved",
}
AUDIENCES = {"internal": "People here", "external": "The public", "both": "Both"}
PUBLIC = ("external", "both")
"""audiences of which the public is one"""
WORDS_FOR = {"internal": "People here", "external": "The public"}
"""what has a template of its own; both audiences at once are written to in the words for the public"""
_STAGE_OF = {"on_hold": "identified", "resolved": "monitoring", "recovered": "resolved", "closed": "resolved"}

TEXT_LIMIT, TITLE_LIMIT = 4000, 200
LONGEST = timedelta(days=14)
"""Nobody waits longer for a promised update."""
MAJOR_FIRST = 300
"""Seconds from the declaration of a major incident to its first update, whatever its priority."""
CHASED_AFTER = timedelta(minutes=5)
"""After whoever writes updates was told that one is due, the commander is."""
AGAIN_AFTER = timedelta(minutes=15)
"""Then both are told, until there is an update."""
DEFAULT_CADENCE: Mapping[str, Mapping[str, int]] = {
    "1": {"first": MAJOR_FIRST, "every": 1200},
    "2": {"first": 0, "every": 3600},
    "3": {"first": 0, "every": 4 * 3600},
    "4": {"first": 0, "every": 24 * 3600},
    "5": {"first": 0, "every": 24 * 3600},
}
"""priority -> seconds until the first update once work has begun (0: none is promised), and between two"""

FACTS: Mapping[str, Mapping[str, str]] = {
    "internal": {
        "number": "the incident's number",
        "title": "what is wrong",
        "priority": "P1 Critical",
        "service": "the service",
        "people": "how many are affected",
        "started": "when it began",
        "duration": "how long it has lasted",
        "commander": "who leads the response",
        "resolution": "what was done",
        "next": "when the next update comes",
    },
    "external": {
        "service": "the service",
        "started": "when it began",
        "duration": "how long it has lasted",
        "next": "when the next update comes",
    },
}
"""audience -> what its templates may name in braces; the public is told nothing that is not written for it"""
DEFAULT_TEMPLATES: Mapping[str, Mapping[str, str]] = {
    "investigating": {
        "internal": "{number}: {title}. {service} is affected. It began {started}; {people}. We are looking for the "
        "cause. {commander} The next update comes {next}.",
        "external": "We are looking into a problem with {service} that began {started}. The next update comes {next}.",
    },
    "identified": {
        "internal": "{number}: the cause of '{title}' is found, and we are working on a fix. The next update comes "
        "{next}.",
        "external": "We have found the cause of the problem with {service} and are working on a fix. The next update "
        "comes {next}.",
    },
    "monitoring": {
        "internal": "{number}: a fix for '{title}' is in, after {duration}. {resolution} We watch whether it holds. "
        "The next update comes {next}.",
        "external": "A fix for {service} is in. We are watching whether it holds. The next update comes {next}.",
    },
    "resolved": {
        "internal": "{number}: '{title}' is over after {duration}. {resolution}",
        "external": "The problem with {service} is over. It lasted {duration}.",
    },
}
DEFAULTS: Mapping[str, Any] = {
    "updates.cadence": DEFAULT_CADENCE,
    "updates.templates": DEFAULT_TEMPLATES,
    "updates.approval": False,
}
"""Setting -> its default. With `updates.approval` the commander reads what the public is told before it is."""


@dataclass(frozen=True)
class Manner:
    """How updates are written, by the settings named in DEFAULTS."""

    cadence: Mapping[str, Mapping[str, int]]
    templates: Mapping[str, Mapping[str, str]]
    approval: bool


def parsed(values: Mapping[str, Any]) -> Manner:
    """Of checked settings."""
    return Manner(values["updates.cadence"], values["updates.templates"], values["updates.approval"])


MANNER = parsed(DEFAULTS)
_PLACE = re.compile(r"\{([^{}]*)\}")


def stage_of(state: str) -> str:
    """The stage that an update most likely tells while the incident is in this state."""
    return _STAGE_OF.get(state, "investigating")


def stage_after(told: str | None, state: str) -> str:
    """The stage that the next update most likely tells: by the state, and never back behind what was told."""
    order = list(STAGES)
    known = stage_of(state)
    return max(known, told, key=order.index) if told is not None and told != order[-1] else known


def goes_to(audience: str) -> frozenset[str]:
    """'internal', 'external', or the two of them."""
    return frozenset(WORDS_FOR) if audience == "both" else frozenset({audience})


def first_after(cadence: Mapping[str, Mapping[str, int]], priority: int | None, *, major: bool) -> timedelta | None:
    """How soon the first update is due once the response has begun; None when none is promised by itself."""
    seconds = cadence[str(priority)]["first"] if priority is not None else 0
    if major:
        seconds = min(seconds, MAJOR_FIRST) if seconds else MAJOR_FIRST
    return timedelta(seconds=seconds) if seconds else None


def every(cadence: Mapping[str, Mapping[str, int]], priority: int | None, *, major: bool) -> timedelta:
    """How long after an update the next is promised, unless whoever writes it promises otherwise.

    A major incident is told of as often as one of the highest priority.
    """
    own = cadence[str(priority or 3)]["every"]
    return timedelta(seconds=min(own, cadence["1"]["every"]) if major else own)


def checked(
    audience: str, stage: str, words: str, title: str, next_at: datetime | None, now: datetime
) -> dict[str, Any]:
    """The update's columns. RuleError with `fields` names every fault at once."""
    found: dict[str, Any] = {"audience": audience, "stage": stage, "next_at": None}
    wrong: dict[str, str] = {}
    if audience not in AUDIENCES:
        wrong["audience"] = "Choose who is told."
    if stage not in STAGES:
        wrong["stage"] = "Choose how far the work is."
    public = audience in PUBLIC
    asked = "Give it a name that the public may read." if public else None
    for field, read, value, limit, required in (
        ("text", text.block, words, TEXT_LIMIT, "Write what people should know."),
        ("title", text.line, title if public else "", TITLE_LIMIT, asked),
    ):
        try:
            found[field] = read(value, field, limit, required=required)
        except RuleError as error:
            wrong[field] = error.sentence
    left = blanks(found.get("text", ""))
    if left:
        wrong["text"] = f"Replace {', '.join(f'{{{name}}}' for name in left)} by what is meant."
    if stage != "resolved":
        if next_at is None:
            wrong["next_at"] = "Say when the next update comes."
        elif not now < next_at <= now + LONGEST:
            wrong["next_at"] = f"Choose a time that is still to come, within {LONGEST.days} days."
        found["next_at"] = next_at
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    return found


def fill(template: str, facts: Mapping[str, str]) -> str:
    """The template with its facts; what is not known is left out, with the space that it leaves."""
    filled = _PLACE.sub(lambda found: facts.get(found[1], found[0]), template)
    return re.sub(r"(?m)[ \t]{2,}", " ", filled).strip()


def blanks(words: str) -> list[str]:
    """The names of known facts that still stand in braces."""
    return [name for name in dict.fromkeys(_PLACE.findall(words)) if name in FACTS["internal"]]


def check_settings(values: Mapping[str, Any], wrong: dict[str, str]) -> None:
    """Put a sentence for every fault of the settings named in DEFAULTS into `wrong`."""
    if not isinstance(values["updates.approval"], bool):
        wrong["updates.approval"] = "Choose yes or no."
    _check_cadence(values["updates.cadence"], wrong)
    templates = values["updates.templates"]
    if not isinstance(templates, Mapping) or set(templates) != set(STAGES):
        wrong["updates.templates"] = "Give words for each stage."
        return
    for stage, both in templates.items():
        for audience, known in FACTS.items():
            field = f"updates.templates.{stage}.{audience}"
            words = both.get(audience) if isinstance(both, Mapping) else None
            try:
                if text.block(words, "text", TEXT_LIMIT, required="Write the words it begins with.") != words:
                    wrong[field] = "Leave out the space before and after it."
            except RuleError as error:
                wrong[field] = error.sentence
                continue
            unknown = [name for name in dict.fromkeys(_PLACE.findall(words or "")) if name not in known]
            if unknown:
                may = ", ".join(f"{{{name}}}" for name in known)
                wrong[field] = f"There is no {{{unknown[0]}}} here. You may use {may}."


def _check_cadence(cadence: object, wrong: dict[str, str]) -> None:
    if not isinstance(cadence, Mapping) or set(cadence) != set(DEFAULT_CADENCE):
        wrong["updates.cadence"] = "Give a rhythm for each priority."
        return
    for level, rhythm in cadence.items():
        for name, least in (("first", 0), ("every", 60)):
            seconds: Any = rhythm.get(name) if isinstance(rhythm, Mapping) else None
            whole = isinstance(seconds, int) and not isinstance(seconds, bool)
            if not whole or not least <= seconds <= LONGEST.total_seconds():
                wrong[f"updates.cadence.{level}.{name}"] = f"Give a time of at most {LONGEST.days} days."
