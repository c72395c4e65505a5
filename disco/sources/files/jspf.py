"""JSPF, the playlist format of ListenBrainz: XSPF as JSON (xspf.org; musicbrainz.org/doc/jspf)."""

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
# Where MusicBrainz keeps what JSPF has no field for.
TRACK = "https://musicbrainz.org/doc/jspf#track"
RECORDING = "https://musicbrainz.org/recording/"
MBID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def can_read(path: Path) -> bool:
    """Whether a file is JSON with a `playlist` near its beginning, or is called so."""
    try:
        with path.open("rb") as file:
            start = file.read(4096).decode("utf-8-sig", errors="replace")
    except (OSError, ValueError):
        return False
    if not start.lstrip().startswith("{"):
        return False
    return path.suffix.lower() == ".jspf" or re.match(r'\s*\{\s*"playlist"\s*:\s*\{', start) is not None


def read(path: Path) -> Catalogue:
    """The tracks of a playlist.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    _, entries = _parse(path)
    return library.catalogue(entries, path, NAME)


def playlists(path: Path) -> list[Tracklist]:
    """The one playlist of a file.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    title, entries = _parse(path)
    known = library.catalogue(entries, path, NAME)
    return [library.listed(title, (), entries, known, library.rows(known))]


def _parse(path: Path) -> tuple[str, list[Entry]]:
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
        held = json.loads(text)
    except (ValueError, RecursionError):
        raise DataError(path, "is not readable JSON") from None
    playlist = held.get("playlist") if isinstance(held, dict) else None
    tracks = playlist.get("track") if isinstance(playlist, dict) else None
    if not isinstance(playlist, dict) or not isinstance(tracks, list):
        raise DataError(path, 'is no JSPF: it has no "playlist" with a list "track"')
    if not tracks:
        raise DataError(path, "holds no tracks")
    if odd := [i + 1 for i, track in enumerate(tracks) if not isinstance(track, dict)]:
        raise DataError(path, f"track {odd[0]} is no JSON object")
    entries = library.identified([_entry(track, i) for i, track in enumerate(tracks) if isinstance(track, dict)])
    return _said(playlist.get("title")) or "", entries


def _entry(track: dict[str, Any], place: int) -> Entry:
    more = track.get("extension")
    more = more.get(TRACK) if isinstance(more, dict) else None
    more = more.get("additional_metadata") if isinstance(more, dict) else None
    more = more if isinstance(more, dict) else {}
    file = next(filter(None, map(from_url, _several(track.get("location")))), None)
    key, mode = more.get("key"), more.get("mode")
    has_key = type(key) is int and type(mode) is int and key in range(12) and mode in (0, 1)
    title = _said(track.get("title"))
    return Entry(
        id=_said(more.get("track_id"))
        or next(filter(None, map(_id, _several(track.get("identifier")))), None)
        or file
        or (None if title else f"track {place + 1}"),
        path=file,
        title=title,
        artist=_said(track.get("creator")),
        album=_said(track.get("album")),
        duration_ms=_number(track.get("duration")),
        tempo_bpm=_number(more.get("tempo_bpm")),
        key=(key, mode) if has_key else None,  # type: ignore[arg-type]
        isrc=_said(more.get("isrc")),
    )


def _id(uri: str) -> str | None:
    """The id that a URI holds: Spotify's, or MusicBrainz' of a recording; any other URI is an id itself."""
    recording = uri.rstrip("/").rpartition("/recording/")[2]
    return recording if MBID.fullmatch(recording) else re.sub(TRACK_LINK, r"\1", uri) or None


def _several(value: Any) -> list[str]:
    """Texts of a field that some write as one and others as a list."""
    return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str) and text]


def _said(value: Any) -> str | None:
    """A text that a table can hold, None if it is none: JSON may hold halves of characters."""
    return value.encode(errors="replace").decode().strip() or None if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    return library.number(value) if type(value) in (int, float) else None
