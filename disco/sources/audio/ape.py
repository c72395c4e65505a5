"""APEv2 tags, which lie at the end of MP3, WavPack, Monkey's Audio and Musepack files, after the sound.

A footer of 32 bytes begins with APETAGEX; before it lie the items, each a length, flags, a name and a value in UTF-8.
Behind it may lie an ID3v1 tag of 128 bytes. Described at wiki.hydrogenaud.io, "APEv2 specification".
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

# Files whose only tags these are.
SUFFIXES = (".ape", ".wv", ".mpc", ".mp+", ".tak", ".ofr", ".ofs", ".tta")
_MAGIC = b"APETAGEX"
_FOOTER = struct.Struct("<8sIIII8s")
_ID3V1 = 128
# Pictures lie in these tags too; the longest text is far shorter.
_LONGEST_TAG, _LONGEST_TEXT, _MOST_ITEMS = 16 << 20, 1 << 16, 1000
# Bits 1 and 2 of the flags of an item; 0 is text.
_KIND = 6


def read_ape(path: Path) -> dict[str, list[str]]:
    """Texts of an APEv2 tag by their names in lower case; empty where there is none.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        for behind in (0, _ID3V1):
            end = length - behind
            if end < _FOOTER.size:
                continue
            file.seek(end - _FOOTER.size)
            magic, _, size, count, _, _ = _FOOTER.unpack(file.read(_FOOTER.size))
            if magic == _MAGIC and _FOOTER.size <= size <= min(end, _LONGEST_TAG):
                file.seek(end - size)
                return _items(file.read(size - _FOOTER.size), min(count, _MOST_ITEMS))
    return {}


def _items(content: bytes, count: int) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    at = 0
    for _ in range(count):
        ends = content.find(b"\0", at + 8, at + 8 + 256)
        if ends < 0:
            break
        length, flags = struct.unpack_from("<II", content, at)
        name = content[at + 8 : ends].decode("latin-1").strip().lower()
        value = content[ends + 1 : ends + 1 + length]
        at = ends + 1 + length
        if flags & _KIND == 0 and len(value) == length <= _LONGEST_TEXT:
            found.setdefault(name, []).extend(value.decode("utf-8", errors="replace").split("\0"))
    return found
