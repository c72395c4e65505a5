"""Playlists as text: M3U and M3U8, the JSON that DISCO writes, and lists of one track per line."""

from __future__ import annotations

import csv
import logging
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

from disco.catalogue import Catalogue
from disco.errors import DataError
from disco.sources import entries as library
from disco.sources.file_urls import from_url, in_folder
from disco.sources.files import json_lists, pls, tables
from disco.sources.files.decoding import content_of, decode
from disco.sources.files.other_files import what_it_is
from disco.sources.tracklist import Entry, Tracklist, with_names_apart

NAME = "a playlist as text"
_log = logging.getLogger(__name__)

_M3U = (".m3u", ".m3u8")
_M3U_LINES = ("#EXTM3U", "#EXTINF:", "#EXTVDJ:")
_TABLES = (".csv", ".tsv")
_XML = ("<?xml", "<DJ_PLAYLISTS", "<NML", "<!DOCTYPE", "<plist")
# A tag in VirtualDJ's comment before a file, as <title>Night Bus</title>.
_TAG = re.compile(r"<(\w+)>([^<]*)</\1>")
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
    if text.startswith(_M3U_LINES) or path.suffix.lower() in _M3U:
        return bool(text)
    if text.startswith("{"):
        return '"tracks"' in text or (path.suffix.lower() == ".json" and _is_json_list(text))
    if text.startswith("[") and path.suffix.lower() == ".json":
        return True
    if path.suffix.lower() != ".txt" or not text or text.startswith("<"):
        return False
    return tables.layout_of(start) is None


def _is_json_list(text: str) -> bool:
    """Whether an object of JSON may hold a list of tracks, by the names in its beginning."""
    return re.search(r'"(?:items|songs|entries|data)"\s*:\s*[\[{]', text) is not None


def read(path: Path) -> Catalogue:
    """Read the tracks of an M3U or JSON playlist: titles, artists and paths, without features.

    Raises
    ------
    NotFoundError, DataError
        If the file cannot be read, or is a list of one track per line, of which only an id or a name is known.
    """
    text = _text_of(path)
    if not text.lstrip().startswith(("{", "[", *_M3U_LINES)) and path.suffix.lower() not in _M3U:
        return tables.read(path)
    entries = with_names_apart(parse(text, path).entries)
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
    if text.lstrip().startswith(("{", "[{", '["')) or (
        path.suffix.lower() == ".json" and text.lstrip().startswith("[")
    ):
        return json_lists.parse(text, path)
    if text.startswith(_M3U_LINES) or path.suffix.lower() in _M3U:
        return _m3u(text, path.parent)
    if text.lstrip().startswith(_XML):
        raise DataError(path, "is XML, but not a library of rekordbox or Traktor in a file")
    if text.lstrip()[:10].lower() == "[playlist]":
        return pls.parse(text, path)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if path.suffix.lower() in _TABLES:  # a single column, whose values may be quoted
        lines = [row[0].strip() for row in csv.reader(lines) if len(row) == 1 and row[0].strip()] or lines
    lines = [line for line in lines if not line.startswith("#")]
    if not lines:
        raise DataError(path, "holds nothing but comments, lines that begin with #")
    if 2 * sum(line.startswith("<") for line in lines) > len(lines):
        raise DataError(path, "is XML or a web page whose beginning is damaged; export it again")
    if lines[0].lower() in _HEADS and len(lines) > 1:
        lines = lines[1:]
    return Tracklist(
        "", [Entry(library.bare_id(line), text=None if library.bare_id(line) != line else line) for line in lines]
    )


def _text_of(path: Path) -> str:
    content = content_of(path)
    found = decode(content)
    if found is None:
        raise DataError(path, f"is {what_it_is(content) or 'not a playlist that DISCO reads: it is no text'}")
    text, guess = found
    if guess:
        _log.info("%s: read as %s", path, guess)
    return text


def _m3u(text: str, folder: Path) -> Tracklist:
    title, name, seconds = "", "", None
    entries: list[Entry] = []
    virtual_dj: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("#PLAYLIST:"):
            title = line.removeprefix("#PLAYLIST:").strip()
        elif line.startswith("#EXTINF:"):
            duration, _, name = map(str.strip, line.removeprefix("#EXTINF:").partition(","))
            seconds = re.match(r"\d+(?:\.\d+)?", duration)  # -1 and 0 are unknown
        elif line.startswith("#EXTVDJ:"):
            virtual_dj = {tag: unescape(value).strip() for tag, value in _TAG.findall(line)}
        elif not line.startswith("#"):
            path = from_url(line) or (line.removeprefix("./") if line.startswith("./#") else line)
            duration_ms = float(seconds[0]) * 1000 or None if seconds else None
            entry = Entry(library.bare_id(path), path=in_folder(path, folder), duration_ms=duration_ms, text=name)
            entries.append(_of_virtual_dj(entry, virtual_dj) if virtual_dj.get("title") else entry)
            name, seconds, virtual_dj = "", None, {}
    return Tracklist(title, entries)


def _of_virtual_dj(entry: Entry, tags: dict[str, str]) -> Entry:
    """An entry with what VirtualDJ's own comment says of it; its remix is a part of the title, in brackets."""
    title, remix = tags["title"], tags.get("remix")
    seconds = library.number(tags.get("songlength"))
    return replace(
        entry,
        title=f"{title} ({remix})" if remix else title,
        artist=tags.get("artist") or None,
        duration_ms=entry.duration_ms or (seconds and seconds * 1000) or None,
        text=None,
    )
