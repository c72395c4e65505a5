"""Libraries of all DJ programs: recognition, damaged files, and `disco order` on their playlists."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import test_jspf
import test_mixxx
import test_rekordbox
import test_traktor
from helpers.catalogues import catalogue_of, random_catalogue
from helpers.examples import at_most
from hypothesis import given
from hypothesis import strategies as st
from test_export import playlist

from disco import export
from disco.catalogue import SCHEMA
from disco.cli import order
from disco.cli.recommend import main as recommend
from disco.errors import DiscoError
from disco.sources import playlist_files, sources
from disco.sources.dj import mixxx, rekordbox, traktor
from disco.sources.files import jspf, tables

LIBRARIES = [
    (rekordbox, test_rekordbox.example),
    (traktor, test_traktor.example),
    (mixxx, test_mixxx.example),
    (jspf, test_jspf.example),
]


# Content of each example, which takes longer to make than to read.
CONTENTS: dict[Callable[[Path], Path], bytes] = {}


def refusal(read: Callable[[Path], object], where: Path) -> str | None:
    try:
        read(where)
    except DiscoError as error:
        return str(error)
    return None


@pytest.mark.parametrize(("source", "example"), LIBRARIES)
class TestEveryLibrary:
    def test_only_its_source_recognises_it_whatever_its_name(self, source, example, tmp_path):
        where = example(tmp_path)
        where = where.rename(tmp_path / "renamed.txt")
        assert [other for other in sources() if other.can_read(where)] == [source]

    def test_its_tracks_are_in_the_columns_of_the_schema(self, source, example, tmp_path):
        where = example(tmp_path)
        catalogue = source.read(where)
        assert catalogue.table.schema == SCHEMA
        assert catalogue.where == str(where)
        assert source.NAME in catalogue.notes[0]
        ids = catalogue.table["track_id"].to_pylist()
        assert len(set(ids)) == len(ids)
        assert None not in ids

    def test_every_playlist_has_a_row_for_each_position(self, source, example, tmp_path):
        for listed in source.playlists(example(tmp_path)):
            assert len(listed.ids) == len(listed.names) == len(listed.tracks)
            found = listed.match(listed.tracks)
            assert [i for i, row in enumerate(found) if row < 0] == list(listed.unmatched)

    @pytest.mark.slow
    @at_most(60)
    @given(change=st.data())
    def test_a_damaged_file_is_read_or_refused_in_one_sentence(self, source, example, tmp_path_factory, change):
        if example not in CONTENTS:
            CONTENTS[example] = example(tmp_path_factory.mktemp("whole")).read_bytes()
        where = tmp_path_factory.getbasetemp() / "damaged"
        content = bytearray(CONTENTS[example])
        for _ in range(change.draw(st.integers(1, 4))):
            content[change.draw(st.integers(0, len(content) - 1))] = change.draw(st.integers(0, 255))
        where.write_bytes(content[: change.draw(st.integers(0, len(content)) | st.just(len(content)))])
        for result in (refusal(source.read, where), refusal(source.playlists, where)):
            assert result is None or (result.startswith(str(where)) and "\n" not in result)


def run(*arguments, capsys):
    code = order.main([str(a) for a in arguments])
    return code, *capsys.readouterr()


def test_a_playlist_of_a_library_is_ordered_without_a_catalogue(tmp_path, capsys):
    where = test_rekordbox.example(tmp_path)
    code, out, err = run(where, "--playlist", "peak / time / late / friday", "--json", capsys=capsys)
    assert code == 0
    ids = [track["id"] for track in json.loads(out)["tracks"]]
    assert sorted(ids[:2]) == sorted([test_rekordbox.MOON, test_rekordbox.BUS])
    assert ids[2:] == ["TrackID 99"]
    assert f"1 of 4 tracks are not in {where}, only their names are known: 'TrackID 99'" in err
    assert "1 tracks are in the playlist more than once; each is played once" in err
    assert "6 tracks (rekordbox XML)" in err


def test_the_error_lists_the_playlists_to_choose_from(tmp_path, capsys):
    for where in (test_rekordbox.example(tmp_path), test_mixxx.example(tmp_path)):
        code, out, err = run(where, capsys=capsys)
        assert (code, out) == (1, "")
        assert "playlists; choose one with --playlist: '" in err
        code, _, err = run(where, "--playlist", "Nobody's", capsys=capsys)
        assert (code, len(err.strip().splitlines())) == (1, 1)
        assert "has no playlist \"Nobody's\"; it has '" in err


@pytest.mark.slow
def test_a_catalogue_adds_tracks_that_the_library_does_not_have(tmp_path, capsys):
    bus = {"track_id": "x1", "title": "Night Bus", "artists": ["Mira Vale"], "key": 3, "mode": 1, "tempo_bpm": 99.0}
    gone = {"track_id": "x2", "path": "/Users/me/gone.mp3", "key": 3, "mode": 1, "tempo_bpm": 98.0}
    tables.write(catalogue_of([bus, gone]), tmp_path / "t.parquet")
    where = test_rekordbox.example(tmp_path)
    code, out, _ = run(
        where, "--playlist", "Friday", "--catalogue", tmp_path / "t.parquet", "--json", "--quiet", capsys=capsys
    )
    tracks = {track["id"]: track["tempo_bpm"] for track in json.loads(out)["tracks"]}
    assert code == 0
    assert tracks == {"x1": 99.0, test_rekordbox.MOON: 90.25, "TrackID 99": None}
    code, out, _ = run(
        where,
        "--playlist",
        "Peak / time / friday",
        "--catalogue",
        tmp_path / "t.parquet",
        "--json",
        "--quiet",
        capsys=capsys,
    )
    assert {track["id"] for track in json.loads(out)["tracks"]} == {"x2", "C:/Music/Sun.flac"}


@pytest.mark.slow
@pytest.mark.parametrize("suffix", export.FORMATS)
def test_every_format_is_converted_to_every_other(suffix, tmp_path, capsys):
    tracks = random_catalogue(9, seed=5).table.to_pylist()
    for i, track in enumerate(tracks):
        track["path"] = f"/music/{i}.mp3"
    where = tmp_path / f"a{suffix}"
    export.save(playlist(catalogue_of(tracks), "Friday"), where)
    tables.write(catalogue_of(tracks), tmp_path / "t.parquet")
    for other in export.FORMATS:
        written = tmp_path / f"b{other}"
        code, out, _ = run(
            where, "--catalogue", tmp_path / "t.parquet", "--output", written, "--force", "--json", capsys=capsys
        )
        assert code == 0
        ids = [track["id"] for track in json.loads(out)["tracks"]]
        assert sorted(ids) == [track["track_id"] for track in tracks]
        again = playlist_files.read(written)
        assert catalogue_of(tracks).ids(again.rows(catalogue_of(tracks))) == ids
        assert again.name == {".csv": ""}.get(other, "In order" if suffix == ".csv" else "Friday")


def test_tracks_without_a_file_are_reported_for_programs_that_need_files(tmp_path, capsys):
    tables.write(random_catalogue(9, seed=5), tmp_path / "t.parquet")
    (tmp_path / "a.txt").write_text("t00001\nt00002\n")
    for suffix, program in ((".xml", "rekordbox"), (".nml", "Traktor")):
        where = tmp_path / f"b{suffix}"
        _, _, err = run(tmp_path / "a.txt", "--catalogue", tmp_path / "t.parquet", "--output", where, capsys=capsys)
        assert f"{where}: 2 of 2 tracks have no file; {program} cannot load them" in err
        assert "LOCATION" not in where.read_text().upper()


@pytest.mark.slow
def test_names_of_keys_and_paths_follow_the_options(tmp_path, capsys):
    track = {"track_id": "a", "path": str(tmp_path / "music" / "a.mp3"), "key": 0, "mode": 0, "tempo_bpm": 120.0}
    tables.write(catalogue_of([track, {**track, "track_id": "b"}]), tmp_path / "t.parquet")
    (tmp_path / "a.txt").write_text("a\nb\n")
    (tmp_path / "lists").mkdir()
    for names, result in (("camelot", "5A"), ("classic", "Cm"), ("open", "10m")):
        for suffix, attribute in ((".xml", "Tonality"), (".nml", "KEY")):
            where = tmp_path / f"{names}{suffix}"
            run(
                tmp_path / "a.txt",
                "--catalogue",
                tmp_path / "t.parquet",
                "--output",
                where,
                "--key-names",
                names,
                capsys=capsys,
            )
            assert f'{attribute}="{result}"' in where.read_text()
    for paths, result in (("relative", "../music/a.mp3"), ("absolute", str(tmp_path / "music" / "a.mp3"))):
        where = tmp_path / "lists" / f"{paths}.m3u8"
        arguments = [tmp_path / "a.txt", "--catalogue", tmp_path / "t.parquet", "--output", where, "--paths", paths]
        assert run(*arguments, capsys=capsys)[0] == 0
        assert where.read_text().splitlines()[3] == result
    assert run(tmp_path / "a.txt", "--paths", "sideways", capsys=capsys)[0] == 2


def test_recommend_reads_a_playlist_of_a_library(tmp_path, capsys):
    tracks = random_catalogue(30, seed=5).table.to_pylist()
    tracks[7]["path"] = test_rekordbox.BUS
    tables.write(catalogue_of(tracks), tmp_path / "t.parquet")
    where = str(test_rekordbox.example(tmp_path))
    more = ["--catalogue", str(tmp_path / "t.parquet"), "--recommender", "nearest", "--json"]
    assert recommend([where, "--playlist", "Friday", *more]) == 0
    out, _ = capsys.readouterr()
    assert json.loads(out)["seeds"] == ["t00007"]
    assert json.loads(out)["title"] == "Friday"
    assert recommend([where, *more]) == 1
    assert "choose one with --playlist" in capsys.readouterr().err
    assert recommend(["t00001", "--playlist", "Friday", *more]) == 1
    assert "--playlist 'Friday' needs a file with playlists" in capsys.readouterr().err
