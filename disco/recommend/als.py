"""Factors of the matrix of playlists and tracks; a new playlist's are found in one closed step.

Source: Hu, Koren and Volinsky (2008), "Collaborative filtering for implicit feedback datasets".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats
from disco.recommend.folder import Folder
from disco.recommend.top import VectorRecommender
from disco.recommend.types import Query, Recommender


@dataclass(frozen=True)
class Folding:
    """How a playlist's factors are found from its tracks.

    Attributes
    ----------
    confidence : float
        How much surer it is that a track of the playlist belongs there than that another does not, above 1.
    regularization : float
        Added to the diagonal: the higher, the shorter the factors of a short playlist.
    """

    confidence: float
    regularization: float


def folder_in(factors: Floats, how: Folding) -> Callable[[Sequence[NDArray[np.integer]]], Floats]:
    """From the numbers of seeds of several playlists to their factors, shape (playlists, d): NaN without a seed.

    With Y the factors of all tracks, S those of the seeds and c the confidence, a playlist's factors are
    (Y'Y + (c - 1) S'S + regularization I)^-1 c S'1: Y'Y is the same for all, and computed once.
    """
    d = factors.shape[1]
    whole = factors.T.astype(np.float64) @ factors + how.regularization * np.eye(d)

    def fold(playlists: Sequence[NDArray[np.integer]]) -> Floats:
        left, right = np.empty((len(playlists), d, d)), np.full((len(playlists), d, 1), np.nan)
        for i, seeds in enumerate(playlists):
            some = factors[np.unique(seeds)].astype(np.float64)
            left[i] = whole + (how.confidence - 1) * (some.T @ some)
            if len(some):
                right[i, :, 0] = how.confidence * some.sum(axis=0)
        return np.linalg.solve(left, right)[..., 0].astype(np.float32)

    return fold


def load(folder: Folder) -> Recommender:
    """A recommender by factors; of a query without a known seed it says nothing."""
    factors = folder.array("factors", len(folder.rows), None).astype(np.float32)
    fold = folder_in(factors, folder.parameters(Folding))

    def encode(queries: Sequence[Query]) -> Floats:
        return fold([folder.known(query.seeds) for query in queries])

    return VectorRecommender(folder.card.name, factors, encode, rows=folder.rows)
