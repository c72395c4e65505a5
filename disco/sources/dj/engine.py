"""Histories of Engine DJ, `Engine Library/Database2/hm.db` (and `m.db` of a drive), opened read-only.

`Historylist` holds the sets, `HistorylistEntity` what was played and when, in seconds since 1970; `Track` is that of
the database itself, or of `m.db` beside it. A key is a number along the circle of fifths, a major key before its
relative minor: 0 is C major, 1 A minor, 2 G major. Described by libdjinterop, an open reader of these databases.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path, PurePosixPath
from typing import Any

from disco.errors import DataError
from disco.sources import play_times
from disco.sources.dj.sqlite import opened, tables_of
from disco.sources.entries import number
from disco.sources.plays import Play, PlayedSet
from disco.sources.tracklist import Entry

NAME = "Engine DJ history"
TABLES = {"Historylist", "HistorylistEntity"}
_LIBRARY = "m.db"
# Where the databases lie in Engine's library since its second version.
_FOLDER = "Database2"
_COLUMNS = ("title", "artist", "album", "genre", "length", "bpm", "bpmAnalyzed", "key", "path", "uri")


def histories(path: Path) -> list[PlayedSet]:
    """Read the sets of a history; those that Engine has marked as deleted are left out.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    with opened(path, "Engine DJ") as connection:
        if missing := TABLES - tables_of(connection):
            raise DataError(path, f"is an SQLite database, but not Engine's history: it has no table {min(missing)}")
        found = entries(connection, path)
        deleted = "isDeleted" in columns(connection, "Historylist")
        query = (
            "SELECT entry.listId, list.title, list.startTime, entry.trackId, entry.startTime "
            "FROM HistorylistEntity AS entry JOIN Historylist AS list ON list.id = entry.listId "
        )
        query += "WHERE NOT ifnull(list.isDeleted, 0) " if deleted else ""
        rows = connection.execute(query + "ORDER BY entry.listId, entry.startTime, entry.id").fetchall()
    beside = path.with_name(_LIBRARY)
    if not found and beside != path and beside.is_file():
        with opened(beside, "Engine DJ") as connection:
            found = entries(connection, beside)
    sets: dict[Any, PlayedSet] = {}
    for number_of, title, started, track, moment in rows:
        begun = _moment(started)
        name = str(title or (begun.strftime("%Y-%m-%d %H:%M") if begun else number_of))
        entry = found.get(track)
        if entry is not None:
            sets.setdefault(number_of, PlayedSet(name, [])).plays.append(Play(entry, _moment(moment)))
    if rows and not sets:
        raise DataError(path, f"names tracks that are not in it; put {_LIBRARY} of the same folder beside it")
    return list(sets.values())


def entries(connection: sqlite3.Connection, path: Path) -> dict[int, Entry]:
    """Every track by its number; empty where the database has no tracks."""
    present = columns(connection, "Track")
    if "id" not in present:
        return {}
    # No text of the file gets into the query: all names of columns come from the literal above.
    wanted = ", ".join(name if name in present else f"NULL AS {name}" for name in _COLUMNS)
    found = {}
    for row in connection.execute(f"SELECT id, {wanted} FROM Track"):  # noqa: S608
        values = dict(zip(_COLUMNS, row[1:], strict=True))
        file = _file(values["path"], path)
        found[row[0]] = Entry(
            id=file or _text(values["uri"]),
            path=file,
            title=_text(values["title"]),
            artist=_text(values["artist"]),
            album=_text(values["album"]),
            genre=_text(values["genre"]),
            duration_ms=number(values["length"], 1000),
            tempo_bpm=number(values["bpmAnalyzed"]) or number(values["bpm"]),
            key=key(values["key"]),
        )
    return found


def columns(connection: sqlite3.Connection, table: str) -> set[str]:
    """Names of the columns of a table; empty where there is none."""
    return {row[1] for row in connection.execute("SELECT * FROM pragma_table_info(?)", (table,))}


def _file(text: Any, database: Path) -> str | None:
    """The path of a track, which begins at the folder of Engine's library: `../Music/a.mp3`."""
    if not isinstance(text, str) or not text:
        return None
    if PurePosixPath(text).is_absolute() or text[1:2] == ":":
        return text
    folder = database.resolve().parent
    library = folder.parent if folder.name == _FOLDER else folder
    parts = [*library.parts, *PurePosixPath(text).parts]
    made: list[str] = []
    for part in parts:
        if part == ".." and len(made) > 1:
            made.pop()
        elif part != "..":
            made.append(part)
    return str(PurePosixPath(*made))


def key(value: Any) -> tuple[int, int] | None:
    """Key and mode of Engine's number, None if it is none.

    Examples
    --------
    >>> key(0), key(1), key(2), key(24)
    ((0, 1), (9, 0), (7, 1), None)
    """
    if not isinstance(value, int) or not 0 <= value < 24:
        return None
    major = 7 * (value // 2) % 12
    return (major, 1) if value % 2 == 0 else ((major + 9) % 12, 0)


def _moment(value: Any) -> Any:
    found = number(value)
    return play_times.since_1970(found) if found else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None if value is None else str(value)
