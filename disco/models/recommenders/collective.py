"""Collective matrix factorisation of playlists with their tracks, artists and title terms.

The vector of a track is its own factors plus a share of its artist's, so that rare tracks borrow from their artist. A
title is used beside the seeds, or instead of them.

Source: Singh and Gordon (2008), "Relational learning via collective matrix factorization", here with one weighted
matrix (Hu, Koren and Volinsky 2008) whose columns are of three kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from disco.catalogue import Floats
from disco.catalogue.numbering import artist_names
from disco.errors import DataError
from disco.models.recommenders.als import WeightedItems, factor_solver
from disco.models.recommenders.artifacts import Artifacts
from disco.models.recommenders.query import Query, Recommender
from disco.models.recommenders.scoring import VectorRecommender
from disco.models.recommenders.titles import Titles

ARTISTS = "artists.parquet"


@dataclass(frozen=True)
class CollectiveParams:
    """How a playlist is folded in, and how artists and titles weigh beside tracks.

    Attributes
    ----------
    confidence, regularization : float
        As in `AlsParams`.
    artists : float
        Confidence in an artist with k tracks in a playlist, relative to a track's: this times log(1 + k).
    titles : float
        Confidence in a title, relative to a track's, spread over its terms.
    borrowed : float
        Share of the artist's factors that is added to a track's own.
    """

    confidence: float
    regularization: float
    artists: float
    titles: float
    borrowed: float


@dataclass(frozen=True)
class Collective:
    """Factors of tracks, artists and terms, with which queries are folded in.

    Attributes
    ----------
    folder : Artifacts
    terms : Titles
    factors : ndarray, shape (tracks + artists + terms, d)
    names : pa.Array, shape (artists,)
        Normalised names of the artists, in the order of their factors.
    """

    folder: Artifacts
    terms: Titles
    factors: Floats
    names: pa.Array
    params: CollectiveParams

    @cached_property
    def artists(self) -> NDArray[np.intp]:
        """Number of the first artist of each track of the catalogue, shape (n,); -1 if unknown."""
        return index_of(artist_names(self.folder.catalogue), self.names)

    @cached_property
    def tracks(self) -> Floats:
        """Factors of each track of the vocabulary plus the share of its artist's, shape (tracks, d)."""
        rows, n = self.folder.rows, len(self.folder.rows)
        artists = np.where(rows >= 0, self.artists[rows], -1)
        known = artists >= 0
        made = self.factors[:n].copy()
        made[known] += np.float32(self.params.borrowed) * self.factors[n + artists[known]]
        return made

    def encode(self, queries: Sequence[Query]) -> Floats:
        """Factors of each query, shape (queries, d); NaN without any known item."""
        return self._solve([self._items(query) for query in queries])

    @cached_property
    def _solve(self) -> Callable[[Sequence[WeightedItems]], Floats]:
        return factor_solver(self.factors, self.params.regularization)

    def _items(self, query: Query) -> WeightedItems:
        """Tracks, artists and title terms of a query, and the confidence in each."""
        n = len(self.folder.rows)
        tracks = np.unique(self.folder.known(query.seeds))
        artists = self.artists[query.seeds]
        artists, counts = np.unique(artists[artists >= 0], return_counts=True)
        bag = self.terms.bags([query.title])
        numbers = np.concatenate([tracks, n + artists, n + len(self.names) + bag.columns])
        return numbers, confidences(len(tracks), counts, bag.weights, self.params)


def confidences(tracks: int, counts: NDArray[np.integer], terms: Floats, params: CollectiveParams) -> Floats:
    """Confidence in each item of a playlist: tracks, artists by their counts, and title terms by their weights."""
    parts = [np.ones(tracks), params.artists * np.log1p(counts), params.titles * terms]
    return np.asarray(params.confidence * np.concatenate(parts), dtype=np.float32)


def index_of(names: pa.Array, known: pa.Array) -> NDArray[np.intp]:
    """Position of each name among the known ones, shape (n,); -1 if it is not among them."""
    found = pc.fill_null(pc.index_in(names, value_set=known, skip_nulls=True), -1)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.intp)


def load_factors(folder: Artifacts) -> Collective:
    """Read the factors in a model's folder.

    Raises
    ------
    DataError
        If a file is invalid or differs from the card.
    """
    path = folder.card.folder / ARTISTS
    try:
        names = pq.read_table(pa.BufferReader(folder.content(ARTISTS)), columns=["artist"])["artist"]
        names = names.cast(pa.string()).combine_chunks()
    except pa.ArrowException as error:
        raise DataError(path, f"is not a readable table of artists ({str(error).splitlines()[0][:100]})") from None
    if names.null_count or len(pc.unique(names)) != len(names):
        raise DataError(path, "has a duplicate or empty artist")
    terms = Titles.read(folder)
    factors = folder.array("factors", len(folder.rows) + len(names) + len(terms), None).astype(np.float32)
    return Collective(folder, terms, factors, names, folder.parameters(CollectiveParams))


def load(folder: Artifacts) -> Recommender:
    """Load a recommender by collective factors; a query without any known item has no candidates."""
    model = load_factors(folder)
    return VectorRecommender(folder.card.name, model.tracks, model.encode, rows=folder.rows, reads_titles=True)
