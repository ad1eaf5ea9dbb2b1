"""On-call and Schedules: who answers now, one's own turns, swaps, the calendar, changes looked at before saving."""

from datetime import UTC, datetime, timedelta

import pytest

import pages.parts.rows as rows_part
from db.commands import overrides, schedules, swaps
from db.engine import reading, writing
from db.queries import oncall
from pages.parts import rota_chart
from tests.pages.conftest import seen

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def said(at):
    """The words of the page as a person reads them: without the marks that keep markdown from formatting them."""
    return seen(at).replace("\\", "")


def button(at, label, place=0):
    return [found for found in at.button if found.label == label][place]


def labels(at):
    return [found.label for found in at.button]


@pytest.fixture
def rota(desk):
    """Priya then Lena are on call for the network, a day each, since an hour ago."""
    made = {"start": (desk.now - HOUR).isoformat(), "unit": "day", "length": 1, "name": "First line"}
    members = [str(desk.actors[name].id) for name in ("Priya", "Lena")]
    definition = {"zone": "UTC", "layers": [made | {"members": members}]}
    with writing(desk.engine) as db:
        desk.rota = schedules.save(
            db,
            None,
            name="Network *first*",
            team_id=desk.team_id,
            definition=definition,
            actor=desk.actors["Lena"],
            now=desk.now - HOUR,
        )
    return desk


def on_call(desk, at=None):
    with reading(desk.engine) as db:
        names = {actor.id: name for name, actor in desk.actors.items()}
        return [names[id_] for id_ in oncall.on_call(db, desk.rota, at or datetime.now(UTC))]


@sqlite
def test_without_a_schedule_a_lead_is_led_to_the_first_one(opened):
    assert "Make a schedule" in labels(opened("responders/on_call.py", "Lena"))
    assert "Make a schedule" not in labels(opened("responders/on_call.py", "Priya"))
    assert "New schedule" in labels(opened("responders/schedules.py", "Ada"))
    assert "New schedule" not in labels(opened("responders/schedules.py", "Dora"))


@sqlite
def test_who_is_on_call_now_and_next_is_seen_at_a_glance(rota, opened):
    at = opened("responders/on_call.py", "Priya")
    assert not at.exception
    assert next(iter(at.header)).value == "Priya"
    assert "Network *first*" in said(at)
    assert "then Lena" in said(at)
    assert "My next turns" in said(at)


@sqlite
def test_taking_over_is_one_button_for_those_concerned(rota, opened):
    assert "Take over now" not in labels(opened("responders/on_call.py", "Dora"))
    assert "Take over now" not in labels(opened("responders/on_call.py", "Priya")), "who is on call has it"
    at = button(opened("responders/on_call.py", "Lena"), "Take over now").click().run()
    assert not at.exception
    assert on_call(rota) == ["Lena"]


@sqlite
def test_a_turn_is_asked_for_and_accepted(rota, opened):
    at = button(opened("responders/on_call.py", "Priya"), "Ask somebody").click().run()
    at.selectbox(key=next(box.key for box in at.selectbox if box.label == "Who")).select(rota.actors["Dora"].id)
    at = button(at, "Ask").click().run()
    assert not at.exception
    asked = opened("responders/on_call.py", "Dora")
    assert "Priya asks you to take a turn" in said(asked).replace("**", "")
    at = button(asked, "Accept").click().run()
    assert not at.exception
    assert on_call(rota) == ["Dora"]
    assert "Accept" not in labels(at)


@sqlite
def test_the_dialog_says_what_is_missing(rota, opened):
    at = button(opened("responders/on_call.py", "Priya"), "Ask somebody").click().run()
    key = next(box.key for box in at.selectbox if box.label == "Who").removesuffix(".to")
    at = button(at, "Ask").click().run()
    assert at.session_state[f"{key}.failure"].fields == {"to_id": "Choose who is to take it."}


@sqlite
def test_the_calendar_address_is_shown_once(rota, opened):
    at = button(opened("responders/on_call.py", "Priya"), "Make the address").click().run()
    [address] = [code.value for code in at.code]
    assert address.endswith(".ics")
    with reading(rota.engine) as db:
        token = address.rpartition("/")[2].removesuffix(".ics")
        assert oncall.feed_holder(db, token) == rota.actors["Priya"].id
    again = opened("responders/on_call.py", "Priya")
    assert not list(again.code)
    at = button(again, "End it").click().run()
    with reading(rota.engine) as db:
        assert oncall.feed_holder(db, token) is None


@sqlite
@pytest.mark.parametrize(("who", "edits"), [("Priya", False), ("Dora", False), ("Lena", True), ("Ada", True)])
def test_the_schedule_is_open_to_all_who_work_and_changed_by_leads(rota, opened, who, edits):
    at = opened("responders/schedules.py", who)
    assert not at.exception
    assert "How it turns" in said(at)
    assert "Daily, hands over" in said(at)
    assert ("Change" in labels(at), "Add an override" in labels(at)) == (edits, edits)


