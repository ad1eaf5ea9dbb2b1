"""'Fixed?': asked, reminded, answered, written down for others, and closed without an answer only after a reminder."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from db.commands import answers, checks, settings
from db.engine import reading, writing
from db.models import Notice
from db.queries import incidents as queries
from rules.access import SYSTEM, Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import DAY, HOUR, MONDAY, Office
from worker.timers import tick

RECOVERED = MONDAY + 4 * HOUR
"""when Office.bring_to('recovered') gets there"""
CALLER = checks.Caller(None, "Frau Öz", "+49 30 4444", "phone")
SILENT = {"verification": "no_answer"}


@pytest.fixture
def office(engine):
    return Office(engine)


def told(office, person, unread=True):
    """Kinds of the notices a person has, oldest first."""
    with reading(office.engine) as db:
        found = select(Notice.kind).where(Notice.person_id == office.people[person].id).order_by(Notice.id)
        return list(db.scalars(found.where(Notice.read_at.is_(None)) if unread else found))


def asked(office, number):
    return [(entry.text, entry.public) for entry in office.timeline(number) if entry.kind == "asked"]


def answer(office, number, fixed, words="", by="Rita", at=RECOVERED + HOUR, **more):
    with writing(office.engine) as db:
        return answers.answer(db, number, None, fixed, words, actor=office.people[by], now=at, **more)


def remind(office, number, words="", by="Dora", at=RECOVERED + HOUR):
    with writing(office.engine) as db:
        return answers.remind(db, number, None, words, actor=office.people[by], now=at)


def for_caller(office):
    """An incident of somebody without an account, brought to recovered."""
    return office.bring_to("recovered", by="Dora", caller=CALLER)


def test_the_reporter_is_asked_reminded_and_may_stay_silent(office):
    number = office.bring_to("recovered")
    assert told(office, "Rita") == ["verify"]
    version = office.incident(number).version
    assert tick(RECOVERED + 2 * DAY - HOUR, office.engine) == 0
    with pytest.raises(RuleError, match=r"The reminder is due Wed 4 Mar 2026, 13:00 UTC"):
        office.perform(number, "close", "Dora", RECOVERED + DAY, **SILENT)
    assert tick(RECOVERED + 2 * DAY, office.engine) == 1
    assert told(office, "Rita") == ["verify", "verify_reminder"]
    after = office.incident(number)
    assert (after.reminded_at, after.version) == (RECOVERED + 2 * DAY, version)
    with pytest.raises(RuleError, match=r"from Mon 9 Mar 2026, 13:00 UTC on"):
        office.perform(number, "close", "Dora", RECOVERED + 7 * DAY - timedelta(seconds=1), **SILENT)
    assert tick(RECOVERED + 7 * DAY, office.engine) == 1
    assert tick(RECOVERED + 30 * DAY, office.engine) == 0
    assert asked(office, number) == [
        ("reminded the reporter to say whether it works", True),
        ("no answer for 5 days after the reminder: it may be closed", False),
    ]
    assert office.perform(number, "close", "Dora", RECOVERED + 7 * DAY, **SILENT).verification == "no_answer"
    assert told(office, "Rita") == []


def test_an_answer_ends_the_asking(office):
    for fixed, words in ((True, ""), (False, "Still slow.")):
        number = office.bring_to("recovered")
        answer(office, number, fixed, words)
        assert told(office, "Rita") == []
        assert tick(RECOVERED + 9 * DAY, office.engine) == sum(
            timer.due_at <= RECOVERED + 9 * DAY
            for kind, timer in office.timers(number).items()
            if not kind.startswith("verify")
        )
        assert asked(office, number) == []


def test_each_round_asks_and_reminds_anew(office):
    number = office.bring_to("recovered")
    tick(RECOVERED + 2 * DAY, office.engine)
    later = RECOVERED + 3 * DAY
    answer(office, number, False, "Still slow.", at=later)
    assert office.incident(number).reminded_at is None
    office.perform(number, "resolve", "Priya", later + HOUR, resolution_code="fixed", resolution_note="Now.")
    office.perform(number, "recover", "Priya", later + HOUR)
    assert told(office, "Rita") == ["verify"]
    with pytest.raises(RuleError, match="after a reminder"):
        office.perform(number, "close", "Dora", later + 2 * DAY, **SILENT)
    tick(later + HOUR + 2 * DAY, office.engine)
    tick(later + HOUR + 7 * DAY, office.engine)
    assert len(asked(office, number)) == 3
    assert office.perform(number, "close", "Dora", later + HOUR + 7 * DAY, **SILENT).state == "closed"


def test_the_worker_being_late_gives_the_reporter_their_full_days(office):
    number = office.bring_to("recovered")
    tick(RECOVERED + 6 * DAY, office.engine)
    with pytest.raises(RuleError, match="Fri 13 Mar"):
        office.perform(number, "close", "Dora", RECOVERED + 8 * DAY, **SILENT)


def test_more_patience_in_the_settings_holds_for_what_already_waits(office):
    number = office.bring_to("recovered")
    tick(RECOVERED + 2 * DAY, office.engine)
    with writing(office.engine) as db:
        settings.change(db, {"verification.close_days": 6}, seen=None, actor=SYSTEM, now=MONDAY)
    assert tick(RECOVERED + 7 * DAY, office.engine) == 0, "it waits for its new moment"
    assert len(asked(office, number)) == 1
    with pytest.raises(RuleError, match="6 days after the reminder"):
        office.perform(number, "close", "Dora", RECOVERED + 7 * DAY, **SILENT)
    tick(RECOVERED + 8 * DAY, office.engine)
    assert asked(office, number)[-1][0] == "no answer for 6 days after the reminder: it may be closed"


def test_the_desk_may_remind_earlier(office):
    number = office.bring_to("recovered")
    with pytest.raises(Forbidden):
        remind(office, number, by="Priya")
    remind(office, number, at=RECOVERED + HOUR)
    assert told(office, "Rita") == ["verify", "verify_reminder"]
    assert office.perform(number, "close", "Dora", RECOVERED + HOUR + 5 * DAY, **SILENT).state == "closed"
    with pytest.raises(RuleError, match="Nobody is asked now"):
        remind(office, number)


def test_not_yet_needs_words_and_tells_who_works_on_it(office):
    number = office.bring_to("recovered")
    with pytest.raises(RuleError, match="Say what is still wrong") as refused:
        answer(office, number, False, " \n ")
    assert list(refused.value.fields) == ["words"]
    answer(office, number, False, "Every second mail is lost.")
    assert told(office, "Priya") == ["not_fixed"]
    with reading(office.engine) as db:
        detail = queries.by_number(db, office.people["Dora"], office.incident(number).number)
    assert (detail.line.state, detail.denied_words) == ("in_progress", "Every second mail is lost.")


def test_yes_beside_words_is_asked_once_more_and_both_are_kept(office):
    number = office.bring_to("recovered")
    with pytest.raises(answers.Unsure, match="Is it really fixed"):
        answer(office, number, True, "It is still broken!")
    assert office.incident(number).verification is None
    answer(office, number, True, "Thank you, quick work.", sure=True)
    assert office.incident(number).verification == "confirmed"
    assert "Thank you, quick work." in [entry.detail for entry in office.timeline(number)]


def test_nobody_else_answers_for_who_has_an_account(office):
    number = office.bring_to("recovered")
    with pytest.raises(Forbidden, match="Only the person who reported it"):
        office.perform(number, "verify", "Dora", answered_by="Rita")
    with pytest.raises(NotFound):
        answer(office, number, True, by="Otto")


def test_the_desk_writes_down_what_a_caller_says(office):
    number = for_caller(office)
    with pytest.raises(RuleError, match="Say who told you"):
        office.perform(number, "verify", "Dora", RECOVERED + HOUR)
    given = {"answered_by": "Frau Öz", "verification_note": "Rang back at two."}
    done = office.perform(number, "verify", "Dora", RECOVERED + HOUR, **given)
    assert (done.verification, done.verified_at) == ("confirmed", RECOVERED + HOUR)
    assert done.verification_note == "Frau Öz says it is fixed.\nRang back at two."
    entry = office.timeline(number)[-1]
    assert (entry.actor_name, entry.text, entry.detail) == (
        "Dora", "wrote down: Frau Öz says it is fixed", "Rang back at two."
    )  # fmt: skip
    assert office.perform(number, "close", "Dora", RECOVERED + 2 * HOUR).state == "closed"
    with pytest.raises(Forbidden):
        office.perform(for_caller(office), "verify", "Priya", answered_by="Frau Öz")


def test_a_caller_is_reminded_by_a_person_before_silence_counts(office):
    number = for_caller(office)
    tick(RECOVERED + 2 * DAY, office.engine)
    assert asked(office, number) == [
        ("cannot remind Frau Öz, +49 30 4444: there is no account. Ask them whether it works", False)
    ]
    assert office.incident(number).reminded_at is None
    with pytest.raises(RuleError, match="Nobody could be reminded yet"):
        office.perform(number, "close", "Dora", RECOVERED + 9 * DAY, **SILENT)
    with pytest.raises(RuleError, match="Say how you tried") as refused:
        remind(office, number, at=RECOVERED + 9 * DAY)
    assert list(refused.value.fields) == ["words"]
    remind(office, number, "Called twice, nobody there.", at=RECOVERED + 9 * DAY)
    assert office.timers(number)["verify_over"].due_at == RECOVERED + 14 * DAY
    assert office.perform(number, "close", "Dora", RECOVERED + 14 * DAY, **SILENT).state == "closed"
