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
        views.remove(db, view, actor=office.people["Max"], now=MONDAY)
    assert office.sendings("Max") == []
    assert not Rounds().tick(MONDAY + 8 * DAY, office.engine)
    assert office.sent() == []


@pytest.mark.parametrize("how", ["removed", "offered no more"])
def test_others_who_have_a_view_sent_are_told_when_it_is_removed_or_offered_no_more(office, how):
    view, max_ = office.view("Month", "Max", shared=True), office.people["Max"]
    office.have_sent(view, "Max", "Max", "Dora")
    office.have_sent(view, "Lena", "Lena", "Ada")
    office.have_sent(view, "Dora", "Dora", every="month", weekday=None, hour=7)
    with reading(office.engine) as db:
        assert {one.name: one.sent_by_others for one in report_schedules.saved(db, max_)[0]} == {"Month": 2}
        assert [one.sent_by_others for one in report_schedules.saved(db, office.people["Ada"])[0]] == [0]
    with writing(office.engine) as db:
        if how == "removed":
            views.remove(db, view, actor=max_, now=MONDAY + HOUR)
        else:
            views.offer(db, view, False, actor=max_, now=MONDAY + HOUR)
    assert office.sendings("Lena") == office.sendings("Ada") == []
    assert [one.readers for one in office.sendings("Max")] == ([] if how == "removed" else [("Dora", "Max")])
    told = {who: office.told_of(who, "report_ended") for who in ("Lena", "Dora", "Max", "Ada")}
    assert {who: [subject for subject, _ in found] for who, found in told.items()} == {
        "Lena": ["'Month' is not sent any more"], "Dora": ["'Month' is not sent any more"], "Max": [], "Ada": [],
    }  # fmt: skip
    [(_, words)] = told["Lena"]
    assert words.startswith("Max removed the view." if how == "removed" else "Max does not offer the view to others")
    assert "Your sending every Monday at 08:00 (UTC) to Ada, Lena has ended." in words
    ended = [who for who, what, about in office.audited() if what == "report sending ended" and about == "Month"]
    assert ended == ["Max"] * (3 if how == "removed" else 2)


def test_a_view_that_others_have_sent_is_not_taken_back_by_keeping_it_anew(office):
    view = office.view("Month", "Max", shared=True)
    office.have_sent(view, "Lena", "Lena")
    with pytest.raises(RuleError, match="1 other has 'Month' sent") as refused:
        office.view("Month", "Max", "period=7")
    assert "name" in refused.value.fields
    assert office.view("Month", "Max", "period=7", shared=True) == view
    assert [one.name for one in office.sendings("Lena")] == ["Month"]
    office.end("Lena")
    assert office.view("Month", "Max", "period=7") == view


@pytest.mark.parametrize("what", ["account", "right to trends", "right to send"])
def test_who_may_send_to_others_no_more_sends_to_nobody_else_and_readers_are_told(office, what):
    ada, max_ = office.people["Ada"], office.people["Max"]
    shared, own = office.view("Month", "Max", shared=True), office.view("Mine", "Max")
    office.have_sent(shared, "Max", "Max", "Dora")
    office.have_sent(own, "Max", "Dora", "Lena")
    office.have_sent(shared, "Lena", "Lena", "Dora")
    with writing(office.engine) as db:
        if what == "account":
            people.disable(db, max_.id, actor=ada, now=MONDAY)
        else:
            roles = ["desk"] if what == "right to send" else ["responder"]
            people.change(db, max_.id, name="Max", roles=roles, team_ids=[], actor=ada, now=MONDAY)
    assert [(one.owner, one.name) for one in office.sendings("Dora")] == [("Lena", "Month")], "hers goes on"
    why = "The account of Max is closed." if what == "account" else "Max may not have reports sent to others any more."
    told = {who: office.told_of(who, "report_ended") for who in ("Dora", "Lena", "Max")}
    assert {who: [subject for subject, _ in found] for who, found in told.items()} == {
        "Dora": ["'Month' is not sent to you any more", "'Mine' is not sent to you any more"],
        "Lena": ["'Mine' is not sent to you any more"],
        "Max": [],
    }
    assert {words.partition(why)[1] for _, words in told["Dora"]} == {why}
    assert [(who, what) for who, what, about in office.audited() if who == "Ada" and "report" in what] == [
        ("Ada", "report sending set"), ("Ada", "report sending ended"),
    ]  # fmt: skip
    Rounds().tick(MONDAY + 7 * DAY, office.engine)
    sent = {"Lena", "Dora"} | ({"Max"} if what == "right to send" else set())
    assert {who for who, _ in office.sent()} == sent
    with reading(office.engine) as db:
        shown = [(one.name, one.closed) for one in report_schedules.saved(db, office.people["Lena"])[0]]
    assert shown == [("Month", what == "account")]
    if what == "account":
        with writing(office.engine) as db:
            people.enable(db, max_.id, actor=ada, now=MONDAY + 7 * DAY)
        assert [(one.name, one.readers) for one in office.sendings("Max")] == [("Month", ("Max",))], "their own waited"


def test_what_is_sent_to_me_and_views_come_in_pages(office):
    names = [f"View {number:02d}" for number in range(27)]
    for name in names:
        office.have_sent(office.view(name, "Max", shared=True), "Max", "Lena")
    office.have_sent(office.view("Mine", "Lena"), "Lena", "Lena")
    office.subscribe("Lena")
    lena = office.people["Lena"]
    with reading(office.engine) as db:
        (first, total), (second, _) = (report_schedules.sent_to(db, lena, page) for page in (1, 2))
        assert [one.name for one in [*first, *second]] == [*names, "Weekly digest"], "not what only she has sent"
        assert (len(first), total) == (25, 28)
        assert report_schedules.sent_to(db, lena, 99)[0] == second, "past the last page is the last one"
        (first_views, all_views), (rest, _) = (report_schedules.saved(db, lena, page) for page in (1, 2))
        assert [one.name for one in [*first_views, *rest]] == ["Mine", *names]
        assert (len(first_views), all_views) == (25, 28)


def test_a_view_is_offered_and_taken_back_by_its_owner_alone(office):
    view = office.view("Month", "Max")
    for shared, seen in ((True, ["Month"]), (False, [])):
        with writing(office.engine) as db:
            views.offer(db, view, shared, actor=office.people["Max"], now=MONDAY)
        with reading(office.engine) as db:
            assert [found.name for found in report_schedules.saved(db, office.people["Ada"])[0]] == seen
    with pytest.raises(NotFound), writing(office.engine) as db:
        views.offer(db, view, True, actor=office.people["Ada"], now=MONDAY)


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
