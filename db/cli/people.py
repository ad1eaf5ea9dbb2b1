"""python -m db person add: the first administrator, or anybody else who is to sign in."""

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from db.engine import migrate, writing
from rules.access import ROLES, SYSTEM
from rules.errors import RuleError


def add(commands: Any) -> None:
    """Add these commands."""
    person = commands.add_parser("person", help="look after people")
    what: Any = person.add_subparsers(metavar="WHAT", required=True)
    parser = what.add_parser("add", help="add somebody who can sign in")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--email", required=True, metavar="E", help="the address to sign in with")
    parser.add_argument(
        "--role", action="append", choices=list(ROLES), required=True, help="may be given several times"
    )
    parser.add_argument(
        "--password-stdin", action="store_true", required=True, help="read the password from standard input"
    )
    parser.set_defaults(run=_add)


def _add(given: argparse.Namespace) -> None:
    from db.commands import people

    try:
        password = sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise RuleError("The password on standard input is not UTF-8 text.") from None
    if not password:
        raise RuleError("There is no password on standard input.")
    migrate()
    with writing() as db:
        people.add(db, given.name, given.email, given.role, password, actor=SYSTEM, now=datetime.now(UTC))
    print(f"{given.name} can sign in as {given.email}.")
