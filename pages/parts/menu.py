"""Which pages there are, who sees them, and the menu that leads to them."""

from copy import copy
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from db.queries import notices
from db.queries.triage import MANY
from pages.parts import address
from pages.parts.texts import counted
from rules.access import TABLE, Actor

FOLDER = Path(__file__).resolve().parent.parent
LOGO_BY_THEME = {theme: str(FOLDER / f"static/logo-{theme}.svg") for theme in ("light", "dark")}
ICON = str(FOLDER / "static/icon.svg")


@dataclass(frozen=True)
class Entry:
    """A page: its file, address, title, icon, the action that opens it, and the heading it stands under."""

    file: str
    path: str
    title: str
    icon: str
    action: str
    heading: str | None = None
    """None: not in the menu"""


MENU = (
    Entry("home.py", "home", "Home", "home", "board|trends|people", ""),
    Entry("staff/report.py", "report", "Report a problem", "edit_square", "report", ""),
    Entry("leads/triage.py", "triage", "Triage", "low_priority", "triage", ""),
    Entry("responders/board.py", "board", "Board", "view_kanban", "board", ""),
    Entry("responders/on_call.py", "on-call", "On-call", "phone_in_talk", "on_call", "Response"),
    Entry("responders/alerts.py", "alerts", "Alerts", "notifications_active", "alerts", "Response"),
    Entry("responders/schedules.py", "schedules", "Schedules", "calendar_month", "on_call", "Response"),
    Entry(
        "responders/escalation.py",
        "escalation",
        "Escalation policies",
        "format_list_numbered",
        "escalation",
        "Response",
    ),
    Entry("responders/runbooks.py", "runbooks", "Runbooks", "menu_book", "runbooks", "Response"),
    Entry("responders/maintenance.py", "maintenance", "Maintenance", "build", "board|maintenance", "Response"),
    Entry("managers/trends.py", "trends", "Trends", "monitoring", "trends", "Learning"),
    Entry("managers/problems.py", "problems", "Problems", "troubleshoot", "problems", "Learning"),
    Entry("managers/postmortems.py", "postmortems", "Postmortems", "history_edu", "postmortems", "Learning"),
    Entry("managers/digest.py", "digest", "Weekly digest", "summarize", "trends", "Learning"),
    Entry("managers/reports.py", "reports", "Reports", "lab_profile", "trends", "Learning"),
    Entry("admin/people.py", "people", "People", "group", "people", "Setup"),
    Entry("admin/catalogue.py", "catalogue", "Catalogue", "category", "settings", "Setup"),
    Entry("admin/templates.py", "templates", "Templates", "dynamic_form", "settings", "Setup"),
    Entry("admin/integrations.py", "integrations", "Integrations", "sensors", "integrations", "Setup"),
    Entry("admin/tokens.py", "tokens", "API tokens", "key", "tokens", "Setup"),
    Entry("admin/status_page.py", "status-page", "Status page", "monitor_heart", "status_page", "Setup"),
    Entry("admin/settings.py", "settings", "Settings", "tune", "settings", "Setup"),
    Entry("admin/imports.py", "import", "Import", "upload_file", "import", "Setup"),
    Entry("admin/deliveries.py", "deliveries", "Delivery log", "outgoing_mail", "deliveries", "Setup"),
    Entry("admin/audit.py", "audit", "Audit", "policy", "audit", "Setup"),
    Entry("managers/process.py", "trends-process", "Process", "account_tree", "trends"),
    Entry("managers/forecast.py", "trends-forecast", "Forecast", "query_stats", "trends"),
    Entry("staff/my_reports.py", "my-reports", "My reports", "receipt_long", "report"),
    Entry("responders/incident.py", "incident", "Incident", "confirmation_number", "report"),
    Entry("messages.py", "messages", "Messages", "mail", "report"),
    Entry("managers/figure.py", "figure", "Incidents behind a number", "monitoring", "trends"),
    Entry("account.py", "account", "My account", "account_circle", "report"),
)


def opens(actor: Actor, entry: Entry) -> bool:
    """True when one of the entry's actions is open to the actor by role."""
    return any(TABLE[action] & actor.roles for action in entry.action.split("|"))


def only_reports(actor: Actor) -> bool:
    """True for somebody who reports and does nothing else here."""
    return not actor.roles - {"reporter"}


def pages(actor: Actor) -> dict[str, StreamlitPage]:
    """Address -> page of everything the actor may open."""
    return {entry.path: copy(_page(entry, shown=_shown(entry, actor))) for entry in MENU if opens(actor, entry)}


@cache
def _page(entry: Entry, *, shown: bool) -> StreamlitPage:
    """Made once, and copied for each run: to make one looks its file up on the disk."""
    return st.Page(
        FOLDER / entry.file,
        title=entry.title,
        icon=f":material/{entry.icon}:",
        url_path=entry.path,
        visibility="visible" if shown else "hidden",
    )


def _shown(entry: Entry, actor: Actor) -> bool:
    if only_reports(actor):
        return entry.path in ("report", "my-reports", "messages", "account")
    return entry.heading is not None


def first(actor: Actor) -> str:
    """The address that the actor begins at."""
    return "report" if only_reports(actor) else "trends" if actor.roles <= {"manager", "reporter"} else "home"


def shown(number: int, many: int) -> str:
    """A count as it stands behind a title: '' for none, '99+' when there may be more than were counted."""
    return counted(number, many - 1) if number else ""


def sidebar(actor: Actor, known: dict[str, StreamlitPage], counts: dict[str, int]) -> None:
    """Draw the menu for somebody who does more than report. `counts` are shown behind the titles."""
    with st.sidebar:
        heading = ""
        block = st.container(gap="xsmall")
        for entry in MENU:
            if entry.heading is None or entry.path not in known:
                continue
            if entry.heading != heading:
                heading = entry.heading
                block = st.container(gap="xsmall")
                block.caption(heading)
            number = shown(counts.get(entry.path, 0), MANY)
            label = f"{entry.title} :gray[{number}]" if number else entry.title
            block.page_link(known[entry.path], label=label)
        person(actor, known, counts.get("messages", 0))


def person(actor: Actor, known: dict[str, StreamlitPage], unread: int) -> None:
    """The menu of one's own: messages, reports, account, sign out."""
    told = f"Messages ({shown(unread, notices.MANY)})" if unread else "Messages"
    choices = {told: "messages", "My reports": "my-reports", "My account": "account"}
    chosen = st.menu_button(
        actor.name.replace("[", "(").replace("]", ")") + (f" ({shown(unread, notices.MANY)})" if unread else ""),
        [*choices, "Sign out"],
        icon=":material/account_circle:",
        type="tertiary",
        key="menu.person",
    )
    if chosen == "Sign out":
        address.lead(known["account"], {"leave": "1"})
    elif chosen is not None:
        st.switch_page(known[choices[chosen]])
