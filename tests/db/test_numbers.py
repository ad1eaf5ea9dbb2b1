"""Numbers of incidents: ours and those that an import brings from elsewhere never clash, and each opens its own."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from db.commands import detecting
from db.engine import reading, writing
from db.models import Incident
from db.queries import incidents as queries
from db.queries.text_search import found
from rules.access import NotFound
from rules.import_map import parse
from tests.db.imported import take, written
from tests.db.office import HOUR, MONDAY, Office
from tests.db.test_chains import verified

MAP = """
[columns]
number = "Key"
title = "Title"
reported = "At"
"""


@pytest.fixture
def office(engine):
    return Office(engine)


@pytest.fixture
def bring(office, tmp_path):
    """Imports incidents with these numbers; each title says which."""

    def taken(*numbers):
        rows = [{"Key": number, "Title": f"Brought {number}", "At": "2026-01-05 10:00"} for number in numbers]
        return take(office.engine, written(tmp_path / "theirs.csv", rows), mapping=parse(MAP, "csv:test"))

    return taken


def ours(number):
    return f"INC-{number:06d}"


def opened(office, number, by="Priya"):
    with reading(office.engine) as db:
        return queries.by_number(db, office.people[by], number).line


def search(office, typed):
    with reading(office.engine) as db:
        ids = found(db, typed, internal=True)
        chosen = select(Incident.number).where(Incident.id.in_(ids)) if ids is not None else select(Incident.number)
        return set(db.scalars(chosen))


def test_a_number_that_an_import_brought_is_given_to_nobody_else(office, bring):
    first = office.report("Ours")
    brought = [ours(number) for number in (4, 5, *range(7, 40), 2_000)]
    assert bring(*brought, "INC0000003").created == len(brought) + 1
    last = first + len(brought) + 1
    assert last < 40, "the next of ours would have one of their numbers"
    again = [office.report(f"Ours {number}", at=MONDAY + HOUR, form_token=f"form {number}") for number in range(2)]
    assert office.report("Ours 1", form_token="form 1") == again[1], "a form sent twice is still one"
    with writing(office.engine) as db:
        said = {"title": "Heard", "description": "", "told": "heard it"}
        heard = detecting.detect(db, **said, priority=3, now=MONDAY + HOUR).id
    made = [office.incident(incident).number for incident in (*again, heard)]
    assert made == [ours(incident) for incident in (*again, heard)], "a number says the id, as ever"
    assert len({*made, *brought}) == len(made) + len(brought)
    for number in brought:
        assert opened(office, number).title == f"Brought {number}"
    assert opened(office, made[0]).title == "Ours 0"
    assert office.timeline(heard)[0].text == "heard it"
    assert verified(office.engine)[0] == []


def test_what_was_made_here_keeps_its_number_and_the_import_says_so(office, bring):
    office.report("Ours")
    report = bring(ours(1), ours(2))
    assert (report.created, report.refused) == (1, 1)
    assert opened(office, ours(1)).title == "Ours"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_who_come_to_a_taken_number_at_once_get_one_each(office, bring):
    office.report("Ours")
    bring(*(ours(number) for number in range(8, 14)))

    def send(number):
        return office.report(f"Ours {number}", at=MONDAY + HOUR)

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(send, range(12)))) == 12
    with reading(office.engine) as db:
        assert db.scalar(select(func.count(func.distinct(Incident.number)))) == 19


def test_a_number_from_elsewhere_is_found_and_opened_and_no_other_one(office, bring):
    office.report("Ours")
    theirs = ("INC0000001", "#45", "ab/c&d=1 x", "Csv-9", "7")
    bring(*theirs)
    for number in theirs:
        assert opened(office, number).title == f"Brought {number}"
    assert opened(office, "inc0000001").number == "INC0000001", "large letters are tried too"
    assert opened(office, "inc-000001").title == "Ours"
    with pytest.raises(NotFound):
        opened(office, "CSV-9 ")
    assert search(office, "INC0000001") == search(office, "inc0000001") == {"INC0000001"}
    assert ours(1) in search(office, "INC-1") & search(office, "1") & search(office, "inc-000001")
    assert "INC0000001" not in search(office, "INC-000001")
    assert search(office, "inc1") == {ours(1)}, "nobody else has this one"
    assert "7" in search(office, "7")
