"""Files that appear whole: written beside their place, on the disk before they have their name, for their owner."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from rules.errors import RuleError


@contextmanager
def appearing(place: Path, *, over: bool = False) -> Iterator[IO[bytes]]:
    """The file, to be written; what is raised meanwhile leaves nothing behind.

    RuleError when there is one already, unless it is to be written `over`, or when it cannot be written.
    """
    refusal = RuleError(f"There is a file '{place}' already. Name another one, or move that one away.")
    if (place.exists() or place.is_symlink()) and not over:
        raise refusal
    if place.is_dir():
        raise RuleError(f"'{place}' is a folder. Name a file.")
    part = place.with_name(f".{place.name}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise RuleError(f"'{place}' cannot be written: {error.strerror}.") from None
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if over:
            part.replace(place)
        else:
            try:
                _name(part, place)
            except FileExistsError:
                raise refusal from None
        _keep(place.parent)
    finally:
        part.unlink(missing_ok=True)


def _name(part: Path, place: Path) -> None:
    """Give it its name, never that of a file which came meanwhile."""
    try:
        os.link(part, place)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if place.exists():
            raise FileExistsError from None
        part.rename(place)


def _keep(folder: Path) -> None:
    """Let the name be on the disk, too, where folders can be asked for that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
