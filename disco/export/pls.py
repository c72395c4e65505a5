"""PLS, which Winamp, foobar2000, VLC and most radio players read."""

from __future__ import annotations

from disco.catalogue.text import printable
from disco.export.m3u8 import names_of, track_locations
from disco.export.style import Style
from disco.playlist.playlist import Playlist


def to_pls(playlist: Playlist, style: Style = Style()) -> str:  # noqa: B008 - frozen
    """Format a playlist as PLS in UTF-8; files, pages on Spotify and ids are written as in M3U8."""
    lines = ["[playlist]", f"X-GNOME-Title={printable(playlist.name)}"]
    tracks = playlist.tracks.table.to_pylist()
    for number, (track, location) in enumerate(zip(tracks, track_locations(playlist, style), strict=True), 1):
        seconds = -1 if track["duration_ms"] is None else round(track["duration_ms"] / 1000)
        lines += [f"File{number}={location}", f"Title{number}={names_of(track)}", f"Length{number}={seconds}"]
    return "\n".join([*lines, f"NumberOfEntries={len(tracks)}", "Version=2"]) + "\n"
