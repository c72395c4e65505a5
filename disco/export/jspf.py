"""JSPF, the playlist format of ListenBrainz; what it has no field for is in the extension of MusicBrainz."""

from __future__ import annotations

import json
from typing import Any

from disco.export.style import SPOTIFY_ID, Style, absolute_path, artist_text
from disco.playlist.playlist import Playlist
from disco.sources.file_urls import to_url
from disco.sources.files.jspf import MBID, RECORDING, TRACK


def to_jspf(playlist: Playlist, style: Style = Style()) -> str:  # noqa: B008 - frozen
    """Format a playlist as JSPF.

    The identifier of a track is its page on Spotify or MusicBrainz, where it has one; an id that is a UUID is taken
    for that of a MusicBrainz recording.
    """
    tracks = [_track(track) for track in playlist.tracks.table.to_pylist()]
    content = {"playlist": {"title": playlist.name, "track": tracks}}
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _track(track: dict[str, Any]) -> dict[str, Any]:
    path, track_id = absolute_path(track), track["track_id"]
    page = None
    if SPOTIFY_ID.fullmatch(track_id):
        page = f"https://open.spotify.com/track/{track_id}"
    elif MBID.fullmatch(track_id):
        page = RECORDING + track_id
    more = {name: track[name] for name in ("track_id", "isrc", "tempo_bpm", "key", "mode")}
    fields = {
        "identifier": [page] if page else None,
        "location": [to_url(path)] if path else None,
        "title": track["title"],
        "creator": artist_text(track) or None,
        "album": track["album"],
        "duration": track["duration_ms"],
        "extension": {TRACK: {"additional_metadata": {name: v for name, v in more.items() if v is not None}}},
    }
    return {name: value for name, value in fields.items() if value is not None}
