"""Somebody who asks our routes for something, signed in or not."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from httpx import Response
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.testclient import TestClient

from api.gate import Gate
from db.commands import sign_in
from db.engine import writing
from db.models import Person
from db.settings import settings
from tests.db.office import Office


@contextmanager
def visitor(office: Office, routes: Sequence[BaseRoute]) -> Iterator[Callable[[str | None, str], Response]]:
    """`ask("Rita", "/files/1")` gets that address as Rita; None: as nobody."""
    app = Starlette(routes=routes, middleware=[Middleware(Gate)])
    with TestClient(app, base_url="http://desk.example", follow_redirects=False) as client:

        def ask(who: str | None, path: str) -> Response:
            client.cookies.clear()
            if who:
                with writing(office.engine) as db:
                    person = db.get_one(Person, office.people[who].id)
                    token = sign_in.begin_session(db, person, user_agent="x", now=datetime.now(UTC))
                client.cookies.set(settings().cookie, token)
            return client.get(path)

        yield ask
