"""Which track next, and next, and next: sequencers, all of one signature.

A sequencer adds `length` tracks of a pool to a start, at the least cost that it can find, and plays
only what the rules allow. It knows nothing of music; cost and rules do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from disco.catalogue import Catalogue, Floats, Rows
from disco.transition import Transition

Allows = Callable[[Sequence[int], int], bool]
Sequencer = Callable[[Rows, Rows, int, Transition, Allows], Rows]

# So many candidates are looked at one by one, so many more in one go, before all are sorted: a rule seldom bans
# more, and of a million finding one costs 0.1 ms, finding thousands 10 ms, sorting all 100 ms.
_ONE_BY_ONE, _IN_ONE_GO = 32, 4096


class Rules:
    """What may follow a path: nothing twice, no second version of a song, no artist again too soon.

    Parameters
    ----------
    catalogue : Catalogue
    artist_gap : int
        Tracks that must lie between two by one artist: 1 means none in a row, 0 allows everything.
        Every artist of a track counts, guests too.
    """

    def __init__(self, catalogue: Catalogue, artist_gap: int = 1) -> None:
        self._catalogue, self._gap = catalogue, artist_gap
        self._songs: dict[int, str] = {}

    def __call__(self, path: Sequence[int], row: int) -> bool:
        """Whether a row may follow a path."""
        if row in path:
            return False
        artists = set(self._catalogue.artists(row))
        if self._gap and any(artists & set(self._catalogue.artists(r)) for r in path[-self._gap :]):
            return False
        song = self._song(row)
        return not song or all(song != self._song(r) for r in path)

    def _song(self, row: int) -> str:
        if row not in self._songs:
            self._songs[row] = self._catalogue.song(row)
        return self._songs[row]


def greedy(start: Rows, pool: Rows, length: int, cost: Transition, allows: Allows) -> Rows:
    """The cheapest next track, again and again: the published way. Ties go to the lower row.

    Parameters
    ----------
    start : ndarray of rows
        Tracks played first, at least one.
    pool : ndarray of rows
        Tracks to choose from, in any order.
    length : int
        Tracks to add; fewer come back when the rules leave no candidate.

    Returns
    -------
    ndarray of rows
        The start and what follows it.
    """
    if not (np.diff(pool) > 0).all():
        pool = np.sort(pool)
    path = [int(row) for row in start]
    state = cost.start(start)
    for _ in range(length):
        options = _cheapest_first(cost.costs(state, pool)[0])
        row = next((row for row in (int(pool[i]) for i in options) if allows(path, row)), None)
        if row is None:
            break
        path.append(row)
        state = cost.step(state, np.array([0]), np.array([row]))
    return np.array(path, dtype=np.intp)


def _cheapest_first(costs: Floats) -> Iterator[int]:
    """Positions in the order of their cost, equal ones in their own order; `costs` is used up."""
    for _ in range(min(_ONE_BY_ONE, len(costs))):
        best = int(costs.argmin())
        yield best
        costs[best] = np.inf
    limit = -np.inf
    for n in (_IN_ONE_GO, len(costs)):
        least, limit = limit, np.partition(costs, n - 1)[n - 1] if n < len(costs) else np.inf
        some = np.flatnonzero((costs > least) & (costs <= limit) & np.isfinite(costs))
        yield from some[np.argsort(costs[some], kind="stable")].tolist()


SEQUENCERS: dict[str, Sequencer] = {"greedy": greedy}
