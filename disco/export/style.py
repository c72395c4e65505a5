"""Options of written playlists, and what the formats share."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from disco.catalogue.music import camelot, open_key
from disco.sources.file_urls import is_absolute, is_file, without_detours

# Spotify ids are 22 characters of base 62.
SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")
# Characters that XML 1.0 cannot represent, not even escaped (production 2, Char).
_FORBIDDEN = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_NOTES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

PATHS = ("relative", "absolute")


def classic(key: int, mode: int) -> str:
    """Name of a key as DJ programs write it, as `Am` or `Db`."""
    return f"{_NOTES[key]}{'' if mode else 'm'}"


KEY_NAMES: dict[str, Callable[[int, int], str]] = {"camelot": camelot, "classic": classic, "open": open_key}


@dataclass(frozen=True)
class Style:
    """How a playlist is written.

    Attributes
    ----------
    folder : Path
        Of the file; relative paths begin there.
    paths : str, optional
        One of `PATHS`, for M3U8; by default as in the catalogue.
    key_names : str
        One of `KEY_NAMES`, for formats in which a key is text.
    formulas : bool
        Whether texts of CSV may begin as a spreadsheet's formulas do; else they get an apostrophe in front, which
        stays where the file is read again.
    """

    folder: Path = Path()
    paths: str | None = None
    key_names: str = "camelot"
    formulas: bool = True


def absolute_path(track: dict[str, Any]) -> str | None:
    """Absolute path of a track's file, None if it has none; a relative one begins in the working directory.

    Detours as `/music/../crate` are resolved: rekordbox and Traktor take another spelling for another file.
    """
    path: str | None = track["path"]
    if path is None or not is_file(path):
        return None
    return without_detours(path) if is_absolute(path) else os.path.normpath(Path.cwd() / path)


def xml_text(text: str | None) -> str | None:
    """The text if XML can represent it, None otherwise."""
    return None if text is None or re.search(_FORBIDDEN, text) else text


def xml_escape(text: str) -> str:
    """Text for the inside of an element; characters that XML cannot represent become U+FFFD."""
    return "".join(_ESCAPES.get(c, c) for c in re.sub(_FORBIDDEN, "\ufffd", text))


def key_text(track: dict[str, Any], names: str) -> str | None:
    """Name of a track's key, None if it is unknown; `names` is one of `KEY_NAMES`."""
    known = track["key"] is not None and track["mode"] is not None
    return KEY_NAMES[names](track["key"], track["mode"]) if known else None


def artist_text(track: dict[str, Any]) -> str:
    """Artists of a track as one text."""
    return ", ".join(track["artists"] or [])


def xml_tag(name: str, attributes: dict[str, object], end: str = "/>") -> str:
    """Format the start tag of an element, or with the default `end` an empty element.

    Attributes that are None are left out. Line breaks and tabs are written as references, which a parser does not
    turn into spaces; characters that XML cannot represent become U+FFFD.
    """
    written = (f' {name}="{xml_escape(str(value))}"' for name, value in attributes.items() if value is not None)
    return f"<{name}{''.join(written)}{end}"
