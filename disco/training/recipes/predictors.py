"""Recipes of the scaler and of predictors."""

from __future__ import annotations

from dataclasses import dataclass

from disco.training.recipes.metadata import Count, CountOrZero, Fitting, Metadata, NonNegative, Positive, Share


@dataclass(frozen=True)
class FeaturesRecipe(Metadata):
    """How the scaler and the PCA are fitted.

    Attributes
    ----------
    components : int
        Of the PCA.
    only : dict of str
        Column and value: only tracks with that value are used.
    """

    components: Count
    only: dict[str, str]


@dataclass(frozen=True)
class PredictorRecipe(Fitting, Metadata):
    """How a predictor of the next track's features is trained.

    Attributes
    ----------
    network : str
        `classic` or `gru`.
    scaler : str
        Name of the `features` model.
    window, minimum_length : int
        Number of tracks of a window, and its minimum.
    batch_size : int
        Windows of a batch.
    """

    network: str
    scaler: str
    window: Count
    minimum_length: Count
    batch_size: Count


@dataclass(frozen=True)
class RankPredictorRecipe(Fitting, Metadata):
    """How a tower and a sequence encoder are trained to rank the next track: the predictor `rank`.

    Attributes
    ----------
    inputs : list of str
        Inputs of the tower, of `track_inputs.NUMBERS` and then of `track_inputs.OTHERS`.
    genre_words : int
        Hash buckets for words of genres; 0 for a tower without genres.
    size, width, blocks, periods : int
        Of the tower: vector size, layer width, residual blocks, periodic functions of each number.
    memory : float in (0, 1)
        Share of the squared norm that the memorising half of a vector has.
    recall : float
        Factor of that half in the exported model.
    recurrent, units : str, int
        Kind of the sequence encoder's recurrent layer (gru, simple, none) and its width.
    window, batch_tracks : int
        Tracks of a window, and of a batch of windows with padding.
    temperature : float
        Initial inverse temperature of the softmax; it is trained too.
    blur : float
        Standard deviation of the noise on the inputs of the half that learns kinds of music.
    noise, noisy_share : float
        Standard deviation of the noise on the inputs of both halves, and the share of tracks with it.
    hidden : float in [0, 1]
        Share of the batches in which all genres are hidden.
    artists : float
        Batches of tracks by one artist, as a share of those of playlists.
    """

    scaler: str
    inputs: list[str]
    genre_words: CountOrZero
    size: Count
    width: Count
    blocks: Count
    periods: CountOrZero
    memory: Share
    recall: Positive
    recurrent: str
    units: CountOrZero
    dropout: Share
    window: Count
    minimum_length: Count
    batch_tracks: Count
    temperature: Positive
    blur: NonNegative
    noise: NonNegative
    noisy_share: Share
    hidden: Share
    artists: NonNegative
    weight_decay: NonNegative
