"""Reporting a problem: what is asked, what is kept, what is refused, and what is told afterwards."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event
from streamlit.testing.v1 import AppTest

from db.commands import status_page
from db.engine import writing
from tests.pages.conftest import Desk, seen

Opened = Callable[..., AppTest]
PAGE = "staff/report.py"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
HOSTILE = "<img src=x onerror=alert(1)> **b** [a](http://b.example) ![i](http://b.example/i.png) :material/home: $x$"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def field(at: AppTest, name: str):  # type: ignore[no-untyped-def]
    """The input of one question."""
    inputs = [*at.text_input, *at.text_area, *at.radio, *at.selectbox, *at.file_uploader]
    return next(found for found in inputs if str(found.key).endswith(f".{name}"))


def press(at: AppTest, label: str) -> AppTest:
    return next(button for button in at.button if button.label == label).click().run()


def write(at: AppTest, title: str = "Cannot print", affected: str = "Room 204") -> AppTest:
    field(at, "title").input(title)
    field(at, "affected").input(affected)
    return at.run()


def test_two_answers_make_an_incident(desk: Desk, opened: Opened) -> None:
    at = press(write(opened(PAGE, "Rita")), "Send report")
    (made,) = desk.incidents()
    assert (made.title, made.affected, made.service_id, made.reporter_id) == (
        "Cannot print",
        "Room 204",
        None,
        desk.actors["Rita"].id,
    )
    assert at.query_params["done"] == "INC-000001"
    assert "Your report is INC-000001" in seen(at)


def test_the_reporter_is_filled_in_and_never_asked_for_a_priority(opened: Opened) -> None:
    at = opened(PAGE, "Rita")
    assert "You are reporting as **Rita**" in seen(at)
    labels = " ".join(found.label for found in [*at.text_input, *at.text_area, *at.radio, *at.selectbox])
    assert "riority" not in labels


def test_everything_optional_says_so(opened: Opened) -> None:
    at = opened(PAGE, "Rita")
    labels = [found.label for found in [*at.text_area, *at.radio, *at.selectbox]]
    assert len(labels) == 4
    assert all(label.endswith("(optional)") for label in labels)


def test_the_optional_answers_are_kept(desk: Desk, opened: Opened) -> None:
    at = write(opened(PAGE, "Rita"))
    field(at, "description").input("It says E42.\nTwice.")
    field(at, "scope").set_value("team")
    field(at, "effect").set_value("stopped")
    since = (desk.now - timedelta(hours=2)).replace(minute=0, second=0)
    field(at, "started_at").set_value(since.isoformat())
    field(at, "files").set_value(("photo.png", PNG, "image/png"))
    at = press(at, "Send report")
    (made,) = desk.incidents()
    assert (made.description, made.scope, made.effect) == ("It says E42.\nTwice.", "team", "stopped")
    assert made.started_at == since
    assert "My team · No, work has stopped" in seen(at)
    assert "\n1\n" in seen(at)


def test_not_being_sure_is_an_answer(desk: Desk, opened: Opened) -> None:
    at = write(opened(PAGE, "Rita"))
    field(at, "scope").set_value("unsure")
    press(at, "Send report")
    assert desk.incidents()[0].scope is None


def test_the_name_of_a_service_is_recognised_however_it_is_written(desk: Desk, opened: Opened) -> None:
    press(write(opened(PAGE, "Rita"), affected="  e-MAIL "), "Send report")
    (made,) = desk.incidents()
    assert made.service_id is not None
    assert made.affected == "E-mail"


def test_a_service_can_be_taken_from_the_list(desk: Desk, opened: Opened) -> None:
    at = opened(PAGE, "Rita")
    at.button_group[0].set_value("Printing").run()
    assert field(at, "affected").value == "Printing"


def test_missing_answers_are_named_above_and_beneath(desk: Desk, opened: Opened) -> None:
    at = press(opened(PAGE, "Rita"), "Send report")
    assert "There is a problem" in at.error[0].value
    assert "*What is wrong?* Say what is wrong\\." in at.error[0].value
    assert "*What or where is affected?* Say what or where is affected\\." in at.error[0].value
    beneath = [found.value for found in at.markdown if found.value.startswith(":red[")]
    assert len(beneath) == 2
    assert desk.incidents() == []


@pytest.mark.parametrize("banned", ["lease", "orry", "nvalid", "ops"])
def test_errors_are_not_sorry(opened: Opened, banned: str) -> None:
    assert banned not in seen(press(opened(PAGE, "Rita"), "Send report"))


def test_everything_typed_stays_after_an_error(opened: Opened) -> None:
    at = write(opened(PAGE, "Rita"), title="x" * 201)
    field(at, "description").input("Long story")
    field(at, "scope").set_value("me")
    at = press(at, "Send report")
    assert "Shorten what is wrong to 200 characters; it has 201" in at.error[0].value.replace("\\", "")
    assert field(at, "title").value == "x" * 201
    assert field(at, "affected").value == "Room 204"
    assert field(at, "description").value == "Long story"
    assert field(at, "scope").value == "me"


def test_a_megabyte_of_text_gets_a_sentence(desk: Desk, opened: Opened) -> None:
    at = write(opened(PAGE, "Rita"), title="m" * 1_000_000)
    field(at, "description").input("d" * 1_000_000)
    at = press(at, "Send report")
    assert at.error[0].value.count("Shorten") == 2
    assert not at.exception
    assert desk.incidents() == []


@pytest.mark.parametrize(
    "typed", [HOSTILE, "zero\x00byte", "שלום ‮ abc", "👩‍👩‍👧 printer", ":red[x] `c` <b>", "a\ud800b"]
)
def test_any_text_is_stored_and_shown_as_typed(desk: Desk, opened: Opened, typed: str) -> None:
    desk.report("Rita", typed, typed, description=typed)
    at = opened(PAGE, "Rita", done="INC-000001")
    assert not at.exception
    assert not at.error
    for shown in (found.value for found in at.markdown):
        assert "](http" not in shown
        assert " :material/home" not in shown


def test_a_file_that_is_not_what_its_name_says_is_refused(desk: Desk, opened: Opened) -> None:
    at = write(opened(PAGE, "Rita"))
    field(at, "files").set_value(("photo.png", b"MZ not a picture", "image/png"))
    at = press(at, "Send report")
    assert "photo.png" in at.error[0].value.replace("\\", "")
    assert field(at, "title").value == "Cannot print"
    assert desk.incidents() == []


def test_more_than_five_files_are_refused(desk: Desk, opened: Opened) -> None:
    at = write(opened(PAGE, "Rita"))
    field(at, "files").set_value([(f"{number}.png", PNG, "image/png") for number in range(6)])
    at = press(at, "Send report")
    assert "5 files" in at.error[0].value
    assert field(at, "title").value == "Cannot print"
    assert desk.incidents() == []


def test_a_second_click_finds_the_first_ones_incident(desk: Desk, opened: Opened) -> None:
    at = press(write(opened(PAGE, "Rita")), "Send report")
    # As if the run of the first click had never been drawn: the same form, sent again.
    del at.query_params["done"]
    del at.session_state["report.sent"]
    at = press(write(at.run()), "Send report")
    assert len(desk.incidents()) == 1
    assert at.query_params["done"] == "INC-000001"


def test_the_next_report_begins_empty_and_is_another_incident(desk: Desk, opened: Opened) -> None:
    at = press(write(opened(PAGE, "Rita")), "Send report")
    at = press(at, "Report something else")
    assert field(at, "title").value == ""
    press(write(at, "Cannot scan"), "Send report")
    assert [made.title for made in desk.incidents()] == ["Cannot print", "Cannot scan"]


def test_similar_open_incidents_appear_while_typing(desk: Desk, opened: Opened) -> None:
    desk.report("Otto", "Cannot print prescriptions in the pharmacy", "Printing", scope="team")
    at = opened(PAGE, "Rita")
    assert "Is it one of these" not in seen(at)
    field(at, "title").input("cannot print prescr").run()
    assert "Is it one of these" in seen(at)
    assert "Cannot print prescriptions in the pharmacy" in seen(at)
    assert "about 8 people" in seen(at)


def test_following_needs_no_report(desk: Desk, opened: Opened) -> None:
    desk.report("Otto", "Cannot print prescriptions", "Printing")
    at = opened(PAGE, "Rita")
    field(at, "title").input("cannot print prescriptions").run()
    at = press(at, "Same as mine: follow")
    assert "You follow INC-000001" in seen(at)
    assert len(desk.incidents()) == 1


def test_mine_is_different_hides_them(desk: Desk, opened: Opened) -> None:
    desk.report("Otto", "Cannot print prescriptions", "Printing")
    at = opened(PAGE, "Rita")
    field(at, "title").input("cannot print prescriptions").run()
    at = press(at, "No, mine is different")
    assert "Same as mine: follow" not in [button.label for button in at.button]
    at = press(at, "Show again")
    assert "Same as mine: follow" in [button.label for button in at.button]


def test_the_confirmation_says_what_next_by_when_and_promises_no_mail(desk: Desk, opened: Opened) -> None:
    desk.report("Rita", "Cannot print", minutes_ago=1)
    told = seen(opened(PAGE, "Rita", done="INC-000001"))
    assert "The service desk looks at it by" in told
    assert "no e-mail is sent" in told
    assert "UTC" in told


@pytest.mark.parametrize("number", ["INC-000001", "INC-999999", "x' or 1=1 --", "<b>", "\x00", "9" * 5000])
def test_a_confirmation_is_only_for_those_who_may_read_it(desk: Desk, opened: Opened, number: str) -> None:
    desk.report("Otto", "Secret of Otto")
    at = opened(PAGE, "Rita", done=number)
    assert not at.exception
    assert "Secret" not in seen(at)
    assert "Report a problem" in [button.label for button in at.button]


@pytest.fixture
def broken(app_database: Engine) -> Iterator[Callable[[str], None]]:
    """Makes the database as a pragma says, for every connection from now on."""
    pragmas: list[str] = []

    def apply(connection, _record, _proxy) -> None:  # type: ignore[no-untyped-def]
        for pragma in pragmas:
            connection.execute(f"pragma {pragma}")

    event.listen(app_database, "checkout", apply)
    yield pragmas.append
    event.remove(app_database, "checkout", apply)


@pytest.mark.parametrize(
    ("pragma", "sentence"),
    [("query_only = on", "read-only"), ("max_page_count = 1", "disk is full")],
    ids=["read-only", "full"],
)
def test_nothing_typed_is_lost_when_the_database_refuses(
    desk: Desk, opened: Opened, broken: Callable[[str], None], pragma: str, sentence: str
) -> None:
    at = write(opened(PAGE, "Rita"))
    field(at, "description").input("d" * 19_000)
    broken(pragma)
    at = press(at, "Send report")
    assert sentence in at.error[0].value.replace("\\", "")
    assert "still here" in at.error[0].value
    assert field(at, "title").value == "Cannot print"
    assert field(at, "description").value == "d" * 19_000


def test_what_nobody_expected_is_told_with_a_reference(
    desk: Desk,
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    accidents: list[BaseException],
) -> None:
    at = write(opened(PAGE, "Rita"))

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("db.commands.incidents.report", fail)
    at = press(at, "Send report")
    told = at.error[0].value.replace("\\", "")
    assert "Something went wrong (reference " in told
    assert "secret detail" not in seen(at)
    assert told.partition("reference ")[2][:8] in caplog.text
    assert field(at, "title").value == "Cannot print"
    assert [type(accident) for accident in accidents] == [ZeroDivisionError]
    accidents.clear()


def test_the_desk_reports_for_somebody_without_an_account(desk: Desk, opened: Opened) -> None:
    assert not opened(PAGE, "Rita").toggle
    at = opened(PAGE, "Dora")
    at.toggle[0].set_value(True).run()
    at = write(at, title="Phone is dead", affected="Room 3")
    at = press(at, "Send report")
    assert "Give the name of the person you report for." in seen(at).replace("\\", "")
    for label, words in (("Their name", "Frau Öz"), ("How to reach them", "4444")):
        next(found for found in at.text_input if label in found.label).set_value(words)
    press(at.run(), "Send report")
    made = desk.incidents()[0]
    assert (made.caller_name, made.caller_contact, made.reporter_id, made.title) == (
        "Frau Öz", "4444", None, "Phone is dead"
    )  # fmt: skip
    at = opened(PAGE, "Dora", done=made.number)
    assert f"Reported as {made.number}" in seen(at)
    told = seen(at).replace("\\", "")
    assert "Give Frau Öz the number" in told
    assert "Frau Öz has no account: tell them what happens" in told
    assert next(found.label for found in at.button) == "Open the incident"


def test_the_status_page_is_pointed_to_once_there_is_one(desk: Desk, opened: Opened) -> None:
    assert "/status" not in seen(opened(PAGE, "Rita"))
    with writing(desk.engine) as db:
        ada = desk.actors["Ada"]
        status_page.save_component(db, None, None, name="Mail", group="", service_ids=[], actor=ada, now=desk.now)
        given = {"name": "Ours", "words": "", "closing_words": "It works again."}
        status_page.change(db, None, published=True, **given, actor=ada, now=desk.now)
    assert "[status page](/status)" in seen(opened(PAGE, "Rita"))
