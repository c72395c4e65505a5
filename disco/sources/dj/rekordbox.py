"""Libraries of rekordbox, exported with "Export Collection in xml format".

The format is described in "XML format list for rekordbox", AlphaTheta (cdn.rekordbox.com, 2020). A playlist names its
tracks by their TrackID (KeyType 0) or Location (KeyType 1). Tonality is free text.
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
from disco.sources.plays import Play, PlayedSet
from disco.sources.tracklist import Entry, Tracklist

NAME = "rekordbox XML"
_ROOT = "DJ_PLAYLISTS"
# Values of the attributes Type and KeyType of a NODE.
_PLAYLIST = "1"
_BY_LOCATION = "1"
# rekordbox calls a history so in every language: HISTORY 2026-05-01.
_HISTORY = "HISTORY"


def can_read(path: Path) -> bool:
    """Whether a file begins as rekordbox's XML does; never raises."""
    return xml.begins(path, _ROOT)


def read(path: Path) -> Catalogue:
    """Read the tracks of a library.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    tracks, _, notes = _parse(path)
    return library.catalogue(library.with_ids([entry(track) for track in tracks]), path, NAME, notes)


def playlists(path: Path) -> list[Tracklist]:
    """Read the playlists of a library, in its order; rekordbox does not export its intelligent playlists.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    tracks, found, notes = _parse(path)
    entries = library.with_ids([entry(track) for track in tracks])
    if not found or not entries:
        return []
    by_number = {track.get("TrackID", ""): entry for track, entry in zip(tracks, entries, strict=True)}
    by_id = {entry.id or "": entry for entry in entries}

    def entry_of(key: str, by_location: bool) -> Entry:
        if by_location:
            track_id, file = _location(key)
            return by_id.get(track_id or key) or Entry(track_id or key, path=file)
        return by_number.get(key) or Entry(f"TrackID {key}")

    named = []
    for playlist in found:
        by_location = playlist.attributes.get("KeyType") == _BY_LOCATION
        named.append((playlist.folders[1:], playlist.name, [entry_of(key, by_location) for key in playlist.keys]))
    return library.tracklists(named, library.catalogue(entries, path, NAME, notes))


def histories(path: Path) -> list[PlayedSet]:
    """Read the playlists that were histories: those called HISTORY, or in a folder of that name; else all playlists.

    rekordbox exports a history once it is copied into the playlists; the XML has no times.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file, or if it holds no playlist.
    """
    lists = [one for one in playlists(path) if len(one)]
    if not lists:
        raise DataError(path, "is a library of rekordbox, but holds no playlist")
    named = [one for one in lists if _HISTORY in one.full_name.upper()]
    tracks, _, _ = _parse(path)
    by_id = {entry.id or "": entry for entry in library.with_ids([entry(track) for track in tracks])}
    return [
        PlayedSet(one.full_name, [Play(by_id.get(known.id or "", known)) for known in one.entries])
        for one in named or lists
    ]


def entry(track: dict[str, str]) -> Entry:
    """An entry from the attributes of a TRACK."""
    track_id, file = _location(track.get("Location", ""))
    title, artist = track.get("Name", "").strip(), track.get("Artist", "").strip()
    comment = track.get("Comments", "")
    if track_id is None:
        track_id = library.id_in_comment(comment)
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


def _location(location: str) -> tuple[str | None, str | None]:
    """Id and path in a Location; a streamed track has no path."""
    file = from_url(location)
    if file is not None:
        return file, file
    uri = streamed(location)
    return (re.sub(TRACK_LINK, r"\1", uri) if uri else None), None


def _parse(path: Path) -> tuple[list[dict[str, str]], list[xml.Playlist], list[str]]:
    """Attributes of every track of the collection, every playlist, and notes."""
    tracks: list[dict[str, str]] = []
    tree = xml.Tree()
    part = ""

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal part
        if name == "TRACK":
            if part == "COLLECTION":
                tracks.append(attributes)
            elif part == "PLAYLISTS":
                tree.add(attributes.get("Key", ""))
        elif name == "NODE" and part == "PLAYLISTS":
            tree.start(attributes.get("Name", ""), attributes, attributes.get("Type") == _PLAYLIST)
        elif name in ("COLLECTION", "PLAYLISTS"):
            part = name
        elif name == _ROOT:
            part = _ROOT
        elif not part:
            raise DataError(path, f"is XML, but not of rekordbox: it begins with <{name}>, not with <{_ROOT}>")

    def end(name: str) -> None:
        if name == "NODE":
            tree.end()

    notes = xml.parse(path, start, end)
    return tracks, tree.playlists, notes
