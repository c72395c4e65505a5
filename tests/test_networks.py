"""The exported step says, one track at a time, what the Keras network says of the whole sequence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

MODELS = Path(__file__).parents[1] / "disco" / "models" / "weights"
CLASSIC = MODELS / "classic"

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


@pytest.fixture(scope="module")
def networks():
    return pytest.importorskip("disco.training.networks")


def one_by_one(onnx: Path, sequences: np.ndarray, state: int) -> np.ndarray:
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    states, vectors = np.zeros((len(sequences), state), dtype=np.float32), []
    for track in sequences.transpose(1, 0, 2):
        vector, states = session.run(["vector", "next_state"], {"inputs": track, "state": states})
        vectors.append(vector)
    return np.stack(vectors, axis=1)


def drawn_sequences(n: int) -> np.ndarray:
    return np.random.default_rng(n).normal(size=(n, 50, 9)).astype(np.float32)


@pytest.mark.parametrize("n", [1, 7])
@pytest.mark.parametrize("name", ["classic", "gru"])
def test_shipped_step_agrees_with_shipped_network(keras, name: str, n: int) -> None:
    network = keras.models.load_model(MODELS / name / "network.keras")
    card = json.loads((MODELS / name / "card.json").read_text(encoding="utf-8"))
    sequences = drawn_sequences(n)
    stepped = one_by_one(MODELS / name / card["network"]["file"], sequences, card["network"]["state"])
    np.testing.assert_allclose(stepped, network.predict(sequences, verbose=0), atol=1e-5)


@pytest.mark.parametrize("recurrent", ["SimpleRNN", "GRU", "LSTM"])
def test_step_of_any_recurrent_network(keras, networks, recurrent: str, tmp_path: Path) -> None:
    """An LSTM carries two states a layer, so that their order in the joined state is tested too."""
    network = keras.Sequential(
        [
            keras.Input((None, 9)),
            getattr(keras.layers, recurrent)(5, return_sequences=True),
            keras.layers.Dense(8, activation="tanh"),
        ]
    )
    step = networks.step(network)
    networks.export(step, tmp_path / "step.onnx")
    sequences = drawn_sequences(3)
    stepped = one_by_one(tmp_path / "step.onnx", sequences, step.input_shape[1][1])
    np.testing.assert_allclose(stepped, network.predict(sequences, verbose=0), atol=1e-5)


def test_classic_is_the_published_network(networks) -> None:
    network = networks.classic()
    first, second, dense = network.layers
    # 16 (9 + 16 + 1), 16 (16 + 16 + 1) and 8 (16 + 1) weights.
    assert [layer.count_params() for layer in network.layers] == [416, 528, 136]
    assert {layer.activation.__name__ for layer in (first.cell, second.cell, dense)} == {"linear"}


def test_padding_changes_nothing_before_it(networks) -> None:
    network, sequences = networks.classic(), drawn_sequences(2)
    padded = np.concatenate([sequences[:, :20], np.zeros((2, 30, 9), dtype=np.float32)], axis=1)
    whole, cut = (network.predict(s, verbose=0)[:, :20] for s in (sequences, padded))
    np.testing.assert_allclose(cut, whole, atol=1e-6)


def test_shipped_network_stays_bounded(keras) -> None:
    """A linear recurrence grows without end if an eigenvalue lies outside the unit circle."""
    network = keras.models.load_model(CLASSIC / "network.keras")
    for layer in network.layers[:2]:
        assert np.abs(np.linalg.eigvals(np.asarray(layer.cell.recurrent_kernel))).max() < 1
