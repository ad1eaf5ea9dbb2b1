"""The app is started where it cannot run: one sentence on stderr, exit 1, and nothing of it in a traceback."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NEWER, FOREIGN, GARBAGE = "update alembic_version set version_num = '9999'", "create table incident (x)", None


def started(url: str, module: tuple[str, ...], **settings: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DATABASE_URL": url, "WORKER": "off"} | settings
    command = [sys.executable, "-m", *module]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False)


APP = ("streamlit", "run", "app.py", "--server.port", "0", "--server.address", "127.0.0.1")
WORKER = ("worker",)


@pytest.mark.parametrize("module", [APP, WORKER], ids=["app", "worker"])
@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [(NEWER, "newer version of Incident Desk"), (FOREIGN, "not made by Incident Desk"), (GARBAGE, "damaged")],
)
def test_a_database_that_is_not_ours_to_use_is_left_alone(sqlite_url, tmp_path, spoil, sentence, module):
    database = Path(sqlite_url.removeprefix("sqlite:///"))
    if spoil is FOREIGN:
        database = tmp_path / "foreign.db"
    if spoil is GARBAGE:
        database.write_bytes(b"no database" * 1000)
    else:
        with sqlite3.connect(database) as changing:
            changing.execute(spoil)
        changing.close()
    before = database.read_bytes()
    said = started(f"sqlite:///{database}", module)
    assert (said.returncode, sentence in said.stderr, "Traceback" in said.stderr) == (1, True, False), said.stderr
    assert database.read_bytes() == before


@pytest.mark.parametrize(
    ("url", "settings", "sentence"),
    [
        ("mysql://desk/x", {}, "It must begin with sqlite:/// or postgresql://."),
        ("sqlite:////dev/null/nowhere/incidents.db", {}, "The folder of the database cannot be made"),
        ("postgresql://127.0.0.1:1/nobody", {}, "The database cannot be reached"),
        ("sqlite://", {"WORKER": "perhaps"}, "The setting WORKER cannot be used"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(url, settings, sentence):
    said = started(url, APP, **settings)
    assert (said.returncode, sentence in said.stderr, "Traceback" in said.stderr) == (1, True, False), said.stderr
