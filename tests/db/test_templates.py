"""Templates: an administrator keeps them; a report that uses one begins sorted, answered and with its steps."""

import pytest
from sqlalchemy import func, select

from db.commands import catalogue, templates
from db.engine import reading, writing
from db.models import AuditEntry, CategoryPair, Incident, Service, Task, Team, Template
from db.queries import incidents as details
from db.queries import templates as queries
from db.queries import text_search, triage
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import HOUR, MONDAY, Office

NOW = MONDAY + HOUR
QUESTIONS = (
    {"label": "How many?", "kind": "number"},
    {"label": "Which device?", "kind": "choice", "required": True, "options": ["Pump", "Monitor"]},
)
STEPS = ("Look at it", "Call the ward")


@pytest.fixture
def office(engine):
    return Office(engine)


def save(office, template=None, version=None, by="Ada", **given):
    values = {"name": "A device does not work", "questions": QUESTIONS, "checklist": STEPS} | given
    with writing(office.engine) as db:
        return templates.save(db, template, version, **values, actor=office.people[by], now=NOW)


def switch(office, command, template, by="Ada"):
    with writing(office.engine) as db:
        command(db, template, actor=office.people[by], now=NOW)


def kept(office, template):
    with reading(office.engine) as db:
        return queries.one(db, office.people["Ada"], template)


def offered(office):
    with reading(office.engine) as db:
        return {each.name: each for each in queries.offered(db)}


def steps(office, incident):
    with reading(office.engine) as db:
        return list(db.scalars(select(Task.text).where(Task.incident_id == incident).order_by(Task.position)))


def sorted_out(office):
    return {
        "category_pair_id": office.pair, "team_id": office.teams["Network"], "service_id": office.service,
        "impact": 1, "urgency": 2,
    }  # fmt: skip


def test_a_template_is_added_changed_archived_and_brought_back(office):
    template = save(office, **sorted_out(office), description="Pumps, monitors, scanners")
    found = kept(office, template)
    assert found.values == {"name": found.name, "description": "Pumps, monitors, scanners", **sorted_out(office)}
    assert [question["key"] for question in found.questions] == ["how_many", "which_device"]
    assert (found.checklist, found.version) == (list(STEPS), 1)
    assert [question.key for question in offered(office)["A device does not work"].questions] == [
        "which_device", "how_many"
    ]  # fmt: skip
    save(office, template, 1, name="Device", questions=[])
    assert (kept(office, template).version, offered(office)["Device"].questions) == (2, ())
    switch(office, templates.archive, template)
    switch(office, templates.archive, template)
    assert offered(office) == {}
    switch(office, templates.restore, template)
    assert set(offered(office)) == {"Device"}
    with reading(office.engine) as db:
        told = db.execute(select(AuditEntry.action, AuditEntry.subject).order_by(AuditEntry.id)).all()
    assert [tuple(entry) for entry in told] == [
        ("template added", "A device does not work"),
        ("template changed", "Device"),
        ("template archived", "Device"),
        ("template brought back", "Device"),
    ]


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(office):
    template = save(office)
    save(office, template, 1, name="Device")
    with pytest.raises(RuleError, match="Somebody changed it meanwhile"):
        save(office, template, 1, name="Machine")
    assert kept(office, template).name == "Device"


def test_saving_without_a_change_is_no_change(office):
    template = save(office)
    save(office, template, 1, questions=kept(office, template).questions)
    assert kept(office, template).version == 1


def test_everything_wrong_is_named_at_once(office):
    save(office)
    with writing(office.engine) as db:
        db.get_one(Team, office.teams["Portal"]).archived_at = NOW
    with pytest.raises(RuleError) as refused:
        save(
            office, name="a DEVICE does not work", description="x" * 1001, service_id=999, category_pair_id=999,
            team_id=office.teams["Portal"], impact=4, urgency=0, questions=[{"label": ""}], checklist=["x" * 301],
        )  # fmt: skip
    assert set(refused.value.fields) == {
        "name", "description", "service_id", "category_pair_id", "team_id", "impact", "urgency", "questions.0.label",
        "checklist",
    }  # fmt: skip


@pytest.mark.parametrize("who", ["Rita", "Priya", "Lena", "Dora", "Max"])
def test_only_administrators_keep_templates(office, who):
    template = save(office)
    actor = office.people[who]
    with pytest.raises(Forbidden):
        save(office, name="Mine", by=who)
    for command in (templates.archive, templates.restore):
        with pytest.raises(Forbidden):
            switch(office, command, template, who)
    for query in (queries.everything, lambda db, by: queries.one(db, by, template)):
        with pytest.raises(Forbidden), reading(office.engine) as db:
            query(db, actor)
    with pytest.raises(NotFound):
        save(office, 999, 1, name="Another")


def test_a_report_begins_as_its_template_says(office):
    template = save(office, **sorted_out(office))
    number = office.report(
        "Pump beeps", affected="", template_id=template, answers={"which_device": "Pump", "how_many": 2}
    )
    found = office.incident(number)
    assert (found.state, found.priority, found.affected) == ("new", 2, "E-mail")
    assert {name: getattr(found, name) for name in sorted_out(office)} == sorted_out(office)
    assert found.template_id == template
    assert found.answers == [
        {"question": "Which device?", "answer": "Pump"},
        {"question": "How many?", "answer": "2"},
    ]
    assert steps(office, number) == list(STEPS)
    first = office.timeline(number)[0]
    assert (first.text, first.detail, first.public) == ("reported it", "Which device? Pump\nHow many? 2", True)
    with reading(office.engine) as db:
        detail = details.by_number(db, office.people["Rita"], found.number)
    assert detail.answers == (("Which device?", "Pump"), ("How many?", "2"))


