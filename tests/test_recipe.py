"""Recipes: the shipped ones are valid, errors name the key, and recipes from before a renaming still load."""

from __future__ import annotations

from pathlib import Path

import pytest

from disco.errors import DataError
from disco.training.recipes import read_recipe

CLOUD = Path(__file__).parents[1] / "cloud"


@pytest.mark.parametrize("name", [path.stem for path in sorted(CLOUD.glob("*.toml"))])
def test_shipped_recipes_are_valid(name: str) -> None:
    assert read_recipe(CLOUD / f"{name}.toml").name == name


def test_changes_override_the_file() -> None:
    recipe = read_recipe(CLOUD / "rank.toml", ["recurrent = 'simple'", "epochs = 3"])
    assert (recipe.recurrent, recipe.epochs, recipe.units) == ("simple", 3, 128)
    with pytest.raises(DataError, match="unknown key 'epoch'"):
        read_recipe(CLOUD / "rank.toml", ["epoch = 3"])


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("epochs =", "epoch =", "classic.toml: unknown key 'epoch'; a predictor recipe knows kind, name, "),
        ("window = 50", "", "is not a predictor recipe: the key `window` is missing"),
        ("window = 50", 'window = "50"', "window: expected `int`, got `str`"),
        ("window = 50", "window = true", "window: expected `int`, got `bool`"),
        ("learning_rate = 0.02", "learning_rate = -1", "learning_rate: expected `float` > 0.0"),
        ("seeds = [1, 2, 3]", "seeds = [1.5]", "seeds[0]: expected `int`, got `float`"),
        ("window = 50", "window = 0", "window: expected `int` >= 1"),
        ('kind = "predictor"', 'kind = "oracle"', "kind is 'oracle', it must be one of features, predictor"),
        ('kind = "predictor"', "kind =", "is not a readable recipe"),
    ],
)
def test_an_invalid_recipe_is_reported_in_one_sentence(old: str, new: str, sentence: str, tmp_path: Path) -> None:
    text = (CLOUD / "classic.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "classic.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_recipe(path)
    assert sentence in str(error.value)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("name", "renamed"),
    [
        ("rank", {'kind = "rank-predictor"': 'kind = "ranker"'}),
        ("ranker", {'kind = "reranker"': 'kind = "re-ranker"', "held_out =": "held ="}),
        ("content", {"genre_shrinkage =": "leaning ="}),
        ("item-knn", {"popularity_prior =": "filling ="}),
        ("title-knn", {"popularity_prior =": "filling ="}),
        (
            "playlist-knn",
            {"popularity_prior =": "filling =", "score_idf_power =": "rarity =", "\nidf_power =": "\nidf ="},
        ),
    ],
)
def test_kinds_and_keys_of_older_recipes_still_load(name: str, renamed: dict[str, str], tmp_path: Path) -> None:
    text = (CLOUD / f"{name}.toml").read_text(encoding="utf-8")
    for new, old in renamed.items():
        assert new in text
        text = text.replace(new, old)
    path = tmp_path / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    assert read_recipe(path) == read_recipe(CLOUD / f"{name}.toml")


def test_older_keys_are_accepted_as_changes() -> None:
    recipe = read_recipe(CLOUD / "playlist-knn.toml", ["filling = 0", "rarity = 0.25", "idf = 1"])
    assert (recipe.popularity_prior, recipe.score_idf_power, recipe.idf_power) == (0, 0.25, 1)
