"""Recipes: TOML files that say everything of a model but where the data is."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from disco.errors import DataError
from disco.training.recipes.predictors import FeaturesRecipe, PredictorRecipe, RankerRecipe
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
    ReRankerRecipe,
    SetTransformerRecipe,
    TitleKnnRecipe,
    TwoTowerRecipe,
)

Recipe = FeaturesRecipe | PredictorRecipe | RankerRecipe | RecommenderRecipe | ContentRecipe | AutoencoderRecipe
RECIPES: dict[str, type[Recipe]] = {
    "features": FeaturesRecipe,
    "predictor": PredictorRecipe,
    "ranker": RankerRecipe,
    "popularity": RecommenderRecipe,
    "playlist-knn": PlaylistKnnRecipe,
    "item-knn": ItemKnnRecipe,
    "als": AlsRecipe,
    "collective": CollectiveRecipe,
    "set-transformer": SetTransformerRecipe,
    "title-knn": TitleKnnRecipe,
    "two-tower": TwoTowerRecipe,
    "re-ranker": ReRankerRecipe,
    "blend": BlendRecipe,
    "embedding-mlp": EmbeddingMlpRecipe,
    "content": ContentRecipe,
    "autoencoder": AutoencoderRecipe,
}
# Of these none is a choice too.
_MAY_BE_NOUGHT = frozenset(
    (
        "units genre_words hidden artists blur dropout noise noisy_share weight_decay idf length rarity filling "
        "popularity shrinkage regularization term_dropout alone few untitled reconstruction popular least titled "
        "correction ridge smoothing playlists periods leaning"
    ).split()
)
_MEANT: dict[Any, str] = {
    str: "a text",
    int: "a whole number above 0",
    float: "a number above 0",
    bool: "true or false",
    list[str]: "a list of texts",
    list[int]: "a list of whole numbers above 0",
    dict[str, str]: "a table of texts",
}


def read_recipe(path: Path, changes: Sequence[str] = ()) -> Recipe:
    """Recipe in a TOML file; a key too many, too few or of the wrong type is a DataError that names it.

    Parameters
    ----------
    changes : sequence of str
        `key = value` in TOML, in place of what the file says: for ablations.
    """
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        for change in changes:
            said |= tomllib.loads(change)
    except (OSError, ValueError) as error:
        raise DataError(path, f"is not a readable recipe ({error})") from None
    kind = str(said.get("kind"))
    if kind not in RECIPES:
        raise DataError(path, f"kind is {kind!r}, it must be one of {', '.join(RECIPES)}")
    wanted = get_type_hints(RECIPES[kind])
    if unknown := [key for key in said if key not in wanted]:
        raise DataError(path, f"unknown key {unknown[0]!r}; a {kind} recipe knows {', '.join(wanted)}")
    if missing := [key for key in wanted if key not in said]:
        raise DataError(path, f"the key {missing[0]!r} is missing")
    for key, hint in wanted.items():
        if not _fits(said[key], hint) and not (key in _MAY_BE_NOUGHT and said[key] in (0, 0.0)):
            raise DataError(path, f"{key} is {said[key]!r}, it must be {_MEANT[hint]}")
    return RECIPES[kind](**said)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a TOML value is of the type; every number in a recipe counts something and is above 0."""
    if hint in (int, float):
        return type(value) in (int, hint) and value > 0
    if not isinstance(value, get_origin(hint) or hint):
        return False
    members = value.values() if isinstance(value, dict) else value
    return not get_args(hint) or all(_fits(member, get_args(hint)[-1]) for member in members)


__all__ = ["RECIPES", "Recipe", "read_recipe"]
__all__ += ["FeaturesRecipe", "PredictorRecipe", "RankerRecipe"]
__all__ += [
    "AlsRecipe",
    "AutoencoderRecipe",
    "BlendRecipe",
    "CollectiveRecipe",
    "ContentRecipe",
    "EmbeddingMlpRecipe",
    "ItemKnnRecipe",
    "PlaylistKnnRecipe",
    "ReRankerRecipe",
    "RecommenderRecipe",
    "SetTransformerRecipe",
    "TitleKnnRecipe",
    "TwoTowerRecipe",
]
