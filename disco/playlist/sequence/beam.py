"""Beam search: several sequences are extended side by side, and the cheapest are kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats, Rows
from disco.catalogue.arrays import among
from disco.playlist.sequence.constraints import PositionCosts
from disco.playlist.sequence.greedy import cheapest_first, fits, in_order, priced
from disco.playlist.sequence.rules import Allows, Rules
from disco.playlist.transition_cost import TransitionCost

# For 200 playlists of 20 tracks from 400 candidates this takes 8 times as long as `greedy`; twice the width lowers
# the cost by less than another 1 % (benchmarks/order.py).
WIDTH = 16
# Gains nothing any more (benchmarks/order.py), and takes 60 times as long.
MOST_WIDTH = 1000
# Weight of the lookahead cost for each position still to fill. The best of 0.1, 0.25, 0.5 and 1 for `rank`, the
# default predictor (docs/research/experiments.md).
ADVANCE = 0.25
# The lookahead cost needs all transitions within the pool; for more tracks than this it is not worth the time.
FEW = 2000


def beam(
    start: Rows,
    pool: Rows,
    length: int,
    cost: TransitionCost,
    allows: Allows,
    position_costs: PositionCosts | None = None,
    width: int = WIDTH,
) -> Rows:
    """Find a cheap sequence by beam search; it never costs more than the sequence of `greedy`.

    At every step the `width` cheapest partial sequences are kept, only one of those that end in the same track while
    there are enough others. They are ranked by their cost so far plus a lookahead: a share of the mean cost of the
    cheapest transitions from their last track, for each position still to fill. A sequence of full length beats any
    shorter one. Width 1 is `greedy`, without lookahead.

    Parameters
    ----------
    start, pool, length, cost, allows, position_costs
        As for `greedy`.
    width : int
        Sequences that are kept at every step, at least 1.

    Returns
    -------
    ndarray of rows
        The start and what follows it.
    """
    pool = in_order(pool, position_costs)
    found = [search(start, pool, length, cost, allows, position_costs, 1)]
    if width > 1:
        advance = np.float32(ADVANCE) * cost.lookahead_cost(pool) if 1 < len(pool) <= FEW else None
        found.append(search(start, pool, length, cost, allows, position_costs, width, advance))
    return min(found, key=lambda each: (-len(each[0]), each[1]))[0]


def search(
    start: Rows,
    pool: Rows,
    length: int,
    cost: TransitionCost,
    allows: Allows,
    position_costs: PositionCosts | None,
    width: int,
    advance: Floats | None = None,
) -> tuple[Rows, float]:
    """Find the cheapest sequence of a beam search, and its cost with position costs and noise.

    Parameters
    ----------
    pool : ndarray of rows
        Ascending, without pinned tracks.
    advance : ndarray, shape (n,), optional
        Lookahead cost of each of the pool for each position still to fill. Ties go to the sequence that is cheaper so
        far, then to the lower row.
    """
    paths = [[int(row) for row in start]]
    # In double precision different costs stay different whatever they are added to.
    paid = np.zeros(1)
    state = cost.start(start)
    played = among(pool, start)[None, :]
    total = len(start) + length
    for position in range(len(start), total):
        held = None if position_costs is None else position_costs.pinned.get(position)
        options = pool if held is None else np.array([held], dtype=np.intp)
        totals = paid[:, None] + priced(cost.costs(state, options), options, position, position_costs)
        if held is None:
            totals[played] = np.inf
        scores = totals if held is not None or advance is None else totals + (total - position - 1) * advance
        check = None if held is not None else allows
        parents, picks = _best(scores, paths, options, width, check, position_costs)
        if not parents:
            break
        rows = options[picks]
        paid = totals[parents, picks]
        paths = [[*paths[parent], int(row)] for parent, row in zip(parents, rows, strict=True)]
        played = played[parents]
        if held is None:
            played[np.arange(len(picks)), picks] = True
        state = cost.step(state, np.array(parents), rows)
    best = int(paid.argmin())
    return np.array(paths[best], dtype=np.intp), float(paid[best])


def _best(
    scores: NDArray[np.float64],
    paths: list[list[int]],
    options: Rows,
    width: int,
    allows: Allows | None,
    position_costs: PositionCosts | None,
) -> tuple[list[int], list[int]]:
    """Beams and options to keep, best first: each option once, and more often only if there are too few.

    Of sequences of the same tracks with the same last track only the best is kept even then.
    """
    chosen: list[tuple[int, int]] = []
    pinned = position_costs is not None and position_costs.pinned
    after: dict[int, Callable[[int], bool]] = {}

    def may(parent: int, pick: int) -> bool:
        if allows is None:
            return True
        if pinned or not isinstance(allows, Rules):
            return fits(paths[parent], int(options[pick]), allows, position_costs)
        if parent not in after:
            after[parent] = allows.after(paths[parent])
        return after[parent](int(options[pick]))

    left = scores.copy()
    taken: set[int] = set()
    for i in cheapest_first(left.ravel()):
        parent, pick = divmod(i, len(options))
        if not np.isfinite(scores[parent, pick]) or len(chosen) == width:
            break
        if pick not in taken and may(parent, pick):
            chosen.append((parent, pick))
            taken.add(pick)
            left[:, pick] = np.inf  # not to be tried for other beams
    if len(chosen) < width and len(paths) > 1:
        sets = [frozenset(path) for path in paths]
        seen = {(sets[parent], pick) for parent, pick in chosen}
        for i in cheapest_first(scores.flatten()):
            parent, pick = divmod(i, len(options))
            if not np.isfinite(scores[parent, pick]) or len(chosen) == width:
                break
            if (sets[parent], pick) not in seen and may(parent, pick):
                chosen.append((parent, pick))
                seen.add((sets[parent], pick))
        chosen.sort(key=lambda each: (scores[each], each))
    return [parent for parent, _ in chosen], [pick for _, pick in chosen]
