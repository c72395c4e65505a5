"""Tracks of the training playlists whose titles are most like the query's, words and pieces of words in common."""

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
    """How titles are compared, and what their playlists' tracks count then.

    Attributes
    ----------
    neighbours : int
        Playlists that are heard.
    least : float
        A title less like, by cosine, is not heard at all.
    power : float
        A similarity counts to this power: the higher, the more the most like titles say.
    length : float
        A playlist counts as its length to minus this power.
    popularity_prior : float
        What the most popular track counts, beside the sum of 1 that the neighbours give: it orders the tracks that no
        neighbour has.
    """

    neighbours: int
    least: float
    power: float
    length: float
    popularity_prior: float


SimilarPlaylists = tuple[NDArray[np.intp], Floats]


def matching_titles(terms: Titles, titles: Sparse, how: TitleKnnParams) -> Callable[[str], SimilarPlaylists]:
    """From a title to the playlists whose titles are most like it, best first, and how like they are, from 0 to 1.

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
        alike = having.combined(bag.columns, bag.weights)
        nearest = top_n_indices(alike, how.neighbours)
        nearest = nearest[alike[nearest] >= max(how.least, 1e-6)]
        return nearest, alike[nearest]

    return find


def track_scores(playlists: Sparse, how: TitleKnnParams) -> Callable[[NDArray[np.intp], Floats], Floats]:
    """From playlists and how like they are, as `finder` finds them, to scores, shape (tracks,): NaN without any.

    Parameters
    ----------
    playlists : Sparse, shape (playlists, tracks)
        1 where a playlist has a track.
    """
    counts = np.bincount(playlists.columns, minlength=playlists.width)
    divided = np.maximum(playlists.lengths, 1).astype(np.float32) ** -how.length
    popularity_prior = (how.popularity_prior * counts / counts.max(initial=1)).astype(np.float32)

    def score(nearest: NDArray[np.intp], alike: Floats) -> Floats:
        if not len(nearest):
            return np.full(playlists.width, np.nan, dtype=np.float32)
        factors = alike**how.power * divided[nearest]
        return np.asarray(playlists.combined(nearest, factors / factors.sum()) + popularity_prior, dtype=np.float32)

    return score


def load(folder: Artifacts) -> Recommender:
    """A recommender by titles; of a query without a title that it can read it says nothing."""
    playlists = folder.sparse("playlists", None, len(folder.rows), weighted=False)
    terms, how = Titles.read(folder), folder.parameters(TitleKnnParams)
    find, score = (
        matching_titles(terms, folder.sparse("titles", len(playlists), len(terms)), how),
        track_scores(playlists, how),
    )

    def scores(queries: Sequence[Query]) -> Floats:
        return np.stack([score(*find(query.title)) for query in queries])

    return Scored(folder.card.name, len(folder.rows), scores, folder.rows, reads_titles=True)
