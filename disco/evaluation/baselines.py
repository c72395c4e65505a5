"""Other ways to order a set of tracks: simple baselines, and six published playlist programs.

Described from the programs' code as it was published and written anew; no code of theirs is used. Their costs are
in `baseline_costs`, their searches in `baseline_searches` and `baseline_reklawdbox`. Each is what it does where
nothing is chosen; beside three of them stands what their users choose: WrzDJ with strict keys, playlist-sorter with
the weights that its README names, and reklawdbox with a flat curve and its widest beam.

*AudioMuse-AI*: nearest neighbour from the track at the lower quartile of energy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from disco.catalogue import Floats, Rows
from disco.evaluation.baseline_costs import (
    SORTER_README,
    STRICTEST,
    Costs,
    Tracks,
    absolute_differences,
    audiomuse,
    feature_distance,
    playlist_sorter,
    reklawdbox,
    setlist,
    wrzdj,
)
from disco.evaluation.baseline_reklawdbox import ReklawdboxScore, beam_of_scores
from disco.evaluation.baseline_searches import annealing, filtered_draws, genetic_search, greedy_with_swaps
from disco.playlist.sequence import greedy
from disco.playlist.sequence.order import Order
from disco.playlist.transition_cost import State

Search = Callable[[Tracks, Costs, np.random.Generator], Order]

# The widest beam that reklawdbox has.
_ITS_WIDEST = 8


@dataclass(frozen=True)
class Baseline:
    """One method to order tracks.

    Attributes
    ----------
    cost : callable, optional
        Cost of a transition from the track of the row to that of the column, shape (n, n); None where it has none.
    search : callable
        Its own search: from tracks, costs and a random generator to a permutation.
    whole_score : callable, optional
        Where its cost is no sum over transitions: from tracks to what scores whole orders.
    weighs_all : bool
        Whether its cost has terms for key, tempo and sound, all three.
    """

    cost: Callable[[Tracks], Costs] | None
    search: Search
    weighs_all: bool = False
    whole_score: Callable[[Tracks], ReklawdboxScore] | None = None

    def total(self, tracks: Tracks, costs: Costs, order: Order) -> float:
        """Its own cost of one order."""
        if self.whole_score is not None:
            return float(self.whole_score(tracks).costs(order[None, :])[0])
        return float(costs[order[:-1], order[1:]].sum())


class _TransitionCosts:
    """A matrix of costs in the form that sequencers read."""

    pairwise = True

    def __init__(self, costs: Costs) -> None:
        self._costs = costs

    def start(self, path: Rows) -> State:
        """State after a path."""
        return self.step(None, path, np.asarray(path[-1:], dtype=np.intp))

    def step(self, state: State | None, parents: Rows, rows: Rows) -> State:
        """State after these rows; earlier rows have no influence."""
        return State(rows, np.empty((len(rows), 0), np.float32), np.empty((len(rows), 0), np.float32))

    def costs(self, state: State, options: Rows) -> Floats:
        """Cost of each option after each last track, shape (beams, options)."""
        return self._costs[np.ix_(state.last, options)].astype(np.float32)

    def lookahead_cost(self, options: Rows) -> Floats:
        """Zero: the baselines have no lookahead."""
        return np.zeros(len(options), dtype=np.float32)

    def terms(self, path: Rows) -> dict[str, Floats]:
        """The cost alone."""
        return {"cost": self._costs[path[:-1], path[1:]].astype(np.float32)}


def _nearest_neighbour(costs: Costs, first: int) -> Order:
    """The cheapest remaining track, again and again."""
    pool, start = np.delete(np.arange(len(costs)), first), np.array([first])
    return greedy(start, pool, len(pool), _TransitionCosts(costs), _not_yet_played)


def _not_yet_played(path: object, row: int) -> bool:
    """Whether a track is not in the path yet, the only rule here."""
    return row not in path  # type: ignore[operator]


def _from_lower_quartile(tracks: Tracks, costs: Costs, rng: np.random.Generator) -> Order:
    by_energy = np.argsort(np.nan_to_num(tracks.energy), kind="stable")
    return _nearest_neighbour(costs, int(by_energy[len(by_energy) // 4]))


def _from_first_track(tracks: Tracks, costs: Costs, rng: np.random.Generator) -> Order:
    return _nearest_neighbour(costs, 0)


def _beam(tracks: Tracks, costs: Costs, rng: np.random.Generator) -> Order:
    score = ReklawdboxScore(tracks)
    return beam_of_scores(score, score.start())


def _beam_on_flat_curve(tracks: Tracks, costs: Costs, rng: np.random.Generator) -> Order:
    score = ReklawdboxScore(tracks, flat=True)
    return beam_of_scores(score, score.start(), _ITS_WIDEST)


BASELINES: dict[str, Baseline] = {
    "random": Baseline(None, lambda tracks, costs, rng: rng.permutation(len(tracks))),
    "by tempo": Baseline(
        lambda t: np.nan_to_num(absolute_differences(t.tempo)),
        lambda t, costs, rng: np.argsort(t.tempo, kind="stable"),
    ),
    "by energy": Baseline(
        lambda t: np.nan_to_num(absolute_differences(t.energy)),
        lambda t, costs, rng: np.argsort(t.energy, kind="stable"),
    ),
    "nearest neighbour": Baseline(feature_distance, _from_first_track),
    "AudioMuse-AI": Baseline(audiomuse, _from_lower_quartile, weighs_all=True),
    "WrzDJ": Baseline(wrzdj, greedy_with_swaps, weighs_all=True),
    "WrzDJ strict": Baseline(
        lambda t: wrzdj(t, STRICTEST), lambda t, costs, rng: greedy_with_swaps(t, costs, rng, STRICTEST), True
    ),
    "playlist-sorter": Baseline(playlist_sorter, genetic_search, weighs_all=True),
    "playlist-sorter README": Baseline(lambda t: playlist_sorter(t, SORTER_README), genetic_search, weighs_all=True),
    "reklawdbox": Baseline(reklawdbox, _beam, True, ReklawdboxScore),
    "reklawdbox flat": Baseline(reklawdbox, _beam_on_flat_curve, True, lambda t: ReklawdboxScore(t, flat=True)),
    "setlist": Baseline(setlist, annealing),
    "playlistjockey": Baseline(None, filtered_draws),
}
