"""Libraries of iTunes and Apple Music, `iTunes Music Library.xml` or "File, Library, Export Library" (or Playlist).

A property list: a dictionary `Tracks` by number, and a list `Playlists`, which name their tracks by these numbers.
Films, podcasts and spoken books are no tracks; the playlists that iTunes keeps by itself are left out.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from disco.catalogue import Catalogue
from disco.errors import DataError
from disco.sources import entries as library
from disco.sources.dj import xml
from disco.sources.file_urls import from_url
from disco.sources.tracklist import Entry, Tracklist

NAME = "iTunes library"
_ROOT = "plist"
# Of a track; iTunes writes `<key>Podcast</key><true/>`.
_NO_MUSIC = {
    **{"Podcast": "podcasts", "Movie": "films", "TV Show": "films", "Has Video": "films", "Music Video": "films"},
    **{"Audiobook": "spoken books", "Book": "spoken books"},
}
# Longer than any value that is read.
_LONGEST = 10_000
_DEEPEST = 20


def can_read(path: Path) -> bool:
    """Whether a file begins as a property list; never raises."""
    return xml.begins(path, _ROOT)


def read(path: Path) -> Catalogue:
    """Read the tracks of a library.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    content, notes = _content(path)
    entries = library.with_ids(list(_entries(content, path, notes).values()))
    return library.catalogue(entries, path, NAME, notes)


def playlists(path: Path) -> list[Tracklist]:
    """Read the playlists of a library with their folders.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    content, notes = _content(path)
    by_number = _entries(content, path, notes)
    by_number = dict(zip(by_number, library.with_ids(list(by_number.values())), strict=True))
    found = [one for one in _dictionaries(content.get("Playlists")) if not _kept_by_itself(one)]
    lists = [one for one in found if not one.get("Folder")]
    if not by_number or not lists:
        return []
    by_id = {one["Playlist Persistent ID"]: one for one in found if one.get("Playlist Persistent ID")}
    left_out = _numbers_of_no_music(content)
    named = []
    for one in lists:
        numbers = [item.get("Track ID") for item in _dictionaries(one.get("Playlist Items"))]
        entries = [
            by_number.get(str(number)) or Entry(f"Track ID {number}")
            for number in numbers
            if str(number) not in left_out
        ]
        named.append((_folders(one, by_id), str(one.get("Name") or ""), entries))
    return library.tracklists(named, library.catalogue(list(by_number.values()), path, NAME, notes))


def _entries(content: dict[str, Any], path: Path, notes: list[str]) -> dict[str, Entry]:
    """Every piece of music by its number; the notes get what is left out."""
    left_out = Counter[str]()
    found = {}
    for number, track in _tracks(content):
        if kind := _no_music(track):
            left_out[kind] += 1
            continue
        file = from_url(str(track.get("Location") or ""))
        found[number] = Entry(
            id=file or (f"itunes:{track['Persistent ID']}" if track.get("Persistent ID") else None),
            path=file,
            title=_text(track.get("Name")),
            artist=_text(track.get("Artist")),
            album=_text(track.get("Album")),
            genre=_text(track.get("Genre")),
            duration_ms=library.number(track.get("Total Time")),
            tempo_bpm=library.number(track.get("BPM")),
            comment=_text(track.get("Comments")),
        )
    notes += [f"{path}: {count:,} {kind} left out" for kind, count in sorted(left_out.items())]
    return found


def _tracks(content: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    tracks = content.get("Tracks")
    every = tracks.items() if isinstance(tracks, dict) else ()
    return [(str(track.get("Track ID") or number), track) for number, track in every if isinstance(track, dict)]


def _numbers_of_no_music(content: dict[str, Any]) -> set[str]:
    return {number for number, track in _tracks(content) if _no_music(track)}


def _no_music(track: dict[str, Any]) -> str | None:
    return next((kind for name, kind in _NO_MUSIC.items() if track.get(name) is True), None)


def _kept_by_itself(playlist: dict[str, Any]) -> bool:
    """Whether iTunes keeps a playlist by itself, as the whole library, films and what was bought."""
    return playlist.get("Master") is True or "Distinguished Kind" in playlist


def _folders(playlist: dict[str, Any], by_id: dict[Any, dict[str, Any]]) -> list[str]:
    folders: list[str] = []
    above = by_id.get(playlist.get("Parent Persistent ID"))
    while above is not None and len(folders) < _DEEPEST:
        folders.insert(0, str(above.get("Name") or ""))
        above = by_id.get(above.get("Parent Persistent ID"))
    return folders


def _dictionaries(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return str(value) if value not in (None, "") else None


def _content(path: Path) -> tuple[dict[str, Any], list[str]]:
    """The dictionary of a property list, and notes; values in binary are passed over."""
    root: list[Any] = []
    open_ones: list[Any] = [root]
    keys: list[str] = [""]
    text: list[str] = []
    begun = False

    def put(value: Any) -> None:
        if isinstance(open_ones[-1], dict):
            open_ones[-1][keys[-1]] = value
        else:
            open_ones[-1].append(value)

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal begun
        if not begun and name != _ROOT:
            raise DataError(path, f"is XML, but not of iTunes: it begins with <{name}>, not with <{_ROOT}>")
        begun = True
        text.clear()
        if name in ("dict", "array"):
            made: Any = {} if name == "dict" else []
            put(made)
            open_ones.append(made)
            keys.append("")
        elif name in ("true", "false"):
            put(name == "true")

    def end(name: str) -> None:
        value = "".join(text)[:_LONGEST].strip()
        if name in ("dict", "array"):
            open_ones.pop()
            keys.pop()
        elif name == "key":
            keys[-1] = value
        elif name in ("string", "integer", "real", "date"):
            put(value)
        text.clear()

    def add_text(piece: str) -> None:
        if len(text) < _LONGEST:
            text.append(piece)

    notes = xml.parse(path, start, end, add_text, document=_ROOT)
    if not root or not isinstance(root[0], dict) or "Tracks" not in root[0]:
        raise DataError(path, "is a property list of Apple, but no library of iTunes or Music: it has no Tracks")
    return root[0], notes
