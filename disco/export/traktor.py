"""Traktor NML: right-click on Playlists, "Import Playlist"."""

from __future__ import annotations

import hashlib
from typing import Any

from disco.export.style import Style, absolute_path, artist_text, key_text, xml_tag, xml_text
from disco.playlist.playlist import Playlist
from disco.sources.entries import ID_PREFIX
from disco.sources.file_urls import to_traktor


def to_nml(playlist: Playlist, style: Style = Style()) -> str:  # noqa: B008 - frozen
    """Format a playlist as a Traktor collection with one playlist; a track without a file has no LOCATION."""
    entries, keys = [], []
    for track in playlist.tracks.table.to_pylist():
        key, lines = _entry(track, style)
        entries += lines
        keys.append(f"<ENTRY>{xml_tag('PRIMARYKEY', {'TYPE': 'TRACK', 'KEY': key})}</ENTRY>")
    # Deterministic, so that the same playlist is written as the same file.
    uuid = hashlib.sha256("\0".join([playlist.name, *keys]).encode(errors="replace")).hexdigest()[:32]
    count = len(keys)
    lines = [
        '<?xml version="1.0" encoding="UTF-8" standalone="no" ?>',
        '<NML VERSION="19"><HEAD COMPANY="www.native-instruments.com" PROGRAM="Traktor"/>',
        "<MUSICFOLDERS/>",
        xml_tag("COLLECTION", {"ENTRIES": count}, ">"),
        *entries,
        "</COLLECTION>",
        '<SETS ENTRIES="0"/>',
        '<PLAYLISTS><NODE TYPE="FOLDER" NAME="$ROOT"><SUBNODES COUNT="1">',
        xml_tag("NODE", {"TYPE": "PLAYLIST", "NAME": playlist.name}, ">"),
        xml_tag("PLAYLIST", {"ENTRIES": count, "TYPE": "LIST", "UUID": uuid}, ">"),
        *keys,
        "</PLAYLIST></NODE>",
        "</SUBNODES></NODE></PLAYLISTS>",
        "<INDEXING/>",
        "</NML>",
    ]
    return "\n".join(lines) + "\n"


def traktor_path(track: dict[str, Any]) -> str | None:
    """The path by which Traktor finds a track's file, None if it has none or XML cannot hold it."""
    return xml_text(absolute_path(track))


def _entry(track: dict[str, Any], style: Style) -> tuple[str, list[str]]:
    """The key by which the playlist refers to a track, and the lines of its entry in the collection."""
    path, duration, bpm = traktor_path(track), track["duration_ms"], track["tempo_bpm"]
    has_key = track["key"] is not None and track["mode"] is not None
    location, key = [], ID_PREFIX + track["track_id"]
    if path is not None:
        volume, folder, name = to_traktor(path)
        location, key = [xml_tag("LOCATION", {"DIR": folder, "FILE": name, "VOLUME": volume})], volume + folder + name
    info = {
        "GENRE": ", ".join(track["genres"] or []) or None,
        "COMMENT": None if path else key,
        "KEY": key_text(track, style.key_names),
        "PLAYTIME": None if duration is None else round(duration / 1000),
        "PLAYTIME_FLOAT": None if duration is None else f"{duration / 1000:.6f}",
    }
    return key, [
        xml_tag("ENTRY", {"TITLE": track["title"] or "", "ARTIST": artist_text(track)}, ">"),
        *location,
        *([xml_tag("ALBUM", {"TITLE": track["album"]})] if track["album"] else []),
        xml_tag("INFO", info),
        *([xml_tag("TEMPO", {"BPM": f"{bpm:.6f}", "BPM_QUALITY": "100.000000"})] if bpm else []),
        *([xml_tag("MUSICAL_KEY", {"VALUE": track["key"] + (0 if track["mode"] else 12)})] if has_key else []),
        "</ENTRY>",
    ]
