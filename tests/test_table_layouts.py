"""Tables as people and programs write them: encodings, headers, scales, odd rows, and what is no track."""

import contextlib
import gzip
import json
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest
from helpers.catalogues import catalogue_of

from disco import sources
from disco.catalogue import Catalogue
from disco.catalogue.music import camelot
from disco.errors import DataError
from disco.sources import playlist_files
from disco.sources.dj import text_exports
from disco.sources.files import table_archive, tables, text_lists
from disco.sources.files.decoding import decode
from disco.sources.files.numbers import parse_number
from disco.sources.recognise import source_of

TABLE = "Title,Artist,BPM,Key\nKälte,Ana Vex,124.5,8A\nTide,Corro,126,F#m\n"
SHIFT_JIS = "夜のバス"


def opened(tmp_path: Path, content: str | bytes, name: str = "list.csv") -> Catalogue:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return sources.open(path, cache=False)


def values(catalogue: Catalogue, name: str) -> list:
    return catalogue.table[name].to_pylist()


def keys(catalogue: Catalogue) -> list[str | None]:
    pairs = zip(values(catalogue, "key"), values(catalogue, "mode"), strict=True)
    return [None if None in pair else camelot(*pair) for pair in pairs]


def noted(catalogue: Catalogue, part: str) -> bool:
    return any(part in note for note in catalogue.notes)


@pytest.mark.parametrize(
    ("encoding", "guess"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", ""),
        ("utf-16-le", ""),
        ("utf-16-be", ""),
        ("utf-32", ""),
        ("latin-1", "read as Windows-1252"),
        ("cp1252", "read as Windows-1252"),
    ],
)
@pytest.mark.parametrize("name", ["list.csv", "list.txt", "list.tsv"])
def test_a_table_is_read_in_every_encoding_and_a_guess_is_noted(tmp_path, encoding, guess, name):
    found = opened(tmp_path, TABLE.encode(encoding), name)
    assert values(found, "title") == ["Kälte", "Tide"]
    assert (values(found, "tempo_bpm"), keys(found)) == ([124.5, 126.0], ["8A", "11A"])
    assert noted(found, "read as") == bool(guess)
    assert noted(found, guess)


@pytest.mark.parametrize(
    ("text", "encoding", "guess"),
    [
        (SHIFT_JIS, "shift-jis", "Shift-JIS"),
        ("中島みゆき,夜空", "cp932", "Shift-JIS"),
        ("Группа крови", "cp1251", "Windows-1251"),
        ("Don’t stop – “Hey” café", "cp1252", "Windows-1252"),
        ("créée à Noël", "latin-1", "Windows-1252"),
        ("Ágætis byrjun, Sæglópur", "latin-1", "Windows-1252"),
        ("Señor Coconut ¡Cañón!", "latin-1", "Windows-1252"),
    ],
)
def test_old_encodings_are_guessed_by_their_letters(text, encoding, guess):
    assert decode(text.encode(encoding)) == (text, guess)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "utf-8-sig"])
@pytest.mark.parametrize("name", ["a.m3u", "a.m3u8", "a.txt"])
def test_lists_are_read_in_every_encoding(tmp_path, encoding, name, caplog):
    caplog.set_level("INFO", "disco")
    path = tmp_path / name
    lines = "#EXTM3U\n#EXTINF:4,Ana Vex - Kälte\n/m/Kälte.mp3\n" if "m3u" in name else "Ana Vex - Kälte\n"
    path.write_bytes(lines.encode(encoding))
    assert text_lists.playlists(path)[0].names == ["Ana Vex - Kälte"]
    assert ("read as Windows-1252" in caplog.text) == (encoding == "latin-1")


def test_a_line_in_another_encoding_than_the_rest_is_read_as_it_is(tmp_path):
    found = opened(tmp_path, "Title,Artist\nÉté,A\nSüß,B\n".encode() + "Kälte,C\n".encode("latin-1"))
    assert values(found, "title") == ["Été", "Süß", "Kälte"]
    assert noted(found, "read as Windows-1252 in part")


@pytest.mark.parametrize("content", [bytes(range(256)) * 4, b"\xff\xfb\x90\x00" * 300, b"\0\1\2\3" * 300])
def test_what_is_no_text_is_not_decoded(content):
    assert decode(content) is None


