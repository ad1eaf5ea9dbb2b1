"""Writing an update: for whom, how far the work is, when the next comes, and how it will read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from db.commands import updates as commands
from db.engine import Session, reading
from db.queries import settings, status_page
from db.queries import updates as queries
from db.queries.incidents import Detail
from db.queries.updates import Held, Response
from pages.parts import dialogs, session
from pages.parts.empty import field_problem
from pages.parts.forms import Failure, attempt, renew, token
from pages.parts.marks import gray, priority_words
from pages.parts.texts import literal
from rules import updates
from rules.access import Actor
from rules.priority import span
from rules.status_page import STATES

WAITS = {
    10: "in 10 minutes",
    20: "in 20 minutes",
    30: "in 30 minutes",
    60: "in an hour",
    120: "in 2 hours",
    240: "in 4 hours",
    480: "in 8 hours",
    1440: "in a day",
    4320: "in 3 days",
}
"""minutes -> words"""
_MOST_NAMES = 12


def after(now: datetime, minutes: int) -> datetime:
    """The moment that is promised: so many minutes on, a full minute."""
    return (now + timedelta(minutes=minutes)).replace(second=0, microsecond=0)


def held_by(db: Session, actor: Actor, detail: Detail) -> tuple[Held, ...]:
    """Who has which part."""
    return queries.of_incident(db, actor, detail).held


def ask(actor: Actor, detail: Detail, *, icon: str, corrects: int | None = None) -> None:
    """Open the dialog; what was typed in an earlier one and not sent is still there. `corrects`: id of an update."""
    key = f"update.{detail.line.number}.{corrects or 'new'}"
    st.session_state.pop(f"{key}.failure", None)
    what = "Write an update" if corrects is None else "Correct an update"
    title = f"{what}: {detail.line.number}"
    dialogs.show(title, _dialog, actor, detail, key, corrects, icon=icon, width="medium")


def _dialog(actor: Actor, detail: Detail, key: str, corrects: int | None) -> None:
    state = st.session_state
    if state.pop(f"{key}.done", False):
        for name in [name for name in state if str(name).startswith(f"{key}.")]:
            state.pop(name)
        st.rerun()
    now = session.now()
    failure: Failure | None = state.get(f"{key}.failure")
    wrong = failure.fields if failure else {}
    with reading() as db:
        manner = settings.policies(db).updates
        place = ZoneInfo(settings.policies(db).zone)
        response = queries.of_incident(db, actor, detail)
        people = queries.reach(db, actor, detail)
        page = _page(db, detail)
        waits = queries.waits(db, actor, detail.record)
    if failure is not None and not failure.fields:
        st.error(literal(failure.sentence), icon=":material/error:")
    wrote = next((each for each in response.newest if each.id == corrects), None)
    if wrote is not None:
        st.caption("What was sent stays as it was. This goes to everybody who read it, as a correction.")
    told = updates.goes_to(wrote.audience) if wrote is not None else frozenset()
    audience = st.segmented_control(
        "Who is told",
        [name for name in updates.AUDIENCES if told <= updates.goes_to(name)],
        default=wrote.audience if wrote is not None else "internal",
        format_func=lambda name: gray(updates.AUDIENCES[name]),
        key=f"{key}.audience",
        required=True,
    )
    before = response.newest[0].stage if response.newest else None
    likely = wrote.stage if wrote is not None else updates.stage_after(before, detail.line.state)
    left, right = st.columns(2, gap="small")
    stage = left.selectbox(
        "How far the work is",
        list(updates.STAGES),
        index=list(updates.STAGES).index(likely),
        format_func=updates.STAGES.__getitem__,
        key=f"{key}.stage",
    )
    with left:
        field_problem(wrong.get("stage"))
    minutes = None
    if stage != "resolved":
        usual = updates.every(manner.cadence, detail.line.priority, major=detail.line.major)
        minutes = right.selectbox(
            "Next update",
            list(WAITS),
            index=_nearest(usual),
            format_func=WAITS.__getitem__,
            key=f"{key}.next",
        )
        field_problem(wrong.get("next_at"))
    public = audience != "internal"
    affected: dict[int, str] = {}
    if public:
        st.text_input(
            "What the public reads as its name",
            _known_as(response),
            key=f"{key}.title",
            max_chars=updates.TITLE_LIMIT,
            placeholder="E-mail is delayed",
            help="The public reads this and your words. It reads nothing else of the incident.",
        )
        field_problem(wrong.get("title"))
        if stage != "resolved":
            affected = _affected(page, key)
            field_problem(wrong.get("components"))
        elif page.known:
            st.caption("What it affected counts as working again.")
    next_words = _moment(after(now, minutes), place, now) if minutes is not None else ""
    named = [page.known[one].name for one in affected if one in page.known]
    facts = _facts(detail, response, next_words, place, now)
    if public and named:
        facts["service"] = " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))
    words = manner.templates[str(stage)]["external" if public else "internal"]
    _prefill(key, wrote.text if wrote is not None else updates.fill(words, facts), next_words)
    st.text_area("What they should know", key=f"{key}.words", height=170)
    field_problem(wrong.get("text"))
    with st.expander("How it will read", icon=":material/visibility:"):
        _read_as(key, str(stage), detail, public=public)
    _preview(people, str(audience), page, affected, waits=public and waits)
    st.button(
        "Ask to publish" if public and waits else "Send",
        type="primary",
        icon=":material/send:",
        key=f"{key}.send",
        on_click=_send,
        args=(actor, detail, key, corrects, (audience, stage, minutes)),
    )


def _known_as(response: Response) -> str:
    """What the public was told its name is."""
    return next((each.title for each in response.newest if each.title), "")


def _prefill(key: str, filled: str, next_words: str) -> None:
    """Put the template's words where nothing else was typed, and the newly promised time where the former one stood."""
    state = st.session_state
    typed, before = state.get(f"{key}.words"), state.get(f"{key}.filled")
    promised = state.get(f"{key}.promised")
    if typed is None or typed == before:
        state[f"{key}.words"] = filled
    elif promised and next_words and promised != next_words and promised in typed:
        state[f"{key}.words"] = typed.replace(promised, next_words)
    state[f"{key}.filled"], state[f"{key}.promised"] = filled, next_words or promised


