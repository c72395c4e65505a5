"""The sequencer that plays all tracks of a pool once, in their best order."""

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
from disco.playlist.cost import PairwiseCost
from disco.playlist.sequence import held_karp, lin_kernighan, local_search, long_order
from disco.playlist.sequence.blocks import order_blocks
from disco.playlist.sequence.constraints import PositionCosts
from disco.playlist.sequence.greedy import greedy
from disco.playlist.sequence.local_search import FORBIDDEN, SOFT_PENALTY, Problem
from disco.playlist.sequence.rules import Allows, Rules
from disco.playlist.sequence.two_opt import TwoOptTour
from disco.playlist.sequence.wishes import WishTerms
from disco.playlist.transition_cost import TransitionCost
from disco.sources.progress import Interval

log = logging.getLogger(__name__)

Order = NDArray[np.intp]
Costs = NDArray[np.float64]

# The costs of all transitions among so many tracks take 0.5 GB of memory. More are searched for transitions alone.
MOST = 6000
# Up to so many tracks `two_opt`, which gives the same order each time, costs hardly more than Lin-Kernighan moves: on
# average 0.006 % with 30 tracks and 0.04 with 50, but 0.1 with 75 and 0.3 with 100 (12 sets each).
_FEW = 50
# Perturbations without constraints, per track and at most. Of 20 sets of 30 none became better after 6 a track;
# 40 a track make sets of 200 cheaper by 0.1 %, and 8,000 sets of 1,000 by 0.6 %, in twice the time and more.
_UNCONSTRAINED, _MOST_UNCONSTRAINED = 10, 3000
# Perturbations per track, and at most, with constraints; each takes ten times as long.
_CONSTRAINED, _MOST_CONSTRAINED = 10, 600
# Up to so many tracks there is time for several initial orders.
_LONG = 300
# Bonus that forces a pinned end: larger than the cost of any sequence.
_PINNED = -1e4


@dataclass(frozen=True)
class Budget:
    """How long to search for better orders.

    Attributes
    ----------
    iterations : int, optional
        Perturbations of the best order so far, each followed by local search; by default by the number of tracks.
        The same number gives the same order.
    seconds : float, optional
        Time limit; the result then depends on the machine.
    """

    iterations: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.iterations is not None and self.iterations < 0:
            raise DiscoError(f"the number of iterations must be 0 or more, not {self.iterations}")
        if self.seconds is not None and not (self.seconds > 0 and math.isfinite(self.seconds)):
            raise DiscoError(f"the number of seconds must be above 0, not {self.seconds}")

    def stop(self) -> Callable[[], bool]:
        """Whether the time limit, counted from now on, is over."""
        deadline = math.inf if self.seconds is None else time.monotonic() + self.seconds
        return lambda: time.monotonic() > deadline


