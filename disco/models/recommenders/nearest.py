"""Nearest neighbours of the seeds in the space of scaled features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from disco.catalogue import Floats
from disco.models.distance import block_distances, blocks, impute, workspace
from disco.models.recommenders.query import Candidates, Query


class Nearest:
    """The nearest tracks of each seed and of all seeds together (by mean distance), in equal shares.

    A candidate's score is minus its smallest distance to any of these anchors.

    Parameters
    ----------
    embeddings : ndarray, shape (n, d)
        Position of each track; NaN where a component is unknown. Tracks of which all are unknown are no candidates.

    Examples
    --------
    >>> points = np.array([[0, 0], [1, 0], [3, 0], [np.nan, np.nan]], dtype=np.float32)
    >>> Nearest(points).recommend(Query(np.array([0])), 5)
    Candidates(rows=array([1, 2]), scores=array([-1., -3.], dtype=float32))
    """

    name = "nearest"
    reads_titles = False
    gives_probabilities = False

    def __init__(self, embeddings: Floats) -> None:
        self._columns, self._missing_variance = impute(embeddings)
        self._known = np.asarray(~np.isnan(embeddings).all(axis=1))

    def recommend(self, query: Query, n: int) -> Candidates:
        """At most n candidates, taken from the anchors in turn; none if no seed has features."""
        seeds = query.seeds[self._known[query.seeds]]
        if not len(seeds):
            return Candidates(np.empty(0, np.intp), np.empty(0, np.float32))
        allowed = self._known.copy()
        if query.allowed is not None:
            allowed &= query.allowed
        allowed[query.seeds] = False
        pool = np.flatnonzero(allowed)
        every = len(pool) == len(allowed)
        columns = self._columns if every else np.ascontiguousarray(self._columns[:, pool])
        variance = self._missing_variance if every or self._missing_variance is None else self._missing_variance[pool]
        anchors = [self._distances(columns, variance, seed) for seed in seeds]
        if len(anchors) > 1:
            anchors.append(np.mean(anchors, axis=0))
        closest = np.min(anchors, axis=0)
        chosen = np.arange(len(pool)) if len(pool) <= n else _round_robin(anchors, n)
        best_first = chosen[np.lexsort((chosen, closest[chosen]))]
        return Candidates(pool[best_first], -closest[best_first])

    def _distances(self, columns: Floats, variance: Floats | None, seed: int) -> Floats:
        """Distance of each column from a seed, shape (n,)."""
        out, work = np.empty(columns.shape[1], dtype=np.float32), workspace(columns)
        total = None
        if variance is not None and self._missing_variance is not None:
            total = variance + self._missing_variance[seed]
        for block in blocks(len(out)):
            some = None if total is None else total[block]
            block_distances(columns[:, block], self._columns[:, seed], out[block], work, some)
        return out

    def recommend_many(self, queries: Sequence[Query], n: int) -> list[Candidates]:
        """Candidates of each query, one by one: queries share no work."""
        return [self.recommend(query, n) for query in queries]


def _round_robin(anchors: list[Floats], n: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """The first n positions when each anchor in turn adds its nearest."""
    lists = [_smallest(distance, n) for distance in anchors]
    merged = np.stack(lists, axis=1).ravel()
    _, first = np.unique(merged, return_index=True)
    return merged[np.sort(first)[:n]]


def _smallest(values: Floats, n: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Positions of the n smallest values, in order; among equals the lower position."""
    limit = np.partition(values, n - 1)[n - 1]
    low = np.flatnonzero(values <= limit)
    return np.asarray(low[np.argsort(values[low], kind="stable")[:n]])
