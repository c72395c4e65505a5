"""Ordering all of a set: against every order there is, against greedy, and what must hold however it is asked."""

from __future__ import annotations

import re
from itertools import pairwise, permutations

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from helpers.contracts import SequencerTests
from helpers.examples import at_most
from hypothesis import given
from hypothesis import strategies as st

from disco.errors import DiscoError
from disco.models.predictors import load_predictor
from disco.playlist.cost import FlowCost, Knobs, PairwiseCost
from disco.playlist.mixing import Mixing
from disco.playlist.sequence import Budget, Constraints, PositionCosts, Rules, beam, greedy, order, path, walk
from disco.playlist.sequence.held_karp import cheapest_order
from disco.playlist.sequence.local_search import FORBIDDEN, Problem, _deltas, _make
from disco.playlist.sequence.order import MOST, optimise_order
from disco.playlist.sequence.two_opt import TwoOptTour

SHORT = Budget(iterations=4)


def problem_of(n, seed, position_costs=False, symmetric=True, gap=1):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, 3))
    joins = np.linalg.norm(points[:, None] - points[None, :], axis=2)
    if not symmetric:
        joins = joins + rng.random((n, n))
    clashes = None
    if gap > 1:
        artist = rng.integers(0, max(2, n // 2), n)
        clashes = (artist[:, None] == artist[None, :]) & ~np.eye(n, dtype=bool)
    return Problem(joins, rng.random(n), rng.random((n, n)) * 2 if position_costs else None, clashes, gap)


def least(problem):
    return min(problem.costs(np.array(list(permutations(range(len(problem)))))))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("position_costs", "symmetric"), [(False, True), (True, True), (False, False), (True, False)]
)
def test_dynamic_programming_and_local_search_find_the_optimum(seed, position_costs, symmetric):
    problem = problem_of(7, seed, position_costs, symmetric)
    best = least(problem)
    prices = np.zeros((7, 7)) if problem.position_costs is None else problem.position_costs
    exact = cheapest_order(problem.transitions, prices, problem.first)
    assert problem.cost(exact) == pytest.approx(best)
    searched = optimise_order(problem, dynamic=False)
    assert sorted(searched.tolist()) == list(range(7))
    assert problem.cost(searched) == pytest.approx(best)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("position_costs", "symmetric", "sets", "found"), [(False, True, 200, 199), (True, False, 40, 38)]
)
def test_local_search_alone_finds_the_optimum_of_nearly_all_sets(position_costs, symmetric, sets, found):
    best = 0
    for seed in range(sets):
        problem = problem_of(5 + seed % 8, seed, position_costs, symmetric)
        exact = problem.cost(optimise_order(problem))
        best += problem.cost(optimise_order(problem, dynamic=False)) < exact + 1e-6
    assert best >= found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_orders_that_keep_the_artist_gap_are_found_if_they_exist(seed):
    problem = problem_of(7, seed, gap=2)
    assert problem.cost(optimise_order(problem)) == pytest.approx(least(problem))


@at_most(60)
@given(st.integers(4, 16), st.integers(0, 10_000), st.booleans(), st.booleans(), st.data())
def test_every_move_changes_the_cost_by_its_computed_delta(n, seed, position_costs, symmetric, data):
    problem = problem_of(n, seed, position_costs, symmetric)
    found = np.random.default_rng(seed).permutation(n)
    low = data.draw(st.integers(0, n - 2))
    part = slice(low, data.draw(st.integers(low + 2, n)))
    deltas, kinds = _deltas(problem, found, part)
    moves = np.flatnonzero(np.isfinite(deltas))
    tried = [found.copy() for _ in moves]
    for one, move in zip(tried, moves, strict=True):
        _make(one, part, kinds, int(move))
    if tried:
        assert (np.sort(tried, axis=1) == np.arange(n)).all()
        np.testing.assert_allclose(problem.costs(np.array(tried)) - problem.cost(found), deltas[moves], atol=1e-9)


@at_most(40)
@given(st.integers(4, 60), st.integers(0, 10_000))
def test_tour_stays_a_permutation_and_its_gain_is_exact(n, seed):
    import random

    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, 2))
    costs = np.linalg.norm(points[:, None] - points[None, :], axis=2)
    tour, kicks = TwoOptTour(costs, rng.permutation(n).tolist()), random.Random(seed)

    def length():
        return sum(costs[tour.points[i - 1], tour.points[i]] for i in range(n))

    for i in range(5):
        before = length()
        if i:
            more, changed = tour.kick(kicks)
            assert length() - before == pytest.approx(more)
        gained = tour.improve(tour.points if not i else changed, lambda: False)
        assert length() - before == pytest.approx((more if i else 0) - gained)
        assert sorted(tour.points) == list(range(n))
        assert [tour.points[at] for at in tour.at] == list(range(n))


