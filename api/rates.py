"""How much somebody may send."""

import math


class Rates:
    """At most `most` requests of one sender within any `seconds`, as near as two counters can tell."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._counts: dict[int, tuple[int, int, int]] = {}
        """sender -> number of the present span, requests in it, requests in the one before"""

    def wait(self, sender: int, now: float) -> int:
        """0 when the request is taken (and counted), else the seconds after which another may be."""
        span, into = int(now // self._seconds), now % self._seconds
        last, count, before = self._counts.get(sender, (span, 0, 0))
        if last != span:
            count, before = 0, count if last == span - 1 else 0
        share = before * (1 - into / self._seconds)
        if count + share >= self._most:
            self._counts[sender] = (span, count, before)
            return max(1, math.ceil((self._seconds - into) / 2))
        self._counts[sender] = (span, count + 1, before)
        return 0
