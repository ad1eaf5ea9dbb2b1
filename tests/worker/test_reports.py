"""Reports leave on time: by each reader's clock, once, the newest after an outage, with what is open to the reader."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import delete, select, text, update

from db.commands import housekeeping, people, report_runs, views
from db.commands import report_schedules as commands
from db.engine import reading, writing
from db.models import Incident, OutboxMessage, TeamMember
from db.queries import digest, notices, report_schedules
from db.queries.report import first_and_last, report
from rules.digest import week
from rules.measures import Filters
from rules.periods import preset
from rules.report_times import KEPT
from tests.db.office import DAY, HOUR, MONDAY
from tests.db.ordered import Ordered
from worker import loop, reports
from worker.reports import Rounds

EIGHT = MONDAY - HOUR
"""08:00 UTC of the office's Monday"""
WEEK = 7 * DAY


@pytest.fixture
def office(engine, monkeypatch):
    monkeypatch.setattr(reports, "TURN_SECONDS", 600)  # however slow the machine is
    return Ordered(engine)


def tick(office, at):
    """Whom what came at this moment."""
    before = len(office.sent())
    assert not Rounds().tick(at, office.engine)
    return office.sent()[before:]


@pytest.mark.parametrize(
    ("zone", "ordered", "due", "words"),
    [
        # Both sides of both changes of the clock.
        ("Europe/Berlin", "2026-03-20T12:00+00:00", "2026-03-23T07:00+00:00", "16 to 22 Mar 2026"),
        ("Europe/Berlin", "2026-03-24T12:00+00:00", "2026-03-30T06:00+00:00", "23 to 29 Mar 2026"),
        ("Europe/Berlin", "2026-10-20T12:00+00:00", "2026-10-26T07:00+00:00", "19 to 25 Oct 2026"),
        ("America/Chicago", "2026-03-03T12:00+00:00", "2026-03-09T13:00+00:00", "2 to 8 Mar 2026"),
        ("America/Chicago", "2026-10-27T12:00+00:00", "2026-11-02T14:00+00:00", "26 Oct to 1 Nov 2026"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_digest_comes_on_monday_at_eight_on_the_clock_of_who_asked(office, zone, ordered, due, words):
    due = datetime.fromisoformat(due)
    office.subscribe("Max", zone, datetime.fromisoformat(ordered))
    assert tick(office, due - timedelta(seconds=1)) == []
    assert tick(office, due) == [("Max", f"Weekly digest: {words}")]
    assert tick(office, due + HOUR) == []
    assert [subject for _, subject in tick(office, due + WEEK)] != []
    assert office.sendings("Max")[0].sent_at == due + WEEK


def test_what_was_sent_is_what_the_screen_showed_at_that_moment_and_stays_so(office):
    for number in range(3):
        office.report(f"Mail {number}", at=EIGHT - (number + 1) * DAY)
    hidden = office.report("Payroll leak", at=EIGHT - DAY)
    with writing(office.engine) as db:
        db.execute(update(Incident).where(Incident.id == hidden).values(restricted=True))
    office.have_sent(office.view("Net", "Max", "period=30"), "Max", "Max", "Lena", zone="Europe/Berlin", at=EIGHT - DAY)
    office.subscribe("Max", "Europe/Berlin", EIGHT - DAY)
    at = EIGHT - HOUR + timedelta(minutes=3)
    assert sorted(tick(office, at)) == [
        ("Lena", "Net: 1 Feb to 2 Mar 2026"),
        ("Max", "Net: 1 Feb to 2 Mar 2026"),
        ("Max", "Weekly digest: 23 Feb to 1 Mar 2026"),
    ]
    max_ = office.people["Max"]
    with reading(office.engine) as db:
        first, _ = first_and_last(db, max_)
        period = preset("30", at, "Europe/Berlin", first)
        shown = report(db, max_, "overview", period, "Europe/Berlin", Filters(), at)
        told = digest.digest(db, max_, week(at, "Europe/Berlin"), "Europe/Berlin", at)
    office.report("Came later, about before", at=EIGHT - 2 * DAY)
    kept = {found.run.name: found.report for found in office.runs("Max")}
    for name, then in (("Net", shown), ("Weekly digest", told)):
        assert list(kept[name].numbers) == list(then.numbers)
        assert [(panel.says, list(panel.rows)) for panel in kept[name].panels] == [
            (panel.says, list(panel.rows)) for panel in then.panels
        ]
        assert (kept[name].as_of, kept[name].filters, kept[name].zone) == (at, Filters(), "Europe/Berlin")
    assert kept["Net"].numbers[0].value == 3, "not the restricted one"


def test_each_gets_the_numbers_that_are_open_to_them(office):
    office.report("Mail", at=EIGHT - DAY)
    hidden = office.report("Payroll leak", at=EIGHT - DAY)
    with writing(office.engine) as db:
        db.execute(
            update(Incident).where(Incident.id == hidden).values(restricted=True, assignee_id=office.people["Lena"].id)
        )
    office.have_sent(office.view("Net", "Max"), "Max", "Max", "Lena", at=EIGHT - DAY)
    tick(office, EIGHT)
    assert {who: office.runs(who)[0].report.numbers[0].value for who in ("Max", "Lena")} == {"Max": 1, "Lena": 2}
    with reading(office.engine) as db:
        bodies = [told.body for told in notices.own(db, office.people["Max"])[0]]
    assert "Opened: 1" in bodies[0]
    assert "Max" not in bodies[0]
    assert office.runs("Lena")[0].report.panels


def test_an_incident_that_is_restricted_later_is_not_told_again(office):
    number = office.incident(office.report("Payroll leak", at=EIGHT - DAY)).number
    with writing(office.engine) as db:
        db.execute(update(Incident).values(resolution_due_at=EIGHT - DAY))
    office.subscribe("Max", at=EIGHT - DAY)
    tick(office, EIGHT)

    def named():
        [breaches] = [panel for panel in office.runs("Max")[0].report.panels if panel.key == "breaches"]
        return [(row["number"], row["title"]) for row in breaches.rows]

    assert named() == [(number, "Payroll leak")]
    with writing(office.engine) as db:
        db.execute(update(Incident).values(restricted=True))
    assert named() == [(number, "Not open to you")]
    with reading(office.engine) as db:
        [told] = notices.own(db, office.people["Max"])[0]
    assert number in told.body
    assert "Payroll" not in told.body


def test_after_an_outage_the_newest_comes_once_and_nothing_that_is_more_than_three_days_late(office, monkeypatch):
    office.subscribe("Max", at=EIGHT - DAY)
    with monkeypatch.context() as patched:
        patched.setattr(report_schedules, "made", None)  # what is too late is not computed either
        assert tick(office, EIGHT + 3 * WEEK + 3 * DAY + HOUR) == [], "the newest is more than three days old"
    assert office.sendings("Max")[0].next_at == EIGHT + 4 * WEEK
    assert tick(office, EIGHT + 4 * WEEK + 2 * DAY) == [("Max", "Weekly digest: 23 to 29 Mar 2026")]
    assert tick(office, EIGHT + 4 * WEEK + 3 * DAY) == []
    assert office.sendings("Max")[0].next_at == EIGHT + 5 * WEEK
    assert tick(office, EIGHT + 8 * WEEK + HOUR) == [("Max", "Weekly digest: 20 to 26 Apr 2026")], "once, the newest"
    assert tick(office, EIGHT + 8 * WEEK + 2 * HOUR) == []


def test_a_report_that_was_made_by_rights_that_its_reader_lost_meanwhile_is_made_anew(office):
    """Whoever leaves a team between the making and the sending is not told what only the team may know."""
    office.report("Mail", at=EIGHT - DAY)
    hidden = office.report("Payroll leak", at=EIGHT - DAY)
    with writing(office.engine) as db:
        own = {"restricted": True, "team_id": office.teams["Network"]}
        db.execute(update(Incident).where(Incident.id == hidden).values(own))
    office.have_sent(office.view("Net", "Lena"), "Lena", "Lena", at=EIGHT - DAY)
    lena = office.people["Lena"].id
    with reading(office.engine) as db:
        schedule, _ = report_schedules.due_by(db, EIGHT, 1, [])[0]
        due = report_schedules.due(db, schedule, lena)
        made = report_schedules.made(db, due.reader, due.address, due.times.zone, EIGHT)
    assert made.numbers[0].value == 2
    with writing(office.engine) as db:
        db.execute(delete(TeamMember).where(TeamMember.person_id == lena))
    with writing(office.engine) as db:
        assert not report_runs.send(db, due, lena, made, now=EIGHT)
    assert office.sent() == []
    tick(office, EIGHT)
    assert office.runs("Lena")[0].report.numbers[0].value == 1


def test_another_reader_takes_away_nothing_that_is_due_to_the_first_one(office):
    view = office.view("Net", "Max")
    office.have_sent(view, "Max", "Max", at=EIGHT - DAY)
    office.have_sent(view, "Max", "Max", "Lena", at=EIGHT + HOUR)  # while no worker runs
    assert [who for who, _ in tick(office, EIGHT + 2 * HOUR)] == ["Max"]
    assert sorted(who for who, _ in tick(office, EIGHT + WEEK)) == ["Lena", "Max"]
    office.have_sent(view, "Max", "Max", "Lena", hour=9, at=EIGHT + 2 * WEEK)
    assert tick(office, EIGHT + 2 * WEEK) == [], "at another hour it is due at that"


def test_several_workers_send_each_once(office):
    names = ("Max", "Lena", "Dora", "Ada")
    for name in names:
        office.subscribe(name, at=EIGHT - DAY)
    together = threading.Barrier(3)

    def work(_number):
        together.wait(60)
        Rounds().tick(EIGHT, office.engine)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    tick(office, EIGHT)  # what a worker skipped because another was at it
    assert sorted(who for who, _ in office.sent()) == sorted(names)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_orders_another_report_does_not_wait_for_the_one_that_is_being_sent(office):
    max_ = office.people["Max"].id
    office.subscribe("Max", at=EIGHT - DAY)
    with writing(office.engine) as sending:
        sending.execute(text("select 1 from person where id = :id for key share"), {"id": max_})  # as its run does
        with writing(office.engine) as db:
            db.execute(text("set local lock_timeout = '500ms'"))
            commands.subscribe(db, "Europe/Berlin", actor=office.people["Max"], now=EIGHT)
    assert office.sendings("Max")[0].times.zone == "Europe/Berlin"


def test_who_lost_the_right_or_the_account_gets_none_and_others_do(office):
    office.have_sent(office.view("Net", "Ada", shared=True), "Ada", "Ada", "Max", "Dora", "Lena", at=EIGHT - DAY)
    office.subscribe("Max", at=EIGHT - DAY)
    office.take_role("Max", "manager")
    with writing(office.engine) as db:
        people.disable(db, office.people["Dora"].id, actor=office.people["Ada"], now=EIGHT)
    assert sorted(who for who, _ in tick(office, EIGHT)) == ["Ada", "Lena"]
    office.take_role("Ada", "admin")  # whoever may not read it does not send it either
    assert tick(office, EIGHT + WEEK) == []
    assert office.due()[0] > EIGHT + WEEK, "it is passed over, not tried again and again"


def test_who_may_send_to_nobody_else_any_more_still_gets_it_alone(office):
    office.have_sent(office.view("Net", "Lena"), "Lena", "Lena", "Max", at=EIGHT - DAY)
    lena = {"name": "Lena", "roles": ["desk"], "team_ids": []}
    with writing(office.engine) as db:
        people.change(db, office.people["Lena"].id, **lena, actor=office.people["Ada"], now=EIGHT)
    assert [who for who, _ in tick(office, EIGHT)] == ["Lena"]


def test_a_view_that_is_not_shared_any_more_is_not_sent_by_others(office):
    view = office.view("Net", "Max", shared=True)
    office.have_sent(view, "Ada", "Ada", at=EIGHT - DAY)
    with writing(office.engine) as db:
        views.offer(db, view, False, actor=office.people["Max"], now=EIGHT - DAY)
    assert tick(office, EIGHT) == []


def test_one_that_fails_is_tried_again_later_and_does_not_hold_up_the_rest(office, monkeypatch, caplog):
    office.have_sent(office.view("Net", "Max"), "Max", "Max", at=EIGHT - DAY)
    office.subscribe("Lena", at=EIGHT - DAY)
    whole = digest.digest

    def broken(*_given):
        raise ZeroDivisionError

    monkeypatch.setattr(digest, "digest", broken)
    rounds = Rounds()
    rounds.tick(EIGHT, office.engine)
    assert [who for who, _ in office.sent()] == ["Max"]
    assert "could not be sent" in caplog.text
    monkeypatch.setattr(digest, "digest", whole)
    rounds.tick(EIGHT + timedelta(seconds=2), office.engine)
    assert len(office.sent()) == 1, "not at once again"
    rounds.tick(EIGHT + timedelta(minutes=6), office.engine)
    assert [who for who, _ in office.sent()] == ["Max", "Lena"]


def test_a_turn_is_short_and_says_when_more_is_left(office, monkeypatch):
    for name in ("Max", "Lena"):
        office.subscribe(name, at=EIGHT - DAY)
    monkeypatch.setattr(reports, "TURN_SECONDS", 0)
    assert [Rounds().tick(EIGHT, office.engine) for _ in range(3)] == [True, False, False]
    assert len(office.sent()) == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_leaves_by_mail_with_a_way_to_it_and_a_way_out(office, mailbox):
    office.report("Mail <b>is</b> slow", at=EIGHT - DAY)
    office.subscribe("Max", at=EIGHT - DAY)
    loop.tick(EIGHT, office.engine)
    [mail] = mailbox.received
    assert mail["Subject"] == "Weekly digest: 23 Feb to 1 Mar 2026"
    plain, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    [found] = office.runs("Max")
    address = f"https://desk.example/reports?run={found.run.id}"
    for words in (plain, html):
        assert "Opened: 1" in words
        assert address in words
        assert "End it under Weekly digest" in words
        assert "No more of these" not in words, "that would end all other notices too"
        assert "No more of this report" in words
    way_out = str(mail["List-Unsubscribe"])
    assert way_out.startswith("<https://desk.example/leave/report/")
    assert way_out.strip("<>") in plain
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    sheet, table = mail.iter_attachments()
    assert sheet.get_filename() == "digest-2026-02-23-to-2026-03-01-UTC.xlsx"
    assert [row[1].value for row in load_workbook(io.BytesIO(sheet.get_content()))["Numbers"].iter_rows()][-6] == 1
    assert "Opened,1,incidents,1" in table.get_content()
    with reading(office.engine) as db:
        [told] = notices.own(db, office.people["Max"])[0]
        assert told.run == found.run.id


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_waits_for_the_mail_server_does_not_leave_to_who_lost_the_right(office, mailbox):
    office.subscribe("Max", at=EIGHT - DAY)
    tick(office, EIGHT)
    office.take_role("Max", "manager")
    loop.tick(EIGHT, office.engine)
    assert mailbox.received == []
    with reading(office.engine) as db:
        assert db.scalars(select(OutboxMessage.cancelled_why)).all() == ["They may not read trends any more."]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_waits_for_the_mail_server_does_not_leave_to_who_left_the_report(office, mailbox):
    office.have_sent(office.view("Net", "Max"), "Max", "Lena", "Dora", at=EIGHT - DAY)
    tick(office, EIGHT)
    office.leave("Lena")
    loop.tick(EIGHT, office.engine)
    assert [mail["To"] for mail in mailbox.received] == ["Dora <dora@example.org>"]
    with reading(office.engine) as db:
        stopped = db.scalars(select(OutboxMessage.cancelled_why).where(OutboxMessage.cancelled_at.is_not(None))).all()
    assert stopped == ["They do not get this report any more."]


def test_without_a_channel_it_stands_in_messages(office):
    office.subscribe("Max", at=EIGHT - DAY)
    tick(office, EIGHT)
    with reading(office.engine) as db:
        assert db.scalars(select(OutboxMessage.id)).all() == []
        [told] = notices.own(db, office.people["Max"])[0]
    assert told.subject == "Weekly digest: 23 Feb to 1 Mar 2026"


def test_what_was_sent_is_kept_for_a_year_and_a_month(office):
    office.subscribe("Max", at=EIGHT - DAY)
    tick(office, EIGHT)
    for at, left in ((EIGHT + KEPT, 1), (EIGHT + KEPT + HOUR, 0)):
        with writing(office.engine) as db:
            housekeeping.tidy(db, at)
        assert len(office.runs("Max")) == left
