"""The script that Streamlit runs for every page: who is here, what may they see, where do they begin."""

import re
from urllib.parse import urlsplit

import streamlit as st

from db.engine import reading
from db.queries import notices, triage
from pages.parts import address, menu, session
from pages.parts.empty import empty
from pages.parts.forms import guarded
from rules.access import may

st.set_page_config(
    page_title="Incident Desk",
    page_icon=str(menu.FOLDER / "static/favicon.svg"),
    layout="wide",
    initial_sidebar_state=230,
)
actor = session.begin()
known = menu.pages(actor)


def begin() -> None:
    """The default page is hidden and leads on: its own address would answer 'Page not found'."""
    st.switch_page(known[menu.first(actor)])


def nothing_here() -> None:
    """An address that leads nowhere for this person: said on a page, since Streamlit's own notice covers one."""
    st.title("Nothing here")
    empty("There is no such page, or it is not open to you.", "Go on with the menu.", key="nowhere")


start = st.Page(begin, title="Incident Desk", url_path="start", default=True, visibility="hidden")
asked = urlsplit(st.context.url or "").path.strip("/")
lost = []
if asked not in {start.url_path, *known} and re.fullmatch(r"[\w-]{1,60}", asked):
    lost = [st.Page(nothing_here, title="Nothing here", url_path=asked, visibility="hidden")]
reporter = menu.only_reports(actor)
chosen = st.navigation([start, *known.values(), *lost], position="top" if reporter else "hidden")
address.arrive(chosen.url_path)
theme = "dark" if st.context.theme.type == "dark" else "light"
st.logo(menu.LOGO_BY_THEME[theme], size="large", icon_image=menu.ICON)
if not reporter:
    counts = {}
    with guarded(), reading() as db:
        counts["messages"] = notices.unread(db, actor)
        if may(actor, "triage"):
            counts["triage"] = triage.open_count(db, actor)
    menu.sidebar(actor, known, counts)
with guarded():
    chosen.run()
