"""The cache of measurements: a sound is recognised whatever its tags; damage is set aside or ignored."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import sqlite3
import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_audio import write_mp3

from disco.errors import DataError
from disco.sources.audio import cache
from disco.sources.audio.cache import Cache, Measured
from disco.sources.audio.fingerprint import file_fingerprint, sound_hash

SOUND = Measured(128.0, 0.9, 9, 0, 0.8, -7.5, 0.7, 0.1, 0.6)
ID3V1 = b"TAG" + b"Somebody".ljust(125, b"\0")
FRAMES = (b"\xff\xfb\x90\x00" + bytes(413)) * 5


def ape(text: bytes, header: bool = True) -> bytes:
    item = struct.pack("<II", len(text), 0) + b"Title\0" + text
    footer = struct.pack("<IIII", 2000, len(item) + 32, 1, (header << 31))
    end = b"APETAGEX" + footer + bytes(8)
    return (b"APETAGEX" + footer[:12] + struct.pack("<I", 5 << 29) + bytes(8) if header else b"") + item + end


def lyrics(text: bytes) -> bytes:
    body = b"LYRICSBEGIN" + text
    return body + b"%06d" % len(body) + b"LYRICS200"


def flac(md5: bytes, tags: bytes, frames: bytes = b"\xff\xf8sound") -> bytes:
    info = struct.pack(">HH", 4096, 4096) + bytes(6) + bytes.fromhex("0ac442f000000064") + md5
    comment = b"\x84" + len(tags).to_bytes(3, "big") + tags
    return b"fLaC" + b"\x00\x00\x00\x22" + info + comment + frames


def wav(data: bytes, *others: bytes, rate: int = 8000) -> bytes:
    parts = [b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate, rate * 2, 2, 16), *others]
    body = b"WAVE" + b"".join(parts) + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def hash_of(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return sound_hash(folder / name)


def test_new_tags_of_an_mp3_are_the_same_sound(tmp_path):
    plain = hash_of(tmp_path, "a.mp3", FRAMES)
    tagged = write_mp3(tmp_path / "b.mp3", TIT2="One", TBPM="128").read_bytes()
    retagged = write_mp3(tmp_path / "c.mp3", TIT2="Quite another title").read_bytes()
    assert hash_of(tmp_path, "b.mp3", tagged) == hash_of(tmp_path, "c.mp3", retagged + ID3V1)
    for n, tags in enumerate(
        [ID3V1, ape(b"x") + ID3V1, ape(b"long" * 99, header=False), ape(b"y") + lyrics(b"la") + ID3V1]
    ):
        assert hash_of(tmp_path, f"t{n}.mp3", FRAMES + tags) == plain
    assert hash_of(tmp_path, "d.mp3", FRAMES[:-1] + b"\x01") != plain


def test_new_tags_of_a_flac_are_the_same_sound(tmp_path):
    first = hash_of(tmp_path, "a.flac", flac(b"m" * 16, b"title=One"))
    assert hash_of(tmp_path, "b.flac", flac(b"m" * 16, b"title=Another, and longer")) == first
    assert hash_of(tmp_path, "c.flac", flac(b"n" * 16, b"title=One")) != first
    # A writer that left out the MD5 says nothing of the sound: the whole file counts.
    without = [hash_of(tmp_path, f"{n}.flac", flac(bytes(16), b"", sound)) for n, sound in enumerate((b"aa", b"bb"))]
    assert without[0] != without[1]


def test_new_tags_of_a_wav_are_the_same_sound(tmp_path):
    first = hash_of(tmp_path, "a.wav", wav(b"\1\2\3\4"))
    listed = b"LIST" + struct.pack("<I", 5) + b"INFOx\0"  # of odd length, padded
    assert hash_of(tmp_path, "b.wav", wav(b"\1\2\3\4", listed)) == first
    assert hash_of(tmp_path, "c.wav", wav(b"\1\2\3\5")) != first
    assert hash_of(tmp_path, "d.wav", wav(b"\1\2\3\4", rate=16000)) != first


def test_other_files_count_as_a_whole(tmp_path):
    assert hash_of(tmp_path, "a.ogg", b"OggS1") != hash_of(tmp_path, "b.ogg", b"OggS2")
    assert hash_of(tmp_path, "a.ogg", b"OggS1") == hash_of(tmp_path, "c.ogg", b"OggS1")


@pytest.mark.slow
@given(
    st.sampled_from(["x.mp3", "x.wav", "x.flac", "x.ogg"]),
    st.lists(
        st.sampled_from(
            [b"ID3\x03\0\0", b"\x7f" * 4, ID3V1, b"LYRICS200", b"999999", b"APETAGEX", b"\xff" * 24, b"RIFF"]
        )
        | st.binary(max_size=40)
    ),
)
def test_any_bytes_have_a_hash(tmp_path_factory, name, pieces):
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(b"".join(pieces))
    assert len(sound_hash(path)) == 40


@pytest.fixture
def folder(tmp_path):
    """Where nothing was stored yet."""
    return tmp_path / "cache"


def test_what_was_stored_is_found_by_this_and_later_processes(folder):
    with Cache(folder) as stored:
        assert stored.find("a") is None
        assert not folder.exists()
        stored.add("a", SOUND)
        stored.add("b", Measured())
        assert stored.find("a") == SOUND
    with Cache(folder) as stored:
        assert [stored.find(name) for name in "abc"] == [SOUND, Measured(), None]
    assert [path.name for path in folder.iterdir()] == ["measurements.sqlite"]


IMPOSSIBLE = [
    ("key", 12),
    ("key", 1.0),
    ("key", None),
    ("mode", True),
    ("energy", 1.1),
    ("tempo_bpm", "128"),
    ("loudness", float("nan")),
]


def add_many(stored, first, n):
    for i in range(first, first + n):
        stored.add(f"{i:040}", SOUND)


def change(folder, text):
    with contextlib.closing(sqlite3.connect(folder / "measurements.sqlite", isolation_level=None)) as database:
        database.execute("UPDATE sounds SET measured = ?", (text,))


@pytest.mark.parametrize(("field", "value"), IMPOSSIBLE)
def test_an_entry_with_an_impossible_value_is_ignored(folder, field, value):
    with Cache(folder) as stored:
        stored.add("a", SOUND)
        change(folder, json.dumps(asdict(SOUND) | {field: value}))
        assert stored.find("a") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", "3", "[" * 9999, b"\xff\xfe", None, 1])
def test_a_damaged_entry_is_ignored(folder, text):
    with Cache(folder) as stored:
        stored.add("a", SOUND)
        change(folder, text)
        assert stored.find("a") is None


def test_entries_of_another_analysis_are_ignored(folder, monkeypatch):
    with Cache(folder) as stored:
        stored.add("a", SOUND)
        monkeypatch.setattr(cache, "VERSION", cache.VERSION + 1)
        assert stored.find("a") is None


def test_a_schema_that_is_no_utf8_is_damage(folder):
    with Cache(folder) as cache:
        cache.add("0" * 40, Measured(tempo_bpm=128.0))
    path = folder / "measurements.sqlite"
    content = path.read_bytes()
    for letter in range(content.index(b"CREATE TABLE sounds"), content.index(b"CREATE TABLE sounds") + 70, 7):
        path.write_bytes(content[:letter] + b"\xff" + content[letter + 1 :])
        with Cache(folder) as cache:
            assert cache.find("0" * 40) in (None, Measured(tempo_bpm=128.0))


def test_a_damaged_database_is_set_aside_with_a_warning(folder, caplog):
    folder.mkdir()
    (folder / "measurements.sqlite").write_bytes(b"no database, but long enough to be looked at" * 40)
    with Cache(folder) as stored:
        assert stored.find("a") is None
        stored.add("a", SOUND)
        assert stored.find("a") == SOUND
    (message,) = caplog.messages
    assert "is damaged (file is not a database); it is now measurements.sqlite.damaged" in message
    assert sorted(path.name for path in folder.iterdir()) == ["measurements.sqlite", "measurements.sqlite.damaged"]


@pytest.mark.slow
def test_damage_that_shows_only_later_is_set_aside_too(folder, caplog):
    with Cache(folder) as stored:
        for i in range(2000):
            stored.add(f"{i:040}", SOUND)
    whole = (folder / "measurements.sqlite").read_bytes()
    (folder / "measurements.sqlite").write_bytes(whole[:8192] + b"x" * (len(whole) - 8192))
    with Cache(folder) as stored:
        assert [stored.find(f"{i:040}") for i in range(0, 2000, 50)].count(None) == 40
        stored.add("a", SOUND)
        assert stored.find("a") == SOUND
    assert len(caplog.messages) == 1


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").touch()
    with Cache(tmp_path / "file") as stored:
        assert stored.find("a") is None
        with pytest.raises(DataError, match=r"measurements.sqlite: cannot be written \(File exists\)"):
            stored.add("a", SOUND)


def test_a_full_disk_is_one_clear_error_and_what_was_stored_is_still_there(folder):
    with Cache(folder) as stored:
        stored.add("a", SOUND)
        stored._database.execute("PRAGMA max_page_count = 1")  # as many pages as there are
        with pytest.raises(DataError, match=r"cannot be written \(database or disk is full\)"):
            add_many(stored, 0, 1000)
        assert stored.find("a") == SOUND


def store_some(folder, first):
    with Cache(folder) as stored:
        add_many(stored, first, 100)
        assert {stored.find(f"{first + i:040}") for i in range(100)} == {SOUND}


def test_processes_and_threads_at_once_lose_nothing(folder):
    spawn = multiprocessing.get_context("fork")
    processes = [spawn.Process(target=store_some, args=(folder, 100 * i)) for i in range(3)]
    for process in processes:
        process.start()
    with Cache(folder) as stored, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: stored.add(f"{i:040}", SOUND), range(300, 400)))
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    with Cache(folder) as stored:
        assert {stored.find(f"{i:040}") for i in range(400)} == {SOUND}


def test_entries_of_earlier_versions_are_found_and_taken_over(folder, tmp_path):
    path = tmp_path / "a.ogg"
    path.write_bytes(b"OggS1")
    name, fingerprint = sound_hash(path), file_fingerprint(path)
    folder.mkdir()
    (folder / f"{name}.json").write_text(json.dumps({"version": 1, "sound": asdict(SOUND)}))
    (folder / f"{fingerprint}.hash").write_text(name)
    with Cache(folder) as stored:
        assert stored.find_hash(fingerprint) == name
        assert stored.find(name) == SOUND
    (folder / f"{name}.json").unlink()
    with Cache(folder) as stored:
        assert stored.find(name) == SOUND


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"version": 1}', b'{"version": 1, "sound": 3}', b"\xff\xfe", b"[" * 9999]
)
def test_a_damaged_entry_of_an_earlier_version_is_ignored(folder, content):
    folder.mkdir()
    (folder / "a.json").write_bytes(content)
    with Cache(folder) as stored:
        assert stored.find("a") is None


def test_a_file_that_did_not_change_is_known_by_its_time(folder, tmp_path):
    path = tmp_path / "a.ogg"
    path.write_bytes(b"OggS1")
    fingerprint = file_fingerprint(path)
    with Cache(folder) as stored:
        assert stored.find_hash(fingerprint) is None
        stored.add_hash(fingerprint, sound_hash(path))
        assert stored.find_hash(file_fingerprint(path)) == sound_hash(path)
        path.write_bytes(b"OggS22")
        assert file_fingerprint(path) != fingerprint
        stored.add_hash(fingerprint, "../../secret")
        assert stored.find_hash(fingerprint) is None


def test_the_cache_is_where_the_user_says(monkeypatch, tmp_path):
    monkeypatch.setenv("DISCO_CACHE", str(tmp_path))
    assert cache.user_cache() == tmp_path / "audio"
    monkeypatch.delenv("DISCO_CACHE")
    assert cache.user_cache().name == "audio"
    assert "disco" in cache.user_cache().parts
