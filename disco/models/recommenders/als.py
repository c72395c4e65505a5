"""Alternating least squares: a new playlist's factors are folded in with one linear solve.

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

# Unique numbers of the items of a playlist, and the confidence in each.
WeightedItems = tuple[NDArray[np.integer], NDArray[np.floating]]


@dataclass(frozen=True)
class AlsParams:
    """How a playlist is folded in.

    Attributes
    ----------
    confidence : float
        Weight of a track in the playlist relative to one outside it, above 1 (alpha in the paper).
    regularization : float
        Added to the diagonal; higher values shrink the factors of short playlists.
    """

    confidence: float
    regularization: float


def fold_in(factors: Floats, params: AlsParams) -> Callable[[Sequence[NDArray[np.integer]]], Floats]:
    """A function from the track numbers of playlists to their factors, (playlists, d); NaN without a track."""
    solve = factor_solver(factors, params.regularization)

    def fold(playlists: Sequence[NDArray[np.integer]]) -> Floats:
        each = [np.unique(seeds) for seeds in playlists]
        return solve([(seeds, np.full(len(seeds), params.confidence)) for seeds in each])

    return fold


def factor_solver(factors: Floats, regularization: float) -> Callable[[Sequence[WeightedItems]], Floats]:
    """A function from the items of several playlists to their factors, shape (playlists, d); NaN for an empty one.

    With Y the factors of all items, S those of a playlist's items and C the diagonal matrix of their confidences, its
    factors are (Y'Y + S'(C - I)S + regularization I)^-1 S'C1 (Hu et al. 2008, equation 4); Y'Y is computed once.
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
    """Load a recommender by factors; a query without a known seed has no candidates."""
    factors = folder.array("factors", len(folder.rows), None).astype(np.float32)
    fold = fold_in(factors, folder.parameters(AlsParams))

    def encode(queries: Sequence[Query]) -> Floats:
        return fold([folder.known(query.seeds) for query in queries])

    return VectorRecommender(folder.card.name, factors, encode, rows=folder.rows)
