"""python -m db verify: are the records whole, and does what must hold between them hold?"""

import argparse
import sys
from pathlib import Path
from typing import Any

from db.engine import engine, reading
from rules.errors import RuleError


def add(commands: Any) -> None:
    """Add this command."""
    parser = commands.add_parser(
        "verify",
        help="check that the records are whole",
        description="Checks every chain of records and what must hold between them, and says where it breaks. Exit 0: "
        "whole. Its last line is an anchor: keep it where nobody who can change the database can change it, and give "
        "it to a later check with --anchor, which then also sees whether the newest entries were cut off.",
    )
    parser.add_argument(
        "--anchor", action="append", default=[], metavar="FILE|ANCHOR", help="compare with anchors of earlier checks"
    )
    parser.add_argument(
        "--old-key",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="a file with an earlier SECRET_KEY, for records that were made with it",
    )
    parser.set_defaults(run=_verify)


def _verify(given: argparse.Namespace) -> None:
    from db import chains
    from db.migrations.run import upgrade
    from db.verify import anchors, invariants, learning, measured, problems, records
    from db.verify.findings import Findings
    from rules import chain

    expected = [anchor for each in given.anchor for anchor in anchors.read(each)]
    known = [chains.present_key(), *(chain.key_of(path.read_bytes().strip()) for path in given.old_key)]
    upgrade(engine())
    upto, findings = records.settled(engine()), Findings()
    with reading() as db:
        records.one_moment(db)
        found = records.check(db, {key.name: key for key in known}, upto, expected, findings)
        incidents = invariants.check(db, found, findings)
        measured.check(db, findings)
        problems.check(db, findings)
        postmortems = learning.check(db, findings)
    print(f"Incidents: {incidents:,}. Timeline entries: {found.entries:,}. Audit entries: {found.audited:,}.")
    if postmortems:
        print(f"Postmortems: {postmortems:,}.")
    if found.unsealed:
        print(f"Timeline entries from before there were chains: {found.unsealed:,}; only an anchor covers them.")
    for sentence in findings.first:
        print(sentence, file=sys.stderr)
    if findings.count:
        more = findings.count - len(findings.first)
        raise RuleError(
            f"{'And ' + format(more, ',') + ' more. ' if more else ''}Something is wrong: {findings.count:,}."
        )
    compared = f", and nothing is missing that was there at {len(expected)} anchors" if len(expected) > 1 else ""
    if len(expected) == 1:
        compared = ", and nothing is missing that was there at the anchor"
    print(f"Everything is whole{compared}. Keep this line elsewhere:")
    print(found.anchor)
