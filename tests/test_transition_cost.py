"""Costs and their terms: what is shown is what was chosen by."""

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue

from disco.catalogue import FEATURES
from disco.errors import DiscoError
from disco.models.predictors import load_predictor
from disco.playlist.cost import FlowCost, Knobs


def flow(catalogue, knobs=Knobs(), name="classic"):  # noqa: B008
    predictor = load_predictor(name)
    return FlowCost(catalogue, predictor, knobs, predictor.embed(catalogue))


@pytest.mark.parametrize("name", ["classic", "mean", "rank"])
def test_terms_add_up_to_the_costs_of_the_choice(name):
    catalogue = random_catalogue(40, seed=2, unknown=0.3)
    cost = flow(catalogue, Knobs(0.7, 1.1, 1.9, 0.4), name)
    path = np.array([3, 8, 1, 20, 33, 7])
    terms = cost.terms(path)
    for i in range(1, len(path)):
        now = cost.costs(cost.start(path[:i]), path[i : i + 1])[0, 0]
        assert terms["cost"][i - 1] == pytest.approx(now, abs=1e-5, rel=2e-6)


def test_costs_of_several_beams_are_those_of_each_alone():
    catalogue = random_catalogue(300, seed=5)
    cost, pool = flow(catalogue), np.arange(50, 300)
    state = cost.step(cost.start(np.array([1, 2])), np.array([0, 0, 0]), np.array([10, 20, 30]))
    together = cost.costs(state, pool)
    assert together.shape == (3, 250)
    for beam, row in enumerate((10, 20, 30)):
        alone = cost.costs(cost.start(np.array([1, 2, row])), pool)
        np.testing.assert_allclose(together[beam], alone[0], atol=1e-5)


def test_step_continues_from_the_given_parent():
    catalogue = random_catalogue(30)
    cost = flow(catalogue)
    two = cost.step(cost.start(np.array([1])), np.array([0, 0]), np.array([2, 3]))
    swapped = cost.step(two, np.array([1, 0]), np.array([4, 4]))
    np.testing.assert_allclose(swapped.vectors[0], cost.start(np.array([1, 3, 4])).vectors[0], atol=1e-6)
    np.testing.assert_allclose(swapped.vectors[1], cost.start(np.array([1, 2, 4])).vectors[0], atol=1e-6)


def test_columns_are_gathered_again_for_another_pool():
    catalogue = random_catalogue(60)
    cost = flow(catalogue)
    state = cost.start(np.array([0]))
    first, second = np.arange(10, 30), np.arange(30, 50)
    cost.costs(state, first)
    np.testing.assert_array_equal(cost.costs(state, second), flow(catalogue).costs(state, second))


def test_unknown_values_contribute_nothing_and_are_reported_as_unknown():
    known = random_catalogue(3, seed=1).table.to_pylist()
    known[1] |= {"key": None, "tempo_bpm": None}
    known[2] |= dict.fromkeys(FEATURES)
    cost = flow(catalogue_of(known))
    terms = cost.terms(np.array([0, 1, 2]))
    assert np.isnan(terms["key_similarity"]).all()
    assert np.isnan(terms["tempo_similarity"]).all()
    assert terms["cost"][0] == pytest.approx(terms["distance"][0])
    assert np.isnan(terms["distance"][1])
    # The distance of a track without features is the root of the expected square, so that it is not favoured.
    state = cost.start(np.array([0, 1]))
    assert terms["cost"][1] == pytest.approx(cost.costs(state, np.array([2]))[0, 0])
    measured = load_predictor("classic").embed(catalogue_of(known))[:2]
    squares = (measured.mean(axis=0) - 1.2 * state.vectors[0]) ** 2 + measured.var(axis=0)
    assert terms["cost"][1] == pytest.approx(float(squares.sum()) ** 0.5, rel=1e-5)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_infinite_knobs_are_refused(bad):
    with pytest.raises(DiscoError, match="sweetness"):
        Knobs(sweetness=bad)
