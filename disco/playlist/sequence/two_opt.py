"""Local search for orders of many tracks with symmetric transition costs and no position costs.

The order is a round trip through one more point at the same distance from every track; there the sequence begins and
ends. 2-opt reverses a segment of the tour, Or-opt (Or 1976) moves one to three tracks. Both look only at the nearest
neighbours of points whose surroundings have changed (don't-look bits, Bentley 1992), so that a move is evaluated in
constant time. In a local optimum two neighbouring segments are swapped (the double bridge of Martin, Otto & Felten
1991) and the search continues from there; a change that does not lower the cost is undone.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Costs = NDArray[np.floating]

# Nearest neighbours that are tried for each point: ten find as much as twenty, five a little less.
_NEIGHBOURS = 10
# A gain below it is rounding.
_LEAST = 1e-6
# Longest segment that a double bridge moves: longer ones destroy too much of a good tour.
_PART = 30
# Up to so many points the costs are lists of Python floats, which are read faster; more would need too much memory.
_IN_LISTS = 1200


class TwoOptTour:
    """A round tour through n points, improved in place.

    Parameters
    ----------
    costs : ndarray, shape (n, n)
        Symmetric.
    tour : sequence of int
        Each point once.
    """

    def __init__(self, costs: Costs, tour: Sequence[int]) -> None:
        self.n = n = len(costs)
        self.costs: Sequence[Any]
        if n <= _IN_LISTS:
            self.costs = costs.tolist()
        else:
            self.costs = [array("f", np.asarray(row, dtype=np.float32).tobytes()) for row in costs]
        self.near = _neighbours(costs, min(_NEIGHBOURS, n - 1))
        self.set(tour)

    def set(self, tour: Sequence[int]) -> None:
        """Replace the tour."""
        self.points = list(tour)
        self.at = [0] * self.n
        for i, point in enumerate(self.points):
            self.at[point] = i

    def improve(self, points: Iterable[int], stop: Callable[[], bool]) -> float:
        """Improve the tour around these points, and around all that change; returns the gain."""
        waiting = list(points)
        queued = [False] * self.n
        for point in waiting:
            queued[point] = True
        gained, looked = 0.0, 0
        while waiting:
            point = waiting.pop()
            queued[point] = False
            looked += 1
            if looked % 256 == 0 and stop():
                break
            while (found := self._better(point)) is not None:
                gain, touched = found
                gained += gain
                for other in touched:
                    if not queued[other]:
                        queued[other] = True
                        waiting.append(other)
        return gained

    def kick(self, rng: random.Random) -> tuple[float, list[int]]:
        """Swap two neighbouring segments (a double bridge); returns the added cost, and the points at their ends."""
        n, tour, at, costs = self.n, self.points, self.at, self.costs
        longest = max(1, min(_PART, (n - 2) // 2))
        one, two = rng.randint(1, longest), rng.randint(1, longest)
        start = rng.randrange(n)
        span = [tour[(start + i) % n] for i in range(one + two + 2)]
        a, b, c, d, e, f = span[0], span[1], span[one], span[one + 1], span[one + two], span[one + two + 1]
        moved = span[one + 1 : one + two + 1] + span[1 : one + 1]
        for i, point in enumerate(moved):
            position = (start + 1 + i) % n
            tour[position] = point
            at[point] = position
        more = costs[a][d] + costs[e][b] + costs[c][f] - costs[a][b] - costs[c][d] - costs[e][f]
        return more, [a, b, c, d, e, f]

    def _better(self, a: int) -> tuple[float, Sequence[int]] | None:
        """Make the first move at a point that lowers the cost; the gain, and the points whose transitions change."""
        n, tour, at, costs = self.n, self.points, self.at, self.costs
        to, near = costs[a], self.near[a]
        for step in (1, -1):
            b = tour[(at[a] + step) % n]
            joined = to[b]
            for c in near:  # 2-opt: a-b and c-d become a-c and b-d
                gain = joined - to[c]
                if gain <= _LEAST:
                    break
                d = tour[(at[c] + step) % n]
                gain += costs[c][d] - costs[b][d]
                if gain > _LEAST and c != b and d != a:
                    if step > 0:
                        self._reverse(at[b], at[c])
                    else:
                        self._reverse(at[c], at[b])
                    return gain, (a, b, c, d)
        if n < 8:
            return None
        for step in (1, -1):
            before = tour[(at[a] - step) % n]
            end = a
            for length in (1, 2, 3):  # Or-opt: the part from a to end, between before and after, goes to c
                if length > 1:
                    end = tour[(at[end] + step) % n]
                after = tour[(at[end] + step) % n]
                saved = to[before] + costs[end][after] - costs[before][after]
                if saved <= _LEAST:
                    continue
                from_end = costs[end]
                for c in near:
                    gain = saved - to[c]
                    if gain <= _LEAST:
                        break
                    if (at[c] - at[a]) * step % n < length:  # within the part
                        continue
                    for side in (1, -1):  # the neighbour of c that end will meet
                        d = tour[(at[c] + side * step) % n]
                        if (c == before and side == 1) or (c == after and side == -1):
                            continue
                        if gain + costs[c][d] - from_end[d] > _LEAST:
                            gain += costs[c][d] - from_end[d]
                            self._move(a, end, step, length, c, side)
                            return gain, (a, end, before, after, c, d)
        return None

    def _reverse(self, i: int, j: int) -> None:
        """Reverse the positions from i to j, or all others, which gives the same tour, whichever are fewer."""
        n, tour, at = self.n, self.points, self.at
        length = (j - i) % n + 1
        if 2 * length > n:
            i, j, length = (j + 1) % n, (i - 1) % n, n - length
        for _ in range(length // 2):
            one, two = tour[i], tour[j]
            tour[i], tour[j] = two, one
            at[two], at[one] = i, j
            i += 1
            if i == n:
                i = 0
            j -= 1  # a negative position counts from the end, as it should
            if j < 0:
                j += n

    def _move(self, a: int, end: int, step: int, length: int, c: int, side: int) -> None:
        """Move the segment from a to end next to c, with a adjacent to c; shift the points in between."""
        n, tour, at = self.n, self.points, self.at
        first, last = (a, end) if step > 0 else (end, a)
        i = at[first]
        part = [tour[(i + o) % n] for o in range(length)]
        # In the direction of the positions: is the segment after c (c, segment, d) or before it (d, segment, c)?
        after_c = side * step > 0
        left = at[c] if after_c else (at[c] - 1) % n  # the segment goes between position `left` and the next one
        if (part[0] == a) != after_c:
            part.reverse()
        ahead = (left - at[last]) % n
        behind = n - length - ahead
        if ahead <= behind:
            for o in range(ahead):
                point = tour[(i + length + o) % n]
                tour[(i + o) % n] = point
                at[point] = (i + o) % n
            start = i + ahead
        else:
            for o in range(behind):
                point = tour[(i - 1 - o) % n]
                tour[(i - 1 - o + length) % n] = point
                at[point] = (i - 1 - o + length) % n
            start = i - behind
        for o, point in enumerate(part):
            position = (start + o) % n
            tour[position] = point
            at[point] = position


def _neighbours(costs: Costs, most: int) -> list[list[int]]:
    """The nearest neighbours of each point, nearest first."""
    near = []
    for i, row in enumerate(costs):
        row = np.array(row, dtype=float)
        row[i] = np.inf
        some = np.argpartition(row, most - 1)[:most]
        near.append(some[np.argsort(row[some], kind="stable")].tolist())
    return near
