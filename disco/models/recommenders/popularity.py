"""The most frequent tracks of the training playlists: the baseline of every other recommender."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from disco.catalogue import Floats, Rows
from disco.models.recommenders.artifacts import Artifacts
from disco.models.recommenders.query import Query, Recommender
from disco.models.recommenders.scoring import Scored


def load(folder: Artifacts) -> Recommender:
    """Load a recommender of the most frequent tracks."""
    return by_counts(folder.card.name, folder.array("counts", len(folder.rows)).astype(np.float32), folder.rows)


def by_counts(name: str, counts: Floats, rows: Rows | None = None) -> Recommender:
    """A recommender that scores tracks by given counts, whatever the query.

    Parameters
    ----------
    name : str
    counts : ndarray, shape (tracks,)
        Number of training playlists with each track; minus infinity for tracks that are never recommended.
    rows : ndarray of rows, shape (tracks,), optional
        As in `top_n`.

    Examples
    --------
    >>> recommender = by_counts("popularity", np.array([1, 5, 3], dtype=np.float32))
    >>> recommender.recommend(Query(np.array([1])), 2).rows.tolist()
    [2, 0]
    """

    def score(queries: Sequence[Query]) -> Floats:
        return np.broadcast_to(counts, (len(queries), len(counts)))

    return Scored(name, len(counts), score, rows)
