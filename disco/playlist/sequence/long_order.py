"""Orders of more tracks than their transitions can be compared at once: by transitions alone."""

from __future__ import annotations

import logging

import numpy as np

from disco.catalogue import Rows
from disco.playlist.cost import PairwiseCost
from disco.playlist.sequence import lin_kernighan
from disco.playlist.sequence.constraints import PositionCosts
from disco.playlist.sequence.rules import Allows, Rules
from disco.playlist.sequence.wishes import WishTerms

log = logging.getLogger(__name__)


def more_than_transitions(
    start: Rows, rows: Rows, allows: Allows, position_costs: PositionCosts | None, wishes: WishTerms | None
) -> str:
    """What is asked for of an order that transitions alone do not give, in words; empty if nothing is.

    Parameters
    ----------
    start, rows, allows, position_costs, wishes
        As for `disco.playlist.sequence.order`.
    """
    if len(start):
        return "tracks before them"
    if isinstance(allows, Rules) and allows.artist_gap > 1:
        return "an artist gap above 1"
    if wishes is not None and not wishes.empty:
        return "wishes about groups of tracks"
    if position_costs is None:
        return ""
    if position_costs.constraints.randomness:
        return "randomness"
    priced = any(position_costs.at(position, rows[:1]) is not None for position in range(position_costs.total))
    return "costs of positions, such as an arc" if priced else ""


def order(
    rows: Rows, cost: PairwiseCost, allows: Allows, position_costs: PositionCosts | None, seconds: float | None = None
) -> Rows:
    """Play all rows once, in a cheap order; pinned ones are put to their positions among the others.

    Parameters
    ----------
    rows : ndarray of rows
    cost, allows, position_costs
        As for `disco.playlist.sequence.order`; of the last only pinned tracks are used.
    seconds : float, optional
        How long to search; by default as long as `lin_kernighan.usual_seconds` says.
    """
    pinned = {} if position_costs is None else position_costs.pinned
    inner = {position: row for position, row in pinned.items() if 0 < position < len(rows) - 1}
    free = rows[~np.isin(rows, list(inner.values()))]
    first, last = (int(np.searchsorted(free, pinned[end])) if end in pinned else None for end in (0, len(rows) - 1))
    seconds = lin_kernighan.usual_seconds(len(rows)) if seconds is None else seconds
    log.info("searching %.0f s for the order of %s tracks", seconds, f"{len(rows):,}")
    by_one = allows.same_artists(free) if isinstance(allows, Rules) and allows.artist_gap else []
    found = lin_kernighan.cheapest_order(
        len(free), lambda a, b: cost.between(free[a], free[b]), cost.points(free), seconds, (first, last), by_one
    )
    path = free[found].tolist()
    for position, row in sorted(inner.items()):
        path.insert(position, row)
    return np.array(path, dtype=np.intp)
