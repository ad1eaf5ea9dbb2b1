"""Three months of incidents as they come and go in a hospital, each told to its end."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from db.demo.cases import CASES, Case, split
from db.demo.organisation import DESK, ONSITE, SERVERS, ZONE, Organisation
from db.demo.story import Story
from rules.targets import Targets

HISTORY = timedelta(days=91)
INCIDENTS = 386
BY_WEEKDAY = (1.35, 1.1, 1.0, 1.0, 0.95, 0.35, 0.3)
BY_HOUR = (1, 1, 1, 1, 1, 2, 5, 11, 15, 14, 13, 11, 9, 10, 10, 9, 7, 5, 4, 3, 3, 2, 2, 1)
_CHANGES_OF_MIND = (
    "It came back an hour later, exactly as before.",
    "On my computer it is fixed, on the one beside it not.",
    "It worked for one patient, then the same message again.",
    "Still the same for the late shift.",
)
_WITHDRAWN = (
    "Reported by mistake, says the reporter.",
    "It was the planned maintenance of tonight.",
    "The reporter found the cable unplugged.",
)
_NOT_NEEDED = ("Found and fixed by monitoring.", "Seen to work on site together with the reporter.")


def arrivals(rng: Random, now: datetime, count: int) -> list[datetime]:
    """When incidents are reported: by weekday and hour, in the hospital's zone."""
    zone = ZoneInfo(ZONE)
    hours = [now - HISTORY + timedelta(hours=number) for number in range(int(HISTORY / timedelta(hours=1)) - 2)]
    local = [hour.astimezone(zone) for hour in hours]
    weights = [BY_WEEKDAY[hour.weekday()] * BY_HOUR[hour.hour] for hour in local]
    chosen = rng.choices(hours, weights, k=count)
    return sorted(hour + timedelta(seconds=rng.randrange(3600)) for hour in chosen)


def stories(org: Organisation, rng: Random, targets: Targets, now: datetime, count: int) -> Iterator[Story]:
    """All of them, in order of reporting. Steps may lie after `now`: those have not happened yet."""
    weights = [case.often for case in CASES]
    previous: Story | None = None
    for index, reported in enumerate(arrivals(rng, now, count)):
        case: Case = rng.choices(CASES, weights)[0]
        again = previous is not None and previous.scope in ("team", "site") and rng.random() < 0.12
        goes_on = previous is not None and not any(step.verb == "cancel" for step in previous.steps)
        if again and goes_on and previous is not None and reported - previous.reported < timedelta(hours=8):
            yield _duplicate(Story(org, rng, targets, previous.case, index, reported), previous)
            previous = None
            continue
        story = Story(org, rng, targets, case, index, reported)
        _course(story)
        previous = story
        yield story


def _duplicate(story: Story, original: Story) -> Story:
    """The same again, reported by somebody else, and merged."""
    story.words = original.words
    story.reporter = story.rng.choice([a for a in story.org.actors.values() if a.id != original.reporter.id])
    story.report()
    merging = story.reported + timedelta(minutes=story.rng.randint(4, 30))
    story.tell("merge", merging, story.desk(), duplicate_of=original.index)
    return story


class Going:
    """Moves through working time: round the clock for what is urgent, office hours for the rest."""

    def __init__(self, story: Story) -> None:
        self.story, self.at, self.used = story, story.reported, 0.0

    def on(self, seconds: float) -> datetime:
        """The moment so many working seconds later, and at least a minute."""
        self.used += seconds
        moment = self.story.target.calendar.add(self.at, max(60, round(seconds)))
        self.at = max(moment, self.at + timedelta(seconds=self.story.rng.randint(31, 89)))
        return self.at

    def later(self, low: float, high: float) -> datetime:
        """The moment some hours later by the wall clock, but not at night."""
        self.at += timedelta(hours=self.story.rng.uniform(low, high))
        return self.on(self.story.rng.uniform(120, 5400))


