"""What a recipe says of the scaler, and of what says the next track."""

from __future__ import annotations

from dataclasses import dataclass

from disco.training.recipes.metadata import Count, CountOrZero, Fitting, Metadata, NonNegative, Positive, Share


@dataclass(frozen=True)
class FeaturesRecipe(Metadata):
    """How a `features` card is fitted; `only` keeps the tracks whose column has that value."""

    components: Count
    only: dict[str, str]


@dataclass(frozen=True)
class PredictorRecipe(Fitting, Metadata):
    """How a predictor is trained; `window` and `minimum_length` count tracks, `patience` counts epochs."""

    network: str
    scaler: str
    window: Count
    minimum_length: Count
    batch_size: Count


@dataclass(frozen=True)
class RankPredictorRecipe(Fitting, Metadata):
    """How a tower and a follower are trained to rank the next track; `patience` counts epochs.

    Attributes
    ----------
    inputs : list of str
        What the tower hears, of `track_inputs.NUMBERS` and then of `track_inputs.OTHERS`.
    genre_words : int
        Slots for words of genres; 0 for a tower that hears none.
    size, width, blocks, periods : int
        Of the tower: components of its vectors, its layers' width, residual blocks, waves of each number.
    memory : float in (0, 1)
        Share of the half that knows tracks again in every squared length.
    recall : float
        What that half is multiplied by in what is exported.
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
    hidden : float in [0, 1]
        Share of the batches in which no track has a genre.
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
