"""Libraries of Mixxx: read from every state of the database, and never written to."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from disco.errors import DataError, NotFoundError
from disco.sources import playlist_files
from disco.sources.dj import mixxx

# The columns that are read, as Mixxx declares them (schema 39 of 2.4).
SCHEMA = """
CREATE TABLE library (id INTEGER PRIMARY KEY, artist varchar(64), title varchar(64), album varchar(64),
    genre varchar(64), location INTEGER, comment varchar(256), duration FLOAT, bpm FLOAT, mixxx_deleted INTEGER,
    key varchar(8), key_id INTEGER);
CREATE TABLE track_locations (id INTEGER PRIMARY KEY, location varchar(512) UNIQUE, fs_deleted INTEGER);
CREATE TABLE Playlists (id INTEGER PRIMARY KEY, name varchar(48), position INTEGER, hidden INTEGER DEFAULT 0);
CREATE TABLE PlaylistTracks (id INTEGER PRIMARY KEY, playlist_id INTEGER, track_id INTEGER, position INTEGER);
CREATE TABLE crates (id INTEGER PRIMARY KEY, name varchar(48) UNIQUE NOT NULL);
CREATE TABLE crate_tracks (crate_id INTEGER NOT NULL, track_id INTEGER NOT NULL);
INSERT INTO track_locations VALUES (1, '/music/bus.mp3', 0), (2, '/music/sun.mp3', 0), (3, '/music/gone.mp3', 1),
    (4, '/music/hidden.mp3', 0);
INSERT INTO library VALUES
    (1, 'Mira Vale', 'Night Bus', 'Late', 'House', 1, '8A - Energy 6', 201.5, 122.5, 0, 'x', 22),
    (2, 'Solo', 'Sun', NULL, NULL, 2, NULL, 60.0, 0.0, 0, '10m', 0),
    (3, 'Solo', 'Gone', NULL, NULL, 3, NULL, 60.0, 90.0, 0, '', 1),
    (4, 'Solo', 'Hidden', NULL, NULL, 4, NULL, 60.0, 90.0, 1, '', 1),
    (5, 'Solo', 'Nowhere', NULL, NULL, 99, NULL, 'long', 'fast', NULL, NULL, NULL);
