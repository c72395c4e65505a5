"""One playlist in a file: what DISCO wrote (JSON, CSV, M3U8), a table or slice of playlists, or one track a line."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from disco.catalogue import Catalogue, Rows
from disco.catalogue.search import ENOUGH
from disco.catalogue.text import TRACK_LINK
from disco.errors import DataError
from disco.sources import playlists, tables

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


@dataclass(frozen=True)
class Listed:
    """Tracks of a playlist as a file names them.

    Attributes
    ----------
    title : str
        Empty where the file has none.
    ids : list of str
        Id, or path, or text, of each track.
    names : list of str
        Artist and title of each where its id may be unknown; otherwise empty.
    tracks : Catalogue, optional
        What the file itself knows of its tracks, one row each in their order, where it is a table of tracks.
    """

    title: str
    ids: list[str]
    names: list[str]
    tracks: Catalogue | None = None

    def rows(self, catalogue: Catalogue) -> Rows:
        """Rows of those tracks that the catalogue has, by id, path or name, in their order and each once."""
        found = self.found(catalogue)
        return np.array(list(dict.fromkeys(found[found >= 0].tolist())), dtype=np.intp)

    def found(self, catalogue: Catalogue) -> Rows:
        """Row of each track in the catalogue, by id, path or name; -1 where it has none."""
        found = np.full(len(self.ids), -1, dtype=np.intp)
        for column in ("track_id", "path"):
            rows = pc.fill_null(pc.index_in(pa.array(self.ids, pa.string()), value_set=catalogue.table[column]), -1)
            found = np.where(found < 0, rows.to_numpy(), found)
        for i in np.flatnonzero(found < 0):
            matches = catalogue.search(self.names[i], 1) if self.names[i] else []
            if matches and matches[0].score >= ENOUGH:
                found[i] = matches[0].row
        return found


def read(path: Path) -> Listed:
    """The playlist in a file.

    Raises
    ------
    DataError, NotFoundError
        If the file holds no playlist, or several.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None
    if content[:4] in (b"PAR1", b"PK\x03\x04"):
        return _of_playlists(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(path, "is no playlist that DISCO reads (it is no text, and no Parquet)") from None
    header = [name.strip().lower() for name in next(csv.reader(text.splitlines()[:1]), [])]
    if not text.lstrip().startswith(("{", "#")):
        if set(header) & _OF_PLAYLISTS:
            return _of_playlists(path)
        if len(header) > 1 and path.suffix.lower() in (".csv", ".tsv"):
            tracks = tables.read(path)
            return Listed("", tracks.table["track_id"].to_pylist(), _titles(tracks), tracks)
    return parse(text, path)


def parse(text: str, path: Path) -> Listed:
    """The playlist in a text: JSON, M3U, or one track a line; `path` is what it is called in an error.

    Raises
    ------
    DataError
        If it holds no playlist.
    """
    if not text.strip():
        raise DataError(path, "is empty")
    if text.lstrip().startswith("{"):
        return _json(text, path)
    if text.startswith("#EXTM3U") or path.suffix.lower() in (".m3u", ".m3u8"):
        return _m3u(text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if path.suffix.lower() in (".csv", ".tsv"):  # a lone column, whose values may stand in quotes
        lines = [row[0].strip() for row in csv.reader(lines) if len(row) == 1 and row[0].strip()] or lines
    if lines[0].lower() in _HEADS and len(lines) > 1:
        lines = lines[1:]
    return Listed("", [_id(line) for line in lines], ["" if _is_link(line) else line for line in lines])


def _titles(tracks: Catalogue) -> list[str]:
    """Title and artists of each, empty where it has no title."""
    titles, artists = (tracks.table[name].to_pylist() for name in ("title", "artists"))
    return [
        " ".join([title, *(people or [])]) if title else "" for title, people in zip(titles, artists, strict=True)
    ]


def _of_playlists(path: Path) -> Listed:
    entries = playlists.read(path)
    ids = pc.unique(entries["playlist_id"].combine_chunks())
    if len(ids) != 1:
        raise DataError(path, f"has {len(ids):,} playlists; a file with one is needed")
    tracks = entries["track_id"].cast(pa.string()).to_pylist()
    columns = [entries[name].cast(pa.string()).to_pylist() for name in ("track_title", "track_artist")]
    names = [" ".join(filter(None, pair)) if pair[0] else "" for pair in zip(*columns, strict=True)]
    return Listed(entries["title"][0].as_py() or "", tracks, names)


def _json(text: str, path: Path) -> Listed:
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        raise DataError(path, "is not readable JSON") from None
    if isinstance(held.get("playlists"), list):
        return _of_playlists(path)
    tracks = held.get("tracks")
    if not isinstance(tracks, list) or not all(isinstance(t, dict) and isinstance(t.get("id"), str) for t in tracks):
        raise DataError(path, "is no playlist that DISCO wrote, and no Million Playlist slice")
    names = [_name(track) for track in tracks]
    return Listed(str(held.get("name") or ""), [track["id"] for track in tracks], names)


def _name(track: dict[str, Any]) -> str:
    known = [track.get("title"), track.get("artist")]
    return " ".join(part for part in known if isinstance(part, str)) if isinstance(known[0], str) else ""


def _m3u(text: str) -> Listed:
    title, name = "", ""
    ids, names = [], []
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("#PLAYLIST:"):
            title = line.removeprefix("#PLAYLIST:").strip()
        elif line.startswith("#EXTINF:"):
            name = line.partition(",")[2].strip()
        elif not line.startswith("#"):
            ids.append(_id(line.removeprefix("./") if line.startswith("./#") else line))
            names.append(name)
            name = ""
    return Listed(title, ids, names)


def _is_link(text: str) -> bool:
    return re.fullmatch(TRACK_LINK, text) is not None


def _id(text: str) -> str:
    """The id in a link or URI; any other text as it is."""
    link = re.fullmatch(TRACK_LINK, text)
    return link[1] if link else text
