"""Large catalogues are memory-mapped, and say what the same catalogue says that is read."""

from __future__ import annotations

import errno
import io
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from helpers.catalogues import random_catalogue
from hypothesis import given
from hypothesis import strategies as st

import disco
from disco.catalogue import SCHEMA, Catalogue
from disco.models.recommenders import Query, load_recommender
from disco.models.recommenders.scoring import TopOfParts, top_n_indices
from disco.sources import mapped_columns
from disco.sources.cache import CatalogueCache, user_cache


@pytest.fixture(autouse=True)
def small_ones_are_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped_columns, "MAPPED_TRACKS", 1)
    monkeypatch.setattr(mapped_columns, "BYTES_A_TRACK", 10_000)
    monkeypatch.setattr("disco.sources.cache.LARGE_BYTES", 1000)


@pytest.fixture
def tracks(tmp_path: Path) -> Path:
    path = tmp_path / "tracks.parquet"
    pq.write_table(random_catalogue(200).table, path)
    return path


def stored() -> dict[str, Path]:
    """Files in the cache folder of catalogues by their names."""
    return {path.name: path for path in user_cache().rglob("*") if path.is_file()}


def asked(catalogue: Catalogue) -> tuple[Any, ...]:
    """Answers of a catalogue that need its columns, its search index and its vectors."""
    title = catalogue.tracks(np.array([7]))[0]["title"]
    found = load_recommender("music", catalogue).recommend(Query(np.array([3, 5])), 30)
    return catalogue.search(title), found.rows.tolist(), found.scores.tolist(), catalogue.notes, catalogue.tempos[:9]


def same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return one[:4] == other[:4] and np.array_equal(one[4], other[4], equal_nan=True)


def test_a_mapped_catalogue_answers_as_the_one_that_is_read(tracks: Path) -> None:
    fresh = asked(disco.open(tracks, cache=False))
    for _ in range(2):  # as it is stored, and from the cache
        assert same(asked(disco.open(tracks)), fresh)
    assert "columns.arrow" in stored()
    assert "search-whole_gaps.npy" in stored()
    assert disco.open(tracks).table.schema == SCHEMA


def test_nothing_of_a_mapped_catalogue_is_computed_or_copied_again(tracks: Path) -> None:
    asked(disco.open(tracks))
    again = disco.open(tracks)
    column = again.column("tempo_bpm")
    assert column.num_chunks == 1
    folder, _ = again._store.folder, again._store.array("x-1", lambda: np.zeros(3000))
    array = again.cached("x-1", lambda: 1 / 0)
    assert isinstance(array.base, np.memmap) or isinstance(array.base.base, np.memmap)
    assert (folder / "x-1.npy").exists()


@pytest.mark.parametrize("name", ["columns.arrow", "search-letters.npy", "music-points"])
def test_a_damaged_part_is_reported_and_made_again(tracks: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    fresh = asked(disco.open(tracks))
    (path,) = [
        path
        for found, path in stored().items()
        if found == name or (name == "music-points" and found.endswith("-points.npy"))
    ]
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)
    assert same(asked(disco.open(tracks)), fresh)
    assert any(record.getMessage() == f"{path}: is damaged; it is computed again" for record in caplog.records)
    caplog.clear()
    assert same(asked(disco.open(tracks)), fresh)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_the_checksum_of_a_large_file_is_compared_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    CatalogueCache(tmp_path / "one", 10**6).array("x-1", lambda: np.arange(1000))
    sums: list[int] = []
    monkeypatch.setattr("disco.sources.cache.zlib.crc32", lambda *given: sums.append(1) or 0)
    assert CatalogueCache(tmp_path / "one", 10**6).array("x-1", lambda: 1 / 0)[7] == 7
    assert sums == []
    os.utime(tmp_path / "one" / "x-1.npy")
    CatalogueCache(tmp_path / "one", 10**6).array("x-1", lambda: np.arange(1000))
    assert sums


def test_a_catalogue_that_is_replaced_while_it_is_read_stays_what_it_was(tracks: Path) -> None:
    before = disco.open(tracks)
    ids, tempos = before.ids(np.arange(200)), before.tempos.copy()
    other = random_catalogue(150, seed=1)
    pq.write_table(other.table, tracks.with_name("new.parquet"))
    tracks.with_name("new.parquet").replace(tracks)
    after = disco.open(tracks)
    assert len(after) == 150
    assert [path.name for path in user_cache().iterdir()] == [after._store.folder.name]
    # What the first was is removed from the disk, and still mapped.
    assert before.ids(np.arange(200)) == ids
    assert np.array_equal(before.tempos, tempos, equal_nan=True)
    found = load_recommender("music", before).recommend(Query(np.array([3])), 20)
    assert found.rows.max() < 200
    assert len(load_recommender("music", disco.open(tracks)).recommend(Query(np.array([3])), 20).rows) == 20


