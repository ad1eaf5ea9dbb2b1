"""The status page as administrators design it: its name, words and logo, and its components."""

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from db import freshness
from db.commands import audit
from db.models import Component, ComponentService, Service, StatusPage
from rules import access, attachments, status_page, text
from rules.access import Actor, NotFound
from rules.errors import RuleError

NAME_LIMIT, DESCRIPTION_LIMIT, WORDS_LIMIT = 120, 200, 2000
LOGO_BYTES = 200_000
LOGO_TYPES = ("image/png", "image/jpeg", "image/webp")
MOST_COMPONENTS = 60
"""on the page: it stays a page that loads at once"""
_MEANWHILE = "Somebody changed it meanwhile. Look at it as it is now, and change it again."


def change(
    db: Session,
    version: int | None,
    *,
    name: str,
    words: str,
    closing_words: str,
    published: bool,
    actor: Actor,
    now: datetime,
) -> None:
    """Change the page still at `version` (0: never changed; None: as it is). RuleError with `fields`."""
    row = _page(db, version, actor)
    wrong: dict[str, str] = {}
    given: dict[str, Any] = {"published": published, "name": _checked(wrong, text.line, name, "name", NAME_LIMIT)}
    for field, typed in (("words", words), ("closing_words", closing_words)):
        given[field] = _checked(wrong, text.block, typed, field, WORDS_LIMIT)
    if published and not wrong and db.scalar(_in_use()) == 0:
        wrong["published"] = "Add a component first: without one the page says nothing."
    _refuse(wrong)
    before = {field: getattr(row, field) for field in given}
    if given == before:
        return
    for field, value in given.items():
        setattr(row, field, value)
    row.version += 1
    action = "status page changed"
    if published != before["published"]:
        action = "status page published" if published else "status page taken down"
    audit.record(db, actor, now, action, row.name or "Status page", before=before, after=given)
    freshness.changed(db)


def set_logo(
    db: Session, version: int | None, name: str, content: bytes | None, *, actor: Actor, now: datetime
) -> None:
    """Put a picture (PNG, JPEG or WebP by its content) above the page, or none. RuleError(field 'logo')."""
    row = _page(db, version, actor)
    before = {"logo": row.logo_hash[:12]}
    if content is None:
        row.logo, row.logo_type, row.logo_hash = None, "", ""
    else:
        if len(content) > LOGO_BYTES:
            raise RuleError(f"Choose a smaller picture: at most {LOGO_BYTES // 1000} kB.", field="logo")
        try:
            kind = attachments.media_type(name, content)
        except RuleError as error:
            raise RuleError(error.sentence, field="logo") from None
        if kind not in LOGO_TYPES:
            raise RuleError("Choose a PNG, JPEG or WebP picture.", field="logo")
        row.logo, row.logo_type, row.logo_hash = content, kind, hashlib.sha256(content).hexdigest()
    row.version += 1
    after = {"logo": row.logo_hash[:12]}
    audit.record(db, actor, now, "status page logo changed", row.name or "Status page", before=before, after=after)
    freshness.changed(db)


def save_component(
    db: Session,
    component_id: int | None,
    version: int | None,
    *,
    name: str,
    group: str = "",
    description: str = "",
    service_ids: Collection[int] = (),
    actor: Actor,
    now: datetime,
) -> int:
    """Add a component (None), or change one still at `version`; its id. RuleError with `fields`."""
    access.check(actor, "status_page")
    wrong: dict[str, str] = {}
    given: dict[str, Any] = {
        "name": _checked(wrong, text.line, name, "name", NAME_LIMIT, required="Give the component a name."),
        "group_name": _checked(wrong, text.line, group, "group", NAME_LIMIT),
        "description": _checked(wrong, text.line, description, "description", DESCRIPTION_LIMIT),
    }
    services = sorted(set(service_ids))
    row = _component(db, component_id, version) if component_id is not None else None
    linked = _services(db, row.id) if row is not None else []
    usable = set(db.scalars(select(Service.id).where(Service.id.in_(services), Service.archived_at.is_(None))))
    if set(services) - usable - set(linked):
        wrong["service_ids"] = "Choose services from the list."
    if not wrong and _taken(db, given, component_id):
        wrong["name"] = "There is one of this name already. Choose another name, or another group."
    if row is None and not wrong:
        _room(db)
    _refuse(wrong)
    if row is None:
        last = db.scalar(select(func.max(Component.position)))
        row = Component(**given, position=0 if last is None else last + 1, created_at=now, version=1)
        db.add(row)
        db.flush()
        _link(db, row.id, services)
        audit.record(db, actor, now, "component added", row.name, after=given | {"services": services})
        freshness.changed(db)
        return row.id
    before = {field: getattr(row, field) for field in given} | {"services": linked}
    after = given | {"services": services}
    if after != before:
        for field, value in given.items():
            setattr(row, field, value)
        row.version += 1
        _link(db, row.id, services)
        audit.record(db, actor, now, "component changed", row.name, before=before, after=after)
        freshness.changed(db)
    return row.id


