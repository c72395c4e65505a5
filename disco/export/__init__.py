"""Playlists as files, one module per format; no existing file is overwritten without `force`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from disco.errors import DataError, DiscoError
from disco.export.console_table import show, table
from disco.export.jspf import to_jspf
from disco.export.m3u8 import to_m3u8, track_location
from disco.export.record import to_json
from disco.export.rekordbox import to_rekordbox
from disco.export.style import KEY_NAMES, PATHS, Style, absolute_path
from disco.export.table import to_csv
from disco.export.traktor import to_nml, traktor_path
from disco.playlist.playlist import Playlist
from disco.sources.storage import write_atomic

__all__ = [
    "FORMATS",
    "KEY_NAMES",
    "PATHS",
    "Style",
    "check_output",
    "save",
    "show",
    "table",
    "to_csv",
    "to_json",
    "to_jspf",
    "to_m3u8",
    "to_nml",
    "to_rekordbox",
    "track_location",
    "write_text",
]

FORMATS: dict[str, Callable[[Playlist, Style], str]] = {
    ".json": to_json,
    ".csv": to_csv,
    ".m3u8": to_m3u8,
    ".jspf": to_jspf,
    ".xml": to_rekordbox,
    ".nml": to_nml,
}
# Programs that only play files, and the path by which they find a track.
_FILE_FORMATS: dict[str, tuple[str, Callable[[dict[str, Any]], str | None]]] = {
    ".xml": ("rekordbox", absolute_path),
    ".nml": ("Traktor", traktor_path),
}


def save(playlist: Playlist, where: Path, style: Style = Style(), force: bool = False) -> list[str]:  # noqa: B008
    """Write a playlist to a file, in the format of its ending.

    Parameters
    ----------
    playlist : Playlist
    where : Path
        The ending is one of `FORMATS`; relative paths in the file begin in its folder.
    style : Style
    force : bool
        Overwrite an existing file.

    Returns
    -------
    list of str
        Notes for the user, as on tracks that the program of this format cannot load.

    Raises
    ------
    DiscoError, DataError
        If the file cannot be written; an existing file is then unchanged.
    """
    suffix = where.suffix.lower()
    check_output(where, force, tuple(FORMATS))
    write_text(FORMATS[suffix](playlist, replace(style, folder=where.parent)), where, force)
    if suffix not in _FILE_FORMATS:
        return []
    program, file_path = _FILE_FORMATS[suffix]
    missing = sum(file_path(track) is None for track in playlist.tracks.table.select(["path"]).to_pylist())
    if not missing:
        return []
    return [f"{where}: {missing:,} of {len(playlist):,} tracks have no file; {program} cannot load them"]


def check_output(where: Path, force: bool, suffixes: tuple[str, ...]) -> None:
    """Check that a file may be written, before any work is done for it.

    Raises
    ------
    DiscoError, DataError
        If its ending is not one of `suffixes`, its folder does not exist, or it exists and `force` is false.
    """
    if where.suffix.lower() not in suffixes:
        raise DiscoError(f"{where}: the ending of a file gives its format; known are {', '.join(suffixes)}")
    if not where.parent.is_dir():
        raise DataError(where, f"cannot be written: there is no folder {where.parent}")
    try:
        is_folder, exists = where.is_dir(), where.exists()
    except OSError as error:
        raise DataError(where, f"cannot be written ({error.strerror})") from None
    if is_folder:
        raise DataError(where, "is a folder")
    if exists and not force:
        raise DataError(where, "exists already; --force overwrites it")


def write_text(text: str, where: Path, force: bool = False) -> None:
    """Write a text file completely or not at all; an existing file is replaced only with `force`."""
    check_output(where, force, (where.suffix.lower(),))
    write_atomic(where, text)