def _read_as(key: str, stage: str, detail: Detail, *, public: bool) -> None:
    """The update as those who get it see it."""
    state = st.session_state
    title = str(state.get(f"{key}.title") or "") if public else f"{detail.line.number}: {detail.line.title}"
    words = literal(str(state.get(f"{key}.words") or ""))
    st.markdown(f"**{literal(title) or 'No name yet'}**  \n:gray-badge[{updates.STAGES[stage]}]  \n{words}")


@dataclass(frozen=True)
class _Page:
    """The status page as far as an update is concerned with it."""

    published: bool
    known: dict[int, status_page.Known]
    told: dict[int, str]
    """component id -> the state that this incident gave it; what goes with its service, as long as nothing was told"""


def _page(db: Session, detail: Detail) -> _Page:
    known = {one.id: one for one in status_page.components(db)}
    told = status_page.affected(db, detail.line.id)
    if not told:
        likely = "major" if detail.line.priority == 1 else "degraded"
        told = dict.fromkeys(status_page.suggested(db, detail.service_id), likely)
    return _Page(status_page.look(db).published, known, {one: told[one] for one in told if one in known})


def _affected(page: _Page, key: str) -> dict[int, str]:
    """What of the status page is affected, and how badly."""
    if not page.known:
        return {}
    chosen = st.multiselect(
        "What the public finds affected (optional)",
        list(page.known),
        default=list(page.told),
        format_func=lambda one: page.known[one].name,
        key=f"{key}.components",
        placeholder="Choose parts of the status page",
    )
    worse = [state for state in STATES if state != "operational"]
    found = {}
    with st.grid(2, min_column_width=220):
        for one in chosen:
            found[one] = st.selectbox(
                page.known[one].name,
                worse,
                index=worse.index(page.told.get(one, "degraded")),
                format_func=STATES.__getitem__,
                key=f"{key}.component.{one}",
            )
    return found


