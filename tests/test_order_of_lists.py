"""What `disco order` leaves as it is: orders that are as good, tracks of which nothing is known, files of a list."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.catalogues import catalogue_of
from hypothesis import given
from hypothesis import strategies as st

import disco
from disco import export
from disco.playlist.matching import match_tracklist
from disco.playlist.reorder import reorder
from disco.sources import playlist_files
from disco.sources.file_urls import in_folder, without_detours
from disco.sources.tracklist import Entry, Tracklist

A, B = {"key": 9, "mode": 0, "tempo_bpm": 124.0}, {"key": 3, "mode": 1, "tempo_bpm": 124.0}


def playlist(*tracks):
    """A playlist of its own tracks, called a, b, c ... and each by another artist where none is given."""
    named = [
        {"track_id": n, "title": n.upper(), "artists": [f"Artist {n}"], **t}
        for n, t in zip("abcdefghijkl", tracks, strict=False)
    ]
    catalogue = catalogue_of(named)
    return match_tracklist(Tracklist("", [Entry(track["track_id"]) for track in named]), catalogue)


def order_of(found):
    return "".join(found.tracks.column("track_id").to_pylist())


@pytest.mark.parametrize(
    ("known", "artists", "gap"),
    [
        ({}, "xxxxx", {}),
        ({}, "xxyyy", {}),
        ({}, "vwxyz", {}),
        ({}, "xxyyy", {"artist_gap": 0}),
        (A, "vwxyz", {}),
        (A, "xxxxx", {}),
        (A, "xxyyy", {"artist_gap": 0}),
    ],
)
def test_where_no_order_is_better_the_order_given_stays(known, artists, gap):
    assert order_of(reorder(playlist(*[{**known, "artists": [artist]} for artist in artists]), **gap)) == "abcde"


def test_tracks_of_which_nothing_is_known_keep_their_positions():
    found = reorder(playlist({}, A, B, {}, A, B, {}))
    assert [order_of(found)[i] for i in (0, 3, 6)] == ["a", "d", "g"]
    assert found.after.mean_cost <= found.before.mean_cost
    assert sorted(order_of(found)) == list("abcdefg")


def test_a_list_with_unmatched_tracks_stays_where_no_order_is_better():
    tracks = [{"track_id": n, "title": n, **A} for n in "abc"]
    listed = [Entry(text="Nobody - Nothing"), Entry("c"), Entry("a"), Entry(text="Nobody - Else"), Entry("b")]
    found = reorder(match_tracklist(Tracklist("", listed), catalogue_of(tracks)))
    assert found.tracks.column("title").to_pylist() == ["Nothing", "c", "a", "Else", "b"]


def test_tracks_by_one_artist_stay_together_where_parting_them_costs_and_the_price_is_reported():
    tracks = [
        {"key": k, "mode": 0, "tempo_bpm": 124.0, "artists": a}
        for k, a in ((9, ["Ana"]), (4, ["Bo", "Dot"]), (11, ["Dot"]))
    ]
    given_order = playlist(*tracks)
    found = reorder(given_order, artist_gap=1)
    assert order_of(found) != order_of(reorder(given_order)) == "abc"
    found_notes = [note for note in found.notes if note.startswith("worse than the order given")]
    assert "2 tracks by Dot stood together; parting them costs" in found_notes[0]
    assert "--artist-gap 0 keeps them" in found_notes[0]
    free = reorder(given_order, artist_gap=0)
    assert order_of(free) == "abc"
    assert not any("together" in note for note in free.notes)
    kept = " ".join(reorder(given_order).notes)
    assert "2 tracks by Dot stay together, as in the order given" in kept
    assert "--artist-gap 1 parts them" in kept


@given(
    st.lists(
        st.tuples(st.integers(0, 11), st.sampled_from([None, 100.0, 124.0, 126.0, 150.0]), st.integers(0, 3)),
        min_size=2,
        max_size=7,
    )
)
def test_an_order_never_costs_more_than_the_one_given(tracks):
    given_order = playlist(*[{"key": k, "mode": 0, "tempo_bpm": t, "artists": [str(a)]} for k, t, a in tracks])
    found = reorder(given_order)
    jumps = found.after.large_tempo_jumps < found.before.large_tempo_jumps
    assert jumps or found.after.total_cost <= found.before.total_cost + 1e-4


LIST = """#EXTM3U
#EXTINF:300,New Act - Fresh One
../crate/New Act - Fresh One.mp3
/music/bus.mp3
#EXTINF:210,New Act - Other
/usb/./New Act/../Other.mp3
..\\crate\\Third Act - Third.mp3
"""


@pytest.fixture
def listed(tmp_path):
    (tmp_path / "lists").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "lists" / "a.m3u8").write_text(LIST)
    catalogue = catalogue_of(
        [{"track_id": "bus", "title": "Nite Bus", "artists": ["Ana"], "path": "/music/bus.mp3", **A}]
    )
    return disco.reorder(catalogue, tmp_path / "lists" / "a.m3u8")


def test_what_a_list_says_of_unmatched_tracks_is_kept(listed, tmp_path):
    tracks = listed.tracks.table.select(["title", "artists", "duration_ms", "path"]).to_pylist()
    assert tracks[0] == {
        "title": "Fresh One",
        "artists": ["New Act"],
        "duration_ms": 300_000,
        "path": str(tmp_path / "crate" / "New Act - Fresh One.mp3"),
    }
    assert (tracks[2]["path"], tracks[2]["duration_ms"]) == ("/usb/Other.mp3", 210_000)
    assert (tracks[3]["title"], tracks[3]["artists"]) == ("Third", ["Third Act"])
    assert tracks[3]["path"] == str(tmp_path / "crate" / "Third Act - Third.mp3")


@pytest.mark.parametrize("suffix", [".m3u8", ".pls", ".xspf", ".jspf", ".xml", ".nml"])
@pytest.mark.parametrize("way", [None, *export.PATHS])
def test_the_file_of_an_unmatched_track_is_right_wherever_the_output_lies(listed, suffix, way, tmp_path):
    export.save(listed, tmp_path / "out" / f"b{suffix}", paths=way)
    read = playlist_files.read(tmp_path / "out" / f"b{suffix}")
    assert [entry.path for entry in read.entries] == [
        str(tmp_path / "crate" / "New Act - Fresh One.mp3"),
        "/music/bus.mp3",
        "/usb/Other.mp3",
        str(tmp_path / "crate" / "Third Act - Third.mp3"),
    ]
    assert [round(entry.duration_ms or 0) for entry in read.entries][::2] == [300_000, 210_000]
    assert "New Act" in (tmp_path / "out" / f"b{suffix}").read_text(encoding="utf-8")


def test_a_path_that_came_relative_is_written_relative_to_the_new_list(listed, tmp_path):
    listed.save(tmp_path / "out" / "b.m3u8")
    lines = (tmp_path / "out" / "b.m3u8").read_text().splitlines()
    assert "../crate/New Act - Fresh One.mp3" in lines
    assert "#EXTINF:300,New Act - Fresh One" in lines
    listed.save(tmp_path / "out" / "c.m3u8", paths="absolute")
    assert str(tmp_path / "crate" / "New Act - Fresh One.mp3") in (tmp_path / "out" / "c.m3u8").read_text()


@pytest.mark.parametrize(
    ("path", "resolved"),
    [
        ("/music/../crate/a.mp3", "/crate/a.mp3"),
        ("/music/./a.mp3", "/music/a.mp3"),
        ("/../../a.mp3", "/a.mp3"),
        ("C:/music/../a.mp3", "C:/a.mp3"),
        ("C:\\music\\..\\..\\a.mp3", "C:\\a.mp3"),
        ("\\\\host\\share\\x\\..\\a.mp3", "\\\\host\\share\\a.mp3"),
        ("/music/..a/b..mp3", "/music/..a/b..mp3"),
    ],
)
def test_detours_in_a_path_are_resolved(path, resolved):
    assert without_detours(path) == resolved
    assert without_detours(resolved) == resolved


@pytest.mark.parametrize(
    "line",
    [
        "D:\\music\\Dot\\Salt.mp3",
        "d:/music/dot/salt.mp3",
        "file:///D:/music/Dot/Salt.mp3",
        "file://localhost/D:/music/Dot/Salt.mp3",
        "D:\\music\\x\\..\\Dot\\Salt.mp3",
        "D:/music/Dot/S%61lt.mp3",
        "/Volumes/USB/music/Dot/Salt.mp3",
        "\\music\\Dot\\Salt.mp3",
        "..\\..\\music\\Dot\\Salt.mp3",
    ],
)
def test_a_path_of_another_system_or_root_is_the_same_file(line, tmp_path):
    catalogue = catalogue_of(
        [{"track_id": "salt", "path": "D:/music/Dot/Salt.mp3"}, {"track_id": "x", "path": "D:/x/Salt.mp3"}]
    )
    (tmp_path / "a.m3u").write_text(line + "\n")
    assert playlist_files.read(tmp_path / "a.m3u").match(catalogue).tolist() == [0]


def test_how_many_were_found_by_the_ends_of_their_paths_is_reported():
    catalogue = catalogue_of([{"track_id": n, "path": f"/music/ana/{n}.mp3", **A} for n in "abc"])
    listed = Tracklist("", [Entry(f"/usb/ana/{n}.mp3", path=f"/usb/ana/{n}.mp3") for n in "ab"] + [Entry("c")])
    assert any("2 found by the ends of their paths" in note for note in match_tracklist(listed, catalogue).notes)


def test_a_file_without_a_name_in_the_list_is_known_by_its_own():
    catalogue = catalogue_of([{"track_id": "bus", "title": "Nite Bus", "artists": ["Ana Vex"]}])
    names = ["Ana Vex - Nite Bus.mp3", "01 - Ana Vex - Nite Bus.flac", "03. Ana Vex - Nite Bus.mp3"]
    names += ["Ana Vex - Nite Bus (Live).mp3", "Nite Bus.mp3", "Ana - Nite Bus.mp3"]
    listed = Tracklist("", [Entry(name, path=in_folder(name, Path("/x"))) for name in names])
    assert listed.match(catalogue).tolist() == [0, 0, 0, -1, -1, -1]


def test_a_library_spells_a_file_in_its_playlists_in_another_case(tmp_path):
    (tmp_path / "library.xml").write_text(
        '<DJ_PLAYLISTS><COLLECTION><TRACK TrackID="1" Name="Salt" Location="file://localhost/D:/Music/Salt.mp3"/>'
        '<TRACK TrackID="2" Name="Tide" Location="file://localhost/D:/Music/Tide.mp3"/></COLLECTION><PLAYLISTS>'
        '<NODE Type="0" Name="ROOT"><NODE Type="1" Name="P" KeyType="1"><TRACK Key="file://localhost/d:/music/tide.mp3"/>'
        '<TRACK Key="file://localhost/D:/Music/x/../Salt.mp3"/><TRACK Key="file://localhost/D:/Music/No.mp3"/></NODE></NODE>'
        "</PLAYLISTS></DJ_PLAYLISTS>"
    )
    listed = playlist_files.read(tmp_path / "library.xml")
    assert (listed.names, listed.unmatched) == (["Tide", "Salt", ""], (2,))
