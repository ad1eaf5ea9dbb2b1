"""What the public is told of incidents: components, updates, mails; and nothing else."""

from datetime import timedelta

import pytest
from sqlalchemy import event, update

from db import freshness
from db.commands import subscriptions, update_clock
from db.commands.undo import undo
from db.engine import reading, writing
from db.models import Incident, OutboxMessage, Update
from db.queries import status_page as queries
from rules.errors import RuleError
from tests.db.office import HOUR, MONDAY
from tests.db.public import Public, with_mail


@pytest.fixture
def public(engine):
    return Public(engine)


@pytest.fixture
def mailing(monkeypatch):
    with_mail(monkeypatch)


def test_an_update_says_how_components_are_until_the_next_one(public):
    incident = public.report("Secret words")
    public.update(incident, states={"Mail": "partial", "Portal": "degraded"})
    assert public.states() == {"Mail": "partial", "Portal": "degraded", "Shop": "operational"}
    [told] = public.board().going_on
    assert (told.title, told.stage, [note.text for note in told.notes]) == (
        "E-mail is slow", "investigating", ["We look into it."],
    )  # fmt: skip
    public.update(incident, "Worse.", "identified", MONDAY + HOUR, states={"Mail": "major"}, title="E-mail is down")
    assert public.states(MONDAY + HOUR) == {"Mail": "major", "Portal": "operational", "Shop": "operational"}
    public.update(incident, "Still.", "identified", MONDAY + HOUR, title="")
    board = public.board(MONDAY + 2 * HOUR)
    assert [told.title for told in board.going_on] == ["E-mail is down"]
    assert [note.text for note in board.going_on[0].notes] == ["Still.", "Worse.", "We look into it."]
    mail = board.components[0].history.days[-1]
    assert (mail.state, mail.down) == ("major", 2 * 3600)
    assert board.components[1].history.days[-1].state == "degraded"


def test_resolved_ends_it_and_a_later_update_opens_it_again(public):
    incident = public.report()
    public.update(incident, states={"Mail": "major"})
    public.update(incident, "Done.", "resolved", MONDAY + HOUR, states={"Mail": "major"})
    board = public.board(MONDAY + 2 * HOUR)
    assert (board.going_on, [told.ended_at for told in board.past]) == ((), [MONDAY + HOUR])
    assert [(each.name, each.state) for each in board.past[0].components] == [("Mail", "major")]
    assert public.states(MONDAY + 2 * HOUR)["Mail"] == "operational"
    public.update(incident, "Again.", "investigating", MONDAY + 3 * HOUR, states={"Mail": "degraded"})
    board = public.board(MONDAY + 4 * HOUR)
    assert ([told.stage for told in board.going_on], board.past) == (["investigating"], ())
    assert board.components[0].history.days[-1].down == 3600, "between the two it worked"


def test_a_correction_of_words_neither_opens_nor_ends_it(public):
    incident = public.report()
    first = public.update(incident, states={"Mail": "major"})
    last = public.update(incident, "Done.", "resolved", MONDAY + HOUR)
    public.update(incident, "We looked into it.", "investigating", MONDAY + 2 * HOUR, corrects=first)
    [told] = public.board(MONDAY + 3 * HOUR).past
    assert (told.notes[0].correction, told.notes[0].corrects_at) == (True, MONDAY)
    public.update(
        incident, "It is not done.", "monitoring", MONDAY + 4 * HOUR, corrects=last, states={"Mail": "partial"}
    )
    assert public.states(MONDAY + 5 * HOUR)["Mail"] == "partial"


@pytest.mark.parametrize(
    ("states", "title", "field"),
    [({"999": "major"}, "T", "components"), ({"1": "awful"}, "T", "components"), ({}, "", "title")],
)
def test_what_nobody_can_read_is_refused(public, states, title, field):
    incident = public.report()
    public.components |= {"999": 999, "1": 1}
    with pytest.raises(RuleError) as refused:
        public.update(incident, states=states, title=title)
    assert field in refused.value.fields
    assert public.board().going_on == ()


def test_internal_and_unpublished_updates_reach_nobody(public):
    incident = public.report()
    public.update(incident, "Only us.", audience="internal", states={"Mail": "major"})
    public.update(incident, "Not yet.", published=False, states={"Mail": "major"})
    assert public.board().going_on == ()
    assert set(public.states().values()) == {"operational"}
    public.update(incident, "All.", audience="both")
    public.update(incident, "Only us again.", audience="internal")
    assert [note.text for note in public.board().going_on[0].notes] == ["All."]