HEADERS = [
    'sep=,\n"Title","Artist","Remix","Bpm","Key"\n"Tide","Corro","","126","9A"\n',  # VirtualDJ
    "\ufeffsep=;\r\nTitle;Artist;Bpm;Key\r\nTide;Corro;126;9A\r\n",  # Excel
    "Title;Artist;BPM;Key\nTide;Corro;126,0;9A\n",
    "Title\tArtist\tBPM\tKey\nTide\tCorro\t126\t9A\n",
    "Title|Artist|BPM|Key\nTide|Corro|126|9A\n",
    "My library\nexported 2024-01-02\n\nTitle,Artist,BPM,Key\nTide,Corro,126,9A\n",
    "#,Song,Artist,BPM,Camelot\n1,Tide,Corro,126,9A\n",
    "# Title,Artist,BPM,Key\nTide,Corro,126,9A\n",
    "# a remark\nTitle,Artist,BPM,Key\nTide,Corro,126,9A\n",
    'TITLE, ARTIST, BPM, KEY\n"Tide", "Corro", 126, "9A"\n',
    "Track,Artist,Tempo,Key\nTide,Corro,126 BPM,E minor\n",
    "Song Title,Track Artist(s),Beats Per Minute (BPM),Musical Key\nTide,Corro,126,Em\n",
    "Track Title\tArtist\tBPM\tTime\tKey\nTide\tCorro\t126.00\t04:03\t9A\n",  # rekordbox
    "Titel;Interpret;BPM;Tonart\nTide;Corro;126;9A\n",  # rekordbox in German
    "トラック タイトル\tアーティスト\tBPM\tキー\nTide\tCorro\t126\t9A\n",
    "트랙 제목\t아티스트\tBPM\t키\nTide\tCorro\t126\t9A\n",
    "#,Title,Artist,Album,Length,BPM,Key,Comment,File name\n1,Tide,Corro,LP,4:03,126,9A,,tide.mp3\n",  # Engine DJ
    "Title,Artist,BPM,Key\rTide,Corro,126,9A\r",
    "title,artist,bpm,key\n1,Tide,Corro,126,9A\n2,Salt,Dot,126,9A\n",  # R leaves the numbers of rows unnamed
    "Song,BPM,Camelot,Artist,\nTide,126,9A,Corro,\n",
]


@pytest.mark.parametrize("text", HEADERS)
def test_the_header_is_found_whatever_separates_and_precedes_it(tmp_path, text):
    for name in ("list.csv", "list.txt"):
        found = opened(tmp_path, text, name)
        track = found.table.to_pylist()[0]
        assert (track["title"], track["artists"], track["tempo_bpm"]) == ("Tide", ["Corro"], 126.0)
        assert keys(found)[0] == "9A"
        assert source_of(tmp_path / name) in (tables, text_exports)
        assert playlist_files.read(tmp_path / name).ids == found.ids(np.arange(len(found)))


def test_names_and_tempos_that_look_like_headers_and_separators_are_none(tmp_path):
    assert values(opened(tmp_path, 'Title;Artist\n"Tide; Pt. 2";A, B\n'), "title") == ["Tide; Pt. 2"]
    (tmp_path / "list.txt").write_text("Title by Artist\nTide, Corro\nArtist - Title\n")
    assert source_of(tmp_path / "list.txt") is text_lists


def test_short_and_long_rows_are_counted_with_their_line(tmp_path):
    rows = "Tide,Corro,126,9A\nSalt,Dot\nPip,Eel\nZed, Pt. 2,Fog,124,9A\nLast,Row,120,8A\n"
    found = opened(tmp_path, "Title,Artist,BPM,Key\n" + rows)
    assert values(found, "title") == ["Tide", "Salt", "Pip", "Last"]
    assert values(found, "tempo_bpm") == [126.0, None, None, 120.0]
    assert noted(found, "2 rows are shorter than the header (first line 3)")
    assert noted(found, "1 row is longer than the header (line 5): left out")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_unclosed_quote_does_not_swallow_the_rows_behind_it(tmp_path, place):
    rows = [f"Title {i},Artist {i},{120 + i},8A" for i in range(200)]
    rows[50] = ",".join(f'"{cell}' if i == place else cell for i, cell in enumerate(rows[50].split(",")))
    found = opened(tmp_path, "Title,Artist,BPM,Key\n" + "\n".join(rows) + "\n")
    assert values(found, "title") == [f"Title {i}" for i in range(200)]


