"""Restricted incidents do not exist for those who are not named on them: in no list, search, count, suggestion or sum.

Every public query that takes an actor is walked as every role before and after restricted incidents came, and must give
the same. A new query belongs in `answers` or, with its reason, in NOT_ABOUT_INCIDENTS.
"""

import importlib
import inspect
import pkgutil
from datetime import timedelta

import pytest

import db.queries
from db.commands import (
    bulk,
    conversation,
    files,
    history,
    incidents,
    naming,
    policies,
    postmortems,
    problem_links,
    problems,
    relations,
)
from db.commands import postmortem_actions as postmortem_commands
from db.engine import reading, writing
from db.models import Person, PersonRole
from db.queries import incidents as incident_queries
from db.queries import settings as setting_queries
from db.queries import suggestions
from rules.access import Actor, NotFound
from rules.errors import RuleError
from rules.states import STATES
from tests.db.hidden import NOW, OUTSIDERS, SECRET, hide, monitored, on_call, paged, repeating, sent
from tests.db.office import DAY, MONDAY, Office
from tests.db.told import NOT_ABOUT_INCIDENTS, WALKED, answers


@pytest.fixture
def office(engine):
    made = Office(engine)
    with writing(engine) as db:
        ines = Person(name="Ines", email="ines@example.org", created_at=MONDAY)
        db.add(ines)
        db.flush()
        db.add(PersonRole(person_id=ines.id, role="lead"))
    made.people["Ines"] = Actor(ines.id, "Ines", frozenset({"reporter", "lead"}))
    return made


def test_every_query_that_takes_an_actor_is_walked():
    found = set()
    for module in pkgutil.iter_modules(db.queries.__path__):
        loaded = importlib.import_module(f"db.queries.{module.name}")
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            own = function.__module__ == loaded.__name__ and not name.startswith("_")
            if own and "actor" in inspect.signature(function).parameters:
                found.add(f"{module.name}.{name}")
    assert found - NOT_ABOUT_INCIDENTS == WALKED


def test_those_not_named_never_learn_of_it(office):
    known = [office.bring_to(state) for state in ("new", "assigned", "in_progress", "resolved", "closed")]
    for number in range(suggestions.THIN):
        past = office.report(f"Printer of room {number} prints blank pages", at=MONDAY - DAY)
        office.perform(past, "accept", "Lena", MONDAY, **office.triage)
    monitored(office, known[2], "The disk of the print server is full")
    with writing(office.engine) as db:  # one that is open to all, with something to do
        priya = office.people["Priya"]
        postmortem = postmortems.start(db, known[3], actor=priya, now=NOW)
        postmortem_commands.add(db, postmortem, "Look again", priya.id, NOW.date(), actor=priya, now=NOW)
        problem = problems.begin(db, {"title": "Prints blank pages"}, [known[1]], actor=priya, now=NOW).id
    repeating(office)
    on_call(office, "Priya")
    paged(office, known[2], "Priya")
    last = office.incident(office.report("The last that is open to all")).id
    sent(office, [f"INC-{last + further:06d}" for further in range(50)])
    words = (SECRET[0], SECRET[3], SECRET[4], "printer pages", "Ines")
    before = {name: answers(office, office.people[name], known, words) for name in OUTSIDERS}
    secrets = [hide(office, f"{SECRET[0]} printer prints blank pages", state) for state in STATES]
    hide(office, f"{SECRET[0]} today", "new", MONDAY)  # on a day that others were reported
    monitored(office, secrets[2], f"{SECRET[0]} is full")
    paged(office, secrets[2], "Priya")
    ines = office.people["Ines"]
    with writing(office.engine) as db:
        problem_links.link(db, problem, [*secrets[:2], secrets[-1]], actor=ines, now=MONDAY + DAY)
        problem_links.unlink(db, problem, secrets[-1], actor=ines, now=MONDAY + DAY)
    with writing(office.engine) as db:
        relations.set_parent(db, secrets[0], None, known[1], actor=ines, now=MONDAY + DAY)
    with writing(office.engine) as db:
        relations.set_parent(db, secrets[0], None, None, actor=ines, now=MONDAY + DAY)
        relations.set_parent(db, secrets[1], None, known[1], actor=ines, now=MONDAY + DAY)
    for learnt in (False, True):
        if learnt:
            history.learn(office.engine, NOW)
        for name in OUTSIDERS:
            after = answers(office, office.people[name], known, words)
            told = " ".join(after.values())
            assert not [word for word in SECRET if word in told], (name, learnt)
            if learnt:
                after = {key: told for key, told in after.items() if not key.startswith(("suggestions", "categories"))}
            different = {key for key in after if after[key] != before[name][key]}
            assert different == set(), (name, learnt)


