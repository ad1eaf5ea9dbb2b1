"""The command line. Exit 0: done. Exit 1: refused, with a sentence on stderr. Exit 130: stopped with Ctrl-C."""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

from sqlalchemy.exc import DBAPIError

from db.engine import DatabaseProblem, explain
from db.settings import SettingProblem
from rules.errors import RuleError

STOPPED = 130


class Parser(argparse.ArgumentParser):
    """An unusable command line is refused like everything else: one sentence, exit 1."""

    def error(self, message: str) -> NoReturn:
        sentence = message[:1].upper() + message[1:]
        self.exit(1, f"{sentence}. See {self.prog} --help.\n")


def _parser() -> Parser:
    from db.cli import backup, exports, imports, integrations, measures, people, tokens, upkeep, verify

    parser = Parser(prog="python -m db", description="Looks after the data of Incident Desk (DATABASE_URL).")
    parser.add_argument("--traceback", action="store_true", help="show where an unexpected error came from")
    commands: Any = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    for module in (upkeep, imports, exports, measures, people, integrations, tokens, verify, backup):
        module.add(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    given = argparse.Namespace(traceback=False)
    try:
        _parser().parse_args(arguments, given)
        given.run(given)
        sys.stdout.flush()
        return 0
    except (RuleError, DatabaseProblem, SettingProblem) as error:
        return _refuse(error.sentence)
    except DBAPIError as error:
        if given.traceback:
            raise
        return _refuse(explain(error) or f"The database refused: {_first_line(error.orig)}")
    except KeyboardInterrupt:
        print(getattr(given, "stopped", "Stopped."), file=sys.stderr)
        return STOPPED
    except BrokenPipeError:
        # Whoever read our output has gone; nothing more can or need be said to them.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _refuse(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}.")
    except Exception as error:
        if given.traceback:
            raise
        said = f"{type(error).__name__}: {_first_line(error)}"
        return _refuse(f"Something went wrong ({said}). python -m db --traceback … shows where.")


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0][:300]
