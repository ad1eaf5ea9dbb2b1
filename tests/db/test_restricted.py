"""Restricted incidents do not exist for those who are not named on them: in no list, search, count, suggestion or sum.

Every public query that takes an actor is walked as every role before and after restricted incidents came, and must give
the same. A new query belongs in `answers` or, with its reason, in NOT_ABOUT_INCIDENTS.
"""

import importlib
import inspect
import pkgutil
from datetime import timedelta

import pytest
from sqlalchemy import select

import db.queries
from db.commands import (
    bulk,
    conversation,
    files,
    history,
    incidents,
    major,
    naming,
    outbox,
    policies,
    postmortems,
    relations,
    updates,
)
from db.commands import hypotheses as hypothesis_commands
from db.commands import postmortem_actions as postmortem_commands
from db.engine import reading, writing
from db.models import Alert, Incident, Integration, Person, PersonRole, Postmortem
from db.queries import alerts as alert_queries
from db.queries import audit as audit_queries
from db.queries import (
    board,
    catalogue,
    deliveries,
    escalation,
    figure,
    home,
    hypotheses,
    measures,
    my_reports,
    notices,
    postmortem_actions,
    report,
    room_parts,
    rooms,
    similar,
    suggestions,
    tasks,
    trends,
    triage,
)
from db.queries import incidents as incident_queries
from db.queries import postmortems as postmortem_queries
from db.queries import relations as relation_queries
from db.queries import settings as setting_queries
from db.queries import updates as update_queries
from rules.access import Actor, Forbidden, NotFound
from rules.errors import RuleError
from rules.panels import Opens
from rules.periods import Period
from rules.states import STATES
from tests.db.office import DAY, HOUR, MONDAY, Office

OUTSIDERS = ("Otto", "Priya", "Devi", "Lena", "Dora", "Max", "Ada")
SECRET = ("xylophone", "quagmire", "zeppelin", "kumquat", "marzipan", "obelisk")
NOW = MONDAY + 6 * DAY
NOT_ABOUT_INCIDENTS = {
    "people.people", "people.person", "sessions.sessions_of", "imports.last_runs", "catalogue.names", "views.views",
    "settings.editable", "audit.checked",
    "templates.everything", "templates.one", "tiers.receives", "tracking.tracked",
    "access.visible", "access.hidden_ids", "access.hidden_list", "confirmation.for_closer",
    "alerts.integrations", "alerts.unknown", "integrations.one", "integrations.rows",
    "escalation_policies.dry_run", "escalation_policies.policies", "escalation_policies.policy",
    "escalation_policies.targets",
    "maintenance_windows.current", "maintenance_windows.may_read", "maintenance_windows.one",
    "maintenance_windows.past", "maintenance_windows.running",
    "oncall.has_feed", "oncall.now_and_next", "people.wants_notices",
    "reach.check_own", "reach.leaves_for", "reach.methods", "reach.rules_of", "reach.team_channels",
    "schedules.calendar", "schedules.choices", "schedules.detail", "schedules.hours_per_person", "schedules.overrides",
    "schedules.preview", "schedules.problems", "schedules.swaps", "updates.may_decide",
    "updates.subscribed", "updates.waits", "runbooks.everything", "runbooks.one", "runbooks.versions", "runbooks.text",
    "status_design.design", "schedules.hours_of_everybody", "figure.filter_words", "trend_notes.notes",
}  # fmt: skip
"""queries with an actor that say nothing of incidents, or are the rule itself"""
WALKED = {
    "board.board", "catalogue.thing", "catalogue.things", "home.home", "incidents.by_number", "incidents.file_content",
    "incidents.files", "incidents.told", "incidents.whole_story", "incidents.course",
    "incidents.allowed_actions", "incidents.works_on", "measures.scope",
    "my_reports.mine", "my_reports.story", "my_reports.waiting_for_me",
    "report.first_and_last", "report.report", "figure.incidents", "figure.all_incidents", "measures.measured",
    "relations.relations", "settings.pending", "similar.similar", "suggestions.suggest", "triage.count",
    "triage.counts", "triage.open_count", "triage.place", "triage.queue", "triage.standing", "triage.tallies",
    "triage.unassigned", "audit.changes", "audit.incident_changes", "audit.actions",
    "audit.compared", "hypotheses.suspicions", "room_parts.parts",
    "postmortems.library", "postmortems.due", "postmortems.one", "postmortems.versions", "postmortems.words",
    "postmortem_actions.open_to", "postmortem_actions.overdue", "postmortem_actions.mine",
    "tasks.checklist", "alerts.listed", "alerts.one", "deliveries.log", "escalation.standing",
    "notices.own", "notices.unread", "rooms.opened", "rooms.talk",
    "updates.of_incident", "updates.reach",
}  # fmt: skip
"""what `answers` asks, by itself or through another"""


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
    assert found - NOT_ABOUT_INCIDENTS - {"trends.measures"} == WALKED


