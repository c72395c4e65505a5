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
class EmbeddingMlpRecipe(RecommenderRecipe):
    """How vectors of tracks, and layers over their mean and variance, are trained.

    Attributes
    ----------
    size, width : int
        Components of a vector; width of the layers.
    tied : bool
        Whether what a track is heard as and what it is named by are one vector.
    window : int
        Tracks that a playlist is cut to.
    """

    size: int
    width: int
    tied: bool
    dropout: float
    window: int
    batch_size: int
    seeds: list[int]
    epochs: int
    patience: int
    learning_rate: float
    weight_decay: float


@dataclass(frozen=True)
class ContentRecipe:
    """How a tower learns from genres, artists and playlists where tracks lie by what they sound like.

    Attributes
    ----------
    inputs : list of str
        What the tower hears, of `tower.NUMBERS` and then of `tower.OTHERS`.
    size, width, blocks, periods : int
        Of the tower, as `RankerRecipe` has them.
    noise : float
        Standard deviation of the noise on the inputs in training.
    hidden : float
        Share of the tracks of which popularity and explicit lyrics are taken to be unknown in training.
    least : int
        A genre is learnt that so many training tracks have.
    smoothing : float in [0, 1)
        Share of a label that is spread over all genres.
    artists, playlists : float
        What pairs by one artist and pairs of one playlist count, beside 1 for the genres.
    temperature : float
        What cosines are multiplied by before a softmax.
    leaning : float in [0, 1)
        How much of an exported vector are the genres that it is likely of.
    sharpness : float
        As `recommend.content.Hearing` has it.
    shorter : int
        An epoch is this part of a round through the tracks with genres.
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
    dropout: float
    noise: float
    hidden: float
    least: int
    smoothing: float
    artists: float
    playlists: float
    temperature: float
    leaning: float
    sharpness: float
    shorter: int
    batch_tracks: int
    minimum_length: int
    seeds: list[int]
    epochs: int
    patience: int
    learning_rate: float
    weight_decay: float
    data: str
    source: str
    terms: str


@dataclass(frozen=True)
class AutoencoderRecipe:
    """How an autoencoder of 15 numbers is trained; `patience` counts epochs.

    Attributes
    ----------
    width, size : int
        Of the two hidden layers, and of the code between them.
    sharpness : float
        As `recommend.content.Hearing` has it.
    settling : int
        Epochs at most after those with dropout, without it.
    """

    kind: str
    name: str
    version: str
    width: int
    size: int
    dropout: float
    sharpness: float
    batch_size: int
    seeds: list[int]
    epochs: int
    settling: int
    patience: int
    learning_rate: float
    data: str
    source: str
    terms: str


Recipe = FeaturesRecipe | PredictorRecipe | RankerRecipe | RecommenderRecipe | ContentRecipe | AutoencoderRecipe
RECIPES: dict[str, type[Recipe]] = {
    "features": FeaturesRecipe,
    "predictor": PredictorRecipe,
    "ranker": RankerRecipe,
    "popularity": RecommenderRecipe,
    "playlist-knn": PlaylistKnnRecipe,
    "item-knn": ItemKnnRecipe,
    "als": AlsRecipe,
    "embedding-mlp": EmbeddingMlpRecipe,
    "content": ContentRecipe,
    "autoencoder": AutoencoderRecipe,
}
# Of these none is a choice too.
_MAY_BE_NOUGHT = {"units", "blur", "dropout", "noise", "noisy_share", "weight_decay"}
_MAY_BE_NOUGHT |= {"idf", "length", "rarity", "filling", "popularity", "shrinkage", "regularization"}
_MAY_BE_NOUGHT |= {"smoothing", "artists", "playlists", "periods", "hidden", "leaning"}
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
