"""A set of tracks put into its best order, all of them used exactly once."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Rows
from disco.errors import DiscoError
from disco.playlist.cost import Pairwise, Transition
from disco.playlist.sequence import held_karp, local_search
from disco.playlist.sequence.constraints import PositionCosts
from disco.playlist.sequence.greedy import greedy
from disco.playlist.sequence.local_search import BROKEN, TAKEN, Problem
from disco.playlist.sequence.rules import Allows, Rules
from disco.playlist.sequence.two_opt import Trip
from disco.sources.progress import Interval

log = logging.getLogger(__name__)

Order = NDArray[np.intp]
Costs = NDArray[np.float64]
# Best cost so far, and disturbances made: called at every better order.

# The costs of all joins among so many are held in memory three times over: 0.5 GB.
MOST = 6000
# Disturbances of an order with nothing but joins, and of one with wishes, which takes some ten times longer to mend:
# a track's worth, and at most. 50 tracks take 0.6 s and 200 take 3 s on one core.
_PLAIN, _MOST_PLAIN = 40, 8000
_WISHED, _MOST_WISHED = 10, 600
# Up to so many tracks there is time to begin with several first orders.
_LONG = 300
# An end that is held: cheaper than any sequence is dear.
_HELD = -1e4


@dataclass(frozen=True)
class Budget:
    """How long to look for better orders.

    Attributes
    ----------
    iterations : int, optional
        Disturbances of the best order so far, each mended and kept if it pays; by the number of tracks if neither
        is given. The same number gives the same order.
    seconds : float, optional
        Stop after so long, with the best so far; what is found then hangs on the machine.
    """

    iterations: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.iterations is not None and self.iterations < 0:
            raise DiscoError(f"the number of iterations must be 0 or more, not {self.iterations}")
        if self.seconds is not None and not (self.seconds > 0 and math.isfinite(self.seconds)):
            raise DiscoError(f"the number of seconds must be above 0, not {self.seconds}")


def order(
    start: Rows,
    pool: Rows,
    length: int,
    cost: Transition,
    allows: Allows,
    places: PositionCosts | None = None,
    budget: Budget = Budget(),
    seed: int = 0,
    dynamic: bool = True,
) -> Rows:
    """All of the pool after the start, in the order that costs least.

    Up to `exact.MOST` tracks by dynamic programming, which finds the best; above it by local search (`tour` for joins
    alone, `moves` where wishes price places) from several first orders, `greedy` among them, so that it never costs
    more. What the rules forbid of artists is avoided as far as can be; nothing is left out.

    Parameters
    ----------
    start : ndarray of rows
        Tracks played first, in this order; there may be none.
    pool : ndarray of rows
        Tracks to order.
    length : int
        How many these are.
    cost : Transition
        Pairwise.
    allows, places
        As for `greedy`.
    budget : Budget
    seed : int
        Of the disturbances.
    dynamic : bool
        Whether few tracks are ordered by dynamic programming.

    Returns
    -------
    ndarray of rows
        The start, then all of the pool.

    Raises
    ------
    DiscoError
        If the cost is not pairwise, or the tracks are too many.
    """
    rows = np.sort(pool)
    if not isinstance(cost, Pairwise):
        raise DiscoError("an order of all tracks needs a cost that is pairwise")
    if length != len(rows) or len(np.unique(rows)) != len(rows):
        raise DiscoError(f"an order plays all of its {len(np.unique(rows)):,} tracks once, not {length:,}")
    if length > MOST:
        raise DiscoError(f"{length:,} tracks are too many to order at once; {MOST:,} are the most")
    if length < 2:
        return np.asarray(np.r_[start, rows], dtype=np.intp)
    if places is not None and (lost := set(places.held.values()) - {*rows.tolist(), *start.tolist()}):
        raise DiscoError(f"{len(lost)} of the tracks that are to stand at a place are not among those to order")
    problem = _problem(np.asarray(start, dtype=np.intp), rows, cost, allows, places)
    held = {} if places is None else {p - len(start): r for p, r in places.held.items() if p >= len(start)}
    fixed = {place: int(np.searchsorted(rows, row)) for place, row in held.items()}
    firsts = _firsts(problem, fixed)
    if len(start) and length <= 1000:
        path = greedy(start, rows, length, cost, allows, places)[len(start) :]
        firsts.append(_completed(np.searchsorted(rows, path), problem, fixed))
    found = arrange(problem, fixed, firsts, budget, seed, dynamic)
    return np.asarray(np.r_[start, rows[found]], dtype=np.intp)


def arrange(
    problem: Problem,
    fixed: dict[int, int] | None = None,
    firsts: list[Order] | None = None,
    budget: Budget = Budget(),
    seed: int = 0,
    dynamic: bool = True,
) -> Order:
    """The cheapest order found for a problem: a permutation of its tracks.

    Parameters
    ----------
    problem : Problem
        Its places must say what `fixed` says, unless that is about the ends alone.
    fixed : dict of int to int
        Track by place.
    firsts : list of ndarray
        Orders to begin with; the answer costs no more than any. By default those of the nearest neighbours.
    """
    n, fixed = len(problem), fixed or {}
    firsts = _firsts(problem, fixed) if firsts is None else firsts
    if dynamic and n <= held_karp.MOST:
        best = held_karp.cheapest_order(problem.joins, _allowed(problem, fixed), problem.first)
        if problem.clashes is None:
            return best
        firsts = [*firsts, best]
    deadline = math.inf if budget.seconds is None else time.monotonic() + budget.seconds

    def late() -> bool:
        return time.monotonic() > deadline

    plain = problem.places is None and problem.clashes is None and set(fixed) <= {0, n - 1} and n > 3
    plain = plain and np.allclose(problem.joins, problem.joins.T, rtol=0, atol=1e-4)
    if plain:
        usual = min(_PLAIN * n, _MOST_PLAIN)
        found = _by_trips(problem, fixed, firsts, seed, late)
    else:
        usual = min(_WISHED * n, _MOST_WISHED)
        problem = Problem(problem.joins, problem.first, _allowed(problem, fixed, TAKEN), problem.clashes, problem.gap)
        # Cheapest first, so that the answer costs no more than any even where there is no time for all.
        firsts = sorted(firsts, key=problem.cost)[: 2 if n <= _LONG else 1]
        if 3 < n <= _LONG:
            firsts += _tripped(problem, fixed, firsts, seed, late)
        found = _by_moves(problem, firsts, seed, late)
    most = budget.iterations if budget.iterations is not None else (usual if budget.seconds is None else math.inf)
    best, now = next(found)
    made, interval = 0, Interval()
    while made < most and not late():
        tried, cost = next(found)
        made += 1
        if cost < now - 1e-9:
            best, now = tried, cost
            if interval.is_over():
                log.info("best so far costs %s in all, after %s moves", f"{now:,.1f}", f"{made:,}")
    return best


def _problem(start: Rows, rows: Rows, cost: Pairwise, allows: Allows, places: PositionCosts | None) -> Problem:
    n = len(rows)
    # Beyond so many tracks single precision, which suffices, is half of the memory.
    joins: Costs = cost.matrix(rows).astype(np.float64 if n <= 2000 else np.float32)
    first = cost.costs(cost.start(start), rows)[0].astype(float) if len(start) else np.zeros(n)
    if places is not None and places.wishes.randomness:
        noise = np.random.default_rng(places.wishes.random_seed).random((n, n), dtype=np.float32)
        joins += places.wishes.randomness * np.maximum(noise, noise.T)
    gap = allows.artist_gap if isinstance(allows, Rules) else 0
    clashes, priced = None, None
    if places is not None and (prices := places.matrix(rows)) is not None:
        priced = prices[len(start) :].astype(float)
    if isinstance(allows, Rules) and gap:
        tail = start[-gap:]
        both = allows.clashes(np.r_[tail, rows])
        behind, shared = both[: len(tail), len(tail) :], both[len(tail) :, len(tail) :]
        joins[shared] += BROKEN
        if gap > 1 and shared.any():
            clashes = shared
        if behind.any():
            first += BROKEN * behind[-1]
        if gap > 1 and behind.any():
            priced = np.zeros((n, n)) if priced is None else priced
            for place in range(1, min(gap, n)):
                priced[place] += BROKEN * behind[max(0, len(behind) - gap + place) :].sum(axis=0)
    return Problem(joins, first, priced, clashes, gap)


def _allowed(problem: Problem, fixed: dict[int, int], taken: float = np.inf) -> Costs:
    """Prices of places, with what is fixed in them."""
    n = len(problem)
    prices = np.zeros((n, n)) if problem.places is None else problem.places.copy()
    for place, track in fixed.items():
        own = prices[place, track]
        prices[place, :], prices[:, track] = taken, taken
        prices[place, track] = own
    return prices


def _firsts(problem: Problem, fixed: dict[int, int]) -> list[Order]:
    """Orders to begin with: from several tracks on, always to the nearest that is left."""
    n = len(problem)
    if 0 in fixed:
        starts = [fixed[0]]
    else:
        # The cheapest to begin with, and others spread evenly, as many as take no time.
        spread = np.linspace(0, n - 1, min(n, 8 if n <= _LONG else 2)).astype(int)
        starts = list(dict.fromkeys([int(problem.first.argmin()), *spread.tolist()]))
    return [_completed(np.array([track]), problem, fixed) for track in starts]


def _completed(begun: Order, problem: Problem, fixed: dict[int, int]) -> Order:
    """An order that begins so, as far as what is fixed lets it, and goes on to the nearest track each time."""
    n = len(problem)
    left = np.ones(n, dtype=bool)
    left[list(fixed.values())] = False
    ahead = [int(track) for track in begun]
    found: list[int] = []
    for place in range(n):
        if place in fixed:
            found.append(fixed[place])
            continue
        wanted = ahead[place] if place < len(ahead) else -1
        if wanted < 0 or not left[wanted]:
            costs = problem.joins[found[-1]] if found else problem.first
            if problem.places is not None:
                costs = costs + problem.places[place]
            wanted = int(np.where(left, costs, np.inf).argmin())
        left[wanted] = False
        found.append(wanted)
    return np.array(found, dtype=np.intp)


def _by_trips(
    problem: Problem, fixed: dict[int, int], firsts: list[Order], seed: int, late: Callable[[], bool]
) -> Iterator[tuple[Order, float]]:
    """Ever better orders as round trips, through a point as near as can be to all: there they end and begin.

    Where it costs something to begin, the trip comes from there by way of a second point, its beginning.
    """
    n = len(problem)
    begins = bool(problem.first.any())
    end, begin = n, n + begins
    costs = np.zeros((begin + 1, begin + 1), dtype=problem.joins.dtype)
    costs[:n, :n] = (problem.joins + problem.joins.T) / 2
    if begins:
        costs[begin, :n] = costs[:n, begin] = problem.first
        costs[begin, end] = costs[end, begin] = _HELD
    for point, place in ((begin, 0), (end, n - 1)):
        if place in fixed:
            costs[point, fixed[place]] = costs[fixed[place], point] = _HELD

    def unrolled() -> Order:
        at = trip.at[end]
        points = trip.tour[at:] + trip.tour[:at]
        if begins:
            points = points[1:] if points[1] == begin else [*points[1:][::-1]]
        elif fixed.get(0, points[1]) != points[1] or fixed.get(n - 1, points[-1]) != points[-1]:
            points = [end, *points[1:][::-1]]
        return np.array(points[1:], dtype=np.intp)

    trip = Trip(costs, [end, *range(n)] if not begins else [end, begin, *range(n)])
    best: tuple[Order, float] | None = None
    for order in sorted(firsts, key=problem.cost)[: len(firsts) if n <= _LONG else 1]:
        trip.set([end, *([begin] if begins else []), *order.tolist()])
        trip.improve(trip.tour, late)
        found = unrolled()
        if best is None or problem.cost(found) < best[1]:
            best = found, problem.cost(found)
        if late():
            break
    assert best is not None  # noqa: S101 - there is always one to begin with
    trip.set([end, *([begin] if begins else []), *best[0].tolist()])
    yield best
    rng = random.Random(seed)  # noqa: S311 - no secret
    while True:
        tour, at = trip.tour.copy(), trip.at.copy()
        more, changed = trip.kick(rng)
        more -= trip.improve(changed, late)
        if more > 1e-9:
            trip.tour, trip.at = tour, at
        elif more < -1e-7:
            found = unrolled()
            if (now := problem.cost(found)) < best[1]:
                best = found, now
        yield best


def _tripped(
    problem: Problem, fixed: dict[int, int], firsts: list[Order], seed: int, late: Callable[[], bool]
) -> list[Order]:
    """An order that is good but for what places cost and for the direction of joins, and its mirror image."""
    plain = Problem((problem.joins + problem.joins.T) / 2, problem.first)
    ends = {place: track for place, track in fixed.items() if place in (0, len(problem) - 1)}
    found = _by_trips(plain, ends, firsts, seed, late)
    for _ in range(5 * len(problem)):
        order, _ = next(found)
        if late():
            break
    return [_completed(begun, problem, fixed) for begun in (order, order[::-1])]


def _by_moves(
    problem: Problem, firsts: list[Order], seed: int, late: Callable[[], bool]
) -> Iterator[tuple[Order, float]]:
    """Ever better orders where places cost something, or joins more one way than the other."""
    rng = np.random.default_rng(seed)
    best: tuple[Order, float] | None = None
    for order in firsts:
        found = local_search.improve(problem, order, rng, stop=late)
        if best is None or problem.cost(found) < best[1]:
            best = found, problem.cost(found)
        if late():
            break
    assert best is not None  # noqa: S101 - there is always one to begin with
    return local_search.search(problem, best[0], seed, late)