def answer(ask):
    try:
        return ask()
    except (RuleError, Forbidden) as refusal:
        return refusal.sentence


def answers(office, actor, known, words):
    """Everything that queries tell `actor`, in words; `known` are incidents open to all."""
    period = Period(MONDAY - DAY, NOW, (MONDAY - 8 * DAY, MONDAY - DAY))
    asked = {}
    with reading(office.engine) as db:

        def ask(name, question, *given, **more):
            asked[name] = repr(answer(lambda: question(db, actor, *given, **more)))

        for text in ("", *words):
            ask(f"board {text}", board.board, text=text)
            for view in ("open",) if text else triage.VIEWS:
                ask(f"queue {view} {text}", triage.queue, triage.Filters(view=view, text=text), 1, NOW)
            if text:
                ask(f"similar {text}", similar.similar, text, NOW)
                ask(f"suggestions {text}", suggestions.suggest, 0, text)
                asked[f"categories {text}"] = repr(suggestions.categories(db, text))
        for team in office.teams.values():
            ask(f"board of {team}", board.board, team_id=team)
            ask(f"queue of {team}", triage.queue, triage.Filters(team_id=team), 1, NOW)
        ask("tallies", triage.tallies, NOW)
        ask("menu", triage.open_count)
        ask("home", home.home, NOW, MONDAY)
        for finished in (False, True):
            ask(f"mine {finished}", my_reports.mine, finished=finished)
        ask("ends", report.first_and_last)
        for view in report.VIEWS:
            ask(f"report {view}", report.report, view, period, "UTC", measures.Filters(), NOW)
        for key in measures.FIGURES:
            opens = Opens(key, period.start, period.end)
            ask(f"figure {key}", figure.incidents, opens, "UTC", NOW)
            ask(f"all of figure {key}", figure.all_incidents, opens, "UTC", NOW)
        if actor.roles & {"lead", "desk", "manager", "admin"}:
            asked["measures"] = repr(trends.measures(db, MONDAY - DAY, NOW, "UTC", now=NOW, actor=actor))
        for kind in ("team", "service", "category"):
            ask(f"catalogue {kind}", catalogue.things, kind)
        ask("progress", setting_queries.pending)
        for state in (None, *alert_queries.STATES):
            ask(f"alerts {state}", alert_queries.listed, state=state)
        for alert in db.scalars(select(Alert.id)):
            told = answer(lambda alert=alert: alert_queries.one(db, actor, alert))
            asked["alert"] = asked.get("alert", repr(told)) if isinstance(told, str) else repr(told)
        if actor.roles & {"lead"}:  # an administrator sees that something left, not what it says
            ask("deliveries", deliveries.log)
        for text in ("", *words):
            ask(f"postmortems {text}", postmortem_queries.library, postmortem_queries.Filters(text=text), 1, NOW)
        ask("postmortems due", postmortem_queries.due, NOW)
        ask("actions overdue", postmortem_actions.overdue, NOW + 90 * DAY)
        ask("actions mine", postmortem_actions.mine, NOW, 5)
        for postmortem in db.scalars(select(Postmortem.id).order_by(Postmortem.id)):
            for name, question, given in (
                ("postmortem", postmortem_queries.one, (NOW,)),
                ("versions", postmortem_queries.versions, ()),
                ("words", postmortem_queries.words, (1,)),
            ):
                told = answer(lambda question=question, of=postmortem, given=given: question(db, actor, of, *given))
                asked[name] = asked.get(name, repr(told)) if isinstance(told, str) else repr(told)
        ask("notices", notices.own)
        ask("unread", notices.unread)
        ask("actions", audit_queries.actions)
        ask("changes", audit_queries.changes, audit_queries.Filters())
        ask("incident changes", audit_queries.incident_changes, audit_queries.Filters())
        if actor.has("admin"):
            for change in audit_queries.incident_changes(db, actor, audit_queries.Filters()).changes:
                ask(f"compared {change.id}", audit_queries.compared, change)
        for incident in known:
            number = office.incident(incident).number
            asked[f"place {number}"] = repr(triage.standing(db, actor, incident))
            detail = answer(lambda number=number: incident_queries.by_number(db, actor, number))
            asked[f"detail {number}"] = repr(detail)
            if not isinstance(detail, str):
                ask(f"timeline {number}", incident_queries.told, detail)
                ask(f"whole story {number}", incident_queries.whole_story, detail)
                ask(f"course {number}", incident_queries.course, detail, MONDAY)
                ask(f"relations {number}", relation_queries.relations, detail)
                ask(f"story {number}", my_reports.story, detail)
                ask(f"suspicions {number}", hypotheses.suspicions, detail)
                ask(f"room parts {number}", room_parts.parts, detail)
                ask(f"checklist {number}", tasks.checklist, detail)
                ask(f"files {number}", incident_queries.files, detail)
                ask(f"escalation {number}", escalation.standing, detail)
                ask(f"talk {number}", rooms.talk, detail, NOW)
                ask(f"response {number}", update_queries.of_incident, detail)
                ask(f"reach {number}", update_queries.reach, detail)
            asked[f"room {number}"] = answer(lambda number=number: str(rooms.opened(db, actor, number).id))
    return asked


