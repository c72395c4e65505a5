"""Which tracks are the same recording: the one matcher for lists, services, corrections and other tables.

Two tracks are the same recording if they share, in this order of certainty,

1. the id;
2. the path, compared as `disco.catalogue.paths` folds it where no path is equal as written;
3. the ISRC, in any spelling;
4. the end of the path, a folder and the file name at least, where only one file fits (the longest end counts);
5. the title and first artist, with durations at most `NEAR_MS` apart where both are known, and `ROUNDED_MS` more
   where one has whole seconds.

A remark on the release, as ``(feat. Bo)`` or ``- 2011 Remaster``, makes no other recording; a live take, a remix, an
edit or a part does (`disco.catalogue.text.recording_titles`). Different ISRCs contradict 4 and 5; other titles and
durations contradict 4. Whatever fits none of these is unmatched: no other track stands in for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue.arrays import as_mask, equal_pairs, is_known, number_texts, where
from disco.catalogue.numbering import artist_names, fold_names
from disco.catalogue.paths import common_end, fold_paths, path_ends, real_path, unquote_paths
from disco.catalogue.table import Catalogue, Mask, Rows
from disco.catalogue.text import TRACK_LINK, fold_isrcs, recording_titles, split_names, version_marks, whole_titles

Texts: TypeAlias = Sequence[str | None] | pa.Array | pa.ChunkedArray
# Releases of one recording differ by the silence at their ends, versions of a song by more.
NEAR_MS = 3000
# Allowed besides where one of two durations has whole seconds, as in M3U files and DJ libraries: it may be cut off.
ROUNDED_MS = 1000
# How a track was matched; `Matches.ways` holds positions in it.
WAYS = ("id", "path", "isrc", "path end", "name")
# What stands between the names of a credit; the first name is the one that a track is matched by.
_JOINED = r"(?i)\s*(?:,|;|/|&|•|\b(?:feat|ft|featuring|with|and|vs|x)\b\.?).*$"
# With fewer tracks to match than this it pays to fold only the titles of their artists.
_FEW = 10_000


class Matches(NamedTuple):
    """Pairs of tracks that are the same recording: by the number of the given track, the best match first.

    Attributes
    ----------
    given, rows : ndarray of int, shape (pairs,)
        Number of a given track, and the row of one that is the same recording.
    ways : ndarray of int, shape (pairs,)
        How they were matched, as a position in `WAYS`.
    """

    given: Rows
    rows: Rows
    ways: NDArray[np.int8]


class _Given(NamedTuple):
    """The tracks to match; null is unknown."""

    ids: pa.Array
    paths: pa.Array
    isrcs: pa.Array
    titles: pa.Array
    artists: pa.Array
    durations: NDArray[np.float32]


class Recordings:
    """Finds tracks of a catalogue that are the same recordings as given ones.

    What is needed of the catalogue is folded at the first use, so one object should serve many calls.

    Parameters
    ----------
    catalogue : Catalogue
        Where to find tracks; its ids need not be unique.

    Examples
    --------
    >>> from disco.catalogue import Catalogue
    >>> songs = Catalogue.from_tracks([{"track_id": "a", "title": "Song", "artists": ["Ana", "Bo"]}])
    >>> Recordings(songs).find(titles=["Song (feat. Bo)", "Song (Live)"], artists=["ANA", "Ana"]).tolist()
    [0, -1]
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    @classmethod
    def of(cls, catalogue: Catalogue) -> Recordings:
        """The one of a catalogue, made once and kept with it."""
        made: Recordings = catalogue.__dict__.setdefault("_recordings", cls(catalogue))
        return made

    def find(
        self,
        ids: Texts | None = None,
        isrcs: Texts | None = None,
        paths: Texts | None = None,
        titles: Texts | None = None,
        artists: Texts | None = None,
        durations_ms: Sequence[float | None] | NDArray[np.float32] | None = None,
    ) -> Rows:
        """Row of the same recording for each given track, -1 where it is unmatched.

        Of several the one with the same whole title is found, then the nearest in duration, then the most popular,
        then the first. Each argument holds n values, None where unknown; an argument left out is unknown throughout.

        Parameters
        ----------
        ids : sequence of str, shape (n,)
            Ids, or Spotify's links and URIs of them.
        isrcs, paths, titles : sequence of str, shape (n,)
        artists : sequence of str, shape (n,)
            Credits: one artist, or several in one text. A credit that the catalogue does not know as an artist stands
            for the name that it begins with.
        durations_ms : sequence of float, shape (n,)
            In milliseconds.

        Returns
        -------
        ndarray of int, shape (n,)
        """
        return self.find_with_ways(ids, isrcs, paths, titles, artists, durations_ms)[0]

    def find_with_ways(
        self,
        ids: Texts | None = None,
        isrcs: Texts | None = None,
        paths: Texts | None = None,
        titles: Texts | None = None,
        artists: Texts | None = None,
        durations_ms: Sequence[float | None] | NDArray[np.float32] | None = None,
    ) -> tuple[Rows, NDArray[np.int8]]:
        """Rows as `find` gives them, and how each was matched, as a position in `WAYS`; -1 where it is unmatched."""
        given = _given(ids, isrcs, paths, titles, artists, durations_ms)
        rows, ways = np.full(len(given.ids), -1, dtype=np.intp), np.full(len(given.ids), -1, dtype=np.int8)
        found = self._matches(given)
        # The first of each is written last.
        rows[found.given[::-1]], ways[found.given[::-1]] = found.rows[::-1], found.ways[::-1]
        return rows, ways

    def find_all(
        self,
        ids: Texts | None = None,
        paths: Texts | None = None,
        titles: Texts | None = None,
        artists: Texts | None = None,
    ) -> Matches:
        """All rows that match each track in its surest way, the one of `find` first; parameters as there."""
        return self._matches(_given(ids, None, paths, titles, artists, None))

    def find_tracks(self, tracks: Catalogue) -> Rows:
        """Row of the same recording for each track of another catalogue, -1 where it is unmatched, shape (n,)."""
        table = tracks.table
        return self.find(
            table["track_id"],
            table["isrc"],
            table["path"],
            table["title"],
            artist_names(tracks),
            tracks.numbers("duration_ms"),
        )

    def find_names(self, texts: Sequence[str], durations_ms: Sequence[float | None] | None = None) -> Rows:
        """Row of the recording that each text `artist - title` names, -1 where none or where nothing parts them.

        Any dash may be the one that parts artist and title, and either may come first.
        """
        given, parts = [], []
        for i, text in enumerate(texts):
            for artist, title in split_names(text):
                given += [i, i]
                parts += [(artist, title), (title, artist)]
        lengths = [None if durations_ms is None else durations_ms[i] for i in given]
        found = self.find(titles=[t for _, t in parts], artists=[a for a, _ in parts], durations_ms=lengths)
        rows = np.full(len(texts), -1, dtype=np.intp)
        matched = np.flatnonzero(found >= 0)[::-1]
        rows[np.array(given, dtype=np.intp)[matched]] = found[matched]
        return rows

    def _matches(self, given: _Given) -> Matches:
        """Each given track by the first way that matches it at all."""
        left = np.ones(len(given.ids), dtype=bool)
        found: list[tuple[Rows, Rows, int]] = []
        for way, pairs in self._by_every_way(given, left):
            left[pairs[0]] = False
            found.append((*pairs, way))
        if not found:
            none = np.empty(0, dtype=np.intp)
            return Matches(none, none, none.astype(np.int8))
        numbers, rows = (np.concatenate([pairs[i] for pairs in found]) for i in (0, 1))
        ways = np.concatenate([np.full(len(pairs[0]), pairs[2], dtype=np.int8) for pairs in found])
        best = self._best_first(given, numbers, rows)
        return Matches(numbers[best], rows[best], ways[best])

    def _by_every_way(self, given: _Given, left: Mask) -> Iterator[tuple[int, tuple[Rows, Rows]]]:
        """Pairs of a number and a row, and their way; `left` marks what is still unmatched when a way is tried."""
        yield 0, equal_pairs(where(given.ids, left), self.catalogue.column("track_id"))
        if given.ids.null_count < len(given.ids):
            yield 1, equal_pairs(where(given.ids, left), self.catalogue.column("path"))
        for paths, fold in self._spellings(given.paths, left):
            pairs = equal_pairs(where(paths, left), self._folded_paths if fold else self.catalogue.column("path"))
            yield 1, self._of_one_file(*pairs) if fold else pairs
        if (left & is_known(given.isrcs)).any():
            yield 2, equal_pairs(where(given.isrcs, left), self._isrcs)
        if (left & is_known(given.paths)).any() and not self._no_paths:
            yield 3, self._by_path_end(given, where(given.paths, left))
        yield 4, self._by_name(given, left, recording_titles)
        yield 4, self._by_name(given, left, whole_titles)  # of which a remark on the release may be a part

    def _spellings(self, paths: pa.Array, left: Mask) -> Iterator[tuple[pa.Array, bool]]:
        """Spellings under which given paths are looked for, the likeliest first, and whether they are folded."""
        if not (left & is_known(paths)).any() or self._no_paths:
            return
        yield paths, False
        if (left & is_known(paths)).any():
            yield fold_paths(paths), True
            for other in (
                unquote_paths(where(paths, left)),
                pa.array([real_path(path) for path in where(paths, left).to_pylist()], pa.string()),
            ):
                if other.null_count < len(other):
                    yield fold_paths(other), True

    def _of_one_file(self, numbers: Rows, rows: Rows) -> tuple[Rows, Rows]:
        """Pairs without the given tracks that belong to several files."""
        written = number_texts(self.catalogue.column("path").take(pa.array(rows)))
        files = np.bincount(np.unique(np.stack([numbers, written]), axis=1)[0])
        once = files[numbers] == 1
        return numbers[once], rows[once]

    def _by_path_end(self, given: _Given, paths: pa.Array) -> tuple[Rows, Rows]:
        folded = fold_paths(pc.coalesce(unquote_paths(paths), paths))
        numbers, rows = equal_pairs(path_ends(folded), self._path_ends)
        same = ~self._contradicted(given, numbers, rows) & self._agree(given, numbers, rows)
        numbers, rows = numbers[same], rows[same]
        ends = zip(
            folded.take(pa.array(numbers)).to_pylist(),
            self._folded_paths.take(pa.array(rows)).to_pylist(),
            strict=True,
        )
        lengths = np.fromiter((common_end(a, b) for a, b in ends), np.intp, len(rows))
        longest = np.zeros(len(folded), dtype=np.intp)
        np.maximum.at(longest, numbers, lengths)
        best = lengths == longest[numbers]
        return self._of_one_file(numbers[best], rows[best])

    def _by_name(self, given: _Given, left: Mask, fold: Callable[[pa.Array], pa.Array]) -> tuple[Rows, Rows]:
        titles = fold(where(given.titles, left))
        if titles.null_count == len(titles) or given.artists.null_count == len(titles):
            return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
        artists = self._artists_meant(where(given.artists, left))
        wanted = pc.unique(artists.filter(pc.is_valid(titles))).drop_null()
        names = self._artists
        likely = np.flatnonzero(as_mask(pc.is_in(names.dictionary, value_set=wanted).take(names.indices)))
        if fold is recording_titles and (len(given.ids) > _FEW or "_titles" in self.__dict__):
            known = self._titles.take(pa.array(likely))
        else:
            known = fold(self.catalogue.column("title").take(pa.array(likely)).combine_chunks())
        theirs = pc.binary_join_element_wise(names.take(pa.array(likely)).cast(pa.string()), known, "\t")
        numbers, found = equal_pairs(pc.binary_join_element_wise(artists, titles, "\t"), theirs)
        rows = likely[found]
        same = ~self._contradicted(given, numbers, rows) & self._same_version(given, numbers, rows)
        return numbers[same], rows[same]

    def _same_version(self, given: _Given, numbers: Rows, rows: Rows) -> Mask:
        """Pairs whose titles name the same version behind a remark on the release."""
        ours = version_marks(given.titles.take(pa.array(numbers)))
        theirs = version_marks(self.catalogue.column("title").take(pa.array(rows)).combine_chunks())
        return np.asarray(~as_mask(pc.not_equal(ours, theirs)))

    def _artists_meant(self, written: pa.Array) -> pa.Array:
        """First artist of each credit, as the catalogue spells him: the whole credit where that is an artist."""
        artists = self._artists.dictionary
        whole = fold_names(written)
        known = pc.is_in(whole, value_set=artists)
        first = pc.replace_substring_regex(written, r"(?i),\s*([js]r)\b", r" \1")  # Hank Williams, Jr. is one name
        first = fold_names(pc.replace_substring_regex(first, _JOINED, ""))
        if not pc.all(known).as_py():
            whole = pc.coalesce(self._credited(where(whole, ~as_mask(known))), pc.if_else(known, whole, first))
        return whole

    def _credited(self, written: pa.Array) -> pa.Array:
        """First artists of credits that name all artists of a track: of `Earth, Wind & Fire, Kenny G` the band."""
        at = pc.index_in(written, value_set=self._several_artists[0], skip_nulls=True)
        return self._several_artists[1].take(at)

    def _contradicted(self, given: _Given, numbers: Rows, rows: Rows) -> Mask:
        """Pairs whose ISRCs are both known and differ, or whose durations do."""
        lengths = self._durations[rows]
        ours = given.durations[numbers]
        rounded = np.where((ours % 1000 == 0) | (lengths % 1000 == 0), ROUNDED_MS, 0)
        apart = np.abs(ours - lengths) > NEAR_MS + rounded
        if given.isrcs.null_count < len(given.isrcs):
            codes = given.isrcs.take(pa.array(numbers))
            apart |= as_mask(pc.not_equal(codes, self._isrcs.take(pa.array(rows))))
        return np.asarray(apart)

    def _agree(self, given: _Given, numbers: Rows, rows: Rows) -> Mask:
        """Pairs whose titles do not contradict each other."""
        if given.titles.null_count == len(given.titles):
            return np.ones(len(rows), dtype=bool)
        ours, theirs = (
            recording_titles(column.take(pa.array(at)))
            for column, at in ((given.titles, numbers), (self.catalogue.column("title").combine_chunks(), rows))
        )
        return ~as_mask(pc.not_equal(ours, theirs))

    def _best_first(self, given: _Given, numbers: Rows, rows: Rows) -> Rows:
        """Order of pairs: by number, then the same whole title, near in duration, popular, first."""
        several = np.bincount(numbers, minlength=len(given.ids))[numbers] > 1
        other_title, apart = np.zeros((2, len(rows)))
        if several.any():
            at = np.flatnonzero(several)
            titles = self.catalogue.column("title").take(pa.array(rows[at])).combine_chunks()
            ours, theirs = whole_titles(given.titles.take(pa.array(numbers[at]))), whole_titles(titles)
            other_title[at] = ~as_mask(pc.equal(ours, theirs))
            difference = np.abs(given.durations[numbers[at]] - self._durations[rows[at]])
            apart[at] = np.nan_to_num(difference, nan=np.inf)
        return np.lexsort((rows, -self._popularity[rows], apart, other_title, numbers))

    @property
    def _no_paths(self) -> bool:
        return bool(self.catalogue.column("path").null_count == len(self.catalogue))

    @cached_property
    def _folded_paths(self) -> pa.Array:
        return fold_paths(self.catalogue.column("path").combine_chunks())

    @cached_property
    def _path_ends(self) -> pa.Array:
        return path_ends(self._folded_paths)

    @cached_property
    def _isrcs(self) -> pa.Array:
        return fold_isrcs(self.catalogue.column("isrc").combine_chunks())

    @cached_property
    def _artists(self) -> pa.DictionaryArray:
        return artist_names(self.catalogue).dictionary_encode()

    @cached_property
    def _several_artists(self) -> tuple[pa.Array, pa.Array]:
        """Credits of the tracks with several artists, in one text, and the first artists of these."""
        artists = self.catalogue.column("artists").combine_chunks()
        several = pc.fill_null(pc.greater(pc.list_value_length(artists), 1), False)
        credited = fold_names(pc.binary_join(artists.filter(several), ", "))
        return credited, self._artists.filter(several).cast(pa.string())

    @cached_property
    def _titles(self) -> pa.Array:
        return recording_titles(self.catalogue.column("title").combine_chunks())

    @cached_property
    def _durations(self) -> NDArray[np.float32]:
        return self.catalogue.numbers("duration_ms")

    @cached_property
    def _popularity(self) -> NDArray[np.float32]:
        return np.nan_to_num(self.catalogue.numbers("popularity"), nan=-1.0)


