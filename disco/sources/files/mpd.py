"""Million Playlist JSON: a slice, or a folder or zip file of slices.

The format is that of Chen et al., "RecSys Challenge 2018", 2018. Slices contain names, albums and durations of
tracks, but no features.
"""

from __future__ import annotations

import zipfile
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from disco.catalogue import Catalogue
from disco.errors import DataError
from disco.sources.files import columns, mpd_slices, playlist_tables
from disco.sources.limits import ZIP_ERRORS, Budget
from disco.sources.tracklist import Entry, Tracklist

NAME = "Million Playlist JSON"


def can_read(path: Path) -> bool:
    """Whether this is a slice, or a folder or zip file with one, judged by the first bytes; never raises."""
    try:
        if path.is_dir():
            return any(
                _is_slice(_start(file))
                for file in islice(sorted(file for file in path.glob("*.json") if file.is_file()), 3)
            )
        if _start(path)[:4] != b"PK\x03\x04":
            return _is_slice(_start(path))
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".json")][:3]
            for name in names:
                with archive.open(name) as file:
                    if _is_slice(file.read(1 << 13)):
                        return True
    except (OSError, ValueError, *ZIP_ERRORS):
        pass
    return False


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(1 << 13)


def _is_slice(start: bytes) -> bool:
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    return start[:1] == b"{" and b'"playlists"' in start and (b'"pid"' in start or b'"track_uri"' in start)


def read(path: Path) -> Catalogue:
    """Read the tracks, in the order of their first mention.

    Raises
    ------
    NotFoundError, DataError
        With the slice, and what is wrong with it.
    """
    tracks: dict[str, dict[str, Any]] = {}
    n = 0
    budget = Budget(path)
    for source in playlist_tables.find(path):
        for playlist in mpd_slices.parsed(source, budget):
            n += 1
            for track in playlist["tracks"]:
                tracks.setdefault(track["track_uri"], track)
    if not tracks:
        raise DataError(path, "holds no track")
    found = list(tracks.values())
    raw = pa.table(
        {
            "track_uri": mpd_slices.texts([track["track_uri"] for track in found]),
            "track_name": mpd_slices.texts([track.get("track_name") for track in found]),
            "artist_name": mpd_slices.texts([track.get("artist_name") for track in found]),
            "album_name": mpd_slices.texts([track.get("album_name") for track in found]),
            "duration_ms": pa.array([_number(track.get("duration_ms")) for track in found], pa.float64()),
        }
    )
    # A slice names one artist per track, whose name may contain commas and semicolons.
    names = raw["artist_name"].combine_chunks()
    offsets = pa.array(np.r_[0, np.cumsum(names.is_valid().to_numpy(zero_copy_only=False))], pa.int32())
    raw = raw.set_column(2, "artist_name", pa.ListArray.from_arrays(offsets, names.drop_null()))
    catalogue = columns.catalogue(raw, raw.column_names, path, lambda row: "", in_ms=True)
    notes = (
        *catalogue.notes,
        f"{path}: {n:,} playlists",
        f"{path}: has no features; --enrich-from adds them",
    )
    return Catalogue(catalogue.table, catalogue.where, notes)


def playlists(path: Path) -> list[Tracklist]:
    """Read every playlist that has a track.

    Raises
    ------
    NotFoundError, DataError
        As `read`.
    """
    made = []
    budget = Budget(path)
    for source in playlist_tables.find(path):
        for playlist in mpd_slices.parsed(source, budget):
            tracks = playlist["tracks"]
            entries = [
                Entry(
                    id=_text(track["track_uri"]).removeprefix("spotify:track:"),
                    title=_text(track.get("track_name")),
                    artist=_text(track.get("artist_name")),
                    album=_text(track.get("album_name")),
                    duration_ms=_number(track.get("duration_ms")),
                )
                for track in tracks
            ]
            made += [Tracklist(_text(playlist.get("name")), entries)] if tracks else []
    return made


def _text(value: Any) -> str:
    return value.encode("utf-8", "replace").decode().strip() if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e12 else None
