"""What it costs to play a track next, as named terms.

The published cost of candidate c after the track l (taylorhawks, RNN-music-recommender) is

    flow * ||spicyness * prediction - c||  -  sweetness * K(l, c)  -  smoothness * T(l, c)

with the key similarity K and the tempo similarity T of `music`. What is unknown contributes nothing.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import NamedTuple, Protocol

import numpy as np

from disco.catalogue import Catalogue, Floats, Rows
from disco.distance import block_distances, blocks, distances, workspace
from disco.errors import DiscoError
from disco.music import key_similarity, tempo_angle, tempo_change, tempo_similarity
from disco.predict import Predictor

# Place of an unknown key behind the twelve known ones of the circle of fifths.
_UNKNOWN = 12
# K between all twelve places, 0 where one is unknown.
_K = np.nan_to_num(
    key_similarity(*np.meshgrid([*range(12), np.nan], [*range(12), np.nan], indexing="ij")), nan=0.0
).astype(np.float32)


@dataclass(frozen=True)
class Knobs:
    """The four knobs, any finite numbers; the defaults are the published ones.

    Attributes
    ----------
    flow : float
        How much nearness to the predicted next track counts.
    spicyness : float
        Stretches the prediction: above 1 away from the middle of all music, below 1 towards it.
    sweetness : float
        How much consonance of keys counts.
    smoothness : float
        How much likeness of tempos counts.
    """

    flow: float = 1.0
    spicyness: float = 1.2
    sweetness: float = 1.0
    smoothness: float = 1.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not math.isfinite(value):
                raise DiscoError(f"{name} must be a finite number, not {value}")


class State(NamedTuple):
    """Where several sequences (beams) stand: their last tracks, and what comes next in each."""

    last: Rows
    vectors: Floats
    memory: Floats


class Transition(Protocol):
    """Cost of the next track; lower is better."""

    pairwise: bool

    def start(self, path: Rows) -> State:
        """State after a first path, of one beam."""

    def costs(self, state: State, options: Rows) -> Floats:
        """Cost of each option as the next track of each beam, shape (beams, options)."""

    def step(self, state: State, parents: Rows, rows: Rows) -> State:
        """State after these rows were played, each after the beam that `parents` names."""

    def terms(self, path: Rows) -> dict[str, Floats]:
        """The named terms of each join of a path, shape (n - 1,) each; NaN where unknown."""


class _Columns(NamedTuple):
    """What the cost reads of a set of tracks, laid out to be read in order."""

    space: Floats
    position: np.ndarray[tuple[int], np.dtype[np.uint8]]
    cosine: Floats
    sine: Floats
    complete: bool  # every track has its place in space

    def take(self, rows: Rows) -> _Columns:
        """These tracks alone; rows without a gap are not copied."""
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
            part = slice(int(rows[0]), int(rows[-1]) + 1)
            return _Columns(
                self.space[:, part], self.position[part], self.cosine[part], self.sine[part], self.complete
            )
        space = np.take(self.space, rows, axis=1)
        complete = self.complete or not np.isnan(space).any()
        return _Columns(space, self.position[rows], self.cosine[rows], self.sine[rows], bool(complete))


class Flow:
    """The published cost over one catalogue, one predictor and one set of knobs.

    Parameters
    ----------
    catalogue : Catalogue
    predictor : Predictor
    knobs : Knobs
    space : ndarray, shape (n, d)
        `predictor.embed(catalogue)`, where distance is measured.
    """

    pairwise = False

    def __init__(self, catalogue: Catalogue, predictor: Predictor, knobs: Knobs, space: Floats) -> None:
        self._catalogue, self._predictor, self.knobs, self._space = catalogue, predictor, knobs, space
        position = np.nan_to_num(catalogue.positions, nan=_UNKNOWN).astype(np.uint8)
        angle = tempo_angle(catalogue.tempos).astype(np.float32)
        cosine, sine = np.nan_to_num(np.cos(angle), nan=0.0), np.nan_to_num(np.sin(angle), nan=0.0)
        self._all = _Columns(space.T, position, cosine, sine, bool(catalogue.measured.all()))
        self._gathered: tuple[Rows, _Columns] | None = None

    def start(self, path: Rows) -> State:
        """State of one beam after a path of at least one track."""
        memory = self._predictor.start(1)
        for row in path:
            vectors, memory = self._predictor.step(self._inputs(np.array([row])), memory)
        return State(np.asarray(path[-1:], dtype=np.intp), vectors, memory)

    def step(self, state: State, parents: Rows, rows: Rows) -> State:
        """State after these rows were played, each after the beam that `parents` names."""
        vectors, memory = self._predictor.step(self._inputs(rows), state.memory[parents])
        return State(rows, vectors, memory)

    def costs(self, state: State, options: Rows) -> Floats:
        """Cost of each option as the next track of each beam, shape (beams, options), float32.

        The columns of the options are gathered once for as long as the same array is asked about.
        """
        columns, knobs = self._columns(options), self.knobs
        costs = np.empty((len(state.last), len(options)), dtype=np.float32)
        work = workspace(columns.space)
        for out, last, vector in zip(costs, state.last, state.vectors, strict=True):
            target = np.float32(knobs.spicyness) * vector
            sweet = np.float32(knobs.sweetness) * _K[self._all.position[last]]
            # cos(a - b) = cos a cos b + sin a sin b: two columns instead of a cosine for every option.
            cosine = np.float32(knobs.smoothness) * self._all.cosine[last]
            sine = np.float32(knobs.smoothness) * self._all.sine[last]
            for block in blocks(len(options)):
                cost = out[block]
                block_distances(columns.space[:, block], target, cost, work)
                term = work[0, : len(cost)]  # still in the cache, and free again
                if not columns.complete:
                    np.nan_to_num(cost, copy=False, nan=0.0)
                if knobs.flow != 1:
                    cost *= np.float32(knobs.flow)
                cost -= np.take(sweet, columns.position[block], out=term, mode="clip")
                cost -= np.multiply(columns.cosine[block], cosine, out=term)
                cost -= np.multiply(columns.sine[block], sine, out=term)
        return costs

    def terms(self, path: Rows) -> dict[str, Floats]:
        """Terms of each join, shape (n - 1,): cost, distance, key_similarity, tempo_similarity, tempo_change.

        Distance is from `spicyness * prediction`, tempo_change in per cent with half and double time
        folded; NaN is unknown and was no part of the cost.
        """
        path = np.asarray(path, dtype=np.intp)
        distance = np.full(len(path) - 1, np.nan, dtype=np.float32)
        state = self.start(path[:1])
        for i, row in enumerate(path[1:]):
            target = np.float32(self.knobs.spicyness) * state.vectors[0]
            distance[i] = distances(self._space[[row]].T, target)[0]
            state = self.step(state, np.array([0]), np.array([row]))
        a, b = path[:-1], path[1:]
        key = key_similarity(self._catalogue.positions[a], self._catalogue.positions[b])
        tempos = self._catalogue.tempos
        tempo = tempo_similarity(tempos[a], tempos[b])
        cost = (
            self.knobs.flow * np.nan_to_num(distance, nan=0.0)
            - self.knobs.sweetness * np.nan_to_num(key, nan=0.0)
            - self.knobs.smoothness * np.nan_to_num(tempo, nan=0.0)
        )
        terms = {
            "cost": cost,
            "distance": distance,
            "key_similarity": key,
            "tempo_similarity": tempo,
            "tempo_change": tempo_change(tempos[a], tempos[b]),
        }
        return {name: np.asarray(values, dtype=np.float32) for name, values in terms.items()}

    def _inputs(self, rows: Rows) -> Floats:
        return self._predictor.inputs(self._catalogue, self._space, rows)

    def _columns(self, options: Rows) -> _Columns:
        if self._gathered is None or self._gathered[0] is not options:
            self._gathered = options, self._all.take(options)
        return self._gathered[1]
