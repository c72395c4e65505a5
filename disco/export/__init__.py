"""Playlists as files, one module per format; no existing file is overwritten without `force`."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disco.errors import DataError, DiscoError
from disco.export.console_table import show
from disco.export.style import KEY_NAMES, PATHS, Style, absolute_path
from disco.playlist.playlist import Playlist
from disco.sources.storage import write_atomic

if TYPE_CHECKING:
    from disco.export.jspf import to_jspf
    from disco.export.m3u8 import to_m3u8, track_location
    from disco.export.pls import to_pls
    from disco.export.record import to_json
    from disco.export.rekordbox import to_rekordbox
    from disco.export.serato import to_crate
    from disco.export.table import to_csv
    from disco.export.traktor import to_nml
    from disco.export.xspf import to_xspf

__all__ = [
    "FORMATS",
    "KEY_NAMES",
    "OUTPUTS",
    "PATHS",
    "Style",
    "check_output",
    "save",
    "show",
    "to_crate",
    "to_csv",
    "to_json",
    "to_jspf",
    "to_m3u8",
    "to_nml",
    "to_pls",
    "to_rekordbox",
    "to_xspf",
    "track_location",
    "write_text",
]

# Functions that write the formats, and their modules, imported when a format is first used.
_HOMES = {
    "to_json": "disco.export.record",
    "to_csv": "disco.export.table",
    "to_m3u8": "disco.export.m3u8",
    "to_jspf": "disco.export.jspf",
    "to_rekordbox": "disco.export.rekordbox",
    "to_nml": "disco.export.traktor",
    "to_crate": "disco.export.serato",
    "to_pls": "disco.export.pls",
    "to_xspf": "disco.export.xspf",
    "track_location": "disco.export.m3u8",
}
_WRITERS = {".json": "to_json", ".csv": "to_csv", ".m3u8": "to_m3u8", ".jspf": "to_jspf"}
_WRITERS |= {".xspf": "to_xspf", ".pls": "to_pls", ".xml": "to_rekordbox", ".nml": "to_nml"}
FORMATS = tuple(_WRITERS)
# Those hold any track; a crate only files.
_WRITERS |= {".crate": "to_crate"}
OUTPUTS = tuple(_WRITERS)
# What is not written, and what to write instead.
_INSTEAD = {
    ".db": "databases of Engine DJ are not written, since parts of them are not described; write FILE.xml "
    "(rekordbox) or FILE.nml (Traktor), whose libraries Engine DJ imports",
    ".edb": "rekordbox alone writes its database; write FILE.xml, which rekordbox imports",
    ".vdjfolder": "lists of VirtualDJ are not written; write FILE.m3u8, which VirtualDJ opens",
    ".m3u": "write FILE.m3u8, which is M3U in UTF-8",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'disco.export' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def save(
    playlist: Playlist,
    where: str | PathLike[str],
    style: Style = Style(),  # noqa: B008 - frozen
    force: bool = False,
    *,
    paths: str | None = None,
    key_names: str | None = None,
) -> list[str]:
    """Write a playlist to a file, in the format of its ending.

    Parameters
    ----------
    playlist : Playlist
    where : str or path
        The ending is one of `OUTPUTS`, or `.html` for a page of figures.
    style : Style
        How files and keys are named; relative paths in the file begin in its folder.
    force : bool
        Overwrite an existing file.
    paths, key_names : str, optional
        As in `style`, which they override.

    Returns
    -------
    list of str
        Notes for the user, as on tracks that the program of this format cannot load.

    Raises
    ------
    DiscoError, DataError
        If the file cannot be written; an existing file is then unchanged.
    """
    where = Path(where)
    suffix = where.suffix.lower()
    check_output(where, force, (*OUTPUTS, ".html"))
    if paths is not None and paths not in PATHS:
        raise DiscoError(f"there are no {paths!r} paths; there are: {', '.join(PATHS)}")
    if key_names is not None and key_names not in KEY_NAMES:
        raise DiscoError(f"there are no {key_names!r} names of keys; there are: {', '.join(KEY_NAMES)}")
    if suffix == ".html":
        from disco.export.plot import page  # plotly takes longer to load than the playlist to make

        write_text(page(playlist), where, force)
        return []
    style = replace(style, folder=where.parent, paths=paths or style.paths, key_names=key_names or style.key_names)
    content: str | bytes = __getattr__(_WRITERS[suffix])(playlist, style)
    check_output(where, force, (suffix,))
    write_atomic(where, content)
    # Programs that only play files.
    program = {".xml": "rekordbox", ".nml": "Traktor", ".crate": "Serato"}.get(suffix)
    tracks = playlist.tracks.table.select(["path"]).to_pylist() if program else []
    missing = sum(_file_path(suffix, track, style) is None for track in tracks)
    if not missing:
        return []
    fate = "; they are left out" if suffix == ".crate" else ""
    return [f"{where}: {missing:,} of {len(playlist):,} tracks have no file; {program} cannot load them{fate}"]


def _file_path(suffix: str, track: dict[str, Any], style: Style) -> str | None:
    """The path by which the program of a format finds a track."""
    if suffix == ".crate":
        from disco.export.serato import crate_path

        return crate_path(track, style)
    if suffix == ".nml":
        from disco.export.traktor import traktor_path

        return traktor_path(track)
    return absolute_path(track)


def check_output(where: Path, force: bool, suffixes: tuple[str, ...]) -> None:
    """Check that a file may be written, before any work is done for it.

    Raises
    ------
    DiscoError, DataError
        If its ending is not one of `suffixes`, its folder does not exist, or it exists and `force` is false.
    """
    if where.suffix.lower() in _INSTEAD and where.suffix.lower() not in suffixes:
        raise DiscoError(f"{where}: {_INSTEAD[where.suffix.lower()].replace('FILE', where.stem)}")
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
