"""Of very many candidates the cheapest is found without pricing all of them exactly, and it is the same one."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.catalogues import random_catalogue
from hypothesis import given, settings
from hypothesis import strategies as st

from disco.models.predictors import load_predictor
from disco.playlist import near_costs
from disco.playlist.cost import FlowCost, Knobs
from disco.playlist.mixing import Mixing
from disco.playlist.sequence import Rules, greedy

CATALOGUE = random_catalogue(3000, seed=3, unknown=0.1)
PUBLISHED = Mixing()


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("near_costs", "cost"):
        monkeypatch.setattr(f"disco.playlist.{module}.MANY", 1000)
    for name in ("_SAMPLE", "_FEW", "_BLOCK"):
        monkeypatch.setattr(near_costs, name, 200)


PUBLISHED_KNOBS = Knobs()


def cost_of(embeddings: np.ndarray, knobs: Knobs = PUBLISHED_KNOBS, mixing: Mixing = PUBLISHED) -> FlowCost:
    return FlowCost(CATALOGUE, load_predictor("classic"), knobs, embeddings, mixing)


def embedded() -> np.ndarray:
    return load_predictor("classic").embed(CATALOGUE)


weights = st.sampled_from([0.0, 0.5, 1.0, 3.0, -1.0])


@given(st.builds(Knobs, weights, weights, weights, weights), st.integers(0, 2999), st.integers(1000, 2999))
@settings(max_examples=40)
def test_the_few_are_the_cheapest_of_all_in_their_order(knobs: Knobs, last: int, n: int) -> None:
    cost, pool = cost_of(embedded(), knobs), np.arange(n)
    state = cost.start(np.array([last]))
    few = cost.cheapest(state, pool)
    wanted = np.argsort(cost.costs(state, pool)[0], kind="stable")
    assert few.tolist() == wanted[: len(few)].tolist()


def test_there_are_a_few_with_the_usual_knobs() -> None:
    cost = cost_of(embedded())
    assert 10 < len(cost.cheapest(cost.start(np.array([5])), np.arange(3000))) < 400


@pytest.mark.parametrize("change", ["copies", "unknown", "far", "partly"])
def test_tracks_are_chosen_as_by_exact_costs(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings = embedded()
    if change == "copies":
        embeddings = embeddings[np.arange(3000) % 40]
    if change == "unknown":
        embeddings = np.full_like(embeddings, np.nan)
    if change == "far":
        embeddings = embeddings + np.float32(1000)
    if change == "partly":
        embeddings[::3, 2:5] = np.nan
    start, pool = np.array([0, 1]), np.arange(2, 3000)
    rules = Rules(CATALOGUE)
    quick = greedy(start, pool, 12, cost_of(embeddings), rules)
    monkeypatch.setattr("disco.playlist.cost.MANY", 10**6)
    assert greedy(start, pool, 12, cost_of(embeddings), rules).tolist() == quick.tolist()


def test_where_rules_exclude_the_few_all_are_priced(monkeypatch: pytest.MonkeyPatch) -> None:
    cost, start, pool = cost_of(embedded()), np.array([0]), np.arange(1, 3000)
    few = set(pool[cost.cheapest(cost.start(start), pool)].tolist())

    def allows(path: object, row: int) -> bool:
        return row not in few

    quick = greedy(start, pool, 1, cost, allows)
    monkeypatch.setattr("disco.playlist.cost.MANY", 10**6)
    assert greedy(start, pool, 1, cost_of(embedded()), allows).tolist() == quick.tolist()
    assert quick[1] not in few


@pytest.mark.parametrize("mixing", [Mixing(half_time_weight=0.5), Mixing(max_tempo_change=6.0), Mixing(pitch=6.0)])
def test_other_definitions_of_tempo_are_priced_exactly(mixing: Mixing) -> None:
    cost = cost_of(embedded(), mixing=mixing)
    assert len(cost.cheapest(cost.start(np.array([0])), np.arange(3000))) == 0