def setting(seed, n, artists=12, boost=False):
    catalogue = random_catalogue(n, seed, artists=artists, unknown=0.15)
    mean = load_predictor("mean")
    return catalogue, PairwiseCost(catalogue, Knobs(), mean.embed(catalogue), Mixing(energy_boost=boost))


CONSTRAINTS = st.builds(
    Constraints,
    pinned=st.sampled_from([(), ((3, 5),), ((3, 5), (4, 2))]),
    end_track=st.sampled_from([None, 4]),
    arc=st.sampled_from([(), (0.0, 1.0), (0.2, 0.9, 0.1)]),
    start_key=st.sampled_from([None, (9, 0)]),
    randomness=st.sampled_from([0.0, 1.0]),
)


@pytest.mark.slow
@at_most(25)
@given(st.integers(0, 1000), st.integers(7, 18), st.integers(0, 3), st.integers(0, 2), st.booleans(), CONSTRAINTS)
def test_all_tracks_are_played_once_and_pinned_ones_stay(seed, n, gap, begun, boost, constraints):
    catalogue, cost = setting(seed, n, boost=boost)
    start, pool = np.arange(begun), np.arange(begun, n)
    position_costs, rules = PositionCosts(catalogue, n, constraints, whole=True), Rules(catalogue, gap)
    found = order(start, pool, n - begun, cost, rules, position_costs, SHORT)
    assert sorted(found.tolist()) == list(range(n))
    assert found[:begun].tolist() == list(range(begun))
    for position, row in position_costs.pinned.items():
        assert found[position] == row
    again = order(start, pool, n - begun, cost, rules, position_costs, SHORT)
    assert again.tolist() == found.tolist()


@pytest.mark.slow
@at_most(25)
@given(st.integers(0, 1000), st.integers(5, 13), st.sampled_from([(), (0.0, 1.0), (0.3, 1.0, 0.0)]))
def test_exact_costs_no_more_than_search_and_search_no_more_than_greedy(seed, n, arc):
    catalogue, cost = setting(seed, n, artists=None)
    position_costs, rules = PositionCosts(catalogue, n, Constraints(arc=arc), whole=True), Rules(catalogue)

    def paid(found):
        at_positions = (position_costs.at(i, np.array([row])) for i, row in enumerate(found))
        transitions = cost.terms(found)["cost"].astype(float).sum()
        return transitions + sum(float(costs[0]) for costs in at_positions if costs is not None)

    start, pool = np.array([0]), np.arange(1, n)
    exact = paid(order(start, pool, n - 1, cost, rules, position_costs))
    searched = paid(order(start, pool, n - 1, cost, rules, position_costs, Budget(iterations=3), dynamic=False))
    greedily = paid(greedy(start, pool, n - 1, cost, rules, position_costs))
    assert exact <= searched + 1e-4
    assert searched <= greedily + 1e-4


@pytest.mark.slow
@at_most(10)
@given(st.integers(0, 1000), st.booleans())
def test_more_iterations_never_cost_more(seed, arc):
    catalogue, cost = setting(seed, 30, artists=None)
    problem = Problem(cost.matrix(np.arange(30)).astype(float), np.zeros(30))
    if arc:
        position_costs = PositionCosts(catalogue, 30, Constraints(arc=(0.0, 1.0)), whole=True)
        problem = Problem(problem.transitions, problem.first, position_costs.matrix(np.arange(30)).astype(float))
    costs = [problem.cost(optimise_order(problem, budget=Budget(iterations=moves))) for moves in (0, 3, 15)]
    assert costs[0] >= costs[1] >= costs[2]


def test_best_cost_so_far_is_logged_and_never_rises(monkeypatch, caplog):
    monkeypatch.setattr("disco.sources.progress.INTERVAL_S", 0.0)
    caplog.set_level("INFO", logger="disco")
    problem = problem_of(60, 1)
    found = optimise_order(problem, budget=Budget(iterations=200))
    reports = [re.fullmatch(r"best so far costs (\S+) in all, after (\d+) moves", text) for text in caplog.messages]
    costs, moves = zip(*((float(report[1]), int(report[2])) for report in reports), strict=True)
    assert len(costs) > 2
    assert all(a >= b for a, b in pairwise(costs))
    assert all(a < b for a, b in pairwise(moves))
    assert costs[-1] == pytest.approx(problem.cost(found), abs=0.05)


