"""Libraries of Serato, Engine DJ, VirtualDJ, iTunes and rekordbox's own database, as tracks and as playlists."""

from __future__ import annotations

import random
import sqlite3
import struct
from pathlib import Path

import pytest

from disco import sources
from disco.errors import DataError, DiscoError
from disco.sources import playlist_files
from disco.sources.dj import (
    engine_library,
    itunes,
    rekordbox_database,
    serato_library,
    sqlite,
    virtualdj_library,
)


def chunk(name: str, content: bytes | str) -> bytes:
    body = content.encode("utf-16-be") if isinstance(content, str) else content
    return name.encode() + struct.pack(">I", len(body)) + body


def serato_track(**fields: str) -> bytes:
    return chunk("otrk", b"".join(chunk(name, text) for name, text in fields.items()))


def write_serato(folder: Path) -> Path:
    home = folder / "_Serato_"
    (home / "Subcrates").mkdir(parents=True)
    (home / "database V2").write_bytes(
        chunk("vrsn", "2.0/Serato Scratch LIVE Database")
        + serato_track(
            pfil="Music/Nite Bus.mp3", tsng="Nite Bus", tart="Ana Vex", tbpm="124.00", tkey="Am", tlen="04:03.50"
        )
        + serato_track(pfil="Music/Tide.mp3", tsng="Tide", tart="Corro", tbpm="126,5", tkey="9A")
    )
    crate = chunk("vrsn", "1.0/Serato ScratchLive Crate")
    crate += serato_track(ptrk="Music/Tide.mp3") + serato_track(ptrk="Music/Nite Bus.mp3")
    (home / "Subcrates" / "Sets%%Friday.crate").write_bytes(crate + serato_track(ptrk="Music/03 - Dot - Salt.mp3"))
    (home / "Subcrates" / "Empty.crate").write_bytes(chunk("vrsn", "1.0/Serato ScratchLive Crate"))
    return home


def test_serato_is_read_by_its_drive_its_folder_its_database_and_a_crate(tmp_path):
    home = write_serato(tmp_path)
    (tmp_path / "Music").mkdir()
    (tmp_path / "Music" / "Tide.mp3").touch()
    for where in (tmp_path, home, home / "database V2"):
        assert sources.source_of(where) is serato_library, where
        table = serato_library.read(where).table
        assert table["title"].to_pylist() == ["Nite Bus", "Tide"]
        assert table["tempo_bpm"].to_pylist() == [124, 126.5]
        assert table["key"].to_pylist() == [9, 4]
        assert table["path"].to_pylist() == [str(tmp_path / "Music/Nite Bus.mp3"), str(tmp_path / "Music/Tide.mp3")]
    empty, friday = serato_library.playlists(home)
    assert (friday.full_name, len(empty)) == ("Sets / Friday", 0)
    assert friday.names == ["Tide Corro", "Nite Bus Ana Vex", "Salt Dot"]
    alone = playlist_files.read(home / "Subcrates" / "Sets%%Friday.crate")
    assert alone.names == friday.names
    assert alone.tracks.table["tempo_bpm"].to_pylist() == [126.5, 124, None]


def test_a_crate_without_a_database_goes_by_the_names_of_files_and_says_so(tmp_path):
    crate = tmp_path / "Friday.crate"
    crate.write_bytes(chunk("vrsn", "1.0/Serato ScratchLive Crate") + serato_track(ptrk="Users/me/Dot - Salt.mp3"))
    tracklist = playlist_files.read(crate)
    assert tracklist.entries[0].path == "/Users/me/Dot - Salt.mp3"
    assert tracklist.names == ["Salt Dot"]
    assert any("go by their file's name" in note for note in tracklist.tracks.notes)


def test_an_encrypted_database_that_is_damaged_gives_one_sentence_and_nothing_else(tmp_path, capfd):
    pytest.importorskip("pyrekordbox")
    (tmp_path / "master.db").write_bytes(random.Random(0).randbytes(9000))
    with pytest.raises(DataError, match="cannot be opened as rekordbox's database"):
        rekordbox_database.read(tmp_path / "master.db")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("cut", [60, 80, 150, 300, 400])
def test_a_database_that_is_cut_off_gives_its_whole_tracks_alone(cut, tmp_path):
    where = write_serato(tmp_path) / "database V2"
    where.write_bytes(where.read_bytes()[:cut])
    entries = serato_library._database(where)
    assert [entry.title for entry in entries.values()] == ["Nite Bus", "Tide"][: len(entries)]


