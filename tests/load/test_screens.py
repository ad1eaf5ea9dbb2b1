"""Each screen's script run keeps its budget on a database that also holds the whole imported log."""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from db.commands import sign_in
from db.engine import make_engine, writing
from db.models import Incident, Person
from tests.browser.running import ROOT, started
from tests.load.import_speed import LOG
from tests.load.measure import measure

BUDGET = {"/trends": 120.0, "/trends?period=all": 500.0}
"""milliseconds, p95; see ANY_SCREEN for the others"""
ANY_SCREEN = 60.0
RUNS = 30
TRIES = 6
"""A machine that does something else meanwhile makes one try slow, not all of them."""
LEAD = "Amara Okafor"


def command(*given: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "db", *given], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_every_screen_keeps_its_budget_beside_the_whole_log(database_url, tmp_path, missing):
    if not LOG.exists():
        missing("The whole log is not beside the project (../shared/data/servicenow_event_log.csv.gz).")
    environment = os.environ | {"DATABASE_URL": database_url, "WORKER": "embedded"}
    command("demo", environment=environment)
    command("import", str(LOG), environment=environment)
    engine = make_engine(database_url)
    with writing(engine) as db:
        lead = db.scalars(select(Person).where(Person.name == LEAD)).one()
        token = sign_in.begin_session(db, lead, user_agent="measure", now=datetime.now(UTC))
        number = db.scalars(select(Incident.number).where(Incident.state == "in_progress").limit(1)).one()
    engine.dispose()
    paths = ("/home", "/report", "/my-reports", "/triage", "/board", f"/incident?number={number}")
    paths += ("/triage?q=printer", "/board?q=printer", *BUDGET)
    slow = {}
    with started(environment, tmp_path / "server.log") as (url, _):
        for path in paths:
            budget = BUDGET.get(path, ANY_SCREEN)
            for _ in range(TRIES):
                found = asyncio.run(measure(url, path, f"incident_desk={token}", RUNS))
                assert not found.fault, f"{path}: {found.fault}"
                assert found.elements > 1, f"{path} drew nothing"
                slow[path] = round(found.quantile(0.95), 1)
                if slow[path] <= budget:
                    del slow[path]
                    break
    assert slow == {}, "p95 in milliseconds"