def test_line_breaks_and_quotes_within_values_are_kept(tmp_path):
    found = opened(tmp_path, 'Title,Artist,BPM\n"Tide\n(Part 2)",Corro,126\n12" mix,"The ""Dots""",124\nSalt,Dot,x\n')
    assert values(found, "title") == ["Tide\n(Part 2)", '12" mix', "Salt"]
    assert values(found, "artists")[1] == ['The "Dots"']
    assert noted(found, "1 x tempo_bpm that is no number, as 'x' (line 5)")


@pytest.mark.parametrize(
    ("header", "row", "note"),
    [
        ("Title,Explicit,Artist,Explicit,BPM", "Tide,no,Corro,126", "2 columns called 'Explicit', and one value"),
        ("Title,Artist,BPM,BPM", "Tide,Corro,126,63", "2 columns called 'BPM': the first is read"),
    ],
)
def test_a_double_header_is_fitted_to_the_rows(tmp_path, header, row, note):
    found = opened(tmp_path, f"{header}\n{row}\n")
    assert (values(found, "title"), values(found, "tempo_bpm")) == (["Tide"], [126.0])
    assert noted(found, note)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *[("124", 124), ("124.5", 124.5), ("124,5", 124.5), ("124 BPM", 124), ("126bpm", 126), ("~124", 124)],
        *[
            ("1.234,5", 1234.5),
            ("1,234.5", 1234.5),
            ("1 234,5", 1234.5),
            ("83%", 83),
            ("83 %", 83),
            ("-7,1 dB", -7.1),
        ],
        *[("−7.1", -7.1), ("1e-3", 0.001), (".5", 0.5), ("7/10", 7), ("Energy 7", 7), ("124,50", 124.5)],
        *[("12O", None), ("loud", None), ("1_0", None), ("", None), ("124-126", None), ("1,2,3", None), ("١", None)],
    ],
)
def test_numbers_are_read_as_people_write_them(text, number):
    assert parse_number(text) == number


@pytest.mark.parametrize("nothing", ["", "n/a", "N/A", "NULL", "nan"])
def test_what_stands_for_nothing_is_unknown_without_a_word(tmp_path, nothing):
    found = opened(tmp_path, f"Title,Artist,BPM,Key\nTide,Corro,{nothing},{nothing}\nSalt,Dot,126,9A\n")
    assert (values(found, "tempo_bpm"), keys(found)) == ([None, 126.0], [None, "9A"])
    assert not noted(found, "taken as unknown")


@pytest.mark.parametrize("mark", ["-", "?", "unknown", "–"])
def test_what_people_write_for_nothing_is_unknown_and_counted(tmp_path, mark):
    rows = f"Tide,Corro,{mark},{mark},{mark}\nSalt,Dot,126,9A,200000\nReed,Dot,{mark},9A,200000\n"
    found = opened(tmp_path, f"Title,Artist,BPM,Key,Duration (ms)\n{rows}")
    assert (values(found, "tempo_bpm"), keys(found)) == ([None, 126.0, None], [None, "9A", "9A"])
    assert values(found, "duration_ms") == [None, 200_000, 200_000]
    assert noted(found, f"2 x tempo_bpm given as {mark!r} (first line 2)")
    assert noted(found, f"1 x duration_ms given as {mark!r} (line 2)")
    assert noted(found, "1 x key -1 or no key's name (line 2)")


FEATURES = "Danceability,Energy,Acousticness,Instrumentalness"


