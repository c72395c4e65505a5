"""Text of files that DJ programs write in several encodings."""

from __future__ import annotations

from pathlib import Path

from disco.errors import DataError, NotFoundError

# Longer than any history; a film that ends in .txt is not read into memory.
_LONGEST = 64 << 20


def content_of(path: Path) -> bytes:
    """The bytes of a file.

    Raises
    ------
    NotFoundError, DataError
        If it cannot be read, is empty, or is too long to be a history.
    """
    try:
        if path.stat().st_size > _LONGEST:
            raise DataError(path, "is too long for a history: it has more than 64 MB")
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a name that no file can have
        raise NotFoundError(f"{path}: there is no such file") from None
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None
    if not content.strip(b"\0 \r\n\t"):
        raise DataError(path, "is empty")
    return content


def text_of(path: Path) -> str:
    """Text of a file in UTF-8, in UTF-16 as rekordbox writes it, or in the old encoding of Windows.

    Raises
    ------
    NotFoundError, DataError
        If it cannot be read, or is no text.
    """
    return decoded(content_of(path), path)


def decoded(content: bytes, path: Path) -> str:
    r"""Text of bytes; see `text_of`.

    Examples
    --------
    >>> decoded("Café".encode("utf-16"), Path("a.txt")), decoded("Café".encode("cp1252"), Path("a.txt"))
    ('Café', 'Café')
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        # A file that is cut off may end with half a character.
        return content[: len(content) // 2 * 2].decode("utf-16", errors="replace")
    if b"\0" in content:
        odd = content[1::2].count(0)
        if odd * 2 < content.count(0) or odd < len(content) / 8:
            raise DataError(path, "is neither a history that DISCO reads nor text")
        return content[: len(content) // 2 * 2].decode("utf-16-le", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Cut off within a character of UTF-8, which had others before.
        if error.reason == "unexpected end of data" and max(content[: error.start], default=0) > 127:
            return content.decode("utf-8-sig", errors="ignore")
        return content.decode("cp1252", errors="replace")
