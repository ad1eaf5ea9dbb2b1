"""A small organisation for tests of screens: its people, two services, and the pages opened as one of them."""

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from db.commands import conversation
from db.commands import incidents as commands
from db.engine import reading, writing
from db.models import Category, CategoryPair, Incident, Person, PersonRole, Service, Team, TeamMember, TimelineEntry
from pages.parts import forms, session
from rules.access import Actor

PAGES = Path(__file__).resolve().parents[2] / "pages"
PEOPLE = {
    "Rita": (),
    "Otto": (),
    "Priya": ("responder",),
    "Lena": ("lead",),
    "Dora": ("desk",),
    "Max": ("manager",),
    "Ada": ("admin",),
}
"""name -> roles; Rita and Otto only report, Priya and Lena are the network team"""


class Desk:
    """The organisation in a fresh database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.now = datetime.now(UTC).replace(microsecond=0)
        with writing(engine) as db:
            team = Team(name="Network", tier="2", way="itil")
            category = Category(name="Hardware")
            db.add_all([team, category])
            db.flush()
            pair = CategoryPair(category_id=category.id, team_id=team.id)
            services = [Service(name=name, team_id=team.id, impact=2) for name in ("E-mail", "Printing")]
            db.add_all([pair, *services])
            people = {}
            for name, roles in PEOPLE.items():
                person = Person(name=name, email=f"{name.lower()}@example.org", created_at=self.now)
                db.add(person)
                db.flush()
                people[name] = person.id
                db.add_all([PersonRole(person_id=person.id, role=role) for role in roles])
                if name in ("Priya", "Lena"):
                    db.add(TeamMember(person_id=person.id, team_id=team.id))
            self.team_id, self.pair_id = team.id, pair.id
        self.actors = {
            name: Actor(
                people[name],
                name,
                frozenset(roles) | {"reporter"},
                frozenset({self.team_id} if name in ("Priya", "Lena") else ()),
            )
            for name, roles in PEOPLE.items()
        }

    def report(self, by: str, title: str, affected: str = "Room 204", minutes_ago: int = 60, **more: Any) -> str:
        """Report it and give its number."""
        with writing(self.engine) as db:
            at = self.now - timedelta(minutes=minutes_ago)
            return commands.report(db, title=title, affected=affected, actor=self.actors[by], now=at, **more).number

    def do(self, number: str, action: str, by: str, minutes_ago: int = 0, **given: Any) -> None:
        with writing(self.engine) as db:
            at = self.now - timedelta(minutes=minutes_ago)
            commands.perform(db, self.id_of(number), None, action, given, actor=self.actors[by], now=at)

    def accept(self, number: str, minutes_ago: int = 50, **more: Any) -> None:
        given = {"category_pair_id": self.pair_id, "impact": 2, "urgency": 2, "team_id": self.team_id} | more
        self.do(number, "accept", "Lena", minutes_ago, **given)

    def fix(self, number: str, minutes_ago: int = 30) -> None:
        """From new to recovered."""
        self.accept(number, minutes_ago + 10)
        self.do(number, "acknowledge", "Priya", minutes_ago + 5)
        self.do(number, "resolve", "Priya", minutes_ago, resolution_code="fixed", resolution_note="New cable.")
        self.do(number, "recover", "Priya", minutes_ago)

    def comment(self, number: str, words: str, by: str, *, public: bool) -> None:
        with writing(self.engine) as db:
            conversation.comment(db, self.id_of(number), words, public=public, actor=self.actors[by], now=self.now)

    def follow(self, number: str, by: str) -> None:
        with writing(self.engine) as db:
            conversation.follow(db, self.id_of(number), actor=self.actors[by], now=self.now)

    def team(self, name: str, tier: str, contact: str = "") -> int:
        """The id of one more team, without people."""
        with writing(self.engine) as db:
            made = Team(name=name, tier=tier, contact=contact)
            db.add(made)
            db.flush()
            return made.id

    def id_of(self, number: str) -> int:
        return self.incident(number).id

    def incident(self, number: str) -> Incident:
        with reading(self.engine) as db:
            return db.scalars(select(Incident).where(Incident.number == number)).one()

    def incidents(self) -> list[Incident]:
        with reading(self.engine) as db:
            return list(db.scalars(select(Incident).order_by(Incident.id)))

    def words(self, number: str) -> list[str]:
        """What was written on its timeline."""
        with reading(self.engine) as db:
            found = select(TimelineEntry.detail).where(TimelineEntry.incident_id == self.id_of(number))
            return [detail for detail in db.scalars(found.order_by(TimelineEntry.id)) if detail]


@pytest.fixture(scope="session", autouse=True)
def _components_are_looked_for_once() -> Iterator[None]:
    """Each AppTest reads what all installed packages say of themselves, which takes longer than to run the page."""
    found = manifest_scanner.scan_component_manifests()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(manifest_scanner, "scan_component_manifests", lambda max_workers=None: found)
        yield


@pytest.fixture
def desk(app_database: Engine) -> Desk:
    """The organisation, in the database that the app uses."""
    return Desk(app_database)


@pytest.fixture
def opened(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """`opened("staff/report.py", "Rita", done="INC-000001")` runs the page as that person at that address."""

    def open_page(page: str, who: str, **address: str) -> AppTest:
        monkeypatch.setattr(session, "require", lambda action=None: desk.actors[who])
        at = AppTest.from_file(str(PAGES / page), default_timeout=60)
        for name, value in address.items():
            at.query_params[name] = value
        return at.run()

    return open_page


@pytest.fixture(autouse=True)
def accidents(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[BaseException]]:
    """What went wrong unforeseen on a page, which tells people of it in a sentence: a test fails where anything did.

    A test that lets something go wrong empties the list.
    """
    happened: list[BaseException] = []
    told = forms._unexpected

    def unexpected(what: str) -> str:
        error = sys.exc_info()[1]
        if error is not None:
            happened.append(error)
        return told(what)

    monkeypatch.setattr(forms, "_unexpected", unexpected)
    yield happened
    if happened:
        raise AssertionError("A page failed and only told of it.") from happened[0]


@pytest.fixture
def in_app(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """The same within the whole app, for pages that link to others."""

    def open_page(page: str, who: str, **address: str) -> AppTest:
        monkeypatch.setattr(session, "begin", lambda: desk.actors[who])
        monkeypatch.setattr(session, "require", lambda action=None: desk.actors[who])
        at = AppTest.from_file(str(PAGES / "main.py"), default_timeout=60).switch_page(page)
        for name, value in address.items():
            at.query_params[name] = value
        return at.run()

    return open_page


def unfolded(at: AppTest, number: str, *, version: int = 1, folded: bool = False) -> AppTest:
    """Triage with 'People, risks, words' of this incident open, or folded again."""
    at.session_state[f"triage.{number}.{version}.more"] = not folded
    return at.run()


def seen(at: AppTest) -> str:
    """Everything in words on the page, one element a line."""
    kinds = ("title", "header", "markdown", "caption", "text", "error", "success", "info", "warning")
    said = [element.value for kind in kinds for element in getattr(at, kind)]
    said += [str(cell) for table in at.table for cell in table.value.to_numpy().ravel()]
    return "\n".join(said)