INSERT INTO Playlists VALUES (1, 'Friday', 2, 0), (2, 'Auto DJ', 0, 1), (3, '2026-01-01', 0, 2), (4, 'First', 1, 0);
INSERT INTO PlaylistTracks VALUES (1, 1, 2, 2), (2, 1, 1, 1), (3, 1, 3, 3), (4, 1, 77, 4), (5, 3, 1, 1);
INSERT INTO crates VALUES (1, 'Warm'), (2, 'Cold');
INSERT INTO crate_tracks VALUES (1, 5), (1, 1);
"""


def example(folder: Path) -> Path:
    """Write a small library as Mixxx does."""
    where = folder / "mixxxdb.sqlite"
    with contextlib.closing(sqlite3.connect(where)) as connection:
        connection.executescript(f"PRAGMA synchronous = OFF; BEGIN; {SCHEMA} COMMIT;")
    return where


@pytest.fixture
def where(tmp_path):
    return example(tmp_path)


def titles(where: Path) -> list[str]:
    return mixxx.read(where).table["title"].to_pylist()


def test_tracks_have_the_values_of_the_library(where):
    assert mixxx.can_read(where)
    catalogue = mixxx.read(where)
    bus, sun, nowhere = catalogue.table.to_pylist()
    assert (bus["track_id"], bus["path"], bus["album"], bus["genres"]) == (
        "/music/bus.mp3",
        "/music/bus.mp3",
        "Late",
        ["House"],
    )
    assert (bus["duration_ms"], bus["tempo_bpm"], bus["key"], bus["mode"]) == (201_500, 122.5, 9, 0)
    assert bus["energy"] == pytest.approx(0.6)
    assert (sun["tempo_bpm"], sun["key"], sun["mode"]) == (None, 0, 0)  # 0 is unknown, and 10m is C minor
    assert (nowhere["path"], nowhere["tempo_bpm"], nowhere["duration_ms"]) == (None, None, None)
    assert catalogue.notes[0] == f"{where}: 3 tracks (Mixxx library)"
    assert f"{where}: 1 tracks left out: hidden in Mixxx" in catalogue.notes
    assert f"{where}: 1 tracks left out: missing on the disk" in catalogue.notes


@pytest.mark.parametrize(("number", "key", "mode"), [(1, 0, 1), (12, 11, 1), (13, 0, 0), (22, 9, 0), (24, 11, 0)])
def test_a_chromatic_key_is_read_as_key_and_mode(where, number, key, mode):
    with contextlib.closing(sqlite3.connect(where)) as connection, connection:
        connection.execute("UPDATE library SET key_id = ? WHERE id = 1", (number,))
    bus = mixxx.read(where).table.to_pylist()[0]
    assert (bus["key"], bus["mode"]) == (key, mode)


def test_playlists_and_crates_keep_their_order_and_unmatched_entries(where):
    first, friday, cold, warm = mixxx.playlists(where)
    assert (first.full_name, first.ids) == ("First", [])
    assert friday.full_name == "Friday"
    assert friday.ids[:3] == ["/music/bus.mp3", "/music/sun.mp3", "/music/gone.mp3"]
    assert friday.unmatched == (2, 3)
    assert friday.names[2] == "Gone Solo"
    assert (cold.full_name, cold.ids) == ("Crates / Cold", [])
    assert (warm.full_name, warm.ids[0], len(warm.ids)) == ("Crates / Warm", "/music/bus.mp3", 2)
    assert playlist_files.read(where, "warm").ids == warm.ids
    with pytest.raises(DataError, match="has 2 playlists; choose one with --playlist: 'Friday', 'Crates / Warm'"):
        playlist_files.read(where)


def test_an_old_library_lacks_columns(where):
    with contextlib.closing(sqlite3.connect(where)) as connection, connection:
        for column in ("key_id", "comment"):
            connection.execute(f"ALTER TABLE library DROP COLUMN {column}")
    assert mixxx.read(where).table.to_pylist()[1]["key"] == 0


def test_reading_writes_nothing_to_the_library_or_its_folder(where):
    before = where.read_bytes(), where.stat().st_mtime_ns
    where.chmod(0o444)
    mixxx.read(where)
    mixxx.playlists(where)
    assert (where.read_bytes(), where.stat().st_mtime_ns) == before
    assert [path.name for path in where.parent.iterdir()] == [where.name]


def test_a_locked_library_is_read_from_a_copy(where):
    with contextlib.closing(sqlite3.connect(where)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("UPDATE library SET title = 'half done' WHERE id = 1")
        assert titles(where) == ["Night Bus", "Sun", "Nowhere"]
        connection.rollback()


def test_a_half_written_change_is_undone_in_a_copy(where):
    with contextlib.closing(sqlite3.connect(where)) as connection:
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("PRAGMA cache_spill = 1")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE library SET title = 'half done'")
        for i in range(3000):
            connection.execute("INSERT INTO crate_tracks VALUES (?, 1)", (i + 9,))
        assert where.with_name(f"{where.name}-journal").exists()
        assert titles(where) == ["Night Bus", "Sun", "Nowhere"]
        connection.rollback()


def test_changes_in_the_write_ahead_log_are_read(where):
    with contextlib.closing(sqlite3.connect(where)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        with connection:
            connection.execute("UPDATE library SET title = 'Late Bus' WHERE id = 1")
        beside = sorted(path.name for path in where.parent.iterdir())
        assert f"{where.name}-wal" in beside
        assert titles(where)[0] == "Late Bus"
        assert sorted(path.name for path in where.parent.iterdir()) == beside


def test_text_that_is_not_unicode_is_read(where):
    with contextlib.closing(sqlite3.connect(where)) as connection, connection:
        connection.execute("UPDATE library SET title = CAST(x'6361e9' AS TEXT), artist = x'00ff', album = 7")
    bus = mixxx.read(where).table.to_pylist()[0]
    assert (bus["title"], bus["album"]) == ("ca\ufffd", "7")


def broken(content: bytes, at: int) -> bytes:
    return content[:at] + b"\xff" * 3000 + content[at + 3000 :]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda content: b"", "is empty"),
        (lambda content: b"not a database at all", "is no SQLite database"),
        (lambda content: content[:16], "cannot be read as Mixxx's library"),
        (lambda content: content[: len(content) // 2], "close Mixxx and try again"),
        (lambda content: broken(content, 4096), "close Mixxx and try again"),
        (lambda content: broken(content, 100), "close Mixxx and try again"),
    ],
)
def test_an_unreadable_library_gives_one_sentence(where, change, sentence):
    where.write_bytes(change(where.read_bytes()))
    with pytest.raises(DataError, match=sentence) as error:
        mixxx.read(where)
    assert str(error.value).startswith(str(where))
    assert "\n" not in str(error.value)


def test_another_sqlite_database_is_named_in_the_error(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("CREATE TABLE library (id INTEGER)")
    with pytest.raises(DataError, match="is an SQLite database, but not Mixxx's: it has no table PlaylistTracks"):
        mixxx.read(tmp_path / "a.db")


def test_an_empty_library_and_a_missing_one_give_errors(where):
    with pytest.raises(NotFoundError, match="there is no such file"):
        mixxx.read(where.parent / "absent.sqlite")
    assert not mixxx.can_read(where.parent / "absent.sqlite")
    assert not mixxx.can_read(where.parent)
    with contextlib.closing(sqlite3.connect(where)) as connection, connection:
        connection.execute("UPDATE library SET mixxx_deleted = 1")
    assert mixxx.playlists(where) == []
    with pytest.raises(DataError, match=r"holds no tracks .*5 tracks left out: hidden in Mixxx"):
        mixxx.read(where)


def test_a_schema_that_is_not_text_gives_an_error(tmp_path):
    where = example(tmp_path)
    content = where.read_bytes()
    at = content.index(b"CREATE TABLE")
    where.write_bytes(content[:at] + b"\x80\xff\xfe" + content[at + 3 :])
    with pytest.raises(DataError, match="cannot be read as Mixxx's library"):
        mixxx.read(where)
