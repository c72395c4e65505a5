"""Recipes: TOML files with every setting of a model except the paths of its data."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec

from disco.errors import DataError, NotFoundError, validation_message
from disco.models.recommenders.artifacts import OLD_PARAMETERS
from disco.sources.limits import toml_of
from disco.training.recipes.predictors import FeaturesRecipe, MusicRecipe, PredictorRecipe, RankPredictorRecipe
from disco.training.recipes.recommenders import (
    AlsRecipe,
    AutoencoderRecipe,
    BlendRecipe,
    CollectiveRecipe,
    ContentRecipe,
    EmbeddingMlpRecipe,
    ItemKnnRecipe,
    PlaylistKnnRecipe,
    RecommenderRecipe,
    RerankerRecipe,
    SetTransformerRecipe,
    TitleKnnRecipe,
    TwoTowerRecipe,
)

Recipe = (
    FeaturesRecipe
    | PredictorRecipe
    | RankPredictorRecipe
    | MusicRecipe
    | RecommenderRecipe
    | ContentRecipe
    | AutoencoderRecipe
)
RECIPES: dict[str, type[Recipe]] = {
    "features": FeaturesRecipe,
    "predictor": PredictorRecipe,
    "rank-predictor": RankPredictorRecipe,
    "music": MusicRecipe,
    "popularity": RecommenderRecipe,
    "playlist-knn": PlaylistKnnRecipe,
    "item-knn": ItemKnnRecipe,
    "als": AlsRecipe,
    "collective": CollectiveRecipe,
    "set-transformer": SetTransformerRecipe,
    "title-knn": TitleKnnRecipe,
    "two-tower": TwoTowerRecipe,
    "reranker": RerankerRecipe,
    "blend": BlendRecipe,
    "embedding-mlp": EmbeddingMlpRecipe,
    "content": ContentRecipe,
    "autoencoder": AutoencoderRecipe,
}
# Kinds and keys of recipes written before they were renamed.
_OLD_KINDS = {"ranker": "rank-predictor", "re-ranker": "reranker"}
_OLD_KEYS = OLD_PARAMETERS | {"leaning": "genre_shrinkage", "held": "held_out"}


def read_recipe(path: Path, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe from a TOML file.

    Parameters
    ----------
    path : Path
    changes : sequence of str
        `key = value` in TOML, replacing the file's value: for ablations.

    Raises
    ------
    DataError
        If the file is no TOML, or a key is unknown, missing or has a value of the wrong type or range.

    Examples
    --------
    >>> read_recipe(Path("cloud/classic.toml"), ["epochs = 3"]).epochs
    3
    """
    try:
        settings = renamed(toml_of(path, "recipe"))
        for change in changes:
            settings |= renamed(tomllib.loads(change))
    except NotFoundError:
        raise DataError(path, "is not a readable recipe (No such file or directory)") from None
    except ValueError as error:
        raise DataError(path, f"is not a readable recipe ({error})") from None
    return checked_recipe(settings, path)


def checked_recipe(settings: dict[str, Any], where: Path) -> Recipe:
    """A recipe from the settings in a TOML file or on a card; `where` is named in errors.

    Raises
    ------
    DataError
        If a key is unknown, missing or has a value of the wrong type or range.
    """
    settings = renamed(settings)
    kind = settings.get("kind")
    if kind not in RECIPES:
        raise DataError(where, f"kind is {kind!r}, it must be one of {', '.join(RECIPES)}")
    known = [field.name for field in fields(RECIPES[kind])]
    if unknown := [key for key in settings if key not in known]:
        raise DataError(where, f"unknown key {unknown[0]!r}; a {kind} recipe knows {', '.join(known)}")
    try:
        return msgspec.convert(settings, RECIPES[kind])
    except msgspec.ValidationError as error:
        raise DataError(where, f"is not a {kind} recipe: {validation_message(error)}") from None


def renamed(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings with the keys and kinds of today, from a recipe or card that may be older."""
    new = {_OLD_KEYS.get(key, key): value for key, value in settings.items()}
    return {**new, "kind": _OLD_KINDS.get(str(new["kind"]), new["kind"])} if "kind" in new else new


__all__ = ["RECIPES", "Recipe", "read_recipe"]
__all__ += ["FeaturesRecipe", "MusicRecipe", "PredictorRecipe", "RankPredictorRecipe"]
__all__ += [
    "AlsRecipe",
    "AutoencoderRecipe",
    "BlendRecipe",
    "CollectiveRecipe",
    "ContentRecipe",
    "EmbeddingMlpRecipe",
    "ItemKnnRecipe",
    "PlaylistKnnRecipe",
    "RecommenderRecipe",
    "RerankerRecipe",
    "SetTransformerRecipe",
    "TitleKnnRecipe",
    "TwoTowerRecipe",
]
