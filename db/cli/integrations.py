"""python -m db integration add: a sender of alerts, and its token."""

import argparse
from datetime import UTC, datetime
from typing import Any

from db.engine import migrate, writing
from rules.access import SYSTEM
from rules.errors import RuleError
from rules.signals import FORMATS


def add(commands: Any) -> None:
    """Add these commands."""
    integration = commands.add_parser("integration", help="look after senders of alerts")
    what: Any = integration.add_subparsers(metavar="WHAT", required=True)
    parser = what.add_parser("add", help="add a sender of alerts; prints its token, which is shown only once")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--format", required=True, choices=FORMATS, help="how it writes: %(choices)s", metavar="F")
    parser.add_argument("--service", required=True, metavar="S", help="the service that its alerts are about")
    parser.set_defaults(run=_add)


def _add(given: argparse.Namespace) -> None:
    from db.commands import integrations
    from db.queries import catalogue

    migrate()
    with writing() as db:
        service = catalogue.service_named(db, given.service)
        if service is None:
            raise RuleError(f"There is no service called {given.service}. Add it on the screen Catalogue first.")
        values = {"name": given.name, "format": given.format, "service_id": service}
        _, token = integrations.add(db, values, actor=SYSTEM, now=datetime.now(UTC))
    print(token)
