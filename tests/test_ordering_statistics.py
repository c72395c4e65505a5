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
import ordering_statistics

TWO = np.array([0, 0, 0, 0, 1, 1, 1])


def line(*values: float) -> Any:
    return np.array(values, dtype=float)[:, None]


def test_neighbours_are_of_one_playlist_and_a_gap_has_none() -> None:
    rows = np.array([5, 6, -1, 7, 8, 9, 5])
    assert ordering_statistics.neighbours(rows, TWO).tolist() == [0, 4, 5]
    assert ordering_statistics.neighbours(rows, TWO, lag=2).tolist() == [1, 4]
    assert ordering_statistics.neighbours(rows, TWO, lag=3).tolist() == [0]


def test_shuffling_keeps_each_playlist_its_tracks_and_its_gaps() -> None:
    rng = np.random.default_rng(0)
    playlist = np.repeat(np.arange(30), rng.integers(1, 40, 30))
    rows = np.where(rng.random(len(playlist)) < 0.2, -1, rng.permutation(len(playlist)))
    mixed = ordering_statistics.shuffled(rows, playlist, rng)
    assert ((mixed < 0) == (rows < 0)).all()
    assert (mixed != rows).mean() > 0.5
    for number in range(30):
        assert sorted(mixed[playlist == number]) == sorted(rows[playlist == number])


def test_every_order_of_a_playlist_is_as_likely() -> None:
    rng, rows, playlist = np.random.default_rng(0), np.arange(3), np.zeros(3, dtype=int)
    seen = [tuple(ordering_statistics.shuffled(rows, playlist, rng)) for _ in range(3000)]
    counts = [seen.count(order) for order in set(seen)]
    assert len(counts) == 6
    assert 400 < min(counts) <= max(counts) < 600


def test_coherence_is_as_counted_by_hand() -> None:
    # 0 1 3: steps 1 and 4, SV 1.25; pairs 1, 4 and 9, PV 14 / 6. Then 0 2 0: SV 2, PV 8 / 6.
    points, playlist = line(0, 1, 3, 2), np.array([0, 0, 0, 1, 1, 1])
    rows = np.array([0, 1, 2, 0, 3, 0])
    assert ordering_statistics.coherence(points, rows, playlist) == pytest.approx(
        [1 - 1.25 / (14 / 6), 1 - 2 / (8 / 6)]
    )
    assert ordering_statistics.variance(points, rows, playlist) == pytest.approx([14 / 6, 8 / 6])


def test_coherence_of_a_gap_counts_all_tracks_but_only_true_neighbours() -> None:
    points, rows = line(0, 1, 3), np.array([0, 1, -1, 2])
    assert ordering_statistics.coherence(points, rows, np.zeros(4, dtype=int)) == pytest.approx([1 - 0.5 / (14 / 6)])


def test_a_playlist_without_neighbours_or_of_one_kind_has_no_coherence() -> None:
    points, playlist = line(0, 1, 1), np.array([0, 0, 0, 1, 1, 2])
    assert np.isnan(ordering_statistics.coherence(points, np.array([0, -1, 1, 1, 2, 0]), playlist)).all()


def test_a_smooth_playlist_is_coherent_a_shuffled_one_is_not_and_one_that_alternates_is_less() -> None:
    n = 400
    rows, playlist = np.arange(n), np.zeros(n, dtype=int)
    smooth = np.c_[np.linspace(0, 1, n), np.linspace(2, 0, n)]
    assert ordering_statistics.coherence(smooth, rows, playlist)[0] > 0.999
    alternating = line(*(np.arange(n) % 2))
    assert ordering_statistics.coherence(alternating, rows, playlist)[0] == pytest.approx(-1, abs=0.01)
    assert ordering_statistics.coherence(alternating, rows, playlist, lag=2)[0] == pytest.approx(1)
    rng = np.random.default_rng(1)
    chance = [
        ordering_statistics.coherence(smooth, ordering_statistics.shuffled(rows, playlist, rng), playlist)[0]
        for _ in range(200)
    ]
    assert np.mean(chance) == pytest.approx(0, abs=0.015)


@given(st.lists(st.integers(-50, 50), min_size=3, max_size=30), st.integers(-9, 9), st.integers(1, 9))
def test_coherence_does_not_depend_on_where_zero_is_or_on_the_unit(values: list[int], shift: int, unit: int) -> None:
    rows, playlist = np.arange(len(values)), np.zeros(len(values), dtype=int)
    first = ordering_statistics.coherence(line(*values), rows, playlist)
    assert ordering_statistics.coherence(line(*values) * unit + shift, rows, playlist) == pytest.approx(
        first, nan_ok=True
    )
    assert np.isnan(first[0]) == (len(set(values)) == 1)
    assert not first[0] > 1


