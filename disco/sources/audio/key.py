"""Key from sound: the strength of each pitch class, compared with profiles of the 24 keys.

Source: Krumhansl and Schmuckler's correlation with key profiles (Krumhansl 1990, "Cognitive Foundations of Musical
Pitch", chapter 4), with the profiles of Albrecht and Shanahan (2013), "The use of large corpora to train a new type
of key-finding algorithm", Music Perception 31(1), table 1; Temperley (1999), "What's key for key?", Music Perception
17(1). Pitch classes come from the peaks of the spectrum, once it is known how far the music is from 440 Hz (Gomez
2006, "Tonal description of polyphonic audio").
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats
from disco.sources.audio.signal import Sound

Profile = tuple[float, ...]
# Shares of the pitch classes from the tonic on, in major and minor.
PROFILES: dict[str, tuple[Profile, Profile]] = {
    "albrecht-shanahan": (
        (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081),
        (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052),
    ),
    "krumhansl-kessler": (
        (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
        (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
    ),
    "temperley": (
        (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0),
        (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0),
    ),
}
# On made music as good as Temperley's within a piece of 144, and far better than Krumhansl and Kessler's
# (benchmarks/key_tempo.py); of the two the one that was counted from a corpus.
USUAL = "albrecht-shanahan"
# Only peaks between these count: below, semitones cannot be resolved; above are mostly overtones.
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 2000.0
# A peak's weight falls to a half in so many octaves above 250 Hz, since overtones are of other classes.
_FALLING = 1.0
# Standard deviation of the classes' shares: noise of five seconds and more stays below 0.007, all of 24
# recordings are above 0.008 and most above 0.02, made music is at 0.08.
_FLAT, _CLEAR = 0.0075, 0.02


def key(sound: Sound, profile: str = USUAL) -> tuple[int | None, int | None, float]:
    """Key 0-11 from C, mode (1 major, 0 minor), and the confidence from 0 to 1; None where there is no pitch."""
    classes = chroma(sound)
    contrast = float(classes.std())
    if contrast < _FLAT:
        return None, None, 0.0
    fits = np.array(
        [[np.corrcoef(np.roll(shape, tonic), classes)[0, 1] for tonic in range(12)] for shape in PROFILES[profile]]
    )
    best = int(fits.argmax())
    minor, tonic = divmod(best, 12)
    # A fifth away and the relative key fit nearly as well: only what is further says how sure it is.
    others = np.delete(fits.ravel(), best)
    lead = float(np.clip((fits.max() - others.max()) / 0.1, 0.1, 1))
    confidence = float(np.clip(fits.max(), 0, 1)) * lead * min(contrast / _CLEAR, 1.0)
    return tonic, 1 - minor, confidence


def chroma(sound: Sound) -> NDArray[np.floating]:
    """Share of each pitch class from C, shape (12,); zeros where there is none."""
    pitch, weight = _peaks(sound)
    if not len(pitch):
        return np.zeros(12)
    # How far from 440 Hz the music is tuned, as an angle: the mean of the peaks' distances from their semitones.
    tuning = np.angle(np.sum(weight * np.exp(2j * np.pi * pitch))) / (2 * np.pi)
    tuned = pitch - tuning
    near = np.round(tuned)
    # A peak between two semitones is neither.
    weight = weight * np.exp(-0.5 * ((tuned - near) / 0.2) ** 2)
    classes = np.bincount(near.astype(np.intp) % 12, weight, 12)
    return np.asarray(classes / max(float(classes.sum()), 1e-12))


def _peaks(sound: Sound) -> tuple[Floats, Floats]:
    """Pitch of each peak in each long frame, in semitones from C at 440 Hz tuning, and its weight."""
    magnitudes = sound.long
    hz = sound.rate / (2 * (magnitudes.shape[1] - 1))
    low, high = int(_LOWEST_HZ / hz), min(int(_HIGHEST_HZ / hz), magnitudes.shape[1] - 2)
    inner = magnitudes[:, low:high]
    left, right = magnitudes[:, low - 1 : high - 1], magnitudes[:, low + 1 : high + 1]
    loudest = inner.max(axis=1, keepdims=True)
    # A hundredth of the loudest: below, noise has peaks too. And what is silent as a whole has none.
    audible = max(1e-4 * float(magnitudes.max(initial=0)), 1e-6)
    some = (inner > left) & (inner >= right) & (inner > 0.01 * loudest) & (loudest > audible)
    frame, at = np.nonzero(some)
    a, b, c = (np.log(np.maximum(part[some], 1e-12)) for part in (left, inner, right))
    curve = a - 2 * b + c
    shift = np.where(curve < -1e-9, 0.5 * (a - c) / np.where(curve < -1e-9, curve, 1), 0)
    frequency = (low + at + np.clip(shift, -0.5, 0.5)) * hz
    # The square root: a melody counts beside the bass. Each frame counts the same, however loud.
    weight = np.sqrt(inner[some]) * 0.5 ** (np.maximum(np.log2(frequency / 250), 0) / _FALLING)
    total = np.bincount(frame, weight, len(magnitudes))
    pitch = 12 * np.log2(frequency / 440) + 9
    return pitch, weight / total[frame]
