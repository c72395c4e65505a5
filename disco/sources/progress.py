"""Progress of long work, reported through `logging` at most every two seconds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

log = logging.getLogger(__name__)
# A shorter wait needs no report; a longer silence looks like a hang.
INTERVAL_S = 2.0


class Interval:
    """Whether the last report is long enough ago for the next one.

    Examples
    --------
    >>> interval = Interval(seconds=60)
    >>> interval.is_over()
    False
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._seconds = INTERVAL_S if seconds is None else seconds
        self._last_report = time.monotonic()

    def is_over(self) -> bool:
        """True once per interval; the next one begins with that answer."""
        if time.monotonic() - self._last_report < self._seconds:
            return False
        self._last_report = time.monotonic()
        return True


def progress(steps: Iterable[T], total: int, what: str, size: Callable[[T], int] = lambda step: 1) -> Iterator[T]:
    """The same steps, with a log message every two seconds on how many of the total are done.

    Parameters
    ----------
    steps : iterable
    total : int
        Sum of the sizes of all steps.
    what : str
        What is counted, as in "12 of 100 playlists read": "playlists read".
    size : callable
        How much one step counts; 1 by default.

    Examples
    --------
    >>> sum(progress([1, 2, 3], 3, "numbers added"))
    6
    """
    count = Count(total, what)
    for step in steps:
        yield step
        count.add(size(step))


class Count:
    """Counts what is done of long work, and says so every two seconds in the log.

    The record has the numbers as `done` and `total`, for what shows them otherwise than in words.

    Parameters
    ----------
    total : int
    what : str
        What is counted, as for `progress`.

    Examples
    --------
    >>> count = Count(3, "numbers added")
    >>> count.add(2)
    >>> count.done
    2
    """

    def __init__(self, total: int, what: str) -> None:
        self.done, self._total, self._what, self._interval = 0, total, what, Interval()

    def add(self, n: int = 1) -> None:
        """Count n more."""
        self.done += n
        if self._interval.is_over():
            numbers = {"done": self.done, "total": self._total}
            log.info("%s of %s %s", f"{self.done:,}", f"{self._total:,}", self._what, extra=numbers)