@pytest.mark.parametrize("action", ["recover", "cancel"])
def test_an_incident_that_is_over_ends_before_the_public_too(public, mailing, action):
    public.subscribe("ana@example.org", "Mail")
    if action == "recover":
        incident = public.bring_to("resolved")
        public.update(incident, states={"Mail": "major"})
        public.perform(incident, "recover", "Priya", MONDAY + 9 * HOUR)
    else:
        incident = public.report()
        public.update(incident, states={"Mail": "major"})
        public.perform(incident, "cancel", "Dora", MONDAY + 9 * HOUR, reason="Secret reason.")
    [told] = public.board(MONDAY + 10 * HOUR).past
    assert (told.stage, told.ended_at) == ("resolved", MONDAY + 9 * HOUR)
    assert (told.notes[0].text, told.notes_in_all) == ("It works again.", 2)
    assert set(public.states(MONDAY + 10 * HOUR).values()) == {"operational"}
    assert public.told()[-1] == ("ana@example.org", "[Our status] E-mail is slow: Resolved")
    assert "Mail: Operational" in public.mails()[-1].payload["body"]
    assert public.timeline(incident)[-1].text == "ended it on the status page"
    if action == "recover":
        public.perform(incident, "close", "Dora", MONDAY + 11 * HOUR, verification="not_needed", verification_note="x")
        assert len(public.told()) == 2, "it was told once"


def test_what_was_merged_goes_on_until_the_other_one_is_over(public):
    duplicate, survivor = public.report(), public.bring_to("resolved", title="The real one")
    public.update(duplicate, states={"Mail": "major"})
    public.perform(duplicate, "merge", "Lena", MONDAY + 5 * HOUR, duplicate_of_id=survivor)
    assert public.states(MONDAY + 6 * HOUR)["Mail"] == "major"
    public.perform(survivor, "recover", "Priya", MONDAY + 7 * HOUR)
    assert public.states(MONDAY + 8 * HOUR)["Mail"] == "operational"
    late = public.report()
    public.update(late, states={"Mail": "partial"}, at=MONDAY + 8 * HOUR)
    public.perform(late, "merge", "Lena", MONDAY + 9 * HOUR, duplicate_of_id=survivor)
    assert public.states(MONDAY + 9 * HOUR)["Mail"] == "operational", "the other one is over already"


def _undone(public, incident, at, by="Dora"):
    with writing(public.engine) as db:
        return undo(db, incident, public.incident(incident).version, actor=public.people[by], now=at)


def _page(public, at):
    """What visitors see of incidents and components, but for the days, whose newest grows with the time."""
    board = public.board(at)
    return board.going_on, board.past, {each.name: each.state for each in board.components}


ENDED, BACK = MONDAY + 9 * HOUR, MONDAY + 9 * HOUR + timedelta(seconds=50)


def test_a_cancel_that_is_taken_back_leaves_the_public_where_it_was(public, mailing):
    """The mail of the end has not left: it does not leave, and nobody is written to again."""
    public.subscribe("ana@example.org", "Mail")
    incident = public.bring_to("in_progress")
    public.update(incident, states={"Mail": "partial"})
    second = public.update(incident, "Worse.", "identified", MONDAY + 5 * HOUR, states={"Mail": "major"})
    public.update(incident, "Far worse.", "identified", MONDAY + 6 * HOUR, corrects=second, title="")
    with writing(public.engine) as db:
        update_clock.promise(db, db.get_one(Incident, incident), MONDAY + 10 * HOUR)
        db.get_one(Update, second + 1).next_at = MONDAY + 10 * HOUR
    before, mails = _page(public, BACK), public.told()
    public.perform(incident, "cancel", "Dora", ENDED, reason="Not ours.")
    assert _page(public, ENDED)[0] == ()
    _undone(public, incident, BACK)
    assert _page(public, BACK) == before
    assert before[0][0].stage == "identified"
    assert public.board(MONDAY + 10 * HOUR).components[0].history.days[-1].down == 10 * 3600, "it never worked between"
    *others, end = public.mails()
    assert (end.payload["subject"], end.cancelled_at, end.cancelled_why) == (
        "[Our status] E-mail is slow: Resolved", BACK, "It is not over.",
    )  # fmt: skip
    assert all(mail.cancelled_at is None for mail in others)
    assert len(public.told()) == len(mails) + 1, "no more than the one that does not leave"
    assert (public.timeline(incident)[-1].text, public.timeline(incident)[-1].detail) == (
        "took back that it ended on the status page", "",
    )  # fmt: skip
    due = public.timers(incident)["update_due"]
    assert (due.due_at, due.fired_at) == (MONDAY + 10 * HOUR, None)
    public.perform(incident, "cancel", "Dora", BACK + HOUR, reason="Not ours after all.")
    assert public.mails()[-1].cancelled_at is None, "it ends once more, and is told"
    assert len(public.told()) == len(mails) + 2


