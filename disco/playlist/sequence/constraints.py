"""What a sequence is asked for besides cheap transitions, and what that makes each track cost at each position."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.arrays import among
from disco.catalogue.music import key_name
from disco.errors import DiscoError
from disco.playlist.key_rules import KeyRule, key_index, key_rule
from disco.playlist.sequence.tempo_costs import TempoCosts, check_tempos

# Heights from 0, the calmest of the tracks, to 1, the most energetic, evenly spread over the sequence. The peak comes
# after two thirds, as in a DJ set.
ARCS: dict[str, tuple[float, ...]] = {
    "flat": (0.5, 0.5),
    "warm-up": (0.0, 1.0),
    "peak": (0.1, 0.55, 1.0, 0.4),
    "wave": (0.2, 0.9, 0.2, 0.9, 0.2),
    "cool-down": (1.0, 0.0),
}
# Cost of the least fitting key at the first or last position: more than a transition or two, so that a track in the
# wanted key is chosen if there is one.
_KEY_WEIGHT = 10.0
# A key that is compatible with the wanted one is still another key.
_OTHER_KEY = 3.0


@dataclass(frozen=True)
class Constraints:
    """What a sequence is asked for. Rows are those of the catalogue that is sequenced, positions count from 0.

    Attributes
    ----------
    pinned : tuple of (position, row)
        Tracks with fixed positions.
    start_track, end_track : int, optional
        Rows of the first and the last track.
    arc : tuple of float
        Heights of energy, 0 the calmest of the tracks to 1 the most energetic, evenly spread from the first position
        to the last; one of `ARCS`, or any. Empty for none.
    arc_weight : float
        Cost of a track that is as far from the arc as possible. Energy is measured by its rank among the tracks.
    start_key, end_key : (key, mode), optional
        Of the first and the last track.
    tempo_arc : tuple of float
        Tempos in beats per minute, evenly spread from the first position to the last. Empty for none.
    tempo_arc_weight : float
        Cost of a track 10 per cent away from the arc of tempo; half as far costs a quarter.
    max_tempo_drift : float, optional
        Per cent by which the tempo of any track may differ from that of the first, half and double time folded.
    randomness : float
        Noise from 0 up to this is added to the cost of each choice: other good answers instead of the best.
    random_seed : int
        Of the noise; the same seed gives the same answer.

    Raises
    ------
    DiscoError
        If a value is out of range.

    Examples
    --------
    >>> Constraints(pinned=((3, 17),), arc=ARCS["peak"]).arc
    (0.1, 0.55, 1.0, 0.4)
    """

    pinned: tuple[tuple[int, int], ...] = ()
    start_track: int | None = None
    end_track: int | None = None
    arc: tuple[float, ...] = ()
    arc_weight: float = 5.0
    start_key: tuple[int, int] | None = None
    end_key: tuple[int, int] | None = None
    tempo_arc: tuple[float, ...] = ()
    tempo_arc_weight: float = 5.0
    max_tempo_drift: float | None = None
    randomness: float = 0.0
    random_seed: int = 0

    def __post_init__(self) -> None:
        if not all(math.isfinite(height) and 0 <= height <= 1 for height in self.arc):
            raise DiscoError(f"an arc's points are numbers from 0 to 1, not {', '.join(map(str, self.arc))}")
        if len(self.arc) == 1:
            raise DiscoError("an arc needs two points or more")
        check_tempos(self.tempo_arc, self.max_tempo_drift)
        weights = {"weight of the arc": self.arc_weight, "weight of the arc of tempo": self.tempo_arc_weight}
        for name, value in {**weights, "randomness": self.randomness}.items():
            if not (math.isfinite(value) and value >= 0):
                raise DiscoError(f"the {name} must be 0 or more, not {value}")
        if self.random_seed < 0:
            raise DiscoError(f"a random seed must be 0 or more, not {self.random_seed}")

    @property
    def required(self) -> tuple[int, ...]:
        """Rows of the tracks that must be played."""
        ends = (row for row in (self.start_track, self.end_track) if row is not None)
        return (*(row for _, row in self.pinned), *ends)


class PositionCosts:
    """What tracks cost at the positions of a sequence, and which tracks are pinned.

    Parameters
    ----------
    catalogue : Catalogue
    total : int
        Number of positions, those of the start included.
    constraints : Constraints
    rule : KeyRule, optional
        Which keys are near to those of the start and the end; the published rule by default.
    whole : bool
        Whether all tracks are played: then any arc can be met, so its heights are replaced by their ranks.
    everywhere : ndarray, shape (n,), optional
        What each track of the catalogue costs at whatever position.
    opening : float, optional
        Tempo of the first track, where it is given; only then a limit of drift can be priced position by position.
    fold : bool
        Whether half and double time count as the same tempo.

    Attributes
    ----------
    pinned : dict of int to int
        Row by position.

    Raises
    ------
    DiscoError
        If constraints contradict each other, or name a position that does not exist.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        total: int,
        constraints: Constraints = Constraints(),
        rule: KeyRule | None = None,
        whole: bool = False,
        everywhere: Floats | None = None,
        opening: float | None = None,
        fold: bool = True,
    ) -> None:
        self._catalogue, self.total, self.constraints, self._whole = catalogue, total, constraints, whole
        self._rule, self._everywhere = rule or key_rule(), everywhere
        self.tempos = TempoCosts(catalogue.tempos, total, constraints, opening, fold)
        self.pinned = pinned_by_position(constraints, total)
        self._taken = frozenset(self.pinned.values())

    def without_pinned(self, rows: Rows) -> Rows:
        """The rows without pinned ones; the same array where none is pinned."""
        return rows[~among(rows, np.array(list(self._taken)))] if self._taken else rows

    @cached_property
    def arc_heights(self) -> Floats | None:
        """Height of the arc at each position, shape (total,); None without an arc."""
        if not self.constraints.arc or not self.constraints.arc_weight:
            return None
        points = np.linspace(0, 1, len(self.constraints.arc))
        heights = np.interp(np.linspace(0, 1, self.total), points, self.constraints.arc)
        return (ranks(heights) if self._whole else heights).astype(np.float32)

    @cached_property
    def energy(self) -> Floats:
        """Rank of each track's energy among all, 0-1, shape (n,); NaN where unknown."""
        return ranks(self._catalogue.numbers("energy")).astype(np.float32)

    @property
    def arc_energy(self) -> Floats | None:
        """Energy that the arc asks for at each position, shape (total,); None without an arc or any known energy."""
        energy = self._catalogue.numbers("energy")
        if self.arc_heights is None or np.isnan(energy).all():
            return None
        return np.asarray(np.nanquantile(energy, self.arc_heights), dtype=np.float32)

    def at(self, position: int, rows: Rows) -> Floats | None:
        """Costs of rows at a position, shape (n,), float32, without noise; None where nothing is asked for there."""
        costs = None if self._everywhere is None else self._everywhere[rows]
        if self.arc_heights is not None:
            deviation = np.abs(self.energy[rows] - self.arc_heights[position])
            arc_costs = np.float32(self.constraints.arc_weight) * np.nan_to_num(deviation, nan=0.0)
            costs = arc_costs if costs is None else costs + arc_costs
        if (tempo_costs := self.tempos.at(position, rows)) is not None:
            costs = tempo_costs if costs is None else costs + tempo_costs
        for end, key in ((0, self.constraints.start_key), (self.total - 1, self.constraints.end_key)):
            if key is not None and position == end:
                key_costs = self._key_costs(key, rows)
                costs = key_costs if costs is None else costs + key_costs
        return costs

    def matrix(self, rows: Rows) -> Floats | None:
        """Costs of n rows at all positions, shape (total, n); None where nothing is asked for at any."""
        costs = [self.at(position, rows) for position in range(self.total)]
        if all(row is None for row in costs):
            return None
        return np.stack([np.zeros(len(rows), np.float32) if row is None else row for row in costs])

    def noise(self, position: int, n: int) -> Floats | None:
        """Seeded noise for a choice among n; None without randomness."""
        if not self.constraints.randomness:
            return None
        uniform = np.random.default_rng([self.constraints.random_seed, position]).random(n, dtype=np.float32)
        return np.float32(self.constraints.randomness) * uniform

    def _key_costs(self, key: tuple[int, int], rows: Rows) -> Floats:
        """0 for a track in the key, up to `_KEY_WEIGHT` for the worst key and for an unknown one."""
        wanted = key_index(*key)
        keys = key_index(self._catalogue.numbers("key")[rows], self._catalogue.modes[rows])
        share = np.nan_to_num((1 - self._rule.between(keys, wanted)) / 2, nan=1.0)
        costs = _OTHER_KEY + (_KEY_WEIGHT - _OTHER_KEY) * share
        return np.where(keys == wanted, 0, costs).astype(np.float32)

    def notes(self, path: Rows) -> list[str]:
        """Which constraints a sequence does not meet, in sentences."""
        notes = []
        unmet = [
            str(position + 1)
            for position, row in sorted(self.pinned.items())
            if path[position : position + 1] != [row]
        ]
        if unmet:
            positions = f"{'positions' if len(unmet) > 1 else 'position'} {', '.join(unmet)}"
            notes.append(f"tracks pinned to {positions} could not be placed there")
        for what, end, key in (("first", 0, self.constraints.start_key), ("last", -1, self.constraints.end_key)):
            if key is None or not len(path):
                continue
            found = [float(self._catalogue.numbers(name)[path[end]]) for name in ("key", "mode")]
            if found != [float(part) for part in key]:
                name = "an unknown key" if np.isnan(found).any() else key_name(int(found[0]), int(found[1]))
                notes.append(f"the {what} track is in {name}, not in {key_name(*key)}")
        if self.arc_heights is not None and len(path):
            deviation = self.energy[path] - self.arc_heights[: len(path)]
            if np.isnan(deviation).all():
                notes.append("no track's energy is known, so the arc could not be followed")
            elif (error := float(np.sqrt(np.nanmean(deviation**2)))) > 0.2:
                notes.append(f"the arc is met only roughly (off by {error:.2f} of 1); raise --arc-weight")
        return notes + self.tempos.notes(path)