@pytest.mark.parametrize(
    ("rows", "expected", "noted_as"),
    [
        (["80,83,31,0", "70,1,1,1"], [[0.8, 0.83, 0.31, 0], [0.7, 0.01, 0.01, 0.01]], "per cent"),
        (["0.8,0.83,0.31,0", "0.7,1,1,1"], [[0.8, 0.83, 0.31, 0], [0.7, 1, 1, 1]], None),
        (["80%,83%,31%,0%", "70%,1%,1%,1%"], [[0.8, 0.83, 0.31, 0], [0.7, 0.01, 0.01, 0.01]], "per cent"),
        (["0.8,7,0.3,0", "0.7,10,0.1,1"], [[0.8, 0.7, 0.3, 0], [0.7, 1, 0.1, 1]], "'Energy' is read as 1 to 10"),
        (["0.8,Energy 7,0.3,0", "0.7,Energy 3,0.1,1"], [[0.8, 0.7, 0.3, 0], [0.7, 0.3, 0.1, 1]], "1 to 10"),
        (
            ["0.8,0.5,0.3,0.1", "0.7,0.6,0.1,83"],
            [[0.8, 0.5, 0.3, 0.1], [0.7, 0.6, 0.1, None]],
            "1 x instrumentalness outside 0 to 1 (line 3)",
        ),
        (["80,83,31,101", "70,1,1,1"], [[0.8, 0.83, 0.31, None], [0.7, 0.01, 0.01, 0.01]], "outside 0 to 1"),
    ],
)
def test_a_column_decides_its_scale_and_not_each_value(tmp_path, rows, expected, noted_as):
    text = f"Title,Artist,Popularity,{FEATURES}\n" + "".join(f"T{i},A,{50 + i},{row}\n" for i, row in enumerate(rows))
    found = opened(tmp_path, text)
    read = zip(*(values(found, name.lower()) for name in FEATURES.split(",")), strict=True)
    for got, wanted in zip(read, expected, strict=True):
        assert [None if v is None else round(v, 4) for v in got] == wanted
    assert values(found, "popularity") == [50.0 + i for i in range(len(rows))]
    assert noted(found, noted_as) if noted_as else not noted(found, "per cent")


@pytest.mark.parametrize(
    ("header", "cells", "ms"),
    [
        *[("Time", ["04:03", "3:45"], [243_000, 225_000]), ("Length", ["1:02:03", "3:45.5"], [3_723_000, 225_500])],
        *[("duration", ["225s", "180s"], [225_000, 180_000]), ("Duration", ["225", "180"], [225_000, 180_000])],
        *[("duration", ["225000", "180000"], [225_000, 180_000]), ("duration_ms", ["225,000", "x"], [225_000, None])],
        *[("Track Duration (ms)", ["225.000", "180.000"], [225_000, 180_000])],
        *[
            ("Length", ["3 min 45 sec", "PT3M45S"], [225_000, 225_000]),
            ("Time", ["4:03:00", "3:45:00"], [243_000, 225_000]),
        ],
        *[("Length", ["3.45", "4.1"], [None, None]), ("Duration (s)", ["1,412", "225"], [1_412_000, 225_000])],
    ],
)
def test_durations_are_read_in_the_unit_that_the_column_is_in(tmp_path, header, cells, ms):
    rows = "".join(f"T{i};A;{cell}\n" for i, cell in enumerate(cells))
    assert values(opened(tmp_path, f"Title;Artist;{header}\n{rows}"), "duration_ms") == ms


def test_tempos_of_databases_and_loudness_that_is_in_no_db(tmp_path):
    found = opened(tmp_path, "Title,Artist,BPM,Loudness\nA,B,12850,60\nC,D,12400,70\n")
    assert (values(found, "tempo_bpm"), values(found, "loudness")) == ([128.5, 124.0], [None, None])
    assert noted(found, "'BPM' is read as a hundredth")
    assert noted(found, "2 x loudness in 'Loudness', which is in no dB (first line 2)")
    assert values(opened(tmp_path, "Title,Artist,Bpm\nA,B,0.5\nC,D,0.48\n"), "tempo_bpm") == [120.0, 125.0]


@pytest.mark.parametrize(
    ("columns", "rows", "expected"),
    [
        ("key,mode", ["A,Minor", "C#,Major", "F#,minor"], ["8A", "3B", "11A"]),
        ("key,mode", ["9,0", "1,1", "-1,0"], ["8A", "3B", None]),
        ("key,mode", ["Am,1", "C,", "F#,0"], ["8A", None, "11A"]),
        ("Key,Camelot", ["A Minor,8A", "C♯/D♭ Major,3B", "?,11A"], ["8A", "3B", "11A"]),
        ("Key,Camelot", ["A,8A", "C,", ",11A"], ["8A", "8B", "11A"]),
        ("Key", ["A", "C", "Em"], ["11B", "8B", "9A"]),
        ("Key", ["A", "C", "D", "E", "F", "G", "A", "C", "D"], [None] * 9),
        ("Initial Key,Mode", ["8A,", "1m,", "x,"], ["8A", "8A", None]),
    ],
)
def test_a_mode_column_wins_over_a_note_alone_and_a_full_name_over_both(tmp_path, columns, rows, expected):
    text = f"Title,Artist,{columns}\n" + "".join(f"T{i},A,{row}\n" for i, row in enumerate(rows))
    assert keys(opened(tmp_path, text)) == expected


