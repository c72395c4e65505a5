"""Sequences of so many tracks or minutes from a pool, and again with some of their tracks kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.arrays import among, without
from disco.errors import DiscoError
from disco.playlist.candidates import Pool
from disco.playlist.cost import FlowCost, PairwiseCost
from disco.playlist.sequence import BEAMS, SEQUENCERS, Constraints, PositionCosts, Rules
from disco.playlist.sequence.rules import NEIGHBOURS

# Assumed where a duration is unknown: the median of 380,000 tracks.
_USUAL_SECONDS = 215.0


@dataclass(frozen=True)
class Selector:
    """A sequencer with all that it needs but the number of tracks.

    Attributes
    ----------
    pool : Pool
    sequencer : str
        One of `SEQUENCERS`.
    cost : FlowCost or PairwiseCost
    rules : Rules
    width : int, optional
        Sequences that beam, path and walk keep side by side.
    relevance : float
        Cost of every hundredth place in the recommender's ranking of the candidates.
    """

    pool: Pool
    sequencer: str
    cost: FlowCost | PairwiseCost
    rules: Rules
    width: int | None = None
    relevance: float = 0.0

    @cached_property
    def rank_costs(self) -> Floats | None:
        """Cost of each track of the pool for its rank, shape (n,): 0 of the best and of those that are required."""
        pool = self.pool
        # An order plays all that it is given, the best candidates alone: what each costs changes nothing.
        if not self.relevance or self.sequencer == "order":
            return None
        required = set(pool.constraints.required)
        ranked = np.array([row for row in pool.ranked.tolist() if row not in required], dtype=np.intp)
        costs = np.zeros(len(pool.tracks), dtype=np.float32)
        costs[ranked] = self.relevance / 100 * np.arange(len(ranked))
        return costs

    def __call__(self, length: int, constraints: Constraints | None = None, candidates: Rows | None = None) -> Rows:
        """Rows of the start and of `length` tracks after it, or of fewer where the rules leave no more.

        Where the limit of tracks by one artist leaves fewer than there would be without it, a higher one holds.
        """
        constraints = self.pool.constraints if constraints is None else constraints
        candidates = self.pool.candidates if candidates is None else candidates
        found, limit = self._select(length, constraints, candidates, self.rules), self.rules.max_per_artist
        total = len(self.pool.start) + min(length, len(candidates))
        if not limit or len(found) >= total:
            return found
        unlimited = self._select(length, constraints, candidates, self.rules.with_limit(0))
        for more in range(limit + 1, NEIGHBOURS):
            if len(found) >= len(unlimited):
                break
            found = self._select(length, constraints, candidates, self.rules.with_limit(more))
        return found if len(found) >= len(unlimited) else unlimited

    def _select(self, length: int, constraints: Constraints, candidates: Rows, rules: Rules) -> Rows:
        pool, start = self.pool, self.pool.start
        if self.sequencer == "order":  # plays all that it is given: the best candidates alone
            ranked = pool.ranked[among(pool.ranked, candidates)]
            candidates = np.sort(rules.within_limit(ranked, start, length, constraints.required))
            length = len(candidates)
        sequence = SEQUENCERS[self.sequencer]
        if self.width is not None and self.sequencer in BEAMS:
            sequence = partial(BEAMS[self.sequencer], width=self.width)
        costs = self.position_costs(length, constraints)
        for position, row in costs.pinned.items():
            at_start = position < len(start)
            if at_start != (row < len(start)) or (at_start and start[position] != row):
                raise DiscoError(f"no track can be pinned to position {position + 1}: the seeds keep their positions")
        return sequence(start, candidates, length, self.cost, rules, costs)

    def position_costs(self, length: int, constraints: Constraints) -> PositionCosts:
        """Costs of tracks by position for so many tracks after the start."""
        total, whole = len(self.pool.start) + length, self.sequencer == "order"
        tracks, rule = self.pool.tracks, self.cost.mixing.keys
        opening = float(tracks.tempos[0]) if len(self.pool.start) else None
        fold = self.cost.mixing.folds
        return PositionCosts(tracks, total, constraints, rule, whole, self.rank_costs, opening, fold)


def fit_duration(select: Selector, minutes: float) -> tuple[Rows, int]:
    """Select tracks whose total duration comes as near as possible to so many minutes.

    Returns
    -------
    order : ndarray of rows
        The start and what follows it.
    length : int
        Number of tracks that should follow the start; more than do where the rules leave no more.
    """
    start, constraints, durations = len(select.pool.start), select.pool.constraints, seconds(select.pool.tracks)
    least = max((position + 1 - start for position, _ in constraints.pinned), default=1)
    order, length = _cut(select, durations, minutes * 60, start, least)
    if len(order) < start + length or (constraints == Constraints() and select.sequencer == "greedy"):
        return order, length
    # An arc or an end track must not be cut off: select again for this length, one less and one more.
    orders = [select(length)]
    for n in (length - 1, length + 1):
        try:
            orders += [select(n)] if n > 0 else []
        except DiscoError:  # a pinned position may not exist in a shorter sequence
            continue
    order = min(orders, key=lambda order: abs(float(durations[order].sum()) - minutes * 60))
    return order, len(order) - start


def replace_others(
    select: Selector, order: Rows, keep_positions: Sequence[int], length: int
) -> tuple[Rows, Constraints]:
    """Select again, with the tracks at some positions kept and those at the others excluded.

    Returns
    -------
    order : ndarray of rows
    constraints : Constraints
        With the kept tracks pinned.
    """
    if bad := [position for position in keep_positions if not 0 <= position < len(order)]:
        raise DiscoError(f"there is no position {bad[0] + 1} to keep in a playlist of {len(order)} tracks")
    start, constraints = len(select.pool.start), select.pool.constraints
    kept = {position: int(order[position]) for position in keep_positions if position >= start}
    excluded = without(order[start:], np.array(list(kept.values()), dtype=np.intp))
    constraints = replace(constraints, pinned=tuple({**dict(constraints.pinned), **kept}.items()))
    return select(length, constraints, without(select.pool.candidates, excluded)), constraints


def seconds(catalogue: Catalogue) -> Floats:
    """Durations in seconds, shape (n,); the usual one where unknown."""
    known = catalogue.numbers("duration_ms") / np.float32(1000)
    return np.asarray(np.nan_to_num(known, nan=_USUAL_SECONDS), dtype=np.float32)


def _cut(select: Callable[[int], Rows], durations: Floats, wanted: float, start: int, least: int) -> tuple[Rows, int]:
    """A sequence long enough, cut where it is nearest to the wanted seconds, and how many tracks follow the start."""
    length = max(1, least, math.ceil(wanted / _USUAL_SECONDS))
    while True:
        order = select(length)
        total = np.cumsum(durations[order])
        if total[-1] >= wanted or len(order) < start + length:
            break
        length *= 2
    if total[-1] < wanted:
        return order, length
    end = max(start, int(np.argmin(np.abs(total - wanted))) + 1)
    return order[:end], end - start
