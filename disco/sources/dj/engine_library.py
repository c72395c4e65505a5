"""Libraries of Engine DJ: `Engine Library/Database2/m.db`, and `Engine Library/m.db` before its second version.

A playlist is a chain: each of its entries names the next, the last names 0, and so do playlists within a folder. An
entry names its track by a number and the database that the number is of. Before version 2, titles are in `MetaData`,
a number for each kind, and playlists in `List`. `hm.db` beside it has the history. Described by libdjinterop, an open
reader of these databases.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

from disco.catalogue import Catalogue
from disco.errors import DataError
from disco.sources import entries as library
from disco.sources.dj import engine
from disco.sources.dj.sqlite import is_sqlite, opened, tables_of
from disco.sources.tracklist import Entry, Tracklist

NAME = "Engine DJ library"
_DATABASE, _PARTS = "m.db", ("", "Database2", "Engine Library", "Engine Library/Database2")
_SECOND = {"Track", "Playlist", "PlaylistEntity"}
_FIRST = {"Track", "MetaData", "List", "ListTrackList"}
# Kinds of texts and numbers before version 2, and of lists.
_TITLE, _ARTIST, _ALBUM, _GENRE, _COMMENT, _KEY = 1, 2, 3, 4, 5, 4
_PLAYLIST, _CRATE = 1, 4
_HISTORY = 3
# Deeper than anyone nests folders.
_DEEPEST = 50


def can_read(path: Path) -> bool:
    """Whether a place is a library of Engine DJ, or the folder of one; never raises."""
    file = _file(path)
    if file is None or not is_sqlite(file):
        return False
    try:
        with opened(file, "Engine DJ") as connection:
            return bool(_version(connection))
    except DataError:
        return file.name == _DATABASE


def read(path: Path) -> Catalogue:
    """Read the tracks of a library.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    file = _file(path) or path
    with opened(file, "Engine DJ") as connection:
        entries = _entries(connection, file)
    beside = file.with_name(_DATABASE)
    if not entries and beside != file and beside.is_file():
        return read(beside)
    return library.catalogue(library.with_ids(list(entries.values())), path, NAME)


def playlists(path: Path) -> list[Tracklist]:
    """Read the playlists of a library, and before version 2 its crates; smart lists are rules and are left out.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    file = _file(path) or path
    with opened(file, "Engine DJ") as connection:
        entries = _entries(connection, file)
        version = _version(connection)
        lists = _chained(connection) if version == 2 else _numbered(connection) if version == 1 else []
    if version == _HISTORY:
        sets: list[library.Named] = [
            ([], one.name, library.with_ids([play.entry for play in one.plays])) for one in engine.histories(file)
        ]
        once = library.each_once(entry for _, _, of in sets for entry in of)
        return library.tracklists(sets, library.catalogue(once, path, NAME)) if once else []
    by_number = dict(zip(entries, library.with_ids(list(entries.values())), strict=True))
    if not by_number or not lists:
        return []
    unknown = Entry("a track that is not in the library")
    named = [(folders, name, [by_number.get(track, unknown) for track in of]) for folders, name, of in lists]
    return library.tracklists(named, library.catalogue(list(by_number.values()), path, NAME))


def _file(path: Path) -> Path | None:
    """The database at a place; None if there is none."""
    try:
        if not path.is_dir():
            return path
        return next((file for part in _PARTS if (file := path / part / _DATABASE).is_file()), None)
    except (OSError, ValueError):
        return None


def _version(connection: sqlite3.Connection) -> int:
    """2, or 1 before it; 3 of a history; 0 where the database is not Engine's."""
    present = tables_of(connection)
    return 2 if present >= _SECOND else 1 if present >= _FIRST else _HISTORY if present >= engine.TABLES else 0