@pytest.mark.parametrize("metre", ["4/4", "4", "4.0", "4 beats"])
def test_a_time_signature_is_the_number_of_its_beats(tmp_path, metre):
    found = opened(tmp_path, f"Title,Artist,time_signature,BPM\nA,B,{metre},120\nC,D,3/4,121\n")
    assert values(found, "time_signature") == [4, 3]


EXPORTIFY = "{uri},{name},spotify:artist:x,{artist},LP,200000,house,0.6,0.7,9,-7,0,0.05,0.1,0,0.1,0.5,{bpm},4"
# As the locales of exportify.net name the columns of a small export.
LANGUAGES = {
    "de": "Track-URI,Track-Name,Künstler-URI(s),Künstlername(n),Album-Name,Track-Dauer (ms),Künstler-Genres,"
    "Tanzbarkeit,Energie,Tonart,Lautstärke,Modus,Sprachanteil,Akustik,Instrumentalität,Lebendigkeit,Valenz,Tempo,Taktart",
    "fr": "URI du titre,Nom du titre,URI(s) de l'artiste,Nom(s) de l'artiste,Nom de l'album,Durée du titre (ms),"
    "Genres de l'artiste,Danseabilité,Énergie,Tonalité,Volume sonore,Mode,Parlabilité,Acoustique,Instrumental,"
    "Vivacité,Valence,Tempo,Mesure",
    "other": ",".join(f"column {i}" for i in range(19)),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_exportify_is_read_in_any_language_by_its_values(tmp_path, language):
    rows = [
        EXPORTIFY.format(uri=f"spotify:track:{i:022}", name=name, artist=artist, bpm=120 + i)
        for i, (name, artist) in enumerate([("Nite Bus", "Ana Vex"), ("Tide", "Corro")])
    ]
    short = "spotify:track:0000000000000000000009,Pip,spotify:artist:y,Eel,LP,180000,pop"
    found = opened(tmp_path, "\n".join([LANGUAGES[language], *rows, short]) + "\n")
    assert values(found, "title") == ["Nite Bus", "Tide", "Pip"]
    assert values(found, "artists") == [["Ana Vex"], ["Corro"], ["Eel"]]
    assert (values(found, "tempo_bpm"), keys(found)) == ([120.0, 121.0, None], ["8A", "8A", None])
    assert values(found, "genres") == [["house"], ["house"], ["pop"]]
    assert found.ids([0]) == [f"{0:022}"]
    assert noted(found, "Exportify")


TUNE_MY_MUSIC = (
    "Track name,Artist name,Album,Playlist name,Type,ISRC\n"
    "Tide,Corro,LP,Warm,Playlist,\nSalt,Dot,LP,Peak,Playlist,\n"
    "Nite Bus,Ana Vex,LP,Warm,Playlist,\nTide,Corro,LP,Peak,x,\n"
)


def test_a_table_of_several_playlists_asks_which(tmp_path):
    (tmp_path / "tmm.csv").write_text(TUNE_MY_MUSIC)
    with pytest.raises(DataError, match="has 2 playlists; choose one with --playlist: 'Warm', 'Peak'"):
        playlist_files.read(tmp_path / "tmm.csv")
    assert playlist_files.read(tmp_path / "tmm.csv", "peak").names == ["Salt Dot", "Tide Corro"]
    assert len(sources.open(tmp_path / "tmm.csv", cache=False)) == 3


def test_a_table_of_one_playlist_has_its_name(tmp_path):
    (tmp_path / "tmm.csv").write_text("".join(line for line in TUNE_MY_MUSIC.splitlines(True) if "Peak" not in line))
    assert playlist_files.read(tmp_path / "tmm.csv").name == "Warm"


def test_a_zip_file_of_tables_has_a_playlist_for_each(tmp_path):
    path = tmp_path / "spotify_playlists.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Warm.csv", NAMED + "")
        archive.writestr("Peak.csv", "Title;Artist\nKälte;Dot\nTide;Corro\n".encode("latin-1"))
        archive.writestr("empty.csv", "")
        archive.writestr("__MACOSX/._Warm.csv", "x")
    with pytest.raises(DataError, match="has 2 playlists; choose one with --playlist: 'Warm', 'Peak'"):
        playlist_files.read(path)
    assert playlist_files.read(path, "Peak").names == ["Kälte Dot", "Tide Corro"]
    assert values(sources.open(path, cache=False), "title") == ["Tide", "Kälte", "Tide"]
    assert noted(sources.open(path, cache=False), "left out")


