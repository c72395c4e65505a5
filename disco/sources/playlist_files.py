"""One playlist of a file, whatever the file is, and the catalogue in which its tracks are looked up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from disco.errors import DataError
from disco.sources.files import mpd, playlist_tables, tables, text_lists
from disco.sources.limits import regular_file
from disco.sources.recognise import source_of
from disco.sources.tracklist import Entry, Tracklist, entries_of


def read(path: str | Path, playlist: str | None = None) -> Tracklist:
    """Read one playlist of a file, a DJ library or a folder.

    Parameters
    ----------
    path : str or Path
        M3U8, JSON, JSPF, CSV, Parquet, a list of one track per line, a library of a DJ program, or anything else that
        `open` reads. A table without playlists is one playlist of its rows.
    playlist : str, optional
        Name of the playlist, where there are several; alone or with its folders, as `Peak time / Friday`.

    Raises
    ------
    DataError, NotFoundError
        If there is no playlist, or there are several and none is named, or none has this name.
    """
    path = regular_file(path)
    source = source_of(path) or text_lists
    if source is mpd or (source is tables and playlist_tables.can_read(path)):
        return _of_many(path, playlist)
    found = source.playlists(path)
    if found or (playlist is not None and source is not tables):
        return choose(found, path, playlist)
    if source is tables:
        return choose([tables.tracklist(path)], path, playlist)
    tracks = source.read(path)
    return choose([Tracklist("", entries_of(tracks), tracks)], path, playlist)


def parse(text: str, path: Path, playlist: str | None = None) -> Tracklist:
    """Read one playlist of a text, as from standard input; `path` is what errors call it.

    Raises
    ------
    DataError
        If the text is not a playlist, or not one of this name.
    """
    return choose([text_lists.parse(text, path)], path, playlist)


def choose(found: Sequence[Tracklist], path: Path, name: str | None) -> Tracklist:
    """Choose the playlist of a name among several; without a name the only one that is not empty.

    Raises
    ------
    DataError
        If there is none or several, with the names that there are.

    Examples
    --------
    >>> found = [Tracklist("Friday", [Entry("a")], folder="Sets"), Tracklist("Empty", [])]
    >>> choose(found, Path("library.xml"), None).name
    'Friday'
    >>> choose(found, Path("library.xml"), "sets / friday").name
    'Friday'
    """
    if name is None:
        filled = [tracklist for tracklist in found if len(tracklist)]
        if len(filled) == 1:
            return filled[0]
        if not filled:
            raise DataError(path, "holds a playlist without tracks" if found else "holds no playlist")
        raise DataError(path, f"has {len(filled):,} playlists; choose one with --playlist: {_quoted(filled)}")
    wanted = name.strip()
    number = re.fullmatch(r"(.+?)\s+#(\d{1,6})", wanted)
    for same in (str, str.casefold):
        matching = [one for one in found if same(wanted) in (same(one.full_name), same(one.name))]
        if not matching and number:
            numbered = [one for one in found if same(number[1]) in (same(one.full_name), same(one.name))]
            matching = numbered[int(number[2]) - 1 : int(number[2])] if int(number[2]) else []
        exact = [one for one in matching if one.full_name == wanted]
        matching = exact or matching
        if len(matching) > 1:
            raise DataError(path, f"has {len(matching):,} playlists called {wanted!r}: {_quoted(matching, found)}")
        if matching:
            if not len(matching[0]):
                raise DataError(path, f"the playlist {matching[0].full_name!r} is empty")
            return matching[0]
    there = f"; it has {_quoted(found)}" if any(one.name for one in found) else ""
    raise DataError(path, f"has no playlist {wanted!r}{there}")


def _quoted(shown: Sequence[Tracklist], every: Sequence[Tracklist] = ()) -> str:
    """Names of playlists for a message, twenty at most; of one place and name with numbers to choose them by."""
    every = every or shown
    names = [one.full_name for one in every]
    listed = []
    for one in shown[:20]:
        alike = [other for other in every if other.full_name == one.full_name]
        number = next(i for i, other in enumerate(alike, 1) if other is one)
        tracks = f" ({len(one):,} track{'' if len(one) == 1 else 's'})"
        several = names.count(one.full_name) > 1
        listed.append(repr(one.full_name[:80] + (f" #{number}" if several else "")) + (tracks if several else ""))
    return ", ".join(listed) + (f" and {len(shown) - 20:,} more" if len(shown) > 20 else "")


def _of_many(path: Path, name: str | None) -> Tracklist:
    """The playlist of a name or id in a table or in Million Playlist JSON, which may hold a million."""
    entries = playlist_tables.read(path)
    texts = [entries[column].cast(pa.string()) for column in ("playlist_id", "title")]
    if name is not None:
        same = [pc.equal(pc.utf8_lower(pc.utf8_trim_whitespace(text)), name.strip().lower()) for text in texts]
        entries = entries.filter(pc.or_(*(pc.fill_null(mask, False) for mask in same)))
    ids = pc.unique(entries["playlist_id"].combine_chunks())
    if len(ids) != 1:
        called = "" if name is None else f" called {name.strip()!r}"
        shown = pc.unique(texts[1].drop_null()).slice(0, 20).to_pylist()
        hint = (
            f"choose one with --playlist: {', '.join(map(repr, shown))}, ..."
            if shown
            else "a file with one is needed"
        )
        raise DataError(path, f"has {len(ids):,} playlists{called}; {hint}")
    columns = [entries[name].cast(pa.string()).to_pylist() for name in ("track_id", "track_title", "track_artist")]
    return Tracklist(entries["title"][0].as_py() or "", [Entry(*values) for values in zip(*columns, strict=True)])
