"""The best of very many, exactly: from scores to candidates, for one query or a thousand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats, Rows
from disco.catalogue.table import Mask
from disco.models.recommenders.query import Candidates, Query

# Scores held at a time: 64 MB of float32.
_CELLS = 1 << 24
# Tracks of which only the best is looked at first: of 200,000 that leaves 3,125, of which 500 are found at once.
_FOLD = 64


def top_n(
    scores: Floats, queries: Sequence[Query], n: int, known: Mask | None = None, rows: Rows | None = None
) -> list[Candidates]:
    """The n tracks with the highest scores for each query, exactly; ties go to the lower row.

    Seeds, tracks that a query does not allow and scores of NaN or minus infinity are left out before the ranking.

    Parameters
    ----------
    scores : ndarray, shape (queries, tracks)
    known : mask, shape (tracks,), optional
        Tracks that can be recommended at all.
    rows : ndarray of rows, shape (tracks,), optional
        Row in the catalogue of each track that has scores, each once, -1 for those that it lacks; by default the
        tracks are the catalogue's own.
    """
    if rows is not None and (rows < 0).any():
        known = rows >= 0 if known is None else known & (rows >= 0)
    masks: dict[int, Mask | None] = {id(None): known}  # queries of one batch often share their filter
    found = []
    for row, query in zip(scores, queries, strict=True):
        if id(query.allowed) not in masks and query.allowed is not None:
            allowed = query.allowed if rows is None else query.allowed[rows]
            masks[id(query.allowed)] = allowed if known is None else allowed & known
        open_to = masks[id(query.allowed)]
        values = row if open_to is None else np.where(open_to, row, np.float32(-np.inf))
        # So many more that the seeds can be taken out afterwards.
        columns = top_n_indices(values, n + len(query.seeds), rows)
        named = columns if rows is None else rows[columns]
        new = ~np.isin(named, query.seeds)
        found.append(Candidates(named[new][:n], np.asarray(values[columns][new][:n], dtype=np.float32)))
    return found


def top_n_indices(values: Floats, n: int, rows: Rows | None = None) -> NDArray[np.intp]:
    """Places of the n highest finite values, best first; among equals those of the lower row first."""
    places = np.flatnonzero(values >= _bound(values, n))
    some = values[places]
    if len(places) > n:
        limit = np.partition(some, len(some) - n)[len(some) - n]
        above, equal = places[some > limit], places[some == limit]
        if rows is not None:
            equal = equal[np.argsort(rows[equal])]
        places = np.concatenate([above, equal[: n - len(above)]])
        some = values[places]
    ties = places if rows is None else rows[places]
    return np.asarray(places[np.lexsort((ties, -some))], dtype=np.intp)


def _bound(values: Floats, n: int) -> np.float32:
    """A value that at least n reach, and not many more; the least there is where fewer than n are finite.

    The values are taken in groups, and n groups have a value as high as the n-th best of the groups' highest.
    """
    fold = min(_FOLD, len(values) // max(4 * n, 1))
    lowest = np.float32(np.finfo(np.float32).min)
    if fold < 2:
        return lowest
    groups = len(values) // fold
    maxima = np.fmax.reduce(values[: groups * fold].reshape(fold, groups), axis=0)
    maxima = np.where(np.isnan(maxima), lowest, maxima)
    return max(np.float32(np.partition(maxima, groups - n)[groups - n]), lowest)


@dataclass(frozen=True)
class Scored:
    """A recommender that has a score for every track.

    Attributes
    ----------
    name : str
    tracks : int
        How many tracks it scores.
    score : callable
        From queries to scores, shape (queries, tracks), higher is better; NaN or minus infinity for tracks, or for
        all tracks of a query, that nothing can be said of.
    rows : ndarray of rows, shape (tracks,), optional
        As `top_n` has it: where the tracks are in the catalogue.
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
        """The same for each query, some at a time, so that memory stays bounded."""
        found: list[Candidates] = []
        at_a_time = max(1, _CELLS // max(self.tracks, 1))
        for start in range(0, len(queries), at_a_time):
            some = queries[start : start + at_a_time]
            found += top_n(self.score(some), some, n, rows=self.rows)
        return found


@dataclass(frozen=True)
class VectorRecommender:
    """A recommender that turns a query into a vector: a track's score is its inner product with that, plus a bias.

    Attributes
    ----------
    name : str
    tracks : ndarray, shape (tracks, d)
        NaN for tracks that cannot be recommended.
    encode : callable
        From queries to vectors, shape (queries, d); NaN where nothing can be said.
    bias : ndarray, shape (tracks,), optional
    rows : ndarray of rows, shape (tracks,), optional
        As `top_n` has it: where the tracks are in the catalogue.
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
        """The same for each query: one product of matrices for many of them."""
        return self._scored.recommend_many(queries, n)

    def scores(self, queries: Sequence[Query]) -> Floats:
        """The score of every track for each query, shape (queries, tracks)."""
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
