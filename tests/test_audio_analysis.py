"""What tags leave out is measured from the sound: in processes, kept at once, past broken files; tags win."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from test_audio import write_mp3

from disco.catalogue import FEATURES
from disco.errors import DataError
from disco.sources import audio
from disco.sources.audio import analysis, cache
from disco.sources.audio.cache import Measured
from disco.sources.audio.fingerprint import sound_hash

soundfile = pytest.importorskip("soundfile", reason="needs the extra [audio]")
RATE = 22_050
GIVEN = ("loudness", "energy", "acousticness", "danceability")


def write_music(path: Path, bpm: float = 120, seconds: int = 12, height: float = 0.1, rate: int = RATE) -> Path:
    """A held chord of A minor with drums."""
    rng, t = np.random.default_rng(round(bpm)), np.arange(rate * seconds) / rate
    sound = sum((height * np.sin(2 * np.pi * hertz * t) for hertz in (220, 261.63, 329.63, 440)), np.zeros(len(t)))
    hit = 4 * height * rng.standard_normal(rate // 5) * np.exp(-np.arange(rate // 5) / (rate / 30))
    for start in np.arange(0, len(t) - len(hit), rate * 60 / bpm).round().astype(int):
        sound[start : start + len(hit)] += hit
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.stack([sound, sound], axis=1).clip(-1, 1), rate)
    return path


@pytest.mark.slow
def test_what_tags_leave_out_is_measured(tmp_path):
    write_music(tmp_path / "a.wav")
    catalogue = audio.read(tmp_path)
    (track,) = catalogue.tracks(np.array([0]))
    assert track["tempo_bpm"] in (pytest.approx(120, abs=0.5), pytest.approx(60, abs=0.5))
    assert (track["key"], track["mode"]) == (9, 0)
    assert (track["key_origin"], track["tempo_origin"]) == ("sound", "sound")
    assert 0 <= track["key_confidence"] <= 1
    assert 0 <= track["tempo_confidence"] <= 1
    assert track["feature_set"] == "audio-1"
    assert {name for name in FEATURES if track[name] is not None} == set(GIVEN)
    assert -25 < track["loudness"] < -5
    assert any("the sound of 1 measured: key of 1, tempo of 1" in note for note in catalogue.notes)


def test_what_tags_say_wins(tmp_path):
    path = write_music(tmp_path / "a.flac")
    measured = analysis.measure(path)
    tags = audio.Tags("T", ["A"], None, [], 12_000, 99.0, (3, 1), None)
    track = audio._track(path, tags, measured)
    assert (track["tempo_bpm"], track["key"], track["mode"]) == (99.0, 3, 1)
    assert (track["key_origin"], track["tempo_origin"]) == ("tag", "tag")
    assert track["key_confidence"] is track["tempo_confidence"] is None
    assert track["energy"] == measured.energy is not None


@pytest.mark.slow
def test_louder_music_has_more_energy(tmp_path):
    calm, loud = (analysis.measure(write_music(tmp_path / f"{h}.wav", height=h)) for h in (0.01, 0.2))
    assert loud.loudness == pytest.approx(calm.loudness + 26, abs=1)
    assert loud.energy > calm.energy + 0.2
    assert loud.acousticness < calm.acousticness - 0.2


def test_silence_is_unknown_and_no_fault(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE * 5), RATE)
    catalogue = audio.read(tmp_path)
    (track,) = catalogue.tracks(np.array([0]))
    assert all(track[name] is None for name in (*FEATURES, "key", "tempo_bpm", "feature_set", "key_origin"))
    assert not any("not measured" in note for note in catalogue.notes)


@pytest.mark.parametrize("samples", [1, 1000, RATE // 2, RATE * 2 + 7])
def test_short_sounds_are_no_fault(tmp_path, samples):
    soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(np.arange(samples) / 9), RATE)
    assert isinstance(analysis._tried(tmp_path / "a.wav"), Measured)


@pytest.mark.slow
def test_the_second_reading_decodes_nothing(tmp_path, monkeypatch):
    files = [write_music(tmp_path / f"{bpm}.wav", bpm) for bpm in (100, 120)]
    first = audio.read(tmp_path).table
    asked: list[Path] = []
    monkeypatch.setattr(analysis, "measure", lambda path: asked.append(path) or Measured())
    assert audio.read(tmp_path).table == first
    assert asked == []
    with monkeypatch.context() as patch:  # files that did not change are not even read
        patch.setattr(analysis, "sound_hash", asked.append)
        assert audio.read(tmp_path).table == first
    assert asked == []
    files[0].rename(tmp_path / "renamed.wav")
    assert audio.read(tmp_path).table["energy"].to_pylist() == first["energy"].to_pylist()[::-1]
    assert asked == []
    for entry in cache.user_cache().iterdir():
        entry.unlink()
    audio.read(tmp_path)
    assert len(asked) == 2


@pytest.mark.slow
def test_an_interrupted_reading_goes_on(tmp_path, monkeypatch):
    files = [write_music(tmp_path / f"{bpm}.wav", bpm) for bpm in (100, 110, 120)]
    honest, asked = analysis.measure, list[Path]()

    def until(n):
        def measured(path):
            if len(asked) == n:
                raise KeyboardInterrupt
            asked.append(path)
            return honest(path)

        return measured

    monkeypatch.setattr(analysis, "measure", until(1))
    with pytest.raises(KeyboardInterrupt):
        audio.read(tmp_path)
    monkeypatch.setattr(analysis, "measure", until(99))
    assert audio.read(tmp_path).table["energy"].null_count == 0
    assert sorted(asked) == files


def test_kinds_that_are_not_decoded_are_reported_without_a_try(tmp_path):
    problems: dict[str, list[Path]] = {}
    assert analysis.measure_all([tmp_path / "a.m4a", tmp_path / "B.WMA"], problems) == {}
    assert problems == {"of a kind that is not decoded (M4A, WMA)": [tmp_path / "a.m4a", tmp_path / "B.WMA"]}


def test_a_file_that_went_away_is_reported(tmp_path):
    problems: dict[str, list[Path]] = {}
    assert analysis.measure_all([tmp_path / "gone.wav"], problems) == {}
    assert problems == {"cannot be read (No such file or directory)": [tmp_path / "gone.wav"]}


@pytest.mark.slow
def test_a_copy_is_measured_once(tmp_path, monkeypatch):
    for name in ("a.wav", "b.wav", "c.wav"):
        write_music(tmp_path / name)
    honest, asked = analysis.measure, list[Path]()
    monkeypatch.setattr(analysis, "measure", lambda path: asked.append(path) or honest(path))
    assert audio.read(tmp_path).table["energy"].null_count == 0
    assert len(asked) == 1


@pytest.mark.slow
def test_broken_files_do_not_stop_the_others_in_processes(tmp_path):
    for bpm in (100, 110, 120):
        write_music(tmp_path / f"{bpm}.wav", bpm)
    for n in range(4):  # a head that tags can be read of, and no sound that can be decoded
        (tmp_path / f"broken{n}.flac").write_bytes(flac_without_sound(n))
    catalogue = audio.read(tmp_path)
    assert len(catalogue) == 7
    assert catalogue.table["energy"].null_count == 4
    (note_text,) = [note for note in catalogue.notes if "not measured" in note]
    assert "4 not measured" in note_text
    assert "broken0.flac, broken1.flac, broken2.flac and 1 more" in note_text
    with cache.Cache() as stored:
        for path in [*tmp_path.glob("1*.wav")]:  # processes measure what this one does
            assert analysis.measure(path) == stored.find(sound_hash(path))


def flac_without_sound(n: int) -> bytes:
    info = bytes.fromhex("1000 1000 000000 000000 0ac442f000100000") + bytes([n] * 16)
    return b"fLaC" + b"\x80\x00\x00\x22" + info + b"no frames here" * 50


def ends_its_process(path: Path) -> Measured | str:
    if path.name.startswith("bad"):
        os._exit(3)
    return Measured(energy=0.5)


@pytest.mark.slow
def test_a_file_that_ends_its_process_is_named_and_the_others_go_on(monkeypatch):
    monkeypatch.setattr(analysis, "_tried", ends_its_process)
    files = [Path(name) for name in ("a", "bad", "b", "c", "d")]
    results = dict(analysis._results(files, 2))
    assert set(results) == set(files)
    assert results.pop(Path("bad")) == "ended the program that read it"
    assert set(results.values()) == {Measured(energy=0.5)}


@pytest.mark.slow
def test_a_machine_on_which_every_process_ends_is_given_up(monkeypatch):
    monkeypatch.setattr(analysis, "_tried", ends_its_process)
    results = dict(analysis._results([Path(f"bad{n}") for n in range(9)], 2))
    assert len(results) == 9
    assert sum("one after another" in str(result) for result in results.values()) == 6


@pytest.mark.slow
def test_a_full_disk_is_one_warning_and_the_work_continues(tmp_path, monkeypatch, caplog):
    def full(self, *_):
        raise DataError(self.path, "cannot be written (database or disk is full)")

    monkeypatch.setattr(cache.Cache, "add", full)
    for bpm in (100, 120):
        write_music(tmp_path / f"{bpm}.wav", bpm)
    assert audio.read(tmp_path).table["energy"].null_count == 0
    (message,) = [text for text in caplog.messages if "is full" in text]
    assert message.endswith("sqlite: cannot be written (database or disk is full); measurements are not stored")


def test_without_the_extra_a_note_says_which(tmp_path, monkeypatch):
    monkeypatch.setattr(analysis, "available", lambda: False)
    write_mp3(tmp_path / "a.mp3", TIT2="One", TPE1="Anna", TBPM="128")
    catalogue = audio.read(tmp_path)
    assert catalogue.table["tempo_bpm"].to_pylist() == [128]
    assert catalogue.table["feature_set"].to_pylist() == [None]
    assert any("pip install '.[audio]'" in note for note in catalogue.notes)
    assert not any("[audio]" in note for note in audio.read(tmp_path, sound=False).notes)


def test_the_reason_of_a_decoder_is_whole_and_one_for_files_at_every_depth(tmp_path):
    head = bytes.fromhex("664c6143000000121200120000000e0000100ac442f000027ac08100103c")
    long = "House and friends, bought and dug out/of all the years (1999: 2020)/Various Artists/Some Album"
    files = []
    for number, folder in enumerate(("x", "House: and friends", long, "a 'quoted' one")):
        (tmp_path / folder).mkdir(parents=True)
        files.append(tmp_path / folder / "01 - Odd.flac")
        files[-1].write_bytes(head + bytes([number]) * 4156)
    problems: dict[str, list] = {}
    analysis.measure_all(files, problems, workers=1)
    assert list(problems.values()) == [files]
    (reason,) = problems
    assert reason.startswith("cannot be decoded (File contains data in an unimplemented format")
