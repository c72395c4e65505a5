"""Key, mode and tempo: what makes two tracks mix.

*Conventions.* A key is 0-11 with C = 0, a mode is 1 (major) or 0 (minor), a tempo is in beats per
minute. Whatever is unknown is NaN (or None for a single value), never 0, and so is every similarity
that would need it.

*Position.* On the circle of fifths a minor key stands where its relative major does: C major and
A minor at 0, G major and E minor at 1, F major and D minor at 11. Two keys sound the more consonant
the fewer steps apart they stand.

*Sources.* Key and tempo similarity are those of the published DISCO (taylorhawks,
RNN-music-recommender). Camelot numbers: Mixed In Key's wheel, 8B = C major. Open Key numbers:
Beatport's and Traktor's wheel, 1d = C major.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]

NOTES = ("C", "D♭", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
_SEMITONE = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11, "H": 11}
_MINOR = ("m", "min", "minor", "moll")
_NAMED = re.compile(
    r"([A-Ha-h])[\s_-]*([#♯b♭]|sharp|flat|is|es|s)?[\s_-]*(m|M|(?i:major|maj|dur|minor|min|moll))?(?:\s*key)?"
)
_WHEEL = re.compile(r"0?(\d{1,2})\s*([ABDMabdm])")
# Several names of one key, or a key and the energy (1-10) that Mixed In Key writes behind it.
_PARTS = re.compile(r"\s*[/,;|()]\s*|\s+-\s+")


def circle_position(key: ArrayLike, mode: ArrayLike) -> Values:
    """Place of each key on the circle of fifths: 0-11 clockwise from C major, NaN where unknown.

    Parameters
    ----------
    key : array_like, shape (...)
        0-11 with C = 0; NaN unknown.
    mode : array_like, shape (...)
        1 major, 0 minor; NaN unknown. A minor key counts as its relative major, 3 semitones up.
    """
    key, mode = np.asarray(key, dtype=float), np.asarray(mode, dtype=float)
    return np.asarray((7 * (key + 3 * (1 - mode))) % 12)


def key_similarity(a: ArrayLike, b: ArrayLike) -> Values:
    """Consonance of circle positions, from 1 (the same, a fifth or a fourth) to -1 (opposite).

    With d steps (0-6) between them, K = 1 - (max(d, 1) - 1) / 2.5. NaN where either is unknown.
    """
    apart = np.abs(np.asarray(a, dtype=float) - np.asarray(b, dtype=float)) % 12
    steps = np.minimum(apart, 12 - apart)
    return np.asarray(1 - (np.maximum(steps, 1) - 1) / 2.5)


def tempo_angle(tempo_bpm: ArrayLike) -> Values:
    """Place of each tempo on a circle on which an octave (half or double time) is one turn, in radians."""
    tempo = np.asarray(tempo_bpm, dtype=float)
    return 2 * np.pi * np.log2(np.where(tempo > 0, tempo, np.nan))


def tempo_similarity(a_bpm: ArrayLike, b_bpm: ArrayLike, half_time: float = 1.0) -> Values:
    """T = cos(2 pi log2(a / b)): 1 at the same, half or double tempo, -1 at the worst. NaN if unknown.

    `half_time`, 0-1, is the credit that half and double time get: tempos nearer to them than to the same tempo
    count (1 + T) * half_time - 1 instead, which is -1 for all of them at 0.
    """
    similarity = np.cos(tempo_angle(a_bpm) - tempo_angle(b_bpm))
    if half_time == 1:
        return similarity
    folded = np.abs(tempo_octaves(a_bpm, b_bpm, fold=False)) > 0.5
    return np.where(folded, (1 + similarity) * half_time - 1, similarity)


def tempo_octaves(a_bpm: ArrayLike, b_bpm: ArrayLike, fold: bool = True) -> Values:
    """Octaves of tempo from a up to b: log2(b / a), folded to -0.5 to 0.5 where half and double time count."""
    a, b = np.asarray(a_bpm, dtype=float), np.asarray(b_bpm, dtype=float)
    octaves = np.log2(np.where((a > 0) & (b > 0), b / np.where(a > 0, a, np.nan), np.nan))
    return octaves - np.round(octaves) if fold else octaves


def tempo_change(a_bpm: ArrayLike, b_bpm: ArrayLike, fold: bool = True) -> Values:
    """Change of tempo from a to b in per cent; half and double time folded, it is -29.3 to 41.4."""
    return 100 * (np.exp2(tempo_octaves(a_bpm, b_bpm, fold)) - 1)


def key_name(key: int, mode: int) -> str:
    """Name of a key as a musician writes it: `A minor`, `D♭ major`."""
    return f"{NOTES[key]} {'major' if mode else 'minor'}"


def camelot(key: int, mode: int) -> str:
    """Camelot name: 8B is C major, 8A is A minor, one number up is a fifth up."""
    return f"{int(circle_position(key, mode) + 7) % 12 + 1}{'B' if mode else 'A'}"


def open_key(key: int, mode: int) -> str:
    """Open Key name: 1d is C major, 1m is A minor, one number up is a fifth up."""
    return f"{int(circle_position(key, mode)) + 1}{'d' if mode else 'm'}"


def parse_key(text: str) -> tuple[int, int] | None:
    """Key and mode meant by `8A`, `1m`, `Am`, `A minor`, `F#`, `Bbmaj`, `fis-Moll`; None if by no reading a key.

    A number with A or B is Camelot, with m or d Open Key (Traktor's text key: 10m is C minor, 5A). Several names
    at once, `8A/Am`, must agree; Mixed In Key's energy behind a key, `8A - 7`, is passed over. H is B, and
    beside Dur and Moll, German words, B is B♭.
    """
    text = text.strip()
    parts = [part for part in _PARTS.split(text) if part]
    if len(parts) > 1:
        if len(parts) == 2 and parts[1].isdecimal() and int(parts[1]) <= 10:
            return _one_key(parts[0])
        meant = {_one_key(part) for part in parts}
        return meant.pop() if len(meant) == 1 else None
    return _one_key(text)


def _one_key(text: str) -> tuple[int, int] | None:
    if wheel := _WHEEL.fullmatch(text):
        number, letter = int(wheel[1]), wheel[2].upper()
        if not 1 <= number <= 12:
            return None
        position = (number - (8 if letter in "AB" else 1)) % 12
        mode = 1 if letter in "BD" else 0
        return (7 * position - 3 * (1 - mode)) % 12, mode
    if named := _NAMED.fullmatch(text):
        sign, word = named[2] or "", (named[3] or "")
        word = word if len(word) == 1 else word.lower()
        german = word in ("dur", "moll")
        if sign in ("is", "es", "s") and not german:
            return None
        note = _SEMITONE[named[1].upper()] - (german and named[1].upper() == "B" and not sign)
        step = {"#": 1, "♯": 1, "sharp": 1, "is": 1, "": 0}.get(sign, -1)
        return (note + step) % 12, 0 if word in _MINOR else 1
    return None
