"""Loudness by what the recommendation says of sines; estimates by what must hold on synthesised sound."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disco.catalogue import FEATURES
from disco.sources.audio.estimates import LINES, SpectralStats, estimate, spectral_stats
from disco.sources.audio.loudness import loudness
from disco.sources.files import tables

sys.path.insert(0, str(Path(__file__).parents[1] / "data-wrangling"))
import estimates as fitted

RATE = 22_050
STATS = SpectralStats(density=4.5, steadiness=0.7, sharpness=11.0)


def sine(hertz: float, seconds: float = 5, height: float = 1.0) -> np.ndarray:
    return (height * np.sin(2 * np.pi * hertz * np.arange(round(RATE * seconds)) / RATE)).astype(np.float32)


def music(beats: float = 0, noise: float = 0.0, seconds: int = 20, jitter: float = 0.0) -> np.ndarray:
    """A held chord, with drums so often a minute, and noise under it."""
    rng = np.random.default_rng(0)
    sound = sum((sine(hertz, seconds, 0.1) for hertz in (220, 277.2, 329.6)), np.zeros(RATE * seconds, np.float32))
    hit = rng.standard_normal(4410) * np.exp(-np.arange(4410) / 800) * 0.5
    for n in range(int(seconds * beats / 60)):
        start = round(RATE * (n + jitter * rng.uniform(-1, 1)) * 60 / beats)
        sound[max(start, 0) : start + 4410] += hit[: max(len(sound[max(start, 0) : start + 4410]), 0)]
    return (sound + noise * rng.standard_normal(len(sound))).astype(np.float32)


def stats_of(samples: np.ndarray) -> SpectralStats:
    frames = np.lib.stride_tricks.sliding_window_view(samples, 2048)[::512] * np.hanning(2048)
    found = spectral_stats(
        np.abs(np.fft.rfft(frames)).astype(np.float32), np.fft.rfftfreq(2048, 1 / RATE), RATE / 512
    )
    assert found is not None
    return found


@pytest.mark.parametrize(("height", "decibels"), [(1.0, 0.0), (0.1, -20.0), (0.01, -40.0)])
def test_a_sine_in_both_channels_is_as_loud_as_the_recommendation_says(height, decibels):
    # -3.01 for one channel, and 3.01 more for two.
    assert loudness(sine(997, height=height), RATE) == pytest.approx(decibels, abs=0.02)


def test_deep_tones_count_less_as_to_the_ear():
    assert loudness(sine(40), RATE) < loudness(sine(997), RATE) - 5
    assert loudness(sine(5000), RATE) > loudness(sine(997), RATE) + 2


@pytest.mark.slow
def test_pauses_are_gated():
    loud = sine(997, 10)
    paused = np.concatenate([loud, np.zeros(RATE * 30, np.float32), sine(997, 10, 0.001)])
    assert loudness(paused, RATE) == pytest.approx(loudness(loud, RATE), abs=0.2)


@pytest.mark.slow
def test_filtering_in_pieces_changes_nothing():
    sound = np.random.default_rng(0).standard_normal(RATE * 95).astype(np.float32) * 0.1
    whole, parts = loudness(sound, RATE), [loudness(sound[: RATE * n], RATE) for n in (29, 31, 61)]
    assert parts == pytest.approx([whole] * 3, abs=0.05)


@pytest.mark.parametrize("samples", [0, 1, 100, RATE])
def test_silence_has_no_loudness(samples):
    assert math.isnan(loudness(np.zeros(samples, np.float32), RATE))


def test_the_shortest_sounds_are_measured():
    assert -20 < loudness(sine(997, 0.1), RATE) < 0


@pytest.mark.slow
@given(st.floats(-60, 0), st.floats(0, 30), st.floats(0, 1), st.floats(0, 30), st.floats(10, 400) | st.just(math.nan))
def test_estimates_stay_in_their_range(decibels, density, steadiness, sharpness, tempo):
    values = estimate(SpectralStats(density, steadiness, sharpness), decibels, tempo)
    assert set(values) == {"energy", "acousticness", "danceability"} < set(FEATURES)
    assert all(0 <= value <= 1 for value in values.values())


# EBU Tech 3341 (2023), table 1, cases 1 to 5: level in dB and seconds of each part of a 1000 Hz sine.
EBU_3341 = {
    "one level": ([(-23, 20)], -23.0),
    "ten decibels lower": ([(-33, 20)], -33.0),
    "relative gate": ([(-36, 10), (-23, 60), (-36, 10)], -23.0),
    "absolute gate": ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),
    "average": ([(-26, 20), (-20, 20.1), (-26, 20)], -23.0),
}


@pytest.mark.slow
@pytest.mark.parametrize(("parts", "level"), EBU_3341.values(), ids=EBU_3341)
def test_loudness_meets_the_test_signals_of_the_ebu(parts, level):
    tones = [
        10 ** (height / 20) * np.sin(2 * np.pi * 1000 * np.arange(int(RATE * seconds)) / RATE)
        for height, seconds in parts
    ]
    assert loudness(np.concatenate(tones).astype(np.float32), RATE) == pytest.approx(level, abs=0.1)


def test_a_middling_sound_gets_what_its_loudness_and_tempo_say():
    assert estimate(STATS, -7, 120) == pytest.approx({"energy": 0.675, "acousticness": 0.224, "danceability": 0.648})
    assert set(estimate(STATS, math.nan, 120)) == {"danceability"}


@given(st.floats(-60, 0), st.floats(0, 10))
def test_louder_is_more_energy_and_less_acoustic(decibels, more):
    calm, loud = estimate(STATS, decibels, 120), estimate(STATS, min(decibels + more, 0), 120)
    assert loud["energy"] >= calm["energy"]
    if decibels > -30:  # below, real tracks go the other way by 0.016
        assert loud["acousticness"] <= calm["acousticness"]


@pytest.mark.slow
def test_denser_is_more_energy_and_less_acoustic():
    sparse, dense = (stats_of(music(beats, noise)) for beats, noise in ((0, 0.0), (240, 0.02)))
    assert sparse.density < dense.density
    assert sparse.sharpness > dense.sharpness
    calm, wild = (estimate(sound, -12, 120) for sound in (sparse, dense))
    assert calm["energy"] < wild["energy"] - 0.05
    assert calm["acousticness"] > wild["acousticness"] + 0.1


@pytest.mark.slow
def test_a_steady_beat_is_more_danceable():
    steady, loose = (stats_of(music(120, jitter=jitter)) for jitter in (0.0, 0.45))
    assert steady.steadiness > 0.8 > loose.steadiness
    assert estimate(steady, -10, 120)["danceability"] > estimate(loose, -10, 120)["danceability"] + 0.05


@pytest.mark.parametrize("scale", [1e-3, 10.0])
def test_the_statistics_do_not_depend_on_the_level(scale):
    sound = music(120, 0.01)
    a, b = stats_of(sound), stats_of(sound * np.float32(scale))
    assert (a.density, a.steadiness, a.sharpness) == pytest.approx((b.density, b.steadiness, b.sharpness), rel=1e-3)


def test_silence_and_snippets_tell_nothing():
    frequencies = np.linspace(0, 11_025, 1025)
    assert spectral_stats(np.zeros((400, 1025), np.float32), frequencies, 43.0) is None
    assert spectral_stats(np.ones((40, 1025), np.float32), frequencies, 43.0) is None
    assert spectral_stats(np.ones((0, 1025), np.float32), frequencies, 43.0) is None


def test_a_piecewise_linear_function_is_fitted_from_noisy_points():
    rng = np.random.default_rng(0)
    knots, heights = np.array([0.0, 1, 3]), np.array([1.0, 0, 4])
    x = rng.uniform(0, 3, 5000)
    y = np.interp(x, knots, heights) + rng.normal(0, 0.1, len(x))
    fit, error, deviation = fitted.fit(x, y, knots, np.arange(len(x)) % 5 == 0)
    assert fit == pytest.approx(heights, abs=0.02)
    assert error == pytest.approx(0.1, abs=0.01)
    assert deviation > 0.8


@pytest.mark.slow
def test_the_committed_estimates_equal_the_fit_on_real_tracks(shared):
    report = {line.split(" ")[0]: line for line in fitted.report(tables.read(shared / "tracks.parquet"))}
    for name, line in LINES.items():
        assert ", ".join(f"{h:.3f}" for h in line.heights) in report[name]
        assert f"error {line.error:.3f}" in report[name]
        assert line.knots == fitted.FITS[name][1]
