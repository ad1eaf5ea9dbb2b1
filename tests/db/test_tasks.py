"""The checklist of an incident: who may change it, what the timeline tells, and that two at once lose nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from db.commands import tasks, templates
from db.engine import reading, writing
from db.models import CategoryPair, Task
from db.queries import incidents as details
from db.queries import tasks as queries
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import HOUR, MONDAY, Office

NOW = MONDAY + HOUR


@pytest.fixture
def office(engine):
    return Office(engine)


def do(office, command, *given, by="Priya"):
    with writing(office.engine) as db:
        command(db, *given, actor=office.people[by], now=NOW)


def checklist(office, incident, by="Priya"):
    with reading(office.engine) as db:
        detail = details.by_number(db, office.people[by], office.incident(incident).number)
        return queries.checklist(db, office.people[by], detail)


def with_steps(office, *steps):
    number = office.report()
    for step in steps:
        do(office, tasks.add, number, step)
    return number, [step.id for step in checklist(office, number).steps]


def with_category(office, *steps):
    """The template of the office's category, and an incident of that category."""
    with writing(office.engine) as db:
        template = templates.save(db, None, name="Mail", checklist=steps, actor=office.people["Ada"], now=NOW)
        db.get_one(CategoryPair, office.pair).template_id = template
    number = office.report()
    office.perform(number, "accept", "Lena", NOW, **office.triage)
    return number


def test_steps_are_added_ticked_and_put_back(office):
    number, (first, second) = with_steps(office, "Look  at it", "Call")
    before = office.incident(number).version
    do(office, tasks.tick, number, second, True)
    do(office, tasks.tick, number, second, True, by="Lena")
    found = checklist(office, number)
    assert [(step.text, step.done_by) for step in found.steps] == [("Look at it", None), ("Call", "Priya")]
    assert (found.steps[1].done_at, found.waiting) == (NOW, 1)
    do(office, tasks.tick, number, second, False, by="Lena")
    do(office, tasks.remove, number, first)
    do(office, tasks.remove, number, first)
    assert [(step.text, step.done_at) for step in checklist(office, number).steps] == [("Call", None)]
    told = [(entry.actor_name, entry.text, entry.public) for entry in office.timeline(number) if entry.kind == "task"]
    assert told == [
        ("Priya", "added the step 'Look at it'", False),
        ("Priya", "added the step 'Call'", False),
        ("Priya", "did 'Call'", False),
        ("Lena", "put back 'Call': still to do", False),
        ("Priya", "removed the step 'Look at it'", False),
    ]
    assert office.incident(number).version == before, "ticking takes nobody's form away"


def test_what_is_done_stays_on_the_list(office):
    number, (step,) = with_steps(office, "Call")
    do(office, tasks.tick, number, step, True)
    with pytest.raises(RuleError, match="done already"):
        do(office, tasks.remove, number, step)


def test_a_step_is_not_added_twice_while_it_is_to_do(office):
    number, (step,) = with_steps(office, "Call", "Call")
    do(office, tasks.tick, number, step, True)
    do(office, tasks.add, number, "Call")
    assert len(checklist(office, number).steps) == 2


@pytest.mark.parametrize(
    ("step", "sentence"),
    [(" ", "Write the step."), ("x" * 301, "Shorten the step to 300 characters; it has 301.")],
)
def test_a_step_that_says_nothing_or_too_much_is_refused(office, step, sentence):
    number = office.report()
    with pytest.raises(RuleError) as refused:
        do(office, tasks.add, number, step)
    assert refused.value.fields == {"step": sentence}


def test_a_checklist_ends_somewhere(office, monkeypatch):
    monkeypatch.setattr(tasks, "MOST_TASKS", 2)
    number, _ = with_steps(office, "One", "Two")
    with pytest.raises(RuleError, match="at most 2 steps"):
        do(office, tasks.add, number, "Three")


def test_the_checklist_of_its_category_is_offered_and_added_once(office):
    number = with_category(office, "Restart", "Call")
    do(office, tasks.add, number, "Call")
    assert checklist(office, number).offered == "Mail"
    do(office, tasks.add_checklist, number)
    do(office, tasks.add_checklist, number)
    found = checklist(office, number)
    assert ([step.text for step in found.steps], found.offered) == (["Call", "Restart"], None)
    assert [entry.text for entry in office.timeline(number)][-1] == "added the checklist 'Mail'"


def test_without_a_checklist_there_is_nothing_to_add(office):
    number = office.report()
    assert checklist(office, number).offered is None
    with pytest.raises(RuleError, match="No checklist goes with its category"):
        do(office, tasks.add_checklist, number)


@pytest.mark.parametrize(
    ("who", "refusal"),
    [("Rita", Forbidden), ("Otto", NotFound), ("Max", Forbidden), ("Ada", NotFound)],
)
def test_those_who_do_not_work_on_it_change_nothing(office, who, refusal):
    number, (step,) = with_steps(office, "Call")
    for command, given in (
        (tasks.tick, (step, True)), (tasks.add, ("More",)), (tasks.remove, (step,)), (tasks.add_checklist, ()),
    ):  # fmt: skip
        with pytest.raises(refusal):
            do(office, command, number, *given, by=who)
    assert [step.done_at for step in checklist(office, number, "Max").steps] == [None]
    assert checklist(office, number, "Rita").steps == ()


@pytest.mark.parametrize("who", ["Priya", "Sam", "Lena", "Dora"])
def test_those_who_work_on_it_tick(office, who):
    number, (step,) = with_steps(office, "Call")
    do(office, tasks.tick, number, step, True, by=who)
    assert checklist(office, number).steps[0].done_by == who


def test_a_restricted_incident_keeps_its_steps_to_its_own(office):
    number, (step,) = with_steps(office, "Call")
    office.perform(number, "accept", "Lena", NOW, **office.triage, restricted=True)
    with pytest.raises(NotFound):
        do(office, tasks.tick, number, step, True, by="Sam")
    do(office, tasks.tick, number, step, True, by="Priya")


def test_the_step_of_another_incident_is_not_ticked_through_this_one(office):
    _, (step,) = with_steps(office, "Call")
    with pytest.raises(NotFound, match="removed meanwhile"):
        do(office, tasks.tick, office.report(), step, True)


def test_two_who_tick_at_once_both_count(office):
    number, (first, second) = with_steps(office, "Look", "Call")
    together = threading.Barrier(4)

    def press(step, who):
        together.wait(60)
        do(office, tasks.tick, number, step, True, by=who)

    presses = [(first, "Priya"), (second, "Lena"), (first, "Dora"), (second, "Sam")]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda pressed: press(*pressed), presses))
    assert checklist(office, number).waiting == 0
    assert len([entry for entry in office.timeline(number) if entry.text.startswith("did ")]) == 2
    with reading(office.engine) as db:
        assert len(set(db.scalars(select(Task.done_by_id)))) == 2
