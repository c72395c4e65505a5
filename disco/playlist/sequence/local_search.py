"""Local search for orders with position costs, or with transitions whose cost depends on their direction.

All moves of four kinds are evaluated at once: a segment is reversed (2-opt), one to three tracks are moved, straight
or reversed (Or-opt, Or 1976), two tracks are swapped. The best move is made until none lowers the cost. A move shifts
the tracks in between, which changes their position costs too; cumulative sums along the diagonals of the position
costs make evaluating a move constant time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

import numpy as np
from numpy.typing import NDArray

Costs = NDArray[np.float64]
Order = NDArray[np.intp]
Mask = NDArray[np.bool_]

# A gain below it is rounding.
_LEAST = 1e-6
# Tracks whose moves are evaluated together: 120 take half a millisecond; longer orders are searched part by part.
WINDOW = 120
# Costs of a broken artist rule, more than any transition, and of a forbidden position, more than that.
SOFT_PENALTY = 100.0
FORBIDDEN = 1e5
# The search also continues from orders that cost this share more, to leave local optima; after so many iterations it
# returns to the best.
_WORSE, _AGAIN = 0.003, 30
# With an artist gap above one the exact costs of this many of the most promising moves are computed.
_PROMISING = 48


@dataclass(frozen=True, eq=False)
class Problem:
    """The costs of an order of n tracks.

    Attributes
    ----------
    transitions : ndarray, shape (n, n)
        From the track of the row to that of the column.
    first : ndarray, shape (n,)
        Cost of each as the first track.
    position_costs : ndarray, shape (n, n), optional
        What each track (column) costs at each position (row); `TAKEN` where it may not stand.
    clashes : ndarray, shape (n, n), optional
        Which tracks must not be within `gap` positions of each other.
    gap : int
        Neighbouring positions are covered by `transitions`.
    """

    transitions: Costs
    first: Costs
    position_costs: Costs | None = None
    clashes: Mask | None = None
    gap: int = 1

    def __len__(self) -> int:
        return len(self.transitions)

    def cost(self, order: Order) -> float:
        """Cost of one order."""
        return float(self.costs(order[None, :])[0])

    def costs(self, orders: Order) -> Costs:
        """Costs of several orders, shape (m, n): (m,)."""
        total = self.first[orders[:, 0]] + self.transitions[orders[:, :-1], orders[:, 1:]].sum(axis=1)
        if self.position_costs is not None:
            total += self.position_costs[np.arange(len(self)), orders].sum(axis=1)
        if self.clashes is not None:
            for apart in range(2, self.gap + 1):
                total += SOFT_PENALTY * self.clashes[orders[:, :-apart], orders[:, apart:]].sum(axis=1)
        return np.asarray(total)


def improve(
    problem: Problem,
    order: Order,
    rng: np.random.Generator,
    part: slice | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Order:
    """Make moves until none lowers the cost, in a part of the order or everywhere, or until it has to stop."""
    n = len(problem)
    if part is not None:
        return _improve(problem, order, part, rng)
    if n <= WINDOW:
        return _improve(problem, order, slice(0, n), rng)
    before, now = np.inf, problem.cost(order)
    while now < before - _LEAST:
        for start in range(0, n - WINDOW // 2, WINDOW // 2):
            if stop():
                return order
            order = _improve(problem, order, slice(start, min(start + WINDOW, n)), rng)
        before, now = now, problem.cost(order)
    return order


def search(problem: Problem, order: Order, seed: int, stop: Callable[[], bool]) -> Iterator[tuple[Order, float]]:
    """The best order so far and its cost, after each perturbation followed by local search."""
    rng = np.random.default_rng(seed)
    n = len(problem)
    order = improve(problem, order, rng, stop=stop)
    now = problem.cost(order)
    fixed = np.zeros(n, dtype=bool)
    if problem.position_costs is not None:
        fixed = (problem.position_costs >= FORBIDDEN).sum(axis=1) >= n - 1  # the position is reserved for one track
    free = np.flatnonzero(~fixed)
    best = order, now
    yield best
    for made in count(1):
        if made % _AGAIN == 0:
            order, now = best
        if len(free) > 2:
            low = int(rng.integers(0, max(1, n - WINDOW + 1)))
            part = slice(low, min(low + WINDOW, n))
            tried = improve(problem, _perturbed(order, free, part, rng), rng, part)
            cost = problem.cost(tried)
            if cost <= now + _WORSE * abs(now):
                order, now = tried, cost
            if cost < best[1] - 1e-9:
                best = tried, cost
        yield best


def _perturbed(order: Order, free: Order, part: slice, rng: np.random.Generator) -> Order:
    """Swap two neighbouring segments of the free positions of a part."""
    here = free[(free >= part.start) & (free < part.stop)]
    if len(here) < 3:
        return order
    longest = max(1, min(15, len(here) // 2))
    one, two = (int(n) for n in rng.integers(1, longest + 1, size=2))
    low = int(rng.integers(0, max(1, len(here) - one - two + 1)))
    position_costs = here[low : low + one + two]
    order = order.copy()
    order[position_costs] = np.roll(order[position_costs], -one)
    return order


def _improve(problem: Problem, order: Order, part: slice, rng: np.random.Generator) -> Order:
    order = order.copy()
    wide = problem.clashes is not None
    now = problem.cost(order) if wide else 0.0
    # Rounding errors could cause an endless loop; no search needs ten moves a track.
    for _ in range(10 * (part.stop - part.start) + 10):
        deltas, kinds = _deltas(problem, order, part)
        if not wide:
            best = int(deltas.argmin())
            if deltas[best] > -_LEAST:
                break
            _make(order, part, kinds, best)
            continue
        some = np.argpartition(deltas, min(_PROMISING, len(deltas) - 1))[:_PROMISING]
        tried = [order.copy() for _ in some]
        for one, move in zip(tried, some, strict=True):
            _make(one, part, kinds, int(move))
        tried += _repairs(problem, order, part, rng)
        costs = problem.costs(np.array(tried))
        best = int(costs.argmin())
        if costs[best] > now - _LEAST:
            break
        order, now = tried[best], float(costs[best])
    return order


def _repairs(problem: Problem, order: Order, part: slice, rng: np.random.Generator) -> list[Order]:
    """Orders in which a track too close to another by its artist is moved or swapped within the part."""
    if problem.clashes is None:
        return []
    near = [
        np.flatnonzero(problem.clashes[order[:-apart], order[apart:]]) + side
        for apart in range(1, problem.gap + 1)
        for side in (0, apart)
    ]
    broken = np.concatenate(near)
    broken = broken[(broken >= part.start) & (broken < part.stop)]
    tried = []
    for position in rng.permutation(np.unique(broken))[:2]:
        for other in range(part.start, part.stop):
            swapped = order.copy()
            swapped[[position, other]] = swapped[[other, position]]
            tried += [swapped, np.insert(np.delete(order, position), other, order[position])]
    return tried


@lru_cache(maxsize=8)
def _shape(w: int) -> tuple[Mask, Mask, list[tuple[Order, Mask]]]:
    """Index tables that depend only on the part's length w: invalid pairs, and where moved tracks land."""
    i, j = np.arange(w)[:, None], np.arange(w)[None, :]
    landings = []
    for length in (1, 2, 3):
        m = max(w - length + 1, 0)
        i, s = np.arange(m)[:, None], np.arange(m)[None, :]
        # Framed positions: the one after which tracks from i land so that they begin at s.
        landings.append((np.where(s > i, s + length, s), s == i))
    return j <= np.arange(w)[:, None], j < np.arange(w)[:, None] + 2, landings


