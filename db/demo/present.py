"""What is going on right now: a table of open incidents in every state, some late, some nearly."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from db.demo import runbooks
from db.demo.cases import CASES, split
from db.demo.organisation import DESK, Organisation
from db.demo.story import Story
from rules.targets import Targets

OPEN = (
    # beginning of the title, reported so many hours ago, what has happened since
    ("Message exchange does not pass on", 0.9, "major"),
    ("Pager of the anaesthesia", 0.12, ""),
    ("Patients cannot book", 0.8, ""),  # its answer is late
    ("Suspicious e-mail", 1.5, ""),
    ("Label printer", 2.2, ""),
    ("Second monitor", 20, ""),
    ("Patient record takes a minute", 3.5, "accept"),
    ("Network socket", 26, "accept"),
    ("Monitor in {room}", 60, "accept"),
    ("Laptop asks for a recovery key", 5, "accept unowned"),
    ("Alarm sounds", 6.7, "accept acknowledge note"),  # due in about an hour
    ("Floor switch", 5.2, "accept acknowledge note"),
    ("Laboratory results arrive an hour late", 52, "accept acknowledge note"),
    ("X-rays load very slowly", 200, "accept acknowledge note"),  # late
    ("I clicked a link", 30, "accept acknowledge note"),
    ("Computer in {room} is very slow", 76, "accept acknowledge"),
    ("Invoices of last month", 330, "accept acknowledge"),  # late
    ("Medication order cannot", 28, "accept acknowledge ask"),
    ("Calls to {ward} are cut off", 75, "accept acknowledge escalate vendor"),
    ("Wristband printer", 100, "accept acknowledge vendor"),
    ("Backup of the file server", 150, "accept acknowledge change"),
    ("Drug missing from the list", 125, "accept acknowledge problem"),
    ("New colleague cannot open", 170, "accept acknowledge waited"),  # its day has come
    ("CT images of today", 34, "accept acknowledge resolve"),
    ("VPN disconnects", 50, "accept acknowledge ask answer resolve"),
    ("Shared drive of {ward} is full", 30, "accept acknowledge resolve recover"),
    ("Two charts for the same patient", 55, "accept acknowledge resolve recover"),
    ("Portal sends reminders", 80, "accept acknowledge resolve recover verify"),
    ("Blood gas analyser", 47, "accept acknowledge resolve recover reject"),
    ("Telephone in {room}", 96, "accept acknowledge resolve recover verify close reopen"),
)


def stories(org: Organisation, rng: Random, targets: Targets, now: datetime, first: int) -> Iterator[Story]:
    """One for each line of OPEN; their numbers among all stories begin at `first`."""
    for index, (title, hours, path) in enumerate(OPEN, first):
        case = next(case for case in CASES if case.title.startswith(title))
        story = Story(org, rng, targets, case, index, now - timedelta(hours=hours))
        if path == "major":
            _major(story, now)
        else:
            story.report()
            _go(story, path.split(), timedelta(hours=hours), now)
        yield story
        if path == "major":
            yield _same_again(Story(org, rng, targets, case, first + len(OPEN), now - timedelta(minutes=40)), story)


def _go(story: Story, path: list[str], age: timedelta, now: datetime) -> None:
    """The steps of a path, spread over the first nine tenths of the incident's age, the first two soon."""
    waits = sum(verb not in ("unowned",) for verb in path)
    for number, verb in enumerate(path):
        share = (0.04, 0.08)[number] if number < 2 else 0.1 + 0.8 * (number - 1) / max(waits - 2, 1) * 0.95
        at = story.reported + age * share
        if verb == "accept":
            story.accept(at, known="unowned" not in path)
        elif verb == "escalate":
            story.hand_over(at, *split(story.case.via))
        elif verb in ("vendor", "change", "problem"):
            note = split(story.case.wait)[1] or "A correction is planned"
            story.hold(at, verb, now + timedelta(days=2), note)
        elif verb == "waited":
            story.hold(at, "other", at + timedelta(days=2), "Back to it after the weekend shift")
        elif verb in ("verify", "reject"):
            given = {"reason": "It came back an hour later, exactly as before."} if verb == "reject" else {}
            story.tell(verb, at, story.reporter, **given)
        elif verb == "reopen":
            story.tell(verb, at, story.desk(), reason="The same socket is dead again since this morning.")
        elif verb != "unowned":
            getattr(story, verb)(at)


def _major(story: Story, now: datetime) -> None:
    """A major incident in full swing: followers, news for everybody, and the same reported again."""
    story.report()
    ago = {
        minutes: now - timedelta(minutes=minutes)
        for minutes in (51, 49, 48, 47, 46, 45, 43, 41, 40, 38, 36, 30, 24, 20, 9)
    }
    story.accept(ago[51])
    story.acknowledge(ago[49])
    story.tell("open_runbook", ago[48], story.worker, name=runbooks.MESSAGES)
    story.tell("tick_runbook", ago[47], story.worker, step=0)
    lead = story.triager()
    story.tell("prioritise", ago[46], lead, people_affected=640)
    declared = ago[46] + timedelta(seconds=40)
    story.tell("declare", declared, lead, reason="No ward can admit a patient.", commander_id=lead.id)
    writer = next(actor for actor in story.org.members(DESK) if actor.id not in (lead.id, story.worker.id))
    story.tell("role", declared + timedelta(seconds=30), lead, role="communications", person_id=writer.id)
    certificate = "The certificate of the sender has run out"
    story.tell("suspect", ago[45], story.worker, cause=certificate, evidence="The log says 'refused'.")
    story.note(ago[43])
    story.tell("rule_out", ago[40], story.worker, cause=certificate, evidence="It is valid until March.")
    others = [actor for actor in story.org.actors.values() if actor.id != story.reporter.id]
    for minutes, actor in zip((41, 38, 24), story.rng.sample(others, 3), strict=True):
        story.tell("follow", ago[minutes], actor)
    story.tell("tick_runbook", ago[36], story.worker, step=1)
    story.tell("tick_runbook", ago[30], story.worker, step=2)
    release = "The release of this noon refuses admissions that name no bed"
    story.tell("suspect", ago[20], story.worker, cause=release, evidence="Every refused one came without a bed.")
    words = (
        (42, "investigating", "New admissions do not reach the kitchen and the laboratory. Send them on paper."),
        (24, "investigating", "Still the same. The vendor is on the call with us. Keep to paper for admissions."),
        (9, "identified", "This noon's release is the cause. We are rolling it back; that takes about twenty minutes."),
    )
    for minutes, stage, said in words:
        story.tell("update", now - timedelta(minutes=minutes), writer, stage=stage, words=said, minutes=20)


def _same_again(story: Story, original: Story) -> Story:
    story.words = original.words
    story.reporter = next(a for a in story.org.actors.values() if a.id not in (original.reporter.id, 0))
    story.report(vague=True)
    story.tell("merge", story.reported + timedelta(minutes=4), story.desk(), duplicate_of=original.index)
    return story