def test_time_limit_holds_for_very_many_tracks():
    problem = problem_of(700, 2)
    found = optimise_order(problem, budget=Budget(seconds=0.3))
    assert sorted(found.tolist()) == list(range(700))
    assert problem.cost(found) < 0.2 * problem.cost(np.arange(700))


@pytest.mark.slow
def test_long_orders_with_an_arc_are_searched_part_by_part():
    catalogue, cost = setting(4, 150, artists=None)
    position_costs = PositionCosts(catalogue, 150, Constraints(arc=(0.0, 1.0), arc_weight=20), whole=True)
    found = order(
        np.array([], dtype=int), np.arange(150), 150, cost, Rules(catalogue), position_costs, Budget(iterations=0)
    )
    assert sorted(found.tolist()) == list(range(150))
    assert np.abs(position_costs.energy[found] - position_costs.arc_heights).mean() < 0.12
    assert cost.terms(found)["cost"].mean() < 0.75 * cost.terms(np.arange(150))["cost"].mean()


@pytest.mark.slow
def test_artist_gap_is_kept():
    catalogue, cost = setting(6, 40, artists=10)
    for gap in (1, 3):
        found = order(np.array([2]), np.setdiff1d(np.arange(40), [2]), 39, cost, Rules(catalogue, gap), None, SHORT)
        for i, row in enumerate(found):
            near = {a for r in found[max(0, i - gap) : i] for a in catalogue.artists(r)}
            assert not near & set(catalogue.artists(row))


def test_tracks_without_key_tempo_and_features_are_ordered_too():
    tracks = random_catalogue(20, 3).table.to_pylist()
    for track in tracks:
        track |= {"key": None, "tempo_bpm": None, "energy": None}
    catalogue = catalogue_of(tracks)
    cost = PairwiseCost(catalogue, Knobs(), load_predictor("mean").embed(catalogue))
    position_costs = PositionCosts(catalogue, 20, Constraints(arc=(0.0, 1.0)), whole=True)
    found = order(np.array([], dtype=int), np.arange(20), 20, cost, Rules(catalogue), position_costs, SHORT)
    assert sorted(found.tolist()) == list(range(20))
    assert "no track's energy is known" in position_costs.notes(found)[0]


def test_impossible_orders_are_refused_with_a_reason():
    catalogue, cost = setting(1, 20)
    rules, none = Rules(catalogue), np.array([], dtype=int)
    mean = load_predictor("mean")
    with pytest.raises(DiscoError, match="pairwise"):
        order(none, np.arange(3), 3, FlowCost(catalogue, mean, Knobs(), mean.embed(catalogue)), rules)
    with pytest.raises(DiscoError, match="all of its 3 tracks once, not 2"):
        order(none, np.arange(3), 2, cost, rules)
    with pytest.raises(DiscoError, match="too many to order with an artist gap above 1; 6,000 are the most"):
        order(none, np.arange(MOST + 1), MOST + 1, cost, Rules(catalogue, artist_gap=2))
    with pytest.raises(DiscoError, match="two tracks are pinned to position 3"):
        PositionCosts(catalogue, 5, Constraints(pinned=((2, 1), (2, 4))))
    with pytest.raises(DiscoError, match="one track is pinned to positions 1 and 5"):
        PositionCosts(catalogue, 5, Constraints(start_track=3, end_track=3))
    with pytest.raises(DiscoError, match="no position 9 in a sequence of 5"):
        PositionCosts(catalogue, 5, Constraints(pinned=((8, 1),)))
    with pytest.raises(DiscoError, match="from 0 to 1"):
        Constraints(arc=(0, 2))
    with pytest.raises(DiscoError, match="two points"):
        Constraints(arc=(0.5,))
    with pytest.raises(DiscoError, match="randomness must be 0 or more"):
        Constraints(randomness=float("nan"))
    with pytest.raises(DiscoError, match="above 0"):
        Budget(seconds=0)
    with pytest.raises(DiscoError, match="name it with --end-track"):
        path(np.array([0]), np.arange(1, 20), 5, cost, rules)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_one_or_two_tracks_can_be_ordered(n):
    catalogue, cost = setting(1, 20)
    found = order(np.array([], dtype=int), np.arange(n), n, cost, Rules(catalogue))
    assert sorted(found.tolist()) == list(range(n))


