"""The response on the incident's page: declared, led, told, and read before the public does."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from db.commands import major, setup, updates
from db.engine import reading, writing
from db.models import Update
from tests.pages.conftest import seen

PAGE = "responders/incident.py"
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def worked_on(desk):
    number = desk.report("Rita", "Nobody can print")
    desk.accept(number)
    desk.do(number, "acknowledge", "Priya", 30)
    return number


def said(at):
    return seen(at).replace("\\", "").replace("\u2060", "")


def button(at, label, last=False):
    found = [one for one in at.button if one.label == label]
    return found[-1] if last else found[0]


def field(at, kind, label):
    return next(found for found in getattr(at, kind) if found.label == label)


def labels(at, kind="button"):
    return [one.label for one in getattr(at, kind)]


def dialog(at, name):
    """Run again with the dialog open: a test has no reruns of a dialog alone."""
    at.session_state["incident.ask"] = name
    return at.run()


def do(desk, command, number, *given, by="Lena", **more):
    with writing(desk.engine) as db:
        done = command(db, desk.id_of(number), *given, actor=desk.actors[by], now=desk.now, **more)
        return done.id if isinstance(done, Update) else None


def declared(desk, number):
    do(desk, major.declare, number, None, "No ward can print.")


def write(desk, number, words="We look for the cause.", by="Lena", **more):
    given = {"audience": "internal", "stage": "investigating", "next_at": desk.now + timedelta(hours=1)} | more
    return do(desk, updates.write, number, by=by, words=words, **given)


def written(desk):
    with reading(desk.engine) as db:
        return [
            (one.audience, one.stage, one.text, one.state) for one in db.scalars(select(Update).order_by(Update.id))
        ]


@sqlite
def test_an_incident_nobody_else_waits_for_stays_calm(desk, opened, worked_on):
    at = opened(PAGE, "Priya", number=worked_on)
    assert "Response" not in [found.value for found in at.header]
    assert "Write an update" not in labels(at)


@sqlite
def test_declaring_asks_why_and_who_leads(desk, opened, worked_on):
    at = dialog(opened(PAGE, "Priya", number=worked_on), "declare")
    button(at, "Declare it").click().run()
    assert at.session_state[f"declare.{worked_on}.failure"].fields == {"reason": "Say why it is a major incident."}
    at = dialog(opened(PAGE, "Priya", number=worked_on), "declare")
    field(at, "text_area", "Why").set_value("No ward can print.")
    at = button(at, "Declare it").click().run()
    assert desk.incident(worked_on).major
    at = opened(PAGE, "Priya", number=worked_on)
    assert "Nobody leads the response." not in said(at), "who declares it leads, unless they choose another"
    assert "**Commander** Priya" in said(at)
    at = dialog(at, "stand_down")
    field(at, "text_area", "Why").set_value("It was one ward.")
    button(at, "Stand down").click().run()
    assert not desk.incident(worked_on).major


@sqlite
def test_nobody_leading_is_red_and_one_click_takes_command(desk, opened, worked_on):
    declared(desk, worked_on)
    at = opened(PAGE, "Priya", number=worked_on)
    assert "Nobody leads the response." in said(at)
    button(at, "Take command").click().run()
    at = opened(PAGE, "Priya", number=worked_on)
    assert "**Commander** Priya" in said(at)
    assert "Take command" not in labels(at)
    assert "Take command" not in labels(opened(PAGE, "Max", number=worked_on)), "a manager reads only"


@sqlite
def test_a_major_incident_on_hold_that_nobody_answered_has_room_for_its_facts(desk, opened):
    number = desk.report("Rita", "Nobody can print")
    desk.accept(number)
    desk.do(number, "hold", "Priya", hold_reason="vendor", hold_until=desk.now + timedelta(days=1))
    do(desk, major.declare, number, None, "Down.", commander_id=desk.actors["Lena"].id)
    at = opened(PAGE, "Priya", number=number)
    assert not at.exception
    assert "A major incident since" in said(at)


@sqlite
def test_parts_are_chosen_handed_over_and_let_go(desk, opened, worked_on):
    declared(desk, worked_on)
    at = dialog(opened(PAGE, "Lena", number=worked_on), "parts")
    field(at, "selectbox", "Scribe: keeps the timeline").set_value(desk.actors["Priya"].id)
    at = dialog(at, "parts")
    field(at, "selectbox", "Commander: leads the response and decides").set_value(desk.actors["Dora"].id).run()
    at = dialog(at, "parts")
    field(at, "selectbox", "Expert").set_value(desk.actors["Lena"].id)
    field(at, "text_input", "For (optional)").set_value("printers")
    button(at, "Add the expert").click().run()
    at = opened(PAGE, "Lena", number=worked_on)
    for part in ("**Scribe** Priya", "**Commander** Dora", "**Expert** (printers) Lena"):
        assert part in said(at)
    at = dialog(at, "parts")
    button(at, "Let go").click().run()
    field(dialog(at, "parts"), "selectbox", "Scribe: keeps the timeline").set_value(0).run()
    at = opened(PAGE, "Lena", number=worked_on)
    assert "**Scribe**" not in said(at)
    assert "**Expert**" not in said(at)


@sqlite
def test_an_update_begins_with_the_facts_and_what_was_typed_stays(desk, opened, worked_on):
    declared(desk, worked_on)
    at = dialog(opened(PAGE, "Priya", number=worked_on), "update")
    words = field(at, "text_area", "What they should know")
    assert words.value.startswith(f"{worked_on}: Nobody can print.")
    assert "The next update comes at " in words.value
    assert "{" not in words.value
    before = words.value
    field(at, "selectbox", "How far the work is").set_value("identified")
    at = dialog(at, "update")
    words = field(at, "text_area", "What they should know")
    assert "the cause of 'Nobody can print' is found" in words.value
    assert words.value != before
    words.set_value("The print server is down.")
    field(at, "selectbox", "How far the work is").set_value("monitoring")
    at = dialog(at, "update")
    assert field(at, "text_area", "What they should know").value == "The print server is down."
    button(at, "Send").click().run()
    assert written(desk) == [("internal", "monitoring", "The print server is down.", "published")]
    at = opened(PAGE, "Lena", number=worked_on)
    assert "The print server is down." in said(at)
    assert "Monitoring" in said(at)


@sqlite
def test_a_promised_time_in_the_words_follows_the_choice(desk, opened, worked_on):
    at = dialog(opened(PAGE, "Priya", number=worked_on), "update")
    words = field(at, "text_area", "What they should know")
    said_before = words.value.rpartition("comes ")[2]
    words.set_value(f"Typed by hand. More {said_before}")
    field(at, "selectbox", "Next update").set_value(4320)
    at = dialog(at, "update")
    value = field(at, "text_area", "What they should know").value
    assert value.startswith("Typed by hand. More on ")
    assert said_before not in value


@sqlite
def test_what_the_public_reads_needs_a_name_and_waits_for_a_word(desk, opened, worked_on):
    at = dialog(opened(PAGE, "Priya", number=worked_on), "update")
    at.segmented_control(key=f"update.{worked_on}.new.audience").set_value("both")
    at = dialog(at, "update")
    assert "Nobody can print" not in field(at, "text_area", "What they should know").value
    button(at, "Ask to publish").click().run()
    assert "title" in at.session_state[f"update.{worked_on}.new.failure"].fields
    at = dialog(at, "update")
    at.segmented_control(key=f"update.{worked_on}.new.audience").set_value("both")
    at = dialog(at, "update")
    field(at, "text_input", "What the public reads as its name").set_value("Printing is slow")
    button(at, "Ask to publish").click().run()
    assert [row[3] for row in written(desk)] == ["waiting"]
    at = opened(PAGE, "Priya", number=worked_on)
    assert "A lead or the desk reads it before it goes out." in said(at)
    assert "Publish" not in labels(at)
    at = opened(PAGE, "Lena", number=worked_on)
    button(at, "Publish").click().run()
    assert [row[3] for row in written(desk)] == ["published"]


@sqlite
def test_declining_asks_why_and_a_passed_promise_asks_anew(desk, opened, worked_on):
    with writing(desk.engine) as db:
        setup.put(db, {"updates.approval": True}, desk.now, None)
    do(desk, major.declare, worked_on, None, "Down.", commander_id=desk.actors["Dora"].id)
    one = write(desk, worked_on, audience="external", title="Printing")
    at = opened(PAGE, "Dora", number=worked_on)
    button(at, "Send it back").click().run()
    assert "Say what should be different." in said(at)
    field(at, "text_area", "What should be different").set_value("Name the wards.")
    button(at, "Send it back").click().run()
    assert [row[3] for row in written(desk)] == ["declined"]
    desk.now -= timedelta(minutes=10)
    write(desk, worked_on, audience="external", title="Printing", next_at=desk.now + timedelta(minutes=1))
    at = opened(PAGE, "Dora", number=worked_on)
    field(at, "selectbox", "The promised time has passed. Next update").set_value(30).run()
    button(at, "Publish").click().run()
    assert [row[3] for row in written(desk)] == ["declined", "published"]
    assert one is not None


@sqlite
def test_the_moment_chosen_last_is_promised_when_a_word_is_given_at_once(desk, opened, worked_on):
    with writing(desk.engine) as db:
        setup.put(db, {"updates.approval": True}, desk.now, None)
    do(desk, major.declare, worked_on, None, "Down.", commander_id=desk.actors["Dora"].id)
    desk.now -= timedelta(minutes=10)
    write(desk, worked_on, audience="external", title="Printing", next_at=desk.now + timedelta(minutes=1))
    at = opened(PAGE, "Dora", number=worked_on)
    field(at, "selectbox", "The promised time has passed. Next update").set_value(4320)
    button(at, "Publish").click().run()
    with reading(desk.engine) as db:
        promised = db.scalars(select(Update.next_at)).one()
    assert promised > desk.now + timedelta(days=2)


@sqlite
def test_words_that_follow_a_choice_are_read_before_they_are_sent(desk, opened, worked_on):
    at = dialog(opened(PAGE, "Priya", number=worked_on), "update")
    field(at, "selectbox", "How far the work is").set_value("identified")
    button(at, "Send").click().run()
    assert "Read them, then send." in at.session_state[f"update.{worked_on}.new.failure"].sentence
    assert written(desk) == []
    at = dialog(at, "update")
    field(at, "selectbox", "How far the work is").set_value("identified")
    at = dialog(at, "update")
    assert "the cause of 'Nobody can print' is found" in field(at, "text_area", "What they should know").value
    button(at, "Send").click().run()
    assert [row[1] for row in written(desk)] == ["identified"]


@sqlite
def test_a_correction_keeps_what_was_sent(desk, opened, worked_on):
    write(desk, worked_on, "It began at nine.")
    at = button(opened(PAGE, "Lena", number=worked_on), "Correct it").click().run()
    assert field(at, "text_area", "What they should know").value == "It began at nine."
    field(at, "text_area", "What they should know").set_value("It began at eight.")
    button(at, "Send").click().run()
    assert [row[2] for row in written(desk)] == ["It began at nine.", "It began at eight."]
    assert "Correction, told people here" in said(opened(PAGE, "Lena", number=worked_on))
