"""python -m db export FILE: all incidents for spreadsheets and other programs."""

import argparse
from pathlib import Path
from typing import Any

from db.cli.bar import Bar
from db.engine import engine, migrate


def add(commands: Any) -> None:
    """Add this command."""
    from db.exports.columns import COLUMNS

    parser = commands.add_parser(
        "export",
        help="write all incidents into a CSV file, a workbook, or lines of JSON",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Writes a row for each incident into FILE, while the app runs: .csv, .xlsx or .jsonl, by its\n"
        "ending. Restricted incidents are in it too: this is for who runs the app. Instants are UTC, as\n"
        "2026-03-02T09:00:00Z. In CSV a text that begins with = + - @ tab or carriage return has an\n"
        "apostrophe before it, so that no spreadsheet runs it. A CSV file is taken in again by:\n\n"
        "  python -m db import FILE --format csv --map docs/export.toml\n\n"
        "Columns:\n" + "\n".join(f"  {heading:24} {words}".rstrip() for heading, _, words in COLUMNS),
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a new file whose name ends with .csv, .xlsx or .jsonl")
    parser.add_argument("--force", action="store_true", help="write it over one that is there")
    parser.set_defaults(run=_export, stopped="Stopped. Nothing was written.")


def _export(given: argparse.Namespace) -> None:
    from db.exports import export

    migrate()
    bar = Bar()
    try:
        made = export(engine(), given.file, over=given.force, progress=bar.show)
    finally:
        bar.clear()
    sheets = f", on {made.sheets} sheets" if made.sheets > 1 else ""
    print(f"{made.incidents:,} incidents are in {given.file}{sheets}: {made.bytes:,} bytes.")
