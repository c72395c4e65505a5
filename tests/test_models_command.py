"""The command `models`: listing, showing and removing models."""

from __future__ import annotations

import io
import json
import shutil
import sys
from datetime import date

import pytest
from helpers.trained import trained

from disco.cli import main as command_line
from disco.cli.models import main
from disco.models.card import MODELS, read_card, user_models


@pytest.fixture(autouse=True)
def _data(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCO_DATA", str(tmp_path))


@pytest.fixture
def mine():
    return shutil.copytree(trained("popularity"), user_models() / "mine")


class FixedDate(date):
    @classmethod
    def today(cls):
        return cls(2026, 11, 28)


def test_list_shows_shipped_models_and_the_users_own(mine, capsys, monkeypatch):
    monkeypatch.setattr("disco.models.installed.date", FixedDate)
    card = json.loads((mine / "card.json").read_text(encoding="utf-8"))
    (mine / "card.json").write_text(json.dumps({**card, "date": "2026-11-25"}), encoding="utf-8")
    assert main(["list", "--json"]) == 0
    result = {model["name"]: model for model in json.loads(capsys.readouterr().out)["models"]}
    assert {path.parent.name for path in MODELS.glob("*/card.json")} | {"mine"} == set(result)
    assert result["rank"]["shipped"]
    own = result["mine"]
    assert (own["shipped"], own["kind"], own["method"], own["tracks"]) == (False, "recommender", "popularity", 280)
    assert own["days"] == 3
    assert own["catalogue"].endswith("tracks.parquet")
    assert own["bytes"] == sum(path.stat().st_size for path in mine.iterdir())
    assert main(["list"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("mine"))
    assert line.split()[:5] == ["mine", "recommender", "280", "3", "d"]


def test_a_broken_model_is_listed_as_broken(mine, capsys):
    (mine / "card.json").write_text('{"format": 99}')
    assert main(["list"]) == 0
    assert "broken:" in next(line for line in capsys.readouterr().out.splitlines() if line.startswith("mine"))
    assert main(["remove", "mine", "--force"]) == 0
    assert not mine.exists()


def test_show_prints_the_card(mine, capsys):
    assert main(["show", "mine"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["folder"] == str(mine)
    assert result["files"] == read_card("mine", "recommender")["files"]
    assert main(["show", "nothing"]) == 1
    shipped = "autoencoder, classic, content, features, gru, music, rank"
    result = f"nothing: no model of this name or folder; shipped are {shipped}, trained by you mine"
    assert result in capsys.readouterr().err


@pytest.mark.parametrize(("answer", "gone"), [("y\n", True), ("n\n", False), ("", False), ("maybe\n", False)])
def test_remove_asks_for_confirmation(answer, gone, mine, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    assert main(["remove", "mine"]) == (0 if gone else 1)
    assert mine.exists() != gone
    assert gone == (not list(user_models().iterdir()))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("rank", "rank is shipped with DISCO and is not removed"),
        ("nothing", "you trained no model of this name; there are mine"),
        ("../models/mine", "you trained no model of this name"),
        ("..", "you trained no model of this name"),
        ("", "you trained no model of this name"),
    ],
)
def test_only_the_users_models_are_removed(name, sentence, mine, capsys):
    assert main(["remove", name, "--force"]) == 1
    assert sentence in capsys.readouterr().err
    assert mine.exists()
    assert (MODELS / "rank" / "card.json").exists()


def test_of_a_symbolic_link_only_the_link_is_removed(mine, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    mine.rename(elsewhere)
    mine.symlink_to(elsewhere)
    assert main(["remove", "mine", "--force"]) == 0
    assert not mine.exists()
    assert (elsewhere / "card.json").exists()


def test_the_command_is_called_models(capsys):
    assert command_line.main(["models", "list"]) == 0
    assert "rank" in capsys.readouterr().out
    assert command_line.main(["models"]) == 2
