"""Candidates of several generators, and what is known of each beside the query: the cross features that are ranked.

Source of the method: two stages, of which the second ranks by how query and candidate meet, as Volkovs et al. (2018),
"Two-stage Model for Automatic Playlist Continuation at Scale", and Rubtsov et al. (2018), "A Hybrid Two-stage
Recommender System for Automatic Playlist Continuation", won the RecSys Challenge 2018.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.codes import album_numbers, artist_names, artist_numbers
from disco.catalogue.table import Mask
from disco.model import scaled_features, scaler
from disco.recommend import als, item_knn, playlist_knn, title_knn
from disco.recommend.sparse import Sparse
from disco.recommend.top import highest
from disco.recommend.types import Query

Numbers = NDArray[np.integer]
# Candidates of each generator: of 200, 400 and 800 the last finds 3 % more of the tracks, and takes twice the time.
DEPTH = 400
# Tracks by the seeds' artists, shared by the artists, at least so many of each; and by the artists near them.
OWN, OWN_EACH = 400, 8
NEAR_ARTISTS, NEAR_EACH = 40, 8


@dataclass(frozen=True)
class Parts:
    """Trained generators, by the numbers of one vocabulary of tracks.

    Attributes
    ----------
    rows : ndarray of rows, shape (tracks,)
        Of each track in the catalogue, -1 for those that it lacks.
    playlists : Sparse, shape (playlists, tracks)
    comparing, near, adding, factors, folding, titles, reading :
        Of playlist-knn, item-knn (near and adding), als (factors and folding) and title-knn (titles and reading).
    """

    rows: Rows
    playlists: Sparse
    comparing: playlist_knn.Neighbours
    near: Sparse
    adding: item_knn.Adding
    factors: Floats
    folding: als.Folding
    titles: Sparse
    reading: title_knn.Titles
    others: dict[str, Callable[[Query], Floats]] = field(default_factory=dict)


@dataclass(frozen=True)
class Pool:
    """Candidates of a query, in no order, and what is known of each.

    Attributes
    ----------
    rows : ndarray of rows, shape (n,)
    values : ndarray, shape (n, features)
        NaN where nothing is known.
    """

    rows: Rows
    values: Floats


class Gatherer:
    """Gathers the pool of a query from trained generators and a catalogue."""

    def __init__(self, parts: Parts, catalogue: Catalogue) -> None:
        self.parts, self.catalogue = parts, catalogue
        tracks, n = len(parts.rows), len(catalogue)
        here = np.flatnonzero(parts.rows >= 0)
        self.numbers = np.full(n, -1, dtype=np.intp)
        self.numbers[parts.rows[here]] = here
        self.lacking = parts.rows < 0
        counts = np.bincount(parts.playlists.columns, minlength=tracks).astype(np.float32)
        self.counts = np.zeros(n, dtype=np.float32)
        self.counts[parts.rows[here]] = counts[here]
        self.artists, self.albums = artist_numbers(catalogue), album_numbers(catalogue)
        self.n_artists = int(self.artists.max(initial=-1)) + 1
        self.space = scaled_features(catalogue, scaler())
        self.popularity, self.duration = catalogue.numbers("popularity"), catalogue.numbers("duration_ms")
        number_artists = np.full(tracks, -1, dtype=np.intp)
        number_artists[here] = self.artists[parts.rows[here]]
        self.of_artists = _by_group(parts.playlists, number_artists, self.n_artists)
        self.artist_counts = np.bincount(self.of_artists.columns, minlength=self.n_artists).astype(np.float32)
        self.artist_tracks = self._tracks_of_artists()
        self.genres = _genres(catalogue)
        self.unit = parts.factors / np.maximum(np.linalg.norm(parts.factors, axis=1, keepdims=True), 1e-9)
        self.columns = np.ascontiguousarray(parts.factors.T)
        self.knn = playlist_knn.scorer(parts.playlists, parts.comparing)
        self.artist_knn = playlist_knn.scorer(self.of_artists, playlist_knn.Neighbours(300, 1.0, 0.5, 1.0, 0.0, 0.0))
        self.item = item_knn.scorer(parts.near, counts, parts.adding)
        self.fold = als.folder_in(parts.factors, parts.folding)
        self.find, self.read = title_knn.finder(parts.titles, parts.reading), title_knn.scorer(
            parts.playlists, parts.reading
        )

    @cached_property
    def names(self) -> list[str | None]:
        """Name of each artist, in one spelling."""
        return artist_names(self.catalogue).dictionary_encode().dictionary.to_pylist()

    def _tracks_of_artists(self) -> Sparse:
        """Rows of each artist's tracks, those in most playlists first, then the most popular."""
        order = np.lexsort((np.arange(len(self.artists)), -np.nan_to_num(self.popularity), -self.counts, self.artists))
        order = order[self.artists[order] >= 0]
        starts = np.r_[0, np.cumsum(np.bincount(self.artists[order], minlength=self.n_artists))]
        return Sparse(starts, order.astype(np.int32), np.ones(len(order), np.float32), len(self.artists))

    def first_tracks(self, artists: Numbers, each: int) -> Rows:
        """Rows of the first tracks of some artists."""
        starts, ends = self.artist_tracks.starts[artists], self.artist_tracks.starts[artists + 1]
        lengths = np.minimum(ends - starts, each)
        shift = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
        return self.artist_tracks.columns[shift + np.arange(len(shift))].astype(np.intp)

    def gather(self, query: Query) -> Pool:
        """The pool of a query; empty if nothing can be said of it."""
        seeds = np.asarray(list(dict.fromkeys(query.seeds.tolist())), dtype=np.intp)
        known = self.numbers[seeds]
        known = known[known >= 0]
        liked, alike = self.find(query.title)
        scores = {
            "playlist": self.knn(known),
            "item": self.item(known),
            "als": (self.fold([known]) @ self.columns)[0],
            "title": self.read(liked, alike),
        }
        scores["titled"] = self._like(scores["title"])
        for name, score in self.parts.others.items():
            scores[name] = score(query)
        open_to = ~self.lacking
        if query.allowed is not None:
            open_to &= query.allowed[self.parts.rows]
        open_to[known] = False
        found = [highest(np.where(open_to, each, -np.inf), DEPTH) for each in scores.values()]
        rows = [self.parts.rows[each] for each in found]
        own = self.artists[seeds]
        artist_score = self.artist_knn(np.unique(own[own >= 0]))
        title_artists = self._title_artists(liked, alike)
        if (own >= 0).any():
            each = max(OWN_EACH, OWN // len(np.unique(own[own >= 0])))
            rows.append(self.first_tracks(np.unique(own[own >= 0]), each))
            rows.append(self.first_tracks(highest(artist_score, NEAR_ARTISTS), NEAR_EACH))
        if len(liked):
            rows.append(self.first_tracks(highest(title_artists, NEAR_ARTISTS // 2), NEAR_EACH))
        pool = np.unique(np.concatenate(rows))
        pool = pool[~np.isin(pool, seeds)]
        if query.allowed is not None:
            pool = pool[query.allowed[pool]]
        if not len(pool):
            return Pool(pool, np.empty((0, len(FEATURES) + 3 * len(self.parts.others)), dtype=np.float32))
        values = self._generators(scores, pool)
        values |= self._neighbours(known, pool)
        values |= self._popular(pool)
        values |= self._artists(seeds, pool, artist_score, title_artists, scores)
        values |= self._sound(seeds, pool)
        values |= self._asked(query, seeds, known, alike)
        values |= self._named(query.title, pool)
        wide = [np.broadcast_to(np.float32(value), len(pool)) for value in values.values()]
        self.feature_names = list(values)
        return Pool(pool, np.stack(wide, axis=1).astype(np.float32))

    def _at(self, values: Floats, pool: Rows) -> Floats:
        """Values by number for rows, NaN for tracks outside the vocabulary."""
        numbers = self.numbers[pool]
        return np.where(numbers >= 0, values[numbers], np.nan).astype(np.float32)

    def _generators(self, scores: dict[str, Floats], pool: Rows) -> dict[str, Floats]:
        made: dict[str, Floats] = {}
        for name, each in scores.items():
            at = self._at(each, pool)
            made[f"{name}_score"] = at
            made[f"{name}_share"] = at / max(np.nanmax(at, initial=1e-9), 1e-9)
            made[f"{name}_rank"] = _log_ranks(at)
        ranks = np.stack([made[f"{name}_rank"] for name in scores])
        reciprocal = np.nan_to_num(1 / (np.exp(ranks) + 20))
        made["blend"] = reciprocal.sum(axis=0)
        made["blend_rank"] = _log_ranks(made["blend"])
        return made

    def _like(self, scores: Floats) -> Floats:
        """How near each track's factors are to those of the first 50, as -1 to 1; NaN if there are none."""
        first = highest(scores, 50)
        if not len(first):
            return scores
        middle = (scores[first, None] * self.unit[first]).sum(axis=0)
        return self.unit @ (middle / max(float(np.linalg.norm(middle)), 1e-9)).astype(np.float32)

    def _neighbours(self, known: Numbers, pool: Rows) -> dict[str, Floats]:
        numbers = self.numbers[pool]
        nothing = np.full(len(pool), np.nan, dtype=np.float32)
        made = {name: nothing for name in ("near_most", "near_count", "near_last", "near_recent", "alike_mean",
                                           "alike_most", "alike_last")}
        if len(known):
            near = self.parts.near
            places, counts = near.entries(known)
            column, weight = near.columns[places], near.weights[places]
            most = np.zeros(near.width, dtype=np.float32)
            np.maximum.at(most, column, weight)
            made["near_most"] = self._at(most, pool)
            made["near_count"] = self._at(np.bincount(column, minlength=near.width) / len(known), pool)
            made["near_last"] = self._at(near.combined(known[-1:], np.ones(1, np.float32)), pool)
            recent = (0.8 ** np.arange(len(known))[::-1]).astype(np.float32)
            made["near_recent"] = self._at(near.combined(known, recent / recent.sum()), pool)
            cosines = self.unit[numbers] @ self.unit[known].T
            cosines[numbers < 0] = np.nan
            made["alike_mean"], made["alike_most"] = cosines.mean(axis=1), cosines.max(axis=1)
            made["alike_last"] = cosines[:, -1]
        return made

    def _popular(self, pool: Rows) -> dict[str, Floats]:
        artists = self.artists[pool]
        of_artist = np.where(artists >= 0, self.artist_counts[artists], np.nan)
        return {
            "count": np.log1p(self.counts[pool]),
            "artist_count": np.log1p(of_artist),
            "share_of_artist": self.counts[pool] / np.maximum(of_artist, 1),
            "popularity": self.popularity[pool],
        }

    def _title_artists(self, liked: NDArray[np.intp], alike: Floats) -> Floats:
        if not len(liked):
            return np.full(self.n_artists, np.nan, dtype=np.float32)
        factors = alike**self.parts.reading.power
        return self.of_artists.combined(liked, (factors / factors.sum()).astype(np.float32))

    def _artists(
        self, seeds: Rows, pool: Rows, artist_score: Floats, title_artists: Floats, scores: dict[str, Floats]
    ) -> dict[str, Floats]:
        own, artists = self.artists[seeds], self.artists[pool]
        unknown = artists < 0
        n = max(len(seeds), 1)
        shares = np.bincount(own[own >= 0], minlength=self.n_artists) / n
        made: dict[str, Floats] = {
            "artist_share": np.where(unknown, np.nan, shares[artists]),
            "artist_last": np.where(unknown, np.nan, artists == own[-1]) if len(own) else np.float32(np.nan),
            "artist_near": np.where(unknown, np.nan, artist_score[artists]),
            "artist_title": np.where(unknown, np.nan, title_artists[artists]),
            "artists_seeds": len(np.unique(own)) / n,
            "artists_most": shares.max(initial=0),
        }
        made["artist_near_rank"], made["artist_title_rank"] = (
            _log_ranks(made["artist_near"]), _log_ranks(made["artist_title"])
        )
        for name in ("playlist", "als", "title"):
            at = self._at(scores[name], pool)
            positive = np.nan_to_num(np.maximum(at, 0))
            sums = np.bincount(np.maximum(artists, 0), np.where(unknown, 0, positive), self.n_artists)
            made[f"artist_{name}"] = np.where(unknown, np.nan, sums[artists] / max(positive.sum(), 1e-9))
        album, theirs = self.albums[pool], self.albums[seeds]
        both = (album[:, None] == theirs[None, :]) & (album >= 0)[:, None]
        made["album_share"] = both.sum(axis=1) / n
        made["album_last"] = both[:, -1] if len(theirs) else np.float32(np.nan)
        some = self.genres.entries(seeds)[0]
        asked = np.bincount(self.genres.columns[some], self.genres.weights[some], self.genres.width)
        asked = asked / max(float(np.linalg.norm(asked)), 1e-9)
        places, lengths = self.genres.entries(pool)
        owner = np.repeat(np.arange(len(pool)), lengths)
        cosine = np.bincount(owner, self.genres.weights[places] * asked[self.genres.columns[places]], len(pool))
        made["genre"] = np.where((lengths > 0) & (len(some) > 0), cosine, np.nan)
        return made

    def _sound(self, seeds: Rows, pool: Rows) -> dict[str, Floats]:
        heard = self.space[seeds]
        heard = heard[~np.isnan(heard).any(axis=1)]
        names = ("sound_mean", "sound_nearest", "sound_spread", "duration")
        made: dict[str, Floats] = {name: np.float32(np.nan) for name in names}
        if not len(heard):
            return made
        mine, middle = self.space[pool], heard.mean(axis=0)
        made["sound_mean"] = np.linalg.norm(mine - middle, axis=1)
        squared = (mine**2).sum(axis=1)[:, None] - 2 * mine @ heard.T + (heard**2).sum(axis=1)
        made["sound_nearest"] = np.sqrt(np.maximum(squared.min(axis=1), 0))
        made["sound_spread"] = np.sqrt(((heard - middle) ** 2).sum(axis=1).mean())
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.nanmean(np.log(self.duration[seeds])) if np.isfinite(self.duration[seeds]).any() else np.nan
            made["duration"] = np.log(self.duration[pool]) - mean
        return made

    def _asked(self, query: Query, seeds: Rows, known: Numbers, alike: Floats) -> dict[str, Floats]:
        return {
            "seeds": np.float32(np.log1p(len(seeds))),
            "known": np.float32(len(known) / max(len(seeds), 1)),
            "titled": np.float32(len(alike) > 0),
            "title_best": np.float32(alike[0] if len(alike) else np.nan),
            "title_alike": np.float32(np.log1p((alike > 0.5).sum())),
            "seed_count": np.float32(np.log1p(self.parts_counts(known).mean()) if len(known) else np.nan),
        }

    def parts_counts(self, known: Numbers) -> Floats:
        return self.counts[self.parts.rows[known]]

    def _named(self, title: str, pool: Rows) -> dict[str, Floats]:
        """Whether the title names the artist."""
        if not title.strip():
            return {"names_artist": np.float32(np.nan)}
        said = title_knn.folded(title)
        artists, place = np.unique(self.artists[pool], return_inverse=True)
        names = [f" {self.names[a]} " if a >= 0 else "\0" for a in artists]
        is_named = np.array([len(name) > 3 and name in f" {said} " for name in names], dtype=np.float32)
        return {"names_artist": is_named[place]}


FEATURES: tuple[str, ...] = ()


def _log_ranks(values: Floats) -> Floats:
    """Logarithm of each value's place, the highest first, NaN where it has none."""
    ranks = np.empty(len(values), dtype=np.float32)
    ranks[np.argsort(-values, kind="stable")] = np.log1p(np.arange(len(values)))
    return np.where(np.isnan(values), np.float32(np.nan), ranks)


def _by_group(playlists: Sparse, group: NDArray[np.intp], groups: int) -> Sparse:
    """Which groups each playlist has tracks of, each once; shape (playlists, groups)."""
    row = np.repeat(np.arange(len(playlists)), playlists.lengths)
    of = group[playlists.columns]
    pairs = np.unique(row[of >= 0] * max(groups, 1) + of[of >= 0])
    starts = np.r_[0, np.cumsum(np.bincount(pairs // max(groups, 1), minlength=len(playlists)))]
    columns = (pairs % max(groups, 1)).astype(np.int32)
    return Sparse(starts, columns, np.ones(len(pairs), dtype=np.float32), groups)


def _genres(catalogue: Catalogue) -> Sparse:
    """Genres of each track, its row of length 1."""
    genres = catalogue.table["genres"].combine_chunks()
    flat = genres.flatten().dictionary_encode()
    lengths = np.asarray(pc.fill_null(pc.list_value_length(genres), 0).to_numpy(zero_copy_only=False), dtype=np.intp)
    columns = np.asarray(flat.indices.to_numpy(zero_copy_only=False), dtype=np.int32)
    weights = np.repeat(1 / np.sqrt(np.maximum(lengths, 1)), lengths).astype(np.float32)
    return Sparse(np.r_[0, np.cumsum(lengths)], columns, weights, len(flat.dictionary))
