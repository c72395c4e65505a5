"""PLS, the playlists of Winamp and of internet radio: `File1=`, `Title1=` and `Length1=` for each track."""

from __future__ import annotations

import re
from pathlib import Path

from disco.catalogue import Catalogue
from disco.errors import DataError
from disco.sources import entries as library
from disco.sources.file_urls import from_url, in_folder
from disco.sources.files import decoding
from disco.sources.tracklist import Entry, Tracklist, with_names_apart

NAME = "PLS"
_HEAD = "[playlist]"
_LINE = re.compile(r"(file|title|length)\s*(\d{1,9})\s*=\s*(.*)", re.IGNORECASE)
# Some programs add a line for the name of the playlist.
_NAME = re.compile(r"(?:x-gnome-title|playlistname)\s*=\s*(.*)", re.IGNORECASE)


def can_read(path: Path) -> bool:
    """Whether a file begins with `[playlist]`, or is called `.pls`; never raises."""
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except (OSError, ValueError):
        return False
    text = start.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return text[: len(_HEAD)].lower() == _HEAD.encode() or (path.suffix.lower() == ".pls" and bool(text))


def read(path: Path) -> Catalogue:
    """Read the tracks of a playlist: titles, artists, durations and paths.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    entries = with_names_apart(parse(decoding.text_of(path), path).entries)
    return library.catalogue(library.with_ids(entries), path, NAME)


def playlists(path: Path) -> list[Tracklist]:
    """Read the one playlist of a file.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    return [parse(decoding.text_of(path), path)]


def parse(text: str, path: Path) -> Tracklist:
    r"""Read a playlist from a text; relative paths in it begin in the folder of the file.

    Raises
    ------
    DataError
        If it names no file.

    Examples
    --------
    >>> listed = parse("[playlist]\nFile1=/a.mp3\nTitle1=Mira Vale - Night Bus\nLength1=201", Path("friday.pls"))
    >>> listed.names, listed.entries[0].duration_ms
    (['Mira Vale - Night Bus'], 201000.0)
    """
    name, fields = "", dict[int, dict[str, str]]()
    for line in map(str.strip, text.splitlines()):
        if found := _LINE.fullmatch(line):
            fields.setdefault(int(found[2]), {}).setdefault(found[1].lower(), found[3].strip())
        elif found := _NAME.fullmatch(line):
            name = found[1].strip()
    # A number in front of each is its position.
    entries = [_entry(fields[number], path.parent) for number in sorted(fields) if fields[number].get("file")]
    if not entries:
        raise DataError(path, "is a PLS playlist without a line File1=")
    return Tracklist(name, entries)


def _entry(fields: dict[str, str], folder: Path) -> Entry:
    file = fields["file"]
    seconds = library.number(fields.get("length"), 1000)
    return Entry(
        id=library.bare_id(from_url(file) or file),
        path=in_folder(file, folder),
        duration_ms=seconds if seconds and seconds > 0 else None,  # -1 is unknown
        text=fields.get("title") or None,
    )
