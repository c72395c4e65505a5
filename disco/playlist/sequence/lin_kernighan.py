"""Orders of many tracks by Lin-Kernighan moves (Lin & Kernighan 1973), at once or in parts.

The moves are those of the package fast-tsp, which is compiled: among 1,000 tracks it finds in half a second orders
that cost 1.3 % less than `two_opt` finds in three, among 10,000 in 20 s 4 % less than that in 26
(`benchmarks/curves.py`). It searches for a time, so that the same tracks need not give the same order twice.

More than `AT_ONCE` tracks are searched in parts, as Karp (1977) and Helsgaun (LKH, "subproblems") do: each part is a
region of neighbouring tracks, whose order is improved while the rest of the whole order stays as it is.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from disco.sources.progress import Interval

log = logging.getLogger(__name__)

Order = NDArray[np.intp]
# Costs from each of some tracks (rows) to each of others (columns), by their places in the list to order.
CostsBetween = Callable[[Order, Order], NDArray[np.floating]]

# As many as are searched at once: their costs take 0.2 GB, and parts of this size lose nothing that was measured.
AT_ONCE = 10_000
# Tracks of a part where there are more, and how often the parts are cut anew: the first time along the main axes.
PART, _ROUNDS = 10_000, 3
# Costs are whole numbers up to 65,535 there. What costs more than eight times the median costs that much: no good
# order of many tracks plays it. Tracks that are to be apart cost more than that, and transitions that must be played
# so much less than all others that no saving is worth leaving one out.
_MEDIANS, _HIGHEST, _APART, _LIFT = 8, 65_535, 46_000, 20_000
# Rows whose costs are computed together, for memory.
_ROWS = 256


def usual_seconds(n: int) -> float:
    """How long n tracks are searched: 0.1 s for 170, 1 s for 1,000, 20 s for 10,000, 400 s for 100,000.

    Examples
    --------
    >>> [round(usual_seconds(n), 1) for n in (100, 1_000, 10_000)]
    [0.1, 1.0, 20.0]
    """
    return max(0.1, float((n / 1000) ** 1.3))


def cheapest_order(
    n: int,
    between: CostsBetween,
    points: NDArray[np.floating],
    seconds: float,
    ends: tuple[int | None, int | None] = (None, None),
    apart: Sequence[Order] = (),
    part: int = PART,
    at_once: int = AT_ONCE,
) -> Order:
    """Search for the cheapest order of n tracks, played once each.

    Parameters
    ----------
    n : int
        Four or more.
    between : callable
        Costs of transitions, the same in both directions.
    points : ndarray, shape (n, d)
        Places of the tracks, by which they are cut into parts: what follows each other well should be near.
    seconds : float
        How long to search.
    ends : tuple of int, optional
        The first and the last track, where they are given.
    apart : sequence of ndarray
        Groups of tracks that are not to follow each other.
    part, at_once : int
        Tracks of a part, and the most that are searched without parts.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> line = np.array([3.0, 0.0, 4.0, 1.0, 2.0])
    >>> def between(a, b):
    ...     return np.abs(line[a][:, None] - line[b])
    >>> cheapest_order(5, between, line[:, None], 0.05, ends=(1, None)).tolist()
    [1, 3, 4, 0, 2]
    """
    until = time.monotonic() + seconds
    search = _Search(n, between, ends, apart)
    if n <= at_once:
        return search.whole(seconds)
    parts, rng = math.ceil(n / part), np.random.default_rng(0)
    order: Order | None = None
    interval = Interval()
    for number in range(_ROUNDS):
        regions = list(_regions(np.arange(n), np.nan_to_num(points), parts, rng if number else None))
        if order is None:
            order = _with_ends(np.concatenate(regions), ends)
        for done, tracks in enumerate(regions):
            left = until - time.monotonic()
            if left <= 0 and number:
                return order
            order = search.part(order, tracks, max(left / ((_ROUNDS - number) * parts - done), 0.05))
            if interval.is_over():
                log.info("part %s of %s is in order", f"{number * parts + done + 1:,}", f"{_ROUNDS * parts:,}")
    assert order is not None  # noqa: S101 - there is a first round
    return order


class _Search:
    """A list to order: its costs, ends and groups. Where the order ends and begins is a point of its own, n."""

    def __init__(
        self, n: int, between: CostsBetween, ends: tuple[int | None, int | None], apart: Sequence[Order]
    ) -> None:
        self._n, self._between, self._ends, self._apart = n, between, ends, apart
        some = np.unique(np.linspace(0, n - 1, min(n, 300)).astype(np.intp))
        sample = np.asarray(between(some, some), dtype=float)[~np.eye(len(some), dtype=bool)]
        self._least = min(float(sample.min()), 0.0)  # below 0 with negative knobs
        self._range = max(min(float(sample.max()), _MEDIANS * float(np.median(sample))) - self._least, 1e-6)

    def whole(self, seconds: float) -> Order:
        """The best order of all tracks that is found."""
        n, (start, last) = self._n, self._ends
        given = _with_ends(np.arange(n), self._ends)
        forced = [(n, track) for track in self._ends if track is not None]
        trip = self._round_trip(np.r_[np.arange(n), n], np.r_[n, given], forced, seconds)
        order = self._unrolled(trip)
        if start is None and last is None and order[0] > order[-1]:
            return order[::-1]  # one of two equal orders, always the same
        return order

    def part(self, order: Order, tracks: Order, seconds: float) -> Order:
        """An order with the tracks of a part in the best order that is found.

        What lies between two tracks of the part is kept as it is, as one transition that must be played.
        """
        n = self._n
        if len(tracks) < 4:
            return order
        trip = np.r_[n, order]
        inside = np.zeros(n + 1, dtype=bool)
        inside[tracks] = True
        trip = np.roll(trip, -int(np.flatnonzero(inside[trip])[0]))  # begins inside
        at = np.flatnonzero(inside[trip])
        own = trip[at]
        after = np.r_[at[1:], len(trip)]
        between = {}
        for here, there, low, high in zip(
            own.tolist(), np.roll(own, -1).tolist(), at.tolist(), after.tolist(), strict=True
        ):
            if high - low > 1:
                between[here, there] = trip[low + 1 : high]
                between[there, here] = trip[low + 1 : high][::-1]
        forced = list(between)[::2]
        found = self._round_trip(np.sort(own), own, forced, seconds)
        pieces: list[Order] = []
        for here, there in zip(found.tolist(), np.roll(found, -1).tolist(), strict=True):
            pieces.append(np.array([here]))
            if (here, there) in between:
                pieces.append(between[here, there])
        return self._unrolled(np.concatenate(pieces))

    def _unrolled(self, trip: Order) -> Order:
        """The order that a round trip plays, in the direction that the ends ask for."""
        order = np.roll(trip, -int(np.flatnonzero(trip == self._n)[0]))[1:]
        start, last = self._ends
        backwards = (start is not None and order[0] != start) or (last is not None and order[-1] != last)
        return order[::-1] if backwards else order

    def _round_trip(self, points: Order, given: Order, forced: Sequence[tuple[int, int]], seconds: float) -> Order:
        """The cheapest round trip through points that plays what is forced, and costs no more than the one given."""
        import fast_tsp  # 0.02 s, and most commands order nothing

        begun = time.monotonic()
        place = np.full(self._n + 1, -1, dtype=np.intp)
        place[points] = np.arange(len(points))
        levels = self._levels(points, place, forced)
        left = max(seconds - (time.monotonic() - begun), 0.02)
        threads = None if len(points) > 1000 else 1  # all cores but one
        found = np.array(fast_tsp.find_tour(levels, left, max_threads=threads), dtype=np.intp)
        follows = set(zip(found.tolist(), np.roll(found, -1).tolist(), strict=True))
        joined = [(int(place[a]), int(place[b])) for a, b in forced]
        if any((a, b) not in follows and (b, a) not in follows for a, b in joined):
            return given
        was, now = (int(levels[trip, np.roll(trip, -1)].sum(dtype=np.int64)) for trip in (place[given], found))
        return points[found] if now < was else given

    def _levels(self, points: Order, place: Order, forced: Sequence[tuple[int, int]]) -> NDArray[np.uint16]:
        """Costs between points as whole numbers, those of what is forced below all others."""
        tracks = points[points < self._n]
        m, lift = len(tracks), _LIFT if forced else 0
        levels = np.full((len(points), len(points)), lift, dtype=np.uint16)
        scale = (_APART - lift) / self._range
        slices = [slice(low, min(low + _ROWS, m)) for low in range(0, m, _ROWS)]
        for some in slices:
            costs = np.asarray(self._between(tracks[some], tracks), dtype=np.float32)
            levels[some, :m] = lift + np.rint(np.clip((costs - self._least) * scale, 0, _APART - lift)).astype(
                np.uint16
            )
        for group in self._apart:
            own = place[group]
            if len(own := own[own >= 0]) > 1:
                now = levels[np.ix_(own, own)]
                costly = _APART + ((now - lift) * ((_HIGHEST - _APART) / (_APART - lift))).astype(np.uint16)
                # Two tracks may have two artists in common.
                levels[np.ix_(own, own)] = np.where(now < _APART, costly, now)
        # Rounding may differ between the two directions.
        for some in slices:
            levels[some, some.start : m] = levels[some.start : m, some].T
        for a, b in forced:
            levels[place[a], place[b]] = levels[place[b], place[a]] = 0
        np.fill_diagonal(levels, 0)
        return levels


def _with_ends(order: Order, ends: tuple[int | None, int | None]) -> Order:
    """An order that begins and ends as given."""
    start, last = ([] if track is None else [track] for track in ends)
    return np.asarray(np.r_[start, order[~np.isin(order, [*start, *last])], last], dtype=np.intp)


def _regions(
    tracks: Order, points: NDArray[np.floating], parts: int, rng: np.random.Generator | None
) -> Iterator[Order]:
    """Neighbouring tracks, neighbouring regions after each other: halved along the main axis, or in any direction."""
    if parts == 1:
        yield tracks
        return
    own = points[tracks]
    direction = (
        np.linalg.eigh(np.cov(own.T).reshape(own.shape[1], -1))[1][:, -1]
        if rng is None
        else rng.normal(size=own.shape[1])
    )
    along = tracks[np.argsort(own @ direction, kind="stable")]
    cut = len(along) * (parts // 2) // parts
    yield from _regions(along[:cut], points, parts // 2, rng)
    yield from _regions(along[cut:], points, parts - parts // 2, rng)