@sqlite
def test_turns_are_listed_beside_the_picture_with_gaps_in_words(rota, opened, monkeypatch):
    drawn = []
    monkeypatch.setattr(rows_part, "rows", lambda items, **_rest: drawn.extend(items))
    with writing(rota.engine) as db:
        overrides.add(
            db,
            rota.rota,
            start=rota.now + HOUR,
            end=rota.now + 2 * HOUR,
            removed_id=rota.actors["Priya"].id,
            actor=rota.actors["Lena"],
            now=rota.now,
        )
    at = opened("responders/schedules.py", "Lena")
    assert "Nobody is on call" in said(at).replace("**", "")
    assert [item["title"] for item in drawn][:3] == ["Priya", "Nobody", "Priya"]
    assert [item["action"] for item in drawn][:3] == ["Replace", "Add somebody", "Replace"]
    assert "Priya is taken out" in said(at).replace("**", "")
    at = button(at, "Cancel").click().run()
    assert "Nobody is on call" not in said(at).replace("**", "")


@sqlite
def test_a_change_is_looked_at_before_it_is_saved(rota, opened):
    at = button(opened("responders/schedules.py", "Lena"), "Change").click().run()
    assert not at.exception
    moves = [found for found in at.button if found.key and ".down.0" in found.key]
    at = moves[0].click().run()
    at = button(at, "Preview").click().run()
    assert not at.exception
    assert "What changes" in said(at)
    assert "Priya → Lena" in said(at).replace("**", "")
    assert on_call(rota) == ["Priya"], "nothing was saved"
    at = button(at, "Save").click().run()
    assert not at.exception
    assert on_call(rota) == ["Lena"]
    assert on_call(rota, rota.now - HOUR / 2) == ["Priya"], "what was stays"


@sqlite
def test_a_new_schedule_is_made_by_filling_in_a_form(desk, opened):
    at = button(opened("responders/schedules.py", "Ada"), "New schedule").click().run()
    at = button(at, "Preview").click().run()
    assert "give it at least one member" in said(at)
    at.text_input(key=next(box.key for box in at.text_input if box.label == "Name")).input("Printers")
    at = at.selectbox(key=next(box.key for box in at.selectbox if box.label == "Add somebody")).select(
        desk.actors["Priya"].id
    ).run()  # fmt: skip
    at = button(at, "Preview").click().run()
    assert "Who is on call then" in said(at)
    at = button(at, "Save").click().run()
    assert not at.exception
    with reading(desk.engine) as db:
        [made] = oncall.now_and_next(db, desk.actors["Priya"], datetime.now(UTC))
    assert (made.name, [who.name for who in made.people]) == ("Printers", ["Priya"])


@sqlite
def test_what_is_typed_right_before_a_press_counts(desk, opened):
    at = button(opened("responders/schedules.py", "Ada"), "New schedule").click().run()
    at = at.selectbox(key=next(box.key for box in at.selectbox if box.label == "Add somebody")).select(
        desk.actors["Priya"].id
    ).run()  # fmt: skip
    next(box for box in at.number_input if box.label == "A turn lasts").set_value(3)
    at = button(at, "Preview").click().run()
    assert "Who is on call then" in said(at)
    next(box for box in at.text_input if box.label == "Name").input("Printers")
    next(box for box in at.number_input if box.label == "A turn lasts").set_value(2)
    at = button(at, "Save").click().run()
    assert "You changed something since. Preview it again." in said(at), "nobody has seen what it does"
    at = button(at, "Preview").click().run()
    next(box for box in at.text_input if box.label == "Name").input("All printers")
    button(at, "Save").click().run()
    with reading(desk.engine) as db:
        [made] = oncall.now_and_next(db, desk.actors["Priya"], datetime.now(UTC))
    assert made.name == "All printers"


@sqlite
def test_hours_of_a_layer_come_back_as_they_were_saved(rota, opened):
    at = button(opened("responders/schedules.py", "Lena"), "Change").click().run()
    at = next(box for box in at.segmented_control if box.label == "Hours").set_value("hours").run()
    at = button(button(at, "Preview").click().run(), "Save").click().run()
    assert not at.exception
    assert "Mon to Fri 09:00 to 17:00" in said(at)
    at = button(at, "Change").click().run()
    assert next(box for box in at.segmented_control if box.label == "Hours").value == "hours"


@sqlite
def test_waiting_swaps_of_a_schedule_are_seen_and_withdrawn(rota, opened):
    with writing(rota.engine) as db:
        swaps.ask(
            db,
            rota.rota,
            to_id=rota.actors["Dora"].id,
            start=rota.now + HOUR,
            end=rota.now + 2 * HOUR,
            actor=rota.actors["Priya"],
            now=rota.now,
        )
    at = opened("responders/schedules.py", "Priya")
    assert "You asked Dora to take your turn" in said(at).replace("**", "")
    assert "Withdraw" not in labels(button(at, "Withdraw").click().run())


def test_names_are_cut_to_fit_their_turn():
    assert rota_chart._fitting("Ana Maria Ruiz", "Ana", 20) == "Ana Maria Ruiz"
    assert rota_chart._fitting("Ana Maria Ruiz", "Ana", 5) == "Ana"
    assert rota_chart._fitting("Ana Maria Ruiz", "Ana", 2) == "AR"
    assert rota_chart._fitting("Ana Maria Ruiz", "Ana", 1) == ""
