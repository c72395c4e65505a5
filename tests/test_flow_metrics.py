"""The figures of an order, by hand and by what must hold."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from hypothesis import given
from hypothesis import strategies as st

from disco.playlist.cost import Knobs, PairwiseCost
from disco.playlist.flow_metrics import FlowMetrics, arc_fit, artist_gap, coherence, flow_metrics, from_seeds
from disco.playlist.key_rules import KEY_RULES
from disco.playlist.sequence import Constraints, PositionCosts


def line(*points):
    """Points on a line of one dimension."""
    return np.array(points, dtype=np.float32)[:, None]


def measured(tracks, space=None):
    catalogue = catalogue_of([{"track_id": str(i), **track} for i, track in enumerate(tracks)])
    space = line(*range(len(tracks))) if space is None else space
    return flow_metrics(catalogue, np.arange(len(tracks)), PairwiseCost(catalogue, Knobs(), space))


A_MINOR, C_MAJOR, C_MINOR, G_MAJOR, E_MINOR, D_MAJOR = (
    {"key": key, "mode": mode} for key, mode in ((9, 0), (0, 1), (0, 0), (7, 1), (4, 0), (2, 1))
)


def test_key_shares_are_of_known_transitions_under_each_rule():
    # C to its relative; to E minor, the diagonal from C; to an unknown, and from it: two joins are unknown.
    result = measured([A_MINOR, C_MAJOR, E_MINOR, {}, C_MAJOR, C_MINOR])
    assert result.keys == 3
    assert result.allowed["fifths"] == pytest.approx(2 / 3)
    assert result.allowed["camelot"] == pytest.approx(1 / 3)
    assert result.allowed["camelot-wide"] == pytest.approx(2 / 3)
    # By ear all three go together: relative 0.65, C major to E minor 0.54, parallel 0.51.
    assert result.allowed["tonal"] == 1
    assert result.clashes == pytest.approx(10 / 3)  # C major to C minor, three steps


def test_keys_three_steps_apart_clash_and_two_do_not():
    assert measured([C_MAJOR, D_MAJOR]).clashes == 0
    assert measured([C_MAJOR, {"key": 9, "mode": 1}]).clashes == 10


def test_changes_of_tempo_are_folded():
    tempos = (100, 105, 210, 189, 100)  # 5 %, double: 0 %, -10 %, and 189 to 200, half of which is 100: 5.82 %
    result = measured([{"tempo_bpm": float(t)} for t in tempos])
    assert result.tempo_change == pytest.approx((5 + 0 + 10 + 5.8201) / 4, abs=1e-3)
    assert result.tempo_p90 == pytest.approx(5.8201 + 0.7 * (10 - 5.8201), abs=1e-3)
    assert result.within_5 == 0.5
    assert result.within_10 == 1
    assert result.folded == 0.5


def test_steps_and_costs_match_the_terms():
    result = measured([{}, {}, {}], line(0, 3, 4))
    assert (result.step, result.worst_step) == (2, 3)
    # Nothing is known of keys and tempos: each join costs its step and the middle of K and of T.
    assert result.total_cost == pytest.approx(3 + 2 + 1 + 2)
    assert result.mean_cost == pytest.approx(4)
    assert (result.worst, result.worst_cost) == (1, pytest.approx(5))


@pytest.mark.parametrize(
    ("points", "value"),
    [
        ((0, 1, 2), 0.5),  # SV 1/2; PV (1 + 1 + 4) / 6
        ((0, 2, 1), -0.25),  # SV (4 + 1) / 4
        ((1, 1, 1), np.nan),
        ((5,), np.nan),
        ((0, np.nan, 1, 2), 0.5),
    ],
)
def test_coherence_of_a_worked_example(points, value):
    assert coherence(line(*points)) == pytest.approx(value, nan_ok=True)


@given(st.integers(2, 30), st.integers(0, 10_000))
def test_coherence_equals_the_definition_over_all_pairs_and_is_at_most_one(n, seed):
    space = np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)
    pairs = [((space[i] - space[j]).astype(float) ** 2).sum() for i in range(n) for j in range(n) if i != j]
    steps = [((space[i] - space[i + 1]).astype(float) ** 2).sum() for i in range(n - 1)]
    assert coherence(space) == pytest.approx(1 - (np.mean(steps) / 2) / (np.mean(pairs) / 2), abs=1e-5)
    assert coherence(space) <= 1
    assert coherence(space) == pytest.approx(coherence(space[::-1]), abs=1e-6)


def test_mean_coherence_of_shuffles_is_zero():
    rng = np.random.default_rng(0)
    space = np.cumsum(rng.normal(size=(40, 4)), axis=0).astype(np.float32)
    assert coherence(space) > 0.8
    assert np.mean([coherence(rng.permutation(space)) for _ in range(300)]) == pytest.approx(0, abs=0.03)


def test_arc_fit_of_worked_examples():
    catalogue = catalogue_of([{"track_id": str(i), "energy": e} for i, e in enumerate((0.1, 0.5, 0.9))])
    position_costs = PositionCosts(catalogue, 3, Constraints(arc=(0.0, 1.0)), whole=True)
    assert arc_fit(position_costs, np.array([0, 1, 2])) == pytest.approx((0, 1))
    assert arc_fit(position_costs, np.array([2, 1, 0])) == pytest.approx((np.sqrt(2 / 3), -1))
    flat = PositionCosts(catalogue, 3, Constraints(arc=(0.5, 0.5)), whole=True)
    assert np.isnan(arc_fit(flat, np.array([0, 1, 2]))[1])
    assert np.isnan(arc_fit(PositionCosts(catalogue, 3), np.array([0, 1, 2]))).all()
    silent = catalogue_of([{"track_id": "a"}, {"track_id": "b"}])
    assert np.isnan(arc_fit(PositionCosts(silent, 2, Constraints(arc=(0.0, 1.0))), np.array([0, 1]))).all()


def test_artist_gap_counts_all_artists():
    artists = (["X"], ["Y", "X"], ["Z"], ["W"], ["Z"], None)
    catalogue = catalogue_of([{"track_id": str(i), "artists": a} for i, a in enumerate(artists)])
    assert artist_gap(catalogue, np.array([0, 2, 1, 3, 5, 4])) == (1, 0)  # X, Z, Y with X
    assert artist_gap(catalogue, np.arange(6)) == (0, 1)
    assert artist_gap(catalogue, np.array([0, 2, 3, 5])) == (None, 0)


def test_distance_and_drift_from_the_seeds():
    away, drift = from_seeds(line(0, 2, 2, 4, 6), 2)  # the seeds' middle is 1: 1, 3, 5 away
    assert (away, drift) == pytest.approx((3, 4))
    assert np.isnan(from_seeds(line(0, 1), 0)).all()
    assert from_seeds(line(0, 2), 1) == pytest.approx((2, np.nan), nan_ok=True)


def test_unknown_metrics_are_nan_and_null_in_json():
    result = measured([{}, {}], np.full((2, 8), np.nan, dtype=np.float32))
    shown = result.as_dict()
    unknown = ("clashes", "tempo_change", "within_5", "folded", "step", "coherence", "arc_rmse", "artist_gap")
    assert all(shown[name] is None for name in unknown)
    assert set(shown["allowed"]) == set(KEY_RULES)
    assert "NaN" not in json.dumps(shown)
    assert FlowMetrics().as_dict()["joins"] == 0


@given(st.integers(2, 25), st.integers(0, 1000))
def test_reversing_the_order_keeps_key_shares_and_steps(n, seed):
    catalogue = random_catalogue(n, seed, artists=5, unknown=0.3)
    space = np.random.default_rng(seed).normal(size=(n, 8)).astype(np.float32)
    cost, path = PairwiseCost(catalogue, Knobs(), space), np.random.default_rng(seed).permutation(n)
    one, other = flow_metrics(catalogue, path, cost), flow_metrics(catalogue, path[::-1], cost)
    for name in ("total_cost", "step", "worst_step", "coherence", "clashes", "folded", "artist_gap", "same_artist"):
        a, b = (np.nan if v is None else v for v in (getattr(one, name), getattr(other, name)))
        assert a == pytest.approx(b, rel=1e-4, abs=1e-4, nan_ok=True), name
    assert one.allowed == pytest.approx(other.allowed, nan_ok=True)
    if not np.isnan(one.within_5):
        assert 0 <= one.within_5 <= one.within_10 <= 1
