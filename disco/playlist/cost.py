"""The cost of playing a track next, in named terms.

The published cost of candidate c after the track l (taylorhawks, RNN-music-recommender) is

    flow * ||spicyness * prediction - c||  -  sweetness * K(l, c)  -  smoothness * T(l, c)

with the key similarity K and the tempo similarity T of `catalogue.music`. An unknown key or tempo contributes
nothing. Missing features are mean-imputed; distances add their expected squared error (`distance.impute`).
`FlowCost` is that cost. `PairwiseCost` measures the distance from l itself, so that the cost of a transition depends
on its two tracks alone; it is reported as

    flow * ||l - c||  +  sweetness * (1 - K(l, c))  +  smoothness * (1 - T(l, c))

which has the same best choice and is never negative, so that percentages of it are meaningful. `Mixing` has the
definitions of K and T, by default the published ones.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

import numpy as np

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.music import tempo_angle, tempo_change
from disco.catalogue.table import Mask
from disco.errors import DiscoError
from disco.models.distance import block_distances, blocks, impute, workspace
from disco.models.predictors import Predictor
from disco.playlist.columns import Columns, mean_of_nearest, on_circles
from disco.playlist.mixing import Mixing
from disco.playlist.near_costs import MANY, NearCosts
from disco.playlist.styles import tempo_steps
from disco.playlist.transition_cost import State


@dataclass(frozen=True)
class Knobs:
    """Weights of the terms in the cost, any finite numbers; the defaults are the published ones.

    Attributes
    ----------
    flow : float
        Weight of the distance to the predicted vector.
    spicyness : float
        Factor on the predicted vector: above 1 it moves away from the mean of all music, below 1 towards it.
    sweetness : float
        Weight of key similarity.
    smoothness : float
        Weight of tempo similarity.

    Examples
    --------
    >>> Knobs(sweetness=2.0).spicyness
    1.2
    """

    flow: float = 1.0
    spicyness: float = 1.2
    sweetness: float = 1.0
    smoothness: float = 1.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not math.isfinite(value):
                raise DiscoError(f"{name} must be a finite number, not {value}")


class _TransitionTerms:
    """The terms that both costs share, over one catalogue: distance, key and tempo similarity."""

    def __init__(self, catalogue: Catalogue, knobs: Knobs, embeddings: Floats, mixing: Mixing) -> None:
        self.catalogue, self.knobs, self.embeddings, self.mixing = catalogue, knobs, embeddings, mixing
        self._similarity, self._key_penalty = mixing.key_tables
        key, style = mixing.key_numbers(catalogue), mixing.learned
        angle = tempo_angle(catalogue.tempos).astype(np.float32)
        cosine, sine = np.nan_to_num(np.cos(angle), nan=0.0), np.nan_to_num(np.sin(angle), nan=0.0)
        octaves_differ = mixing.half_time_weight != 1 or mixing.max_tempo_change is not None or not mixing.graded
        octave = angle / np.float32(2 * np.pi) if octaves_differ or mixing.pitch is not None else None
        columns, missing_variance = impute(embeddings)
        steps = None if style is None else tempo_steps(catalogue.tempos)
        if style is not None and steps is not None:
            self._tempo_values = np.float32(knobs.smoothness) * style.tempos
            self._first_change = style.first_change(steps)
        self._all = Columns(columns, missing_variance, key, cosine, sine, octave, steps)
        self._gathered: tuple[Rows, Columns] | None = None
        self._near: tuple[Columns, NearCosts] | None = None

    def vectors(self, rows: Rows) -> Floats:
        """Embeddings of tracks, shape (n, d), missing components imputed with the mean."""
        return np.asarray(self._all.embeddings[:, rows].T)

    def missing_variance(self, rows: Rows) -> Floats:
        """Expected squared error of the imputed components of tracks, shape (n,)."""
        variance = self._all.missing_variance
        return np.zeros(len(rows), dtype=np.float32) if variance is None else variance[rows]

    def distances(self, rows: Rows, targets: Floats, missing_variance: Floats | float = 0.0) -> Floats:
        """Distance of each track from its target, shape (n,); `missing_variance` is that of the targets."""
        difference = self.vectors(rows) - targets
        squares = (difference**2).sum(axis=1) + self.missing_variance(rows) + missing_variance
        return np.asarray(np.sqrt(squares), dtype=np.float32)

    def known(self, rows: Rows) -> Mask:
        """Whether any component of the embedding is known, shape (n,)."""
        return np.asarray(~np.isnan(self.embeddings[rows]).all(axis=1))

    def costs(self, last: Rows, targets: Floats, options: Rows, missing_variance: Floats | None = None) -> Floats:
        """Cost of each option after each last track with a target vector, shape (beams, options), float32."""
        return self._costs(last, targets, self._columns(options), missing_variance)

    def cheapest(self, last: int, target: Floats, options: Rows) -> Rows:
        """Positions of a few options that are cheaper than all others, cheapest first; none if that is not known."""
        columns, knobs, none = self._columns(options), self.knobs, np.empty(0, dtype=np.intp)
        if len(options) < MANY or columns.steps is not None or columns.octave is not None or not self.mixing.graded:
            return none
        if self._near is None or self._near[0] is not columns:
            self._near = columns, NearCosts(columns)
        sweet = knobs.sweetness * self._similarity[self._all.key[last]] - self._key_penalty[self._all.key[last]]
        tempo = (knobs.smoothness * self._all.cosine[last], knobs.smoothness * self._all.sine[last])
        few, bound = self._near[1].few(target, sweet, knobs.flow, *tempo)
        if len(few) > len(options) // 8:  # as where no embedding is known
            return none
        costs = self._costs(np.array([last]), target[None], self._all.take(options[few]), None)[0]
        order = np.argsort(costs, kind="stable")
        return np.asarray(few[order[costs[order] < bound]], dtype=np.intp)

    def _costs(self, last: Rows, targets: Floats, columns: Columns, missing_variance: Floats | None) -> Floats:
        knobs, graded = self.knobs, self.mixing.graded
        costs = np.empty((len(last), len(columns.key)), dtype=np.float32)
        work = workspace(columns.embeddings)
        for beam, (out, row, target) in enumerate(zip(costs, last, targets, strict=True)):
            # Penalties of keys that clash cost nothing here, where they are part of a small table of keys.
            key = self._all.key[row]
            sweet = np.float32(knobs.sweetness) * self._similarity[key] - self._key_penalty[key]
            # cos(a - b) = cos a cos b + sin a sin b: two columns instead of a cosine for every option.
            cosine = np.float32(knobs.smoothness) * self._all.cosine[row]
            sine = np.float32(knobs.smoothness) * self._all.sine[row]
            changes = None if columns.steps is None else columns.steps + self._first_change[row]
            more = columns.missing_variance
            if missing_variance is not None and missing_variance[beam]:
                more = np.full(len(out), missing_variance[beam]) if more is None else more + missing_variance[beam]
            for block in blocks(len(out)):
                cost = out[block]
                block_distances(
                    columns.embeddings[:, block], target, cost, work, None if more is None else more[block]
                )
                term = work[0, : len(cost)]  # still in the cache, and free again
                if knobs.flow != 1:
                    cost *= np.float32(knobs.flow)
                if self.mixing.pitch is None:
                    cost -= np.take(sweet, columns.key[block], out=term, mode="clip")
                if changes is not None:
                    cost -= np.take(self._tempo_values, changes[block], out=term, mode="clip")
                elif graded:
                    cost -= np.multiply(columns.cosine[block], cosine, out=term)
                    cost -= np.multiply(columns.sine[block], sine, out=term)
            if columns.octave is not None:
                out += self._tempo_penalties(int(row), columns, columns.octave)
            if self.mixing.pitch is not None:
                out -= self._pitched_keys(int(row), columns)
        return costs

    def lookahead_cost(self, options: Rows) -> Floats:
        """Mean cost of the `_NEAR` cheapest transitions from each of n options to others, without constants: (n,).

        Computed by a matrix product, with full weight of half and double time: accurate enough to guide a search.
        """
        columns, knobs = self._columns(options), self.knobs
        if self.mixing.pitch is not None:
            pitched = np.stack([self._pitched_keys(int(row), columns) for row in options])
            return mean_of_nearest(columns, pitched, knobs.flow, knobs.smoothness)
        values = (np.float32(knobs.sweetness) * self._similarity)[columns.key]
        return mean_of_nearest(columns, np.take(values, columns.key, axis=1), knobs.flow, knobs.smoothness)

    def terms(self, path: Rows, distance: Floats) -> dict[str, Floats]:
        """Named terms of the transitions of a sequence, without the cost."""
        a, b = path[:-1], path[1:]
        key, tempos, mixing = self._all.key, self.catalogue.tempos, self.mixing
        terms = {
            "distance": distance,
            "key_similarity": mixing.key_similarity(
                key[a], key[b], mixing.semitones(key[a], key[b], tempos[a], tempos[b])
            ),
            "tempo_similarity": mixing.tempo_similarity(tempos[a], tempos[b]),
            "tempo_change": tempo_change(tempos[a], tempos[b], mixing.folds),
        }
        return {name: np.asarray(values, dtype=np.float32) for name, values in terms.items()}

    def values(self, path: Rows) -> dict[str, Floats]:
        """What keys and tempos of the transitions of a sequence are worth in the cost, under the names of terms."""
        return self.mixing.values(self._all.key[path], self.catalogue.tempos[path])

    def _pitched_keys(self, row: int, columns: Columns) -> Floats:
        """What keys of options are worth as they sound after a track, clashes included, shape (n,)."""
        here = self._all.take(np.array([row]))
        return self.mixing.pitched_values(self.knobs.sweetness, here.key, columns.key, here.octave, columns.octave)

    def _tempo_penalties(self, row: int, columns: Columns, octave: Floats) -> Floats:
        """Cost of large tempo jumps, and of half and double time below full weight, or of tempos not graded: (n,)."""
        mixing, here = self.mixing, self._all
        if here.octave is None or (mixing.graded and np.isnan(here.octave[row])):
            return np.zeros(len(octave), dtype=np.float32)
        apart = octave - here.octave[row]
        beyond = mixing.tempo_penalties(np.abs(apart - np.rint(apart) if mixing.folds else apart))
        if not mixing.graded:
            return beyond - np.float32(self.knobs.smoothness) * mixing.tempo_values(apart)
        if mixing.half_time_weight == 1:
            return beyond
        similarity = columns.cosine * here.cosine[row] + columns.sine * here.sine[row]
        lacking = (1 - mixing.half_time_weight) * self.knobs.smoothness * (1 + similarity)
        return np.asarray(np.where(np.abs(apart) > 0.5, lacking, 0) + beyond, dtype=np.float32)

    def _columns(self, options: Rows) -> Columns:
        # Gathered once for as long as the same array is passed.
        if self._gathered is None or self._gathered[0] is not options:
            self._gathered = options, self._all.take(options)
        return self._gathered[1]


def weighted(knobs: Knobs, mixing: Mixing) -> Knobs:
    """Knobs times the factors of the style, which says how much keys and tempos count beside each other."""
    style = mixing.learned
    if style is None:
        return knobs
    return replace(knobs, sweetness=knobs.sweetness * style.sweetness, smoothness=knobs.smoothness * style.smoothness)


def reported_cost(terms: dict[str, Floats], knobs: Knobs) -> Floats:
    """Cost of transitions as reported, shape (n - 1,): flow * distance + sweetness * (1 - K) + smoothness * (1 - T).

    Never negative if no knob is. Unknown K, T and distances count as 0.

    Examples
    --------
    >>> terms = {name: np.array([0.5]) for name in ("distance", "key_similarity", "tempo_similarity")}
    >>> reported_cost(terms, Knobs()).tolist()
    [1.5]
    """
    known = {name: np.nan_to_num(terms[name], nan=0.0) for name in ("distance", "key_similarity", "tempo_similarity")}
    sweet = knobs.sweetness * (1 - known["key_similarity"])
    smooth = knobs.smoothness * (1 - known["tempo_similarity"])
    return np.asarray(knobs.flow * known["distance"] + sweet + smooth, dtype=np.float32)


class FlowCost:
    """The published cost over one catalogue, one predictor and one set of knobs.

    Parameters
    ----------
    catalogue : Catalogue
    predictor : Predictor
    knobs : Knobs
    embeddings : ndarray, shape (n, d)
        `predictor.embed(catalogue)`, between which distance is measured.
    mixing : Mixing
    title : str
    """

    pairwise = False

    def __init__(
        self,
        catalogue: Catalogue,
        predictor: Predictor,
        knobs: Knobs,
        embeddings: Floats,
        mixing: Mixing = Mixing(),  # noqa: B008 - frozen
        title: str = "",
    ) -> None:
        knobs = weighted(knobs, mixing)
        self._catalogue, self._predictor, self.knobs, self.mixing = catalogue, predictor, knobs, mixing
        self._title = title
        self._terms = _TransitionTerms(catalogue, knobs, embeddings, mixing)
        self._has_embeddings = not np.isnan(embeddings).all()

    def start(self, path: Rows) -> State:
        """State of one beam after a path of at least one track."""
        memory = self._predictor.start(1, self._title)
        for row in path:
            vectors, memory = self._predictor.step(self._inputs(np.array([row])), memory)
        return State(np.asarray(path[-1:], dtype=np.intp), vectors, memory)

    def step(self, state: State, parents: Rows, rows: Rows) -> State:
        """State after these rows, each appended to the beam with the index in `parents`."""
        vectors, memory = self._predictor.step(self._inputs(rows), state.memory[parents])
        return State(rows, vectors, memory)

    def costs(self, state: State, options: Rows) -> Floats:
        """Cost of each option as the next track of each beam, shape (beams, options), float32."""
        return self._terms.costs(state.last, self._targets(state), options)

    def cheapest(self, state: State, options: Rows) -> Rows:
        """Positions of a few options that are cheaper than all others, cheapest first; none if not known."""
        return self._terms.cheapest(int(state.last[0]), self._targets(state)[0], options)

    def lookahead_cost(self, options: Rows) -> Floats:
        """Mean cost of the cheapest transitions from each of n options to others, shape (n,), without constants.

        Distance is measured between the tracks, which are near to the predictions.
        """
        return self._terms.lookahead_cost(options)

    def terms(self, path: Rows) -> dict[str, Floats]:
        """Terms of each transition, shape (n - 1,): cost, distance, key_similarity, tempo_similarity, tempo_change.

        Distance is from `spicyness * prediction`; tempo_change is in per cent with half and double time folded. NaN
        is unknown: an unknown key or tempo contributes nothing to the cost, an unknown embedding its expected
        distance. The cost does not include the penalties of large tempo jumps and of clashes of keys.
        """
        path = np.asarray(path, dtype=np.intp)
        distance = np.empty(len(path) - 1, dtype=np.float32)
        state = self.start(path[:1])
        for i, row in enumerate(path[1:]):
            distance[i] = self._terms.distances(np.array([row]), self._targets(state))[0]
            state = self.step(state, np.array([0]), np.array([row]))
        terms = self._terms.terms(path, distance)
        cost = reported_cost(terms | self._terms.values(path), self.knobs)
        cost -= self.knobs.sweetness + self.knobs.smoothness
        terms["distance"][~self._terms.known(path[1:])] = np.nan
        return {"cost": cost.astype(np.float32), **terms}

    def _targets(self, state: State) -> Floats:
        targets: Floats = np.float32(self.knobs.spicyness) * state.vectors
        # Without any embedding all tracks are at 0, and so is the target: distance contributes nothing.
        return targets if self._has_embeddings else np.zeros_like(targets)

    def _inputs(self, rows: Rows) -> Floats:
        return self._predictor.inputs(self._catalogue, self._terms.embeddings, rows)


class PairwiseCost:
    """The cost of transitions that depends on their two tracks alone, as reported; spicyness is not used.

    Parameters
    ----------
    catalogue : Catalogue
    knobs : Knobs
    embeddings : ndarray, shape (n, d)
        Between which distance is measured; NaN where unknown.
    mixing : Mixing
        Definitions of K and T.
    unmatched : ndarray of rows, optional
        Tracks of which only a name is known: transitions to and from them cost nothing.
    """

    pairwise = True

    def __init__(
        self,
        catalogue: Catalogue,
        knobs: Knobs,
        embeddings: Floats,
        mixing: Mixing = Mixing(),  # noqa: B008 - frozen
        unmatched: Rows | None = None,
    ) -> None:
        self.knobs, self.mixing, self.embeddings = weighted(knobs, mixing), mixing, embeddings
        self._terms = _TransitionTerms(catalogue, self.knobs, embeddings, mixing)
        self._unmatched = np.zeros(len(catalogue), dtype=bool)
        self._unmatched[[] if unmatched is None else unmatched] = True

    def start(self, path: Rows) -> State:
        """State of one beam after a path of at least one track."""
        return self._state(np.asarray(path[-1:], dtype=np.intp))

    def step(self, state: State, parents: Rows, rows: Rows) -> State:
        """State after these rows; what came before does not matter."""
        return self._state(rows)

    def costs(self, state: State, options: Rows) -> Floats:
        """Cost of each option as the next track of each beam, shape (beams, options), float32."""
        knobs = self.knobs
        costs = self._terms.costs(state.last, state.vectors, options, self._terms.missing_variance(state.last))
        costs += np.float32(knobs.sweetness + knobs.smoothness)
        if min(knobs.flow, knobs.sweetness, knobs.smoothness) >= 0:
            np.maximum(costs, 0, out=costs)  # 1 - T of the same tempo may be rounded below 0
        if self._unmatched.any():
            costs[self._unmatched[state.last]] = 0
            costs[:, self._unmatched[options]] = 0
        return costs

    def lookahead_cost(self, options: Rows) -> Floats:
        """Mean cost of the cheapest transitions from each of n options to others, shape (n,), without constants."""
        return self._terms.lookahead_cost(options)

    def between(self, rows: Rows, options: Rows) -> Floats:
        """Cost of every transition from n tracks to m, shape (n, m), float32."""
        return self.costs(self._state(rows), options)

    def points(self, rows: Rows) -> Floats:
        """Places of tracks where those are near that follow each other well: sound, key and tempo, shape (n, d)."""
        circles = on_circles(self._terms.catalogue, rows, self.knobs.sweetness / 2, self.knobs.smoothness / 2)
        return np.concatenate([np.float32(self.knobs.flow) * self._terms.vectors(rows), circles], axis=1)

    def matrix(self, rows: Rows) -> Floats:
        """Cost of every transition among n tracks, from the track of the row to that of the column, shape (n, n)."""
        costs = self.between(rows, rows)
        np.fill_diagonal(costs, 0)
        return costs

    def deviation(self, a: int, b: int, share: float, options: Rows) -> Floats:
        """Cost of each option for its distance from the point at a share of the straight line from track a to b."""
        ends = self._terms.vectors(np.array([a, b]))
        apart = self._terms.distances(options, (1 - share) * ends[:1] + share * ends[1:])
        return np.asarray(np.float32(self.knobs.flow) * apart, dtype=np.float32)

    def terms(self, path: Rows) -> dict[str, Floats]:
        """Terms of each transition, as those of `FlowCost`; the distance is between neighbours."""
        path = np.asarray(path, dtype=np.intp)
        a, b = path[:-1], path[1:]
        distance = self._terms.distances(b, self._terms.vectors(a), self._terms.missing_variance(a))
        terms = self._terms.terms(path, distance)
        cost = reported_cost(terms | self._terms.values(path), self.knobs)
        terms["distance"][~(self._terms.known(a) & self._terms.known(b))] = np.nan
        strange = self._unmatched[a] | self._unmatched[b]
        return {"cost": np.where(strange, 0, cost), **terms}

    def _state(self, last: Rows) -> State:
        return State(last, self._terms.vectors(last), np.empty((len(last), 0), dtype=np.float32))
