"""Maintenance before the public: announced when it is published, and told once when it begins and when it is over.

The page computes all of that from the window's times. What is kept is only what subscribers have been told, so that
each mail goes once, whoever comes by; after an outage of the worker what is over by then is told no more.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import freshness
from db.commands import audit, publication
from db.models import MaintenanceWindow, PublishedWindow
from db.queries.maintenance import window_of
from db.queries.published_windows import covered
from db.queries.settings import organisation
from rules import access, text
from rules.access import Actor, NotFound
from rules.errors import RuleError
from rules.maintenance import begun, next_occurrences
from rules.status_page import COMPLETED, IN_PROGRESS, SCHEDULED, span_words

TITLE_LIMIT, WORDS_LIMIT = 120, 1000
CANCELLED, RESCHEDULED = "Cancelled", "Rescheduled"
_SHOWN = 5


def publish(db: Session, window_id: int, *, title: str, words: str = "", actor: Actor, now: datetime) -> None:
    """Show it on the status page under this title, and announce it; once it is there, change how it is shown.

    RuleError with `fields` public_title and public_words.
    """
    access.check(actor, "maintenance")
    row = _window(db, window_id)
    if row.cancelled_at is not None or row.ends_at <= now:
        raise RuleError("It is over: there is nothing to announce.")
    wrong: dict[str, str] = {}
    given: dict[str, str] = {}
    for field, read, typed, limit in (
        ("title", text.line, title, TITLE_LIMIT),
        ("words", text.block, words, WORDS_LIMIT),
    ):
        try:
            given[field] = read(typed, field, limit)
        except RuleError as error:
            wrong[f"public_{field}"] = error.sentence
    if not given.get("title") and not wrong:
        wrong["public_title"] = "Say in a few words what visitors of the status page read."
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    kept = db.get(PublishedWindow, window_id, with_for_update=True)
    if kept is not None and kept.withdrawn_at is None:
        before = {"title": kept.title, "words": kept.words}
        if before != given:
            kept.title, kept.words = given["title"], given["words"]
            audit.record(db, actor, now, "public maintenance changed", row.name, before=before, after=dict(given))
            freshness.changed(db)
        return
    if kept is None:
        kept = PublishedWindow(window_id=window_id)
        db.add(kept)
    kept.title, kept.words, kept.published_at = given["title"], given["words"], now
    kept.withdrawn_at = kept.settled_at = kept.begun_at = None
    db.flush()
    audit.record(db, actor, now, "maintenance published", row.name, after=dict(given))
    freshness.changed(db)
    if window_of(row).contains(now):
        kept.begun_at = now
        _tell(db, kept, row, IN_PROGRESS, now)
    else:
        _tell(db, kept, row, SCHEDULED, now)


def withdraw(db: Session, window_id: int, *, actor: Actor, now: datetime) -> None:
    """Take it off the page; nothing more is told of it."""
    access.check(actor, "maintenance")
    row = _window(db, window_id)
    kept = db.get(PublishedWindow, window_id, with_for_update=True)
    if kept is not None and kept.withdrawn_at is None:
        kept.withdrawn_at = kept.settled_at = now
        audit.record(db, actor, now, "maintenance taken off the status page", row.name)
        freshness.changed(db)


def rescheduled(db: Session, row: MaintenanceWindow, now: datetime) -> None:
    """Its times are others now: subscribers are told, if they know of it."""
    kept = db.get(PublishedWindow, row.id, with_for_update=True)
    if kept is None or kept.withdrawn_at is not None:
        return
    kept.settled_at = None
    freshness.changed(db)
    _tell(db, kept, row, RESCHEDULED, now)


def goes_on(db: Session, row: MaintenanceWindow, rest_id: int, now: datetime) -> None:
    """What is left of a recurring window whose occurrence was ended goes on as another: before the public too."""
    kept = db.get(PublishedWindow, row.id, with_for_update=True)
    if kept is not None and kept.withdrawn_at is None:
        db.add(PublishedWindow(window_id=rest_id, title=kept.title, words=kept.words, published_at=now))
        freshness.changed(db)


def due(db: Session, now: datetime) -> list[int]:
    """Ids of published windows of which something is to be told at `now`; for the worker, at every turn."""
    statement = (
        select(PublishedWindow, MaintenanceWindow)
        .join(MaintenanceWindow, MaintenanceWindow.id == PublishedWindow.window_id)
        .where(PublishedWindow.settled_at.is_(None))
        .order_by(PublishedWindow.window_id)
    )
    return [kept.window_id for kept, row in db.execute(statement) if _news(kept, row, now) or _over(row, now)]


def tell_due(db: Session, window_id: int, now: datetime) -> bool:
    """Tell what is to be told of it, once; False when somebody else did, or is doing so."""
    statement = select(PublishedWindow).where(PublishedWindow.window_id == window_id)
    kept = db.scalars(statement.with_for_update(skip_locked=True)).one_or_none()
    row = db.get(MaintenanceWindow, window_id)
    if kept is None or row is None or kept.settled_at is not None:
        return False
    news = _news(kept, row, now)
    if news:
        kept.begun_at = now if news == IN_PROGRESS else None
        _tell(db, kept, row, news, now)
        freshness.changed(db)
    if _over(row, now):
        kept.settled_at = now
    return bool(news)


def _news(kept: PublishedWindow, row: MaintenanceWindow, now: datetime) -> str:
    """What subscribers do not know yet; '' for nothing."""
    window = window_of(row)
    if row.cancelled_at is None and begun(window, now, kept.begun_at):
        return IN_PROGRESS
    if kept.begun_at is not None and not (row.cancelled_at is None and window.contains(now)):
        return COMPLETED
    return CANCELLED if row.cancelled_at is not None else ""


def _over(row: MaintenanceWindow, now: datetime) -> bool:
    return row.cancelled_at is not None or row.ends_at <= now


def _window(db: Session, window_id: int) -> MaintenanceWindow:
    row = db.get(MaintenanceWindow, window_id, with_for_update=True)
    if row is None:
        raise NotFound("There is no such maintenance.")
    return row


def _tell(db: Session, kept: PublishedWindow, row: MaintenanceWindow, news: str, now: datetime) -> None:
    """One mail to everyone concerned."""
    names = covered(db, [row.id]).get(row.id, {})
    zone = organisation(db).zone
    coming = next_occurrences(window_of(row), now, _SHOWN) if row.cancelled_at is None else []
    when = "\n".join(span_words(start, end, ZoneInfo(zone)) for start, end in coming)
    told = {SCHEDULED: when, RESCHEDULED: when, IN_PROGRESS: when.partition("\n")[0]}.get(news, "")
    parts = [
        kept.words if news in (SCHEDULED, RESCHEDULED, IN_PROGRESS) else "",
        f"{told}\nTimes are {zone}." if told else "",
        f"It concerns {', '.join(names.values())}." if names else "",
    ]
    words = "\n\n".join(part for part in parts if part)
    publication.tell(db, f"{kept.title}: {news}", words, list(names), {}, now=now)
