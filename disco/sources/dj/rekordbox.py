"""rekordbox's library as it exports it, "Collection in xml format".

The format: "XML format list for rekordbox", AlphaTheta (cdn.rekordbox.com, 2020). A playlist names its tracks by
their TrackID (KeyType 0) or Location (KeyType 1). Tonality is free text.
"""

from __future__ import annotations

import re
from pathlib import Path

from disco.catalogue import Catalogue
from disco.catalogue.text import TRACK_LINK
from disco.errors import DataError
from disco.sources import entries as library
from disco.sources.dj import xml
from disco.sources.file_urls import from_url, streamed
from disco.sources.tracklist import Entry, Tracklist

NAME = "rekordbox XML"
_ROOT = "DJ_PLAYLISTS"
# Of a NODE: a folder or a playlist.
_PLAYLIST = "1"
_BY_LOCATION = "1"

# A playlist as it stands in the file: its folders, title, kind of keys, and keys.
_Node = tuple[list[str], str, str, list[str]]


def can_read(path: Path) -> bool:
    """Whether a file begins as rekordbox's XML does."""
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
    """The playlists of a library in their order; its smart playlists are not exported by rekordbox.

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
    by_id = {track.get("TrackID", ""): entry for track, entry in zip(tracks, entries, strict=True)}
    by_place = {entry.id or "": entry for entry in entries}

    def meant(key: str, by_location: bool) -> Entry:
        if by_location:
            track_id, file = _place(key)
            return by_place.get(track_id or key) or Entry(track_id or key, path=file)
        return by_id.get(key) or Entry(f"TrackID {key}")

    places = library.rows(known)
    return [
        library.listed(title, folders, [meant(key, kind == _BY_LOCATION) for key in keys], known, places)
        for folders, title, kind, keys in nodes
    ]


def entry(track: dict[str, str]) -> Entry:
    """A TRACK's attributes as an entry."""
    track_id, file = _place(track.get("Location", ""))
    title, artist = track.get("Name", "").strip(), track.get("Artist", "").strip()
    comment = track.get("Comments", "")
    if track_id is None and comment.startswith(library.OUR_ID):
        track_id = comment.removeprefix(library.OUR_ID).strip()
    return Entry(
        id=track_id,
        path=file,
        title=title,
        artist=artist,
        album=track.get("Album"),
        genre=track.get("Genre"),
        duration_ms=library.number(track.get("TotalTime"), 1000),
        tempo_bpm=library.number(track.get("AverageBpm")),
        key=track.get("Tonality"),
        comment=comment,
    )


def _place(location: str) -> tuple[str | None, str | None]:
    """Id and path that a Location means; a streamed track has no path."""
    file = from_url(location)
    if file is not None:
        return file, file
    uri = streamed(location)
    return (re.sub(TRACK_LINK, r"\1", uri) if uri else None), None


def _parse(path: Path) -> tuple[list[dict[str, str]], list[_Node]]:
    """Attributes of every track of the collection, and every playlist."""
    tracks: list[dict[str, str]] = []
    nodes: list[_Node] = []
    stack: list[tuple[str, list[str] | None]] = []
    part = ""

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal part
        if name == "TRACK":
            if part == "COLLECTION":
                tracks.append(attributes)
            elif part == "PLAYLISTS" and stack and stack[-1][1] is not None:
                stack[-1][1].append(attributes.get("Key", ""))
        elif name == "NODE" and part == "PLAYLISTS":
            keys: list[str] | None = None
            if attributes.get("Type") == _PLAYLIST:
                keys = []
                folders = [folder for folder, _ in stack[1:]]  # the first is ROOT
                nodes.append((folders, attributes.get("Name", ""), attributes.get("KeyType", "0"), keys))
            stack.append((attributes.get("Name", ""), keys))
        elif name in ("COLLECTION", "PLAYLISTS"):
            part = name
        elif name == _ROOT:
            part = _ROOT
        elif not part:
            raise DataError(path, f"is XML, but not of rekordbox: it begins with <{name}>, not with <{_ROOT}>")

    def end(name: str) -> None:
        if name == "NODE" and stack:
            stack.pop()

    xml.parse(path, start, end)
    return tracks, nodes
