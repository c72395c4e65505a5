"""What a recipe says of the scaler, and of what says the next track."""

from __future__ import annotations

from dataclasses import dataclass

from disco.training.recipes.metadata import Fitted, Said


@dataclass(frozen=True)
class FeaturesRecipe(Said):
    """How a `features` card is fitted; `only` keeps the tracks whose column has that value."""

    components: int
    only: dict[str, str]


@dataclass(frozen=True)
class PredictorRecipe(Fitted, Said):
    """How a predictor is trained; `window` and `minimum_length` count tracks, `patience` counts epochs."""

    network: str
    scaler: str
    window: int
    minimum_length: int
    batch_size: int


@dataclass(frozen=True)
class RankerRecipe(Fitted, Said):
    """How a tower and a follower are trained to rank the next track; `patience` counts epochs.

    Attributes
    ----------
    inputs : list of str
        What the tower hears, of `tower.NUMBERS` and then of `tower.OTHERS`.
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
    genre_words: int
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
    hidden: float
    artists: float
    weight_decay: float
