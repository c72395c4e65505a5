"""Recipes: the shipped ones are readable, and a wrong one is told what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from disco.errors import DataError
from disco.training.recipes import read_recipe

CLOUD = Path(__file__).parents[1] / "cloud"


@pytest.mark.parametrize("name", [path.stem for path in sorted(CLOUD.glob("*.toml"))])
def test_shipped_recipes_are_readable(name: str) -> None:
    assert read_recipe(CLOUD / f"{name}.toml").name == name


def test_a_change_goes_before_what_the_file_says() -> None:
    recipe = read_recipe(CLOUD / "rank.toml", ["recurrent = 'simple'", "epochs = 3"])
    assert (recipe.recurrent, recipe.epochs, recipe.units) == ("simple", 3, 128)
    with pytest.raises(DataError, match="unknown key 'epoch'"):
        read_recipe(CLOUD / "rank.toml", ["epoch = 3"])


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("epochs =", "epoch =", "classic.toml: unknown key 'epoch'; a predictor recipe knows kind, name, "),
        ("window = 50", "", "the key 'window' is missing"),
        ("window = 50", 'window = "50"', "window is '50', it must be a whole number above 0"),
        ("window = 50", "window = true", "window is True, it must be a whole number above 0"),
        ("learning_rate = 0.02", "learning_rate = -1", "learning_rate is -1, it must be a number above 0"),
        ("seeds = [1, 2, 3]", "seeds = [1.5]", "seeds is [1.5], it must be a list of whole numbers above 0"),
        ('kind = "predictor"', 'kind = "oracle"', "kind is 'oracle', it must be one of features, predictor"),
        ('kind = "predictor"', "kind =", "is not a readable recipe"),
    ],
)
def test_wrong_recipe_is_one_sentence(old: str, new: str, sentence: str, tmp_path: Path) -> None:
    text = (CLOUD / "classic.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "classic.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_recipe(path)
    assert sentence in str(error.value)
    assert str(path) in str(error.value)
