"""Templates: an administrator adds, changes and archives them; a report that uses one begins as it says.

Nothing is deleted: what is archived leaves the forms and stays on the incidents that used it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.commands import audit
from db.models import CategoryPair, Incident, Service, Task, Team, Template
from rules import access, templates, text
from rules.access import Actor, NotFound
from rules.catalogue import IMPACTS
from rules.errors import RuleError

NAME_LIMIT, TEXT_LIMIT = 120, 1000
_MEANWHILE = "Somebody changed it meanwhile. Copy what you typed, open it again, and change it as it is now."


def save(
    db: Session,
    template_id: int | None,
    version: int | None = None,
    *,
    name: str,
    description: str = "",
    service_id: int | None = None,
    category_pair_id: int | None = None,
    impact: int | None = None,
    urgency: int | None = None,
    team_id: int | None = None,
    questions: Sequence[Mapping[str, Any]] = (),
    checklist: Sequence[str] = (),
    actor: Actor,
    now: datetime,
) -> int:
    """Add a template (None), or change one that is still at `version`; its id. RuleError with `fields`."""
    access.check(actor, "settings")
    given: dict[str, Any] = {
        "service_id": service_id,
        "category_pair_id": category_pair_id,
        "impact": impact,
        "urgency": urgency,
        "team_id": team_id,
    }
    wrong: dict[str, str] = {}
    for field_name, check in (
        ("name", lambda: text.line(name, "name", NAME_LIMIT, required="Give it a name, as people would say it.")),
        ("description", lambda: text.block(description, "description", TEXT_LIMIT)),
        ("questions", lambda: [question.as_dict() for question in templates.questions(questions)]),
        ("checklist", lambda: templates.checklist(checklist)),
    ):
        try:
            given[field_name] = check()
        except RuleError as error:
            wrong |= error.fields
    wrong |= _unknown(db, given)
    if "name" in given and _taken(db, given["name"], template_id):
        wrong["name"] = f"There is one called {given['name']} already. Choose another name, or bring it back."
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    if template_id is None:
        made = Template(**given, version=1)
        db.add(made)
        db.flush()
        audit.record(db, actor, now, "template added", made.name, after=given)
        return made.id
    return _change(db, _found(db, template_id), version, given, actor, now)


def archive(db: Session, template_id: int, *, actor: Actor, now: datetime) -> None:
    """Take it out of Report."""
    _switch(db, template_id, now, "template archived", actor, now)


def restore(db: Session, template_id: int, *, actor: Actor, now: datetime) -> None:
    """Offer it in Report again."""
    _switch(db, template_id, None, "template brought back", actor, now)


def _switch(
    db: Session, template_id: int, archived_at: datetime | None, action: str, actor: Actor, now: datetime
) -> None:
    access.check(actor, "settings")
    found = _found(db, template_id)
    if (found.archived_at is None) == (archived_at is None):
        return
    found.archived_at = archived_at
    found.version += 1
    audit.record(db, actor, now, action, found.name)


def _change(
    db: Session, found: Template, version: int | None, given: dict[str, Any], actor: Actor, now: datetime
) -> int:
    if version is not None and found.version != version:
        raise RuleError(_MEANWHILE)
    before = {name: getattr(found, name) for name in given}
    if given != before:
        for name, value in given.items():
            setattr(found, name, value)
        found.version += 1
        db.flush()
        audit.record(db, actor, now, "template changed", found.name, before=before, after=given)
    return found.id


def _found(db: Session, template_id: int) -> Template:
    found = db.get(Template, template_id, with_for_update=True)
    if found is None:
        raise NotFound("There is no such template any more.")
    return found


def _taken(db: Session, name: str, template_id: int | None) -> bool:
    same = select(Template.id).where(func.lower(Template.name) == name.lower())
    return any(other != template_id for other in db.scalars(same))


def _unknown(db: Session, given: Mapping[str, Any]) -> dict[str, str]:
    models: dict[str, Any] = {"service": Service, "category_pair": CategoryPair, "team": Team}
    wrong = {
        f"{name}_id": f"Choose a {name.removesuffix('_pair')} from the list."
        for name, model in models.items()
        if given[f"{name}_id"] is not None and _in_use(db, model, given[f"{name}_id"]) is None
    }
    for level in ("impact", "urgency"):
        if given[level] not in IMPACTS:
            wrong[level] = f"Choose {level} from the list."
    return wrong


def _in_use(db: Session, model: Any, row_id: int | None) -> int | None:
    """The id, unless the row is gone or archived."""
    row = db.get(model, row_id) if row_id is not None else None
    return row.id if row is not None and row.archived_at is None else None


@dataclass(frozen=True)
class Start:
    """How an incident begins. Without a template it knows nothing."""

    template_id: int | None = None
    answers: Sequence[dict[str, str]] = ()
    service_id: int | None = None
    category_pair_id: int | None = None
    team_id: int | None = None
    impact: int | None = None
    urgency: int | None = None
    checklist: Sequence[str] = ()
    wrong: Mapping[str, str] = field(default_factory=dict)
    """field -> sentence, for the answers"""

    def columns(self) -> dict[str, Any]:
        """What of it the new incident holds as it is."""
        kept = {"answers": self.answers} if self.answers else {}
        return {
            "template_id": self.template_id,
            "category_pair_id": self.category_pair_id,
            "team_id": self.team_id,
            **kept,
        }

    def tasks(self, db: Session, incident: Incident) -> None:
        """Give the new incident the steps of the checklist."""
        db.add_all(Task(incident_id=incident.id, position=at, text=step) for at, step in enumerate(self.checklist))


def start(db: Session, template_id: int | None, answers: Mapping[str, object] | None) -> Start:
    """What the template and the answers (by key of the question) make of a report.

    A service, category or team that was archived since is left out.
    """
    if template_id is None:
        return Start()
    found = db.get(Template, template_id)
    if found is None or found.archived_at is not None:
        return Start(wrong={"template_id": "This is no longer offered. Choose what you need again."})
    try:
        kept = templates.answers(templates.read(found.questions), answers or {})
    except RuleError as error:
        return Start(wrong=error.fields, service_id=_in_use(db, Service, found.service_id))
    return Start(
        found.id,
        kept,
        _in_use(db, Service, found.service_id),
        _in_use(db, CategoryPair, found.category_pair_id),
        _in_use(db, Team, found.team_id),
        found.impact,
        found.urgency,
        found.checklist,
    )
