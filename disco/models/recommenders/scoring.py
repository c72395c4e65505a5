"""From scores of every track to the top n candidates, exactly, for one query or many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats, Rows
from disco.catalogue.arrays import among
from disco.catalogue.table import Mask
from disco.models.recommenders.query import Candidates, Query

# Scores in memory at a time: 64 MB of float32.
_CELLS = 1 << 24
# Tracks in a group whose maximum is looked at first: 200,000 tracks leave 3,125 maxima.
_FOLD = 64


def top_n(
    scores: Floats, queries: Sequence[Query], n: int, known: Mask | None = None, rows: Rows | None = None
) -> list[Candidates]:
    """The n tracks with the highest scores for each query; equal scores by the lower row.

    Seeds, tracks that a query does not allow, and tracks with a score of NaN or minus infinity are left out.

    Parameters
    ----------
    scores : ndarray, shape (queries, tracks)
    known : mask, shape (tracks,), optional
        Tracks that may be recommended.
    rows : ndarray of rows, shape (tracks,), optional
        Unique row in the catalogue of each scored track, -1 for tracks that it does not have; by default the tracks
        are those of the catalogue.

    Examples
    --------
    >>> scores = np.array([[0.1, 0.9, 0.5, 0.9]], dtype=np.float32)
    >>> top_n(scores, [Query(np.array([3]))], 2)[0].rows.tolist()
    [1, 2]
    """
    if rows is not None and (rows < 0).any():
        known = rows >= 0 if known is None else known & (rows >= 0)
    masks: dict[int, Mask | None] = {id(None): known}  # queries of a batch often share their filter
    found = []
    for row, query in zip(scores, queries, strict=True):
        if id(query.allowed) not in masks and query.allowed is not None:
            allowed = query.allowed if rows is None else query.allowed[rows]
            masks[id(query.allowed)] = allowed if known is None else allowed & known
        open_to = masks[id(query.allowed)]
        values = row if open_to is None else np.where(open_to, row, np.float32(-np.inf))
        # More than n, so that n are left without the seeds.
        columns = top_n_indices(values, n + len(query.seeds), rows)
        row_of = columns if rows is None else rows[columns]
        kept = ~among(row_of, query.seeds)
        found.append(Candidates(row_of[kept][:n], np.asarray(values[columns][kept][:n], dtype=np.float32)))
    return found


def top_n_indices(values: Floats, n: int, rows: Rows | None = None) -> NDArray[np.intp]:
    """Positions of the n highest finite values, best first; equal values by the lower row.

    Examples
    --------
    >>> top_n_indices(np.array([1, 3, np.nan, 3, 2], dtype=np.float32), 3).tolist()
    [1, 3, 4]
    """
    positions = _highest(values, n, rows)
    ties = positions if rows is None else rows[positions]
    return np.asarray(positions[np.lexsort((ties, -values[positions]))], dtype=np.intp)


def _highest(values: Floats, n: int, rows: Rows | None) -> NDArray[np.intp]:
    """The same positions in any order."""
    positions = np.flatnonzero(values >= _bound(values, n))
    some = values[positions]
    if len(positions) > n:
        limit = np.partition(some, len(some) - n)[len(some) - n]
        above, equal = positions[some > limit], positions[some == limit]
        if rows is not None:
            equal = equal[np.argsort(rows[equal])]
        positions = np.concatenate([above, equal[: n - len(above)]])
    return positions


def _bound(values: Floats, n: int) -> np.float32:
    """A lower bound of the n-th highest value: the n-th highest of the maxima of groups."""
    fold = min(_FOLD, len(values) // max(4 * n, 1))
    lowest = np.float32(np.finfo(np.float32).min)
    if fold < 2:
        return lowest
    groups = len(values) // fold
    maxima = np.fmax.reduce(values[: groups * fold].reshape(fold, groups), axis=0)
    maxima = np.where(np.isnan(maxima), lowest, maxima)
    return max(np.float32(np.partition(maxima, groups - n)[groups - n]), lowest)


class TopOfParts:
    """The n highest of values that come part by part: what `top_n_indices` finds of all at once.

    Parameters
    ----------
    n : int

    Examples
    --------
    >>> top = TopOfParts(2)
    >>> for start, values in ((0, [1, 3]), (2, [3, 4])):
    ...     top.add(start, np.array(values, dtype=np.float32))
    >>> rows, values = top.best
    >>> rows.tolist(), values.tolist()
    ([3, 1], [4.0, 3.0])
    """

    def __init__(self, n: int) -> None:
        self._n = n
        # None lower is among the n highest.
        self.least = np.float32(np.finfo(np.float32).min)
        self._found: list[tuple[NDArray[np.intp], Floats]] = []
        self._waiting = 0

    def add(self, rows: int | Rows, values: Floats) -> None:
        """Look at the values of some rows: of those from a number on, after all lower ones, or of any."""
        # Those equal to the n-th come after it where their rows are higher. Before there are n, all count.
        after = isinstance(rows, int) and self._full
        above = np.flatnonzero(values > self.least if after else values >= self.least)
        if not len(above):
            return
        self._found.append((above + rows if isinstance(rows, int) else rows[above], values[above]))
        self._waiting += len(above)
        # Often at first, when each part has many that are higher than what came before.
        if self._waiting > max(self._n, 256):
            self._keep_best()

    @property
    def _full(self) -> bool:
        return bool(self._found) and len(self._found[0][0]) >= self._n

    def _keep_best(self) -> None:
        rows, values = (np.concatenate(parts) for parts in zip(*self._found, strict=True))
        best = _highest(values, self._n, rows)
        self._found = [(rows[best], values[best])]
        self._waiting = 0
        if self._full:
            self.least = values[best].min()

    @property
    def best(self) -> tuple[Rows, Floats]:
        """Rows and values of the n highest, best first."""
        if not self._found:
            return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.float32)
        self._keep_best()
        rows, values = self._found[0]
        order = np.lexsort((rows, -values))
        return rows[order], values[order]


@dataclass(frozen=True)
class Scored:
    """A recommender that scores every track.

    Attributes
    ----------
    name : str
    tracks : int
        Number of tracks that it scores.
    score : callable
        From queries to scores, shape (queries, tracks), higher is better; NaN or minus infinity for tracks without a
        score.
    rows : ndarray of rows, shape (tracks,), optional
        As in `top_n`.
    """

    name: str
    tracks: int
    score: Callable[[Sequence[Query]], Floats]
    rows: Rows | None = None
    reads_titles: bool = False
    gives_probabilities: bool = False

    def recommend(self, query: Query, n: int) -> Candidates:
        """At most n candidates."""
        return self.recommend_many([query], n)[0]

    def recommend_many(self, queries: Sequence[Query], n: int) -> list[Candidates]:
        """Candidates of each query, in batches of bounded memory."""
        found: list[Candidates] = []
        batch = max(1, _CELLS // max(self.tracks, 1))
        for start in range(0, len(queries), batch):
            some = queries[start : start + batch]
            found += top_n(self.score(some), some, n, rows=self.rows)
        return found


@dataclass(frozen=True)
class VectorRecommender:
    """A recommender that scores a track by its inner product with the query's vector, plus a bias.

    Attributes
    ----------
    name : str
    tracks : ndarray, shape (tracks, d)
        NaN for tracks that cannot be recommended.
    encode : callable
        From queries to vectors, shape (queries, d); NaN for queries without candidates.
    bias : ndarray, shape (tracks,), optional
    rows : ndarray of rows, shape (tracks,), optional
        As in `top_n`.
    """

    name: str
    tracks: Floats
    encode: Callable[[Sequence[Query]], Floats]
    bias: Floats | None = None
    rows: Rows | None = None
    reads_titles: bool = False
    gives_probabilities: bool = False

    def recommend(self, query: Query, n: int) -> Candidates:
        """At most n candidates."""
        return self._scored.recommend(query, n)

    def recommend_many(self, queries: Sequence[Query], n: int) -> list[Candidates]:
        """Candidates of each query, from one matrix product for many of them."""
        return self._scored.recommend_many(queries, n)

    def scores(self, queries: Sequence[Query]) -> Floats:
        """Scores of every track for each query, shape (queries, tracks)."""
        return self._scored.score(queries)

    @cached_property
    def _scored(self) -> Scored:
        columns = np.ascontiguousarray(self.tracks.T, dtype=np.float32)

        def score(queries: Sequence[Query]) -> Floats:
            scores = np.asarray(self.encode(queries), dtype=np.float32) @ columns
            if self.bias is not None:
                scores += self.bias
            return scores

        return Scored(self.name, len(self.tracks), score, self.rows, self.reads_titles, self.gives_probabilities)
