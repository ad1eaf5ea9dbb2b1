"""The form of a maintenance window: once, or on weekdays until a day; and the next times, before it is saved.

What is typed stays in the widgets until it is saved or left.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import available_timezones

import streamlit as st

from db.commands import maintenance as commands
from db.commands import window_notices
from db.engine import Session, reading
from db.queries import maintenance_windows as queries
from db.queries import status_design
from db.queries.choices import ServiceChoice
from db.queries.maintenance_windows import Planned
from pages.parts import times
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt, error_title, summary
from pages.parts.marks import gray
from pages.parts.texts import literal
from rules.access import Actor
from rules.durations import exact
from rules.errors import RuleError
from rules.maintenance import Window, next_occurrences
from rules.wall_clock import Span, first, last
from rules.weekly import DAYS, Weekly, weekly_of

LABELS = {
    "name": "What is done",
    "words": "More about it",
    "service_ids": "Services",
    "start": "From",
    "end": "Until",
    "recurring": "When",
    "weekdays": "On",
    "times": "Times",
    "zone": "Clock",
    "public_title": "What visitors read",
    "public_words": "More for visitors",
}
ONCE, WEEKLY, KEPT = "once", "weekly", "kept"
_WAYS = {ONCE: "Once", WEEKLY: "On weekdays, again and again", KEPT: "As it is"}
_MISSING = {"start": "Choose when it begins.", "end": "Choose when it ends."}
_SHOWN = 5
_HOUR = timedelta(hours=1)
_MONTH = timedelta(days=28)


@dataclass
class Draft:
    """A window as it is being edited."""

    planned: Planned | None
    """as it was when it was opened; None for a new one"""
    turn: int
    """tells its fields from those of another draft"""
    failure: Failure | None = None

    def key(self, name: str) -> str:
        return f"maintenance.{self.turn}.{name}"

    def begun(self, now: datetime) -> bool:
        return self.planned is not None and self.planned.starts_at <= now


@dataclass
class Asked:
    """What the fields say now; `wrong` where they say nothing that can be."""

    name: str
    words: str
    service_ids: list[int]
    start: datetime | None = None
    end: datetime | None = None
    recurring: list[dict[str, Any]] | None = None
    wrong: dict[str, str] = field(default_factory=dict)


def draft(planned: Planned | None) -> Draft:
    """What is being edited, or a new draft of `planned` (None: of a new window)."""
    held: Draft | None = st.session_state.get("maintenance.draft")
    same = held is not None and (held.planned.id if held.planned else None) == (planned.id if planned else None)
    if held is not None and same:
        return held
    turn = st.session_state.get("maintenance.turn", 0) + 1
    st.session_state["maintenance.turn"] = turn
    made = Draft(planned, turn)
    st.session_state["maintenance.draft"] = made
    return made


def leave(said: str = "") -> None:
    """Forget what is being edited and go to the list."""
    st.session_state.pop("maintenance.draft", None)
    if said:
        st.session_state["maintenance.said"] = said
    st.query_params.clear()


def problems(draft: Draft) -> None:
    """Why it was not saved."""
    error_title(draft.failure, "Maintenance")
    summary(draft.failure, LABELS, outcome="Nothing was saved yet.")


def form(draft: Draft, services: list[ServiceChoice], now: datetime) -> None:
    """The fields."""
    planned, wrong = draft.planned, draft.failure.fields if draft.failure else {}
    st.text_input(
        LABELS["name"],
        planned.name if planned else "",
        key=draft.key("name"),
        max_chars=commands.NAME_LIMIT,
        autocomplete="off",
        placeholder="For example: new disks for the mail server",
    )
    field_problem(wrong.get("name"))
    names = {service.id: service.name for service in services} | (planned.services if planned else {})
    st.multiselect(
        "Services that page nobody meanwhile",
        list(names),
        default=list(planned.services) if planned else [],
        format_func=names.__getitem__,
        key=draft.key("service_ids"),
        placeholder="Choose services",
    )
    field_problem(wrong.get("service_ids"))
    weekly = weekly_of(planned.recurring) if planned else None
    odd = planned is not None and bool(planned.recurring) and weekly is None
    way = st.segmented_control(
        "When",
        [KEPT] if odd else [ONCE, WEEKLY],
        default=KEPT if odd else WEEKLY if weekly else ONCE,
        format_func=lambda option: gray(_WAYS[option]),
        key=draft.key("way"),
        required=True,
    )
    if way == WEEKLY:
        _weekly(draft, weekly, wrong, now)
    elif way == ONCE:
        _once(draft, wrong, now)
    else:
        st.caption("Its times follow rules that this form cannot show. They stay as they are.")
    field_problem(wrong.get("recurring"))
    st.text_area(
        "More about it, for those who wonder (optional)",
        planned.words if planned else "",
        key=draft.key("words"),
        max_chars=commands.WORDS_LIMIT,
        height=96,
    )
    field_problem(wrong.get("words"))


def public(draft: Draft) -> None:
    """Whether the status page tells of it, and in which words; nothing while there is no page."""
    with reading() as db:
        known = status_design.public_window(db, draft.planned.id if draft.planned else None)
    if not known.page:
        return
    wrong = draft.failure.fields if draft.failure else {}
    shown = st.toggle(
        "Announce it on the status page",
        bool(known.title),
        key=draft.key("public"),
        help="Everybody sees it there, and subscribers are told when it is planned, begins and is over.",
    )
    if not shown:
        return
    st.text_input(
        LABELS["public_title"],
        known.title,
        key=draft.key("public_title"),
        max_chars=window_notices.TITLE_LIMIT,
        autocomplete="off",
        placeholder="For example: E-mail rests for an hour",
    )
    field_problem(wrong.get("public_title"))
    st.text_area(
        f"{LABELS['public_words']} (optional)",
        known.words,
        key=draft.key("public_words"),
        max_chars=window_notices.WORDS_LIMIT,
        height=70,
    )
    field_problem(wrong.get("public_words"))
    st.caption("Its name and what stands above stay with us.")


def _publish(db: Session, draft: Draft, window_id: int, actor: Actor, now: datetime) -> None:
    """Announce it, or take it off the page, as the switch says; nothing where there is none."""
    wanted = st.session_state.get(draft.key("public"))
    if wanted:
        title, words = (st.session_state.get(draft.key(name)) or "" for name in ("public_title", "public_words"))
        window_notices.publish(db, window_id, title=title, words=words, actor=actor, now=now)
    elif wanted is not None:
        window_notices.withdraw(db, window_id, actor=actor, now=now)


def _once(draft: Draft, wrong: Mapping[str, str], now: datetime) -> None:
    """From, until, on the reader's clock."""
    planned, held = draft.planned, draft.begun(now)
    hour = _wall(now).replace(minute=0) + _HOUR
    opens, shuts = hour, hour + 2 * _HOUR
    if planned is not None and not planned.recurring:
        opens, shuts = _wall(planned.starts_at), _wall(planned.ends_at)
    left, right = st.columns(2, gap="small")
    left.datetime_input(LABELS["start"], opens, step=300, format="DD/MM/YYYY", key=draft.key("start"), disabled=held)
    right.datetime_input(LABELS["end"], shuts, step=300, format="DD/MM/YYYY", key=draft.key("end"))
    field_problem(wrong.get("start") or wrong.get("end"))
    st.caption(f"Times are {times.zone()}." + (" It has begun: its beginning stays." if held else ""))