def test_what_was_said_and_chosen_goes_before_what_the_template_says(office):
    with writing(office.engine) as db:
        other = Service(name="Printing", impact=3)
        db.add(other)
        db.flush()
        other_id = other.id
    template = save(office, **sorted_out(office) | {"impact": 3, "urgency": 3}, questions=[])
    number = office.report("Nothing works", service_id=other_id, template_id=template, scope="team", effect="stopped")
    found = office.incident(number)
    assert (found.service_id, found.impact, found.urgency) == (other_id, 2, 1)


def test_answers_are_checked_with_everything_else(office):
    template = save(office)
    with pytest.raises(RuleError) as refused:
        office.report(" ", template_id=template, answers={"how_many": "some"})
    assert list(refused.value.fields) == ["title", "answers.which_device", "answers.how_many"]
    with reading(office.engine) as db:
        assert db.scalar(select(func.count()).select_from(Incident)) == 0
        assert db.scalar(select(func.count()).select_from(Task)) == 0


def test_without_a_template_nothing_changes_and_answers_are_not_asked(office):
    found = office.incident(office.report(answers={"x": "y"}))
    assert (found.template_id, found.answers, found.team_id, found.category_pair_id) == (None, None, None, None)
    assert office.timeline(found.id)[0].detail == ""
    with reading(office.engine) as db:
        assert db.scalar(select(func.count()).where(Incident.answers.is_(None))) == 1


@pytest.mark.parametrize("gone", ["archived", "unknown"])
def test_what_is_no_longer_offered_is_chosen_again(office, gone):
    template = save(office)
    switch(office, templates.archive, template)
    with pytest.raises(RuleError) as refused:
        office.report(template_id=template if gone == "archived" else 999)
    assert refused.value.fields == {"template_id": "This is no longer offered. Choose what you need again."}


def test_what_was_archived_since_is_left_out(office):
    template = save(office, **sorted_out(office), questions=[])
    with writing(office.engine) as db:
        for model, row in ((Service, office.service), (CategoryPair, office.pair), (Team, office.teams["Network"])):
            db.get_one(model, row).archived_at = NOW
    found = office.incident(office.report(template_id=template))
    assert (found.service_id, found.category_pair_id, found.team_id, found.impact) == (None, None, None, 1)


def test_the_same_form_twice_makes_one_incident_with_one_checklist(office):
    template = save(office, questions=[])
    numbers = {office.report(template_id=template, form_token="once") for _ in range(2)}
    assert len(numbers) == 1
    assert steps(office, numbers.pop()) == list(STEPS)


def test_the_words_of_the_answers_are_found(office):
    template = save(office, questions=[{"label": "Where?", "kind": "text"}])
    number = office.report(template_id=template, answers={"where": "Behind the autoclave"})
    office.report("Another one")
    with reading(office.engine) as db:
        assert list(db.scalars(text_search.found(db, "autoclav", internal=False))) == [number]
        found = triage.queue(db, office.people["Lena"], triage.Filters(text="autoclave"), 1, NOW)
    assert [line.id for line in found.lines] == [number]


def test_a_team_that_only_the_template_named_hands_nothing_over(office):
    template = save(office, **sorted_out(office), questions=[])
    number = office.report(template_id=template)
    office.perform(number, "accept", "Lena", NOW, team_id=office.teams["Servers"])
    found = office.incident(number)
    assert (found.team_id, found.handovers) == (office.teams["Servers"], 0)
    assert office.timeline(number)[-1].from_team_id is None
    office.perform(number, "assign", "Lena", NOW, team_id=office.teams["Network"])
    assert (office.incident(number).handovers, office.incident(number).ping_pong) == (1, False)
    kept_team = office.report(template_id=template)
    office.perform(kept_team, "accept", "Lena", NOW, team_id=office.teams["Network"])
    assert office.timeline(kept_team)[-1].to_team_id == office.teams["Network"]
    office.perform(kept_team, "assign", "Lena", NOW, team_id=office.teams["Servers"])
    assert office.incident(kept_team).handovers == 1


def test_a_category_names_its_template(office):
    template = save(office)
    with writing(office.engine) as db:
        actor = office.people["Ada"]
        catalogue.save_category(db, office.pair, category="Network", template_id=template, actor=actor, now=NOW)
        with pytest.raises(RuleError, match="Choose a template from the list"):
            catalogue.save_category(db, office.pair, category="Network", template_id=999, actor=actor, now=NOW)
    with reading(office.engine) as db:
        assert queries.of_category(db, office.pair) == ("A device does not work", list(STEPS))
        assert queries.of_category(db, None) is None
    switch(office, templates.archive, template)
    with reading(office.engine) as db:
        assert queries.of_category(db, office.pair) is None
        assert db.scalars(select(Template.checklist)).one() == list(STEPS)
