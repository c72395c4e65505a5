"""Model folders: what does not fit is refused in a sentence, and the scaler agrees with scikit-learn."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from disco.catalogue import FEATURES
from disco.errors import DataError, DiscoError, NotFoundError
from disco.models.card import MODELS, read_card
from disco.models.network import load_network
from disco.models.predictors import load_predictor
from disco.models.scaler import scaler


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODELS / "classic", tmp_path / "mine"))


def change(folder: Path, **result: object) -> None:
    path = folder / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | result))


def test_a_model_in_any_folder_is_loaded_like_a_shipped_one(copied):
    change(copied, name="mine")
    assert load_predictor(str(copied)).name == "mine"


@pytest.mark.parametrize(
    ("expected", "sentence"),
    [
        ({"format": 99}, "format 99, newer than this program's 1; update disco"),
        ({"format": None}, "no format number"),
        ({"kind": "features"}, "kind 'features' where 'predictor' is needed"),
        ({"scaler": {"model": "features", "version": "0"}}, "where a model needs version 0"),
        ({"scaler": {"model": "nowhere", "version": "1"}}, "no model of this name"),
    ],
)
def test_an_unusable_card_is_reported(copied, expected, sentence):
    change(copied, **expected)
    with pytest.raises(DiscoError, match=sentence):
        load_predictor(str(copied))


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("file", "gone.onnx", "gone.onnx, which does not exist"),
        ("sha256", "0" * 64, "not the file that its card describes"),
        ("inputs", {"inputs": 8, "state": 32}, "has the inputs"),
        ("outputs", {"vector": 9, "next_state": 32}, "has the outputs"),
    ],
)
def test_a_network_that_differs_from_its_card_is_reported(copied, key, value, sentence):
    card = json.loads((copied / "card.json").read_text())
    change(copied, network=card["network"] | {key: value})
    with pytest.raises(DataError, match=sentence):
        load_network(read_card(copied, "predictor"))


@pytest.mark.parametrize("text", ["", "{", "[]", '"card"', "\x80"])
def test_a_file_that_is_not_a_card_is_reported(copied, text):
    (copied / "card.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=r"card\.json"):
        read_card(copied, "predictor")


def test_a_network_that_is_not_onnx_is_reported(copied):
    import hashlib

    (copied / "step.onnx").write_bytes(b"not a network")
    card = json.loads((copied / "card.json").read_text())
    change(copied, network=card["network"] | {"sha256": hashlib.sha256(b"not a network").hexdigest()})
    with pytest.raises(DataError, match="not a readable ONNX"):
        load_network(read_card(copied, "predictor"))


def test_an_unknown_model_lists_the_known_ones():
    with pytest.raises(NotFoundError, match=r"nobody.*autoencoder, classic, content, features, gru, music, rank"):
        read_card("nobody", "predictor")


def test_every_shipped_card_has_data_terms_and_date():
    for path in MODELS.glob("*/card.json"):
        card = json.loads(path.read_text())
        assert card["name"] == path.parent.name
        assert "Spotify" in card["terms"]
        assert {"version", "feature_set", "inputs", "data", "date", "recipe"} <= set(card)


@pytest.mark.slow
def test_scaler_and_pca_agree_with_scikit_learn_in_single_precision():
    """The card's numbers put into scikit-learn's own classes give what ours gives, to 1e-5."""
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    decomposition = pytest.importorskip("sklearn.decomposition")
    card = read_card("features", "features")
    rng = np.random.default_rng(0)
    values = rng.beta(0.6, 1.2, size=(5000, 8))
    values[:, FEATURES.index("loudness")] = rng.uniform(-60, 3, 5000)
    values[:50] = np.round(values[:50])  # zeros and ones, where the features crowd

    power = preprocessing.PowerTransformer(standardize=False)
    power.lambdas_ = np.array(card["scaler"]["lambdas"])
    power.n_features_in_ = 8
    standard = preprocessing.StandardScaler()
    standard.mean_, standard.scale_ = (np.array(card["scaler"][n]) for n in ("mean", "scale"))
    standard.var_, standard.n_features_in_ = standard.scale_**2, 8
    pca = decomposition.PCA(3)
    pca.mean_, pca.components_ = np.array(card["pca"]["mean"]), np.array(card["pca"]["components"])
    pca.explained_variance_, pca.n_components_ = np.ones(3), 3

    expected = standard.transform(power.transform(values))
    ours = scaler().transform(values.astype(np.float32))
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, expected, atol=1e-5, rtol=1e-5)
    np.testing.assert_allclose(scaler().project(ours), pca.transform(expected), atol=2e-5, rtol=1e-5)


def test_unknown_features_stay_unknown():
    values = np.full((2, 8), 0.5, dtype=np.float32)
    values[0, 3] = np.nan
    scaled = scaler().transform(values)
    assert np.isnan(scaled[0, 3])
    assert np.isfinite(np.delete(scaled.ravel(), 3)).all()
