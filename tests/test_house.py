"""The house keeps its shape: arrows point one way, files stay small, and what burns is not left lying about.

Each check takes a file's place and text and gives its complaints, so that it can be shown to complain.
"""

import ast
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import TypeVar

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("pages", "api", "worker", "db", "rules")
LONGEST_FILE = 400
FOLDERS_THAT_MEAN_NOTHING = {"utils", "common", "helpers", "services", "core", "manager"}

ALLOWED_ARROWS = {
    "app": {"pages", "api", "worker", "db", "rules"},
    "pages": {"pages", "db", "rules"},
    "api": {"api", "db", "rules"},
    "worker": {"worker", "db", "rules"},
    "db": {"db", "rules"},
    "rules": {"rules"},
}
# Who may use a library; one that is not named here is free, except on the ground floor.
LIBRARIES = {
    "streamlit": {"app", "pages"},
    "altair": {"app", "pages"},
    "pandas": {"app", "pages", "db"},
    "sqlalchemy": {"app", "api", "worker", "db"},
    "alembic": {"db"},
    "psycopg": {"db"},
}

Node = TypeVar("Node", bound=ast.AST)
Check = Callable[[PurePosixPath, str], list[str]]


def floor(path: PurePosixPath) -> str:
    return "app" if path.name == "app.py" and len(path.parts) == 1 else path.parts[0]


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, top name) of all that is imported, in functions and by name too; relative imports stay on their floor."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module.split(".")[0]
        elif isinstance(node, ast.Call) and called(node) in {"import_module", "importlib.import_module", "__import__"}:
            match node.args:
                case [ast.Constant(str(name)), *_]:
                    yield node.lineno, name.split(".")[0]


def called(call: ast.Call) -> str:
    return ast.unparse(call.func)


def nodes(text: str, kind: type[Node], word: str) -> list[Node]:
    """The nodes of a kind; none where `word`, which those that are sought hold, stands nowhere in the text.

    To look for a word costs nothing, to parse the whole house seconds for each check. Letters that Python reads as
    another are looked for as that one.
    """
    if word not in unicodedata.normalize("NFKC", text):
        return []
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, kind)]


def arrows(path: PurePosixPath, text: str) -> list[str]:
    own = floor(path)
    complaints = []
    for line, name in imported(ast.parse(text)):
        if name in ALLOWED_ARROWS:
            wrong = name not in ALLOWED_ARROWS[own]
        elif own == "rules":
            wrong = name not in sys.stdlib_module_names
        else:
            wrong = name == "tests" or own not in LIBRARIES.get(name, {own})
        if wrong:
            complaints.append(f"{path}:{line} imports {name}, which {own} may not")
    return complaints


def length(path: PurePosixPath, text: str) -> list[str]:
    lines = len(text.splitlines())
    if lines <= LONGEST_FILE or "migrations" in path.parts:
        return []
    return [f"{path} has {lines} lines; past {LONGEST_FILE} it asks to be split along a concept"]


def prints(path: PurePosixPath, text: str) -> list[str]:
    """Only the command line speaks to a terminal; app.py may tell whoever starts it, on stderr."""
    if path.name == "__main__.py" or path.parts[:2] == ("db", "cli"):
        return []
    printing = [call for call in nodes(text, ast.Call, "print") if called(call) == "print"]
    if floor(path) == "app":
        printing = [call for call in printing if "file=sys.stderr" not in map(ast.unparse, call.keywords)]
    return [f"{path}:{call.lineno} prints; only the command line speaks to a terminal" for call in printing]


def bare_excepts(path: PurePosixPath, text: str) -> list[str]:
    handlers = nodes(text, ast.ExceptHandler, "except")
    return [f"{path}:{node.lineno} catches everything" for node in handlers if node.type is None]


def unsafe_html(path: PurePosixPath, text: str) -> list[str]:
    words = nodes(text, ast.keyword, "unsafe_allow_html")
    return [f"{path}:{node.lineno} draws unsafe HTML" for node in words if node.arg == "unsafe_allow_html"]


def switches(path: PurePosixPath, text: str) -> list[str]:
    """A page that is left for another at a query keeps its own address only where pages.parts.address.lead does it."""
    if path == PurePosixPath("pages/parts/address.py"):
        return []
    told = [
        call.lineno
        for call in nodes(text, ast.Call, "switch_page")
        if called(call) == "st.switch_page" and any(word.arg == "query_params" for word in call.keywords)
    ]
    return [f"{path}:{line} opens a page at a query; use address.lead, so that Back finds the way" for line in told]


def sleeps(path: PurePosixPath, text: str) -> list[str]:
    lines = [call.lineno for call in nodes(text, ast.Call, "sleep") if called(call) == "time.sleep"]
    bare = re.search(r"^\s*from time import .*\bsleep\b", text, re.MULTILINE)
    if bare:
        lines.append(text.count("\n", 0, bare.start()) + 1)
    return [f"{path}:{line} sleeps; wait for what is awaited" for line in lines]


def folder_names(path: PurePosixPath, _text: str) -> list[str]:
    return [f"{path} is in a folder called {part}" for part in path.parent.parts if part in FOLDERS_THAT_MEAN_NOTHING]


def pins(path: PurePosixPath, text: str) -> list[str]:
    pinned = re.compile(r"(-r [\w.-]+|[\w.-]+(\[[\w,-]+\])?==[\w.]+( ; .+)?)")
    wanted = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return [
        f"{path}:{number} is not pinned with ==: {line}"
        for number, line in wanted
        if line and not line.startswith("#") and not pinned.fullmatch(line)
    ]


CODE: list[Check] = [arrows, length, prints, bare_excepts, unsafe_html, switches, folder_names]
TESTS: list[Check] = [sleeps, bare_excepts, unsafe_html, folder_names]


