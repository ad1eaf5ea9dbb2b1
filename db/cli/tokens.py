"""python -m db token add | list | revoke: what programs use the HTTP API with."""

import argparse
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from db.engine import migrate, reading, writing
from rules.access import SYSTEM
from rules.tokens import SCOPES


def add(commands: Any) -> None:
    """Add these commands."""
    token = commands.add_parser("token", help="look after tokens of programs")
    what: Any = token.add_subparsers(metavar="WHAT", required=True)
    parser = what.add_parser(
        "add",
        help="make a token for the HTTP API; prints it, it is shown only once",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="A token may do what its scopes name:\n\n"
        + "\n".join(f"  {scope:17} {known.words}" for scope, known in SCOPES.items()),
    )
    parser.add_argument("name", metavar="NAME", help="what timelines call the program")
    parser.add_argument(
        "--scope", action="append", required=True, choices=list(SCOPES), metavar="S", help="may be given several times"
    )
    parser.add_argument("--expires", type=_day_after, metavar="DAY", help="its last day, in UTC, such as 2027-06-30")
    parser.set_defaults(run=_add)
    what.add_parser("list", help="list the living tokens").set_defaults(run=_list)
    parser = what.add_parser("revoke", help="take nothing more with a token")
    parser.add_argument("name", metavar="NAME")
    parser.set_defaults(run=_revoke)


def _day_after(given: str) -> date:
    try:
        return date.fromisoformat(given) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"'{given}' is not a day such as 2027-06-30") from None


def _add(given: argparse.Namespace) -> None:
    from db.commands import tokens

    migrate()
    until = datetime.combine(given.expires, time.min, UTC) if given.expires else None
    with writing() as db:
        _, secret = tokens.add(db, given.name, given.scope, until, actor=SYSTEM, now=datetime.now(UTC))
    print(secret)


def _list(_given: argparse.Namespace) -> None:
    from db.queries import tokens

    migrate()
    now = datetime.now(UTC)
    with reading() as db:
        found = tokens.rows(db, SYSTEM)
    for row in found:
        used = f"last used {row.last_used_at:%Y-%m-%d %H:%M} UTC" if row.last_used_at else "not used yet"
        end = f"{'expired' if row.expires_at <= now else 'expires'} {row.expires_at:%Y-%m-%d}" if row.expires_at else ""
        print(" · ".join(part for part in (row.name, f"…{row.ending}", ", ".join(row.scopes), used, end) if part))
    if not found:
        print("There are no tokens. Make one: python -m db token add NAME --scope S")


def _revoke(given: argparse.Namespace) -> None:
    from db.commands import tokens

    migrate()
    with writing() as db:
        tokens.revoke_named(db, given.name, actor=SYSTEM, now=datetime.now(UTC))
    print(f"{given.name} is revoked: nothing more is taken with its token.")