def _entries(connection: sqlite3.Connection, file: Path) -> dict[int, Entry]:
    version = _version(connection)
    if not version:
        raise DataError(file, "is an SQLite database, but not Engine's library")
    entries = engine.entries(connection, file)
    if version != 1:
        return entries
    texts: dict[int, dict[int, str]] = defaultdict(dict)
    for track, kind, text in connection.execute("SELECT id, type, text FROM MetaData WHERE text <> ''"):
        texts[track][kind] = str(text)
    keys = dict[int, Any]()
    if "MetaDataInteger" in tables_of(connection):
        keys |= dict(connection.execute("SELECT id, value FROM MetaDataInteger WHERE type = ?", (_KEY,)))
    return {
        track: replace(
            entry,
            title=texts[track].get(_TITLE),
            artist=texts[track].get(_ARTIST),
            album=texts[track].get(_ALBUM),
            genre=texts[track].get(_GENRE),
            comment=texts[track].get(_COMMENT),
            key=engine.key(keys.get(track)),
        )
        for track, entry in entries.items()
    }


_Lists = list[tuple[list[str], str, list[int]]]


def _chained(connection: sqlite3.Connection) -> _Lists:
    """Playlists since version 2: folders, name, and numbers of tracks."""
    rows = connection.execute("SELECT id, title, parentListId, nextListId FROM Playlist ORDER BY id").fetchall()
    titles = {number: str(title or "") for number, title, _, _ in rows}
    parents = {number: parent for number, _, parent, _ in rows}
    members: dict[int, dict[int, tuple[int, int | None]]] = defaultdict(dict)
    known = _numbers(connection)
    for number, owner, track, uuid, after in connection.execute(
        "SELECT id, listId, trackId, databaseUuid, nextEntityId FROM PlaylistEntity ORDER BY id"
    ):
        members[owner][number] = (after or 0, known.get((uuid, track), track if uuid in (None, "") else None))
    below: dict[int, dict[int, tuple[int, int | None]]] = defaultdict(dict)
    for number, _, parent, after in rows:
        below[parent if parent in titles else 0][number] = (after or 0, number)
    found: _Lists = []

    def add(parent: int, folders: list[str]) -> None:
        for number in _in_order(below.pop(parent, {})):
            if number is None:
                continue
            tracks = [-1 if track is None else track for track in _in_order(members.get(number, {}))]
            if tracks or number not in parents.values():  # a folder is a playlist too, mostly an empty one
                found.append((folders, titles[number], tracks))
            if len(folders) < _DEEPEST:
                add(number, [*folders, titles[number]])

    add(0, [])
    while below:  # folders of a damaged database that contain each other
        add(next(iter(below)), [])
    return found


def _numbers(connection: sqlite3.Connection) -> dict[tuple[Any, int], int]:
    """The number of a track in this database by the database and number that an entry names."""
    present = engine.columns(connection, "Track")
    found: dict[tuple[Any, int], int] = {}
    if {"originDatabaseUuid", "originTrackId"} <= present:
        for track, uuid, origin in connection.execute("SELECT id, originDatabaseUuid, originTrackId FROM Track"):
            found[uuid, origin] = track
    own = {row[0] for row in connection.execute("SELECT uuid FROM Information")} if _has_uuid(connection) else set()
    every = [row[0] for row in connection.execute("SELECT id FROM Track")]
    return found | {(uuid, track): track for uuid in own for track in every}


def _has_uuid(connection: sqlite3.Connection) -> bool:
    return "uuid" in engine.columns(connection, "Information")


def _in_order(chain: dict[int, tuple[int, int | None]]) -> list[int | None]:
    """What the links of a chain hold, from the first to the last; links of a broken chain follow by their numbers."""
    if not chain:
        return []
    followed = {after for after, _ in chain.values()}
    heads = [number for number in chain if number not in followed]
    order: dict[int, None] = {}
    for number in [*heads, *chain]:
        while number in chain and number not in order:
            order[number] = None
            number = chain[number][0]
    return [chain[number][1] for number in order]


def _numbered(connection: sqlite3.Connection) -> _Lists:
    """Playlists and crates before version 2; the path of a list has its folders, each with a semicolon behind it."""
    lists = connection.execute(
        "SELECT id, type, title, path FROM List WHERE type IN (?, ?) ORDER BY type, id", (_PLAYLIST, _CRATE)
    ).fetchall()
    members: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number, kind, track in connection.execute(
        "SELECT listId, listType, trackId FROM ListTrackList ORDER BY listId, trackNumber, id"
    ):
        members[number, kind].append(track)
    return [
        ([part for part in str(path or "").split(";") if part][:-1], str(title or ""), members[number, kind])
        for number, kind, title, path in lists
    ]
