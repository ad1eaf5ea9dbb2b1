"""Home: what needs me now, by what I may do. Each row has its one next action."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import streamlit as st

from db.commands import incidents as commands
from db.engine import reading
from db.queries import home as queries
from db.queries import incidents
from db.queries.home import Home, Part
from db.queries.lines import Line
from db.queries.postmortem_actions import Action
from db.queries.triage import MOST
from pages.parts import address, next_up, rows, session, shapes, times
from pages.parts.empty import empty
from pages.parts.forms import Failure, attempt, guarded, summary
from pages.parts.rows import Event
from pages.parts.texts import counted
from rules.access import Actor, may
from rules.postmortem_export import day
from rules.states import VERIFICATIONS

AT_ONCE = {"assigned": "acknowledge", "on_hold": "resume", "resolved": "recover"}
"""state -> the action that asks nothing"""
MINE = {"assigned": "Start work", "in_progress": "Resolve", "on_hold": "Resume", "resolved": "It works"}
"""state -> the next action's word for what is mine"""


def page() -> None:
    actor = session.require()
    with guarded():
        everything(actor)


def everything(actor: Actor) -> None:
    """The parts that hold something, in the order of how soon they need me."""
    now = session.now()
    with reading() as db:
        found = queries.home(db, actor, now, week_began(now))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("What needs you now", anchor=False, width="stretch")
        next_up.button(actor, "home.next_up")
    failure: Failure | None = st.session_state.pop("home.failure", None)
    summary(failure, {})
    setup(found)
    if found.week is not None:
        week(found.week)
    shown: set[int] = set()
    drawn = [draw(_for(actor, listed), getattr(found, listed.name), now, shown) for listed in PARTS]
    drawn.append(to_learn(found.actions))
    if not any(drawn):
        nothing(actor)


def week_began(now: datetime) -> datetime:
    """Monday 00:00 on the reader's clock."""
    local = times.local(now)
    monday = local - timedelta(days=local.weekday())
    return monday.replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class Listed:
    """How one part of db.queries.home.Home is drawn."""

    name: str
    title: str
    word: str
    """the rows' one next action"""
    act: Callable[[Line], None]
    more: tuple[str, Mapping[str, str]] = ("responders/board.py", {})
    """page and its parameters that show all of them"""
    words: Mapping[str, str] = field(default_factory=dict)
    """state -> word, where it differs"""
    why: Callable[[Line, datetime], str] | None = None
    """why a row stands here, in place of the reason for its rank"""
    plain: bool = False


def _for(actor: Actor, listed: Listed) -> Listed:
    """All that a team of the devops way may close stands on the board: its people have no triage."""
    if listed.more == TO_CLOSE and not may(actor, "triage"):
        return replace(listed, more=("responders/board.py", {"view": "team"}))
    return listed


