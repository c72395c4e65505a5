"""Hashes that recognise a sound whatever its tags and file name are."""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path
from typing import BinaryIO

# Bytes that are read and hashed at once.
_CHUNK = 1 << 20


def file_fingerprint(path: Path) -> str:
    """Hash of a file's path, size and time of change: 40 hexadecimal digits, another once it is moved or written.

    Raises
    ------
    OSError
        If there is no such file.
    """
    stat = path.stat()
    text = f"{path.absolute()}\0{stat.st_size}\0{stat.st_mtime_ns}"
    return _digest(b"stamp", text.encode(errors="surrogateescape"))


def sound_hash(path: Path) -> str:
    """Hash of the sound in a file: 40 hexadecimal digits.

    Of MP3 the file without ID3, APEv2 and Lyrics3 tags; of FLAC the header's description of the sound with the MD5
    of its samples; of WAV the format and the data; of other files everything, so that new tags are a new sound there.

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
        if head[:4] == b"fLaC" and (header := _flac(file, start)):
            return _digest(b"flac", header)
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
        while length > 0 and (chunk := file.read(min(length, _CHUNK))):
            digest.update(chunk)
            length -= len(chunk)
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
    header = block[14:38]
    return header if len(block) == 38 and block[0] & 127 == 0 and any(header[8:]) else b""


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
