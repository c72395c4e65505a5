"""Songs of the server that are the same recordings as tracks of a catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from disco.catalogue import Catalogue
from disco.catalogue.same_recording import Recordings
from disco.catalogue.text import song_key
from disco.sources.services.navidrome.client import Client
from disco.sources.services.spotify.responses import ID

# What the server's own ids look like.
_SERVER_ID = re.compile(r"[\w-]{16,64}", re.ASCII)


def find_ids(client: Client, tracks: Catalogue) -> list[str | None]:
    """The server's id of each track, None where it has no recording that is surely the same."""
    return [find(client, track) for track in tracks.table.to_pylist()]


def find(client: Client, track: dict[str, Any]) -> str | None:
    """Find a track on the server, by the rules of `disco.catalogue.same_recording`.

    Parameters
    ----------
    client : Client
    track : dict
        Values of a row by the names of `SCHEMA`.

    Returns
    -------
    str or None
        The server's id of the track; None if it does not have the recording.
    """
    title, artist = track["title"] or "", next(iter(track["artists"] or []), None) or ""
    track_id = track["track_id"]
    if _SERVER_ID.fullmatch(track_id) and not ID.fullmatch(track_id) and (song := client.song(track_id)):
        return str(song["id"])
    file_name = PurePosixPath((track["path"] or "").replace("\\", "/")).stem
    # The server looks for words as they are written, so the title without accents and remarks is another query; the
    # file's name is one where a tag is empty.
    for text in dict.fromkeys((f"{title} {artist}", title, song_key(title, "").strip(), file_name)):
        if chosen := _same(client.search(text), track):
            return chosen
    return None


def _same(songs: Sequence[dict[str, Any]], track: Mapping[str, Any]) -> str | None:
    """Id of the song that is the same recording as a track, None if there is none."""
    found = Catalogue.from_tracks(row for song in songs for row in _rows(song))
    row = Recordings(found).find_tracks(Catalogue.from_tracks([track]))[0]
    return None if row < 0 else found.ids(np.array([row]))[0]


def _rows(song: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A song as tracks: one for each of its ISRCs and ways to name its artists."""
    isrcs = song.get("isrc")
    isrcs = [code for code in (isrcs if isinstance(isrcs, list) else [isrcs]) if isinstance(code, str)]
    duration = song.get("duration")
    track = {
        "track_id": song["id"],
        "title": _text(song, "title"),
        "path": _text(song, "path"),
        "duration_ms": round(duration * 1000) if isinstance(duration, int | float) and 0 < duration < 1e6 else None,
    }
    artists = dict.fromkeys(filter(None, (_text(song, name) for name in ("artist", "displayArtist"))))
    return [
        {**track, "artists": [artist] if artist else None, "isrc": code}
        for artist in (*artists,) or (None,)
        for code in (*isrcs,) or (None,)
    ]


def _text(song: Mapping[str, Any], name: str) -> str | None:
    return song[name] if isinstance(song.get(name), str) else None
