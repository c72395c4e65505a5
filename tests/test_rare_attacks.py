"""Rare harm: closed input, a full disk behind the help, links into the system, very high rates, formulas."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from helpers.needs import need

import disco
from disco.catalogue.text import MOST_NAMES
from disco.cli import catalogue as catalogue_command
from disco.cli import generate, models
from disco.errors import DiscoError
from disco.export import Style, to_csv
from disco.sources import corrections
from disco.sources.audio.tags import read_tags
from disco.sources.audio.walk import find
from disco.sources.services.navidrome.client import login as navidrome_login
from disco.sources.services.spotify import tokens


def test_closed_standard_input_is_no_answer(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", None)
    tracks = disco.open().take(np.arange(3))
    tracks = disco.Catalogue(tracks.table)
    assert generate.main(["blue", "--interactive", "--length", "1"]) in (0, 1)
    assert models.main(["remove", "music"]) == 1
    assert catalogue_command.main(["fix-tempo"]) == 0
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.process
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_help_that_cannot_be_printed_is_an_error_in_one_line():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "disco", "--help"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, done.stderr) == (1, "disco: standard output: No space left on device\n")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_links_out_of_a_folder_of_music_into_the_system_are_not_followed(tmp_path):
    (tmp_path / "a.mp3").touch()
    for name, to in (("system", "/proc"), ("devices", "/dev"), ("again", tmp_path)):
        (tmp_path / name).symlink_to(to)
    problems: dict[str, list[Path]] = {}
    assert [path.name for path in find(tmp_path, problems)] == ["a.mp3"]
    assert {path.name for paths in problems.values() for path in paths} == {"system", "devices"}


def test_sound_of_a_very_high_rate_and_many_channels_takes_little_memory(tmp_path):
    need("soundfile")
    from disco.sources.audio.signal import RATE, decode

    rate, channels, seconds = 384_000, 8, 2
    beat = (8000 * np.sin(2 * np.pi * 440 * np.arange(rate * seconds) / rate)).astype("<i2")
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(np.repeat(beat, channels).tobytes())
    sound = decode(tmp_path / "a.wav")
    assert sound.rate == RATE
    assert sound.seconds == pytest.approx(seconds, abs=0.01)
    spectrum = np.abs(np.fft.rfft(sound.samples))
    assert np.argmax(spectrum) * sound.rate / len(sound.samples) == pytest.approx(440, abs=1)


def test_no_cell_begins_as_a_formula_where_that_is_asked_for():
    tracks = [
        {"track_id": str(i), "title": f"{sign}1+1", "artists": [f"{sign}cmd"], "tempo_bpm": 120}
        for i, sign in enumerate("=+-@")
    ]
    playlist = disco.reorder(disco.Catalogue.from_tracks(tracks), [str(i) for i in range(4)])
    safe, as_is = to_csv(playlist, Style(formulas=False)), to_csv(playlist)
    for sign in "=+-@":
        assert f",{sign}1+1," in as_is
        assert f",'{sign}1+1," in safe
        assert f",'{sign}cmd," in safe


def test_a_login_in_an_address_is_not_printed(monkeypatch):
    monkeypatch.setenv("DISCO_NAVIDROME_URL", "https://me:secret@music.example")
    monkeypatch.setenv("DISCO_NAVIDROME_USER", "me")
    monkeypatch.setenv("DISCO_NAVIDROME_PASSWORD", "secret")
    with pytest.raises(DiscoError, match="holds a login") as error:
        navidrome_login()
    assert "secret" not in str(error.value)


def test_an_address_that_is_none_is_one_sentence(monkeypatch):
    monkeypatch.setenv("DISCO_SPOTIFY_API", "https://[")
    with pytest.raises(DiscoError, match="is no address"):
        tokens.addresses()


@pytest.mark.network
def test_connections_that_say_nothing_do_not_keep_the_browser_waiting():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def come() -> None:
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        with socket.create_connection(("127.0.0.1", port)) as browser:
            browser.sendall(b"GET /callback?state=s&code=c HTTP/1.0\r\n\r\n")
            browser.recv(1000)
        for one in silent:
            one.close()

    caller = threading.Thread(target=come)
    begin = time.monotonic()
    assert tokens._wait(port, "s", caller.start, 20) == "c"
    assert time.monotonic() - begin < 8
    caller.join()


def test_a_correction_of_a_path_that_is_no_utf8_is_found_again(tmp_path):
    path = tmp_path / "a\udcff.mp3"
    path.touch()
    catalogue_command.set_values(str(path), ["bpm=120"], None)
    (correction,) = corrections.read(corrections.user_file())
    assert correction.track == str(path).encode(errors="backslashreplace").decode()


_POOL = """
import multiprocessing, time
from disco.sources.workers import worker_pool
if __name__ == "__main__":
    pool = worker_pool(2, quiet=True)
    pool.submit(abs, 1).result()
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    time.sleep(60)
"""


@pytest.mark.process
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_workers_end_with_the_process_that_started_them_even_if_it_is_killed(tmp_path):
    (tmp_path / "pool.py").write_text(_POOL)
    with subprocess.Popen([sys.executable, tmp_path / "pool.py"], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        workers = [Path("/proc", number, "cmdline") for number in parent.stdout.readline().split()]
        assert len(workers) == 2
        parent.kill()
    end = time.monotonic() + 20
    while any(_runs(worker) for worker in workers) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(_runs(worker) for worker in workers)


def _runs(worker: Path) -> bool:
    try:
        return b"python" in worker.read_bytes()  # empty for a process that has ended and waits to be noticed
    except OSError:
        return False


def test_hundreds_of_thousands_of_artists_in_a_tag_take_no_time(tmp_path):
    names = b"\0".join(f"artist {i}".encode() for i in range(100_000))
    frame = b"TPE1" + _size(len(names) + 1) + b"\0\0\x03" + names
    frame += b"TIT2" + _size(6) + b"\0\0\x03Night"
    sound = (b"\xff\xfb\x90\x00" + bytes(413)) * 50
    (tmp_path / "a.mp3").write_bytes(b"ID3\x04\0\0" + _size(len(frame)) + frame + sound)
    begin = time.process_time()
    tags = read_tags(tmp_path / "a.mp3")
    assert time.process_time() - begin < 5
    assert tags.title == "Night"
    assert 1 <= len(tags.artists) <= MOST_NAMES + 1


def _size(n: int) -> bytes:
    """A size as ID3 writes it, 7 bits a byte."""
    return bytes(n >> shift & 127 for shift in (21, 14, 7, 0))
