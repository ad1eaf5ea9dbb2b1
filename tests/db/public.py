"""A status page on the small organisation of tests.db.office: components, updates before the public, subscribers."""

from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from db.commands import publication, status_page, subscriptions
from db.engine import reading, writing
from db.models import Component, Incident, OutboxMessage, Subscriber, Update
from db.queries import status_page as queries
from db.queries import subscribers
from db.settings import settings
from tests.db.office import MONDAY, Office


class Public(Office):
    """The office, with the components 'Mail' (of the service E-mail), 'Portal' and 'Shop', and a published page."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.components = {
            "Mail": self.component("Mail", services=[self.service]),
            "Portal": self.component("Portal"),
            "Shop": self.component("Shop", group="Customers"),
        }
        self.page(name="Our status", words="All we run.")

    def component(self, name: str, group: str = "", services: Any = (), at: datetime = MONDAY, **more: Any) -> int:
        with writing(self.engine) as db:
            return status_page.save_component(
                db, None, None, name=name, group=group, service_ids=services, actor=self.people["Ada"], now=at, **more
            )

    def page(self, published: bool = True, **given: Any) -> None:
        given = {"name": "Our status", "words": "", "closing_words": "It works again."} | given
        with writing(self.engine) as db:
            status_page.change(db, None, published=published, **given, actor=self.people["Ada"], now=MONDAY)

    def update(
        self,
        incident: int,
        text: str = "We look into it.",
        stage: str = "investigating",
        at: datetime = MONDAY,
        *,
        title: str = "E-mail is slow",
        states: dict[str, str] | None = None,
        audience: str = "external",
        corrects: int | None = None,
        published: bool = True,
    ) -> int:
        """Write an update as the updates command does, and publish it; its id. `states`: name of component -> state."""
        components = None if states is None else {str(self.components[name]): one for name, one in states.items()}
        with writing(self.engine) as db:
            update = Update(
                incident_id=incident, audience=audience, stage=stage, text=text, title=title, components=components,
                state="published" if published else "waiting", written_by_id=self.people["Lena"].id, written_at=at,
                published_at=at if published else None, corrects_id=corrects,
            )  # fmt: skip
            db.add(update)
            db.flush()
            publication.publish(db, db.get_one(Incident, incident), update, actor=self.people["Lena"], now=at)
            return update.id

    def subscribe(self, email: str, *names: str, confirmed: bool = True, at: datetime = MONDAY) -> str:
        """Subscribe to these components (none: to all); the token of the link to choose."""
        ids = [self.components[name] for name in names] or None
        with writing(self.engine) as db:
            subscriptions.subscribe(db, email, ids, address="192.0.2.1", now=at)
        with writing(self.engine) as db:
            row = db.scalars(select(Subscriber).where(Subscriber.email == email)).one()
            if confirmed:
                subscriptions.confirm(db, subscribers.path("confirm", row.id, row.seed).rpartition("/")[2], now=at)
            return subscribers.path("choose", row.id, row.seed).rpartition("/")[2]

    def board(self, at: datetime = MONDAY) -> queries.Board:
        with reading(self.engine) as db:
            return queries.board(db, at)

    def states(self, at: datetime = MONDAY) -> dict[str, str]:
        return {each.name: each.state for each in self.board(at).components}

    def mails(self) -> list[OutboxMessage]:
        with reading(self.engine) as db:
            found = select(OutboxMessage).where(OutboxMessage.kind == publication.KIND)
            return list(db.scalars(found.order_by(OutboxMessage.id)))

    def told(self) -> list[tuple[str, str]]:
        """(address, subject) of the mails about incidents and maintenance, without those about subscribing itself."""
        return [(mail.address, mail.payload["subject"]) for mail in self.mails() if "leave" in mail.payload]

    def row(self, name: str) -> Component:
        with reading(self.engine) as db:
            return db.get_one(Component, self.components[name])


def with_mail(monkeypatch: Any) -> None:
    """A mail server is set up, and it is known where links lead; nothing is sent."""
    monkeypatch.setattr(settings(), "smtp_url", "smtp://127.0.0.1:1")
    monkeypatch.setattr(settings(), "base_url", "https://desk.example")