def write_engine(path: Path, version: int = 2) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as connection:
        if version == 2:
            connection.executescript(
                """
                CREATE TABLE Information (uuid TEXT);
                INSERT INTO Information VALUES ('own');
                CREATE TABLE Track (id INTEGER PRIMARY KEY, title, artist, length, bpm, bpmAnalyzed, key, path,
                    originDatabaseUuid, originTrackId);
                INSERT INTO Track VALUES (1, 'Nite Bus', 'Ana Vex', 243, 124, 124.01, 1, '../Music/Nite Bus.mp3', 0,
                    0);
                INSERT INTO Track VALUES (2, 'Tide', 'Corro', 200, 126, NULL, 3, '../Music/Tide.mp3', 'other', 7);
                INSERT INTO Track VALUES (3, 'Salt', 'Dot', 200, 128, 128.0, 5, '../Music/Salt.mp3', 'own', 3);
                CREATE TABLE Playlist (id INTEGER PRIMARY KEY, title, parentListId, nextListId);
                INSERT INTO Playlist VALUES (1, 'Sets', 0, 0), (2, 'Friday', 1, 0), (3, 'Bar', 0, 1);
                CREATE TABLE PlaylistEntity (id INTEGER PRIMARY KEY, listId, trackId, databaseUuid, nextEntityId);
                INSERT INTO PlaylistEntity VALUES (1, 2, 1, 'own', 0), (2, 2, 3, 'own', 3), (3, 2, 7, 'other', 1),
                    (4, 3, 3, 'own', 5), (5, 3, 99, 'elsewhere', 0);
                """
            )
        else:
            connection.executescript(
                """
                CREATE TABLE Track (id INTEGER PRIMARY KEY, length, bpm, bpmAnalyzed, path);
                INSERT INTO Track VALUES (1, 243, 124, 124.01, '../Music/Nite Bus.mp3');
                INSERT INTO Track VALUES (2, 200, 126, NULL, '../Music/Tide.mp3');
                CREATE TABLE MetaData (id, type, text);
                INSERT INTO MetaData VALUES (1, 1, 'Nite Bus'), (1, 2, 'Ana Vex'), (2, 1, 'Tide'), (2, 2, 'Corro');
                CREATE TABLE MetaDataInteger (id, type, value);
                INSERT INTO MetaDataInteger VALUES (1, 4, 1), (2, 4, 3), (2, 5, 80);
                CREATE TABLE List (id, type, title, path);
                INSERT INTO List VALUES (1, 1, 'Friday', 'Sets;Friday;'), (1, 4, 'Bar', 'Bar;');
                INSERT INTO List VALUES (2, 2, 'old', 'old;');
                CREATE TABLE ListTrackList (id INTEGER PRIMARY KEY, listId, listType, trackId, trackNumber);
                INSERT INTO ListTrackList VALUES (1, 1, 1, 2, 1), (2, 1, 1, 1, 2), (3, 1, 4, 2, 1), (4, 2, 2, 1, 1);
                """
            )
    connection.close()
    return path


def test_engine_is_read_by_its_database_and_its_folder_in_the_order_of_its_chains(tmp_path):
    file = write_engine(tmp_path / "Engine Library" / "Database2" / "m.db")
    for where in (file, tmp_path, tmp_path / "Engine Library"):
        assert sources.source_of(where) is engine_library, where
        table = engine_library.read(where).table
        assert table["title"].to_pylist() == ["Nite Bus", "Tide", "Salt"]
        assert table["tempo_bpm"].to_pylist() == pytest.approx([124.01, 126, 128])
        assert list(zip(table["key"].to_pylist(), table["mode"].to_pylist(), strict=True)) == [
            (9, 0),
            (4, 0),
            (11, 0),
        ]
        assert table["path"][0].as_py() == str(tmp_path / "Music" / "Nite Bus.mp3")
        lists = engine_library.playlists(where)
        assert [one.full_name for one in lists] == ["Bar", "Sets / Friday"]
        assert [name.split()[0] for name in lists[1].names] == ["Salt", "Tide", "Nite"]
        assert lists[0].unmatched == (1,)


def test_a_broken_chain_of_engine_keeps_every_entry_and_ends(tmp_path):
    file = write_engine(tmp_path / "m.db")
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE PlaylistEntity SET nextEntityId = 2 WHERE id = 1")  # a ring
        connection.execute("UPDATE Playlist SET parentListId = 2 WHERE id = 1")  # folders in each other
    friday = next(one for one in engine_library.playlists(file) if one.name == "Friday")
    assert len(friday) == 3


