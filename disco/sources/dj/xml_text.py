"""Text of XML files as programs really write them: what XML does not allow is mended and reported.

Titles of tracks come from tags, which hold control characters, and some programs write `&` and `<` as they are.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from disco.errors import DataError

# Everything that XML 1.0 does not allow (production 2, Char).
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What is no reference, or is one to a character; names of XML itself are left alone.
_REFERENCE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)(?:#(?:x([0-9A-Fa-f]{1,8})|(\d{1,8}));|(\w{1,32});)?")
# No tag begins so, so that it is a sign in a text.
_SIGN = re.compile(r"<(?![^\W\d]|[/!?:])")
# Longer than any reference: so much may be held back until the next piece.
_HELD = 48
_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_READ = re.compile(
    "utf-?(8|16)|us-?ascii|iso-?8859-|latin|cp[0-9]|windows-|mac|koi8|shift|euc|gb|big5", re.IGNORECASE
)
# Bytes that are no UTF-8, as the decoder hands them on; old programs of Windows wrote them.
_BYTES = re.compile("[\udc80-\udcff]+")
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class Mended:
    """What was mended in a file: how often, and the line of the first."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, int]] = {}

    def add(self, what: str, line: int, match: re.Match[str]) -> None:
        """Count one thing that was mended, in a text that begins in a line."""
        if what not in self._found:  # counting the lines before each would take quadratic time
            self._found[what] = (0, line + match.string.count("\n", 0, match.start()))
        count, first = self._found[what]
        self._found[what] = (count + 1, first)

    def notes(self, path: Path) -> list[str]:
        """A sentence for each kind."""
        return [f"{path}: {count:,} x {what}, first in line {line}" for what, (count, line) in self._found.items()]


def mended(pieces: Iterable[bytes], path: Path, found: Mended) -> Iterator[bytes]:
    """Pieces of a file in UTF-8, with what XML does not allow mended; the declared encoding no longer counts.

    Raises
    ------
    DataError
        If the file names an encoding that cannot be read.
    """
    decoder: codecs.IncrementalDecoder | None = None
    held, line = "", 1
    for piece in pieces:
        decoder = decoder or _decoder(piece, path)
        text = held + _allowed(decoder.decode(piece), line + held.count("\n"), found)
        cut = len(text)
        if (begun := text.rfind("&", max(0, cut - _HELD))) >= 0 and ";" not in text[begun:]:
            cut = begun
        elif text.endswith("<"):
            cut -= 1
        text, held = text[:cut], text[cut:]
        yield _escaped(text, line, found).encode()
        line += text.count("\n")
    rest = held + (_allowed(decoder.decode(b"", True), line, found) if decoder else "")
    if rest:
        yield _escaped(rest, line, found).encode()


def _decoder(start: bytes, path: Path) -> codecs.IncrementalDecoder:
    marked = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    declared = _DECLARED.match(start)
    name = marked or (declared[1].decode() if declared else "utf-8")
    if name.lower().startswith("utf-16") and not marked:  # the declaration could be read, so it is not in UTF-16
        name = "utf-8"
    try:
        if not _READ.match(name):
            raise LookupError
        is_utf_8 = codecs.lookup(name).name in ("utf-8", "utf-8-sig", "ascii")
        make = codecs.getincrementaldecoder("utf-8-sig" if is_utf_8 else name)
        return make("surrogateescape" if is_utf_8 else "replace")
    except LookupError:
        raise DataError(path, "names an encoding that cannot be read; save it as UTF-8") from None


def _allowed(text: str, line: int, found: Mended) -> str:
    """A text without what XML cannot hold."""

    def old(match: re.Match[str]) -> str:
        found.add("a text that is not in the encoding of the file, read as Windows-1252", line, match)
        return match[0].encode(errors="surrogateescape").decode("cp1252", errors="replace")

    def forbidden(match: re.Match[str]) -> str:
        found.add("a control character that XML cannot hold, read without it", line, match)
        return ""

    # What was read as Windows-1252 may hold a control character in turn.
    return _FORBIDDEN.sub(forbidden, _BYTES.sub(old, text))


def _escaped(text: str, line: int, found: Mended) -> str:
    """A text in which only tags begin with `<`, and only references with `&`."""

    def sign(match: re.Match[str]) -> str:
        found.add("a < that should be &lt;, read as it stands", line, match)
        return "&lt;"

    def reference(match: re.Match[str]) -> str:
        hexadecimal, decimal, name = match.groups()
        if hexadecimal or decimal:
            value = int(hexadecimal, 16) if hexadecimal else int(decimal)
            if value <= 0x10FFFF and not _FORBIDDEN.match(chr(value)):
                return match[0]
            found.add("a reference to a character that XML cannot hold, read without it", line, match)
            return ""
        found.add("a & that should be &amp;, read as it stands", line, match)
        meant = html.unescape(match[0]) if name else match[0]
        return meant if len(meant) == 1 and meant not in "<>&\"'" else f"&amp;{match[0][1:]}"

    return _REFERENCE.sub(reference, _SIGN.sub(sign, text))
