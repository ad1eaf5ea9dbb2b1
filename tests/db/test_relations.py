"""Parts of a larger incident and whom its news reach; links to what lies elsewhere."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from db.commands import conversation, incidents, naming
from db.commands import relations as commands
from db.engine import reading, writing
from db.models import Incident, Notice
from db.queries import incidents as queries
from db.queries import my_reports
from db.queries.relations import relations
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import HOUR, MONDAY, Office

NOW = MONDAY + 20 * HOUR
FIX = {"resolution_code": "fixed", "resolution_note": "New switch."}


@pytest.fixture
def office(engine):
    return Office(engine)


def set_parent(office, incident, parent, by="Priya", version=None):
    with writing(office.engine) as db:
        return commands.set_parent(db, incident, version, parent, actor=office.people[by], now=NOW)


def restrict(office, incident):
    with writing(office.engine) as db:
        incidents.prioritise(db, incident, None, {"restricted": True}, actor=office.people["Lena"], now=NOW)


def related(office, who, incident):
    with reading(office.engine) as db:
        actor = office.people[who]
        return relations(db, actor, queries.by_number(db, actor, f"INC-{incident:06d}"))


def read_by(office, who, incident):
    """What its reporter or follower reads on it that came from the larger one, oldest first: (text, words)."""
    with reading(office.engine) as db:
        actor = office.people[who]
        entries, _ = my_reports.story(db, actor, queries.by_number(db, actor, f"INC-{incident:06d}"))
    return [(entry.text, entry.detail) for entry in reversed(entries) if entry.kind == "update"]


def told(office, who):
    """Subjects of what somebody was told, oldest first."""
    with reading(office.engine) as db:
        mine = select(Notice.subject).where(Notice.person_id == office.people[who].id)
        return list(db.scalars(mine.order_by(Notice.id)))


def test_what_happens_to_the_larger_one_reaches_those_who_wait_for_its_parts(office):
    parent, part, apart = office.bring_to("in_progress"), office.report(by="Otto"), office.report(by="Max")
    with writing(office.engine) as db:
        conversation.follow(db, part, actor=office.people["Devi"], now=NOW)
    set_parent(office, part, parent)
    number = f"INC-{parent:06d}"
    office.comment(parent, "A switch is broken.", "Priya", NOW)
    office.comment(parent, "Only us: it burns.", "Priya", NOW, public=False)
    office.perform(parent, "resolve", "Priya", NOW, **FIX)
    office.perform(parent, "recover", "Priya", NOW)
    office.perform(parent, "reopen", "Priya", NOW, reason="Again.")
    assert read_by(office, "Otto", part) == [
        (f"wrote on {number}, which this is part of", "A switch is broken."),
        (f"resolved {number}, which this is part of", "New switch."),
        (f"found restored {number}, which this is part of", ""),
        (f"reopened {number}, which this is part of", "Again."),
    ]
    assert told(office, "Otto")[0] == f"INC-{part:06d}: Priya wrote on {number}, which this is part of"
    counts = [len(told(office, name)) for name in ("Otto", "Devi", "Rita", "Max", "Priya")]
    assert counts == [4, 4, 1, 0, 0], "Rita, who reported the larger one, is asked whether it works"
    assert read_by(office, "Max", apart) == []
    assert office.incident(part).state == "new", "a part is not resolved by the way"
    set_parent(office, part, None)
    office.comment(parent, "More news.", "Priya", NOW)
    assert len(told(office, "Otto")) == 4


def test_a_reporters_own_words_and_a_followers_stay_with_their_incident(office):
    parent, part = office.bring_to("recovered"), office.report(by="Otto")
    set_parent(office, part, parent)
    with writing(office.engine) as db:
        conversation.follow(db, parent, actor=office.people["Max"], now=NOW)
    office.comment(parent, "My own worry.", "Rita", NOW)
    office.comment(parent, "Me too, in room 5.", "Max", NOW)
    office.perform(parent, "reject", "Rita", NOW, reason="My desk is still dark.")
    assert read_by(office, "Otto", part) == [(f"reopened INC-{parent:06d}, which this is part of", "")]


def test_sending_it_back_to_triage_is_no_news(office):
    parent, part = office.bring_to("assigned"), office.report(by="Otto")
    set_parent(office, part, parent)
    office.perform(parent, "reject", "Priya", NOW, reason="Not ours.")
    office.perform(parent, "cancel", "Dora", NOW, reason="None.")
    office.perform(parent, "reopen", "Dora", NOW, reason="It is one.")
    assert read_by(office, "Otto", part) == []


def test_parts_of_one_that_was_merged_hear_from_the_one_that_goes_on(office):
    parent, survivor, part = office.report(), office.bring_to("in_progress"), office.report(by="Otto")
    set_parent(office, part, parent)
    office.perform(parent, "merge", "Dora", NOW, duplicate_of_id=survivor)
    office.comment(survivor, "Found it.", "Priya", NOW)
    assert read_by(office, "Otto", part) == [(f"wrote on INC-{survivor:06d}, which this is part of", "Found it.")]
    assert [found.id for found in related(office, "Priya", survivor).parts] == [part]


def test_nothing_of_a_restricted_one_reaches_an_open_one(office):
    parent, hidden, part = office.bring_to("in_progress"), office.report(by="Max"), office.report(by="Otto")
    set_parent(office, part, parent)
    set_parent(office, hidden, parent)
    restrict(office, parent)
    restrict(office, hidden)
    with writing(office.engine) as db:
        naming.name(db, hidden, office.people["Rita"].id, actor=office.people["Lena"], now=NOW)
        conversation.follow(db, part, actor=office.people["Max"], now=NOW)
    office.comment(parent, "Somebody read the salaries.", "Priya", NOW)
    assert read_by(office, "Otto", part) == []
    assert len(read_by(office, "Max", hidden)) == 1
    assert [len(told(office, name)) for name in ("Otto", "Max", "Rita")] == [0, 1, 1]
    assert related(office, "Sam", part).parent is None
    with pytest.raises(RuleError, match="is restricted: its updates cannot reach"):
        set_parent(office, office.report(by="Otto"), parent)


def test_a_restricted_part_leaves_no_mark_on_an_open_one(office):
    parent, part = office.report(), office.report(by="Otto")
    restrict(office, part)
    set_parent(office, part, parent, by="Lena")
    assert [entry.text for entry in office.timeline(parent)] == ["reported it"]
    assert related(office, "Sam", parent).parts == ()


def test_only_one_level_and_nothing_impossible(office):
    parent, part, other = office.report(), office.report(), office.report()
    set_parent(office, part, parent)
    cancelled = office.bring_to("cancelled")
    for incident, wanted, sentence in (
        (parent, other, "has parts of its own"),
        (other, part, "is itself part of another"),
        (other, other, "cannot be part of itself"),
        (other, cancelled, "is cancelled"),
        (other, 999_999, "there is none with this number"),
    ):
        with pytest.raises(RuleError, match=sentence):
            set_parent(office, incident, wanted)
    assert set_parent(office, part, parent).version == 2, "the same again changes nothing"
    with pytest.raises(incidents.Conflict):
        set_parent(office, part, None, version=1)
    for who, refusal in (("Max", Forbidden), ("Otto", NotFound)):
        with pytest.raises(refusal):
            set_parent(office, other, parent, by=who)
    changes = office.timeline(part)[-1].changes
    assert changes == {"parent_id": [None, parent]}


def test_two_made_part_of_each_other_at_once(office):
    one, two = office.report(), office.report()
    together = threading.Barrier(2)

    def press(which):
        together.wait(60)
        try:
            set_parent(office, *which)
        except RuleError as refused:
            return refused.sentence
        return "done"

    with ThreadPoolExecutor(2) as pool:
        got = list(pool.map(press, [(one, two), (two, one)]))
    assert got.count("done") == 1, got
    with reading(office.engine) as db:
        assert [parent for parent in db.scalars(select(Incident.parent_id)) if parent] == [
            two if got[0] == "done" else one
        ]


def link(office, incident, *what, by="Priya"):
    with writing(office.engine) as db:
        return commands.link(db, incident, *what, actor=office.people[by], now=NOW).id


@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        (("change", "CHG-7", "https://change.example/7"), {}),
        (("other", "The wiki", ""), {}),
        (("other", "Wiki", "https://en.wikipedia.org/wiki/Switch_(network)"), {}),
        (("ticket", "X", ""), {"kind"}),
        (("change", " ", ""), {"reference"}),
        (("change", "x" * 201, ""), {"reference"}),
        (("change", "X", "javascript:alert(1)"), {"url"}),
        (("change", "X", "data:text/html,x"), {"url"}),
        (("change", "X", "//host/path"), {"url"}),
        (("change", "X", "https://"), {"url"}),
        (("change", "X", "https://user:secret@host/"), {"url"}),
        (("change", "X", "https://[bad/"), {"url"}),
        (("change", "X", "https://host/" + "(" * 480), {"url"}),
        (("", "", "ftp://host"), {"kind", "reference", "url"}),
    ],
)
def test_a_link_is_kept_or_refused_in_words(office, what, wrong):
    incident = office.report()
    if not wrong:
        link(office, incident, *what)
        (kept,) = related(office, "Priya", incident).links
        assert (kept.kind, kept.reference) == what[:2]
        assert not set("()<>\"' ") & set(kept.url)
        assert office.timeline(incident)[-1].text.startswith("linked it with")
        return
    with pytest.raises(RuleError) as refused:
        link(office, incident, *what)
    assert set(refused.value.fields) == wrong
    assert related(office, "Priya", incident).links == ()


def test_a_link_is_removed_once_and_only_by_who_may(office):
    incident, other = office.report(), office.report()
    kept = link(office, incident, "problem", "PRB-1")
    for who, at, gone in (("Max", incident, Forbidden), ("Rita", incident, Forbidden), ("Priya", other, None)):
        with writing(office.engine) as db:
            if gone is None:
                commands.unlink(db, at, kept, actor=office.people[who], now=NOW)
            else:
                with pytest.raises(gone):
                    commands.unlink(db, at, kept, actor=office.people[who], now=NOW)
    assert len(related(office, "Priya", incident).links) == 1
    for _ in range(2):
        with writing(office.engine) as db:
            commands.unlink(db, incident, kept, actor=office.people["Priya"], now=NOW)
    assert [entry.text for entry in office.timeline(incident)][1:] == [
        "linked it with problem PRB-1",
        "removed the link with problem PRB-1",
    ]
