"""Mixxx's library, `mixxxdb.sqlite`, which is only read: not even a file beside it is made.

The tables are those of Mixxx 1.11 to 2.6 (res/schema.xml in its source); a key's number is its ChromaticKey,
1-12 for C to B major and 13-24 for C to B minor.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from disco.catalogue import Catalogue
from disco.errors import DataError, NotFoundError
from disco.sources import entries as library
from disco.sources.tracklist import Entry, Tracklist

NAME = "Mixxx library"
CRATES = "Crates"
_MAGIC = b"SQLite format 3\0"
# Where the header says how the file is written: 2 is with a write-ahead log beside it.
_FORMAT, _WITH_LOG = 18, 2
# Of the table `library`; those that an old Mixxx lacks are unknown.
_COLUMNS = (
    "title",
    "artist",
    "album",
    "genre",
    "duration",
    "bpm",
    "key",
    "key_id",
    "comment",
    "mixxx_deleted",
)
# Of a playlist in the sidebar; others are the queue of Auto DJ and what was played.
_SHOWN = 0


def can_read(path: Path) -> bool:
    """Whether a file is an SQLite database; whether it is Mixxx's is seen when it is read."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except (OSError, ValueError):
        return False


def read(path: Path) -> Catalogue:
    """The tracks of a library but those that were removed from it or whose files are gone.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    with _opened(path) as connection:
        entries, gone = _entries(connection)
    there = [entry for number, entry in entries.items() if number not in gone]
    return library.catalogue(library.identified(there), path, NAME, _notes(path, gone))


def playlists(path: Path) -> list[Tracklist]:
    """The playlists of a library in their order, then its crates, which have none, in that of the library.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    with _opened(path) as connection:
        entries, gone = _entries(connection)
        lists: list[tuple[list[str], str, list[int]]] = [
            ([], title, members)
            for title, members in _members(
                connection,
                "SELECT id, name FROM Playlists WHERE hidden = ? ORDER BY position, id",
                "SELECT playlist_id, track_id FROM PlaylistTracks ORDER BY playlist_id, position, id",
                (_SHOWN,),
            )
        ]
        lists += [
            ([CRATES], title, members)
            for title, members in _members(
                connection,
                "SELECT id, name FROM crates ORDER BY name, id",
                "SELECT crate_id, track_id FROM crate_tracks ORDER BY crate_id, track_id",
                (),
            )
        ]
    named = dict(zip(entries, library.identified(list(entries.values())), strict=True))
    there = [entry for number, entry in named.items() if number not in gone]
    if not there:
        return []
    known = library.catalogue(there, path, NAME, _notes(path, gone))
    lost = Entry("a track that is not in the library")
    places = library.rows(known)
    return [
        library.listed(title, folders, [named.get(number, lost) for number in members], known, places)
        for folders, title, members in lists
    ]


def _entries(connection: sqlite3.Connection) -> tuple[dict[int, Entry], dict[int, str]]:
    """Every track by its number, and why each that is left out is."""
    had = {row[1] for row in connection.execute("PRAGMA table_info(library)")}
    # Names of columns that are not there are never put into the question: all come from the literal above.
    wanted = ", ".join(f"library.{name}" if name in had else f"NULL AS {name}" for name in _COLUMNS)
    question = (
        f"SELECT library.id AS number, place.location AS path, place.fs_deleted AS missing, {wanted} "  # noqa: S608
        "FROM library LEFT JOIN track_locations AS place ON library.location = place.id ORDER BY library.id"
    )
    entries, gone = {}, {}
    cursor = connection.execute(question)
    names = [column[0] for column in cursor.description]
    for values in cursor:
        row = dict(zip(names, values, strict=True))
        number = row["number"]
        path = _text(row["path"])
        entries[number] = Entry(
            id=path,
            path=path,
            title=_text(row["title"]),
            artist=_text(row["artist"]),
            album=_text(row["album"]),
            genre=_text(row["genre"]),
            duration_ms=library.number(row["duration"], 1000),
            tempo_bpm=library.number(row["bpm"]),
            key=_key(row["key_id"]) or _text(row["key"]),
            comment=_text(row["comment"]),
        )
        if row["mixxx_deleted"]:
            gone[number] = "hidden in Mixxx"
        elif row["missing"]:
            gone[number] = "missing on the disk"
    return entries, gone


def _members(
    connection: sqlite3.Connection, lists: str, members: str, values: tuple[int, ...]
) -> list[tuple[str, list[int]]]:
    """Titles of lists, and the numbers of their tracks."""
    of = defaultdict(list)
    for which, track in connection.execute(members):
        of[which].append(track)
    return [(_text(title) or "", of[which]) for which, title in connection.execute(lists, values)]


def _notes(path: Path, gone: dict[int, str]) -> list[str]:
    reasons = list(gone.values())
    return [f"{path}: {reasons.count(why):,} tracks left out: {why}" for why in sorted(set(reasons))]


def _text(value: Any) -> str | None:
    """A text; columns of SQLite hold whatever was put into them."""
    return value if isinstance(value, str) else None if value is None else str(value)


def _key(number: Any) -> tuple[int, int] | None:
    known = isinstance(number, int) and 1 <= number <= 24
    return ((number - 1) % 12, 1 if number <= 12 else 0) if known else None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The database, which nobody can write to through it.

    While somebody writes to it, or where its last changes lie in a file beside it, a copy is read.
    """
    header = _header(path)
    if not header.startswith(_MAGIC):
        raise DataError(path, "is no SQLite database" if header else "is empty")
    try:
        with tempfile.TemporaryDirectory(prefix="disco-") as folder:
            beside = [path.with_name(f"{path.name}-{end}") for end in ("wal", "journal")]
            copied = header[_FORMAT:] == bytes([_WITH_LOG]) or any(log.exists() for log in beside)
            connection = None if copied else _connected(path)
            if connection is None:
                for there in filter(Path.exists, (path, *beside)):
                    shutil.copyfile(there, Path(folder, there.name))
                connection = sqlite3.connect(Path(folder, path.name))
            with contextlib.closing(connection):
                connection.text_factory = lambda text: text.decode("utf-8", errors="replace")
                _check(connection, path)
                yield connection
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None
    # A damaged schema is told in words that need not be UTF-8.
    except (sqlite3.Error, UnicodeDecodeError) as error:
        hint = "it is damaged, or Mixxx is writing to it: close Mixxx and try again"
        raise DataError(path, f"cannot be read as Mixxx's library ({error}); {hint}") from None


def _header(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_FORMAT + 1)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a name that no file can have
        raise NotFoundError(f"{path}: there is no such file") from None
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None


def _connected(path: Path) -> sqlite3.Connection | None:
    """The database itself, held as it is now; None if somebody else holds it."""
    connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True, timeout=0.2)
    try:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        return None
    except (sqlite3.Error, UnicodeDecodeError):
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if missing := {"library", "track_locations", "Playlists", "PlaylistTracks", "crates", "crate_tracks"} - tables:
        raise DataError(path, f"is an SQLite database, but not Mixxx's: it has no table {min(missing)}")