def pinned_by_position(constraints: Constraints, total: int) -> dict[int, int]:
    """Row by position, the ends included."""
    pinned: dict[int, int] = {}
    start_and_end = ((0, constraints.start_track), (total - 1, constraints.end_track))
    ends = [(position, row) for position, row in start_and_end if row is not None]
    for position, row in (*constraints.pinned, *ends):
        if not 0 <= position < total:
            raise DiscoError(f"there is no position {position + 1} in a sequence of {total} tracks")
        if pinned.setdefault(position, row) != row:
            raise DiscoError(f"two tracks are pinned to position {position + 1}")
    positions: dict[int, int] = {}
    for position, row in pinned.items():
        if (other := positions.setdefault(row, position)) != position:
            low, high = sorted((other, position))
            raise DiscoError(f"one track is pinned to positions {low + 1} and {high + 1}")
    return pinned


def ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Ranks from 0 to 1, shape (n,).

    Equal values share the mean of their ranks, NaN stays NaN, and a single value has rank 0.5.

    Examples
    --------
    >>> ranks(np.array([3.0, 1.0, 3.0, np.nan])).tolist()
    [0.75, 0.0, 0.75, nan]
    """
    known = ~np.isnan(values)
    found = np.full(len(values), np.nan)
    _, inverse, counts = np.unique(values[known], return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    found[known] = middle[inverse] / max(known.sum() - 1, 1) if known.sum() > 1 else 0.5
    return found
