"""CSV with the columns of Exportify, which other programs read, followed by all others.

DISCO reads the whole table as a catalogue.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from disco.export.style import SPOTIFY_ID, Style
from disco.playlist.playlist import Playlist

# Exportify's header (github.com/pavelkomarov/exportify), and the columns of a catalogue that hold the same.
COLUMNS = {
    "Track URI": "track_id",
    "Track Name": "title",
    "Album Name": "album",
    "Artist Name(s)": "artists",
    "Release Date": None,
    "Duration (ms)": "duration_ms",
    "Popularity": "popularity",
    "Explicit": "explicit",
    "Added By": None,
    "Added At": None,
    "Genres": "genres",
    "Record Label": None,
    "Danceability": "danceability",
    "Energy": "energy",
    "Key": "key",
    "Loudness": "loudness",
    "Mode": "mode",
    "Speechiness": "speechiness",
    "Acousticness": "acousticness",
    "Instrumentalness": "instrumentalness",
    "Liveness": "liveness",
    "Valence": "valence",
    "Tempo": "tempo_bpm",
    "Time Signature": "time_signature",
}

# A file with such characters is no text to many readers, DISCO's own among them.
_CONTROLS = re.compile("[\0-\x08\x0b\x0e-\x19\x1c-\x1f]")


def to_csv(playlist: Playlist, style: Style = Style()) -> str:  # noqa: B008 - frozen
    """Format a playlist as CSV, one row per track."""
    rows: list[dict[str, Any]] = []
    for record, track in zip(playlist.as_dict()["tracks"], playlist.tracks.table.to_pylist(), strict=True):
        row = {**track, "track_id": _uri(track["track_id"])}
        row |= {"artists": _artists(track["artists"] or []), "genres": _genres(track["genres"] or [])}
        exportify = {name: row.pop(column) if column else None for name, column in COLUMNS.items()}
        rows.append(
            {**exportify, **row, "position": record["position"], "seed": record["seed"], **(record["join"] or {})}
        )
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names, lineterminator="\r\n")  # as the standard has it, so that \r is quoted too
    writer.writeheader()
    if not style.formulas:
        rows = [{name: _harmless(cell) for name, cell in row.items()} for row in rows]
    writer.writerows(rows)
    return _CONTROLS.sub(" ", text.getvalue())


def _harmless(cell: Any) -> Any:
    """A cell that no spreadsheet calculates: an apostrophe before a text that begins as a formula does."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip()[:1] in tuple("=+-@") else cell


def _uri(track_id: str) -> str:
    return f"spotify:track:{track_id}" if SPOTIFY_ID.fullmatch(track_id) else track_id


def _artists(names: list[str]) -> str:
    """Names joined by semicolons; a list literal where a name would otherwise be split when read."""
    if any(set(";[]\\") & set(name) for name in names):
        return repr(names)
    # With a semicolon behind it, a single name is not split at its comma.
    return ";".join(names) + (";" if len(names) == 1 and "," in names[0] else "")


def _genres(names: list[str]) -> str:
    return repr(names) if any(set(";,[]\\") & set(name) for name in names) else ";".join(names)