def move_component(db: Session, component_id: int, by: int, *, actor: Actor, now: datetime) -> None:
    """Let it go up (-1) or down (1) on the page; the first of a group takes its group along."""
    access.check(actor, "status_page")
    statement = select(Component).where(Component.archived_at.is_(None)).with_for_update()
    rows = {row.id: row for row in db.scalars(statement.order_by(Component.position, Component.id))}
    if component_id not in rows:
        raise NotFound("There is no such component on the page.")
    before = [(row.id, row.group_name) for row in rows.values()]
    after = status_page.moved(before, component_id, by)
    for position, each in enumerate(after):
        rows[each].position = position
    if after != [each for each, _ in before]:
        names = {"order": [rows[each].name for each in after]}
        audit.record(db, actor, now, "components put in order", rows[component_id].name, after=names)
        freshness.changed(db)


def archive_component(db: Session, component_id: int, *, actor: Actor, now: datetime) -> None:
    """Take it off the page. What was published of it stays in the history of incidents."""
    row = _open(db, component_id, actor)
    if row.archived_at is None:
        if db.scalar(_in_use()) == 1 and db.scalar(select(StatusPage.published)):
            raise RuleError("It is the last one on the page. Add another first, or take the page down.")
        row.archived_at = now
        row.version += 1
        audit.record(db, actor, now, "component archived", row.name)
        freshness.changed(db)


def restore_component(db: Session, component_id: int, *, actor: Actor, now: datetime) -> None:
    """Bring it back, at the end of the page."""
    row = _open(db, component_id, actor)
    if row.archived_at is None:
        return
    _room(db)
    if _taken(db, {"name": row.name, "group_name": row.group_name}, row.id):
        raise RuleError(f"There is another {row.name} on the page now. Change its name first.")
    row.archived_at = None
    row.version += 1
    row.position = (db.scalar(select(func.max(Component.position))) or 0) + 1
    audit.record(db, actor, now, "component brought back", row.name)
    freshness.changed(db)


def _page(db: Session, version: int | None, actor: Actor) -> StatusPage:
    access.check(actor, "status_page")
    row = db.scalars(select(StatusPage).with_for_update()).one_or_none()
    if version is not None and (row.version if row else 0) != version:
        raise RuleError(_MEANWHILE)
    if row is None:
        row = StatusPage(
            id=1, published=False, name="", words="", closing_words="", logo_type="", logo_hash="", version=0
        )
        db.add(row)
    return row


def _open(db: Session, component_id: int, actor: Actor) -> Component:
    access.check(actor, "status_page")
    return _component(db, component_id, None)


def _component(db: Session, component_id: int, version: int | None) -> Component:
    row = db.get(Component, component_id, with_for_update=True)
    if row is None:
        raise NotFound("There is no such component.")
    if version is not None and row.version != version:
        raise RuleError(_MEANWHILE)
    return row


def _in_use() -> Any:
    return select(func.count(Component.id)).where(Component.archived_at.is_(None))


def _room(db: Session) -> None:
    if (db.scalar(_in_use()) or 0) >= MOST_COMPONENTS:
        raise RuleError(f"{MOST_COMPONENTS} components are as many as visitors can read. Archive one first.")


def _taken(db: Session, given: dict[str, Any], but: int | None) -> bool:
    same = (
        func.lower(Component.name) == given["name"].lower(),
        func.lower(Component.group_name) == given["group_name"].lower(),
        Component.archived_at.is_(None),
    )
    return any(one != but for one in db.scalars(select(Component.id).where(*same)))


def _services(db: Session, component_id: int) -> list[int]:
    linked = select(ComponentService.service_id).where(ComponentService.component_id == component_id)
    return list(db.scalars(linked.order_by(ComponentService.service_id)))


def _link(db: Session, component_id: int, service_ids: Collection[int]) -> None:
    db.execute(delete(ComponentService).where(ComponentService.component_id == component_id))
    db.add_all(ComponentService(component_id=component_id, service_id=each) for each in service_ids)
    db.flush()


def _checked(wrong: dict[str, str], read: Any, typed: str, field: str, limit: int, **more: Any) -> str:
    try:
        return str(read(typed, field, limit, **more))
    except RuleError as error:
        wrong[field] = error.sentence
        return ""


def _refuse(wrong: dict[str, str]) -> None:
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
