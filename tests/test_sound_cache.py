"""The cache of what was measured: the same sound is known again, whatever its tags; broken entries are none."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_audio import write_mp3

from disco.sources.audio import cache
from disco.sources.audio.cache import Measured, sound_hash

SOUND = Measured(128.0, 0.9, 9, 0, 0.8, -7.5, 0.7, 0.1, 0.6)
ID3V1 = b"TAG" + b"Somebody".ljust(125, b"\0")
FRAMES = (b"\xff\xfb\x90\x00" + bytes(413)) * 5


def ape(text: bytes, header: bool = True) -> bytes:
    item = struct.pack("<II", len(text), 0) + b"Title\0" + text
    said = struct.pack("<IIII", 2000, len(item) + 32, 1, (header << 31))
    end = b"APETAGEX" + said + bytes(8)
    return (b"APETAGEX" + said[:12] + struct.pack("<I", 5 << 29) + bytes(8) if header else b"") + item + end


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


def test_what_was_kept_is_found(tmp_path):
    cache.keep(tmp_path / "new", "a", SOUND)
    cache.keep(tmp_path / "new", "b", Measured())
    assert cache.find(tmp_path / "new", "a") == SOUND
    assert cache.find(tmp_path / "new", "b") == Measured()
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a.json", "b.json"]
    assert cache.find(tmp_path / "new", "c") is None
    assert cache.find(tmp_path / "nowhere", "a") is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", 12),
        ("key", 1.0),
        ("key", None),
        ("mode", True),
        ("energy", 1.1),
        ("tempo_bpm", "128"),
        ("loudness", float("nan")),
    ],
)
def test_an_entry_with_a_value_that_cannot_be_is_none(tmp_path, field, value):
    cache.keep(tmp_path, "a", SOUND)
    said = json.loads((tmp_path / "a.json").read_text())
    said["sound"][field] = value
    (tmp_path / "a.json").write_text(json.dumps(said))
    assert cache.find(tmp_path, "a") is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"version": 1}', b'{"version": 1, "sound": 3}', b"\xff\xfe", b"[" * 9999]
)
def test_a_broken_entry_is_none(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    assert cache.find(tmp_path, "a") is None


def test_entries_of_another_analysis_are_none(tmp_path, monkeypatch):
    cache.keep(tmp_path, "a", SOUND)
    monkeypatch.setattr(cache, "VERSION", cache.VERSION + 1)
    assert cache.find(tmp_path, "a") is None


def test_a_disk_that_is_full_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        cache.keep(tmp_path, "a", SOUND)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_did_not_change_is_known_by_its_time(tmp_path):
    path, folder = tmp_path / "a.ogg", tmp_path / "cache"
    path.write_bytes(b"OggS1")
    mark = cache.file_fingerprint(path)
    assert cache.find_hash(folder, mark) is None
    cache.keep_hash(folder, mark, sound_hash(path))
    assert cache.find_hash(folder, cache.file_fingerprint(path)) == sound_hash(path)
    path.write_bytes(b"OggS22")
    assert cache.file_fingerprint(path) != mark
    (folder / f"{mark}.hash").write_text("../../secret")
    assert cache.find_hash(folder, mark) is None


def test_the_cache_is_where_the_user_says(monkeypatch, tmp_path):
    monkeypatch.setenv("DISCO_CACHE", str(tmp_path))
    assert cache.user_cache() == tmp_path / "audio"
    monkeypatch.delenv("DISCO_CACHE")
    assert cache.user_cache().name == "audio"
    assert "disco" in cache.user_cache().parts
