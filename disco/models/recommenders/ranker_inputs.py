"""Inputs of the ranker's cross features: recommenders with one vocabulary, and data of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.numbering import album_numbers, artist_names, artist_numbers
from disco.errors import DataError
from disco.models.recommenders import als, item_knn, playlist_knn, title_knn, two_tower
from disco.models.recommenders.artifacts import VOCABULARY, Artifacts
from disco.models.recommenders.query import Query
from disco.models.recommenders.sparse import Sparse
from disco.models.recommenders.titles import Titles
from disco.models.scaler import imputed_features, scaler

Numbers = NDArray[np.integer]
# Methods whose recommenders a ranker needs, and those that it uses if they are given.
REQUIRED = ("playlist-knn", "item-knn", "als", "title-knn")
OPTIONAL = ("two-tower",)
# How playlists are compared by their artists: cosine similarity, weighted by idf.
_BY_ARTIST = playlist_knn.PlaylistKnnParams(
    neighbours=300, idf_power=1.0, length=0.5, power=1.0, score_idf_power=0.0, popularity_prior=0.0
)


@dataclass(frozen=True)
class Parts:
    """Trained recommenders with one vocabulary of tracks.

    Attributes
    ----------
    rows : ndarray of rows, shape (tracks,)
        Row in the catalogue of each track of the vocabulary; -1 if unmatched.
    playlists : Sparse, shape (playlists, tracks)
    similarity, scores_from_similarity : callable
        From the numbers of seeds to the similarity of each playlist, and from that to scores, as `playlist_knn`.
    item_scores : callable
        From the numbers of seeds to scores, shape (tracks,), NaN without a seed: that of `item_knn`.
    near : Sparse, shape (tracks, tracks)
        Similarity of each track to its nearest.
    factors : ndarray, shape (tracks, d)
    fold_in : callable
        From the numbers of seeds of several playlists to their factors, shape (playlists, d).
    matching_titles, title_scores : callable
        From a title to playlists and their similarities, and from these to scores: those of `title_knn`.
    others : dict of callable
        From queries to scores, shape (queries, tracks), by name.
    """

    rows: Rows
    playlists: Sparse
    similarity: Callable[[Numbers], Floats]
    scores_from_similarity: Callable[[Floats], Floats]
    item_scores: Callable[[Numbers], Floats]
    near: Sparse
    factors: Floats
    fold_in: Callable[[Sequence[Numbers]], Floats]
    matching_titles: Callable[[str], title_knn.SimilarPlaylists]
    title_scores: Callable[[NDArray[np.intp], Floats], Floats]
    others: dict[str, Callable[[Sequence[Query]], Floats]]

    @cached_property
    def counts(self) -> Floats:
        """Number of playlists with each track, shape (tracks,)."""
        return np.bincount(self.playlists.columns, minlength=len(self.rows)).astype(np.float32)

    @cached_property
    def columns(self) -> Floats:
        """The factors, shape (d, tracks)."""
        return np.ascontiguousarray(self.factors.T)

    @cached_property
    def lengths(self) -> Floats:
        """Norms of the factors, shape (tracks,), above 0."""
        return np.asarray(np.maximum(np.linalg.norm(self.factors, axis=1), 1e-9), dtype=np.float32)

    @cached_property
    def unit(self) -> Floats:
        """The factors, scaled to length 1."""
        return np.asarray(self.factors / self.lengths[:, None], dtype=np.float32)


def load_parts(folders: Mapping[str, Artifacts]) -> Parts:
    """Load the parts from the folders of trained recommenders, by method.

    Raises
    ------
    DataError
        If two were trained on different playlists.
    """
    first = folders["playlist-knn"]
    for folder in folders.values():
        if folder.card["files"].get(VOCABULARY) != first.card["files"].get(VOCABULARY):
            raise DataError(
                folder.card.folder,
                f"was trained on other playlists than {first.card.name}; train both on the same",
            )
    tracks = len(first.rows)
    params = first.parameters(playlist_knn.PlaylistKnnParams)
    playlists = first.sparse("playlists", None, tracks, weighted=False)
    item, factored, titled = (folders[name] for name in ("item-knn", "als", "title-knn"))
    near = item.sparse("near", tracks, tracks)
    counts = item.array("counts", tracks).astype(np.float32)
    factors = factored.array("factors", tracks, None).astype(np.float32)
    terms, title_params = Titles.read(titled), titled.parameters(title_knn.TitleKnnParams)
    bags = titled.sparse("titles", len(playlists), len(terms))
    others: dict[str, Callable[[Sequence[Query]], Floats]] = {}
    if "two-tower" in folders:
        others["two_tower"] = two_tower.load(folders["two-tower"]).scores
    return Parts(
        rows=first.rows,
        playlists=playlists,
        similarity=playlist_knn.similarity(playlists, params),
        scores_from_similarity=playlist_knn.scores_from_similarity(playlists, params),
        item_scores=item_knn.track_scores(near, counts, item.parameters(item_knn.ItemKnnParams)),
        near=near,
        factors=factors,
        fold_in=als.fold_in(factors, factored.parameters(als.AlsParams)),
        matching_titles=title_knn.matching_titles(terms, bags, title_params),
        title_scores=title_knn.track_scores(playlists, title_params),
        others=others,
    )


@dataclass(frozen=True)
class RankerData:
    """The catalogue and the playlists of the parts, as the cross features need them.

    Attributes
    ----------
    catalogue : Catalogue
    parts : Parts
    """

    catalogue: Catalogue
    parts: Parts

    @cached_property
    def numbers(self) -> NDArray[np.intp]:
        """Number in the vocabulary of each track of the catalogue, shape (n,); -1 outside it."""
        here = np.flatnonzero(self.parts.rows >= 0)
        numbers = np.full(len(self.catalogue), -1, dtype=np.intp)
        numbers[self.parts.rows[here]] = here
        return numbers

    @cached_property
    def counts(self) -> Floats:
        """Number of playlists with each track of the catalogue, shape (n,)."""
        return np.where(self.numbers >= 0, self.parts.counts[self.numbers], np.float32(0))

    @cached_property
    def artists(self) -> NDArray[np.intp]:
        """Number of each track's first artist, shape (n,), -1 where unknown."""
        return artist_numbers(self.catalogue)

    @cached_property
    def names(self) -> list[str]:
        """Normalised name of each artist by number."""
        names: list[str] = artist_names(self.catalogue).dictionary_encode().dictionary.to_pylist()
        return names

    @cached_property
    def albums(self) -> NDArray[np.intp]:
        """Number of each track's album, shape (n,), -1 where unknown."""
        return album_numbers(self.catalogue)

    @cached_property
    def features(self) -> Floats:
        """Imputed scaled features, shape (n, 8)."""
        return imputed_features(self.catalogue, scaler())

    @cached_property
    def popularity(self) -> Floats:
        """The catalogue's own popularity, shape (n,), NaN where unknown."""
        return self.catalogue.numbers("popularity")

    @cached_property
    def log_duration(self) -> Floats:
        """Logarithm of the milliseconds, shape (n,), NaN where unknown."""
        milliseconds = self.catalogue.numbers("duration_ms")
        return np.log(np.where(milliseconds > 0, milliseconds, np.float32(np.nan)))

    @cached_property
    def genres(self) -> Sparse:
        """Genres of each track, each row of length 1, shape (n, genres)."""
        genres = self.catalogue.column("genres").combine_chunks()
        flat = genres.flatten().dictionary_encode()
        known = pc.fill_null(pc.list_value_length(genres), 0)
        lengths = np.asarray(known.to_numpy(zero_copy_only=False), dtype=np.int64)
        columns = np.asarray(flat.indices.to_numpy(zero_copy_only=False), dtype=np.int32)
        weights = np.repeat(1 / np.sqrt(np.maximum(lengths, 1)), lengths).astype(np.float32)
        return Sparse(np.r_[0, np.cumsum(lengths)], columns, weights, max(len(flat.dictionary), 1))

    @cached_property
    def playlist_artists(self) -> Sparse:
        """Artists of each training playlist, each once, shape (playlists, artists)."""
        playlists, width = self.parts.playlists, max(len(self.names), 1)
        artist = np.where(self.parts.rows >= 0, self.artists[self.parts.rows], -1)[playlists.columns]
        playlist = np.repeat(np.arange(len(playlists)), playlists.lengths)
        pairs = np.unique(playlist[artist >= 0] * width + artist[artist >= 0])
        starts = np.r_[0, np.cumsum(np.bincount(pairs // width, minlength=len(playlists)))]
        return Sparse(starts, (pairs % width).astype(np.int32), np.ones(len(pairs), dtype=np.float32), width)

    @cached_property
    def artist_counts(self) -> Floats:
        """Number of training playlists with each artist, shape (artists,)."""
        width = self.playlist_artists.width
        return np.bincount(self.playlist_artists.columns, minlength=width).astype(np.float32)

    @cached_property
    def artist_similarity(self) -> Callable[[Numbers], Floats]:
        """A function from the numbers of artists to the similarity of each playlist, shape (playlists,)."""
        return playlist_knn.similarity(self.playlist_artists, _BY_ARTIST)

    @cached_property
    def scores_from_artists(self) -> Callable[[Floats], Floats]:
        """A function from the similarity of each playlist to scores of the artists, shape (artists,)."""
        return playlist_knn.scores_from_similarity(self.playlist_artists, _BY_ARTIST)

    @cached_property
    def _tracks(self) -> tuple[NDArray[np.int64], Rows]:
        """Start of each artist's tracks among the rows; these by number of playlists, then by popularity."""
        order = np.lexsort((-np.nan_to_num(self.popularity), -self.counts, self.artists))
        order = order[self.artists[order] >= 0]
        return np.r_[0, np.cumsum(np.bincount(self.artists[order], minlength=len(self.names)))], order

    def first_tracks(self, artists: Numbers, each: int) -> Rows:
        """Rows of the top tracks of some artists, by number of playlists, then by popularity."""
        starts, rows = self._tracks
        lengths = np.minimum(starts[artists + 1] - starts[artists], each)
        shift = np.repeat(starts[artists] - (np.cumsum(lengths) - lengths), lengths)
        return np.asarray(rows[shift + np.arange(len(shift))], dtype=np.intp)
