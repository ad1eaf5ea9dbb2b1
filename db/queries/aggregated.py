"""Numbers of many rows as columns: aggregated to text in the database, several times faster than a row for each."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, String, func, literal, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from db.models import Incident

Column = NDArray[np.int64]


def of_incidents(numbers: Sequence[ColumnElement[Any]], block: ColumnElement[Any]) -> Select[Any]:
    """Whole numbers of all incidents that a condition chooses, in one text for each value of `block`; none is NULL."""
    words: ColumnElement[Any] = sql_cast(numbers[0], String)
    for number in numbers[1:]:
        words = words + literal(",") + sql_cast(number, String)
    return select(func.aggregate_strings(cast(Any, words), ",")).select_from(Incident).group_by(block)


def read(db: Session, statement: Select[Any], width: int) -> Column:
    """A row for each incident (or what it is joined with), a column for each of the `width` numbers; in no order."""
    parts = [np.fromstring(text, np.int64, sep=",") for text in db.execute(statement).scalars()]
    return np.concatenate([np.empty(0, np.int64), *parts]).reshape(-1, width)
