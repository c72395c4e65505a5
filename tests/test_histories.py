"""Histories of DJ programs: what was played and when, from whole files, damaged ones and those of other languages."""

from __future__ import annotations

import contextlib
import sqlite3
import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest

from disco.errors import DataError, DiscoError, NotFoundError
from disco.sources import histories
from disco.sources.dj import engine, mixxx, rekordbox, serato, traktor, virtualdj
from disco.sources.files import play_tables
from disco.sources.plays import Play, PlayedSet, what_counts
from disco.sources.tracklist import Entry

DAY = 2026 << 16 | 5 << 8 | 31
NINE = 21 * 3600


def nml(plays: list[tuple[str, float, int]], day: int = DAY, public: str = "1", title: str = "HISTORY") -> str:
    """A history as Traktor writes it: file, seconds played and seconds since midnight of each play."""
    tracks = "".join(
        f'<ENTRY TITLE="{name.title()}" ARTIST="Solo"><LOCATION DIR="/:Music/:" FILE="{name}.mp3" VOLUME="C:">'
        '</LOCATION><INFO GENRE="House" KEY="1m" PLAYTIME="300"></INFO><TEMPO BPM="124"></TEMPO>'
        '<MUSICAL_KEY VALUE="21"></MUSICAL_KEY></ENTRY>\n'
        for name in sorted({name for name, *_ in plays})
    )
    entries = "".join(
        f'<ENTRY><PRIMARYKEY TYPE="TRACK" KEY="C:/:Music/:{name}.mp3"></PRIMARYKEY><EXTENDEDDATA DECK="0" '
        f'DURATION="{seconds}" EXTENDEDTYPE="HistoryData" PLAYEDPUBLIC="{public}" STARTDATE="{day}" '
        f'STARTTIME="{started}"></EXTENDEDDATA></ENTRY>\n'
        for name, seconds, started in plays
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="no" ?>\n<NML VERSION="19">'
        f'<COLLECTION ENTRIES="1">{tracks}</COLLECTION>\n<PLAYLISTS><NODE TYPE="FOLDER" NAME="$ROOT"><SUBNODES>'
        f'<NODE TYPE="PLAYLIST" NAME="{title}"><PLAYLIST TYPE="PROTOCOL" UUID="0">{entries}</PLAYLIST></NODE>'
        "</SUBNODES></NODE></PLAYLISTS></NML>"
    )


EVENING = [("bus", 250.0, NINE), ("sun", 10.0, NINE + 200), ("rain", 300.0, NINE + 240), ("late", 200.0, NINE + 500)]


