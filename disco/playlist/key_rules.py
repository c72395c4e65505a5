"""Which key may follow which: the rules that DJs and listeners go by, one table of 24 x 24 each.

*Order.* The 24 keys are ordered as on the Camelot wheel from 8B on: 0-11 are the major keys on the circle of
fifths from C, 12-23 their relative minors from A minor; `UNKNOWN` comes after them. Rows are the keys of the first
track, columns those of the second. Only energy boosts make a table asymmetric.

*Values.* 1 is the best, -1 the worst, as for K of the published DISCO, so that the sweetness knob has the same
meaning under each rule.

*Sources.* `fifths`: taylorhawks, RNN-music-recommender. `camelot`: the wheel of Mixed In Key, whose rule is
the same code, one number up or down, or the other letter. `camelot-wide`: with the diagonals, which Mixxx
suggests too and DJs dispute (mixxxdj/mixxx, issue 16362). `tonal`: correlations of the probe-tone profiles
of Krumhansl & Kessler, "Tracing the dynamic changes in perceived tonal organization in a spatial
representation of musical keys", Psychological Review 89 (1982).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from disco.catalogue.music import circle_position, key_similarity
from disco.errors import DiscoError

Table = NDArray[np.float32]
Mask = NDArray[np.bool_]
KeyIndex = NDArray[np.uint8]

UNKNOWN = 24

# How well each of the twelve tones from the keynote up fits after a major and after a minor context, by listeners'
# ratings from 1 to 7 (Krumhansl & Kessler 1982).
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
# Correlation from which keys count as compatible: below that of minor keys a fifth apart (0.34), above that of major
# keys two fifths apart (0.04) and of a major key with the minor one a tone above its keynote (0.24).
_COMPATIBLE = 0.3


@dataclass(frozen=True, eq=False)
class KeyRule:
    """Which key may follow which, and how well.

    Attributes
    ----------
    name : str
    similarity : ndarray, shape (24, 24), float32
        From 1, the best, to -1.
    compatible : ndarray, shape (24, 24), bool
        Whether the rule allows the move.
    """

    name: str
    similarity: Table
    compatible: Mask

    @property
    def padded(self) -> Table:
        """Similarity with a row and a column of 0 for unknown keys, shape (25, 25)."""
        return np.pad(self.similarity, (0, 1))

    def between(self, a: KeyIndex, b: KeyIndex) -> Table:
        """Similarity of keys, by their indices; NaN where either is unknown."""
        return np.pad(self.similarity, (0, 1), constant_values=np.nan)[a, b]

    def allows(self, a: KeyIndex, b: KeyIndex) -> Mask:
        """Whether keys, by their indices, are compatible; False where either is unknown."""
        return np.pad(self.compatible, (0, 1))[a, b]


def key_index(key: ArrayLike, mode: ArrayLike) -> KeyIndex:
    """Indices of keys in the tables of the rules, 0-24.

    Parameters
    ----------
    key : array_like, shape (...)
        0-11 with C = 0; NaN unknown.
    mode : array_like, shape (...)
        1 major, 0 minor; NaN unknown.

    Returns
    -------
    ndarray of uint8, shape (...)
        `UNKNOWN` where key or mode is.

    Examples
    --------
    >>> key_index([0, 9, np.nan], [1, 0, 1]).tolist()
    [0, 12, 24]
    """
    index = circle_position(key, mode) + 12 * (1 - np.asarray(mode, dtype=float))
    return np.asarray(np.nan_to_num(index, nan=UNKNOWN), dtype=np.uint8)


def camelot_name(index: int) -> str | None:
    """Camelot name of a key by its index; None where unknown.

    Examples
    --------
    >>> camelot_name(0), camelot_name(12), camelot_name(UNKNOWN)
    ('8B', '8A', None)
    """
    return None if index == UNKNOWN else f"{(index + 7) % 12 + 1}{'B' if index < 12 else 'A'}"


@cache
def key_rule(name: str = "fifths", energy_boost: bool = False) -> KeyRule:
    """Get a rule by its name.

    Parameters
    ----------
    name : str
        One of `KEY_RULES`.
    energy_boost : bool
        Whether one or two semitones up in the same mode are as good as a fifth: they lift a floor, and clash for
        as long as both tracks sound.

    Raises
    ------
    DiscoError
        If there is no such rule.

    Examples
    --------
    >>> rule = key_rule("camelot")
    >>> bool(rule.allows(key_index(9, 0), key_index(0, 1)))  # A minor to C major, 8A to 8B
    True
    """
    if name not in KEY_RULES:
        raise DiscoError(f"there is no key rule {name!r}; there are: {', '.join(KEY_RULES)}")
    similarity, compatible = KEY_RULES[name]()
    if energy_boost:
        # A semitone up is seven fifths, a tone two; both get the value of the best other move.
        up = _same_mode() & np.isin(_turn() % 12, (2, 7))
        similarity, compatible = similarity.copy(), compatible | up
        similarity[up] = np.maximum(similarity[up], similarity[0, 1])
    for table in (similarity, compatible):
        table.flags.writeable = False  # the cache returns the same arrays
    return KeyRule(name, similarity, compatible)


def _turn() -> NDArray[np.int_]:
    """Fifths from the keys of the rows to those of the columns, -11 to 11."""
    position = np.arange(24) % 12
    return position[None, :] - position[:, None]


def _steps() -> NDArray[np.int_]:
    """Steps on the circle of fifths between keys, 0-6, whatever their modes."""
    apart = np.abs(_turn())
    return np.asarray(np.minimum(apart, 12 - apart))


def _same_mode() -> Mask:
    minor = np.arange(24) >= 12
    return np.asarray(minor[None, :] == minor[:, None])


def _fifths() -> tuple[Table, Mask]:
    """The published K: steps on the circle of fifths, where a minor key stands for its relative major."""
    position = np.arange(24) % 12
    similarity = key_similarity(position[:, None], position[None, :]).astype(np.float32)
    return similarity, _steps() <= 1


def _camelot() -> tuple[Table, Mask]:
    """Moves on the wheel, a change of letter being one: one move or none is 1, each more costs as under K."""
    moves = _steps() + ~_same_mode()
    similarity = np.maximum(1 - (np.maximum(moves, 1) - 1) / 2.5, -1)
    return similarity.astype(np.float32), moves <= 1


def _camelot_wide() -> tuple[Table, Mask]:
    """The wheel with its diagonals: one number up or down and the other letter, at once."""
    similarity, compatible = _camelot()
    diagonal = (_steps() == 1) & ~_same_mode()
    similarity[diagonal] = 1
    return similarity, compatible | diagonal


def _tonal() -> tuple[Table, Mask]:
    """Correlations of probe-tone profiles: how alike two keys make the twelve tones sound."""
    keynote = 7 * np.arange(12) % 12
    profiles = [np.roll(_MAJOR, tone) for tone in keynote] + [np.roll(_MINOR, tone - 3) for tone in keynote]
    similarity = np.corrcoef(profiles).astype(np.float32)
    return similarity, similarity >= _COMPATIBLE


# The first is the published one and the default.
KEY_RULES = {"fifths": _fifths, "camelot": _camelot, "camelot-wide": _camelot_wide, "tonal": _tonal}
