"""A postmortem as a Markdown file: facts, sections, actions, and nothing that a program would run or load."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from rules.markdown import blocks
from rules.markdown_out import written
from rules.markdown_text import plain
from rules.postmortems import LABELS, SECTIONS, factors

NOTHING = "Nothing was written."


@dataclass(frozen=True)
class Action:
    text: str
    owner: str
    due_on: date
    overdue: bool
    done_at: datetime | None = None
    done_by: str = ""
    verified_at: datetime | None = None
    verified_by: str = ""
    effect: str = ""
    dropped_why: str = ""
    """empty while it is to be done"""


def day(on: date) -> str:
    """'2 Mar 2026'."""
    return f"{on.day} {on:%b %Y}"


def standing(action: Action, zone: tzinfo) -> str:
    """How far an action is, in words."""
    if action.dropped_why:
        return f"dropped: {action.dropped_why}"
    if action.verified_at is not None:
        seen = f"; {action.verified_by} saw on {day(action.verified_at.astimezone(zone).date())}: {action.effect}"
    else:
        seen = ""
    if action.done_at is not None:
        return f"done {day(action.done_at.astimezone(zone).date())} by {action.done_by}{seen}"
    return f"{'overdue' if action.overdue else 'to be done'}, due {day(action.due_on)}"


def as_markdown(
    number: str,
    facts: Sequence[tuple[str, str]],
    state: str,
    sections: Mapping[str, str],
    actions: Sequence[Action],
    zone: tzinfo,
) -> str:
    """The whole of it. `facts` are lines of what and which ('Service', 'E-mail')."""
    lines = [f"# {plain(number)}: {plain(sections['title'])}", "", f"Postmortem, {LABELS[state].lower()}.", ""]
    lines += [f"- **{plain(label)}:** {plain(value)}" for label, value in facts]
    for name, section in SECTIONS.items():
        if name == "no_action":
            continue
        lines += ["", f"## {section.label}", "", _section(name, sections[name])]
    lines += ["", "## Actions", "", _actions(actions, sections["no_action"], zone)]
    return "\n".join(lines) + "\n"


def _section(name: str, text: str) -> str:
    if name == "factors":
        return "\n".join(f"- {plain(factor)}" for factor in factors(text)) or NOTHING
    return written(blocks(text), under=2) or NOTHING


def _actions(actions: Sequence[Action], no_action: str, zone: tzinfo) -> str:
    lines = []
    for action in actions:
        ticked = "x" if action.done_at is not None else " "
        lines.append(f"- [{ticked}] {plain(action.text)} ({plain(action.owner)}; {plain(standing(action, zone))})")
    if no_action:
        lines += [*([""] if lines else []), f"No action because: {written(blocks(no_action), under=2)}"]
    return "\n".join(lines) or "There are none."
