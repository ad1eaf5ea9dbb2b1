"""The SLA clock of an incident as people see it: how much is used, what is left, in words."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.targets import WARNING_SHARE


@dataclass(frozen=True)
class Clock:
    """A clock to draw. `share` of the target used at `now`; it passes 0.75 at `warn` and 1.0 at `due`."""

    start: datetime
    warn: datetime
    due: datetime
    share: float
    paused: bool
    done: bool

    @property
    def tone(self) -> str:
        """'ok', 'warning' from 75 % on, 'late' from 100 % on."""
        return "late" if self.share >= 1 else "warning" if self.share >= WARNING_SHARE else "ok"

    def as_data(self) -> dict[str, object]:
        """The same for a component: ISO instants in UTC."""
        return {
            "start": self.start.isoformat(),
            "warn": self.warn.isoformat(),
            "due": self.due.isoformat(),
            "share": round(self.share, 4),
            "paused": self.paused,
            "done": self.done,
        }


def clock(
    start: datetime,
    warn: datetime | None,
    due: datetime | None,
    now: datetime,
    *,
    stopped_at: datetime | None = None,
    paused: bool = False,
) -> Clock | None:
    """The clock between `start` and `due`; None without a target. A stopped clock shows the share it had then."""
    if due is None or due <= start:
        return None
    warn = warn if warn is not None and start < warn < due else start + (due - start) * WARNING_SHARE
    at = stopped_at or now
    if at <= warn:
        share = WARNING_SHARE * _part(at - start, warn - start)
    elif at <= due:
        share = WARNING_SHARE + (1 - WARNING_SHARE) * _part(at - warn, due - warn)
    else:
        share = 1 + _part(at - due, due - start)
    return Clock(start, warn, due, max(share, 0.0), paused, stopped_at is not None and not paused)


def _part(some: timedelta, whole: timedelta) -> float:
    return some / whole if whole else 1.0
