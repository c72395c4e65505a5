"""Songs of the server that are our tracks: by its own id, the file, the ISRC, or artist and title."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from disco.catalogue import Catalogue
from disco.catalogue.text import song_key
from disco.sources.services.navidrome.client import Client
from disco.sources.services.spotify.responses import ID

# Two releases of one title differ by less; a remix or a live take by more, most often.
NEAR_S = 3.0
# What the server's own ids look like.
_OWN = re.compile(r"[\w-]{16,64}", re.ASCII)


def find_ids(client: Client, tracks: Catalogue) -> list[str | None]:
    """The server's id of each track, None where it has no recording that is surely the same."""
    return [find(client, track) for track in tracks.table.to_pylist()]


def find(client: Client, track: dict[str, Any]) -> str | None:
    """The server's id of a track, None if it has no recording that is surely the same."""
    title, artists = track["title"] or "", track["artists"] or []
    artist = artists[0] if artists else ""
    own = track["track_id"]
    if _OWN.fullmatch(own) and not ID.fullmatch(own) and (song := client.song(own)):
        return str(song["id"])
    name = PurePosixPath((track["path"] or "").replace("\\", "/")).stem
    # The server looks for words as they are written, so the plain spelling is a question of its own; the file's name
    # is one where a tag is empty.
    for text in dict.fromkeys((f"{title} {artist}", title, song_key(title, "").strip(), name)):
        if chosen := _same(client.search(text), track, title, artist):
            return chosen
    return None


def _same(songs: Sequence[dict[str, Any]], track: dict[str, Any], title: str, artist: str) -> str | None:
    """Of songs that were found the same as a track, by the surest sign that any of them bears."""
    isrc = (track["isrc"] or "").replace("-", "").upper()
    for one in songs:
        if one["id"] == track["track_id"] or _is_end(one.get("path"), track["path"]):
            return str(one["id"])
    for one in songs:
        codes = one.get("isrc")
        codes = codes if isinstance(codes, list) else [codes]
        if isrc and isrc in [code.replace("-", "").upper() for code in codes if isinstance(code, str)]:
            return str(one["id"])
    named = []
    for one in songs:
        theirs = _texts(one, "artist", "displayArtist")
        keys = {song_key(each, who) for each in _texts(one, "title") for who in theirs}
        if title and artist and song_key(title, artist) in keys:
            apart = _apart(one.get("duration"), track["duration_ms"])
            # An equal title first, then the nearest length: of several versions the one that was meant.
            named.append((one.get("title") != title, apart, str(one["id"])))
    alike = [one for one in named if one[1] <= NEAR_S]
    return min(alike)[2] if alike else None


def _is_end(theirs: Any, ours: str | None) -> bool:
    """Whether a path below the server's music folder is the end of ours, folders and all."""
    if not isinstance(theirs, str) or not ours:
        return False
    end, whole = (PurePosixPath(path.replace("\\", "/")).parts for path in (theirs, ours))
    if end and end[0] == "/":
        return end == whole
    # A bare name says too little: "01 Intro.mp3" is in many folders.
    return len(end) > 1 and whole[-len(end) :] == end


def _apart(duration_s: Any, duration_ms: int | None) -> float:
    """Seconds between two lengths; 0 where one is unknown."""
    if not isinstance(duration_s, int | float) or not duration_s or not duration_ms:
        return 0.0
    return abs(duration_s - duration_ms / 1000)


def _texts(song: dict[str, Any], *names: str) -> list[str]:
    return [song[name] for name in names if isinstance(song.get(name), str)]
