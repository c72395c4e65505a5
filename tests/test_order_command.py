"""`disco order`: what it reads, prints, writes and refuses."""

from __future__ import annotations

import io
import json
import sys
from itertools import pairwise

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue

from disco.cli import order
from disco.export import FORMATS
from disco.playlist.cost import PairwiseCost
from disco.playlist.flow_metrics import flow_metrics
from disco.playlist.matching import match_tracklist
from disco.playlist.reorder import distinct_tracks, reorder
from disco.playlist.sequence import Constraints
from disco.sources import playlist_files
from disco.sources.files import tables

IDS = [f"t{i:05}" for i in (3, 14, 15, 92, 65, 35, 89, 79, 32, 38, 46, 26)]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("library") / "tracks.parquet"
    tables.write(random_catalogue(120, seed=6, artists=60), path)
    return str(path)


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("\n".join(IDS))
    return path


def run(*arguments, capsys=None):
    code = order.main([str(a) for a in arguments])
    return code, *capsys.readouterr()


def ordered(mine, library, *more, capsys=None):
    code, out, _ = run(mine, "--catalogue", library, "--json", "--iterations", 3, *more, capsys=capsys)
    assert code == 0
    result = json.loads(out)
    return [track["id"] for track in result["tracks"]], result


def test_all_are_played_once_and_it_says_what_is_better(mine, library, capsys):
    ids, result = ordered(mine, library, capsys=capsys)
    assert sorted(ids) == sorted(IDS)
    assert ids != IDS
    assert result["sequencer"] == "order"
    before, after = result["before"], result["after"]
    assert after["mean_cost"] < 0.9 * before["mean_cost"]
    joins = [track["join"]["cost"] for track in result["tracks"][1:]]
    assert np.mean(joins) == pytest.approx(after["mean_cost"], abs=1e-3)
    assert joins[after["worst"] - 1] == pytest.approx(after["worst_cost"], abs=1e-3)
    assert after["keys"] == before["keys"] == 11


def test_the_table_ends_with_before_and_after(mine, library, capsys):
    code, out, _ = run(mine, "--catalogue", library, capsys=capsys)
    assert code == 0
    assert "Key move" in out
    lines = out.strip().splitlines()
    assert lines[-6].split() == ["before", "after"]
    assert [line.split("  ")[0] for line in lines[-5:-1]] == [
        "mean cost",
        "keys that go together",
        "change of tempo",
        "worst transition",
    ]