def test_a_zip_file_of_tables_has_a_limit(tmp_path, monkeypatch):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "Title,Artist\n" + "x,y\n" * 100_000)
    monkeypatch.setattr(table_archive, "_MOST_BYTES", 100_000)
    with pytest.raises(DataError, match="unpack it"):
        sources.open(path, cache=False)


def test_an_odd_table_has_a_limit_and_a_regular_one_none(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "_MOST_BY_LINES", 100_000)
    rows = "Title,Artist,BPM\n" + "Tide,Corro,126\n" * 10_000
    assert len(opened(tmp_path, rows)) == 1
    with pytest.raises(DataError, match="too many to be read by lines"):
        opened(tmp_path, rows + "Salt,Dot\n")
    (tmp_path / "odd.csv.gz").write_bytes(gzip.compress((rows + "Salt,Dot\n").encode()))
    with pytest.raises(DataError, match="too many to be read by lines"):
        tables.read(tmp_path / "odd.csv.gz")


NAMED = "Track URI,Track Name,Artist Name(s)\nspotify:track:1,Tide,Corro\n"


@pytest.mark.parametrize(
    ("text", "titles", "note"),
    [
        (
            "artist,name,start time,bpm\n,16.5.2015,16.5.2015 0:50:20,\nAna Vex,Tide,0:52:35,124\n",
            ["Tide"],
            "1 row of a session",
        ),
        (
            'name,artist,start time\n5/31/2026,,"5/31/2026, 9:00:00 PM"\nTide,Corro,9:00:05 PM\n',
            ["Tide"],
            "1 row of a session",
        ),
        (NAMED + ",undefined,undefined\n,undefined,\n", ["Tide"], "2 entries are gone from their service"),
        (NAMED + "spotify:episode:2,Talk,Host\n", ["Tide"], "1 podcast episode"),
        (
            "title,artist,url\nTide,Corro,\nTalk,Host,https://open.spotify.com/episode/2\n",
            ["Tide"],
            "1 podcast episode",
        ),
        (
            NAMED + "spotify:track:3,,\nspotify:local:::x:1,,\nspotify:track:4,Salt,Dot\n",
            ["Tide", "Salt"],
            "2 ids without a name",
        ),
        ("Title,Artist,Playlist name\nTide,Corro,Liked\n,,Liked\n", ["Tide"], "1 rows without an id dropped"),
        ("Title,Artist\nundefined,Corro\nTide,Corro\n", ["undefined", "Tide"], ""),
        ("Title,Artist\n1999-12-31,\nTide,Corro\n", ["1999-12-31", "Tide"], ""),
    ],
)
def test_what_is_no_track_is_left_out_and_counted(tmp_path, text, titles, note):
    found = opened(tmp_path, text)
    assert values(found, "title") == titles
    assert noted(found, note)
    listed, own = sources.open_playlist(tmp_path / "list.csv", cache=False)
    assert listed.ids == own.ids(np.arange(len(own))) == found.ids(np.arange(len(found)))
    assert noted(own, note)


ALONE = NAMED + "spotify:track:3,,\nspotify:track:4,,\nspotify:track:5,Salt,Dot\n"


@pytest.mark.parametrize("suffix", ["csv", "zip"])
def test_an_id_without_a_name_is_a_track_where_the_catalogue_has_it(tmp_path, caplog, suffix):
    (tmp_path / "list.csv").write_text(ALONE)
    if suffix == "zip":
        with zipfile.ZipFile(tmp_path / "list.zip", "w") as archive:
            archive.writestr("list.csv", ALONE)
    known = catalogue_of(
        [{"track_id": "4", "title": "Reed", "artists": ["Vale"]}, {"track_id": "9", "title": "Moss"}]
    )
    caplog.set_level("INFO")
    listed, _ = sources.open_playlist(tmp_path / f"list.{suffix}", catalogue=known)
    assert listed.ids == ["1", "4", "5"]
    assert listed.tracks is not None
    assert listed.tracks.ids(np.arange(3)) == ["1", "4", "5"]
    assert listed.match(known).tolist() == [-1, 0, -1]
    assert any("1 id without a name: left out" in message for message in caplog.messages)


