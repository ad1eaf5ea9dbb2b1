"""python -m db backup FILE | restore FILE: everything in one file, and back from it."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from db.cli.bar import Bar
from db.engine import engine
from rules.access import SYSTEM

_KEY = (
    "SECRET_KEY is not in it. Keep that as well (where none is set: the file data/secret_key): what is restored needs "
    "the same."
)
_ENDED = "Ended, since what was revoked after the backup would work again"
_OTHER_KEY = (
    "SECRET_KEY is another than it was. Set it to the one from before, before the app is started: without it verify "
    "cannot check earlier records, and tokens and links that were made with it do not work."
)


def add(commands: Any) -> None:
    """Add these commands."""
    parser = commands.add_parser(
        "backup",
        help="write everything into one file",
        description="Writes one moment of the database into FILE, uploaded files included, while the app runs. The "
        "file is the same from SQLite and PostgreSQL, and can be restored into either. SECRET_KEY is not in it.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a new file; by custom its name ends with .gz")
    parser.set_defaults(run=_backup, stopped="Stopped. No backup was made.")
    parser = commands.add_parser(
        "restore",
        help="bring a backup back into an empty database",
        description="Checks the whole of FILE, then brings everything in it back in one transaction, and to this "
        "version. The database must be empty. SECRET_KEY must be the one of the app that the backup is of.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="what backup wrote")
    parser.add_argument(
        "--keep-tokens",
        action="store_true",
        help="let tokens and links of the backup work on: for moving to another database. Without it they are ended, "
        "since one that was revoked after the backup would work again",
    )
    parser.set_defaults(run=_restore, stopped="Stopped. Nothing was restored.")


def _backup(given: argparse.Namespace) -> None:
    from db.backup.write import backup

    bar = Bar()
    try:
        made = backup(engine(), given.file, now=datetime.now(UTC), progress=bar.show)
    finally:
        bar.clear()
    print(f"Everything is in {given.file}: {made.incidents:,} incidents, {made.rows:,} rows, {made.bytes:,} bytes.")
    print(_KEY)


def _restore(given: argparse.Namespace) -> None:
    from db.backup.restore import restore

    bar = Bar()
    try:
        back = restore(
            engine(),
            given.file,
            keep_tokens=given.keep_tokens,
            actor=SYSTEM,
            now=datetime.now(UTC),
            progress=bar.show,
        )
    finally:
        bar.clear()
    print(f"Restored as of {back.made_at:%Y-%m-%d %H:%M:%S} UTC: {back.incidents:,} incidents, {back.rows:,} rows.")
    print("Everybody signs in again: who is signed in is not part of a backup.")
    if back.ended is None:
        print("Tokens and links work as they did when the backup was made, also those that were revoked since.")
    elif back.ended.words:
        print(f"{_ENDED}: {', '.join(back.ended.words)}. Make new ones.")
    if back.ended is not None:
        print("Integrations are heard with the tokens of the backup: revoke those again that you had revoked since.")
    if not back.same_key:
        print(_OTHER_KEY, file=sys.stderr)
