"""Other ways to order a set of tracks: simple baselines, and the searches of four published playlist programs.

Reimplemented from their descriptions and published figures (September 2026); no code of theirs is used. Their costs
are in `baseline_costs`.

*AudioMuse-AI*: nearest neighbour from the track at the lower quartile of energy.

*WrzDJ*: tracks are added greedily by 0.30 energy to a curve, 0.25 tempo, 0.20 key, 0.10 genre, 0.05 artist not played
before. Then the second track of the worst transition changes places with a later one, up to 50 times, as long as the
mean score of transitions grows. Its curve is flat here, at the tracks' mean energy, since no method is given an arc.

*playlist-sorter*: a genetic algorithm with 100 orders, tournaments of three, the best two kept, order crossover, 10
to 30 % mutated (pairs swapped, a part reversed), 15 % immigrants, 2-opt on the best three at generation 50 and every
100 from there. It runs until it is stopped; here, for 300 generations.

*reklawdbox*: a beam of 8 from the track of the lowest energy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from disco.catalogue import Floats, Rows
from disco.evaluation.baseline_costs import (
    Costs,
    Tracks,
    absolute_differences,
    audiomuse,
    feature_distance,
    playlist_sorter,
    reklawdbox,
    same_number,
    wrzdj,
    wrzdj_key,
    wrzdj_tempo,
)
from disco.playlist.cost import State
from disco.playlist.sequence import beam, greedy
from disco.playlist.sequence.order import Order

Search = Callable[[Tracks, Costs, np.random.Generator], Order]

# playlist-sorter's published parameters, except the number of generations.
POPULATION, TOURNAMENT, ELITE, IMMIGRANTS, GENERATIONS = 100, 3, 2, 15, 300
# WrzDJ's number of swaps, and reklawdbox's beam width.
SWAPS, BEAM_WIDTH = 50, 8


@dataclass(frozen=True)
class Baseline:
    """One method to order tracks.

    Attributes
    ----------
    cost : callable, optional
        Cost of a transition from the track of the row to that of the column, shape (n, n); None where it has none.
    search : callable
        Its own search: from tracks, costs and a random generator to a permutation.
    weighs_all : bool
        Whether its cost has terms for key, tempo and sound, all three.
    """

    cost: Callable[[Tracks], Costs] | None
    search: Search
    weighs_all: bool = False


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


def _nearest_neighbour(costs: Costs, first: int, width: int = 1) -> Order:
    """The cheapest remaining track, again and again, with a beam of this width."""
    pool, start = np.delete(np.arange(len(costs)), first), np.array([first])
    if width == 1:
        return greedy(start, pool, len(pool), _TransitionCosts(costs), _not_yet_played)
    return beam(start, pool, len(pool), _TransitionCosts(costs), _not_yet_played, width=width)


def _not_yet_played(path: object, row: int) -> bool:
    """Whether a track is not in the path yet, the only rule here."""
    return row not in path  # type: ignore[operator]


def _from_lower_quartile(tracks: Tracks, costs: Costs, rng: np.random.Generator) -> Order:
    by_energy = np.argsort(np.nan_to_num(tracks.energy), kind="stable")
    return _nearest_neighbour(costs, int(by_energy[len(by_energy) // 4]))


def _from_lowest_energy(tracks: Tracks, costs: Costs, rng: np.random.Generator) -> Order:
    return _nearest_neighbour(costs, int(np.argmin(np.nan_to_num(tracks.energy, nan=np.inf))), BEAM_WIDTH)


def _from_first_track(tracks: Tracks, costs: Costs, rng: np.random.Generator) -> Order:
    return _nearest_neighbour(costs, 0)


def _greedy_with_swaps(tracks: Tracks, costs: Costs, rng: np.random.Generator) -> Order:
    """WrzDJ's greedy construction and its swaps."""
    n = len(tracks)
    energy = np.where(np.isnan(tracks.energy), 0.5, 10 * tracks.energy)
    target = float(np.nanmean(10 * tracks.energy)) if not np.isnan(tracks.energy).all() else 0.0
    match = np.where(np.isnan(tracks.energy), 0.5, np.maximum(0, 1 - np.abs(energy - target) / 10))
    same, artists = same_number(tracks.genre), same_number(tracks.artist)
    genre = np.where((tracks.genre < 0)[:, None] | (tracks.genre < 0)[None, :], 0.5, same)
    follow = 0.25 * wrzdj_tempo(tracks) + 0.20 * wrzdj_key(tracks) + 0.10 * genre
    order: list[int] = []
    is_left, score = np.ones(n, dtype=bool), np.zeros(n)
    for _ in range(n):
        played = np.array(order, dtype=np.intp)
        is_played, is_recent = artists[:, played].any(axis=1), artists[:, played[-3:]].any(axis=1)
        score = 0.30 * match + 0.05 * np.where(is_recent, 0, np.where(is_played, 0.5, 1))
        if order:
            score = score + follow[order[-1]]
        order.append(int(np.where(is_left, score, -np.inf).argmax()))
        is_left[order[-1]] = False
    best = np.array(order, dtype=np.intp)
    for _ in range(SWAPS):
        transition_costs = costs[best[:-1], best[1:]]
        if not len(transition_costs):
            break
        worst = int(transition_costs.argmax()) + 1
        swapped = np.repeat(best[None, :], n - worst - 1, axis=0)
        later = np.arange(worst + 1, n)
        swapped[np.arange(len(later)), later], swapped[:, worst] = best[worst], best[later]
        limit = transition_costs.sum() - 1e-5 * len(transition_costs)
        better = np.flatnonzero(_order_costs(costs, swapped) < limit)
        if not len(better):
            break
        best = swapped[better[0]]
    return best


