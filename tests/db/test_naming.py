"""Restricted incidents: those named on one see it, others never do."""

import pytest

from db.commands import incidents, naming
from db.engine import reading, writing
from db.models import Follower
from db.queries import access as queries
from db.queries import incidents as incident_queries
from db.queries import triage
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import HOUR, MONDAY, Office

NOW = MONDAY + HOUR


@pytest.fixture
def office(engine):
    return Office(engine)


@pytest.fixture
def secret(office):
    number = office.report("Salaries can be read", by="Otto")
    with writing(office.engine) as db:
        incidents.prioritise(db, number, 1, {"restricted": True}, actor=office.people["Lena"], now=NOW)
    return number


def _sees(office, who, number):
    actor = office.people[who]
    with reading(office.engine) as db:
        kept = office.incident(number).number
        try:
            incident_queries.by_number(db, actor, kept)
        except NotFound:
            return False
        return True


def _name(office, number, who, by="Lena"):
    with writing(office.engine) as db:
        naming.name(db, number, office.people[who].id, actor=office.people[by], now=NOW)


def _unname(office, number, who, by="Lena"):
    with writing(office.engine) as db:
        naming.unname(db, number, office.people[who].id, actor=office.people[by], now=NOW)


def test_a_name_opens_it_and_taking_it_off_closes_it_again(office, secret):
    assert [_sees(office, who, secret) for who in ("Otto", "Lena", "Dora", "Priya", "Rita")] == [
        True, True, False, False, False
    ]  # fmt: skip
    _name(office, secret, "Dora")
    _name(office, secret, "Dora")
    _name(office, secret, "Rita")
    assert _sees(office, "Dora", secret)
    assert _sees(office, "Rita", secret)
    with reading(office.engine) as db:
        assert list(queries.named_on(db, secret).values()) == ["Dora", "Lena", "Rita"]
        assert triage.queue(db, office.people["Dora"], triage.Filters(), 1, NOW).total == 1
    _unname(office, secret, "Dora")
    assert not _sees(office, "Dora", secret)
    with reading(office.engine) as db:
        assert triage.queue(db, office.people["Dora"], triage.Filters(), 1, NOW).total == 0
    told = [entry.text for entry in office.timeline(secret) if entry.kind == "named"]
    assert told == ["named Dora, who may see it now", "named Rita, who may see it now",
                    "took Dora off those who may see it"]  # fmt: skip
    assert not any(entry.public for entry in office.timeline(secret) if entry.kind == "named")


def test_only_those_who_triage_and_see_it_name_others(office, secret):
    with pytest.raises(NotFound):
        _name(office, secret, "Rita", by="Dora")
    _name(office, secret, "Priya")
    with pytest.raises(Forbidden):
        _name(office, secret, "Rita", by="Priya")


def test_nobody_is_named_on_what_is_open_and_nobody_unknown(office, secret):
    number = office.report()
    with pytest.raises(RuleError, match="not restricted"):
        _name(office, number, "Rita")
    with pytest.raises(RuleError, match="Choose a person"), writing(office.engine) as db:
        naming.name(db, secret, 999, actor=office.people["Lena"], now=NOW)


def test_the_reporter_stays_a_follower(office, secret):
    _name(office, secret, "Otto")
    _unname(office, secret, "Otto")
    with reading(office.engine) as db:
        kept = db.get(Follower, (secret, office.people["Otto"].id))
    assert kept is not None
    assert not kept.named
