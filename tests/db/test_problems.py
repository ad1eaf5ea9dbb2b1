"""Problems: who may, what is kept, what they suggest and cost, whom their words help, and who is told of the fix."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text

from db.commands import deflections, incidents, problem_links, problems, relations, repeats
from db.commands.setup import put
from db.engine import reading, writing
from db.models import AuditEntry, Deflection, Incident, IncidentLink, Notice, Problem
from db.queries import incidents as incident_queries
from db.queries import known_errors, problem_cost, references, rooms
from db.queries import problems as queries
from db.queries import repeats as repeating
from rules.access import Forbidden, NotFound
from rules.errors import RuleError
from tests.db.office import DAY, HOUR, MONDAY, Office
from tests.db.test_chains import verified

NOW = MONDAY + 2 * DAY
KNOWN = {
    "title": "Mail is slow after lunch",
    "cause": "The index is rebuilt at noon.",
    "workaround": "Restart the mail gateway.",
    "public_words": "Close Outlook and open it again; it is fast then.",
}


@pytest.fixture
def office(engine):
    return Office(engine)


def do(office, command, *given, by="Priya", now=NOW, **more):
    with writing(office.engine) as db:
        return command(db, *given, **more, actor=office.people[by], now=now)


def begin(office, incident_ids=(), by="Priya", now=NOW, **given):
    made = do(office, problems.begin, {"title": "Mail is slow"} | given, incident_ids, by=by, now=now)
    return made.id, made.number


def read(office, query, *given, by="Priya", **more):
    with reading(office.engine) as db:
        return query(db, office.people[by], *given, **more)


def problem(office, number, by="Priya"):
    return read(office, queries.one, number, by=by)


def told(office, number):
    entries, total = read(office, queries.history, problem(office, number))
    assert total == len(entries)
    return [(entry.actor_name, entry.kind, entry.text, entry.detail) for entry in reversed(entries)]


def sorted_one(office, title="Mail is slow", by="Rita", at=MONDAY, **given):
    """An incident of the service E-mail with its category."""
    incident = office.report(title, by=by, at=at, service_id=office.service, affected="", **given)
    office.perform(incident, "accept", "Lena", at, **office.triage)
    return incident


def detail(office, incident, by="Priya"):
    return read(office, incident_queries.by_number, office.incident(incident).number, by=by)


def test_it_goes_from_open_to_closed_and_every_step_is_kept(office):
    incident = office.report()
    id_, number = begin(office, [incident], service_id=office.service)
    assert number == "PRB-000001"
    do(office, problems.move, id_, 1, "investigate", by="Lena")
    with pytest.raises(RuleError) as refused:
        do(office, problems.move, id_, 2, "know")
    assert set(refused.value.fields) == {"cause", "workaround"}
    do(office, problems.move, id_, 2, "know", "", KNOWN)
    do(office, problems.change, id_, 3, {"workaround": "Restart both gateways."}, by="Dora")
    do(office, problems.change, id_, 4, {"workaround": "Restart both gateways."})
    do(office, problems.move, id_, 4, "fix", "", {"fix": "The index is rebuilt at night."})
    do(office, problems.move, id_, 5, "close")
    do(office, problems.move, id_, 6, "reopen", "It is back.")
    assert told(office, number) == [
        ("Priya", "opened", "opened it", ""),
        ("Priya", "link", "linked INC-000001", ""),
        ("Lena", "investigate", "began to investigate", ""),
        ("Priya", "know", "called it a known error", ""),
        ("Dora", "changed", "changed the workaround", ""),
        ("Priya", "fix", "fixed it", ""),
        ("Priya", "close", "closed it", ""),
        ("Priya", "reopen", "opened it again", "It is back."),
    ]
    now = problem(office, number)
    assert (now.state, now.version, now.fixed_at, now.closed_at) == ("investigating", 7, None, None)
    entry = office.timeline(incident)[-2]
    assert (entry.kind, entry.text, entry.public) == ("relate", f"linked it with problem {number}", False)


def test_its_history_can_be_neither_changed_nor_deleted(office):
    begin(office)
    for statement in ("update problem_entry set text = 'x'", "delete from problem_entry"):
        with pytest.raises(Exception, match="append-only"), writing(office.engine) as db:
            db.execute(text(statement))


def test_what_a_state_needs_cannot_be_emptied_in_it(office):
    id_, _ = begin(office, **KNOWN)
    do(office, problems.move, id_, None, "know")
    with pytest.raises(RuleError, match="a known error has a workaround"):
        do(office, problems.change, id_, None, {"workaround": " "})


def test_of_two_who_write_the_second_reads_what_the_first_did(office):
    id_, number = begin(office)
    do(office, problems.change, id_, 1, {"cause": "A full disk."}, by="Lena")
    with pytest.raises(RuleError, match="Lena changed PRB-000001 while you were writing") as refused:
        do(office, problems.change, id_, 1, {"cause": "A cable."})
    assert set(refused.value.fields) == {"version"}
    [entry] = read(office, queries.since, problem(office, number), 1)
    assert entry.changes == {"cause": ["", "A full disk."]}
    assert problem(office, number).cause == "A full disk."


def test_a_form_sent_twice_opens_one(office):
    def send(_):
        return do(office, problems.begin, {"title": "Mail is slow"}, (), form_token="once").number

    with ThreadPoolExecutor(2) as both:
        assert len(set(both.map(send, range(2)))) == 1
    assert read(office, queries.counts)["open"] == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"title": ""}, "title"),
        ({"service_id": 99}, "service_id"),
        ({"category_pair_id": 99}, "category_pair_id"),
        ({"owner_id": 99}, "owner_id"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_makes_no_sense_is_refused_by_field(office, given, field):
    with pytest.raises(RuleError) as refused:
        begin(office, **given)
    assert set(refused.value.fields) == {field}
    with pytest.raises(RuleError, match="works on problems"):
        begin(office, owner_id=office.people["Rita"].id)


def test_who_may_not_is_refused_and_who_only_reads_changes_nothing(office):
    id_, number = begin(office)
    for by in ("Rita", "Ada"):
        with pytest.raises(Forbidden):
            do(office, problems.change, id_, None, {"cause": "x"}, by=by)
        with pytest.raises(Forbidden):
            begin(office, by=by)
    with pytest.raises(Forbidden):
        problem(office, number, by="Rita")
    assert problem(office, number, by="Ada").number == number
    do(office, problems.change, id_, None, {"cause": "x"}, by="Max")


def test_a_restricted_one_is_for_its_owner_its_opener_and_the_team_of_its_service(office):
    given = {**KNOWN, "restricted": True, "service_id": office.service, "owner_id": office.people["Lena"].id}
    id_, number = begin(office, by="Dora", **given)
    for by in ("Dora", "Lena", "Sam"):  # E-mail belongs to Sam's team
        assert problem(office, number, by=by).restricted
        assert read(office, queries.everything, ["open"], by=by)[1] == 1
    for by in ("Priya", "Max", "Ada"):
        with pytest.raises(NotFound):
            problem(office, number, by=by)
        assert read(office, queries.everything, ["open"], by=by) == ([], 0)
        assert read(office, queries.counts, by=by)["open"] == 0
        assert read(office, queries.choices, by=by) == {}
    with pytest.raises(NotFound):
        do(office, problems.change, id_, None, {"cause": "x"}, by="Priya")
    assert [(who, kind) for who, kind in _notices(office) if who == "Lena"] == [("Lena", "problem")]


def test_nobody_shuts_themselves_out(office):
    id_, number = begin(office)
    with pytest.raises(RuleError, match="Make yourself its owner") as refused:
        do(office, problems.change, id_, None, {"restricted": True}, by="Max")
    assert set(refused.value.fields) == {"restricted"}
    do(office, problems.change, id_, None, {"restricted": True, "owner_id": office.people["Max"].id}, by="Max")
    assert problem(office, number, by="Max").restricted


def _notices(office):
    names = {actor.id: name for name, actor in office.people.items()}
    with reading(office.engine) as db:
        found = db.execute(select(Notice.person_id, Notice.kind).order_by(Notice.id))
        return [(names[person], kind) for person, kind in found]


def test_what_is_not_open_to_the_reader_is_neither_listed_nor_counted(office):
    seen, hidden = office.report(), office.report("Secret", by="Otto")
    office.perform(hidden, "accept", "Lena", **office.triage, restricted=True)
    id_, number = begin(office, [seen], by="Lena")
    do(office, problem_links.link, id_, [hidden], by="Lena")
    assert told(office, number)[-1][2] == f"linked {office.incident(seen).number}", "of the other its timeline tells"
    assert office.timeline(hidden)[-1].text == f"linked it with problem {number}"
    for by, count in (("Lena", 2), ("Dora", 1)):
        lines, total = read(office, queries.incidents, problem(office, number), by=by)
        assert (len(lines), total) == (count, count)
        assert sum(read(office, problem_cost.by_state, problem(office, number), by=by).values()) == count
        assert read(office, problem_cost.cost, problem(office, number), NOW, by=by).n == count
        [row], _ = read(office, queries.everything, ["open"], by=by)
        assert row.incidents == count
    with pytest.raises(NotFound):
        do(office, problem_links.unlink, id_, hidden, by="Dora")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_links_several_locks_them_with_their_parts_the_oldest_first(office):
    """As whoever fixes a problem does: the two could wait for each other else."""
    larger, other, piece = office.report("Larger"), office.report("Other"), office.report("Part")
    office.perform(larger, "accept", "Lena", **office.triage)
    do(office, relations.set_parent, piece, None, larger, by="Dora")
    id_, _ = begin(office, by="Dora")
    waits = text(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    )
    with ThreadPoolExecutor(1) as pool, office.engine.connect() as held, office.engine.connect() as seen:
        held.execute(select(Incident.id).where(Incident.id == other).with_for_update())
        linking = pool.submit(do, office, problem_links.link, id_, [larger, other], by="Dora")
        while not seen.execute(waits).scalar() and not linking.done():
            seen.rollback()
        locked = held.execute(select(Incident.id).where(Incident.id == piece).with_for_update(skip_locked=True)).all()
        held.rollback()
        assert len(linking.result(20)) == 2
    assert len(locked) == 1, "it waits for the older one before it takes the part"


def test_a_number_kept_here_links_and_any_other_reference_stays_as_it_is(office):
    incident = office.report()
    id_, number = begin(office)
    with writing(office.engine) as db:
        actor = office.people["Priya"]
        made = relations.link(db, incident, "problem", number.lower(), actor=actor, now=NOW)
        free = relations.link(db, incident, "problem", "PRB0040007", "https://tool.example/7", actor=actor, now=NOW)
        assert (made.problem_id, made.reference, free.problem_id) == (id_, number, None)
    with pytest.raises(RuleError, match="linked with this problem already"):
        do(office, relations.link, incident, "problem", number)
    do(office, relations.unlink, incident, made.id)
    assert [entry[2] for entry in told(office, number)] == ["opened it", "linked INC-000001", "took out INC-000001"]
    with reading(office.engine) as db:
        assert db.scalars(select(IncidentLink.reference)).all() == ["PRB0040007"]


def test_a_restricted_problem_cannot_be_found_out_by_its_number(office):
    incident = office.report()
    _, number = begin(office, by="Dora", restricted=True)
    made = do(office, relations.link, incident, "problem", number, by="Priya")
    assert made.problem_id is None


def test_a_closed_one_takes_no_incidents(office):
    id_, _ = begin(office)
    do(office, problems.move, id_, None, "drop", "It costs too much.")
    with pytest.raises(RuleError, match="is closed"):
        do(office, problem_links.link, id_, [office.report()])


def test_search_and_pages(office):
    for title in ("Mail is slow", "Labels come blank", "Mail is 100% lost"):
        begin(office, title=title, cause="Nobody knows")
    rows, total = read(office, queries.everything, ["open"], "mail")
    assert (total, [row.title for row in rows]) == (2, ["Mail is 100% lost", "Mail is slow"])
    assert [row.number for row in read(office, queries.everything, ["open"], "prb-2")[0]] == ["PRB-000002"]
    rows, total = read(office, queries.everything, ["open"], limit=1, offset=1)
    assert (total, [row.number for row in rows]) == (3, ["PRB-000002"])
    assert read(office, queries.everything, ["fixed"], "mail") == ([], 0)
    begin(office, title="Überlast am ÄRZTETISCH")
    for words in ("Überlast", "überlast", "ÜBERLAST", "ärztetisch", "netzüberlast"):
        found = int(words != "netzüberlast")
        assert read(office, queries.everything, ["open"], words)[1] == found, words


@pytest.mark.parametrize("number", ["PRB-\0", "\0", "INC-" + "9" * 500])
def test_a_number_that_no_database_could_hold_is_not_there(office, number):
    for ask in (queries.one, incident_queries.by_number, rooms.opened):
        with pytest.raises(NotFound):
            read(office, ask, number)
    with reading(office.engine) as db:
        assert problem_links.named(db, number, office.people["Priya"]) is None
        with pytest.raises(NotFound):
            references.incident_id(db, number)


def test_three_of_a_service_and_category_suggest_a_problem(office):
    first = [sorted_one(office, title) for title in ("Mail is slow today", "Mail slow again")]
    assert read(office, repeating.suggestions, NOW) == []
    first.append(sorted_one(office, "Outlook hangs"))
    office.perform(sorted_one(office, "By mistake"), "cancel", "Dora", reason="By mistake.")
    hidden = sorted_one(office, "Secret")
    with writing(office.engine) as db:
        incidents.prioritise(db, hidden, None, {"restricted": True}, actor=office.people["Lena"], now=MONDAY)
    [found] = read(office, repeating.suggestions, NOW)
    assert (found.service, found.pair, found.n) == ("E-mail", "Network", 3)
    shared = read(office, repeating.of_repeat, found.service_id, found.category_pair_id, NOW)
    assert {each.id for each in shared.incidents} == set(first)
    assert shared.incidents[-1].title == "Outlook hangs"
    assert shared.words == ("mail", "slow")
    assert read(office, repeating.suggestions, NOW + 91 * DAY) == [], "what is long past suggests nothing"
    with pytest.raises(Forbidden):
        read(office, repeating.suggestions, NOW, by="Rita")


def test_what_an_open_problem_explains_is_not_suggested_and_comes_back_after_the_fix(office):
    first = [sorted_one(office) for _ in range(3)]
    id_, _ = begin(office, first[:1])
    assert read(office, repeating.suggestions, NOW) == []
    do(office, problems.move, id_, None, "fix", "", {"fix": "Done."})
    assert read(office, repeating.suggestions, NOW) == [], "two are left"
    sorted_one(office, at=MONDAY + HOUR)
    assert [each.n for each in read(office, repeating.suggestions, NOW)] == [3]


def test_what_was_dismissed_comes_back_when_three_more_arrive(office):
    for _ in range(4):
        sorted_one(office)
    with pytest.raises(RuleError, match="Say why"):
        do(office, repeats.dismiss, office.service, office.pair, " ")
    do(office, repeats.dismiss, office.service, office.pair, "Each had its own cause.")
    with reading(office.engine) as db:
        assert db.scalars(select(AuditEntry.action)).all()[-1] == "repeat dismissed"
    for _ in range(2):
        sorted_one(office, at=NOW + HOUR)
    assert read(office, repeating.suggestions, NOW + DAY) == []
    sorted_one(office, at=NOW + HOUR)
    assert [each.n for each in read(office, repeating.suggestions, NOW + DAY)] == [7]
    do(office, repeats.dismiss, office.service, office.pair, "Still not.", now=NOW + DAY)
    assert read(office, repeating.suggestions, NOW + DAY) == []


def test_a_known_error_helps_reporters_who_type_its_words_or_name_its_service(office):
    id_, _ = begin(office, service_id=office.service, **KNOWN)

    def found(typed, service=None):
        with reading(office.engine) as db:
            return [each.id for each in known_errors.for_reporters(db, typed, service)]

    assert found("mail slow") == []
    do(office, problems.move, id_, None, "know")
    assert found("mail slow") == [id_]
    assert found("slow coffee machine broken") == []
    assert found("", office.service) == [id_]
    assert found("", 99) == []
    do(office, problems.change, id_, None, {"restricted": True})
    assert found("mail slow", office.service) == []
    do(office, problems.change, id_, None, {"restricted": False, "public_words": ""})
    assert found("mail slow", office.service) == []


def test_who_was_helped_is_counted_once_and_can_take_it_back(office):
    id_, number = begin(office, **KNOWN)
    with pytest.raises(NotFound, match="not a known error any more"):
        do(office, deflections.helped, id_, "form", by="Rita")
    do(office, problems.move, id_, None, "know")
    for _ in range(2):
        do(office, deflections.helped, id_, "form", by="Rita")
    do(office, deflections.helped, id_, "other", by="Otto")
    assert problem(office, number).helped == 2
    with writing(office.engine) as db:
        deflections.not_helped(db, "form", actor=office.people["Otto"])
        deflections.not_helped(db, "form", actor=office.people["Rita"])
        deflections.not_helped(db, "form", actor=office.people["Rita"])
    assert problem(office, number).helped == 1
    with reading(office.engine) as db:
        assert db.scalar(select(func.count()).select_from(Deflection)) == 1


def test_triage_is_shown_what_may_be_behind_it_and_known_errors_first(office):
    other, _ = begin(office, title="Outlook loses letters", service_id=office.service)
    id_, number = begin(office, service_id=office.service, category_pair_id=office.pair, **KNOWN)
    do(office, problems.move, id_, None, "know")
    incident = sorted_one(office, "Something else")
    assert [one.id for one in read(office, known_errors.like, detail(office, incident))] == [id_, other]
    do(office, problem_links.link, id_, [incident])
    assert [one.id for one in read(office, known_errors.like, detail(office, incident))] == [other]
    assert [one.number for one in read(office, known_errors.of_incident, detail(office, incident))] == [number]
    unlike = office.report("Coffee is cold")
    assert read(office, known_errors.like, detail(office, unlike)) == []


def test_when_it_is_fixed_those_who_wait_are_told_once(office):
    mine = [sorted_one(office, f"Mail is slow {number}") for number in range(2)]
    for incident in mine:
        office.perform(incident, "acknowledge", "Priya", MONDAY + HOUR)
    over = office.bring_to("closed", by="Otto")
    id_, number = begin(office, [*mine, over], by="Dora", **KNOWN)
    before = len(_notices(office))
    do(office, problems.move, id_, None, "fix", "", {"fix": "A larger disk."}, by="Dora")
    assert sorted(_notices(office)[before:]) == [
        ("Lena", "problem_fixed"),
        ("Priya", "problem_fixed"),
        ("Rita", "cause_fixed"),
    ]
    entry = office.timeline(mine[0])[-1]
    assert (entry.text, entry.detail) == (f"fixed problem {number}, which causes it", "A larger disk.")
    assert all("fixed problem" not in entry.text for entry in office.timeline(over))
    with reading(office.engine) as db:
        bodies = dict(
            db.execute(select(Notice.kind, Notice.body).where(Notice.kind.in_(["problem_fixed", "cause_fixed"]))).all()
        )
    assert "Still open because of it: INC-000001, INC-000002" in bodies["problem_fixed"]
    assert "larger disk" not in bodies["cause_fixed"]
    assert "INC-000002" in bodies["cause_fixed"]


def waiting_for(office, ids, reason="problem", acknowledged=True):
    """An incident that is on hold for these problems."""
    incident = sorted_one(office)
    if acknowledged:
        office.perform(incident, "acknowledge", "Priya", MONDAY + HOUR)
    for id_ in ids:
        do(office, problem_links.link, id_, [incident], by="Dora")
    office.perform(incident, "hold", "Priya", MONDAY + HOUR, hold_reason=reason, hold_until=MONDAY + 9 * DAY)
    return incident


def test_what_is_on_hold_for_a_problem_goes_on_once_none_of_its_problems_is_left_to_solve(office):
    one, number = begin(office, by="Dora", **KNOWN)
    other, _ = begin(office, by="Dora", **KNOWN)
    waits, fresh, both = (
        waiting_for(office, [one]), waiting_for(office, [one], acknowledged=False), waiting_for(office, [one, other])
    )  # fmt: skip
    vendor, elsewhere = waiting_for(office, [one], "vendor"), waiting_for(office, [other])
    before = len(_notices(office))
    do(office, problems.move, one, None, "fix", "", {"fix": "A larger disk."}, by="Dora")
    states = [office.incident(each).state for each in (waits, fresh, both, vendor, elsewhere)]
    assert states == ["in_progress", "assigned", "on_hold", "on_hold", "on_hold"]
    resumed = office.incident(waits)
    assert (resumed.hold_reason, resumed.hold_until, resumed.assignee_id) == (None, None, office.people["Priya"].id)
    assert "hold_until" not in office.timers(waits)
    assert office.incident(fresh).acknowledged_at is None, "nobody has started work by that"
    assert "response_breach" in office.timers(fresh)
    assert [(entry.actor_name, entry.text, entry.detail) for entry in office.timeline(waits)[-2:]] == [
        ("Dora", f"fixed problem {number}, which causes it", "A larger disk."),
        ("Incident Desk", "resumed work", "The problem that it waited for is fixed."),
    ]
    with reading(office.engine) as db:
        bodies = {
            notice.person_id: notice.body for notice in db.scalars(select(Notice).where(Notice.kind == "problem_fixed"))
        }
    numbers = [office.incident(each).number for each in (waits, both, vendor)]
    assert bodies[office.people["Priya"].id] == (
        f"A larger disk.\n\nNot on hold for it any more: {numbers[0]}\n\n"
        f"Still open because of it: {numbers[1]}, {numbers[2]}"
    )
    assert len(_notices(office)) == before + 3, "Priya, Lena, and Rita who reported them"
    do(office, problems.move, other, None, "drop", "It is too dear.", by="Dora")
    assert [office.incident(each).state for each in (both, elsewhere, vendor)] == [
        "in_progress", "in_progress", "on_hold",
    ]  # fmt: skip
    assert verified(office.engine)[0] == []


def test_what_is_on_hold_for_a_problem_goes_on_when_it_is_closed(office):
    dropped, number = begin(office, by="Dora", **KNOWN)
    fixed, _ = begin(office, by="Dora", **KNOWN, fix="A larger disk.")
    secret, hidden = begin(office, by="Dora", **KNOWN, restricted=True)
    do(office, problems.move, fixed, None, "fix", by="Dora")
    waits, late, quiet = (waiting_for(office, [each]) for each in (dropped, fixed, secret))
    before = len(_notices(office))
    do(office, problems.move, dropped, None, "drop", "It is too dear.", by="Dora")
    assert sorted(_notices(office)[before:]) == [("Lena", "problem_closed"), ("Priya", "problem_closed")]
    do(office, problems.move, fixed, None, "close", by="Dora")
    do(office, problems.move, secret, None, "drop", "The thief was caught.", by="Dora")
    assert {office.incident(each).state for each in (waits, late, quiet)} == {"in_progress"}
    assert [(entry.text, entry.detail) for entry in office.timeline(waits)[-2:]] == [
        (f"closed problem {number} without a fix, which it waited for", "It is too dear."),
        ("resumed work", "The problem that it waited for is closed."),
    ]
    assert office.timeline(quiet)[-2].text == f"closed problem {hidden} without a fix, which it waited for"
    with reading(office.engine) as db:
        told = {notice.subject: notice.body for notice in db.scalars(select(Notice))}
    assert told[f"Closed: problem {number}: {KNOWN['title']}"].startswith("It is too dear.\n\nNot on hold for it any")
    said = " ".join(f"{entry.text} {entry.detail}" for entry in office.timeline(quiet)) + str(told)
    assert "thief" not in said
    assert f"Closed: problem {hidden}" in told


def test_reporters_of_what_was_merged_are_told_of_the_fix_once_and_of_nothing_restricted(office):
    def reported(title, by):
        return sorted_one(office, title, by=by)

    def merge(loser, survivor):
        office.perform(loser, "merge", "Dora", MONDAY + HOUR, duplicate_of_id=survivor)

    survivor, secret = reported("Mail is down", "Rita"), reported("Payroll mail", "Rita")
    first, second, again = reported("No mail", "Otto"), reported("Slow", "Sam"), reported("Mail", "Rita")
    merge(first, second)  # and what it was merged into is merged further
    merge(second, survivor)
    merge(again, survivor)
    hidden, taken_out = reported("Payslips", "Devi"), reported("Other", "Max")
    merge(hidden, secret)
    merge(taken_out, survivor)
    office.perform(taken_out, "unmerge", "Dora", MONDAY + HOUR)
    id_, _ = begin(office, [survivor, secret], by="Dora", **KNOWN)
    with writing(office.engine) as db:
        db.get_one(Incident, secret).restricted = True
    before = len(_notices(office))
    do(office, problems.move, id_, None, "fix", "", {"fix": "A larger disk."}, by="Dora")
    told = sorted(who for who, kind in _notices(office)[before:] if kind == "cause_fixed")
    assert told == ["Otto", "Rita", "Sam"], "each once; nobody of a restricted one, or of what was taken out"
    otto, rita = office.people["Otto"].id, office.people["Rita"].id
    with reading(office.engine) as db:
        said = {row.person_id: row for row in db.scalars(select(Notice).where(Notice.kind == "cause_fixed"))}
    assert said[otto].subject == f"The cause is fixed: {office.incident(first).number}: No mail", "of their own report"
    assert said[otto].incident_id == first
    assert "Payroll" not in said[otto].subject + said[otto].body
    for incident in (survivor, secret, again):
        assert office.incident(incident).number in said[rita].body


def test_the_words_of_a_restricted_one_are_told_to_nobody(office):
    incident = sorted_one(office)
    office.perform(incident, "acknowledge", "Priya", MONDAY + HOUR)
    id_, _ = begin(office, [incident], by="Dora", **KNOWN, restricted=True)
    do(office, problems.move, id_, None, "fix", "", {"fix": "The thief was caught."}, by="Dora")
    with reading(office.engine) as db:
        said = " ".join(f"{told.subject} {told.body}" for told in db.scalars(select(Notice)))
    said += " ".join(f"{entry.text} {entry.detail}" for entry in office.timeline(incident))
    assert "thief" not in said
    assert KNOWN["title"] not in said


def test_what_it_costs_is_counted_from_its_incidents(office):
    """One restored after 4 h (an hour to the start of work, one on hold), one still open, one cancelled."""
    done = sorted_one(office)
    with writing(office.engine) as db:
        incidents.prioritise(db, done, None, {"people_affected": 10}, actor=office.people["Lena"], now=MONDAY)
    office.perform(done, "acknowledge", "Priya", MONDAY + HOUR)
    office.perform(done, "hold", "Priya", MONDAY + 1.5 * HOUR, hold_reason="problem", hold_until=MONDAY + DAY)
    office.perform(done, "hold", "Priya", MONDAY + 2 * HOUR, hold_reason="vendor", hold_until=MONDAY + DAY)
    office.perform(done, "resume", "Priya", MONDAY + 2.5 * HOUR)
    code = {"resolution_code": "fixed", "resolution_note": "Done."}
    office.perform(done, "resolve", "Priya", MONDAY + 3.5 * HOUR, **code)
    office.perform(done, "recover", "Priya", MONDAY + 4 * HOUR)
    running = sorted_one(office, at=NOW - 3 * HOUR)
    office.perform(running, "acknowledge", "Priya", NOW - 2 * HOUR)
    office.perform(running, "hold", "Priya", NOW - HOUR, hold_reason="problem", hold_until=NOW + DAY)
    gone = office.bring_to("cancelled")
    _, number = begin(office, [done, running, gone])
    found = read(office, problem_cost.cost, problem(office, number), NOW)
    assert replace(found, outage=round(found.outage, 6)) == found.__class__(
        n=2, left_out=1, people=11, unsaid=1, outage=7.0, people_hours=43.0, handling=2.5, held=2.0, running=1
    )
    assert read(office, problem_cost.by_state, problem(office, number)) == {
        "on_hold": 1,
        "recovered": 1,
        "cancelled": 1,
    }
    with writing(office.engine) as db:
        put(db, {"cost.person_hour": 40, "cost.currency": "CHF"}, NOW, None)
    with reading(office.engine) as db:
        rate, currency = problem_cost.rate(db)
    assert (found.money(rate), currency) == (45.5 * 40, "CHF")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("update problem set number = 'PRB-9'", "its number is not the one"),
        ("update problem set version = 9", "its version is 9, but its history says 2"),
        ("update problem set workaround = ''", "it is known error, but the workaround"),
        ("update problem set closed_at = 1", "its moments say otherwise"),
        ("update incident_link set reference = 'PRB-9'", "under another number"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_cannot_be_so_is_found(office, change, said):
    id_, _ = begin(office, [office.report()], **KNOWN)
    do(office, problems.move, id_, None, "know")
    assert verified(office.engine)[0] == []
    with writing(office.engine) as db:
        db.execute(text(change))
    assert any(said in found for found in verified(office.engine)[0])


def test_three_repeats_become_a_problem_that_saves_reports_and_is_fixed(office):
    mine = [
        sorted_one(office, f"Mail is slow, {day}", at=MONDAY + n * HOUR) for n, day in enumerate(("Mon", "Tue", "Wed"))
    ]
    [found] = read(office, repeating.suggestions, NOW, by="Max")
    shared = read(office, repeating.of_repeat, found.service_id, found.category_pair_id, NOW, by="Max")
    given = {"title": "Mail is slow", "service_id": found.service_id, "category_pair_id": found.category_pair_id}
    made = do(office, problems.begin, given, [each.id for each in shared.incidents], by="Max")
    assert read(office, repeating.suggestions, NOW) == []
    do(office, problems.move, made.id, 1, "know", "", KNOWN, by="Sam")
    with reading(office.engine) as db:
        [shown] = known_errors.for_reporters(db, "mail slow again", None)
    assert shown.words == KNOWN["public_words"]
    do(office, deflections.helped, shown.id, "form", by="Otto")
    do(office, problems.move, made.id, 2, "fix", "", {"fix": "The index is rebuilt at night."}, by="Sam")
    assert {("Rita", "cause_fixed"), ("Lena", "problem_fixed")} <= set(_notices(office))
    with reading(office.engine) as db:
        assert known_errors.for_reporters(db, "mail slow again", None) == []
        assert db.get_one(Problem, made.id).fixed_at == NOW
    assert problem(office, made.number).helped == 1
    assert len(mine) == read(office, queries.incidents, problem(office, made.number))[1]