SERVE = """
import sys, numpy as np, disco
from disco.models.recommenders import Query, load_recommender
from disco.sources import mapped_columns
mapped_columns.MAPPED_TRACKS = 1
for _ in range(6):
    catalogue = disco.open(sys.argv[1])
    n = len(catalogue)
    assert n in (150, 200), n
    assert len(catalogue.ids(np.arange(n))) == n == len(catalogue.tempos)
    found = load_recommender("music", catalogue).recommend(Query(np.array([3])), 20)
    assert len(found.rows) == 20 and found.rows.max() < n
"""


@pytest.mark.slow
@pytest.mark.process
def test_processes_that_read_while_it_is_replaced_each_see_one_whole_catalogue(tracks: Path, tmp_path: Path) -> None:
    for name, n in (("one", 200), ("other", 150)):
        pq.write_table(random_catalogue(n, seed=n).table, tmp_path / f"{name}.parquet")
    readers = [
        subprocess.Popen([sys.executable, "-c", SERVE, str(tracks)], stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    turns = 0
    while any(reader.poll() is None for reader in readers):
        copy = tmp_path / "copy.parquet"
        copy.write_bytes((tmp_path / f"{('one', 'other')[turns % 2]}.parquet").read_bytes())
        copy.replace(tracks)
        turns += 1
    for reader in readers:
        _, errors = reader.communicate()
        assert reader.returncode == 0, errors
        assert "damaged" not in errors
    assert turns > 1


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("where", ["os.fsync", "pathlib.Path.replace"])
def test_a_full_disk_costs_one_sentence_and_leaves_no_half_cache(
    tracks: Path, where: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fresh = asked(disco.open(tracks, cache=False))
    monkeypatch.setattr(where, full)
    assert same(asked(disco.open(tracks)), fresh)
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert line.endswith("cannot be written (No space left on device); the next command computes it again")
    assert not [name for name in stored() if name.startswith(("columns", ".disco"))]


class _Full(io.RawIOBase):
    """A file on a disk that is full after some bytes."""

    def __init__(self, file: Any, room: int) -> None:
        self._file, self._room = file, room

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self._room -= memoryview(content).nbytes
        if self._room < 0:
            full()
        return int(self._file.write(content))


@pytest.mark.parametrize("room", [0, 100, 5000])
def test_a_disk_that_fills_up_in_the_middle_leaves_nothing(
    tmp_path: Path, room: int, caplog: pytest.LogCaptureFixture
) -> None:
    catalogue, paths = random_catalogue(200), [tmp_path / "tracks.parquet"]
    cache = CatalogueCache(tmp_path / "cache" / "one", 10**7)
    write_by = cache.write_by
    cache.write_by = lambda name, size, write: write_by(name, size, lambda file: write(_Full(file, room)))
    named = Catalogue(catalogue.table, str(paths[0]))
    stored = mapped_columns.store(cache, named, paths, paths)
    assert stored.table.equals(catalogue.table)
    assert list((tmp_path / "cache" / "one").iterdir()) == []
    assert [r.getMessage().count("No space left on device") for r in caplog.records] == [1]


values = st.lists(st.sampled_from([-np.inf, np.nan, *range(6)]), max_size=60)


@given(values, st.integers(1, 12), st.integers(1, 9))
def test_the_best_of_parts_are_the_best_of_all(numbers: list[float], n: int, size: int) -> None:
    every = np.array(numbers, dtype=np.float32)
    top = TopOfParts(n)
    for start in range(0, len(every), size):
        top.add(start, every[start : start + size])
    rows, found = top.best
    wanted = top_n_indices(every, n)
    assert rows.tolist() == wanted.tolist()
    assert found.tolist() == every[wanted].tolist()


def test_a_catalogue_is_placed_in_parts_as_at_once() -> None:
    catalogue = random_catalogue(300, seed=4)
    space = load_recommender("music", catalogue).space
    points, priors = space.place(catalogue)
    for rows, some, theirs in space.place_in_parts(catalogue, 70):
        np.testing.assert_allclose(some, points[rows], atol=1e-5)
        np.testing.assert_allclose(theirs, priors[rows], atol=1e-5)
