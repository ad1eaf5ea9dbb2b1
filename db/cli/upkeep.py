"""python -m db migrate | demo | seed: bringing a database up to date, and filling it with invented data."""

import argparse
from datetime import UTC, datetime
from random import Random
from typing import Any

from db.engine import migrate, writing


def add(commands: Any) -> None:
    """Add these commands."""
    up = commands.add_parser("migrate", help="bring the database up to date")
    up.set_defaults(run=_migrate)
    demo = commands.add_parser("demo", help="add sample data to look around in")
    demo.set_defaults(run=_demo)
    seed = commands.add_parser("seed", help="add very many invented incidents, to measure with")
    seed.add_argument("--incidents", type=_count, required=True, metavar="N", help="how many")
    seed.add_argument(
        "--open", type=_count, default=None, metavar="N", help="how many of them are open now (default: 1 in 100)"
    )
    seed.add_argument("--seed", type=int, default=7, metavar="N", help="another one gives other incidents")
    seed.set_defaults(run=_seed)


def _count(given: str) -> int:
    if not given.isdecimal() or int(given) < 1:
        raise argparse.ArgumentTypeError("give a whole number from 1 on")
    return int(given)


def _migrate(_given: argparse.Namespace) -> None:
    migrate()
    print("The database is up to date.")


def _demo(_given: argparse.Namespace) -> None:
    from db import demo

    migrate()
    with writing() as db:
        demo.fill(db, datetime.now(UTC))
    print("Sample data is in place.")


def _seed(given: argparse.Namespace) -> None:
    from db.commands import facts
    from db.demo import many
    from db.imports import bulk

    migrate()
    now, rng, done = datetime.now(UTC), Random(given.seed), 0
    share = min(1.0, (given.open if given.open is not None else given.incidents / 100) / given.incidents)
    while done < given.incidents:
        some = min(many.BATCH, given.incidents - done)
        with writing() as db:
            bulk.lock(db)
            many.seed(db, some, share, rng, now)
        done += some
        print(f"\r{done:,} of {given.incidents:,} incidents", end="", flush=True)
    packed = 1
    while packed:
        with writing() as db:
            packed = facts.pack(db)
    with writing() as db:
        bulk.take_stock(db)
    print("\nDone.")
