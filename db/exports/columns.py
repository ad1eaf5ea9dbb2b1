"""What of an incident is exported: one row each, with the names of what it points to."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from db.models import Category, CategoryPair, Incident, Person, Service, Subcategory, Team

AT_A_TIME = 500
_assignee, _reporter, _duplicate, _parent = aliased(Person), aliased(Person), aliased(Incident), aliased(Incident)

COLUMNS: tuple[tuple[str, Any, str], ...] = (
    ("number", Incident.number, "its number"),
    ("title", Incident.title, "what is wrong"),
    ("description", Incident.description, ""),
    ("state", Incident.state, "new, assigned, in_progress, on_hold, resolved, recovered, closed, cancelled"),
    ("priority", Incident.priority, "1 critical to 5 planning"),
    ("impact", Incident.impact, "1 high to 3 low"),
    ("urgency", Incident.urgency, "1 high to 3 low"),
    ("category", Category.name, ""),
    ("subcategory", Subcategory.name, ""),
    ("service", Service.name, ""),
    ("affected", Incident.affected, "what is affected, in the reporter's words"),
    ("people_affected", Incident.people_affected, ""),
    ("team", Team.name, "the team that has it, or had it last"),
    ("assignee", _assignee.name, ""),
    ("reporter", func.coalesce(_reporter.name, func.nullif(Incident.caller_name, "")), ""),
    ("source", Incident.source, "how it came: form, phone, mail, desk, api, alert, import ..."),
    ("started_at", Incident.started_at, ""),
    ("detected_at", Incident.detected_at, ""),
    ("reported_at", Incident.reported_at, ""),
    ("acknowledged_at", Incident.acknowledged_at, ""),
    ("resolved_at", Incident.resolved_at, ""),
    ("recovered_at", Incident.recovered_at, ""),
    ("verified_at", Incident.verified_at, ""),
    ("closed_at", Incident.closed_at, ""),
    ("cancelled_at", Incident.cancelled_at, ""),
    ("changed_at", Incident.changed_at, ""),
    ("response_due_at", Incident.response_due_at, ""),
    ("resolution_due_at", Incident.resolution_due_at, ""),
    ("first_resolution_due_at", Incident.first_resolution_due_at, "as first promised"),
    ("hold_reason", Incident.hold_reason, "reporter, vendor, change, problem, other"),
    ("hold_until", Incident.hold_until, ""),
    ("resolution_code", Incident.resolution_code, ""),
    ("resolution", Incident.resolution_note, "what was done"),
    ("verification", Incident.verification, "confirmed, no_answer, not_needed"),
    ("verification_note", Incident.verification_note, ""),
    ("major", Incident.major, "yes or no, as the next four"),
    ("security", Incident.security, ""),
    ("compliance", Incident.compliance, ""),
    ("financial", Incident.financial, ""),
    ("restricted", Incident.restricted, "open only to those named on it and its team"),
    ("reopen_count", Incident.reopen_count, ""),
    ("handovers", Incident.handovers, "changes of team"),
    ("ping_pong", Incident.ping_pong, "yes: it came back to a team that had it before"),
    ("escalations", Incident.escalations, ""),
    ("vendor_contact", Incident.vendor_contact, ""),
    ("vendor_reference", Incident.vendor_reference, ""),
    ("duplicate_of", _duplicate.number, "the incident that it was merged into"),
    ("parent", _parent.number, "the incident that it is part of"),
    ("imported", Incident.imported, "yes: it came with an import"),
)
"""heading, what stands there, and what that means where the heading does not say"""


def _statement() -> Select[Any]:
    return (
        select(*(column for _, column, _ in COLUMNS))
        .select_from(Incident)
        .outerjoin(CategoryPair, CategoryPair.id == Incident.category_pair_id)
        .outerjoin(Category, Category.id == CategoryPair.category_id)
        .outerjoin(Subcategory, Subcategory.id == CategoryPair.subcategory_id)
        .outerjoin(Service, Service.id == Incident.service_id)
        .outerjoin(Team, Team.id == Incident.team_id)
        .outerjoin(_assignee, _assignee.id == Incident.assignee_id)
        .outerjoin(_reporter, _reporter.id == Incident.reporter_id)
        .outerjoin(_duplicate, _duplicate.id == Incident.duplicate_of_id)
        .outerjoin(_parent, _parent.id == Incident.parent_id)
        .order_by(Incident.id)
    )


def rows(db: Session) -> Iterator[Sequence[Any]]:
    """Every incident, restricted ones included, in the order in which they were made; a few at a time in memory."""
    options = {"stream_results": True, "max_row_buffer": AT_A_TIME}
    found = db.connection().execute(_statement(), execution_options=options)
    while part := found.fetchmany(AT_A_TIME):  # partitions() would keep what it gave
        yield from part


def count(db: Session) -> int:
    """How many there are."""
    return db.scalar(select(func.count()).select_from(Incident)) or 0
