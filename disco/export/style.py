"""What a person may choose of a written playlist, and what its formats share."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from disco.catalogue.music import camelot, open_key
from disco.sources.file_urls import is_absolute, is_file

# Spotify ids are 22 characters of base 62.
SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")
# What XML 1.0 cannot hold, not even escaped (its production 2, Char).
_FORBIDDEN = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_NOTES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

PATHS = ("relative", "absolute")


def classic(key: int, mode: int) -> str:
    """Name of a key as DJ programs write it: `Am`, `Db`."""
    return f"{_NOTES[key]}{'' if mode else 'm'}"


KEY_NAMES: dict[str, Callable[[int, int], str]] = {"camelot": camelot, "classic": classic, "open": open_key}


@dataclass(frozen=True)
class Style:
    """How a playlist is written.

    Attributes
    ----------
    folder : Path
        Where the file will be; relative paths begin there.
    paths : str, optional
        One of `PATHS`, for formats that may have either; as the catalogue has them by default.
    key_names : str
        One of `KEY_NAMES`, where a format has text for a key.
    """

    folder: Path = Path()
    paths: str | None = None
    key_names: str = "camelot"


def absolute(track: dict[str, Any]) -> str | None:
    """The absolute path of a track's file, None if it has none: a relative one begins where DISCO runs."""
    path: str | None = track["path"]
    if path is None or not is_file(path):
        return None
    return path if is_absolute(path) else os.path.normpath(Path.cwd() / path)


def in_xml(text: str | None) -> str | None:
    """A text that XML can hold as it is, None otherwise."""
    return None if text is None or re.search(_FORBIDDEN, text) else text


def key_text(track: dict[str, Any], names: str) -> str | None:
    """A track's key as these names have it, None if it is unknown."""
    known = track["key"] is not None and track["mode"] is not None
    return KEY_NAMES[names](track["key"], track["mode"]) if known else None


def artists(track: dict[str, Any]) -> str:
    """A track's artists as one text."""
    return ", ".join(track["artists"] or [])


def xml(name: str, attributes: dict[str, object], end: str = "/>") -> str:
    """The start tag of an element, or an empty one; attributes that are None are left out.

    Line breaks and tabs are written as references, which a reader does not turn into spaces; what XML cannot hold
    is U+FFFD.
    """
    texts = {
        name: re.sub(_FORBIDDEN, "\ufffd", str(value)) for name, value in attributes.items() if value is not None
    }
    said = (f' {name}="{"".join(_ESCAPES.get(c, c) for c in text)}"' for name, text in texts.items())
    return f"<{name}{''.join(said)}{end}"
