"""The greedy sequencer: the cheapest next track at every step, the published method."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats, Rows
from disco.playlist.sequence.constraints import PositionCosts
from disco.playlist.sequence.rules import NEIGHBOURS, Allows, Rules
from disco.playlist.transition_cost import FindsCheapest, State, TransitionCost

# Candidates that are tried one by one, and then at once, before all are sorted: rules seldom exclude more. Among a
# million, finding the minimum takes 0.1 ms, the 4096 lowest 10 ms, sorting all 100 ms.
_ONE_BY_ONE, _IN_ONE_GO = 32, 4096


def greedy(
    start: Rows,
    pool: Rows,
    length: int,
    cost: TransitionCost,
    allows: Allows,
    position_costs: PositionCosts | None = None,
) -> Rows:
    """Add the cheapest next track, again and again. Ties go to the lower row.

    Parameters
    ----------
    start : ndarray of rows
        Tracks played first, at least one.
    pool : ndarray of rows
        Tracks to choose from, in any order.
    length : int
        Tracks to add; fewer are added when the rules leave no candidate.
    cost : TransitionCost
    allows : callable
        Whether a row may follow a sequence, as `Rules`.
    position_costs : PositionCosts, optional
        A pinned track is played at its position, whatever the rules say, and nowhere else.

    Returns
    -------
    ndarray of rows
        The start and what follows it.
    """
    pool = in_order(pool, position_costs)
    path = [int(row) for row in start]
    state = cost.start(start)
    for position in range(len(path), len(path) + length):
        row: int | None
        if position_costs is not None and position in position_costs.pinned:
            row = position_costs.pinned[position]
        else:
            options = _by_cost(cost, state, pool, position, position_costs)
            row = next(
                (row for row in (int(pool[i]) for i in options) if fits(path, row, allows, position_costs)), None
            )
        if row is None:
            break
        path.append(row)
        state = cost.step(state, np.array([0]), np.array([row]))
    return np.array(path, dtype=np.intp)


def _by_cost(
    cost: TransitionCost, state: State, pool: Rows, position: int, position_costs: PositionCosts | None
) -> Iterator[int]:
    """Positions in the pool by ascending cost; of very many only a few are priced, unless these are not enough."""
    few: list[int] = []
    if position_costs is None and isinstance(cost, FindsCheapest):
        few = cost.cheapest(state, pool).tolist()
        yield from few
    every = cheapest_first(priced(cost.costs(state, pool), pool, position, position_costs)[0])
    yield from itertools.islice(every, len(few), None)


def in_order(pool: Rows, position_costs: PositionCosts | None) -> Rows:
    """The pool in ascending order, which decides ties, without pinned tracks."""
    if not (pool[1:] > pool[:-1]).all():
        pool = np.sort(pool)
    return pool if position_costs is None else position_costs.without_pinned(pool)


def priced(costs: Floats, pool: Rows, position: int, position_costs: PositionCosts | None) -> Floats:
    """Costs, shape (beams, n), plus the position costs of the pool and the noise of `randomness`."""
    if position_costs is not None:
        for more in (position_costs.at(position, pool), position_costs.noise(position, len(pool))):
            if more is not None:
                costs += more
    return costs


def fits(path: Sequence[int], row: int, allows: Allows, position_costs: PositionCosts | None) -> bool:
    """Whether a row may follow a sequence, and the tracks pinned after it may follow the row."""
    if position_costs is None or not position_costs.pinned:
        return allows(path, row)
    reach = max(NEIGHBOURS - 1, allows.artist_gap) if isinstance(allows, Rules) else 1
    coming = [position_costs.pinned.get(position) for position in range(len(path) + 1, len(path) + 1 + reach)]
    if isinstance(allows, Rules):
        return allows.allows_before(path, row, coming)
    return allows(path, row) and all(allows([row], held) for held in coming if held is not None)


def cheapest_first(costs: NDArray[np.floating]) -> Iterator[int]:
    """Indices by ascending cost, equal ones in their own order; `costs` is overwritten."""
    for _ in range(min(_ONE_BY_ONE, len(costs))):
        best = int(costs.argmin())
        yield best
        costs[best] = np.inf
    limit = -np.inf
    for n in (_IN_ONE_GO, len(costs)):
        least, limit = limit, np.partition(costs, n - 1)[n - 1] if n < len(costs) else np.inf
        some = np.flatnonzero((costs > least) & (costs <= limit) & np.isfinite(costs))
        yield from some[np.argsort(costs[some], kind="stable")].tolist()
