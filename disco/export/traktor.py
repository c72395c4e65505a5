"""Traktor NML: right-click on Playlists, "Import Playlist"."""

from __future__ import annotations

import hashlib
from typing import Any

from disco.export.style import Style, absolute, artists, in_xml, key_text, xml
from disco.playlist.playlist import Playlist
from disco.sources.entries import ID_PREFIX
from disco.sources.file_urls import to_traktor


def as_nml(playlist: Playlist, style: Style = Style()) -> str:  # noqa: B008 - frozen
    """A collection of the playlist's tracks, and the playlist; a track without a file has no LOCATION."""
    entries, keys = [], []
    for track in playlist.tracks.table.to_pylist():
        key, lines = _entry(track, style)
        entries += lines
        keys.append(f"<ENTRY>{xml('PRIMARYKEY', {'TYPE': 'TRACK', 'KEY': key})}</ENTRY>")
    # The same playlist has the same number, whenever it is written.
    number = hashlib.sha256("\0".join([playlist.name, *keys]).encode(errors="replace")).hexdigest()[:32]
    count = len(keys)
    lines = [
        '<?xml version="1.0" encoding="UTF-8" standalone="no" ?>',
        '<NML VERSION="19"><HEAD COMPANY="www.native-instruments.com" PROGRAM="Traktor"/>',
        "<MUSICFOLDERS/>",
        xml("COLLECTION", {"ENTRIES": count}, ">"),
        *entries,
        "</COLLECTION>",
        '<SETS ENTRIES="0"/>',
        '<PLAYLISTS><NODE TYPE="FOLDER" NAME="$ROOT"><SUBNODES COUNT="1">',
        xml("NODE", {"TYPE": "PLAYLIST", "NAME": playlist.name}, ">"),
        xml("PLAYLIST", {"ENTRIES": count, "TYPE": "LIST", "UUID": number}, ">"),
        *keys,
        "</PLAYLIST></NODE>",
        "</SUBNODES></NODE></PLAYLISTS>",
        "<INDEXING/>",
        "</NML>",
    ]
    return "\n".join(lines) + "\n"


def file_of(track: dict[str, Any]) -> str | None:
    """The path by which Traktor finds a track's file, None if it has none or XML cannot hold it."""
    return in_xml(absolute(track))


def _entry(track: dict[str, Any], style: Style) -> tuple[str, list[str]]:
    """The key by which the playlist names a track, and its lines in the collection."""
    path, duration, bpm = file_of(track), track["duration_ms"], track["tempo_bpm"]
    known = track["key"] is not None and track["mode"] is not None
    place, key = [], ID_PREFIX + track["track_id"]
    if path is not None:
        volume, folder, name = to_traktor(path)
        place, key = [xml("LOCATION", {"DIR": folder, "FILE": name, "VOLUME": volume})], volume + folder + name
    info = {
        "GENRE": ", ".join(track["genres"] or []) or None,
        "COMMENT": None if path else key,
        "KEY": key_text(track, style.key_names),
        "PLAYTIME": None if duration is None else round(duration / 1000),
        "PLAYTIME_FLOAT": None if duration is None else f"{duration / 1000:.6f}",
    }
    return key, [
        xml("ENTRY", {"TITLE": track["title"] or "", "ARTIST": artists(track)}, ">"),
        *place,
        *([xml("ALBUM", {"TITLE": track["album"]})] if track["album"] else []),
        xml("INFO", info),
        *([xml("TEMPO", {"BPM": f"{bpm:.6f}", "BPM_QUALITY": "100.000000"})] if bpm else []),
        *([xml("MUSICAL_KEY", {"VALUE": track["key"] + (0 if track["mode"] else 12)})] if known else []),
        "</ENTRY>",
    ]
