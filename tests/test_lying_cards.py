"""A model whose card or network says what is not so ends in a sentence, and stops nobody who did not name it."""

from __future__ import annotations

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
