"""Weighted reciprocal rank fusion of several recommenders.

Source: Cormack, Clarke and Büttcher (2009), "Reciprocal Rank Fusion outperforms Condorcet and individual Rank
Learning Methods".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.errors import DataError, NotFoundError
from disco.models.distance import distances
from disco.models.recommenders.artifacts import Artifacts
from disco.models.recommenders.query import Candidates, Query, Recommender
from disco.models.recommenders.scoring import top_n_indices
from disco.models.scaler import imputed_features, scaler


@dataclass(frozen=True)
class BlendParams:
    """How ranks are fused.

    Attributes
    ----------
    depth : int
        Number of candidates of each recommender.
    offset : float
        A candidate at rank r, from 1, scores 1 / (offset + r).
    """

    depth: int
    offset: float


def fuse_ranks(answers: Sequence[Rows], weights: Sequence[float], params: BlendParams) -> tuple[Rows, Floats]:
    """Fuse lists of rows by weighted sums of reciprocal ranks.

    Returns
    -------
    rows, scores : ndarray
        Best first, equal scores by the lower row.

    Examples
    --------
    >>> lists = [np.array([7, 2]), np.array([2, 5])]
    >>> fuse_ranks(lists, [1.0, 1.0], BlendParams(depth=2, offset=0))[0].tolist()
    [2, 7, 5]
    """
    all_rows = np.concatenate([np.empty(0, dtype=np.intp), *answers])
    shares = [
        weight / (params.offset + 1 + np.arange(len(rows))) for rows, weight in zip(answers, weights, strict=True)
    ]
    rows, index = np.unique(all_rows, return_inverse=True)
    sums = np.bincount(index, np.concatenate([np.empty(0), *shares]), len(rows)).astype(np.float32)
    order = np.lexsort((rows, -sums))
    return rows[order], sums[order]


@dataclass(frozen=True)
class Blend:
    """Rank fusion of recommenders. Tracks that none of them returns follow, nearest in features first.

    Attributes
    ----------
    name : str
    parts : tuple of Recommender
    weights : tuple of float
    params : BlendParams
    features : ndarray, shape (n, 8)
        Scaled features of the catalogue, NaN where unknown.
    """

    name: str
    parts: tuple[Recommender, ...]
    weights: tuple[float, ...]
    params: BlendParams
    features: Floats
    gives_probabilities: bool = False

    @property
    def reads_titles(self) -> bool:
        """Whether a part reads titles."""
        return any(part.reads_titles for part in self.parts)

    def recommend(self, query: Query, n: int) -> Candidates:
        """At most n candidates; none if no part returns one and no seed has features."""
        return self.recommend_many([query], n)[0]

    def recommend_many(self, queries: Sequence[Query], n: int) -> list[Candidates]:
        """Candidates of each query; each part gets all queries at once."""
        depth = max(n, self.params.depth)
        of_parts = [part.recommend_many(queries, depth) for part in self.parts]
        return [self._answer(query, [answers[i].rows for answers in of_parts], n) for i, query in enumerate(queries)]

    def _answer(self, query: Query, answers: list[Rows], n: int) -> Candidates:
        rows, sums = fuse_ranks(answers, self.weights, self.params)
        if len(rows) < n:
            fallback = nearest_by_features(query, self.features, rows, n - len(rows))
            # Scores between the last fused one and 0 keep these tracks below the others, nearest first.
            last = float(sums[-1]) if len(sums) else 1.0
            sums = np.concatenate([sums, last * np.linspace(0.999, 0, len(fallback), dtype=np.float32)])
            rows = np.concatenate([rows, fallback])
        return Candidates(rows[:n], sums[:n].astype(np.float32))


def nearest_by_features(query: Query, features: Floats, taken: NDArray[np.intp], n: int) -> Rows:
    """The n tracks nearest to the mean of the seeds, except those taken; none if no seed has features."""
    seeds = features[query.seeds]
    seeds = seeds[~np.isnan(seeds).any(axis=1)]
    if not len(seeds):
        return np.empty(0, dtype=np.intp)
    near = -distances(features.T, seeds.mean(axis=0))
    near[query.seeds] = near[taken] = np.nan
    if query.allowed is not None:
        near[~query.allowed] = np.nan
    return top_n_indices(near, n)


def load(folder: Artifacts, load_part: Callable[[str, Catalogue], Recommender]) -> Recommender:
    """Load a blend of the recommenders that its card names.

    Raises
    ------
    DataError
        If a recommender is missing, invalid or a blend itself.
    """
    card, named = folder.card, folder.card["parts"]
    weights = list(named.values())
    if not weights or any(isinstance(weight, dict) for weight in weights):
        raise DataError(card.path, "names no recommenders with weights above 0")
    parts = []
    for name in named:
        try:
            parts.append(load_part(name, folder.catalogue))
        except NotFoundError:
            raise DataError(
                card.folder, f"blends {name}, which no longer exists; train it, and {card.name} again"
            ) from None
        if isinstance(parts[-1], Blend):
            raise DataError(card.path, f"blends {name}, which is a blend itself")
    features = imputed_features(folder.catalogue, scaler())
    return Blend(card.name, tuple(parts), tuple(weights), folder.parameters(BlendParams), features)
