"""Recommenders keep the contract, and find what they say."""

import numpy as np
from contracts import RecommenderTests

from disco.recommend import Nearest, Query


class TestNearest(RecommenderTests):
    def recommender(self, space):
        return Nearest(space)

    def test_it_equals_the_plain_way(self):
        space, seeds, n = self.space(500), [5, 77, 400], 60
        found = self.recommender(space).recommend(Query(np.array(seeds)), n)

        exact = space.astype(float)
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

    def test_every_seed_gets_its_share(self):
        space = np.r_[self.space(200), self.space(200) + 50]
        found = self.recommender(space).recommend(Query(np.array([0, 300])), 90)
        assert 30 <= (found.rows < 200).sum() <= 60