def test_whoever_may_have_read_that_it_ended_gets_a_correction(public, mailing):
    stood = {"sent": {}, "tried": {}, "refused": {}, "waiting": {}, "left": {}}
    tokens = {name: public.subscribe(f"{name}@example.org", "Mail") for name in stood}
    incident = public.report()
    public.update(incident, states={"Mail": "major"})
    with writing(public.engine) as db:
        db.execute(update(OutboxMessage).values(sent_at=MONDAY))
    public.perform(incident, "cancel", "Dora", ENDED, reason="Not ours.")
    tried, sent = {"last_attempt_at": ENDED, "attempts": 1}, {"sent_at": ENDED}
    stood |= {"sent": tried | sent, "tried": tried, "refused": tried | {"given_up_at": ENDED}, "left": tried | sent}
    with writing(public.engine) as db:
        for name, values in stood.items():
            own = (OutboxMessage.address == f"{name}@example.org", OutboxMessage.sent_at.is_(None))
            if values:
                db.execute(update(OutboxMessage).where(*own).values(values))
        subscriptions.leave(db, tokens["left"], now=ENDED)
    count = len(public.mails())
    _undone(public, incident, BACK)
    corrections = public.mails()[count:]
    assert [mail.address for mail in corrections] == ["sent@example.org", "tried@example.org"]
    assert corrections[0].payload["subject"] == "[Our status] E-mail is slow: Investigating"
    assert corrections[0].payload["body"] == (
        "Correction: This incident was marked as resolved by mistake. It is not over.\n\nMail: Major outage"
    )
    waiting = {mail.address for mail in public.mails()[:count] if not (mail.sent_at or mail.cancelled_at)}
    assert waiting == set(), "what was not handed over is not tried again"
    assert public.timeline(incident)[-1].detail == "2 subscribers read that it had ended, and got a correction."


@pytest.mark.parametrize("survivor_is", ["resolved", "recovered"])
def test_a_merge_that_is_taken_back_brings_back_what_it_ended(public, survivor_is):
    duplicate, survivor = public.report(), public.bring_to(survivor_is, title="The real one")
    public.update(duplicate, states={"Mail": "major"})
    before = _page(public, BACK)
    public.perform(duplicate, "merge", "Lena", ENDED, duplicate_of_id=survivor)
    assert (public.states(ENDED)["Mail"] == "operational") == (survivor_is == "recovered")
    _undone(public, duplicate, BACK, by="Lena")
    assert _page(public, BACK) == before


def test_cancelling_ends_what_was_merged_into_it_and_taking_it_back_goes_on_with_both(public):
    duplicate, survivor = public.report(), public.bring_to("in_progress", title="The real one")
    public.update(duplicate, states={"Mail": "major"})
    public.perform(duplicate, "merge", "Lena", MONDAY + 5 * HOUR, duplicate_of_id=survivor)
    public.update(survivor, states={"Shop": "partial"}, title="Shop is slow")
    before = _page(public, BACK)
    public.perform(survivor, "cancel", "Dora", ENDED, reason="Not ours.")
    assert set(public.states(ENDED).values()) == {"operational"}
    _undone(public, survivor, BACK)
    assert _page(public, BACK) == before


def test_what_was_over_before_or_said_to_be_over_since_stays_over(public):
    """A correction that says it is resolved was written by somebody: no undo speaks over it."""
    done, said = public.report(), public.report()
    public.update(done, "Done.", "resolved", MONDAY + HOUR)
    first = public.update(said, states={"Mail": "major"})
    for incident in (done, said):
        public.perform(incident, "cancel", "Dora", ENDED, reason="Not ours.")
    public.update(said, "It was nothing.", "resolved", ENDED + timedelta(seconds=9), corrects=first)
    for incident in (done, said):
        _undone(public, incident, BACK)
    assert public.board(BACK).going_on == ()
    assert set(public.states(BACK).values()) == {"operational"}


def test_an_update_that_corrected_what_only_we_had_read_is_what_it_goes_back_to(public):
    incident = public.report()
    inside = public.update(incident, "Slow.", "identified", audience="internal")
    public.update(incident, "Slow.", "identified", MONDAY + HOUR, corrects=inside, states={"Mail": "degraded"})
    before = _page(public, BACK)
    public.perform(incident, "cancel", "Dora", ENDED, reason="Not ours.")
    _undone(public, incident, BACK)
    assert _page(public, BACK) == before