def files(*places: str, suffix: str = ".py") -> list[Path]:
    found = [path for place in places for path in sorted((ROOT / place).rglob(f"*{suffix}"))]
    return [path for path in found if "__pycache__" not in path.parts]


def complaints_of(check: Check, paths: list[Path]) -> list[str]:
    assert paths, "there is nothing to check"
    return [said for path in paths for said in check(PurePosixPath(path.relative_to(ROOT)), path.read_text("utf-8"))]


@pytest.mark.parametrize("check", CODE)
def test_the_code_keeps_to(check: Check) -> None:
    app = ROOT / "app.py"
    assert complaints_of(check, files(*FLOORS) + [app] * app.exists()) == []


@pytest.mark.parametrize("check", TESTS)
def test_the_tests_keep_to(check: Check) -> None:
    assert complaints_of(check, files("tests")) == []


def test_every_requirement_is_pinned() -> None:
    assert complaints_of(pins, sorted(ROOT.glob("requirements*.txt"))) == []


def test_every_folder_with_code_is_a_floor() -> None:
    """New code finds its floor, or the house gains one on purpose: in this list and in the arrows."""
    known = {*FLOORS, "tests", "deploy", "docs", "data"}
    with_code = {path.relative_to(ROOT).parts[0] for path in ROOT.glob("[!.]*/**/*.py")}
    assert with_code - known == set()


WRONG = [
    (arrows, "pages/board.py", "from api.tokens import make"),
    (arrows, "pages/board.py", "import worker"),
    (arrows, "pages/board.py", "import app"),
    (arrows, "pages/board.py", "from sqlalchemy.orm import Session"),
    (arrows, "pages/board.py", "def draw():\n    import sqlalchemy as sa"),
    (arrows, "pages/board.py", "import tests.conftest"),
    (arrows, "api/alerts.py", "from pages.parts import marks"),
    (arrows, "api/alerts.py", "import worker.outbox"),
    (arrows, "api/alerts.py", "import streamlit as st"),
    (arrows, "api/trends.py", "import pandas"),
    (arrows, "worker/outbox.py", "import api"),
    (arrows, "worker/outbox.py", "import pages"),
    (arrows, "worker/outbox.py", "import importlib\nimportlib.import_module('api.health')"),
    (arrows, "db/queries/triage.py", "import pages.main"),
    (arrows, "db/queries/triage.py", "import api.errors"),
    (arrows, "db/queries/triage.py", "import streamlit"),
    (arrows, "db/queries/triage.py", "import altair"),
    (arrows, "rules/priority.py", "import db"),
    (arrows, "rules/priority.py", "from db.models import Incident"),
    (arrows, "rules/priority.py", "import pandas"),
    (arrows, "rules/priority.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pydantic"),
    (length, "pages/board.py", "x = 1\n" * 401),
    (prints, "db/queries/triage.py", "print('here')"),
    (prints, "app.py", "print('here')"),
    (bare_excepts, "db/engine.py", "try:\n    x = 1\nexcept:\n    raise"),
    (unsafe_html, "pages/board.py", "import streamlit as st\nst.markdown('<b>', unsafe_allow_html=True)"),
    (switches, "pages/board.py", "import streamlit as st\nst.switch_page('x.py', query_params={'number': '1'})"),
    (sleeps, "tests/test_x.py", "import time\ntime.sleep(1)"),
    (sleeps, "tests/test_x.py", "from time import monotonic, sleep\nsleep(1)"),
    (folder_names, "pages/utils/dates.py", ""),
    (folder_names, "db/core/x.py", ""),
    (pins, "requirements.txt", "pandas"),
    (pins, "requirements.txt", "pandas>=3"),
    (pins, "requirements.txt", "pandas==3.*"),
    (pins, "requirements.txt", "pandas @ https://host/pandas.whl"),
    (pins, "requirements.txt", "--index-url https://host/simple"),
]
RIGHT = [
    (arrows, "app.py", "import streamlit, api, pages, worker, db, rules"),
    (arrows, "pages/board.py", "import streamlit, altair, pandas, pages.parts, db.engine, rules.states"),
    (arrows, "api/alerts.py", "import fastapi, sqlalchemy, api.errors, db, rules"),
    (arrows, "db/queries/triage.py", "from . import lines\nimport sqlalchemy, rules"),
    (arrows, "rules/priority.py", "from datetime import datetime\nfrom rules import errors\nfrom . import sla"),
    (length, "pages/board.py", "x = 1\n" * 400),
    (length, "db/migrations/versions/0001_all.py", "x = 1\n" * 401),
    (prints, "db/__main__.py", "print('done')"),
    (prints, "pages/board.py", "text = 'print()'"),
    (prints, "app.py", "import sys\nprint('your code', file=sys.stderr)"),
    (bare_excepts, "db/engine.py", "try:\n    x = 1\nexcept BaseException:\n    raise"),
    (switches, "pages/board.py", "import streamlit as st\nst.switch_page('x.py')"),
    (sleeps, "tests/test_x.py", "text = 'time.sleep(1)'"),
    (folder_names, "pages/leads/triage.py", ""),
    (
        pins,
        "requirements.txt",
        "# why\nstreamlit[performance]==1.67.0\nuvloop==0.23 ; sys_platform != 'win32'\n-r a.txt",
    ),
]


@pytest.mark.parametrize(("check", "path", "text"), WRONG)
def test_a_check_complains_about(check: Check, path: str, text: str) -> None:
    assert check(PurePosixPath(path), text)


@pytest.mark.parametrize(("check", "path", "text"), RIGHT)
def test_a_check_is_content_with(check: Check, path: str, text: str) -> None:
    assert check(PurePosixPath(path), text) == []
