"""My reports: plain words, an answer when it is fixed, and nothing that is only for those who work on it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from db.engine import reading
from db.models import IncidentLink
from pages.parts import rows as rows_part
from pages.parts import timeline as timeline_part
from tests.pages.conftest import Desk, seen

Opened = Callable[..., AppTest]
PAGE = "staff/my_reports.py"
INTERNAL = "The vendor is hopeless"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the lists and timelines were given, in order."""
    calls: list[dict[str, Any]] = []

    class Result:
        event = None

    def renderer(**given: Any) -> Result:
        calls.append(given["data"])
        return Result()

    monkeypatch.setattr(rows_part, "_LIST", renderer)
    monkeypatch.setattr(timeline_part, "_TIMELINE", renderer)
    return calls


def press(at: AppTest, label: str) -> AppTest:
    return next(button for button in at.button if button.label == label).click().run()


def area(at: AppTest, label: str) -> Any:
    return next(found for found in at.text_area if label in found.label)


def test_first_use_says_what_to_do(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(rows_part, "empty_state", lambda *words, key: told.append(words))
    opened(PAGE, "Rita")
    assert told[0][0] == "You have no open reports."


def test_a_row_tells_status_next_step_and_last_news(desk: Desk, opened: Opened, drawn: list[dict[str, Any]]) -> None:
    desk.report("Rita", "Cannot print", minutes_ago=1)
    opened(PAGE, "Rita")
    (row,) = drawn[0]["items"]
    assert row["explanation"].startswith("Received. The service desk looks at it by ")
    assert row["meta"][-1].startswith("Rita reported it ")
    assert "priority" not in row


def test_what_i_follow_is_there_and_what_others_report_is_not(
    desk: Desk, opened: Opened, drawn: list[dict[str, Any]]
) -> None:
    desk.report("Otto", "Followed")
    desk.report("Otto", "Not mine")
    desk.follow("INC-000001", "Rita")
    opened(PAGE, "Rita")
    assert [row["title"] for row in drawn[0]["items"]] == ["Followed"]
    assert "you follow it" in drawn[0]["items"][0]["meta"]


def test_priority_triage_and_notes_are_never_told(desk: Desk, opened: Opened, drawn: list[dict[str, Any]]) -> None:
    desk.report("Rita", "Cannot print")
    desk.accept("INC-000001", impact=1, urgency=1, security=True)
    desk.do("INC-000001", "acknowledge", "Priya")
    desk.do("INC-000001", "escalate", "Priya", team_id=desk.team("Servers", "3"), reason=INTERNAL)
    desk.comment("INC-000001", INTERNAL, "Priya", public=False)
    for who, address in (("Rita", {}), ("Rita", {"number": "INC-000001"}), ("Priya", {"number": "INC-000001"})):
        at = opened(PAGE, who, **address)
        told = seen(at) + str(drawn)
        assert not at.exception
        for secret in (INTERNAL, "P1", "Critical", "security", "impact", "changes"):
            assert secret not in told
        drawn.clear()


def test_yes_it_works_confirms_it(desk: Desk, opened: Opened) -> None:
    desk.report("Rita", "Cannot print", minutes_ago=300)
    desk.fix("INC-000001")
    at = press(opened(PAGE, "Rita"), "Yes, it works")
    assert desk.incident("INC-000001").verification == "confirmed"
    assert "works again" in at.success[0].value


def test_not_yet_asks_why_and_opens_it_again(desk: Desk, opened: Opened) -> None:
    desk.report("Rita", "Cannot print", minutes_ago=300)
    desk.fix("INC-000001")
    at = press(press(opened(PAGE, "Rita"), "Not yet"), "Send")
    assert "Say what is still wrong" in seen(at)
    assert desk.incident("INC-000001").state == "recovered"
    area(at, "What is still wrong?").input("Still no dial tone")
    press(at, "Send")
    after = desk.incident("INC-000001")
    assert after.state == "in_progress"
    assert after.denied_at is not None
    assert "Still no dial tone" in desk.words("INC-000001")


@pytest.mark.parametrize("place", ["list", "one"])
def test_yes_beside_words_is_asked_once_more(desk: Desk, opened: Opened, place: str) -> None:
    desk.report("Rita", "Cannot print", minutes_ago=300)
    desk.fix("INC-000001")
    at = opened(PAGE, "Rita", **({"number": "INC-000001"} if place == "one" else {}))
    if place == "list":
        at = press(at, "Not yet")
    at.text_area[0].input("Still prints blank pages")
    at = press(at, "Yes, it works")
    assert "Is it really fixed?" in seen(at)
    assert desk.incident("INC-000001").verification is None
    assert at.text_area[0].value == "Still prints blank pages"
    at = press(at, "Yes, it is fixed: send both" if place == "list" else "No, it is not fixed")
    assert not at.exception
    after = desk.incident("INC-000001")
    assert (after.state, after.verification) == (
        ("recovered", "confirmed") if place == "list" else ("in_progress", None)
    )
    assert desk.words("INC-000001")[-1] == "Still prints blank pages"


def test_while_it_is_asked_words_go_with_the_answer(desk: Desk, opened: Opened) -> None:
    desk.report("Rita", "Cannot print", minutes_ago=300)
    desk.fix("INC-000001")
    at = opened(PAGE, "Rita", number="INC-000001")
    assert [area.label for area in at.text_area] == ["**Your words (only needed for 'Not yet')**"]
    press(at, "Yes, it works")
    assert desk.incident("INC-000001").verification == "confirmed"


def test_only_the_reporter_is_asked(desk: Desk, opened: Opened) -> None:
    desk.report("Otto", "Cannot print", minutes_ago=300)
    desk.follow("INC-000001", "Rita")
    desk.fix("INC-000001")
    assert "Yes, it works" not in [button.label for button in opened(PAGE, "Rita", number="INC-000001").button]


def test_an_answer_ends_the_waiting(desk: Desk, opened: Opened) -> None:
    desk.report("Rita", "Cannot print")
    desk.accept("INC-000001")
    desk.comment("INC-000001", "Which printer?", "Priya", public=True)
    until = desk.now + timedelta(days=1)
    desk.do("INC-000001", "hold", "Priya", hold_reason="reporter", hold_until=until)
    at = opened(PAGE, "Rita", number="INC-000001")
    assert "Which printer" in at.warning[0].value
    area(at, "Your words").input("The blue one")
    at = press(at, "Send")
    assert desk.words("INC-000001")[-1] == "The blue one"
    assert desk.incident("INC-000001").state != "on_hold"
    assert area(at, "Your words").value == ""


def test_an_empty_answer_gets_a_sentence(desk: Desk, opened: Opened) -> None:
    desk.report("Rita", "Cannot print")
    at = press(opened(PAGE, "Rita", number="INC-000001"), "Send")
    assert "Write something first" in at.error[0].value


def test_files_are_linked_and_sized(desk: Desk, opened: Opened) -> None:
    desk.report("Rita", "Cannot print")
    at = opened(PAGE, "Rita", number="INC-000001")
    at.file_uploader[0].set_value(("scan [1].png", b"\x89PNG\r\n\x1a\n" + bytes(2040), "image/png"))
    at = press(at, "Send")
    assert "(/files/1) :small[:gray[2 kB]]" in seen(at)


def test_finished_ones_are_apart_and_paged(desk: Desk, opened: Opened, drawn: list[dict[str, Any]]) -> None:
    for number in range(1, 28):
        desk.report("Rita", f"Old {number}")
        desk.do(f"INC-{number:06d}", "cancel", "Lena", reason="Not an incident")
    at = opened(PAGE, "Rita", view="finished")
    finished = [given for given in drawn if given["items"]]
    assert len(finished[0]["items"]) == 25
    drawn.clear()
    at.session_state["my.finished.page"] = 2
    at.run()
    assert [len(given["items"]) for given in drawn if given["items"]] == [2]


@pytest.mark.parametrize("number", ["INC-000001", "INC-4", "' or 1=1", "\x00", "x" * 5000])
def test_an_unknown_number_and_one_of_others_look_alike(desk: Desk, opened: Opened, number: str) -> None:
    desk.report("Otto", "Secret of Otto")
    at = opened(PAGE, "Rita", number=number)
    assert not at.exception
    assert "Secret" not in seen(at)
    assert "All my reports" in [button.label for button in at.button]


def closed(desk: Desk, days_ago: int) -> str:
    number = desk.report("Rita", "Cannot print", minutes_ago=days_ago * 1440 + 100)
    desk.fix(number, days_ago * 1440 + 10)
    desk.do(number, "verify", "Rita", days_ago * 1440 + 5)
    desk.do(number, "close", "Dora", days_ago * 1440)
    return number


def test_what_was_closed_is_opened_again_by_its_reporter_in_their_words(desk: Desk, opened: Opened) -> None:
    number = closed(desk, 13)
    desk.follow(number, "Otto")
    assert "Open it again" not in [button.label for button in opened(PAGE, "Otto", number=number).button]
    at = press(opened(PAGE, "Rita", number=number), "Open it again")
    assert "Say what is wrong again." in seen(at).replace("\\", "")
    assert desk.incident(number).state == "closed"
    area(at, "What is wrong again?").set_value("It prints stripes now")
    at = press(at, "Open it again")
    assert not at.exception
    assert "is open again" in at.success[0].value
    kept = desk.incident(number)
    assert (kept.state, kept.reopen_count, desk.words(number)[-1]) == ("in_progress", 1, "It prints stripes now")
    assert "Open it again" not in [button.label for button in at.button]


def test_what_somebody_else_opened_first_keeps_the_words(desk: Desk, opened: Opened) -> None:
    number = closed(desk, 1)
    at = opened(PAGE, "Rita", number=number)
    area(at, "What is wrong again?").set_value("It prints stripes now")
    desk.do(number, "reopen", "Dora", reason="Called in")
    at = press(at, "Open it again")
    assert "It prints stripes now" in seen(at)


def test_after_fourteen_days_it_is_reported_anew_and_linked(
    desk: Desk, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    went: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(st, "switch_page", lambda page, query_params: went.append((page, query_params)))
    number = closed(desk, 15)
    at = opened(PAGE, "Rita", number=number)
    assert "Open it again" not in [button.label for button in at.button]
    assert "more than 14 days ago" in seen(at)
    press(at, "Report it anew")
    assert went == [("staff/report.py", {"again": number})]
    at = opened("staff/report.py", "Rita", again=number)
    assert f"It is linked with {number}." in seen(at)
    assert [field.value for field in at.text_input][:2] == ["Cannot print", "Room 204"]
    press(at, "Send report")
    anew = desk.incidents()[-1]
    with reading(desk.engine) as db:
        linked = list(db.scalars(select(IncidentLink.reference).where(IncidentLink.incident_id == anew.id)))
    assert (anew.title, linked) == ("Cannot print", [number])
