"""Ways to put many tracks into an order: DISCO's, a longer search, the nearest track again and again, and djkr8."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import synthetic_tracks
from selecting import djkr8

import disco
from disco.catalogue import Catalogue
from disco.models.predictors import load_predictor
from disco.playlist.cost import PairwiseCost
from disco.playlist.matching import KNOBS
from disco.playlist.mixing import FOR_ORDERING
from disco.playlist.sequence import Budget, Rules, greedy
from disco.playlist.sequence.lin_kernighan import usual_seconds

# The package has the function under the name of its module.
search = importlib.import_module("disco.playlist.sequence.order")
# A search of so many times as long finds the best order that is known.
LONGER = 5
_NOTHING = np.empty(0, dtype=np.intp)

Order = Callable[[Catalogue, PairwiseCost, Rules], np.ndarray]


class Way(NamedTuple):
    """A way to order tracks."""

    order: Order
    label: str
    most: int


def tracks(n: int, table: Path | None = None) -> Catalogue:
    """So many tracks with all features and a tempo: of a table, drawn at random, or made up."""
    if table is None:
        return synthetic_tracks.tracks(n)
    catalogue = disco.open(table)
    known = np.flatnonzero(catalogue.has_all_features & (catalogue.tempos > 0))
    return catalogue.take(np.sort(np.random.default_rng(1).choice(known, n, replace=False)))


def cost_of(catalogue: Catalogue) -> PairwiseCost:
    """What `disco order` counts."""
    return PairwiseCost(catalogue, KNOBS, load_predictor("mean").embed(catalogue), FOR_ORDERING)


def _order(budget: Callable[[int], Budget]) -> Order:
    def order(catalogue: Catalogue, cost: PairwiseCost, rules: Rules) -> np.ndarray:
        n = len(catalogue)
        return search.order(_NOTHING, np.arange(n), n, cost, rules, budget=budget(n))

    return order


def _nearest(catalogue: Catalogue, cost: PairwiseCost, rules: Rules) -> np.ndarray:
    n = len(catalogue)
    path = greedy(np.array([0]), np.arange(1, n), n - 1, cost, rules)
    return np.r_[path, np.setdiff1d(np.arange(n), path)]  # those that the rules leave come last


def _djkr8(catalogue: Catalogue, cost: PairwiseCost, rules: Rules) -> np.ndarray:
    return np.array(djkr8(catalogue)(None))


WAYS = {
    "order": Way(_order(lambda n: Budget()), "disco order", 100_000),
    "longer": Way(_order(lambda n: Budget(seconds=LONGER * usual_seconds(n))), f"{LONGER} times as long", 10_000),
    "two_opt": Way(_order(lambda n: Budget(iterations=min(10 * n, 3000))), "two-opt moves alone", 5_000),
    "nearest": Way(_nearest, "the nearest track next", 10_000),
    "djkr8": Way(_djkr8, "djkr8, leaves tracks out", 300),
}
