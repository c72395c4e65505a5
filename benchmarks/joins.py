"""How well tracks go together in an order, counted from keys, tempos and features alone, by nothing of DISCO.

It knows no cost and no search, so that an order can be compared with those of other programs by what a DJ checks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Camelot numbers of the major keys from C up, and of the minor ones: the wheel of Mixed In Key.
_MAJOR = (8, 3, 10, 5, 12, 7, 2, 9, 4, 11, 6, 1)
_MINOR = (5, 12, 7, 2, 9, 4, 11, 6, 1, 8, 3, 10)
# Per cent of the tempo that a DJ turns.
LIMIT = 6.0
COLUMNS = {
    "camelot": "Camelot",
    "fifths": "fifths",
    "tempo": "tempo %",
    "within": "within 6 %",
    "worst": "worst %",
    "both": "both",
    "step": "step",
}


@dataclass(frozen=True)
class Sounds:
    """Keys (0-11, C = 0), modes (1 major), tempos in BPM, and features in standard deviations of a whole data set."""

    key: np.ndarray
    mode: np.ndarray
    tempo: np.ndarray
    features: np.ndarray

    def take(self, rows: np.ndarray) -> Sounds:
        """These tracks alone, in this order."""
        return Sounds(self.key[rows], self.mode[rows], self.tempo[rows], self.features[rows])


def shares(order: Sounds) -> dict[str, float]:
    """What the transitions of an order are like: shares in per cent, change of tempo in per cent, mean step.

    Examples
    --------
    >>> two = Sounds(np.array([9, 0]), np.array([0, 1]), np.array([128.0, 66.0]), np.zeros((2, 8)))
    >>> found = shares(two)  # A minor to C major, 8A to 8B; 128 to 132 BPM in double time
    >>> found["camelot"], round(found["tempo"], 3), found["both"]
    (100.0, 3.125, 100.0)
    """
    keys, minor = order.key.astype(int), order.mode.astype(int) == 0
    number = np.where(minor, np.array(_MINOR)[keys], np.array(_MAJOR)[keys])
    apart = np.abs(np.diff(number))
    steps, other_letter = np.minimum(apart, 12 - apart), np.diff(minor)
    camelot = steps + other_letter <= 1
    octaves = np.diff(np.log2(order.tempo))
    change = 100 * np.abs(2 ** (octaves - np.rint(octaves)) - 1)
    within = change <= LIMIT + 1e-4
    return {
        "camelot": 100 * camelot.mean(),
        "fifths": 100 * (steps <= 1).mean(),
        "tempo": change.mean(),
        "within": 100 * within.mean(),
        "worst": change.max(),
        "both": 100 * (camelot & within).mean(),
        "step": np.linalg.norm(np.diff(order.features, axis=0), axis=1).mean(),
    }