class TestPath:
    def walk(self, seed=0, pinned=(), gap=1, n=200, length=12):
        catalogue, cost = setting(seed, n, artists=None)
        position_costs = PositionCosts(catalogue, length + 1, Constraints(pinned=pinned, end_track=1))
        pool = np.arange(1, n)
        return catalogue, cost, path(np.array([0]), pool, length, cost, Rules(catalogue, gap), position_costs)

    @pytest.mark.parametrize("held", [(), ((4, 50), (9, 60))])
    def test_it_passes_the_pinned_tracks_to_the_end_track_without_repeats(self, held):
        _, _, found = self.walk(pinned=held)
        assert (found[0], found[-1]) == (0, 1)
        assert len(set(found.tolist())) == 13
        for position, row in held:
            assert found[position] == row

    @pytest.mark.slow
    def test_its_steps_are_even(self):
        """It comes nearer with nearly every step, and mixes on the way."""
        nearer = []
        for seed in range(3):
            catalogue, cost, found = self.walk(seed)
            space = load_predictor("mean").embed(catalogue)
            towards = np.linalg.norm(space[found] - space[1], axis=1)
            nearer.append(np.corrcoef(towards, np.arange(13))[0, 1])
            shuffled = np.random.default_rng(0).permutation(np.arange(2, 200))[:11]
            other = cost.terms(np.r_[0, shuffled, 1])["cost"]
            assert cost.terms(found)["cost"].mean() < 0.6 * other.mean()
        assert np.mean(nearer) < -0.7
        assert max(nearer) < -0.5

    def test_the_same_input_gives_the_same_output(self):
        assert self.walk(2)[2].tolist() == self.walk(2)[2].tolist()


class TestWalk(SequencerTests):
    sequencer = walk

    def predictor(self):
        return load_predictor("mean")

    def path(self, n=120, length=15, gap=1, artists=30, seed=0):
        self.catalogue, cost = setting(seed, n, artists)
        found = walk(np.array([4, 2]), np.arange(10, n), length, cost, Rules(self.catalogue, gap))
        return [int(r) for r in found]

    @pytest.mark.parametrize("seed", range(4))
    def test_it_costs_no_more_than_the_beam_it_starts_from(self, seed):
        catalogue, cost = setting(seed, 150, 60)
        asked = np.array([0]), np.arange(1, 150), 14, cost, Rules(catalogue)
        found = [greedy(*asked), beam(*asked, width=32), walk(*asked, width=32)]
        paid = [float(cost.terms(each)["cost"].sum()) for each in found]
        assert paid[2] <= paid[1] + 1e-4
        assert paid[2] < paid[0]

    @pytest.mark.slow
    def test_constraints_are_met(self):
        catalogue, cost = setting(3, 100, None)
        position_costs = PositionCosts(catalogue, 12, Constraints(pinned=((4, 50),), end_track=60))
        found = walk(np.array([0]), np.arange(1, 100), 11, cost, Rules(catalogue), position_costs)
        assert (found[4], found[-1], len(set(found.tolist()))) == (50, 60, 12)
        noisy = {
            tuple(
                walk(np.array([0]), np.arange(1, 100), 11, cost, Rules(catalogue), PositionCosts(catalogue, 12, one))
            )
            for one in (Constraints(randomness=4, random_seed=seed) for seed in range(4))
        }
        assert len(noisy) > 2

    def test_it_needs_a_pairwise_cost(self):
        catalogue, _ = setting(1, 20)
        mean = load_predictor("mean")
        flow = FlowCost(catalogue, mean, Knobs(), mean.embed(catalogue))
        with pytest.raises(DiscoError, match="pairwise"):
            walk(np.array([0]), np.arange(1, 20), 5, flow, Rules(catalogue))


@pytest.mark.slow
def test_no_replacement_repeats_a_song_that_comes_later():
    for seed in range(6):
        tracks = random_catalogue(60, seed).table.to_pylist()
        tracks = [{**t, "artists": [f"A{i // 2}"], "title": f"Song {i // 2}"} for i, t in enumerate(tracks)]
        catalogue = catalogue_of(tracks)
        cost = PairwiseCost(catalogue, Knobs(), load_predictor("mean").embed(catalogue))
        found = walk(np.array([0]), np.arange(1, 60), 20, cost, Rules(catalogue))
        assert len({catalogue.song_key(int(row)) for row in found}) == 21


def test_forbidden_positions_cost_more_than_any_transitions():
    assert FORBIDDEN > 1000 * 20
