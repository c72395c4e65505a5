"""M3U8, which every player reads."""

from __future__ import annotations

import os
from typing import Any

from disco.catalogue.text import printable
from disco.export.style import SPOTIFY_ID, Style, absolute_path, artist_text
from disco.playlist.playlist import Playlist
from disco.sources import DEMO_NAME
from disco.sources.file_urls import is_absolute, to_url


def to_m3u8(playlist: Playlist, style: Style = Style()) -> str:  # noqa: B008 - frozen
    """Format a playlist as extended M3U in UTF-8: file paths where known, else pages on Spotify, else ids."""
    lines = ["#EXTM3U", f"#PLAYLIST:{printable(playlist.name)}"]
    if playlist.catalogue["where"] == DEMO_NAME:
        lines.append(f"# From {DEMO_NAME}: there is nothing to hear.")
    for track in playlist.tracks.table.to_pylist():
        seconds = -1 if track["duration_ms"] is None else round(track["duration_ms"] / 1000)
        name = " - ".join(filter(None, (printable(artist_text(track)), printable(track["title"]))))
        lines += [f"#EXTINF:{seconds},{name or printable(track['track_id'])}", track_location(track, style)]
    return "\n".join(lines) + "\n"


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


def _relative(path: str, folder: str) -> str:
    """A path relative to a folder; unchanged on another drive or from another operating system."""
    try:
        return os.path.relpath(path, folder) if is_absolute(path) and path.startswith(os.sep) else path
    except ValueError:  # on another drive
        return path
