"""python -m db import FILE: taking in another tool's export."""

import argparse
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from db.cli.bar import Bar
from db.engine import migrate
from rules.access import SYSTEM
from rules.errors import RuleError
from rules.import_map import JIRA, LARGEST, ImportMap, parse


def add(commands: Any) -> None:
    """Add this command."""
    parser = commands.add_parser(
        "import",
        help="take in an export of another tool",
        description="Takes in incidents with their history. The whole file is checked before anything is written. "
        "The same file again changes nothing; a stopped import is carried on by running it again.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a CSV file, plain or gzipped")
    formats = ["servicenow", "jira", "csv"]
    parser.add_argument("--format", choices=formats, default="servicenow", help="what the columns are called")
    parser.add_argument("--map", type=Path, metavar="MAP.toml", help="what the columns mean, for --format csv")
    parser.add_argument("--zone", default="UTC", help="the zone of the dates in the file, such as Europe/Berlin")
    parser.add_argument("--dry-run", action="store_true", help="write nothing, say what would be done")
    parser.set_defaults(
        run=_import, stopped="Stopped. What was taken stays; run the same command again to carry on from there."
    )


def _import(given: argparse.Namespace) -> None:
    from db.imports import run

    mapping = _mapping(given.format, given.map)
    if not given.dry_run:
        migrate()
    bar = Bar()
    try:
        report = run(
            given.file,
            actor=SYSTEM,
            zone=given.zone,
            dry_run=given.dry_run,
            now=datetime.now(UTC),
            progress=bar.show,
            mapping=mapping,
        )
    finally:
        bar.clear()
    print("\n".join(report.lines()))
    if not report.created + report.changed + report.unchanged:
        raise RuleError("Nothing was taken: every row was refused.")


def _mapping(format: str, file: Path | None) -> ImportMap | None:
    """What the columns mean; None for a ServiceNow export. RuleError when the map is missing or cannot be read."""
    if format != "csv":
        if file is not None:
            raise RuleError(f"A map belongs to --format csv; {format} knows its columns.")
        return JIRA if format == "jira" else None
    if file is None:
        raise RuleError("Name the map with --map MAP.toml: it says which columns mean what.")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise RuleError(f"The map '{file}' cannot be read: {error.strerror}.") from None
    if len(content) > LARGEST:
        raise RuleError(f"The map '{file}' is larger than {LARGEST:,} bytes. Is it the right file?")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RuleError(f"The map '{file}' is not UTF-8 text.") from None
    return parse(text, f"csv:{hashlib.sha256(content).hexdigest()[:12]}")
