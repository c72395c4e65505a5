"""XSPF, which VLC, Audacious, Clementine and Strawberry read (xspf.org, version 1)."""

from __future__ import annotations

import re
from typing import Any

from disco.export.style import SPOTIFY_ID, Style, absolute_path, artist_text, xml_escape
from disco.playlist.playlist import Playlist
from disco.sources.file_urls import to_url
from disco.sources.files.jspf import MBID, RECORDING
from disco.sources.files.xspf import META


def to_xspf(playlist: Playlist, style: Style = Style()) -> str:  # noqa: B008 - frozen
    """Format a playlist as XSPF; what the format has no element for is in `meta` elements."""
    tracks = [line for track in playlist.tracks.table.to_pylist() for line in _track(track)]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<playlist version="1" xmlns="http://xspf.org/ns/0/">',
        f"  <title>{xml_escape(playlist.name)}</title>",
        "  <trackList>",
        *tracks,
        "  </trackList>",
        "</playlist>",
    ]
    return "\n".join(lines) + "\n"


def _track(track: dict[str, Any]) -> list[str]:
    path, track_id = absolute_path(track), track["track_id"]
    page = None
    if SPOTIFY_ID.fullmatch(track_id):
        page = f"https://open.spotify.com/track/{track_id}"
    elif MBID.fullmatch(track_id):
        page = RECORDING + track_id
    # The order of the elements is free; a player shows title and creator.
    fields = {
        "location": to_url(path) if path else None,
        "identifier": page,
        "title": track["title"],
        "creator": artist_text(track) or None,
        "album": track["album"],
        "duration": track["duration_ms"],
    }
    more = {name: track[name] for name in ("track_id", "isrc", "tempo_bpm", "key", "mode")}
    lines = [f"      <{name}>{xml_escape(str(v))}</{name}>" for name, v in fields.items() if _is_known(v)]
    lines += [
        f'      <meta rel="{META}{name}">{xml_escape(str(v))}</meta>' for name, v in more.items() if _is_known(v)
    ]
    return ["    <track>", *lines, "    </track>"]


def _is_known(value: Any) -> bool:
    return value is not None and re.search(r"\S", str(value)) is not None
