"""Playlists that DJ programs export as text: rekordbox's "Export a playlist to a file (*.txt)", and Serato's.

With tabs, as rekordbox writes them, they are tables like any other; Serato's columns stand below their names at fixed
places, and are read by these in the languages of the program, as in histories.
"""

from __future__ import annotations

from pathlib import Path

from disco.catalogue import Catalogue
from disco.errors import DataError
from disco.sources import entries as library
from disco.sources.files import play_tables, tables
from disco.sources.files.decoding import content_of, decoded, text_of
from disco.sources.tracklist import Entry, Tracklist

NAME = "a playlist that a DJ program exported as text"
_START = 1 << 14
_SUFFIXES = (".txt", ".tsv", ".tab")


def can_read(path: Path) -> bool:
    """Whether a text begins with names of columns, parted by tabs or at fixed places; never raises."""
    if path.suffix.lower() not in _SUFFIXES:
        return False
    try:
        with path.open("rb") as file:
            start = decoded(file.read(_START), path).lstrip()
    except (OSError, ValueError, DataError):
        return False
    first = next(iter(start.splitlines()), "")
    if "\t" not in first and "  " not in first.strip():
        return False
    header = next(iter(play_tables.rows_of(first)), [])
    return {"title", "artist"} <= play_tables.columns_of(header).keys()


def read(path: Path) -> Catalogue:
    """Read the tracks of an export.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    if _is_table(path):
        return tables.read(path)
    entries = [entry for _, of in _sets(path) for entry in of]
    return library.catalogue(library.each_once(library.with_ids(entries)), path, NAME)


def playlists(path: Path) -> list[Tracklist]:
    """Read the playlist of an export, which has the name of the file.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    if _is_table(path):
        return [tables.as_playlist(path)]
    sets = [(name, library.with_ids(entries)) for name, entries in _sets(path)]
    tracks = library.catalogue(library.each_once(entry for _, of in sets for entry in of), path, NAME)
    return library.tracklists([([], name, of) for name, of in sets], tracks)


def _is_table(path: Path) -> bool:
    return tables.layout_of(content_of(path)[:_START]) is not None


def _sets(path: Path) -> list[tuple[str, list[Entry]]]:
    found = play_tables.parse(text_of(path), path)
    return [(one.name, [play.entry for play in one.plays if play.entry.title or play.entry.path]) for one in found]
