"""Find the weights of a blend on the validation playlists, one recommender after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from disco.catalogue import Rows
from disco.errors import DataError, DiscoError, NotFoundError
from disco.evaluation import continuation, metrics
from disco.models.recommenders import Query, Recommender, load_recommender
from disco.models.recommenders.blend import Blending, blended
from disco.training.data import Card, Run
from disco.training.recipes import BlendRecipe
from disco.training.recommenders import parameters, split_playlists, taught, written

# What weights are tried, and how often all of them.
_WEIGHTS, _ROUNDS = (0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0), 2
_PROTOCOLS = ("first-5", "first-1", "title")
# Validation playlists of each protocol, for speed: 300 tell weights apart that matter.
_AT_MOST = 300

Error = Callable[[Sequence[float]], float]


def train_blend(recipe: BlendRecipe, run: Run) -> Card:
    """Weights of the recommenders that the recipe names; one with the weight 0 is left out.

    Raises
    ------
    DiscoError, DataError
        If one is missing, with the command that trains it; if no validation playlist is long enough.
    """
    parts = []
    for name in recipe.parts:
        try:
            parts.append(load_recommender(name, run.catalogue))
        except NotFoundError:
            raise DiscoError(
                f"a blend is of other recommenders, and {name} is missing: "
                f"disco train cloud/{name}.toml --tracks FILE --playlists FILE"
            ) from None
    tracks, titles = split_playlists(run, "validation")
    asked: list[tuple[list[Query], list[Rows]]] = []
    for protocol in _PROTOCOLS:
        try:
            cases = continuation.sample_cases(tracks, titles, protocol, _AT_MOST)[0]
        except DiscoError:  # no playlist is long enough, or titled
            continue
        asked.append((cases.queries, cases.truth))
        if protocol != "title":
            # A title must not drown the seeds.
            asked.append((continuation.with_titles(cases, titles).queries, cases.truth))
    if not asked:
        raise DataError(run.playlists, "has no validation playlist that is long enough to find weights by")
    weights = searched(found_by(parts, asked, Blending(recipe.depth, recipe.offset)), len(parts))
    kept = {name: weight for name, weight in zip(recipe.parts, weights, strict=True) if weight}
    return {**written(recipe, run, taught(run), {}), **parameters(recipe, Blending), "parts": kept}


def found_by(parts: Sequence[Recommender], asked: Sequence[tuple[list[Query], list[Rows]]], how: Blending) -> Error:
    """From weights to how much is found, R-precision and NDCG, the mean of what was asked; higher is better."""
    answers = [
        [[found.rows for found in part.recommend_many(queries, how.depth)] for part in parts] for queries, _ in asked
    ]

    def found(weights: Sequence[float]) -> float:
        means = []
        for of_parts, (_, truths) in zip(answers, asked, strict=True):
            each = []
            for i, truth in enumerate(truths):
                rows, _ = blended([of_part[i] for of_part in of_parts], weights, how)
                each.append(metrics.r_precision(rows, truth) + metrics.ndcg(rows, truth))
            means.append(np.mean(each))
        return float(np.mean(means))

    return found


def searched(found: Error, n: int) -> list[float]:
    """The weights of n parts that find most: from equal ones on, the best of some values for each in turn."""
    weights = [1.0] * n
    best = found(weights)
    for _ in range(_ROUNDS):
        for i in range(n):
            for value in _WEIGHTS:
                tried = [*weights[:i], value, *weights[i + 1 :]]
                if any(tried) and (now := found(tried)) > best:
                    weights, best = tried, now
    return weights
