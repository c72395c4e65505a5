"""Crates of Serato: written with paths as Serato writes them, and read again."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.catalogues import catalogue_of
from hypothesis import given
from hypothesis import strategies as st
from test_export import playlist

from disco import export
from disco.catalogue import Catalogue
from disco.errors import DataError, DiscoError
from disco.sources import playlist_files
from disco.sources.dj import serato, serato_library

parts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\\\0"), min_size=1, max_size=9)
names = st.lists(parts.filter(lambda part: part.strip(". ") == part), min_size=2, max_size=4)


def tracks_of(paths: list[str | None]) -> Catalogue:
    return catalogue_of(
        [{"track_id": f"t{i}", "title": f"T {i}", "artists": ["A"], "path": path} for i, path in enumerate(paths)]
    )


def written(paths: list[str | None], where: Path) -> tuple[list[str], list[str]]:
    """Paths in a crate as they stand there, and the notes."""
    notes = export.save(playlist(tracks_of(paths)), where)
    chunks = [dict(serato.chunks(body)) for name, body in serato.chunks(where.read_bytes()) if name == b"otrk"]
    return [serato.text(fields[b"ptrk"]) or "" for fields in chunks], notes


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/Users/me/Music/a.mp3", "Users/me/Music/a.mp3"),
        ("C:\\Users\\me\\Music\\a.mp3", "Users/me/Music/a.mp3"),
        ("D:/Music/é ü.mp3", "Music/é ü.mp3"),
        ("/Volumes/USB/Sets/a.mp3", "Sets/a.mp3"),
        ("/Volumes/USB/Users/a.mp3", "Volumes/USB/Users/a.mp3"),
        ("/music/夜/🎧.mp3", "music/夜/🎧.mp3"),
    ],
)
def test_a_path_begins_at_the_root_of_its_drive(path, shown, tmp_path):
    assert written([path], tmp_path / "a.crate") == ([shown], [])


def test_in_the_folder_of_serato_on_a_drive_paths_begin_at_that_drive(tmp_path):
    folder = tmp_path / "_Serato_" / "Subcrates"
    folder.mkdir(parents=True)
    music = tmp_path / "Sets" / "a.mp3"
    music.parent.mkdir()
    music.touch()
    where = folder / "Friday.crate"
    assert written([str(music), "/elsewhere/b.mp3"], where) == (["Sets/a.mp3", "elsewhere/b.mp3"], [])
    assert playlist_files.read(where).entries[0].path == str(music)


def test_tracks_without_a_file_are_left_out_and_counted(tmp_path):
    where = tmp_path / "a.crate"
    shown, notes = written(["/m/a.mp3", None, "https://open.spotify.com/track/x", "/m/b.mp3"], where)
    assert shown == ["m/a.mp3", "m/b.mp3"]
    assert notes == [f"{where}: 2 of 4 tracks have no file; Serato cannot load them; they are left out"]
    with pytest.raises(DiscoError, match="no track has a file"):
        written([None, None], tmp_path / "b.crate")
    assert not (tmp_path / "b.crate").exists()


@given(st.lists(names, min_size=1, max_size=5, unique_by=tuple))
def test_a_crate_comes_back_in_its_order_with_its_paths(tmp_path_factory, folders):
    where = tmp_path_factory.mktemp("crate") / "Friday.crate"
    paths = ["/Users/" + "/".join(folder) + ".mp3" for folder in folders]
    written(list(paths), where)
    tracklist = playlist_files.read(where)
    assert [entry.path for entry in tracklist.entries] == [path.strip(" \t\r\n") for path in paths]
    rows = tracklist.match(tracks_of(list(paths)))
    assert rows.tolist() == list(range(len(paths)))


def test_an_existing_crate_is_kept_without_force(tmp_path):
    where = tmp_path / "a.crate"
    written(["/m/a.mp3"], where)
    before = where.read_bytes()
    with pytest.raises(DataError, match="exists already"):
        written(["/m/b.mp3"], where)
    assert where.read_bytes() == before
    assert serato_library.can_read(where)


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("m.db", "m.xml (rekordbox) or m.nml (Traktor), whose libraries Engine DJ imports"),
        ("a.edb", "a.xml"),
        ("a.vdjfolder", "a.m3u8"),
        ("a.m3u", "a.m3u8"),
    ],
)
def test_what_is_not_written_is_refused_with_what_to_write_instead(name, instead, tmp_path):
    with pytest.raises(DiscoError) as error:
        export.save(playlist(tracks_of(["/m/a.mp3"])), tmp_path / name)
    assert instead in str(error.value)
