"""Search for the best arrangement of blocks of tracks, some of which may be left out, by their exact costs.

The other searches move single tracks and play all of them. Here a move takes whole blocks: it reverses the order of
some, swaps two, moves one to three, exchanges one for another that is left out, puts one in or takes one out. Of a
sample of moves the best is made, until several samples in a row have none that lowers the cost; then two neighbouring
parts are swapped and the search goes on from there, as in `local_search`.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disco.playlist.sequence.local_search import FORBIDDEN, SOFT_PENALTY, Problem

Costs = NDArray[np.float64]
Order = NDArray[np.intp]
Blocks = Sequence[Order]

# Moves of a sample: the fewer the more of them are better, so that few are priced while much can be gained.
_FEWEST, _MOST = 32, 2048
# Positions that are priced in all: 40 million take about 4 s.
_BUDGET = 40_000_000
# Largest samples without a better move, after which the order is disturbed, and how often it is.
_PATIENCE, _DISTURBED = 2, 12
# Nearest tracks among which one to put in is mostly sought.
_NEAR = 30
# Cost of a second more or less than was asked for: a minute costs as much as two ordinary transitions, so that the
# duration is met to within a few seconds where there is a choice.
_SECOND = 0.1
# Cost of a track more or less than was asked for: more than any limits that leaving out more could keep.
_SIZE = 10 * SOFT_PENALTY
# Cost of two tracks of a group right after each other that would be far apart in an even spread: more than what other
# neighbours cost more, less than a broken rule.
SPREAD = 40.0
_LEAST = 1e-9


class Arrangement:
    """The costs of arrangements of n tracks, of which some may be left out.

    Parameters
    ----------
    problem : Problem
        Its position costs may be of fewer positions than tracks; later positions then cost nothing.
    pinned : dict of int to int, optional
        Track by position.
    groups : sequence of ndarray
        Tracks to be spread.
    drift : ndarray, shape (n, n), optional
        Whether the track of the column is too far from that of the row in tempo, if that comes first.
    size : int, optional
        How many tracks are played.
    seconds : ndarray, shape (n,), optional
        Durations; their sum is to be `wanted`.
    wanted : float
    reward : float
        What each track that is played costs less, so that few long tracks are no better than many short ones.
    """

    def __init__(
        self,
        problem: Problem,
        pinned: dict[int, int] | None = None,
        groups: Sequence[Order] = (),
        drift: NDArray[np.bool_] | None = None,
        size: int | None = None,
        seconds: Costs | None = None,
        wanted: float = 0.0,
        reward: float = 0.0,
    ) -> None:
        self.problem, self._n, self._pinned = problem, len(problem), pinned or {}
        self._size, self._wanted, self._reward = size, wanted, reward
        # One more track, the last, stands for a position behind the end: it costs nothing.
        self._transitions, self._first = np.pad(problem.transitions, (0, 1)), np.pad(problem.first, (0, 1))
        self._positions = _padded(problem.position_costs)
        self._clashes, self._drift = _padded(problem.clashes), _padded(drift)
        self._seconds = None if seconds is None else np.pad(seconds, (0, 1))
        by_size: dict[int, list[Order]] = defaultdict(list)
        for rows in groups:
            by_size[len(rows)].append(rows)
        self._groups = [np.array(same) for same in by_size.values()]

    def costs(self, orders: Order) -> Costs:
        """Costs of orders, shape (m, length), filled up with n where they are shorter: (m,)."""
        n, length = self._n, orders.shape[1]
        total = self._first[orders[:, 0]] + self._transitions[orders[:, :-1], orders[:, 1:]].sum(axis=1)
        if self._positions is not None:
            at = np.minimum(np.arange(length), len(self._positions) - 1)
            total = total + self._positions[at, orders].sum(axis=1)
        if self._clashes is not None:
            for apart in range(2, self.problem.gap + 1):
                total = total + SOFT_PENALTY * self._clashes[orders[:, :-apart], orders[:, apart:]].sum(axis=1)
        for position, track in self._pinned.items():
            there = orders[:, position] == track if position < length else np.zeros(len(orders), dtype=bool)
            total = total + FORBIDDEN * ~there
        if self._drift is not None:
            total = total + SOFT_PENALTY * self._drift[orders[:, :1], orders].sum(axis=1)
        played = (orders < n).sum(axis=1)
        if self._size is not None:
            total = total + _SIZE * np.abs(played - self._size)
        if self._seconds is not None:
            total = total + _SECOND * np.abs(self._seconds[orders].sum(axis=1) - self._wanted)
        return np.asarray(total + self._spread(orders, played) - self._reward * played)

    def _spread(self, orders: Order, played: NDArray[np.int_]) -> Costs:
        """Cost of tracks of a group that are nearer to each other than an even spread would have them."""
        total = np.zeros(len(orders))
        if not self._groups:
            return total
        # Tracks that are not played are far from all others, and from each other.
        away = -orders.shape[1] * np.arange(1, self._n + 2)
        at = np.broadcast_to(away, (len(orders), self._n + 1)).copy()
        np.put_along_axis(at, orders, np.arange(orders.shape[1])[None, :], axis=1)
        for rows in self._groups:
            ideal = np.maximum(played // rows.shape[1], 1)[:, None, None]
            apart = np.diff(np.sort(at[:, rows], axis=-1), axis=-1)
            total += SPREAD * (np.maximum(0, 1 - apart / ideal) ** 2).sum(axis=(1, 2))
        return total

    def cost(self, order: Order) -> float:
        """Cost of one order."""
        return float(self.costs(np.asarray(order)[None, :])[0])


def _padded(table: NDArray[Any] | None) -> NDArray[Any] | None:
    return None if table is None else np.pad(table, ((0, 1), (0, 1)))


def arrange(
    arrangement: Arrangement,
    blocks: Blocks,
    played: Sequence[int],
    *,
    required: frozenset[int] = frozenset(),
    flexible: bool = False,
    seed: int = 0,
    disturbed: int = _DISTURBED,
    stop: Callable[[], bool] = lambda: False,
) -> list[int]:
    """Search for the cheapest arrangement of blocks.

    Parameters
    ----------
    arrangement : Arrangement
    blocks : sequence of ndarray
        Tracks of each block, in their order.
    played : sequence of int
        Numbers of the blocks that are played at first, in their order.
    required : frozenset of int
        Numbers of blocks that must be played.
    flexible : bool
        Whether blocks may be left out or put in; otherwise those that are played stay the same.
    seed : int
        Of the sample of moves.
    disturbed : int
        How often to disturb the best order and search on.
    stop : callable
        Whether time is over.

    Returns
    -------
    list of int
        Numbers of the blocks that are played, in their order; it costs no more than the given one.
    """
    mover = _Mover(arrangement.problem.transitions, blocks, required, flexible, random.Random(seed))  # noqa: S311
    best = list(played)
    best_cost = arrangement.cost(_expanded([best], blocks, len(arrangement.problem))[0])
    now, now_cost, priced = best, best_cost, 0
    for turn in range(disturbed + 1):
        if turn:
            now = mover.disturbed(best)
            now_cost = arrangement.cost(_expanded([now], blocks, len(arrangement.problem))[0])
        without, m, most = 0, _FEWEST, mover.enough(len(now))
        while without < _PATIENCE and priced < _BUDGET and not stop():
            tried = mover.sample(now, m)
            if not tried:
                break
            orders = _expanded(tried, blocks, len(arrangement.problem))
            costs = arrangement.costs(orders)
            priced += orders.size
            i = int(costs.argmin())
            if costs[i] < now_cost - _LEAST:
                now, now_cost, without = tried[i], float(costs[i]), 0
                m = max(m // 2, _FEWEST)
            else:
                without += m == most
                m = min(2 * m, most)
        if now_cost < best_cost - _LEAST:
            best, best_cost = now, now_cost
        if stop() or priced >= _BUDGET:
            break
    return best


def _expanded(tried: Sequence[Sequence[int]], blocks: Blocks, n: int) -> Order:
    """Tracks of several arrangements of blocks, filled up with n, shape (m, longest)."""
    if all(len(block) == 1 for block in blocks):
        single = np.array([*(int(block[0]) for block in blocks), n], dtype=np.intp)
        longest = max(map(len, tried))
        return single[np.array([[*order, *[len(blocks)] * (longest - len(order))] for order in tried], dtype=np.intp)]
    rows = [[track for number in order for track in blocks[number].tolist()] for order in tried]
    longest = max(map(len, rows))
    return np.array([[*row, *[n] * (longest - len(row))] for row in rows], dtype=np.intp)


class _Mover:
    """Random moves of an arrangement of blocks."""

    def __init__(
        self, transitions: Costs, blocks: Blocks, required: frozenset[int], flexible: bool, rng: random.Random
    ) -> None:
        self._transitions, self._blocks, self._required = transitions, blocks, required
        self._flexible, self._rng = flexible, rng
        self._block_of = {int(block[0]): number for number, block in enumerate(blocks)}
        self._near: dict[int, list[int]] = {}

    def enough(self, n: int) -> int:
        """How many moves of n blocks are most of those that there are."""
        others = min(len(self._blocks) - n, _NEAR) if self._flexible else 0
        return min(max(4 * n * (n + others), 2 * _FEWEST), _MOST)

    def sample(self, order: list[int], m: int) -> list[list[int]]:
        """Arrangements that are one move away."""
        outside = sorted(set(range(len(self._blocks))) - set(order)) if self._flexible else []
        kinds = ["turn", "swap", "move", "move"] if len(order) > 1 else []
        if self._flexible and order:
            kinds += ["exchange", "exchange", "exchange", "add"] if outside else []
            kinds += ["remove"] if len(order) > 1 else []
        if not kinds:
            return []
        inside, found = set(order), []
        for kind in self._rng.choices(kinds, k=m):
            moved = self._moved(kind, order, outside, inside)
            if moved is not None:
                found.append(moved)
        return found

    def _moved(self, kind: str, order: list[int], outside: list[int], inside: set[int]) -> list[int] | None:
        rng, b = self._rng, len(order)
        i, j = sorted((rng.randrange(b), rng.randrange(b)))
        if kind == "turn":
            return [*order[:i], *reversed(order[i : j + 1]), *order[j + 1 :]]
        if kind == "swap":
            moved = list(order)
            moved[i], moved[j] = moved[j], moved[i]
            return moved
        if kind == "move":
            length = rng.randint(1, min(3, b))
            i = rng.randrange(b - length + 1)
            rest = [*order[:i], *order[i + length :]]
            to = rng.randrange(len(rest) + 1)
            return [*rest[:to], *order[i : i + length], *rest[to:]]
        if kind == "remove":
            return None if order[i] in self._required else [*order[:i], *order[i + 1 :]]
        at = rng.randrange(b + (kind == "add"))
        put_in = self._put_in(order[at - 1] if at else None, outside, inside)
        if kind == "add":
            return [*order[:at], put_in, *order[at:]]
        # The one that goes need not be where the other comes.
        gone = at if rng.random() < 0.5 else rng.randrange(b)
        if order[gone] in self._required:
            return None
        if gone == at:
            return [*order[:at], put_in, *order[at + 1 :]]
        rest = [*order[:gone], *order[gone + 1 :]]
        at -= gone < at
        return [*rest[:at], put_in, *rest[at:]]

    def _put_in(self, before: int | None, outside: list[int], inside: set[int]) -> int:
        """A block that is left out, mostly one that goes well after another."""
        if before is not None and self._rng.random() < 0.8:
            track = int(self._blocks[before][-1])
            if track not in self._near:
                costs = self._transitions[track]
                near = np.argpartition(costs, min(_NEAR, len(costs) - 1))[:_NEAR]
                self._near[track] = [self._block_of[row] for row in near.tolist() if row in self._block_of]
            near_by = [number for number in self._near[track] if number not in inside]
            if near_by:
                return self._rng.choice(near_by)
        return self._rng.choice(outside)

    def disturbed(self, order: list[int]) -> list[int]:
        """Two neighbouring parts of an arrangement swapped, or some of its blocks exchanged for others."""
        b, rng = len(order), self._rng
        if self._flexible and len(self._blocks) > b and (b < 3 or rng.random() < 0.5):
            free = [i for i, number in enumerate(order) if number not in self._required]
            outside = sorted(set(range(len(self._blocks))) - set(order))
            n = min(len(free), len(outside), rng.randint(1, 3))
            moved = list(order)
            for i, number in zip(rng.sample(free, n), rng.sample(outside, n), strict=True):
                moved[i] = number
            return moved
        if b < 3:
            return list(order)
        longest = max(1, min(15, b // 2))
        one, two = rng.randint(1, longest), rng.randint(1, longest)
        i = rng.randrange(max(1, b - one - two + 1))
        return [*order[:i], *order[i + one : i + one + two], *order[i : i + one], *order[i + one + two :]]
