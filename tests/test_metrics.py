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


def test_ranks_count_better_negatives_and_half_of_the_equal_ones():
    true = np.array([0.5, 0.5, 0.5, 0.5], dtype=np.float32)
    negatives = np.array([[0.9, 0.9, 0.9], [0.1, 0.9, 0.2], [0.5, 0.5, 0.5], [0.1, 0.5, 0.9]], dtype=np.float32)
    assert ranks(true, negatives).tolist() == [1.0, 3.0, 2.5, 2.5]


def test_reciprocal_ranks_and_hits():
    values = np.array([1.0, 2.0, 10.0, 10.5, 400.0])
    assert reciprocal_ranks(values).tolist() == pytest.approx([1, 0.5, 0.1, 0.0952381, 0.0025])
    assert hits(values).tolist() == [1, 1, 1, 0, 0]


def test_the_bootstrap_resamples_playlists_not_cases():
    """Ten playlists, each right or wrong in all its cases: a hundred cases hold no more information than ten."""
    rng = np.random.default_rng(0)
    right = rng.random(10) < 0.5
    values, groups = np.repeat(right, 100).astype(float), np.repeat(np.arange(10), 100)
    low, high = bootstrap_interval(values, groups)
    assert low < right.mean() < high
    assert high - low > 0.4
    low, high = bootstrap_interval(values, np.arange(1000))
    assert high - low < 0.08


@pytest.mark.slow
def test_the_bootstrap_interval_has_its_nominal_coverage():
    covered = 0
    for seed in range(200):
        values = np.random.default_rng(seed).normal(size=300)
        low, high = bootstrap_interval(values, np.repeat(np.arange(60), 5), rounds=300, seed=seed)
        covered += low <= 0 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_the_same_seed_gives_the_same_interval():
    values, groups = np.arange(40.0), np.arange(40) // 4
    assert bootstrap_interval(values, groups, seed=3) == bootstrap_interval(values, groups, seed=3)


# Continuations: the metrics of the challenge, computed by hand; tracks are rows.

RELEVANT = np.array([7, 3, 9, 1])
RECOMMENDED = np.array([3, 8, 2, 7, 4, 1])  # relevant at 1, 4 and 6; two of them among the first |G| = 4


def rows(*numbers):
    return np.array(numbers, dtype=np.intp)


def test_r_precision_counts_hits_among_as_many_as_are_withheld():
    assert r_precision(RECOMMENDED, RELEVANT) == 2 / 4
    assert r_precision(RECOMMENDED[:1], RELEVANT) == 1 / 4  # a short list is not rewarded
    assert r_precision(rows(), RELEVANT) == 0


def test_each_artist_adds_a_quarter_once():
    #                    0  1  2  3  4  5  6   7  8  9
    artists = np.array([0, 5, 6, 3, 1, 0, 0, -1, 5, 6])
    # The relevant 7, 3, 9, 1 are by -, 3, 6, 5; the first four recommended 3, 8, 2, 7 by 3, 5, 6, -: three artists.
    assert r_precision_artists(RECOMMENDED, RELEVANT, artists) == (2 + 0.25 * 3) / 4
    # Unknown artists match nothing, an artist counts once, and only the first |G| tracks count.
    assert r_precision_artists(rows(0, 5, 6, 7, 4), rows(7), artists) == 0
    assert r_precision_artists(rows(2, 8), rows(9, 0), np.full(10, 4)) == 0.25 / 2
    assert r_precision_artists(rows(2, 8, 9), rows(9, 0), np.arange(10)) == 0


def test_ndcg_equals_the_sum_by_hand():
    # 1/log2(2) + 1/log2(5) + 1/log2(7) over 1/log2(2) + 1/log2(3) + 1/log2(4) + 1/log2(5)
    gain, ideal = 1 + 0.4306765581 + 0.3562071871, 1 + 0.6309297536 + 0.5 + 0.4306765581
    assert ndcg(RECOMMENDED, RELEVANT) == pytest.approx(gain / ideal, abs=1e-9)
    assert ndcg(RECOMMENDED, RELEVANT) == pytest.approx(0.6975638, abs=1e-6)
    assert ndcg(rows(5, 0), rows(0)) == pytest.approx(0.6309297536)


def test_clicks_count_pages_of_ten():
    recommended = np.arange(600)
    for position, expected in [(0, 0), (9, 0), (10, 1), (19, 1), (20, 2), (499, 49), (500, 51), (599, 51)]:
        assert clicks(recommended, rows(position)) == expected
    assert clicks(recommended, rows(900)) == 51
    assert clicks(rows(), rows(1)) == 51
    assert clicks(recommended, rows(35, 12, 450)) == 1


def test_ndcg_can_be_1_with_more_than_500_withheld_tracks():
    recommended = np.arange(500)
    assert ndcg(recommended, np.arange(900)) == 1
    assert r_precision(recommended, np.arange(900)) == 500 / 900


def test_tracks_after_the_first_500_do_not_count():
    recommended, relevant = np.arange(1000), np.arange(400, 1000)
    for metric in (r_precision, ndcg, clicks):
        assert metric(recommended, relevant) == metric(recommended[:500], relevant)


