"""python -m db migrate | demo: bringing a database up to date, and filling it with sample data."""

import argparse
from datetime import UTC, datetime
from typing import Any

from db.engine import migrate, writing


def add(commands: Any) -> None:
    """Add these commands."""
    up = commands.add_parser("migrate", help="bring the database up to date")
    up.set_defaults(run=_migrate)
    demo = commands.add_parser("demo", help="add sample data to look around in")
    demo.set_defaults(run=_demo)


def _migrate(_given: argparse.Namespace) -> None:
    migrate()
    print("The database is up to date.")


def _demo(_given: argparse.Namespace) -> None:
    from db import demo

    migrate()
    with writing() as db:
        demo.fill(db, datetime.now(UTC))
    print("Sample data is in place.")