def draw(listed: Listed, found: Part | None, now: datetime, shown: set[int]) -> bool:
    """One list under its heading; what an earlier list shows is not shown again. True when something was drawn."""
    lines = [line for line in found.lines if line.id not in shown] if found else []
    if found is None or not lines:
        return False
    shown.update(line.id for line in lines)
    key = f"home.{listed.name}"
    many = found.total is not None and found.total > len(lines)
    number = f" :gray[{counted(found.total or 0, MOST)}]" if many else ""
    with st.container(gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header(f"{listed.title}{number}", anchor=False, width="stretch")
            if found.more and st.button("See all", key=f"{key}.more", type="tertiary"):
                address.lead(listed.more[0], dict(listed.more[1]))
        rows.rows(
            [_row(listed, line, now) for line in lines],
            key=key,
            plain=listed.plain,
            label=listed.title,
            now=now,
            on_event=lambda event: _note(event, key),
        )
    event = st.session_state.pop(f"{key}.event", None)
    chosen = next((line for line in lines if event is not None and line.number == event.id), None)
    if event is not None and chosen is not None:
        act = listed.act if event.kind == "action" or listed.plain else to_incident
        act(chosen)
    return True


def _row(listed: Listed, line: Line, now: datetime) -> dict[str, object]:
    word = listed.words.get(line.state, listed.word)
    if listed.why is None:
        return shapes.row(line, now, str(times.zone()), action=word)
    why = listed.why(line, now)
    if listed.plain:
        return shapes.plain_row(line, why, action=word)
    return shapes.row(line, now, str(times.zone()), action=word) | {"explanation": why, "clock": None}


def fixed(line: Line, now: datetime) -> str:
    return f"Fixed {times.ago(line.resolved_at, now)}. Does it work again?" if line.resolved_at else "Is it fixed?"


def answered(line: Line, now: datetime) -> str:
    return f"{VERIFICATIONS.get(line.verification or '', 'It was answered')}."


def silent(line: Line, now: datetime) -> str:
    if line.reminded_at is None:
        return "It came with an import and was never answered."
    return f"Reminded {times.ago(line.reminded_at, now)}; no answer came."


def to_ask(line: Line, now: datetime) -> str:
    who = ", ".join(part for part in (line.reporter, line.contact) if part)
    return f"Has no account: ask {who or 'whoever reported it'}."


def waiting(line: Line, now: datetime) -> str:
    if line.reminded_at is not None:
        return f"Reminded {times.ago(line.reminded_at, now)}."
    return f"Asked {times.ago(line.recovered_at, now)}." if line.recovered_at else "Asked."


def denied(line: Line, now: datetime) -> str:
    return f"Said {times.ago(line.denied_at, now)}; it may not be closed before it is fixed." if line.denied_at else ""


def past_ola(line: Line, now: datetime) -> str:
    return f"{line.team} should have done its part by now; the promise to the reporter still runs."


def _note(event: Event, key: str) -> None:
    st.session_state[f"{key}.event"] = event


def answer(line: Line) -> None:
    address.lead("staff/my_reports.py", {"number": line.number})


def to_incident(line: Line) -> None:
    address.lead("responders/incident.py", {"number": line.number})


def to_triage(line: Line) -> None:
    st.session_state["triage.number"] = line.number
    address.lead("leads/triage.py", {"number": line.number})


def close(line: Line) -> None:
    st.session_state["incident.ask"] = "close"
    to_incident(line)


def ask(line: Line) -> None:
    st.session_state["incident.ask"] = "verify"
    to_incident(line)


def work(line: Line) -> None:
    """Take the next step at once, or open the incident where it asks for something."""
    action = AT_ONCE.get(line.state)
    if action is None:
        if line.state == "in_progress":
            st.session_state["incident.ask"] = "resolve" if line.assignee_id is not None else None
        to_incident(line)
        return
    actor = session.require("board")
    failure = attempt(lambda db, now: commands.perform(db, line.id, line.version, action, actor=actor, now=now))
    if failure is not None and "summary_read" in failure.fields:
        st.session_state["incident.ask"] = action
        to_incident(line)
    st.session_state["home.failure"] = failure
    st.rerun()


TO_CLOSE = ("leads/triage.py", {"view": "close"})
PARTS = (
    Listed("to_confirm", "Fixed? Tell us", "Answer", answer, why=fixed, plain=True),
    Listed("mine", "Yours", "Open", work, words=MINE),
    Listed("unassigned", "Nobody has these yet", "Take it", work),
    Listed("new", "New: to triage", "Triage", to_triage, ("leads/triage.py", {"view": "new"})),
    Listed("late", "Late", "Open", to_incident, ("leads/triage.py", {"view": "late"})),
    Listed(
        "past_ola", "Past their team's time", "Open", to_incident, ("leads/triage.py", {"view": "mine"}), why=past_ola
    ),
    Listed("denied", "The reporter says: not fixed", "Open", to_incident, why=denied),
    Listed("to_close", "Answered: to close", "Close", close, TO_CLOSE, why=answered),
    Listed("unanswered", "No answer for long enough: may be closed", "Close", close, TO_CLOSE, why=silent),
    Listed("to_ask", "Ask them yourself: is it fixed?", "Write down the answer", ask, why=to_ask),
    Listed("waiting", "Waiting for the reporter's word", "Open", to_incident, why=waiting),
)


def setup(found: Home) -> None:
    """What an administrator should do first."""
    if found.sample_data:
        st.info("**You see sample data.** Remove it under People before people report.", icon=":material/info:")
    if found.people is not None and found.people <= 1:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown("**Nobody else can sign in yet.** Invite the people who work on incidents.", width="stretch")
            if st.button("Invite people", type="primary"):
                st.switch_page("admin/people.py")


def week(found: queries.Week) -> None:
    """This week in three numbers, each beside the same moment of last week."""
    with st.container(gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header("This week", anchor=False, width="stretch")
            if st.button("See trends", type="tertiary", icon=":material/monitoring:"):
                st.switch_page("managers/trends.py")
        for column, (label, number, words) in zip(
            st.columns(3, gap="medium"),
            (
                ("Reported", found.opened, f"{found.opened_before:,} by this time last week"),
                ("Resolved", found.resolved, f"{found.resolved_before:,} by this time last week"),
                ("Late now", found.late, "past their time to fix, work still running"),
            ),
            strict=True,
        ):
            with column, st.container(border=True, gap=None):
                st.metric(label, f"{number:,}")
                st.caption(words)


def to_learn(found: tuple[Action, ...]) -> bool:
    """Actions of postmortems that are mine to do. True when something was drawn."""
    if not found:
        return False
    key = "home.actions"
    with st.container(gap="small"):
        st.header("So that it does not happen again", anchor=False)
        rows.rows(
            [_action(action) for action in found[: queries.SHOWN]],
            key=key,
            plain=True,
            label="Actions of postmortems",
            on_event=lambda event: _note(event, key),
        )
        if len(found) > queries.SHOWN:
            st.caption("There are more; these are due first.")
    event = st.session_state.pop(f"{key}.event", None)
    if event is not None:
        address.lead("managers/postmortems.py", {"id": event.id.partition(".")[0]})
    return True


def _action(action: Action) -> dict[str, object]:
    due = f"{'Overdue since' if action.overdue else 'Due'} {day(action.due_on)}"
    return {
        "id": f"{action.postmortem_id}.{action.id}",
        "reference": None,
        "title": action.text,
        "explanation": due,
        "meta": [action.number],
        "action": "Open",
    }


def nothing(actor: Actor) -> None:
    """All done: say so, and what one could do next."""
    if may(actor, "triage"):
        step = "New reports appear here by themselves. The board shows what others work on."
    elif may(actor, "board"):
        step = "What is given to you or your team appears here. The board shows what others work on."
    elif incidents.works_on(actor):
        step = "What you reported appears here once it is fixed. Trends show how the month goes."
    else:
        step = "What you reported appears here once it is fixed."
    empty("Nothing needs you now.", step, key="home.empty")


page()
