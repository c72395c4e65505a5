"""What a sequence is asked for besides cheap transitions, and what that makes each track cost at each position."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.music import key_name
from disco.errors import DiscoError
from disco.playlist.key_rules import KeyRule, key_index, key_rule

# Heights from 0, the calmest of the tracks, to 1, the most energetic, evenly spread over the sequence. A peak comes
# after two thirds, as in a DJ's hour.
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
    """What a sequence is asked for. Rows are those of the catalogue that is sequenced, places count from 0.

    Attributes
    ----------
    pinned : tuple of (place, row)
        Tracks that must stand at places.
    start_track, end_track : int, optional
        The same for the two ends.
    arc : tuple of float
        Heights of energy, 0 the calmest of the tracks to 1 the most energetic, evenly spread from the first place
        to the last; one of `ARCS`, or any. Empty: none is wished for.
    arc_weight : float
        What a track costs that is as far from the arc as can be. Energy is its rank among the tracks.
    start_key, end_key : (key, mode), optional
        Of the first and the last track.
    randomness : float
        Noise added to the cost of each choice, from 0 up to this: other good answers instead of the best.
    random_seed : int
        Of the noise; the same seed gives the same answer.
    """

    pinned: tuple[tuple[int, int], ...] = ()
    start_track: int | None = None
    end_track: int | None = None
    arc: tuple[float, ...] = ()
    arc_weight: float = 5.0
    start_key: tuple[int, int] | None = None
    end_key: tuple[int, int] | None = None
    randomness: float = 0.0
    random_seed: int = 0

    def __post_init__(self) -> None:
        if not all(math.isfinite(height) and 0 <= height <= 1 for height in self.arc):
            raise DiscoError(f"an arc's points are numbers from 0 to 1, not {', '.join(map(str, self.arc))}")
        if len(self.arc) == 1:
            raise DiscoError("an arc needs two points or more")
        if self.random_seed < 0:
            raise DiscoError(f"a random seed must be 0 or more, not {self.random_seed}")
        for name, value in (("weight of the arc", self.arc_weight), ("randomness", self.randomness)):
            if not (math.isfinite(value) and value >= 0):
                raise DiscoError(f"the {name} must be 0 or more, not {value}")


class PositionCosts:
    """What tracks cost at the places of a sequence of so many, and which places are taken.

    Parameters
    ----------
    catalogue : Catalogue
    total : int
        Places, those of the start included.
    constraints : Constraints
    rule : KeyRule, optional
        By which keys are near to those of the start and the end; the published one by default.
    whole : bool
        Whether all tracks are played: then any arc can be met, so its heights count by their ranks.

    Attributes
    ----------
    pinned : dict of int to int
        Row by place.

    Raises
    ------
    DiscoError
        If constraints contradict each other, or name a place that there is not.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        total: int,
        constraints: Constraints = Constraints(),
        rule: KeyRule | None = None,
        whole: bool = False,
    ) -> None:
        self._catalogue, self.total, self.constraints, self._whole = catalogue, total, constraints, whole
        self._rule = rule or key_rule()
        self.pinned = _pinned_by_position(constraints, total)
        self._taken = frozenset(self.pinned.values())

    def free(self, row: int, place: int) -> bool:
        """Whether no other place holds this row."""
        return row not in self._taken or self.pinned.get(place) == row

    def without_pinned(self, rows: Rows) -> Rows:
        """The same rows without those that have their place; the same array where none has."""
        return rows[~np.isin(rows, list(self._taken))] if self._taken else rows

    @cached_property
    def arc_heights(self) -> Floats | None:
        """Height of the arc at each place, shape (total,); None where no arc is wished for."""
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
        """Energy that the arc asks for at each place, shape (total,); None where no arc is, or no energy known."""
        energy = self._catalogue.numbers("energy")
        if self.arc_heights is None or np.isnan(energy).all():
            return None
        return np.asarray(np.nanquantile(energy, self.arc_heights), dtype=np.float32)

    def at(self, place: int, rows: Rows) -> Floats | None:
        """What rows cost at a place, shape (n,), float32; None where nothing is wished for there.

        The noise of `randomness` is no part of it.
        """
        price = None
        if self.arc_heights is not None:
            away = np.abs(self.energy[rows] - self.arc_heights[place])
            price = np.float32(self.constraints.arc_weight) * np.nan_to_num(away, nan=0.0)
        for end, key in ((0, self.constraints.start_key), (self.total - 1, self.constraints.end_key)):
            if key is not None and place == end:
                costs = self._key_price(key, rows)
                price = costs if price is None else price + costs
        return price

    def matrix(self, rows: Rows) -> Floats | None:
        """What n rows cost at all places, shape (total, n); None where nothing is wished for at any."""
        prices = [self.at(place, rows) for place in range(self.total)]
        if all(price is None for price in prices):
            return None
        return np.stack([np.zeros(len(rows), np.float32) if price is None else price for price in prices])

    def noise(self, place: int, n: int) -> Floats | None:
        """Seeded noise for a choice among n; None without randomness."""
        if not self.constraints.randomness:
            return None
        drawn = np.random.default_rng([self.constraints.random_seed, place]).random(n, dtype=np.float32)
        return np.float32(self.constraints.randomness) * drawn

    def _key_price(self, key: tuple[int, int], rows: Rows) -> Floats:
        """0 for a track in the key, up to `_KEY_WEIGHT` in the worst, which is also what an unknown one costs."""
        wanted = key_index(*key)
        numbers, modes = self._catalogue.numbers("key")[rows], self._catalogue.modes[rows]
        places = key_index(numbers, modes)
        share = np.nan_to_num((1 - self._rule.between(places, wanted)) / 2, nan=1.0)
        price = _OTHER_KEY + (_KEY_WEIGHT - _OTHER_KEY) * share
        return np.where(places == wanted, 0, price).astype(np.float32)

    def notes(self, path: Rows) -> list[str]:
        """What of the constraints a path does not keep, in sentences."""
        notes = []
        if lost := [f"{place + 1}" for place, row in sorted(self.pinned.items()) if path[place : place + 1] != [row]]:
            notes.append(
                f"the tracks for {'places' if len(lost) > 1 else 'place'} {', '.join(lost)} found no way there"
            )
        for what, end, key in (("first", 0, self.constraints.start_key), ("last", -1, self.constraints.end_key)):
            if key is None or not len(path):
                continue
            got = [float(self._catalogue.numbers(name)[path[end]]) for name in ("key", "mode")]
            if got != [float(part) for part in key]:
                there = "in an unknown key" if np.isnan(got).any() else f"in {key_name(int(got[0]), int(got[1]))}"
                notes.append(f"the {what} track is {there}, not in {key_name(*key)}")
        if self.arc_heights is not None and len(path):
            apart = self.energy[path] - self.arc_heights[: len(path)]
            if np.isnan(apart).all():
                notes.append("no track's energy is known, so the arc could not be followed")
            elif (far := float(np.sqrt(np.nanmean(apart**2)))) > 0.2:
                notes.append(f"the arc was met but roughly (off by {far:.2f} of 1); more with --arc-weight")
        return notes


def _pinned_by_position(constraints: Constraints, total: int) -> dict[int, int]:
    """Row by place, the ends included."""
    pinned: dict[int, int] = {}
    ends = [
        (place, row)
        for place, row in ((0, constraints.start_track), (total - 1, constraints.end_track))
        if row is not None
    ]
    for place, row in (*constraints.pinned, *ends):
        if not 0 <= place < total:
            raise DiscoError(f"there is no place {place + 1} in a sequence of {total} tracks")
        if pinned.setdefault(place, row) != row:
            raise DiscoError(f"two tracks are to stand at place {place + 1}")
    places: dict[int, int] = {}
    for place, row in pinned.items():
        if (other := places.setdefault(row, place)) != place:
            raise DiscoError(f"one track is to stand at places {min(place, other) + 1} and {max(place, other) + 1}")
    return pinned


def ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Ranks from 0 to 1, equal values sharing the mean of theirs; NaN stays NaN, and one alone is 0.5."""
    known = ~np.isnan(values)
    found = np.full(len(values), np.nan)
    _, inverse, counts = np.unique(values[known], return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    found[known] = middle[inverse] / max(known.sum() - 1, 1) if known.sum() > 1 else 0.5
    return found
