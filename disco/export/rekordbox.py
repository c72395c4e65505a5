"""rekordbox XML; Preferences, Advanced, "rekordbox xml" shows it in the tree, from where it can be imported."""

from __future__ import annotations

from disco import __version__
from disco.export.style import Style, absolute_path, artist_text, key_text, xml_tag
from disco.playlist.playlist import Playlist
from disco.sources.entries import ID_PREFIX
from disco.sources.file_urls import to_url


def to_rekordbox(playlist: Playlist, style: Style = Style()) -> str:  # noqa: B008 - frozen
    """Format a playlist as a rekordbox collection with one playlist; a track without a file has no Location."""
    collection, keys = [], []
    for number, track in enumerate(playlist.tracks.table.to_pylist(), 1):
        path, bpm, duration = absolute_path(track), track["tempo_bpm"], track["duration_ms"]
        attributes = {
            "TrackID": number,
            "Name": track["title"] or "",
            "Artist": artist_text(track),
            "Album": track["album"],
            "Genre": ", ".join(track["genres"] or []) or None,
            "TotalTime": None if duration is None else round(duration / 1000),
            "AverageBpm": None if bpm is None else f"{bpm:.2f}",
            "Comments": None if path else ID_PREFIX + track["track_id"],
            "Location": None if path is None else to_url(path, "localhost"),
            "Tonality": key_text(track, style.key_names),
        }
        collection.append(f"    {xml_tag('TRACK', attributes)}")
        keys.append(f"        {xml_tag('TRACK', {'Key': number})}")
    node = {"Name": playlist.name, "Type": 1, "KeyType": 0, "Entries": len(keys)}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<DJ_PLAYLISTS Version="1.0.0">',
        f"  {xml_tag('PRODUCT', {'Name': 'DISCO', 'Version': __version__, 'Company': ''})}",
        f"  {xml_tag('COLLECTION', {'Entries': len(collection)}, '>')}",
        *collection,
        "  </COLLECTION>",
        "  <PLAYLISTS>",
        '    <NODE Type="0" Name="ROOT" Count="1">',
        f"      {xml_tag('NODE', node, '>')}",
        *keys,
        "      </NODE>",
        "    </NODE>",
        "  </PLAYLISTS>",
        "</DJ_PLAYLISTS>",
    ]
    return "\n".join(lines) + "\n"
