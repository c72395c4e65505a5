"""Playlists as files, one module a format: whole or not at all, and nothing overwritten unasked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from disco.errors import DataError, DiscoError
from disco.export.console_table import show
from disco.export.jspf import as_jspf
from disco.export.m3u8 import as_m3u8, location
from disco.export.record import as_json
from disco.export.rekordbox import as_rekordbox
from disco.export.style import KEY_NAMES, PATHS, Style, absolute
from disco.export.table import as_csv
from disco.export.traktor import as_nml, file_of
from disco.playlist.playlist import Playlist
from disco.sources.storage import write_atomic

__all__ = [
    "FORMATS",
    "KEY_NAMES",
    "PATHS",
    "Style",
    "as_csv",
    "as_json",
    "as_jspf",
    "as_m3u8",
    "as_nml",
    "as_rekordbox",
    "check",
    "location",
    "save",
    "show",
    "write",
]

FORMATS: dict[str, Callable[[Playlist, Style], str]] = {
    ".json": as_json,
    ".csv": as_csv,
    ".m3u8": as_m3u8,
    ".jspf": as_jspf,
    ".xml": as_rekordbox,
    ".nml": as_nml,
}
# Programs that play files alone, and the file by which they find a track.
_OF_FILES: dict[str, tuple[str, Callable[[dict[str, Any]], str | None]]] = {
    ".xml": ("rekordbox", absolute),
    ".nml": ("Traktor", file_of),
}


def save(playlist: Playlist, where: Path, style: Style = Style(), force: bool = False) -> list[str]:  # noqa: B008
    """Write a playlist in the format of a file's ending; relative paths begin in the file's folder.

    Returns
    -------
    list of str
        What the listener should be told, in sentences.
    """
    suffix = where.suffix.lower()
    write(FORMATS[suffix](playlist, replace(style, folder=where.parent)), where, force)
    if suffix not in _OF_FILES:
        return []
    program, file = _OF_FILES[suffix]
    lost = sum(file(track) is None for track in playlist.tracks.table.select(["path"]).to_pylist())
    return [f"{where}: {lost:,} of {len(playlist):,} tracks have no file; {program} cannot load them"] if lost else []


def check(where: Path, force: bool, suffixes: tuple[str, ...]) -> None:
    """Refuse a file that may not be written, before any work is done for it.

    Raises
    ------
    DiscoError, DataError
        If its format is not known, its folder is not there, or it exists and `force` is false.
    """
    if where.suffix.lower() not in suffixes:
        raise DiscoError(f"{where}: its ending tells the format; known are {', '.join(suffixes)}")
    if not where.parent.is_dir():
        raise DataError(where, f"cannot be written: there is no folder {where.parent}")
    try:
        folder, taken = where.is_dir(), where.exists()
    except OSError as error:
        raise DataError(where, f"cannot be written ({error.strerror})") from None
    if folder:
        raise DataError(where, "is a folder")
    if taken and not force:
        raise DataError(where, "exists already; --force overwrites it")


def write(text: str, where: Path, force: bool = False) -> None:
    """Write a text file completely or not at all; an existing file is replaced only with `force`."""
    check(where, force, (where.suffix.lower(),))
    write_atomic(where, text)
