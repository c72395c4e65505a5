"""From one track to another, by way of others, in so many steps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from disco.catalogue import Floats, Rows
from disco.errors import DiscoError
from disco.playlist.cost import PairwiseCost, TransitionCost
from disco.playlist.sequence.beam import beam, search
from disco.playlist.sequence.constraints import PositionCosts
from disco.playlist.sequence.greedy import in_order
from disco.playlist.sequence.rules import Allows

# Twice as wide as `beam`: what a sequence must come to shows only at its end.
WIDTH = 32


def path(
    start: Rows,
    pool: Rows,
    length: int,
    cost: TransitionCost,
    allows: Allows,
    position_costs: PositionCosts | None = None,
    width: int = WIDTH,
) -> Rows:
    """A sequence that goes from the start to the track held for the last position, by way of those held before it.

    Between two of these it is drawn to points evenly spread on the straight line from one to the other, since the sum
    of the steps alone does not tell a walk from waiting and one leap. After the search along the way each track gives
    its position to any of the pool with which the sequence costs less.

    Parameters
    ----------
    start, pool, length, cost, allows, position_costs
        As for `beam`; the cost is `Pairwise`, and a track is held for the last position.
    width : int
        Sequences that go on at every step.

    Returns
    -------
    ndarray of rows
        The start and what follows it.

    Raises
    ------
    DiscoError
        If the cost is not pairwise, or no track is held for the last position.
    """
    if not isinstance(cost, PairwiseCost):
        raise DiscoError("a path needs a cost that is pairwise")
    last = len(start) + length - 1
    if position_costs is None or last not in position_costs.pinned:
        raise DiscoError("a path needs a track to end with: name it with --end-track")
    pool = in_order(pool, position_costs)
    stations = {len(start) - 1: int(start[-1]), **{p: r for p, r in position_costs.pinned.items() if p >= len(start)}}
    drawn = _Drawn(cost, pool, stations, position_costs)
    found, _ = search(start, pool, length, cost, allows, drawn, width)
    return _exchanged(found, len(start), pool, cost, allows, drawn)


def walk(
    start: Rows,
    pool: Rows,
    length: int,
    cost: TransitionCost,
    allows: Allows,
    position_costs: PositionCosts | None = None,
    width: int = WIDTH,
) -> Rows:
    """A sequence from the start to nowhere in particular, whose transitions are the cheapest that were found.

    As `path`, with nothing that it is drawn to: a beam by the distance between neighbours, and then each track gives
    its position to any of the pool with which the sequence costs less.

    Parameters
    ----------
    start, pool, length, cost, allows, position_costs, width
        As for `path`; no track need be held.

    Returns
    -------
    ndarray of rows
        The start and what follows it.

    Raises
    ------
    DiscoError
        If the cost is not pairwise.
    """
    if not isinstance(cost, PairwiseCost):
        raise DiscoError("a walk needs a cost that is pairwise")
    found = beam(start, pool, length, cost, allows, position_costs, width)
    if position_costs is not None and position_costs.constraints.randomness:
        return found  # what was chosen for its noise would be exchanged again
    return _exchanged(found, len(start), in_order(pool, position_costs), cost, allows, position_costs)


class _Drawn(PositionCosts):
    """The same positions, each of which is drawn to its point on the way too."""

    def __init__(
        self, cost: PairwiseCost, pool: Rows, stations: dict[int, int], position_costs: PositionCosts
    ) -> None:
        self.__dict__.update(position_costs.__dict__)
        self._pool, self._deviations = pool, {}
        for (here, a), (there, b) in pairwise(sorted(stations.items())):
            for position in range(here + 1, there):
                self._deviations[position] = cost.deviation(a, b, (position - here) / (there - here), pool)

    def at(self, position: int, rows: Rows) -> Floats | None:
        """What rows cost at a position: the constraints, and how far they are from the way."""
        price = super().at(position, rows)
        if position not in self._deviations:
            return price
        away: Floats = self._deviations[position][np.searchsorted(self._pool, rows)]
        return away if price is None else price + away


def _exchanged(
    found: Rows, begun: int, pool: Rows, cost: PairwiseCost, allows: Allows, position_costs: PositionCosts | None
) -> Rows:
    """Each track that no position holds gives way to the best of the pool, again and again until none is better."""
    found = found.copy()
    known = np.unique(np.r_[found, pool])
    to = {int(row): costs for row, costs in zip(known, cost.matrix(known), strict=True)} if len(known) <= 2000 else {}
    if not to:
        return found
    at = np.searchsorted(known, pool)
    back = np.stack([to[int(row)] for row in known])
    for _ in range(10):
        changed = False
        for position in range(begun, len(found)):
            if position_costs is not None and position in position_costs.pinned:
                continue
            costs = to[int(found[position - 1])][at].copy()
            if position + 1 < len(found):
                costs += back[:, np.searchsorted(known, found[position + 1])][at]
            price = None if position_costs is None else position_costs.at(position, pool)
            if price is not None:
                costs += price
            own = costs[np.searchsorted(pool, found[position])]
            for i in np.argsort(costs, kind="stable")[:50]:
                if costs[i] >= own - 1e-6:
                    break
                if _may_stand(found, position, int(pool[i]), allows):
                    found[position], changed = pool[i], True
                    break
        if not changed:
            break
    return found


def _may_stand(found: Rows, position: int, row: int, allows: Allows) -> bool:
    """Whether the rules allow a row at a position, and all that comes after it."""
    path = [int(r) for r in found]
    path[position] = row
    if row in path[:position] or row in path[position + 1 :] or not allows(path[:position], row):
        return False
    # All of them, however far: a later one may be another version of the same song.
    return all(allows(path[:i], path[i]) for i in range(position + 1, len(path)))
