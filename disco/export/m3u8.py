"""M3U8, which every player reads."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import Any

from disco.catalogue.text import printable
from disco.export.style import SPOTIFY_ID, Style, absolute_path, artist_text
from disco.playlist.playlist import Playlist
from disco.sources import DEMO_NAME
from disco.sources.file_urls import is_absolute, is_file, to_url


def to_m3u8(playlist: Playlist, style: Style = Style()) -> str:  # noqa: B008 - frozen
    """Format a playlist as extended M3U in UTF-8: file paths where known, else pages on Spotify, else ids."""
    lines = ["#EXTM3U", f"#PLAYLIST:{printable(playlist.name)}"]
    if playlist.catalogue["where"] == DEMO_NAME:
        lines.append(f"# From {DEMO_NAME}: there is nothing to hear.")
    for track, location in zip(playlist.tracks.table.to_pylist(), track_locations(playlist, style), strict=True):
        seconds = -1 if track["duration_ms"] is None else round(track["duration_ms"] / 1000)
        lines += [f"#EXTINF:{seconds},{names_of(track)}", location]
    return "\n".join(lines) + "\n"


def names_of(track: dict[str, Any]) -> str:
    """Artist and title of a track as one line, its id where neither is known."""
    name = " - ".join(filter(None, (printable(artist_text(track)), printable(track["title"]))))
    return name or printable(track["track_id"])


def track_locations(playlist: Playlist, style: Style = Style()) -> list[str]:  # noqa: B008 - frozen
    """The line by which a player finds each track; see `track_location`.

    An unmatched track whose file the list named from its own folder is named from that of the new list.
    """
    unmatched = set(playlist.unmatched)
    own = style if style.paths else replace(style, paths="relative")
    return [
        track_location(track, own if i in unmatched and _came_relative(track) else style)
        for i, track in enumerate(playlist.tracks.table.to_pylist())
    ]


def track_location(track: dict[str, Any], style: Style = Style()) -> str:  # noqa: B008 - frozen
    """The line by which a player finds a track; never a comment.

    A path with line breaks or invisible characters is written as a `file:` URL.
    """
    path = absolute_path(track)
    if path is None:
        found = printable(track["path"]) or printable(track["track_id"])
        if found == track["track_id"] and SPOTIFY_ID.fullmatch(found):
            return f"https://open.spotify.com/track/{found}"
        return f"./{found}" if found.startswith("#") or not found else found
    shown = track["path"] if style.paths is None else path
    if style.paths == "relative":
        shown = _relative(path, os.path.abspath(style.folder))  # noqa: PTH100 - links are not followed
    if shown != printable(shown):
        return to_url(path)
    return f"./{shown}" if shown.startswith("#") else shown


def _came_relative(track: dict[str, Any]) -> bool:
    """Whether the list, of which a track is no catalogue's, had the path of its file from its own folder."""
    path, given = track["path"], track["track_id"]
    if not path or not is_file(given) or is_absolute(given):
        return False
    return bool(re.split(r"[/\\]", path)[-1] == re.split(r"[/\\]", given)[-1])


def _relative(path: str, folder: str) -> str:
    """A path relative to a folder; unchanged on another drive or from another operating system."""
    try:
        return os.path.relpath(path, folder) if is_absolute(path) and path.startswith(os.sep) else path
    except ValueError:  # on another drive
        return path