def _wall(instant: datetime) -> datetime:
    return times.local(instant).replace(second=0, microsecond=0, tzinfo=None)


def _weekly(draft: Draft, said: Weekly | None, wrong: Mapping[str, str], now: datetime) -> None:
    """Weekdays, times, the first and the last day, and whose clock."""
    today, planned, mine = times.local(now).date(), draft.planned, str(times.zone())
    begins, ends, zone, days = "22:00", "23:00", mine, (today, today + _MONTH)
    if said is not None and planned is not None:
        begins, ends, zone = said.begins, said.ends, said.zone
        days = said.days_of(planned.starts_at, planned.ends_at)
    st.pills(
        LABELS["weekdays"],
        list(range(len(DAYS))),
        selection_mode="multi",
        default=list(said.days) if said else [],
        format_func=lambda day: gray(DAYS[day]),
        key=draft.key("weekdays"),
    )
    field_problem(wrong.get("weekdays"))
    left, right = st.columns(2, gap="small")
    opens = left.time_input("From", time.fromisoformat(begins), step=900, key=draft.key("opens"))
    shuts = right.time_input("To", time.fromisoformat(ends), step=900, key=draft.key("shuts"))
    if opens and shuts and time() < shuts < opens:
        st.caption("It runs past midnight, into the next morning.")
    field_problem(wrong.get("times"))
    left, right = st.columns(2, gap="small")
    held = draft.begun(now)
    left.date_input("First day", days[0], format="DD/MM/YYYY", key=draft.key("first"), disabled=held)
    right.date_input("Last day", days[1], format="DD/MM/YYYY", key=draft.key("last"))
    field_problem(wrong.get("start") or wrong.get("end"))
    zones = sorted(available_timezones())
    st.selectbox(
        "On whose clock",
        zones,
        index=zones.index(zone if zone in zones else "UTC"),
        format_func=lambda name: f"{name} (yours)" if name == mine else name,
        key=draft.key("zone"),
    )
    field_problem(wrong.get("zone"))


