"""Sequences from one track to another in a number of steps, or to anywhere: `path` and `walk`."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from disco.catalogue import Floats, Rows
from disco.errors import DiscoError
from disco.playlist.cost import PairwiseCost
from disco.playlist.sequence.beam import beam, search
from disco.playlist.sequence.constraints import PositionCosts
from disco.playlist.sequence.greedy import in_order
from disco.playlist.sequence.rules import Allows
from disco.playlist.transition_cost import TransitionCost

# Twice as wide as `beam`, since the end of a sequence matters more.
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
    """Find a sequence from the start to the track pinned to the last position, by way of other pinned tracks.

    Between two of these, each position has a target on the straight line between their embeddings. Without targets,
    the sum of the steps alone does not tell even steps from small ones and a jump. After a beam search each track is
    replaced by any of the pool that lowers the cost.

    Parameters
    ----------
    start, pool, length, cost, allows, position_costs
        As for `beam`; the cost is a `PairwiseCost`, and a track is pinned to the last position.
    width : int
        Sequences that are kept at every step.

    Returns
    -------
    ndarray of rows
        The start and what follows it.

    Raises
    ------
    DiscoError
        If the cost is not pairwise, or no track is pinned to the last position.
    """
    if not isinstance(cost, PairwiseCost):
        raise DiscoError("a path needs a cost that is pairwise")
    last = len(start) + length - 1
    if position_costs is None or last not in position_costs.pinned:
        raise DiscoError("a path needs a track to end with: name it with --end-track")
    pool = in_order(pool, position_costs)
    waypoints = {
        len(start) - 1: int(start[-1]),
        **{p: r for p, r in position_costs.pinned.items() if p >= len(start)},
    }
    targets = _TargetCosts(cost, pool, waypoints, position_costs)
    found, _ = search(start, pool, length, cost, allows, targets, width)
    return _improve(found, len(start), pool, cost, allows, targets)


def walk(
    start: Rows,
    pool: Rows,
    length: int,
    cost: TransitionCost,
    allows: Allows,
    position_costs: PositionCosts | None = None,
    width: int = WIDTH,
) -> Rows:
    """Find a sequence from the start with cheap transitions, without a destination.

    A beam search by the distance between neighbours; then each track is replaced by any of the pool that lowers the
    cost.

    Parameters
    ----------
    start, pool, length, cost, allows, position_costs, width
        As for `path`; no track need be pinned.

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
        return found  # tracks chosen for their noise would be replaced again
    return _improve(found, len(start), in_order(pool, position_costs), cost, allows, position_costs)


class _TargetCosts(PositionCosts):
    """The same position costs, with the distance from the target of each position."""

    def __init__(
        self, cost: PairwiseCost, pool: Rows, waypoints: dict[int, int], position_costs: PositionCosts
    ) -> None:
        self.__dict__.update(position_costs.__dict__)
        self._pool, self._deviations = pool, {}
        for (here, a), (there, b) in pairwise(sorted(waypoints.items())):
            for position in range(here + 1, there):
                self._deviations[position] = cost.deviation(a, b, (position - here) / (there - here), pool)

    def at(self, position: int, rows: Rows) -> Floats | None:
        """Costs of rows at a position: the constraints, and the distance from its target."""
        price = super().at(position, rows)
        if position not in self._deviations:
            return price
        away: Floats = self._deviations[position][np.searchsorted(self._pool, rows)]
        return away if price is None else price + away


def _improve(
    found: Rows, begun: int, pool: Rows, cost: PairwiseCost, allows: Allows, position_costs: PositionCosts | None
) -> Rows:
    """Replace each track that is not pinned by the best of the pool, until none is better."""
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
                if _fits_at(found, position, int(pool[i]), allows):
                    found[position], changed = pool[i], True
                    break
        if not changed:
            break
    return found


def _fits_at(found: Rows, position: int, row: int, allows: Allows) -> bool:
    """Whether the rules allow a row at a position, and all tracks after it."""
    path = [int(r) for r in found]
    path[position] = row
    if row in path[:position] or row in path[position + 1 :] or not allows(path[:position], row):
        return False
    # All of them: a later one may be another version of the same song.
    return all(allows(path[:i], path[i]) for i in range(position + 1, len(path)))
