"""Playlists as text: M3U and M3U8, the JSON that DISCO writes, and lists of one track per line."""

from __future__ import annotations

import csv
import json
import logging
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from disco.catalogue import Catalogue
from disco.catalogue.text import TRACK_LINK
from disco.errors import DataError
from disco.sources import entries as library
from disco.sources.file_urls import from_url, is_file
from disco.sources.files import tables
from disco.sources.files.decoding import content_of, decode
from disco.sources.files.other_files import what_it_is
from disco.sources.tracklist import Entry, Tracklist

NAME = "a playlist as text"
_log = logging.getLogger(__name__)

_M3U = (".m3u", ".m3u8")
_TABLES = (".csv", ".tsv")
_XML = ("<?xml", "<DJ_PLAYLISTS", "<NML", "<!DOCTYPE", "<plist")
# Headers of a single column; such a line is not a track.
_HEADS = {
    *("id", "track_id", "spotify_id", "uri", "track uri", "track_uri"),
    *("title", "name", "track", "track_name", "song"),
}


def can_read(path: Path) -> bool:
    """Whether a file is M3U, a playlist that DISCO wrote, or any text that is not a table; never raises."""
    try:
        with path.open("rb") as file:
            start = file.read(1 << 16)
    except (OSError, ValueError):
        return False
    found = decode(start)
    text = "" if found is None else found[0].lstrip()
    if text.startswith("#EXTM3U") or path.suffix.lower() in _M3U:
        return bool(text)
    if text.startswith("{"):
        return '"tracks"' in text
    if path.suffix.lower() != ".txt" or not text or text.startswith("<"):
        return False
    return tables.layout_of(start) is None


def read(path: Path) -> Catalogue:
    """Read the tracks of an M3U or JSON playlist: titles, artists and paths, without features.

    Raises
    ------
    NotFoundError, DataError
        If the file cannot be read, or is a list of one track per line, of which only an id or a name is known.
    """
    text = _text_of(path)
    if not text.lstrip().startswith(("{", "#EXTM3U")) and path.suffix.lower() not in _M3U:
        return tables.read(path)
    entries = [_separated(entry) for entry in parse(text, path).entries]
    return library.catalogue(library.with_ids(entries), path, NAME)


def playlists(path: Path) -> list[Tracklist]:
    """Read the one playlist of a file.

    Raises
    ------
    NotFoundError, DataError
        If the file cannot be read.
    """
    return [parse(_text_of(path), path)]


def parse(text: str, path: Path) -> Tracklist:
    r"""Read a playlist from a text: JSON that DISCO wrote, M3U, or one track per line.

    Parameters
    ----------
    text : str
    path : Path
        The file that the text is from: relative paths in it begin in the file's folder, and errors name it.

    Raises
    ------
    DataError
        If the text is not a playlist.

    Examples
    --------
    >>> parse("#EXTM3U\n#EXTINF:201,Mira Vale - Night Bus\nnight-bus.mp3", Path("friday.m3u8")).names
    ['Mira Vale - Night Bus']
    """
    if not text.strip():
        raise DataError(path, "is empty")
    if text.lstrip().startswith("{"):
        return _json(text, path)
    if text.startswith("#EXTM3U") or path.suffix.lower() in _M3U:
        return _m3u(text, path.parent)
    if text.lstrip().startswith(_XML):
        raise DataError(path, "is XML, but not a library of rekordbox or Traktor in a file")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if path.suffix.lower() in _TABLES:  # a single column, whose values may be quoted
        lines = [row[0].strip() for row in csv.reader(lines) if len(row) == 1 and row[0].strip()] or lines
    if lines[0].lower() in _HEADS and len(lines) > 1:
        lines = lines[1:]
    return Tracklist("", [Entry(_id(line), text=None if _is_link(line) else line) for line in lines])


def _text_of(path: Path) -> str:
    content = content_of(path)
    found = decode(content)
    if found is None:
        raise DataError(path, f"is {what_it_is(content) or 'not a playlist that DISCO reads: it is no text'}")
    text, guess = found
    if guess:
        _log.info("%s: read as %s", path, guess)
    return text


def _json(text: str, path: Path) -> Tracklist:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise DataError(path, "is not readable JSON") from None
    if "playlists" in content:
        raise DataError(path, "is JSON with playlists, but not a Million Playlist slice with tracks in a file")
    tracks = content.get("tracks")
    if not isinstance(tracks, list) or not all(isinstance(t, dict) and isinstance(t.get("id"), str) for t in tracks):
        raise DataError(path, "is JSON, but neither a playlist that DISCO wrote nor a Million Playlist slice")
    return Tracklist(str(content.get("name") or ""), [_entry(track) for track in tracks])


def _entry(track: dict[str, Any]) -> Entry:
    title, artist = (value if isinstance(value, str) else None for value in (track.get("title"), track.get("artist")))
    return Entry(track["id"], title, artist)


def _m3u(text: str, folder: Path) -> Tracklist:
    title, name, seconds = "", "", None
    entries = []
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("#PLAYLIST:"):
            title = line.removeprefix("#PLAYLIST:").strip()
        elif line.startswith("#EXTINF:"):
            duration, _, name = map(str.strip, line.removeprefix("#EXTINF:").partition(","))
            seconds = re.match(r"\d+(?:\.\d+)?", duration)  # -1 and 0 are unknown
        elif not line.startswith("#"):
            path = from_url(line) or (line.removeprefix("./") if line.startswith("./#") else line)
            file = os.path.normpath(Path.cwd() / folder / path) if is_file(path) else None
            duration_ms = float(seconds[0]) * 1000 or None if seconds else None
            entries.append(Entry(_id(path), path=file, duration_ms=duration_ms, text=name))
            name, seconds = "", None
    return Tracklist(title, entries)


def _separated(entry: Entry) -> Entry:
    """An entry whose text `Artist - Title` is split into the two."""
    artist, dash, title = (entry.text or "").partition(" - ")
    if dash:
        return replace(entry, title=title, artist=artist, text=None)
    return replace(entry, title=entry.title or entry.text, text=None)


def _is_link(text: str) -> bool:
    return re.fullmatch(TRACK_LINK, text) is not None


def _id(text: str) -> str:
    """The id in a link or URI; any other text as it is."""
    link = re.fullmatch(TRACK_LINK, text)
    return link[1] if link else text
