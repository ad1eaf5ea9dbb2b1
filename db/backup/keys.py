"""Keys that a backup brings back: ended, since one that was revoked after the backup would open the app again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from db.commands import audit, integrations, tokens
from db.models import ApiToken, CalendarFeed, Integration, IntegrationToken, OneTimeLink, PageLink
from rules.access import Actor

_TURNS = 1_000
"""No integration is given a new secret as often as this between a backup and its restoring."""


@dataclass(frozen=True)
class Ended:
    """How many of each kind were alive."""

    tokens: int
    """of the API"""
    senders: int
    """tokens of integrations"""
    calendars: int
    """private addresses of one's own turns"""
    links: int
    """invitations, new passwords and buttons of pages"""

    @property
    def words(self) -> list[str]:
        """Each kind of which there was one: '2 API tokens'."""
        kinds = (
            (self.tokens, "API token", "API tokens"),
            (self.senders, "token of an integration", "tokens of integrations"),
            (self.calendars, "calendar address", "calendar addresses"),
            (self.links, "link of a mail", "links of mails"),
        )
        return [f"{n:,} {one if n == 1 else more}" for n, one, more in kinds if n]


def end(db: Session, *, actor: Actor, now: datetime) -> Ended:
    """End everything by which somebody gets in without signing in, but the links that follow a report."""
    living = list(db.scalars(select(ApiToken.id).where(ApiToken.revoked_at.is_(None)).order_by(ApiToken.id)))
    for token_id in living:
        tokens.revoke(db, token_id, actor=actor, now=now)
    alive = select(IntegrationToken.integration_id, IntegrationToken.id).where(IntegrationToken.revoked_at.is_(None))
    senders = db.execute(alive.order_by(IntegrationToken.id)).all()
    for integration_id, token_id in senders:
        integrations.revoke_token(db, integration_id, token_id, actor=actor, now=now)
    # What signs messages is made from this number; the one before, which would count on, is not taken either.
    turned = {"secret_turn": Integration.secret_turn + _TURNS, "old_secret_until": None}
    db.execute(update(Integration).values(turned).execution_options(synchronize_session=False))
    calendars = db.scalar(select(func.count()).select_from(CalendarFeed)) or 0
    db.execute(delete(CalendarFeed))
    links = 0
    for model in (OneTimeLink, PageLink):
        works = (model.used_at.is_(None), model.expires_at > now)
        links += db.scalar(select(func.count()).select_from(model).where(*works)) or 0
        db.execute(update(model).where(*works).values(expires_at=now).execution_options(synchronize_session=False))
    if calendars:
        audit.record(db, actor, now, "calendar addresses ended", "Every private address", before={"n": calendars})
    return Ended(len(living), len(senders), calendars, links)
