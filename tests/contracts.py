"""What every predictor, recommender and sequencer must keep to: one test class a protocol.

A new one writes a subclass of five lines.
"""

from __future__ import annotations

import numpy as np
import pytest
from conftest import random_catalogue

from disco.catalogue import Floats
from disco.errors import DiscoError
from disco.predict import Predictor
from disco.recommend import Query, Recommender
from disco.sequence import Rules, Sequencer
from disco.transition import Flow, Knobs


class PredictorTests:
    """A subclass has `predictor()`."""

    def predictor(self) -> Predictor:
        raise NotImplementedError

    def run(self, rows: list[int], sequences: int = 1) -> tuple[Floats, Floats]:
        predictor, catalogue = self.predictor(), random_catalogue(50, seed=4, unknown=0.2)
        space = predictor.embed(catalogue)
        state = predictor.start(sequences)
        for row in rows:
            inputs = predictor.inputs(catalogue, space, np.full(sequences, row))
            vectors, state = predictor.step(inputs, state)
        return vectors, space

    def test_vectors_lie_where_the_tracks_lie(self):
        vectors, space = self.run([3, 1, 4])
        assert space.shape[0] == 50
        assert vectors.shape == (1, space.shape[1])
        assert np.isfinite(vectors).all()
        assert vectors.dtype == space.dtype == np.float32

    def test_the_same_tracks_give_the_same_vectors(self):
        assert (self.run([3, 1, 4])[0] == self.run([3, 1, 4])[0]).all()

    def test_sequences_side_by_side_do_not_touch(self):
        alone, _ = self.run([3, 1, 4])
        beside, _ = self.run([3, 1, 4], sequences=5)
        np.testing.assert_allclose(beside, np.repeat(alone, 5, axis=0), atol=1e-6)

    def test_another_past_gives_another_vector(self):
        assert not np.allclose(self.run([3, 1, 4])[0], self.run([7, 8, 9])[0])


class RecommenderTests:
    """A subclass has `recommender(space)`."""

    def recommender(self, space: Floats) -> Recommender:
        raise NotImplementedError

    def space(self, n: int = 300) -> Floats:
        return np.random.default_rng(1).normal(size=(n, 8)).astype(np.float32)

    @pytest.mark.parametrize("n", [1, 7, 100, 297, 298, 10_000])
    def test_candidates_are_unique_best_first_and_never_seeds(self, n):
        seeds = np.array([5, 200, 17])
        found = self.recommender(self.space()).recommend(Query(seeds), n)
        assert len(found.rows) == len(found.scores) == min(n, 297)
        assert len(set(found.rows.tolist())) == len(found.rows)
        assert not set(found.rows.tolist()) & set(seeds.tolist())
        assert (np.diff(found.scores) <= 0).all()

    def test_only_allowed_tracks_are_candidates_and_filters_act_before_the_ranking(self):
        allowed = np.zeros(300, dtype=bool)
        allowed[::7] = True
        found = self.recommender(self.space()).recommend(Query(np.array([1]), allowed=allowed), 40)
        assert len(found.rows) == 40
        assert allowed[found.rows].all()

    def test_tracks_without_a_place_are_no_candidates(self):
        space = self.space()
        space[10:250] = np.nan
        found = self.recommender(space).recommend(Query(np.array([1, 2])), 400)
        assert set(found.rows.tolist()) == set(range(300)) - set(range(10, 250)) - {1, 2}

    def test_seeds_without_a_place_are_told(self):
        space = self.space()
        space[3] = np.nan
        with pytest.raises(DiscoError, match="seeds"):
            self.recommender(space).recommend(Query(np.array([3])), 10)

    def test_the_same_question_gets_the_same_answer(self):
        one, two = (self.recommender(self.space()).recommend(Query(np.array([9, 8])), 50) for _ in range(2))
        assert (one.rows == two.rows).all()


class SequencerTests:
    """A subclass has `sequencer` and `predictor()`."""

    sequencer: Sequencer

    def predictor(self) -> Predictor:
        raise NotImplementedError

    def path(self, n: int = 120, length: int = 15, gap: int = 1, artists: int = 30, seed: int = 0) -> list[int]:
        catalogue = random_catalogue(n, seed, artists)
        predictor = self.predictor()
        cost = Flow(catalogue, predictor, Knobs(), predictor.embed(catalogue))
        start = np.array([4, 2])
        self.catalogue, rules = catalogue, Rules(catalogue, gap)
        return [int(r) for r in type(self).sequencer(start, np.arange(10, n), length, cost, rules)]

    def test_the_start_stays_and_nothing_comes_twice_or_from_elsewhere(self):
        path = self.path()
        assert path[:2] == [4, 2]
        assert len(path) == len(set(path)) == 17
        assert all(row >= 10 for row in path[2:])

    @pytest.mark.parametrize("gap", [1, 3, 6])
    def test_artists_keep_their_distance(self, gap):
        path = self.path(gap=gap)
        for i in range(2, len(path)):
            recent = {a for r in path[max(0, i - gap) : i] for a in self.catalogue.artists(r)}
            assert not recent & set(self.catalogue.artists(path[i]))

    def test_it_stops_where_the_rules_leave_nothing(self):
        assert len(self.path(n=40, artists=1)) == 2
        assert len(self.path(n=40, artists=1, gap=0, length=100)) == 32

    def test_length_nought_adds_nothing(self):
        assert self.path(length=0) == [4, 2]

    def test_the_same_question_gets_the_same_answer(self):
        assert self.path() == self.path()
