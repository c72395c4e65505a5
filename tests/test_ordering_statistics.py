"""How playlists are ordered: by hand where it can be counted, by what must hold where it cannot."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from helpers.catalogues import random_catalogue
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "data-wrangling"))
import ordering_statistics as stats

TWO = np.array([0, 0, 0, 0, 1, 1, 1])


def line(*values: float) -> Any:
    return np.array(values, dtype=float)[:, None]


def test_neighbours_are_of_one_playlist_without_a_gap_between_them() -> None:
    rows = np.array([5, 6, -1, 7, 8, 9, 5])
    assert stats.neighbours(rows, TWO).tolist() == [0, 4, 5]
    assert stats.neighbours(rows, TWO, lag=2).tolist() == [1, 4]
    assert stats.neighbours(rows, TWO, lag=3).tolist() == [0]


def test_shuffling_keeps_the_tracks_and_gaps_of_each_playlist() -> None:
    rng = np.random.default_rng(0)
    playlist = np.repeat(np.arange(30), rng.integers(1, 40, 30))
    rows = np.where(rng.random(len(playlist)) < 0.2, -1, rng.permutation(len(playlist)))
    mixed = stats.shuffled(rows, playlist, rng)
    assert ((mixed < 0) == (rows < 0)).all()
    assert (mixed != rows).mean() > 0.5
    for number in range(30):
        assert sorted(mixed[playlist == number]) == sorted(rows[playlist == number])


def test_every_order_of_a_playlist_is_equally_likely() -> None:
    rng, rows, playlist = np.random.default_rng(0), np.arange(3), np.zeros(3, dtype=int)
    seen = [tuple(stats.shuffled(rows, playlist, rng)) for _ in range(3000)]
    counts = [seen.count(order) for order in set(seen)]
    assert len(counts) == 6
    assert 400 < min(counts) <= max(counts) < 600


def test_coherence_equals_a_calculation_by_hand() -> None:
    # 0 1 3: steps 1 and 4, SV 1.25; pairs 1, 4 and 9, PV 14 / 6. Then 0 2 0: SV 2, PV 8 / 6.
    points, playlist = line(0, 1, 3, 2), np.array([0, 0, 0, 1, 1, 1])
    rows = np.array([0, 1, 2, 0, 3, 0])
    assert stats.coherence(points, rows, playlist) == pytest.approx([1 - 1.25 / (14 / 6), 1 - 2 / (8 / 6)])
    assert stats.variance(points, rows, playlist) == pytest.approx([14 / 6, 8 / 6])


def test_coherence_with_a_gap_uses_all_tracks_but_only_true_neighbours() -> None:
    points, rows = line(0, 1, 3), np.array([0, 1, -1, 2])
    assert stats.coherence(points, rows, np.zeros(4, dtype=int)) == pytest.approx([1 - 0.5 / (14 / 6)])


def test_coherence_is_nan_without_neighbours_or_without_variance() -> None:
    points, playlist = line(0, 1, 1), np.array([0, 0, 0, 1, 1, 2])
    assert np.isnan(stats.coherence(points, np.array([0, -1, 1, 1, 2, 0]), playlist)).all()


def test_coherence_is_1_if_smooth_0_if_shuffled_and_negative_if_alternating() -> None:
    n = 400
    rows, playlist = np.arange(n), np.zeros(n, dtype=int)
    smooth = np.c_[np.linspace(0, 1, n), np.linspace(2, 0, n)]
    assert stats.coherence(smooth, rows, playlist)[0] > 0.999
    alternating = line(*(np.arange(n) % 2))
    assert stats.coherence(alternating, rows, playlist)[0] == pytest.approx(-1, abs=0.01)
    assert stats.coherence(alternating, rows, playlist, lag=2)[0] == pytest.approx(1)
    rng = np.random.default_rng(1)
    coherences = [stats.coherence(smooth, stats.shuffled(rows, playlist, rng), playlist)[0] for _ in range(200)]
    assert np.mean(coherences) == pytest.approx(0, abs=0.015)


@given(st.lists(st.integers(-50, 50), min_size=3, max_size=30), st.integers(-9, 9), st.integers(1, 9))
def test_coherence_does_not_depend_on_origin_or_unit(values: list[int], shift: int, unit: int) -> None:
    rows, playlist = np.arange(len(values)), np.zeros(len(values), dtype=int)
    first = stats.coherence(line(*values), rows, playlist)
    assert stats.coherence(line(*values) * unit + shift, rows, playlist) == pytest.approx(first, nan_ok=True)
    assert np.isnan(first[0]) == (len(set(values)) == 1)
    assert not first[0] > 1


def test_theme_is_1_for_uniform_playlists_and_0_for_random_ones() -> None:
    playlist = np.repeat(np.arange(50), 40)
    rows = np.arange(len(playlist))
    assert stats.theme(line(*playlist), rows, playlist) == pytest.approx(1)
    random = np.random.default_rng(0).normal(size=(len(rows), 1))
    assert stats.theme(random, rows, playlist) == pytest.approx(0, abs=0.02)
    # A variance of 1 between playlists and of 3 within them: a quarter.
    mixed = np.random.default_rng(1).normal(size=2000)[:, None][playlist] + 3**0.5 * random
    between = np.var(np.random.default_rng(1).normal(size=2000)[:50])
    assert stats.theme(mixed, rows, playlist) == pytest.approx(between / (between + 3), abs=0.03)


def test_similarity_follows_the_circle_of_fifths_and_folded_tempos() -> None:
    columns = {
        "position": np.array([0, 1, 11, 2, 0]),
        "tempo": np.array([100, 50, 106, 106.1, 212]),
        "energy": np.array([0.5, 0.25, 0.5, 1, 0]),
        "artist": np.array([0, 0, 1, 2, np.nan]),
    }
    first, all_five = np.zeros(5, dtype=int), np.arange(5)
    result = stats.similarity(first, all_five, columns)
    assert result["key"].tolist() == [1, 1, 1, 0, 1]
    assert result["tempo"].tolist() == [1, 1, 1, 0, 1]
    assert result["energy"].tolist() == [0, 0.25, 0, 0.5, 0.5]
    assert result["artist"][:4].tolist() == [1, 1, 0, 0]
    assert np.isnan(result["artist"][4])
    back = stats.similarity(all_five, first, columns)
    assert all(np.array_equal(result[name], back[name], equal_nan=True) for name in result)
    sums_and_counts = stats.pair_sums(first, all_five, np.array([0, 0, 0, 1, 1]), 2, columns)
    assert [values.tolist() for values in sums_and_counts["key"]] == [[3, 1], [3, 2]]
    assert [values.tolist() for values in sums_and_counts["key, other artist"]] == [[1, 0], [1, 1]]


def test_entries_keep_their_positions_when_tracks_are_unmatched_repeated_or_too_few() -> None:
    catalogue = random_catalogue(6)
    known = np.array([True] * 5 + [False])
    ids = ["t00000", "gone", "t00001", "t00000", "t00002", "t00005", "t00003", "t00004"]
    entries = {"track_id": ids, "position": pa.array([0, 1, 2, 3, 4, 5, 0, 1], pa.int32())}
    rows, playlist = stats.arrange_entries(pa.table(entries), catalogue, known, minimum_length=3)
    assert rows.tolist() == [0, -1, 1, -1, 2, -1, -1, -1]
    assert playlist.tolist() == [0] * 6 + [1] * 2


def test_artist_numbers_go_by_the_first_artist_without_case() -> None:
    catalogue = random_catalogue(4)
    listed = pa.array([["Ana", "Bo"], ["ANA"], [], None], pa.list_(pa.string()))
    at = catalogue.table.column_names.index("artists")
    numbers = stats.artists(type(catalogue)(catalogue.table.set_column(at, "artists", listed)))
    assert numbers[0] == numbers[1]
    assert np.isnan(numbers[2:]).all()


def test_the_bootstrap_interval_reflects_the_number_of_playlists() -> None:
    # 400 playlists of 25 equal values each: the mean is as uncertain as that of 400 values, not of 10,000.
    values = np.repeat(np.random.default_rng(0).normal(size=400), 25)
    sums_and_counts = stats.sums(values, np.repeat(np.arange(400), 25), 400)
    low, high = stats.percentile_interval(stats.bootstrap_means(stats.bootstrap_weights(400), *sums_and_counts))
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 / 400**0.5, rel=0.1)


def test_unknown_values_are_skipped_in_sums() -> None:
    sums, counts = stats.sums(np.array([1, np.nan, 3]), np.array([0, 0, 2]), 3)
    assert (sums.tolist(), counts.tolist()) == ([1, 0, 3], [1, 0, 1])


def test_tempos_fold_by_octaves_and_a_circle_closes() -> None:
    assert stats.fold(np.array([40, 80, 159.9, 160, 45, 320])) == pytest.approx([80, 80, 159.9, 80, 90, 80])
    corners = stats.circle_points(np.array([0, 0.25, 1]))
    assert corners == pytest.approx(np.array([[1, 0], [0, 1], [1, 0]]))


def test_skewness_has_the_sign_of_the_longer_tail() -> None:
    # 0 0 0 4: third moment (3 * -1 + 27) / 4 over 3 ** 1.5.
    assert stats.skewness(np.array([[0.0, 1], [0, 2], [0, 3], [4, 4]])) == pytest.approx([6 / 3**1.5, 0])
