"""The incident's page: facts, the actions allowed to me, what was written, for those who work on it."""

from datetime import timedelta

import pytest

from db.commands import contact
from db.commands import incidents as commands
from db.commands.checks import Caller
from db.engine import writing
from db.models import CategoryPair, Incident
from tests.pages.conftest import seen

PAGE = "responders/incident.py"


def said(at):
    """The words of the page as a person reads them: without the marks that keep markdown from formatting them."""
    return seen(at).replace("\\", "")


sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def labels(at):
    return [found.label for found in at.button]


def button(at, label):
    return next(found for found in at.button if found.label == label)


def area(at, key):
    return next(found for found in at.text_area if str(found.key).endswith(key))


@sqlite
def test_each_role_is_offered_what_it_may_do(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    desk.fix(number)
    assert "Close" in labels(opened(PAGE, "Dora", number=number))
    assert "Close" not in labels(opened(PAGE, "Priya", number=number))
    assert "Reopen" in labels(opened(PAGE, "Priya", number=number))
    assert [label for label in labels(opened(PAGE, "Max", number=number)) if label not in ("Follow",)] == []


@sqlite
def test_those_in_the_room_read_that_what_they_say_goes_to_a_channel_too(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    desk.accept(number)
    assert "goes to" not in said(opened(PAGE, "Priya", number=number))
    with writing(desk.engine) as db:
        team = db.get_one(Incident, desk.id_of(number)).team_id
        contact.add_team_channel(db, team, "teams", "https://t.example", True, actor=desk.actors["Ada"], now=desk.now)
    at = opened(PAGE, "Priya", number=number)
    assert "What is said here goes to Network by Microsoft Teams too." in said(at)


@sqlite
def test_starting_work_takes_one_press(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    desk.accept(number)
    at = button(opened(PAGE, "Priya", number=number), "Start work").click().run()
    kept = desk.incident(number)
    assert (kept.state, kept.assignee_id) == ("in_progress", desk.actors["Priya"].id)
    assert not at.error


@sqlite
def test_the_day_of_a_hold_can_be_moved_and_the_form_shows_what_it_is_now(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    desk.accept(number)
    until = desk.now + timedelta(days=9)
    desk.do(number, "hold", "Priya", hold_reason="change", hold_until=until)
    at = opened(PAGE, "Priya", number=number)
    at.session_state["incident.ask"] = "hold"  # as 'More' does
    at = at.run()
    assert at.radio(key=f"act.hold.{number}.hold_reason").value == "change"
    day = at.date_input(key=f"act.hold.{number}.hold_until")
    assert day.value == until.date()
    day.set_value(until.date() + timedelta(days=3))
    button(at, "Change the hold").click().run()
    kept = desk.incident(number)
    assert (kept.state, kept.hold_reason, (kept.hold_until.date() - until.date()).days) == ("on_hold", "change", 3)


@sqlite
def test_resolving_asks_how_and_what_was_done(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    desk.accept(number)
    desk.do(number, "acknowledge", "Priya")
    at = button(opened(PAGE, "Priya", number=number), "Resolve").click().run()
    assert "How was it resolved?" in [box.label for box in at.selectbox]
    assert "What was done?" in [box.label for box in at.text_area]
    assert desk.incident(number).state == "in_progress"


@sqlite
def test_a_note_stays_among_us_and_a_comment_reaches_the_reporter(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    at = opened(PAGE, "Priya", number=number)
    area(at, ".words").input("Looks like the driver")
    at = button(at, "Write").click().run()
    at.segmented_control(key=f"incident.write.{number}.kind").set_value("comment")
    area(at, ".words").input("We are on it")
    button(at, "Write").click().run()
    assert desk.words(number) == ["Looks like the driver", "We are on it"]
    public = opened("staff/my_reports.py", "Rita", number=number)
    assert not public.exception


@sqlite
def test_nothing_written_is_refused_in_words_and_too_much_is_kept(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    at = opened(PAGE, "Priya", number=number)
    assert "Write something first." in said(button(at, "Write").click().run())
    area(at, ".words").input("x" * 30_000)
    at = button(at, "Write").click().run()
    assert "Shorten the comment to 20,000 characters" in said(at)
    assert area(at, ".words").value == "x" * 30_000


@sqlite
@pytest.mark.parametrize("number", ["INC-999999", "<b>", "x" * 3000, "'; drop table incident --", "\x00"])
def test_an_unknown_number_is_answered_in_words(desk, opened, number):
    at = opened(PAGE, "Priya", number=number)
    assert not at.exception
    assert at.text_input[0].label == "Number"


@sqlite
def test_without_a_number_it_asks_for_one(desk, opened):
    at = opened(PAGE, "Priya")
    assert at.title[0].value == "Incident"
    assert not at.exception


@sqlite
def test_following_and_leaving(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    at = button(opened(PAGE, "Priya", number=number), "Follow").click().run()
    assert "Stop following" in labels(at)
    assert "Follow" in labels(button(at, "Stop following").click().run())


@sqlite
def test_a_lead_names_who_may_see_a_restricted_incident(desk, opened):
    number = desk.report("Rita", "Salaries can be read")
    assert "Who may see it" not in seen(opened(PAGE, "Lena", number=number))
    with writing(desk.engine) as db:
        fields = {"restricted": True}
        commands.prioritise(db, desk.id_of(number), 1, fields, actor=desk.actors["Lena"], now=desk.now)
    at = opened(PAGE, "Lena", number=number)
    assert "Who may see it" in seen(at)
    next(found for found in at.selectbox if found.label == "Name somebody").set_value(desk.actors["Dora"].id)
    next(found for found in at.button if found.label == "Add").click().run()
    assert "Room 204" in seen(opened(PAGE, "Dora", number=number))


@sqlite
def test_what_to_do_about_its_category_is_shown(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    desk.accept(number)
    assert "Turn it off" not in seen(opened(PAGE, "Priya", number=number))
    with writing(desk.engine) as db:
        db.get_one(CategoryPair, desk.pair_id).runbook = "Turn it off and on again. *Really.*"
    assert "Turn it off and on again. *Really.*" in seen(opened(PAGE, "Priya", number=number))


@sqlite
def test_it_says_how_long_the_reporter_is_waited_for_and_reminds(desk, opened):
    number = desk.report("Rita", "Nobody can print", minutes_ago=300)
    desk.fix(number)
    at = opened(PAGE, "Dora", number=number)
    assert "Rita is asked whether it works.** The reminder is due" in said(at)
    at = button(at, "Remind now").click().run()
    assert "Reminded just now. Without an answer it may be closed from" in said(at)
    assert "Remind now" not in labels(opened(PAGE, "Priya", number=number))


@sqlite
def test_a_caller_is_asked_by_telephone_and_the_answer_written_down(desk, opened):
    caller = Caller(name="Frau Öz", contact="+49 30 4444")
    number = desk.report("Dora", "Phone is dead", minutes_ago=300, caller=caller)
    desk.fix(number)
    at = opened(PAGE, "Dora", number=number)
    assert "Ask Frau Öz whether it works: +49 30 4444" in said(at)
    at = button(at, "Note that you asked").click().run()
    assert "Say how you tried to reach them." in said(at)
    at.text_input(key=f"remind.{number}.words").input("Called twice")
    at = button(at, "Note that you asked").click().run()
    assert desk.incident(number).reminded_at is not None
    at = button(at, "Confirm it is fixed").click().run()
    assert at.text_input(key=f"act.verify.{number}.answered_by").value == "Frau Öz"
    next(found for found in reversed(at.button) if found.label == "Confirm it is fixed").click().run()
    after = desk.incident(number)
    assert (after.verification, after.verification_note) == ("confirmed", "Frau Öz says it is fixed.")


@sqlite
def test_not_fixed_stands_on_top_in_the_reporters_words(desk, opened):
    number = desk.report("Rita", "Nobody can print", minutes_ago=300)
    desk.fix(number)
    desk.do(number, "reject", "Rita", reason="Blank pages <b>only</b>")
    at = opened(PAGE, "Dora", number=number)
    shown = at.error[0].value.replace("\\", "")
    assert "Rita says it is not fixed" in shown
    assert "Blank pages <b>only</b>" in shown
    assert "Close" not in labels(at)
