"""Find the weights of a blend on the validation playlists, one recommender after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from disco.catalogue import Rows
from disco.errors import DataError, DiscoError, NotFoundError
from disco.evaluation import continuation, metrics
from disco.models.recommenders import Query, Recommender, load_recommender
from disco.models.recommenders.blend import BlendParams, fuse_ranks
from disco.training.data import Card, Run
from disco.training.recipes import BlendRecipe
from disco.training.recommenders import params_card, save_artifacts, split_playlists, training_interactions

# What weights are tried, and how often all of them.
_WEIGHTS, _ROUNDS = (0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0), 2
_PROTOCOLS = ("first-5", "first-1", "title")
# Validation playlists of each protocol, for speed: 300 tell weights apart that matter.
_MAX_PLAYLISTS = 300

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
            cases = continuation.sample_cases(tracks, titles, protocol, _MAX_PLAYLISTS)[0]
        except DiscoError:  # no playlist is long enough, or titled
            continue
        asked.append((cases.queries, cases.relevant))
        if protocol != "title":
            # A title must not drown the seeds.
            asked.append((continuation.with_titles(cases, titles).queries, cases.relevant))
    if not asked:
        raise DataError(run.playlists, "has no validation playlist that is long enough to find weights by")
    weights = coordinate_search(fusion_score(parts, asked, BlendParams(recipe.depth, recipe.offset)), len(parts))
    kept = {name: weight for name, weight in zip(recipe.parts, weights, strict=True) if weight}
    return {
        **save_artifacts(recipe, run, training_interactions(run), {}),
        **params_card(recipe, BlendParams),
        "parts": kept,
    }


def fusion_score(
    parts: Sequence[Recommender], asked: Sequence[tuple[list[Query], list[Rows]]], how: BlendParams
) -> Error:
    """From weights to how much is found, R-precision and NDCG, the mean of what was asked; higher is better."""
    answers = [
        [[found.rows for found in part.recommend_many(queries, how.depth)] for part in parts] for queries, _ in asked
    ]

    def found(weights: Sequence[float]) -> float:
        means = []
        for of_parts, (_, truths) in zip(answers, asked, strict=True):
            each = []
            for i, truth in enumerate(truths):
                rows, _ = fuse_ranks([of_part[i] for of_part in of_parts], weights, how)
                each.append(metrics.r_precision(rows, truth) + metrics.ndcg(rows, truth))
            means.append(np.mean(each))
        return float(np.mean(means))

    return found


def coordinate_search(found: Error, n: int) -> list[float]:
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
