"""Metrics against values worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disco.evaluation.metrics import (
    bootstrap_interval,
    clicks,
    coverage,
    coverage_interval,
    hits,
    label_precision,
    ndcg,
    r_precision,
    r_precision_artists,
    ranks,
    reciprocal_ranks,
)


def test_ranks_count_the_better_and_half_the_equal():
    true = np.array([0.5, 0.5, 0.5, 0.5], dtype=np.float32)
    others = np.array([[0.9, 0.9, 0.9], [0.1, 0.9, 0.2], [0.5, 0.5, 0.5], [0.1, 0.5, 0.9]], dtype=np.float32)
    assert ranks(true, others).tolist() == [1.0, 3.0, 2.5, 2.5]


def test_reciprocal_ranks_and_hits():
    found = np.array([1.0, 2.0, 10.0, 10.5, 400.0])
    assert reciprocal_ranks(found).tolist() == pytest.approx([1, 0.5, 0.1, 0.0952381, 0.0025])
    assert hits(found).tolist() == [1, 1, 1, 0, 0]


def test_an_interval_is_of_playlists_not_of_cases():
    """Ten playlists, each all right or all wrong: a hundred cases tell no more than ten."""
    rng = np.random.default_rng(0)
    right = rng.random(10) < 0.5
    values, groups = np.repeat(right, 100).astype(float), np.repeat(np.arange(10), 100)
    low, high = bootstrap_interval(values, groups)
    assert low < right.mean() < high
    assert high - low > 0.4
    low, high = bootstrap_interval(values, np.arange(1000))
    assert high - low < 0.08


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    covered = 0
    for seed in range(200):
        values = np.random.default_rng(seed).normal(size=300)
        low, high = bootstrap_interval(values, np.repeat(np.arange(60), 5), rounds=300, seed=seed)
        covered += low <= 0 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_the_same_seed_gives_the_same_interval():
    values, groups = np.arange(40.0), np.arange(40) // 4
    assert bootstrap_interval(values, groups, seed=3) == bootstrap_interval(values, groups, seed=3)


# --- Continuations: the challenge's metrics. Worked out by hand; tracks are rows.

TRUTH = np.array([7, 3, 9, 1])
FOUND = np.array([3, 8, 2, 7, 4, 1])  # true at 1, 4 and 6; the first |G| = 4 hold two of the four


def rows(*numbers):
    return np.array(numbers, dtype=np.intp)


def test_r_precision_counts_among_as_many_as_are_hidden():
    assert r_precision(FOUND, TRUTH) == 2 / 4
    assert r_precision(FOUND[:1], TRUTH) == 1 / 4  # a short answer is no better for being short
    assert r_precision(rows(), TRUTH) == 0


def test_a_quarter_for_each_artist_once():
    #                    0  1  2  3  4  5  6   7  8  9
    artists = np.array([0, 5, 6, 3, 1, 0, 0, -1, 5, 6])
    # The truth 7, 3, 9, 1 is by -, 3, 6, 5; the first four found 3, 8, 2, 7 are by 3, 5, 6, -: three artists.
    assert r_precision_artists(FOUND, TRUTH, artists) == (2 + 0.25 * 3) / 4
    # An unknown artist is nobody's, one that comes twice counts once, what comes after |G| not at all.
    assert r_precision_artists(rows(0, 5, 6, 7, 4), rows(7), artists) == 0
    assert r_precision_artists(rows(2, 8), rows(9, 0), np.full(10, 4)) == 0.25 / 2
    assert r_precision_artists(rows(2, 8, 9), rows(9, 0), np.arange(10)) == 0


def test_ndcg_of_the_list_by_hand():
    # 1/log2(2) + 1/log2(5) + 1/log2(7) over 1/log2(2) + 1/log2(3) + 1/log2(4) + 1/log2(5)
    gained, ideal = 1 + 0.4306765581 + 0.3562071871, 1 + 0.6309297536 + 0.5 + 0.4306765581
    assert ndcg(FOUND, TRUTH) == pytest.approx(gained / ideal, abs=1e-9)
    assert ndcg(FOUND, TRUTH) == pytest.approx(0.6975638, abs=1e-6)
    assert ndcg(rows(5, 0), rows(0)) == pytest.approx(0.6309297536)


def test_clicks_are_pages_turned():
    found = np.arange(600)
    for place, expected in [(0, 0), (9, 0), (10, 1), (19, 1), (20, 2), (499, 49), (500, 51), (599, 51)]:
        assert clicks(found, rows(place)) == expected
    assert clicks(found, rows(900)) == 51
    assert clicks(rows(), rows(1)) == 51
    assert clicks(found, rows(35, 12, 450)) == 1


def test_more_than_500_hidden_tracks_can_still_be_found_perfectly_by_ndcg():
    found = np.arange(500)
    assert ndcg(found, np.arange(900)) == 1
    assert r_precision(found, np.arange(900)) == 500 / 900


def test_nothing_after_500_counts():
    found, truth = np.arange(1000), np.arange(400, 1000)
    for metric in (r_precision, ndcg, clicks):
        assert metric(found, truth) == metric(found[:500], truth)


def test_coverage_counts_different_tracks():
    lists = [rows(1, 2, 3), rows(2, 3, 4), rows()]
    assert coverage(lists) == 4
    assert coverage(lists, first=1) == 2
    assert coverage([]) == 0
    low, high = coverage_interval(lists)
    # Without the first: 2, 3, 4; without the second: 1, 2, 3; without the third all four. So 1, 1, 0 stand alone.
    assert (low + high) / 2 == 4
    assert high - 4 == pytest.approx(1.96 * (2 / 3 * (2 * (1 / 3) ** 2 + (2 / 3) ** 2)) ** 0.5)


def test_the_interval_of_the_coverage_covers_what_is_expected():
    """Lists of 20 of 300 tracks, popular ones more often: expected are those that a list of 40 draws names."""
    chance = 1 / np.arange(1, 301)
    chance /= chance.sum()
    covered, totals, bounds = 0, [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        lists = [rng.choice(300, rng.integers(5, 35), replace=False, p=chance) for _ in range(40)]
        totals.append(coverage(lists))
        bounds.append(coverage_interval(lists))
    covered = sum(low <= np.mean(totals) <= high for low, high in bounds)
    assert covered / 60 >= 0.9
    assert np.mean([high - low for low, high in bounds]) < 8 * np.std(totals)


def plainly(found, truth):
    """R-precision, NDCG and clicks as one would say them aloud."""
    found, truth = [int(t) for t in found][:500], {int(t) for t in truth}
    precision = sum(t in truth for t in found[: len(truth)]) / len(truth)
    gained = sum(1 / math.log2(i + 1) for i, t in enumerate(found, start=1) if t in truth)
    ideal = sum(1 / math.log2(i + 1) for i in range(1, min(len(truth), 500) + 1))
    first = next((i for i, t in enumerate(found) if t in truth), None)
    return precision, gained / ideal, 51 if first is None else first // 10


lists = st.tuples(
    st.lists(st.integers(0, 80), unique=True, max_size=60),
    st.lists(st.integers(0, 80), unique=True, min_size=1, max_size=40),
)


@given(lists)
def test_they_are_what_one_would_say_aloud(case):
    found, truth = (rows(*tracks) for tracks in case)
    assert (r_precision(found, truth), ndcg(found, truth), clicks(found, truth)) == pytest.approx(
        plainly(found, truth)
    )


@given(lists, st.integers(1, 6))
def test_the_quarters_are_what_one_would_say_aloud(case, many):
    found, truth = (rows(*tracks) for tracks in case)
    artists = np.arange(81) % many - 1
    seen = {int(artists[t]) for t in found[: len(truth)]} & {int(artists[t]) for t in truth}
    expected = plainly(found, truth)[0] + 0.25 * len(seen - {-1}) / len(truth)
    assert r_precision_artists(found, truth, artists) == pytest.approx(expected)


@given(lists, st.randoms())
def test_order_counts_only_where_it_should(case, random):
    found, truth = (rows(*tracks) for tracks in case)
    other = truth.copy()
    random.shuffle(other)
    for metric in (r_precision, ndcg, clicks):
        assert metric(found, other) == metric(found, truth)
    head, tail = found[: len(truth)].tolist(), found[len(truth) :].tolist()
    random.shuffle(head)
    random.shuffle(tail)
    assert r_precision(rows(*head, *tail), truth) == r_precision(found, truth)


@given(lists)
def test_a_perfect_list_is_perfect_and_a_wrong_one_nothing(case):
    _, truth = (rows(*tracks) for tracks in case)
    after = np.r_[truth, np.arange(100, 130)]
    assert (r_precision(after, truth), ndcg(after, truth), clicks(after, truth)) == (1, 1, 0)
    wrong = np.arange(100, 130)
    assert (r_precision(wrong, truth), ndcg(wrong, truth), clicks(wrong, truth)) == (0, 0, 51)
    apart = np.arange(131)
    assert r_precision_artists(after, truth, apart) == 1.25


@given(lists, st.integers(0, 59))
def test_moving_a_true_track_up_never_hurts(case, place):
    found, truth = (rows(*tracks) for tracks in case)
    if place and place < len(found) and found[place] in truth:
        better = np.r_[found[place], np.delete(found, place)]
        assert r_precision(better, truth) >= r_precision(found, truth)
        assert ndcg(better, truth) >= ndcg(found, truth) - 1e-12
        assert clicks(better, truth) <= clicks(found, truth)


def test_neighbours_of_the_same_label_are_counted_as_by_hand():
    rng = np.random.default_rng(5)
    vectors, labels = rng.normal(size=(60, 4)).astype(np.float32), rng.integers(0, 3, 60)
    vectors[7] = 0  # what has no direction is nobody's neighbour in particular
    for query, share in zip([3, 20, 59], label_precision(vectors, labels, np.array([3, 20, 59]), 5), strict=True):
        exact = vectors.astype(float)
        cosine = {
            row: exact[row] @ exact[query] / max(np.linalg.norm(exact[row]) * np.linalg.norm(exact[query]), 1e-12)
            for row in range(60)
            if row != query
        }
        nearest = sorted(cosine, key=lambda row: -cosine[row])[:5]
        assert share == np.mean([labels[row] == labels[query] for row in nearest])
