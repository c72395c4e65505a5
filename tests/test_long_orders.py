"""Orders of many tracks by Lin-Kernighan moves, at once and in parts."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from helpers.catalogues import random_catalogue

from disco.models.predictors import load_predictor
from disco.playlist.cost import Knobs, PairwiseCost
from disco.playlist.mixing import FOR_ORDERING
from disco.playlist.sequence import lin_kernighan
from disco.playlist.sequence.constraints import Constraints, PositionCosts
from disco.playlist.sequence.rules import Rules

order_module = importlib.import_module("disco.playlist.sequence.order")
NONE = np.array([], dtype=np.intp)


def in_the_plane(n, seed=0):
    """Costs between random points of a square, and the cost of an order of them."""
    points = np.random.default_rng(seed).random((n, 2))

    def between(a, b):
        return np.linalg.norm(points[a][:, None] - points[b], axis=2)

    return points, between, lambda order: float(np.linalg.norm(np.diff(points[order], axis=0), axis=1).sum())


@pytest.mark.parametrize("ends", [(None, None), (3, None), (None, 2), (3, 2)])
@pytest.mark.parametrize("part", [None, 60])
def test_every_track_is_played_once_between_the_ends_that_are_given(ends, part):
    points, between, cost = in_the_plane(240)
    more = {} if part is None else {"part": part, "at_once": 100}
    found = lin_kernighan.cheapest_order(240, between, points, 0.4, ends, **more)
    assert sorted(found.tolist()) == list(range(240))
    assert ends[0] in (None, found[0])
    assert ends[1] in (None, found[-1])
    # The shortest tour through n random points of a unit square tends to 0.7124 sqrt(n) (Johnson & McGeoch 1997).
    assert cost(found) < 0.7124 * np.sqrt(240) * (1.45 if part else 1.12)


def test_a_part_is_never_in_a_worse_order_than_before():
    _, between, cost = in_the_plane(300, seed=1)
    search = lin_kernighan._Search(300, between, (None, None), ())
    rng = np.random.default_rng(2)
    order = rng.permutation(300)
    for _ in range(12):
        tracks = rng.choice(300, 80, replace=False)
        better = search.part(order, np.sort(tracks), 0.02)
        assert sorted(better.tolist()) == list(range(300))
        assert cost(better) <= cost(order) + 1e-2
        order = better


def test_tracks_of_one_group_are_apart_where_there_are_enough_others():
    points, between, _ = in_the_plane(120, seed=3)
    near = np.argsort(np.linalg.norm(points - 0.5, axis=1))[:30]
    both = [near, near[:4], np.r_[near[:2], 0]]  # two tracks may be in several groups together
    found = lin_kernighan.cheapest_order(120, between, points, 0.3, apart=both)
    inside = np.isin(found, near)
    assert not (inside[:-1] & inside[1:]).any()


def test_long_lists_are_ordered_in_parts_with_pins_and_artists_apart(monkeypatch):
    monkeypatch.setattr(order_module, "MOST", 300)
    catalogue = random_catalogue(500, seed=5, artists=120, unknown=0.1)
    cost = PairwiseCost(catalogue, Knobs(), load_predictor("mean").embed(catalogue), FOR_ORDERING)
    constraints = Constraints(pinned=((0, 17), (250, 3), (251, 4), (499, 8)))
    budget = order_module.Budget(seconds=1.0)
    rows, rules = np.arange(500), Rules(catalogue, artist_gap=1)
    found = order_module.order(
        NONE, rows, 500, cost, rules, PositionCosts(catalogue, 500, constraints, whole=True), budget
    )
    assert sorted(found.tolist()) == list(range(500))
    assert [int(found[i]) for i in (0, 250, 251, 499)] == [17, 3, 4, 8]
    assert rules.violations(found) <= 4  # beside the pinned ones
    assert cost.terms(found)["cost"].sum() < 0.5 * cost.terms(rows)["cost"].sum()


def test_many_tracks_cost_no_more_than_by_our_own_search():
    catalogue = random_catalogue(400, seed=6)
    cost = PairwiseCost(catalogue, Knobs(), load_predictor("mean").embed(catalogue), FOR_ORDERING)
    rules, rows = Rules(catalogue, artist_gap=0), np.arange(400)
    ours = order_module.order(NONE, rows, 400, cost, rules, budget=order_module.Budget(iterations=200))
    found = order_module.order(NONE, rows, 400, cost, rules, budget=order_module.Budget(seconds=0.5))
    assert cost.terms(found)["cost"].sum() <= cost.terms(ours)["cost"].sum() + 1e-3


@pytest.mark.parametrize(
    ("constraints", "rules", "wanted"),
    [
        (Constraints(arc=(0.0, 1.0)), {}, "costs of positions, such as an arc"),
        (Constraints(randomness=1.0), {}, "randomness"),
        (Constraints(), {"artist_gap": 2}, "an artist gap above 1"),
    ],
)
def test_what_long_lists_cannot_have_is_refused_by_its_name(monkeypatch, constraints, rules, wanted):
    monkeypatch.setattr(order_module, "MOST", 30)
    catalogue = random_catalogue(40)
    cost = PairwiseCost(catalogue, Knobs(), load_predictor("mean").embed(catalogue), FOR_ORDERING)
    with pytest.raises(Exception, match=f"40 tracks are too many to order with {wanted}; 30 are the most"):
        order_module.order(
            NONE, np.arange(40), 40, cost, Rules(catalogue, **rules), PositionCosts(catalogue, 40, constraints)
        )
