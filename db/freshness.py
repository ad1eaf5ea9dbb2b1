"""Whether a rendered copy still shows what was published last: counted in this process, told by a look at a number.

Other processes notice a change when their copies have become old by themselves.
"""

import threading

from sqlalchemy import event
from sqlalchemy.orm import Session

_guard = threading.Lock()
_count = 0
_NOTED = "published something"


def changed(db: Session) -> None:
    """What this transaction does is seen on the status page: once it is committed, copies from before are old."""
    if not db.info.get(_NOTED):
        db.info[_NOTED] = True
        event.listen(db, "after_commit", _committed, once=True)


def _committed(_db: Session) -> None:
    global _count
    with _guard:
        _count += 1


def count() -> int:
    """Another number after every commit that changed what the page shows."""
    return _count
