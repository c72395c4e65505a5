"""A folder of audio files as a source: tags are read, unreadable files are reported, the rest is read."""

from __future__ import annotations

import os
import struct
import wave
from pathlib import Path

import pytest

from disco.errors import DataError, NotFoundError
from disco.sources import audio


def frame(name: str, text: str) -> bytes:
    body = b"\x03" + text.encode()
    return name.encode() + struct.pack(">IH", len(body), 0) + body


def write_mp3(path: Path, **frames: str) -> Path:
    """A second of silent MPEG layer III, 128 kbit/s at 44.1 kHz, with ID3v2.3 frames by their names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tag = b"".join(frame(name, text) for name, text in frames.items())
    size = bytes((len(tag) >> shift) & 127 for shift in (21, 14, 7, 0))
    sound = (b"\xff\xfb\x90\x00" + bytes(413)) * 39
    path.write_bytes(b"ID3\x03\x00\x00" + size + tag + sound)
    return path


def write_example(folder: Path) -> Path:
    """A small folder of audio files with key and tempo in their tags."""
    write_mp3(folder / "a" / "one.mp3", TIT2="One", TPE1="Anna", TBPM="128", TKEY="Am", TSRC="XX0000000001")
    write_mp3(folder / "a" / "two.mp3", TIT2="Two", TPE1="Ben", TBPM="126.5", TKEY="8A")
    write_mp3(folder / "b" / "Cleo - Three.mp3", TBPM="64 BPM", TKEY="1m")
    return folder


def test_tags_become_tracks(tmp_path):
    catalogue = audio.read(write_example(tmp_path))
    table = catalogue.table
    assert table["title"].to_pylist() == ["One", "Two", "Three"]
    assert table["artists"].to_pylist() == [["Anna"], ["Ben"], ["Cleo"]]
    assert table["key"].to_pylist() == [9, 9, 9]
    assert table["mode"].to_pylist() == [0, 0, 0]
    assert table["tempo_bpm"].to_pylist() == [128, 126.5, 64]
    assert table["key_origin"].to_pylist() == table["tempo_origin"].to_pylist() == ["tag"] * 3
    assert table["isrc"][0].as_py() == "XX0000000001"
    assert table["track_id"].to_pylist() == table["path"].to_pylist()
    assert table["path"][0].as_py() == str(tmp_path / "a" / "one.mp3")
    assert all(900 < ms < 1100 for ms in table["duration_ms"].to_pylist())
    assert table["feature_set"].null_count == 3
    assert "key of 3 and the tempo of 3" in catalogue.notes[0]


def test_what_cannot_be_read_is_reported_and_the_rest_goes_on(tmp_path):
    write_example(tmp_path)
    (tmp_path / "empty.mp3").touch()
    (tmp_path / "lie.flac").write_text("I am a letter, not a sound.\n" * 40)
    (tmp_path / "cut.wav").write_bytes(b"RIFF\x00\x00")
    (tmp_path / ".hidden.mp3").touch()
    (tmp_path / "cover.jpg").touch()
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "self.mp3").symlink_to(tmp_path / "self.mp3")
    catalogue = audio.read(tmp_path)
    assert len(catalogue) == 3
    notes = "\n".join(catalogue.notes)
    for name in ("empty.mp3", "lie.flac", "cut.wav"):
        assert name in notes
    assert "cover" not in notes
    assert ".hidden" not in notes


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may open every folder")
def test_a_folder_that_may_not_be_opened_is_reported(tmp_path):
    write_example(tmp_path)
    (tmp_path / "b").chmod(0)
    try:
        catalogue = audio.read(tmp_path)
    finally:
        (tmp_path / "b").chmod(0o700)
    assert len(catalogue) == 2
    assert any("cannot be opened" in note for note in catalogue.notes)


def test_nothing_to_read_is_one_sentence(tmp_path):
    with pytest.raises(DataError, match="holds no audio file"):
        audio.read(tmp_path)
    with pytest.raises(NotFoundError, match="no such file or folder"):
        audio.read(tmp_path / "nowhere")
    (tmp_path / "empty.mp3").touch()
    with pytest.raises(DataError, match=r"1 left out, empty: empty\.mp3"):
        audio.read(tmp_path)


def test_keys_that_mean_nothing_are_unknown_and_reported(tmp_path):
    write_mp3(tmp_path / "x.mp3", TIT2="X", TPE1="Y", TKEY="o", TBPM="0")
    catalogue = audio.read(tmp_path)
    assert catalogue.table["key"].to_pylist() == catalogue.table["tempo_bpm"].to_pylist() == [None]
    assert any("1 keys taken as unknown: 'o'" in note for note in catalogue.notes)


def test_a_wave_file_without_tags_goes_by_its_name(tmp_path):
    with wave.open(str(tmp_path / "03. Anna - Some <b>Song.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))
    table = audio.read(tmp_path).table
    assert table["title"].to_pylist() == ["Some <b>Song"]
    assert table["artists"].to_pylist() == [["Anna"]]


def test_places_are_recognised_without_raising(tmp_path):
    assert not audio.can_read(tmp_path)
    assert not audio.can_read(tmp_path / "nowhere")
    assert not audio.can_read(Path("a\0b"))
    assert audio.can_read(write_example(tmp_path))
    assert audio.can_read(tmp_path / "a" / "one.mp3")


def test_lists_in_the_folder_name_its_tracks(tmp_path):
    catalogue = audio.read(write_example(tmp_path))
    (tmp_path / "mine.m3u8").write_text(
        "#EXTM3U\n#PLAYLIST:Mine\n#EXTINF:1,Cleo - Three\nb/Cleo - Three.mp3\na/one.mp3\n"
    )
    (tmp_path / "broken.m3u8").write_bytes(b"\xff\xfe\x00")
    (listed,) = audio.playlists(tmp_path)
    assert listed.name == "Mine"
    assert listed.rows(catalogue).tolist() == [2, 0]
