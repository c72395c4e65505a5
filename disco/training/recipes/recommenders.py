"""What a recipe says of what gathers candidates."""

from __future__ import annotations

from dataclasses import dataclass

from disco.training.recipes.metadata import Count, CountOrZero, Fitting, Metadata, NonNegative, Positive, Share


@dataclass(frozen=True)
class RecommenderRecipe(Metadata):
    """What the recipe of every recommender says; `popularity` needs no more."""


@dataclass(frozen=True)
class PlaylistKnnRecipe(RecommenderRecipe):
    """How playlists are compared; the numbers are those of `PlaylistKnnParams`."""

    neighbours: Count
    idf_power: NonNegative
    length: NonNegative
    power: Positive
    score_idf_power: NonNegative
    popularity_prior: NonNegative


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
    power, popularity_prior : float
        As `ItemKnnParams` has them.
    """

    neighbours: Count
    length: NonNegative
    popularity: Share
    shrinkage: NonNegative
    power: Positive
    popularity_prior: NonNegative


@dataclass(frozen=True)
class AlsRecipe(RecommenderRecipe):
    """How many factors are found in how many iterations; the others are those of `AlsParams`."""

    factors: Count
    iterations: Count
    confidence: Positive
    regularization: NonNegative
    seed: Count


@dataclass(frozen=True)
class CollectiveRecipe(AlsRecipe):
    """How tracks, artists and titles are factored together; the last three as `CollectiveParams` has them.

    Attributes
    ----------
    least_titles, most_terms : int
        A term of titles is in so many at least; so many are kept at most.
    """

    least_titles: Count
    most_terms: Count
    artists: NonNegative
    titles: Positive
    borrowed: Positive


@dataclass(frozen=True)
class SetTransformerRecipe(Fitting, RecommenderRecipe):
    """How a set transformer is built and trained; `patience` counts epochs.

    Attributes
    ----------
    inputs : list of str
        What the song encoder hears, of `track_inputs.NUMBERS` and `track_inputs.OTHERS`.
    size, heads, blocks : int
        Components of its vectors, heads of each attention, blocks of set attention.
    least_playlists : int
        A track of fewer training playlists has no vector: it is heard by its features, and not recommended.
    least_titles, most_terms : int
        A term of titles is in so many at least; so many are kept at most.
    window : int
        Tracks of a playlist that are shown at most, drawn anew in each epoch; as many are hidden at most.
    alone, few : float in (0, 1)
        Share of the sets of which all tracks are hidden, and of those of which 1 to 10 are shown; of the others
        10-50 % are hidden.
    untitled : float in (0, 1)
        Share of the sets with tracks whose title is hidden.
    reconstruction : float
        What the shown tracks count in the loss, where the hidden count 1.
    margin, negatives : float, int
        Of the loss; others drawn for each track that is wanted.
    popular : float in [0, 1]
        Others are drawn by their frequency to this power.
    """

    scaler: str
    inputs: list[str]
    size: Count
    heads: Count
    blocks: Count
    dropout: Share
    term_dropout: Share
    least_playlists: Count
    least_titles: Count
    most_terms: Count
    window: Count
    alone: Share
    few: Share
    untitled: Share
    reconstruction: NonNegative
    margin: Positive
    negatives: Count
    popular: NonNegative
    batch_size: Count
    weight_decay: NonNegative


@dataclass(frozen=True)
class TitleKnnRecipe(RecommenderRecipe):
    """How titles are read and compared; the numbers but the first two are those of `TitleKnnParams`.

    Attributes
    ----------
    least_titles, most_terms : int
        A term of titles is in so many at least; so many are kept at most.
    """

    least_titles: Count
    most_terms: Count
    neighbours: Count
    least: NonNegative
    power: Positive
    length: NonNegative
    popularity_prior: NonNegative


@dataclass(frozen=True)
class TwoTowerRecipe(Fitting, RecommenderRecipe):
    """How two towers are built and trained; `patience` counts epochs.

    Attributes
    ----------
    inputs : list of str
        What is heard of a track's sound, of `track_inputs.NUMBERS` and `track_inputs.OTHERS`.
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
    least_titles: Count
    most_terms: Count
    width: Count
    size: Count
    last: Count
    few: Share
    titled: Share
    dropout: Share
    temperature: Positive
    correction: Share
    batch_size: Count
    weight_decay: NonNegative


@dataclass(frozen=True)
class RerankerRecipe(RecommenderRecipe):
    """How candidates of other recommenders are ranked again.

    Attributes
    ----------
    parts : list of str
        Names or folders of the recommenders that name them, trained on the same playlists.
    held_out : float in (0, 1)
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
    held_out: Share
    negatives: Share
    trees: Count
    leaves: Count
    smallest: Count
    shrinkage: NonNegative
    ridge: NonNegative
    seed: Count


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
    depth: Count
    offset: Positive


@dataclass(frozen=True)
class EmbeddingMlpRecipe(Fitting, RecommenderRecipe):
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

    size: Count
    width: Count
    tied: bool
    dropout: Share
    window: Count
    batch_size: Count
    weight_decay: NonNegative


@dataclass(frozen=True)
class ContentRecipe(Fitting, Metadata):
    """How a tower learns from genres, artists and playlists where tracks lie by what they sound like.

    Attributes
    ----------
    inputs : list of str
        What the tower hears, of `track_inputs.NUMBERS` and then of `track_inputs.OTHERS`.
    size, width, blocks, periods : int
        Of the tower, as `RankPredictorRecipe` has them.
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
    genre_shrinkage : float in [0, 1)
        How much of an exported vector are the genres that it is likely of.
    sharpness : float
        As `ContentParams` has it.
    shorter : int
        An epoch is this part of a round through the tracks with genres.
    """

    scaler: str
    inputs: list[str]
    size: Count
    width: Count
    blocks: Count
    periods: CountOrZero
    dropout: Share
    noise: NonNegative
    hidden: Share
    least: CountOrZero
    smoothing: Share
    artists: NonNegative
    playlists: NonNegative
    temperature: Positive
    genre_shrinkage: Share
    sharpness: Positive
    shorter: Count
    batch_tracks: Count
    minimum_length: Count
    weight_decay: NonNegative


@dataclass(frozen=True)
class AutoencoderRecipe(Fitting, Metadata):
    """How an autoencoder of 15 numbers is trained; `patience` counts epochs.

    Attributes
    ----------
    width, size : int
        Of the two hidden layers, and of the code between them.
    sharpness : float
        As `ContentParams` has it.
    settling : int
        Epochs at most after those with dropout, without it.
    """

    width: Count
    size: Count
    dropout: Share
    sharpness: Positive
    batch_size: Count
    settling: Count
