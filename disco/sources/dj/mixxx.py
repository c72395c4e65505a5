"""Libraries of Mixxx, `mixxxdb.sqlite`, opened read-only so that not even a lock file is written.

The tables are those of Mixxx 1.11 to 2.6 (res/schema.xml in its source). A key is stored as its ChromaticKey, 1-12
for C to B major and 13-24 for C to B minor.
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
# Position of the file format in the header; 2 means that a write-ahead log lies beside the file.
_FORMAT, _WITH_LOG = 18, 2
# Columns of the table `library`; those that an old Mixxx lacks are unknown.
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
# Value of `hidden` for playlists in the sidebar; others are the queue of Auto DJ and the history.
_SHOWN = 0


def can_read(path: Path) -> bool:
    """Whether a file is an SQLite database; whether it is Mixxx's is checked when it is read."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except (OSError, ValueError):
        return False


def read(path: Path) -> Catalogue:
    """Read the tracks of a library, without those that are hidden or whose files are missing.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    with _opened(path) as connection:
        entries, gone = _entries(connection)
    present = [entry for number, entry in entries.items() if number not in gone]
    return library.catalogue(library.with_ids(present), path, NAME, _notes(path, gone))


def playlists(path: Path) -> list[Tracklist]:
    """Read the playlists of a library, then its crates; tracks of a crate have the order of the library.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    with _opened(path) as connection:
        entries, gone = _entries(connection)
        lists: list[tuple[list[str], str, list[int]]] = [
            ([], name, members)
            for name, members in _members(
                connection,
                "SELECT id, name FROM Playlists WHERE hidden = ? ORDER BY position, id",
                "SELECT playlist_id, track_id FROM PlaylistTracks ORDER BY playlist_id, position, id",
                (_SHOWN,),
            )
        ]
        lists += [
            ([CRATES], name, members)
            for name, members in _members(
                connection,
                "SELECT id, name FROM crates ORDER BY name, id",
                "SELECT crate_id, track_id FROM crate_tracks ORDER BY crate_id, track_id",
                (),
            )
        ]
    by_number = dict(zip(entries, library.with_ids(list(entries.values())), strict=True))
    present = [entry for number, entry in by_number.items() if number not in gone]
    if not present:
        return []
    unknown = Entry("a track that is not in the library")
    named = [
        (folders, name, [by_number.get(number, unknown) for number in members]) for folders, name, members in lists
    ]
    return library.tracklists(named, library.catalogue(present, path, NAME, _notes(path, gone)))


def _entries(connection: sqlite3.Connection) -> tuple[dict[int, Entry], dict[int, str]]:
    """Every track by its number, and for each that is left out the reason."""
    present = {row[1] for row in connection.execute("PRAGMA table_info(library)")}
    # No text of the file gets into the query: all names of columns come from the literal above.
    wanted = ", ".join(f"library.{name}" if name in present else f"NULL AS {name}" for name in _COLUMNS)
    query = (
        f"SELECT library.id AS number, file.location AS path, file.fs_deleted AS missing, {wanted} "  # noqa: S608
        "FROM library LEFT JOIN track_locations AS file ON library.location = file.id ORDER BY library.id"
    )
    entries, gone = {}, {}
    cursor = connection.execute(query)
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
    """Names of playlists or crates, and the numbers of their tracks."""
    tracks_of = defaultdict(list)
    for number, track in connection.execute(members):
        tracks_of[number].append(track)
    return [(_text(name) or "", tracks_of[number]) for number, name in connection.execute(lists, values)]


def _notes(path: Path, gone: dict[int, str]) -> list[str]:
    reasons = list(gone.values())
    return [f"{path}: {reasons.count(why):,} tracks left out: {why}" for why in sorted(set(reasons))]


def _text(value: Any) -> str | None:
    """A text: columns of SQLite may hold values of any type."""
    return value if isinstance(value, str) else None if value is None else str(value)


def _key(number: Any) -> tuple[int, int] | None:
    known = isinstance(number, int) and 1 <= number <= 24
    return ((number - 1) % 12, 1 if number <= 12 else 0) if known else None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The database, read-only.

    While another program writes to it, or where its last changes are in a file beside it, a copy is read.
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
    # SQLite's message about a damaged schema need not be UTF-8.
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
    """The database itself, as of now; None if another program has locked it."""
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
