"""Catalogue: tracks in Arrow columns, one row per track, for millions of them.

Inside the program a track is its row number in one catalogue (`Rows`); in files and on the command line it is its
`track_id`. A null is unknown, never 0; in NumPy columns unknown is NaN.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue.lookup import Choose, find
from disco.catalogue.music import circle_position
from disco.catalogue.search import Match, TextIndex
from disco.catalogue.text import song_key
from disco.errors import NotFoundError

Rows = NDArray[np.intp]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

FEATURES = (
    "acousticness",
    "danceability",
    "energy",
    "instrumentalness",
    "liveness",
    "loudness",
    "speechiness",
    "valence",
)

SCHEMA = pa.schema(
    [
        ("track_id", pa.string()),
        ("title", pa.string()),
        ("artists", pa.list_(pa.string())),
        ("album", pa.string()),
        ("genres", pa.list_(pa.string())),
        ("duration_ms", pa.int32()),
        ("popularity", pa.float32()),
        ("explicit", pa.bool_()),
        ("time_signature", pa.int8()),
        ("isrc", pa.string()),
        ("path", pa.string()),
        ("tempo_bpm", pa.float32()),
        ("key", pa.int8()),
        ("mode", pa.int8()),
        *((feature, pa.float32()) for feature in FEATURES),
        ("feature_set", pa.string()),
        # Source of key and tempo: "table", "tag", "sound" or "person"; confidence, 0-1, where it was measured.
        ("key_origin", pa.string()),
        ("key_confidence", pa.float32()),
        ("tempo_origin", pa.string()),
        ("tempo_confidence", pa.float32()),
    ]
)

# Feature set of values that a person gave: on the same scales as Spotify's, 0 to 1.
PERSON = "person"
# Columns that are always taken together from one source, so that no track mixes two measurements.
COLUMN_GROUPS = ((*FEATURES, "feature_set"), ("key", "mode"), ("tempo_bpm",))
# Columns that describe a group and are taken with it.
PROVENANCE_COLUMNS = {"key": ("key_origin", "key_confidence"), "tempo_bpm": ("tempo_origin", "tempo_confidence")}

# Up to this many ids are found by scanning: hashing a million ids costs as much as 20 scans.
_SCAN = 20


@dataclass(frozen=True)
class Catalogue:
    """Tracks of one table with the columns of `SCHEMA`; `track_id` is unique.

    Parameters
    ----------
    table : pa.Table
        One row per track.
    where : str
        Where it is from, as the user wrote it: paths, or the demo's name.
    notes : tuple of str
        What was read, merged and left out, in sentences for the user.
    parent : Catalogue, optional
        The catalogue that these tracks were taken from; features are ranked among its tracks. None if it is whole.

    Examples
    --------
    >>> songs = Catalogue.from_tracks([{"track_id": "a", "title": "Night Bus", "key": 9, "mode": 0}])
    >>> len(songs), songs.ids(songs.rows(["a"])), songs.circle_positions.tolist()
    (1, ['a'], [0.0])
    """

    table: pa.Table
    where: str = ""
    notes: tuple[str, ...] = ()
    parent: Catalogue | None = field(default=None, repr=False, compare=False)

    @classmethod
    def from_tracks(cls, tracks: Iterable[Mapping[str, Any]], where: str = "") -> Catalogue:
        """Make a catalogue of tracks given as mappings.

        Parameters
        ----------
        tracks : iterable of mapping
            Values by the names of `SCHEMA`; a name that is missing is unknown.
        where : str
            Where they are from, for messages.

        Examples
        --------
        >>> Catalogue.from_tracks([{"track_id": "a", "title": "Song", "tempo_bpm": 120}]).tempos.tolist()
        [120.0]
        """
        rows = [{name: track.get(name) for name in SCHEMA.names} for track in tracks]
        return cls(pa.Table.from_pylist(rows, SCHEMA), where)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def rows(self, ids: Sequence[str]) -> Rows:
        """Rows of ids, in their order.

        Raises
        ------
        NotFoundError
            If an id is not in the catalogue; the message names the first.
        """
        column, wanted = self.table["track_id"], pa.array(ids, pa.string())
        if len(wanted) <= _SCAN:
            rows = np.flatnonzero(pc.is_in(column, value_set=wanted).to_numpy(zero_copy_only=False))
            there = dict(zip(column.take(rows).to_pylist(), rows.tolist(), strict=True))
            found = [there.get(i) for i in ids]
        else:
            found = pc.index_in(wanted, value_set=column).to_pylist()
        if None in found:
            raise NotFoundError(f"no track has the id {ids[found.index(None)]!r} in {self.where}")
        return np.array(found, dtype=np.intp)

    def ids(self, rows: Rows) -> list[str]:
        """Ids of rows, in their order."""
        ids: list[str] = self.table["track_id"].take(pa.array(rows)).to_pylist()
        return ids

    def take(self, rows: Rows) -> Catalogue:
        """A catalogue of these rows, in their order."""
        return Catalogue(self.table.take(pa.array(rows)), self.where, self.notes, self.parent or self)

    def fill(self, other: Catalogue) -> Catalogue:
        """The same tracks with unknown values filled in from another catalogue's tracks of the same id."""
        known = other.table.filter(pc.is_in(other.table["track_id"], value_set=self.table["track_id"]))
        return Catalogue(deduplicate(pa.concat_tables([self.table, known])), self.where, self.notes)

    def numbers(self, name: str) -> Floats:
        """A numeric column as float32, shape (n,), NaN where unknown; `name` is one of `SCHEMA`."""
        column = self.table[name].cast(pa.float32()).combine_chunks()
        return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float32)

    def features(self, feature_set: str | None = None) -> Floats:
        """The eight features of each track, in raw units.

        Parameters
        ----------
        feature_set : str, optional
            Whose measurements; `self.feature_set` by default. Those of other sets are not comparable and are NaN.

        Returns
        -------
        ndarray of float32, shape (n, 8)
            In the order of `FEATURES`, column-major; loudness in dB, the others 0-1; NaN where unknown.
        """
        wanted = feature_set or self.feature_set
        columns = np.stack([self.numbers(name) for name in FEATURES])
        of_one = len(pc.unique(self.table["feature_set"])) == 1
        if not of_one or (feature_set is not None and self.feature_sets != (wanted,)):
            other = pc.fill_null(pc.not_equal(self.table["feature_set"], wanted), True)
            columns[:, other.to_numpy()] = np.nan
        return columns.T

    def sorted_features(self, feature_set: str) -> tuple[Floats, ...]:
        """Known values of each feature in one feature set, in ascending order: eight arrays."""
        if feature_set not in self._sorted_features:
            columns = self.features(feature_set).T
            self._sorted_features[feature_set] = tuple(np.sort(column[~np.isnan(column)]) for column in columns)
        return self._sorted_features[feature_set]

    @cached_property
    def _sorted_features(self) -> dict[str, tuple[Floats, ...]]:
        return {}

    @cached_property
    def feature_sets(self) -> tuple[str, ...]:
        """Names of all feature sets in the catalogue, sorted."""
        return tuple(sorted(pc.unique(self.table["feature_set"]).drop_null().to_pylist()))

    @cached_property
    def feature_set(self) -> str:
        """The feature set with the most tracks that have all eight features, else with the most that have any."""
        measured = self.table["feature_set"].filter(_all_known(self.table, FEATURES))
        if not len(measured):
            measured = self.table["feature_set"].filter(pa.array(self.has_any_feature))
        counts = sorted(measured.value_counts().to_pylist(), key=lambda c: (-c["counts"], str(c["values"])))
        return str(counts[0]["values"]) if counts else "unknown"

    @cached_property
    def has_comparable_features(self) -> Mask:
        """Mask of the tracks whose eight features are known and of `self.feature_set`, shape (n,)."""
        known = _all_known(self.table, FEATURES)
        if len(pc.unique(self.table["feature_set"])) > 1:
            same = pc.equal(self.table["feature_set"], self.feature_set)
            known = pc.and_(known, pc.fill_null(same, False))
        return np.asarray(known.to_numpy(zero_copy_only=False))

    @cached_property
    def has_all_features(self) -> Mask:
        """Mask of the tracks whose eight features are known, of any feature set, shape (n,)."""
        return np.asarray(_all_known(self.table, (*FEATURES, "feature_set")).to_numpy(zero_copy_only=False))

    @cached_property
    def has_any_feature(self) -> Mask:
        """Mask of the tracks of which any of the eight features is known, of any feature set, shape (n,)."""
        known = np.zeros(len(self), dtype=bool)
        for name in FEATURES:
            known |= pc.is_valid(self.table[name]).to_numpy()
        if self.table["feature_set"].null_count:
            known &= pc.is_valid(self.table["feature_set"]).to_numpy()
        return known

    @cached_property
    def has_title_and_artist(self) -> Mask:
        """Mask of the tracks whose title and artist are known, shape (n,); others are played only as seeds."""
        known = _all_known(self.table, ("title", "artists"))
        return np.asarray(known.to_numpy(zero_copy_only=False))

    @cached_property
    def circle_positions(self) -> Floats:
        """Positions on the circle of fifths, shape (n,), 0-11, NaN where key or mode is unknown."""
        return circle_position(self.numbers("key"), self.modes).astype(np.float32)

    @cached_property
    def modes(self) -> Floats:
        """Modes, shape (n,): 1 major, 0 minor, NaN unknown."""
        return self.numbers("mode")

    @cached_property
    def tempos(self) -> Floats:
        """Tempos in beats per minute, shape (n,), NaN where unknown."""
        return self.numbers("tempo_bpm")

    def tracks(self, rows: Rows) -> list[dict[str, Any]]:
        """Rows as dictionaries by the names of `SCHEMA`, in their order."""
        tracks: list[dict[str, Any]] = self.table.take(pa.array(rows)).to_pylist()
        return tracks

    def song_key(self, row: int) -> str:
        """First artist and title without remarks, which all versions of a song share; empty if untitled."""
        artists = self.artists(row)
        return song_key(self.table["title"][row].as_py(), artists[0] if artists else None)

    def artists(self, row: int) -> list[str]:
        """Artists of a track, the main one first; empty if unknown."""
        artists: list[str] = self.table["artists"][row].as_py() or []
        return artists

    def find(self, *texts: str, choose: Choose | None = None) -> Rows:
        """Rows of the tracks that texts mean, one for each; see `disco.catalogue.lookup.find`.

        Parameters
        ----------
        *texts : str
            Each an id, a Spotify link, or words of title and artist.
        choose : callable, optional
            Picks one of several matches of a text; the best is taken by default.

        Returns
        -------
        ndarray of int, shape (n texts,)

        Raises
        ------
        NotFoundError
            If nothing is near enough to a text; the message names the nearest five.

        Examples
        --------
        >>> songs = Catalogue.from_tracks([{"track_id": "a", "title": "Night Bus", "artists": ["Mira Vale"]}])
        >>> songs.find("night buss mira").tolist()
        [0]
        """
        return np.array([find(self, text, choose) for text in texts], dtype=np.intp)

    def search(self, text: str, n: int = 5) -> list[Match]:
        """The n tracks that best match a text, best first; the index is built at the first search.

        Examples
        --------
        >>> songs = Catalogue.from_tracks([{"track_id": "a", "title": "Night Bus", "artists": ["Mira Vale"]}])
        >>> songs.search("mira night bus")
        [Match(row=0, score=1.0, exact=True)]
        """
        return self._index.search(text, n)

    @cached_property
    def _index(self) -> TextIndex:
        artists = pc.binary_join(pc.fill_null(self.table["artists"].combine_chunks(), []), " ")
        return TextIndex(self.table["title"].combine_chunks(), artists, self.numbers("popularity"))


