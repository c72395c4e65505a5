"""Searches of three published playlist programs for the order that is best by their own cost.

Described here from the programs' code as it was published (`baseline_costs`) and written anew.

*WrzDJ*: tracks are added greedily by 0.30 energy to a curve, 0.25 tempo, 0.20 key, 0.10 genre, 0.05 artist not
played before, and terms that are constant here. Then the second track of the worst transition changes places with a
later one, up to 50 times, as long as the mean score of transitions grows. Energies are whole numbers from 0 to 10,
its curve is the usual one, for an evening of any music, and it gets time for all of the tracks.

*playlist-sorter*: a genetic algorithm with 100 orders, tournaments of three, the best two kept, order crossover, 10
to 30 % mutated (pairs swapped, a part reversed), 15 % immigrants, 2-opt on the best three at generation 5,000. It
runs until it is stopped, after five minutes at most; here, for a little longer than 5,000 generations, which take
the program itself about ten seconds.

*setlist*: three times from a nearest neighbour, whose first track is likelier the slower it is, by simulated
annealing: tracks swapped and moved, parts reversed and moved. It tries 6,000 n^2 moves; here, a fixed number of
them.

*playlistjockey* (robalberse, December 2024): the next track is drawn at random among those by other artists than
the last few, with a key of the Camelot wheel's four, a tempo within 10 per cent, half and double time too, and an
energy of one step of ten at most; if there is none, among those with any of these or a near danceability; else
among all.
"""

from __future__ import annotations

import itertools
import math
import random

import numpy as np

from disco.evaluation.baseline_costs import (
    STRICTNESS,
    Costs,
    Tracks,
    absolute_differences,
    camelot_steps,
    same_number,
    sorter_energy,
    wrzdj_keys,
    wrzdj_tempo,
)
from disco.playlist.key_rules import UNKNOWN
from disco.playlist.sequence.order import Order

# playlist-sorter's published parameters, except the number of generations.
POPULATION, TOURNAMENT, ELITE, IMMIGRANTS, GENERATIONS = 100, 3, 2, 15, 5050
# The generation of its 2-opt.
TWO_OPT_AT = 5000
# WrzDJ's number of swaps, and the heights of its usual curve: position from 0 to 1, energy from 0 to 10.
SWAPS = 50
_CURVE = ((0, 0.1, 0.25, 0.45, 0.55, 0.62, 0.72, 0.85, 0.95, 1), (4, 5, 7, 9, 7, 5, 8, 10, 6, 3))
# Moves of setlist's annealing in all three runs: its own floor, a second of its program. At 30 tracks it takes 5.4
# million, which `benchmarks/rivals.py` gives it.
ANNEALING_MOVES, _ANNEALING_RUNS = 200_000, 3
_HOTTEST, _COLDEST = 0.5, 0.001

# WrzDJ's families of genres, and how well two families go together.
_FAMILIES = {
    "house": (
        "house",
        "deep house",
        "tech house",
        "progressive house",
        "electro house",
        "bass house",
        "acid house",
        "funky house",
        "afro house",
        "minimal house",
    ),
    "techno": (
        "techno",
        "minimal techno",
        "acid techno",
        "hard techno",
        "melodic techno",
        "peak time techno",
        "industrial techno",
    ),
    "trance": ("trance", "progressive trance", "uplifting trance", "psytrance", "vocal trance"),
    "bass": ("drum and bass", "dubstep", "jungle", "breakbeat", "garage", "uk garage"),
    "hip hop": ("hip hop", "rap", "trap", "r&b", "rnb"),
    "pop": ("pop", "dance pop", "synth pop", "indie pop"),
    "rock": ("rock", "alternative rock", "indie rock", "punk", "metal"),
    "country": ("country", "folk", "americana", "bluegrass"),
    "electronic": ("electronic", "electronica", "ambient", "downtempo", "idm"),
}
_RELATED = {("house", "techno"): 0.4, ("pop", "rock"): 0.2} | dict.fromkeys(
    [
        ("house", "trance"),
        ("techno", "trance"),
        ("electronic", "house"),
        ("electronic", "techno"),
        ("electronic", "trance"),
        ("bass", "electronic"),
        ("hip hop", "pop"),
    ],
    0.3,
)


def wrzdj_genre(tracks: Tracks) -> Costs:
    """WrzDJ's score of genres, shape (n, n): 1 equal, 0.5 one in the other, 0.4 one family, less or 0 for others."""
    families = {genre: family for family, genres in _FAMILIES.items() for genre in genres}

    def score(one: str, two: str) -> float:
        if not one or not two:
            return 0.5
        if one == two:
            return 1.0
        if one in two or two in one:
            return 0.5
        pair = sorted((families.get(one, ""), families.get(two, "")))
        return 0.4 if pair[0] and pair[0] == pair[1] else _RELATED.get((pair[0], pair[1]), 0.0)

    names, code = np.unique(tracks.genre, return_inverse=True)
    scores = np.array([[score(one, two) for two in names.tolist()] for one in names.tolist()])
    return np.asarray(scores[np.ix_(code, code)])


