"""A model whose card or network says what is not so ends in a sentence, and stops nobody who did not name it."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import disco
from disco.cli import generate
from disco.errors import DataError, DiscoError
from disco.models.card import MODELS, load_card, user_models
from disco.models.onnx_nodes import with_networks_inside
from disco.models.predictors import load_predictor

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from mutations import changed


@pytest.fixture
def model(tmp_path):
    """The folder of a copy of a shipped model, and its card."""
    for file in ("card.json", "step.onnx"):
        (tmp_path / "m").mkdir(exist_ok=True)
        shutil.copy(MODELS / "classic" / file, tmp_path / "m")
    return tmp_path / "m", json.loads((tmp_path / "m" / "card.json").read_text())


def test_whatever_a_card_says_is_used_or_refused_in_a_sentence(model):
    folder, card = model
    tracks = disco.open().take(np.arange(5))
    refused = 0
    for i in range(80):
        (folder / "card.json").write_text(json.dumps(changed(card, random.Random(i))))
        try:
            predictor = load_predictor(str(folder))
            inputs = predictor.inputs(tracks, predictor.embed(tracks), np.array([0, 1]))
            predictor.step(inputs, predictor.start(2))
        except DiscoError:
            refused += 1
    assert 20 < refused < 80


@pytest.mark.parametrize(
    "change",
    [
        {"kind": {}},
        {"name": ""},
        {"inputs": [1]},
        {"network": {"file": "../m/step.onnx", "inputs": {}, "outputs": {}, "sha256": ""}},
        {"network": {"file": "step.onnx", "inputs": {"inputs": -1}, "outputs": {}, "sha256": ""}},
        {"network": {"file": "step.onnx", "inputs": {}, "outputs": {}, "sha256": "", "state": 10**12}},
    ],
)
def test_what_no_card_says_is_refused_when_it_is_read(model, change):
    folder, card = model
    (folder / "card.json").write_text(json.dumps({**card, **change}))
    with pytest.raises(DataError, match=r"card\.json: is"):
        load_card(folder)


def test_broken_models_of_the_user_are_passed_over_with_a_word(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DISCO_DATA", str(tmp_path))
    for name, text in (("one", "{"), ("two", '{"format": 1, "kind": []}'), ("three", "[" * 100_000)):
        (user_models() / name).mkdir(parents=True)
        (user_models() / name / "card.json").write_text(text)
    assert generate.main(["--example", "--length", "2"]) == 0
    warned = capsys.readouterr().err
    assert warned.count("the model is passed over") == 3


def field(number: int, content: bytes) -> bytes:
    """A text or message as protocol buffers have it, of fewer than 128 bytes."""
    return bytes([number << 3 | 2, len(content)]) + content


def in_graph(node: bytes) -> bytes:
    return field(7, field(1, node))


def in_function(node: bytes) -> bytes:
    return bytes([25 << 3 & 127 | 2 | 128, 25 >> 4]) + bytes([len(field(7, node))]) + field(7, node)


@pytest.mark.parametrize("place", [in_graph, in_function])
@pytest.mark.parametrize("number", [6, 11])
@pytest.mark.parametrize("operation", ["Loop", "Scan", "If"])
def test_a_network_that_may_never_end_is_refused_before_it_runs(model, place, number, operation):
    folder, card = model
    node = field(4, operation.encode()) + field(5, field(1, b"body") + field(number, field(2, b"inside")))
    assert with_networks_inside(place(node)) == [operation]
    replaced(folder, card, place(node))
    with pytest.raises(DataError, match=rf"holds networks within the network \({operation}\)"):
        load_predictor(str(folder))


@pytest.mark.parametrize("end", [1, 100, 1000])
def test_a_network_that_is_cut_off_is_refused(model, end):
    folder, card = model
    replaced(folder, card, (folder / "step.onnx").read_bytes()[:end])
    with pytest.raises(DataError, match="is not a readable ONNX network"):
        load_predictor(str(folder))


def test_weights_that_are_no_numbers_are_reported_as_such(model):
    onnx = pytest.importorskip("onnx")
    folder, card = model
    network = onnx.load_from_string((folder / "step.onnx").read_bytes())
    weights = next(one for one in network.graph.initializer if onnx.numpy_helper.to_array(one).ndim == 2)
    values = np.full_like(onnx.numpy_helper.to_array(weights), np.nan)
    weights.CopyFrom(onnx.numpy_helper.from_array(values, weights.name))
    replaced(folder, card, network.SerializeToString())
    with pytest.raises(DataError, match="gives values which are not finite numbers"):
        disco.make(disco.open().take(np.arange(50)), ["demo-00001"], length=2, predictor=str(folder))


def test_a_network_has_no_more_than_a_gigabyte(model):
    onnx = pytest.importorskip("onnx")
    folder, card = model
    network = onnx.load_from_string((folder / "step.onnx").read_bytes())
    shape = onnx.numpy_helper.from_array(np.array([600_000_000], np.int64), "many")
    network.graph.initializer.append(shape)
    made = [onnx.helper.make_node("ConstantOfShape", ["many"], ["zeros"])]
    made.append(onnx.helper.make_node("ReduceMax", ["zeros"], ["zero"], keepdims=0))
    last = next(node for node in network.graph.node if "vector" in node.output)
    last.output[:] = ["alone" if name == "vector" else name for name in last.output]
    network.graph.node.extend([*made, onnx.helper.make_node("Add", ["alone", "zero"], ["vector"])])
    replaced(folder, card, network.SerializeToString())
    predictor = load_predictor(str(folder))
    with pytest.raises(DataError, match="holds a network that does not do what its card says"):
        predictor.step(np.zeros((2, 9), np.float32), predictor.start(2))


def replaced(folder: Path, card: dict, content: bytes) -> None:
    """Put another network into a model, with its right checksum on the card."""
    (folder / "step.onnx").write_bytes(content)
    network = {**card["network"], "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "card.json").write_text(json.dumps({**card, "network": network}))
