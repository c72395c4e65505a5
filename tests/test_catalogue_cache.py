"""What was computed of a catalogue is read again from the cache folder, and never instead of what a file says now."""

from __future__ import annotations

import contextlib
import copy
import errno
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import disco
from disco import sources
from disco.catalogue import SCHEMA, Catalogue
from disco.cli.main import main
from disco.models.recommenders import Query, default_recommender
from disco.models.recommenders.music import _each_once
from disco.sources import corrections
from disco.sources.cache import CatalogueCache, user_cache
from disco.sources.files import tables

TRACKS = "track_id,title,artists,tempo_bpm\na,Night Bus,Mira Vale,120\nb,Tide,Corro,128\nc,,,\n"


@pytest.fixture
def tracks(tmp_path: Path) -> Path:
    path = tmp_path / "tracks.csv"
    path.write_text(TRACKS)
    return path


def never() -> np.ndarray:
    raise AssertionError("computed again")


def stored() -> list[Path]:
    """All files in the cache folder of catalogues."""
    return sorted(path for path in user_cache().rglob("*") if path.is_file())


def test_an_array_is_computed_once_for_each_catalogue_object() -> None:
    catalogue, times = Catalogue.from_tracks([{"track_id": "a"}]), []
    for _ in range(2):
        array = catalogue.cached("times-1", lambda: np.array([times.append(1) or len(times)]))
    assert array.tolist() == [1]
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 2
    assert catalogue.take(np.array([0])).cached("times-1", lambda: np.array([7])).tolist() == [7]


@pytest.mark.parametrize("shape", [(3, 2), (0,), ()])
def test_an_array_of_a_file_is_computed_once_for_all_processes(tracks: Path, shape: tuple[int, ...]) -> None:
    made = np.arange(np.prod(shape), dtype=np.int8).reshape(shape)
    first = disco.open(tracks).cached("numbers-1", lambda: made)
    again = disco.open(tracks).cached("numbers-1", never)
    assert again.dtype == first.dtype
    np.testing.assert_array_equal(again, first)
    assert not again.flags.writeable


