"""Playlist-based neighbours: tracks of the training playlists most similar to the query.

Source: after Kelen, Berecz, Béres and Benczúr (2018), "Efficient K-NN for Playlist Continuation", RecSys Challenge
2018: cosine weighted by inverse document frequency, similarities raised to a power, k neighbours.
"""

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


@dataclass(frozen=True)
class PlaylistKnnParams:
    """How playlists are compared, and how their tracks are scored.

    Attributes
    ----------
    neighbours : int
        Number of most similar playlists that are used.
    idf_power : float
        Exponent of a track's weight in comparisons, log(playlists / playlists with the track).
    length : float
        Similarity is the weight of the common tracks divided by the playlist's total weight to this power: 0.5 gives
        the cosine, 1 the share of the playlist.
    power : float
        Exponent of a similarity: the higher, the more the most similar playlists dominate.
    score_idf_power : float
        Exponent of the idf by which a track's score is multiplied: above 0 favours rare tracks.
    popularity_prior : float
        Score of the most popular track, where neighbours contribute 1 in all: it orders tracks in no neighbour.
    """

    neighbours: int
    idf_power: float
    length: float
    power: float
    score_idf_power: float
    popularity_prior: float


def similarity(playlists: Sparse, params: PlaylistKnnParams) -> Callable[[NDArray[np.integer]], Floats]:
    """A function from the numbers of seeds to the similarity of each playlist, shape (playlists,).

    Parameters
    ----------
    playlists : Sparse, shape (playlists, tracks)
        1 where a playlist has a track.
    """
    having = playlists.transposed()
    weights = (_idf(playlists) ** params.idf_power).astype(np.float32)
    total = np.bincount(
        np.repeat(np.arange(len(playlists)), playlists.lengths), weights[playlists.columns], len(playlists)
    )
    divided = (np.maximum(total, 1e-9) ** -params.length).astype(np.float32)

    def compare(seeds: NDArray[np.integer]) -> Floats:
        seeds = np.unique(seeds)
        return np.asarray(having.combined(seeds, weights[seeds]) * divided, dtype=np.float32)

    return compare


def scores_from_similarity(playlists: Sparse, params: PlaylistKnnParams) -> Callable[[Floats], Floats]:
    """A function from the similarity of each playlist to scores of the tracks, shape (tracks,)."""
    counts = np.bincount(playlists.columns, minlength=playlists.width)
    idf = (_idf(playlists) ** params.score_idf_power).astype(np.float32)
    popularity_prior = (params.popularity_prior * counts / counts.max(initial=1)).astype(np.float32)

    def tell(similar: Floats) -> Floats:
        nearest = top_n_indices(similar, params.neighbours)
        nearest = nearest[similar[nearest] > 0]
        factors = (similar[nearest] / similar[nearest].max(initial=1e-30)) ** params.power
        mean = playlists.combined(nearest, factors / factors.sum())
        return np.asarray(mean * idf + popularity_prior, dtype=np.float32)

    return tell


def track_scores(playlists: Sparse, params: PlaylistKnnParams) -> Callable[[NDArray[np.integer]], Floats]:
    """A function from the numbers of seeds to scores, shape (tracks,); NaN without a seed."""
    compare, tell = similarity(playlists, params), scores_from_similarity(playlists, params)

    def score(seeds: NDArray[np.integer]) -> Floats:
        return tell(compare(seeds)) if len(seeds) else np.full(playlists.width, np.nan, dtype=np.float32)

    return score


def _idf(playlists: Sparse) -> Floats:
    """Inverse document frequency of each track, shape (tracks,)."""
    counts = np.bincount(playlists.columns, minlength=playlists.width)
    return np.log(len(playlists) / np.maximum(counts, 1) + 1e-9).clip(min=1e-3)


def load(folder: Artifacts) -> Recommender:
    """Load a recommender by similar playlists; a query without a known seed has no candidates."""
    playlists = folder.sparse("playlists", None, len(folder.rows), weighted=False)
    score = track_scores(playlists, folder.parameters(PlaylistKnnParams))

    def scores(queries: Sequence[Query]) -> Floats:
        return np.stack([score(folder.known(query.seeds)) for query in queries])

    return Scored(folder.card.name, len(folder.rows), scores, folder.rows)
