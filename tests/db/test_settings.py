"""Settings: who may change them, what is kept of a change, and what two administrators at once see."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event, select

from db import holidays
from db.commands import incidents
from db.commands import settings as commands
from db.engine import DatabaseProblem, make_engine, reading, writing
from db.models import AuditEntry, Setting
from db.queries import settings as queries
from rules.access import Forbidden
from rules.errors import RuleError
from tests.db.office import HOUR, MONDAY, PEOPLE, Office

TARGETS = queries.DEFAULTS["sla.targets"]
FASTER = {"sla.targets": TARGETS | {"3": {"response": 3600, "resolution": 8 * 3600, "calendar": "business"}}}
BUSINESS = queries.DEFAULTS["sla.calendars"]["business"]
NAMED = {"organisation.name": "Clinic"}


@pytest.fixture
def office(engine):
    """An office whose organisation has a name, as every one has that was set up."""
    made = Office(engine)
    change(made, NAMED)
    return made


def change(office, values, *, by="Ada", seen=None, now=MONDAY):
    with writing(office.engine) as db:
        return commands.change(db, values, seen=seen, actor=office.people[by], now=now)


def preview(office, values, *, by="Ada", now=MONDAY):
    with reading(office.engine) as db:
        return commands.preview(db, values, actor=office.people[by], now=now)


def edited(office, by="Ada"):
    with reading(office.engine) as db:
        return queries.editable(db, office.people[by])


def audited(office):
    with reading(office.engine) as db:
        found = select(AuditEntry).where(AuditEntry.action == "settings changed").order_by(AuditEntry.id)
        return list(db.scalars(found))


def known(office):
    with reading(office.engine) as db:
        return queries.policies(db)


def test_what_is_not_set_has_its_default(office):
    assert edited(office).values == {
        **{key: queries.DEFAULTS[key] for key in queries.EDITABLE},
        "organisation.name": "Clinic",
    }
    assert known(office).targets.target(1).resolution == 4 * 3600


def test_a_change_holds_from_the_next_incident_on(office):
    change(office, {"priority.matrix": queries.DEFAULTS["priority.matrix"] | {"22": 1}})
    assert office.incident(office.report(scope="team", effect="partly")).priority == 1


def test_the_policies_cost_one_small_query_and_are_read_anew_only_when_they_changed(office):
    said = []
    event.listen(office.engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    first = known(office)
    assert len([statement for statement in said if statement != "BEGIN"]) == 1
    assert known(office) is first
    change(office, FASTER)
    assert known(office) is not first


@pytest.mark.parametrize("name", [name for name in PEOPLE if name != "Ada"])
def test_only_administrators_see_preview_or_change_settings(office, name):
    for call in (
        lambda: change(office, FASTER, by=name),
        lambda: preview(office, FASTER, by=name),
        lambda: edited(office, by=name),
    ):
        with pytest.raises(Forbidden, match="admin"):
            call()
    assert edited(office).values["sla.targets"] == TARGETS


def test_a_change_is_audited_with_before_and_after(office):
    assert change(office, FASTER | {"organisation.desk_phone": "4444"}) == ["organisation.desk_phone", "sla.targets"]
    entry = audited(office)[-1]
    assert (entry.actor_name, entry.subject) == ("Ada", "organisation.desk_phone, sla.targets")
    assert entry.before == {"organisation.desk_phone": "", "sla.targets": TARGETS}
    assert entry.after == {"organisation.desk_phone": "4444"} | FASTER
    assert (edited(office).changed_by, edited(office).changed_at) == ("Ada", MONDAY)


def test_an_organisation_without_a_name_can_change_the_rest_but_not_take_its_name_away(engine):
    office = Office(engine)
    assert change(office, FASTER) == ["sla.targets"]
    change(office, NAMED)
    with pytest.raises(RuleError, match="Give your organisation's name"):
        change(office, {"organisation.name": ""})


def test_what_stays_the_same_is_no_change(office):
    before = len(audited(office))
    assert change(office, {"sla.targets": dict(TARGETS)}) == []
    assert preview(office, {"sla.targets": dict(TARGETS)}).changes == {}
    assert len(audited(office)) == before


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"setup.code": "x"}, "no setting called"),
        ({"sample_data": True}, "no setting called"),
        ({"sla.targets": {}}, "five priorities"),
        ({"organisation.zone": "Nowhere"}, "Choose a zone"),
        ({"sla.services": {"999": {"1": TARGETS["1"]}}}, "Choose a service"),
        ({"sla.calendars": {"business": BUSINESS | {"country": "XX"}}}, "Choose a country"),
        ({"sla.calendars": {"business": BUSINESS | {"country": "DE", "region": "CA"}}}, "region of Germany"),
        ({"sla.calendars": {}}, "Choose another for it first"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(office, values, says):
    before = edited(office)
    for call in (lambda: change(office, values | {"organisation.desk_phone": "1"}), lambda: preview(office, values)):
        with pytest.raises(RuleError, match=says):
            call()
    assert edited(office) == before


def test_the_second_of_two_administrators_sees_the_first_one_s_change(office):
    office.people["Ben"] = office.people["Ada"]
    seen = {"sla.targets": edited(office).values["sla.targets"]}
    change(office, FASTER, seen=seen)
    finish(office)
    slower = {"sla.targets": TARGETS | {"5": {"response": 3600, "resolution": 8 * 3600, "calendar": "business"}}}
    with pytest.raises(commands.Changed, match="Ada changed these settings while you were editing"):
        change(office, slower, by="Ben", seen=seen)
    assert edited(office).values["sla.targets"] == FASTER["sla.targets"]
    change(office, {"organisation.desk_phone": "5"}, by="Ben", seen={"organisation.desk_phone": ""})


def finish(office, now=MONDAY):
    from worker import policies

    while policies.tick(now, office.engine):
        pass


def test_of_many_changes_at_once_one_is_made_and_the_others_are_told(office):
    together, seen = threading.Barrier(4), {"sla.targets": TARGETS}

    def press(hours):
        together.wait(60)
        target = {"response": 60, "resolution": hours * 3600, "calendar": "always"}
        try:
            return change(office, {"sla.targets": TARGETS | {"5": target}}, seen=seen)
        except RuleError as refused:
            return type(refused).__name__

    before = len(audited(office))
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(press, (20, 30, 40, 50)))
    assert sorted(map(str, got)) == ["Changed", "Changed", "Changed", "['sla.targets']"]
    assert len(audited(office)) == before + 1


def test_public_holidays_move_the_due_time(office):
    own = BUSINESS | {"zone": "Europe/Berlin", "country": "DE", "region": "BY"}
    change(office, {"sla.calendars": {"business": own}})
    targets = known(office).targets
    eve = datetime(2026, 12, 24, 15, tzinfo=UTC)  # 16:00 in Munich: one hour of Christmas Eve, a Thursday, is left
    assert targets.due(3, eve).response_due_at == datetime(2026, 12, 28, 11, tzinfo=UTC)
    epiphany = datetime(2027, 1, 6, 10, tzinfo=UTC)  # closed in Bavaria, open elsewhere
    assert targets.due(3, epiphany).response_due_at == datetime(2027, 1, 7, 12, tzinfo=UTC)


def test_the_next_days_with_other_hours_are_told_with_their_names():
    own = BUSINESS | {"country": "DE", "region": "BY", "exceptions": {"2026-12-24": [["09:00", "12:00"]]}}
    found = queries.odd_days(own, "Europe/Berlin", date(2026, 12, 1), 3)
    assert [(odd.day.isoformat(), odd.hours, odd.name) for odd in found] == [
        ("2026-12-24", ((540, 720),), ""),
        ("2026-12-25", (), "Christmas Day"),
        ("2027-01-01", (), "New Year's Day"),  # the 26th is a Saturday, closed anyway
    ]
    assert queries.odd_days(BUSINESS, "UTC", date(2026, 12, 1)) == []


def test_countries_and_regions_have_names():
    assert holidays.countries()["DE"] == "Germany"
    assert holidays.countries()["BA"] == "Bosnia and Herzegovina"
    assert holidays.regions("US")["CA"] == "California"
    assert holidays.regions("XX") == {}


def test_a_country_that_the_library_no_longer_knows_stops_no_clock(caplog):
    assert date(2026, 1, 1) not in holidays.public("XX", "")
    assert "choose the country again" in caplog.text


def test_the_library_of_holidays_is_not_imported_before_a_calendar_asks_for_a_country():
    code = (
        "import sys; import db.commands.settings, db.queries.settings as q; from datetime import *;"
        "q.of_values({}).targets.due(3, datetime(2026, 3, 2, tzinfo=UTC)); print('holidays' in sys.modules);"
        "q.of_values({'sla.calendars': {'business': q.DEFAULTS['sla.calendars']['business'] | {'country': 'DE'}}})"
        ".targets.due(3, datetime(2026, 3, 2, tzinfo=UTC)); print('holidays' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "True"]


def test_another_service_brings_its_own_target(office):
    own = {str(office.service): {"3": {"response": 600, "resolution": 3600, "calendar": "always"}}}
    change(office, {"sla.services": own})
    incident = office.report(scope="team", effect="partly")
    assert office.incident(incident).resolution_due_at == MONDAY + timedelta(days=2, hours=8)
    with writing(office.engine) as db:
        incidents.prioritise(
            db, incident, None, {"service_id": office.service}, actor=office.people["Lena"], now=MONDAY
        )
    assert office.incident(incident).resolution_due_at == MONDAY + HOUR


def test_a_change_waits_for_no_writer_for_long_and_no_writer_keeps_what_was(postgres_url):
    """Whoever computes by the old policies is through before they change, or the change is not made."""
    engine = make_engine(postgres_url)
    office = Office(engine)
    change(office, NAMED)
    with writing(engine) as db:
        incidents.report(db, title="Mail", affected="Mail", actor=office.people["Rita"], now=MONDAY)
        with pytest.raises(DatabaseProblem, match="try again in a moment"):
            change(office, FASTER)
    assert change(office, FASTER) == ["sla.targets"]
    engine.dispose()


def test_the_sign_in_code_and_the_sample_mark_are_no_business_of_the_screen(office):
    with writing(office.engine) as db:
        db.add(Setting(key="setup.code", value={"hash": "secret"}, changed_at=MONDAY))
    assert "secret" not in str(edited(office))
