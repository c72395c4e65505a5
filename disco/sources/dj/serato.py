"""Histories of Serato, `_Serato_/History/Sessions/*.session`.

A file is a sequence of chunks: four letters, a length in four bytes (the greatest first), and the content. `oent`
holds an entry, within it `adat` the fields, each a number, a length and a value; texts are UTF-16. A row is written
anew whenever something of it changes, so the last one of a number counts; `oren` takes a row away. There is no
official description; the fields are those that open readers of the format agree on.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from disco.errors import DataError
from disco.sources import play_times
from disco.sources.entries import number
from disco.sources.files.decoding import content_of
from disco.sources.plays import Play, PlayedSet
from disco.sources.tracklist import Entry

NAME = "Serato history"
_BEGINS = b"vrsn"
_ROW, _PATH, _TITLE, _ARTIST, _ALBUM, _GENRE, _LENGTH, _BPM = 1, 2, 6, 7, 8, 9, 10, 15
_STARTED, _ENDED, _PREVIEW, _SECONDS, _PLAYED, _KEY = 28, 29, 39, 45, 50, 51

_Fields = dict[int, bytes]


def can_read(path: Path) -> bool:
    """Whether a file begins as Serato's do; never raises."""
    try:
        with path.open("rb") as file:
            return file.read(len(_BEGINS)) == _BEGINS
    except (OSError, ValueError):
        return False


def histories(path: Path) -> list[PlayedSet]:
    """Read the set of a session; of a file that is cut off, what it still has.

    Raises
    ------
    NotFoundError, DataError
        If it cannot be read, or holds no entry.
    """
    content = content_of(path)
    if not content.startswith(_BEGINS):
        raise DataError(path, "is no session of Serato")
    rows: dict[object, _Fields] = {}
    for name, chunk in chunks(content):
        for _, inner in chunks(chunk):
            fields = dict(_fields(inner))
            row = _number(fields.get(_ROW))
            if name == b"oren":
                rows.pop(row, None)
            elif name == b"oent":
                rows[len(rows) if row is None else row] = fields
    if not rows:
        raise DataError(path, "is a file of Serato, but holds no entry of a history")
    plays = [play for fields in rows.values() if (play := _play(fields))]
    return [PlayedSet(path.stem, plays)] if plays else []


def _play(fields: _Fields) -> Play | None:
    """A play; None of a track that was only loaded, or played in the headphones."""
    played, preview = _number(fields.get(_PLAYED)), _number(fields.get(_PREVIEW))
    if played == 0 or preview:
        return None
    started, ended = (_number(fields.get(field)) for field in (_STARTED, _ENDED))
    seconds = _number(fields.get(_SECONDS))
    if seconds is None and started and ended and ended > started:
        seconds = ended - started
    path = text(fields.get(_PATH))
    length = play_times.duration(text(fields.get(_LENGTH)) or "")
    entry = Entry(
        id=path,
        path=path,
        title=text(fields.get(_TITLE)),
        artist=text(fields.get(_ARTIST)),
        album=text(fields.get(_ALBUM)),
        genre=text(fields.get(_GENRE)),
        duration_ms=None if length is None else length * 1000,
        tempo_bpm=_bpm(fields.get(_BPM)),
        key=text(fields.get(_KEY)),
    )
    return Play(entry, play_times.since_1970(started) if started else None, seconds)


def begins(content: bytes) -> bool:
    """Whether bytes begin as Serato's files do."""
    return content.startswith(_BEGINS)


def chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and contents of chunks; one that is cut off is the last and is left out.

    Examples
    --------
    >>> len(list(chunks(b"otrk" + bytes([0, 0, 0, 2]) + b"hi" + b"cut off"))), list(chunks(b""))
    (1, [])
    """
    at = 0
    while at + 8 <= len(content):
        name, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "big")
        if at + 8 + length > len(content):
            return
        yield name, content[at + 8 : at + 8 + length]
        at += 8 + length


def _fields(content: bytes) -> Iterator[tuple[int, bytes]]:
    for name, value in chunks(content):
        yield int.from_bytes(name, "big"), value


def _number(value: bytes | None) -> int | None:
    """A number of one to eight bytes."""
    return int.from_bytes(value, "big") if value and len(value) <= 8 else None


def text(value: bytes | None) -> str | None:
    """The text of a chunk; None where there is none."""
    if not value:
        return None
    return value[: len(value) // 2 * 2].decode("utf-16-be", errors="replace").strip("\0 \t\r\n") or None


def _bpm(value: bytes | None) -> float | None:
    """Tempo, which is a whole number in some versions and a text in others."""
    if value and len(value) == struct.calcsize(">I") and value[:2] == b"\0\0" and value[2:] > b"\0\x13":
        as_text = text(value)
        found = number(as_text) if as_text and as_text.isdigit() and len(as_text) > 1 else None
        return found or float(int.from_bytes(value, "big"))
    return number(text(value))
