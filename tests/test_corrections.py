"""Corrections of key, tempo and energy: precedence over sources, storage, matching by id, path and name."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from hypothesis import given
from hypothesis import strategies as st

from disco import sources
from disco.catalogue import FEATURES
from disco.cli import catalogue as command
from disco.cli import generate
from disco.errors import DataError, DiscoError, NotFoundError
from disco.sources import corrections
from disco.sources.corrections import Correction
from disco.sources.files import tables


@pytest.fixture(autouse=True)
def _own_file(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCO_DATA", str(tmp_path / "data"))


@pytest.fixture
def library(tmp_path):
    tracks = random_catalogue(6, seed=3).table.to_pylist()
    tracks[1] |= {"path": str(tmp_path / "music" / "a.mp3"), "title": "Title 1 - 2011 Remaster"}
    tracks[2] |= dict.fromkeys((*FEATURES, "feature_set"))
    where = tmp_path / "tracks.parquet"
    tables.write(catalogue_of(tracks), where)
    return where


def row(catalogue, i):
    return catalogue.table.slice(i, 1).to_pylist()[0]


def test_corrections_override_every_source_by_id_path_and_name(library, tmp_path):
    where = tmp_path / "mine.csv"
    where.write_text(
        "track,key,bpm,energy\n"
        "spotify:track:t00000,8A,,\n"
        f"{tmp_path}/music/a.mp3,,99.5,0.25\n"
        "ARTIST 2 – title 2,Am,128,1\n"
        "t00003,1m,,\n"
        "t00003,F#,,\n"
        "nobody - nothing,8A,,\n"
    )
    before, after = sources.open([library]), sources.open([library], corrections=where)
    assert (row(after, 0)["key"], row(after, 0)["mode"]) == (9, 0)
    assert row(after, 0)["tempo_bpm"] == row(before, 0)["tempo_bpm"]
    assert (row(after, 1)["tempo_bpm"], row(after, 1)["energy"]) == (99.5, 0.25)
    assert row(after, 1)["feature_set"] == "spotify"
    assert [row(after, 2)[n] for n in ("key", "tempo_bpm", "energy", "feature_set")] == [9, 128, 1, "person"]
    assert (row(after, 3)["key"], row(after, 3)["mode"]) == (6, 1), "the later one counts"
    assert after.table.slice(4).equals(before.table.slice(4))
    assert "4 tracks have the key, tempo or energy that you gave them" in after.notes
    assert "1 of 5 corrections match no track: 'nobody - nothing'" in after.notes[-1]


def test_a_name_corrects_every_release_but_no_other_version(library):
    catalogue = catalogue_of(
        [
            {"track_id": str(i), "title": t, "artists": ["A"]}
            for i, t in enumerate(("X", "X (Remastered)", "X (Live)"))
        ]
    )
    got = corrections.apply(catalogue, [Correction("a - x", bpm=100)])
    assert got.tempos.tolist()[:2] == [100, 100]
    assert np.isnan(got.tempos[2])
    dashes = catalogue_of([{"track_id": "1", "title": "B - C", "artists": ["A"]}])
    assert corrections.apply(dashes, [Correction("A - B - C", bpm=90)]).tempos.tolist() == [90]


def test_corrected_values_have_the_origin_person():
    got = corrections.apply(random_catalogue(2), [Correction("t00000", key=(9, 0))]).table.to_pylist()
    assert (got[0]["key_origin"], got[0]["key_confidence"], got[0]["tempo_origin"]) == ("person", 1, None)
    assert got[1]["key_origin"] is None


def test_set_adds_changes_and_removes_corrections(library, tmp_path, capsys):
    def run(*arguments):
        code = command.main([str(a) for a in arguments])
        return code, *capsys.readouterr()

    assert run("set", "t00004", "key=8A", "bpm=128", "energy=0.7")[0] == 0
    assert run("set", "title 5", "bpm=77.25", "--catalogue", library)[0] == 0
    for _ in range(2):
        catalogue = sources.open([library])
        assert catalogue.tempos[4:].tolist() == [128, 77.25]
        assert row(catalogue, 4)["energy"] == pytest.approx(0.7)
    listed = json.loads(run("corrections", "--json")[1])
    assert listed["corrections"] == [
        {"track": "t00004", "key": "8A", "bpm": "128", "energy": "0.7"},
        {"track": "t00005", "key": "", "bpm": "77.25", "energy": ""},
    ]
    assert "t00005" in run("corrections")[1]
    # A file named on the command line counts before one's own.
    (tmp_path / "c.csv").write_text("id,bpm\nt00004,61\n")
    asked = ["t00004", "--catalogue", library, "--corrections", tmp_path / "c.csv", "--length", 1, "--json"]
    assert generate.main([str(a) for a in asked]) == 0
    assert json.loads(capsys.readouterr().out)["tracks"][0]["tempo_bpm"] == 61
    assert run("set", "t00004", "key=", "energy=")[2].strip() == "t00004: bpm 128"
    assert run("set", "t00004", "bpm=")[2].strip() == "t00004: no corrections"
    assert len(corrections.read(corrections.user_file())) == 1
    assert run("set", "t00005", "bpm=")[0] == 0
    assert not corrections.user_file().exists()
    assert run("corrections")[1].startswith("0 corrections")
    assert not [p for p in tmp_path.rglob(".*") if p.is_file()]


def test_a_file_on_disk_is_stored_by_its_absolute_path(tmp_path, monkeypatch, capsys):
    (tmp_path / "b.mp3").touch()
    monkeypatch.chdir(tmp_path)
    assert command.main(["set", "b.mp3", "bpm=90"]) == 0
    assert corrections.read(corrections.user_file()) == [Correction(str(tmp_path / "b.mp3"), bpm=90)]
    catalogue = catalogue_of([{"track_id": "x", "path": "b.mp3"}])
    assert corrections.apply(catalogue, corrections.read(corrections.user_file())).tempos.tolist() == [90]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "line 1: must name the columns track, key, bpm, energy"),
        ("track\na\n", "line 1: must name the columns"),
        ("track,loud\na,1\n", "line 1: must name the columns"),
        ("track,id,bpm\na,b,1\n", "line 1: must name the columns"),
        ("track,key\na,H9\n", "line 2: 'H9' is no key; write it as 8A"),
        ("track,bpm\n\na,120\nb,fast\n", "line 4: 'fast' is no tempo; it is a number from 10 to 1000"),
        ("track,bpm\na,nan\n", "line 2: 'nan' is no tempo"),
        ("track,energy\na,7\n", "line 2: '7' is no energy; it is a number from 0 to 1"),
        ("track,bpm\na\n", "line 2: has 1 values where the header has 2"),
        ("track,bpm\n,120\n", "line 2: names no track"),
        ("track,bpm\na,\n", "line 2: has no value for 'a'"),
    ],
)
def test_an_invalid_row_is_an_error_with_its_line(content, sentence, tmp_path):
    (tmp_path / "c.csv").write_text(content)
    with pytest.raises(DataError) as error:
        corrections.read(tmp_path / "c.csv")
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_and_undecodable_files_are_errors(tmp_path):
    with pytest.raises(NotFoundError):
        corrections.read(tmp_path / "nowhere.csv")
    (tmp_path / "x.csv").write_bytes(b"track,bpm\n\xff\xfe,3\n")
    with pytest.raises(DataError, match="not UTF-8"):
        corrections.read(tmp_path / "x.csv")
    with pytest.raises(DataError, match="cannot be read"):
        corrections.read(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["t", "key"], "'key' sets nothing; write key=8A"),
        (["t", "loud=3"], "'loud' cannot be set"),
        (["t", "key=Q"], "'Q' is no key"),
        ([" ", "key=8A"], "names no track"),
        (["zzz qqq", "key=8A", "--catalogue", "LIBRARY"], "no track found for 'zzz qqq'"),
    ],
)
def test_invalid_values_change_nothing(arguments, sentence, library, capsys):
    assert command.main(["set", *(str(library) if a == "LIBRARY" else a for a in arguments)]) == 1
    assert sentence in capsys.readouterr().err
    assert not corrections.user_file().exists()


def test_an_unwritable_data_folder_is_an_error(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DISCO_DATA", str(tmp_path / "file" / "data"))
    assert command.main(["set", "t", "bpm=90"]) == 1
    assert "cannot be written" in capsys.readouterr().err


texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=20).filter(
    lambda text: text.strip() == text and text.strip()
)


@given(
    st.dictionaries(
        texts, st.tuples(st.none() | st.tuples(st.integers(0, 11), st.integers(0, 1)), st.integers(10, 999))
    )
)
def test_written_corrections_are_read_back(expected):
    where = corrections.user_file()
    wanted = [Correction(track, key, float(bpm)) for track, (key, bpm) in expected.items()]
    corrections.write(wanted, where)
    assert (corrections.read(where) if wanted else []) == wanted
    assert where.exists() == bool(wanted)


def test_an_invalid_value_applies_none_of_the_changes():
    with pytest.raises(DiscoError):
        corrections.updated(Correction("a", bpm=100), {"key": "8A", "bpm": "x"})