def test_an_id_without_a_name_is_a_track_where_another_file_knows_it(tmp_path):
    (tmp_path / "list.csv").write_text(ALONE)
    (tmp_path / "more.csv").write_text("track_id,title,artist\n4,Reed,Vale\n")
    listed, own = sources.open_playlist(tmp_path / "list.csv", enrich_from=tmp_path / "more.csv", cache=False)
    assert listed.ids == own.ids(np.arange(len(own))) == ["1", "4", "5"]
    assert values(own, "title") == ["Tide", "Reed", "Salt"]


@pytest.mark.parametrize("order", [1, -1])
def test_an_id_without_a_name_has_that_of_another_row_of_the_id(tmp_path, order):
    rows = ["a,Tide,Corro,Mon", "a,,,Tue", "b,Salt,Dot,Tue"]
    found = opened(tmp_path, "\n".join(["track_id,title,artist,playlist", *rows[::order]]) + "\n")
    assert sorted(values(found, "title")) == ["Salt", "Tide"]
    assert not noted(found, "without a name")
    tuesday = playlist_files.read(tmp_path / "list.csv", "Tue")
    assert sorted(entry.title for entry in tuesday.entries) == ["Salt", "Tide"]


def test_ids_without_names_are_tracks_where_a_table_has_hardly_any_names(tmp_path):
    assert len(opened(tmp_path, "track_id,title,artist\n1,,\n2,,\n3,Tide,Corro\n")) == 3


LIBRARY = {"tracks": [{"artist": "Ana Vex", "album": "LP", "track": "Nite Bus", "uri": "spotify:track:1"}]}
TRACK = {"trackName": "Nite Bus", "artistName": "Ana Vex", "albumName": "LP", "trackUri": "spotify:track:1"}
PLAYLISTS = {"playlists": [{"name": "Warm", "lastModifiedDate": "2024-01-01", "items": [{"track": TRACK}]}]}
HISTORY = [{"endTime": "2024-01-01 10:00", "artistName": "Ana Vex", "trackName": "Nite Bus", "msPlayed": 200_000}]


@pytest.mark.parametrize("content", [LIBRARY, PLAYLISTS, HISTORY], ids=["library", "playlists", "history"])
@pytest.mark.parametrize("name", ["Playlist1 (1).json", "YourLibrary copy.json", "export.json", "my data.txt"])
def test_a_renamed_part_of_spotifys_export_is_known_by_its_content(tmp_path, content, name):
    if name.startswith(("Playlist1", "YourLibrary")) and content is HISTORY:
        pytest.skip("the name names another part")
    path = tmp_path / ("export.json" if "copy" in name and content is not LIBRARY else name)
    if "(1)" in name and content is not PLAYLISTS:
        path = tmp_path / "part (1).json"
    path.write_text(json.dumps(content, indent=1))
    assert values(sources.open(path, cache=False), "title") == ["Nite Bus"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"%PDF-1.7\n", "is a PDF; export the list as CSV"),
        (b"PK\x03\x04" + b"\0" * 26 + b"xl/workbook.xml", "is a workbook of Excel; save it as CSV"),
        (b"<!DOCTYPE html><html>", "is a web page; export the list as CSV"),
        ('"トラックURI","トラック名"\n'.encode(), "has one line alone: columns without rows"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "is a picture"),
        (b'{"name": "x", "songs": []}', "is JSON"),
        (b"ID3\x04\0\0\0\0", "is a sound file; name its folder"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, "is an old document of Microsoft Office; save it as CSV"),
    ],
)
def test_what_is_no_table_is_called_what_it_is(tmp_path, content, sentence):
    (tmp_path / "list.csv").write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        tables.read(tmp_path / "list.csv")


def test_a_thousand_damaged_tables_give_a_catalogue_or_a_sentence(tmp_path):
    random_ = random.Random(14)
    seeds = [text.encode() for text in (*HEADERS, TUNE_MY_MUSIC)]
    path = tmp_path / "list.csv"
    for _ in range(1000):
        content = bytearray(random_.choice(seeds))
        for _ in range(random_.randint(1, 4)):
            at = random_.randrange(len(content))
            piece = random_.choice([b'"', b",", b";", b"\n", b"\0", b"\xe4", b"sep=,\n", b"-", b"\t", b""])
            content[at : at + random_.randint(0, 3)] = piece
        path.write_bytes(bytes(content))
        with contextlib.suppress(DataError):
            tables.read(path).table.validate(full=True)
