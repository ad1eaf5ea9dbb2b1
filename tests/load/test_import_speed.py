import pytest
from sqlalchemy import make_url, text

from db.engine import make_engine
from tests.load import import_speed

MOST_SECONDS = 30
MOST_TIMES_BARE = 4


@pytest.mark.slow
def test_the_whole_log_is_imported_in_half_a_minute_and_at_most_four_times_bare(database_url, tmp_path, missing):
    if not import_speed.LOG.exists():
        missing("The whole log is not beside the project (../shared/data/servicenow_event_log.csv.gz).")
    one, url = make_engine(database_url), make_url(database_url)
    if one.dialect.name == "sqlite":
        other = make_engine(f"sqlite:///{tmp_path}/other.db")
    else:
        name = f"{url.database}_bare"
        with one.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"create database {name} encoding 'UTF8' template template0"))
        other = make_engine(url.set(database=name).render_as_string(hide_password=False))
    found = import_speed.measure(one, other)
    one.dispose()
    other.dispose()
    assert found.imported < MOST_SECONDS
    assert found.ratio <= MOST_TIMES_BARE, f"import {found.imported:.1f} s, bare executemany {found.bare:.1f} s"
