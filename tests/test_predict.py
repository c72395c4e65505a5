"""Predictors keep the contract, and do what they say."""

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from helpers.contracts import PredictorTests

from disco.catalogue import FEATURES
from disco.errors import NotFoundError
from disco.models.predictors import SHRINKAGE, load_predictor


class TestMean(PredictorTests):
    def predictor(self):
        return load_predictor("mean")

    def test_mean_is_the_shrunk_sum_of_the_tracks(self):
        rows = [3, 1, 4, 1]
        vectors, space = self.run(rows)
        known = np.nan_to_num(space[rows].astype(float))
        np.testing.assert_allclose(vectors[0], known.sum(axis=0) / (4 + SHRINKAGE), rtol=1e-5)


class TestClassic(PredictorTests):
    def predictor(self):
        return load_predictor("classic")

    def test_classic_is_linear(self):
        """Superposition: what two pasts add to a third's prediction adds up."""
        predictor = self.predictor()

        def after(*tracks):
            state = predictor.start(1)
            for track in tracks:
                vectors, state = predictor.step(np.asarray([track], dtype=np.float32), state)
            return vectors[0].astype(float)

        rng = np.random.default_rng(0)
        a, b, nothing = rng.normal(size=(3, 9)), rng.normal(size=(3, 9)), np.zeros((3, 9))
        together = after(*(a + b)) - after(*nothing)
        np.testing.assert_allclose(together, after(*a) + after(*b) - 2 * after(*nothing), atol=1e-4)


def test_an_unknown_predictor_lists_the_known_ones():
    with pytest.raises(NotFoundError, match=r"prophet.*classic"):
        load_predictor("prophet")


def test_a_track_without_features_is_imputed_by_the_mean():
    tracks = random_catalogue(3).table.to_pylist()
    tracks[1] |= dict.fromkeys(FEATURES)
    catalogue = catalogue_of(tracks)
    mean = load_predictor("mean")
    space = mean.embed(catalogue)
    assert np.isnan(space[1]).all()
    assert np.isfinite(space[[0, 2]]).all()
    assert (mean.inputs(catalogue, space, np.array([1])) == 0).all()


class TestGru(PredictorTests):
    def predictor(self):
        return load_predictor("gru")


class TestRank(PredictorTests):
    def predictor(self):
        return load_predictor("rank")

    def test_tracks_without_inputs_have_no_vector_and_count_as_the_middle(self):
        tracks = random_catalogue(3).table.to_pylist()
        tracks[1] |= dict.fromkeys((*FEATURES, "genres"))
        catalogue, rank = catalogue_of(tracks), self.predictor()
        space = rank.embed(catalogue)
        assert np.isnan(space[1]).all()
        assert np.isfinite(space[[0, 2]]).all()
        assert (rank.inputs(catalogue, space, np.array([1])) == 0).all()

    def test_genres_alone_give_a_vector(self):
        tracks = [{**t, **dict.fromkeys(FEATURES)} for t in random_catalogue(30).table.to_pylist()]
        space = self.predictor().embed(catalogue_of(tracks))
        assert np.isfinite(space).all()
        apart = np.linalg.norm(space[:, None] - space[None], axis=2)
        same = np.arange(30) % 3 == 0  # techno
        assert apart[np.ix_(same, same)].sum() / (10 * 9) < apart[np.ix_(same, ~same)].mean()

    def test_names_and_ids_do_not_matter(self):
        tracks = random_catalogue(5).table.to_pylist()
        bare = [{**t, "track_id": str(i), "title": None, "artists": None} for i, t in enumerate(tracks)]
        rank = self.predictor()
        np.testing.assert_array_equal(rank.embed(catalogue_of(tracks)), rank.embed(catalogue_of(bare)))
