"""Keys as they sound on players without key lock, where a faster track is a higher one.

Played faster by p per cent a track sounds 12 log2(1 + p / 100) semitones higher: 6 % are a semitone, 3 % half of one,
a quarter-tone. Two tracks are mixed at one tempo, so the incoming one is pitched to that of the outgoing one, half
and double time folded. How far their keys then are apart depends on their own tempos alone: if both are played faster
or slower together, both keys move alike. So it makes no difference whether a track is brought back to its own tempo
after the transition, and each transition can be judged by itself.

*Within reach.* Tempos can meet if that takes no more semitones, up or down, than the allowed per cent make upwards.
If they cannot, nothing is mixed by the beat: the incoming track is then pitched by the fewest whole semitones, within
the limit and towards the other tempo, that make its key go best with the outgoing one. Where a tempo is unknown it
may be either direction.

*Between semitones* the value of a key is read off a straight line between those of the two keys around it: a
quarter-tone off, a key is worth half of what it would be and half of its neighbour, mostly a clash. What goes
together and how a key is called are decided by the nearest semitone, as DJs do ("Understanding key and tempo in
harmonic mixing", Mixed In Key, 2008: from 3 % on, use the next key; DJ Endo, "Mixing without key lock", Dubspot).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from disco.catalogue import Floats
from disco.errors import DiscoError
from disco.playlist.key_rules import UNKNOWN

Semitones = NDArray[np.float64]
Keys = NDArray[np.integer]

# Per cent: about a semitone, and what most pitch faders reach.
USUAL_PITCH = 6.0
# More than half the speed up or down is no pitch fader's.
_MOST = 50.0
# Tolerances: tempos are stored in seven digits, and values of keys in seven.
_ROUNDING, _BETTER = 1e-4, 1e-6
# Numbers of keys after the unknown one are those of unsure keys (`styles`).
_NUMBERS = 2 * UNKNOWN + 1


def check_pitch(percent: float | None) -> None:
    """Refuse a range of pitch that means nothing."""
    if percent is not None and not (math.isfinite(percent) and 0 < percent <= _MOST):
        raise DiscoError(f"tracks can be pitched by more than 0 and at most {_MOST:g} per cent, not {percent:g}")


def reach(percent: float) -> float:
    """Semitones by which a track may be pitched, up or down.

    Examples
    --------
    >>> round(reach(6), 3)
    1.009
    """
    return 12 * math.log2(1 + percent / 100)


def pitch_percent(semitones: ArrayLike) -> Semitones:
    """By how many per cent tracks are played faster to sound so many semitones higher.

    Examples
    --------
    >>> pitch_percent([1, -1, 0]).round(2).tolist()
    [5.95, -5.61, 0.0]
    """
    return np.asarray(100 * (np.exp2(np.asarray(semitones, dtype=float) / 12) - 1))


def _transposed_keys() -> NDArray[np.uint8]:
    """Numbers of all keys after 0-11 semitones up, shape (12, 49); an unknown key stays unknown."""
    number = np.arange(_NUMBERS)
    position, first = number % (UNKNOWN + 1) % 12, number - number % (UNKNOWN + 1) % 12
    # A semitone up is seven fifths.
    found = first + (position + 7 * np.arange(12)[:, None]) % 12
    found[:, UNKNOWN] = UNKNOWN
    return found.astype(np.uint8)


_TRANSPOSED = _transposed_keys()


def transposed(keys: Keys, semitones: ArrayLike) -> NDArray[np.uint8]:
    """Keys after so many whole semitones up, by their numbers in `key_rules` or `styles`.

    Examples
    --------
    >>> from disco.playlist.key_rules import key_index
    >>> c_major, b_minor = key_index([0, 11], [1, 0])
    >>> transposed(np.array([c_major, b_minor]), 1).tolist() == key_index([1, 0], [1, 0]).tolist()  # D flat, C minor
    True
    """
    return np.asarray(_TRANSPOSED[np.asarray(semitones, dtype=np.intp) % 12, keys])


def nearest(semitones: ArrayLike) -> NDArray[np.intp]:
    """The nearest whole semitones; in the middle the higher."""
    return np.asarray(np.floor(np.asarray(semitones, dtype=float) + 0.5), dtype=np.intp)


def value_between(values: Floats, a: Keys, b: Keys, semitones: ArrayLike) -> Semitones:
    """Values of transitions to keys that sound higher by semitones: on a line between the two keys around.

    Parameters
    ----------
    values : ndarray, shape (keys, keys)
        By the numbers of two keys.
    a, b : ndarray of int
        Numbers of keys, of shapes that broadcast.
    semitones : array_like
        By which b sounds higher.

    Examples
    --------
    >>> from disco.playlist.key_rules import key_rule
    >>> allowed = key_rule("camelot").compatible.astype(float)
    >>> value_between(allowed, np.array([0]), np.array([0]), [0.25]).tolist()  # C, and C a little higher
    [0.75]
    """
    semitones = np.asarray(semitones, dtype=float)
    low = np.floor(semitones).astype(np.intp)
    share = semitones - low
    return np.asarray((1 - share) * values[a, transposed(b, low)] + share * values[a, transposed(b, low + 1)])


def pitch_semitones(a: Keys, b: Keys, octaves: ArrayLike, percent: float, values: Floats) -> Semitones:
    """By how many semitones the second track of each transition sounds higher than at its own tempo.

    Parameters
    ----------
    a, b : ndarray of int
        Numbers of the keys of the first and the second tracks.
    octaves : array_like
        From the tempo of the first to that of the second, half and double time folded if they count as the same.
    percent : float
        How much tracks may be pitched.
    values : ndarray, shape (keys, keys)
        What transitions between keys are worth.

    Examples
    --------
    >>> from disco.playlist.key_rules import key_rule
    >>> values, c, b = key_rule("camelot").similarity, np.array([0]), np.array([5])  # C major and B major
    >>> pitch_semitones(c, c, np.log2([124 / 128]), 6, values).round(2).tolist()  # a slower one is played faster
    [0.55]
    >>> pitch_semitones(c, b, np.log2([112 / 128]), 6, values).tolist()  # too slow to meet: up to C
    [1.0]
    """
    wanted = -12 * np.asarray(octaves, dtype=float)
    limit = reach(percent)
    meets = np.abs(wanted) <= limit + _ROUNDING
    a, b, wanted = np.broadcast_arrays(a, b, wanted)
    found, best = np.zeros(wanted.shape), np.array(values[a, b], dtype=float)
    for steps in range(1, int(limit + _ROUNDING) + 1):
        for pitched in (steps, -steps):
            value = values[a, transposed(b, pitched)]
            better = (np.isnan(wanted) | (wanted * pitched > 0)) & (value > best + _BETTER)
            found, best = np.where(better, pitched, found), np.where(better, value, best)
    return np.where(meets, wanted, found)