def order(
    start: Rows,
    pool: Rows,
    length: int,
    cost: TransitionCost,
    allows: Allows,
    position_costs: PositionCosts | None = None,
    budget: Budget = Budget(),
    seed: int = 0,
    dynamic: bool = True,
    wishes: WishTerms | None = None,
) -> Rows:
    """Play all of the pool after the start, in the cheapest order that is found.

    Up to `held_karp.MOST` tracks the optimum is found by dynamic programming. More tracks are ordered by local search
    (`two_opt` and `lin_kernighan` for transitions alone, `local_search` with position costs) from several initial
    orders, `greedy` among them, so that the result never costs more than those. Artist rules are kept as far as
    possible; no track is left out. More than `MOST` tracks are ordered by transitions alone, from no initial order.

    Parameters
    ----------
    start : ndarray of rows
        Tracks played first, in this order; there may be none.
    pool : ndarray of rows
        Tracks to order.
    length : int
        How many these are.
    cost : Transition
        A `PairwiseCost`.
    allows, position_costs
        As for `greedy`.
    budget : Budget
    seed : int
        Random seed of the perturbations.
    dynamic : bool
        Whether few tracks are ordered by dynamic programming.
    wishes : WishTerms, optional
        What is asked for about groups of tracks, by their places in the sorted pool.

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
    if not isinstance(cost, PairwiseCost):
        raise DiscoError("an order of all tracks needs a cost that is pairwise")
    if length != len(rows) or len(np.unique(rows)) != len(rows):
        raise DiscoError(f"an order plays all of its {len(np.unique(rows)):,} tracks once, not {length:,}")
    if length < 2:
        return np.asarray(np.r_[start, rows], dtype=np.intp)
    if length > MOST:
        if wanted := long_order.more_than_transitions(start, rows, allows, position_costs, wishes):
            raise DiscoError(f"{length:,} tracks are too many to order with {wanted}; {MOST:,} are the most")
        return long_order.order(rows, cost, allows, position_costs, budget.seconds)
    if position_costs is not None and (
        unknown := set(position_costs.pinned.values()) - {*rows.tolist(), *start.tolist()}
    ):
        raise DiscoError(f"{len(unknown)} of the tracks that are pinned are not among those to order")
    problem = _problem(np.asarray(start, dtype=np.intp), rows, cost, allows, position_costs)
    held = (
        {}
        if position_costs is None
        else {p - len(start): r for p, r in position_costs.pinned.items() if p >= len(start)}
    )
    fixed = {position: int(np.searchsorted(rows, row)) for position, row in held.items()}
    if wishes is not None and not wishes.empty:
        stop = budget.stop()
        found = order_blocks(
            problem, fixed, wishes, lambda p, f: optimise_order(p, f, None, budget, seed, dynamic), seed, stop
        )
        return np.asarray(np.r_[start, rows[found]], dtype=np.intp)
    initial_orders = _initial_orders(problem, fixed)
    if len(start) and length <= 1000:
        path = greedy(start, rows, length, cost, allows, position_costs)[len(start) :]
        initial_orders.append(_complete(np.searchsorted(rows, path), problem, fixed))
    found = optimise_order(problem, fixed, initial_orders, budget, seed, dynamic)
    return np.asarray(np.r_[start, rows[found]], dtype=np.intp)


def optimise_order(
    problem: Problem,
    fixed: dict[int, int] | None = None,
    initial_orders: list[Order] | None = None,
    budget: Budget = Budget(),
    seed: int = 0,
    dynamic: bool = True,
) -> Order:
    """Search for the cheapest order of a problem: a permutation of its tracks.

    Parameters
    ----------
    problem : Problem
        Its positions must say what `fixed` says, unless that is about the ends alone.
    fixed : dict of int to int
        Track by position.
    initial_orders : list of ndarray
        The result costs no more than any of these. By default those of the nearest neighbours.
    """
    n, fixed = len(problem), fixed or {}
    initial_orders = _initial_orders(problem, fixed) if initial_orders is None else initial_orders
    if dynamic and n <= held_karp.MOST:
        best = held_karp.cheapest_order(problem.transitions, _allowed(problem, fixed), problem.first)
        if problem.clashes is None:
            return best
        initial_orders = [*initial_orders, best]
    deadline = math.inf if budget.seconds is None else time.monotonic() + budget.seconds

    def timed_out() -> bool:
        return time.monotonic() > deadline

    plain = problem.position_costs is None and problem.clashes is None and set(fixed) <= {0, n - 1} and n > 3
    plain = plain and np.allclose(problem.transitions, problem.transitions.T, rtol=0, atol=1e-4)
    if plain and n > _FEW and budget.iterations is None and not problem.first.any():
        seconds = lin_kernighan.usual_seconds(n) if budget.seconds is None else budget.seconds
        costs, ends = problem.transitions, (fixed.get(0), fixed.get(n - 1))
        whole = lin_kernighan.cheapest_order(n, lambda a, b: costs[np.ix_(a, b)], np.empty((n, 1)), seconds, ends)
        return min((whole, *initial_orders), key=problem.cost)
    if plain:
        usual = min(_UNCONSTRAINED * n, _MOST_UNCONSTRAINED)
        found = _by_two_opt(problem, fixed, initial_orders, seed, timed_out)
    else:
        usual = min(_CONSTRAINED * n, _MOST_CONSTRAINED)
        problem = Problem(
            problem.transitions, problem.first, _allowed(problem, fixed, FORBIDDEN), problem.clashes, problem.gap
        )
        # Cheapest first, so that the result costs no more than any even if time runs out.
        initial_orders = sorted(initial_orders, key=problem.cost)[: 2 if n <= _LONG else 1]
        if 3 < n <= _LONG:
            initial_orders += _two_opt_orders(problem, fixed, initial_orders, seed, timed_out)
        found = _by_local_search(problem, initial_orders, seed, timed_out)
    most = budget.iterations if budget.iterations is not None else (usual if budget.seconds is None else math.inf)
    best, now = next(found)
    made, interval = 0, Interval()
    while made < most and not timed_out():
        tried, cost = next(found)
        made += 1
        if cost < now - 1e-9:
            best, now = tried, cost
            if interval.is_over():
                log.info("best so far costs %s in all, after %s moves", f"{now:,.1f}", f"{made:,}")
    return best


def cost_problem(
    rows: Rows, cost: PairwiseCost, allows: Allows, position_costs: PositionCosts | None = None
) -> Problem:
    """The costs of the orders of tracks with nothing before them."""
    return _problem(np.empty(0, dtype=np.intp), rows, cost, allows, position_costs)


def _problem(
    start: Rows, rows: Rows, cost: PairwiseCost, allows: Allows, position_costs: PositionCosts | None
) -> Problem:
    n = len(rows)
    # For many tracks single precision suffices and halves the memory.
    transitions: Costs = cost.matrix(rows).astype(np.float64 if n <= 2000 else np.float32)
    first = cost.costs(cost.start(start), rows)[0].astype(float) if len(start) else np.zeros(n)
    if position_costs is not None and position_costs.constraints.randomness:
        noise = np.random.default_rng(position_costs.constraints.random_seed).random((n, n), dtype=np.float32)
        transitions += position_costs.constraints.randomness * np.maximum(noise, noise.T)
    gap = allows.artist_gap if isinstance(allows, Rules) else 0
    clashes, priced = None, None
    if position_costs is not None and (prices := position_costs.matrix(rows)) is not None:
        priced = prices[len(start) :].astype(float)
    if isinstance(allows, Rules) and gap:
        tail = start[-gap:]
        both = allows.clashes(np.r_[tail, rows])
        behind, shared = both[: len(tail), len(tail) :], both[len(tail) :, len(tail) :]
        transitions[shared] += SOFT_PENALTY
        if gap > 1 and shared.any():
            clashes = shared
        if behind.any():
            first += SOFT_PENALTY * behind[-1]
        if gap > 1 and behind.any():
            priced = np.zeros((n, n)) if priced is None else priced
            for position in range(1, min(gap, n)):
                priced[position] += SOFT_PENALTY * behind[max(0, len(behind) - gap + position) :].sum(axis=0)
    return Problem(transitions, first, priced, clashes, gap)


def _allowed(problem: Problem, fixed: dict[int, int], taken: float = np.inf) -> Costs:
    """Position costs that allow the fixed tracks at their positions only."""
    n = len(problem)
    prices = np.zeros((n, n)) if problem.position_costs is None else problem.position_costs.copy()
    for position, track in fixed.items():
        own = prices[position, track]
        prices[position, :], prices[:, track] = taken, taken
        prices[position, track] = own
    return prices


def _initial_orders(problem: Problem, fixed: dict[int, int]) -> list[Order]:
    """Initial orders: from several first tracks, always to the nearest track that is left."""
    n = len(problem)
    if 0 in fixed:
        starts = [fixed[0]]
    else:
        # The cheapest first track, and a few others spread evenly.
        spread = np.linspace(0, n - 1, min(n, 8 if n <= _LONG else 2)).astype(int)
        starts = list(dict.fromkeys([int(problem.first.argmin()), *spread.tolist()]))
    return [_complete(np.array([track]), problem, fixed) for track in starts]


def _complete(begun: Order, problem: Problem, fixed: dict[int, int]) -> Order:
    """An order that begins as given, around the fixed tracks, and goes on to the nearest track each time."""
    n = len(problem)
    left = np.ones(n, dtype=bool)
    left[list(fixed.values())] = False
    ahead = [int(track) for track in begun]
    found: list[int] = []
    for position in range(n):
        if position in fixed:
            found.append(fixed[position])
            continue
        wanted = ahead[position] if position < len(ahead) else -1
        if wanted < 0 or not left[wanted]:
            costs = problem.transitions[found[-1]] if found else problem.first
            if problem.position_costs is not None:
                costs = costs + problem.position_costs[position]
            wanted = int(np.where(left, costs, np.inf).argmin())
        left[wanted] = False
        found.append(wanted)
    return np.array(found, dtype=np.intp)


def _by_two_opt(
    problem: Problem, fixed: dict[int, int], initial_orders: list[Order], seed: int, timed_out: Callable[[], bool]
) -> Iterator[tuple[Order, float]]:
    """Ever better orders as round tours through one more point, the end, at the same distance from all tracks.

    Where the first track has a cost, the tour passes a second point, the beginning, right after the end.
    """
    n = len(problem)
    begins = bool(problem.first.any())
    end, begin = n, n + begins
    costs = np.zeros((begin + 1, begin + 1), dtype=problem.transitions.dtype)
    costs[:n, :n] = (problem.transitions + problem.transitions.T) / 2
    if begins:
        costs[begin, :n] = costs[:n, begin] = problem.first
        costs[begin, end] = costs[end, begin] = _PINNED
    for point, position in ((begin, 0), (end, n - 1)):
        if position in fixed:
            costs[point, fixed[position]] = costs[fixed[position], point] = _PINNED

    def unrolled() -> Order:
        at = tour.at[end]
        points = tour.points[at:] + tour.points[:at]
        if begins:
            points = points[1:] if points[1] == begin else [*points[1:][::-1]]
        elif fixed.get(0, points[1]) != points[1] or fixed.get(n - 1, points[-1]) != points[-1]:
            points = [end, *points[1:][::-1]]
        return np.array(points[1:], dtype=np.intp)

    tour = TwoOptTour(costs, [end, *range(n)] if not begins else [end, begin, *range(n)])
    best: tuple[Order, float] | None = None
    for order in sorted(initial_orders, key=problem.cost)[: len(initial_orders) if n <= _LONG else 1]:
        tour.set([end, *([begin] if begins else []), *order.tolist()])
        tour.improve(tour.points, timed_out)
        found = unrolled()
        if best is None or problem.cost(found) < best[1]:
            best = found, problem.cost(found)
        if timed_out():
            break
    assert best is not None  # noqa: S101 - there is always an initial order
    tour.set([end, *([begin] if begins else []), *best[0].tolist()])
    yield best
    rng = random.Random(seed)  # noqa: S311 - no secret
    while True:
        points, at = tour.points.copy(), tour.at.copy()
        more, changed = tour.kick(rng)
        more -= tour.improve(changed, timed_out)
        if more > 1e-9:
            tour.points, tour.at = points, at
        elif more < -1e-7:
            found = unrolled()
            if (now := problem.cost(found)) < best[1]:
                best = found, now
        yield best


def _two_opt_orders(
    problem: Problem, fixed: dict[int, int], initial_orders: list[Order], seed: int, timed_out: Callable[[], bool]
) -> list[Order]:
    """An order optimised without position costs and directions of transitions, and its reverse."""
    plain = Problem((problem.transitions + problem.transitions.T) / 2, problem.first)
    ends = {position: track for position, track in fixed.items() if position in (0, len(problem) - 1)}
    found = _by_two_opt(plain, ends, initial_orders, seed, timed_out)
    for _ in range(5 * len(problem)):
        order, _ = next(found)
        if timed_out():
            break
    return [_complete(begun, problem, fixed) for begun in (order, order[::-1])]


def _by_local_search(
    problem: Problem, initial_orders: list[Order], seed: int, timed_out: Callable[[], bool]
) -> Iterator[tuple[Order, float]]:
    """Ever better orders with position costs, or with transitions whose cost depends on their direction."""
    rng = np.random.default_rng(seed)
    best: tuple[Order, float] | None = None
    for order in initial_orders:
        found = local_search.improve(problem, order, rng, stop=timed_out)
        if best is None or problem.cost(found) < best[1]:
            best = found, problem.cost(found)
        if timed_out():
            break
    assert best is not None  # noqa: S101 - there is always an initial order
    return local_search.search(problem, best[0], seed, timed_out)