def _order_costs(costs: Costs, orders: Order) -> Costs:
    return np.asarray(costs[orders[:, :-1], orders[:, 1:]].sum(axis=1))


def two_opt(costs: Costs, order: Order) -> Order:
    """2-opt: reverse parts of an order until no reversal improves it (Croes 1958).

    Parameters
    ----------
    costs : ndarray, shape (n, n)
        Symmetric.
    order : ndarray of int, shape (n,)

    Returns
    -------
    ndarray of int, shape (n,)

    Examples
    --------
    >>> line = np.abs(np.subtract.outer(np.arange(4.0), np.arange(4.0)))
    >>> two_opt(line, np.array([0, 2, 1, 3]))
    array([0, 1, 2, 3])
    """
    n = len(order)
    first, last = np.triu_indices(n, 1)
    framed = np.zeros((n + 2, n + 2))
    while True:
        framed[1:-1, 1:-1] = costs[np.ix_(order, order)]
        on = np.diagonal(framed, 1)
        change = framed[first, last + 1] + framed[first + 1, last + 2] - on[first] - on[last + 1]
        best = int(change.argmin())
        if change[best] > -1e-10:
            return order
        order = order.copy()
        order[first[best] : last[best] + 1] = order[first[best] : last[best] + 1][::-1].copy()


def order_crossover(one: Order, two: Order, rng: np.random.Generator) -> Order:
    """Order crossover (OX; Davis 1985) of m pairs: a part of one parent, and the rest in the order of the other.

    Parameters
    ----------
    one, two : ndarray of int, shape (m, n)
    rng : Generator

    Returns
    -------
    ndarray of int, shape (m, n)
    """
    m, n = one.shape
    cuts = np.sort(rng.integers(n, size=(m, 2)), axis=1)
    # Both rotated so that the part comes last.
    rotation = (cuts[:, 1:] + 1 + np.arange(n)) % n
    one_rotated, two_rotated = (np.take_along_axis(parent, rotation, axis=1) for parent in (one, two))
    n_copied = cuts[:, 1:] - cuts[:, :1] + 1
    is_copied = np.zeros((m, n), dtype=bool)
    np.put_along_axis(is_copied, one_rotated, np.arange(n) >= n - n_copied, axis=1)
    rest = np.argsort(np.take_along_axis(is_copied, two_rotated, axis=1), axis=1, kind="stable")
    filled = np.where(np.arange(n) < n - n_copied, np.take_along_axis(two_rotated, rest, axis=1), one_rotated)
    children = np.empty_like(one)
    np.put_along_axis(children, rotation, filled, axis=1)
    return children


def genetic_search(tracks: Tracks, costs: Costs, rng: np.random.Generator) -> Order:
    """playlist-sorter's genetic algorithm with 2-opt.

    Parameters
    ----------
    tracks : Tracks
    costs : ndarray, shape (n, n)
    rng : Generator

    Returns
    -------
    ndarray of int, shape (n,)
        The best order of all generations.
    """
    n = len(tracks)
    initial = [np.arange(n), np.argsort(tracks.energy, kind="stable"), np.argsort(tracks.tempo, kind="stable")]
    initial.append(np.lexsort((tracks.key // 12, tracks.key % 12)))
    shuffled = rng.permuted(np.tile(np.arange(n), (POPULATION - len(initial), 1)), axis=1)
    population = np.r_[np.array(initial), shuffled]
    best: Order = population[0].copy()
    least, stuck = np.inf, 0
    for generation in range(GENERATIONS):
        totals: Costs = _order_costs(costs, population)
        rank = np.argsort(totals, kind="stable")
        population, totals = population[rank], totals[rank]
        if generation % 100 == 50:
            for i in range(3):
                population[i] = two_opt(costs, population[i])
            totals[:3] = _order_costs(costs, population[:3])
        winner = int(totals.argmin())
        stuck = 0 if totals[winner] < least - 1e-12 else stuck + 1
        if not stuck:
            best, least = population[winner].copy(), float(totals[winner])
        population[-IMMIGRANTS:] = population[0]
        for order in population[-IMMIGRANTS:]:
            _swap_pairs(order, max(3, n // 10), rng)
        totals[-IMMIGRANTS:] = _order_costs(costs, population[-IMMIGRANTS:])
        contestants = rng.integers(POPULATION, size=(POPULATION - ELITE, TOURNAMENT))
        parents = population[contestants[np.arange(len(contestants)), totals[contestants].argmin(axis=1)]]
        one, two = parents[::2], parents[1::2]
        children = np.stack([order_crossover(one, two, rng), order_crossover(two, one, rng)], axis=1).reshape(-1, n)
        rate = min(0.3, 0.1 + stuck / 100 * 0.2)
        for i in np.flatnonzero(rng.random(len(children)) < rate).tolist():
            if rng.random() < 0.5:
                _swap_pairs(children[i], int(rng.integers(2, 6)), rng)
            else:
                low, high = sorted(rng.integers(n, size=2).tolist())
                part = slice(low, high + 1)
                children[i, part] = children[i, part][::-1].copy()
        population = np.r_[population[:ELITE], children]
    return best


def _swap_pairs(order: Order, times: int, rng: np.random.Generator) -> None:
    """Swap random pairs of tracks, in place."""
    for a, b in rng.integers(len(order), size=(times, 2)):
        order[a], order[b] = order[b], order[a]


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
    "WrzDJ": Baseline(wrzdj, _greedy_with_swaps, weighs_all=True),
    "playlist-sorter": Baseline(playlist_sorter, genetic_search, weighs_all=True),
    "reklawdbox": Baseline(reklawdbox, _from_lowest_energy, weighs_all=True),
}
