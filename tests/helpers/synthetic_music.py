"""Made music: chords in any key, in three timbres, with bass and drums at any tempo."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 22_050
# Degrees of the scale on which the chords of four bars stand, from 0; all begin in their key.
MAJOR = ((0, 3, 4, 0), (0, 4, 5, 3), (0, 5, 3, 4))
MINOR = ((0, 3, 4, 0), (0, 5, 3, 4), (0, 3, 0, 4))
SCALES = {1: (0, 2, 4, 5, 7, 9, 11), 0: (0, 2, 3, 5, 7, 8, 10)}
TIMBRES = ("organ", "pluck", "strings")


def made(key: int, mode: int, bpm: float, timbre: str, seed: int = 0, seconds: float = 30.0) -> NDArray[np.float32]:
    """Samples of a piece: chords, a bass, a melody out of the scale, and drums."""
    rng = np.random.default_rng([seed, key, mode, int(bpm * 10), TIMBRES.index(timbre)])
    beat = 60 / bpm
    out = np.zeros(int(seconds * RATE) + RATE, dtype=np.float32)
    progression = (MAJOR if mode else MINOR)[rng.integers(3)]
    scale = SCALES[mode]
    detune = rng.uniform(-0.2, 0.2)
    bar = 0
    while bar * 4 * beat < seconds:
        degree, start = progression[bar % 4], bar * 4 * beat
        chord = [_pitch(key, scale, degree + step) for step in (0, 2, 4)]
        if mode == 0 and degree == 4:
            chord[1] += 1  # the leading tone
        for pitch in chord:
            _put(out, start, _tone(60 + pitch + detune, 4 * beat, timbre), 0.16)
        for half in range(2):
            _put(out, start + half * 2 * beat, _tone(36 + chord[0] % 12 + detune, 2 * beat, "pluck"), 0.3)
        for quarter in range(4):
            if rng.random() < 0.7:
                note = chord[rng.integers(3)] if quarter % 2 == 0 else _pitch(key, scale, int(rng.integers(7)))
                _put(out, start + quarter * beat, _tone(72 + note + detune, beat, timbre), 0.12)
            _put(out, start + quarter * beat, _drum("kick" if quarter % 2 == 0 else "snare", rng), 0.5)
            for eighth in range(2):
                _put(out, start + (quarter + eighth / 2) * beat, _drum("hat", rng), 0.1)
        bar += 1
    out = out[: int(seconds * RATE)]
    return (out / max(float(np.abs(out).max()), 1e-9) * 0.8).astype(np.float32)


def _pitch(key: int, scale: tuple[int, ...], degree: int) -> int:
    return key + scale[degree % 7] + 12 * (degree // 7)


def _tone(pitch: float, seconds: float, timbre: str) -> NDArray[np.float32]:
    t = np.arange(int(seconds * RATE)) / RATE
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    partials = {"organ": (1, 0.6, 0.4, 0.3, 0, 0.2, 0, 0.1), "pluck": (1, 0.5, 0.33, 0.25, 0.2, 0.16)}
    strengths = partials.get(timbre, (1, 0.7, 0.5, 0.4, 0.35, 0.3, 0.25, 0.2))
    wobble = 0.003 * np.sin(2 * np.pi * 5 * t) / (2 * np.pi * 5) if timbre == "strings" else 0
    tone = sum(
        strength * np.sin(2 * np.pi * frequency * n * (t + wobble))
        for n, strength in enumerate(strengths, start=1)
        if frequency * n < RATE / 2
    )
    attack = {"organ": 0.01, "pluck": 0.003, "strings": 0.12}[timbre]
    envelope = np.minimum(t / attack, 1) * np.minimum((seconds - t) / 0.03, 1).clip(0)
    if timbre == "pluck":
        envelope *= np.exp(-3 * t)
    return np.asarray(tone * envelope, dtype=np.float32)


def _drum(name: str, rng: np.random.Generator) -> NDArray[np.float32]:
    t = np.arange(int(0.2 * RATE)) / RATE
    noise = rng.normal(size=len(t))
    if name == "kick":
        return np.asarray(
            np.sin(2 * np.pi * (50 * t + 6 * (1 - np.exp(-30 * t)))) * np.exp(-18 * t), dtype=np.float32
        )
    if name == "snare":
        return np.asarray((0.5 * noise + 0.3 * np.sin(2 * np.pi * 190 * t)) * np.exp(-25 * t), dtype=np.float32)
    return np.asarray(np.diff(noise, prepend=0) * np.exp(-60 * t), dtype=np.float32)


def _put(out: NDArray[np.float32], start: float, sound: NDArray[np.float32], gain: float) -> None:
    at = int(start * RATE)
    some = sound[: max(len(out) - at, 0)]
    out[at : at + len(some)] += gain * some
