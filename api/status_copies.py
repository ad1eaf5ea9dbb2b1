"""Rendered copies of what anybody may ask for: made once for all who wait, and kept for when the database is gone.

A copy serves for some seconds, or until something is published in this process. Then the next who asks has a new one
made, in a thread of this module's own: whatever the database does, no more than two threads wait for it, and no one of
those who look for longer than PATIENCE. What cannot be made anew is answered with the last good copy, which says so.

Copies live in the process alone. A file beside the data would not help: an app that starts while its database is gone
ends with a sentence (see app.py), so there would be nobody to serve it. `keep` has a copy made every half a minute, so
that there is a recent one whenever the database goes, whether or not anybody looked before.
"""

import asyncio
import gzip
import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

from db import freshness
from db.engine import DatabaseProblem

FRESH = 10.0
"""seconds a copy serves while nothing is published here; so late is what another process has published"""
PATIENCE = 2.0
"""seconds one who asks waits for a new copy before the last good one is good enough"""
TRIES_AGAIN = 2.0
"""seconds between two tries to make what could not be made"""
KEEPS_EVERY = 30.0
MOST = 300
"""copies of single incidents"""
_SMALL = 500
"""bytes below which packing is not worth it"""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """One document as it is sent."""

    body: bytes
    media_type: str
    status: int = 200
    packed: bytes | None = None
    """the same in gzip, where that is smaller"""
    etag: str = ""
    changed_at: datetime | None = None
    """since when it has been as it is"""
    headers: Mapping[str, str] = field(default_factory=dict)


def part(
    body: bytes,
    media_type: str,
    status: int = 200,
    *,
    pack: bool = True,
    headers: Mapping[str, str] | None = None,
) -> Part:
    """A document, with what its headers need."""
    packed = gzip.compress(body, 6, mtime=0) if pack and len(body) > _SMALL else None
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'
    return Part(body, media_type, status, packed, etag, headers=headers or {})


@dataclass
class Copy:
    """Documents that were made of one look at the database."""

    parts: Mapping[str, Part]
    made_at: datetime
    generation: int
    born: float
    aged: dict[tuple[str, str], Part] = field(default_factory=dict)
    """(name, words) -> the same document that says how old it is; of the last words alone"""


Make = Callable[[str, datetime], Mapping[str, Part] | None]
"""Name of a copy -> its documents by name; None where there is no such thing."""


class Copies:
    """All copies of this process. `make` runs in a thread."""

    def __init__(self, make: Make, clock: Callable[[], datetime]) -> None:
        self._make, self._clock = make, clock
        self._held: dict[str, Copy] = {}
        self._failed: dict[str, float] = {}
        self._making: dict[str, Future[bool]] = {}
        self._guard = threading.Lock()
        self._threads = ThreadPoolExecutor(2, "status-page")

    async def get(self, name: str) -> tuple[Copy | None, bool]:
        """The copy, and whether it is the newest that can be had: False for one that could not be made anew.

        (None, True): there is no such thing. (None, False): there is, perhaps, but no copy of it.
        """
        held = self._held.get(name)
        if held is not None and self._fresh(held):
            return held, True
        if time.monotonic() - self._failed.get(name, -TRIES_AGAIN) < TRIES_AGAIN:
            return held, False
        making = asyncio.wrap_future(self._begun(name))
        done, _ = await asyncio.wait({making}, timeout=PATIENCE)
        if not done or making.cancelled():
            return self._held.get(name), False
        return self._held.get(name), making.result()

    def _fresh(self, held: Copy) -> bool:
        return held.generation == freshness.count() and time.monotonic() - held.born < FRESH

    def _begun(self, name: str) -> "Future[bool]":
        """The making of this copy: the one that runs, or a new one."""
        with self._guard:
            running = self._making.get(name)
            if running is None or running.done():
                running = self._making[name] = self._threads.submit(self._made, name)
            return running

    def _made(self, name: str) -> bool:
        generation, born, now = freshness.count(), time.monotonic(), self._clock()
        try:
            parts = self._make(name, now)
        except DatabaseProblem as problem:
            return self._could_not(name, problem.sentence)
        except Exception:
            log.exception("The status page (%s) could not be rendered; the last copy serves.", name)
            return self._could_not(name, "see above")
        finally:
            with self._guard:
                self._making.pop(name, None)
        self._failed.pop(name, None)
        before = self._held.get(name)
        if parts is not None:
            dated = {each: _dated(one, before.parts.get(each) if before else None, now) for each, one in parts.items()}
            self._hold(name, Copy(dated, now, generation, born))
        else:
            self._hold(name, None)
        return True

    def _could_not(self, name: str, why: str) -> bool:
        if name not in self._failed:
            log.warning("The status page (%s) cannot be brought up to date: %s", name, why)
        if len(self._failed) > MOST:
            self._failed.clear()
        self._failed[name] = time.monotonic()
        return False

    def _hold(self, name: str, copy: Copy | None) -> None:
        """Hold this copy, or none, and of single incidents the newest; the page itself is never forgotten.

        In one step: who looks meanwhile finds the copy before or this one.
        """
        with self._guard:
            held = {each: known for each, known in self._held.items() if each != name}
            single = [each for each in held if each.startswith("incident ")]
            for each in single[: max(0, len(single) + 1 - MOST)]:
                del held[each]
            self._held = held if copy is None else {**held, name: copy}


def _dated(made: Part, before: Part | None, now: datetime) -> Part:
    same = before is not None and before.etag == made.etag
    return replace(made, changed_at=before.changed_at if same and before else now)


def aged(copy: Copy, name: str, words: str, say: Callable[[Part, str], Part]) -> Part:
    """The document with `words` about its age in it: made once for all who ask while the words are the same."""
    known = copy.aged.get((name, words))
    if known is None:
        known = say(copy.parts[name], words)
        for each in [each for each in list(copy.aged) if each[0] == name]:
            copy.aged.pop(each, None)
        copy.aged[name, words] = known
    return known
