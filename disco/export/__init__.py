"""Playlists as files, one module per format: written completely or not at all, and nothing overwritten unasked."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disco.errors import DataError, DiscoError
from disco.export.console_table import show
from disco.export.style import KEY_NAMES, PATHS, Style, absolute
from disco.playlist.playlist import Playlist
from disco.sources.storage import write_atomic

if TYPE_CHECKING:
    from disco.export.jspf import as_jspf
    from disco.export.m3u8 import as_m3u8, location
    from disco.export.record import as_json
    from disco.export.rekordbox import as_rekordbox
    from disco.export.table import as_csv
    from disco.export.traktor import as_nml

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

# Function that writes a format, by the ending of the file.
_WRITERS = {
    ".json": "as_json",
    ".csv": "as_csv",
    ".m3u8": "as_m3u8",
    ".jspf": "as_jspf",
    ".xml": "as_rekordbox",
    ".nml": "as_nml",
}
FORMATS = tuple(_WRITERS)
# Modules of the formats, imported when a format is first used.
_HOMES = {
    "as_json": "disco.export.record",
    "as_csv": "disco.export.table",
    "as_m3u8": "disco.export.m3u8",
    "location": "disco.export.m3u8",
    "as_jspf": "disco.export.jspf",
    "as_rekordbox": "disco.export.rekordbox",
    "as_nml": "disco.export.traktor",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'disco.export' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def save(
    playlist: Playlist,
    path: str | Path,
    style: Style = Style(),  # noqa: B008 - frozen
    force: bool = False,
) -> list[str]:
    """Write a playlist in the format of a file's ending: .json, .csv, .m3u8, .jspf, .xml (rekordbox), .nml (Traktor).

    Parameters
    ----------
    playlist : Playlist
    path : str or Path
        Relative paths of audio files begin in its folder.
    style : Style
        Paths and key names in the file.
    force : bool
        Whether an existing file is overwritten.

    Returns
    -------
    list of str
        Notes for the user, such as how many tracks have no audio file.

    Raises
    ------
    DiscoError
        If the format is not known, the folder does not exist, or the file exists and `force` is false.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    check(path, force, FORMATS)
    text: str = __getattr__(_WRITERS[suffix])(playlist, replace(style, folder=path.parent))
    write(text, path, force)
    program = {".xml": "rekordbox", ".nml": "Traktor"}.get(suffix)
    tracks = playlist.tracks.table.select(["path"]).to_pylist() if program else []
    missing = sum(_file_of(suffix, track) is None for track in tracks)
    if not missing:
        return []
    return [f"{path}: {missing:,} of {len(playlist):,} tracks have no file; {program} cannot load them"]


def _file_of(suffix: str, track: dict[str, Any]) -> str | None:
    """The audio file by which a DJ program finds a track."""
    if suffix == ".nml":
        from disco.export.traktor import file_of

        return file_of(track)
    return absolute(track)


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
