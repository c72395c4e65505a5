"""Serato crates: copy the file into `_Serato_/Subcrates` of the drive that the music is on, and restart Serato.

A crate names its tracks by nothing but their paths from the root of their drive, so that a track without a file
cannot be in it. Serato names the crate after the file.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from disco.errors import DiscoError
from disco.export.style import Style, absolute_path
from disco.playlist.playlist import Playlist
from disco.sources.dj.serato_library import COLUMNS, VERSION, chunk, root_of
from disco.sources.file_urls import from_drive


def to_crate(playlist: Playlist, style: Style = Style()) -> bytes:  # noqa: B008 - frozen
    """Format a playlist as a crate in its order; tracks without a file are left out.

    Raises
    ------
    DiscoError
        If no track has a file.
    """
    paths = [path for track in playlist.tracks.table.to_pylist() if (path := crate_path(track, style))]
    if not paths:
        raise DiscoError("no track has a file, and a crate of Serato names nothing else; write .m3u8 or .csv instead")
    parts = [chunk("vrsn", VERSION), chunk("osrt", chunk("tvcn", "#") + chunk("brev", b"\0"))]
    parts += [chunk("ovct", chunk("tvcn", name) + chunk("tvcw", "0")) for name in COLUMNS]
    return b"".join([*parts, *(chunk("otrk", chunk("ptrk", path)) for path in paths)])


def crate_path(track: dict[str, Any], style: Style) -> str | None:
    """The path by which Serato finds a track's file, from the root of its drive; None if it has none.

    In Serato's folder on a drive the paths begin at that drive; elsewhere at the drive that a path itself names.
    """
    path = absolute_path(track)
    if path is None or "\0" in path or any(0xD800 <= ord(character) < 0xE000 for character in path):
        return None
    root, slashed = root_of(style.folder), path.replace("\\", "/") if path[1:3] == ":\\" else path
    if root and PurePosixPath(slashed).is_relative_to(root):
        return str(PurePosixPath(slashed).relative_to(root))
    return from_drive(slashed)
