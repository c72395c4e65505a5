"""Mixing: what half and double time are worth, how far a tempo may change, and that the cost heeds both."""

from __future__ import annotations

import math

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from hypothesis import given
from hypothesis import strategies as st

from disco.catalogue import FEATURES
from disco.catalogue.music import tempo_octaves, tempo_similarity
from disco.errors import DiscoError
from disco.models.predictors import load_predictor
from disco.playlist.cost import FlowCost, Knobs, PairwiseCost, reported_cost
from disco.playlist.key_rules import KEY_RULES, key_index, key_rule
from disco.playlist.mixing import FOR_ORDERING, KEY_PENALTY, TEMPO_GROWTH, TEMPO_PENALTY, Mixing

MIXINGS = [
    Mixing(),
    Mixing("camelot", half_time_weight=0.7),
    Mixing("tonal", energy_boost=True, half_time_weight=0.0),
    Mixing("camelot-wide", max_tempo_change=6),
    Mixing("fifths", half_time_weight=0.0, max_tempo_change=12.5),
    Mixing("fifths", avoid_clashes=True),
    Mixing("tonal", max_tempo_change=10, energy_boost=True, avoid_clashes=True),
    FOR_ORDERING,
    Mixing("camelot-wide", half_time_weight=0.6, max_tempo_change=9, graded=False),
    Mixing("fifths", half_time_weight=0.0, energy_boost=True, avoid_clashes=True, graded=False),
]


def costs_of(catalogue, mixing, knobs=Knobs(0.7, 1.1, 1.9, 0.4)):  # noqa: B008
    mean = load_predictor("mean")
    space = mean.embed(catalogue)
    return FlowCost(catalogue, mean, knobs, space, mixing), PairwiseCost(catalogue, knobs, space, mixing), space


def plainly(a, b, distance, knobs, mixing):
    """The reported cost of one join, one term at a time."""
    key = tempo = 0.0 if mixing.graded else 0.5
    beyond = 0.0
    if None not in (a["key"], a["mode"], b["key"], b["mode"]):
        keys = [int(key_index(t["key"], t["mode"])) for t in (a, b)]
        rule = key_rule(mixing.key_rule, mixing.energy_boost)
        key = rule.similarity[keys[0], keys[1]] if mixing.graded else float(rule.compatible[keys[0], keys[1]])
        beyond += KEY_PENALTY * (mixing.avoid_clashes and not rule.compatible[keys[0], keys[1]])
    if a["tempo_bpm"] and b["tempo_bpm"]:
        octaves = math.log2(b["tempo_bpm"] / a["tempo_bpm"])
        tempo = math.cos(2 * math.pi * octaves)
        if abs(octaves) > 0.5:
            tempo = (1 + tempo) * mixing.half_time_weight - 1
        least = abs(octaves - round(octaves)) if mixing.half_time_weight else abs(octaves)
        if not mixing.graded:
            excess = min(least, 0.5) / math.log2(1.06) - 1
            tempo = -0.9 * excess**2 if excess > 1e-4 else 1.0
            tempo -= (1 - mixing.half_time_weight) * (abs(octaves) > 0.5)
        if mixing.max_tempo_change is not None and 100 * (2**least - 1) > mixing.max_tempo_change + 1e-3:
            beyond += TEMPO_PENALTY + TEMPO_GROWTH * min(least - math.log2(1 + mixing.max_tempo_change / 100), 0.5)
    apart = 0.0 if math.isnan(distance) else distance
    return knobs.flow * apart + knobs.sweetness * (1 - key) + knobs.smoothness * (1 - tempo), beyond


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize("unknown", [0.0, 0.3])
def test_both_costs_are_those_of_the_formulas(mixing, unknown):
    catalogue = random_catalogue(40, seed=3, unknown=unknown)
    tracks, knobs, rows = catalogue.table.to_pylist(), Knobs(0.7, 1.1, 1.9, 0.4), np.arange(40)
    flow, pairwise, space = costs_of(catalogue, mixing, knobs)
    matrix = pairwise.matrix(rows)
    for i in range(0, 40, 7):
        state = flow.start(np.array([i]))
        flowing = flow.costs(state, rows)[0]
        for j in range(40):
            wanted, beyond = plainly(tracks[i], tracks[j], math.dist(space[i], space[j]), knobs, mixing)
            if i != j:
                assert matrix[i, j] == pytest.approx(wanted + beyond, abs=5e-4)
            away = math.dist(np.float32(knobs.spicyness) * state.vectors[0], space[j])
            reported, beyond = plainly(tracks[i], tracks[j], away, knobs, mixing)
            assert flowing[j] == pytest.approx(reported + beyond - knobs.sweetness - knobs.smoothness, abs=5e-4)
    for cost in (flow, pairwise):
        terms = cost.terms(rows)
        reported = [plainly(*tracks[i : i + 2], terms["distance"][i], knobs, mixing)[0] for i in range(39)]
        if mixing.graded:
            np.testing.assert_allclose(reported_cost(terms, knobs), reported, atol=1e-4)
        shift = 0 if cost.pairwise else knobs.sweetness + knobs.smoothness
        np.testing.assert_allclose(terms["cost"], np.array(reported) - shift, atol=5e-4)


