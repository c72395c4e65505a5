"""The costs of other programs by hand, and their searches."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from helpers.examples import at_most
from hypothesis import given
from hypothesis import strategies as st

from disco.evaluation import baseline_costs, baseline_searches
from disco.evaluation.baseline_costs import Tracks, baseline_tracks
from disco.evaluation.baseline_reklawdbox import ReklawdboxScore, beam_of_scores, cheapest_by_whole_cost
from disco.evaluation.baseline_searches import order_crossover, two_opt, wrzdj_genre
from disco.evaluation.baselines import BASELINES
from disco.models.predictors import load_predictor


def two(a, b, **all_tracks):
    """Two tracks; attributes that are not given are known and equal."""
    default = {"key": 0, "mode": 1, "tempo_bpm": 120.0, "energy": 0.5, "artists": None, "album": None, "genres": None}
    rows = [{"track_id": str(i), **default, **all_tracks, **track} for i, track in enumerate((a, b))]
    return baseline_tracks(catalogue_of(rows), np.zeros((2, 8), dtype=np.float32))


C, A_MINOR, C_MINOR, G, E_FLAT, F_SHARP_MINOR, D, E_MINOR, UNKNOWN = (
    {"key": key, "mode": mode}
    for key, mode in ((0, 1), (9, 0), (0, 0), (7, 1), (3, 1), (6, 0), (2, 1), (4, 0), (None, None))
)


@pytest.mark.parametrize(
    ("other", "key"),
    [(A_MINOR, 0.5), (C_MINOR, 0), (G, 0.8 / 6), (E_FLAT, 0.4), (F_SHARP_MINOR, 1), (UNKNOWN, 0.5), (C, 0)],
)
def test_audiomuse_compares_the_roots_of_keys(other, key):
    assert baseline_costs.audiomuse(two(C, other))[0, 1] == pytest.approx(0.30 * key)


def test_audiomuse_compares_tempos_without_folding_octaves_and_energies_of_its_span():
    tracks = two({"tempo_bpm": 70.0, "energy": 0.2}, {"tempo_bpm": 140.0, "energy": 0.3})
    # An energy of 0.1 more is 0.065 more on the span from 0.30 to 0.95.
    assert baseline_costs.audiomuse(tracks)[0, 1] == pytest.approx(0.35 * 0.875 + 0.35 * 0.065 / 0.14)
    far = two({"tempo_bpm": 60.0, "energy": 0.2}, {"tempo_bpm": 200.0, "energy": 0.5})
    assert baseline_costs.audiomuse(far)[0, 1] == pytest.approx(0.35 + 0.35)


@pytest.mark.parametrize(("other", "key"), [(C, 1), (G, 0.8), (A_MINOR, 0.8), (D, 0.5), (E_MINOR, 0), (UNKNOWN, 0)])
def test_wrzdj_scores_keys_by_steps_on_the_camelot_wheel_and_by_strictness(other, key):
    tracks = two(C, other)
    usual = 0.5 + 0.2 * (key - 0.5)
    assert baseline_costs.wrzdj(tracks)[0, 1] == pytest.approx(1 - (0.35 + 0.30 * usual + 0.10 + 0.15))
    strict = baseline_costs.wrzdj(tracks, strictness=1.0)[0, 1]
    assert strict == pytest.approx(1 - (0.35 + 0.30 * key + 0.10 + 0.15))


@pytest.mark.parametrize(
    ("a", "b", "tempo"),
    [(120, 122, 1), (120, 131, 0.5), (120, 145, 0), (70, 140, 0.7), (140, 70, 0.7), (70, 149, 0.7 * 11 / 18)],
)
def test_wrzdj_scores_half_and_double_time_at_70_per_cent(a, b, tempo):
    cost = baseline_costs.wrzdj(two({"tempo_bpm": float(a)}, {"tempo_bpm": float(b)}), 1.0)[0, 1]
    assert cost == pytest.approx(1 - (0.35 * tempo + 0.30 + 0.10 + 0.15))
    assert baseline_costs.wrzdj(two({"tempo_bpm": None}, {}), 1.0)[0, 1] == pytest.approx(1 - (0.35 * 0.5 + 0.55))
    assert baseline_costs.wrzdj(two({}, {}, artists=["X"]), 1.0)[0, 1] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [
        ("house", "house", 1),
        ("deep-house", "house", 0.5),
        ("house", "deep-house", 0.5),
        ("afro house", "acid house", 0.4),
        ("techno", "deep-house", 0.4),
        ("trance", "techno", 0.3),
        ("drum-and-bass", "techno", 0),
        ("", "house", 0.5),
    ],
)
def test_wrzdj_grades_genres_by_family(one, other, score):
    tracks = two({"genres": [one] if one else None}, {"genres": [other]})
    assert wrzdj_genre(tracks)[0, 1] == pytest.approx(score)


@pytest.mark.parametrize(
    ("other", "key"), [(C, 0), (G, 1), (A_MINOR, 1), (C_MINOR, 2), (D, 10), (E_MINOR, 10), (UNKNOWN, 10)]
)
def test_playlist_sorter_scores_keys_symmetrically(other, key):
    costs = baseline_costs.playlist_sorter(two(C, other, artists=None), (0.3, 0.3, 0.1, 0.0, 0.0))
    assert costs[0, 1] == costs[1, 0] == pytest.approx(0.3 * key / 12)


def test_playlist_sorter_scales_energy_and_tempo_by_their_greatest_difference():
    three = [
        {"track_id": str(i), "key": 0, "mode": 1, "energy": e, "tempo_bpm": t, "artists": [str(i)], "album": str(i)}
        for i, (e, t) in enumerate(((0.02, 60.0), (0.5, 120.0), (0.31, 100.0)))
    ]
    costs = baseline_costs.playlist_sorter(baseline_tracks(catalogue_of(three), np.zeros((3, 8), np.float32)))
    # Energies of 1, 5 and 3. Folded tempo differences: 0 (60, 120), 20 (120, 100) and 10 (60, 100 / 2).
    assert costs[0, 1] == pytest.approx(0.3 * 1 + 0.1 * 0)
    assert costs[1, 2] == pytest.approx(0.3 * 0.5 + 0.1 * 1)
    assert costs[0, 2] == pytest.approx(0.3 * 0.5 + 0.1 * 0.5)
    same = two({}, {}, artists=["X"], album="L")
    assert baseline_costs.playlist_sorter(same)[0, 1] == pytest.approx(0.2 + 0.2)
    assert baseline_costs.playlist_sorter(same, baseline_costs.SORTER_README)[0, 1] == pytest.approx(1)


@pytest.mark.parametrize(
    ("other", "key"),
    [(C, 1), (G, 0.9), (A_MINOR, 0.8), (E_MINOR, 0.55), (D, 0.45), (C_MINOR, 0.1), (UNKNOWN, 0.1)],
)
def test_reklawdbox_scores_keys_by_steps_on_the_camelot_wheel_and_halves_for_clashes(other, key):
    # Equal tempos, an energy that is not high, no genre.
    score = (0.30 * key + 0.20 + 0.18 * 0.5 + 0.17 * 0.5) / 0.85 * (0.5 if key < 0.45 else 1)
    assert baseline_costs.reklawdbox(two(C, other))[0, 1] == pytest.approx(1 - score)


@pytest.mark.parametrize(
    ("b", "tempo"),
    [(120, 1), (126, math.exp(-0.475)), (132, math.exp(-1.9)), (240, math.exp(-190)), (None, math.exp(-190))],
)
def test_reklawdbox_compares_tempos_without_folding_octaves(b, tempo):
    score = (0.30 + 0.20 * tempo + 0.18 * 0.5 + 0.17 * 0.5) / 0.85
    assert baseline_costs.reklawdbox(two({}, {"tempo_bpm": b and float(b)}))[0, 1] == pytest.approx(1 - score)


def test_reklawdbox_prefers_high_stable_energy_and_one_genre():
    def cost(genres, energies):
        a, b = ({"genres": [g], "energy": e} for g, e in zip(genres, energies, strict=True))
        return baseline_costs.reklawdbox(two(a, b))[0, 1]

    def score(energy, genre):
        return pytest.approx(1 - (0.30 + 0.20 + 0.18 * energy + 0.17 * genre) / 0.85)

    assert cost(("house", "house"), (0.7, 0.75)) == score(1, 1)
    assert cost(("deep-house", "house"), (0.9, 0.7)) == score(0.5, 0.7)
    assert cost(("techno", "house"), (0.58, 0.66)) == score(1, 0.3)
    assert cost(("trance", "pop"), (0.1, 0.1)) == score(0.5, 0.3)  # neither has a family
    assert cost(("polka", "house"), (0.1, 0.1)) == score(0.5, 0.5)  # it does not know polka


def test_reklawdbox_scores_a_whole_order_by_place_drift_and_runs():
    # Four tracks on its usual curve: warm-up, build, peak, release.
    rows = [
        {"track_id": "a", "key": 0, "mode": 1, "tempo_bpm": 100.0, "energy": 0.50, "genres": ["house"]},
        {"track_id": "b", "key": 0, "mode": 1, "tempo_bpm": 101.0, "energy": 0.60, "genres": ["deep house"]},
        {"track_id": "c", "key": 7, "mode": 1, "tempo_bpm": 103.0, "energy": 0.55, "genres": ["techno"]},
        {"track_id": "d", "key": 6, "mode": 1, "tempo_bpm": 103.0, "energy": 0.64, "genres": ["techno"]},
    ]
    score = ReklawdboxScore(baseline_tracks(catalogue_of(rows), np.zeros((4, 8), np.float32)))
    assert score.part.tolist() == [0, 1, 2, 3]

    def one(key, change, energy, genre, factor):
        return (0.30 * key + 0.20 * math.exp(-0.019 * change**2) + 0.18 * energy + 0.17 * genre) / 0.85 * factor

    rising = [
        one(1, 1, 1, 0.7, 1),  # it rises, as a build asks
        one(0.9, 200 / 101, 0.5, 0.2, 1),  # not high enough for a peak; leaves a family after one transition in it
        one(0.1, 0, 0.3, 1, 0.5),  # a clash, and no release
    ]
    assert score.costs(np.array([[0, 1, 2, 3]]))[0] == pytest.approx(3 - sum(rising))
    falling = [
        one(0.9, 200 / 103, 1, 0.3, 1),
        one(1, 100 / 101, 0.5, 0.7, 1),
        one(0.1, 3, 0.3, 0.2, 0.5),
    ]
    assert score.costs(np.array([[2, 1, 0, 3]]))[0] == pytest.approx(3 - sum(falling))


def test_reklawdbox_counts_less_what_drifts_from_the_first_tempo():
    tempos = (100.0, 103.0, 103.0, 107.0)
    rows = [{"track_id": str(i), "key": 0, "mode": 1, "tempo_bpm": t, "energy": 0.7} for i, t in enumerate(tempos)]
    score = ReklawdboxScore(baseline_tracks(catalogue_of(rows), np.zeros((4, 8), np.float32)), flat=True)

    def one(change, factor):
        return (0.30 + 0.20 * math.exp(-0.019 * change**2) + 0.18 + 0.17 * 0.5) / 0.85 * factor

    # 2, 4 and 6 BPM are allowed.
    expected = one(3, 0.7) + one(0, 1) + one(400 / 103, 0.7)
    assert score.costs(np.array([[0, 1, 2, 3]]))[0] == pytest.approx(3 - expected)


def test_reklawdbox_rewards_runs_within_a_family_of_genres():
    rows = [
        {"track_id": str(i), "key": 0, "mode": 1, "tempo_bpm": 120.0, "energy": 0.7, "genres": [genre]}
        for i, genre in enumerate(["house", "deep-house"] * 4)
    ]
    score = ReklawdboxScore(baseline_tracks(catalogue_of(rows), np.zeros((8, 8), np.float32)), flat=True)
    # 0.7 at first, then four times 0.1 more, then again without.
    genre = [0.7, 0.8, 0.8, 0.8, 0.8, 0.7, 0.7]
    expected = sum((0.30 + 0.20 + 0.18 + 0.17 * g) / 0.85 for g in genre)
    assert score.costs(np.array([np.arange(8)]))[0] == pytest.approx(7 - expected)


def test_reklawdbox_starts_at_the_lowest_energy_and_on_a_flat_curve_at_the_highest():
    rows = [{"track_id": str(i), "energy": e} for i, e in enumerate((0.4, 0.1, 0.9, 0.5))]
    tracks = baseline_tracks(catalogue_of(rows), np.zeros((4, 8), np.float32))
    assert ReklawdboxScore(tracks).start() == 1
    assert ReklawdboxScore(tracks, flat=True).start() == 2


def test_a_beam_as_wide_as_all_orders_finds_the_best_of_them():
    few = random_catalogue(5, 4, artists=5, unknown=0.2)
    score = ReklawdboxScore(baseline_tracks(few, load_predictor("mean").embed(few)))
    every = np.array([order for order in itertools.permutations(range(5)) if order[0] == 2])
    wide = beam_of_scores(score, 2, 120)
    assert score.costs(wide[None, :])[0] == pytest.approx(score.costs(every).min())


def test_the_search_for_whole_costs_finds_the_best_of_all_orders():
    few = random_catalogue(6, 8, artists=6, unknown=0.2)
    score = ReklawdboxScore(baseline_tracks(few, load_predictor("mean").embed(few)))
    best = score.costs(np.array([*itertools.permutations(range(6))])).min()
    found = cheapest_by_whole_cost(score.costs, np.array([np.arange(6)]), np.random.default_rng(0), kicks=30)
    assert score.costs(found[None, :])[0] == pytest.approx(best)


@pytest.mark.parametrize(
    ("other", "key"),
    [
        (C, 1),
        (A_MINOR, 0.9),
        (G, 0.9),
        (E_MINOR, 0.55),
        (D, 0.7),
        (C_MINOR, 0.1),
        (F_SHARP_MINOR, 0.1),
        (UNKNOWN, 0.5),
    ],
)
def test_setlist_scores_keys_and_lifts_of_energy_one_way_only(other, key):
    assert baseline_costs.setlist(two(C, other))[0, 1] == pytest.approx(1 - math.sqrt(key))
    assert baseline_costs.setlist(two(D, C))[0, 1] == pytest.approx(1 - math.sqrt(0.45))
    c_sharp, c = {"key": 1, "mode": 1}, C
    assert baseline_costs.setlist(two(c, c_sharp))[0, 1] == pytest.approx(1 - math.sqrt(0.7))
    assert baseline_costs.setlist(two(c_sharp, c))[0, 1] == pytest.approx(1 - math.sqrt(0.05))


@pytest.mark.parametrize(
    ("a", "b", "tempo"),
    [
        (120, 122, 1),
        (120, 125.5, 0.5),
        (120, 129, 0),
        (120, 118, 0.5),
        (120, 116, 0),
        (87, 174, 0.85),
        (174, 86, 0.425),
    ],
)
def test_setlist_prefers_tempos_that_rise(a, b, tempo):
    cost = baseline_costs.setlist(two({"tempo_bpm": float(a)}, {"tempo_bpm": float(b)}))[0, 1]
    assert cost == pytest.approx(1 - math.sqrt(tempo))


@pytest.mark.parametrize("title", ["A (Extended Mix)", "B - Club Edit", 'C 12"', "D (12 inch)", "E Long Version"])
def test_setlist_forgives_half_of_a_key_where_the_next_is_an_extended_version(title):
    cost = baseline_costs.setlist(two(C, {**G, "title": title}))
    assert cost[0, 1] == pytest.approx(1 - math.sqrt(0.95))
    assert cost[1, 0] == pytest.approx(1 - math.sqrt(0.9))
    assert not two(C, {"title": "F (Original Mix)"}).extended.any()


@pytest.fixture(scope="module")
def thirty():
    few = random_catalogue(30, 3, artists=12, unknown=0.2)
    return baseline_tracks(few, load_predictor("mean").embed(few))


@pytest.mark.slow
@pytest.mark.parametrize("name", BASELINES)
def test_every_search_orders_every_track_once_and_depends_on_the_seed_alone(name, thirty, monkeypatch):
    monkeypatch.setattr(baseline_searches, "GENERATIONS", 60)
    monkeypatch.setattr(baseline_searches, "ANNEALING_MOVES", 6000)
    baseline = BASELINES[name]
    costs = baseline.cost(thirty) if baseline.cost else np.zeros((30, 30))
    assert costs.shape == (30, 30)
    assert np.isfinite(costs).all()
    one, two = (baseline.search(thirty, costs, np.random.default_rng(5)) for _ in range(2))
    assert sorted(one.tolist()) == list(range(30))
    assert (one == two).all()


def test_every_search_costs_less_than_random_orders(thirty, monkeypatch):
    monkeypatch.setattr(baseline_searches, "GENERATIONS", 60)
    monkeypatch.setattr(baseline_searches, "ANNEALING_MOVES", 6000)

    def total(costs, order):
        return costs[order[:-1], order[1:]].sum()

    rng = np.random.default_rng(1)
    for name in (
        "AudioMuse-AI",
        "WrzDJ",
        "playlist-sorter",
        "reklawdbox",
        "nearest neighbour",
        "by tempo",
        "by energy",
    ):
        costs = BASELINES[name].cost(thirty)
        random = np.mean([total(costs, rng.permutation(30)) for _ in range(20)])
        assert total(costs, BASELINES[name].search(thirty, costs, rng)) < 0.9 * random, name


def test_audiomuse_starts_at_the_lower_quartile_of_energy_and_reklawdbox_at_the_minimum():
    energies = [0.9, 0.3, 0.1, 0.5, 0.2, 0.7, 0.8, 0.4]
    few = catalogue_of([{"track_id": str(i), "energy": e} for i, e in enumerate(energies)])
    tracks = baseline_tracks(few, np.zeros((8, 8), np.float32))
    rng = np.random.default_rng(0)
    assert BASELINES["AudioMuse-AI"].search(tracks, baseline_costs.audiomuse(tracks), rng)[0] == 1
    assert BASELINES["reklawdbox"].search(tracks, baseline_costs.reklawdbox(tracks), rng)[0] == 2


@given(st.integers(2, 12), st.integers(0, 10_000))
def test_order_crossover_copies_a_part_of_one_parent_and_keeps_the_order_of_the_other(n, seed):
    rng = np.random.default_rng(seed)
    one, two = (rng.permuted(np.tile(np.arange(n), (5, 1)), axis=1) for _ in range(2))
    cuts = np.sort(np.random.default_rng(seed + 1).integers(n, size=(5, 2)), axis=1)
    children = order_crossover(one, two, np.random.default_rng(seed + 1))
    for child, a, b, (low, high) in zip(children, one, two, cuts, strict=True):
        assert sorted(child.tolist()) == list(range(n))
        assert (child[low : high + 1] == a[low : high + 1]).all()
        part = set(a[low : high + 1].tolist())
        after = [*range(high + 1, n), *range(high + 1)]
        rest = [int(b[i]) for i in after if b[i] not in part]
        assert [int(child[i]) for i in after][: len(rest)] == rest


@given(st.integers(2, 9), st.integers(0, 10_000))
@at_most(40)
def test_no_reversal_improves_an_order_after_two_opt(n, seed):
    rng = np.random.default_rng(seed)
    costs = rng.random((n, n))
    costs += costs.T
    order = two_opt(costs, rng.permutation(n))
    least = costs[order[:-1], order[1:]].sum()
    for i in range(n):
        for j in range(i + 1, n):
            reversed_order = order.copy()
            reversed_order[i : j + 1] = reversed_order[i : j + 1][::-1]
            assert costs[reversed_order[:-1], reversed_order[1:]].sum() >= least - 1e-9


def test_baselines_read_unknown_values_as_unknown():
    tracks = two(UNKNOWN, {"tempo_bpm": None, "genres": ["deep-house"], "artists": ["X"]})
    assert isinstance(tracks, Tracks)
    assert tracks.key.tolist() == [24, 0]
    assert np.isnan(tracks.tempo).tolist() == [False, True]
    assert tracks.genre.tolist() == ["", "deep house"]
    assert (tracks.artist >= 0).tolist() == [False, True]
