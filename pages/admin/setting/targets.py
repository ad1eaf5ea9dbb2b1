"""Settings: how soon each priority is answered and resolved, counted in which calendar; for all services or for one."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.admin.setting.flow import WIDTH, Editor, discard, gathered, refuse
from rules.durations import exact, seconds_of
from rules.policies import ALWAYS_ID, ALWAYS_NAME
from rules.priority import LABELS

TARGETS, SERVICES = KEYS = ("sla.targets", "sla.services")
CHOSEN = "settings.targets.service"
ALL = 0
SAME = ""
"""the calendar of a service that keeps what all services have"""
_TIMES = (("response", "answer within"), ("resolution", "resolve within"))


def draw(editor: Editor) -> None:
    own = editor.base[SERVICES]
    services = {ALL: "All services"} | {
        service: f"{name} (targets of its own)" if str(service) in own else name
        for service, name in editor.edited.services.items()
    }
    if st.session_state.get(CHOSEN) not in services:
        st.session_state[CHOSEN] = ALL
    st.selectbox(
        "Targets of",
        list(services),
        format_func=lambda option: services[option],
        key=CHOSEN,
        on_change=discard,
        width=WIDTH // 2,
    )
    service = st.session_state[CHOSEN]
    with st.form(f"{editor.prefix}.{service}.form", width=WIDTH, enter_to_submit=False):
        if service:
            st.caption("What is left empty is as for all services.")
        else:
            st.caption(
                "Write 4 h or 1 h 30 min. While it waits for the reporter, a vendor or a change, the time to resolve "
                "stands still."
            )
        for level in LABELS:
            _row(editor, service, level)
        editor.preview_button(collect)


def _row(editor: Editor, service: int, level: int) -> None:
    usual = editor.base[TARGETS][str(level)]
    given = editor.base[SERVICES].get(str(service), {}).get(str(level), {}) if service else usual
    left, middle, right = st.columns([1, 1, 1.2], gap="small")
    for (name, words), column in zip(_TIMES, (left, middle), strict=True):
        with column:
            editor.text(
                _path(service, level, name),
                f"P{level} {words}",
                exact(given[name], days=False) if given else "",
                placeholder=exact(usual[name], days=False) if service else None,
            )
    calendars = {ALWAYS_ID: ALWAYS_NAME} | {
        name: calendar["name"] for name, calendar in editor.edited.values["sla.calendars"].items()
    }
    if service:
        calendars = {SAME: "As for all services"} | calendars
    with right:
        editor.choice(_path(service, level, "calendar"), f"P{level} counted in", calendars, given.get("calendar", SAME))


def _path(service: int, level: int, name: str) -> str:
    return f"{SERVICES}.{service}.{level}.{name}" if service else f"{TARGETS}.{level}.{name}"


def collect(editor: Editor) -> Mapping[str, Any]:
    """The settings as typed. RuleError names every length that cannot be read."""
    service: int = st.session_state[CHOSEN]
    wrong: dict[str, str] = {}
    found: dict[str, dict[str, Any]] = {}
    for level in LABELS:
        target = {name: _seconds(editor, _path(service, level, name), wrong) for name, _ in _TIMES}
        target["calendar"] = editor.typed(_path(service, level, "calendar"))
        if service:
            usual = editor.base[TARGETS][str(level)]
            target = {name: value or usual[name] for name, value in target.items()}
            if target == usual:
                continue
        found[str(level)] = target
    refuse(wrong)
    if not service:
        return {TARGETS: found}
    others = {key: value for key, value in editor.base[SERVICES].items() if key != str(service)}
    return {SERVICES: others | ({str(service): found} if found else {})}


def _seconds(editor: Editor, path: str, wrong: dict[str, str]) -> Any:
    typed = str(editor.typed(path) or "")
    if not typed.strip() and path.startswith(SERVICES):
        return None
    return gathered(wrong, lambda: seconds_of(typed, path, days=False))
