"""The queue, each way that it is read: by an index, by a walk in its order, by looking up what few incidents say."""

import itertools
import random

import pytest
from sqlalchemy import select, update

from db.engine import reading, writing
from db.models import QUEUE_DONE, QUEUE_ON_HOLD, Incident
from db.queries import board, triage
from db.queries.triage import Filters
from pages.parts import shapes
from tests.db.office import DAY, HOUR, MONDAY, Office

NOW = MONDAY + 3 * DAY
MANY, FEW = 10_000, 0


@pytest.fixture
def office(engine):
    """Forty incidents in every state of the queue, with and without a team, a person, a category; one is hidden."""
    made, chance = Office(engine), random.Random(7)
    for number in range(40):
        title = f"{'Mail' if number % 3 else 'Printer'} {number} is slow"
        incident = made.report(title, at=MONDAY + number * HOUR, by=chance.choice(("Rita", "Otto")))
        if number % 4:
            team = made.teams[chance.choice(("Network", "Servers"))]
            given = made.triage | {"team_id": team, "impact": chance.randint(1, 3)}
            made.perform(incident, "accept", "Lena", MONDAY + number * HOUR, **given)
    with writing(engine) as db:
        db.execute(update(Incident).where(Incident.id % 5 == 0).values(assignee_id=made.people["Priya"].id))
        db.execute(update(Incident).where(Incident.id % 7 == 0).values(state="on_hold", queue_group=QUEUE_ON_HOLD))
        db.execute(update(Incident).where(Incident.id % 9 == 0).values(service_id=made.service))
        db.execute(update(Incident).where(Incident.id == 6).values(restricted=True, team_id=made.teams["Portal"]))
    return made


def expected(office, filters):
    """The ids in the order of the queue, by reading everything."""
    lead = office.people["Lena"]
    with reading(office.engine) as db:
        kept = [
            one
            for one in db.scalars(select(Incident))
            if not one.restricted
            and (filters.view != "mine" or one.team_id in lead.team_ids or one.assignee_id == lead.id)
            and (filters.view != "new" or one.state == "new")
            and (filters.view != "hold" or one.queue_group == QUEUE_ON_HOLD)
            and (filters.view != "late" or (one.queue_group < QUEUE_ON_HOLD and one.resolution_due_at < NOW))
            and filters.team_id in (None, one.team_id)
            and filters.priority in (None, one.priority)
            and filters.service_id in (None, one.service_id)
            and filters.assignee_id in (None, one.assignee_id)
            and (filters.category_id is None or one.category_pair_id is not None)
            and filters.text.lower() in one.title.lower()
        ]
    return [one.id for one in sorted(kept, key=lambda one: (one.queue_group, one.rank_at, one.reported_at, one.id))]


@pytest.mark.parametrize("dense", [FEW, MANY], ids=["walked", "looked up"])
def test_every_mix_of_filters_gives_the_same_however_it_is_read(office, monkeypatch, dense):
    monkeypatch.setattr(triage, "DENSE", dense)
    lead, network = office.people["Lena"], office.teams["Network"]
    views, priya = ("open", "new", "mine", "late", "hold"), office.people["Priya"].id
    mixes = itertools.product(views, (None, network), (None, 3), (None, 1), (None, priya), ("", "printer"))
    for view, team, priority, category, person, text in mixes:
        filters = Filters(view, text, team, None, priority, category, person)
        wanted = expected(office, filters)
        with reading(office.engine) as db:
            pages = [triage.queue(db, lead, filters, page, NOW) for page in (1, 2)]
        assert [line.id for line in pages[0].lines] == wanted[: triage.PAGE_SIZE], filters
        assert pages[0].total == len(wanted), filters
        if len(wanted) > triage.PAGE_SIZE:
            assert [line.id for line in pages[1].lines] == wanted[triage.PAGE_SIZE :], filters


@pytest.mark.parametrize("dense", [FEW, MANY], ids=["walked", "looked up"])
def test_what_is_over_is_found_too_the_newest_first(office, monkeypatch, dense):
    monkeypatch.setattr(triage, "DENSE", dense)
    lead = office.people["Lena"]
    with writing(office.engine) as db:
        db.execute(update(Incident).where(Incident.id % 2 == 0).values(state="closed", queue_group=QUEUE_DONE))
    with reading(office.engine) as db:
        shown = [triage.queue(db, lead, Filters("all", text), 1, NOW) for text in ("", "printer", "INC-000040")]
        few = triage.queue(db, lead, Filters("all", category_id=1), 1, NOW)
        wanted = select(Incident.id).where(Incident.restricted.is_(False)).order_by(Incident.reported_at.desc())
        everything = list(db.scalars(wanted))
        printers = list(db.scalars(wanted.where(Incident.title.startswith("Printer"))))
    assert [line.id for line in shown[0].lines] == everything[:25]
    assert shown[0].total == len(everything)
    assert [line.id for line in shown[1].lines] == printers
    assert [line.number for line in shown[2].lines] == ["INC-000040"]
    assert {line.state for line in few.lines} > {"closed"}


def test_no_more_is_counted_than_people_page(office, monkeypatch):
    monkeypatch.setattr(triage, "MOST", 10)
    monkeypatch.setattr(triage, "MATCHES", 5)
    lead = office.people["Lena"]
    with reading(office.engine) as db:
        known = triage.tallies(db, lead, NOW)
        assert known["open"] == 11
        whole = triage.queue(db, lead, Filters(), 1, NOW, known=known)
        assert (whole.total, whole.more, len(whole.lines)) == (10, True, 25)
        found = triage.queue(db, lead, Filters(text="mail"), 1, NOW)
        assert (found.total, found.more, len(found.lines)) == (5, True, 6)
        none = triage.queue(db, lead, Filters(text="autoclave"), 9, NOW)
        assert (none.total, none.more, none.lines) == (0, False, [])


@pytest.mark.parametrize("most", [triage.MOST, 7])
def test_the_place_is_exact_as_far_as_people_page_and_beyond_it_says_so(office, monkeypatch, most):
    monkeypatch.setattr(triage, "MOST", most)
    in_order = expected(office, Filters())
    with reading(office.engine) as db:
        places = [triage.place(db, office.people["Lena"], incident) for incident in in_order]
    assert len(in_order) > 7
    assert places == [min(place, most + 1) for place in range(1, len(in_order) + 1)]
    said = shapes.ordinal(most + 1)
    assert said == f"Beyond number {most:,}"


def test_a_page_that_is_not_there_is_the_nearest_or_the_first(office):
    lead = office.people["Lena"]
    with reading(office.engine) as db:
        assert triage.queue(db, lead, Filters(), 9, NOW).first == 26
        assert triage.queue(db, lead, Filters(text="mail"), 9, NOW).first == 1


@pytest.mark.parametrize(
    "given", [{}, {"team": True}, {"priority": 3}, {"team": True, "priority": 3}, {"text": "mail"}]
)
def test_the_board_counts_and_shows_the_first_of_each_state(office, given):
    lead = office.people["Lena"]
    team = office.teams["Network"] if given.get("team") else None
    wanted = expected(office, Filters(team_id=team, priority=given.get("priority"), text=given.get("text", "")))
    with reading(office.engine) as db:
        found = board.board(db, lead, team_id=team, priority=given.get("priority"), text=given.get("text", ""), shown=3)
        states = {one.id: one.state for one in db.scalars(select(Incident))}
    for state in ("new", "assigned", "on_hold"):
        of_state = [number for number in wanted if states[number] == state]
        assert found.counts[state] == len(of_state)
        assert [line.id for line in found.lines[state]] == of_state[:3]
