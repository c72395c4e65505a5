"""How keys and tempos are judged: the key rule, the weight of half and double time, what is made only in need."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue
from disco.catalogue.music import tempo_octaves, tempo_similarity
from disco.errors import DiscoError
from disco.playlist.key_rules import UNKNOWN, KeyIndex, KeyRule, key_index, key_rule
from disco.playlist.pitch import check_pitch, nearest, pitch_semitones, transposed, value_between
from disco.playlist.styles import FIRST_UNSURE, PUBLISHED, Style, key_numbers, load_style

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

# Cost of a tempo change above the limit: more than twenty ordinary transitions, so that it is made only where there
# is no other, and small enough for float32 to keep differences of 0.00001 beside it.
TEMPO_PENALTY = 100.0
# What each octave beyond the limit costs besides, up to half of one, the most that is left once tempos are folded: of
# large changes the smaller is made, and two of them still cost more than one of any size.
TEMPO_GROWTH, _MOST_BEYOND = 40.0, 0.5
# Per cent of the tempo within which two tracks can be mixed, half and double time folded: about what DJs turn
# a pitch fader, and the limit that published comparisons count by.
MIXABLE_CHANGE = 6.0
# What a larger change costs beside 1: this times the square of the excess, in units of that limit. Chosen with the
# knobs of `matching.KNOBS`.
_EXCESS = 0.9
_JSON_NAMES = {"half_time_weight": "half_time", "max_tempo_change": "max_bpm_change"}
# Cost of a clash of keys that is to be avoided: as much, so that as few transitions as possible are bad either way.
KEY_PENALTY = 100.0


class SoundingKeys(NamedTuple):
    """Keys at the transitions of a sequence, by their indices in the tables of rules, shape (n - 1,) each."""

    before: KeyIndex  # of the outgoing tracks, at their own tempos
    after: KeyIndex  # of the incoming ones as they sound beside those
    semitones: NDArray[np.float64]  # by which the incoming ones sound higher than at their own tempos


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
    graded : bool
        Whether keys and tempos are the better the more alike they are, as published; otherwise keys that the rule
        allows and tempos within 6 % are all as good, and the others cost. A learned style is always graded.
    style : str
        What keys and tempos are worth: published (K and T), or as learned from DJs (dj) or listeners' playlists
        (listener). A learned style has values of its own for each move, so that the key rule only says which keys
        clash.
    pitch : float, optional
        Without key lock: per cent by which a track may be played faster or slower to meet the tempo of the one
        before, which moves its key. Keys are judged as they sound then; see `disco.playlist.pitch`.

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
    graded: bool = True
    style: str = PUBLISHED
    pitch: float | None = None

    def __post_init__(self) -> None:
        _ = self.keys
        check_pitch(self.pitch)
        if self.learned is not None:
            object.__setattr__(self, "graded", True)
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
        if self.pitch is None:
            del values["pitch"]
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
        """Value and penalty by the indices of two keys, shape (25, 25) each.

        The value is the similarity, 0 where either is unknown, if keys are graded; otherwise 1 for keys that the rule
        allows and 0 for others, and half of that where either is unknown. An unknown key has no penalty.
        """
        penalty = np.float32(KEY_PENALTY if self.avoid_clashes else 0) * ~self.keys.compatible
        allowed = np.pad(self.keys.compatible.astype(np.float32), (0, 1), constant_values=0.5)
        return self.keys.padded if self.graded else allowed, np.pad(penalty.astype(np.float32), (0, 1))

    def tempo_values(self, octaves: Floats) -> Floats:
        """Value of changes of tempo that are not graded, by octaves from one to the other, not folded: shape (...).

        1 up to the limit and ever less beyond it, by at most half an octave; half where it is unknown. Half and
        double time cost what their weight lacks to 1.

        Examples
        --------
        >>> ratios = np.float32([1.05, 1.12, 2, np.nan])
        >>> Mixing(graded=False).tempo_values(np.log2(ratios)).astype(float).round(2).tolist()
        [1.0, -0.8, 1.0, 0.5]
        """
        limit = np.float32(math.log2(1 + MIXABLE_CHANGE / 100) + 1e-6)
        apart = np.abs(octaves)
        near = np.abs(octaves - np.rint(octaves)) if self.folds else np.minimum(apart, np.float32(0.5))
        excess = near / limit - 1
        values = np.where(excess > 0, np.float32(-_EXCESS) * excess * excess, np.float32(1))
        if self.half_time_weight < 1:
            values -= np.where(apart > 0.5, np.float32(1 - self.half_time_weight), np.float32(0))
        return np.asarray(np.where(np.isnan(apart), np.float32(0.5), values), dtype=np.float32)

    def values(self, keys: KeyIndex, tempos: NDArray[np.floating]) -> dict[str, Floats]:
        """What keys and tempos of n tracks in order are worth in the cost, by names of terms, shape (n - 1,) each.

        Of graded ones the similarities, 0 where unknown.
        """
        a, b = tempos[:-1], tempos[1:]
        shifts = self.semitones(keys[:-1], keys[1:], a, b)
        key = value_between(self.key_tables[0], keys[:-1], keys[1:], shifts).astype(np.float32)
        if self.graded:
            tempo = np.nan_to_num(self.tempo_similarity(a, b), nan=0.0).astype(np.float32)
        else:
            tempo = self.tempo_values(tempo_octaves(a, b, fold=False).astype(np.float32))
        return {"key_similarity": key, "tempo_similarity": tempo}

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

    def semitones(
        self, a: KeyIndex, b: KeyIndex, a_bpm: NDArray[np.floating], b_bpm: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        """By how much the second track of transitions sounds higher than at its own tempo; 0 with key lock.

        Keys are given by their numbers in `key_tables`, tempos in BPM, in shapes that broadcast.

        Examples
        --------
        >>> c = np.array([0], dtype=np.uint8)
        >>> Mixing(pitch=6).semitones(c, c, np.array([128.0]), np.array([124.0])).round(2).tolist()
        [0.55]
        """
        if self.pitch is None:
            return np.zeros(np.broadcast_shapes(np.shape(a), np.shape(b)))
        octaves = tempo_octaves(a_bpm, b_bpm, self.folds)
        return pitch_semitones(a, b, octaves, self.pitch, self.key_tables[0])

    def pitched_values(
        self, sweetness: float, a: KeyIndex, b: KeyIndex, a_octave: Floats | None, b_octave: Floats | None
    ) -> Floats:
        """What transitions to pitched tracks are worth, less the penalties of clashes, from log2 of the tempos."""
        if self.pitch is None or a_octave is None or b_octave is None:
            raise ValueError("tracks are not pitched, or there are no tempos to pitch them by")
        octaves = b_octave - a_octave
        octaves = octaves - np.rint(octaves) if self.folds else octaves
        similarity, penalty = self.key_tables
        shifts = pitch_semitones(a, b, octaves, self.pitch, similarity)
        values = sweetness * value_between(similarity, a, b, shifts)
        return np.asarray(values - penalty[a, transposed(b, nearest(shifts))], dtype=np.float32)

    def sounding_keys(self, tracks: Catalogue, rows: NDArray[np.intp] | None = None) -> SoundingKeys:
        """Keys of tracks in their order, or of rows, as they sound at each transition."""
        rows = np.arange(len(tracks)) if rows is None else rows
        numbers, tempos = self.key_numbers(tracks)[rows], tracks.tempos[rows]
        keys = key_index(tracks.numbers("key")[rows], tracks.modes[rows])
        shifts = self.semitones(numbers[:-1], numbers[1:], tempos[:-1], tempos[1:])
        return SoundingKeys(keys[:-1], transposed(keys[1:], nearest(shifts)), shifts)

    def key_similarity(self, a: KeyIndex, b: KeyIndex, semitones: NDArray[np.float64] | float = 0.0) -> Floats:
        """Value of transitions between keys, from 1 to -1; NaN where either is unknown.

        Keys are given by their numbers in `key_tables`; the second ones sound higher by so many semitones.
        """
        table = self.keys.padded if self.learned is None else self.learned.keys
        values = value_between(table, a, b, semitones)
        return np.where((a == UNKNOWN) | (b == UNKNOWN), np.nan, values).astype(np.float32)

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
# For tracks that are given: keys by the wheel that DJs go by, and no degrees, so that as many transitions as possible
# mix both ways and the sound decides among those (docs/research/rivals.md).
FOR_ORDERING = Mixing("camelot", graded=False)
