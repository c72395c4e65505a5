"""Tracks with missing features, or with features of another feature set."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from hypothesis import given, settings
from hypothesis import strategies as st

from disco.catalogue import FEATURES
from disco.models.distance import impute
from disco.models.predictors import PREDICTORS, load_predictor
from disco.models.recommenders import Nearest, Query
from disco.models.scaler import quantile_match_notes, scaled_features, scaler
from disco.playlist.cost import FlowCost, Knobs, PairwiseCost
from disco.playlist.flow_metrics import flow_metrics
from disco.playlist.generate import generate
from disco.playlist.matching import match_tracklist
from disco.playlist.reorder import reorder
from disco.playlist.sequence import Budget, Constraints
from disco.sources.tracklist import Entry, Tracklist

SHORT = Budget(iterations=5)


def hidden(n, share, seed=0, artists=None):
    """Random tracks of which each feature is unknown with this chance."""
    tracks, rng = random_catalogue(n, seed, artists).table.to_pylist(), np.random.default_rng(seed)
    return catalogue_of([{**t, **{f: None for f in FEATURES if rng.random() < share}} for t in tracks])


def test_impute_puts_unknown_components_at_the_mean_and_returns_the_missing_variance():
    space = np.array([[1, 2], [3, np.nan], [np.nan, 6], [5, 4], [np.nan, np.nan]], dtype=np.float32)
    columns, owed = impute(space)
    np.testing.assert_allclose(columns.T, [[1, 2], [3, 4], [3, 6], [5, 4], [3, 4]])
    first, second = np.var([1, 3, 5]), np.var([2, 6, 4])
    np.testing.assert_allclose(owed, [0, second, first, 0, first + second], rtol=1e-6)


def test_impute_does_not_copy_complete_tracks():
    space = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    columns, owed = impute(space)
    assert owed is None
    assert np.shares_memory(columns, space)


def test_impute_gives_zeros_where_nothing_is_known():
    columns, owed = impute(np.full((3, 8), np.nan, dtype=np.float32))
    assert not columns.any()
    assert not owed.any()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 1.0])
def test_mean_squared_distances_equal_those_of_complete_tracks(share):
    rng = np.random.default_rng(1)
    space = rng.normal(size=(400, 8)).astype(np.float32)
    partly = space.copy()
    partly[:200][rng.random((200, 8)) < share] = np.nan
    catalogue = random_catalogue(400)
    whole, part = (
        PairwiseCost(catalogue, Knobs(sweetness=0, smoothness=0), s).matrix(np.arange(400)) for s in (space, partly)
    )
    for rows in (slice(0, 200), slice(200, 400)):
        assert np.mean(part[:200, rows] ** 2) == pytest.approx(np.mean(whole[:200, rows] ** 2), rel=0.1)
    np.testing.assert_allclose(part[200:, 200:], whole[200:, 200:], atol=1e-5)
    np.testing.assert_allclose(part, part.T, atol=1e-5)


@pytest.mark.parametrize("name", PREDICTORS)
def test_terms_add_up_to_the_costs_with_missing_features(name):
    catalogue, knobs = hidden(40, 0.6), Knobs(0.7, 1.1, 1.9, 0.4)
    predictor = load_predictor(name)
    space, path = predictor.embed(catalogue), np.array([3, 8, 1, 20, 33, 7])
    for cost in (FlowCost(catalogue, predictor, knobs, space), PairwiseCost(catalogue, knobs, space)):
        terms = cost.terms(path)
        assert np.isfinite(terms["cost"]).all()
        for i in range(1, len(path)):
            now = cost.costs(cost.start(path[:i]), path[i : i + 1])[0, 0]
            assert terms["cost"][i - 1] == pytest.approx(now, abs=1e-4)


def test_candidates_with_few_features_are_not_favoured():
    """The true next tracks of a wandering sequence stay near the front; those little known do not crowd it."""
    rng = np.random.default_rng(3)
    space = rng.normal(size=(400, 8)).astype(np.float32)
    partly = space.copy()
    few = np.arange(200)
    for row in few:
        partly[row, rng.permutation(8)[:7]] = np.nan
    cost = PairwiseCost(random_catalogue(400), Knobs(sweetness=0, smoothness=0), partly)
    first = [np.argsort(cost.costs(cost.start(np.array([row])), np.arange(400))[0])[1:21] for row in range(200, 400)]
    assert np.mean(np.isin(first, few)) < 0.5
    nearest = Nearest(partly)
    found = [nearest.recommend(Query(np.array([row])), 20).rows for row in range(200, 400)]
    assert np.mean(np.isin(found, few)) < 0.5


class TestNearestWithMissingFeatures:
    """Tracks known in part are candidates, by the distance to be expected."""

    def test_scores_are_the_distances_of_the_cost(self):
        catalogue = hidden(60, 0.4)
        space = scaled_features(catalogue, scaler())
        cost = PairwiseCost(catalogue, Knobs(sweetness=0, smoothness=0), space)
        found = Nearest(space).recommend(Query(np.array([5])), 60)
        np.testing.assert_allclose(-found.scores, cost.costs(cost.start(np.array([5])), found.rows)[0], atol=1e-5)


@pytest.mark.parametrize("name", PREDICTORS)
def test_a_missing_component_is_replaced_by_the_mean(name):
    tracks, predictor = random_catalogue(4).table.to_pylist(), load_predictor(name)
    by = scaler()
    raw = np.linspace(0, 1, 100_001, dtype=np.float32)
    features = np.full((len(raw), 8), 0.5, dtype=np.float32)
    features[:, FEATURES.index("energy")] = raw
    usual = float(raw[np.abs(by.transform(features)[:, FEATURES.index("energy")]).argmin()])
    inputs = []
    for energy in (None, usual):
        tracks[1]["energy"] = energy
        catalogue = catalogue_of(tracks)
        inputs.append(predictor.inputs(catalogue, predictor.embed(catalogue), np.array([1])))
    np.testing.assert_allclose(inputs[0], inputs[1], atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.3, 0.9, 1.0])
def test_playlists_are_generated_with_missing_features(share):
    catalogue = hidden(150, share, artists=60)
    for name in PREDICTORS:
        for sequencer in ("greedy", "beam", "order"):
            playlist = generate(catalogue, np.array([3, 7]), predictor=name, sequencer=sequencer, length=6)
            assert len(playlist) == 8
            assert np.isfinite(playlist.terms["cost"]).all()


def warped(catalogue, seed=0, noise=0.0):
    """The same tracks in another feature set: other scales, the same ranks but for noise."""
    rng, tracks = np.random.default_rng(seed), catalogue.table.to_pylist()
    for name in FEATURES:
        values = np.array([track[name] for track in tracks])
        values = np.argsort(np.argsort(values)) / len(values) + noise * rng.normal(size=len(values))
        for track, value in zip(tracks, values, strict=True):
            track[name] = float(3 + 2 * value**3)
    return catalogue_of([{**track, "feature_set": "audio-1"} for track in tracks])


def likely(n, seed=0):
    """Tracks whose features are spread as those that the scaler was fitted on."""
    tracks, by, rng = random_catalogue(n, seed).table.to_pylist(), scaler(), np.random.default_rng(seed)
    for i, name in enumerate(FEATURES):
        at = np.linspace(0, by.quantiles.shape[1] - 1, n)[rng.permutation(n)]
        values = np.interp(at, np.arange(by.quantiles.shape[1]), by.quantiles[i])
        for track, value in zip(tracks, values, strict=True):
            track[name] = float(value)
    return catalogue_of(tracks)


@pytest.mark.slow
def test_features_of_another_set_are_quantile_matched():
    catalogue = likely(1000)
    want, got = (scaled_features(c, scaler()) for c in (catalogue, warped(catalogue)))
    apart = np.abs(want - got)
    assert np.median(apart) < 0.05
    assert np.quantile(apart, 0.95) < 0.3
    assert "1,000 tracks have features by 'audio-1'" in quantile_match_notes(warped(catalogue), "spotify")[0]
    assert not quantile_match_notes(catalogue, "spotify")


@pytest.mark.slow
def test_ranks_are_among_the_parent_catalogue_and_one_feature_set():
    other, own = warped(likely(300)).table.to_pylist(), random_catalogue(50, seed=4).table.to_pylist()
    both = catalogue_of([*own, *({**track, "track_id": f"w{track['track_id']}"} for track in other)])
    scaled, alone = scaled_features(both, scaler()), scaled_features(warped(likely(300)), scaler())
    np.testing.assert_array_equal(scaled[:50], scaled_features(catalogue_of(own), scaler()))
    np.testing.assert_array_equal(scaled[50:], alone)
    few = both.take(np.array([60, 7, 61])).take(np.array([0, 2]))
    np.testing.assert_array_equal(scaled_features(few, scaler()), scaled[[60, 61]])


def test_equal_values_share_a_rank_and_a_single_track_is_the_median():
    same = warped(likely(20)).table.to_pylist()
    scaled = scaled_features(catalogue_of([{**track, "energy": 0.5} for track in same]), scaler())
    column = scaled[:, FEATURES.index("energy")]
    assert np.ptp(column) == 0
    assert abs(column[0]) < 0.3
    one = scaled_features(catalogue_of(same[:1]), scaler())
    by = scaler()
    np.testing.assert_allclose(one, by.transform(np.median(by.quantiles, axis=1)[None].astype(np.float32)), atol=0.05)


def test_values_of_a_person_are_on_the_scale_of_the_scaler():
    result = catalogue_of(
        [{"track_id": "a", "energy": 0.9, "feature_set": "person"}, random_catalogue(1).tracks([0])[0]]
    )
    as_spotify = catalogue_of([{"track_id": "a", "energy": 0.9, "feature_set": "spotify"}])
    np.testing.assert_array_equal(scaled_features(result, scaler())[0], scaled_features(as_spotify, scaler())[0])


def as_it_is(catalogue):
    ids = catalogue.table["track_id"].to_pylist()
    return match_tracklist(Tracklist("", [Entry(i) for i in ids]), catalogue)


def test_quantile_matching_orders_better_than_ignoring_another_set():
    """Judged by the true features, and with a fifth of noise on those that are matched."""
    true = likely(60, seed=5)
    plain = catalogue_of([{**t, "key": None, "tempo_bpm": None} for t in true.table.to_pylist()])
    judge = PairwiseCost(plain, Knobs(), scaled_features(plain, scaler()))
    other = warped(plain, noise=0.05)
    ignored = catalogue_of([{**t, **dict.fromkeys((*FEATURES, "feature_set"))} for t in other.table.to_pylist()])

    def cost(catalogue):
        ordered = reorder(as_it_is(catalogue), budget=SHORT).tracks.table["track_id"].to_pylist()
        return flow_metrics(plain, plain.rows(ordered), judge).mean_cost

    best, matched, nothing = cost(plain), cost(other), cost(ignored)
    # Of what knowing the features gains over knowing none, the ranks gain most.
    assert nothing - matched > 0.7 * (nothing - best)


def test_orders_by_key_and_tempo_alone_are_good_and_noted():
    bare = [
        {**t, **dict.fromkeys((*FEATURES, "feature_set"))} for t in random_catalogue(40, seed=2).table.to_pylist()
    ]
    made = reorder(as_it_is(catalogue_of(bare)), budget=SHORT)
    assert made.after.mean_cost < 0.25 * made.before.mean_cost
    # Keys and tempos both count: of 39 transitions 32 go together by Camelot, most of those within 6 per cent.
    assert made.after.compatible > 30 > 2 * made.before.compatible
    assert any("the order is by key and tempo alone" in note for note in made.notes)
    unknown = catalogue_of([{"track_id": str(i)} for i in range(9)])
    nothing = reorder(as_it_is(unknown), budget=SHORT)
    assert any("nothing but names is known of the tracks" in note for note in nothing.notes)
    assert len(set(nothing.tracks.table["track_id"].to_pylist())) == 9


LIBRARY = random_catalogue(60, seed=6, artists=50)


@pytest.mark.slow
@settings(max_examples=20)
@given(st.lists(st.booleans(), min_size=1, max_size=24).filter(any), st.integers(0, 3))
def test_unmatched_tracks_keep_their_positions_and_the_others_are_ordered(known, seed):
    order = np.random.default_rng(seed).permutation(60)[: len(known)]
    ids = [f"t{row:05}" if here else f"unmatched {row}" for row, here in zip(order, known, strict=True)]
    had = match_tracklist(Tracklist("", [Entry(i, text=i) for i in ids]), LIBRARY)
    made = reorder(had, budget=SHORT)
    played = made.tracks.table["track_id"].to_pylist()
    assert sorted(played) == sorted(ids)
    for position, here in enumerate(known):
        assert here or played[position] == ids[position]
    assert made.after.mean_cost <= made.before.mean_cost + 1e-5
    costs = made.terms["cost"]
    for i, pair in enumerate(pairwise(played)):
        assert not any(name.startswith("unmatched") for name in pair) or costs[i] == 0


def test_a_constraint_on_the_position_of_an_unmatched_track_takes_precedence():
    ids = ["t00001", "unmatched", "t00002", "t00003"]
    had = match_tracklist(Tracklist("", [Entry(i, text=i) for i in ids]), LIBRARY)
    made = reorder(had, constraints=Constraints(pinned=((1, 3),)), budget=SHORT)
    played = made.tracks.table["track_id"].to_pylist()
    assert (played[1], played[2]) == ("t00003", "unmatched")
    kept = reorder(had, keep_positions=[0, 1], budget=SHORT).tracks.table["track_id"].to_pylist()
    assert kept[:2] == ids[:2]
