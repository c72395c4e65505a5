"""Factors of playlists with all that they hold: tracks, artists and terms of titles, factored as one matrix.

A track is what its own factors say and a little of what its artist's do, so that rare tracks borrow from their
artists; a title is heard beside the seeds, or instead of them.

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
    """How a playlist's factors are found, and what artists and titles count beside tracks.

    Attributes
    ----------
    confidence, regularization : float
        As `AlsParams` has them.
    artists : float
        Confidence in an artist with k tracks in a playlist: this, times that of a track, times log(1 + k).
    titles : float
        Confidence in a title: this, times that of a track, spread over its terms.
    borrowed : float
        How much of its artist's factors is added to a track's own.
    """

    confidence: float
    regularization: float
    artists: float
    titles: float
    borrowed: float


@dataclass(frozen=True)
class Collective:
    """Factors of tracks, artists and terms, and how those of a query are found from them.

    Attributes
    ----------
    folder : Folder
    terms : Titles
    factors : ndarray, shape (tracks + artists + terms, d)
    names : pa.Array, shape (artists,)
        Of artists, in one spelling, in the order of their factors.
    """

    folder: Artifacts
    terms: Titles
    factors: Floats
    names: pa.Array
    weighing: CollectiveParams

    @cached_property
    def artists(self) -> NDArray[np.intp]:
        """Number among the artists of the first artist of each track of the catalogue, shape (n,), -1 if unknown."""
        return index_of(artist_names(self.folder.catalogue), self.names)

    @cached_property
    def tracks(self) -> Floats:
        """Factors of each track of the vocabulary with what it borrows from its artist, shape (tracks, d)."""
        rows, n = self.folder.rows, len(self.folder.rows)
        artists = np.where(rows >= 0, self.artists[rows], -1)
        known = artists >= 0
        made = self.factors[:n].copy()
        made[known] += np.float32(self.weighing.borrowed) * self.factors[n + artists[known]]
        return made

    def encode(self, queries: Sequence[Query]) -> Floats:
        """Factors of each query, shape (queries, d); NaN of one of which nothing is known."""
        return self._solve([self._heard(query) for query in queries])

    @cached_property
    def _solve(self) -> Callable[[Sequence[WeightedItems]], Floats]:
        return factor_solver(self.factors, self.weighing.regularization)

    def _heard(self, query: Query) -> WeightedItems:
        """What a query holds."""
        n = len(self.folder.rows)
        tracks = np.unique(self.folder.known(query.seeds))
        artists = self.artists[query.seeds]
        artists, counts = np.unique(artists[artists >= 0], return_counts=True)
        bag = self.terms.bags([query.title])
        numbers = np.concatenate([tracks, n + artists, n + len(self.names) + bag.columns])
        return numbers, confidences(len(tracks), counts, bag.weights, self.weighing)


def confidences(tracks: int, counts: NDArray[np.integer], terms: Floats, how: CollectiveParams) -> Floats:
    """Confidence in what a playlist holds: its tracks, its artists by their counts, the terms of its title.

    Terms weigh as `Titles.bags` has them, of length 1 in all.
    """
    parts = [np.ones(tracks), how.artists * np.log1p(counts), how.titles * terms]
    return np.asarray(how.confidence * np.concatenate(parts), dtype=np.float32)


def index_of(names: pa.Array, known: pa.Array) -> NDArray[np.intp]:
    """Place of each name among the known ones, shape (n,), -1 where it is none of them."""
    found = pc.fill_null(pc.index_in(names, value_set=known, skip_nulls=True), -1)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.intp)


def load_factors(folder: Artifacts) -> Collective:
    """The factors in a model's folder.

    Raises
    ------
    DataError
        If they are not what the card describes.
    """
    path = folder.card.folder / ARTISTS
    try:
        names = pq.read_table(pa.BufferReader(folder.content(ARTISTS)), columns=["artist"])["artist"]
        names = names.cast(pa.string()).combine_chunks()
    except pa.ArrowException as error:
        raise DataError(path, f"is not a readable table of artists ({str(error).splitlines()[0][:100]})") from None
    if names.null_count or len(pc.unique(names)) != len(names):
        raise DataError(path, "has an artist twice, or none")
    terms = Titles.read(folder)
    factors = folder.array("factors", len(folder.rows) + len(names) + len(terms), None).astype(np.float32)
    return Collective(folder, terms, factors, names, folder.parameters(CollectiveParams))


def load(folder: Artifacts) -> Recommender:
    """A recommender by factors of tracks, artists and titles; where it knows nothing of a query it says nothing."""
    model = load_factors(folder)
    return VectorRecommender(folder.card.name, model.tracks, model.encode, rows=folder.rows, reads_titles=True)