Kinds = list[tuple[str, int, int]]


def _deltas(problem: Problem, order: Order, part: slice) -> tuple[Costs, Kinds]:
    """Change of cost of every move, and for each group of moves its kind, first index and row length."""
    low, high = part.start, part.stop
    w = high - low
    transitions = problem.transitions
    here = order[low:high]
    # The transitions among the tracks of the part, framed by the tracks before and after it.
    e = np.zeros((w + 2, w + 2))
    e[1:-1, 1:-1] = transitions[here[:, None], here]
    if low:
        e[0, 1:-1], e[1:-1, 0] = transitions[order[low - 1], here], transitions[here, order[low - 1]]
    else:
        e[0, 1:-1] = problem.first[here]
    if high < len(order):
        e[1:-1, -1], e[-1, 1:-1] = transitions[here, order[high]], transitions[order[high], here]
    k = np.arange(w + 1)
    on, back = e[k, k + 1], e[k + 1, k]
    turned = np.concatenate([[0.0], np.cumsum(back[1:w] - on[1:w])])  # to reverse i..j costs turned[j] - turned[i]
    not_after, not_apart, landings = _shape(w)
    q = None if problem.position_costs is None else problem.position_costs[low:high, here]
    diagonal = None if q is None else np.diagonal(q)

    # 2-opt
    two = e[:w, 1 : w + 1] + e[1 : w + 1, 2:] - on[:w, None] - on[None, 1:] + turned[None, :] - turned[:, None]
    if q is not None and diagonal is not None:
        two += _reversed(q) - _between(diagonal)
    two[not_after] = np.inf
    # Swap two tracks
    around = on[:-1] + on[1:]
    swap = _swaps(e, w, around)
    if q is not None and diagonal is not None:
        swap += q + q.T - diagonal[:, None] - diagonal[None, :]
    swap[not_apart] = np.inf
    deltas, kinds, first = [two.ravel(), swap.ravel()], [("turn", 0, w), ("swap", w * w, w)], 2 * w * w
    # Or-opt
    for length, (left, same) in zip((1, 2, 3), landings, strict=True):
        m = w - length + 1
        if m < 2:
            continue
        i = np.arange(m)
        head, tail = i + 1, i + length  # framed
        removed = e[i, tail + 1] - on[i] - on[tail]
        gap = removed[:, None] - on[left]
        straight = gap + e[left, head[:, None]] + e[tail[:, None], left + 1]
        if q is not None and diagonal is not None:
            shifted = _shifted(q, diagonal, length)
            straight += shifted + sum(q[o : o + m, o : o + m].T for o in range(length))
        straight[same] = np.inf
        deltas.append(straight.ravel())
        kinds.append((f"move {length}", first, m))
        first += m * m
        if length > 1:
            around_turn = (turned[i + length - 1] - turned[i])[:, None]
            bent = gap + e[left, tail[:, None]] + e[head[:, None], left + 1] + around_turn
            if q is not None:
                bent += shifted + sum(q[o : o + m, length - 1 - o : length - 1 - o + m].T for o in range(length))
            bent[same] = np.inf
            deltas.append(bent.ravel())
            kinds.append((f"bend {length}", first, m))
            first += m * m
    return np.concatenate(deltas), kinds


