"""What every form needs: the change made in one transaction, and a sentence for whatever went wrong."""

import logging
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import streamlit as st

from db.commands.incidents import Conflict
from db.engine import DatabaseProblem, Session, Transaction, writing
from db.queries.timeline import Entry
from pages.parts import session
from pages.parts.texts import literal
from rules.errors import RuleError

UNSAVED = "Nothing was saved yet. What to do stands at the top."
"""beneath the button of a form so long that its summary is out of sight"""

log = logging.getLogger("incident_desk.pages")


@dataclass(frozen=True)
class Failure:
    """Why a change was not made. What was typed stays in its fields."""

    sentence: str
    fields: Mapping[str, str] = field(default_factory=dict)
    """field -> sentence, to be shown beneath the field"""
    since: tuple[Entry, ...] = ()
    """what others did meanwhile, when that was the reason"""


def attempt(change: Callable[[Session, datetime], object], within: Transaction = writing) -> Failure | None:
    """Make `change(db, now)` in one transaction; None when it was made. Draws nothing."""
    try:
        with within() as db:
            change(db, session.now())
    except Conflict as conflict:
        return Failure(conflict.sentence, since=tuple(conflict.since))
    except RuleError as error:
        return Failure(error.sentence, error.fields)
    except DatabaseProblem as problem:
        return Failure(f"{problem.sentence} What you typed is still here.")
    except Exception:  # noqa: BLE001 - whatever it was, it is logged and told with a reference
        return Failure(_unexpected("A change failed"))
    return None


def token(key: str) -> str:
    """A one-time token for the form called `key`, unique in the database: a double click makes one change."""
    name = f"{key}.token"
    if name not in st.session_state:
        st.session_state[name] = secrets.token_urlsafe(24)
    return str(st.session_state[name])


def renew(key: str) -> None:
    """Give the form called `key` a new token, after its change was made."""
    st.session_state.pop(f"{key}.token", None)


def begun(key: str, shown: Collection[str]) -> Failure | None:
    """At the start of a dialog's form: what went wrong before, drawn here unless it belongs beneath a field `shown`.

    What `send` has changed ends the dialog.
    """
    failure: Failure | None = st.session_state.get(f"{key}.failure")
    if st.session_state.pop(f"{key}.done", False):
        st.rerun()
    if failure is not None and not failure.fields.keys() & set(shown):
        st.error(literal(failure.sentence), icon=":material/error:")
    return failure


def send(key: str, names: Collection[str], change: Callable[[Session, datetime], object]) -> None:
    """Make the change of the form called `key`; once it is made its fields `names` are empty again."""
    failure = attempt(change)
    st.session_state[f"{key}.failure"] = failure
    if failure is None:
        for name in names:
            st.session_state.pop(f"{key}.{name}", None)
        st.session_state[f"{key}.done"] = True


@contextmanager
def guarded() -> Iterator[None]:
    """Draw a sentence where the block stopped, for whatever went wrong in it; what comes after the block goes on."""
    try:
        yield
    except (RuleError, DatabaseProblem) as error:
        st.error(literal(error.sentence), icon=":material/error:")
    except Exception:  # noqa: BLE001 - whatever it was, it is logged and told with a reference
        st.error(_unexpected("A page failed"), icon=":material/error:")


def _unexpected(what: str) -> str:
    reference = secrets.token_hex(4)
    page = st.context.url if st.context.url else "unknown"
    log.exception("%s; reference %s, page %s", what, reference, page.partition("?")[0])
    return (
        f"Something went wrong (reference {reference}). Nothing was lost: what you typed is still here. "
        "Try again, or give an administrator the reference."
    )


def summary(failure: Failure | None, labels: Mapping[str, str], *, outcome: str = "Nothing was sent yet.") -> None:
    """Draw the one summary above a form, in the words that stand beneath its fields too. `labels` is field -> label.

    What has no field on the screen, such as a version that somebody else has changed, is said as it is.
    """
    if failure is None:
        return
    if not failure.fields.keys() & labels.keys():
        st.error(f"**There is a problem.** {literal(failure.sentence)}", icon=":material/error:")
        return
    lines = [
        f"- *{literal(labels[name])}* {literal(said)}" if name in labels else f"- {literal(said)}"
        for name, said in failure.fields.items()
    ]
    st.error("\n".join([f"**There is a problem.** {outcome}", "", *lines]), icon=":material/error:")


def error_title(failure: Failure | None, title: str) -> None:
    """Name the page in the browser's tab; it begins with 'Error:' while there is a problem."""
    st.set_page_config(page_title=f"{'Error: ' if failure else ''}{title} · Incident Desk")
