"""Exports: every incident in one file that spreadsheets read, nothing runs, and an import takes in again."""

import csv
import io
import json
import os
import subprocess
import sys
import tracemalloc
import zipfile
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, insert, select

import db.cli
from db.engine import engine, make_engine, reading, writing
from db.exports import export
from db.models import Incident
from tests.db.imported import ROOT
from tests.db.office import DAY, MONDAY, Office

MAP = ROOT / "docs" / "export.toml"
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def office(app_database):
    made = Office(app_database)
    for state in ("new", "assigned", "in_progress", "on_hold", "resolved", "recovered", "closed", "cancelled"):
        made.bring_to(state, title=f"It is {state}", description='Says "no",\nthen stops; ü')
    made.report("=HYPERLINK(0)", affected="-1+1|cmd", description="\t@x")
    return made


@pytest.fixture
def command(capsys):
    def call(*arguments):
        try:
            status = db.cli.main([str(one) for one in arguments])
        except SystemExit as ended:
            status = ended.code
        return status, *capsys.readouterr()

    return call


def read(place):
    with place.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_every_incident_is_a_row(office, command, tmp_path):
    place = tmp_path / "all.csv"
    status, out, err = command("export", place)
    assert (status, err) == (0, "")
    assert out.startswith(f"9 incidents are in {place}: ")
    rows = read(place)
    assert [row["state"] for row in rows[:8]] == [row["title"].removeprefix("It is ") for row in rows[:8]]
    closed, formula = rows[6], rows[8]
    assert closed["number"] == "INC-000007"
    assert (closed["reported_at"], closed["closed_at"]) == ("2026-03-02T09:00:00Z", "2026-03-02T14:00:00Z")
    assert (closed["category"], closed["team"], closed["assignee"], closed["reporter"]) == (
        "Network", "Network", "Priya", "Rita",
    )  # fmt: skip
    assert closed["description"] == 'Says "no",\nthen stops; ü'
    assert (closed["major"], closed["handovers"], closed["verification"]) == ("no", "0", "not_needed")
    assert (formula["title"], formula["affected"], formula["description"]) == ("'=HYPERLINK(0)", "'-1+1|cmd", "'@x")
    assert not [cell for row in rows for cell in row.values() if cell[:1] in set("=+-@\t\r")]


def test_an_export_is_taken_in_again(office, command, tmp_path):
    place = tmp_path / "all.csv"
    command("export", place)
    compared = select(
        Incident.number, Incident.title, Incident.state, Incident.priority, Incident.reported_at, Incident.closed_at
    ).order_by(Incident.number)
    with reading() as session:
        before = session.execute(compared).all()
    url = f"sqlite:///{tmp_path}/other.db"
    asked = [sys.executable, "-m", "db", "import", str(place), "--format", "csv", "--map", str(MAP)]
    environment = os.environ | {"DATABASE_URL": url}
    done = subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "refused            0" in done.stdout
    other = make_engine(url)
    with reading(other) as session:
        after = session.execute(compared).all()
        assert session.scalars(select(Incident.reporter_id)).first() is not None
    other.dispose()
    assert [tuple(row) for row in after] == [
        tuple(f"'{one}" if one == "=HYPERLINK(0)" else one for one in row) for row in before
    ]


@sqlite
def test_a_workbook_holds_text_and_numbers_and_no_formulas(office, command, tmp_path):
    from openpyxl import load_workbook

    place = tmp_path / "all.XLSX"
    assert command("export", place)[0] == 0
    with zipfile.ZipFile(place) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    rows = list(load_workbook(place, read_only=True)["Incidents"].values)
    told = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert len(told) == 9
    assert told[8]["title"] == "=HYPERLINK(0)"
    assert (told[6]["priority"], told[6]["closed_at"]) == (3, datetime(2026, 3, 2, 14)), "a sheet can compute with it"
    assert not list(tmp_path.glob(".*")), "nothing is left beside it"


@sqlite
def test_lines_of_json_say_what_is_not_there(office, command, tmp_path):
    place = tmp_path / "all.jsonl"
    assert command("export", place)[0] == 0
    told = [json.loads(line) for line in place.read_text("utf-8").splitlines()]
    assert (told[8]["title"], told[8]["closed_at"], told[8]["team"], told[8]["major"]) == (
        "=HYPERLINK(0)", None, None, False,
    )  # fmt: skip


@sqlite
def test_nothing_is_written_over_unless_it_is_asked_for(office, command, tmp_path):
    place = tmp_path / "all.csv"
    place.write_text("mine")
    status, _, err = command("export", place)
    assert (status, "already" in err) == (1, True)
    assert place.read_text() == "mine"
    assert command("export", place, "--force")[0] == 0
    assert len(read(place)) == 9
    for wrong, said in (("all.pdf", "End the name with .csv"), ("no/all.csv", "cannot be written")):
        status, _, err = command("export", tmp_path / wrong)
        assert (status, said in err) == (1, True), err
    (tmp_path / "folder.csv").mkdir()
    assert command("export", tmp_path / "folder.csv", "--force")[0] == 1


@sqlite
def test_an_export_that_fails_leaves_what_was_there(office, tmp_path):
    place = tmp_path / "all.csv"
    place.write_text("mine")

    def fail(*_told):
        raise KeyboardInterrupt

    with writing() as session:
        many(session, 2_000)
    with pytest.raises(KeyboardInterrupt):
        export(engine(), place, over=True, progress=fail)
    assert place.read_text() == "mine"
    assert list(tmp_path.glob("*.part")) == list(tmp_path.glob(".*")) == []


def many(session, number, description=""):
    last = session.scalar(select(func.max(Incident.id))) or 0
    session.execute(
        insert(Incident),
        [
            {
                "number": f"X-{n}", "title": f"Report {n}", "affected": "x", "description": description, "id": last + n,
                "reported_at": MONDAY + n * timedelta(seconds=1), "changed_at": MONDAY, "rank_at": MONDAY + DAY,
            }
            for n in range(1, number + 1)
        ],
    )  # fmt: skip


def test_an_export_takes_little_memory_however_much_there_is(app_database, tmp_path):
    with writing() as session:
        many(session, 3_000, description="x" * 5_000)
    tracemalloc.start()
    export(engine(), tmp_path / "all.csv", over=False, progress=lambda *_: None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(read(tmp_path / "all.csv")) == 3_000
    assert peak < 9_000_000 < (tmp_path / "all.csv").stat().st_size


@sqlite
def test_an_empty_export_has_its_headings(app_database, command, tmp_path):
    for ending in (".csv", ".xlsx", ".jsonl"):
        assert command("export", tmp_path / f"none{ending}")[0] == 0
    assert io.StringIO((tmp_path / "none.csv").read_text("utf-8-sig")).readline().startswith("number,title,")
    assert zipfile.is_zipfile(tmp_path / "none.xlsx")
    assert sys.modules["xlsxwriter"]
