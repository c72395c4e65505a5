"""Embeddings and layers over their moments: the contract, the plain way by hand, and folders that are broken."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from helpers.needs import need
from helpers.trained import KIND, TrainedTests, library, trained

from disco.errors import DataError
from disco.models.recommenders import Query, load_recommender
from disco.models.recommenders.embedding_mlp import moments, softmax

need("keras")
pytestmark = pytest.mark.train

SMALL = ("size = 8", "width = 16", "epochs = 12", "patience = 12", "batch_size = 32", "learning_rate = 0.01")


class TestEmbeddingMlp(TrainedTests):
    recipe, changes = "embedding-mlp", SMALL


class TestTied(TrainedTests):
    recipe, changes = "embedding-mlp", (*SMALL, "tied = true")


def test_scores_are_probabilities_over_all_tracks():
    recommender = load_recommender(trained("embedding-mlp", *SMALL), library())
    seeds = np.array([3, 8, 13])
    found = recommender.recommend(Query(seeds), 1000)
    assert recommender.gives_probabilities
    # What is missing is the probability of the seeds themselves.
    assert 0.5 < found.scores.sum() <= 1 + 1e-5
    same = [float(found.scores[KIND[found.rows] == kind].sum()) for kind in range(5)]
    assert same[3] > 0.5


def test_scores_agree_with_keras():
    import keras

    folder = trained("embedding-mlp", *SMALL)
    network = keras.saving.load_model(folder / "network.keras")
    arrays = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in ("embeddings", "outputs", "bias")}
    known = [row for row in range(300) if row not in range(40, 60)]
    number = {row: i for i, row in enumerate(known)}
    recommender = load_recommender(folder, library())
    for seeds in ([3], [3, 8, 13], [0, 1, 2, 3, 4, 5, 6, 7]):
        vectors = arrays["embeddings"][[number[row] for row in seeds]]
        moments = [vectors.mean(axis=0)[None], ((vectors - vectors.mean(axis=0)) ** 2).mean(axis=0)[None]]
        logits = np.asarray(network(moments)["vector"])[0] @ arrays["outputs"].T + arrays["bias"]
        plain = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        found = recommender.recommend(Query(np.array(seeds)), 50)
        np.testing.assert_allclose(found.scores, [plain[number[row]] for row in found.rows], atol=1e-5)
        best = sorted((row for row in known if row not in seeds), key=lambda row: (-plain[number[row]], row))
        assert set(found.rows.tolist()[:20]) == set(best[:20])


def test_moments_and_softmax_agree_with_a_computation_by_hand():
    vectors = np.array([[0, 1], [2, 3], [4, 11]], dtype=np.float32)
    mean, variance = moments(vectors, [np.array([0, 2, 2]), np.array([1]), np.array([], dtype=int)])
    np.testing.assert_allclose(mean[:2], [[2, 6], [2, 3]])
    np.testing.assert_allclose(variance[:2], [[4, 25], [0, 0]])
    assert np.isnan(mean[2]).all()
    assert np.isnan(variance[2]).all()
    p = softmax(np.array([[0, np.log(3)], [1000, 1000], [np.nan, np.nan]], dtype=np.float32))
    np.testing.assert_allclose(p[:2], [[0.25, 0.75], [0.5, 0.5]], rtol=1e-6)
    assert np.isnan(p[2]).all()


@pytest.mark.parametrize("broken", ["outputs", "bias", "embeddings"])
def test_arrays_of_wrong_shapes_are_reported(tmp_path, broken):
    folder = shutil.copytree(trained("embedding-mlp", *SMALL), tmp_path / "model")
    np.save(folder / f"{broken}.npy", np.load(folder / f"{broken}.npy")[:-1])
    with pytest.raises(DataError, match="checksums differ"):
        load_recommender(folder, library())
    import hashlib

    card = json.loads((folder / "card.json").read_text())
    card["files"][f"{broken}.npy"] = hashlib.sha256((folder / f"{broken}.npy").read_bytes()).hexdigest()
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(DataError, match=rf"{broken}.npy: has the shape"):
        load_recommender(folder, library())
