"""Key, mode and tempo, and how similar they are in two tracks.

*Conventions.* A key is 0-11 with C = 0, a mode is 1 (major) or 0 (minor), a tempo is in beats per minute. An unknown
value is NaN (or None where it is a single value), never 0, and so is every similarity that needs it.

*Position.* On the circle of fifths a minor key has the position of its relative major: C major and A minor 0, G major
and E minor 1, F major and D minor 11. The fewer steps apart two keys are, the more consonant they are.

*Sources.* Key and tempo similarity are those of the published DISCO (taylorhawks,
RNN-music-recommender). Camelot numbers: Mixed In Key's wheel, 8B = C major. Open Key numbers:
Beatport's and Traktor's wheel, 1d = C major.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]

NOTES = ("C", "D♭", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


def circle_position(key: ArrayLike, mode: ArrayLike) -> Values:
    """Position of each key on the circle of fifths: 0-11 clockwise from C major, NaN where unknown.

    Parameters
    ----------
    key : array_like, shape (...)
        0-11 with C = 0; NaN unknown.
    mode : array_like, shape (...)
        1 major, 0 minor; NaN unknown. A minor key counts as its relative major, 3 semitones up.

    Returns
    -------
    ndarray of float, shape (...)

    Examples
    --------
    >>> circle_position([0, 9, 7], [1, 0, 1]).tolist()  # C major, A minor, G major
    [0.0, 0.0, 1.0]
    """
    key, mode = np.asarray(key, dtype=float), np.asarray(mode, dtype=float)
    return np.asarray((7 * (key + 3 * (1 - mode))) % 12)


def key_similarity(a: ArrayLike, b: ArrayLike) -> Values:
    """Consonance of circle positions, from 1 (the same, a fifth or a fourth) to -1 (opposite).

    With d steps (0-6) between them, K = 1 - (max(d, 1) - 1) / 2.5. NaN where either is unknown.

    Parameters
    ----------
    a, b : array_like
        Circle positions, 0-11, of shapes that broadcast.

    Examples
    --------
    >>> key_similarity(0, [0, 1, 2, 6]).tolist()
    [1.0, 1.0, 0.6, -1.0]
    """
    apart = np.abs(np.asarray(a, dtype=float) - np.asarray(b, dtype=float)) % 12
    steps = np.minimum(apart, 12 - apart)
    return np.asarray(1 - (np.maximum(steps, 1) - 1) / 2.5)


def tempo_angle(tempo_bpm: ArrayLike) -> Values:
    """Angle of each tempo, in radians, on a circle on which half or double time is one turn; NaN where unknown.

    Examples
    --------
    >>> float(tempo_angle(120) - tempo_angle(60)) / (2 * np.pi)
    1.0
    """
    tempo = np.asarray(tempo_bpm, dtype=float)
    return 2 * np.pi * np.log2(np.where(tempo > 0, tempo, np.nan))


def tempo_similarity(a_bpm: ArrayLike, b_bpm: ArrayLike, half_time: float = 1.0) -> Values:
    """T = cos(2 pi log2(a / b)): 1 at the same, half or double tempo, -1 at the worst. NaN if unknown.

    Parameters
    ----------
    a_bpm, b_bpm : array_like
        Tempos in beats per minute, of shapes that broadcast.
    half_time : float, 0-1
        Weight of half and double time: tempos nearer to them than to the same tempo get (1 + T) * half_time - 1
        instead, which is -1 for all of them at 0.

    Examples
    --------
    >>> tempo_similarity(120, [120, 60]).tolist(), tempo_similarity(120, [120, 60], half_time=0).tolist()
    ([1.0, 1.0], [1.0, -1.0])
    """
    similarity = np.cos(tempo_angle(a_bpm) - tempo_angle(b_bpm))
    if half_time == 1:
        return similarity
    folded = np.abs(tempo_octaves(a_bpm, b_bpm, fold=False)) > 0.5
    return np.where(folded, (1 + similarity) * half_time - 1, similarity)


def tempo_octaves(a_bpm: ArrayLike, b_bpm: ArrayLike, fold: bool = True) -> Values:
    """Octaves of tempo from a up to b: log2(b / a); with `fold`, to the nearest of half, same and double time.

    Examples
    --------
    >>> float(tempo_octaves(60, 120)), float(tempo_octaves(60, 120, fold=False))
    (0.0, 1.0)
    """
    a, b = np.asarray(a_bpm, dtype=float), np.asarray(b_bpm, dtype=float)
    octaves = np.log2(np.where((a > 0) & (b > 0), b / np.where(a > 0, a, np.nan), np.nan))
    return octaves - np.round(octaves) if fold else octaves


def tempo_change(a_bpm: ArrayLike, b_bpm: ArrayLike, fold: bool = True) -> Values:
    """Change of tempo from a to b in per cent; with `fold`, to the nearest octave of b, -29.3 to 41.4.

    Examples
    --------
    >>> round(float(tempo_change(120, 126)), 6), round(float(tempo_change(60, 126)), 6)
    (5.0, 5.0)
    """
    return 100 * (np.exp2(tempo_octaves(a_bpm, b_bpm, fold)) - 1)


def key_name(key: int, mode: int) -> str:
    """Name of a key as a musician writes it.

    Examples
    --------
    >>> key_name(9, 0)
    'A minor'
    """
    return f"{NOTES[key]} {'major' if mode else 'minor'}"


def camelot(key: int, mode: int) -> str:
    """Camelot name: 8B is C major, 8A is A minor, one number up is a fifth up.

    Examples
    --------
    >>> camelot(0, 1), camelot(9, 0)
    ('8B', '8A')
    """
    return f"{int(circle_position(key, mode) + 7) % 12 + 1}{'B' if mode else 'A'}"


def open_key(key: int, mode: int) -> str:
    """Open Key name: 1d is C major, 1m is A minor, one number up is a fifth up.

    Examples
    --------
    >>> open_key(0, 1), open_key(9, 0)
    ('1d', '1m')
    """
    return f"{int(circle_position(key, mode)) + 1}{'d' if mode else 'm'}"
