"""How far a long command has got."""

import sys
import time

_BAR = 30
_REDRAW_SECONDS = 0.1


class Bar:
    """How far it has got, in one line that is drawn over; silent when stderr is not a terminal."""

    def __init__(self) -> None:
        self._drawn = 0.0
        self._began = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def show(self, phase: str, done: int, total: int) -> None:
        """`total` is 0 while it is not known."""
        now = time.monotonic()
        if not self._terminal or now - self._drawn < _REDRAW_SECONDS:
            return
        self._drawn = now
        if phase == "check" or not total:
            said = f"Checking the file: {done:,} rows"
        else:
            filled = "#" * round(_BAR * done / total)
            said = (
                f"[{filled:.<{_BAR}}] {done * 100 // total:3} %  {done:,} of {total:,} rows  {now - self._began:.0f} s"
            )
        print(f"\r\033[K{said}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leave an empty line for what comes next."""
        if self._terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
