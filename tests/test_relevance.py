"""The recommender's ranking as part of the choice: constant for each candidate, and not of what is reported."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.catalogues import random_catalogue
from helpers.examples import at_most
from hypothesis import given
from hypothesis import strategies as st

import disco
from disco.errors import DiscoError
from disco.models.predictors import load_predictor
from disco.models.recommenders import load_recommender
from disco.playlist.candidates import gather
from disco.playlist.cost import FlowCost, Knobs, PairwiseCost
from disco.playlist.duration import Selector
from disco.playlist.generate import generate
from disco.playlist.sequence import SEQUENCERS, Constraints, Rules

SEEDS = np.array([5, 9, 2])


def selector(catalogue, relevance, sequencer="greedy", constraints=Constraints(), candidates=60):  # noqa: B008
    mean = load_predictor("mean")
    pool = gather(catalogue, SEEDS, load_recommender("nearest", catalogue), candidates, constraints=constraints)
    space = mean.embed(pool.tracks)
    cost = PairwiseCost(pool.tracks, Knobs(), space)
    if sequencer in ("greedy", "beam"):
        cost = FlowCost(pool.tracks, mean, Knobs(), space)
    return Selector(pool, sequencer, cost, Rules(pool.tracks, 1), relevance=relevance)


@at_most(30)
@given(st.integers(0, 1000), st.sampled_from([0.0, 0.3, 1.0, 7.5]), st.sampled_from(["greedy", "walk"]))
def test_each_track_is_the_one_of_least_cost_and_rank_together(seed, relevance, sequencer):
    catalogue = random_catalogue(150, seed)
    select = selector(catalogue, relevance, sequencer)
    cost, pool = select.cost, select.pool
    rank = {int(row): i for i, row in enumerate(pool.ranked)}
    path = select(8).tolist()
    if sequencer == "greedy":
        for i in range(3, len(path)):
            state = cost.start(np.array(path[:3]))
            for row in path[3:i]:
                state = cost.step(state, np.array([0]), np.array([row]))
            options = np.array([row for row in range(len(pool.tracks)) if row not in path[:i]])
            totals = cost.costs(state, options)[0] + [relevance * rank[int(row)] / 100 for row in options]
            assert totals[options == path[i]][0] == pytest.approx(totals.min(), abs=1e-5)
    else:  # no track can be replaced by one that lowers the sum
        matrix = cost.matrix(np.arange(len(pool.tracks))).astype(float)

        def total(rows):
            return matrix[rows[:-1], rows[1:]].sum() + sum(relevance * rank[row] / 100 for row in rows[3:])

        paid = total(path)
        for position in range(3, len(path)):
            for row in set(range(3, len(pool.tracks))) - set(path):
                other = [*path[:position], row, *path[position + 1 :]]
                assert total(other) >= paid - 1e-4


def test_much_relevance_plays_the_best_ranked_and_none_changes_nothing():
    catalogue = random_catalogue(200, 3)
    for sequencer in sorted(set(SEQUENCERS) - {"path"}):
        select = selector(catalogue, 1e4, sequencer)
        assert set(select(6).tolist()[3:]) == set(select.pool.ranked[:6].tolist())
        assert selector(catalogue, 0.0, sequencer).rank_costs is None
    asked = {"recommender": "nearest", "predictor": "mean"}
    assert (
        generate(catalogue, SEEDS, **asked).to_dict() == generate(catalogue, SEEDS, relevance=0.0, **asked).to_dict()
    )


def test_what_is_reported_is_without_the_rank():
    catalogue = random_catalogue(100, 3)
    asked = {"recommender": "nearest", "predictor": "mean", "length": 5}
    made = generate(catalogue, SEEDS, relevance=1e4, **asked)
    mean = load_predictor("mean")
    terms = FlowCost(made.tracks, mean, Knobs(), mean.embed(made.tracks)).terms(np.arange(8))
    np.testing.assert_allclose(made.terms["cost"], terms["cost"], atol=1e-4)


@pytest.mark.parametrize("sequencer", sorted(SEQUENCERS))
def test_required_tracks_cost_nothing_for_their_rank_and_stand_where_they_must(sequencer):
    catalogue = random_catalogue(200, 4)
    constraints = Constraints(pinned=((5, 70),), end_track=80, arc=(0.0, 1.0))
    select = selector(catalogue, 2.0, sequencer, constraints)
    path = select.pool.tracks.ids(select(8))
    assert (path[5], path[10]) == ("t00070", "t00080")
    if sequencer != "order":
        costs = select.rank_costs
        placed = select.pool.tracks.rows(["t00005", "t00009", "t00002", "t00070", "t00080"])
        assert costs[placed].tolist() == [0] * 5
        others = [row for row in select.pool.ranked if row not in placed]
        np.testing.assert_allclose(costs[others], 0.02 * np.arange(len(others)), rtol=1e-5)


@pytest.mark.parametrize("bad", [-0.1, float("nan"), float("inf")])
def test_relevance_is_a_number_from_0(bad):
    with pytest.raises(DiscoError, match="relevance must be 0 or more"):
        disco.make(disco.open(), "sunday night staircase", relevance=bad)
