"""Suspected causes of an incident: named, borne out or refuted by what is found, ruled out, confirmed.

Evidence is only ever added, a row for each, so that two who write at once both count. Who decides on one says which
version they have seen: nobody decides over what another has just decided.
"""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.commands import incidents, timeline
from db.models import Hypothesis, HypothesisEvidence, Incident, Person
from db.queries.access import record_of
from rules import access
from rules import hypotheses as rules
from rules.access import Actor, NotFound
from rules.errors import RuleError
from rules.hypotheses import CONFIRMED, LABELS, RULED_OUT, SUSPECTED

KIND = "hypothesis"


def suspect(db: Session, incident_id: int, cause: str, evidence: str = "", *, actor: Actor, now: datetime) -> int:
    """Name a suspected cause, with what speaks for it if that is known; its id. One that is suspected already stays.

    RuleError with `fields`.
    """
    incident = _opened(db, incident_id, actor)
    wrong: dict[str, str] = {}
    words = ""
    try:
        cause = rules.cause(cause)
    except RuleError as error:
        wrong |= error.fields
    try:
        words = rules.evidence(evidence, required=False)
    except RuleError as error:
        wrong |= error.fields
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    present = list(db.scalars(select(Hypothesis).where(Hypothesis.incident_id == incident.id)))
    same = next((one for one in present if one.text.casefold() == cause.casefold()), None)
    if same is not None and same.state == SUSPECTED:
        if words:
            add_evidence(db, incident.id, same.id, words, "for", actor=actor, now=now)
        return same.id
    if same is not None:
        raise RuleError(f"It is there and {LABELS[same.state].lower()}. Suspect that one again.", field="cause")
    if len(present) >= rules.MOST:
        raise RuleError(f"An incident has at most {rules.MOST} suspected causes.", field="cause")
    made = Hypothesis(
        incident_id=incident.id,
        text=cause,
        state=SUSPECTED,
        author_id=actor.id,
        at=now,
        changed_at=now,
        changed_by_id=actor.id,
        version=1,
    )
    db.add(made)
    db.flush()
    if words:
        _keep(db, made, words, "for", None, actor, now)
    _tell(db, incident, f"suspects '{cause}'", words, actor, now)
    return made.id


def add_evidence(
    db: Session, incident_id: int, hypothesis_id: int, evidence: str, speaks: str, *, actor: Actor, now: datetime
) -> None:
    """Write down what was found, and whether it speaks for the hypothesis. The same words twice are one.

    RuleError with `fields`.
    """
    incident = _opened(db, incident_id, actor)
    found = _of(db, incident, hypothesis_id)
    words, speaks = rules.evidence(evidence), rules.speaks(speaks)
    kept = select(HypothesisEvidence.text).where(
        HypothesisEvidence.hypothesis_id == found.id, HypothesisEvidence.author_id == actor.id
    )
    if words in set(db.scalars(kept)):
        return
    _keep(db, found, words, speaks, None, actor, now)
    side = {"for": "evidence for", "against": "evidence against", "neither": "what was found about"}[speaks]
    _tell(db, incident, f"added {side} '{found.text}'", words, actor, now)


def rule_out(
    db: Session, incident_id: int, hypothesis_id: int, version: int, evidence: str, *, actor: Actor, now: datetime
) -> None:
    """It was not the cause; `evidence` says what shows it. RuleError if somebody decided since `version`."""
    _decide(db, incident_id, hypothesis_id, version, RULED_OUT, evidence, actor, now)


def confirm(
    db: Session, incident_id: int, hypothesis_id: int, version: int, evidence: str, *, actor: Actor, now: datetime
) -> None:
    """It is the cause, or one of them; `evidence` says what shows it. RuleError if somebody decided since `version`."""
    _decide(db, incident_id, hypothesis_id, version, CONFIRMED, evidence, actor, now)


def suspect_again(
    db: Session, incident_id: int, hypothesis_id: int, version: int, evidence: str, *, actor: Actor, now: datetime
) -> None:
    """What was decided is open again; `evidence` says why. RuleError if somebody decided since `version`."""
    _decide(db, incident_id, hypothesis_id, version, SUSPECTED, evidence, actor, now)


_TOLD = {RULED_OUT: "ruled out '{}'", CONFIRMED: "confirmed '{}'", SUSPECTED: "suspects '{}' again"}


def _decide(
    db: Session, incident_id: int, hypothesis_id: int, version: int, to: str, evidence: str, actor: Actor, now: datetime
) -> None:
    incident = _opened(db, incident_id, actor)
    found = _of(db, incident, hypothesis_id)
    if found.version != version:
        if found.state == to and found.changed_by_id == actor.id:
            return  # pressed twice
        who = db.get_one(Person, found.changed_by_id).name
        done = _TOLD[found.state].format(found.text)
        raise RuleError(f"Meanwhile {who} {done}. Read why, then decide.", field="version")
    words, speaks = rules.decided(found.state, to, evidence)
    _keep(db, found, words, speaks, to, actor, now)
    found.state, found.version = to, found.version + 1
    found.changed_at, found.changed_by_id = now, actor.id
    _tell(db, incident, _TOLD[to].format(found.text), words, actor, now)


def _opened(db: Session, incident_id: int, actor: Actor) -> Incident:
    """The incident, locked: those who write on its hypotheses take turns."""
    incident = incidents.for_change(db, incident_id, None, actor)
    access.check(actor, "note", record_of(db, incident))
    return incident


def _of(db: Session, incident: Incident, hypothesis_id: int) -> Hypothesis:
    found = db.get(Hypothesis, hypothesis_id, populate_existing=True)
    if found is None or found.incident_id != incident.id:
        raise NotFound("There is no such suspicion on this incident.")
    return found


def _keep(
    db: Session, found: Hypothesis, words: str, speaks: str, led_to: str | None, actor: Actor, now: datetime
) -> None:
    count = select(func.count()).select_from(HypothesisEvidence).where(HypothesisEvidence.hypothesis_id == found.id)
    if led_to is None and db.execute(count).scalar_one() >= rules.MOST_EVIDENCE:
        raise RuleError(f"It has {rules.MOST_EVIDENCE} pieces of evidence: enough to decide.", field="evidence")
    db.add(
        HypothesisEvidence(hypothesis_id=found.id, at=now, author_id=actor.id, text=words, speaks=speaks, led_to=led_to)
    )


def _tell(db: Session, incident: Incident, told: str, words: str, actor: Actor, now: datetime) -> None:
    timeline.add(db, incident, actor, now, KIND, told, detail=words, versioned=False)
