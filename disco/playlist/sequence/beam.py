"""Several sequences side by side, of which the cheapest go on: a choice that pays off later is not lost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats, Rows
from disco.playlist.cost import Transition
from disco.playlist.sequence.constraints import PositionCosts
from disco.playlist.sequence.greedy import cheapest_first, fits, in_order, priced
from disco.playlist.sequence.rules import Allows

# Of 200 playlists of 20 from 400 real candidates it takes eight times as long as `greedy`; twice as wide saves less
# than another hundredth of the cost (benchmarks/order.py).
WIDTH = 16
# How much of what may follow a track is paid in advance, for each place to come. Of 0.1, 0.25, 0.5 and 1 the best for
# `rank`, the default predictor (docs/research/experiments.md).
_ADVANCE = 0.25
# What may follow is told from a table of all joins in the pool, which takes longer than it is worth for more tracks.
_FEW = 2000


def beam(
    start: Rows,
    pool: Rows,
    length: int,
    cost: Transition,
    allows: Allows,
    places: PositionCosts | None = None,
    width: int = WIDTH,
) -> Rows:
    """The cheapest sequence of those that were among the `width` best at every step, and never worse than `greedy`'s.

    Of sequences that end in the same track the best alone goes on, as long as there are others: so they lead to
    different places, instead of to one by many ways. Best is what has cost least so far and ends among tracks that
    go well with it: a part of what its cheapest joins cost is paid in advance for each place to come. A sequence that
    goes to the end is better than any that does not. Of width 1 it is `greedy`, which pays nothing in advance.

    Parameters
    ----------
    start, pool, length, cost, allows, places
        As for `greedy`.
    width : int
        Sequences that go on, at least 1.

    Returns
    -------
    ndarray of rows
        The start and what follows it.
    """
    pool = in_order(pool, places)
    found = [search(start, pool, length, cost, allows, places, 1)]
    if width > 1:
        advance = np.float32(_ADVANCE) * cost.ahead(pool) if 1 < len(pool) <= _FEW else None
        found.append(search(start, pool, length, cost, allows, places, width, advance))
    return min(found, key=lambda each: (-len(each[0]), each[1]))[0]


def search(
    start: Rows,
    pool: Rows,
    length: int,
    cost: Transition,
    allows: Allows,
    places: PositionCosts | None,
    width: int,
    advance: Floats | None = None,
) -> tuple[Rows, float]:
    """The cheapest sequence that a beam comes to, and what it costs with its prices and noise.

    Parameters
    ----------
    pool : ndarray of rows
        In order, without those that are held for places.
    advance : ndarray, shape (n,), optional
        What each of the pool has to pay in advance for each place to come. Ties go to the cheaper sequence so far,
        then to the lower row.
    """
    paths = [[int(row) for row in start]]
    # Double precision, in which costs that differ stay different however much has been paid before.
    paid = np.zeros(1)
    state = cost.start(start)
    played = np.isin(pool, start)[None, :]
    total = len(start) + length
    for place in range(len(start), total):
        held = None if places is None else places.held.get(place)
        options = pool if held is None else np.array([held], dtype=np.intp)
        totals = paid[:, None] + priced(cost.costs(state, options), options, place, places)
        if held is None:
            totals[played] = np.inf
        scores = totals if held is not None or advance is None else totals + (total - place - 1) * advance
        check = None if held is not None else allows
        parents, picks = _best(scores, paths, options, width, check, places)
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
    places: PositionCosts | None,
) -> tuple[list[int], list[int]]:
    """Beams and options that go on, best first: each option once, and only if these are too few again.

    Of sequences of the same tracks that end in the same one the best alone goes on even then.
    """
    chosen: list[tuple[int, int]] = []

    def may(parent: int, pick: int) -> bool:
        return allows is None or fits(paths[parent], int(options[pick]), allows, places)

    left = scores.copy()
    taken: set[int] = set()
    for i in cheapest_first(left.ravel()):
        parent, pick = divmod(i, len(options))
        if not np.isfinite(scores[parent, pick]) or len(chosen) == width:
            break
        if pick not in taken and may(parent, pick):
            chosen.append((parent, pick))
            taken.add(pick)
            left[:, pick] = np.inf  # so that the others need not be looked at
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
