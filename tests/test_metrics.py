"""Metrics against values worked out by hand."""

import numpy as np
import pytest

from disco.metrics import hits, interval, ranks, reciprocal


def test_ranks_count_the_better_and_half_the_equal():
    true = np.array([0.5, 0.5, 0.5, 0.5], dtype=np.float32)
    others = np.array([[0.9, 0.9, 0.9], [0.1, 0.9, 0.2], [0.5, 0.5, 0.5], [0.1, 0.5, 0.9]], dtype=np.float32)
    assert ranks(true, others).tolist() == [1.0, 3.0, 2.5, 2.5]


def test_reciprocal_ranks_and_hits():
    found = np.array([1.0, 2.0, 10.0, 10.5, 400.0])
    assert reciprocal(found).tolist() == pytest.approx([1, 0.5, 0.1, 0.0952381, 0.0025])
    assert hits(found).tolist() == [1, 1, 1, 0, 0]


def test_an_interval_is_of_playlists_not_of_cases():
    """Ten playlists, each all right or all wrong: a hundred cases tell no more than ten."""
    rng = np.random.default_rng(0)
    right = rng.random(10) < 0.5
    values, groups = np.repeat(right, 100).astype(float), np.repeat(np.arange(10), 100)
    low, high = interval(values, groups)
    assert low < right.mean() < high
    assert high - low > 0.4
    low, high = interval(values, np.arange(1000))
    assert high - low < 0.08


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    covered = 0
    for seed in range(200):
        values = np.random.default_rng(seed).normal(size=300)
        low, high = interval(values, np.repeat(np.arange(60), 5), rounds=300, seed=seed)
        covered += low <= 0 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_the_same_seed_gives_the_same_interval():
    values, groups = np.arange(40.0), np.arange(40) // 4
    assert interval(values, groups, seed=3) == interval(values, groups, seed=3)
