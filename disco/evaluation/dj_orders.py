"""Whole orders of DJs' sets: how many of the DJ's neighbours are neighbours in the order that a cost leads to.

The tracks of each set whose keys and tempos are known are ordered anew from the DJ's first track on, at the least
cost that the search of `disco order` finds, by keys and tempos alone. A pair of tracks that the DJ played one after
the other, in either direction, counts where the order has it too. Chance is worked out, not drawn: with the first
track fixed and n others in a random order, a pair with the first track is one with probability 1 / n, another with
2 (n - 1) / (n (n - 1)) = 2 / n.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from disco.catalogue import Catalogue, Rows
from disco.evaluation import metrics
from disco.evaluation.dj_sets import DjSets, songs_of
from disco.playlist.cost import Knobs, PairwiseCost
from disco.playlist.key_rules import UNKNOWN, key_index
from disco.playlist.matching import KNOBS
from disco.playlist.mixing import FOR_ORDERING, Mixing
from disco.playlist.sequence import Rules, order
from disco.playlist.styles import DJ, PUBLISHED

# From a random order of so many tracks nothing is seen.
SHORTEST = 4
# Longer sets are cut: crates of thousands would take all the time.
_LONGEST = 60
# Orders of sets of one kind, drawn where there are more.
MOST_SETS = 150

Order = Callable[[Catalogue], Rows]


def ordered_by(knobs: Knobs, mixing: Mixing) -> Order:
    """Orders tracks from the first on at the least cost of keys and tempos.

    Examples
    --------
    >>> tempos = enumerate([100, 120, 104, 112])
    >>> tracks = [{"track_id": str(i), "key": 0, "mode": 1, "tempo_bpm": tempo} for i, tempo in tempos]
    >>> ordered_by(Knobs(), Mixing())(Catalogue.from_tracks(tracks)).tolist()
    [0, 2, 3, 1]
    """

    def ordered(tracks: Catalogue) -> Rows:
        rows = np.arange(len(tracks))
        # No features: their distance is no part of what DJs are compared by here.
        cost = PairwiseCost(tracks, knobs, np.full((len(tracks), 8), np.nan, dtype=np.float32), mixing)
        return order(rows[:1], rows[1:], len(rows) - 1, cost, Rules(tracks, artist_gap=0))

    return ordered


ORDERS: dict[str, Order] = {
    PUBLISHED: ordered_by(Knobs(), Mixing()),
    DJ: ordered_by(Knobs(), Mixing(style=DJ)),
    "default": ordered_by(KNOBS, FOR_ORDERING),
}


def neighbours_kept(after: Rows, pairs: set[frozenset[int]]) -> float:
    """Share of pairs that are neighbours in an order.

    Examples
    --------
    >>> pairs = {frozenset(pair) for pair in [(0, 1), (1, 2)]}
    >>> neighbours_kept(np.array([0, 3, 2, 1]), pairs)
    0.5
    """
    return sum(frozenset(pair) in pairs for pair in pairwise(after.tolist())) / len(pairs)


def order_records(read: DjSets, seed: int = 0) -> list[dict[str, Any]]:
    """Share of the DJs' neighbours that each order keeps, for each kind of set.

    Parameters
    ----------
    read : DjSets
    seed : int
        Of the sets that are drawn, of the order in which the search gets the tracks, and of the intervals.

    Returns
    -------
    list of dict
        `order` (chance, published, dj, default), `cases` (the kind), `sets`, `pairs`, `kept`, and its `interval`: the
        mean over sets, so that long ones count no more.
    """
    tracks, rng = read.tracks, np.random.default_rng(seed)
    known = (key_index(tracks.numbers("key"), tracks.modes) != UNKNOWN) & ~np.isnan(tracks.tempos)
    songs = songs_of(tracks)
    by_kind: dict[str, list[tuple[Rows, set[frozenset[int]]]]] = {}
    for one in read.sets:
        places = dict(zip(one.rows.tolist(), one.positions.tolist(), strict=True))
        first_of = {songs[row]: row for row in one.rows[::-1].tolist() if known[row]}
        rows = np.array(sorted(first_of.values())[:_LONGEST], dtype=np.intp)
        joined = [(i, i + 1) for i, (a, b) in enumerate(pairwise(rows.tolist())) if places[b] == places[a] + 1]
        if len(rows) >= SHORTEST and joined:
            by_kind.setdefault(one.kind, []).append((rows, {frozenset(pair) for pair in joined}))
    made = []
    for kind, found in by_kind.items():
        chosen = [found[i] for i in np.sort(rng.permutation(len(found))[:MOST_SETS])]
        kept: dict[str, list[float]] = {"chance": [], **{name: [] for name in ORDERS}}
        for rows, pairs in chosen:
            kept["chance"].append(2 / (len(rows) - 1) - (frozenset((0, 1)) in pairs) / (len(rows) - 1) / len(pairs))
            # Not in the order of the DJ: equal costs would fall back on it.
            mixed = np.r_[0, 1 + rng.permutation(len(rows) - 1)]
            few = tracks.take(rows[mixed])
            for name, ordered in ORDERS.items():
                kept[name].append(neighbours_kept(mixed[ordered(few)], pairs))
        number = np.arange(len(chosen))
        for name, shares in kept.items():
            low, high = metrics.bootstrap_interval(np.array(shares), number, seed=seed)
            record = {"order": name, "cases": kind, "sets": len(chosen), "pairs": sum(len(p) for _, p in chosen)}
            made.append(
                record | {"kept": round(float(np.mean(shares)), 4), "interval": [round(low, 4), round(high, 4)]}
            )
    return made
