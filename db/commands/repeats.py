"""What repeats and is no problem: said once, with a reason, so that it is not suggested again until more come."""

from datetime import datetime

from sqlalchemy.orm import Session

from db.commands import audit
from db.models import CategoryPair, DismissedRepeat, Service
from rules import access, text
from rules.access import Actor
from rules.errors import RuleError
from rules.problems import REASON_LIMIT


def dismiss(
    db: Session, service_id: int, category_pair_id: int, reason: str, *, actor: Actor, now: datetime
) -> DismissedRepeat:
    """Suggest incidents of this service and category no longer, until LEAST more have come. RuleError('reason')."""
    access.check(actor, "problem_edit")
    kept = text.block(reason, "reason", REASON_LIMIT, required="Say why it is no problem, for those who ask later.")
    service, pair = db.get(Service, service_id), db.get(CategoryPair, category_pair_id)
    if service is None or pair is None:
        raise RuleError("What repeats is no longer in the catalogue.")
    held = db.get(DismissedRepeat, (service_id, category_pair_id), with_for_update=True)
    if held is None:
        held = DismissedRepeat(service_id=service_id, category_pair_id=category_pair_id)
        db.add(held)
    held.reason, held.at, held.by_id = kept, now, actor.id
    after = {"category_pair_id": category_pair_id, "reason": kept}
    audit.record(db, actor, now, "repeat dismissed", service.name, after=after)
    db.flush()
    return held
