"""Postmortems: when one is due, the states it goes through, what each section holds, and the actions that follow."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from rules import text, updates
from rules.errors import RuleError
from rules.paging import NIGHT_ENDS

DRAFT, REVIEW, PUBLISHED, DISCARDED = "draft", "review", "published", "discarded"
LABELS = {DRAFT: "Draft", REVIEW: "In review", PUBLISHED: "Published", DISCARDED: "Discarded"}
MOVES = {
    DRAFT: frozenset({REVIEW, DISCARDED}),
    REVIEW: frozenset({DRAFT, PUBLISHED}),
    PUBLISHED: frozenset(),
    DISCARDED: frozenset({DRAFT}),
}
"""state -> what it may become; what is published stays so and is amended in the open"""
WORST = 2
"""the priority up to which an incident is looked back on"""
FOR_ALL = frozenset({"resolved", "recovered", "closed"})
"""states of an incident in which somebody may begin one by hand"""


@dataclass(frozen=True)
class Section:
    label: str
    hint: str
    """the question that it answers"""
    optional: bool = True


SECTIONS: Mapping[str, Section] = {
    "summary": Section("Summary", "What happened, in a few sentences that somebody from outside understands?", False),
    "impact": Section("Impact", "Who could not do what, for how long?", False),
    "timeline": Section("Timeline", "What happened when? Leave out what taught nothing."),
    "factors": Section(
        "Contributing factors",
        "What let it happen, and what let it last? One on each line; rarely only one.",
        False,
    ),
    "went_well": Section("What went well", "What would you do the same way again?"),
    "went_badly": Section("What went badly", "What cost time, or made it worse?"),
    "lucky": Section("Where we got lucky", "What kept it from being worse, and was nobody's doing?"),
    "no_action": Section("No action because", "Where nothing is to be done: why not?"),
}
FIELDS = ("title", *SECTIONS)
TITLE_LIMIT, SECTION_LIMIT, FACTOR_LIMIT, MOST_FACTORS = 200, 20_000, 500, 20
WHY_LIMIT, ACTION_LIMIT, EFFECT_LIMIT = 1000, 300, 2000
MOST_ACTIONS = 40
"""of one postmortem; each has two buttons on its page, which has a hundred at most"""
PUBLIC_TITLE_LIMIT, PUBLIC_TEXT_LIMIT = updates.TITLE_LIMIT, 8000
LATEST = timedelta(days=2 * 366)
"""An action that is due later than that is a wish."""
AGAIN_AFTER = timedelta(days=7)
"""How long after somebody was told that an action is overdue they are told again."""
_MARK = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s+")


def due(*, major: bool, priority: int | None) -> bool:
    """True for an incident that is looked back on without anybody asking: a major one, or P1 and P2."""
    return major or (priority is not None and priority <= WORST)


def factors(written: str) -> tuple[str, ...]:
    """The contributing factors: one on each line, be there a mark of a list before it or not."""
    lines = (" ".join(_MARK.sub("", line).split()) for line in written.split("\n"))
    return tuple(line for line in lines if line)


def checked(given: Mapping[str, object]) -> dict[str, str]:
    """Title and sections as they are kept. RuleError with `fields` names every fault at once."""
    found: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name in FIELDS:
        label = f"'{SECTIONS[name].label}'" if name in SECTIONS else "'Title'"
        try:
            if name == "title":
                found[name] = text.line(given[name], label, TITLE_LIMIT, required="Give it a title.")
            else:
                found[name] = text.block(given[name], label, SECTION_LIMIT)
        except RuleError as error:
            wrong[name] = error.sentence.replace(f"the {label}", label)
    named = factors(found.get("factors", ""))
    long = next((at for at, one in enumerate(named, 1) if len(one) > FACTOR_LIMIT), None)
    if len(named) > MOST_FACTORS:
        wrong["factors"] = f"Name at most {MOST_FACTORS} factors; there are {len(named)}. Leave the smallest out."
    elif long is not None:
        wrong["factors"] = f"Shorten factor {long} to {FACTOR_LIMIT} characters."
    elif "factors" not in wrong:
        found["factors"] = "\n".join(named)
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    return found


def lacking(sections: Mapping[str, str], actions: int) -> dict[str, str]:
    """Field -> sentence for all that must be there before it is published. `actions`: how many there are."""
    found = {}
    if not sections["summary"]:
        found["summary"] = "Say in the summary what happened."
    if not sections["impact"]:
        found["impact"] = "Say under 'Impact' who could not do what."
    if not factors(sections["factors"]):
        found["factors"] = "Name at least one contributing factor."
    if not actions and not sections["no_action"]:
        found["no_action"] = "Add an action, or say under 'No action because' why none is needed."
    return found


def move(state: str, to: str) -> None:
    """RuleError unless a postmortem in `state` may become `to`."""
    if to not in MOVES.get(state, ()):
        raise RuleError(f"It is {LABELS[state].lower()}: it cannot become {LABELS[to].lower()} from there.")


def authors(saved_by: int | None, saved_at: datetime, sent_by: int | None, sent_at: datetime | None) -> frozenset[int]:
    """Who answers for the words under review: who saved them last, and who sent those very words to be reviewed."""
    sent = sent_at is not None and saved_at <= sent_at
    return frozenset(one for one in (saved_by, sent_by if sent else None) if one is not None)


def check_reviewer(actor: int, of: frozenset[int]) -> None:
    """RuleError when `actor` is one of the authors."""
    if actor in of:
        raise RuleError("You wrote what is to be reviewed. Ask somebody else to read and publish it.", field="reviewer")


def why(typed: object, required: str) -> str:
    """The words that must go with a step. RuleError('reason')."""
    return text.block(typed, "reason", WHY_LIMIT, required=required)


def action(words: object, owner_id: int | None, due_on: date | None, today: date, kept: date | None = None) -> str:
    """The text of an action as it is kept. `kept` is the day it had before, which may have passed by now.

    RuleError with `fields` text, owner_id and due_on.
    """
    found, wrong = "", {}
    try:
        found = text.line(words, "text", ACTION_LIMIT, required="Say what is to be done.")
    except RuleError as error:
        wrong["text"] = error.sentence
    if owner_id is None:
        wrong["owner_id"] = "Choose who does it."
    if due_on is None:
        wrong["due_on"] = "Choose the day by which it is done."
    elif due_on != kept and not today <= due_on <= today + LATEST:
        wrong["due_on"] = "Choose a day from today on, within two years."
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    return found


def effect(typed: object) -> str:
    """What was seen once an action was done. RuleError('effect')."""
    return text.block(typed, "effect", EFFECT_LIMIT, required="Say what you saw that shows it works.")


def today(now: datetime, zone: tzinfo) -> date:
    """The day on the organisation's clock; what was due before it is overdue."""
    return now.astimezone(zone).date()


def telling_day(now: datetime, zone: tzinfo) -> date:
    """The day as far as people are told of it: what fell overdue at midnight is told in the morning."""
    local = now.astimezone(zone)
    return local.date() if local.time() >= NIGHT_ENDS else local.date() - timedelta(days=1)


def public(title: object, words: object) -> tuple[str, str]:
    """What the public reads: nothing of it comes from the postmortem itself. RuleError with `fields`."""
    found, wrong = {}, {}
    for field, read, typed, limit, required in (
        ("public_title", text.line, title, PUBLIC_TITLE_LIMIT, "Give it a name that the public may read."),
        ("public_text", text.block, words, PUBLIC_TEXT_LIMIT, "Write what the public should know."),
    ):
        try:
            found[field] = read(typed, field, limit, required=required)
        except RuleError as error:
            wrong[field] = error.sentence
    left = updates.blanks(found.get("public_text", ""))
    if left:
        wrong["public_text"] = f"Replace {', '.join(f'{{{name}}}' for name in left)} by what is meant."
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    return found["public_title"], found["public_text"]
