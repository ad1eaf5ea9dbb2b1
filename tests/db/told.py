"""What queries tell an actor: every public one that takes an actor, and speaks of incidents, is asked."""

from sqlalchemy import select

from db.engine import reading
from db.models import Alert, Incident, Postmortem, Problem, ReportRun, Schedule
from db.queries import alerts as alert_queries
from db.queries import audit as audit_queries
from db.queries import (
    board,
    catalogue,
    deliveries,
    digest,
    escalation,
    figure,
    forecast,
    forecast_report,
    home,
    hypotheses,
    incident_pages,
    known_errors,
    listed,
    measures,
    my_reports,
    notices,
    postmortem_actions,
    problem_cost,
    problems,
    process,
    process_report,
    repeats,
    report,
    report_runs,
    room_parts,
    rooms,
    schedules,
    similar,
    suggestions,
    tasks,
    travel,
    trends,
    triage,
)
from db.queries import incidents as incident_queries
from db.queries import postmortems as postmortem_queries
from db.queries import relations as relation_queries
from db.queries import settings as setting_queries
from db.queries import updates as update_queries
from rules.access import Forbidden
from rules.digest import week as last_week
from rules.errors import RuleError
from rules.panels import Opens
from rules.periods import Period
from rules.problems import LABELS
from tests.db.hidden import NOW
from tests.db.office import DAY, MONDAY

NOT_ABOUT_INCIDENTS = {
    "people.people", "people.person", "sessions.sessions_of", "imports.last_runs", "catalogue.names", "views.views",
    "views.turn",
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
    "schedules.calendar", "schedules.choices", "schedules.detail", "schedules.overrides",
    "schedules.preview", "schedules.problems", "schedules.swaps", "updates.may_decide",
    "updates.subscribed", "updates.waits", "runbooks.everything", "runbooks.one", "runbooks.versions", "runbooks.text",
    "status_design.design", "figure.filter_words", "trend_notes.notes",
    "known_errors.helped", "problems.absent", "problems.open_to", "process.team_names", "process_report.place_names",
    "tokens.rows",
    "report_schedules.may_read", "report_schedules.saved", "report_schedules.had_sent", "report_schedules.sent_to",
    "report_schedules.subscription",
}  # fmt: skip
"""queries with an actor that say nothing of incidents, or are the rule itself"""
WALKED = {
    "board.board", "catalogue.thing", "catalogue.things", "home.home", "incidents.by_number", "incidents.of",
    "incidents.file_content", "incidents.files", "incidents.told", "incidents.whole_story", "incidents.course",
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
    "updates.of_incident", "updates.page", "updates.reach", "incidents.page_of_files", "incident_pages.page",
    "listed.page", "listed.every",
    "known_errors.like", "known_errors.of_incident", "problem_cost.by_state", "problem_cost.cost",
    "problems.choices", "problems.counts", "problems.everything", "problems.history", "problems.incidents",
    "problems.one", "problems.since", "repeats.of_repeat", "repeats.suggestions",
    "digest.digest", "digest_lists.breaches", "digest_lists.load", "digest_lists.overdue_actions",
    "forecast.expected", "forecast.outlook", "forecast.past", "travel.read", "travel.reported", "trends.measures",
    "process.seen", "process_report.report", "forecast_report.report",
    "report_runs.one", "report_runs.own", "schedules.hours_of_everybody", "schedules.hours_per_person",
}  # fmt: skip
"""what `answers` asks, by itself or through another"""


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
                ask(f"updates {number}", update_queries.page, detail)
                ask(f"page of files {number}", incident_queries.page_of_files, detail, 0, 10)
                ask(f"problems of {number}", known_errors.of_incident, detail)
                ask(f"problems like {number}", known_errors.like, detail)
            asked[f"room {number}"] = answer(lambda number=number: str(rooms.opened(db, actor, number).id))
        for part in (_listed, _of_problems, _of_trends, _sent):
            part(office, db, actor, words, ask)
    return asked


def _listed(office, db, actor, words, ask):
    for sort in incident_pages.SORTS:
        ask(f"page {sort}", incident_pages.page, incident_pages.Wanted(sort=sort), 50)
    for text in words:
        ask(f"page {text}", incident_pages.page, incident_pages.Wanted(text=text), 50)
    newest = list(db.scalars(select(Incident.id).order_by(Incident.id.desc())))
    ask("behind a number", listed.page, newest, 1)
    ask("all behind a number", listed.every, newest)


def _of_problems(office, db, actor, words, ask):
    for text in ("", *words):
        ask(f"problems {text}", problems.everything, list(LABELS), text)
    ask("problems by state", problems.counts)
    ask("problems to choose from", problems.choices)
    for number in db.scalars(select(Problem.number).order_by(Problem.id)):
        problem = answer(lambda number=number: problems.one(db, actor, number))
        ask(f"problem {number}", problems.one, number)
        if not isinstance(problem, str):
            ask(f"incidents of {number}", problems.incidents, problem)
            ask(f"history of {number}", problems.history, problem)
            ask(f"news of {number}", problems.since, problem, 0)
            ask(f"states of {number}", problem_cost.by_state, problem)
            ask(f"cost of {number}", problem_cost.cost, problem, NOW)
    ask("repeats", repeats.suggestions, NOW)
    ask("what repeats", repeats.of_repeat, office.service, office.pair, NOW)


def _of_trends(office, db, actor, words, ask):
    later = NOW + 2 * DAY  # the week of MONDAY is over
    ask("digest", digest.digest, last_week(later, "UTC"), "UTC", later)
    ask("travel", travel.read, Period(MONDAY - 30 * DAY, NOW, None), measures.Filters())
    ask("process", process.seen, Period(MONDAY - 30 * DAY, NOW, None), measures.Filters())
    ask("expected", forecast.expected, measures.Filters(), NOW, "UTC")
    ask("past", lambda db, actor: {name: str(value) for name, value in vars(forecast.past(db, actor, NOW)).items()})
    known = answer(lambda: forecast.past(db, actor, NOW))
    then = MONDAY - 20 * DAY  # what is hidden was reported, and is not late yet
    ask("outlook", forecast.outlook, known, measures.Filters(), then)
    ask("process on paper", process_report.report, Period(MONDAY - 30 * DAY, NOW, None), "UTC", measures.Filters(), NOW)
    ask("forecast on paper", forecast_report.report, "UTC", measures.Filters(), NOW)
    ask("hours of everybody", schedules.hours_of_everybody, MONDAY, NOW)
    for schedule in db.scalars(select(Schedule.id)):
        ask(f"hours of {schedule}", schedules.hours_per_person, schedule, MONDAY, NOW)


def _sent(office, db, actor, words, ask):
    ask("reports sent", report_runs.own)
    for run in db.scalars(select(ReportRun.id)):
        ask(f"report sent {run}", report_runs.one, run)