def test_it_cannot_be_opened_changed_or_told_from_one_that_is_not_there(office):
    secret, missing = hide(office, SECRET[0], "in_progress"), 999_999
    number = office.incident(secret).number
    for name in OUTSIDERS:
        actor = office.people[name]

        def said(incident, what, actor=actor):
            with pytest.raises(RuleError) as refusal, writing(office.engine) as db:
                what(db, incident, actor)
            return refusal.value.sentence

        for what in (
            lambda db, i, a: incidents.perform(db, i, None, "resolve", {}, actor=a, now=NOW),
            lambda db, i, a: incidents.prioritise(db, i, None, {"impact": 1}, actor=a, now=NOW),
            lambda db, i, a: conversation.comment(db, i, "x", public=True, actor=a, now=NOW),
            lambda db, i, a: conversation.follow(db, i, actor=a, now=NOW),
            lambda db, i, a: conversation.attach(db, i, files.Upload("a.txt", b"a"), actor=a, now=NOW),
            lambda db, i, a: relations.link(db, i, "change", "1", actor=a, now=NOW),
            lambda db, i, a: incident_queries.file_content(db, a, 1 if i == secret else missing),
        ):
            assert said(secret, what) == said(missing, what)
        with reading(office.engine) as db:
            sentences = []
            for asked in (number, "INC-999999"):
                with pytest.raises(NotFound) as refusal:
                    incident_queries.by_number(db, actor, asked)
                sentences.append(refusal.value.sentence.replace(asked, "it"))
            assert sentences[0] == sentences[1]
        (result,) = bulk.change([bulk.Item(secret, "?", 1)], {}, "resolve", actor=actor, now=NOW, engine=office.engine)
        assert not result.done
        assert SECRET[0] not in result.sentence


def test_a_merge_or_a_larger_incident_cannot_be_used_to_find_one(office):
    secret, known = hide(office, SECRET[0], "in_progress"), office.bring_to("assigned")
    said = set()
    for other in (secret, 999_999):
        with pytest.raises(RuleError) as refusal:
            office.perform(known, "merge", "Lena", duplicate_of_id=other)
        said.add(refusal.value.sentence)
        with pytest.raises(RuleError) as refusal, writing(office.engine) as db:
            relations.set_parent(db, known, None, other, actor=office.people["Lena"], now=NOW)
        said.add(refusal.value.sentence)
    assert len(said) == 2


def test_the_progress_of_a_change_of_settings_does_not_count_it(office):
    office.bring_to("assigned")
    with writing(office.engine) as db:
        present = setting_queries.values(db)
    counted = []
    for _ in range(2):
        with writing(office.engine) as db:
            policies.begin(
                db, present, {"priority.matrix": present["priority.matrix"]}, actor=office.people["Ada"], now=NOW
            )
        with reading(office.engine) as db:
            waiting = setting_queries.pending(db, office.people["Ada"]).left
        done = policies.Progress(False)
        while not done.done:
            with writing(office.engine) as db:
                done = policies.apply_some(db, NOW)
        counted.append((waiting, done.seen, done.moved))
        hide(office, SECRET[0], "in_progress")
    assert counted[0] == counted[1]


def test_who_is_named_sees_it_everywhere(office):
    """The walk above would pass with everything hidden from everybody."""
    secret = hide(office, f"{SECRET[0]} printer", "in_progress")
    known = [secret]
    on_call(office, "Priya")
    paged(office, secret, "Priya")
    sent(office, [office.incident(secret).number])
    with writing(office.engine) as db:
        problems.begin(db, {"title": "Printer"}, [secret], actor=office.people["Ines"], now=MONDAY)
    before = answers(office, office.people["Dora"], known, SECRET[:1])
    with writing(office.engine) as db:
        naming.name(db, secret, office.people["Dora"].id, actor=office.people["Ines"], now=MONDAY + timedelta(days=1))
    after = answers(office, office.people["Dora"], known, SECRET[:1])
    number = office.incident(secret).number
    changed = {key for key in after if before.get(key) != after[key]}
    assert {f"board {SECRET[0]}", "board ", "queue open ", "tallies", "menu", "home", "measures"} <= changed
    assert {"report overview", "figure unresolved", "all of figure unresolved"} <= changed
    assert {f"detail {number}", f"place {number}", "ends"} <= changed
    assert {"behind a number", "page -reported", f"page {SECRET[0]}", "digest", "travel", "process", "past"} <= changed
    assert {"problems ", "incidents of PRB-000001", "states of PRB-000001", "cost of PRB-000001"} <= changed
    assert {"hours of everybody", "hours of 1"} <= changed
    assert any(key.startswith("report sent") for key in changed)
