"""Item-based neighbours: the similarities of the seeds' nearest tracks are added up.

Source: Sarwar et al. (2001), "Item-based collaborative filtering recommendation algorithms".
`disco.training.neighbours` computes the similarities from co-occurrence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats
from disco.models.recommenders.artifacts import Artifacts
from disco.models.recommenders.query import Query, Recommender
from disco.models.recommenders.scoring import Scored
from disco.models.recommenders.sparse import Sparse


@dataclass(frozen=True)
class ItemKnnParams:
    """How similarities are added up.

    Attributes
    ----------
    power : float
        Exponent of each similarity.
    popularity_prior : float
        Score of the most popular track, the others in proportion: it orders tracks without a similar seed.
    """

    power: float
    popularity_prior: float


def track_scores(near: Sparse, counts: Floats, params: ItemKnnParams) -> Callable[[NDArray[np.integer]], Floats]:
    """A function from the numbers of seeds to scores, shape (tracks,); NaN without a seed.

    Parameters
    ----------
    near : Sparse, shape (tracks, tracks)
        Similarity of each track to its nearest.
    counts : ndarray, shape (tracks,)
        Number of training playlists with each track.
    """
    raised = Sparse(near.starts, near.columns, near.weights**params.power, near.width)
    popularity_prior = (params.popularity_prior * counts / counts.max(initial=1)).astype(np.float32)

    def score(seeds: NDArray[np.integer]) -> Floats:
        if not len(seeds):
            return np.full(near.width, np.nan, dtype=np.float32)
        seeds = np.unique(seeds)
        similarity = raised.combined(seeds, np.full(len(seeds), 1 / len(seeds), dtype=np.float32))
        return np.asarray(similarity + popularity_prior, dtype=np.float32)

    return score


def load(folder: Artifacts) -> Recommender:
    """Load a recommender by neighbouring tracks; a query without a known seed has no candidates."""
    tracks = len(folder.rows)
    counts = folder.array("counts", tracks).astype(np.float32)
    score = track_scores(folder.sparse("near", tracks, tracks), counts, folder.parameters(ItemKnnParams))

    def scores(queries: Sequence[Query]) -> Floats:
        return np.stack([score(folder.known(query.seeds)) for query in queries])

    return Scored(folder.card.name, tracks, scores, folder.rows)