def test_a_list_on_standard_input(library, capsys, monkeypatch):
    held = io.TextIOWrapper(io.BytesIO(b"title 5\r\ntitle 17\nt00003\n"))
    monkeypatch.setattr(sys, "stdin", held)
    ids, _ = ordered("-", library, capsys=capsys)
    assert sorted(ids) == ["t00003", "t00005", "t00017"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_was_written_is_read_again(suffix, mine, library, tmp_path, capsys):
    where = tmp_path / f"better{suffix}"
    ids, _ = ordered(mine, library, "--output", where, capsys=capsys)
    again = playlist_files.read(where).rows(tables.read(library))
    assert tables.read(library).ids(again) == ids
    code, _, err = run(mine, "--catalogue", library, "--output", where, capsys=capsys)
    assert code == 1
    assert "exists already" in err


@pytest.mark.slow
def test_a_page_with_the_arc_is_drawn_and_not_overwritten(mine, library, tmp_path, capsys):
    where = tmp_path / "flow.html"
    ordered(mine, library, "--plot", where, "--arc", "peak", capsys=capsys)
    assert "arc: dashed" in where.read_text(encoding="utf-8")
    code, _, err = run(mine, "--catalogue", library, "--plot", where, capsys=capsys)
    assert code == 1
    assert "exists already" in err


def test_the_arc_is_the_energy_of_the_track_whose_rank_it_asks_for(mine, library):
    had = match_tracklist(playlist_files.read(mine), tables.read(library))
    made = reorder(had, constraints=Constraints(arc=(0.0, 1.0)))
    # All are played, so a warm-up asks for the energies themselves, sorted.
    np.testing.assert_allclose(made.arc, np.sort(had.tracks.numbers("energy")), rtol=1e-5)
    assert reorder(had).arc is None


def test_ends_places_and_what_is_kept_stay(mine, library, capsys):
    ids, _ = ordered(
        mine, library, "--start-track", IDS[4], "--end-track", "t00003", "--pin", f"5={IDS[1]}", capsys=capsys
    )
    assert (ids[0], ids[-1], ids[4]) == (IDS[4], "t00003", IDS[1])
    kept, _ = ordered(mine, library, "--keep-positions", "1-4,12", capsys=capsys)
    assert kept[:4] == IDS[:4]
    assert kept[-1] == IDS[-1]


def test_an_arc_is_met_since_all_are_played(mine, library, capsys):
    ids, _ = ordered(mine, library, "--arc", "warm-up", "--arc-weight", 50, capsys=capsys)
    catalogue = tables.read(library)
    energy = dict(zip(catalogue.table["track_id"].to_pylist(), catalogue.numbers("energy").tolist(), strict=True))
    assert np.corrcoef([energy[i] for i in ids], range(12))[0, 1] > 0.9


@pytest.mark.slow
def test_alternatives_differ_and_are_written_beside_each_other(mine, library, tmp_path, capsys):
    where = tmp_path / "a.json"
    result = json.loads(
        run(mine, "--catalogue", library, "--json", "--alternatives", 3, "--output", where, capsys=capsys)[1]
    )
    orders = [[track["id"] for track in one["tracks"]] for one in result["alternatives"]]
    assert len(orders) == 3
    joins = [{frozenset(pair) for pair in pairwise(ids)} for ids in orders]
    assert all(len(a & b) <= 0.7 * 11 for i, a in enumerate(joins) for b in joins[:i])
    costs = [one["after"]["mean_cost"] for one in result["alternatives"]]
    assert costs[0] == min(costs)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a-2.json", "a-3.json", "a.json", "mine.txt"]


@pytest.mark.slow
def test_unmatched_tracks_keep_their_places_and_doubles_are_played_once_and_both_are_reported(
    library, tmp_path, capsys
):
    (tmp_path / "a.txt").write_text("\n".join([*IDS[:4], "xq zzyq wwv", IDS[0], "\x1b[31mqqz vvx jjk"]))
    code, out, err = run(tmp_path / "a.txt", "--catalogue", library, capsys=capsys)
    assert code == 0
    assert "2 of 7 tracks are not in" in err
    assert "only their names are known: 'xq zzyq wwv'" in err
    assert "2 unmatched tracks keep their positions" in err
    assert "1 tracks are in the playlist more than once; each is played once" in err
    assert "\x1b" not in out + err
    tracklist = playlist_files.read(tmp_path / "a.txt")
    had = match_tracklist(tracklist, tables.read(library))
    assert had.unmatched == (4, 6)
    assert distinct_tracks(had)[1].tolist() == [0, 1, 2, 3, 4, 0, 5]
    for suffix in FORMATS:
        better = tmp_path / f"b{suffix}"
        assert run(tmp_path / "a.txt", "--catalogue", library, "--output", better, capsys=capsys)[0] == 0
        assert playlist_files.read(better).ids[4] == "xq zzyq wwv", (
            "an unmatched track keeps its position in the file too"
        )
    ids = reorder(had).tracks.table["track_id"].to_pylist()
    assert ids[4] == "xq zzyq wwv"
    assert sorted(ids[:4]) == sorted(IDS[:4])


def test_a_table_with_features_needs_no_catalogue(tmp_path, capsys):
    catalogue = random_catalogue(10, seed=3)
    rows = [{**track, "artists": track["artists"][0], "genres": ""} for track in catalogue.table.to_pylist()]
    lines = [",".join(rows[0]), *(",".join("" if v is None else str(v) for v in row.values()) for row in rows)]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    code, out, err = run(tmp_path / "a.csv", "--json", capsys=capsys)
    assert code == 0
    assert "invented" not in err
    assert sorted(track["id"] for track in json.loads(out)["tracks"]) == catalogue.ids(np.arange(10))
    # What a catalogue does not know the list itself may.
    had = match_tracklist(playlist_files.read(tmp_path / "a.csv"), catalogue.take(np.arange(5)))
    assert had.unmatched == ()
    assert had.tracks.ids(np.arange(10)) == catalogue.ids(np.arange(10))


def test_what_a_table_says_of_its_unmatched_tracks_is_kept(library, tmp_path):
    (tmp_path / "a.csv").write_text("track_id,title,artist\nt00003,,\nnew,A Song,Somebody\nt00005,,\n")
    had = match_tracklist(playlist_files.read(tmp_path / "a.csv"), tables.read(library))
    assert had.unmatched == (1,)
    track = had.tracks.table.to_pylist()[1]
    assert (track["track_id"], track["title"], track["artists"]) == ("new", "A Song", ["Somebody"])


def test_tracks_of_which_hardly_anything_is_known_are_ordered_with_a_note(tmp_path, capsys):
    tracks = [{**t, "key": None, "tempo_bpm": None} for t in random_catalogue(8, seed=3).table.to_pylist()]
    tracks[0]["energy"] = None
    tables.write(catalogue_of(tracks), tmp_path / "t.parquet")
    (tmp_path / "a.txt").write_text("\n".join(t["track_id"] for t in tracks))
    code, out, err = run(tmp_path / "a.txt", "--catalogue", tmp_path / "t.parquet", "--arc", "peak", capsys=capsys)
    assert code == 0
    assert "no track's key or tempo is known" in err
    assert "1 of 8 tracks lack some of the eight features; their means are used instead" in err
    assert "?" in out


@pytest.mark.slow
def test_what_gave_way_is_reported(library, mine, capsys):
    there = {track["camelot"] for track in ordered(mine, library, capsys=capsys)[1]["tracks"]}
    key = next(f"{i}A" for i in range(1, 13) if f"{i}A" not in there)
    _, _, err = run(
        mine, "--catalogue", library, "--max-tempo-change", 0.1, "--end-key", key, "--artist-gap", 11, capsys=capsys
    )
    assert "change the tempo by more than 0.1 %" in err
    assert "the last track is in" in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere.m3u8"], "nowhere.m3u8: there is no such file"),
        (["MINE", "--start-track", IDS[0], "--end-track", IDS[0]], "one track is pinned to positions 1 and 12"),
        (["MINE", "--pin", "3=t00003", "--pin", f"3={IDS[1]}"], "two tracks are pinned to position 3"),
        (["MINE", "--pin", "3"], "'3' pins nothing; write a position and a track"),
        (["MINE", "--pin", "40=t00003"], "there is no position 40"),
        (["MINE", "--keep-positions", "2-1"], "'2-1' names no positions"),
        (["MINE", "--keep-positions", "13"], "there is no position 13 to keep"),
        (["MINE", "--keep-positions", "1", "--start-track", IDS[3]], "two tracks are pinned to position 1"),
        (["MINE", "--arc", "zigzag"], "'zigzag' is no arc; there are flat, warm-up"),
        (["MINE", "--arc", "0,2"], "an arc's points are numbers from 0 to 1"),
        (["MINE", "--key-rule", "x"], "there is no key rule 'x'"),
        (["MINE", "--end-key", "H9"], "'H9' is no key"),
        (["MINE", "--seconds", "0"], "must be above 0"),
        (["MINE", "--iterations", "-1"], "must be 0 or more"),
        (["MINE", "--random-seed", "-1"], "a random seed must be 0 or more"),
        (["MINE", "--alternatives", "0"], "1 to 100 alternatives"),
        (["MINE", "--randomness", "nan"], "randomness must be 0 or more"),
        (["MINE", "--end-track", "zzzyyyxxxwww qqqq"], "no track found for"),
        (["MINE", "--output", "a.docx"], "known are .json"),
        (["OTHER"], "none of the 2 tracks of the list is in"),
    ],
)
def test_bad_input_gets_a_sentence(arguments, sentence, library, mine, tmp_path, monkeypatch, capsys):
    (tmp_path / "other.txt").write_text("qqq zzz vvv\nxxx jjj www\n")
    files = {"MINE": str(mine), "OTHER": str(tmp_path / "other.txt")}
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*[files.get(a, a) for a in arguments], "--catalogue", library, capsys=capsys)
    assert code == 1
    assert sentence in err
    assert out == ""
    assert len(err.strip().splitlines()) <= 2  # a note on the catalogue, and the sentence
    assert len(list(tmp_path.iterdir())) == 2


def test_figures_are_those_of_the_joins():
    catalogue = catalogue_of(
        [
            {"track_id": "a", "key": 9, "mode": 0, "tempo_bpm": 120.0},
            {"track_id": "b", "key": 4, "mode": 0, "tempo_bpm": 60.0},
            {"track_id": "c", "key": 10, "mode": 1, "tempo_bpm": 66.0},
            {"track_id": "d", "tempo_bpm": None},
        ]
    )
    from disco.playlist.cost import Knobs

    cost = PairwiseCost(catalogue, Knobs(), np.full((4, 8), np.nan, dtype=np.float32))
    result = flow_metrics(catalogue, np.arange(4), cost)
    assert (result.compatible, result.keys) == (1, 2)
    assert result.tempo_change == pytest.approx(5, abs=1e-3)
    assert (result.worst, result.worst_cost) == (3, pytest.approx(2))  # of which nothing is known: the middle
    assert flow_metrics(catalogue, np.arange(1), cost).mean_cost == 0
