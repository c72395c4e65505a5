"""One playlist of a file: every format that is read, the choice among several, and errors."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from helpers.sources import write_export, write_m3u, write_slice

from disco import sources
from disco.cli import generate
from disco.errors import DataError
from disco.export import FORMATS
from disco.sources import playlist_files
from disco.sources.files import tables, text_lists

IDS = ["t00005", "t00017", "t00003"]


@pytest.fixture(scope="module")
def catalogue():
    return random_catalogue(60, seed=6, artists=50)


def entries(playlists=1):
    return [
        {"playlist_id": f"p{p}", "title": "beach 🏖", "position": i, "track_id": f"spotify:track:{track}"}
        for p in range(playlists)
        for i, track in enumerate(IDS)
    ]


def slice_of(playlists=1):
    tracks = [{"track_uri": f"spotify:track:{i}", "track_name": "x", "artist_name": "y"} for i in IDS]
    return json.dumps(
        {"info": {}, "playlists": [{"pid": p, "name": "beach 🏖", "tracks": tracks} for p in range(playlists)]}
    )


def test_parquet_csv_and_slices_with_one_playlist_are_read(catalogue, tmp_path):
    pq.write_table(pa.Table.from_pylist(entries()), tmp_path / "a.parquet")
    rows = [",".join(entries()[0]), *(",".join(map(str, entry.values())) for entry in entries())]
    (tmp_path / "a.csv").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "a.json").write_text(slice_of(), encoding="utf-8")
    for name in ("a.parquet", "a.csv", "a.json"):
        listed = playlist_files.read(tmp_path / name)
        assert (listed.name, listed.ids) == ("beach 🏖", IDS), name
        assert listed.rows(catalogue).tolist() == [5, 17, 3]


@pytest.mark.parametrize("suffix", FORMATS)
def test_exported_playlists_are_read_back(suffix, catalogue, tmp_path, capsys):
    tables.write(catalogue, tmp_path / "tracks.parquet")
    where = tmp_path / f"mine{suffix}"
    made = ["t00005", "--catalogue", tmp_path / "tracks.parquet", "--title", "mine", "--output", where, "--json"]
    assert generate.main([str(a) for a in made]) == 0
    ids = [track["id"] for track in json.loads(capsys.readouterr().out)["tracks"]]
    listed = playlist_files.read(where)
    assert catalogue.ids(listed.rows(catalogue)) == ids
    assert listed.name == ("" if suffix == ".csv" else "mine")


def test_text_with_ids_links_and_names_one_per_line(catalogue, tmp_path):
    (tmp_path / "list.txt").write_text(
        "\ufefft00005\n\n  title 17 \r\nspotify:track:t00003\nnobody knows this\nt00005\n"
    )
    listed = playlist_files.read(tmp_path / "list.txt")
    assert listed.rows(catalogue).tolist() == [5, 17, 3]
    assert len(listed.ids) == 5


def test_a_single_column_and_a_table_of_titles(catalogue, tmp_path):
    (tmp_path / "a.csv").write_text('title\n"Title 5"\ntitle 17 artist\n')
    assert playlist_files.read(tmp_path / "a.csv").ids == ["Title 5", "title 17 artist"]
    (tmp_path / "b.csv").write_text("track_id\nt00005\nt00017\n")
    assert playlist_files.read(tmp_path / "b.csv").rows(catalogue).tolist() == [5, 17]
    artist = catalogue.artists(17)[0]
    (tmp_path / "c.csv").write_text(f"title,artist,tempo\nTitle 17,{artist},120\nNobody Knows,Nobody,99\n")
    listed = playlist_files.read(tmp_path / "c.csv")
    assert listed.match(catalogue).tolist() == [17, -1]
    assert listed.tracks.tempos.tolist() == [120, 99]


def test_text_from_standard_input_is_parsed():
    listed = playlist_files.parse("#EXTM3U\n#PLAYLIST:x\n#EXTINF:1,A - B\nb.mp3\n", Path("standard input"))
    assert (listed.name, listed.ids, listed.names) == ("x", ["b.mp3"], ["A - B"])
    with pytest.raises(DataError, match="standard input: is empty"):
        playlist_files.parse(" \n", Path("standard input"))


def test_relative_paths_begin_in_the_folder_of_the_file(tmp_path, monkeypatch):
    tracks = random_catalogue(20, seed=2).table.to_pylist()
    tracks[4]["path"], tracks[5]["path"] = str(tmp_path / "music" / "a.mp3"), "music/b.mp3"
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "a.m3u").write_text("../music/a.mp3\n../music/./b.mp3\nfile:///music/c%20d.mp3\n")
    monkeypatch.chdir(tmp_path)
    listed = playlist_files.read(tmp_path / "lists" / "a.m3u")
    assert listed.match(catalogue_of(tracks)).tolist() == [4, 5, -1]
    assert listed.ids[2] == "/music/c d.mp3"


def test_an_unknown_playlist_name_gives_an_error_with_the_known_ones(tmp_path):
    (tmp_path / "a.m3u").write_text("#EXTM3U\n#PLAYLIST:Mine\na.mp3\n")
    assert playlist_files.read(tmp_path / "a.m3u", "mine").ids == ["a.mp3"]
    with pytest.raises(DataError, match="has no playlist 'Friday'; it has 'Mine'"):
        playlist_files.read(tmp_path / "a.m3u", "Friday")
    (tmp_path / "b.txt").write_text("t00005\n")
    with pytest.raises(DataError, match=r"has no playlist 'Friday'$"):
        playlist_files.read(tmp_path / "b.txt", "Friday")


def test_audio_files_are_matched_by_path_or_name(tmp_path):
    tracks = random_catalogue(20, seed=2).table.to_pylist()
    tracks[4]["path"] = "/music/a b.mp3"
    (tmp_path / "a.m3u").write_text(
        "#EXTM3U\n#EXTINF:-1,Artist 9 - Title 9\n/elsewhere/9.mp3\n/music/a b.mp3\n"
        "#EXTINF:3,x\nhttps://open.spotify.com/track/t00011?si=1\n"
    )
    assert playlist_files.read(tmp_path / "a.m3u").rows(catalogue_of(tracks)).tolist() == [9, 4, 11]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.json", slice_of(3).encode(), "has 3 playlists; choose one with --playlist: 'beach 🏖'"),
        (
            "a.json",
            slice_of(0).encode(),
            "is JSON with playlists, but not a Million Playlist slice",
        ),
        (
            "a.json",
            b'{"tracks": [1, 2]}',
            "is JSON, but neither a playlist that DISCO wrote nor a",
        ),
        ("a.json", b'{"tracks": ', "is not readable JSON"),
        ("a.json", b"[" * 100_000, "is not readable JSON"),
        ("a.txt", b"", "is empty"),
        ("a.txt", b" \n\n", "is empty"),
        ("a.bin", b"\xff\xfb\x90\x00" * 100, "is not a playlist that DISCO reads"),
        ("a.parquet", b"PAR1nonsense", "is not a readable Parquet file"),
        ("a.csv", b"colour,size\nred,3\n", "column"),
    ],
)
def test_an_unreadable_file_is_an_error_of_one_sentence(name, content, sentence, tmp_path, catalogue):
    where = tmp_path / name
    where.write_bytes(content)
    with pytest.raises(DataError, match=sentence) as error:
        playlist_files.read(where)
    assert "\n" not in str(error.value)


def test_several_playlists_in_a_table_give_an_error_with_their_names(tmp_path):
    pq.write_table(pa.Table.from_pylist(entries(2)), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="has 2 playlists; choose one with --playlist: 'beach 🏖'"):
        playlist_files.read(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="has 2 playlists called 'beach 🏖'"):
        playlist_files.read(tmp_path / "a.parquet", "beach 🏖")
    with pytest.raises(DataError, match="has 0 playlists called 'p7'"):
        playlist_files.read(tmp_path / "a.parquet", "p7")
    assert playlist_files.read(tmp_path / "a.parquet", "p1").ids == IDS
    assert np.size(playlist_files.Tracklist("", []).rows(random_catalogue(3))) == 0


def matched(tmp_path, name, lines, tracks):
    (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return playlist_files.read(tmp_path / name).match(catalogue_of(tracks)).tolist()


LIBRARY = [
    {"track_id": "bus", "title": "Nite Bus", "artists": ["Ana Vex"], "duration_ms": 300_000},
    {"track_id": "tide", "title": "Tide - Part 2", "artists": ["Corro"]},
    {"track_id": "salt", "title": "Salt", "artists": ["Dot", "Bo"], "path": "D:/music/Dot/Salt.mp3"},
]


@pytest.mark.slow
def test_other_versions_and_other_artists_in_a_list_are_unmatched(tmp_path):
    lines = [
        "Ana Vex - Nite Bus",
        "Ana Vex - Nite Bus (Kolo Remix)",
        "Corro - Tide - Part 1",
        "Dot, Bo - Salt",
        "Zorblax Quint - Salt",
    ]
    want = [0, -1, -1, 2, -1]
    assert matched(tmp_path, "a.txt", lines, LIBRARY) == want
    m3u = ["#EXTM3U", *(text for i, line in enumerate(lines) for text in (f"#EXTINF:-1,{line}", f"/usb/{i}.mp3"))]
    assert matched(tmp_path, "a.m3u8", m3u, LIBRARY) == want


def test_a_line_without_a_dash_is_the_track_with_the_same_words_and_no_other(tmp_path):
    lines = ["nite bus", "tide part 2 corro", "Tide - Part 2", "Salt - Dot", "nobody knows this", "nite buss"]
    lines += ["Nite Bus by Ana Vex", "Salt Bo", "Tide", "Nite Bus Live", "Salt Corro", "nite"]
    assert matched(tmp_path, "a.txt", lines, LIBRARY) == [0, 1, 1, 2, -1, -1, 0, 2, -1, -1, -1, -1]
    m3u = ["#EXTM3U", "#EXTINF:-1,nite bus", "/usb/x.mp3"]
    assert matched(tmp_path, "a.m3u8", m3u, LIBRARY) == [-1]


def test_the_duration_in_an_m3u_tells_versions_apart_and_0_is_unknown(tmp_path):
    m3u = ["#EXTM3U"]
    for seconds in ("302", "299.5", "420", "0", "-1", "x"):
        m3u += [f"#EXTINF:{seconds},Ana Vex - Nite Bus", f"/usb/{seconds}.mp3"]
    assert matched(tmp_path, "a.m3u8", m3u, LIBRARY) == [0, 0, -1, 0, 0, 0]


def test_paths_of_another_system_or_root_are_matched(tmp_path):
    m3u = ["#EXTM3U", "d:\\Music\\Dot\\salt.mp3", "/Volumes/USB/Dot/Salt.mp3", "/Volumes/USB/Salt.mp3"]
    assert matched(tmp_path, "a.m3u8", m3u, LIBRARY) == [2, 2, -1]


def test_a_library_without_a_catalogue_is_looked_up_in_its_own_tracks(catalogue, tmp_path):
    place = write_export(tmp_path)
    tracklist, own = sources.open_playlist(place, "Mine")
    assert tracklist.match(own).tolist()[0] == tracklist.match(own).tolist()[2] >= 0
    assert len(own) == 4
    table = tmp_path / "t.parquet"
    tables.write(catalogue, table)
    named = sources.open_playlist(place, "Mine", catalogue=table)[1]
    given = sources.open_playlist(place, "Mine", catalogue=catalogue)[1]
    assert (len(named), given is catalogue) == (60, True)


def test_enrich_from_fills_in_the_tracks_of_a_library(catalogue, tmp_path):
    place, table = write_slice(tmp_path), tmp_path / "t.parquet"
    track = {**catalogue.table.to_pylist()[0], "track_id": f"{0:022}"}
    tables.write(catalogue_of([track]), table)
    tracklist, own = sources.open_playlist(place, "one", enrich_from=table)
    assert np.isfinite(own.tempos[tracklist.match(own)]).tolist() == [True, False, False]


def test_a_playlist_file_is_a_catalogue_of_names(tmp_path):
    where = write_m3u(tmp_path)
    catalogue = sources.open(where)
    bus = catalogue.tracks(np.array([0]))[0]
    assert (bus["title"], bus["artists"]) == ("Night Bus", ["Mira Vale"])
    assert bus["path"] == str(tmp_path / "music" / "night bus.mp3")
    assert not catalogue.has_any_feature.any()


def test_a_text_file_with_the_columns_of_a_table_is_a_table(tmp_path):
    where = tmp_path / "a.txt"
    where.write_text("title,artist,tempo\nNight Bus,Mira Vale,120\n")
    assert sources.source_of(where) is tables
    assert playlist_files.read(where).tracks.tempos.tolist() == [120]
    where.write_text("Night Bus, Mira Vale\nOther, Track\n")
    assert sources.source_of(where) is text_lists
    assert playlist_files.read(where).ids == ["Night Bus, Mira Vale", "Other, Track"]


def test_a_table_without_playlists_is_one_playlist_of_its_rows(catalogue, tmp_path):
    tables.write(catalogue, tmp_path / "t.parquet")
    tracklist, own = sources.open_playlist(tmp_path / "t.parquet")
    assert tracklist.match(own).tolist() == list(range(60))


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_a_table_of_any_separator_is_one_for_lists_and_catalogues_alike(separator, tmp_path):
    (tmp_path / "a.csv").write_text("track_id;title\nt00005;Title 5\n".replace(";", separator))
    assert playlist_files.read(tmp_path / "a.csv").ids == sources.open(tmp_path / "a.csv").ids([0]) == ["t00005"]


def test_a_line_of_words_is_the_track_that_has_them_and_no_others():
    dice = random.Random(3)
    words = ["night", "bus", "ana", "tide", "by", "salt", "feat", "x"]

    def some(most: int) -> list[str]:
        return [dice.choice(words[:6]) for _ in range(dice.randint(1, most))]

    tracks = [{"track_id": str(i), "title": " ".join(some(3)), "artists": [" ".join(some(2))]} for i in range(60)]
    catalogue = catalogue_of(tracks)
    found = 0
    for _ in range(400):
        line = some(4)
        wanted = [
            sorted(line),
            sorted(line[: line.index("by")] + line[line.index("by") + 1 :]) if "by" in line else [],
        ]
        right = {
            i
            for i, track in enumerate(tracks)
            for credit in ("", *track["artists"])
            if sorted([*track["title"].split(), *credit.split()]) in wanted
        }
        (row,) = playlist_files.parse(" ".join(line), Path("list.txt")).match(catalogue).tolist()
        assert row in right if right else row == -1, line
        found += row >= 0
    assert 40 < found < 360


def test_lines_of_words_are_looked_up_in_no_time():
    demo = sources.open()
    vocabulary = [word for title in demo.table["title"].to_pylist()[:500] for word in title.split()]
    dice = random.Random(0)
    lines = [" ".join(dice.choice(vocabulary) for _ in range(4)) for _ in range(500)]
    listed = playlist_files.parse("\n".join(lines), Path("list.txt"))
    begin = time.process_time()
    assert (listed.match(demo) >= 0).sum() < 5
    assert time.process_time() - begin < 5


def test_xml_whose_beginning_is_damaged_is_no_list_of_titles(tmp_path):
    (tmp_path / "list.xspf").write_text("?xml?>\n<playlist>\n<trackList>\n<track>\n<title>Tide</title>\n</track>\n")
    with pytest.raises(DataError, match="is XML or a web page whose beginning is damaged"):
        playlist_files.read(tmp_path / "list.xspf")
