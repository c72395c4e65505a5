"""Tracks that stand in playlists with the seeds: each seed names its nearest tracks, and their shares add up.

Sources: Sarwar et al. (2001), "Item-based collaborative filtering recommendation algorithms"; how co-occurrence is
normalised, `disco.training.neighbours` says.
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
    """How the seeds' neighbours are added up.

    Attributes
    ----------
    power : float
        A similarity counts to this power.
    popularity_prior : float
        What the most popular track counts: it orders the tracks that no seed names.
    """

    power: float
    popularity_prior: float


def track_scores(near: Sparse, counts: Floats, how: ItemKnnParams) -> Callable[[NDArray[np.integer]], Floats]:
    """From the numbers of seeds to scores, shape (tracks,): NaN without a seed.

    Parameters
    ----------
    near : Sparse, shape (tracks, tracks)
        Similarity of each track to its nearest.
    counts : ndarray, shape (tracks,)
        In how many training playlists each track is.
    """
    raised = Sparse(near.starts, near.columns, near.weights**how.power, near.width)
    popularity_prior = (how.popularity_prior * counts / counts.max(initial=1)).astype(np.float32)

    def score(seeds: NDArray[np.integer]) -> Floats:
        if not len(seeds):
            return np.full(near.width, np.nan, dtype=np.float32)
        seeds = np.unique(seeds)
        near_them = raised.combined(seeds, np.full(len(seeds), 1 / len(seeds), dtype=np.float32))
        return np.asarray(near_them + popularity_prior, dtype=np.float32)

    return score


def load(folder: Artifacts) -> Recommender:
    """A recommender by neighbouring tracks; of a query without a known seed it says nothing."""
    tracks = len(folder.rows)
    counts = folder.array("counts", tracks).astype(np.float32)
    score = track_scores(folder.sparse("near", tracks, tracks), counts, folder.parameters(ItemKnnParams))

    def scores(queries: Sequence[Query]) -> Floats:
        return np.stack([score(folder.known(query.seeds)) for query in queries])

    return Scored(folder.card.name, tracks, scores, folder.rows)
