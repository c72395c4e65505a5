"""Libraries of Traktor, `collection.nml`, and the playlists that it exports in the same format.

MUSICAL_KEY is a number, 0-11 for C to B major and 12-23 for C to B minor. KEY of INFO is text: `10m` is C minor in
Open Key notation (5A in Camelot's).
"""

from __future__ import annotations

from pathlib import Path

from disco.catalogue import Catalogue
from disco.errors import DataError
from disco.sources import entries as library
from disco.sources.dj import xml
from disco.sources.file_urls import from_primary_key, from_traktor
from disco.sources.tracklist import Entry, Tracklist

NAME = "Traktor NML"
_ROOT = "NML"
_ROOT_FOLDER = "$ROOT"

_Track = dict[str, dict[str, str]]


def can_read(path: Path) -> bool:
    """Whether a file begins as Traktor's NML does; never raises."""
    return xml.begins(path, _ROOT)


def read(path: Path) -> Catalogue:
    """Read the tracks of a library.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    tracks, _ = _parse(path)
    return library.catalogue(library.with_ids([entry(track) for track in tracks]), path, NAME)


def playlists(path: Path) -> list[Tracklist]:
    """Read the playlists of a library, in its order; smart lists are rules without tracks and are left out.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    tracks, found = _parse(path)
    entries = library.with_ids([entry(track) for track in tracks])
    if not found or not entries:
        return []
    by_id = {entry.id or "": entry for entry in entries}

    def entry_of(key: str) -> Entry:
        own = library.id_in_comment(key)
        file = from_primary_key(key) if own is None else None
        track_id = (file or key) if own is None else own
        return by_id.get(track_id) or Entry(track_id, path=file)

    named = [
        (
            [folder for folder in playlist.folders if folder != _ROOT_FOLDER],
            playlist.name,
            [entry_of(key) for key in playlist.keys],
        )
        for playlist in found
    ]
    return library.tracklists(named, library.catalogue(entries, path, NAME))


def entry(track: _Track) -> Entry:
    """An entry from the attributes of an ENTRY and its children."""
    location, info = track.get("LOCATION", {}), track.get("INFO", {})
    file = from_traktor(location.get("VOLUME", ""), location.get("DIR", ""), location.get("FILE", ""))
    title, artist = (track["ENTRY"].get(name, "").strip() for name in ("TITLE", "ARTIST"))
    comment, value = info.get("COMMENT", ""), track.get("MUSICAL_KEY", {}).get("VALUE", "")
    number = int(value) if value.isascii() and value.isdigit() and int(value[:3]) < 24 else None
    return Entry(
        id=file or library.id_in_comment(comment),
        path=file,
        title=title,
        artist=artist,
        album=track.get("ALBUM", {}).get("TITLE"),
        genre=info.get("GENRE"),
        duration_ms=library.number(info.get("PLAYTIME_FLOAT") or info.get("PLAYTIME"), 1000),
        tempo_bpm=library.number(track.get("TEMPO", {}).get("BPM")),
        key=info.get("KEY") if number is None else (number % 12, 1 if number < 12 else 0),
        comment=comment,
    )


def _parse(path: Path) -> tuple[list[_Track], list[xml.Playlist]]:
    """Attributes of every track of the collection, by the elements that have them, and every playlist."""
    tracks: list[_Track] = []
    tree = xml.Tree()
    part = ""

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal part
        if part == "COLLECTION":
            if name == "ENTRY":
                tracks.append({name: attributes})
            elif name in ("LOCATION", "ALBUM", "INFO", "TEMPO", "MUSICAL_KEY") and tracks:
                tracks[-1].setdefault(name, attributes)
        elif part == "PLAYLISTS":
            if name == "NODE":
                tree.start(attributes.get("NAME", ""), attributes, attributes.get("TYPE") == "PLAYLIST")
            elif name == "PRIMARYKEY":
                tree.add(attributes.get("KEY", ""))
        if name in ("COLLECTION", "PLAYLISTS", "SETS", "INDEXING", _ROOT):
            part = name
        elif not part:
            raise DataError(path, f"is XML, but not of Traktor: it begins with <{name}>, not with <{_ROOT}>")

    def end(name: str) -> None:
        if name == "NODE":
            tree.end()

    xml.parse(path, start, end)
    return tracks, tree.playlists
