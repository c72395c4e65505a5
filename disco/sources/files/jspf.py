"""JSPF, the playlist format of ListenBrainz: XSPF as JSON (xspf.org, musicbrainz.org/doc/jspf)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from disco.catalogue import Catalogue
from disco.catalogue.text import TRACK_LINK
from disco.errors import DataError, NotFoundError
from disco.sources import entries as library
from disco.sources.file_urls import from_url
from disco.sources.tracklist import Entry, Tracklist

NAME = "JSPF"
# Namespace of the fields that MusicBrainz adds to JSPF.
TRACK = "https://musicbrainz.org/doc/jspf#track"
RECORDING = "https://musicbrainz.org/recording/"
MBID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def can_read(path: Path) -> bool:
    """Whether a file is JSON that begins with `playlist`, or any JSON called `.jspf`; never raises."""
    try:
        with path.open("rb") as file:
            start = file.read(4096).decode("utf-8-sig", errors="replace")
    except (OSError, ValueError):
        return False
    if not start.lstrip().startswith("{"):
        return False
    return path.suffix.lower() == ".jspf" or re.match(r'\s*\{\s*"playlist"\s*:\s*\{', start) is not None


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
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"{path}: there is no such file") from None
    except UnicodeDecodeError:
        raise DataError(path, "is not UTF-8; save the file as UTF-8") from None
    except ValueError:  # a name that no file can have
        raise NotFoundError(f"{path}: there is no such file") from None
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None
    if not text.strip():
        raise DataError(path, "is empty")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise DataError(path, "is not readable JSON") from None
    playlist = content.get("playlist") if isinstance(content, dict) else None
    tracks = playlist.get("track") if isinstance(playlist, dict) else None
    if not isinstance(playlist, dict) or not isinstance(tracks, list):
        raise DataError(path, 'is no JSPF: it has no "playlist" with a list "track"')
    if not tracks:
        raise DataError(path, "holds no tracks")
    if odd := [i + 1 for i, track in enumerate(tracks) if not isinstance(track, dict)]:
        raise DataError(path, f"track {odd[0]} is no JSON object")
    entries = library.with_ids([_entry(track, i) for i, track in enumerate(tracks) if isinstance(track, dict)])
    own = any("track_id" in _more(track) for track in tracks)
    return _text(playlist.get("title")) or "", entries, own


def _more(track: dict[str, Any]) -> dict[str, Any]:
    """What the extension of MusicBrainz says of a track."""
    more = track.get("extension")
    more = more.get(TRACK) if isinstance(more, dict) else None
    more = more.get("additional_metadata") if isinstance(more, dict) else None
    return more if isinstance(more, dict) else {}


def _entry(track: dict[str, Any], position: int) -> Entry:
    more = _more(track)
    file = next(filter(None, map(from_url, _several(track.get("location")))), None)
    key, mode = more.get("key"), more.get("mode")
    has_key = type(key) is int and type(mode) is int and key in range(12) and mode in (0, 1)
    title = _text(track.get("title"))
    return Entry(
        id=_text(more.get("track_id"))
        or next(filter(None, map(recording_id, _several(track.get("identifier")))), None)
        or file
        or (None if title else f"track {position + 1}"),
        path=file,
        title=title,
        artist=_text(track.get("creator")),
        album=_text(track.get("album")),
        duration_ms=_number(track.get("duration")),
        tempo_bpm=_number(more.get("tempo_bpm")),
        key=(key, mode) if has_key else None,  # type: ignore[arg-type]
        isrc=_text(more.get("isrc")),
    )


def recording_id(uri: str) -> str | None:
    """The Spotify id or MusicBrainz recording id in a URI; any other URI is an id itself, empty text is none."""
    recording = uri.rstrip("/").rpartition("/recording/")[2]
    return recording if MBID.fullmatch(recording) else re.sub(TRACK_LINK, r"\1", uri) or None


def _several(value: Any) -> list[str]:
    """Texts of a field that is written as one text or as a list."""
    return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str) and text]


def _text(value: Any) -> str | None:
    """A text that Arrow can store, None if the value is no text: JSON may contain halves of characters."""
    return value.encode(errors="replace").decode().strip() or None if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    return library.number(value) if type(value) in (int, float) else None
