"""Raw playlists to Parquet: joins, filters, splits, what is counted, and what a stopped run leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from helpers.catalogues import catalogue_of
from hypothesis import given
from hypothesis import strategies as st
from test_playlist_tables import slice_of, slice_playlist, slice_track, write_json

from disco.catalogue import FEATURES, SCHEMA
from disco.cli import prepare
from disco.evaluation import splitting
from disco.sources.files import mpd_slices, playlist_tables, tables

KNOWN = 40
COLUMNS = ["playlist_id", "title", "position", "track_id", "source", "split"]


@pytest.fixture(scope="module")
def tracks(tmp_path_factory):
    """A catalogue t00, t01 ... whose titles and artists are invented."""
    rows = [
        {"track_id": f"t{i:02}", "title": f"Title {i}", "artists": [f"Artist {i}"], **dict.fromkeys(FEATURES, 0.5)}
        for i in range(KNOWN)
    ]
    path = tmp_path_factory.mktemp("catalogue") / "tracks.parquet"
    tables.write(catalogue_of(rows), path)
    return path


def listed(pid: int, ids: list[str], name: str | None = "mine") -> dict[str, Any]:
    return slice_playlist(pid, [slice_track(i, track_id) for i, track_id in enumerate(ids)], name)


def random_lists(n: int, first: int = 0, seed: int = 0, tracks: int = 50) -> list[dict[str, Any]]:
    """n playlists of 2 to 14 tracks; some of the tracks are unknown to the catalogue, some come twice."""
    rng = np.random.default_rng(seed)
    drawn = [[f"t{i:02}" for i in rng.integers(tracks, size=rng.integers(2, 15))] for _ in range(n)]
    return [listed(first + i, ids, None if i % 7 == 0 else f"list {i}") for i, ids in enumerate(drawn)]


def run(*arguments: object, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = prepare.main([str(a) for a in arguments])
    return code, *capsys.readouterr()


def prepared(folder: Path) -> dict[str, tuple[str, list[str]]]:
    """Split and tracks of each playlist, checked to be in order and in one piece."""
    found: dict[str, tuple[str, list[str]]] = {}
    previous = None
    for row in pq.read_table(folder / "playlists.parquet").to_pylist():
        if row["playlist_id"] != previous:
            assert row["playlist_id"] not in found
            found[row["playlist_id"]] = (row["split"], [])
        previous = row["playlist_id"]
        assert row["position"] == len(found[previous][1])
        assert row["split"] == found[previous][0]
        found[previous][1].append(row["track_id"])
    return found


def report_of(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return report


def assert_adds_up(folder: Path) -> None:
    report = report_of(folder)
    lists, entries, splits = report["playlists"], report["entries"], report["splits"]
    assert lists["read"] == lists["empty"] + sum(lists["left_out"].values()) + lists["kept"]
    assert entries["read"] == entries["by_id"] + entries["by_name"] + entries["unknown"]
    assert entries["read"] == entries["kept"] + sum(n for name, n in entries.items() if name.startswith("left_out"))
    table = pq.read_table(folder / "playlists.parquet")
    assert len(table) == entries["kept"] == sum(part["entries"] for part in splits.values())
    assert Counter(table["split"].to_pylist()) == {n: p["entries"] for n, p in splits.items() if p["entries"]}
    kept = prepared(folder)
    assert len(kept) == lists["kept"]
    assert Counter(s for s, _ in kept.values()) == {n: p["playlists"] for n, p in splits.items() if p["playlists"]}


def test_slices_are_converted_to_tables_and_a_report(tracks, tmp_path, capsys):
    for k in range(3):
        lists = random_lists(40, first=k * 1000, seed=k)
        write_json(tmp_path / f"raw/mpd.slice.{k * 1000}-{k * 1000 + 999}.json", slice_of(*lists))
    output = tmp_path / "new/out"
    code, out, err = run(
        tmp_path / "raw", "--tracks", tracks, "--output", output, "--minimum-length", 4, capsys=capsys
    )
    assert code == 0
    assert "slices            read                                 3" in out
    assert "entries are of tracks that the catalogue does not have" in err
    assert sorted(path.name for path in output.iterdir()) == sorted(
        ["playlists.parquet", "report.json", "tracks.parquet"]
    )
    schema = pq.read_schema(output / "playlists.parquet")
    assert schema.names == COLUMNS
    assert {str(field.type) for field in schema} == {"string", "int32"}
    assert pq.read_schema(output / "tracks.parquet").equals(SCHEMA)
    assert_adds_up(output)
    assert set(prepared(output)) >= {"mpd:1001"}
    assert tables.read(output / "tracks.parquet").table.num_rows == KNOWN


def test_json_prints_only_the_report(tracks, tmp_path, capsys):
    path = write_json(tmp_path / "s.json", slice_of(*random_lists(60)))
    code, out, err = run(
        path, "--tracks", tracks, "--output", tmp_path / "o", "--json", "--quiet", "--used-tracks-only", capsys=capsys
    )
    assert (code, err) == (0, "")
    assert json.loads(out) == report_of(tmp_path / "o")
    used = {i for _, ids in prepared(tmp_path / "o").values() for i in ids} & {f"t{i:02}" for i in range(KNOWN)}
    assert set(pq.read_table(tmp_path / "o/tracks.parquet")["track_id"].to_pylist()) == used


@pytest.mark.slow
def test_entries_are_matched_by_id_then_by_name(tracks, tmp_path, capsys):
    by_name = [
        slice_track(0, "t01"),
        slice_track(1, "zz", "TITLE 2 (feat. X)", "artist 2"),
        slice_track(2, "yy", "?", "!"),
    ]
    lists = [slice_playlist(0, by_name), *random_lists(30, first=1)]
    names = tmp_path / "names.csv"
    names.write_text("track_id,title,artist\nyy,Title 3,Artist 3\n")
    path = write_json(tmp_path / "s.json", slice_of(*lists))
    common = (path, "--tracks", tracks, "--minimum-length", 2)
    assert run(*common, "--output", tmp_path / "a", capsys=capsys)[0] == 0
    assert prepared(tmp_path / "a")["mpd:0"][1] == ["t01", "t02", "yy"]
    assert report_of(tmp_path / "a")["entries"]["by_name"] == 1
    # A name in the slice goes before one in the table of names; here the slice's folds to nothing.
    lists[0]["tracks"][2].update(track_name=None, artist_name=None)
    write_json(path, slice_of(*lists))
    assert run(*common, "--names", names, "--output", tmp_path / "b", capsys=capsys)[0] == 0
    assert prepared(tmp_path / "b")["mpd:0"][1] == ["t01", "t02", "t03"]
    assert report_of(tmp_path / "b")["entries"]["by_name"] == 2
    assert run(*common, "--known-tracks-only", "--output", tmp_path / "c", capsys=capsys)[0] == 0
    assert prepared(tmp_path / "c")["mpd:0"][1] == ["t01", "t02"]
    for name in "abc":
        assert_adds_up(tmp_path / name)


FILTERED = [
    listed(0, ["t00", "t01", "t00", "t02"]),
    listed(1, ["t00", "t01", "t02"]),  # the same once repeats are left out
    listed(2, ["t02", "t01", "t00"]),
    listed(3, ["u0", "u1", "u2"]),
    listed(4, ["t05"]),
    listed(5, ["t06", "u1", "u2", "u3"]),
    listed(6, [f"t{i}" for i in range(10, 30)]),
    listed(7, []),
    listed(8, ["t07", "t08", "t09"]),
]


@pytest.mark.parametrize(
    ("options", "kept", "left_out"),
    [
        ([], [0, 2, 5, 6, 8], {"no_track_known": 1, "too_short": 1, "duplicate": 1}),
        (["--keep-repeats"], [0, 1, 2, 5, 6, 8], {"no_track_known": 1, "too_short": 1}),
        (["--keep-duplicates"], [0, 1, 2, 5, 6, 8], {"no_track_known": 1, "too_short": 1}),
        (["--maximum-length", 3], [0, 2, 8], {"no_track_known": 1, "too_short": 1, "too_long": 2, "duplicate": 1}),
        (
            ["--minimum-coverage", 0.5, "--minimum-length", 1],
            [0, 2, 4, 6, 8],
            {"no_track_known": 1, "coverage_too_low": 1, "duplicate": 1},
        ),
        (["--known-tracks-only"], [0, 2, 6, 8], {"no_track_known": 1, "too_short": 2, "duplicate": 1}),
    ],
)
def test_filters_report_what_they_left_out(tracks, tmp_path, capsys, options, kept, left_out):
    path = write_json(tmp_path / "s.json", slice_of(*FILTERED))
    given_options = ["--minimum-length", 2, "--validation", 0, "--test", 0.2, *options]
    assert run(path, "--tracks", tracks, "--output", tmp_path / "o", *given_options, capsys=capsys)[0] == 0
    assert sorted(prepared(tmp_path / "o")) == [f"mpd:{pid}" for pid in kept]
    report = report_of(tmp_path / "o")
    assert {reason: n for reason, n in report["playlists"]["left_out"].items() if n} == left_out
    assert report["playlists"]["empty"] == 1
    assert_adds_up(tmp_path / "o")


def test_an_invalid_slice_is_reported_and_skipped(tracks, tmp_path, capsys):
    raw = tmp_path / "raw"
    for k in range(2):
        write_json(raw / f"mpd.slice.{k}.json", slice_of(*random_lists(30, first=k * 100, seed=k)))
    (raw / "mpd.slice.2.json").write_text('{"info": {}, "playlists": [{"name"')
    write_json(raw / "mpd.slice.3.json", {"info": {}})
    (raw / "mpd.slice.4.json").write_bytes(b"")
    write_json(raw / "mpd.slice.5.json", {"playlists": [{"tracks": [{}]}, {}, None, 7]})
    code, _, err = run(raw, "--tracks", tracks, "--output", tmp_path / "o", "--quiet", capsys=capsys)
    assert code == 0
    assert [f"mpd.slice.{k}.json" in err for k in range(6)] == [False, False, True, True, True, False]
    assert "Traceback" not in err
    report = report_of(tmp_path / "o")
    assert (report["slices"]["read"], len(report["slices"]["broken"])) == (3, 3)
    assert (report["playlists"]["empty"], report["entries"]["without_id"]) == (4, 1)
    assert_adds_up(tmp_path / "o")


def test_equal_ids_of_two_sources_are_made_distinct(tracks, tmp_path, capsys):
    paths = [write_json(tmp_path / f"{k}.json", slice_of(*random_lists(30, seed=k))) for k in range(3)]
    options = ["--minimum-length", 2, "--output", tmp_path / "o"]
    assert run(*paths, "--tracks", tracks, *options, capsys=capsys)[0] == 0
    assert {"mpd:5", "mpd:5 (2)", "mpd:5 (3)"} <= set(prepared(tmp_path / "o"))
    assert report_of(tmp_path / "o")["playlists"]["renamed"] == 60
    assert_adds_up(tmp_path / "o")


@given(st.lists(st.sampled_from(["a", "b", "a (2)", "a (3)"]), max_size=12))
def test_distinct_renames_only_repeated_ids(ids):
    made = splitting.unique_ids(ids)
    assert len(set(made)) == len(ids)
    assert all(new == old for i, (old, new) in enumerate(zip(ids, made, strict=True)) if old not in ids[:i])


def test_prepared_playlists_can_be_prepared_again(tracks, tmp_path, capsys):
    path = write_json(tmp_path / "s.json", slice_of(*random_lists(60)))
    first, second = tmp_path / "a", tmp_path / "b"
    assert run(path, "--tracks", tracks, "--output", first, capsys=capsys)[0] == 0
    assert run(first, "--tracks", first / "tracks.parquet", "--output", second, capsys=capsys)[0] == 0
    assert pq.read_table(first / "playlists.parquet").equals(pq.read_table(second / "playlists.parquet"))


# --- Splits


lists_of_tracks = st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=4), min_size=1, max_size=40)


def digests_of(lists: list[list[int]], seed: int) -> np.ndarray:
    lengths = np.array([len(tracks) for tracks in lists])
    code = np.array([track for tracks in lists for track in tracks])
    return splitting.digests(pa.array([f"t{i}" for i in range(7)]), code, np.cumsum(lengths) - lengths, seed)


@given(lists_of_tracks, st.integers(0, 3), st.sampled_from([0.0, 0.1, 0.3]), st.sampled_from([0.0, 0.2]), st.data())
def test_splits_are_disjoint_by_content_and_independent_of_order(lists, seed, validation, test, data):
    rules = splitting.SplitRules(validation=validation, test=test, seed=seed)
    aside = np.array(data.draw(st.lists(st.booleans(), min_size=len(lists), max_size=len(lists))))
    digest = digests_of(lists, seed)
    drawn = splitting.assign_splits(digest, aside, rules)
    of: dict[tuple[int, ...], set[int]] = {}
    for tracks, number in zip(lists, drawn.tolist(), strict=True):
        of.setdefault(tuple(tracks), set()).add(number)
    assert all(len(numbers) == 1 for numbers in of.values())
    assert (drawn[aside] == 2).all()
    free = [
        numbers.copy().pop()
        for content, numbers in of.items()
        if content not in {tuple(lists[i]) for i in np.flatnonzero(aside)}
    ]
    assert free.count(2) == round(test * len(free))
    assert free.count(1) == round(validation * len(free))
    order = np.random.default_rng(seed).permutation(len(lists))
    assert (
        splitting.assign_splits(digests_of([lists[i] for i in order], seed), aside[order], rules).tolist()
        == drawn[order].tolist()
    )


@given(lists_of_tracks, st.booleans())
def test_of_equal_playlists_one_is_kept_preferably_a_held_out_one(lists, held):
    n = len(lists)
    aside = np.arange(n) >= (n // 2 if held else n)
    lengths = np.array([len(tracks) for tracks in lists])
    facts = {"length": lengths, "covered": lengths, "digest": digests_of(lists, 1)}
    why = splitting.exclusion_reasons(facts, aside, splitting.SplitRules(minimum_length=0))
    kept = [i for i in range(n) if why[i] < 0]
    assert sorted({tuple(tracks) for tracks in lists}) == sorted(tuple(lists[i]) for i in kept)
    wanted = {tuple(tracks) for tracks, a in zip(lists, aside, strict=True) if a}
    assert all(aside[i] for i in kept if tuple(lists[i]) in wanted)


def test_digests_are_equal_exactly_for_equal_lists():
    rng = np.random.default_rng(3)
    lists = [rng.integers(7, size=rng.integers(1, 6)).tolist() for _ in range(3000)]
    digest = digests_of(lists, 1)
    assert len(np.unique(digest)) == len({tuple(tracks) for tracks in lists})
    assert not np.isin(digests_of(lists, 2), digest).any()


@pytest.mark.slow
def test_the_split_depends_on_the_random_seed(tracks, tmp_path, capsys):
    path = write_json(tmp_path / "s.json", slice_of(*random_lists(200)))
    found = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert (
            run(path, "--tracks", tracks, "--output", tmp_path / name, "--random-seed", seed, capsys=capsys)[0] == 0
        )
        found.append(prepared(tmp_path / name))
    assert found[0] == found[1]
    assert found[0] != found[2]
    assert {name: ids for name, (_, ids) in found[0].items()} == {name: ids for name, (_, ids) in found[2].items()}


def test_a_held_out_source_is_entirely_in_the_test_split(tracks, tmp_path, capsys):
    rows = [
        {"playlist_id": f"{source}{i}", "position": j, "track_id": f"t{(i * step + j) % KNOWN:02}", "source": source}
        for source, step in (("radio", 1), ("club", 3))
        for i in range(20)
        for j in range(10 + (source == "club"))
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "lists.parquet")
    options = ["--tracks", tracks, "--output", tmp_path / "o", "--hold-out", "club"]
    assert run(tmp_path / "lists.parquet", *options, capsys=capsys)[0] == 0
    kept = prepared(tmp_path / "o")
    assert all((name.startswith("club")) == (part == "test") for name, (part, _) in kept.items())
    assert report_of(tmp_path / "o")["splits"]["test"]["playlists"] == 20


# --- Stopped and started again


@pytest.mark.slow
def test_an_interrupted_run_resumes_with_the_same_result(tracks, tmp_path, capsys, monkeypatch):
    for k in range(6):
        write_json(tmp_path / f"raw/{k}.json", slice_of(*random_lists(30, first=k * 100, seed=k)))
    common = [tmp_path / "raw", "--tracks", tracks, "--processes", 1]
    assert run(*common, "--output", tmp_path / "whole", capsys=capsys)[0] == 0

    read, done = playlist_tables.read_source, list[mpd_slices.PlaylistSource]()

    def stopped(place: mpd_slices.PlaylistSource) -> pa.Table:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(place)
        return read(place)

    output = tmp_path / "parted"
    monkeypatch.setattr(playlist_tables, "read_source", stopped)
    assert run(*common, "--output", output, capsys=capsys)[0] == 130
    assert [path.name for path in output.iterdir()] == [".parts"]
    assert len(list((output / ".parts").iterdir())) == 3

    def counted(place: mpd_slices.PlaylistSource) -> pa.Table:
        done.append(place)
        return read(place)

    monkeypatch.setattr(playlist_tables, "read_source", counted)
    # Stopped once more, after reading: nothing half written is there, and nothing is read again.
    monkeypatch.setattr(tables, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert run(*common, "--output", output, capsys=capsys)[0] == 130
    assert [path.name for path in output.iterdir()] == [".parts"]
    monkeypatch.undo()
    code, _, _ = run(*common, "--output", output, capsys=capsys)
    assert code == 0
    assert len(done) == len(set(done)) == 6
    for name in ("playlists.parquet", "tracks.parquet"):
        assert pq.read_table(output / name).equals(pq.read_table(tmp_path / "whole" / name))
    assert report_of(output) == report_of(tmp_path / "whole")
    assert sorted(path.name for path in output.iterdir()) == ["playlists.parquet", "report.json", "tracks.parquet"]


def test_a_changed_slice_is_read_again(tracks, tmp_path, capsys):
    path = write_json(tmp_path / "s.json", slice_of(*random_lists(40)))
    common = [path, "--tracks", tracks, "--output", tmp_path / "o", "--keep-parts", "--force"]
    assert run(*common, capsys=capsys)[0] == 0
    before = prepared(tmp_path / "o")
    write_json(path, slice_of(*random_lists(41)))
    assert run(*common, capsys=capsys)[0] == 0
    assert len(prepared(tmp_path / "o")) >= len(before)
    assert report_of(tmp_path / "o")["playlists"]["read"] == 41


@pytest.mark.process
@pytest.mark.slow
def test_a_killed_run_leaves_no_process_and_resumes(tracks, tmp_path):
    for k in range(12):
        write_json(tmp_path / f"raw/{k}.json", slice_of(*random_lists(1500, first=k * 2000, seed=k)))
    output = tmp_path / "o"
    command = [sys.executable, "-m", "disco", "prepare", str(tmp_path / "raw"), "--tracks", str(tracks), "--quiet"]
    command += ["--output", str(output), "--processes", "2"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE)
    limit = time.monotonic() + 60
    while not list(output.glob(".parts/*.parquet")) and time.monotonic() < limit:
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.communicate()  # returns once no process holds its stderr any more
    assert not (output / "playlists.parquet").exists()
    assert 0 < len(list(output.glob(".parts/*.parquet"))) <= 12
    subprocess.run(command, check=True, timeout=120)
    assert report_of(output)["playlists"]["read"] == 18_000
    assert_adds_up(output)
    assert not (output / ".parts").exists()


@pytest.mark.slow
def test_several_processes_give_the_same_result_as_one(tracks, tmp_path, capsys):
    for k in range(5):
        write_json(tmp_path / f"raw/{k}.json", slice_of(*random_lists(30, first=k * 100, seed=k)))
    (tmp_path / "raw/5.json").write_text("broken")
    for n in (1, 2):
        options = ["--output", tmp_path / str(n), "--processes", n, "--json"]
        assert run(tmp_path / "raw", "--tracks", tracks, *options, capsys=capsys)[0] == 0
    assert report_of(tmp_path / "1") == report_of(tmp_path / "2")
    assert pq.read_table(tmp_path / "1/playlists.parquet").equals(pq.read_table(tmp_path / "2/playlists.parquet"))


@pytest.mark.slow
def test_the_batch_size_does_not_matter(tracks, tmp_path, capsys, monkeypatch):
    paths = [write_json(tmp_path / f"{k}.json", slice_of(*random_lists(30, first=k * 100, seed=k))) for k in range(3)]
    assert run(*paths, "--tracks", tracks, "--output", tmp_path / "large", capsys=capsys)[0] == 0
    monkeypatch.setattr("disco.training.prepare._BATCH", 7)
    assert run(*paths, "--tracks", tracks, "--output", tmp_path / "small", capsys=capsys)[0] == 0
    assert report_of(tmp_path / "large") == report_of(tmp_path / "small")
    assert prepared(tmp_path / "large") == prepared(tmp_path / "small")


# --- What cannot be done


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["nowhere"], 1, "nowhere: there is no such file"),
        (["lists.csv"], 1, "lists.csv: has no column position"),
        (["broken.json"], 1, "no slice could be read; the first of 1: broken.json: is not JSON"),
        (["folder"], 1, "holds no Million Playlist slices"),
        (["none.json"], 1, "there is no playlist with a track in it"),
        (["foreign.json"], 1, "the catalogue knows no track of these 3 playlists (36 entries)"),
        (["few.json"], 1, "the validation split is empty: 5 playlists are too few"),
        (["few.json", "--validation", "0", "--test", "0.01"], 1, "the test split is empty"),
        (["few.json", "--minimum-length", "30"], 1, "none of 5 playlists is left (5 too short); ask for less"),
        (["few.json", "--hold-out", "radio"], 1, "no playlist comes from 'radio'; they come from mpd"),
        (["few.json", "--tracks", "nowhere.csv"], 1, "nowhere.csv: there is no such file"),
        (["few.json", "--names", "nowhere.csv"], 1, "nowhere.csv: there is no such file"),
        (["few.json", "--output", "few.json"], 1, "few.json: is a file; give a folder"),
        (["few.json", "--validation", "0.5", "--test", "0.5"], 2, "together less than 1"),
        (["few.json", "--minimum-coverage", "50"], 2, "--minimum-coverage is a share"),
        (["few.json", "--random-seed", "one"], 2, "invalid int value"),
        ([], 2, "the following arguments are required"),
    ],
)
def test_bad_input_gets_one_sentence_and_an_exit_code(
    tracks, tmp_path, capsys, monkeypatch, arguments, code, sentence
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "lists.csv").write_text("playlist_id,track_id\n1,x\n")
    (tmp_path / "broken.json").write_text("{")
    write_json(tmp_path / "none.json", slice_of(listed(1, [])))
    write_json(tmp_path / "few.json", slice_of(*(listed(i, [f"t{i + j:02}" for j in range(12)]) for i in range(5))))
    foreign = [listed(i, [f"u{i + j:02}" for j in range(12)]) for i in range(3)]
    write_json(tmp_path / "foreign.json", slice_of(*foreign))
    before = set(tmp_path.iterdir())
    where = [] if "--output" in arguments else ["--output", "out"]
    library = [] if arguments[-2:-1] == ["--tracks"] else ["--tracks", str(tracks)]
    got, out, err = run(*arguments, *where, *library, "--quiet", capsys=capsys)
    assert (got, out) == (code, "")
    assert sentence in err
    assert "Traceback" not in err
    left = set(tmp_path.iterdir()) - before
    assert all([path.name for path in folder.iterdir()] == [".parts"] for folder in left)


def test_existing_files_are_replaced_only_with_force(tracks, tmp_path, capsys):
    path = write_json(tmp_path / "s.json", slice_of(*random_lists(40)))
    (tmp_path / "o").mkdir()
    (tmp_path / "o/report.json").write_text("mine")
    (tmp_path / "o/diary.txt").write_text("mine")
    common = [path, "--tracks", tracks, "--output", tmp_path / "o"]
    code, out, err = run(*common, capsys=capsys)
    assert (code, out) == (1, "")
    assert "report.json: exists already; --force replaces it" in err
    assert {p.name for p in (tmp_path / "o").iterdir()} == {"report.json", "diary.txt"}
    assert run(*common, "--force", capsys=capsys)[0] == 0
    assert (tmp_path / "o/diary.txt").read_text() == "mine"
    assert_adds_up(tmp_path / "o")


def test_control_characters_in_file_names_do_not_reach_the_terminal(tracks, tmp_path, capsys):
    write_json(tmp_path / "raw/good.json", slice_of(*random_lists(40)))
    (tmp_path / "raw/\x1b[2Jbad.json").write_text("no")
    code, out, err = run(tmp_path / "raw", "--tracks", tracks, "--output", tmp_path / "o", capsys=capsys)
    assert code == 0
    assert "\x1b" not in out + err
    assert "bad.json: is not JSON" in err


# --- Real playlists


def test_a_real_slice_is_matched_by_id_and_by_name(shared, tmp_path, capsys):
    path = shared / "samples/mpd.slice.sample.json"
    common = [path, "--tracks", shared / "tracks.parquet", "--minimum-length", 1]
    assert run(*common, "--output", tmp_path / "o", capsys=capsys)[0] == 0
    report = report_of(tmp_path / "o")
    assert report["playlists"]["read"] == 100
    assert report["entries"]["by_id"] / report["entries"]["read"] > 0.99
    assert_adds_up(tmp_path / "o")
    kept, raw = prepared(tmp_path / "o"), json.loads(path.read_text(encoding="utf-8"))
    own = {f"mpd:{p['pid']}": [t["track_uri"][14:] for t in p["tracks"]] for p in raw["playlists"]}
    changed = 0
    for name, (_, ids) in kept.items():
        once = list(dict.fromkeys(own[name]))
        changed += len(ids) != len(once) or sum(a != b for a, b in zip(ids, once, strict=True))
    assert changed <= 5  # tracks found by name carry another id


@pytest.mark.slow
def test_all_real_playlists_can_be_prepared(shared, tmp_path, capsys):
    names = ["--names", shared / "playlist_track_names.parquet", "--hold-out", "mpd_slice0"]
    arguments = [
        shared / "playlists.parquet",
        "--tracks",
        shared / "tracks.parquet",
        "--output",
        tmp_path / "o",
        *names,
    ]
    started = time.process_time()
    assert run(*arguments, capsys=capsys)[0] == 0
    assert time.process_time() - started < 20
    report = report_of(tmp_path / "o")
    assert report["playlists"]["read"] == 12_545
    assert report["entries"]["read"] == 968_482
    assert report["entries"]["by_name"] > 1000
    table = pq.read_table(tmp_path / "o/playlists.parquet")
    assert pc.all(pc.equal(pc.equal(table["source"], "mpd_slice0"), pc.equal(table["split"], "test"))).as_py()


def test_every_option_has_help():
    parser = prepare.parser()
    assert all(action.help or action.metavar for action in parser._actions)
    assert os.linesep in parser.format_help()


_ANYTHING = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=3) | st.just("spotify:track:a")
)
_TRACKS = st.dictionaries(st.sampled_from(["track_uri", "track_name", "artist_name", "pos"]), _ANYTHING)
_PLAYLISTS = st.dictionaries(st.sampled_from(["pid", "name", "x"]), _ANYTHING) | st.none()


@pytest.mark.slow
@given(
    st.lists(st.tuples(_PLAYLISTS, st.lists(_TRACKS | st.none(), max_size=3), st.booleans()), max_size=4), st.data()
)
def test_a_regular_slice_is_read_as_any_other(tmp_path_factory, lists, data):
    def regular_track(_: object) -> dict[str, str]:
        return data.draw(st.fixed_dictionaries({"track_uri": st.text(max_size=3), "track_name": st.text(max_size=3)}))

    made = [
        None if about is None else {**about, "tracks": [*map(regular_track, tracks)] if regular else tracks}
        for about, tracks, regular in lists
    ]
    path = tmp_path_factory.getbasetemp() / "mpd.slice.7-9.json"
    path.write_text(json.dumps({"playlists": made}), encoding="utf-8")
    source = mpd_slices.PlaylistSource(path)
    once = playlist_tables.read_source(source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(playlist_tables, "regular", lambda content: None)
        again = playlist_tables.read_source(source)
    assert once.equals(again, check_metadata=True)
