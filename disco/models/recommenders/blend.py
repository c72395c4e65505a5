"""Several recommenders at once: the places that each gives a track are added up, by weights.

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
    """How places are added up.

    Attributes
    ----------
    depth : int
        Candidates of each recommender.
    offset : float
        A candidate at place r, from 1, counts 1 / (offset + r).
    """

    depth: int
    offset: float


def fuse_ranks(answers: Sequence[Rows], weights: Sequence[float], how: BlendParams) -> tuple[Rows, Floats]:
    """Rows that any answer names, best first, ties to the lower row; and the weighted sums of reciprocal places."""
    named = np.concatenate([np.empty(0, dtype=np.intp), *answers])
    counted = [
        weight / (how.offset + 1 + np.arange(len(rows))) for rows, weight in zip(answers, weights, strict=True)
    ]
    rows, place = np.unique(named, return_inverse=True)
    sums = np.bincount(place, np.concatenate([np.empty(0), *counted]), len(rows)).astype(np.float32)
    order = np.lexsort((rows, -sums))
    return rows[order], sums[order]


@dataclass(frozen=True)
class Blend:
    """The blend of some recommenders; what none of them knows comes fallback, by its sound.

    Attributes
    ----------
    name : str
    parts : tuple of Recommender
    weights : tuple of float
    how : BlendParams
    sound : ndarray, shape (n, 8)
        Scaled features of the catalogue, NaN where unknown.
    """

    name: str
    parts: tuple[Recommender, ...]
    weights: tuple[float, ...]
    how: BlendParams
    sound: Floats
    gives_probabilities: bool = False

    @property
    def reads_titles(self) -> bool:
        """Whether one of the parts does."""
        return any(part.reads_titles for part in self.parts)

    def recommend(self, query: Query, n: int) -> Candidates:
        """At most n candidates; none if no part has one and no seed has features."""
        return self.recommend_many([query], n)[0]

    def recommend_many(self, queries: Sequence[Query], n: int) -> list[Candidates]:
        """The same for each query; the parts are asked for all together."""
        depth = max(n, self.how.depth)
        of_parts = [part.recommend_many(queries, depth) for part in self.parts]
        return [self._answer(query, [answers[i].rows for answers in of_parts], n) for i, query in enumerate(queries)]

    def _answer(self, query: Query, answers: list[Rows], n: int) -> Candidates:
        rows, sums = fuse_ranks(answers, self.weights, self.how)
        if len(rows) < n:
            fallback = nearest_by_features(query, self.sound, rows, n - len(rows))
            # Nearest first between the last of the others and 0.
            last = float(sums[-1]) if len(sums) else 1.0
            sums = np.concatenate([sums, last * np.linspace(0.999, 0, len(fallback), dtype=np.float32)])
            rows = np.concatenate([rows, fallback])
        return Candidates(rows[:n], sums[:n].astype(np.float32))


def nearest_by_features(query: Query, sound: Floats, taken: NDArray[np.intp], n: int) -> Rows:
    """The n tracks nearest to the mean of the seeds that are not taken; none if no seed has features."""
    seeds = sound[query.seeds]
    seeds = seeds[~np.isnan(seeds).any(axis=1)]
    if not len(seeds):
        return np.empty(0, dtype=np.intp)
    near = -distances(sound.T, seeds.mean(axis=0))
    near[query.seeds] = near[taken] = np.nan
    if query.allowed is not None:
        near[~query.allowed] = np.nan
    return top_n_indices(near, n)


def load(folder: Artifacts, load_part: Callable[[str, Catalogue], Recommender]) -> Recommender:
    """A blend of the recommenders that its card names, each loaded by that name.

    Raises
    ------
    DataError
        If the card does not name them with their weights, or one is missing, broken or a blend again.
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
                card.folder, f"blends {name}, which is not there any more; train it, and {card.name} again"
            ) from None
        if isinstance(parts[-1], Blend):
            raise DataError(card.path, f"blends {name}, which is a blend itself")
    heard = imputed_features(folder.catalogue, scaler())
    return Blend(card.name, tuple(parts), tuple(weights), folder.parameters(BlendParams), heard)
