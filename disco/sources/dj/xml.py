"""XML read a piece at a time, without anything that a stranger's XML could do beyond being data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from disco.errors import DataError, NotFoundError

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]

_PIECE = 1 << 20
# A tag is parsed again with every piece until it ends, so one without an end would take for ever.
_LONGEST = 16 * _PIECE
# Playlists stand in folders, which nobody nests so deep.
_DEEPEST = 200
_CUT_OFF = {
    expat.errors.codes[said]
    for said in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
}
_ENCODING = {
    expat.errors.codes[said]
    for said in (expat.errors.XML_ERROR_UNKNOWN_ENCODING, expat.errors.XML_ERROR_INCORRECT_ENCODING)
}


def begins(path: Path, root: str) -> bool:
    """Whether a file's first bytes are XML with this root element; never raises."""
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except (OSError, ValueError):
        return False
    for encoding in ("utf-16", "utf-8-sig"):
        if encoding == "utf-8-sig" or start[:2] in (b"\xff\xfe", b"\xfe\xff"):
            text = start.decode(encoding, errors="replace")
            text = re.sub(r"<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(\[[^\]]*\])?\s*>", "", text, flags=re.DOTALL)
            return re.match(rf"\s*<{root}[\s/>]", text) is not None
    return False


def parse(path: Path, start: Start, end: End) -> None:
    """Call `start` with the name and attributes of each element of a file, and `end` with its name.

    A declaration of a document type or of an entity, which no DJ program writes, is refused, so nothing expands
    and nothing is fetched.

    Raises
    ------
    NotFoundError, DataError
        With the file and line of what is wrong.
    """
    parser = expat.ParserCreate()
    depth = 0

    def refuse(*_: object) -> NoReturn:
        what = "declares a document type or entities, which no DJ program does; it is not read for safety"
        raise DataError(f"{path}, line {parser.CurrentLineNumber}", what)

    def started(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise DataError(f"{path}, line {parser.CurrentLineNumber}", f"nests elements more than {_DEEPEST} deep")
        start(name, attributes)

    def ended(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(name)

    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = parser.UnparsedEntityDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = started, ended
    try:
        given = 0
        for piece in _pieces(path):
            parser.Parse(piece, False)
            given += len(piece)
            if given - parser.CurrentByteIndex > _LONGEST:
                what = "holds a tag of more than 16 MB, which no DJ program writes"
                raise DataError(f"{path}, line {parser.CurrentLineNumber}", what)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise _reason(path, error) from None
    except (LookupError, ValueError):  # Python's own, for encodings that it does not know or that take several bytes
        raise DataError(path, "names an encoding that cannot be read; save it as UTF-8") from None


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a name that no file can have
        raise NotFoundError(f"{path}: there is no such file") from None
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None


def _reason(path: Path, error: expat.ExpatError) -> DataError:
    if path.stat().st_size == 0:
        return DataError(path, "is empty")
    where = f"{path}, line {error.lineno}"
    if error.code in _CUT_OFF:
        return DataError(where, "the XML ends too soon: the file is cut off; export it again")
    if error.code in _ENCODING:
        return DataError(where, "is not in the encoding that it names; save it as UTF-8")
    said = expat.ErrorString(error.code)
    hint = "; is it UTF-8?" if error.code == expat.errors.codes[expat.errors.XML_ERROR_INVALID_TOKEN] else ""
    return DataError(where, f"is not readable XML ({said}{hint})")
