"""What leaves: once it is due, at least once, under one id, and stopped when it has served."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from db.commands import deliveries, notices, outbox
from db.engine import reading, writing
from db.models import ContactMethod, Incident, Notice, NotificationRule, OutboxMessage, Person, TeamChannel
from rules import channels, retries
from tests.db.office import DAY, HOUR, MONDAY, Office
from tests.worker.post_office import hook_server
from worker.outbox import LATE_SECONDS, TURN_SECONDS, Post, tick
from worker.senders import Undelivered, webhook

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
URGENT = {"scope": "everyone", "effect": "stopped"}
"""P1"""


class Sent:
    """A sender that keeps what it was given; `failures` are raised first, one for each call."""

    def __init__(self, *failures):
        self.failures, self.messages = list(failures), []

    def __call__(self, message, now):
        self.messages.append(message)
        if self.failures:
            raise self.failures.pop(0)

    def names(self):
        return [message.name for message in self.messages]


@pytest.fixture
def office(engine, set_up):
    set_up(SMTP_URL="smtp://mail.example.org?from=desk@example.org", BASE_URL="https://desk.example")
    return Office(engine)


def tell(office, *names, subject="Mail is late", incident=None, now=MONDAY, kind="sla"):
    with writing(office.engine) as db:
        about = db.get(Incident, incident) if incident else None
        notices.tell(db, [office.people[name].id for name in names], kind, subject, incident=about, now=now)


def page(office, name, incident, now=MONDAY, **more):
    with writing(office.engine) as db:
        about = db.get_one(Incident, incident)
        return outbox.page(db, office.people[name].id, about, f"{about.number} needs you", "Mail", now=now, **more)


def reach(office, name, *steps, urgency="high"):
    """(channel, address, seconds): verified methods with a rule each."""
    person = office.people[name].id
    with writing(office.engine) as db:
        for position, (channel, address, delay) in enumerate(steps):
            method = ContactMethod(person_id=person, channel=channel, address=address, created_at=MONDAY,
                                   verified_at=MONDAY, position=position)  # fmt: skip
            db.add(method)
            db.flush()
            db.add(NotificationRule(person_id=person, urgency=urgency, method_id=method.id, delay=delay,
                                    position=position))  # fmt: skip


def rows(office):
    with reading(office.engine) as db:
        return list(db.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))


def assigned(office):
    """A P1 of the network team that nobody has taken yet."""
    number = office.report(**URGENT)
    office.perform(number, "accept", "Lena", MONDAY + HOUR, **office.triage | {"impact": 1, "urgency": 1})
    return number


def said(office, number, kind="page"):
    return [entry.text for entry in office.timeline(number) if entry.kind == kind]


CHAT = ("slack", "https://hooks.slack.example/T1", 300)
HOOK = ("webhook", "https://hook.example/x", 0)


def test_a_notice_leaves_by_e_mail_at_once_unless_something_else_was_chosen(office):
    tell(office, "Priya", "Rita")
    mail = Sent()
    assert tick(MONDAY, office.engine, {"email": mail}) == 2
    assert [(m.address, m.subject) for m in sorted(mail.messages, key=lambda m: m.address)] == [
        ("priya@example.org", "Mail is late"),
        ("rita@example.org", "Mail is late"),
    ]
    assert tick(MONDAY + DAY, office.engine, {"email": mail}) == 0
    assert all(row.sent_at == MONDAY and row.attempts == 1 for row in rows(office))


def test_without_a_mail_server_a_notice_is_only_read_in_the_app(office, set_up):
    set_up(SMTP_URL="")
    tell(office, "Priya")
    assert rows(office) == []


def test_people_of_the_sample_data_are_written_to_by_nobody(office):
    with writing(office.engine) as db:
        db.execute(update(Person).values(sample=True))
    tell(office, "Priya")
    paged = page(office, "Priya", office.report(**URGENT))
    assert (paged.channels, paged.notice_id is not None) == (1, True), "the app is all that they have"
    assert rows(office) == []


def test_whoever_left_gets_pages_but_no_notices(office):
    with writing(office.engine) as db:
        db.get_one(Person, office.people["Priya"].id).preferences = {"notices": False}
    tell(office, "Priya")
    assert rows(office) == []
    assert page(office, "Priya", office.report(**URGENT)).channels == 1


def test_what_nobody_answers_reaches_those_who_left_notices_too(office):
    number = assigned(office)
    with writing(office.engine) as db:
        for name in ("Lena", "Dora"):
            db.get_one(Person, office.people[name].id).preferences = {"notices": False}
    for kind in ("escalation", "unreached", "gap", "turn_back", "sla"):
        tell(office, "Lena", kind=kind, subject=kind, incident=number, now=MONDAY + HOUR)
    mail = Sent()
    tick(MONDAY + HOUR, office.engine, {"email": mail})
    assert sorted(message.subject for message in mail.messages) == ["escalation", "gap", "turn_back", "unreached"]
    assert {message.leave_url for message in mail.messages} == {""}, "nothing is offered that would not be kept"
    tell(office, "Priya", subject="sla", now=MONDAY + HOUR)
    tick(MONDAY + HOUR, office.engine, {"email": mail})
    assert mail.messages[-1].leave_url.startswith("https://desk.example/leave/")


def test_a_notice_that_was_read_meanwhile_does_not_leave(office):
    reach(office, "Priya", CHAT, urgency="other")
    tell(office, "Priya")
    with writing(office.engine) as db:
        notices.mark_read(db, office.people["Priya"], now=MONDAY + MINUTE)
    chat = Sent()
    assert tick(MONDAY + HOUR, office.engine, {"slack": chat}) == 0
    assert (chat.messages, rows(office)[0].cancelled_why) == ([], "It was read in the app.")


def test_a_page_takes_one_way_after_the_other_until_somebody_answers(office):
    reach(office, "Priya", HOOK, CHAT, ("mattermost", "https://chat.example/h", 600))
    number = assigned(office)
    now = MONDAY + 2 * HOUR
    paged = page(office, "Priya", number, now=now)
    assert paged.channels == 3
    senders = {"webhook": Sent(), "slack": Sent(), "mattermost": Sent()}
    assert [tick(now + minutes * MINUTE, office.engine, senders) for minutes in (0, 4, 5)] == [1, 0, 1]
    office.perform(number, "acknowledge", "Priya", now + 6 * MINUTE)
    assert tick(now + HOUR, office.engine, senders) == 0
    assert [row.cancelled_why for row in rows(office)] == ["", "", "Somebody has answered."]
    assert said(office, number) == ["paged Priya by webhook", "paged Priya by Slack"]
    [message] = senders["webhook"].messages
    assert message.urgent
    assert [action for action, _ in message.links] == ["acknowledge", "resolve"]
    assert all(url.startswith("https://desk.example/act/") for _, url in message.links)


def test_an_answer_stops_pages_and_no_notices(office):
    number = assigned(office)
    reach(office, "Priya", CHAT)
    page(office, "Priya", number, now=MONDAY + HOUR)
    tell(office, "Priya", incident=number, now=MONDAY + HOUR)
    office.perform(number, "acknowledge", "Lena", MONDAY + HOUR)
    assert [row.cancelled_at is not None for row in rows(office)] == [True, False]


def test_pages_for_one_incident_do_not_heap_up(office):
    number = office.report(**URGENT)
    for minutes in range(4):
        page(office, "Priya", number, now=MONDAY + minutes * MINUTE)
    mail = Sent()
    assert tick(MONDAY + HOUR, office.engine, {"email": mail}) == 1
    with reading(office.engine) as db:
        assert len(db.scalars(select(Notice).where(Notice.kind == "page")).all()) == 1
    assert page(office, "Priya", number, now=MONDAY + 2 * HOUR).channels == 1, "what has left may leave again"
    assert tick(MONDAY + 2 * HOUR, office.engine, {"email": mail}) == 1


def test_a_newer_page_never_carries_the_id_of_one_that_was_attempted(office):
    number = office.report(**URGENT)
    mail = Sent(Undelivered("It timed out, though it had arrived."))
    page(office, "Priya", number)
    tick(MONDAY, office.engine, {"email": mail})
    page(office, "Priya", number, now=MONDAY + SECOND)
    page(office, "Priya", number, now=MONDAY + 2 * SECOND)
    assert tick(MONDAY + HOUR, office.engine, {"email": mail}) == 1
    first, second = mail.messages
    assert first.key != second.key, "a receiver would take it for a repeat and drop it"
    assert [row.cancelled_why for row in rows(office)] == ["A newer page took its place.", ""]


def test_a_page_to_nobody_says_so(office):
    with writing(office.engine) as db:
        db.get_one(Person, office.people["Sam"].id).disabled_at = MONDAY
        db.get_one(Person, office.people["Priya"].id).email = None
    number = office.report(**URGENT)
    assert page(office, "Sam", number) == outbox.Paged(0, None)
    assert page(office, "Priya", number).channels == 0


@pytest.mark.parametrize(("level", "begins"), [({}, 22), (URGENT, 2)])
def test_low_priorities_wait_for_the_morning_where_the_person_is(office, level, begins):
    with writing(office.engine) as db:
        db.get_one(Person, office.people["Priya"].id).zone = "America/Los_Angeles"  # 02:00 UTC is 18:00 there
    number = office.report(**level)
    if not level:
        with writing(office.engine) as db:
            db.get_one(Incident, number).priority = 4
    tonight = MONDAY.replace(hour=7)  # 23:00 in Los Angeles
    page(office, "Priya", number, now=tonight)
    [row] = rows(office)
    assert row.next_attempt_at == (tonight if level else MONDAY.replace(hour=15))
    page(office, "Lena", number, now=MONDAY.replace(hour=2), night_ok=True)
    assert rows(office)[-1].next_attempt_at == MONDAY.replace(hour=2)


def test_what_fails_for_a_while_is_tried_again_ever_more_rarely_with_the_same_id(office):
    tell(office, "Priya")
    mail = Sent(*(Undelivered("The server is busy.") for _ in range(3)))
    now, waits = MONDAY, []
    for _ in range(3):
        assert tick(now, office.engine, {"email": mail}) == 0
        [row] = rows(office)
        assert (row.last_error, row.given_up_at, row.leased_until) == ("The server is busy.", None, None)
        assert tick(row.next_attempt_at - SECOND, office.engine, {"email": mail}) == 0
        waits.append((row.next_attempt_at - now).total_seconds())
        now = row.next_attempt_at
    assert tick(now, office.engine, {"email": mail}) == 1
    assert len({message.key for message in mail.messages}) == 1
    assert [12 <= waits[0] <= 18, 24 <= waits[1] <= 36, 48 <= waits[2] <= 72] == [True] * 3


def test_a_target_that_asks_for_time_gets_it(office):
    tell(office, "Priya")
    tick(MONDAY, office.engine, {"email": Sent(Undelivered("Slow down.", wait=600))})
    assert rows(office)[0].next_attempt_at == MONDAY + 10 * MINUTE


def test_an_outage_of_an_hour_loses_nothing_and_sends_each_page_once(office):
    number = office.report(**URGENT)
    mail = Sent(*(Undelivered("Down.") for _ in range(500)))
    for minute in range(60):
        if minute % 20 == 0:
            page(office, "Priya", number, now=MONDAY + minute * MINUTE)
        tick(MONDAY + minute * MINUTE, office.engine, {"email": mail})
    mail.failures.clear()
    mail.messages.clear()
    assert tick(MONDAY + 80 * MINUTE, office.engine, {"email": mail}) == 1
    assert mail.names() == ["Priya"]


def test_what_fails_for_good_is_given_up_loudly_and_the_next_way_goes_at_once(office):
    reach(office, "Priya", HOOK, ("slack", CHAT[1], 3600))
    number = assigned(office)
    page(office, "Priya", number, now=MONDAY + 2 * HOUR)
    chat = Sent()
    gone = Sent(Undelivered("hook.example says that this address is gone (410).", permanent=True))
    assert tick(MONDAY + 2 * HOUR, office.engine, {"webhook": gone, "slack": chat}) == 1
    assert chat.names() == ["Priya"]
    assert said(office, number) == ["could not reach Priya by webhook", "paged Priya by Slack"]
    with reading(office.engine) as db:
        method = db.scalars(select(ContactMethod).where(ContactMethod.channel == "webhook")).one()
        assert (method.broken_at, "410" in method.broken_why) == (MONDAY + 2 * HOUR, True)
        told = db.scalars(select(Notice).where(Notice.kind == "delivery")).all()
        assert [notice.person_id for notice in told] == [office.people["Ada"].id]
    assert page(office, "Priya", number, now=MONDAY + 3 * HOUR).channels == 1, "a broken way is not counted on"


def test_a_page_that_reaches_nobody_in_the_end_tells_the_lead(office):
    number = assigned(office)
    page(office, "Priya", number, now=MONDAY + 2 * HOUR)
    mail = Sent(Undelivered("No such mailbox.", permanent=True))
    assert tick(MONDAY + 2 * HOUR, office.engine, {"email": mail}) == 1
    assert mail.names() == ["Priya", "Lena"]
    assert mail.messages[1].subject == "INC-000001: Priya could not be reached"


@pytest.mark.parametrize(("urgent", "limit"), [(True, retries.PAGES_LAST), (False, retries.OTHERS_LAST)])
def test_what_never_arrives_is_given_up_in_time_and_not_before(office, urgent, limit):
    if urgent:
        page(office, "Priya", office.report(**URGENT))
    else:
        tell(office, "Priya")
    down = Sent(*(Undelivered("Down.") for _ in range(500)))
    now = MONDAY
    while (row := rows(office)[0]).given_up_at is None:
        now = max(now, row.next_attempt_at)
        tick(now, office.engine, {"email": down})
    assert limit - timedelta(minutes=20) <= row.given_up_at - MONDAY <= limit
    with reading(office.engine) as db:
        told = set(db.execute(select(Notice.kind, Notice.person_id).where(Notice.kind.in_(("delivery", "unreached")))))
    ids = {name: office.people[name].id for name in ("Ada", "Lena", "Dora")}
    unreached = {("unreached", ids["Lena"]), ("unreached", ids["Dora"])} if urgent else set()
    assert told == {("delivery", ids["Ada"]), *unreached}


def test_after_an_outage_of_our_own_everything_has_its_chance(office):
    tell(office, "Priya")
    mail = Sent(Undelivered("Busy."))
    later = MONDAY + 3 * DAY
    tick(later, office.engine, {"email": mail})
    assert rows(office)[0].given_up_at is None
    assert tick(later + MINUTE, office.engine, {"email": mail}) == 1


def test_stale_pages_do_not_leave_after_an_outage(office):
    reach(office, "Priya", HOOK)
    number = assigned(office)
    page(office, "Priya", number, now=MONDAY + 2 * HOUR)
    with writing(office.engine) as db:  # as an import or another tool would
        db.execute(update(Incident).values(acknowledged_at=MONDAY + 3 * HOUR, state="in_progress"))
    hook = Sent()
    assert tick(MONDAY + DAY, office.engine, {"webhook": hook}) == 0
    assert rows(office)[0].cancelled_why == "Somebody has answered."


def test_an_acknowledged_incident_pages_again_when_asked_to(office):
    number = office.bring_to("in_progress", **URGENT)
    page(office, "Priya", number, now=MONDAY + 5 * HOUR)
    assert tick(MONDAY + 5 * HOUR, office.engine, {"email": Sent()}) == 1


def test_nothing_of_an_incident_leaves_to_whom_it_was_closed_meanwhile(office):
    number = office.bring_to("assigned")
    tell(office, "Sam", incident=number)
    with writing(office.engine) as db:
        db.execute(update(Incident).values(restricted=True))
    assert tick(MONDAY, office.engine, {"email": Sent()}) == 0
    assert rows(office)[0].cancelled_why == "The incident is not open to them any more."


def test_killed_between_sending_and_recording_it_is_sent_again_with_the_same_id(office, monkeypatch):
    tell(office, "Priya")

    class Killed(BaseException):
        pass

    def die(*_given):
        raise Killed

    mail = Sent()
    with monkeypatch.context() as patched:
        patched.setattr(deliveries, "sent", die)
        with pytest.raises(Killed):
            tick(MONDAY, office.engine, {"email": mail})
    assert tick(MONDAY + 29 * SECOND, office.engine, {"email": mail}) == 0, "the lease still holds"
    assert tick(MONDAY + 30 * SECOND, office.engine, {"email": mail}) == 1
    first, second = mail.messages
    assert first.key == second.key
    assert [first.attempt, second.attempt] == [1, 2]


def test_two_workers_at_once_send_each_message_once(office):
    tell(office, *office.people)
    number = office.report(**URGENT)
    for name in ("Priya", "Sam", "Lena"):
        page(office, name, number)
    mail, together = Sent(), threading.Barrier(3)

    def work(_number):
        together.wait(60)
        return tick(MONDAY, office.engine, {"email": mail})

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(work, range(3))) == 12
    assert len({message.key for message in mail.messages}) == len(mail.messages) == 12


def test_a_clock_set_back_keeps_nothing_waiting(office):
    tell(office, "Priya", now=MONDAY + DAY)
    tell(office, "Rita")
    tick(MONDAY + DAY, office.engine, {"email": Sent(Undelivered("Busy."), Undelivered("Busy."))})
    mail = Sent()
    assert tick(MONDAY + MINUTE, office.engine, {"email": mail}) == 0, "they wait as long as they would have waited"
    assert tick(MONDAY + 2 * MINUTE, office.engine, {"email": mail}) == 2


def test_a_lease_from_the_future_does_not_hold(office, monkeypatch):
    tell(office, "Priya")
    with writing(office.engine) as db:
        db.execute(update(OutboxMessage).values(leased_until=MONDAY + DAY, last_attempt_at=MONDAY + DAY - SECOND))
    assert tick(MONDAY, office.engine, {"email": Sent()}) == 1


def test_a_slow_target_delays_nobody_else(office):
    with writing(office.engine) as db:
        for number in range(6):
            to = outbox.To("webhook", f"https://slow.example/{number}")
            outbox.put(db, to, outbox.Words("note", "Slow"), now=MONDAY)
    tell(office, "Priya", "Rita")
    released, arrived, mail = threading.Event(), [], Sent()

    def slow(message, _now):
        arrived.append(message.key)
        released.wait(120)

    post = Post(office.engine, lambda: MONDAY, {"webhook": slow, "email": mail})
    assert post.turn() == 2 + 2, "one target has two lanes, however much waits for it"
    try:
        deadline = threading.Event()
        for _ in range(3000):
            if len(mail.messages) == 2:
                break
            deadline.wait(0.02)
        assert len(mail.messages) == 2
        assert len(arrived) <= 2
    finally:
        released.set()
        post.wait()
        post.stop()
    assert len(arrived) == 6


def test_the_talk_of_a_busy_room_goes_in_order_and_delays_neither_news_nor_pages(office):
    reach(office, "Priya", (*CHAT[:2], 0))
    page(office, "Priya", assigned(office))
    with writing(office.engine) as db:
        for number in range(40):
            talk = outbox.put(db, outbox.To(*CHAT[:2]), outbox.Words("room", f"Talk {number}"), now=MONDAY)
            talk.target = channels.aside(talk.target)
        outbox.put(db, outbox.To(*CHAT[:2]), outbox.Words("page", "News"), now=MONDAY)
    released, others, arrived, talked = threading.Event(), threading.Semaphore(0), [], []

    def slack(message, _now):
        if message.kind == "room":
            talked.append(message.subject)
            released.wait(120)
        else:
            arrived.append(message.subject)
            others.release()

    post = Post(office.engine, lambda: MONDAY, {"slack": slack, "email": Sent()})
    try:
        post.turn()
        assert all(others.acquire(timeout=60) for _ in range(2))
        assert sorted(arrived) == ["INC-000001 needs you", "News"]
        assert len(talked) <= 1, "one lane, so that answers do not come before their question"
    finally:
        released.set()
        post.wait()
        post.stop()
    assert talked == [f"Talk {number}" for number in range(40)]


@contextmanager
def held_up(count, set_up):
    """Targets that take every message and answer none before the end."""
    with ExitStack() as stack:
        hooks = sorted((stack.enter_context(hook_server()) for _ in range(count)), key=lambda hook: hook.url())
        for hook in hooks:
            hook.hold = threading.Event()
        set_up(OUTGOING_ALLOW="127.0.0.0/8", SMTP_URL="smtp://127.0.0.1?from=desk@example.org")
        try:
            yield hooks
        finally:
            for hook in hooks:
                hook.hold.set()


def write_to(office, hooks, each, **more):
    with writing(office.engine) as db:
        for number in range(each):
            for hook in hooks:
                outbox.put(db, outbox.To("webhook", hook.url(f"/{number}")), outbox.Words("n", "x"), now=MONDAY, **more)


def test_many_slow_targets_delay_no_page(office, set_up):
    arrived, mailed, seconds = threading.Event(), [], [0.0]

    def mail(message, _now):
        mailed.append(message.subject)
        arrived.set()

    def page_arrives(post, subject):
        arrived.clear()
        with writing(office.engine) as db:
            to = outbox.To("email", "priya@example.org")
            outbox.put(db, to, outbox.Words("page", subject), now=MONDAY, urgent=True)
        post.turn()
        return arrived.wait(60) and mailed[-1] == subject

    senders = {"webhook": webhook.send, "email": mail}
    with held_up(12, set_up) as hooks:
        post = Post(office.engine, lambda: MONDAY, senders, timer=lambda: seconds[0])
        try:
            write_to(office, hooks, 3)
            assert post.turn() == 8, "what is not urgent has lanes of its own"
            assert all(hook.arrived.wait(60) for hook in hooks[:8])
            assert page_arrives(post, "while notices are held up")
            for hook in hooks:
                hook.arrived.clear()
            write_to(office, hooks[:8], 3, urgent=True)
            assert post.turn() >= 15, "pages to slow targets have all the lanes of pages, but the one that just ends"
            assert all(hook.arrived.wait(60) for hook in hooks[:8])
            seconds[0] += LATE_SECONDS + 1
            assert page_arrives(post, "while pages are held up")
            known = [lane for lane in list(post._lanes) if lane.urgent and lane.target != "email"]
            assert len(known) <= 16, "those known to be slow get no second helping"
        finally:
            for hook in hooks:
                hook.hold.set()
            post.stop()


def test_a_lane_leaves_a_slow_target_after_one_message_to_serve_another(office):
    seconds, order = [0.0], []

    def send(message, _now):
        order.append(message.address.split("/")[2])
        if order[-1] == "slow.example":
            seconds[0] += TURN_SECONDS + 1

    with writing(office.engine) as db:
        for _ in range(5):
            outbox.put(db, outbox.To("webhook", "https://slow.example/x"), outbox.Words("n", "x"), now=MONDAY)
        for number in range(5):
            to = outbox.To("webhook", f"https://fast{number}.example/x")
            outbox.put(db, to, outbox.Words("n", "x"), now=MONDAY + SECOND)
    post = Post(office.engine, lambda: MONDAY + MINUTE, {"webhook": send}, timer=lambda: seconds[0])
    try:
        post.turn()
        post.wait()
    finally:
        post.stop()
    assert order.count("slow.example") <= 2
    assert sorted(set(order)) == [*(f"fast{number}.example" for number in range(5)), "slow.example"]


def test_stop_lets_the_message_on_its_way_end_and_begins_no_other(office):
    with writing(office.engine) as db:
        for number in range(5):
            outbox.put(db, outbox.To("webhook", f"https://x.example/{number}"), outbox.Words("n", "x"), now=MONDAY)
    begun, released, done = threading.Event(), threading.Event(), []

    def slow(message, _now):
        begun.set()
        released.wait(120)
        done.append(message.key)

    post = Post(office.engine, lambda: MONDAY, {"webhook": slow})
    post.turn()
    begun.wait(60)
    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(post.stop)
        assert post._stopping.wait(60)
        released.set()
        stopped.result(60)
    assert 1 <= len(done) <= 2
    assert sum(row.sent_at is not None for row in rows(office)) == len(done)


def test_a_team_reads_in_its_channels_and_a_broken_one_is_left_out(office):
    with writing(office.engine) as db:
        for path, broken in (("a", None), ("b", MONDAY)):
            db.add(TeamChannel(team_id=office.teams["Network"], channel="slack", address=f"https://s.example/{path}",
                               created_at=MONDAY, broken_at=broken))  # fmt: skip
    number = office.report(**URGENT)
    with writing(office.engine) as db:
        about = db.get_one(Incident, number)
        assert outbox.announce(db, office.teams["Network"], "page", "Mail", incident=about, now=MONDAY) == 1
    chat = Sent()
    assert tick(MONDAY, office.engine, {"slack": chat}) == 1
    [message] = chat.messages
    assert (message.links, message.url) == ((), "https://desk.example/incident?number=INC-000001")
    with writing(office.engine) as db:
        about = db.get_one(Incident, number)
        outbox.announce(db, office.teams["Network"], "page", "Salaries leaked", "All", incident=about, now=MONDAY)
        about.restricted = True
    tick(MONDAY, office.engine, {"slack": chat})
    message = chat.messages[-1]
    assert (message.subject, message.body, message.title) == (
        "INC-000001 is restricted. Open it in the app.", "", "")  # fmt: skip


def test_given_up_is_tried_again_by_hand(office):
    tell(office, "Priya")
    tick(MONDAY, office.engine, {"email": Sent(Undelivered("No.", permanent=True))})
    [row] = rows(office)
    with writing(office.engine) as db:
        deliveries.try_again(db, row.id, actor=office.people["Ada"], now=MONDAY + HOUR)
    assert tick(MONDAY + HOUR, office.engine, {"email": Sent()}) == 1
    for name in ("Lena", "Priya"):
        with pytest.raises(ValueError, match="no such message"), writing(office.engine) as db:
            deliveries.try_again(db, row.id, actor=office.people[name], now=MONDAY)