def written(folder: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
    where = folder / name
    where.parent.mkdir(parents=True, exist_ok=True)
    where.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return where


def titles(sets: list[PlayedSet]) -> list[list[str | None]]:
    return [[play.entry.title for play in one.plays] for one in sets]


def test_a_history_of_traktor_has_keys_tempos_and_times_and_no_previews(tmp_path):
    where = written(tmp_path, "history_2026y05m31d_21h00m00s.nml", nml(EVENING))
    sets, notes = histories.read([where])
    assert titles(sets) == [["Bus", "Rain", "Late"]]
    first = sets[0].plays[0]
    assert (first.started, first.seconds) == (datetime(2026, 5, 31, 21, 0), 250.0)
    assert (first.entry.key, first.entry.tempo_bpm, first.entry.path) == ((9, 0), 124.0, "C:/Music/bus.mp3")
    assert notes == ["1 sets, 3 plays read", "1 plays of under a minute left out"]


def test_a_date_that_is_none_is_taken_from_the_name_and_passes_midnight(tmp_path):
    plays = [("bus", 250.0, 86_000), ("rain", 300.0, 200)]
    where = written(tmp_path, "history_2026y05m31d_23h50m00s.nml", nml(plays, day=1))
    started = [play.started for play in traktor.histories(where)[0].plays]
    assert started == [datetime(2026, 5, 31, 23, 53, 20), datetime(2026, 6, 1, 0, 3, 20)]
    nowhere = written(tmp_path, "history.nml", nml(plays, day=1))
    assert [play.started for play in traktor.histories(nowhere)[0].plays] == [None, None]


@pytest.mark.parametrize("day", [10**12, 2**62, "1e300", "-1", "nan"])
def test_a_date_beyond_all_years_is_unknown(tmp_path, day):
    where = written(tmp_path, "history.nml", nml([("bus", 250.0, 200)], day=day))
    assert [play.started for play in traktor.histories(where)[0].plays] == [None]


def test_what_only_the_headphones_had_is_left_out_unless_that_is_all(tmp_path):
    both = nml(EVENING).replace('PLAYEDPUBLIC="1"', 'PLAYEDPUBLIC="0"', 1)
    assert len(traktor.histories(written(tmp_path, "a.nml", both))[0]) == 3
    assert len(traktor.histories(written(tmp_path, "b.nml", nml(EVENING, public="0")))[0]) == 4


def test_a_collection_of_traktor_without_a_history_is_refused(tmp_path):
    where = written(tmp_path, "collection.nml", nml(EVENING).replace("HistoryData", "Other"))
    with pytest.raises(DataError, match="holds no history; those lie in Traktor's folder History"):
        histories.read([where])


def test_a_folder_is_read_whole_and_what_is_damaged_is_named(tmp_path):
    written(tmp_path, "History/a.nml", nml(EVENING))
    written(tmp_path, "History/2025/b.nml", nml(EVENING, day=DAY + 256))
    written(tmp_path, "History/cut.nml", nml(EVENING)[:900])
    written(tmp_path, "History/.hidden.nml", "<NML")
    written(tmp_path, "History/cover.jpg", b"\xff\xd8")
    sets, notes = histories.read([tmp_path / "History"])
    assert len(sets) == 2
    assert [note for note in notes if note.startswith("left out: ")] == [
        f"left out: {tmp_path}/History/cut.nml, line 5: the XML ends too soon: the file is cut off; export it again"
    ]
    with pytest.raises(DataError, match="cut off; export it again"):
        histories.read([tmp_path / "History" / "cut.nml"])


def test_the_same_history_given_twice_counts_once(tmp_path):
    where = written(tmp_path, "a.nml", nml(EVENING))
    sets, notes = histories.read([where, where])
    assert len(sets) == 1
    assert "1 sets that were given twice counted once" in notes


REKORDBOX = (
    "#\tArtwork\tTrack Title\tArtist\tAlbum\tGenre\tBPM\tRating\tTime\tKey\tDate Added\r\n"
    "1\t\tNight Bus\tMira Vale\tLate\tHouse\t122.50\t     \t06:37\t8A\t2026-01-02\r\n"
    "2\t\tNight Bus\tMira Vale\tLate\tHouse\t122.50\t     \t06:37\t8A\t2026-01-02\r\n"
    "3\t\tSun\tSolo\t\t\t0.00\t     \t00:50\t\t2026-01-02\r\n"
)
HEADERS = {
    "german": "#\tArtwork\tTitel\tKünstler\tAlbum\tGenre\tBPM\tBewertung\tZeit\tTonart\tHinzugefügt am",
    "french": "#\tImage\tTitre du morceau\tArtiste\tAlbum\tGenre\tBPM\tClassement\tDurée\tTonalité\tDate d'ajout",
    "spanish": "#\tCarátula\tTítulo de la pista\tArtista\tÁlbum\tGénero\tBPM\tCalificación\tTiempo\tTonalidad\tFecha",
    "japanese": "#\t画像\tトラックタイトル\tアーティスト\tアルバム\tジャンル\tBPM\tレート\t時間\tキー\t追加日",
    "korean": "#\t아트워크\t트랙 제목\t아티스트\t앨범\t장르\tBPM\t평가\t시간\t키\t추가한 날짜",
    "russian": "#\tОбложка\tНазвание трека\tИсполнитель\tАльбом\tЖанр\tBPM\tРейтинг\tВремя\tТональность\tДобавлен",
}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-8-sig"])
def test_a_history_of_rekordbox_as_text_has_keys_and_counts_a_repeat_once(tmp_path, encoding):
    sets, notes = histories.read([written(tmp_path, "HISTORY 2026-05-31.txt", REKORDBOX, encoding)])
    assert titles(sets) == [["Night Bus", "Sun"]]
    bus, sun = (play.entry for play in sets[0].plays)
    assert (bus.artist, bus.key, bus.tempo_bpm, bus.duration_ms) == ("Mira Vale", "8A", 122.5, 397_000)
    assert (sun.key, sun.tempo_bpm) == (None, 0.0)
    assert sets[0].plays[0].started is None
    assert "1 tracks that came twice in a row counted once" in notes


@pytest.mark.parametrize("language", HEADERS)
def test_a_history_of_rekordbox_is_read_in_other_languages(tmp_path, language):
    text = "\r\n".join([HEADERS[language], *REKORDBOX.splitlines()[1:]])
    (one,) = play_tables.histories(written(tmp_path, "HISTORY.txt", text, "utf-16"))
    bus = one.plays[0].entry
    assert (bus.title, bus.artist, bus.key, bus.tempo_bpm, bus.duration_ms) == (
        *("Night Bus", "Mira Vale", "8A", 122.5),
        397_000,
    )


def test_a_history_of_rekordbox_that_is_cut_off_keeps_its_whole_rows(tmp_path):
    content = REKORDBOX.encode("utf-16")
    (one,) = play_tables.histories(written(tmp_path, "HISTORY.txt", content[: len(content) - 61]))
    assert [play.entry.title for play in one.plays] == ["Night Bus", "Night Bus", "Sun"]


def test_playlists_of_rekordbox_called_history_are_sets(tmp_path):
    text = """<?xml version="1.0" encoding="UTF-8"?><DJ_PLAYLISTS Version="1.0.0"><COLLECTION Entries="2">
    <TRACK TrackID="1" Name="Night Bus" Artist="Mira Vale" Tonality="8A" AverageBpm="122.50" TotalTime="300"
     Location="file://localhost/C:/bus.mp3"/>
    <TRACK TrackID="2" Name="Sun" Artist="Solo" Location="file://localhost/C:/sun.mp3"/></COLLECTION><PLAYLISTS>
    <NODE Type="0" Name="ROOT"><NODE Type="1" Name="Warm" KeyType="0"><TRACK Key="2"/></NODE>
    <NODE Type="0" Name="Histories"><NODE Type="1" Name="HISTORY 2026-05-31" KeyType="0"><TRACK Key="1"/>
    <TRACK Key="2"/></NODE></NODE></NODE></PLAYLISTS></DJ_PLAYLISTS>"""
    (one,) = rekordbox.histories(written(tmp_path, "rekordbox.xml", text))
    assert one.name == "Histories / HISTORY 2026-05-31"
    assert [(play.entry.title, play.entry.key) for play in one.plays] == [("Night Bus", "8A"), ("Sun", None)]
    unnamed = written(tmp_path, "other.xml", text.replace("HISTORY", "Set").replace("Histories", "Sets"))
    assert len(rekordbox.histories(unnamed)) == 2


def chunk(name: bytes | int, content: bytes) -> bytes:
    tag = name if isinstance(name, bytes) else struct.pack(">I", name)
    return tag + struct.pack(">I", len(content)) + content


def utf16(text: str) -> bytes:
    return f"{text}\0".encode("utf-16-be")


def serato_entry(row: int, title: str, started: int, seconds: int | None, played: int = 1, **more: object) -> bytes:
    fields = chunk(1, struct.pack(">I", row)) + chunk(2, utf16(f"/Music/{title}.mp3")) + chunk(6, utf16(title))
    fields += chunk(7, utf16("Solo")) + chunk(15, struct.pack(">I", 124)) + chunk(51, utf16("Am"))
    fields += chunk(28, struct.pack(">I", started)) + chunk(50, bytes([played])) + chunk(99, b"unknown")
    fields += b"" if seconds is None else chunk(45, struct.pack(">I", seconds))
    return chunk(b"oent", chunk(b"adat", fields))


def test_a_session_of_serato_keeps_the_last_of_each_row(tmp_path):
    begin = int(datetime(2026, 5, 31, 21, 0).timestamp())
    content = chunk(b"vrsn", "1.0/Serato Scratch LIVE Review".encode("utf-16-be"))
    content += serato_entry(1, "Bus", begin, None) + serato_entry(2, "Loaded", begin + 100, None, played=0)
    content += serato_entry(1, "Bus", begin, 250) + serato_entry(3, "Sun", begin + 250, 200)
    content += serato_entry(4, "Removed", begin + 300, 200)
    content += chunk(b"oren", chunk(b"uent", chunk(1, struct.pack(">I", 4))))
    where = written(tmp_path, "12.session", content)
    (one,) = serato.histories(where)
    assert [(p.entry.title, p.seconds, p.entry.key, p.entry.tempo_bpm) for p in one.plays] == [
        ("Bus", 250, "Am", 124.0),
        ("Sun", 200, "Am", 124.0),
    ]
    assert one.plays[0].started == datetime(2026, 5, 31, 21, 0)
    for end in range(len(content)):  # cut off anywhere: what is whole is read, or one sentence says that nothing is
        where.write_bytes(content[:end])
        with contextlib.suppress(DiscoError):
            assert all(play.entry.title for one in serato.histories(where) for play in one.plays)


@pytest.mark.parametrize(
    ("date", "first", "second"),
    [
        ("31.05.2026", "31.05.2026, 21.00.00 EET", "21.04.10 EET"),
        ("5/31/2026", "5/31/2026, 9:00:00 PM", "9:04:10 PM"),
        ("31/05/2026", "31/05/2026 21:00:00", "21:04:10"),
        ("2026/05/31", "2026-05-31 21:00:00", "21:04:10"),
        ("2026年5月31日", "2026年5月31日 21時00分00秒", "21時04分10秒"),
    ],
)
def test_an_export_of_serato_is_read_with_the_dates_of_any_country(tmp_path, date, first, second):
    lines = ["name,artist,start time,end time,playtime,deck,notes", f'{date},,"{first}",,01:00:00,,']
    clock = first.split(", ")[-1]
    lines += [f'Bus,Solo,"{clock}",,00:04:10,1,', f"Sun,Solo,{second},,00:03:00,2,"]
    (one,) = play_tables.histories(written(tmp_path, "export.csv", "\n".join(lines)))
    assert [(play.entry.title, play.started, play.seconds) for play in one.plays] == [
        ("Bus", datetime(2026, 5, 31, 21, 0), 250.0),
        ("Sun", datetime(2026, 5, 31, 21, 4, 10), 180.0),
    ]


def test_text_that_serato_writes_at_fixed_places_is_read(tmp_path):
    lines = [
        f"{'name':<40}{'artist':<30}{'start time':<30}{'playtime':<12}",
        f"{'-' * 38:<40}{'-' * 28:<30}{'-' * 28:<30}{'-' * 10:<12}",
        f"{'10.1.2026':<40}{'':<30}{'10.01.2026, 20.00.00 EET':<30}{'01:00:00':<12}",
        f"{'Night Bus':<40}{'Mira Vale':<30}{'20.00.13 EET':<30}{'00:04:10':<12}",
    ]
    (one,) = play_tables.histories(written(tmp_path, "history.txt", "\n".join(lines)))
    assert [(p.entry.title, p.entry.artist, p.started, p.seconds) for p in one.plays] == [
        ("Night Bus", "Mira Vale", datetime(2026, 1, 10, 20, 0, 13), 250.0)
    ]


def test_a_table_with_times_may_hold_several_sets(tmp_path):
    lines = ["set;artist;title;played at;key;bpm", "one;Solo;Bus;2026-05-31T21:00:00+02:00;8A;120,5"]
    lines += ["one;Solo;Sun;2026-05-31T21:04:00+02:00;;", "two;Solo;Rain;1780000000;1m;90"]
    sets = play_tables.histories(written(tmp_path, "mine.csv", "\n".join(lines)))
    assert [(one.name, len(one)) for one in sets] == [("one", 2), ("two", 1)]
    assert sets[0].plays[0].started == datetime(2026, 5, 31, 21, 0)
    assert (sets[0].plays[0].entry.tempo_bpm, sets[0].plays[0].entry.key) == (120.5, "8A")
    assert sets[1].plays[0].started == datetime.fromtimestamp(1_780_000_000)


def mixxx_library(folder: Path) -> Path:
    from test_mixxx import example

    where = example(folder)
    with contextlib.closing(sqlite3.connect(where)) as connection:
        connection.executescript(
            "ALTER TABLE PlaylistTracks ADD COLUMN pl_datetime_added;"
            "INSERT INTO PlaylistTracks VALUES (6, 3, 2, 2, '2026-05-31 19:04:00'), (7, 3, 77, 3, 'never');"
            "UPDATE PlaylistTracks SET pl_datetime_added = '2026-05-31 19:00:00' WHERE id = 5;"
        )
    return where


def test_histories_of_mixxx_are_those_that_its_sidebar_hides(tmp_path):
    where = mixxx_library(tmp_path)
    before = where.read_bytes()
    (one,) = mixxx.histories(where)
    assert (one.name, [play.entry.title for play in one.plays]) == ("2026-01-01", ["Night Bus", "Sun"])
    universal = datetime(2026, 5, 31, 19, 0, tzinfo=UTC)
    assert one.plays[0].started == universal.astimezone().replace(tzinfo=None)
    assert one.plays[0].entry.key == (9, 0)
    assert titles(histories.read([where])[0]) == [["Night Bus", "Sun"]]
    assert where.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mixxxdb.sqlite"]


def test_an_old_library_of_mixxx_has_no_times(tmp_path):
    from test_mixxx import example

    (one,) = mixxx.histories(example(tmp_path))
    assert [play.started for play in one.plays] == [None]


ENGINE = """
CREATE TABLE Historylist (id INTEGER PRIMARY KEY, title TEXT, startTime DATETIME, isDeleted BOOLEAN);
CREATE TABLE HistorylistEntity (id INTEGER PRIMARY KEY, listId INTEGER, trackId INTEGER, startTime DATETIME);
INSERT INTO Historylist VALUES (1, NULL, 1780000000, 0), (2, 'gone', 1780000000, 1);
INSERT INTO HistorylistEntity VALUES (1, 1, 7, 1780000000),
    (2, 1, 8, 1780000300), (3, 2, 7, 1780000000), (4, 1, 9, 5);
"""
TRACKS = """
CREATE TABLE Track (id INTEGER PRIMARY KEY, title TEXT, artist TEXT, length INTEGER, bpm INTEGER, bpmAnalyzed REAL,
    key INTEGER, path TEXT);
INSERT INTO Track VALUES (7, 'Bus', 'Solo', 300, 120, 120.4, 1, '../Music/bus.mp3'), (8, 'Sun', 'Solo', 200, 90, NULL,
    2, 'D:/sun.mp3');
"""


def engine_library(folder: Path, apart: bool) -> Path:
    place = folder / "Engine Library" / "Database2"
    place.mkdir(parents=True)
    parts = [("hm.db", ENGINE), ("m.db", TRACKS)] if apart else [("hm.db", ENGINE + TRACKS)]
    for name, script in parts:
        with contextlib.closing(sqlite3.connect(place / name)) as connection:
            connection.executescript(script)
    return place / "hm.db"


@pytest.mark.parametrize("apart", [False, True])
def test_a_history_of_engine_is_read_with_the_tracks_of_the_database_beside_it(tmp_path, apart):
    where = engine_library(tmp_path, apart)
    (one,) = engine.histories(where)
    assert [(p.entry.title, p.entry.key, p.entry.tempo_bpm) for p in one.plays] == [
        ("Bus", (9, 0), 120.4),
        ("Sun", (7, 1), 90.0),
    ]
    assert one.plays[0].started == datetime.fromtimestamp(1_780_000_000)
    assert one.plays[0].entry.path == str(tmp_path / "Music" / "bus.mp3")
    assert titles(histories.read([tmp_path])[0]) == [["Bus", "Sun"]]


def test_numbers_of_keys_of_engine_go_round_the_circle_of_fifths():
    keys = [engine.key(number) for number in range(24)]
    assert len(set(keys)) == 24
    assert [keys[i] for i in (0, 1, 2, 3, 22, 23)] == [(0, 1), (9, 0), (7, 1), (4, 0), (5, 1), (2, 0)]


def test_a_history_of_engine_without_its_tracks_is_refused(tmp_path):
    where = engine_library(tmp_path, apart=True)
    where.with_name("m.db").unlink()
    with pytest.raises(DataError, match=r"put m\.db of the same folder beside it"):
        histories.read([where])


def test_another_database_and_a_damaged_one_are_refused(tmp_path):
    other = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.executescript("CREATE TABLE a (b)")
    with pytest.raises(DataError, match="neither of Mixxx nor a history of Engine DJ"):
        histories.read([other])
    damaged = mixxx_library(tmp_path)
    damaged.write_bytes(damaged.read_bytes()[:5000])
    with pytest.raises(DataError, match="cannot be read"):
        histories.read([damaged])


VIRTUALDJ = (
    "#EXTVDJ:<time>21:00</time><lastplaytime>1780000000</lastplaytime><filesize>1</filesize>"
    "<artist>A &amp; B</artist><title>Bus</title><remix>Dub</remix><songlength>241.6</songlength>\n/Music/bus.mp3\n"
    "#EXTVDJ:<time>21:04</time><lastplaytime>1780000240</lastplaytime><artist>Solo</artist><title>Sun</title>\n"
    "netsearch://td123\n"
)


def test_a_history_of_virtualdj_has_times(tmp_path):
    (one,) = virtualdj.m3u(written(tmp_path, "2026-05-31.m3u", VIRTUALDJ))
    bus, sun = one.plays
    assert (bus.entry.title, bus.entry.artist, bus.entry.path) == ("Bus (Dub)", "A & B", "/Music/bus.mp3")
    assert (bus.started, sun.started) == (
        datetime.fromtimestamp(1_780_000_000),
        datetime.fromtimestamp(1_780_000_240),
    )
    assert sun.entry.path is None
    untimed = VIRTUALDJ.replace("lastplaytime", "other")
    (one,) = virtualdj.m3u(written(tmp_path, "2026-05-31.m3u", untimed))
    assert [play.started for play in one.plays] == [datetime(2026, 5, 31, 21, 0), datetime(2026, 5, 31, 21, 4)]


def test_a_tracklist_of_virtualdj_has_a_set_a_day(tmp_path):
    text = "VirtualDJ History 2026/05/31\n------\n23:58 : Solo - Bus\n00:03 : Solo - Sun - Live\n"
    text += "VirtualDJ History 2026/06/02\n------\n21:00 : No Dash\n"
    sets, _ = histories.read([written(tmp_path, "tracklist.txt", text)])
    assert titles(sets) == [["Bus", "Sun - Live"], ["No Dash"]]
    assert sets[0].plays[1].started == datetime(2026, 6, 1, 0, 3)


def test_any_m3u_is_a_set_without_times(tmp_path):
    text = "#EXTM3U\n#EXTINF:201,Mira Vale - Night Bus\nbus.mp3\n#EXTINF:-1,\nC:\\sun.mp3\n"
    sets, _ = histories.read([written(tmp_path, "friday.m3u8", text)])
    assert [(p.entry.title, p.entry.path, p.started) for p in sets[0].plays] == [
        ("Night Bus", "bus.mp3", None),
        (None, "C:\\sun.mp3", None),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", "is empty"),
        ("a.nml", b"", "is empty"),
        ("a.session", b"vrsn\0\0\0\0", "holds no entry of a history"),
        ("a.xml", b"<html></html>", "neither of Traktor nor of rekordbox"),
        ("a.txt", b"\0\1\2\3\4\5\6\7" * 99, "neither a list nor a history that DISCO reads, nor text"),
        ("a.csv", b"one,two\n1,2\n", "names no column of titles or files"),
        ("a.csv", b"title,artist\n", "holds no play"),
        ("a.csv", b"title,playtime\nBus,00:00:10\n", "holds no play .1 plays of under a minute left out"),
        ("a.csv", b"title,artist\n,Solo\n", "holds no play .1 plays without a title or path left out"),
        ("a.m3u8", b"#EXTM3U\n", "names no track"),
    ],
)
def test_what_holds_no_plays_is_refused_in_one_sentence(tmp_path, name, content, message):
    with pytest.raises(DataError, match=message) as refusal:
        histories.read([written(tmp_path, name, content)])
    assert "\n" not in str(refusal.value)


def test_what_is_not_there_and_empty_folders_are_refused(tmp_path):
    with pytest.raises(NotFoundError, match="no such file or folder"):
        histories.read([tmp_path / "none"])
    with pytest.raises(DataError, match="holds no history"):
        histories.read([tmp_path])


def test_a_pause_of_an_hour_ends_a_set():
    hours = [datetime(2026, 5, 31, hour) for hour in (20, 21, 23)]
    plays = [Play(Entry(title=str(moment.hour)), moment, 300) for moment in hours]
    sets, _ = what_counts([PlayedSet("day", plays[::-1])])
    assert titles(sets) == [["20", "21"], ["23"]]


def test_without_a_duration_the_next_start_says_how_long_a_track_played():
    begin = datetime(2026, 5, 31, 20)
    starts = [0, 50, 300]
    plays = [Play(Entry(title=str(at)), begin.replace(minute=at // 60, second=at % 60)) for at in starts]
    sets, left_out = what_counts([PlayedSet("day", plays)])
    assert titles(sets) == [["50", "300"]]
    assert left_out.previews == 1
