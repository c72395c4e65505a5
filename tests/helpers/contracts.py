"""What every predictor, recommender and sequencer must keep to: one test class a protocol.

A new one writes a subclass of five lines.
"""

from __future__ import annotations

import numpy as np
import pytest
from helpers.catalogues import random_catalogue

from disco.catalogue import Floats
from disco.models.predictors import Predictor
from disco.models.recommenders import Candidates, Query, Recommender
from disco.playlist.cost import FlowCost, Knobs
from disco.playlist.sequence import Rules, Sequencer


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

    def test_predictions_have_the_shape_and_type_of_the_embeddings(self):
        vectors, space = self.run([3, 1, 4])
        assert space.shape[0] == 50
        assert vectors.shape == (1, space.shape[1])
        assert np.isfinite(vectors).all()
        assert vectors.dtype == space.dtype == np.float32

    def test_the_same_tracks_give_the_same_predictions(self):
        assert (self.run([3, 1, 4])[0] == self.run([3, 1, 4])[0]).all()

    def test_sequences_of_a_batch_are_independent(self):
        alone, _ = self.run([3, 1, 4])
        beside, _ = self.run([3, 1, 4], sequences=5)
        np.testing.assert_allclose(beside, np.repeat(alone, 5, axis=0), atol=1e-6)

    def test_other_tracks_before_give_other_predictions(self):
        assert not np.allclose(self.run([3, 1, 4])[0], self.run([7, 8, 9])[0])


class RecommenderTests:
    """A subclass has `recommender()`, of a catalogue of 300 tracks that knows all but those of rows 40 to 59."""

    unknown = range(40, 60)

    def recommender(self) -> Recommender:
        raise NotImplementedError

    def queries(self) -> list[Query]:
        """Questions of every sort, some of them of nothing."""
        allowed, none = np.arange(300) % 7 == 0, np.zeros(300, dtype=bool)
        seeds = [[5, 200, 17], [1], [41], [41, 2], [], [], [9, 9, 8], [5, 200, 17], list(range(60, 160)), [3]]
        titles = ["", "", "", "", "", "kind 3 ✨", "", "kind 2", "", "\n\0 " * 2500]
        masks = [None, allowed, None, None, None, None, None, allowed, allowed, none]
        return [Query(np.array(s, dtype=np.intp), t, m) for s, t, m in zip(seeds, titles, masks, strict=True)]

    def check(self, found: Candidates, query: Query, n: int) -> None:
        rows = found.rows.tolist()
        assert len(rows) == len(found.scores) == len(set(rows)) <= n
        assert not set(rows) & (set(query.seeds.tolist()) | set(self.unknown))
        assert query.allowed is None or query.allowed[found.rows].all()
        assert np.isfinite(found.scores).all()
        order = list(zip((-found.scores).tolist(), rows, strict=True))
        assert order == sorted(order), "best first, ties to the lower row"

    @pytest.mark.parametrize("n", [1, 7, 100, 277, 278, 10_000])
    def test_candidates_are_unique_best_first_and_never_seeds(self, n):
        query = Query(np.array([5, 200, 17]))
        found = self.recommender().recommend(query, n)
        self.check(found, query, n)
        assert len(found.rows) == min(n, 300 - len(self.unknown) - 3)

    def test_only_allowed_tracks_are_candidates_and_filters_act_before_the_ranking(self):
        allowed = np.zeros(300, dtype=bool)
        allowed[::7] = True
        found = self.recommender().recommend(Query(np.array([1]), allowed=allowed), 38)
        assert len(found.rows) == 38
        assert allowed[found.rows].all()
        everything = self.recommender().recommend(Query(np.array([1])), 300).rows
        if self.ranks_each_track_by_itself:
            assert found.rows.tolist() == [row for row in everything if allowed[row]][:38]

    # Whether a filter takes tracks out and leaves the order of the others as it is.
    ranks_each_track_by_itself = True

    def test_every_query_gets_valid_candidates(self):
        for query in self.queries():
            self.check(self.recommender().recommend(query, 30), query, 30)

    def test_recommend_many_agrees_with_recommend(self):
        recommender, queries = self.recommender(), self.queries()
        for query, together in zip(queries, recommender.recommend_many(queries, 30), strict=True):
            alone = recommender.recommend(query, 30)
            self.check(together, query, 30)
            np.testing.assert_allclose(together.scores, alone.scores, rtol=1e-4, atol=1e-5)
            differ = together.rows != alone.rows
            # A matrix product rounds differently from one with a vector: equally good tracks may swap.
            close = [np.abs(alone.scores - score) <= 1e-4 * abs(score) + 1e-5 for score in alone.scores[differ]]
            assert all(mask.sum() > 1 for mask in close)
        assert recommender.recommend_many([], 30) == []

    def test_the_same_input_gives_the_same_output(self):
        one, two = (self.recommender().recommend(Query(np.array([9, 8])), 50) for _ in range(2))
        assert (one.rows == two.rows).all()
        assert (one.scores == two.scores).all()

    def test_a_title_alone_is_answered_if_it_reads_titles(self):
        recommender, nothing = self.recommender(), np.array([], dtype=np.intp)
        found = recommender.recommend(Query(nothing, "kind 3"), 10)
        if recommender.reads_titles:
            assert len(found.rows) == 10
        else:
            assert found.rows.tolist() == recommender.recommend(Query(nothing), 10).rows.tolist()

    def test_probabilities_lie_between_0_and_1(self):
        recommender = self.recommender()
        scores = recommender.recommend(Query(np.array([1, 2]), "kind 3"), 10).scores
        assert len(scores) == 10
        if recommender.gives_probabilities:
            assert scores.min() > 0
            assert scores.sum() <= 1 + 1e-5


class SequencerTests:
    """A subclass has `sequencer` and `predictor()`."""

    sequencer: Sequencer

    def predictor(self) -> Predictor:
        raise NotImplementedError

    def path(self, n: int = 120, length: int = 15, gap: int = 1, artists: int = 30, seed: int = 0) -> list[int]:
        catalogue = random_catalogue(n, seed, artists)
        predictor = self.predictor()
        cost = FlowCost(catalogue, predictor, Knobs(), predictor.embed(catalogue))
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

    def test_length_zero_adds_nothing(self):
        assert self.path(length=0) == [4, 2]

    def test_the_same_input_gives_the_same_output(self):
        assert self.path() == self.path()
