"""Beams: one is greedy, many are cheaper, and what all may not do none does."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from helpers.catalogues import random_catalogue
from helpers.examples import at_most
from hypothesis import given
from hypothesis import strategies as st

from disco.models.predictors import load_predictor
from disco.playlist.cost import FlowCost, Knobs, PairwiseCost
from disco.playlist.sequence import Constraints, PositionCosts, Rules, beam, greedy
from disco.playlist.sequence.beam import _best, search


def setting(seed, name="mean", n=40, artists=30, unknown=0.1):
    catalogue = random_catalogue(n, seed, artists=artists, unknown=unknown)
    predictor = load_predictor(name)
    space = predictor.embed(catalogue)
    return catalogue, FlowCost(catalogue, predictor, Knobs(), space), PairwiseCost(catalogue, Knobs(), space)


def paid(cost, path, begun):
    return float(cost.terms(path)["cost"][begun - 1 :].astype(float).sum())


CONSTRAINTS = st.builds(
    Constraints,
    pinned=st.sampled_from([(), ((4, 30),), ((4, 30), (5, 31))]),
    end_track=st.sampled_from([None, 20]),
    arc=st.sampled_from([(), (0.0, 1.0), (0.2, 0.9, 0.1)]),
    end_key=st.sampled_from([None, (9, 0)]),
    randomness=st.sampled_from([0.0, 1.0]),
    random_seed=st.integers(0, 3),
)


@pytest.mark.slow
@at_most(40)
@given(st.integers(0, 1000), st.sampled_from(["mean", "classic", "rank"]), st.integers(0, 3), CONSTRAINTS)
def test_beam_of_width_one_is_greedy_under_any_constraints(seed, name, gap, constraints):
    catalogue, flow, pairwise = setting(seed, name)
    start, pool = np.array([1, 0]), np.random.default_rng(seed).permutation(np.arange(2, 40))
    for cost in (flow, pairwise):
        position_costs = PositionCosts(catalogue, 10, constraints)
        one = beam(start, pool, 8, cost, Rules(catalogue, gap), position_costs, width=1)
        assert one.tolist() == greedy(start, pool, 8, cost, Rules(catalogue, gap), position_costs).tolist()


@pytest.mark.slow
@at_most(40)
@given(st.integers(0, 1000), st.sampled_from(["mean", "classic", "rank"]), st.integers(2, 40), st.integers(0, 3))
def test_beam_costs_no_more_than_greedy_is_no_shorter_and_repeatable(seed, name, width, gap):
    catalogue, flow, pairwise = setting(seed, name)
    start, pool = np.array([1, 0]), np.arange(2, 40)
    for cost in (flow, pairwise):
        one = greedy(start, pool, 12, cost, Rules(catalogue, gap))
        many = beam(start, pool, 12, cost, Rules(catalogue, gap), width=width)
        assert len(many) >= len(one)
        assert len(many) > len(one) or paid(cost, many, 2) <= paid(cost, one, 2) + 1e-4
        assert many.tolist() == beam(start, pool[::-1], 12, cost, Rules(catalogue, gap), width=width).tolist()


def test_greedy_wins_where_the_lookahead_misleads():
    """So costly to go on from whatever is near that the search goes astray: the answer is greedy's even so."""
    catalogue, _, pairwise = setting(11, n=60, artists=None)
    start, pool = np.array([0]), np.arange(1, 60)
    cheapest = greedy(start, pool, 10, pairwise, Rules(catalogue))

    class Misled(PairwiseCost):
        def lookahead_cost(self, options):
            return np.where(np.isin(options, cheapest), 1e6, 0).astype(np.float32)

    misled = Misled(catalogue, Knobs(), pairwise._terms.embeddings)
    found, least = search(
        start, pool, 10, misled, Rules(catalogue), None, 4, advance=np.float32(0.25) * misled.lookahead_cost(pool)
    )
    assert least == pytest.approx(paid(pairwise, found, 1), abs=1e-4)
    assert least > paid(pairwise, cheapest, 1)
    assert beam(start, pool, 10, misled, Rules(catalogue), width=4).tolist() == cheapest.tolist()


def test_kept_sequences_end_in_different_tracks_while_there_are_enough():
    scores = np.array([[1.0, 2.0, 3.0], [1.1, 2.1, 0.5]])
    asked = ([[0], [1]], np.array([5, 6, 7]))
    assert _best(scores, *asked, 3, lambda path, row: True, None) == ([1, 0, 0], [2, 0, 1])
    assert _best(scores, *asked, 5, lambda path, row: True, None) == ([1, 0, 1, 0, 1], [2, 0, 0, 1, 1])
    # The same tracks with the same one last: the cheaper order alone goes on.
    assert _best(scores, [[0, 1], [1, 0]], asked[1], 5, lambda path, row: True, None) == ([1, 0, 0], [2, 0, 1])
    assert _best(scores, *asked, 2, lambda path, row: path != [1], None) == ([0, 0], [0, 1])


