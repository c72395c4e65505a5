"""Folders are replaced as a whole: killed at any rename, the old or the new files are there, never some of both."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from helpers.processes import at_once, forks, killed_at

from disco.errors import DataError
from disco.sources import folders
from disco.training.prepare import new_files
from disco.training.run import new_folder

pytestmark = forks
NAMES = ("playlists.parquet", "tracks.parquet", "report.json")
STEPS: list[tuple[object, str]] = [(os, "rename"), (os, "replace"), (folders, "exchange")]


def prepare(folder: Path, text: str, keep_parts: bool = False) -> None:
    with new_files(folder, force=True, keep_parts=keep_parts) as (parts, fresh):
        (parts / "1.parquet").write_text(text)
        for name in NAMES:
            (fresh / name).write_text(text)


def train(folder: Path, text: str) -> None:
    with new_folder(folder, force=True) as fresh:
        for name in ("card.json", "step.onnx"):
            (fresh / name).write_text(text)


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


@pytest.fixture(params=[True, False], ids=["exchanged", "renamed"])
def exchanges(request, monkeypatch):
    """Whether the system can exchange two names."""
    if not request.param:
        monkeypatch.setattr(folders, "exchange", lambda one, other: False)
    return request.param


@pytest.mark.parametrize("work", [prepare, train])
def test_killed_at_any_rename_a_folder_is_old_or_new_and_the_next_run_sweeps(tmp_path, work, exchanges):
    folder, killed = tmp_path / "made", 0
    while True:
        work(folder, "old")
        done = not killed_at(killed, STEPS, lambda: work(folder, "new"))
        folders.recover(folder)  # as the next command does
        assert len({*content(folder).values()}) == 1
        assert len(content(folder)) == (3 if work is prepare else 2)
        work(folder, "newer")
        assert {*content(folder).values()} == {"newer"}
        assert [path.name for path in tmp_path.iterdir()] == ["made"]
        assert not (folder / ".parts").exists()
        if done:
            break
        killed += 1
    assert killed >= 1


def test_beside_other_files_the_next_run_finishes_what_a_kill_left(tmp_path):
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    killed = 0
    while True:
        prepare(folder, "old")
        done = not killed_at(killed, STEPS, lambda: prepare(folder, "new"))
        if not done and (folder / ".parts" / "ready").exists():
            with pytest.raises(DataError, match="exists already"), new_files(folder, False, False):
                pass
            assert {content(folder)[name] for name in NAMES} == {"new"}
        assert content(folder)["notes.txt"] == "mine"
        if done:
            break
        killed += 1
    assert killed >= 4


def test_parts_are_kept_where_that_was_asked_for(tmp_path):
    prepare(tmp_path / "made", "new", keep_parts=True)
    assert (tmp_path / "made" / ".parts" / "1.parquet").read_text() == "new"


@pytest.mark.parametrize("work", [prepare, train])
def test_several_processes_make_one_whole_folder(tmp_path, work):
    assert at_once(4, lambda number: work(tmp_path / "made", str(number))) == [0] * 4
    assert len({*content(tmp_path / "made").values()}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_without_force_the_first_of_several_wins(tmp_path):
    def first(number: int) -> None:
        with new_folder(tmp_path / "made", force=False) as fresh:
            (fresh / "card.json").write_text(str(number))

    assert sorted(at_once(4, first)) == [0, 1, 1, 1]


def test_folders_of_others_are_not_swept(tmp_path):
    mine = tmp_path / ".made.abcdefgh"
    mine.mkdir()
    (mine / "mine").touch()
    with tempfile.TemporaryDirectory(dir=tmp_path), folders.folder_beside(tmp_path / "made"):
        assert (mine / "mine").exists()
