"""The command that explains an order: what it says, what it advises, and that the advice is true."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue

from disco.cli import lint, main
from disco.models.predictors import load_predictor
from disco.playlist.cost import PairwiseCost
from disco.playlist.matching import KNOBS, match_tracklist
from disco.playlist.mixing import FOR_ORDERING
from disco.playlist.sequence import Rules
from disco.playlist.suggestions import explain
from disco.playlist.transition_grades import GRADES
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


def run(*arguments, capsys):
    code = lint.main([str(a) for a in arguments])
    return code, *capsys.readouterr()


def linted(mine, library, *more, capsys):
    code, out, _ = run(mine, "--catalogue", library, "--json", "--iterations", 3, *more, capsys=capsys)
    assert code == 0
    return json.loads(out)


def test_order_is_unchanged_and_every_transition_is_graded(mine, library, capsys):
    result = linted(mine, library, capsys=capsys)
    assert [track["id"] for track in result["tracks"]] == IDS
    assert result["tracks"][0]["join"] is None
    wholes = [track["join"]["grades"]["whole"] for track in result["tracks"][1:]]
    assert {grade: wholes.count(grade) for grade in GRADES} == {g: result["as_it_is"][g] for g in GRADES}
    for track in result["tracks"][1:]:
        parts = [track["join"]["grades"][name] for name in ("key", "tempo", "sound")]
        assert track["join"]["grades"]["whole"] == max(filter(None, parts), key=GRADES.index)
    assert len(result["worst"]) == 3
    assert result["in_order"]["mean_cost"] < result["as_it_is"]["mean_cost"]
    assert sorted(result["in_order"]["ids"]) == sorted(IDS)


def changed(ids, better):
    """The list with an advice followed, written plainly."""
    path, new = list(ids), better["id"]
    if better["kind"] == "replace":
        path[better["place"] - 1] = new
        return path
    anchor = path[better["after"] - 1] if better["after"] else None
    if better["kind"] in ("bring", "move"):
        path.remove(new)
    path.insert(0 if anchor is None else path.index(anchor) + 1, new)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), ("--key-rule", "camelot", "--energy-boost"), ("--artist-gap", 3)])
def test_suggestions_save_exactly_what_they_claim(more, mine, library, capsys):
    result, catalogue = linted(mine, library, *more, capsys=capsys), tables.read(library)
    mixing = replace(FOR_ORDERING, energy_boost="camelot" in more)
    cost = PairwiseCost(catalogue, KNOBS, load_predictor("mean").embed(catalogue), mixing)
    rules = Rules(catalogue, 3 if 3 in more else 1)

    def costs(ids):
        return cost.terms(catalogue.rows(ids))["cost"]

    kinds = set()
    for fault in result["worst"]:
        for better in fault["better"]:
            kinds.add(better["kind"])
            after = changed(IDS, better)
            assert len(set(after)) == len(after) == len(IDS) + (better["kind"] == "bridge")
            assert (better["id"] in IDS) == (better["kind"] in ("bring", "move"))
            saves = costs(IDS).sum() - costs(after).sum()
            if better["kind"] == "bridge":
                at = after.index(better["id"])
                saves = costs(IDS)[fault["from"] - 1] - costs(after)[at - 1 : at + 1].max()
            assert better["saves"] == pytest.approx(saves, abs=1e-3)
            assert better["saves"] > 0
            at, rows = after.index(better["id"]), catalogue.rows(after)
            around = [*rows[max(at - rules.artist_gap, 0) : at], *rows[at + 1 : at + 1 + rules.artist_gap]]
            assert not any(rules.artists(int(rows[at])) & rules.artists(int(row)) for row in around)
    assert {"replace", "bridge"} <= kinds


def test_no_track_of_the_playlist_fits_better_than_the_suggested_one(mine, library):
    catalogue = tables.read(library)
    result = explain(match_tracklist(playlist_files.read(mine), catalogue), catalogue, artist_gap=0)
    cost = PairwiseCost(catalogue, KNOBS, load_predictor("mean").embed(catalogue), FOR_ORDERING)
    rows = catalogue.rows(IDS).tolist()
    now = cost.terms(np.array(rows))["cost"].sum()
    for fault in result.worst:
        i, best = fault.position, 0.0
        for k in range(len(rows)):  # brought between the two
            if k not in (i, i + 1):
                rest = [row for row in rows if row != rows[k]]
                rest.insert(rest.index(rows[i]) + 1, rows[k])
                best = max(best, now - cost.terms(np.array(rest))["cost"].sum())
        for place in (i, i + 1):  # one of the two moved anywhere
            rest = [row for row in rows if row != rows[place]]
            for at in range(len(rows)):
                best = max(best, now - cost.terms(np.array([*rest[:at], rows[place], *rest[at:]]))["cost"].sum())
        within = [advice.saves for advice in fault.suggestions if advice.kind in ("bring", "move")]
        assert max(within, default=0.0) == pytest.approx(best, abs=1e-3)


def test_table_and_suggestions_are_printed(mine, library, capsys):
    code, out, _ = run(mine, "--catalogue", library, capsys=capsys)
    assert code == 0
    for result in (
        "Grade",
        "transitions: clash",
        "disco order",
        "The worst transitions",
        "better: ",
        "instead of",
        "added between",
    ):
        assert result in out, result


def test_playlist_is_read_from_standard_input(library, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"t00005\r\nt00017\nt00003\n")))
    assert main.main(["lint", "-", "--catalogue", library, "--json"]) == 0
    assert [track["id"] for track in json.loads(capsys.readouterr().out)["tracks"]] == ["t00005", "t00017", "t00003"]


@pytest.mark.slow
def test_unmatched_and_repeated_tracks_stay_and_are_not_blamed(library, tmp_path, capsys):
    (tmp_path / "a.txt").write_text(
        "\n".join([IDS[0], "\x1b[31mxq zzyq [bold]wwv", IDS[1], IDS[0], IDS[0], *IDS[2:]])
    )
    code, out, err = run(tmp_path / "a.txt", "--catalogue", library, capsys=capsys)
    assert code == 0
    assert "1 of 15 tracks are not in" in err
    assert "2 tracks are in the playlist more than once" in err
    assert "\x1b" not in out + err
    assert "[bold]" in out
    result = linted(tmp_path / "a.txt", library, capsys=capsys)
    assert result["tracks"][1]["join"]["grades"] == dict.fromkeys(("key", "tempo", "sound", "whole"))
    assert not {1, 2} & {fault["from"] for fault in result["worst"]}
    assert result["tracks"][3]["id"] == result["tracks"][4]["id"] == IDS[0]


def test_tracks_without_keys_tempos_and_features(tmp_path, capsys):
    rows = random_catalogue(12, seed=2).table.to_pylist()
    bare = [{**dict.fromkeys(row), "track_id": row["track_id"], "title": row["title"]} for row in rows]
    tables.write(catalogue_of(bare), tmp_path / "t.parquet")
    (tmp_path / "a.txt").write_text("\n".join(row["track_id"] for row in rows))
    code, out, _ = run(tmp_path / "a.txt", "--catalogue", tmp_path / "t.parquet", capsys=capsys)
    assert code == 0
    assert "unknown" in out
    assert "Every known transition is good." in out


def test_one_track_and_a_table_with_its_own_features(tmp_path, library, capsys):
    (tmp_path / "one.txt").write_text(IDS[0])
    code, out, _ = run(tmp_path / "one.txt", "--catalogue", library, capsys=capsys)
    assert code == 0
    assert "A single track has no transitions." in out
    rows = [{k: row[k] for k in ("track_id", "title", "key", "mode", "tempo_bpm", "energy")} for row in
            random_catalogue(6, seed=8).table.to_pylist()]  # fmt: skip
    (tmp_path / "own.csv").write_text(
        "\n".join([",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)])
    )
    code, out, err = run(tmp_path / "own.csv", "--json", capsys=capsys)
    assert code == 0
    assert "invented" not in err
    assert len(json.loads(out)["tracks"]) == 6


@pytest.mark.slow
def test_a_page_is_drawn_and_not_overwritten(mine, library, tmp_path, capsys):
    where = tmp_path / "flow.html"
    assert run(mine, "--catalogue", library, "--plot", where, "--iterations", 1, capsys=capsys)[0] == 0
    assert "The Camelot wheel" in where.read_text(encoding="utf-8")
    code, _, err = run(mine, "--catalogue", library, "--plot", where, capsys=capsys)
    assert code == 1
    assert "exists already" in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere.m3u8"], "nowhere.m3u8: there is no such file"),
        (["MINE", "--key-rule", "x"], "there is no key rule 'x'"),
        (["MINE", "--seconds", "0"], "must be above 0"),
        (["MINE", "--plot", "a.docx"], ".html"),
    ],
)
def test_bad_input_gives_one_sentence(arguments, sentence, library, mine, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*[str(mine) if a == "MINE" else a for a in arguments], "--catalogue", library, capsys=capsys)
    assert code == 1
    assert sentence in err
    assert out == ""


@pytest.mark.process
def test_it_can_be_run_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "disco", "lint", "--help"], capture_output=True, text=True, check=True
    )
    assert "disco lint" in done.stdout