@pytest.mark.parametrize("knobs", [Knobs(), Knobs(flow=0.5, sweetness=2.0, smoothness=3.0)])
def test_lookahead_cost_is_the_mean_of_the_cheapest_transitions(knobs):
    catalogue, _, _ = setting(4, n=50)
    predictor = load_predictor("mean")
    cost = PairwiseCost(catalogue, knobs, predictor.embed(catalogue))
    for options in (np.arange(50), np.arange(3, 49, 2), np.array([4, 9])):
        joins = cost.costs(cost._state(options), options).astype(float) - knobs.sweetness - knobs.smoothness
        others = [np.delete(row, i) for i, row in enumerate(joins)]
        expected = [np.mean(np.sort(row)[:20]) for row in others]
        np.testing.assert_allclose(cost.lookahead_cost(options), expected, atol=2e-3)
    flow = FlowCost(catalogue, predictor, knobs, predictor.embed(catalogue))
    assert np.array_equal(flow.lookahead_cost(np.arange(50)), cost.lookahead_cost(np.arange(50)))


@pytest.mark.slow
@at_most(30)
@given(st.integers(0, 1000), st.integers(1, 20), st.integers(0, 3), CONSTRAINTS)
def test_rules_and_pinned_positions_hold_for_every_width(seed, width, gap, constraints):
    catalogue, flow, _ = setting(seed)
    rules, position_costs = Rules(catalogue, gap), PositionCosts(catalogue, 10, constraints)
    path = beam(np.array([1, 0]), np.arange(2, 40), 8, flow, rules, position_costs, width=width).tolist()
    assert path[:2] == [1, 0]
    assert len(set(path)) == len(path)
    for position, row in position_costs.pinned.items():
        assert len(path) <= position or path[position] == row
    for position in range(2, len(path)):
        assert position in position_costs.pinned or rules(path[:position], path[position])
        assert position in position_costs.pinned or path[position] not in position_costs.pinned.values()


@pytest.mark.slow
def test_a_beam_of_all_sequences_finds_the_cheapest():
    catalogue, _, pairwise = setting(7, n=8, artists=None)
    start, pool = np.array([0]), np.arange(1, 8)
    wide = beam(start, pool, 4, pairwise, Rules(catalogue), width=10_000)
    every = [np.array([0, *path]) for path in permutations(range(1, 8), 4)]
    assert paid(pairwise, wide, 1) == pytest.approx(min(paid(pairwise, path, 1) for path in every), abs=1e-4)


@pytest.mark.slow
def test_wider_beam_is_cheaper_in_the_mean():
    ratios = []
    for seed in range(12):
        catalogue, _, pairwise = setting(seed, n=120, artists=None)
        start, pool = np.array([0]), np.arange(1, 120)
        costs = [
            paid(pairwise, beam(start, pool, 12, pairwise, Rules(catalogue), width=width), 1) for width in (1, 4, 32)
        ]
        ratios.append([costs[1] / costs[0], costs[2] / costs[0]])
    four, thirty_two = np.mean(ratios, axis=0)
    assert thirty_two < four < 0.97


def test_dead_ends_are_dropped_for_sequences_that_go_on():
    """All but one of the tracks by one artist: greedy runs into the end where a beam sees the way round."""
    catalogue, flow, _ = setting(3, n=30, artists=2)
    found = [len(beam(np.array([0]), np.arange(1, 30), 20, flow, Rules(catalogue), width=w)) for w in (1, 8)]
    assert found[1] >= found[0] > 5


@pytest.mark.slow
def test_randomness_is_repeatable_by_its_seed_and_differs_for_others():
    catalogue, flow, _ = setting(5, n=80, artists=None)

    def made(randomness, seed, sequencer=beam):
        position_costs = PositionCosts(catalogue, 12, Constraints(randomness=randomness, random_seed=seed))
        return sequencer(np.array([0]), np.arange(1, 80), 11, flow, Rules(catalogue), position_costs).tolist()

    assert made(2, 1) == made(2, 1)
    assert len({tuple(made(2, seed)) for seed in range(6)}) > 3
    assert made(0, 1) == made(0, 2)
    costs = [np.mean([paid(flow, np.array(made(v, s)), 1) for s in range(5)]) for v in (0, 1, 8)]
    assert costs[0] < costs[1] < costs[2]


def test_arc_is_followed_more_closely_with_more_weight():
    catalogue, flow, _ = setting(5, n=200, artists=None)
    away = []
    for weight in (0.0, 2.0, 20.0):
        position_costs = PositionCosts(catalogue, 12, Constraints(arc=(0.0, 1.0), arc_weight=weight))
        path = beam(np.array([0]), np.arange(1, 200), 11, flow, Rules(catalogue), position_costs)
        away.append(np.abs(position_costs.energy[path][1:] - np.linspace(0, 1, 12)[1:]).mean())
    assert away[0] > 1.5 * away[1] > 3 * away[2]
    assert away[2] < 0.08
