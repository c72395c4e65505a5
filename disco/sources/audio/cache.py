"""What was measured of a sound, kept by a hash of the sound itself: new tags or another name change nothing.

One JSON file a sound in `$DISCO_CACHE/audio`, or else in the user's cache folder. An entry that cannot be
read, or is of another version of the analysis, counts as none. A second kind of entry remembers the hash of a
file by its path, size and time, so that a folder that did not change is not read through again.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import struct
import tempfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import BinaryIO

from disco.sources import storage

# Raised when any method of the analysis changes.
VERSION = 1
_PIECE = 1 << 20


@dataclass(frozen=True)
class Measured:
    """What was measured of a recording; None is unknown. Units and ranges as in `disco.catalogue.SCHEMA`."""

    tempo_bpm: float | None = None
    tempo_confidence: float | None = None
    key: int | None = None
    mode: int | None = None
    key_confidence: float | None = None
    loudness: float | None = None
    energy: float | None = None
    acousticness: float | None = None
    danceability: float | None = None


_RANGES = {"tempo_bpm": (10, 1000), "key": (0, 11), "mode": (0, 1), "loudness": (-70, 10)}


def user_cache() -> Path:
    """Folder of the entries: `$DISCO_CACHE/audio`, or else `audio` in the user's cache folder."""
    return storage.user_cache_dir() / "audio"


def find(folder: Path, name: str) -> Measured | None:
    """The entry of a sound by its hash, None if there is none that can be used."""
    try:
        said = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        if said["version"] != VERSION:
            return None
        values = {field.name: said["sound"][field.name] for field in fields(Measured)}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    for field, value in values.items():
        low, high = _RANGES.get(field, (0, 1))
        whole = field in ("key", "mode")
        if value is not None and (
            type(value) not in ((int,) if whole else (int, float))
            or not math.isfinite(value)
            or not low <= value <= high
        ):
            return None
    return Measured(**values) if (values["key"] is None) == (values["mode"] is None) else None


def keep(folder: Path, name: str, sound: Measured) -> None:
    """Write an entry, whole or not at all; raises `OSError` where the disk does not take it."""
    _write(folder / f"{name}.json", json.dumps({"version": VERSION, "sound": asdict(sound)}))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    number, beside = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def file_fingerprint(path: Path) -> str:
    """Name under which a file's hash is kept: another once the file is moved or written; raises `OSError`."""
    said = path.stat()
    return _digest(
        b"stamp", f"{path.absolute()}\0{said.st_size}\0{said.st_mtime_ns}".encode(errors="surrogateescape")
    )


def find_hash(folder: Path, mark: str) -> str | None:
    """The hash that was kept for a file, None if there is none."""
    try:
        name = (folder / f"{mark}.hash").read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    return name if re.fullmatch("[0-9a-f]{40}", name) else None


def keep_hash(folder: Path, mark: str, name: str) -> None:
    """Remember a file's hash; raises `OSError` where the disk does not take it."""
    _write(folder / f"{mark}.hash", name)


def sound_hash(path: Path) -> str:
    """Hash of what sounds in a file: 40 hexadecimal digits.

    MP3 without ID3, APEv2 and Lyrics3 tags; of FLAC what its header says of the sound, the MD5 of the samples
    in it; of WAV the format and the data; of other files everything, so that new tags are a new sound there.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        start = _after_id3(file, size)
        file.seek(start)
        head = file.read(12)
        if head[:4] == b"fLaC" and (said := _flac(file, start)):
            return _digest(b"flac", said)
        if head[:4] == b"RIFF" and head[8:] == b"WAVE" and (chunks := _wav(file, start + 12, size)):
            return _hash(file, b"wav", chunks)
        if start or path.suffix.lower() in (".mp3", ".mp2"):
            return _hash(file, b"mpeg", [(start, max(_before_tags(file, start, size) - start, 0))])
        return _hash(file, b"file", [(0, size)])


def _digest(kind: bytes, content: bytes) -> str:
    return hashlib.blake2b(kind + b"\0" + content, digest_size=20).hexdigest()


def _hash(file: BinaryIO, kind: bytes, parts: list[tuple[int, int]]) -> str:
    """Hash of parts of a file, each its offset and its length."""
    digest = hashlib.blake2b(kind + b"\0", digest_size=20)
    for offset, length in parts:
        file.seek(offset)
        while length > 0 and (piece := file.read(min(length, _PIECE))):
            digest.update(piece)
            length -= len(piece)
    return digest.hexdigest()


def _after_id3(file: BinaryIO, size: int) -> int:
    """Offset behind the ID3v2 tags at the beginning; several may follow each other."""
    start = 0
    while True:
        file.seek(start)
        head = file.read(10)
        if len(head) < 10 or head[:3] != b"ID3" or max(head[6:]) > 127:
            return start
        length = sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        start = min(start + 10 + length + (10 if head[5] & 0x10 else 0), size)


def _before_tags(file: BinaryIO, start: int, size: int) -> int:
    """Offset of the tags at the end: ID3v1, Lyrics3v2 and APEv2, in any order."""
    end = size
    while True:
        file.seek(max(end - 128, start))
        tail = file.read(end - max(end - 128, start))
        before = end
        if len(tail) == 128 and tail[:3] == b"TAG":
            end -= 128
        elif tail[-9:] == b"LYRICS200" and tail[-15:-9].isdigit():
            end -= 15 + int(tail[-15:-9])
        elif len(tail) >= 32 and tail[-32:-24] == b"APETAGEX":
            length, _, flags = struct.unpack("<III", tail[-20:-8])
            end -= length + (32 if flags >> 31 else 0)
        if not start <= end < before:  # no tag, or one that claims more than there is
            return before


def _flac(file: BinaryIO, start: int) -> bytes:
    """Rate, channels, bits, number of samples and MD5 of a FLAC file; empty if its writer left out the MD5."""
    file.seek(start + 4)
    block = file.read(38)
    said = block[14:38]
    return said if len(block) == 38 and block[0] & 127 == 0 and any(said[8:]) else b""


def _wav(file: BinaryIO, start: int, size: int) -> list[tuple[int, int]]:
    """Offset and length of the chunks that sound in a WAV file; empty if it has no data."""
    found, there = [], False
    while start + 8 <= size:
        file.seek(start)
        head = file.read(8)
        length = int.from_bytes(head[4:], "little")
        if head[:4] in (b"fmt ", b"data"):
            found.append((start + 8, min(length, size - start - 8)))
            there |= head[:4] == b"data"
        start += 8 + length + length % 2
    return found if there else []
