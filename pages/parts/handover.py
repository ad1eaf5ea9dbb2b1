"""Handing an incident to a higher tier or a vendor: where it goes, what goes with it, and that it is read."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import streamlit as st

from db.engine import reading
from db.queries import choices, incidents
from db.queries.choices import TeamChoice
from db.queries.tiers import Handover
from pages.parts import session, times
from pages.parts.empty import field_problem
from pages.parts.texts import literal
from rules import tiers

_HOLD_DAYS = 3
_HINTS = {
    "known": "What happens, since when, for whom",
    "tried": "What was checked or changed, and what came of it",
    "needed": "What the next team should do or find out",
}


def said(handover: Handover, now: Any) -> None:
    """Who handed it over to whom, and with what words."""
    writer = literal(handover.writer or "Incident Desk")
    st.markdown(
        f"**{writer} handed it over to {literal(handover.team)}** "
        f":small[:gray[{tiers.NAMES[handover.tier]} · {times.ago(handover.at, now)}]]"
    )
    st.text(handover.summary)


def read_first(detail: incidents.Detail, key: str) -> dict[str, str]:
    """Draw what must be read before work begins; taking the action then says that it was read."""
    if detail.handover is None or not detail.must_read:
        return {}
    with st.container(border=True, gap="small"):
        said(detail.handover, session.now())
    st.caption("Going on tells everybody that you have read this.")
    st.session_state[f"{key}.summary_read"] = True
    return {"summary_read": f"{key}.summary_read"}


def choose_team(
    detail: incidents.Detail, key: str, wrong: Mapping[str, str]
) -> tuple[TeamChoice | None, dict[str, str]]:
    """Draw the teams above the present one. Outside a form: what else is asked depends on the team."""
    with reading() as db:
        teams = {team.id: team for team in choices.teams(db)}
    present = detail.line.team_id
    above = {id_: team for id_, team in teams.items() if id_ != present and tiers.is_above(team.tier, detail.line.tier)}
    if not above:
        st.caption("No team stands above the present one. Assign it to another team, or inform up the line.")
    chosen = st.selectbox(
        "Team",
        list(above),
        index=None,
        format_func=lambda option: f"{above[option].name} ({tiers.NAMES[above[option].tier]})",
        key=f"{key}.team_id",
        placeholder="Choose a team of a higher tier",
    )
    field_problem(wrong.get("team_id"))
    return above[chosen] if chosen is not None else None, {"team_id": f"{key}.team_id"}


def fields(team: TeamChoice | None, detail: incidents.Detail, key: str, wrong: Mapping[str, str]) -> dict[str, str]:
    """Draw what goes with it: the summary in its parts, a person, a vendor's contact and reference; field -> key."""
    drawn = {name: f"{key}.{name}" for name in tiers.PARTS}
    for name, label in tiers.PARTS.items():
        st.text_area(label, key=drawn[name], placeholder=_HINTS[name], height=80)
    field_problem(wrong.get("reason"))
    if team is not None and team.tier == tiers.EXTERNAL:
        return drawn | _vendor(team, detail, key, wrong)
    with reading() as db:
        people = choices.workers(db, team.id) if team else choices.workers(db)
    drawn["assignee_id"] = f"{key}.assignee_id.{team.id if team else 0}"
    st.selectbox(
        "Person (optional)",
        list(people),
        index=None,
        format_func=lambda option: people[option],
        key=drawn["assignee_id"],
        placeholder="Whoever takes it",
    )
    field_problem(wrong.get("assignee_id"))
    return drawn


def _vendor(team: TeamChoice, detail: incidents.Detail, key: str, wrong: Mapping[str, str]) -> dict[str, str]:
    drawn = {name: f"{key}.{name}.{team.id}" for name in ("vendor_contact", "vendor_reference")}
    st.text_input("Contact (optional)", team.contact, key=drawn["vendor_contact"])
    field_problem(wrong.get("vendor_contact"))
    st.text_input(
        "Their reference (optional)",
        key=drawn["vendor_reference"],
        help="It can be filled in when they have given one.",
    )
    field_problem(wrong.get("vendor_reference"))
    if detail.line.restricted:  # whoever hands it over may not see it any more
        return drawn
    drawn |= {"hold_vendor": f"{key}.hold_vendor", "hold_until": f"{key}.hold_until"}
    st.checkbox("Put it on hold until the vendor answers: the clocks stand still", key=drawn["hold_vendor"])
    today = times.local(session.now()).date()
    st.date_input(
        "Look at it again on (only then)",
        today + timedelta(days=_HOLD_DAYS),
        min_value=today,
        max_value=today + timedelta(days=365),
        key=drawn["hold_until"],
    )
    field_problem(wrong.get("hold_until"))
    return drawn


def gathered(given: dict[str, Any]) -> dict[str, Any]:
    """What was typed as the command wants it: one summary, and a hold only where one is wanted."""
    if not tiers.PARTS.keys() <= given.keys():
        return given
    parts = [str(given.pop(name) or "") for name in tiers.PARTS]
    given["reason"] = tiers.summary(*parts)
    until = given.pop("hold_until", None)
    if given.pop("hold_vendor", False):
        given |= {"hold_reason": "vendor", "hold_until": until}
    return given
