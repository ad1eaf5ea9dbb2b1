"""Where an incident stands and what happens next, in words for people who are not technical."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol


class Standing(Protocol):
    """What of an incident these words are made of."""

    @property
    def state(self) -> str: ...
    @property
    def hold_reason(self) -> str | None: ...
    @property
    def hold_until(self) -> datetime | None: ...
    @property
    def verification(self) -> str | None: ...
    @property
    def team(self) -> str | None: ...
    @property
    def acknowledged_at(self) -> datetime | None: ...
    @property
    def response_due_at(self) -> datetime | None: ...
    @property
    def resolution_due_at(self) -> datetime | None: ...


def status(line: Standing, *, mine: bool) -> str:
    """Where it stands; `mine` when the reader reported it."""
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


def next_step(line: Standing, now: datetime, told: Callable[[datetime], str], *, mine: bool) -> str:
    """What happens next, and by when if that was promised and is still to come; `told` puts a moment into words."""
    team = f"The team {line.team}" if line.team else "A team"
    due = line.response_due_at
    if line.state in ("new", "assigned") and due is not None and line.acknowledged_at is None:
        who = "The service desk looks at it" if line.state == "new" else f"{team} starts on it"
        if due > now:
            return f"{who} by {told(due)}."
        return f"{who} as soon as possible; we promised it by {told(due)}."
    if line.state == "in_progress" and line.resolution_due_at is not None and line.resolution_due_at > now:
        return f"{team} works on it, to be done by {told(line.resolution_due_at)}."
    if line.state == "on_hold":
        if line.hold_reason == "reporter":
            return "Answer the question and work goes on." if mine else "Work goes on when the reporter has answered."
        until = f" on {told(line.hold_until)}" if line.hold_until and line.hold_until > now else " soon"
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
        "closed": "Nothing more happens, unless it comes back.",
        "cancelled": "Nothing more happens.",
    }[line.state]
