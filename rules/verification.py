"""Whether the reporter says that it is fixed: when they are reminded, and when silence is enough to close."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rules.errors import RuleError

REMIND_DAYS, CLOSE_DAYS = 2, 5


@dataclass(frozen=True)
class Patience:
    """How long the reporter's answer is waited for."""

    remind_days: int = REMIND_DAYS
    """days after the service was restored until the reporter is reminded"""
    close_days: int = CLOSE_DAYS
    """days after the reminder until silence is enough to close"""
    zone: str = "UTC"
    """in which moments are told"""

    def remind_at(self, recovered_at: datetime) -> datetime:
        """When the reporter is reminded."""
        return recovered_at + timedelta(days=self.remind_days)

    def over_at(self, reminded_at: datetime) -> datetime:
        """From when on no answer is enough."""
        return reminded_at + timedelta(days=self.close_days)

    def check(self, recovered_at: datetime | None, reminded_at: datetime | None, now: datetime) -> None:
        """RuleError, with a sentence that says when it becomes possible, unless silence is enough to close at `now`."""
        days = f"{self.close_days} day{'s' if self.close_days > 1 else ''}"
        if reminded_at is None:
            planned = self.remind_at(recovered_at) if recovered_at else now
            when = f"The reminder is due {self._told(planned)}" if planned > now else "Nobody could be reminded yet"
            raise RuleError(
                f"'No answer' is possible {days} after a reminder. {when}; you can remind them now.",
                field="verification",
            )
        if now < self.over_at(reminded_at):
            raise RuleError(
                f"'No answer' is possible {days} after the reminder: from {self._told(self.over_at(reminded_at))} on.",
                field="verification",
            )

    def _told(self, moment: datetime) -> str:
        local = moment.astimezone(ZoneInfo(self.zone))
        return f"{local:%a} {local.day} {local:%b %Y, %H:%M %Z}"


def said_by(who: str, words: str) -> str:
    """What is kept when somebody else writes down that `who` confirmed it."""
    return f"{who} says it is fixed." + (f"\n{words}" if words else "")
