"""Key and tempo from sound, on music made so that both are known, and on what has neither."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import synthetic_music
from helpers.examples import at_most
from hypothesis import given
from hypothesis import strategies as st

from disco.errors import DataError
from disco.sources.audio import signal as sounds
from disco.sources.audio.key import PROFILES, chroma, key
from disco.sources.audio.signal import RATE, Sound, decode, resampled
from disco.sources.audio.tempo import tempo


def folded_apart(found: float, bpm: float) -> float:
    return min(abs(found * 2.0**e - bpm) for e in (-1, 0, 1))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tonic", "mode", "bpm", "timbre"),
    [(9, 0, 93.4, "organ"), (0, 1, 128.0, "pluck"), (6, 1, 174.2, "strings"), (3, 0, 66.6, "pluck")],
)
def test_a_piece_has_the_key_and_tempo_that_it_was_made_in(tonic, mode, bpm, timbre):
    piece = Sound(synthetic_music.made(tonic, mode, bpm, timbre, seconds=25), RATE)
    assert key(piece)[:2] == (tonic, mode)
    found, confidence = tempo(piece)
    assert folded_apart(found, bpm) < 0.3
    assert 0 < confidence <= 1


@pytest.mark.slow
def test_of_made_music_nearly_all_is_analysed_right():
    rng, keys, tempos = np.random.default_rng(8), 0, 0
    every = [(tonic, mode, timbre) for tonic in range(12) for mode in (0, 1) for timbre in synthetic_music.TIMBRES]
    for tonic, mode, timbre in every:
        bpm = rng.uniform(60, 180)
        piece = Sound(synthetic_music.made(tonic, mode, bpm, timbre, seed=3, seconds=16), RATE)
        keys += key(piece)[:2] == (tonic, mode)
        tempos += folded_apart(tempo(piece)[0], bpm) <= 0.5
    assert keys >= 0.95 * len(every)
    assert tempos >= 0.95 * len(every)


def test_a_tempo_is_found_between_the_pieces_of_the_grid():
    # 23 ms a piece: without the line through the beats 127.3 BPM would be 125.0 or 129.2.
    samples = np.zeros(30 * RATE, dtype=np.float32)
    for n in range(int(30 * 127.3 / 60)):
        at = int(n * 60 / 127.3 * RATE)
        samples[at : at + 200] = np.hanning(200)[: len(samples[at : at + 200])]
    assert folded_apart(tempo(Sound(samples, RATE))[0], 127.3) < 0.1


@pytest.mark.slow
def test_transposed_music_is_in_the_transposed_key():
    for up in (1, 5, 7):
        assert key(Sound(synthetic_music.made((2 + up) % 12, 1, 120, "organ", seconds=12), RATE))[:2] == (
            (2 + up) % 12,
            1,
        )


def test_what_has_no_beat_or_pitch_has_no_tempo_or_key():
    silence = Sound(np.zeros(10 * RATE, dtype=np.float32), RATE)
    constant = Sound(np.full(10 * RATE, 0.5, dtype=np.float32), RATE)
    for nothing in (silence, constant):
        assert key(nothing) == (None, None, 0.0)
        assert np.isnan(tempo(nothing)[0])
    steady = Sound(np.sin(2 * np.pi * 440 * np.arange(10 * RATE) / RATE).astype(np.float32), RATE)
    assert chroma(steady).argmax() == 9  # A
    assert np.isnan(tempo(steady)[0])


@pytest.mark.parametrize("seed", range(4))
def test_noise_has_neither(seed):
    noise = Sound(np.random.default_rng(seed).normal(size=20 * RATE).astype(np.float32) / 10, RATE)
    assert key(noise) == (None, None, 0.0)
    assert np.isnan(tempo(noise)[0])


def test_a_click_has_a_tempo_and_no_key():
    samples = np.zeros(20 * RATE, dtype=np.float32)
    samples[:: RATE // 2] = 1
    assert folded_apart(tempo(Sound(samples, RATE))[0], 120) < 0.1
    assert key(Sound(samples, RATE)) == (None, None, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("extreme", [np.nan, np.inf, -np.inf, 3e38])
def test_samples_that_are_no_sound_do_not_spread(tmp_path, extreme):
    soundfile = pytest.importorskip("soundfile")
    rate = 44_100
    piece = synthetic_music.made(7, 1, 100, "organ", seconds=10)
    both = np.stack([np.repeat(piece, 2)] * 2, axis=1)
    both[1000:1010, 0] = extreme
    soundfile.write(tmp_path / "a.wav", both, rate, subtype="FLOAT")
    decoded = decode(tmp_path / "a.wav")
    assert np.isfinite(decoded.samples).all()
    assert np.isfinite(decoded.long).all()
    assert key(decoded)[:2] == (7, 1)


@at_most(25)
@given(st.integers(0, 3 * RATE), st.integers(0, 1000))
def test_any_sound_is_survived(length, seed):
    samples = np.random.default_rng(seed).normal(size=length).astype(np.float32)
    piece = Sound(samples, RATE)
    tonic, mode, sure = key(piece)
    bpm, certain = tempo(piece)
    assert (tonic is None) == (mode is None)
    assert 0 <= sure <= 1
    assert 0 <= certain <= 1
    assert np.isnan(bpm) or 25 < bpm < 420


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000, 96_000, 22_051])
def test_another_rate_is_the_same_sound(rate):
    seconds = np.arange(2 * rate) / rate
    tone = np.sin(2 * np.pi * 500 * seconds).astype(np.float32)
    made = resampled(tone, rate, RATE)
    assert abs(len(made) - 2 * RATE) <= 1
    inner = slice(RATE // 2, RATE)
    np.testing.assert_allclose(made[inner], np.sin(2 * np.pi * 500 * np.arange(2 * RATE)[inner] / RATE), atol=0.01)


def test_profiles_have_twelve_classes_and_their_tonic_first():
    for major, minor in PROFILES.values():
        assert len(major) == len(minor) == 12
        assert max(major) == major[0]
        assert max(minor) == minor[0]


def test_files_are_decoded_the_middle_of_long_ones(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    rate = 44_100
    rising = np.linspace(-0.9, 0.9, 6 * rate, dtype=np.float32)
    soundfile.write(tmp_path / "a.wav", np.stack([rising, rising], axis=1), rate)
    decoded = decode(tmp_path / "a.wav", seconds=2)
    assert decoded.rate == RATE
    assert abs(decoded.seconds - 2) < 0.01
    assert abs(decoded.samples[RATE // 2 : -RATE // 2].mean()) < 0.01  # the middle of what rises from -0.9 to 0.9
    for name, content in (("b.wav", b""), ("c.mp3", b"no sound at all" * 50), ("d.ogg", b"OggS" + bytes(100))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=r"cannot be decoded|holds no sound"):
            decode(tmp_path / name)


@pytest.mark.slow
def test_smooth_numbers_are_the_least():
    for n in (1, 2, 7, 11, 1001, 44_099):
        found = sounds._smooth(n)
        plain = next(m for m in range(n, 2 * n + 2) if all(p in (2, 3, 5) for p in _primes(m)))
        assert found == plain


def _primes(n: int) -> list[int]:
    found, p = [], 2
    while n > 1:
        while n % p == 0:
            found.append(p)
            n //= p
        p += 1
    return found
