"""One playlist in a file: what DISCO wrote, one of a DJ library, a table or slice of playlists, one track a line."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from disco.catalogue.text import TRACK_LINK
from disco.errors import DataError
from disco.sources.dj import mixxx, rekordbox, traktor
from disco.sources.file_urls import from_url, is_file
from disco.sources.files import jspf, playlist_tables, spotify_export, tables
from disco.sources.tracklist import Entry, Tracklist, entries_of

__all__ = ["LIBRARIES", "choose", "parse", "read"]

# Sources with playlists in them; the first that can_read a file reads it.
LIBRARIES = (spotify_export, rekordbox, traktor, mixxx, jspf)

# A table names its playlists by one of these.
_OF_PLAYLISTS = {"playlist_id", "pid"}
# What stands above a lone column, and is no track.
_HEADS = {
    "id",
    "track_id",
    "spotify_id",
    "uri",
    "track uri",
    "track_uri",
    "title",
    "name",
    "track",
    "track_name",
    "song",
}


def read(path: Path, playlist: str | None = None) -> Tracklist:
    """The playlist in a file.

    Parameters
    ----------
    path : Path
    playlist : str, optional
        Which one, where the file has several: its name, alone or with its folders as `Peak time / Friday`.

    Raises
    ------
    DataError, NotFoundError
        If the file holds no playlist, or several and it is not said which, or none of that name.
    """
    for source in LIBRARIES:
        if source.can_read(path):
            found = source.playlists(path)
            if not found and playlist is None:
                tracks = source.read(path)
                return Tracklist("", entries_of(tracks), tracks)
            return choose(found, path, playlist)
    return _read(path, playlist)


def choose(found: Sequence[Tracklist], path: Path, name: str | None) -> Tracklist:
    """The playlist of a name among several; without a name the only one that is not empty.

    Raises
    ------
    DataError
        If there is none or several, with the names that there are.
    """
    if name is None:
        filled = [listed for listed in found if listed.entries]
        if len(filled) == 1:
            return filled[0]
        if not filled:
            raise DataError(path, "holds a playlist without tracks" if found else "holds no playlist")
        raise DataError(path, f"has {len(filled):,} playlists; say which with --playlist: {_shown(filled)}")
    wanted = name.strip()
    for known in (
        [listed for listed in found if wanted in (listed.full_name, listed.name)],
        [listed for listed in found if wanted.casefold() in (listed.full_name.casefold(), listed.name.casefold())],
    ):
        if len(known) > 1 and (whole := [listed for listed in known if listed.full_name == wanted]):
            known = whole[:1]
        if len(known) > 1:
            raise DataError(path, f"has {len(known):,} playlists called {wanted!r}: {_shown(known)}")
        if known:
            if not known[0].entries:
                raise DataError(path, f"the playlist {known[0].full_name!r} is empty")
            return known[0]
    there = f"; it has {_shown(found)}" if any(listed.name for listed in found) else ""
    raise DataError(path, f"has no playlist {wanted!r}{there}")


def _shown(found: Sequence[Tracklist]) -> str:
    return _quoted([listed.full_name for listed in found])


def _quoted(names: Sequence[str]) -> str:
    """Names for a message, twenty at most."""
    shown = ", ".join(repr(name[:80]) for name in names[:20])
    return shown + (f" and {len(names) - 20:,} more" if len(names) > 20 else "")


def _read(path: Path, playlist: str | None) -> Tracklist:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None
    except ValueError:  # a name that no file can have
        raise DataError(path, "cannot be read") from None
    if content[:4] in (b"PAR1", b"PK\x03\x04"):
        return _of_playlists(path, playlist)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(path, "is no playlist that DISCO reads (it is no text, and no Parquet)") from None
    header = [name.strip().lower() for name in next(csv.reader(text.splitlines()[:1]), [])]
    if not text.lstrip().startswith(("{", "#")):
        if set(header) & _OF_PLAYLISTS:
            return _of_playlists(path, playlist)
        if len(header) > 1 and path.suffix.lower() in (".csv", ".tsv"):
            tracks = tables.read(path)
            return choose([Tracklist("", entries_of(tracks), tracks)], path, playlist)
    return parse(text, path, playlist)


def parse(text: str, path: Path, playlist: str | None = None) -> Tracklist:
    """The playlist in a text: JSON, M3U, or one track a line; `path` is what it is called in an error.

    Raises
    ------
    DataError
        If it holds no playlist.
    """
    if not text.strip():
        raise DataError(path, "is empty")
    if text.lstrip().startswith("{"):
        return _json(text, path, playlist)
    return choose([_plain(text, path)], path, playlist)


def _plain(text: str, path: Path) -> Tracklist:
    if text.startswith("#EXTM3U") or path.suffix.lower() in (".m3u", ".m3u8"):
        return _m3u(text, path.parent)
    if text.lstrip().startswith(("<?xml", "<DJ_PLAYLISTS", "<NML", "<!DOCTYPE", "<plist")):
        raise DataError(path, "is XML, but neither a library of rekordbox nor of Traktor in a file")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if path.suffix.lower() in (".csv", ".tsv"):  # a lone column, whose values may stand in quotes
        lines = [row[0].strip() for row in csv.reader(lines) if len(row) == 1 and row[0].strip()] or lines
    if lines[0].lower() in _HEADS and len(lines) > 1:
        lines = lines[1:]
    return Tracklist("", [Entry(_id(line), text=None if _is_link(line) else line) for line in lines])


def _of_playlists(path: Path, name: str | None) -> Tracklist:
    entries = playlist_tables.read(path)
    texts = [entries[column].cast(pa.string()) for column in ("playlist_id", "title")]
    if name is not None:
        among = [pc.equal(pc.utf8_lower(pc.utf8_trim_whitespace(text)), name.strip().lower()) for text in texts]
        entries = entries.filter(pc.or_(*(pc.fill_null(same, False) for same in among)))
    ids = pc.unique(entries["playlist_id"].combine_chunks())
    if len(ids) != 1:
        called = "" if name is None else f" called {name.strip()!r}"
        shown = pc.unique(texts[1].drop_null()).slice(0, 20).to_pylist()
        hint = (
            f"say which with --playlist: {', '.join(map(repr, shown))}, ..." if shown else "a file with one is needed"
        )
        raise DataError(path, f"has {len(ids):,} playlists{called}; {hint}")
    tracks = entries["track_id"].cast(pa.string()).to_pylist()
    columns = [entries[name].cast(pa.string()).to_pylist() for name in ("track_title", "track_artist")]
    return Tracklist(
        entries["title"][0].as_py() or "",
        [Entry(track, title, artist) for track, title, artist in zip(tracks, *columns, strict=True)],
    )


def _json(text: str, path: Path, playlist: str | None) -> Tracklist:
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        raise DataError(path, "is not readable JSON") from None
    if isinstance(held.get("playlists"), list):
        return _of_playlists(path, playlist)
    tracks = held.get("tracks")
    if not isinstance(tracks, list) or not all(isinstance(t, dict) and isinstance(t.get("id"), str) for t in tracks):
        raise DataError(path, "is no playlist that DISCO wrote, and no Million Playlist slice")
    entries = [Entry(track["id"], _text(track.get("title")), _text(track.get("artist"))) for track in tracks]
    return choose([Tracklist(str(held.get("name") or ""), entries)], path, playlist)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _m3u(text: str, folder: Path) -> Tracklist:
    title, name = "", ""
    entries = []
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("#PLAYLIST:"):
            title = line.removeprefix("#PLAYLIST:").strip()
        elif line.startswith("#EXTINF:"):
            name = line.partition(",")[2].strip()
        elif not line.startswith("#"):
            path = from_url(line) or (line.removeprefix("./") if line.startswith("./#") else line)
            file = os.path.normpath(Path.cwd() / folder / path) if is_file(path) else None
            entries.append(Entry(_id(path), path=file, text=name))
            name = ""
    return Tracklist(title, entries)


def _is_link(text: str) -> bool:
    return re.fullmatch(TRACK_LINK, text) is not None


def _id(text: str) -> str:
    """The id in a link or URI; any other text as it is."""
    link = re.fullmatch(TRACK_LINK, text)
    return link[1] if link else text
