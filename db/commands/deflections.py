"""Whom the words of a known error helped: counted once for each report that was not sent, and taken back by a press."""

import hashlib
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.commands import checks
from db.models import Deflection, Problem
from rules import access
from rules.access import Actor, NotFound
from rules.problems import shown_to_reporters


def helped(db: Session, problem_id: int, form_token: str, *, actor: Actor, now: datetime) -> Deflection:
    """The words helped, and no report is sent. The same form again gives what it counted.

    NotFound when the problem is not shown to reporters (any more).
    """
    checks.open_to(actor)
    access.check(actor, "report")
    token = _token(form_token)
    made = db.scalars(select(Deflection).where(Deflection.token == token)).one_or_none()
    if made is not None:
        return made
    problem = db.get(Problem, problem_id)
    if problem is None or not shown_to_reporters(problem.state, problem.restricted, problem.public_words):
        raise NotFound("It is not a known error any more. Send a report, so that somebody looks at it.")
    person = None if actor.anonymous else actor.id
    made = Deflection(problem_id=problem.id, person_id=person, at=now, token=token)
    try:
        with db.begin_nested():
            db.add(made)
            db.flush()
    except IntegrityError:  # pressed twice at once
        return db.scalars(select(Deflection).where(Deflection.token == token)).one()
    return made


def not_helped(db: Session, form_token: str, *, actor: Actor) -> None:
    """Take back what this form counted; nothing when it counted nothing, or for somebody else."""
    checks.open_to(actor)
    access.check(actor, "report")
    person = None if actor.anonymous else actor.id
    held = db.scalars(select(Deflection).where(Deflection.token == _token(form_token))).one_or_none()
    if held is not None and held.person_id == person:
        db.delete(held)
        db.flush()


def _token(form_token: str) -> str:
    """Only a hash is kept: the token itself opens the report that the form may still become."""
    return hashlib.sha256(f"deflection:{form_token}".encode()).hexdigest()