def _preview(people: dict[int, str], audience: str, page: _Page, affected: dict[int, str], *, waits: bool) -> None:
    """Who gets it, before it goes."""
    told = []
    if audience != "external":
        names = list(people.values())
        shown = ", ".join(literal(name) for name in names[:_MOST_NAMES])
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        told.append(f"{len(names)} people here: {shown}{more}" if names else "nobody here yet")
    if audience != "internal":
        with reading() as db:
            count = status_page.audience(db, list(affected or page.told))
        told.append(f"the status page and {count:,} of its subscribers" if count else "the status page")
    if audience != "internal" and not page.published:
        st.info("The status page is not published yet: nobody outside reads this.", icon=":material/info:")
    st.caption(f"Goes to {'; and '.join(told)}.{' The commander reads it first.' if waits else ''}")


def _nearest(usual: timedelta) -> int:
    minutes = usual / timedelta(minutes=1)
    return min(range(len(WAITS)), key=lambda at: abs(list(WAITS)[at] - minutes))


def _moment(at: datetime, place: ZoneInfo, now: datetime) -> str:
    """'at 14:20 (Europe/Berlin)'; with the day when it is another: those who read it are anywhere."""
    local, today = at.astimezone(place), now.astimezone(place)
    day = "" if local.date() == today.date() else f"on {local:%a} {local.day} {local:%b} "
    return f"{day}at {local:%H:%M} ({place.key})"


def _facts(detail: Detail, response: Response, next_words: str, place: ZoneInfo, now: datetime) -> dict[str, str]:
    """What the templates' names in braces stand for."""
    line = detail.line
    began = detail.started_at or line.reported_at
    ended = detail.recovered_at or line.resolved_at or now
    commander = response.holder("commander")
    affected = f"{line.people_affected:,} people are affected" if line.people_affected else ""
    return {
        "number": line.number,
        "title": line.title,
        "priority": priority_words(line.priority) if line.priority else "",
        "service": line.about or line.affected or "a service",
        "people": affected or "we do not know yet how many people are affected",
        "started": _moment(began, place, now),
        "duration": span((ended - began).total_seconds()),
        "commander": f"{commander.name} leads the response." if commander else "",
        "resolution": detail.resolution_note or "",
        "next": next_words,
    }


def _send(actor: Actor, detail: Detail, key: str, corrects: int | None, read: tuple[Any, ...]) -> None:
    state = st.session_state
    given: dict[str, Any] = {name: state.get(f"{key}.{name}") for name in ("audience", "stage", "title", "next")}
    if read != (given["audience"], given["stage"], given["next"] if given["stage"] != "resolved" else None):
        # Chosen so shortly before that the words which follow from it have not been drawn.
        state[f"{key}.failure"] = Failure("The words follow what you chose. Read them, then send.")
        return
    words = str(state.get(f"{key}.words") or "")
    chosen = state.get(f"{key}.components")
    components = None if chosen is None else {one: state.get(f"{key}.component.{one}", "degraded") for one in chosen}

    def change(db, now):  # type: ignore[no-untyped-def]
        commands.write(
            db,
            detail.line.id,
            audience=given["audience"],
            stage=given["stage"],
            words=words,
            title=given["title"] or "",
            components=components if given["stage"] != "resolved" else {},
            next_at=after(now, given["next"]) if given["stage"] != "resolved" else None,
            corrects=corrects,
            token=token(key),
            actor=actor,
            now=now,
        )

    failure = attempt(change)
    state[f"{key}.failure"] = failure
    if failure is None:
        renew(key)
        state[f"{key}.done"] = True
