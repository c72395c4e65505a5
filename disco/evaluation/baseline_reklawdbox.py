"""reklawdbox's score of a whole order, its beam search, and a search of ours for any cost of whole orders.

Described from the program's code as it was published in March 2026 (ryan-voitiskis, tools/scoring and
sequencing_handlers) and written anew. The score of an order is no sum over its transitions alone:

- *Energy* is judged by place. The usual curve has four parts (warm-up to 15 % of the tracks, build to 45, peak to
  75, release), the flat one is a peak throughout. 1 where the change is as the part asks: from -0.03 to 0.12, at
  least 0.03, at most 0.1 either way from a track of 0.65 or more, at most -0.03; else 0.5, 0.3, 0.5, 0.3.
- *Genre* is 1, 0.7 in one family, 0.3, or 0.5 where unknown. After one to four transitions within a family 0.1 more
  for another; after exactly one, 0.1 less for leaving it.
- A tempo further from that of the first track than a budget that grows evenly to 6 % multiplies the score by 0.7.
- A key score under 0.45 multiplies it by 0.5.

The beam is 3 wide by default, 8 at most; it begins at the track of the lowest energy, or of the highest on the flat
curve. Without Essentia's analysis the program takes the tempo for energy; here energy is what the table has.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from disco.evaluation.baseline_costs import (
    REKLAWDBOX_LEAST_KEY,
    REKLAWDBOX_WEIGHTS,
    Costs,
    Tracks,
    reklawdbox_families,
    reklawdbox_genres,
    reklawdbox_key,
    reklawdbox_tempo,
)
from disco.playlist.sequence.order import Order

# Where the parts of the usual curve end, as shares of the tracks; the last is the release.
_PARTS = (0.15, 0.45, 0.75)
PEAK = 2
# Per cent that the tempo may have drifted from the first track's at the end.
_DRIFT = 6.0
# Beam widths: its own by default, and ours.
USUAL_WIDTH, WIDEST = 3, 64

WholeCost = Callable[[Order], Costs]


class ReklawdboxScore:
    """The score of every transition at every place.

    Parameters
    ----------
    tracks : Tracks
    flat : bool
        Whether the curve is flat.
    """

    def __init__(self, tracks: Tracks, flat: bool = False) -> None:
        n = len(tracks)
        self._tempo = np.nan_to_num(tracks.tempo)
        self._family, self._energy = reklawdbox_families(tracks), np.nan_to_num(tracks.energy)
        self.part = np.full(n, PEAK) if flat else np.searchsorted(_PARTS, np.arange(n) / n, side="right")
        key = reklawdbox_key(tracks)
        self._gate = np.where(key < REKLAWDBOX_LEAST_KEY, 0.5, 1.0)
        self._fixed = REKLAWDBOX_WEIGHTS[0] * key + REKLAWDBOX_WEIGHTS[1] * reklawdbox_tempo(tracks)
        change = self._energy[None, :] - self._energy[:, None]
        met = (
            (change >= -0.03) & (change <= 0.12),
            change >= 0.03,
            (np.abs(change) <= 0.1) & (self._energy >= 0.65)[None, :],
            change <= -0.03,
        )
        self._by_part = np.stack(
            [np.where(m, 1.0, least) for m, least in zip(met, (0.5, 0.3, 0.5, 0.3), strict=True)]
        )
        same, self._in_family, self._known = reklawdbox_genres(tracks)
        self._genre = np.where(self._known, np.select([same, self._in_family], [1, 0.7], 0.3), 0.5)
        self._compatible = same | self._in_family

    def __len__(self) -> int:
        return len(self._tempo)

    def start(self) -> int:
        """The track that its search begins with."""
        rises = self.part[0] < PEAK
        return int((self._energy if rises else -self._energy).argmin())

    def options(self, first: NDArray[np.intp], last: NDArray[np.intp], run: NDArray[np.intp], place: int) -> Costs:
        """Score of each track at a place, counted from 0, after each of m orders, shape (m, n)."""
        every = np.arange(len(self))
        return self._scores(first[:, None], last[:, None], every[None, :], run[:, None], place)

    def longer_run(self, last: NDArray[np.intp], chosen: NDArray[np.intp], run: NDArray[np.intp]) -> NDArray[np.intp]:
        """Transitions within one family up to and with those from the last tracks to the chosen ones."""
        within = (self._family[last] == self._family[chosen]) & (self._family[last] > 0)
        return np.asarray(np.where(within, run + 1, 0))

    def costs(self, orders: Order) -> Costs:
        """1 minus the mean score of each of m orders, times the number of transitions, shape (m,)."""
        run, total = np.zeros(len(orders), dtype=np.intp), np.zeros(len(orders))
        for place in range(1, orders.shape[1]):
            last, here = orders[:, place - 1], orders[:, place]
            total += 1 - self._scores(orders[:, 0], last, here, run, place)
            run = self.longer_run(last, here, run)
        return total

    def _scores(
        self,
        first: NDArray[np.intp],
        last: NDArray[np.intp],
        here: NDArray[np.intp],
        run: NDArray[np.intp],
        place: int,
    ) -> Costs:
        genre = self._genre[last, here]
        compatible, known = self._compatible[last, here], self._known[last, here]
        lengthens = known & compatible & (self._family[last] > 0) & (run > 0) & (run < 5)
        leaves = known & ~compatible & (run == 1)
        genre = np.clip(genre + 0.1 * lengthens - 0.1 * leaves, 0, 1)
        energy = self._by_part[self.part[place], last, here]
        score = self._fixed[last, here] + REKLAWDBOX_WEIGHTS[2] * energy + REKLAWDBOX_WEIGHTS[3] * genre
        start = self._tempo[first]
        budget = start * _DRIFT / 100 * place / max(len(self) - 1, 1)
        drifted = (start > 0) & (np.abs(self._tempo[here] - start) > budget)
        gates = self._gate[last, here] * np.where(drifted, 0.7, 1)
        return np.asarray(score / sum(REKLAWDBOX_WEIGHTS) * gates)


def beam_of_scores(score: ReklawdboxScore, first: int, width: int = USUAL_WIDTH) -> Order:
    """The best order of a beam search from one track.

    Parameters
    ----------
    score : ReklawdboxScore
    first : int
    width : int

    Returns
    -------
    ndarray of int, shape (n,)
    """
    n = len(score)
    orders, run, total = np.array([[first]]), np.zeros(1, dtype=np.intp), np.zeros(1)
    for place in range(1, n):
        values = total[:, None] + score.options(orders[:, 0], orders[:, -1], run, place)
        np.put_along_axis(values, orders, -np.inf, axis=1)
        best = np.argsort(-values, axis=None, kind="stable")[:width]
        best = best[np.isfinite(values.ravel()[best])]
        parent, chosen = np.divmod(best, n)
        run = score.longer_run(orders[parent, -1], chosen, run[parent])
        orders, total = np.c_[orders[parent], chosen], values[parent, chosen]
    return np.asarray(orders[0])


def wide_beams(score: ReklawdboxScore) -> Order:
    """Orders to begin a search with: of a wide beam from each of eight tracks, spread evenly, shape (m, n)."""
    n = len(score)
    firsts = sorted({score.start(), *np.linspace(0, n - 1, min(n, 8)).astype(int).tolist()})
    return np.array([beam_of_scores(score, first, WIDEST) for first in firsts])


def cheapest_by_whole_cost(cost: WholeCost, orders: Order, rng: np.random.Generator, kicks: int = 20) -> Order:
    """Local search for a cost that only whole orders have.

    All reversals, moves of one to three tracks, and swaps are evaluated together and the best is made, from each of
    the given orders; then again and again from the best with two neighbouring parts swapped.

    Parameters
    ----------
    cost : callable
        From m orders, shape (m, n), to their costs, shape (m,).
    orders : ndarray of int, shape (m, n)
        The result costs no more than any of these.
    rng : Generator
    kicks : int

    Returns
    -------
    ndarray of int, shape (n,)

    Examples
    --------
    >>> far = lambda orders: np.abs(np.diff(orders, axis=1)).sum(axis=1).astype(float)
    >>> cheapest_by_whole_cost(far, np.array([[2, 0, 1, 3]]), np.random.default_rng(0)).tolist()
    [0, 1, 2, 3]
    """
    n = orders.shape[1]
    moves = _moves(n)
    found = [_improved(cost, order, moves) for order in orders]
    best = min(found, key=lambda one: one[1])
    for _ in range(kicks if n > 3 else 0):
        cuts = np.sort(rng.choice(n + 1, 3, replace=False))
        kicked = np.r_[
            np.arange(cuts[0]), np.arange(cuts[1], cuts[2]), np.arange(cuts[0], cuts[1]), np.arange(cuts[2], n)
        ]
        tried = _improved(cost, best[0][kicked], moves)
        best = tried if tried[1] < best[1] - 1e-9 else best
    return best[0]


def _improved(cost: WholeCost, order: Order, moves: Order) -> tuple[Order, float]:
    now = float(cost(order[None, :])[0])
    while len(moves):
        tried = order[moves]
        costs = cost(tried)
        best = int(costs.argmin())
        if costs[best] > now - 1e-9:
            break
        order, now = tried[best], float(costs[best])
    return order, now


def _moves(n: int) -> Order:
    """Every move as a permutation of the positions, shape (moves, n)."""
    every = list(range(n))
    moves = {tuple(every[:i] + every[i : j + 1][::-1] + every[j + 1 :]) for i in every for j in every[i + 1 :]}
    for i in every:
        for j in every[i + 1 :]:
            swapped = every.copy()
            swapped[i], swapped[j] = j, i
            moves.add(tuple(swapped))
        for length in (1, 2, 3):
            part, rest = every[i : i + length], every[:i] + every[i + length :]
            moves |= {tuple(rest[:at] + part + rest[at:]) for at in range(len(rest) + 1)}
    return np.array(sorted(moves - {tuple(every)}), dtype=np.intp).reshape(-1, n)
