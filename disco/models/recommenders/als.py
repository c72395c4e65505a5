"""Factors of the matrix of playlists and tracks; a new playlist's are found in one closed step.

Source: Hu, Koren and Volinsky (2008), "Collaborative filtering for implicit feedback datasets".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats
from disco.models.recommenders.artifacts import Artifacts
from disco.models.recommenders.query import Query, Recommender
from disco.models.recommenders.scoring import VectorRecommender

# What a playlist holds, by number and each once, and the confidence in each.
WeightedItems = tuple[NDArray[np.integer], NDArray[np.floating]]


@dataclass(frozen=True)
class AlsParams:
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


def fold_in(factors: Floats, how: AlsParams) -> Callable[[Sequence[NDArray[np.integer]]], Floats]:
    """From the numbers of seeds of several playlists to their factors, shape (playlists, d): NaN without a seed."""
    solve = factor_solver(factors, how.regularization)

    def fold(playlists: Sequence[NDArray[np.integer]]) -> Floats:
        each = [np.unique(seeds) for seeds in playlists]
        return solve([(seeds, np.full(len(seeds), how.confidence)) for seeds in each])

    return fold


def factor_solver(factors: Floats, regularization: float) -> Callable[[Sequence[WeightedItems]], Floats]:
    """From what several playlists hold to their factors, shape (playlists, d): NaN where one holds nothing.

    With Y the factors of all, S those of what is held and C the confidences in it on a diagonal, a playlist's factors
    are (Y'Y + S'(C - I)S + regularization I)^-1 S'C1: Y'Y is the same for all, and computed once.
    """
    d = factors.shape[1]
    whole = factors.T.astype(np.float64) @ factors + regularization * np.eye(d)

    def solve(playlists: Sequence[WeightedItems]) -> Floats:
        left, right = np.empty((len(playlists), d, d)), np.full((len(playlists), d, 1), np.nan)
        for i, (numbers, confidences) in enumerate(playlists):
            some = factors[numbers].astype(np.float64)
            left[i] = whole + (some.T * (confidences - 1)) @ some
            if len(some):
                right[i, :, 0] = confidences @ some
        return np.linalg.solve(left, right)[..., 0].astype(np.float32)

    return solve


def load(folder: Artifacts) -> Recommender:
    """A recommender by factors; of a query without a known seed it says nothing."""
    factors = folder.array("factors", len(folder.rows), None).astype(np.float32)
    fold = fold_in(factors, folder.parameters(AlsParams))

    def encode(queries: Sequence[Query]) -> Floats:
        return fold([folder.known(query.seeds) for query in queries])

    return VectorRecommender(folder.card.name, factors, encode, rows=folder.rows)
