"""Tempo from sound: onsets, the period at which they repeat, and a straight line through the beats.

Source: Ellis (2007), "Beat tracking by dynamic programming", Journal of New Music Research 36(1): onset strength,
autocorrelation under a log-Gaussian preference, beats as the best path. The line through the beats is ours: it frees
the tempo from the grid of the frames, on which 120 BPM lie 3 BPM apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats
from disco.sources.audio.signal import Sound, band_edges

# Bands in which onsets are looked for, evenly spread over the octaves, so that a bass drum counts beside cymbals.
_BANDS, _LOWEST_HZ, _HIGHEST_HZ = 32, 30.0, 10_000.0
# Tempos that are looked for, and the one that is preferred, by so many octaves: Ellis' are 120 and 1.
_SLOWEST, _FASTEST, _PREFERRED, _WIDTH = 50.0, 210.0, 120.0, 0.8
# How much a beat that comes too early or too late costs, as Ellis has it.
_TIGHT = 100.0
# An onset makes at least one band three times as loud at once: a steady tone has none, and its errors are no beat.
_FAINTEST = 1.0
# Fewer beats are no tempo.
_LEAST_BEATS = 8


def tempo(sound: Sound) -> tuple[float, float]:
    """Beats per minute, and the confidence in it from 0 to 1; NaN and 0 where there is no beat."""
    # Less than two seconds have no measurable tempo.
    strength = onsets(sound) if len(sound.short) > 2 * sound.short_rate else np.zeros(0, dtype=np.float32)
    if not strength.any():
        return np.nan, 0.0
    period, confidence = _period(strength, sound.short_rate)
    if not period:
        return np.nan, 0.0
    beats = _beats(strength, period)
    if len(beats) < _LEAST_BEATS:
        return np.nan, 0.0
    fitted = _line(_refined(strength, beats), period)
    return 60 * sound.short_rate / fitted, confidence


def onsets(sound: Sound) -> Floats:
    """Onset strength: how much louder each short frame is than the one before, shape (frames,); zeros if none."""
    edges = band_edges(np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _BANDS + 1), sound.short.shape[1], sound.rate)
    edges = np.unique(edges)
    bands = np.add.reduceat(sound.short**2, edges[:-1], axis=1)
    # Half a millionth of the loudest is silence: what is quieter are errors of the encoder.
    floor = max(float(bands.max(initial=0)) * 1e-6, 1e-9)
    louder = np.diff(np.log(np.maximum(bands, floor)), axis=0)
    strength = np.maximum(louder, 0).sum(axis=1)
    if strength.max(initial=0) < _FAINTEST:
        return np.zeros(len(sound.short), dtype=np.float32)
    strength = np.r_[0, strength]
    around = int(sound.short_rate / 2) * 2 + 1
    level = np.convolve(strength, np.ones(around) / around, mode="same")
    strength = np.maximum(strength - level, 0)
    return np.asarray(strength / max(float(strength.std()), 1e-9), dtype=np.float32)


def _period(strength: Floats, rate: float) -> tuple[float, float]:
    """Frames from beat to beat, and the confidence; 0 where nothing repeats."""
    n = len(strength)
    spectrum = np.fft.rfft(strength - strength.mean(), 2 * n)
    again = np.fft.irfft(np.abs(spectrum) ** 2)[:n]
    if again[0] <= 0:
        return 0.0, 0.0
    again = again / (again[0] * (1 - np.arange(n) / n))
    shortest, longest = int(60 * rate / _FASTEST), min(int(60 * rate / _SLOWEST) + 1, (n - 2) // 4)
    if longest <= shortest:
        return 0.0, 0.0
    lags = np.arange(shortest, longest, 0.25)

    def at(times: float) -> NDArray[np.floating]:
        return np.asarray(np.interp(times * lags, np.arange(n), again))

    # What comes back after a beat does so after two and four; and half of it, where there are off-beats.
    score = at(1) + 0.5 * at(2) + 0.25 * at(4)
    preferred = np.exp(-0.5 * (np.log2(60 * rate / lags / _PREFERRED) / _WIDTH) ** 2)
    best = int(np.argmax(score * preferred))
    confidence = float(np.clip(score[best] / 1.75, 0, 1))
    # Noise comes back, too, by chance: its three terms have a deviation of 1.15 / sqrt(n), and over all lags the
    # highest reaches about three and a half of them.
    return (float(lags[best]), confidence) if score[best] > max(0.05, 4 / np.sqrt(n)) else (0.0, 0.0)


def _beats(strength: Floats, period: float) -> NDArray[np.intp]:
    """Frames with beats: the path of the most strength whose steps are near to the period."""
    width = period / 32
    reach = np.arange(-int(period), int(period) + 1)
    local = np.convolve(strength, np.exp(-0.5 * (reach / width) ** 2), mode="same").astype(float)
    steps = np.arange(round(period / 2), round(2 * period) + 1)
    price = _TIGHT * np.log(steps / period) ** 2
    paid = local.copy()
    before = np.full(len(local), -1, dtype=np.intp)
    for i in range(steps[0], len(local)):
        some = steps[: np.searchsorted(steps, i, side="right")]
        values = paid[i - some] - price[: len(some)]
        best = int(values.argmax())
        if values[best] > 0:
            paid[i] += values[best]
            before[i] = i - some[best]
    last = len(paid) - int(2 * period) + int(paid[-int(2 * period) :].argmax())
    beats = [last]
    while before[beats[-1]] >= 0:
        beats.append(int(before[beats[-1]]))
    return np.array(beats[::-1], dtype=np.intp)


def _refined(strength: Floats, beats: NDArray[np.intp]) -> NDArray[np.floating]:
    """Times of the beats in frames, moved to the strongest frame beside them and between frames by a parabola."""
    beats = np.clip(beats, 2, len(strength) - 3)
    around = strength[beats[:, None] + np.arange(-1, 2)]
    top = beats + around.argmax(axis=1) - 1
    left, middle, right = (strength[top + i].astype(float) for i in (-1, 0, 1))
    curve = left - 2 * middle + right
    shift = np.where(curve < -1e-9, 0.5 * (left - right) / np.where(curve < -1e-9, curve, 1), 0)
    return np.asarray(top + np.clip(shift, -0.5, 0.5))


def _line(times: NDArray[np.floating], period: float) -> float:
    """The period that a straight line through the beats has, where they may be missed, double or astray.

    Steps are counted in whole periods, so that a beat that was left out does no harm; what lies far from the line is
    left out, and the line drawn again.
    """
    for _ in range(3):
        number = np.r_[0, np.cumsum(np.maximum(np.round(np.diff(times) / period), 1))]
        kept = np.ones(len(times), dtype=bool)
        slope, start = period, float(times[0])
        for _ in range(5):
            slope, start = np.polyfit(number[kept], times[kept], 1)
            far = np.abs(times - start - slope * number)
            kept = far <= max(3 * float(np.median(far)), 0.2)
            if kept.sum() < _LEAST_BEATS:
                break
        if abs(slope - period) < 1e-4:
            break
        period = float(slope)
    return float(slope)
