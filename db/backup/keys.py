"""Keys that a backup brings back: ended, since one that was revoked after the backup would open the app again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from db.commands import audit, tokens
from db.models import ApiToken, CalendarFeed, OneTimeLink, PageLink
from rules.access import Actor


@dataclass(frozen=True)
class Ended:
    """How many of each kind were alive."""

    tokens: int
    """of the API"""
    calendars: int
    """private addresses of one's own turns"""
    links: int
    """invitations, new passwords and buttons of pages"""

    @property
    def words(self) -> list[str]:
        """Each kind of which there was one: '2 API tokens'."""
        kinds = (
            (self.tokens, "API token", "API tokens"),
            (self.calendars, "calendar address", "calendar addresses"),
            (self.links, "link of a mail", "links of mails"),
        )
        return [f"{n:,} {one if n == 1 else more}" for n, one, more in kinds if n]


def end(db: Session, *, actor: Actor, now: datetime) -> Ended:
    """End everything by which somebody gets in without signing in, but the links that follow a report.

    Integrations keep theirs: with one that was revoked an alarm can be told too many, without them none is told at all.
    """
    living = list(db.scalars(select(ApiToken.id).where(ApiToken.revoked_at.is_(None)).order_by(ApiToken.id)))
    for token_id in living:
        tokens.revoke(db, token_id, actor=actor, now=now)
    calendars = db.scalar(select(func.count()).select_from(CalendarFeed)) or 0
    db.execute(delete(CalendarFeed))
    links = 0
    for model in (OneTimeLink, PageLink):
        works = (model.used_at.is_(None), model.expires_at > now)
        links += db.scalar(select(func.count()).select_from(model).where(*works)) or 0
        db.execute(update(model).where(*works).values(expires_at=now).execution_options(synchronize_session=False))
    if calendars:
        audit.record(db, actor, now, "calendar addresses ended", "Every private address", before={"n": calendars})
    return Ended(len(living), calendars, links)
