"""Nearest tracks in the space of scaled features: what sounds like the seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from disco.catalogue import Floats
from disco.models.distance import block_distances, blocks, impute, workspace
from disco.models.recommenders.query import Candidates, Query


class Nearest:
    """For each seed its nearest tracks, and the nearest to all seeds together, in equal shares.

    Together means by the mean distance to all seeds. A candidate's score is minus the distance by which
    it was nearest to any of these.

    Parameters
    ----------
    space : ndarray, shape (n, d)
        Where the tracks lie; NaN where that is not known. Tracks of which nothing is known are no candidates.
    """

    name = "nearest"
    reads_titles = False
    gives_probabilities = False

    def __init__(self, space: Floats) -> None:
        self._columns, self._owed = impute(space)
        self._heard = np.asarray(~np.isnan(space).all(axis=1))

    def recommend(self, query: Query, n: int) -> Candidates:
        """At most n candidates, the shares of the anchors taken in turn; none if no seed has features."""
        seeds = query.seeds[self._heard[query.seeds]]
        if not len(seeds):
            return Candidates(np.empty(0, np.intp), np.empty(0, np.float32))
        allowed = self._heard.copy()
        if query.allowed is not None:
            allowed &= query.allowed
        allowed[query.seeds] = False
        pool = np.flatnonzero(allowed)
        every = len(pool) == len(allowed)
        columns = self._columns if every else np.ascontiguousarray(self._columns[:, pool])
        owed = self._owed if every or self._owed is None else self._owed[pool]
        anchors = [self._distances(columns, owed, seed) for seed in seeds]
        if len(anchors) > 1:
            anchors.append(np.mean(anchors, axis=0))
        closest = np.min(anchors, axis=0)
        chosen = np.arange(len(pool)) if len(pool) <= n else _round_robin(anchors, n)
        best_first = chosen[np.lexsort((chosen, closest[chosen]))]
        return Candidates(pool[best_first], -closest[best_first])

    def _distances(self, columns: Floats, owed: Floats | None, seed: int) -> Floats:
        """Distance of each column from a seed, shape (n,)."""
        out, work = np.empty(columns.shape[1], dtype=np.float32), workspace(columns)
        more = None if owed is None or self._owed is None else owed + self._owed[seed]
        for block in blocks(len(out)):
            some = None if more is None else more[block]
            block_distances(columns[:, block], self._columns[:, seed], out[block], work, some)
        return out

    def recommend_many(self, queries: Sequence[Query], n: int) -> list[Candidates]:
        """The same for each query, one by one: the anchors of one are no help to another."""
        return [self.recommend(query, n) for query in queries]


def _round_robin(anchors: list[Floats], n: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """The n positions that come first when every anchor names its nearest in turn."""
    lists = [_smallest(distance, n) for distance in anchors]
    turns = np.stack(lists, axis=1).ravel()
    _, first = np.unique(turns, return_index=True)
    return turns[np.sort(first)[:n]]


def _smallest(values: Floats, n: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Positions of the n smallest values, in order; among equals the lower position."""
    limit = np.partition(values, n - 1)[n - 1]
    low = np.flatnonzero(values <= limit)
    return np.asarray(low[np.argsort(values[low], kind="stable")[:n]])
