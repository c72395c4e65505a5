"""Asking a sequencer: for so many tracks or minutes, with constraints by their rows, and with some tracks kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from disco.catalogue import Catalogue, Floats, Rows
from disco.errors import DiscoError
from disco.playlist.cost import FlowCost, PairwiseCost
from disco.playlist.mixing import Mixing
from disco.playlist.sequence import BEAMS, SEQUENCERS, Constraints, PositionCosts, Rules, Sequencer

# A track whose duration nobody knows counts as this long, the median of 380,000 tracks.
_USUAL_SECONDS = 215.0
# A path, of a number of tracks to add, constraints and a pool.
Player = Callable[[int, Constraints, Rows], Rows]


def player(
    few: Catalogue,
    start: Rows,
    ranked: Rows,
    sequence: Sequencer,
    width: int | None,
    cost: FlowCost | PairwiseCost,
    rules: Rules,
    mixing: Mixing,
) -> Player:
    """What makes a path of a number of tracks to add, constraints and a pool."""
    whole = sequence is SEQUENCERS["order"]
    if width is not None:
        sequence = next((partial(beam, width=width) for beam in BEAMS.values() if beam is sequence), sequence)

    def play(n: int, constraints: Constraints, pool: Rows) -> Rows:
        if whole:  # an order plays all that it is given: the best candidates alone
            pool = np.sort(ranked[np.isin(ranked, pool)][:n])
            n = len(pool)
        places = PositionCosts(few, len(start) + n, constraints, mixing.keys, whole)
        _check_start(places, start)
        return sequence(start, pool, n, cost, rules, places)

    return play


def timed(
    play: Player, few: Catalogue, start: Rows, pool: Rows, constraints: Constraints, sequencer: str, minutes: float
) -> tuple[Rows, int]:
    """A path of so many minutes, and how many tracks it adds to the start."""
    least = max((place + 1 - len(start) for place, _ in constraints.pinned), default=1)
    path, added = _of_minutes(few, minutes, len(start), least, lambda n: play(n, constraints, pool))
    if len(path) < len(start) + added or (constraints == Constraints() and sequencer == "greedy"):
        return path, added
    path = _anew(few, minutes, len(start), len(path), lambda n: play(n, constraints, pool))
    return path, len(path) - len(start)


def kept(keep: Sequence[int], path: Rows, begun: int) -> tuple[dict[int, int], Rows]:
    """Rows by place that stay, and the rows that go."""
    if bad := [place for place in keep if not 0 <= place < len(path)]:
        raise DiscoError(f"there is no place {bad[0] + 1} to keep in a playlist of {len(path)} tracks")
    stays = {place: int(path[place]) for place in keep if place >= begun}
    return stays, np.setdiff1d(path[begun:], list(stays.values()))


def _of_minutes(
    catalogue: Catalogue, minutes: float, seeds: int, least: int, sequence: Callable[[int], Rows]
) -> tuple[Rows, int]:
    """The path whose duration is nearest to so many minutes, and how many tracks it adds to the seeds."""
    length = max(1, least, math.ceil(minutes * 60 / _USUAL_SECONDS))
    while True:
        path = sequence(length)
        total = np.cumsum(seconds(catalogue)[path])
        if total[-1] >= minutes * 60 or len(path) < seeds + length:
            break
        length *= 2
    if total[-1] < minutes * 60:
        return path, length
    end = max(seeds, int(np.argmin(np.abs(total - minutes * 60))) + 1)
    return path[:end], end - seeds


def _anew(catalogue: Catalogue, minutes: float, seeds: int, length: int, sequence: Callable[[int], Rows]) -> Rows:
    """A path made for its length, since an arc or an end must not be cut off: the nearest in minutes of a few."""
    paths, lasts = [sequence(length - seeds)], seconds(catalogue)
    for n in (length - 1, length + 1):
        try:
            paths += [sequence(n - seeds)] if n > seeds else []
        except DiscoError:  # so many have no place for a track that is held: no other length has to
            continue
    return min(paths, key=lambda path: abs(float(lasts[path].sum()) - minutes * 60))


def seconds(catalogue: Catalogue) -> Floats:
    """Durations in seconds, the usual one where unknown."""
    known = catalogue.numbers("duration_ms") / np.float32(1000)
    return np.asarray(np.nan_to_num(known, nan=_USUAL_SECONDS), dtype=np.float32)


def _check_start(places: PositionCosts, start: Rows) -> None:
    for place, row in places.pinned.items():
        if (place < len(start)) != (row < len(start)) or (place < len(start) and start[place] != row):
            raise DiscoError(f"place {place + 1} cannot be given to a track: the seeds keep their places")


def constraints_by_rows(constraints: Constraints, rows: dict[int, int]) -> Constraints:
    """The same constraints for other rows."""
    start, end = (None if row is None else rows[row] for row in (constraints.start_track, constraints.end_track))
    pinned = tuple((position, rows[row]) for position, row in constraints.pinned)
    return replace(constraints, pinned=pinned, start_track=start, end_track=end)


def places_of(wanted: Rows, rows: Rows, begun: int) -> Rows:
    """Where rows stand among the sorted ones that come after the first so many; those that do not are left out."""
    wanted = wanted[np.isin(wanted, rows[begun:])]
    return np.asarray(begun + np.searchsorted(rows[begun:], wanted), dtype=np.intp)
