"""A zip file of tables of tracks, each of which is a playlist: what Exportify's "Export All" gives."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

from disco.catalogue import Catalogue, merge
from disco.errors import DataError, NotFoundError
from disco.sources.files import tables
from disco.sources.files.mpd_slices import first_line
from disco.sources.limits import ZIP_ERRORS, Budget, unpacked
from disco.sources.tracklist import Tracklist

NAME = "a zip file of tables"
Read = TypeVar("Read", Catalogue, Tracklist)
_SUFFIXES = (".csv", ".tsv")
# Ten times the playlists and the size of a large library.
_MOST_TABLES, _MOST_BYTES = 10_000, 200 << 20


def can_read(path: Path) -> bool:
    """Whether this is a zip file with a table of text in it; never raises."""
    try:
        with path.open("rb") as file:
            if file.read(4) != b"PK\x03\x04":
                return False
        with zipfile.ZipFile(path) as archive:
            return any(_is_table(part) for part in archive.infolist())
    except (OSError, ValueError, *ZIP_ERRORS):
        return False


def read(path: Path) -> Catalogue:
    """Read the tracks of all tables.

    Raises
    ------
    NotFoundError, DataError
        If the file cannot be read, or no table in it.
    """
    found, notes = _read(path, tables.of_content)
    whole = merge([tracks for _, tracks in found])
    first = f"{path}: {len(found):,} tables, {len(whole):,} tracks"
    return Catalogue(whole.table, str(path), (first, *(note for _, t in found for note in t.notes[1:]), *notes))


def playlists(path: Path) -> list[Tracklist]:
    """Read each table as a playlist, by its name and in its order.

    Raises
    ------
    NotFoundError, DataError
        As `read`.
    """
    found, _ = _read(path, lambda content, where: tables.tracklist(where, content))
    return [replace(tracklist, name=name) for name, tracklist in found]


def _read(path: Path, read_table: Callable[[bytes, Path], Read]) -> tuple[list[tuple[str, Read]], list[str]]:
    """Name and tracks of each table, and what could not be read."""
    found: list[tuple[str, Read]] = []
    failures: list[DataError] = []
    for part, content in _parts(path):
        where = path / part
        try:
            found.append((PurePosixPath(part).stem, read_table(content, where)))
        except DataError as error:
            failures.append(error)
    if not found:
        raise failures[0] if failures else DataError(path, "holds no table of tracks")
    return found, [f"left out: {error}" for error in failures]


def _parts(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = [part for part in archive.infolist() if _is_table(part)]
            size = sum(part.file_size for part in parts)
            if size > _MOST_BYTES or len(parts) > _MOST_TABLES:
                raise DataError(
                    path,
                    f"has {len(parts):,} tables of {size >> 20:,} MB in all; unpack it, and name those you need "
                    f"(up to {_MOST_TABLES:,} of {_MOST_BYTES >> 20:,} MB in all are read)",
                )
            budget = Budget(path)
            for part in parts:
                yield part.filename, unpacked(archive, part, budget)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a name that no file can have
        raise NotFoundError(f"{path}: there is no such file") from None
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror or first_line(error)})") from None
    except ZIP_ERRORS as error:
        raise DataError(path, f"is not a readable zip file ({first_line(error)})") from None


def _is_table(part: zipfile.ZipInfo) -> bool:
    """Whether a part is called a table, and is none of those that macOS adds."""
    name = PurePosixPath(part.filename)
    return name.suffix.lower() in _SUFFIXES and "__MACOSX" not in name.parts and not name.name.startswith("._")