def merge(catalogues: Sequence[Catalogue]) -> Catalogue:
    """Merge catalogues by id; of several known values of a track the first counts.

    Examples
    --------
    >>> a, b = (Catalogue.from_tracks([{"track_id": "a", name: 8.0}]) for name in ("tempo_bpm", "popularity"))
    >>> both = merge([a, b])
    >>> both.tempos.tolist(), both.numbers("popularity").tolist()
    ([8.0], [8.0])
    """
    if len(catalogues) == 1:
        return catalogues[0]
    table = deduplicate(pa.concat_tables([c.table for c in catalogues]))
    twice = sum(len(c) for c in catalogues) - table.num_rows
    notes = [note for c in catalogues for note in c.notes]
    notes.append(
        f"{len(catalogues)} catalogues merged: {table.num_rows:,} tracks, {twice:,} of them known to several"
    )
    return Catalogue(table, " + ".join(c.where for c in catalogues), tuple(notes))


def _all_known(table: pa.Table, names: Iterable[str]) -> pa.ChunkedArray:
    known = None
    for name in names:
        valid = pc.is_valid(table[name])
        known = valid if known is None else pc.and_(known, valid)
    return known


def deduplicate(table: pa.Table) -> pa.Table:
    """Merge rows of the same id: the first known value of each column, all genres.

    The columns of one of `COLUMN_GROUPS` come from the first row that knows all of them, or else any, and
    `PROVENANCE_COLUMNS` go with them: no track mixes two measurements.

    Parameters
    ----------
    table : pa.Table
        With the columns of `SCHEMA`.

    Returns
    -------
    pa.Table
        One row per id, in the order of their first rows.
    """
    codes = table["track_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    n = int(codes.max()) + 1 if len(codes) else 0
    if n == len(codes):
        return table
    grouped = {name: group for group in COLUMN_GROUPS for name in group}
    followers = {follower for names in PROVENANCE_COLUMNS.values() for follower in names}
    columns: dict[str, pa.ChunkedArray] = {}
    for name in table.column_names:
        if name in columns or name in followers:
            continue
        group = grouped.get(name, (name,))
        known = [pc.is_valid(table[member]).to_numpy(zero_copy_only=False) for member in group]
        first, partly = _first(codes, n, np.all(known, axis=0)), _first(codes, n, np.any(known, axis=0))
        first = np.where(first < 0, partly, first)
        for member in (*group, *PROVENANCE_COLUMNS.get(name, ())):
            columns[member] = table[member].take(pa.array(first, mask=first < 0))
    columns["genres"] = _all_genres(table["genres"].combine_chunks(), codes, n)
    return pa.table([columns[name] for name in table.column_names], schema=table.schema)


def _first(codes: NDArray[np.int32], n: int, valid: Mask) -> NDArray[np.int64]:
    """First row of each code at which the mask holds, -1 where it never does."""
    rows = np.flatnonzero(valid)[::-1]
    first = np.full(n, -1, dtype=np.int64)
    first[codes[rows]] = rows  # of several the last written stays, which is the first row
    return first


def _all_genres(genres: pa.Array, codes: NDArray[np.int32], n: int) -> pa.Array:
    flat = genres.flatten().dictionary_encode()
    track = codes[pc.list_parent_indices(genres).to_numpy(zero_copy_only=False)].astype(np.int64)
    pairs = track << 32 | flat.indices.to_numpy()
    _, first = np.unique(pairs, return_index=True)
    first = first[np.lexsort((first, track[first]))]
    counts = np.bincount(track[first], minlength=n)
    offsets = pa.array(np.r_[0, np.cumsum(counts)].astype(np.int32), mask=np.r_[counts == 0, False])
    return pa.ListArray.from_arrays(offsets, flat.take(pa.array(first)).cast(pa.string()))
