"""Recommenders keep the contract, and find what they say."""

import numpy as np
import pytest
from helpers.contracts import RecommenderTests

from disco.models.recommenders import Nearest, Query
from disco.models.recommenders.scoring import Scored, VectorRecommender, top_n


def space(n=300):
    return np.random.default_rng(1).normal(size=(n, 8)).astype(np.float32)


def with_unknown():
    made = space()
    made[list(RecommenderTests.unknown)] = np.nan
    return made


class TestNearest(RecommenderTests):
    ranks_each_track_by_itself = False

    def recommender(self):
        return Nearest(with_unknown())

    def test_seeds_without_features_have_no_candidates(self):
        assert not len(self.recommender().recommend(Query(np.array([41, 42])), 10).rows)

    def test_candidates_agree_with_a_plain_implementation(self):
        tracks, seeds, n = space(500), [5, 77, 400], 60
        found = Nearest(tracks).recommend(Query(np.array(seeds)), n)

        exact = tracks.astype(float)
        to_seed = [[float(np.linalg.norm(t - exact[s])) for t in exact] for s in seeds]
        lists = [*to_seed, [sum(d) / 3 for d in zip(*to_seed, strict=True)]]
        queues = [sorted((d, row) for row, d in enumerate(ds) if row not in seeds) for ds in lists]
        chosen: list[int] = []
        for turn in zip(*queues, strict=True):
            for _, row in turn:
                if row not in chosen and len(chosen) < n:
                    chosen.append(row)
        best_first = sorted(chosen, key=lambda row: (min(ds[row] for ds in lists), row))
        assert found.rows.tolist() == best_first
        np.testing.assert_allclose(-found.scores, [min(ds[row] for ds in lists) for row in best_first], rtol=1e-5)

    def test_every_seed_contributes_its_share(self):
        found = Nearest(np.r_[space(200), space(200) + 50]).recommend(Query(np.array([0, 300])), 90)
        assert 30 <= (found.rows < 200).sum() <= 60


def mean_of_seeds(tracks):
    """The mean vector of a query's seeds, NaN without a seed that has a place."""

    def encode(queries):
        known = [tracks[query.seeds][~np.isnan(tracks[query.seeds, 0])] for query in queries]
        return np.stack([k.mean(axis=0) if len(k) else np.full(tracks.shape[1], np.nan) for k in known])

    return encode


class TestVectors(RecommenderTests):
    def recommender(self):
        return VectorRecommender("vectors", with_unknown(), mean_of_seeds(with_unknown()))

    def test_candidates_agree_with_a_plain_implementation(self):
        bias = np.linspace(-1, 1, 300, dtype=np.float32)
        tracks, seeds = with_unknown(), [5, 77, 200]
        recommender = VectorRecommender("vectors", tracks, mean_of_seeds(tracks), bias)
        found = recommender.recommend(Query(np.array(seeds)), 50)
        centre = [sum(float(tracks[s, i]) for s in seeds) / 3 for i in range(8)]
        plain = {
            row: sum(a * float(b) for a, b in zip(centre, tracks[row], strict=True)) + float(bias[row])
            for row in range(300)
            if row not in seeds and row not in self.unknown
        }
        assert found.rows.tolist() == sorted(plain, key=lambda row: (-plain[row], row))[:50]
        np.testing.assert_allclose(found.scores, [plain[row] for row in found.rows], rtol=1e-4, atol=1e-5)


class TestScoredElsewhere(RecommenderTests):
    """Scores of a vocabulary of 400, 280 of which are in the catalogue, in another order, many of them equal."""

    def recommender(self):
        known = [row for row in range(300) if row not in self.unknown]
        rng = np.random.default_rng(3)
        rows = rng.permutation(np.r_[known, np.full(120, -1)])

        def score(queries):
            return rng_scores[None, :] * np.array([[float(len(q.seeds) > 0)] for q in queries], dtype=np.float32)

        rng_scores = np.random.default_rng(4).integers(0, 5, 400).astype(np.float32)
        return Scored("scored", 400, score, rows)


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 10, 500, 1000, 20_000])
@pytest.mark.parametrize("levels", [2, 50, 10**6])
def test_top_n_is_exact_with_ties_by_the_lower_row(n, levels):
    rng = np.random.default_rng(n + levels)
    scores = rng.integers(0, levels, (3, 20_000)).astype(np.float32)
    scores[0, rng.random(20_000) < 0.3] = np.nan
    scores[1, rng.random(20_000) < 0.99] = -np.inf
    rows = np.where(rng.random(20_000) < 0.1, -1, rng.permutation(30_000)[:20_000])
    allowed = rng.random(30_000) < 0.5
    queries = [Query(rng.integers(0, 30_000, 40), allowed=a) for a in (None, None, allowed)]
    kept = scores.copy()
    for query, row_scores, found in zip(queries, kept, top_n(scores, queries, n, rows=rows), strict=True):
        left = [
            (-score, row)
            for score, row in zip(row_scores.tolist(), rows.tolist(), strict=True)
            if row >= 0 and np.isfinite(score) and row not in query.seeds.tolist()
            if query.allowed is None or query.allowed[row]
        ]
        assert list(zip((-found.scores).tolist(), found.rows.tolist(), strict=True)) == sorted(left)[:n]
    assert np.array_equal(scores, kept, equal_nan=True)


def test_without_rows_scores_are_of_the_catalogues_tracks():
    scores = np.array([[3, 5, 5, np.nan, 1]], dtype=np.float32)
    known = np.array([True, True, True, True, False])
    found = top_n(scores, [Query(np.array([0]))], 9, known)[0]
    assert found.rows.tolist() == [1, 2]