def greedy_with_swaps(
    tracks: Tracks, costs: Costs, rng: np.random.Generator, strictness: float = STRICTNESS
) -> Order:
    """WrzDJ's greedy construction and its swaps."""
    n = len(tracks)
    energy = np.rint(10 * tracks.energy)
    follow = 0.25 * wrzdj_tempo(tracks) + 0.20 * wrzdj_keys(tracks, strictness) + 0.10 * wrzdj_genre(tracks)
    targets = np.round(np.interp((np.arange(n) + 0.5) / n, *_CURVE), 1)
    artists = same_number(tracks.artist)
    order: list[int] = []
    is_left = np.ones(n, dtype=bool)
    for target in targets:
        played = np.array(order, dtype=np.intp)
        is_played, is_recent = artists[:, played].any(axis=1), artists[:, played[-3:]].any(axis=1)
        match = np.where(np.isnan(energy), 0.5, np.maximum(0, 1 - np.abs(energy - target) / 10))
        score = 0.30 * match + 0.05 * np.where(is_recent, 0, np.where(is_played, 0.5, 1))
        if order:
            score = score + follow[order[-1]]
        order.append(int(np.where(is_left, np.round(score, 6), -np.inf).argmax()))
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
    initial = [np.arange(n), np.argsort(sorter_energy(tracks), kind="stable")]
    initial.append(np.argsort(np.nan_to_num(tracks.tempo), kind="stable"))
    # By Camelot name, minor before major, and unknown keys last: C major is 8B.
    initial.append(np.lexsort(((tracks.key % 12 + 7) % 12, -(tracks.key // 12), tracks.key == UNKNOWN)))
    shuffled = rng.permuted(np.tile(np.arange(n), (POPULATION - len(initial), 1)), axis=1)
    population = np.r_[np.array(initial), shuffled]
    best: Order = population[0].copy()
    least, stuck = np.inf, 0
    for generation in range(GENERATIONS):
        totals: Costs = _order_costs(costs, population)
        rank = np.argsort(totals, kind="stable")
        population, totals = population[rank], totals[rank]
        if generation == TWO_OPT_AT:
            for i in range(3):
                population[i] = two_opt(costs, population[i])
            totals[:3] = _order_costs(costs, population[:3])
        winner = int(totals.argmin())
        stuck = 0 if totals[winner] < least - 1e-12 else stuck + 1
        if not stuck:
            best, least = population[winner].copy(), float(totals[winner])
        population[-IMMIGRANTS:] = population[0]
        _swap_pairs(population[-IMMIGRANTS:], max(3, n // 10), rng)
        totals[-IMMIGRANTS:] = _order_costs(costs, population[-IMMIGRANTS:])
        contestants = rng.integers(POPULATION, size=(POPULATION - ELITE, TOURNAMENT))
        parents = population[contestants[np.arange(len(contestants)), totals[contestants].argmin(axis=1)]]
        one, two = parents[::2], parents[1::2]
        children = np.stack([order_crossover(one, two, rng), order_crossover(two, one, rng)], axis=1).reshape(-1, n)
        rate = min(0.3, 0.1 + stuck / 100 * 0.2)
        mutated = np.flatnonzero(rng.random(len(children)) < rate)
        reversed_ = rng.random(len(mutated)) < 0.5
        for i, times in zip(
            mutated[~reversed_].tolist(), rng.integers(2, 6, size=int((~reversed_).sum())), strict=True
        ):
            _swap_pairs(children[i : i + 1], int(times), rng)
        for i in mutated[reversed_].tolist():
            low, high = sorted(rng.integers(n, size=2).tolist())
            children[i, low : high + 1] = children[i, low : high + 1][::-1].copy()
        population = np.r_[population[:ELITE], children]
    return best


def _swap_pairs(orders: Order, times: int, rng: np.random.Generator) -> None:
    """Swap random pairs of tracks in each of several orders, in place."""
    every = np.arange(len(orders))
    for a, b in rng.integers(orders.shape[1], size=(times, 2, len(orders))):
        orders[every, a], orders[every, b] = orders[every, b], orders[every, a]


def annealing(tracks: Tracks, costs: Costs, rng: np.random.Generator) -> Order:
    """Setlist's simulated annealing: the best order of three runs.

    Parameters
    ----------
    tracks : Tracks
    costs : ndarray, shape (n, n)
        1 minus its scores.
    rng : Generator

    Returns
    -------
    ndarray of int, shape (n,)
    """
    n = len(tracks)
    if n < 2:
        return np.arange(n)
    own = random.Random(int(rng.integers(2**32)))  # noqa: S311 - no secret
    tempos = np.nan_to_num(tracks.tempo)
    weights = (tempos.max() - tempos + 1).tolist()
    # The row and column at the end, all 0, stand for what is before the first track and after the last.
    framed = np.zeros((n + 1, n + 1))
    framed[:n, :n] = costs
    runs = []
    for _ in range(_ANNEALING_RUNS):
        left = list(range(n))
        order = [own.choices(left, weights)[0]]
        left.remove(order[0])
        while left:
            order.append(left.pop(int(costs[order[-1], left].argmin())))
        runs.append(_annealed(order, framed.tolist(), ANNEALING_MOVES // _ANNEALING_RUNS, own))
    return np.array(min(runs)[1], dtype=np.intp)


def _annealed(order: list[int], costs: list[list[float]], moves: int, rng: random.Random) -> tuple[float, list[int]]:
    """Cost and order of the best that annealing passes."""
    n = len(order)
    # What is before the first track and after the last, as position -1 and n.
    order = [*order, n]
    now = sum(costs[a][b] for a, b in itertools.pairwise(order))
    best, least = order[:-1], now
    heat, cooling = _HOTTEST, math.exp(math.log(_COLDEST / _HOTTEST) / max(moves, 1))
    number, exp = rng.random, math.exp
    for _ in range(moves):
        kind, i, j = number(), int(number() * n), int(number() * n)
        while j == i:
            j = int(number() * n)
        low, high = (i, j) if i < j else (j, i)
        if kind < 0.25:
            tried = None
            before, a, after = order[low - 1], order[low], order[low + 1]
            left, b, right = order[high - 1], order[high], order[high + 1]
            if high == low + 1:
                change = costs[before][b] + costs[b][a] + costs[a][right]
                change -= costs[before][a] + costs[a][b] + costs[b][right]
            else:
                change = costs[before][b] + costs[b][after] + costs[left][a] + costs[a][right]
                change -= costs[before][a] + costs[a][after] + costs[left][b] + costs[b][right]
        elif 0.5 <= kind < 0.85:
            tried = None
            part = order[low : high + 1]
            change = costs[order[low - 1]][part[-1]] + costs[part[0]][order[high + 1]]
            change -= costs[order[low - 1]][part[0]] + costs[part[-1]][order[high + 1]]
            for a, b in itertools.pairwise(part):
                change += costs[b][a] - costs[a][b]
        else:
            length = 1 if kind < 0.5 else min(2 + int(number() * 3), n - 1)
            start, at = (i, j) if length == 1 else (min(i, n - length), int(number() * (n - length + 1)))
            part = order[start : start + length]
            rest = order[:start] + order[start + length :]
            tried = rest[:at] + part + rest[at:]
            change = costs[order[start - 1]][order[start + length]] - costs[order[start - 1]][part[0]]
            change -= costs[part[-1]][order[start + length]]
            change += costs[rest[at - 1]][part[0]] + costs[part[-1]][rest[at]] - costs[rest[at - 1]][rest[at]]
        # It compares with e^(gain / heat), and so do costs that fall.
        if change < 0 or number() < exp(-change / heat):
            if tried is not None:
                order = tried
            elif kind < 0.25:
                order[low], order[high] = order[high], order[low]
            else:
                order[low : high + 1] = order[low : high + 1][::-1]
            now += change
            if now < least - 1e-12:
                best, least = order[:-1], now
        heat *= cooling
    return least, best


def filtered_draws(tracks: Tracks, costs: Costs, rng: np.random.Generator) -> Order:
    """Playlistjockey's draws of a next track among those that pass its filters."""
    n = len(tracks)
    steps, letter, known = camelot_steps(tracks)
    key = known & ((steps == 0) | (letter & (steps == 1)))
    ratio = np.rint(tracks.tempo)[None, :] / np.rint(tracks.tempo)[:, None]
    tempo = (np.abs(ratio - 1) <= 0.1) | (np.abs(ratio - 2) <= 0.2) | (np.abs(ratio - 0.5) <= 0.05)
    near_energy, near_dance = (
        absolute_differences(np.rint(10 * values)) <= 1 for values in (tracks.energy, tracks.danceability)
    )
    most = np.unique(tracks.artist[tracks.artist >= 0], return_counts=True)[1].max(initial=1)
    recent = int((1 - round(int(most) / n, 1)) * 5)
    by_one = same_number(tracks.artist)
    order, left = [int(rng.integers(n))], np.ones(n, dtype=bool)
    left[order[0]] = False
    while left.any():
        last = order[-1]
        others = left & ~by_one[:, order[len(order) - min(recent, len(order)) :]].any(axis=1)
        all_four = np.flatnonzero(others & key[last] & tempo[last] & near_energy[last])
        parts = [
            np.flatnonzero(others & near) for near in (key[last], tempo[last], near_energy[last], near_dance[last])
        ]
        options = (all_four, np.concatenate(parts), np.flatnonzero(left))
        for options_here in options:
            chosen = int(rng.choice(options_here)) if len(options_here) else 0
            # It takes row 0 for no track at all, and goes on to the next filter.
            if chosen:
                break
        order.append(chosen if left[chosen] else int(np.flatnonzero(left)[0]))
        left[order[-1]] = False
    return np.array(order, dtype=np.intp)
