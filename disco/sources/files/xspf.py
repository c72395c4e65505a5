"""XSPF, the playlists of VLC, Audacious and Clementine as XML (xspf.org, version 1)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from disco.catalogue import Catalogue
from disco.errors import DataError
from disco.sources import entries as library
from disco.sources.dj import xml
from disco.sources.file_urls import in_folder
from disco.sources.files.jspf import recording_id
from disco.sources.tracklist import Entry, Tracklist

NAME = "XSPF"
# Where DISCO writes what the format has no element for, as `<meta rel="...#track/tempo_bpm">124</meta>`.
META = "https://musicbrainz.org/doc/jspf#track/"
# Elements of a track; some may stand several times, of which the first counts.
_FIELDS = {"location", "identifier", "title", "creator", "album", "duration"}


def can_read(path: Path) -> bool:
    """Whether a file is XML whose root is `playlist`; never raises."""
    return xml.begins(path, "playlist")


def read(path: Path) -> Catalogue:
    """Read the tracks of a playlist.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    _, entries, own = _parse(path)
    return library.catalogue(entries, path, NAME, in_ms=own)


def playlists(path: Path) -> list[Tracklist]:
    """Read the one playlist of a file.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    title, entries, own = _parse(path)
    return library.tracklists([((), title, entries)], library.catalogue(entries, path, NAME, in_ms=own))


def _parse(path: Path) -> tuple[str, list[Entry], bool]:
    """Title, entries, and whether DISCO wrote the file: others write durations in seconds too."""
    tracks: list[dict[str, str]] = []
    title, texts, open_names = "", list[str](), list[str]()
    meta = ""

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal meta
        open_names.append(name.rpartition(":")[2])
        texts.clear()
        meta = attributes.get("rel", "")
        if open_names[-1] == "track" and "trackList" in open_names:
            tracks.append({})

    def end(_: str) -> None:
        nonlocal title
        name, text = open_names.pop(), "".join(texts).strip()
        texts.clear()
        parent = open_names[-1] if open_names else ""
        if parent == "track" and tracks and text:
            if name in _FIELDS:
                tracks[-1].setdefault(name, text)
            elif name == "meta" and meta.startswith(META):
                tracks[-1].setdefault(meta.removeprefix(META), text)
        elif name == "title" and len(open_names) == 1:
            title = text

    xml.parse(path, start, end, texts.append)
    if not tracks:
        raise DataError(path, "is an XSPF playlist without tracks")
    entries = library.with_ids([_entry(track, i, path.parent) for i, track in enumerate(tracks)])
    return title, entries, any("track_id" in track for track in tracks)


def _entry(track: dict[str, str], position: int, folder: Path) -> Entry:
    location = track.get("location", "")
    # A relative location is a part of a URL too, so that its percent signs are resolved.
    file = in_folder(location if location.lower().startswith("file:") else unquote(location), folder)
    key, mode = (library.number(track.get(name)) for name in ("key", "mode"))
    identifier = recording_id(track.get("identifier", ""))
    return Entry(
        id=track.get("track_id") or identifier or file or (None if "title" in track else f"track {position + 1}"),
        path=file,
        title=track.get("title"),
        artist=track.get("creator"),
        album=track.get("album"),
        duration_ms=library.number(track.get("duration")),
        tempo_bpm=library.number(track.get("tempo_bpm")),
        key=(int(key), int(mode)) if key in range(12) and mode in (0, 1) else None,  # type: ignore[arg-type]
        isrc=track.get("isrc"),
    )
