"""How long the whole ServiceNow log takes to import, beside a bare executemany of the same rows in the same run.

    python -m tests.load.import_speed [DATABASE_URL of an empty PostgreSQL or SQLite database] [of another one]

Without addresses two SQLite files in a temporary folder are used.
"""

import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from db.engine import make_engine
from db.imports import run
from db.migrations.run import upgrade
from db.models import Base
from rules.access import SYSTEM

LOG = Path(__file__).resolve().parents[3] / "shared" / "data" / "servicenow_event_log.csv.gz"
BARE = ("incident", "timeline_entry")
NEEDED = ("team", "category", "subcategory", "category_pair", "service", "person")
"""what incidents refer to; copied before the clock starts"""


@dataclass(frozen=True)
class Speed:
    imported: float
    """seconds of the import: reading, checking and writing"""
    bare: float
    """seconds of the driver's executemany of the same rows into the same tables of another database, one commit"""

    @property
    def ratio(self) -> float:
        return self.imported / self.bare


def measure(one: Engine, other: Engine, log: Path = LOG) -> Speed:
    """Import `log` into `one`, then write the same rows plainly into `other`. Both must be empty."""
    for engine in (one, other):
        upgrade(engine)
    imported = _seconds_of_import(one, log)
    for table in NEEDED:
        _copy(one, other, table)
    bare = sum(_copy(one, other, table) for table in BARE)
    return Speed(imported, bare)


def _seconds_of_import(engine: Engine, log: Path) -> float:
    began = time.perf_counter()
    run(log, actor=SYSTEM, now=datetime.now(UTC), engine=engine)
    return time.perf_counter() - began


def _copy(one: Engine, other: Engine, table: str) -> float:
    with one.connect() as source:
        columns = [column.name for column in Base.metadata.tables[table].columns if column.computed is None]
        found = source.exec_driver_sql(f"select {', '.join(columns)} from {table} order by id")
        rows = [tuple(row) for row in found]
    if "changes" in columns and other.dialect.name == "postgresql":
        from psycopg.types.json import Jsonb

        place = columns.index("changes")
        rows = [(*row[:place], row[place] and Jsonb(row[place]), *row[place + 1 :]) for row in rows]
    mark = "?" if other.dialect.name == "sqlite" else "%s"
    places = ", ".join([mark] * len(columns))
    with other.connect().execution_options(incident_desk_write=True) as target:
        began = time.perf_counter()
        with target.begin():
            if rows:
                target.exec_driver_sql(f"insert into {table} ({', '.join(columns)}) values ({places})", rows)
        return time.perf_counter() - began


def main(urls: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        chosen = urls or [f"sqlite:///{folder}/one.db", f"sqlite:///{folder}/other.db"]
        one, other = (make_engine(url) for url in chosen)
        found, again = measure(one, other), _seconds_of_import(one, LOG)
        print(f"{one.dialect.name}: import {found.imported:.1f} s, again {again:.1f} s,", end=" ")
        print(f"bare executemany {found.bare:.1f} s, ratio {found.ratio:.2f}")
        one.dispose()
        other.dispose()


if __name__ == "__main__":
    main(sys.argv[1:])
