"""Estimates of some of the eight features from sound: from loudness and tempo, corrected by spectral statistics.

Spotify measured its features in a way that it never published, and nobody holds both its numbers and
the sound in quantity. So each estimate has two parts, of which only the first is checked:

- a line through knots, fitted on a table of real tracks by `data-wrangling/estimates.py TRACKS`, says
  what a track of this loudness or tempo has on average; its error on a fifth of the tracks that were left
  out stands in `LINES`;
- a statistic of the spectrogram moves the value up or down, at most as far as that error reaches, which
  keeps the spread near that of real tracks. Centres and widths were set by ear on game soundtracks and
  by what synthesised sound must do (louder and denser: more energy). This part is unchecked.

Instrumentalness, liveness, speechiness and valence stay unknown: from loudness their errors are 0.27, 0.18,
0.10 and 0.25 where guessing the mean gives 0.30, 0.18, 0.10 and 0.26, and no statistic that we have tells
voices from instruments, halls from studios or joy from grief.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from disco.catalogue import Floats

# Who measured: raised when a method changes, since sets are never compared.
FEATURE_SET = "audio-1"


@dataclass(frozen=True)
class PiecewiseLinear:
    """Mean of a feature at knots of what it is estimated from; `error` is the root mean square on held-out tracks."""

    knots: tuple[float, ...]
    heights: tuple[float, ...]
    error: float
    unknown: float = float("nan")  # the mean of all tracks, where what the line goes by is unknown

    def at(self, x: float) -> float:
        """The mean at x; beyond the knots that of the last one."""
        return float(np.interp(x, self.knots, self.heights)) if math.isfinite(x) else self.unknown


_LOUDNESS_DB = (-40, -30, -20, -14, -10, -7, -5, -3)
# `data-wrangling/estimates.py` over 382,545 tracks; the mean alone has errors of 0.249, 0.328 and 0.174.
LINES = {
    "energy": PiecewiseLinear(_LOUDNESS_DB, (0.028, 0.053, 0.167, 0.369, 0.528, 0.675, 0.793, 0.900), 0.150),
    "acousticness": PiecewiseLinear(_LOUDNESS_DB, (0.905, 0.921, 0.843, 0.565, 0.393, 0.224, 0.136, 0.094), 0.257),
    "danceability": PiecewiseLinear(
        (60, 75, 90, 105, 120, 135, 150, 170, 200),
        (0.336, 0.468, 0.584, 0.614, 0.648, 0.589, 0.538, 0.490, 0.422),
        0.163,
        unknown=0.57,
    ),
}
# Middle and width of each statistic over thirteen parts of two game soundtracks (orchestral, rock, tracker loops).
_DENSITY, _SHARPNESS, _STEADINESS = (4.5, 2.0), (11.0, 5.0), (0.70, 0.20)
# Periods of a beat, 60 to 200 a minute.
_BEAT_S = (0.3, 1.0)


@dataclass(frozen=True)
class SpectralStats:
    """Statistics of a spectrogram.

    Attributes
    ----------
    density : float
        How much sets in a second: rise of the compressed spectrum, mean over bins; 1 sparse, 8 dense.
    steadiness : float
        Height of the greatest peak of the onsets' autocorrelation at periods of a beat, 0-1: pulse clarity after
        Lartillot et al. (2008), "Multi-feature modeling of pulse clarity", ISMIR.
    sharpness : float
        Spectral flatness within bands of sixteen bins in dB, negated and weighted by power: 3 noise, 18 pure tones.
    """

    density: float
    steadiness: float
    sharpness: float


def spectral_stats(magnitude: Floats, frequencies: Floats, rate: float) -> SpectralStats | None:
    """Statistics of a magnitude spectrogram; None where it is silent or shorter than two seconds.

    Parameters
    ----------
    magnitude : Floats, shape (frames, bins)
        Of frames of about 0.1 s.
    frequencies : Floats, shape (bins,)
        Middle of each bin in Hz, evenly spaced.
    rate : float
        Frames a second, about 40: the rises between frames are summed over a second.
    """
    audible = magnitude[:, (frequencies >= 40) & (frequencies <= 8000)]
    power = float(np.mean(np.square(audible, dtype=np.float64))) if audible.size else 0.0
    if len(audible) < 2 * rate or power < 1e-20:
        return None
    level = np.log1p(10 / math.sqrt(power) * audible)
    onsets = np.maximum(np.diff(level, axis=0), 0).mean(axis=1)
    return SpectralStats(float(onsets.mean() * rate), _steadiness(onsets, rate), _sharpness(audible, power))


def _steadiness(onsets: Floats, rate: float) -> float:
    second = max(round(rate), 1)
    beats = onsets - np.convolve(onsets, np.full(second, 1 / second), "same")
    spectrum = np.fft.rfft(beats, 2 * len(beats))
    likeness = np.fft.irfft(np.abs(spectrum) ** 2)[: len(beats)]
    shortest, longest = (round(period * rate) for period in _BEAT_S)
    return float(np.clip(likeness[shortest : longest + 1].max() / max(likeness[0], 1e-20), 0, 1))


def _sharpness(magnitude: Floats, power: float) -> float:
    frames, bins = magnitude.shape
    bands = magnitude[:, : bins // 16 * 16].reshape(frames, -1, 16)
    squares = np.square(bands) + np.float32(1e-9 * power)  # the floor keeps digital silence from being a pure tone
    weight = squares.sum(axis=2)
    flatness = 10 * (np.log10(squares).mean(axis=2) - np.log10(squares.mean(axis=2)))
    return float(-np.average(flatness, weights=weight))


def estimate(stats: SpectralStats, loudness_db: float, tempo_bpm: float) -> dict[str, float]:
    """Energy, acousticness and danceability, 0-1; without those that cannot be estimated.

    Parameters
    ----------
    stats : SpectralStats
    loudness_db : float
        Integrated; nan leaves out energy and acousticness.
    tempo_bpm : float
        nan where no beat was found.
    """
    dense = _deviation(stats.density, _DENSITY)
    moves = {
        "energy": (loudness_db, dense),
        "acousticness": (loudness_db, (_deviation(stats.sharpness, _SHARPNESS) - dense) / 2),
        "danceability": (tempo_bpm, _deviation(stats.steadiness, _STEADINESS)),
    }
    values = {name: LINES[name].at(by) + LINES[name].error * math.tanh(z) for name, (by, z) in moves.items()}
    return {name: min(max(value, 0.0), 1.0) for name, value in values.items() if math.isfinite(value)}


def _deviation(value: float, scale: tuple[float, float]) -> float:
    middle, width = scale
    return (value - middle) / width
