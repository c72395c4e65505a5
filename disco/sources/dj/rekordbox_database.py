"""rekordbox's own database, `master.db` since version 6, which is encrypted: read where pyrekordbox is installed.

It is copied and only the copy is opened. pyrekordbox (MIT) knows the tables and how to open them. The database of
version 5, `datafile.edb`, and that of a USB drive, `export.pdb`, are refused with what to export instead.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from disco.catalogue import Catalogue
from disco.errors import DataError, DiscoError, MissingExtra, NotFoundError
from disco.sources import entries as library
from disco.sources.dj.sqlite import is_sqlite, limit_time
from disco.sources.tracklist import Entry, Tracklist

NAME = "rekordbox database"
INSTEAD = 'in rekordbox choose "File, Export Collection in xml format", and give the XML file'
# By the beginnings of their names, since a browser that downloads a second time adds "(1)".
_DATABASES = {".db": ("master", "exportlibrary"), ".edb": ("datafile", "extdata"), ".pdb": ("export",)}
# An XML file beside the database, of the names of playlists alone.
_TREE = "masterplaylists"
_FOLDER, _SMART = 1, 4
_TRACKS = (
    "SELECT c.ID, c.FolderPath, c.Title, a.Name, b.Name, g.Name, c.Length, c.BPM, k.ScaleName, c.Commnt, c.ISRC "
    "FROM djmdContent AS c LEFT JOIN djmdArtist AS a ON a.ID = c.ArtistID "
    "LEFT JOIN djmdAlbum AS b ON b.ID = c.AlbumID "
    "LEFT JOIN djmdGenre AS g ON g.ID = c.GenreID LEFT JOIN djmdKey AS k ON k.ID = c.KeyID "
    "WHERE NOT ifnull(c.rb_local_deleted, 0) ORDER BY c.rowid"
)
_LISTS = "SELECT ID, Name, Attribute, ParentID FROM djmdPlaylist WHERE NOT ifnull(rb_local_deleted, 0) ORDER BY Seq"
_MEMBERS = (
    "SELECT PlaylistID, ContentID FROM djmdSongPlaylist WHERE NOT ifnull(rb_local_deleted, 0) "
    "ORDER BY PlaylistID, TrackNo"
)


def can_read(path: Path) -> bool:
    """Whether a file is called as rekordbox's databases are; never raises."""
    name = path.name.lower()
    return name.startswith((*_DATABASES.get(path.suffix.lower(), ()), _TREE))


def read(path: Path) -> Catalogue:
    """Read the tracks of a database.

    Raises
    ------
    NotFoundError, DataError, MissingExtra
        With what is wrong with the file, or what to export instead.
    """
    with _opened(path) as cursor:
        entries = _entries(cursor)
    return library.catalogue(library.with_ids(list(entries.values())), path, NAME)


def playlists(path: Path) -> list[Tracklist]:
    """Read the playlists of a database; intelligent playlists are rules and are left out.

    Raises
    ------
    NotFoundError, DataError, MissingExtra
        With what is wrong with the file, or what to export instead.
    """
    with _opened(path) as cursor:
        entries = _entries(cursor)
        cursor.execute(_LISTS)
        lists = cursor.fetchall()
        cursor.execute(_MEMBERS)
        members = defaultdict(list)
        for owner, track in cursor:
            members[str(owner)].append(str(track))
    by_number = dict(zip(entries, library.with_ids(list(entries.values())), strict=True))
    if not by_number:
        return []
    places = {str(number): (str(name or ""), str(parent)) for number, name, _, parent in lists}
    unknown = Entry("a track that is not in the library")
    named = [
        (_folders(str(parent), places), str(name or ""), [by_number.get(t, unknown) for t in members[str(number)]])
        for number, name, kind, parent in lists
        if kind not in (_FOLDER, _SMART)
    ]
    return library.tracklists(named, library.catalogue(list(by_number.values()), path, NAME))


def _folders(parent: str, places: dict[str, tuple[str, str]]) -> list[str]:
    folders: list[str] = []
    while parent in places and len(folders) < len(places):
        name, parent = places[parent]
        folders.insert(0, name)
    return folders


def _entries(cursor: Any) -> dict[str, Entry]:
    found = {}
    cursor.execute(_TRACKS)
    for number, file, title, artist, album, genre, length, tempo, key, comment, isrc in cursor:
        found[str(number)] = Entry(
            id=file,
            path=file,
            title=title,
            artist=artist,
            album=album,
            genre=genre,
            duration_ms=library.number(length, 1000),
            tempo_bpm=library.number(tempo, 0.01),
            key=key,
            comment=comment,
            isrc=isrc or None,
        )
    return found


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A cursor on a copy of the database."""
    name = path.name.lower()
    try:
        there_is = path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        there_is = False
    if not there_is:
        raise NotFoundError(f"{path}: there is no such file")
    if not can_read(path):
        raise DataError(path, "is not called as rekordbox's databases are (master.db)")
    if name.startswith(_TREE):
        raise DataError(path, f"holds the names of rekordbox's playlists, and no track; {INSTEAD}")
    if not name.startswith("master"):
        what = "the database of rekordbox 5" if name.endswith(".edb") else "the database of a USB drive of rekordbox"
        raise DataError(path, f"is {what}, which is not read; {INSTEAD}")
    make = sqlite3.connect if is_sqlite(path) else _opener(path)
    try:
        with tempfile.TemporaryDirectory(prefix="disco-") as folder:
            for there in filter(Path.exists, (path, path.with_name(f"{path.name}-wal"))):
                shutil.copyfile(there, Path(folder, there.name))
            with contextlib.closing(make(Path(folder, path.name))) as connection:
                limit_time(getattr(connection, "driver_connection", connection))  # SQLAlchemy wraps that of SQLCipher
                yield connection.cursor()
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None
    except DiscoError:
        raise
    except Exception as error:  # of SQLite, of SQLCipher, or of SQLAlchemy
        what = f"cannot be opened as rekordbox's database ({str(error).splitlines()[0][:100]})"
        raise DataError(path, f"{what}; close rekordbox and try again, or {INSTEAD}") from None


def _opener(path: Path) -> Callable[[Path], Any]:
    """What opens an encrypted copy: pyrekordbox, where it is installed."""
    try:
        from pyrekordbox import MasterDatabase
    except ImportError:
        reason = MissingExtra("pyrekordbox", "rekordbox")
        raise DataError(path, f"is rekordbox's own database, which is encrypted: {reason}; or {INSTEAD}") from None
    # SQLCipher prints why a database cannot be decrypted, beside the sentence that says so.
    with (
        contextlib.suppress(ImportError, AttributeError),
        contextlib.closing(import_module("sqlcipher3.dbapi2").connect(":memory:")) as connection,
    ):
        connection.execute("PRAGMA cipher_log_level = NONE")
    # It warns of what a copy lacks beside it.
    logging.getLogger("pyrekordbox").setLevel(logging.ERROR)
    return lambda copy: MasterDatabase(path=copy).engine.raw_connection()
