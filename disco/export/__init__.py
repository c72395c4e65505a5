"""Playlists as files: JSON, CSV and M3U8, whole or not at all, and nothing overwritten unasked."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from disco.catalogue.text import printable
from disco.errors import DataError, DiscoError
from disco.playlist import Playlist
from disco.sources import DEMO_NAME

# Spotify ids are 22 characters of base 62; such a track without a file is played from its page.
_SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")


def as_json(playlist: Playlist) -> str:
    """One JSON object, the same that `--json` prints."""
    return json.dumps(playlist.as_dict(), ensure_ascii=False, indent=2) + "\n"


def as_csv(playlist: Playlist) -> str:
    """One row a track with all that is known of it; read back as a catalogue by the same names."""
    rows: list[dict[str, Any]] = []
    for said, track in zip(playlist.as_dict()["tracks"], playlist.tracks.table.to_pylist(), strict=True):
        lists = {name: _joined(track[name] or []) for name in ("artists", "genres")}
        rows.append({"position": said["position"], "seed": said["seed"], **track, **lists, **(said["join"] or {})})
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names, lineterminator="\r\n")  # as the standard has it, so that \r is quoted too
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().replace("\0", " ")  # a file with a zero byte is no text, to most readers


def _joined(names: list[str]) -> str:
    """Names joined by semicolons; as a list literal where a name would be taken apart when read back."""
    return repr(names) if any(set(";,[]\\") & set(name) for name in names) else ";".join(names)


def as_m3u8(playlist: Playlist) -> str:
    """An extended M3U in UTF-8: file paths where known, else the track's page on Spotify, else its id."""
    lines = ["#EXTM3U", f"#PLAYLIST:{printable(playlist.name)}"]
    if playlist.catalogue["where"] == DEMO_NAME:
        lines.append(f"# From {DEMO_NAME}: there is nothing to hear.")
    for track in playlist.tracks.table.to_pylist():
        seconds = -1 if track["duration_ms"] is None else round(track["duration_ms"] / 1000)
        name = " - ".join(filter(None, (printable(", ".join(track["artists"] or [])), printable(track["title"]))))
        lines += [f"#EXTINF:{seconds},{name or printable(track['track_id'])}", location(track)]
    return "\n".join(lines) + "\n"


def location(track: dict[str, Any]) -> str:
    """Where a player finds a track, on one line that is no comment."""
    path = printable(track["path"])
    found = path or printable(track["track_id"])
    if not path and _SPOTIFY_ID.fullmatch(found):
        return f"https://open.spotify.com/track/{found}"
    return f"./{found}" if found.startswith("#") or not found else found


FORMATS: dict[str, Callable[[Playlist], str]] = {".json": as_json, ".csv": as_csv, ".m3u8": as_m3u8}


def check(where: Path, force: bool, suffixes: tuple[str, ...]) -> None:
    """Refuse a file that may not be written, before any work is done for it.

    Raises
    ------
    DiscoError, DataError
        If its format is not known, its folder is not there, or it exists and `force` is false.
    """
    if where.suffix.lower() not in suffixes:
        raise DiscoError(f"{where}: its ending tells the format; known are {', '.join(suffixes)}")
    if not where.parent.is_dir():
        raise DataError(where, f"cannot be written: there is no folder {where.parent}")
    try:
        folder, taken = where.is_dir(), where.exists()
    except OSError as error:
        raise DataError(where, f"cannot be written ({error.strerror})") from None
    if folder:
        raise DataError(where, "is a folder")
    if taken and not force:
        raise DataError(where, "exists already; --force overwrites it")


def write(text: str, where: Path, force: bool = False) -> None:
    """Write a text beside its place and move it there: never half a file, and nothing lost unasked."""
    check(where, force, (where.suffix.lower(),))
    beside = where.with_name(f".disco-{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8", errors="replace", newline="\n")
        beside.replace(where)
    except OSError as error:
        raise DataError(where, f"cannot be written ({error.strerror})") from None
    finally:
        beside.unlink(missing_ok=True)
