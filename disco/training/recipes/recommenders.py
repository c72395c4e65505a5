"""Recipes of recommenders."""

from __future__ import annotations

from dataclasses import dataclass

from disco.training.recipes.metadata import Count, CountOrZero, Fitting, Metadata, NonNegative, Positive, Share


@dataclass(frozen=True)
class RecommenderRecipe(Metadata):
    """Fields of every recommender's recipe; `popularity` has no others."""


@dataclass(frozen=True)
class PlaylistKnnRecipe(RecommenderRecipe):
    """How playlists are compared; the fields are those of `PlaylistKnnParams`."""

    neighbours: Count
    idf_power: NonNegative
    length: NonNegative
    power: Positive
    score_idf_power: NonNegative
    popularity_prior: NonNegative


@dataclass(frozen=True)
class ItemKnnRecipe(RecommenderRecipe):
    """How the similarity of tracks is computed from co-occurrence, and added up.

    Attributes
    ----------
    neighbours : int
        Number of similar tracks that are kept for each.
    length : float
        A playlist weighs its length to minus this power.
    popularity : float in [0, 1]
        Similarity is the number of playlists with both tracks, divided by that with the seed to the power of 1 minus
        this and that with the other to the power of this.
    shrinkage : float
        Added to the divisor, so that few playlists give a lower similarity.
    power, popularity_prior : float
        As in `ItemKnnParams`.
    """

    neighbours: Count
    length: NonNegative
    popularity: Share
    shrinkage: NonNegative
    power: Positive
    popularity_prior: NonNegative


@dataclass(frozen=True)
class AlsRecipe(RecommenderRecipe):
    """Number of factors and iterations; the other fields are those of `AlsParams`."""

    factors: Count
    iterations: Count
    confidence: Positive
    regularization: NonNegative
    seed: Count


@dataclass(frozen=True)
class CollectiveRecipe(AlsRecipe):
    """How tracks, artists and titles are factored together; the last three fields are those of `CollectiveParams`.

    Attributes
    ----------
    least_titles, most_terms : int
        Minimum number of titles with a term, and maximum number of terms.
    """

    least_titles: Count
    most_terms: Count
    artists: NonNegative
    titles: Positive
    borrowed: Positive


@dataclass(frozen=True)
class SetTransformerRecipe(Fitting, RecommenderRecipe):
    """How a set transformer is built and trained.

    Attributes
    ----------
    inputs : list of str
        Inputs of the song encoder, of `track_inputs.NUMBERS` and `track_inputs.OTHERS`.
    size, heads, blocks : int
        Vector size, heads of each attention, blocks of set attention.
    least_playlists : int
        A track of fewer training playlists has no vector: it is encoded by its features, and not recommended.
    least_titles, most_terms : int
        Minimum number of titles with a term, and maximum number of terms.
    window : int
        Maximum number of shown tracks of a playlist, sampled in each epoch; also that of hidden ones.
    alone, few : float in (0, 1)
        Share of the sets with all tracks hidden, and of those with 1 to 10 shown; of the others 10-50 % are hidden.
    untitled : float in (0, 1)
        Share of the sets with tracks whose title is hidden.
    reconstruction : float
        Weight of the shown tracks in the loss, where the hidden have 1.
    margin, negatives : float, int
        Margin of the loss; number of negatives for each positive track.
    popular : float in [0, 1]
        Negatives are sampled by frequency to this power.
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
    """How titles are read and compared; the fields except the first two are those of `TitleKnnParams`.

    Attributes
    ----------
    least_titles, most_terms : int
        Minimum number of titles with a term, and maximum number of terms.
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
    """How two towers are built and trained.

    Attributes
    ----------
    inputs : list of str
        Inputs of a track, of `track_inputs.NUMBERS` and `track_inputs.OTHERS`.
    width, size : int
        Size of a track's encoding, and of the vectors whose product is the score.
    last : int
        Number of last tracks of a playlist that are used.
    few : float in (0, 1)
        Share of the training queries with fewer tracks, uniformly down to none.
    titled : float in (0, 1)
        Share of the training queries with the title.
    temperature : float
        Initial inverse temperature of the softmax; it is trained too.
    correction : float in [0, 1]
        Share of the logarithm of a track's frequency that is subtracted from its score in training: 1 is the sampled
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
    """How the trees of the recommender `ranker` are fitted.

    Attributes
    ----------
    parts : list of str
        Names or folders of the recommenders whose candidates are ranked, trained on the same playlists.
    held_out : float in (0, 1)
        Share of the training playlists that the trees are fitted on; for that, the parts are trained on the others.
    negatives : float in (0, 1]
        Share of the false candidates that are used.
    trees, leaves, smallest : int
        Maximum number of trees, leaves of each, minimum examples in a leaf.
    shrinkage, ridge : float
        Learning rate, and L2 regularisation of leaf values.
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
    """How the ranks of several recommenders are fused.

    Attributes
    ----------
    parts : list of str
        Names or folders of recommenders.
    depth : int
        Number of candidates of each.
    offset : float
        A candidate at rank r scores 1 / (offset + r).
    """

    parts: list[str]
    depth: Count
    offset: Positive


@dataclass(frozen=True)
class EmbeddingMlpRecipe(Fitting, RecommenderRecipe):
    """How embeddings of tracks, and layers over their mean and variance, are trained.

    Attributes
    ----------
    size, width : int
        Embedding size, and width of the layers.
    tied : bool
        Whether input and output embeddings are shared.
    window : int
        Maximum number of tracks of a training window.
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
    """How a tower learns to embed tracks from genres, artists and playlists.

    Attributes
    ----------
    inputs : list of str
        Inputs of the tower, of `track_inputs.NUMBERS` and then of `track_inputs.OTHERS`.
    size, width, blocks, periods : int
        Of the tower, as in `RankPredictorRecipe`.
    noise : float
        Standard deviation of the noise on the inputs in training.
    hidden : float
        Share of the tracks with popularity and explicit lyrics hidden in training.
    least : int
        Minimum number of training tracks of a genre.
    smoothing : float in [0, 1)
        Label smoothing over all genres.
    artists, playlists : float
        Weights of the artist and playlist losses, where that of the genres has 1.
    temperature : float
        Inverse temperature: factor of cosines before a softmax.
    genre_shrinkage : float in [0, 1)
        Share of the mean of likely genres' vectors in an exported vector.
    sharpness : float
        As in `ContentParams`.
    shorter : int
        Number of epochs that make one pass through the tracks with genres.
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
    """How an autoencoder of 15 numbers is trained.

    Attributes
    ----------
    width, size : int
        Sizes of the two hidden layers, and of the code between them.
    sharpness : float
        As in `ContentParams`.
    settling : int
        Maximum number of epochs without dropout, after those with it.
    """

    width: Count
    size: Count
    dropout: Share
    sharpness: Positive
    batch_size: Count
    settling: Count
