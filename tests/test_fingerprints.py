"""Files that did not change are not read again to see what they contain; changed ones are, whatever their times."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import disco
from disco.sources import file_states, fingerprints
from disco.sources.cache import CatalogueCache, user_cache
from disco.sources.file_states import state_of
from disco.sources.fingerprints import FileContent

TRACKS = "track_id,title,artists,tempo_bpm\na,Night Bus,Mira Vale,120\nb,Tide,Corro,128\n"


@pytest.fixture
def tracks(tmp_path: Path) -> Path:
    path = tmp_path / "tracks.csv"
    path.write_text(TRACKS)
    return path


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust files that were written just now."""
    monkeypatch.setattr(fingerprints, "_SETTLED_NS", -(10**10))


def records() -> list[Path]:
    return list(user_cache().rglob("files.json"))


def unreadable(*_: object) -> bytes:
    raise AssertionError("read again")


def rewrite(path: Path, content: str) -> None:
    """Write a file of the same size with the same time of its last change; only what programs cannot set differs."""
    before, about = state_of(path), path.stat()
    while state_of(path) == before:
        path.write_text(content)
        os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert path.stat().st_size == about.st_size
    assert path.stat().st_mtime_ns == about.st_mtime_ns


@pytest.mark.usefixtures("at_once")
def test_a_file_that_did_not_change_is_not_read_again(tracks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = disco.open(tracks)
    monkeypatch.setattr(fingerprints, "fingerprint", unreadable)
    assert disco.open(tracks).table.equals(first.table)


@pytest.mark.usefixtures("at_once")
def test_a_change_that_hides_behind_size_and_time_is_noticed(tracks: Path) -> None:
    assert disco.open(tracks).tempos.tolist() == [120, 128]
    assert len(records()) == 1
    rewrite(tracks, TRACKS.replace("128", "129"))
    assert disco.open(tracks).tempos.tolist() == [120, 129]
    assert disco.open(tracks).tempos.tolist() == [120, 129]
    assert len(records()) == 1, "what was remembered of the old content is still there"


def test_a_change_within_one_tick_of_the_clock_is_noticed(tracks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = state_of(tracks)
    monkeypatch.setattr(file_states, "state_of_open", lambda descriptor: state)
    assert disco.open(tracks).tempos.tolist() == [120, 128]
    tracks.write_text(TRACKS.replace("128", "129"))
    assert disco.open(tracks).tempos.tolist() == [120, 129]
    assert records() == []


@pytest.mark.parametrize("seconds", [-3, 0, 3600])
def test_a_fingerprint_is_remembered_once_both_times_are_more_than_two_seconds_back(
    tracks: Path, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = state_of(tracks)
    assert state is not None
    later = max(state[3:]) + seconds * 10**9
    for times in ((later, state[4] - 10**11), (state[3] - 10**11, later)):
        faked = (*state[:3], *times)
        monkeypatch.setattr(file_states, "state_of_open", lambda descriptor, faked=faked: faked)
        monkeypatch.setattr(fingerprints.time, "time_ns", lambda: max(state[3:]))
        assert FileContent(tracks, {}).is_settled == (seconds == -3)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("record", [b"", b"{", b"[[1]]", b'[[[1], "zz"]]', b"[[[[]], null]]"])
def test_a_record_that_cannot_be_read_costs_only_time(tracks: Path, record: bytes) -> None:
    disco.open(tracks)
    (path,) = records()
    CatalogueCache(path.parent, 10**6).write(path.name, record)
    assert disco.open(tracks).tempos.tolist() == [120, 128]


@pytest.mark.usefixtures("at_once")
def test_one_changed_file_of_several_is_noticed(tmp_path: Path, tracks: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text(TRACKS.replace("a,", "c,").replace("b,", "d,"))
    assert disco.open([tracks, other]).tempos.tolist() == [120, 128, 120, 128]
    rewrite(other, other.read_text().replace("128", "129"))
    assert disco.open([tracks, other]).tempos.tolist() == [120, 128, 120, 129]
    assert len(json.loads(records()[0].read_bytes()[:-8])) == 2


@pytest.mark.usefixtures("at_once")
def test_a_table_that_changes_after_its_state_was_asked_for_gives_no_column(tmp_path: Path) -> None:
    path = tmp_path / "tracks.parquet"
    table = pa.table({"track_id": ["a", "b"], "title": ["Night Bus", "Tide"], "artists": [["Mira Vale"], ["Corro"]]})
    pq.write_table(table, path)
    first = disco.open(path)
    content = FileContent(path, {})
    pq.write_table(table.slice(1), path)
    assert content.parquet == b""
    assert disco.open(path).ids(np.arange(1)) == ["b"]
    assert first.column("title").to_pylist() == ["Night Bus", "Tide"]
