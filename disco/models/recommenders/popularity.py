"""Most frequent tracks of the training playlists, whoever asks: what everything else must beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from disco.catalogue import Floats, Rows
from disco.models.recommenders.artifacts import Artifacts
from disco.models.recommenders.query import Query, Recommender
from disco.models.recommenders.scoring import Scored


def load(folder: Artifacts) -> Recommender:
    """The most frequent of the vocabulary."""
    return by_counts(folder.card.name, folder.array("counts", len(folder.rows)).astype(np.float32), folder.rows)


def by_counts(name: str, counts: Floats, rows: Rows | None = None) -> Recommender:
    """A track's score is in how many training playlists it is, shape (tracks,); seeds and title change nothing.

    Minus infinity is the score of tracks that are not recommended; `rows` as `top_n` has them.
    """

    def score(queries: Sequence[Query]) -> Floats:
        return np.broadcast_to(counts, (len(queries), len(counts)))

    return Scored(name, len(counts), score, rows)
