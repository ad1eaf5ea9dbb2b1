"""Having reports sent: to oneself by anybody who reads trends, to others by those who may; all of it audited."""

import pytest

from db.commands import people, views
from db.engine import reading, writing
from db.queries import report_runs, report_schedules
from db.queries.people import who_may
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import DAY, HOUR, MONDAY
from tests.db.ordered import Ordered
from worker.reports import Rounds


@pytest.fixture
def office(engine):
    return Ordered(engine)


def test_who_reads_trends_has_the_digest_sent_once_and_ends_it(office):
    office.subscribe("Max", "Europe/Berlin")
    office.subscribe("Max", "America/Chicago")  # again: by another clock
    [found] = office.sendings("Max")
    assert (found.name, found.own, found.mine, found.readers) == ("Weekly digest", True, True, ("Max",))
    assert found.times.words == "every Monday at 08:00 (America/Chicago)"
    assert found.next_at == MONDAY + 5 * HOUR
    office.unsubscribe("Max")
    office.unsubscribe("Max")
    assert office.sendings("Max") == []
    assert office.audited() == [
        ("Max", "report sending set", "Weekly digest"),
        ("Max", "report sending set", "Weekly digest"),
        ("Max", "report sending ended", "Weekly digest"),
    ]


@pytest.mark.parametrize("who", ["Rita", "Priya"])
def test_who_may_not_read_trends_has_nothing_sent(office, who):
    with pytest.raises(Forbidden):
        office.subscribe(who)
    with pytest.raises(Forbidden):
        office.sendings(who)


def test_a_view_is_sent_to_oneself_or_by_leads_managers_and_administrators_to_others(office):
    shared = office.view("Month", "Max", shared=True)
    office.have_sent(shared, "Dora", "Dora", every="month", weekday=None, hour=7)
    office.have_sent(shared, "Max", "Max", "Lena", "Ada")
    office.have_sent(shared, "Max", "Lena", "Dora", hour=9)  # again: to others, at another hour
    with pytest.raises(Forbidden):
        office.have_sent(shared, "Dora", "Dora", "Max")
    for readers, why in (((), "Choose who"), (("Max", "Priya"), "may read trends"), (("Rita",), "may read trends")):
        with pytest.raises(RuleError, match=why) as refused:
            office.have_sent(shared, "Max", *readers)
        assert "readers" in refused.value.fields
    [max_] = office.sendings("Max")
    assert (max_.readers, max_.mine, max_.next_at) == (("Dora", "Lena"), False, MONDAY + 7 * DAY)
    own, by_max = sorted(office.sendings("Dora"), key=lambda one: not one.own)
    assert (own.times.words, own.readers) == ("every month on the 1st at 07:00 (UTC)", ("Dora",))
    assert (by_max.owner, by_max.own, by_max.readers) == ("Max", False, ("Dora",)), "who else reads it is not told"
    with reading(office.engine) as db:
        assert list(report_schedules.may_read(db, office.people["Dora"]).values()) == ["Dora"]
        assert list(report_schedules.may_read(db, office.people["Max"]).values()) == ["Ada", "Dora", "Lena", "Max"]


def test_what_is_sent_stands_by_its_name_the_digest_among_the_views(office):
    for name in ("Zone", "Network"):
        office.have_sent(office.view(name, "Max"), "Max", "Max")
    office.subscribe("Max")
    assert [sending.name for sending in office.sendings("Max")] == ["Network", "Weekly digest", "Zone"]


def test_a_view_that_is_not_ones_own_and_not_shared_is_not_there(office):
    private, triage = office.view("Mine", "Max"), None
    with writing(office.engine) as db:
        triage = views.save(db, "triage", "Queue", "", True, actor=office.people["Lena"], now=MONDAY).id
    for view in (private, triage, 999):
        with pytest.raises(NotFound):
            office.have_sent(view, "Lena", "Lena")


def test_a_reader_leaves_and_with_the_last_one_it_ends(office):
    office.have_sent(office.view("Month", "Max"), "Max", "Dora", "Lena")
    with pytest.raises(NotFound):
        office.end("Dora")
    office.leave("Dora")
    assert office.sendings("Dora") == []
    office.leave("Lena")
    assert office.sendings("Max") == []
    assert [what for _, what, _ in office.audited()] == [
        "report sending set", "report sending set", "report sending ended",
    ]  # fmt: skip


def test_what_sends_a_view_ends_with_it(office):
    view = office.view("Month", "Max")
    office.have_sent(view, "Max", "Max")
    with writing(office.engine) as db:
        views.remove(db, view, actor=office.people["Max"])
    assert office.sendings("Max") == []
    assert not Rounds().tick(MONDAY + 8 * DAY, office.engine)
    assert office.sent() == []


def test_a_view_is_offered_and_taken_back_by_its_owner_alone(office):
    view = office.view("Month", "Max")
    for shared, seen in ((True, ["Month"]), (False, [])):
        with writing(office.engine) as db:
            views.offer(db, view, shared, actor=office.people["Max"])
        with reading(office.engine) as db:
            assert [found.name for found in report_schedules.saved(db, office.people["Ada"])] == seen
    with pytest.raises(NotFound), writing(office.engine) as db:
        views.offer(db, view, True, actor=office.people["Ada"])


@pytest.mark.parametrize("days", ["from=2026-04-01&to=2026-04-30", "from=0001-01-01&to=9999-12-31"])
def test_a_view_of_days_that_cannot_be_told_of_yet_is_sent_for_the_usual_period(office, days):
    office.report(at=MONDAY - DAY)
    reader, now = office.people["Max"], MONDAY + HOUR
    with reading(office.engine) as db:
        found = report_schedules.made(db, reader, f"period=own&{days}", "Asia/Tokyo", now)
    assert (found.end, (found.end - found.start).days, found.numbers[0].value) == (now, 89, 1)


def test_what_was_sent_opens_for_its_reader_alone_while_they_may_read_trends(office):
    office.subscribe("Max")
    Rounds().tick(MONDAY + 7 * DAY, office.engine)
    [found] = office.runs("Max")
    with reading(office.engine) as db:
        with pytest.raises(NotFound):
            report_runs.one(db, office.people["Ada"], found.run.id)
        with pytest.raises(Forbidden):
            report_runs.one(db, office.people["Rita"], found.run.id)


def test_who_may_do_something_are_those_with_an_account_and_a_role(office):
    with writing(office.engine) as db:
        people.disable(db, office.people["Max"].id, actor=office.people["Ada"], now=MONDAY)
    with reading(office.engine) as db:
        assert list(who_may(db, "trends").values()) == ["Ada", "Dora", "Lena"]