def same_recording(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether two tracks are the same recording, by the rules of this module.

    Parameters
    ----------
    a, b : mapping
        Values by the names of `SCHEMA`; a name that is missing is unknown.

    Examples
    --------
    >>> song = {"title": "Song", "artists": ["Ana"], "isrc": "us-abc-12-34567", "duration_ms": 200_000}
    >>> same_recording(song, {"isrc": "USABC1234567"})
    True
    >>> same_recording(song, {**song, "isrc": "USABC1234568"})
    False
    >>> same_recording(song, {"title": "Song (Ana Remix)", "artists": ["Ana"]})
    False
    """
    return bool(Recordings(Catalogue.from_tracks([b])).find_tracks(Catalogue.from_tracks([a]))[0] == 0)


def _given(ids: Any, isrcs: Any, paths: Any, titles: Any, artists: Any, durations_ms: Any) -> _Given:
    columns = [column for column in (ids, isrcs, paths, titles, artists, durations_ms) if column is not None]
    n = len(columns[0]) if columns else 0
    if any(len(column) != n for column in columns):
        raise ValueError(f"the arguments differ in length: {', '.join(str(len(column)) for column in columns)}")
    return _Given(
        pc.replace_substring_regex(_texts(ids, n), TRACK_LINK, r"\1"),
        _texts(paths, n),
        fold_isrcs(_texts(isrcs, n)),
        _texts(titles, n),
        _texts(artists, n),
        np.array(np.full(n, np.nan) if durations_ms is None else durations_ms, dtype=np.float32),
    )


def _texts(texts: Any, n: int) -> pa.Array:
    """Texts as one Arrow array; blanks are null, and what UTF-8 cannot hold becomes a question mark."""
    if texts is None:
        return pa.nulls(n, pa.string())
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    if not isinstance(texts, pa.Array):
        texts = pa.array([t if t is None else t.encode(errors="replace").decode() for t in texts], pa.string())
    texts = texts.cast(pa.string())
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(texts), ""), pa.scalar(None, pa.string()), texts)