@pytest.mark.parametrize("rule", KEY_RULES)
def test_the_pairwise_cost_is_never_negative_and_symmetric_without_boosts(rule):
    tracks = random_catalogue(60, seed=8, unknown=0.2).table.to_pylist()
    tracks[1] = {**tracks[0], "track_id": "twin"}
    tracks[2]["energy"] = None
    _, pairwise, _ = costs_of(catalogue_of(tracks), Mixing(rule), Knobs())
    matrix = pairwise.matrix(np.arange(60))
    assert matrix.dtype == np.float32
    assert (matrix >= 0).all()
    assert matrix[0, 1] == pytest.approx(0, abs=1e-5)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-5)
    assert np.isfinite(matrix).all()


def test_half_time_weight_never_improves_a_transition():
    assert float(tempo_similarity(70, 140)) == pytest.approx(1)
    assert float(tempo_similarity(70, 140, 0.7)) == pytest.approx(0.4)
    assert float(tempo_similarity(70, 140, 0)) == -1
    assert float(tempo_similarity(70, 72, 0)) == pytest.approx(float(tempo_similarity(70, 72)))
    b = np.geomspace(30, 300, 500)
    for less, more in ((0, 0.3), (0.3, 0.7), (0.7, 1)):
        assert (tempo_similarity(95, b, less) <= tempo_similarity(95, b, more) + 1e-12).all()
    assert np.isnan(tempo_similarity(np.nan, 100, 0.5))


def test_tempo_limit_is_exact_and_symmetric():
    mixing = Mixing(max_tempo_change=5)
    near, far = np.float32(105), np.float32(105.1)
    hundred = np.float32(100)
    assert not mixing.large_tempo_jumps(hundred, near)
    assert not mixing.large_tempo_jumps(near, hundred)
    assert mixing.large_tempo_jumps(hundred, far)
    assert mixing.large_tempo_jumps(far, hundred)
    assert not mixing.large_tempo_jumps(hundred, np.float32(210))
    assert Mixing(half_time_weight=0, max_tempo_change=5).large_tempo_jumps(hundred, np.float32(210))
    assert not mixing.large_tempo_jumps(hundred, np.float32(np.nan))


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"key_rule": "x"}, "no key rule"),
        ({"half_time_weight": 1.5}, "from 0 to 1"),
        ({"half_time_weight": float("nan")}, "from 0 to 1"),
        ({"max_tempo_change": -1}, "0 per cent or more"),
        ({"max_tempo_change": float("nan")}, "0 per cent or more"),
    ],
)
def test_invalid_mixing_is_refused(bad, sentence):
    with pytest.raises(DiscoError, match=sentence):
        Mixing(**bad)


def test_deviation_is_the_distance_from_the_straight_line():
    catalogue = random_catalogue(20, seed=1)
    _, pairwise, space = costs_of(catalogue, Mixing(), Knobs(flow=2))
    rows = np.arange(20)
    for share in (0.0, 0.25, 1.0):
        point = (1 - share) * space[3] + share * space[9]
        wanted = [2 * math.dist(point, space[row]) for row in rows]
        np.testing.assert_allclose(pairwise.deviation(3, 9, share, rows), wanted, atol=1e-4)


@given(st.lists(st.floats(40, 250), min_size=3, max_size=3), st.sampled_from([0.0, 1.0]), st.floats(1, 30))
def test_of_tempo_changes_beyond_the_limit_the_smaller_costs_less_and_two_more_than_one(tempos, half_time, limit):
    mixing = Mixing(half_time_weight=half_time, max_tempo_change=limit)
    octaves = np.abs(tempo_octaves(tempos[0], np.array(tempos[1:]), mixing.folds))
    one, other = mixing.tempo_penalties(octaves).tolist()
    assert [one > 0, other > 0] == mixing.large_tempo_jumps(tempos[0], np.array(tempos[1:])).tolist()
    assert max(one, other) < 2 * TEMPO_PENALTY
    if max(octaves) < 0.5:
        assert (one <= other) == (octaves[0] <= octaves[1]) or one == pytest.approx(other, abs=1e-3)


def test_where_nothing_lies_within_the_limit_eight_per_cent_is_played_before_forty():
    known = {**dict.fromkeys(FEATURES, 0.5), "feature_set": "spotify"}
    tempos = {"seed": 120, "far": 168, "near": 129.6}
    catalogue = catalogue_of([{"track_id": i, "tempo_bpm": bpm, **known} for i, bpm in tempos.items()])
    knobs = Knobs(sweetness=0, smoothness=0)
    for cost in costs_of(catalogue, Mixing(max_tempo_change=6), knobs)[:2]:
        costs = cost.costs(cost.start(np.array([0])), np.array([1, 2]))[0]
        assert costs[1] < costs[0] - 5
