"""Tracks of the training playlists that are most like the query, rare tracks in common counting more.

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
    """How playlists are compared, and what their tracks count then.

    Attributes
    ----------
    neighbours : int
        Playlists that are heard.
    idf_power : float
        A track weighs log(playlists / those with the track) to this power.
    length : float
        A playlist's similarity is the weight of the tracks in common, divided by its whole weight to this power: 0.5
        is the cosine, 1 the share of the playlist.
    power : float
        A similarity counts to this power: the higher, the more the nearest say.
    score_idf_power : float
        A track's score is multiplied by its weight to this power: above 0 the rare come first.
    popularity_prior : float
        What the most popular track counts, beside the sum of 1 that the neighbours give: it orders the tracks that no
        neighbour has.
    """

    neighbours: int
    idf_power: float
    length: float
    power: float
    score_idf_power: float
    popularity_prior: float


def similarity(playlists: Sparse, how: PlaylistKnnParams) -> Callable[[NDArray[np.integer]], Floats]:
    """From the numbers of seeds to how like each playlist is, shape (playlists,), 0 without a track in common.

    Parameters
    ----------
    playlists : Sparse, shape (playlists, tracks)
        1 where a playlist has a track.
    """
    having = playlists.transposed()
    weights = (_idf(playlists) ** how.idf_power).astype(np.float32)
    whole = np.bincount(
        np.repeat(np.arange(len(playlists)), playlists.lengths), weights[playlists.columns], len(playlists)
    )
    divided = (np.maximum(whole, 1e-9) ** -how.length).astype(np.float32)

    def compare(seeds: NDArray[np.integer]) -> Floats:
        seeds = np.unique(seeds)
        return np.asarray(having.combined(seeds, weights[seeds]) * divided, dtype=np.float32)

    return compare


def scores_from_similarity(playlists: Sparse, how: PlaylistKnnParams) -> Callable[[Floats], Floats]:
    """From how like each playlist is to the scores of tracks that the nearest give, shape (tracks,)."""
    counts = np.bincount(playlists.columns, minlength=playlists.width)
    idf = (_idf(playlists) ** how.score_idf_power).astype(np.float32)
    popularity_prior = (how.popularity_prior * counts / counts.max(initial=1)).astype(np.float32)

    def tell(similar: Floats) -> Floats:
        nearest = top_n_indices(similar, how.neighbours)
        nearest = nearest[similar[nearest] > 0]
        factors = (similar[nearest] / similar[nearest].max(initial=1e-30)) ** how.power
        heard = playlists.combined(nearest, factors / factors.sum())
        return np.asarray(heard * idf + popularity_prior, dtype=np.float32)

    return tell


def track_scores(playlists: Sparse, how: PlaylistKnnParams) -> Callable[[NDArray[np.integer]], Floats]:
    """From the numbers of seeds to scores, shape (tracks,): NaN without a seed."""
    compare, tell = similarity(playlists, how), scores_from_similarity(playlists, how)

    def score(seeds: NDArray[np.integer]) -> Floats:
        return tell(compare(seeds)) if len(seeds) else np.full(playlists.width, np.nan, dtype=np.float32)

    return score


def _idf(playlists: Sparse) -> Floats:
    """Inverse document frequency of each track, shape (tracks,)."""
    counts = np.bincount(playlists.columns, minlength=playlists.width)
    return np.log(len(playlists) / np.maximum(counts, 1) + 1e-9).clip(min=1e-3)


def load(folder: Artifacts) -> Recommender:
    """A recommender by neighbouring playlists; of a query without a known seed it says nothing."""
    playlists = folder.sparse("playlists", None, len(folder.rows), weighted=False)
    score = track_scores(playlists, folder.parameters(PlaylistKnnParams))

    def scores(queries: Sequence[Query]) -> Floats:
        return np.stack([score(folder.known(query.seeds)) for query in queries])

    return Scored(folder.card.name, len(folder.rows), scores, folder.rows)
