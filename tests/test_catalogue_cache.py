"""What was computed of a catalogue is read again from the cache folder, and never instead of what a file says now."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import numpy as np
import pytest

import disco
from disco.catalogue import Catalogue
from disco.sources.cache import CatalogueCache, user_cache

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
