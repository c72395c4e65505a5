"""Lists as people have them: PLS, XSPF, JSON, VirtualDJ's comments, comments in text, several of one name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.catalogues import catalogue_of

from disco import sources
from disco.errors import DataError
from disco.sources import playlist_files
from disco.sources.tracklist import Entry, Tracklist

LIBRARY = [
    {"track_id": "bus", "title": "Nite Bus", "artists": ["Ana Vex"], "path": "/music/Ana Vex/Nite Bus.mp3"},
    {"track_id": "salt", "title": "Salt", "artists": ["Dot"], "isrc": "USABC2400001"},
]
PLS = "[playlist]\nFile1=/music/Ana Vex/Nite Bus.mp3\nTitle1=Ana Vex - Nite Bus\nFile2=/x/2.mp3\nTitle2=Dot - Salt\n"
XSPF = '<?xml version="1.0"?><playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList>{}</trackList></playlist>'


def read(folder: Path, name: str, content: str | bytes) -> Tracklist:
    where = folder / name
    where.write_bytes(content.encode() if isinstance(content, str) else content)
    return playlist_files.read(where)


def matched(folder: Path, name: str, content: str | bytes) -> list[str | None]:
    catalogue = catalogue_of(LIBRARY)
    rows = read(folder, name, content).match(catalogue).tolist()
    return [None if row < 0 else LIBRARY[row]["track_id"] for row in rows]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pls", PLS),
        ("a.txt", PLS),
        ("a.pls", PLS.replace("\n", "\r\n").replace("[playlist]", "[Playlist]")),
        ("a.pls", PLS.replace("File", "file").replace("Title", "TITLE").replace("=", " = ")),
        ("a.pls", "[playlist]\n" + "\n".join(reversed(PLS.splitlines()[1:]))),
        ("a.pls", PLS.encode("utf-16")),
        (
            "a.pls",
            PLS.replace("/music/Ana Vex/", "file:///music/Ana%20Vex/").replace("Title1=Ana Vex - Nite Bus\n", ""),
        ),
    ],
)
def test_pls_is_read_whatever_the_order_and_case_of_its_lines(name, content, tmp_path):
    assert matched(tmp_path, name, content) == ["bus", "salt"]


def test_pls_from_standard_input_keeps_its_name_and_durations():
    text = PLS + "Length1=201\nLength2=-1\nX-GNOME-Title=Friday\n"
    listed = playlist_files.parse(text, Path("standard input"))
    assert (listed.name, [entry.duration_ms for entry in listed.entries]) == ("Friday", [201_000, None])


def test_pls_without_a_file_is_an_error(tmp_path):
    with pytest.raises(DataError, match="PLS playlist without a line File1="):
        read(tmp_path, "a.pls", "[playlist]\nNumberOfEntries=0\nVersion=2\n")


@pytest.mark.parametrize(
    "track",
    [
        "<location>file:///music/Ana%20Vex/Nite%20Bus.mp3</location>",
        "<location>file://localhost/music/ana%20vex/Nite%20Bus.mp3</location><title>x</title>",
        "<title>Nite Bus</title><creator>Ana Vex</creator>",
        "<title>  Nite\nBus </title><creator><![CDATA[Ana Vex]]></creator><extension><title>x</title></extension>",
        "<title>Nite Bus</title><creator>Ana Vex</creator><identifier>https://example.org/1</identifier>",
        "<location>https://example.org/a.mp3</location><title>Nite Bus</title><creator>ANA VEX</creator>",
    ],
)
def test_a_track_of_xspf_is_known_by_its_location_or_name(track, tmp_path):
    assert matched(tmp_path, "a.xspf", XSPF.format(f"<track>{track}</track>")) == ["bus"]


def test_an_xspf_is_its_own_catalogue_and_its_relative_locations_begin_in_its_folder(tmp_path):
    track = "<track><location>../crate/K%C3%A4lte.mp3</location><title>Kälte</title><duration>1000</duration></track>"
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "a.xspf").write_text(XSPF.format(track), encoding="utf-8")
    tracks = sources.open(tmp_path / "lists" / "a.xspf")
    assert tracks.column("path").to_pylist() == [str(tmp_path / "crate" / "Kälte.mp3")]
    assert tracks.column("duration_ms").to_pylist() == [1000]


def test_an_xspf_with_entities_is_refused(tmp_path):
    with pytest.raises(DataError, match="document type"):
        read(tmp_path, "a.xspf", '<!DOCTYPE x [<!ENTITY a "b">]>' + XSPF.format("<track><title>&a;</title></track>"))


@pytest.mark.parametrize(
    "content",
    [
        ["Ana Vex - Nite Bus", "Dot - Salt"],
        [{"title": "Nite Bus", "artist": "Ana Vex"}, {"name": "Salt", "artists": ["Dot"]}],
        {"name": "Friday", "tracks": [{"id": "bus"}, {"track_name": "Salt", "artist_name": "Dot"}]},
        {"items": [{"track": {"name": "Nite Bus", "artists": [{"name": "Ana Vex"}]}}, {"track": {"id": "salt"}}]},
        {"tracks": {"items": [{"track": {"id": "bus"}}, {"track": None}, {"track": {"id": "salt"}}]}},
        {"data": [{"title": "Nite Bus", "artist": {"name": "Ana Vex"}}, {"title": "?", "isrc": "US-ABC-24-00001"}]},
        [
            {"path": "/music/Ana Vex/Nite Bus.mp3"},
            {"type": "episode", "name": "Talk"},
            {"song": "Salt", "artist": "Dot"},
        ],
    ],
)
def test_lists_in_json_are_read_in_many_shapes_without_what_is_gone_or_spoken(content, tmp_path):
    assert matched(tmp_path, "a.json", json.dumps(content)) == ["bus", "salt"]


@pytest.mark.parametrize("content", ["[]", "[1, 2]", '{"colour": "red", "items": [3]}', "[[]]", '["", null]', "[{}]"])
def test_other_json_is_refused_by_its_name(content, tmp_path):
    with pytest.raises(DataError, match="is JSON, but neither a playlist that DISCO wrote nor a list"):
        read(tmp_path, "a.json", content)


@pytest.mark.parametrize(
    "line",
    [
        "#EXTVDJ:<time>22:10</time><artist>Ana Vex</artist><title>Nite Bus</title>",
        "#EXTVDJ:<filesize>4</filesize><artist>Ana Vex</artist><title>Nite Bus</title><songlength>212.4</songlength>",
        "#EXTVDJ:<artist>Ana Vex</artist><title>Nite Bus</title><remix>feat. Bo &amp; Dot</remix>",
        "#EXTINF:-1,wrong\n#EXTVDJ:<artist>ANA VEX</artist><title>NITE BUS</title>",
        "#EXTINF:-1,Ana Vex - Nite Bus\n#EXTVDJ:<filesize>4</filesize>",
    ],
)
def test_names_in_comments_of_virtual_dj_are_read(line, tmp_path):
    assert matched(tmp_path, "a.m3u", f"{line}\nnetsearch://dz1\n") == ["bus"]
    assert matched(tmp_path, "b.txt", f"{line}\nD:\\m\\1.mp3\n") == ["bus"]


def test_a_remix_in_a_comment_of_virtual_dj_is_another_track(tmp_path):
    line = "#EXTVDJ:<artist>Ana Vex</artist><title>Nite Bus</title><remix>Kolo Remix</remix>"
    assert matched(tmp_path, "a.m3u", f"{line}\nnetsearch://dz1\n") == [None]


def test_lines_that_begin_with_a_number_sign_are_comments_in_plain_text(tmp_path):
    assert read(tmp_path, "a.txt", "# friday\nbus\n#\n\n#later: Tide\nsalt\n").ids == ["bus", "salt"]
    with pytest.raises(DataError, match="nothing but comments"):
        read(tmp_path, "a.txt", "# friday\n# saturday\n")


def test_playlists_of_one_name_and_place_have_numbers_and_both_can_be_had():
    found = [
        Tracklist("Friday", [Entry("a")], folder="Peak"),
        Tracklist("Friday", [Entry("b"), Entry("c")], folder="Peak"),
        Tracklist("Friday", [Entry("d")], folder="Warm-up"),
        Tracklist("Friday", [], folder="Warm-up"),
        Tracklist("Mix #2", [Entry("e")]),
    ]
    path = Path("library.xml")
    with pytest.raises(DataError, match=r"'Peak / Friday #1' \(1 track\), 'Peak / Friday #2' \(2 tracks\)"):
        playlist_files.choose(found, path, None)
    with pytest.raises(DataError, match="has 2 playlists called 'peak / friday'"):
        playlist_files.choose(found, path, "peak / friday")
    assert playlist_files.choose(found, path, "Peak / Friday #2").ids == ["b", "c"]
    assert playlist_files.choose(found, path, "peak / friday #1").ids == ["a"]
    assert playlist_files.choose(found, path, "Warm-up / Friday #1").ids == ["d"]
    assert playlist_files.choose(found, path, "mix #2").ids == ["e"]
    for nothing in ("Peak / Friday #3", "Peak / Friday #0"):
        with pytest.raises(DataError, match="has no playlist"):
            playlist_files.choose(found, path, nothing)
