"""Traktor's library, `collection.nml`, and the playlists that it exports, which are the same format.

MUSICAL_KEY is a number, 0-11 for C to B major and 12-23 for C to B minor. KEY of INFO is text, where `10m` is the
Open Key name of C minor, 5A on Camelot's wheel, and not a tenth of anything else.
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

_Track = dict[str, dict[str, str]]
_Node = tuple[list[str], str, list[str]]


def can_read(path: Path) -> bool:
    """Whether a file begins as Traktor's does."""
    return xml.begins(path, _ROOT)


def read(path: Path) -> Catalogue:
    """The tracks of a library.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    tracks, _ = _parse(path)
    return library.catalogue(library.identified([entry(track) for track in tracks]), path, NAME)


def playlists(path: Path) -> list[Tracklist]:
    """The playlists of a library in their order; smart ones are rules and not tracks, and left out.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    tracks, nodes = _parse(path)
    entries = library.identified([entry(track) for track in tracks])
    known = library.catalogue(entries, path, NAME) if entries else None
    if not nodes or known is None:
        return []
    by_id = {entry.id or "": entry for entry in entries}

    def meant(key: str) -> Entry:
        ours = key.startswith(library.OUR_ID)
        file = None if ours else from_primary_key(key)
        track_id = key.removeprefix(library.OUR_ID).strip() if ours else file or key
        return by_id.get(track_id) or Entry(track_id, path=file)

    places = library.rows(known)
    return [
        library.listed(title, folders, [meant(key) for key in keys], known, places) for folders, title, keys in nodes
    ]


def entry(track: _Track) -> Entry:
    """An ENTRY's attributes, and those of what stands in it, as an entry."""
    place, info = track.get("LOCATION", {}), track.get("INFO", {})
    file = from_traktor(place.get("VOLUME", ""), place.get("DIR", ""), place.get("FILE", ""))
    title, artist = (track["ENTRY"].get(name, "").strip() for name in ("TITLE", "ARTIST"))
    comment, said = info.get("COMMENT", ""), track.get("MUSICAL_KEY", {}).get("VALUE", "")
    own = comment.removeprefix(library.OUR_ID).strip() if comment.startswith(library.OUR_ID) else None
    number = int(said) if said.isascii() and said.isdigit() and int(said[:3]) < 24 else None
    return Entry(
        id=file or own,
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


def _parse(path: Path) -> tuple[list[_Track], list[_Node]]:
    """Attributes of every track of the collection by the elements that they stand in, and every playlist."""
    tracks: list[_Track] = []
    nodes: list[_Node] = []
    stack: list[tuple[str, list[str] | None]] = []
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
                keys: list[str] | None = None
                if attributes.get("TYPE") == "PLAYLIST":
                    keys = []
                    nodes.append(([f for f, _ in stack if f != "$ROOT"], attributes.get("NAME", ""), keys))
                stack.append((attributes.get("NAME", ""), keys))
            elif name == "PRIMARYKEY" and stack and stack[-1][1] is not None:
                stack[-1][1].append(attributes.get("KEY", ""))
        if name in ("COLLECTION", "PLAYLISTS", "SETS", "INDEXING", _ROOT):
            part = name
        elif not part:
            raise DataError(path, f"is XML, but not of Traktor: it begins with <{name}>, not with <{_ROOT}>")

    def end(name: str) -> None:
        if name == "NODE" and stack:
            stack.pop()

    xml.parse(path, start, end)
    return tracks, nodes