def _course(story: Story) -> None:
    rng, target, go = story.rng, story.target, Going(story)
    answer_share = rng.lognormvariate(-1.15, 0.7)
    fix_share = rng.lognormvariate(-0.95, 0.75)
    story.report(vague=rng.random() < 0.12)
    if rng.random() < 0.08:
        story.tell("follow", go.on(600), rng.choice([a for a in story.org.actors.values() if a is not story.reporter]))
    if rng.random() < 0.05:
        story.tell("cancel", go.on(target.response * 0.4), story.desk(), reason=rng.choice(_WITHDRAWN))
        return
    _triage(story, go, answer_share * target.response)
    if story.scope in ("site", "everyone") and rng.random() < 0.7:
        story.tell("prioritise", go.on(180), story.triager(), people_affected=rng.randint(12, 90) * 10)
        lead = story.triager()
        story.tell("declare", go.on(60), lead, reason="Whole wards cannot work.", commander_id=lead.id)
        told = "We know about it and are working on it. More in an hour."
        story.tell("update", go.on(200), story.worker, stage="investigating", words=told, minutes=60)
    fixed_after = fix_share * target.resolution
    _work(story, go, max(fixed_after - go.used, 600))
    story.resolve(go.on(max(fixed_after - go.used, 600)))
    if rng.random() < 0.8:
        story.recover(go.on(rng.uniform(120, 3600)))
    else:
        story.recover(go.on(90))
    _confirm(story, go)


def _triage(story: Story, go: Going, seconds: float) -> None:
    rng = story.rng
    wrong = rng.random() < 0.1
    first = rng.choice([name for name in (DESK, ONSITE, SERVERS) if name != story.team.name])
    story.accept(go.on(seconds * 0.4), to=first if wrong else None, known=rng.random() < 0.6)
    if wrong:
        story.tell(
            "assign", go.on(seconds * 0.3), story.someone_of(first), team_id=story.team.id, assignee_id=story.worker.id
        )
    story.acknowledge(go.on(seconds * (0.3 if wrong else 0.6)))


def _work(story: Story, go: Going, seconds: float) -> None:
    """What happens between taking it and the fix; every case has its own habits."""
    rng, case = story.rng, story.case
    if rng.random() < 0.8:
        story.note(go.on(seconds * 0.15))
    if case.ask and rng.random() < 0.55:
        story.ask(go.on(seconds * 0.1))
        story.answer(go.later(0.5, 20))
    if case.via and rng.random() < 0.7:
        team, reason = split(case.via)
        former = story.team.name
        story.hand_over(go.on(seconds * 0.2), team, reason)
        story.acknowledge(go.on(seconds * 0.1))
        if rng.random() < 0.25:
            story.hand_over(go.on(seconds * 0.1), former, "Nothing wrong on our side; the logs are attached.")
            story.acknowledge(go.on(seconds * 0.05))
    if case.wait and rng.random() < 0.6:
        reason, what = split(case.wait)
        began = go.on(seconds * 0.1)
        story.hold(began, reason, began + timedelta(days=rng.randint(1, 4)), what)
        if reason == "reporter":
            story.tell("comment", go.later(3, 50), story.reporter, words="Here it is, sent to you by mail.")
        else:
            story.tell("resume", go.later(5, 60), story.worker)


def _confirm(story: Story, go: Going) -> None:
    rng, chance = story.rng, story.rng.random()
    if chance < 0.07:
        story.tell("reject", go.later(0.5, 12), story.reporter, reason=rng.choice(_CHANGES_OF_MIND))
        story.note(go.on(900))
        story.resolve(go.on(rng.uniform(1800, 14_400)))
        story.recover(go.on(600))
        chance = 0.2
    if chance < 0.62:
        story.tell("verify", go.later(0.3, 20), story.reporter)
        story.close(go.on(rng.uniform(300, 7200)))
    elif chance < 0.85:
        story.tell("comment", go.on(60), story.worker, words="Is it fixed for you? If we hear nothing, we close it.")
        story.close(go.later(8 * 24, 11 * 24), "no_answer")
    else:
        story.close(go.on(rng.uniform(600, 7200)), "not_needed", rng.choice(_NOT_NEEDED))
    if rng.random() < 0.03:
        story.tell("reopen", go.later(4, 150), story.desk(), reason=rng.choice(_CHANGES_OF_MIND))
        story.resolve(go.on(rng.uniform(3600, 18_000)))
        story.recover(go.on(900))
        story.close(go.on(3600), "not_needed", _NOT_NEEDED[1])
