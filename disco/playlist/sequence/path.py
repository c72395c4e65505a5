"""From one track to another, by way of others, in so many steps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from disco.catalogue import Floats, Rows
from disco.errors import DiscoError
from disco.playlist.cost import Pairwise, Transition
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
    cost: Transition,
    allows: Allows,
    places: PositionCosts | None = None,
    width: int = WIDTH,
) -> Rows:
    """A sequence that goes from the start to the track held for the last place, by way of those held before it.

    Between two of these it is drawn to points evenly spread on the straight line from one to the other, since the sum
    of the steps alone does not tell a walk from waiting and one leap. After the search along the way each track gives
    its place to any of the pool with which the sequence costs less.

    Parameters
    ----------
    start, pool, length, cost, allows, places
        As for `beam`; the cost is `Pairwise`, and a track is held for the last place.
    width : int
        Sequences that go on at every step.

    Returns
    -------
    ndarray of rows
        The start and what follows it.

    Raises
    ------
    DiscoError
        If the cost is not pairwise, or no track is held for the last place.
    """
    if not isinstance(cost, Pairwise):
        raise DiscoError("a path needs a cost that is pairwise")
    last = len(start) + length - 1
    if places is None or last not in places.held:
        raise DiscoError("a path needs a track to end with: name it with --end-track")
    pool = in_order(pool, places)
    stations = {len(start) - 1: int(start[-1]), **{p: r for p, r in places.held.items() if p >= len(start)}}
    drawn = _Drawn(cost, pool, stations, places)
    found, _ = search(start, pool, length, cost, allows, drawn, width)
    return _exchanged(found, len(start), pool, cost, allows, drawn)


def walk(
    start: Rows,
    pool: Rows,
    length: int,
    cost: Transition,
    allows: Allows,
    places: PositionCosts | None = None,
    width: int = WIDTH,
) -> Rows:
    """A sequence from the start to nowhere in particular, whose joins are the cheapest that were found.

    As `path`, with nothing that it is drawn to: a beam by the distance between neighbours, and then each track gives
    its place to any of the pool with which the sequence costs less.

    Parameters
    ----------
    start, pool, length, cost, allows, places, width
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
    if not isinstance(cost, Pairwise):
        raise DiscoError("a walk needs a cost that is pairwise")
    found = beam(start, pool, length, cost, allows, places, width)
    if places is not None and places.wishes.randomness:
        return found  # what was chosen for its noise would be exchanged again
    return _exchanged(found, len(start), in_order(pool, places), cost, allows, places)


class _Drawn(PositionCosts):
    """The same places, each of which is drawn to its point on the way too."""

    def __init__(self, cost: Pairwise, pool: Rows, stations: dict[int, int], places: PositionCosts) -> None:
        self.__dict__.update(places.__dict__)
        self._pool, self._away = pool, {}
        for (here, a), (there, b) in pairwise(sorted(stations.items())):
            for place in range(here + 1, there):
                self._away[place] = cost.away(a, b, (place - here) / (there - here), pool)

    def price(self, place: int, rows: Rows) -> Floats | None:
        """What rows cost at a place: the wishes, and how far they are from the way."""
        price = super().price(place, rows)
        if place not in self._away:
            return price
        away: Floats = self._away[place][np.searchsorted(self._pool, rows)]
        return away if price is None else price + away


def _exchanged(
    found: Rows, begun: int, pool: Rows, cost: Pairwise, allows: Allows, places: PositionCosts | None
) -> Rows:
    """Each track that no place holds gives way to the best of the pool, again and again until none is better."""
    found = found.copy()
    known = np.unique(np.r_[found, pool])
    to = {int(row): costs for row, costs in zip(known, cost.matrix(known), strict=True)} if len(known) <= 2000 else {}
    if not to:
        return found
    at = np.searchsorted(known, pool)
    back = np.stack([to[int(row)] for row in known])
    for _ in range(10):
        changed = False
        for place in range(begun, len(found)):
            if places is not None and place in places.held:
                continue
            costs = to[int(found[place - 1])][at].copy()
            if place + 1 < len(found):
                costs += back[:, np.searchsorted(known, found[place + 1])][at]
            price = None if places is None else places.price(place, pool)
            if price is not None:
                costs += price
            own = costs[np.searchsorted(pool, found[place])]
            for i in np.argsort(costs, kind="stable")[:50]:
                if costs[i] >= own - 1e-6:
                    break
                if _may_stand(found, place, int(pool[i]), allows):
                    found[place], changed = pool[i], True
                    break
        if not changed:
            break
    return found


def _may_stand(found: Rows, place: int, row: int, allows: Allows) -> bool:
    """Whether the rules allow a row at a place, and all that comes after it."""
    path = [int(r) for r in found]
    path[place] = row
    if row in path[:place] or row in path[place + 1 :] or not allows(path[:place], row):
        return False
    # All of them, however far: a later one may be another version of the same song.
    return all(allows(path[:i], path[i]) for i in range(place + 1, len(path)))
