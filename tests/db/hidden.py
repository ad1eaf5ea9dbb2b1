"""Restricted incidents full of secret words, for tests of what is told to those who are not on them."""

from sqlalchemy import select

from db.commands import (
    conversation,
    files,
    incidents,
    major,
    naming,
    outbox,
    postmortems,
    schedules,
    updates,
)
from db.commands import hypotheses as hypothesis_commands
from db.commands import postmortem_actions as postmortem_commands
from db.engine import writing
from db.models import Alert, Incident, Integration, Page, ReportRun
from rules import report_kept
from rules.measures import Filters
from rules.panels import Column, Panel, Report
from rules.problems import LEAST
from tests.db.office import DAY, HOUR, MONDAY

OUTSIDERS = ("Otto", "Priya", "Devi", "Lena", "Dora", "Max", "Ada")
SECRET = ("xylophone", "quagmire", "zeppelin", "kumquat", "marzipan", "obelisk")
NOW = MONDAY + 6 * DAY


def hide(office, title, state, at=MONDAY - 20 * DAY):
    """A restricted incident full of SECRET words, in this state, of the Servers team and named for nobody else."""
    given = {"description": f"{SECRET[1]} in it", "affected": SECRET[2]}
    incident = office.report(title, "Rita", at, **given)
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


def on_call(office, name):
    """This person is on call for the Network team, week by week."""
    held = {"name": "First line", "priority": 0, "start": MONDAY.isoformat(), "unit": "week", "length": 1}
    definition = {"zone": "UTC", "layers": [held | {"members": [str(office.people[name].id)]}]}
    with writing(office.engine) as db:
        team = office.teams["Network"]
        schedules.save(
            db, None, name="Network", definition=definition, team_id=team, actor=office.people["Lena"], now=MONDAY
        )


def paged(office, incident, name):
    with writing(office.engine) as db:
        db.add(Page(incident_id=incident, person_id=office.people[name].id, at=MONDAY + HOUR))


def repeating(office):
    """Three incidents open to all, of the service and category of those hidden: enough to suggest a problem."""
    for number in range(LEAST):
        incident = office.report(f"Mailbox {number} is full", at=MONDAY - DAY)
        office.perform(incident, "accept", "Lena", MONDAY, **office.triage, service_id=office.service)


def sent(office, numbers):
    """Everybody was sent a report that names incidents by these numbers."""
    named = Panel(
        "breaches", "Worst breaches", "", "", "table", (Column("number", "Incident"),),
        [{"number": number, "title": ""} for number in numbers],
    )  # fmt: skip
    report = Report("digest", "Weekly digest", MONDAY, NOW, "UTC", Filters(), NOW, [], [named])
    with writing(office.engine) as db:
        for actor in office.people.values():
            content = report_kept.kept(report)
            db.add(ReportRun(person_id=actor.id, name="Weekly digest", address="", as_of=NOW, content=content))
