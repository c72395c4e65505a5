"""Title neighbours: tracks of the training playlists with the most similar titles, by words and character n-grams."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats
from disco.models.recommenders.artifacts import Artifacts
from disco.models.recommenders.query import Query, Recommender
from disco.models.recommenders.scoring import Scored, top_n_indices
from disco.models.recommenders.sparse import Sparse
from disco.models.recommenders.titles import Titles


@dataclass(frozen=True)
class TitleKnnParams:
    """How titles are compared, and how the tracks of their playlists are scored.

    Attributes
    ----------
    neighbours : int
        Number of playlists with the most similar titles that are used.
    least : float
        Minimum cosine similarity of a title.
    power : float
        Exponent of a similarity: the higher, the more the most similar titles dominate.
    length : float
        A playlist weighs its length to minus this power.
    popularity_prior : float
        Score of the most popular track, where neighbours contribute 1 in all: it orders tracks in no neighbour.
    """

    neighbours: int
    least: float
    power: float
    length: float
    popularity_prior: float


SimilarPlaylists = tuple[NDArray[np.intp], Floats]


def matching_titles(terms: Titles, titles: Sparse, params: TitleKnnParams) -> Callable[[str], SimilarPlaylists]:
    """A function from a title to the playlists with the most similar titles, best first, and these similarities.

    Parameters
    ----------
    titles : Sparse, shape (playlists, terms)
        Terms of the training playlists' titles, as `Titles.bags` has them.
    """
    having = titles.transposed()

    def find(title: str) -> SimilarPlaylists:
        bag = terms.bags([title])
        if not len(bag.columns):
            return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.float32)
        similarity = having.combined(bag.columns, bag.weights)
        nearest = top_n_indices(similarity, params.neighbours)
        nearest = nearest[similarity[nearest] >= max(params.least, 1e-6)]
        return nearest, similarity[nearest]

    return find


def track_scores(playlists: Sparse, params: TitleKnnParams) -> Callable[[NDArray[np.intp], Floats], Floats]:
    """A function from playlists and their similarities, as `matching_titles` finds them, to scores, shape (tracks,).

    Without a playlist all scores are NaN.

    Parameters
    ----------
    playlists : Sparse, shape (playlists, tracks)
        1 where a playlist has a track.
    """
    counts = np.bincount(playlists.columns, minlength=playlists.width)
    divided = np.maximum(playlists.lengths, 1).astype(np.float32) ** -params.length
    popularity_prior = (params.popularity_prior * counts / counts.max(initial=1)).astype(np.float32)

    def score(nearest: NDArray[np.intp], similarity: Floats) -> Floats:
        if not len(nearest):
            return np.full(playlists.width, np.nan, dtype=np.float32)
        factors = similarity**params.power * divided[nearest]
        return np.asarray(playlists.combined(nearest, factors / factors.sum()) + popularity_prior, dtype=np.float32)

    return score


def load(folder: Artifacts) -> Recommender:
    """Load a recommender by titles; a query whose title has no known term has no candidates."""
    playlists = folder.sparse("playlists", None, len(folder.rows), weighted=False)
    terms, params = Titles.read(folder), folder.parameters(TitleKnnParams)
    find, score = (
        matching_titles(terms, folder.sparse("titles", len(playlists), len(terms)), params),
        track_scores(playlists, params),
    )

    def scores(queries: Sequence[Query]) -> Floats:
        return np.stack([score(*find(query.title)) for query in queries])

    return Scored(folder.card.name, len(folder.rows), scores, folder.rows, reads_titles=True)
