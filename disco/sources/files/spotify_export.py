"""Spotify's data export, *Download your data*: saved tracks, playlists and listening history.

It reads `YourLibrary.json`, `Playlist*.json`, `Streaming_History_Audio_*.json` (before 2022 `endsong_*.json`) and
`StreamingHistory*.json`, each alone, in their folder or in the zip file; no other file is opened.
An export has no features and no durations. The formats are described on Spotify's support page "Understanding my
data"; details are taken from real exports.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pyarrow as pa

from disco.catalogue import Catalogue
from disco.errors import DataError, NotFoundError
from disco.sources.files import columns
from disco.sources.limits import ZIP_ERRORS, Budget, unpacked
from disco.sources.tracklist import Entry, Tracklist

NAME = "Spotify's data export"

# What a browser or a file manager adds to the name of a second copy.
_COPY = r"(?: ?\(\d+\)| copy| - copy)*\.json"
_LIBRARY, _PLAYLISTS = re.compile(rf"YourLibrary\d*{_COPY}", re.I), re.compile(rf"Playlist\d*{_COPY}", re.I)
_HISTORY = re.compile(rf"(Streaming_History_Audio_.*|StreamingHistory(_music_)?_?\d*|endsong_\d+){_COPY}", re.I)
# How each kind begins, by which a part is known that somebody has renamed.
_BEGINNINGS = {
    _LIBRARY: re.compile(rb'\s*\{\s*"(?:tracks|albums)"\s*:\s*\[\s*\{\s*"(?:artist|album)"\s*:\s*"'),
    _PLAYLISTS: re.compile(rb'\s*\{\s*"playlists"\s*:\s*\[\s*\{(?:(?!"track_uri").)*?"items"\s*:\s*\[', re.DOTALL),
    _HISTORY: re.compile(rb'\s*\[\s*\{(?:(?!\}).)*?"(?:master_metadata_track_name|msPlayed)"\s*:', re.DOTALL),
}
_TRACK = "spotify:track:"
# Spotify itself counts a stream from here on.
_PLAYED_MS = 30_000
# Five times the largest part of a real export, which takes about 1 GB of memory.
_MOST_BYTES = 64 << 20
# An unpacked export has a folder or two; a folder of music may have thousands, which would take time to search.
_MOST_FOLDERS = 20


@dataclass(frozen=True)
class _Track:
    """A track of the export; without a URI it is identified by artist and title."""

    uri: str | None
    title: str | None
    artist: str | None
    album: str | None = None

    @property
    def name(self) -> tuple[str, str]:
        """What identifies it where there is no URI."""
        return ((self.artist or "").casefold(), (self.title or "").casefold())


@dataclass
class _Export:
    """The content of an export."""

    tracks: list[_Track] = field(default_factory=list)
    playlists: list[tuple[str, list[_Track]]] = field(default_factory=list)
    plays: Counter[_Track] = field(default_factory=Counter)
    days: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


def can_read(path: Path) -> bool:
    """Whether this is an export or a part of one; never raises."""
    try:
        if path.is_dir():
            return bool(_in_folder(path))
        with path.open("rb") as file:
            start = file.read(1 << 12)
        if start[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(path) as archive:
                return any(_kind(name) for name in archive.namelist())
        kind = _kind(path.name)
        if kind is None:
            return _kind_of(start) is not None
        if kind is _PLAYLISTS:
            return b'"playlists"' in start and b'"track_uri"' not in start
        return start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")
    except (OSError, ValueError, *ZIP_ERRORS):
        return False


def read(path: Path) -> Catalogue:
    """Read the saved tracks, those of playlists and those played, the most played first; banned tracks are left out.

    Raises
    ------
    NotFoundError, DataError
        If there is no export, or no part of it can be read.
    """
    export = _read(path)
    uris = {track.name: track.uri for track in (*export.tracks, *export.plays) if track.uri}
    uris |= {track.name: track.uri for _, tracks in export.playlists for track in tracks if track.uri}

    def with_uri(track: _Track) -> _Track:
        return track if track.uri else replace(track, uri=uris.get(track.name))

    plays: Counter[str | tuple[str, str]] = Counter()
    first: dict[str | tuple[str, str], _Track] = {}
    for track in (*export.tracks, *(t for _, tracks in export.playlists for t in tracks), *export.plays):
        track = with_uri(track)
        first.setdefault(track.uri or track.name, track)
    for track, n in export.plays.items():
        plays[with_uri(track).uri or track.name] += n
    tracks = [first[key] for key in sorted(first, key=lambda key: -plays[key])]
    if not tracks:
        raise DataError(path, "holds no track: nothing saved, no playlist and nothing played")
    raw = pa.table(
        {
            "track_uri": pa.array([track.uri for track in tracks], pa.string()),
            "track_name": pa.array([track.title for track in tracks], pa.string()),
            "artist_name": pa.array([[track.artist] if track.artist else None for track in tracks]).cast(
                pa.list_(pa.string())
            ),
            "album_name": pa.array([track.album for track in tracks], pa.string()),
        }
    )
    catalogue = columns.catalogue(raw, raw.column_names, path, lambda row: "")
    return replace(catalogue, notes=(*catalogue.notes, *_notes(path, export)))


def playlists(path: Path) -> list[Tracklist]:
    """Read the playlists, each in its order and without podcasts.

    Raises
    ------
    NotFoundError, DataError
        As `read`.
    """
    made = []
    for title, tracks in _read(path).playlists:
        entries = [Entry((t.uri or "").removeprefix(_TRACK), t.title, t.artist, t.album) for t in tracks]
        made.append(Tracklist(title, entries))
    return made


def _notes(path: Path, export: _Export) -> list[str]:
    notes = []
    if export.playlists:
        notes.append(f"{path}: {len(export.playlists):,} playlists")
    if export.plays:
        when = f" from {min(export.days)[:10]} to {max(export.days)[:10]}" if export.days else ""
        notes.append(f"{path}: {export.plays.total():,} plays of 30 s or more{when}; the most played come first")
    notes += [f"{path}: {n:,} {what} left out" for what, n in export.left_out.items()]
    notes += [f"left out: {broken}" for broken in export.broken]
    notes.append(
        f"{path}: Spotify exports no features, keys or tempos; name a table that has them with --enrich-from"
    )
    return notes


def _read(path: Path) -> _Export:
    export, seen = _Export(), 0
    for name, content in _parts(path):
        seen += 1
        try:
            _take(_json(content, name), _kind(name) or _kind_of((content or b"")[: 1 << 12]), export, name)
        except DataError as error:  # the other parts can still be used
            export.broken.append(str(error))
    if not seen:
        raise DataError(path, "holds none of YourLibrary.json, Playlist1.json and Streaming_History_Audio_*.json")
    if len(export.broken) == seen:
        raise DataError(export.broken[0].partition(": ")[0], export.broken[0].partition(": ")[2])
    return export


def _parts(path: Path) -> Iterator[tuple[str, bytes | None]]:
    """Name and content of each part of an export, in order; None for what cannot be read."""
    try:
        if path.is_dir():
            for file in _in_folder(path):
                yield str(file), _content(file)
        elif _start(path) == b"PK\x03\x04":
            budget = Budget(path)
            with zipfile.ZipFile(path) as archive:
                for part in sorted(archive.infolist(), key=lambda part: part.filename):
                    if _kind(part.filename):
                        yield f"{path}/{part.filename}", _unpacked(archive, part, budget)
        else:
            yield str(path), path.read_bytes()
    except ZIP_ERRORS as error:
        raise DataError(path, f"is not a readable zip file ({str(error)[:100]})") from None
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise NotFoundError(f"{path}: there is no such file") from None
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


def _unpacked(archive: zipfile.ZipFile, part: zipfile.ZipInfo, budget: Budget) -> bytes | None:
    try:
        return unpacked(archive, part, budget) if part.file_size <= _MOST_BYTES else None
    except (OSError, *ZIP_ERRORS):
        return None


def _in_folder(path: Path) -> list[Path]:
    """Parts of an export in a folder, or in a folder of it."""
    folders = sorted(folder for folder in path.iterdir() if folder.is_dir())
    searched = [path, *(folders if len(folders) <= _MOST_FOLDERS else [])]
    return [file for folder in searched for file in _files(folder) if _kind(file.name)]


def _files(folder: Path) -> list[Path]:
    """Files of a folder, in order; none where it may not be read."""
    try:
        return sorted(file for file in folder.iterdir() if file.is_file())
    except OSError:
        return []


def _kind(name: str) -> re.Pattern[str] | None:
    """Kind of a part by its name, None if it is not read."""
    stem = name.replace("\\", "/").rsplit("/", 1)[-1]
    return next((kind for kind in (_LIBRARY, _PLAYLISTS, _HISTORY) if kind.fullmatch(stem)), None)


def _kind_of(start: bytes) -> re.Pattern[str] | None:
    """Kind of a part by its first bytes."""
    start = start.removeprefix(b"\xef\xbb\xbf")
    return next((kind for kind, begins in _BEGINNINGS.items() if begins.match(start)), None)


def _json(content: bytes | None, name: str) -> Any:
    if content is None:
        raise DataError(name, "cannot be read")
    try:
        return json.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        raise DataError(name, f"is not JSON ({str(error)[:100]})") from None


def _take(content: Any, kind: re.Pattern[str] | None, export: _Export, name: str) -> None:
    """Add the content of one part; malformed entries are left out."""
    if kind is _HISTORY:
        if not isinstance(content, list):
            raise DataError(name, "is not a history: it is not a list of plays")
        _take_plays([play for play in content if isinstance(play, dict)], export)
        return
    wanted = "tracks" if kind is _LIBRARY else "playlists"
    lists = content.get(wanted) if isinstance(content, dict) else None
    if not isinstance(lists, list):
        raise DataError(name, f"is not a part of Spotify's export: it has no list of {wanted}")
    if kind is _LIBRARY:
        tracks = [_track(each, "uri", "track", "artist", "album") for each in lists]
        export.tracks += [track for track in tracks if track is not None]
        return
    for each in lists:
        entries = each.get("items") if isinstance(each, dict) else None
        if isinstance(entries, list):
            found = [_entry(entry) for entry in entries]
            export.playlists.append((_text(each.get("name")) or "", [track for track in found if track is not None]))
            if skipped := found.count(None):
                export.left_out["podcasts and untitled entries of playlists"] += skipped


def _take_plays(plays: list[dict[str, Any]], export: _Export) -> None:
    for play in plays:
        track = _track(
            play,
            "spotify_track_uri",
            *("master_metadata_track_name", "master_metadata_album_artist_name", "master_metadata_album_album_name"),
        ) or _track(play, "", "trackName", "artistName", "")
        if track is None:
            export.left_out["podcasts and videos played"] += 1
            continue
        lasted = play.get("ms_played", play.get("msPlayed"))
        if isinstance(lasted, int | float) and lasted >= _PLAYED_MS:
            export.plays[track] += 1
            if day := _text(play.get("ts") or play.get("endTime")):
                export.days.append(day)


def _entry(entry: Any) -> _Track | None:
    """The track of an entry of a playlist; None for podcasts."""
    if not isinstance(entry, dict):
        return None
    track = _track(entry.get("track"), "trackUri", "trackName", "artistName", "albumName")
    return (
        track or _local(entry.get("localTrack")) or _track(entry, "trackUri", "trackName", "artistName", "albumName")
    )


def _local(track: Any) -> _Track | None:
    """A local file in a playlist: spotify:local:artist:album:title:seconds."""
    uri = _text(track.get("uri")) if isinstance(track, dict) else None
    parts = [unquote_plus(part).strip() or None for part in (uri or "").split(":")[2:]]
    return _Track(None, parts[2], parts[0], parts[1]) if len(parts) == 4 and parts[2] else None


def _track(fields: Any, uri: str, title: str, artist: str, album: str) -> _Track | None:
    """A track from the fields with these names; None without a title, and for podcasts."""
    if not isinstance(fields, dict):
        return None
    link, name = _text(fields.get(uri)), _text(fields.get(title))
    if not name or (link and not link.startswith(_TRACK)):
        return None
    return _Track(link, name, _text(fields.get(artist)), _text(fields.get(album)))


def _text(value: Any) -> str | None:
    """A text without half surrogate pairs; None for anything else, and for blanks."""
    return value.encode("utf-8", "replace").decode().strip() or None if isinstance(value, str) else None
