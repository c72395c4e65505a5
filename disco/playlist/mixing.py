"""How keys and tempos are judged: the key rule, the weight of half and double time, what is made only in need."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue
from disco.catalogue.music import tempo_octaves, tempo_similarity
from disco.errors import DiscoError
from disco.playlist.key_rules import KeyIndex, KeyRule, key_index, key_rule
from disco.playlist.styles import FIRST_UNSURE, PUBLISHED, Style, key_numbers, load_style

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

# Cost of a tempo change above the limit: more than twenty ordinary transitions, so that it is made only where there
# is no other, and small enough for float32 to keep differences of 0.00001 beside it.
TEMPO_PENALTY = 100.0
# What each octave beyond the limit costs besides, up to half of one, the most that is left once tempos are folded: of
# large changes the smaller is made, and two of them still cost more than one of any size.
TEMPO_GROWTH, _MOST_BEYOND = 40.0, 0.5
# Cost of a clash of keys that is to be avoided: as much, so that as few transitions as possible are bad either way.
KEY_PENALTY = 100.0
_JSON_NAMES = {"half_time_weight": "half_time", "max_tempo_change": "max_bpm_change"}


@dataclass(frozen=True)
class Mixing:
    """How keys and tempos of a transition are judged; the defaults are the published ones.

    Attributes
    ----------
    key_rule : str
        Which keys go together: fifths, camelot, camelot-wide, tonal.
    energy_boost : bool
        Whether moves of one or two semitones up in the same mode are allowed too.
    half_time_weight : float
        Weight of half and double time, 0-1: 1 as good as the same tempo, 0 as bad as the worst.
    max_tempo_change : float, optional
        Per cent by which the tempo may change from track to track, half and double time folded unless their weight is
        0. A larger change is made only where there is no other, and then rather a smaller one.
    avoid_clashes : bool
        Whether keys that the rule does not allow follow each other only where there are no others.
    style : str
        What keys and tempos are worth: published (K and T), or as learned from DJs (dj) or listeners' playlists
        (listener). A learned style has values of its own for each move, so that the key rule only says which keys
        clash.

    Raises
    ------
    DiscoError
        If a value is out of range.

    Examples
    --------
    >>> Mixing("camelot", max_tempo_change=6).large_tempo_jumps(np.array([120.0]), np.array([130.0])).tolist()
    [True]
    """

    key_rule: str = "fifths"
    energy_boost: bool = False
    half_time_weight: float = 1.0
    max_tempo_change: float | None = None
    avoid_clashes: bool = False
    style: str = PUBLISHED

    def __post_init__(self) -> None:
        _ = self.keys, self.learned
        if not 0 <= self.half_time_weight <= 1:
            raise DiscoError(f"the weight of half and double time must be from 0 to 1, not {self.half_time_weight}")
        limit = self.max_tempo_change
        if limit is not None and not (limit >= 0 and math.isfinite(limit)):
            raise DiscoError(f"the allowed change of tempo must be 0 per cent or more, not {limit}")

    def as_dict(self) -> dict[str, Any]:
        """The fields for JSON, under the names that saved playlists have always used."""
        values = {_JSON_NAMES.get(name, name): value for name, value in asdict(self).items()}
        if self.style == PUBLISHED:
            del values["style"]
        return values

    @cached_property
    def keys(self) -> KeyRule:
        """The key rule's tables."""
        return key_rule(self.key_rule, self.energy_boost)

    @cached_property
    def learned(self) -> Style | None:
        """The style, where it is a learned one."""
        return load_style(self.style)

    @property
    def folds(self) -> bool:
        """Whether half and double time count as the same tempo at all."""
        return self.half_time_weight > 0

    @property
    def octaves(self) -> float:
        """The allowed change of tempo in octaves, the same up and down; infinite without a limit."""
        # A float32 tempo has seven digits: 100 to 105 is a change of 5 per cent, rounded either way.
        return np.inf if self.max_tempo_change is None else math.log2(1 + self.max_tempo_change / 100) + 1e-6

    @cached_property
    def key_values(self) -> tuple[Floats, Floats]:
        """Similarity and penalty by the indices of two keys, shape (25, 25) each; 0 where either is unknown."""
        penalty = np.float32(KEY_PENALTY if self.avoid_clashes else 0) * ~self.keys.compatible
        return self.keys.padded, np.pad(penalty.astype(np.float32), (0, 1))

    @cached_property
    def key_tables(self) -> tuple[Floats, Floats]:
        """Value and penalty by the numbers of two keys that `key_numbers` gives; 0 where either is unknown."""
        similarity, penalty = self.key_values
        if self.learned is None:
            return similarity, penalty
        sure = np.r_[np.arange(FIRST_UNSURE), np.arange(FIRST_UNSURE - 1)]
        return self.learned.keys, penalty[np.ix_(sure, sure)]

    def key_numbers(self, catalogue: Catalogue) -> KeyIndex:
        """Numbers of the keys of tracks in `key_tables`, shape (n,)."""
        if self.learned is None:
            return key_index(catalogue.numbers("key"), catalogue.modes)
        return key_numbers(catalogue)

    def key_similarity(self, a: KeyIndex, b: KeyIndex) -> Floats:
        """Value of transitions between keys, by their numbers, from 1 to -1; NaN where either is unknown."""
        if self.learned is None:
            return self.keys.between(a, b)
        unknown = (a == FIRST_UNSURE - 1) | (b == FIRST_UNSURE - 1)
        return np.where(unknown, np.nan, self.learned.keys[a, b]).astype(np.float32)

    def tempo_similarity(self, a_bpm: NDArray[np.floating], b_bpm: NDArray[np.floating]) -> NDArray[np.floating]:
        """Value of changes of tempo, from 1 to -1; NaN where a tempo is unknown."""
        if self.learned is None:
            return tempo_similarity(a_bpm, b_bpm, self.half_time_weight)
        return self.learned.tempo_values(a_bpm, b_bpm)

    def key_clashes(self, a: KeyIndex, b: KeyIndex) -> Mask:
        """Whether transitions clash in key and clashes are to be avoided, by key indices; False where unknown."""
        return np.asarray(self.key_values[1][a, b] > 0)

    def large_tempo_jumps(self, a_bpm: NDArray[np.floating], b_bpm: NDArray[np.floating]) -> Mask:
        """Whether transitions change the tempo by more than is allowed; False where a tempo is unknown."""
        if self.max_tempo_change is None:
            return np.zeros(np.broadcast_shapes(np.shape(a_bpm), np.shape(b_bpm)), dtype=bool)
        return np.asarray(np.abs(tempo_octaves(a_bpm, b_bpm, self.folds)) > self.octaves)

    def tempo_penalties(self, octaves: NDArray[np.floating]) -> Floats:
        """Cost of changes of tempo beyond the limit; 0 within it, and where it is unknown.

        Parameters
        ----------
        octaves : ndarray
            How far apart the tempos are, not negative, folded if the weight of half and double time is not 0.

        Examples
        --------
        >>> Mixing(max_tempo_change=6).tempo_penalties(np.log2([1.05, 1.1, 1.4])).round().tolist()
        [0.0, 102.0, 116.0]
        """
        beyond = octaves - self.octaves
        cost = TEMPO_PENALTY + TEMPO_GROWTH * np.minimum(beyond, _MOST_BEYOND)
        return np.where(beyond > 0, cost, 0).astype(np.float32)


# For a new playlist, whose tracks can be chosen so that they mix: with a limit of 6 per cent as many of the tracks
# belong to the seeds' playlists as with 8 (artists .440 and .442, docs/research/experiments.md), and none is larger.
# The defaults of the class judge what is there already.
FOR_NEW_PLAYLISTS = Mixing(max_tempo_change=6.0, avoid_clashes=True)