def read(draft: Draft) -> Asked:
    """What the fields say now."""
    planned = draft.planned

    def typed(name: str) -> Any:
        return st.session_state.get(draft.key(name))

    asked = Asked(typed("name") or "", typed("words") or "", typed("service_ids") or [])
    if typed("way") == WEEKLY:
        _read_weekly(asked, typed)
    elif typed("way") == ONCE:
        zone, opens, shuts = times.zone(), typed("start"), typed("end")
        asked.start, asked.end = opens and first(opens, zone), shuts and last(shuts, zone)
        if planned is not None and not planned.recurring:  # the fields hold no seconds: what was not touched stays
            asked.start = planned.starts_at if opens == _wall(planned.starts_at) else asked.start
            asked.end = planned.ends_at if shuts == _wall(planned.ends_at) else asked.end
        asked.wrong |= {name: said for name, said in _MISSING.items() if not typed(name)}
    elif planned is not None:
        asked.start, asked.end, asked.recurring = planned.starts_at, planned.ends_at, list(planned.recurring or ())
    return asked


def _read_weekly(asked: Asked, typed: Callable[[str], Any]) -> None:
    opens, shuts, since, until = (typed(name) for name in ("opens", "shuts", "first", "last"))
    if opens is None or shuts is None:
        asked.wrong["times"] = "Choose from when to when it lasts."
    if since is None or until is None:
        asked.wrong["end"] = "Choose its first and its last day."
    elif until < since:
        asked.wrong["end"] = "The last day is before the first. Choose a later one."
    if asked.wrong:
        return
    try:
        said = Weekly(tuple(sorted(typed("weekdays") or ())), f"{opens:%H:%M}", f"{shuts:%H:%M}", typed("zone"))
    except RuleError as error:
        asked.wrong |= error.fields
        return
    asked.start, asked.end = said.bounds(since, until)
    asked.recurring = said.intervals()


def preview(draft: Draft, now: datetime) -> None:
    """The next times, and what else covers the services then."""
    asked = read(draft)
    with st.container(border=True):
        st.header("When it will be", anchor=False)
        try:
            window = Window.from_dict({"start": asked.start, "end": asked.end, "recurring": asked.recurring})
            coming = next_occurrences(window, now, _SHOWN + 1)
        except RuleError:
            coming = []
        if asked.wrong or not coming:
            st.caption(" ".join(asked.wrong.values()) or "Never, as it stands. Choose a later end, or other days.")
            return
        st.markdown("\n".join(f"- {literal(span_words(span))}" for span in coming[:_SHOWN]))
        if len(coming) > _SHOWN:
            st.caption(f"And so on, until {times.full(window.end)}.")
        if coming[0][0] <= now and not draft.begun(now):
            st.caption("It begins as soon as it is saved.")
        with reading() as db:
            but = draft.planned.id if draft.planned else None
            others = queries.overlaps(db, window, asked.service_ids, now, but=but) if asked.service_ids else []
        for other in others:
            st.markdown(
                f":small[:material/info: **{literal(other.name)}** covers {literal(', '.join(other.services))} too: "
                f"{literal(span_words(other.first))}]"
            )
    st.caption("Signals of its services are kept meanwhile and page nobody. What pages when it begins stops.")


def span_words(span: Span) -> str:
    """'Mon 30 Nov 2026, 22:00 – Tue 04:00, 6 h', on the reader's clock."""
    begins, ends = (times.local(edge) for edge in span)
    days = (ends.date() - begins.date()).days
    named = "" if days == 0 else f"{ends:%a} " if days < 7 else f"{ends:%a} {ends.day} {ends:%b %Y}, "
    return f"{begins:%a} {begins.day} {begins:%b %Y}, {begins:%H:%M} – {named}{ends:%H:%M}, {exact(_length(span))}"


def _length(span: Span) -> int:
    """Whole minutes, in seconds: seconds that a beginning 'at once' brings along say nothing."""
    return max(round((span[1] - span[0]).total_seconds() / 60), 1) * 60


def save(actor: Actor, draft: Draft) -> None:
    """Add it or change it; what is wrong is kept in the draft."""
    asked, planned = read(draft), draft.planned
    if asked.wrong:
        draft.failure = Failure(" ".join(asked.wrong.values()), asked.wrong)
        return
    told: list[str] = []
    given: dict[str, Any] = {
        "name": asked.name,
        "words": asked.words,
        "service_ids": asked.service_ids,
        "start": asked.start,
        "end": asked.end,
        "recurring": asked.recurring,
        "actor": actor,
    }

    def make(db: Session, now: datetime) -> None:
        if planned is None:
            saved = commands.add(db, **given, now=now)
        else:
            saved = commands.change(db, planned.id, planned.version, **given, now=now)
        _publish(db, draft, saved.id, actor, now)
        told.extend(other.name for other in saved.overlaps)

    draft.failure = attempt(make)
    if draft.failure is None:
        also = f" These cover some of its services at the same time: {', '.join(told)}." if told else ""
        leave(f"{asked.name} is {'planned' if planned is None else 'changed'}.{also}")
