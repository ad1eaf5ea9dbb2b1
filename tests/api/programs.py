"""Programs that use the HTTP API: the real routes behind the gate, called with the token of each."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from httpx import Response
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from api import alerts, incident_parts, incidents, oncall, trends_measures, v1
from api.gate import Gate
from db.commands import sign_in, tokens
from db.engine import writing
from db.models import Person
from db.settings import settings
from tests.db.office import Office

API = "/api/v1/incidents"


def now() -> datetime:
    return datetime.now(UTC)


async def page(_request: Any) -> Response:
    return PlainTextResponse("the app")  # type: ignore[return-value]


class Programs:
    """`call("work", "GET", "/api/v1/incidents")` as a program whose token has the scope incidents:write."""

    SCOPES = {
        "read": ["incidents:read"],
        "report": ["incidents:report"],
        "work": ["incidents:write"],
        "triage": ["incidents:triage"],
        "oncall": ["oncall:read"],
        "trends": ["trends:read"],
    }

    def __init__(self, office: Office, client: TestClient) -> None:
        self.office, self.client = office, client
        self.tokens: dict[str, str] = {}

    def token(self, name: str, scopes: list[str] | None = None, expires: timedelta | None = None) -> str:
        """The token of a program, made when it is first asked for."""
        if name not in self.tokens:
            until = now() + expires if expires else None
            with writing(self.office.engine) as db:
                _, self.tokens[name] = tokens.add(
                    db, name, scopes or self.SCOPES[name], until, actor=self.office.people["Ada"], now=now()
                )
        return self.tokens[name]

    def call(self, who: str | None, method: str, path: str, **more: Any) -> Response:
        headers = dict(more.pop("headers", {}))
        if who is not None:
            headers["authorization"] = f"Bearer {self.token(who)}"
        self.client.cookies.clear()
        return self.client.request(method, path, headers=headers, **more)

    def signed_in(self, who: str, method: str, path: str, **more: Any) -> Response:
        """As somebody with the session of their browser."""
        with writing(self.office.engine) as db:
            person = db.get_one(Person, self.office.people[who].id)
            self.client.cookies.set(settings().cookie, sign_in.begin_session(db, person, user_agent="x", now=now()))
        return self.client.request(method, path, **more)

    def report(self, title: str = "Mail is slow", who: str = "work", **more: Any) -> dict[str, Any]:
        """What is answered to a report."""
        made = self.call(who, "POST", API, json={"title": title, "affected": "Outlook", **more})
        assert made.status_code == 201, made.text
        return dict(made.json())


@contextmanager
def programs(office: Office) -> Iterator[Programs]:
    parts = (alerts.router, incidents.router, incident_parts.router, oncall.router, trends_measures.router)
    api = v1.make(*parts, beside=alerts.events)
    routes = [*alerts.routes, Mount("/api", api), Route("/{path:path}", page)]
    app = Starlette(routes=routes, middleware=[Middleware(Gate)])
    with TestClient(app, base_url="http://desk.example", follow_redirects=False) as client:
        yield Programs(office, client)


def refused(response: Response, status: int, code: str) -> dict[str, str]:
    """The fields at fault, of a refusal in the one form that there is."""
    assert response.status_code == status, response.text
    assert set(response.json()) == {"error"}
    error = response.json()["error"]
    assert error["code"] == code
    assert error["message"]
    return dict(error["fields"])
