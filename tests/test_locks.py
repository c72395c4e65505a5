"""Several processes at once lose, double and miscount nothing; what a killed one left is swept."""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

import pytest
from helpers.processes import at_once, forks, killed_at

from disco.sources import corrections, storage
from disco.sources.locks import Busy, locked
from disco.sources.services import http, resumable
from disco.sources.services.spotify import state, tokens, upload
from disco.sources.services.spotify.client import connect

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import races

pytestmark = forks


@pytest.fixture(autouse=True)
def _own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DISCO_CONFIG", str(tmp_path / "config"))


def test_corrections_of_six_processes_are_all_stored():
    def change(number):
        for i in range(10):
            corrections.change(f"track {number} {i}", {"bpm": "120"})

    assert at_once(6, change) == [0] * 6
    assert len(corrections.read(corrections.user_file())) == 60
    assert [path.name for path in corrections.user_file().parent.iterdir()] == ["corrections.csv"]


def test_calls_of_six_processes_add_up():
    def count(number):
        known = state.State.read("app")
        for _ in range(10):
            known.count()

    assert at_once(6, count) == [0] * 6
    assert state.State.read("app").made == 60


def test_processes_never_take_more_calls_than_the_budget_has(monkeypatch):
    monkeypatch.setenv("DISCO_SPOTIFY_BUDGET", "20")

    def spend(number):
        known = state.State.read("app")
        for _ in range(6):
            known.spend()

    assert sum(at_once(6, spend)) > 0
    assert state.State.read("app").made == 20


def test_one_playlist_uploaded_by_three_processes_is_created_once(start, monkeypatch):
    fake = start(sockets=True)
    monkeypatch.setattr(resumable, "_STARTED", 0.0)  # of a clock that is the fake's
    wanted = random.Random(0).sample(list(fake.library.tracks), 250)
    assert at_once(3, lambda _: upload.write(connect(), "Friday", wanted)) == [0] * 3
    (playlist,) = [one for one in fake.library.playlists if one.name == "Friday"]
    assert [entry.id for entry in playlist.entries] == wanted
    assert upload.unfinished() == []


@pytest.mark.slow
@pytest.mark.network
def test_a_library_read_by_three_processes_is_whole_and_every_call_is_counted(monkeypatch):
    monkeypatch.setattr(resumable, "_STARTED", 0.0)
    for name in ("DISCO_SPOTIFY_API", "DISCO_SPOTIFY_ACCOUNTS", "DISCO_SPOTIFY_BUDGET"):
        monkeypatch.setenv(name, "100000")  # set back after the test
    assert races.sync_library(3)


def test_a_login_is_renewed_once_by_several_processes(start):
    fake = start(sockets=True)
    old = tokens.read()
    assert at_once(3, lambda _: tokens.TokenManager().renew(old)) == [0] * 3
    assert len(fake.calls("token")) == 1


def test_who_holds_a_lock_is_named_and_its_end_releases_it(tmp_path):
    path = tmp_path / "folder" / "library"
    ready, done = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        with locked(path):
            os.write(ready[1], b"x")
            os.read(done[0], 1)
            os._exit(0)  # as if killed: nothing is cleaned up
    os.read(ready[0], 1)
    with pytest.raises(Busy, match=f"in use by another DISCO \\(process {child}, at work since"), locked(path, 0.0):
        pass
    os.write(done[1], b"x")
    os.waitpid(child, 0)
    with locked(path, 0.0):
        pass
    assert list(path.parent.iterdir()) == []


def test_a_lock_follows_no_link(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / ".library.lock").symlink_to(tmp_path / "mine")
    with pytest.raises(storage.DataError, match="cannot be written"), locked(tmp_path / "library"):
        pass
    assert (tmp_path / "mine").read_text() == "mine"


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"

    def half() -> None:
        with storage.atomic_file(path) as temporary:
            temporary.write_text("half")
            os.replace("", "")  # noqa: PTH105 - stands for the kill

    assert killed_at(0, [(os, "replace")], half)
    (left,) = tmp_path.iterdir()
    monkeypatch.setattr(storage, "_swept", set())
    with storage.atomic_file(tmp_path / "b.csv") as living:
        assert not left.exists()
        monkeypatch.setattr(storage, "_swept", set())
        storage.write_atomic(tmp_path / "c.csv", "c")
        assert living.exists()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["b.csv", "c.csv"]


def test_all_folders_made_for_private_files_are_closed_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        storage.write_atomic(tmp_path / "a" / "b" / "token", "", private=True)
        with locked(tmp_path / "c" / "d" / "library"):
            pass
    finally:
        os.umask(before)
    for folder in ("a", "a/b", "c", "c/d"):
        assert (tmp_path / folder).stat().st_mode & 0o777 == 0o700


def test_a_disk_that_is_full_while_a_login_is_renewed_does_not_lose_it(start, monkeypatch):
    fake = start()
    before = tokens.path().read_text()

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tokens, "_write_through", full)
    with pytest.raises(storage.DataError, match="No space left"):
        tokens.TokenManager().renew()
    assert tokens.path().read_text() == before
    assert fake.calls("token") == []  # so that the login it has is still the one Spotify knows


def test_no_login_of_a_netrc_file_is_sent(start, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    fake = start()
    assert connect().saved(0).total == 130
    tokens.TokenManager().renew()
    sent = [str(request.headers) for request in fake.log + fake.calls("token")]
    assert sent
    assert not any("Basic" in each for each in sent)


def test_a_time_that_is_none_is_taken_as_unknown(start):
    start()
    token = tokens.read() | {"authorized_at": 1e300, "expires_at": float("nan")}
    tokens.save(token)
    stored = tokens.read()
    assert (stored["authorized_at"], stored["expires_at"]) == (0, 0)
    assert time.localtime(stored["authorized_at"])


def test_sessions_keep_the_proxies_of_the_environment():
    import requests

    session = http.without_retries(requests.Session())
    assert session.trust_env
    assert session.auth is not None
