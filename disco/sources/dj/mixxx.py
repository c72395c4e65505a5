"""Libraries of Mixxx, `mixxxdb.sqlite`, opened read-only so that not even a lock file is written.

The tables are those of Mixxx 1.11 to 2.6 (res/schema.xml in its source). A key is stored as its ChromaticKey, 1-12
for C to B major and 13-24 for C to B minor.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from disco.catalogue import Catalogue
from disco.errors import DataError
from disco.sources import entries as library
from disco.sources.dj.sqlite import is_sqlite, opened, tables_of
from disco.sources.plays import Play, PlayedSet
from disco.sources.tracklist import Entry, Tracklist

NAME = "Mixxx library"
CRATES = "Crates"
TABLES = {"library", "track_locations", "Playlists", "PlaylistTracks", "crates", "crate_tracks"}
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
# Values of `hidden`: of playlists in the sidebar, and of those that the history keeps; 1 is the queue of Auto DJ.
_SHOWN, _HISTORY = 0, 2


def can_read(path: Path) -> bool:
    """Whether a file is an SQLite database; whether it is Mixxx's is checked when it is read."""
    return is_sqlite(path)


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


def histories(path: Path) -> list[PlayedSet]:
    """Read the sets of the history, in the order of Mixxx; each track has the time at which Mixxx noted it.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    with _opened(path) as connection:
        entries, _ = _entries(connection)
        timed = "pl_datetime_added" in {row[1] for row in connection.execute("PRAGMA table_info(PlaylistTracks)")}
        # No text of the file gets into the query: the column is one of these two.
        column = "entry.pl_datetime_added" if timed else "NULL"
        query = (
            f"SELECT Playlists.id, Playlists.name, entry.track_id, {column} "  # noqa: S608
            "FROM Playlists JOIN PlaylistTracks AS entry ON entry.playlist_id = Playlists.id "
            "WHERE Playlists.hidden = ? ORDER BY Playlists.id, entry.position, entry.id"
        )
        sets: dict[int, PlayedSet] = {}
        for number, name, track, added in connection.execute(query, (_HISTORY,)):
            plays = sets.setdefault(number, PlayedSet(_text(name) or "", [])).plays
            if track in entries:
                plays.append(Play(entries[track], _local(added)))
    return list(sets.values())


def _local(text: Any) -> datetime | None:
    """Local time of a time that SQLite wrote, which is universal."""
    try:
        return datetime.fromisoformat(str(text)).replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return None


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
    with opened(path, "Mixxx") as connection:
        _check(connection, path)
        yield connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if missing := TABLES - tables_of(connection):
        raise DataError(path, f"is an SQLite database, but not Mixxx's: it has no table {min(missing)}")