def test_a_theme_is_all_where_playlists_are_uniform_and_nothing_where_they_are_drawn_blindly() -> None:
    playlist = np.repeat(np.arange(50), 40)
    rows = np.arange(len(playlist))
    assert ordering_statistics.theme(line(*playlist), rows, playlist) == pytest.approx(1)
    blind = np.random.default_rng(0).normal(size=(len(rows), 1))
    assert ordering_statistics.theme(blind, rows, playlist) == pytest.approx(0, abs=0.02)
    # Between playlists a variance of 1, within them one of 3: a quarter.
    mixed = np.random.default_rng(1).normal(size=2000)[:, None][playlist] + 3**0.5 * blind
    between = np.var(np.random.default_rng(1).normal(size=2000)[:50])
    assert ordering_statistics.theme(mixed, rows, playlist) == pytest.approx(between / (between + 3), abs=0.03)


def test_tracks_are_alike_in_key_and_tempo_as_a_dj_would_say() -> None:
    columns = {
        "position": np.array([0, 1, 11, 2, 0]),
        "tempo": np.array([100, 50, 106, 106.1, 212]),
        "energy": np.array([0.5, 0.25, 0.5, 1, 0]),
        "artist": np.array([0, 0, 1, 2, np.nan]),
    }
    first, all_five = np.zeros(5, dtype=int), np.arange(5)
    result = ordering_statistics.alike(first, all_five, columns)
    assert result["key"].tolist() == [1, 1, 1, 0, 1]
    assert result["tempo"].tolist() == [1, 1, 1, 0, 1]
    assert result["energy"].tolist() == [0, 0.25, 0, 0.5, 0.5]
    assert result["artist"][:4].tolist() == [1, 1, 0, 0]
    assert np.isnan(result["artist"][4])
    back = ordering_statistics.alike(all_five, first, columns)
    assert all(np.array_equal(result[name], back[name], equal_nan=True) for name in result)
    tallied = ordering_statistics.tally(first, all_five, np.array([0, 0, 0, 1, 1]), 2, columns)
    assert [values.tolist() for values in tallied["key"]] == [[3, 1], [3, 2]]
    assert [values.tolist() for values in tallied["key, other artist"]] == [[1, 0], [1, 1]]


def test_entries_keep_their_places_when_tracks_are_unknown_repeated_or_too_few() -> None:
    catalogue = random_catalogue(6)
    known = np.array([True] * 5 + [False])
    ids = ["t00000", "gone", "t00001", "t00000", "t00002", "t00005", "t00003", "t00004"]
    places = {"track_id": ids, "position": pa.array([0, 1, 2, 3, 4, 5, 0, 1], pa.int32())}
    rows, playlist = ordering_statistics.lay_out(pa.table(places), catalogue, known, minimum_length=3)
    assert rows.tolist() == [0, -1, 1, -1, 2, -1, -1, -1]
    assert playlist.tolist() == [0] * 6 + [1] * 2


def test_artists_are_distinguished_by_their_first_name_and_not_by_its_case() -> None:
    catalogue = random_catalogue(4)
    listed = pa.array([["Ana", "Bo"], ["ANA"], [], None], pa.list_(pa.string()))
    at = catalogue.table.column_names.index("artists")
    numbers = ordering_statistics.artists(type(catalogue)(catalogue.table.set_column(at, "artists", listed)))
    assert numbers[0] == numbers[1]
    assert np.isnan(numbers[2:]).all()


def test_a_bootstrap_by_playlist_is_as_wide_as_playlists_differ() -> None:
    # 400 playlists of 25 equal values each: the mean is as uncertain as that of 400 values, not of 10,000.
    values = np.repeat(np.random.default_rng(0).normal(size=400), 25)
    tallied = ordering_statistics.sums(values, np.repeat(np.arange(400), 25), 400)
    low, high = ordering_statistics.interval(ordering_statistics.resampled(ordering_statistics.draws(400), *tallied))
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 / 400**0.5, rel=0.1)


def test_what_is_unknown_counts_as_none() -> None:
    sums, counts = ordering_statistics.sums(np.array([1, np.nan, 3]), np.array([0, 0, 2]), 3)
    assert (sums.tolist(), counts.tolist()) == ([1, 0, 3], [1, 0, 1])


def test_tempos_are_folded_by_octaves_and_a_circle_closes() -> None:
    assert ordering_statistics.fold(np.array([40, 80, 159.9, 160, 45, 320])) == pytest.approx(
        [80, 80, 159.9, 80, 90, 80]
    )
    corners = ordering_statistics.circle(np.array([0, 0.25, 1]))
    assert corners == pytest.approx(np.array([[1, 0], [0, 1], [1, 0]]))


def test_skewness_has_the_sign_of_the_longer_tail() -> None:
    # 0 0 0 4: third moment (3 * -1 + 27) / 4 over 3 ** 1.5.
    assert ordering_statistics.skewness(np.array([[0.0, 1], [0, 2], [0, 3], [4, 4]])) == pytest.approx(
        [6 / 3**1.5, 0]
    )