def test_an_engine_library_of_the_first_version_is_read(tmp_path):
    file = write_engine(tmp_path / "m.db", version=1)
    table = engine_library.read(file).table
    assert table["title"].to_pylist() == ["Nite Bus", "Tide"]
    assert table["key"].to_pylist() == [9, 4]
    lists = engine_library.playlists(file)
    assert [(one.full_name, len(one)) for one in lists] == [("Sets / Friday", 2), ("Bar", 1)]
    assert [name.split()[0] for name in lists[0].names] == ["Tide", "Nite"]


VIRTUALDJ = r"""<?xml version="1.0" encoding="UTF-8"?>
<VirtualDJ_Database Version="8.5">
 <Song FilePath="D:\Music\Nite Bus.mp3" FileSize="5">
  <Tags Author="Ana Vex" Title="Nite Bus" Remix="Dub" Genre="House" Bpm="0.6"/>
  <Infos SongLength="243.5"/><Scan Version="801" Bpm="0.483871" Key="Am"/><Comment>8A - Energy 6</Comment>
 </Song>
 <Song FilePath="/Users/me/Tide.mp3"><Tags Author="Corro" Title="Tide" Bpm="0.476190" Key="9A"/></Song>
 <Song FilePath="netsearch://td123"><Tags Author="Dot" Title="Salt"/></Song>
</VirtualDJ_Database>
"""


def test_a_database_of_virtualdj_has_tempos_in_seconds_a_beat(tmp_path):
    where = tmp_path / "database.xml"
    where.write_text(VIRTUALDJ, encoding="utf-8")
    assert sources.source_of(where) is virtualdj_library
    rows = virtualdj_library.read(where).table.to_pylist()
    assert [row["title"] for row in rows] == ["Nite Bus (Dub)", "Tide", "Salt"]
    assert [row["tempo_bpm"] for row in rows] == [pytest.approx(124, abs=0.01), pytest.approx(126, abs=0.01), None]
    assert [row["key"] for row in rows] == [9, 4, None]
    assert [row["path"] for row in rows] == ["D:\\Music\\Nite Bus.mp3", "/Users/me/Tide.mp3", None]
    assert rows[0]["energy"] == pytest.approx(0.6)
    assert virtualdj_library.playlists(where) == []


def test_a_list_of_virtualdj_is_a_playlist(tmp_path):
    where = tmp_path / "Friday.vdjfolder"
    where.write_text(
        '<VirtualFolder noDuplicates="no"><song path="D:\\Tide.mp3" songlength="200.0" bpm="126.000" key="Em" '
        'artist="Corro" title="Tide" idx="0"/><song path="D:\\Salt.mp3" artist="Dot" title="Salt" idx="1"/>'
        '<song path="D:\\Tide.mp3" artist="Corro" title="Tide" idx="2"/></VirtualFolder>',
        encoding="utf-8",
    )
    tracklist = playlist_files.read(where)
    assert (tracklist.name, tracklist.names) == ("Friday", ["Tide Corro", "Salt Dot", "Tide Corro"])
    assert tracklist.tracks.table["tempo_bpm"].to_pylist() == [126, None, 126]


def plist(tracks: str, lists: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE plist PUBLIC "-//Apple Computer//DTD PLIST 1.0//EN" '
        '"http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n'
        '<plist version="1.0"><dict><key>Major Version</key><integer>1</integer>'
        f"<key>Tracks</key><dict>{tracks}</dict>"
        f"<key>Playlists</key><array>{lists}</array></dict></plist>"
    )


def value(name: str, content: str | int | bool) -> str:
    if isinstance(content, bool):
        return f"<key>{name}</key><{'true' if content else 'false'}/>"
    kind = "integer" if isinstance(content, int) else "string"
    return f"<key>{name}</key><{kind}>{content}</{kind}>"


def song(number: int, **fields: str | int | bool) -> str:
    inside = "".join(value(name.replace("_", " "), content) for name, content in fields.items())
    return f"<key>{number}</key><dict>{value('Track ID', number)}{inside}</dict>"


def one_list(name: str, *numbers: int, more: str = "") -> str:
    items = "".join(f"<dict>{value('Track ID', number)}</dict>" for number in numbers)
    return f"<dict>{value('Name', name)}{more}<key>Playlist Items</key><array>{items}</array></dict>"


