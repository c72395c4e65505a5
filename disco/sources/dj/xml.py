"""Libraries in XML: a parser that refuses entities, and the tree of folders and playlists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from disco.errors import DataError, NotFoundError
from disco.sources.dj.xml_text import Mended, mended

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Text = Callable[[str], None]

_PIECE = 1 << 20
# A tag is parsed again with every piece until it ends, so the time for one without an end would grow quadratically.
_LONGEST = 16 * _PIECE
# Deeper than anyone nests folders of playlists.
_DEEPEST = 200
# What may stand before the root; no part of it can match white space in two ways, which would take quadratic time.
_BEFORE_ROOT = re.compile(r"<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[[^\]]*\]\s*)?>", re.DOTALL)
_CUT_OFF = {
    expat.errors.codes[name]
    for name in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
}


@dataclass(frozen=True)
class Playlist:
    """A playlist in the tree of a library.

    Attributes
    ----------
    name : str
    folders : list of str
        Names of the nodes that contain it, the root first.
    attributes : dict
        Of its element.
    keys : list of str
        By which it names its tracks, in order.
    details : list of dict
        What it says of each of them besides.
    """

    name: str
    folders: list[str]
    attributes: dict[str, str]
    keys: list[str] = field(default_factory=list)
    details: list[dict[str, str]] = field(default_factory=list)


class Tree:
    """The folders and playlists of a library, built while its elements are read."""

    def __init__(self) -> None:
        self.playlists: list[Playlist] = []
        self._open: list[tuple[str, Playlist | None]] = []

    def start(self, name: str, attributes: dict[str, str], is_playlist: bool) -> None:
        """Begin a folder or a playlist."""
        playlist = Playlist(name, [folder for folder, _ in self._open], attributes) if is_playlist else None
        if playlist:
            self.playlists.append(playlist)
        self._open.append((name, playlist))

    def add(self, key: str) -> None:
        """Add a track to the playlist that has begun last, if it is one."""
        if self._open and self._open[-1][1]:
            self._open[-1][1].keys.append(key)
            self._open[-1][1].details.append({})

    def describe(self, attributes: dict[str, str]) -> None:
        """Add what is known besides of the track that was added last."""
        if self._open and self._open[-1][1] and self._open[-1][1].details:
            self._open[-1][1].details[-1] |= attributes

    def end(self) -> None:
        """End the folder or playlist that has begun last."""
        if self._open:
            self._open.pop()


def begins(path: Path, root: str) -> bool:
    """Whether a file begins as XML with this root element; never raises."""
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except (OSError, ValueError):
        return False
    for encoding in ("utf-16", "utf-8-sig"):
        if encoding == "utf-8-sig" or start[:2] in (b"\xff\xfe", b"\xfe\xff"):
            text = start.decode(encoding, errors="replace")
            text = _BEFORE_ROOT.sub("", text)
            return re.match(rf"\s*<{root}[\s/>]", text) is not None
    return False


def parse(path: Path, start: Start, end: End, text: Text | None = None, document: str = "") -> list[str]:
    """Call `start` with the name and attributes of each element of a file, and `end` with its name.

    Characters that XML does not allow are mended. Declarations of a document type or of entities, which no DJ program
    writes, are refused: nothing is expanded and nothing is fetched.

    Parameters
    ----------
    path : Path
    start, end : callable
    text : callable, optional
        Called with pieces of the text between tags.
    document : str
        Name of the one document type that may be declared, without entities, as `plist`.

    Returns
    -------
    list of str
        Notes on what was mended.

    Raises
    ------
    NotFoundError, DataError
        With the file and line of what is wrong.
    """
    parser = expat.ParserCreate("UTF-8")
    depth, found = 0, Mended()

    def doctype(name: str, system: str | None, public: str | None, entities: int) -> None:
        if entities or not document or name != document:
            refuse()

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

    parser.StartDoctypeDeclHandler, parser.EntityDeclHandler = doctype, refuse
    parser.ExternalEntityRefHandler = parser.UnparsedEntityDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = started, ended
    if text is not None:
        parser.CharacterDataHandler = text
    try:
        read = 0
        for piece in mended(_pieces(path), path, found):
            parser.Parse(piece, False)
            read += len(piece)
            if read - parser.CurrentByteIndex > _LONGEST:
                what = "holds a tag of more than 16 MB, which no DJ program writes"
                raise DataError(f"{path}, line {parser.CurrentLineNumber}", what)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise _reason(path, error) from None
    return found.notes(path)


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
    return DataError(where, f"is not readable XML ({expat.ErrorString(error.code)})")