def test_a_changed_file_of_the_same_size_and_time_is_another_catalogue(tracks: Path) -> None:
    before = tracks.stat()
    assert disco.open(tracks).cached("tempos-1", lambda: np.array([120])).tolist() == [120]
    tracks.write_text(TRACKS.replace("128", "129"))
    os.utime(tracks, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert tracks.stat().st_size == before.st_size
    assert disco.open(tracks).cached("tempos-1", lambda: np.array([129])).tolist() == [129]
    assert len({path.parent for path in stored()}) == 1, "what belongs to the old content is still there"


@pytest.mark.parametrize("damage", ["cut", "empty", "bit", "other", "long"])
def test_a_damaged_file_is_reported_and_replaced(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    made, path = np.arange(100), tmp_path / "one" / "numbers-1.npy"
    CatalogueCache(path.parent, 10_000).array("numbers-1", lambda: made)
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(
        {
            "cut": whole[:middle],
            "empty": b"",
            "bit": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
            "other": b"\0" * len(whole),
            "long": whole + b"\0",
        }[damage]
    )
    with caplog.at_level(logging.INFO):
        assert CatalogueCache(path.parent, 10_000).array("numbers-1", lambda: made).tolist() == made.tolist()
    assert [record.getMessage() for record in caplog.records] == [f"{path}: is damaged; it is computed again"]
    assert path.read_bytes() == whole


def as_read(path: Path, *, cache: bool) -> Catalogue:
    """The catalogue of a file, twice opened where it is cached."""
    if cache:
        disco.open(path).search("night")
        assert stored()
    return disco.open(path, cache=cache)


texts = st.text("abC ;,'é\u4e00-(live)", max_size=12)
tables_of_tracks = st.lists(
    st.fixed_dictionaries(
        {
            "track_id": st.sampled_from([f"t{i}" for i in range(9)]),
            "title": st.none() | texts,
            "artists": st.none() | texts,
            "genres": st.none() | st.sampled_from(["rock", "rock;pop", " House", "['a', 'b']"]),
            "popularity": st.none() | st.integers(0, 100),
            "tempo": st.none() | st.sampled_from([0.0, 90.5, 128.0, 5000.0]),
            "key": st.none() | st.integers(-1, 11),
            "mode": st.none() | st.integers(0, 1),
            "energy": st.none() | st.floats(-0.5, 1.5, width=32),
        }
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.slow
@given(tracks=tables_of_tracks, texts=st.lists(texts, max_size=3), of=st.sampled_from(["csv", "parquet"]))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_catalogue_from_the_cache_is_the_same_in_every_bit(
    tracks: list[dict[str, Any]], texts: list[str], of: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("tracks") / f"tracks.{of}"
    table = pa.Table.from_pylist(tracks, schema=TYPES)
    pq.write_table(table, path) if of == "parquet" else pacsv.write_csv(table, path)
    fresh, cached = as_read(path, cache=False), as_read(path, cache=True)
    again = disco.open(path)
    assert cached.notes == fresh.notes
    assert cached.where == fresh.where
    assert [bits(again.column(name)) for name in SCHEMA.names] == [bits(fresh.table[name]) for name in SCHEMA.names]
    assert cached.table.schema == fresh.table.schema
    assert [bits(column) for column in cached.table.columns] == [bits(column) for column in fresh.table.columns]
    rows = np.arange(len(fresh))[::-1]
    assert disco.open(path).take(rows).tracks() == fresh.take(rows).tracks()
    for text in [*texts, *(track["title"] or "" for track in tracks[:3])]:
        assert cached.search(text) == fresh.search(text)
    for name in ("has_title_and_artist", "has_any_feature", "has_all_features", "has_comparable_features"):
        np.testing.assert_array_equal(getattr(again, name), getattr(fresh, name))


TYPES = pa.schema(
    {
        **dict.fromkeys(("track_id", "title", "artists", "genres"), pa.string()),
        "popularity": pa.int16(),
        "tempo": pa.float32(),
        "key": pa.int8(),
        "mode": pa.int8(),
        "energy": pa.float32(),
    }.items()
)


def bits(column: pa.ChunkedArray) -> list[Any]:
    """Values of a column; of numbers their bytes, so that -0.0 and 0.0 are not the same."""
    values = column.to_pylist()
    return [v.hex() if isinstance(v, float) else v for v in values]


def test_the_notes_name_the_file_as_it_is_called_this_time(tracks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = disco.open(tracks).notes
    monkeypatch.chdir(tracks.parent)
    assert disco.open("tracks.csv").notes == tuple(note.replace(str(tracks), "tracks.csv") for note in whole)
    assert disco.open("tracks.csv").where == "tracks.csv"
    assert len({path.parent for path in stored()}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("changed", ["second", "enrich", "corrections", "user"])
def test_a_catalogue_of_several_files_changes_with_each_of_them(
    tmp_path: Path, tracks: Path, changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCO_DATA", str(tmp_path / "data"))
    paths = {"second": tmp_path / "second.csv", "enrich": tmp_path / "enrich.csv"}
    paths |= {"corrections": tmp_path / "mine.csv", "user": corrections.user_file()}
    paths["user"].parent.mkdir(parents=True, exist_ok=True)
    for name, path in paths.items():
        path.write_text("track,bpm\na,99\n" if name in ("corrections", "user") else TRACKS.replace("128", ""))

    def opened(cache: bool) -> Catalogue:
        return disco.open([tracks, paths["second"]], paths["enrich"], paths["corrections"], cache=cache)

    before = opened(cache=True)
    assert opened(cache=True).cached("x-1", lambda: np.array([1])).tolist() == [1]
    paths[changed].write_text(paths[changed].read_text().replace("99", "98").replace("Corro", "Carro") + "\n")
    after = opened(cache=True)
    assert after.cached("x-1", lambda: np.array([2])).tolist() == [2]
    assert after.table.equals(opened(cache=False).table)
    assert after.notes == opened(cache=False).notes
    assert before.where == after.where


def test_without_the_cache_nothing_is_read_from_it_or_written_to_it(tracks: Path) -> None:
    catalogue = disco.open(tracks, cache=False)
    catalogue.search("tide")
    assert catalogue.cached("x-1", lambda: np.array([1])).tolist() == [1]
    assert disco.open(tracks, cache=False).cached("x-1", lambda: np.array([2])).tolist() == [2]
    assert stored() == []


def test_other_tracks_than_those_of_the_files_share_no_array_with_them(tracks: Path) -> None:
    catalogue = disco.open(tracks)
    assert catalogue.cached("x-1", lambda: np.array([1])).tolist() == [1]
    changed = replace(catalogue, table=catalogue.table.slice(1))
    assert changed.cached("x-1", lambda: np.array([2])).tolist() == [2]
    assert catalogue.fill(catalogue).cached("x-1", lambda: np.array([3])).tolist() == [3]


def test_a_file_that_changes_while_it_is_read_is_not_stored(tracks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = tables.read

    def read_and_change(path: Path) -> Catalogue:
        catalogue = read(path)
        tracks.write_text(TRACKS.replace("128", "129"))
        return catalogue

    monkeypatch.setattr(tables, "read", read_and_change)
    assert disco.open(tracks).tempos.tolist()[:2] == [120, 128]
    assert stored() == []
    monkeypatch.undo()
    assert disco.open(tracks).tempos.tolist()[:2] == [120, 129]


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_costs_time_and_one_line_but_no_playlist(
    tracks: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Path, "replace", full)
    for _ in range(2):
        catalogue = disco.open(tracks)
        assert catalogue.cached("x-1", lambda: np.array([1])).tolist() == [1]
        assert catalogue.search("tide")[0].row == 1
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(lines) == 2
    assert lines[0].endswith("cannot be written (No space left on device); the next command computes it again")
    assert stored() == [], "a half-written file is left"


def test_a_cache_folder_that_cannot_be_written_costs_time_and_one_line(
    tracks: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    # A file in the place of the folder stops root too.
    (tmp_path / "caches").write_text("")
    monkeypatch.setenv("DISCO_CACHE", str(tmp_path / "caches"))
    catalogue = disco.open(tracks)
    assert catalogue.search("tide")[0].row == 1
    assert [r.levelname for r in caplog.records if r.levelno >= logging.WARNING] == ["WARNING"]


@pytest.mark.parametrize("damage", [lambda whole: whole[: len(whole) // 2], lambda whole: b"\1" * len(whole)])
def test_damaged_files_of_a_catalogue_are_replaced(
    tracks: Path, damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    fresh = as_read(tracks, cache=False)
    as_read(tracks, cache=True)
    names = [path.name for path in stored()]
    assert names == ["columns.parquet", "search.npy"]
    for path in stored():
        path.write_bytes(damage(path.read_bytes()))
    caplog.clear()
    catalogue = disco.open(tracks)
    assert catalogue.search("tide") == fresh.search("tide")
    assert catalogue.table.equals(fresh.table)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.endswith("columns.parquet: is damaged; it is computed again")
    caplog.clear()
    assert disco.open(tracks).search("tide") == fresh.search("tide")
    assert not caplog.records


WORK = """
import sys, numpy as np, disco
path, other = sys.argv[1:]
for i in range(15):
    if other == "changes":
        text = open(path).read()
        tempo = 100 + i
        open(path + ".new", "w").write(text.split("a,")[0] + f"a,Night Bus,Mira Vale,{tempo}\\n")
        import os; os.replace(path + ".new", path)
    catalogue = disco.open(path)
    tempo = catalogue.tempos[0]
    assert catalogue.cached("tempos-1", lambda: catalogue.tempos + 0).tolist() == [tempo], (tempo,)
    assert catalogue.search("night bus")[0].row == 0
"""


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.parametrize("other", ["reads", "changes"])
def test_two_processes_at_once_lose_nothing(tmp_path: Path, other: str) -> None:
    path = tmp_path / "tracks.csv"
    path.write_text("track_id,title,artists,tempo_bpm\na,Night Bus,Mira Vale,120\n")
    started = [
        subprocess.Popen([sys.executable, "-c", WORK, str(path), what], stderr=subprocess.PIPE, text=True)
        for what in ("reads", other)
    ]
    for process in started:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert "damaged" not in errors
    assert not [path for path in stored() if path.name.startswith(".")]


def test_what_is_more_than_is_allowed_is_not_kept(tmp_path: Path) -> None:
    cache = CatalogueCache(tmp_path / "one", 2000)
    assert cache.array("a-1", lambda: np.zeros(1000, np.int8)).shape == (1000,)
    assert cache.array("b-1", lambda: np.ones(1000, np.int8)).sum() == 1000
    assert [path.name for path in cache.folder.iterdir()] == ["a-1.npy"]
    assert cache.size() <= cache.limit == 2000


def test_a_catalogue_of_names_alone_takes_no_more_than_twice_its_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    artists = rng.integers(300, size=6000)
    table = {
        "title": [f"Song {i:x}" for i in rng.integers(1 << 40, size=6000)],
        "artist": [f"Band {a}" for a in artists],
    }
    path = tmp_path / "names.parquet"
    pq.write_table(pa.table(table | {"genres": [f"rock {a % 7}" for a in artists]}), path, compression="zstd")
    first = sources.open(path)
    found = default_recommender(first).recommend(Query(np.array([3])), 20)
    assert {name.split("-")[-1] for name in map(str, stored())} >= {"points.npy", "offsets.npy", "places.npy"}
    assert sum(file.stat().st_size for file in stored()) <= 2 * path.stat().st_size < 64 * len(first)
    again = default_recommender(sources.open(path)).recommend(Query(np.array([3])), 20)
    assert again.rows.tolist() == found.rows.tolist()


@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 1)), min_size=1, max_size=30), st.integers(1, 9))
def test_points_kept_once_are_those_of_each_track(tracks: list[tuple[int, int]], size: int) -> None:
    points = np.array([[component] * size for component, _ in tracks], np.int8)
    offsets = np.array([offset for _, offset in tracks], np.float16)
    kept, kept_offsets, places = _each_once(points, offsets)
    places = places if len(places) else np.arange(len(tracks))
    assert kept[places].tolist() == points.tolist()
    assert kept_offsets[places].tolist() == offsets.tolist()
    assert len(kept) <= max(len(set(tracks)), len(tracks) * (2 * len(set(tracks)) > len(tracks)))


def test_the_longest_unused_catalogues_are_removed_and_what_killed_commands_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("disco.sources.cache.TOTAL_BYTES", 3000)
    now = time.time()
    for age, name in enumerate(["a-1", "b-1", "c-1", "d-1"]):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.npy").write_bytes(bytes(1000))
        os.utime(tmp_path / name, (now - age, now - age))
    for name, old in ((".disco-1-old", 7200), (".disco-1-new", 0)):
        (tmp_path / "a-1" / name).write_bytes(b"")
        os.utime(tmp_path / "a-1" / name, (now - old, now - old))
    os.utime(tmp_path / "a-1", (now, now))
    CatalogueCache(tmp_path / "b-2", 9000).array("x", lambda: np.zeros(800, np.int8))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-1", "b-2", "c-1"]
    assert sorted(path.name for path in (tmp_path / "a-1").iterdir()) == [".disco-1-new", "x.npy"]


def test_a_name_that_would_leave_the_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a file"):
        CatalogueCache(tmp_path / "one", 1000).array("../x", never)


@pytest.mark.slow
def test_every_command_that_opens_a_catalogue_takes_no_cache(
    tracks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["catalogue", "info", str(tracks), "--no-cache"]) == 0
    assert stored() == []
    assert main(["catalogue", "info", str(tracks)]) == 0
    assert str(user_cache()) in capsys.readouterr().out
    # Fingerprints are remembered too where the first command was slow.
    assert {path.name for path in stored()} - {"files.json"} == {"columns.parquet"}
    for command in COMMANDS:
        with contextlib.suppress(SystemExit):
            main([*command.split(), "--help"])
        assert "--no-cache" in capsys.readouterr().out, command


COMMANDS = ("generate", "order", "lint", "recommend", "catalogue info", "catalogue set", "spotify sync")
COMMANDS += ("evaluate next-track", "evaluate continuation", "evaluate flow", "evaluate end-to-end")


@pytest.mark.slow
def test_the_real_catalogue_with_vectors_takes_less_than_twice_its_file(shared: Path) -> None:
    path = shared / "tracks.parquet"
    catalogue = disco.open(path)
    catalogue.search("blue monday")
    catalogue.cached("vectors-1", lambda: np.ones((len(catalogue), 64), np.int8))
    names = {file.name for file in stored()} - {"files.json"}
    # The mark beside an array says that its checksum was compared.
    assert names == {"columns.parquet", "search.npy", "vectors-1.npy", "vectors-1.npy.checked"}
    assert sum(file.stat().st_size for file in stored()) <= 2 * path.stat().st_size


def test_a_catalogue_from_the_cache_can_be_copied(tracks: Path) -> None:
    as_read(tracks, cache=True)
    copied = copy.deepcopy(disco.open(tracks))
    assert copied.table.equals(disco.open(tracks, cache=False).table)
    assert copied.search("tide")[0].row == 1


def test_an_array_that_no_one_uses_makes_room_for_another(tmp_path):
    old = CatalogueCache(tmp_path / "one", 3000)
    old.array("used-1", lambda: np.zeros(100, np.int8))
    old.array("old-1", lambda: np.zeros(2000, np.int8))
    later = CatalogueCache(tmp_path / "one", 3000)
    later.array("used-1", lambda: 1 / 0)
    later.array("new-1", lambda: np.ones(2000, np.int8))
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["new-1.npy", "used-1.npy"]


def test_what_this_process_uses_is_not_removed_for_more(tmp_path):
    cache = CatalogueCache(tmp_path / "one", 3000)
    cache.array("used-1", lambda: np.zeros(2000, np.int8))
    cache.array("more-1", lambda: np.ones(2000, np.int8))
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["used-1.npy"]