def test_an_itunes_library_is_read_with_its_folders_and_without_podcasts(tmp_path):
    where = tmp_path / "Library.xml"
    tracks = song(
        1,
        Name="Nite Bus &amp; Co",
        Artist="Ana Vex",
        Total_Time=243000,
        BPM=124,
        Location="file:///Users/me/Nite%20Bus.mp3",
    )
    tracks += song(2, Name="Tide", Artist="Corro", Persistent_ID="AB12", Track_Type="Remote")
    tracks += song(3, Name="Talk", Podcast=True) + song(4, Name="Film", Movie=True)
    folder = value("Folder", True) + value("Playlist Persistent ID", "F1")
    inner = value("Parent Persistent ID", "F1")
    lists = one_list("Library", 1, 2, 3, more=value("Master", True)) + one_list("Sets", 1, more=folder)
    lists += one_list("Friday", 2, 3, 1, 99, more=inner) + one_list("Music", 1, more=value("Distinguished Kind", 4))
    where.write_text(plist(tracks, lists), encoding="utf-8")
    assert sources.source_of(where) is itunes
    catalogue = itunes.read(where)
    rows = catalogue.table.to_pylist()
    assert [(row["title"], row["tempo_bpm"], row["path"]) for row in rows] == [
        ("Nite Bus & Co", 124, "/Users/me/Nite Bus.mp3"),
        ("Tide", None, None),
    ]
    assert [note for note in catalogue.notes if "left out" in note] == [
        f"{where}: 1 films left out",
        f"{where}: 1 podcasts left out",
    ]
    (friday,) = itunes.playlists(where)
    assert friday.full_name == "Sets / Friday"
    assert [name for name in friday.names if name] == ["Tide Corro", "Nite Bus & Co Ana Vex"]
    assert friday.unmatched == (2,)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("<plist><dict><key>A</key><string>b</string></dict></plist>", "no library of iTunes or Music"),
        ("<plist/>", "no library of iTunes or Music"),
        ("<plist><array><dict/></array></plist>", "no library of iTunes or Music"),
        ("<plist><dict><key>Tracks</key><dict>", "the file is cut off"),
        ('<!DOCTYPE plist [<!ENTITY a "b">]><plist/>', "entities"),
        ("<!DOCTYPE html><plist/>", "document type"),
    ],
)
def test_a_property_list_that_is_no_library_gives_one_sentence(content, sentence, tmp_path):
    where = tmp_path / "a.xml"
    where.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=sentence):
        itunes.read(where)


def write_rekordbox(path: Path) -> Path:
    with sqlite3.connect(path) as connection:
        connection.executescript(
            """
            CREATE TABLE djmdContent (ID, FolderPath, Title, ArtistID, GenreID, Length, BPM, KeyID,
                rb_local_deleted, AlbumID, Commnt, ISRC);
            INSERT INTO djmdContent VALUES ('11', '/Nite Bus.mp3', 'Nite Bus', 'a', 'g', 243, 12450, 'k', 0,
                NULL, '', '');
            INSERT INTO djmdContent VALUES ('12', '/Tide.mp3', 'Tide', NULL, NULL, 200, 0, NULL, 0, NULL, NULL, NULL);
            INSERT INTO djmdContent VALUES ('13', '/Gone.mp3', 'Gone', NULL, NULL, 200, 0, NULL, 1, NULL, NULL, NULL);
            CREATE TABLE djmdArtist (ID, Name); INSERT INTO djmdArtist VALUES ('a', 'Ana Vex');
            CREATE TABLE djmdAlbum (ID, Name);
            CREATE TABLE djmdGenre (ID, Name); INSERT INTO djmdGenre VALUES ('g', 'House');
            CREATE TABLE djmdKey (ID, ScaleName); INSERT INTO djmdKey VALUES ('k', 'Am');
            CREATE TABLE djmdPlaylist (ID, Seq, Name, Attribute, ParentID, rb_local_deleted);
            INSERT INTO djmdPlaylist VALUES ('1', 1, 'Sets', 1, 'root', 0), ('2', 1, 'Friday', 0, '1', 0),
                ('3', 2, 'Clever', 4, 'root', 0);
            CREATE TABLE djmdSongPlaylist (ID, PlaylistID, ContentID, TrackNo, rb_local_deleted);
            INSERT INTO djmdSongPlaylist VALUES ('x', '2', '11', 2, 0), ('y', '2', '12', 1, 0);
            INSERT INTO djmdSongPlaylist VALUES ('z', '2', '13', 3, 0);
            """
        )
    connection.close()
    return path