def hide(office, title, state):
    """A restricted incident full of SECRET words, in this state, of the Servers team and named for nobody else."""
    given = {"description": f"{SECRET[1]} in it", "affected": SECRET[2]}
    incident = office.report(title, "Rita", MONDAY - 20 * DAY, **given)
    ines = office.people["Ines"]
    with writing(office.engine) as db:
        incidents.prioritise(db, incident, None, {"restricted": True}, actor=ines, now=MONDAY)
        conversation.comment(db, incident, f"{SECRET[3]} said", public=True, actor=ines, now=MONDAY)
        conversation.comment(db, incident, f"{SECRET[4]} noted", public=False, actor=ines, now=MONDAY)
        hypothesis_commands.suspect(db, incident, f"{SECRET[4]} suspected", SECRET[3], actor=ines, now=MONDAY)
        conversation.attach(
            db, incident, files.Upload(f"{SECRET[5]}.txt", b"hello"), actor=office.people["Rita"], now=MONDAY
        )
    if state == "new":
        return incident
    triaged = office.triage | {"team_id": office.teams["Servers"], "service_id": office.service}
    office.perform(incident, "accept", "Ines", MONDAY, **triaged)
    with writing(office.engine) as db:
        major.declare(db, incident, None, SECRET[0], actor=ines, now=MONDAY)
        updates.write(
            db, incident, audience="internal", stage="identified", words=f"{SECRET[2]} it was", next_at=MONDAY + DAY,
            actor=ines, now=MONDAY,
        )  # fmt: skip
    if state == "cancelled":
        office.perform(incident, "cancel", "Ines", MONDAY + HOUR, reason=SECRET[0])
        return incident
    office.perform(incident, "acknowledge", "Sam", MONDAY + HOUR)
    if state == "on_hold":
        office.perform(
            incident, "hold", "Sam", MONDAY + HOUR, hold_reason="vendor", hold_until=NOW + DAY, hold_note=SECRET[0]
        )
    if state in ("resolved", "recovered", "closed"):
        fixed = {"resolution_code": "fixed", "resolution_note": f"{SECRET[0]} replaced"}
        office.perform(incident, "resolve", "Sam", MONDAY + 2 * HOUR, **fixed)
    if state in ("recovered", "closed"):
        office.perform(incident, "recover", "Sam", MONDAY + 3 * HOUR)
        sam = office.people["Sam"]
        with writing(office.engine) as db:
            drafted = postmortems.start(db, incident, actor=sam, now=MONDAY)
            postmortem_commands.add(db, drafted, f"{SECRET[5]} it", sam.id, MONDAY.date(), actor=sam, now=MONDAY)
    if state == "closed":
        with writing(office.engine) as db:
            dora = office.people["Dora"]
            naming.name(db, incident, dora.id, actor=ines, now=MONDAY)
        given = {"verification": "not_needed", "verification_note": "x"}
        office.perform(incident, "close", "Dora", MONDAY + 4 * HOUR, **given)
        with writing(office.engine) as db:
            naming.unname(db, incident, dora.id, actor=ines, now=MONDAY)
    return incident


def monitored(office, incident, title):
    """An alert of the incident, and what left because of it."""
    with writing(office.engine) as db:
        held = db.scalars(select(Integration)).one_or_none()
        if held is None:
            held = Integration(name="Prometheus", format="alertmanager", created_at=MONDAY)
            db.add(held)
            db.flush()
        times = {"first_at": MONDAY, "last_at": MONDAY}
        db.add(
            Alert(integration_id=held.id, dedup_key=title, incident_id=incident, status="firing", title=title, **times)
        )
        outbox.announce(db, office.teams["Servers"], "page", title, incident=db.get_one(Incident, incident), now=MONDAY)


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
    words = (SECRET[0], SECRET[3], SECRET[4], "printer pages", "Ines")
    before = {name: answers(office, office.people[name], known, words) for name in OUTSIDERS}
    secrets = [hide(office, f"{SECRET[0]} printer prints blank pages", state) for state in STATES]
    monitored(office, secrets[2], f"{SECRET[0]} is full")
    ines = office.people["Ines"]
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
    before = answers(office, office.people["Dora"], known, SECRET[:1])
    with writing(office.engine) as db:
        naming.name(db, secret, office.people["Dora"].id, actor=office.people["Ines"], now=MONDAY + timedelta(days=1))
    after = answers(office, office.people["Dora"], known, SECRET[:1])
    number = office.incident(secret).number
    changed = {key for key in after if before.get(key) != after[key]}
    assert {f"board {SECRET[0]}", "board ", "queue open ", "tallies", "menu", "home", "measures"} <= changed
    assert {"report overview", "figure unresolved", "all of figure unresolved"} <= changed
    assert {f"detail {number}", f"place {number}", "ends"} <= changed