def test_each_subscriber_concerned_gets_one_mail(public, mailing):
    for email, names in {
        "all@example.org": (),
        "mail@example.org": ("Mail", "Portal"),
        "shop@example.org": ("Shop",),
    }.items():
        public.subscribe(email, *names)
    public.subscribe("pending@example.org", confirmed=False)
    incident = public.report("Secret words", description="Secret description")
    public.update(incident, "Slow.", states={"Mail": "partial", "Portal": "degraded"})
    subject = "[Our status] E-mail is slow: Investigating"
    assert public.told() == [("all@example.org", subject), ("mail@example.org", subject)]
    mail = public.mails()[-1]
    assert mail.payload["body"] == ("Slow.\n\nMail: Partial outage\nPortal: Degraded performance")
    assert mail.payload["button"] == ["Open the status page", "/status"]
    assert (mail.incident_id, mail.person_id) == (None, None)
    assert mail.payload["leave"].startswith("/status/subscription/")
    public.update(incident, "Fixed in part.", "monitoring", MONDAY + HOUR, states={"Portal": "degraded"})
    assert "Mail: Operational" in public.mails()[-1].payload["body"]
    public.update(incident, "A word.", "monitoring", MONDAY + HOUR)
    assert [address for address, _ in public.told()[-2:]] == ["all@example.org", "mail@example.org"]
    with reading(public.engine) as db:
        assert queries.audience(db, [public.components["Shop"]]) == 2
        assert queries.audience(db, []) == 1
        assert queries.suggested(db, public.service) == [public.components["Mail"]]
        known = {each.name: each for each in queries.components(db)}
    assert (known["Portal"].state, known["Mail"].state, known["Mail"].service_ids) == (
        "degraded", "operational", (public.service,),
    )  # fmt: skip


def test_nobody_is_written_to_while_there_is_no_page(public, mailing):
    public.subscribe("ana@example.org")
    public.page(published=False)
    public.update(public.report(), states={"Mail": "major"})
    assert public.told() == []


def counted(engine, act):
    """How many statements `act` sends."""
    sent = []
    listen = lambda *given: sent.append(given[2])  # noqa: E731
    event.listen(engine, "before_cursor_execute", listen)
    try:
        act()
    finally:
        event.remove(engine, "before_cursor_execute", listen)
    return len(sent)


def test_the_page_and_its_mails_cost_the_same_few_statements_however_much_there_is(public, mailing):
    public.subscribe("one@example.org")
    incident = public.report()
    public.update(incident, states={"Mail": "major"})
    few = counted(public.engine, public.board)
    one = counted(public.engine, lambda: public.update(incident, states={"Mail": "partial"}))
    public.components |= {f"c{n}": public.component(f"c{n}", group=f"g{n % 3}") for n in range(10)}
    for number in range(12):
        public.subscribe(f"p{number}@example.org", "c1", "Mail", at=MONDAY + number * HOUR)
        other = public.report(f"number {number}")
        public.update(other, states={f"c{number % 10}": "partial", "Mail": "degraded"})
    assert counted(public.engine, public.board) == few <= 14
    assert counted(public.engine, lambda: public.update(incident, states={"Mail": "major"})) <= one + 1


def test_a_copy_is_old_once_something_is_published_and_not_before(public):
    before = freshness.count()
    incident = public.report()
    assert freshness.count() == before
    with pytest.raises(ZeroDivisionError), writing(public.engine) as db:
        freshness.changed(db)
        raise ZeroDivisionError
    assert freshness.count() == before
    public.update(incident)
    assert freshness.count() == before + 1


def test_what_ended_long_ago_leaves_the_page_and_stays_in_the_history(public):
    incident = public.report()
    public.update(incident, states={"Mail": "major"})
    public.update(incident, "Done.", "resolved", MONDAY + HOUR)
    later = MONDAY + timedelta(days=20)
    board = public.board(later)
    assert board.past == ()
    assert [day.down for day in board.components[0].history.days if day.down] == [3600]
    with reading(public.engine) as db:
        [told] = queries.past(db, later).past
        assert (told.title, told.notes) == ("E-mail is slow", ())
        assert queries.past(db, MONDAY + timedelta(days=91)).past == ()
        _, whole = queries.one(db, told.id, later)
        assert [note.text for note in whole.notes] == ["Done.", "We look into it."]
        assert queries.one(db, 999, later)[1] is None
