"""Text of files in the encodings that programs of all times and systems write."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from disco.errors import DataError, NotFoundError

# Longer than any list; a film that ends in .txt is not read into memory.
_LONGEST = 64 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before that of UTF-16, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# More control characters than this are no text: pictures and sound have several per cent.
_MOST_CONTROLS = 0.005
_SAMPLE = 10_000
_CONTROLS = bytes(c for c in range(32) if c not in b"\t\n\r\f\x1a\x1b\0")
_CJK, _CYRILLIC = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff々ー、。]{2,}"), re.compile("[А-ЯЁа-яё]{3,}")
_RUNS = re.compile(rb"[\x80-\xff]{3,}")


def content_of(path: Path, most: int = _LONGEST) -> bytes:
    """The bytes of a file.

    Raises
    ------
    NotFoundError, DataError
        If it cannot be read, is empty, or is longer than `most` bytes.
    """
    try:
        if path.stat().st_size > most:
            raise DataError(path, f"is too long for a list or history: it has more than {most >> 20:,} MB")
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a name that no file can have
        raise NotFoundError(f"{path}: there is no such file") from None
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None
    if not content.strip(b"\0 \r\n\t"):
        raise DataError(path, "is empty")
    return content


def text_of(path: Path) -> str:
    """Text of a file in UTF-8, UTF-16 or an older encoding; see `decoded`.

    Raises
    ------
    NotFoundError, DataError
        If it cannot be read, or is no text.
    """
    return decoded(content_of(path), path)


def decoded(content: bytes, path: Path) -> str:
    r"""Text of bytes.

    Raises
    ------
    DataError
        If they are no text.

    Examples
    --------
    >>> decoded("Café".encode("utf-16"), Path("a.txt")), decoded("Café".encode("cp1252"), Path("a.txt"))
    ('Café', 'Café')
    """
    found = decode(content)
    if found is None:
        raise DataError(path, "is neither a list nor a history that DISCO reads, nor text")
    return found[0]


def decode(content: bytes) -> tuple[str, str] | None:
    r"""Text of bytes, and the name of its encoding where that is a guess.

    A byte order mark tells the encoding, zeros between letters tell UTF-16, and what is valid UTF-8 is UTF-8. Of the
    rest, text with runs of Japanese or Cyrillic letters is Shift-JIS or Windows-1251, and all other text
    Windows-1252, of which Latin-1 is a part.

    Returns
    -------
    text : str
        Without a byte order mark and zeros.
    guess : str
        As `Windows-1252`, or `Windows-1252 in part` where the other lines are UTF-8; empty where it is certain.

    Examples
    --------
    >>> decode(b"Caf\xe9"), decode("Café".encode()), decode(b"\x89PNG\x01\x02\x03")
    (('Café', 'Windows-1252'), ('Café', ''), None)
    >>> decode("夜のバス".encode("shift-jis")), decode("Ночь".encode("cp1251"))
    (('夜のバス', 'Shift-JIS'), ('Ночь', 'Windows-1251'))
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            # A file that is cut off may end with half a character, which is left out.
            width = 4 if "32" in encoding else 2 if "16" in encoding else 1
            whole = content[len(mark) : len(mark) + (len(content) - len(mark)) // width * width]
            text = whole.decode(encoding, errors="replace").replace("\0", "")
            return (text, "") if encoding != "utf-8" or "\ufffd" not in text else _guessed(content[len(mark) :])
    if b"\0" in content:
        start = content[: len(content) // 2 * 2]
        even, odd, zeros = start[::2].count(0), start[1::2].count(0), start.count(0)
        if zeros > len(start) / 8 and max(even, odd) >= 0.9 * zeros:
            text = start.decode("utf-16-le" if odd > even else "utf-16-be", errors="replace").replace("\0", "")
            printable = sum(c.isprintable() or c.isspace() for c in text[:_SAMPLE])
            return (text, "") if printable > (1 - 10 * _MOST_CONTROLS) * min(len(text), _SAMPLE) else None
        if zeros > _MOST_CONTROLS * len(content):
            return None
    if len(content) - len(content.translate(None, _CONTROLS)) > _MOST_CONTROLS * len(content):
        return None
    return _guessed(content.replace(b"\0", b""))


def _guessed(content: bytes) -> tuple[str, str]:
    """Text in UTF-8, or in what it is most probably in."""
    try:
        return content.decode("utf-8"), ""
    except UnicodeDecodeError as error:
        # Cut off within a character of UTF-8, which had others before.
        if error.reason == "unexpected end of data" and max(content[: error.start], default=0) > 127:
            return content.decode("utf-8", errors="ignore"), ""
    lines = content.split(b"\n")
    foreign = [i for i, line in enumerate(lines) if not line.isascii()]
    odd = {i for i in foreign if not _is_utf8(lines[i])}
    if 2 * len(odd) <= len(foreign):
        texts = [line.decode("cp1252" if i in odd else "utf-8", errors="replace") for i, line in enumerate(lines)]
        return "\n".join(texts), "Windows-1252 in part"
    if (text := _japanese(content)) is not None:
        return text, "Shift-JIS"
    if (text := _cyrillic(content)) is not None:
        return text, "Windows-1251"
    return content.decode("cp1252", errors="replace"), "Windows-1252"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _japanese(content: bytes) -> str | None:
    """Text in Shift-JIS, None if it hardly is: accents of other languages become single signs there, and no runs."""
    text = content.decode("cp932", errors="replace")
    signs = sum(not c.isascii() for c in text)
    return text if sum(map(len, _CJK.findall(text))) > 0.7 * signs and text.count("\ufffd") <= signs / 100 else None


def _cyrillic(content: bytes) -> str | None:
    """Text in Windows-1251, None if it hardly is: no language of Windows-1252 has words of accents alone."""
    runs = b" ".join(_RUNS.findall(content))
    if len(runs) < 0.7 * len(content.translate(None, bytes(range(128)))):
        return None
    words = _CYRILLIC.findall(runs.decode("cp1251", errors="replace"))
    # Other alphabets of two bytes a letter would become capitals in the midst of words.
    plain = sum(word[1:].islower() or word.isupper() for word in words)
    enough = sum(map(len, words)) > 3 and plain > 0.8 * len(words)
    return content.decode("cp1251", errors="replace") if enough else None