def _swaps(e: Costs, w: int, around: Costs) -> Costs:
    """Transitions of i and j with each other's neighbours, less those with their own."""
    into = e[:w, 1 : w + 1]  # [i, j]: from the one before i to j
    out = e[1 : w + 1, 2:]  # [i, j]: from i to the one after j
    return np.asarray(into + into.T + out + out.T - around[:, None] - around[None, :])


def _between(diagonal: Costs) -> Costs:
    """Sums of a diagonal from i to j."""
    sums = np.concatenate([[0.0], np.cumsum(diagonal)])
    return np.asarray(sums[None, 1:] - sums[:-1, None])


def _reversed(q: Costs) -> Costs:
    """Position costs of the tracks from i to j in reversed order: sums along the antidiagonals."""
    w = len(q)
    t, s = np.arange(w)[:, None], np.arange(2 * w - 1)[None, :]
    x = s - t
    leaning = np.where((x >= 0) & (x < w), q[t, np.clip(x, 0, w - 1)], 0.0)
    sums = np.concatenate([np.zeros((1, 2 * w - 1)), np.cumsum(leaning, axis=0)])
    i, j = np.arange(w)[:, None], np.arange(w)[None, :]
    return np.asarray(sums[j + 1, i + j] - sums[i, i + j])


def _shifted(q: Costs, diagonal: Costs, length: int) -> Costs:
    """Change of position costs of the tracks in between, less the former costs of the moved ones: [i, s]."""
    w = len(q)
    m = w - length + 1
    t = np.arange(w)
    up, down = np.zeros(w), np.zeros(w)
    up[length:] = q[t[length:] - length, t[length:]] - diagonal[length:]
    down[: w - length] = q[t[: w - length] + length, t[: w - length]] - diagonal[: w - length]
    ups, downs = (np.concatenate([[0.0], np.cumsum(sums)]) for sums in (up, down))
    own = np.concatenate([[0.0], np.cumsum(diagonal)])
    i, s = np.arange(m)[:, None], np.arange(m)[None, :]
    later = ups[s + length] - ups[i + length]
    earlier = downs[i] - downs[s]
    return np.asarray(np.where(s > i, later, earlier) - (own[i + length] - own[i]))


def _make(order: Order, part: slice, kinds: Kinds, move: int) -> None:
    """Make a move by its index, in place."""
    kind, first, columns = next(kind for kind in reversed(kinds) if kind[1] <= move)
    i, j = divmod(move - first, columns)
    here = order[part]
    if kind == "turn":
        here[i : j + 1] = here[i : j + 1][::-1].copy()
    elif kind == "swap":
        here[[i, j]] = here[[j, i]]
    else:
        length = int(kind[-1])
        moved = here[i : i + length].copy()
        rest = np.delete(here, slice(i, i + length))
        here[:] = np.insert(rest, j, moved[::-1] if kind.startswith("bend") else moved)
