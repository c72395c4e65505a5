"""Catalogue: tracks in Arrow columns, one row per track, for millions of them.

Inside the program a track is its row number in one catalogue (`Rows`); in files and on the command line it is its
`track_id`. A null is unknown, never 0; in NumPy columns unknown is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue.array_store import ArrayStore, kept_index
from disco.catalogue.arrays import row_array
from disco.catalogue.columns import TakenColumns, WholeTable
from disco.catalogue.deduplicate import deduplicate
from disco.catalogue.lookup import Choose, as_id, find
from disco.catalogue.music import circle_position
from disco.catalogue.schema import FEATURES, SCHEMA
from disco.catalogue.search import Match, TextIndex
from disco.catalogue.text import clean_table, clean_value, song_key
from disco.errors import NotFoundError

Rows = NDArray[np.intp]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

# Up to this many ids are found by scanning: hashing a million ids costs as much as 20 scans.
_SCAN = 20
# Of up to this many taken tracks titles and artists become Python lists at once, in the time of 100 single ones.
_AT_ONCE = 5_000


@dataclass(frozen=True)
class Catalogue:
    """Tracks of one table with the columns of `SCHEMA`; `track_id` is unique.

    Parameters
    ----------
    table : pa.Table
        One row per track; may be given as `Columns`.
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

    table: pa.Table = WholeTable()  # noqa: RUF009 - a descriptor, not a default
    where: str = ""
    notes: tuple[str, ...] = ()
    parent: Catalogue | None = field(default=None, repr=False, compare=False)
    # Not an argument, so that `dataclasses.replace` with other tracks does not take it along.
    _store: ArrayStore | None = field(default=None, init=False, repr=False, compare=False)

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
        rows = [{name: clean_value(track.get(name)) for name in SCHEMA.names} for track in tracks]
        return cls(clean_table(pa.Table.from_pylist(rows, SCHEMA)), where)

    def __len__(self) -> int:
        return len(self.__dict__["_columns"])

    def column(self, name: str) -> pa.ChunkedArray:
        """A column of `SCHEMA`; only this one is read where the table was not needed as a whole so far."""
        return self.__dict__["_columns"][name]

    def null_count(self, name: str) -> int:
        """How many tracks have no value in a column of `SCHEMA`."""
        columns = self.__dict__["_columns"]
        return int(columns[name].null_count if isinstance(columns, pa.Table) else columns.null_count(name))

    def rows(self, ids: Sequence[str]) -> Rows:
        """Rows of ids, in their order.

        Raises
        ------
        NotFoundError
            If an id is not in the catalogue; the message names the first.
        """
        if len(ids) <= _SCAN:
            self._look_up(ids)
            found = [self._looked_up[i] for i in ids]
        else:
            found = pc.index_in(pa.array(ids, pa.string()), value_set=self.column("track_id")).to_pylist()
        if None in found:
            raise NotFoundError(f"no track has the id {ids[found.index(None)]!r} in {self.where}")
        return np.array(found, dtype=np.intp)

    def _look_up(self, ids: Sequence[str]) -> None:
        """Find the rows of ids with one scan, and remember them: a command asks for its seeds several times."""
        if wanted := [i for i in ids if i not in self._looked_up]:
            column = self.column("track_id")
            mask = pc.is_in(column, value_set=pa.array(wanted, pa.string()))
            rows = np.flatnonzero(mask.to_numpy(zero_copy_only=False))
            there = zip(column.take(row_array(rows)).to_pylist(), rows.tolist(), strict=True)
            self._looked_up.update({**dict.fromkeys(wanted), **dict(there)})

    @cached_property
    def _looked_up(self) -> dict[str, int | None]:
        return {}

    def ids(self, rows: Rows) -> list[str]:
        """Ids of rows, in their order."""
        ids: list[str] = self.column("track_id").take(row_array(rows)).to_pylist()
        return ids

    def take(self, rows: Rows) -> Catalogue:
        """A catalogue of these rows, in their order."""
        taken, columns = row_array(rows), self.__dict__["_columns"]
        table = columns.take(taken) if isinstance(columns, pa.Table) else TakenColumns(columns, taken)
        return Catalogue(table, self.where, self.notes, self.parent or self)

    def fill(self, other: Catalogue) -> Catalogue:
        """The same tracks with unknown values filled in from another catalogue's tracks of the same id."""
        known = other.table.filter(pc.is_in(other.table["track_id"], value_set=self.column("track_id")))
        return Catalogue(deduplicate(pa.concat_tables([self.table, known])), self.where, self.notes)

    def with_store(self, store: ArrayStore) -> Catalogue:
        """The same catalogue, whose `cached` arrays are kept in a store that belongs to these tracks alone."""
        stored = Catalogue(self.__dict__["_columns"], self.where, self.notes, self.parent)
        object.__setattr__(stored, "_store", store)
        return stored

    def cached(self, name: str, compute: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """An array that belongs to this catalogue, computed at most once.

        Where the catalogue was opened from files, later processes read it from the cache folder.

        Parameters
        ----------
        name : str
            What it is, with the version of what computes it.
        compute : callable
            Returns the array, of numbers or truth values; called where it is not there yet.

        Returns
        -------
        ndarray
            Read-only.

        Examples
        --------
        >>> songs = Catalogue.from_tracks([{"track_id": "a", "tempo_bpm": 120}])
        >>> songs.cached("beats-1", lambda: songs.tempos / 60).tolist()
        [2.0]
        >>> songs.cached("beats-1", lambda: 1 / 0).tolist()
        [2.0]
        """
        if name not in self._arrays:
            array = compute() if self._store is None else self._store.array(name, compute)
            array = array.view()
            array.flags.writeable = False  # as one of a file is
            self._arrays[name] = array
        return self._arrays[name]

    def with_arrays_of(self, other: Catalogue) -> Catalogue:
        """The same tracks, with the `cached` arrays and the index of another catalogue of the same tracks.

        For a catalogue in which only keys, tempos or energies were changed.
        """
        made = Catalogue(self.__dict__["_columns"], self.where, self.notes, self.parent)
        made._arrays.update(other._arrays)
        if "_index" in other.__dict__:
            made.__dict__["_index"] = other.__dict__["_index"]
        return made

    @cached_property
    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {}

    def numbers(self, name: str) -> Floats:
        """A numeric column as float32, shape (n,), NaN where unknown; `name` is one of `SCHEMA`."""
        column = self.column(name).cast(pa.float32()).combine_chunks()
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
        of_one = len(pc.unique(self.column("feature_set"))) == 1
        if not of_one or (feature_set is not None and self.feature_sets != (wanted,)):
            other = pc.fill_null(pc.not_equal(self.column("feature_set"), wanted), True)
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
        return tuple(sorted(pc.unique(self.column("feature_set")).drop_null().to_pylist()))

    @cached_property
    def feature_set(self) -> str:
        """The feature set with the most tracks that have all eight features, else with the most that have any."""
        measured = self.column("feature_set").filter(_all_known(self, FEATURES))
        if not len(measured):
            measured = self.column("feature_set").filter(pa.array(self.has_any_feature))
        counts = sorted(measured.value_counts().to_pylist(), key=lambda c: (-c["counts"], str(c["values"])))
        return str(counts[0]["values"]) if counts else "unknown"

    @cached_property
    def has_comparable_features(self) -> Mask:
        """Mask of the tracks whose eight features are known and of `self.feature_set`, shape (n,)."""
        known = _all_known(self, FEATURES)
        if len(pc.unique(self.column("feature_set"))) > 1:
            same = pc.equal(self.column("feature_set"), self.feature_set)
            known = pc.and_(known, pc.fill_null(same, False))
        return np.asarray(known.to_numpy(zero_copy_only=False))

    @cached_property
    def has_all_features(self) -> Mask:
        """Mask of the tracks whose eight features are known, of any feature set, shape (n,)."""
        return np.asarray(_all_known(self, (*FEATURES, "feature_set")).to_numpy(zero_copy_only=False))

    @cached_property
    def has_any_feature(self) -> Mask:
        """Mask of the tracks of which any of the eight features is known, of any feature set, shape (n,)."""
        if not self.null_count("feature_set") and not all(map(self.null_count, FEATURES)):
            return np.ones(len(self), dtype=bool)
        known = np.zeros(len(self), dtype=bool)
        for name in FEATURES:
            known |= pc.is_valid(self.column(name)).to_numpy()
        if self.column("feature_set").null_count:
            known &= pc.is_valid(self.column("feature_set")).to_numpy()
        return known

    @cached_property
    def has_title_and_artist(self) -> Mask:
        """Mask of the tracks whose title and artist are known, shape (n,); others are played only as seeds."""
        known = _all_known(self, ("title", "artists"))
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

    def tracks(self, rows: Rows | None = None, names: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Rows as dictionaries by the names of the columns, all by default, in their order."""
        if not names:
            columns = self.__dict__["_columns"]
            names = columns.column_names if isinstance(columns, pa.Table) else SCHEMA.names
        taken = [self.column(name) if rows is None else self.column(name).take(row_array(rows)) for name in names]
        tracks: list[dict[str, Any]] = pa.table(taken, names=list(names)).to_pylist()
        return tracks

    def song_key(self, row: int) -> str:
        """First artist and title without remarks and spaces, alike for all versions of a song; empty if untitled."""
        artists = self.artists(row)
        # Releases spell a title as one word or as two: "In Between Days", "Inbetween Days".
        return song_key(self._title(row), artists[0] if artists else None).replace(" ", "")

    def artists(self, row: int) -> list[str]:
        """Artists of a track, the main one first; empty if unknown."""
        if self._is_small:
            return self._lists["artists"][row] or []
        artists: list[str] = self.column("artists")[row].as_py() or []
        return artists

    def _title(self, row: int) -> str | None:
        title: str | None = self._lists["title"][row] if self._is_small else self.column("title")[row].as_py()
        return title

    @property
    def _is_small(self) -> bool:
        return self.parent is not None and len(self) <= _AT_ONCE

    @cached_property
    def _lists(self) -> dict[str, list[Any]]:
        return {name: self.column(name).to_pylist() for name in ("title", "artists")}

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
        if len(texts) <= _SCAN:
            self._look_up([as_id(text) for text in texts])
        return np.array([find(self, text, choose) for text in texts], dtype=np.intp)

    def search(self, text: str, n: int = 5, typing: bool = False) -> list[Match]:
        """The n tracks that best match a text, best first; the index is built at the first search.

        While somebody is `typing`, the last word may be the beginning of one.

        Examples
        --------
        >>> songs = Catalogue.from_tracks([{"track_id": "a", "title": "Night Bus", "artists": ["Mira Vale"]}])
        >>> songs.search("mira night bus")
        [Match(row=0, score=1.0, exact=True)]
        """
        return self._index.search(text, n, typing)

    def word_codes(self, words: Iterable[str]) -> dict[str, int]:
        """Numbers of words, as `disco.catalogue.text.normalise` spells them, that any title or artist has."""
        return self._index.codes(words)

    def rows_with_words(self, codes: Iterable[int], most: int) -> Rows:
        """Rows of tracks that have all words of these numbers, at most so many, the popular first."""
        return self._index.rows_with(codes, most).astype(np.intp)

    @cached_property
    def _index(self) -> TextIndex:
        def build() -> TextIndex:
            artists = pc.binary_join(pc.fill_null(self.column("artists").combine_chunks(), []), " ")
            return TextIndex(self.column("title").combine_chunks(), artists, self.numbers("popularity"))

        return build() if self._store is None else kept_index(self._store, build, self.numbers("popularity"))


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


def _all_known(catalogue: Catalogue, names: Iterable[str]) -> pa.ChunkedArray:
    known = None
    for name in names:
        valid = pc.is_valid(catalogue.column(name))
        known = valid if known is None else pc.and_(known, valid)
    return known