def test_an_open_database_of_rekordbox_is_read_and_not_written(tmp_path):
    where = write_rekordbox(tmp_path / "master.db")
    before = where.read_bytes()
    rows = rekordbox_database.read(where).table.to_pylist()
    assert [(row["title"], row["artists"], row["tempo_bpm"], row["key"]) for row in rows] == [
        ("Nite Bus", ["Ana Vex"], 124.5, 9),
        ("Tide", None, None, None),
    ]
    (friday,) = rekordbox_database.playlists(where)
    assert friday.full_name == "Sets / Friday"
    assert [name.split(" ")[0] for name in friday.names][:2] == ["Tide", "Nite"]
    assert friday.unmatched == (2,)
    assert where.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("master.db", "rekordbox's own database, which is encrypted"),
        ("master_copy.db", "rekordbox's own database, which is encrypted"),
        ("datafile.edb", "database of rekordbox 5, which is not read"),
        ("export.pdb", "database of a USB drive of rekordbox"),
        ("exportLibrary.db", "database of a USB drive of rekordbox"),
        ("master (1).db", "rekordbox's own database, which is encrypted"),
        ("export (1).pdb", "database of a USB drive of rekordbox"),
        ("ExtData.edb", "database of rekordbox 5, which is not read"),
        ("masterPlaylists6.xml", "names of rekordbox's playlists, and no track"),
    ],
)
def test_a_database_of_rekordbox_that_is_not_read_is_refused_by_its_name(name, sentence, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyrekordbox", None)
    where = tmp_path / name
    where.write_bytes(bytes(range(256)) * 20)
    for read in (sources.open, sources.open_playlist):
        with pytest.raises(DataError) as error:
            read(where)
        assert sentence in str(error.value)
        assert "Export Collection in xml format" in str(error.value)


@pytest.mark.parametrize("make", [write_engine, write_rekordbox])
def test_a_damaged_database_gives_one_sentence(make, tmp_path):
    where = make(tmp_path / ("m.db" if make is write_engine else "master.db"))
    content = where.read_bytes()
    for cut in (17, 100, 1000, 5000):
        where.write_bytes(content[:cut])
        with pytest.raises(DiscoError) as error:
            sources.open(where, cache=False)
        assert "\n" not in str(error.value)


ENDLESS = (
    "CREATE VIEW {} AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT * FROM n, n AS m"
)


def test_a_view_that_never_ends_is_no_table_and_a_query_that_never_ends_is_stopped(tmp_path, monkeypatch):
    file = write_engine(tmp_path / "m.db")
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE Track")
        connection.execute(ENDLESS.format("Track"))
    assert sources.source_of(file) is not engine_library
    monkeypatch.setattr(sqlite, "LONGEST_S", 0.3)
    where = tmp_path / "hm.db"
    with sqlite3.connect(where) as connection:
        connection.executescript(
            "CREATE TABLE Historylist (id, title, startTime);"
            "CREATE TABLE HistorylistEntity (id, listId, trackId, startTime);"
        )
        connection.execute(ENDLESS.format("Track"))
    with pytest.raises(DataError, match="takes more than 0 s to read, as no library of Engine DJ does"):
        engine_library.read(where)


def serato_example(folder: Path) -> Path:
    """A folder of Serato for the contract of sources."""
    return write_serato(folder)


def engine_example(folder: Path) -> Path:
    """A library of Engine for the contract of sources."""
    return write_engine(folder / "m.db")


def virtualdj_example(folder: Path) -> Path:
    """A database of VirtualDJ for the contract of sources."""
    where = folder / "database.xml"
    where.write_text(VIRTUALDJ, encoding="utf-8")
    return where


def itunes_example(folder: Path) -> Path:
    """A library of iTunes for the contract of sources."""
    where = folder / "Library.xml"
    tracks = song(1, Name="Nite Bus", Artist="Ana Vex", BPM=124, Location="file:///m/a.mp3")
    where.write_text(plist(tracks + song(2, Name="Tide"), one_list("Friday", 2, 1, 99)), encoding="utf-8")
    return where


def rekordbox_example(folder: Path) -> Path:
    """A database of rekordbox for the contract of sources."""
    return write_rekordbox(folder / "master.db")
