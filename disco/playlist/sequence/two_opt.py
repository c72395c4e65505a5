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
        near = _neighbours(costs, min(_NEIGHBOURS, n - 1))
        # Beside each neighbour its distance, which is read most of all.
        self._near_costs = [[(c, to[c]) for c in own] for to, own in zip(self.costs, near, strict=True)]
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
        n, costs = self.n, self.costs
        longest = max(1, min(_PART, (n - 2) // 2))
        one, two = rng.randint(1, longest), rng.randint(1, longest)
        start = rng.randrange(n)
        span = [*self._span(start, min(one + two + 2, n)), *self._span(start, max(one + two + 2 - n, 0))]
        a, b, c, d, e, f = span[0], span[1], span[one], span[one + 1], span[one + two], span[one + two + 1]
        self._place((start + 1) % n, span[one + 1 : one + two + 1] + span[1 : one + 1])
        more = costs[a][d] + costs[e][b] + costs[c][f] - costs[a][b] - costs[c][d] - costs[e][f]
        return more, [a, b, c, d, e, f]

    def _better(self, a: int) -> tuple[float, Sequence[int]] | None:
        """Make the first move at a point that lowers the cost; the gain, and the points whose transitions change."""
        n, tour, at, costs = self.n, self.points, self.at, self.costs
        to, near = costs[a], self._near_costs[a]
        # The next point is at the position + 1 - n, the one before at - 1: negative positions count from the end, so
        # that both are right everywhere, and no remainder has to be computed.
        ahead, behind = 1 - n, -1
        for way, step in ((ahead, 1), (behind, -1)):
            b = tour[at[a] + way]
            joined = to[b]
            from_b = costs[b]
            for c, apart in near:  # 2-opt: a-b and c-d become a-c and b-d
                gain = joined - apart
                if gain <= _LEAST:
                    break
                d = tour[at[c] + way]
                gain += costs[c][d] - from_b[d]
                if gain > _LEAST and c != b and d != a:
                    if step > 0:
                        self._reverse(at[b], at[c])
                    else:
                        self._reverse(at[c], at[b])
                    return gain, (a, b, c, d)
        if n < 8:
            return None
        nearest = near[0][1]
        for way, back, step in ((ahead, behind, 1), (behind, ahead, -1)):
            before = tour[at[a] + back]
            to_before, from_before = to[before], costs[before]
            end = a
            for length in (1, 2, 3):  # Or-opt: the part from a to end, between before and after, goes to c
                if length > 1:
                    end = tour[at[end] + way]
                after = tour[at[end] + way]
                from_end = costs[end]
                saved = to_before + from_end[after] - from_before[after]
                if saved - nearest <= _LEAST:
                    continue
                for c, apart in near:
                    gain = saved - apart
                    if gain <= _LEAST:
                        break
                    if (at[c] - at[a]) * step % n < length:  # within the part
                        continue
                    from_c = costs[c]
                    # The neighbour of c that end will meet, on either side.
                    if c != before:
                        d = tour[at[c] + way]
                        if (more := gain + from_c[d] - from_end[d]) > _LEAST:
                            self._move(a, end, step, length, c, 1)
                            return more, (a, end, before, after, c, d)
                    if c != after:
                        d = tour[at[c] + back]
                        if (more := gain + from_c[d] - from_end[d]) > _LEAST:
                            self._move(a, end, step, length, c, -1)
                            return more, (a, end, before, after, c, d)
        return None

    def _reverse(self, i: int, j: int) -> None:
        """Reverse the positions from i to j, or all others, which gives the same tour, whichever are fewer."""
        n = self.n
        length = (j - i) % n + 1
        if 2 * length > n:
            i, length = (j + 1) % n, n - length
        self._place(i, self._span(i, length)[::-1])

    def _move(self, a: int, end: int, step: int, length: int, c: int, side: int) -> None:
        """Move the segment from a to end next to c, with a adjacent to c; shift the points in between."""
        n, at = self.n, self.at
        first, last = (a, end) if step > 0 else (end, a)
        i = at[first]
        part = self._span(i, length)
        # In the direction of the positions: is the segment after c (c, segment, d) or before it (d, segment, c)?
        after_c = side * step > 0
        left = at[c] if after_c else (at[c] - 1) % n  # the segment goes between position `left` and the next one
        if (part[0] == a) != after_c:
            part.reverse()
        ahead = (left - at[last]) % n
        behind = n - length - ahead
        if ahead <= behind:
            self._place(i, self._span((i + length) % n, ahead) + part)
        else:
            start = (i - behind) % n
            self._place(start, part + self._span(start, behind))

    def _span(self, i: int, length: int) -> list[int]:
        """Points from position i on, beyond the last position from the first on."""
        more = i + length - self.n
        return self.points[i : i + length] if more <= 0 else self.points[i:] + self.points[:more]

    def _place(self, i: int, points: list[int]) -> None:
        """Put points at the positions from i on; slices are replaced faster than one point after the other."""
        at, n = self.at, self.n
        if i + len(points) <= n:
            self.points[i : i + len(points)] = points
            for position, point in enumerate(points, i):
                at[point] = position
        else:
            here = n - i
            self._place(i, points[:here])
            self._place(0, points[here:])


def _neighbours(costs: Costs, most: int) -> list[list[int]]:
    """The nearest neighbours of each point, nearest first."""
    near = []
    for i, row in enumerate(costs):
        row = np.array(row, dtype=float)
        row[i] = np.inf
        some = np.argpartition(row, most - 1)[:most]
        near.append(some[np.argsort(row[some], kind="stable")].tolist())
    return near
