"""Lists of tracks in JSON: DISCO's own, and those that people and services write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from disco.errors import DataError
from disco.sources import entries as library
from disco.sources.file_urls import in_folder
from disco.sources.tracklist import Entry, Tracklist

# Names under which a list stands in an object.
_LISTS = ("tracks", "items", "songs", "entries", "data", "playlist", "track")
# Names of what is known of a track, the likeliest first.
_NAMES = {
    "id": ("id", "track_id", "trackId", "spotify_id", "uri", "track_uri", "trackUri"),
    "title": ("title", "name", "track_name", "trackName", "song", "song_name"),
    "artist": ("artist", "artists", "artist_name", "artistName", "artist_names", "creator"),
    "album": ("album", "album_name", "albumName"),
    "isrc": ("isrc", "ISRC"),
    "path": ("path", "file", "filename", "location"),
    "duration_ms": ("duration_ms", "durationMs"),
    "tempo_bpm": ("tempo_bpm", "bpm", "BPM", "tempo"),
    "key": ("key_name", "camelot"),
}
_DEEPEST = 3


def parse(text: str, path: Path) -> Tracklist:
    """Read a list from a text of JSON.

    A list of texts, of objects with a title, an id or a file, or an object that holds one of these as `tracks`,
    `items`, `songs` and the like. Entries that are gone (null) and spoken ones (episodes) are left out.

    Raises
    ------
    DataError
        If it is not readable, or no such list.

    Examples
    --------
    >>> parse('[{"title": "Night Bus", "artist": "Mira Vale"}, "Bo - Salt"]', Path("a.json")).names
    ['Night Bus Mira Vale', 'Bo - Salt']
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise DataError(path, "is not readable JSON") from None
    if isinstance(content, dict) and "playlists" in content:
        raise DataError(path, "is JSON with playlists, but not a Million Playlist slice with tracks in a file")
    name, listed = _list(content)
    entries = [entry for one in listed or () if (entry := _entry(one, path.parent)) is not None]
    if not entries:
        raise DataError(path, "is JSON, but neither a playlist that DISCO wrote nor a list of titles, ids or files")
    return Tracklist(name, entries)


def _list(content: Any) -> tuple[str, list[Any] | None]:
    """The name of a playlist and its tracks, None if there are none."""
    name = ""
    for _ in range(_DEEPEST):
        if isinstance(content, list):
            return name, content
        if not isinstance(content, dict):
            return name, None
        name = name or next((n for key in ("name", "title") if (n := _text(content.get(key)))), "")
        content = next((content[key] for key in _LISTS if isinstance(content.get(key), list | dict)), None)
    return name, content if isinstance(content, list) else None


def _entry(one: Any, folder: Path) -> Entry | None:
    if isinstance(one, str):
        text = _text(one)
        if not text:
            return None
        bare = library.bare_id(text)
        return Entry(bare, text=text if bare == text else None)
    if not isinstance(one, dict):
        return None
    for wrapper in ("track", "item"):  # as Spotify's API has it
        if isinstance(one.get(wrapper), dict):
            one = one[wrapper]
        elif wrapper in one and one[wrapper] is None:
            return None
    if one.get("type") in ("episode", "chapter"):
        return None
    outside = one.get("external_ids")
    if isinstance(outside, dict):
        one = {"isrc": outside.get("isrc"), **one}
    known = {name: _first(one, names) for name, names in _NAMES.items()}
    path = _text(known["path"])
    track_id = _text(known["id"]) or _number_text(known["id"])
    title = _text(known["title"]) or (_text(one.get("track")))
    if not title and not track_id and not path:
        return None
    return Entry(
        id=library.bare_id(track_id) if track_id else path,
        title=title,
        artist=_artists(known["artist"]),
        album=_text(known["album"]) or _named(known["album"]),
        isrc=_text(known["isrc"]),
        path=in_folder(path, folder) if path else None,
        duration_ms=library.number(known["duration_ms"]),
        tempo_bpm=library.number(known["tempo_bpm"]),
        key=_text(known["key"]),
    )


def _first(track: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((track[name] for name in names if track.get(name) not in (None, "", [])), None)


def _artists(value: Any) -> str | None:
    """Artists as one text: a name, an object with one, or a list of these."""
    people = value if isinstance(value, list) else [value]
    return ", ".join(name for one in people if (name := _text(one) or _named(one))) or None


def _named(value: Any) -> str | None:
    return _text(value.get("name")) if isinstance(value, dict) else None


def _text(value: Any) -> str | None:
    """A text that Arrow can store, None if the value is no text: JSON may contain halves of characters."""
    return value.encode(errors="replace").decode().strip() or None if isinstance(value, str) else None


def _number_text(value: Any) -> str | None:
    return str(value) if type(value) is int else None
