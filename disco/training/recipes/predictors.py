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


@dataclass(frozen=True)
class MusicRecipe(Fitting, Metadata):
    """How vectors of names, a tower and a sequence encoder are trained together: the model `music`.

    Attributes
    ----------
    inputs : list of str
        Numbers that the tower reads besides names, of `track_inputs.NUMBERS` and `track_inputs.OTHERS`.
    least_song, least_artist, least_genre, least_word, least_part : int
        Training playlists that must have a song, an artist, a word or a part of a word in their titles; tracks that
        must have a genre.
    name_size, size, width : int
        Components of the vector of a name and of a point of the space; width of the tower's hidden layer.
    units : int
        Width of the recurrent layer.
    minimum_length : int
        Tracks of a playlist that is used.
    window, batch_playlists, positions : int
        Tracks of a window of a playlist, windows of a batch, and positions of each from which the rest is ranked.
    negatives : int
        Tracks of a batch that are sampled from all, besides those of its playlists.
    negatives_weight : float
        Weight of these where negatives come in proportion to how often they occur.
    full : float
        Weight of the loss that ranks among all tracks, beside the one among tracks as often as they occur.
    next_track : float
        Weight of the very next track; the rest of the playlist has what is left.
    shuffled : float
        Share of the windows whose order is shuffled.
    titled : float
        Share of the windows whose title is read.
    hidden_song, hidden_artist, hidden_genres, hidden_numbers, hidden_popularity : float
        Share of the tracks of a batch from which each is hidden.
    all_hidden : float
        Share of the batches in which all songs, and of those in which all genres, are hidden.
    norm : float
        Weight of the mean squared norm of the points.
    hidden_word : float
        Share of the words of titles that are read by their parts alone.
    deterministic : bool
        Whether a run with the same seed gives the same bits, at half the speed.
    space_scale : float
        Factor of the distances at inference.
    artist_bonus : float
        What candidates by an artist of the seeds get, in nats.
    prior_scale : float
        Factor of the priors at inference.
    """

    scaler: str
    inputs: list[str]
    least_song: Count
    least_artist: Count
    least_genre: Count
    least_word: Count
    least_part: Count
    name_size: Count
    size: Count
    width: Count
    units: Count
    dropout: Share
    minimum_length: Count
    window: Count
    batch_playlists: Count
    positions: Count
    negatives: Count
    negatives_weight: Positive
    full: NonNegative
    next_track: Share
    shuffled: Share
    titled: Share
    hidden_song: Share
    hidden_artist: Share
    hidden_genres: Share
    hidden_numbers: Share
    hidden_popularity: Share
    all_hidden: Share
    hidden_word: Share
    norm: NonNegative
    deterministic: bool
    space_scale: Positive
    artist_bonus: NonNegative
    prior_scale: NonNegative
