"""Atomic writing, and the folders of the user's own files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from disco.errors import DataError, DiscoError
from disco.sources.storage import atomic_file, user_cache_dir, user_config_dir, user_data_dir, write_atomic


def test_text_is_written_as_utf8_without_changing_line_ends(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a", "é\r\nb\n\ud800")
    assert (tmp_path / "a").read_bytes() == "é\r\nb\n?".encode()


def test_only_a_private_file_is_closed_to_others(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_atomic(tmp_path / "open", b"")
        write_atomic(tmp_path / "folder" / "closed", b"", private=True)
    finally:
        os.umask(before)
    assert (tmp_path / "open").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "folder" / "closed").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o700


def test_a_private_file_was_never_readable_by_others(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "token", private=True) as temporary:
        assert temporary.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("find", [user_data_dir, user_config_dir, user_cache_dir])
def test_whoever_has_no_home_folder_reads_what_to_set(find, monkeypatch) -> None:
    pwd = pytest.importorskip("pwd")

    def nobody(number: int) -> None:
        raise KeyError(number)

    for name in [*os.environ]:
        if name in ("HOME", "DISCO_DATA", "DISCO_CONFIG", "DISCO_CACHE") or name.startswith("XDG_"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    with pytest.raises(DiscoError, match="has no home folder; set HOME, or DISCO_DATA"):
        find()


def write_half(path: Path) -> None:
    with atomic_file(path) as temporary:
        temporary.write_text("half of the n")
        raise KeyboardInterrupt


def test_an_interrupted_write_leaves_the_old_content_and_no_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_atomic(path, "old")
    with pytest.raises(KeyboardInterrupt):
        write_half(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_names_the_file_and_the_reason(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match=r"folder: cannot be written \(Is a directory\)"):
        write_atomic(tmp_path / "folder", "")
    with pytest.raises(DataError, match=r"none/a: cannot be written \(No such file or directory\)"):
        write_atomic(tmp_path / "none" / "a", "")
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


def test_folders_can_be_moved_by_environment_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCO_CONFIG", str(tmp_path))
    assert user_config_dir() == tmp_path
