"""Recipes: TOML files that say everything of a model but where the data is."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from disco.errors import DataError


@dataclass(frozen=True)
class FeaturesRecipe:
    """How a `features` card is fitted; `only` keeps the tracks whose column has that value."""

    kind: str
    name: str
    version: str
    components: int
    only: dict[str, str]
    data: str
    source: str
    terms: str


@dataclass(frozen=True)
class PredictorRecipe:
    """How a predictor is trained; `window` and `minimum_length` count tracks, `patience` counts epochs."""

    kind: str
    name: str
    version: str
    network: str
    scaler: str
    window: int
    minimum_length: int
    seeds: list[int]
    epochs: int
    patience: int
    batch_size: int
    learning_rate: float
    data: str
    source: str
    terms: str


@dataclass(frozen=True)
class RankerRecipe:
    """How a tower and a follower are trained to rank the next track; `patience` counts epochs.

    Attributes
    ----------
    inputs : list of str
        What the tower hears, of `tower.NUMBERS` and then of `tower.OTHERS`.
    size, width, blocks, periods : int
        Of the tower: components of its vectors, its layers' width, residual blocks, waves of each number.
    memory, recall : float in (0, 1)
        Share of the half that knows tracks again in every inner product, in training and in what is exported.
    recurrent, units : str, int
        Kind of the follower's recurrent layer (gru, simple, none) and its width.
    window, batch_tracks : int
        Tracks of a window, and of a batch of windows with their padding.
    temperature : float
        Inverse temperature of the softmax to begin with; it is trained too.
    blur : float
        Standard deviation of the noise on what the half that learns kinds of music hears.
    noise, noisy_share : float
        That of the noise on what both halves hear, and the share of tracks that get it.
    """

    kind: str
    name: str
    version: str
    scaler: str
    inputs: list[str]
    size: int
    width: int
    blocks: int
    periods: int
    memory: float
    recall: float
    recurrent: str
    units: int
    dropout: float
    window: int
    minimum_length: int
    batch_tracks: int
    temperature: float
    blur: float
    noise: float
    noisy_share: float
    seeds: list[int]
    epochs: int
    patience: int
    learning_rate: float
    weight_decay: float
    data: str
    source: str
    terms: str


@dataclass(frozen=True)
class RecommenderRecipe:
    """What the recipe of every recommender says; `popularity` needs no more."""

    kind: str
    name: str
    version: str
    data: str
    source: str
    terms: str


@dataclass(frozen=True)
class PlaylistKnnRecipe(RecommenderRecipe):
    """How playlists are compared; the numbers are those of `recommend.playlist_knn.Neighbours`."""

    neighbours: int
    idf: float
    length: float
    power: float
    rarity: float
    filling: float


@dataclass(frozen=True)
class ItemKnnRecipe(RecommenderRecipe):
    """How tracks are compared by the playlists that have both, and added up.

    Attributes
    ----------
    neighbours : int
        Tracks that are kept for each.
    length : float
        A playlist counts as its length to minus this power.
    popularity : float in [0, 1]
        Similarity is the count of playlists with both, divided by those with the seed to the power of 1 minus this
        and those with the other to the power of this.
    shrinkage : float
        Added to what it is divided by, so that a few playlists say less.
    power, filling : float
        As `recommend.item_knn.Adding` has them.
    """

    neighbours: int
    length: float
    popularity: float
    shrinkage: float
    power: float
    filling: float


@dataclass(frozen=True)
class AlsRecipe(RecommenderRecipe):
    """How many factors are found in how many iterations; the others are those of `recommend.als.Folding`."""

    factors: int
    iterations: int
    confidence: float
    regularization: float
    seed: int


@dataclass(frozen=True)
class TitleKnnRecipe(RecommenderRecipe):
    """How titles are read and compared; the numbers but the first two are those of `recommend.title_knn.Reading`.

    Attributes
    ----------
    least_titles, most_terms : int
        A term of titles is in so many at least; so many are kept at most.
    """

    least_titles: int
    most_terms: int
    neighbours: int
    least: float
    power: float
    length: float
    filling: float


@dataclass(frozen=True)
class TwoTowerRecipe(RecommenderRecipe):
    """How two towers are built and trained; `patience` counts epochs.

    Attributes
    ----------
    inputs : list of str
        What is heard of a track's sound, of `tower.NUMBERS` and `tower.OTHERS`.
    width, size : int
        Of what is heard of a track, and of the vectors that meet.
    last : int
        Tracks of a playlist that are heard: its last.
    few : float in (0, 1)
        Share of the training queries of which fewer are heard, each number as often, none too.
    titled : float in (0, 1)
        Share of the training queries with the title.
    temperature : float
        Inverse temperature of the softmax to begin with; it is trained too.
    correction : float in [0, 1]
        Share of the logarithm of a track's frequency that is taken off its score in training: 1 is the sampled
        softmax of Yi et al. (2019).
    """

    scaler: str
    inputs: list[str]
    least_titles: int
    most_terms: int
    width: int
    size: int
    last: int
    few: float
    titled: float
    dropout: float
    temperature: float
    correction: float
    batch_size: int
    seeds: list[int]
    epochs: int
    patience: int
    learning_rate: float
    weight_decay: float


@dataclass(frozen=True)
class ReRankerRecipe(RecommenderRecipe):
    """How candidates of other recommenders are ranked again.

    Attributes
    ----------
    parts : list of str
        Names or folders of the recommenders that name them, trained on the same playlists.
    held : float in (0, 1)
        Share of the training playlists that the trees are fitted on; the parts are trained on the others for that.
    negatives : float in (0, 1]
        Share of the candidates that are not true that are shown.
    trees, leaves, smallest : int
        How many trees; leaves of each; examples in a leaf at least.
    shrinkage, ridge : float
        What each tree counts; added to what the value of a leaf is divided by.
    seed : int
    """

    parts: list[str]
    held: float
    negatives: float
    trees: int
    leaves: int
    smallest: int
    shrinkage: float
    ridge: float
    seed: int


@dataclass(frozen=True)
class BlendRecipe(RecommenderRecipe):
    """How several recommenders' ranks are added up.

    Attributes
    ----------
    parts : list of str
        Names or folders of recommenders.
    depth : int
        Candidates of each.
    offset : float
        A candidate at rank r counts 1 / (offset + r).
    """

    parts: list[str]
    depth: int
    offset: float


Recipe = FeaturesRecipe | PredictorRecipe | RankerRecipe | RecommenderRecipe
RECIPES: dict[str, type[Recipe]] = {
    "features": FeaturesRecipe,
    "predictor": PredictorRecipe,
    "ranker": RankerRecipe,
    "popularity": RecommenderRecipe,
    "playlist-knn": PlaylistKnnRecipe,
    "item-knn": ItemKnnRecipe,
    "als": AlsRecipe,
    "title-knn": TitleKnnRecipe,
    "two-tower": TwoTowerRecipe,
    "re-ranker": ReRankerRecipe,
    "blend": BlendRecipe,
}
# Of these none is a choice too.
_MAY_BE_NOUGHT = {"units", "blur", "dropout", "noise", "noisy_share", "weight_decay"}
_MAY_BE_NOUGHT |= {"idf", "length", "rarity", "filling", "popularity", "shrinkage", "regularization"}
_MAY_BE_NOUGHT |= {"least", "few", "titled", "correction", "ridge"}
_MEANT: dict[Any, str] = {
    str: "a text",
    int: "a whole number above 0",
    float: "a number above 0",
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
