"""The import screen: check, look, import; the work goes on by itself; the database tells what came of it."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from streamlit.testing.v1 import AppTest

from db.engine import reading
from db.imports import background
from db.models import ImportRun, Incident
from db.queries import imports as queries
from rules.access import Forbidden
from tests.db.imported import MANY, SAMPLE
from tests.pages.conftest import Desk, seen

PAGE = "admin/imports.py"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def checked(at: AppTest, content: bytes, name: str = "servicenow_sample.csv") -> AppTest:
    """Send the form and wait for the check."""
    at.file_uploader[0].upload(name, content, "text/csv")
    press(at, "Check the file")
    return waited(at)


def press(at: AppTest, label: str) -> AppTest:
    return next(button for button in at.button if button.label == label).click().run()


def waited(at: AppTest) -> AppTest:
    job = background.find(at.session_state["import.job"])
    assert job.ended.wait(60)
    return at.run()


def count(desk: Desk) -> int:
    with reading(desk.engine) as db:
        return db.scalar(select(func.count()).select_from(Incident).where(Incident.imported))


def test_at_first_it_says_that_nothing_was_imported(opened: Callable[..., AppTest]):
    at = opened(PAGE, "Ada")
    assert not at.exception
    assert "Take in incidents with their whole history" in seen(at)
    assert [title.value for title in at.title] == ["Import"]


def test_without_a_file_it_asks_for_one(opened, desk):
    at = press(opened(PAGE, "Ada"), "Check the file")
    assert "Choose a file" in seen(at)
    assert "import.job" not in at.session_state


def test_a_file_is_checked_first_and_nothing_is_written(opened, desk):
    at = checked(opened(PAGE, "Ada"), SAMPLE.read_bytes())
    assert not at.exception
    assert "can be imported" in seen(at)
    assert {metric.label: metric.value for metric in at.metric} == {
        "New": "60",
        "To change": "0",
        "Unchanged": "0",
        "Refused rows": "0",
    }
    assert "day first" in seen(at)
    assert count(desk) == 0


def test_then_it_is_imported_and_the_database_says_so(opened, desk):
    at = checked(opened(PAGE, "Ada"), SAMPLE.read_bytes())
    at = waited(press(at, "Import 60 incidents now"))
    assert not at.exception
    assert "is imported" in seen(at)
    assert count(desk) == MANY
    table = at.dataframe[-1].value
    assert table.loc[0, ["File", "By", "State", "Created"]].tolist() == ["servicenow_sample.csv", "Ada", "Done", 60]
    at = press(at, "Import another file")
    at = checked(at, SAMPLE.read_bytes())
    assert "holds nothing new" in seen(at)


def test_a_bad_file_is_refused_in_words(opened, desk):
    at = checked(opened(PAGE, "Ada"), SAMPLE.read_bytes()[:-40])
    assert "Nothing was changed" in seen(at)
    assert "too few columns" in seen(at)
    assert count(desk) == 0
    at = press(at, "Choose another file")
    assert at.file_uploader


def test_refused_rows_are_listed_with_their_reasons(opened, desk):
    content = SAMPLE.read_text(encoding="utf-8").replace(",Awaiting Vendor,", ",Limbo,").encode()
    at = checked(opened(PAGE, "Ada"), content)
    assert "The state 'Limbo' is not known" in seen(at).replace("\\", "")
    assert set(at.dataframe[0].value["Reason"]) == {"The state 'Limbo' is not known."}


def test_an_import_goes_on_when_the_tab_is_closed(opened, desk):
    job = background.start(
        SAMPLE.read_bytes(), "s.csv", actor=desk.actors["Ada"], zone="UTC", dry_run=False, now=desk.now
    )
    assert job.ended.wait(60)
    assert count(desk) == MANY
    assert not job.file.exists()


def test_an_import_that_stopped_is_told(opened, desk):
    with desk.engine.begin() as connection:
        connection.execute(
            ImportRun.__table__.insert(),
            {
                "file_name": "half.csv",
                "sha256": "0" * 64,
                "format": "servicenow",
                "zone": "UTC",
                "started_at": desk.now,
                "rows": 10,
                "created": 3,
                "changed": 0,
                "unchanged": 0,
                "refused": 0,
                "report": {"position": 3, "of_rows": 100},
            },
        )
    at = opened(PAGE, "Ada")
    assert at.dataframe[0].value.loc[0, "State"] == "Stopped or running: 10 of 100 rows"
    assert "carried on when the same file is imported again" in seen(at)


@pytest.mark.parametrize("who", ["Rita", "Priya", "Lena", "Dora", "Max"])
def test_only_administrators_may_import_or_see_imports(desk, who):
    with pytest.raises(Forbidden), reading(desk.engine) as db:
        queries.last_runs(db, desk.actors[who])
    with pytest.raises(Forbidden):
        background.start(b"", "x.csv", actor=desk.actors[who], zone="UTC", dry_run=True, now=desk.now)