def test_coverage_counts_different_tracks():
    lists = [rows(1, 2, 3), rows(2, 3, 4), rows()]
    assert coverage(lists) == 4
    assert coverage(lists, first=1) == 2
    assert coverage([]) == 0
    low, high = coverage_interval(lists)
    # Without the first: 2, 3, 4; without the second: 1, 2, 3; without the third: all four. So 1, 1, 0 are unique.
    assert (low + high) / 2 == 4
    assert high - 4 == pytest.approx(1.96 * (2 / 3 * (2 * (1 / 3) ** 2 + (2 / 3) ** 2)) ** 0.5)


@pytest.mark.slow
def test_the_jackknife_interval_covers_the_expected_coverage():
    """Lists of 5 to 35 of 300 tracks, popular ones more often; the expected coverage is the mean of many samples."""
    popularity = 1 / np.arange(1, 301)
    popularity /= popularity.sum()
    covered, totals, bounds = 0, [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        lists = [rng.choice(300, rng.integers(5, 35), replace=False, p=popularity) for _ in range(40)]
        totals.append(coverage(lists))
        bounds.append(coverage_interval(lists))
    covered = sum(low <= np.mean(totals) <= high for low, high in bounds)
    assert covered / 60 >= 0.9
    assert np.mean([high - low for low, high in bounds]) < 8 * np.std(totals)


def oracle(recommended, relevant):
    """R-precision, NDCG and clicks in plain loops, as an oracle."""
    recommended, relevant = [int(t) for t in recommended][:500], {int(t) for t in relevant}
    precision = sum(t in relevant for t in recommended[: len(relevant)]) / len(relevant)
    gain = sum(1 / math.log2(i + 1) for i, t in enumerate(recommended, start=1) if t in relevant)
    ideal = sum(1 / math.log2(i + 1) for i in range(1, min(len(relevant), 500) + 1))
    first = next((i for i, t in enumerate(recommended) if t in relevant), None)
    return precision, gain / ideal, 51 if first is None else first // 10


lists = st.tuples(
    st.lists(st.integers(0, 80), unique=True, max_size=60),
    st.lists(st.integers(0, 80), unique=True, min_size=1, max_size=40),
)


@given(lists)
def test_metrics_equal_the_oracle(case):
    recommended, relevant = (rows(*tracks) for tracks in case)
    assert (
        r_precision(recommended, relevant),
        ndcg(recommended, relevant),
        clicks(recommended, relevant),
    ) == pytest.approx(oracle(recommended, relevant))


@given(lists, st.integers(1, 6))
def test_r_precision_with_artists_equals_the_oracle(case, many):
    recommended, relevant = (rows(*tracks) for tracks in case)
    artists = np.arange(81) % many - 1
    seen = {int(artists[t]) for t in recommended[: len(relevant)]} & {int(artists[t]) for t in relevant}
    expected = oracle(recommended, relevant)[0] + 0.25 * len(seen - {-1}) / len(relevant)
    assert r_precision_artists(recommended, relevant, artists) == pytest.approx(expected)


@given(lists, st.randoms())
def test_the_order_of_relevant_tracks_has_no_influence(case, random):
    recommended, relevant = (rows(*tracks) for tracks in case)
    other = relevant.copy()
    random.shuffle(other)
    for metric in (r_precision, ndcg, clicks):
        assert metric(recommended, other) == metric(recommended, relevant)
    head, tail = recommended[: len(relevant)].tolist(), recommended[len(relevant) :].tolist()
    random.shuffle(head)
    random.shuffle(tail)
    assert r_precision(rows(*head, *tail), relevant) == r_precision(recommended, relevant)


@given(lists)
def test_a_perfect_list_scores_1_and_a_wrong_one_0(case):
    _, relevant = (rows(*tracks) for tracks in case)
    after = np.r_[relevant, np.arange(100, 130)]
    assert (r_precision(after, relevant), ndcg(after, relevant), clicks(after, relevant)) == (1, 1, 0)
    wrong = np.arange(100, 130)
    assert (r_precision(wrong, relevant), ndcg(wrong, relevant), clicks(wrong, relevant)) == (0, 0, 51)
    artists = np.arange(131)
    assert r_precision_artists(after, relevant, artists) == 1.25


@given(lists, st.integers(0, 59))
def test_moving_a_relevant_track_up_never_lowers_a_metric(case, position):
    recommended, relevant = (rows(*tracks) for tracks in case)
    if position and position < len(recommended) and recommended[position] in relevant:
        better = np.r_[recommended[position], np.delete(recommended, position)]
        assert r_precision(better, relevant) >= r_precision(recommended, relevant)
        assert ndcg(better, relevant) >= ndcg(recommended, relevant) - 1e-12
        assert clicks(better, relevant) <= clicks(recommended, relevant)


def test_label_precision_equals_a_count_by_hand():
    rng = np.random.default_rng(5)
    vectors, labels = rng.normal(size=(60, 4)).astype(np.float32), rng.integers(0, 3, 60)
    vectors[7] = 0  # a zero vector has cosine 0 with all others
    for query, share in zip([3, 20, 59], label_precision(vectors, labels, np.array([3, 20, 59]), 5), strict=True):
        exact = vectors.astype(float)
        cosine = {
            row: exact[row] @ exact[query] / max(np.linalg.norm(exact[row]) * np.linalg.norm(exact[query]), 1e-12)
            for row in range(60)
            if row != query
        }
        nearest = sorted(cosine, key=lambda row: -cosine[row])[:5]
        assert share == np.mean([labels[row] == labels[query] for row in nearest])
