"""Whether a database has this version's shape already: asked without loading what migrates it."""

from pathlib import Path

from sqlalchemy import Engine, inspect, text


def newest() -> str:
    """The revision of the newest migration; the name of each file begins with its revision."""
    return max(file.name[:4] for file in (Path(__file__).parent / "versions").glob("[0-9]*.py"))


def is_current(engine: Engine) -> bool:
    """True when there is nothing to migrate."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        return connection.execute(text("select version_num from alembic_version")).scalars().all() == [newest()]
