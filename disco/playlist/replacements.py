"""Tracks that could stand at a position of a playlist instead of the one that does, best first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from disco.catalogue.arrays import without
from disco.errors import DiscoError
from disco.playlist.cost import PairwiseCost
from disco.playlist.playlist import Playlist
from disco.playlist.sequence import Rules
from disco.playlist.transition_grades import DistanceQuantiles
from disco.playlist.transitions import UNGRADED, Transition, transitions


@dataclass(frozen=True)
class Replacement:
    """A track for a position, how it follows the track before, and how the next one follows it.

    Attributes
    ----------
    track : dict
        By the names of the schema.
    cost : float
        Of its two transitions.
    before, after : Transition or None
        None at the ends of the playlist.
    """

    track: dict[str, Any]
    cost: float
    before: Transition | None
    after: Transition | None


def replacements(
    playlist: Playlist,
    position: int,
    n: int = 5,
    *,
    artist_gap: int = 1,
    max_per_artist: int = 0,
    relevance: float = 0.0,
    apart: DistanceQuantiles = UNGRADED,
) -> list[Replacement]:
    """Find tracks for a position of a playlist among those that it was chosen from.

    Parameters
    ----------
    playlist : Playlist
        With its `surroundings`.
    position : int
        From 0.
    n : int
        At most so many.
    artist_gap : int
        Tracks between two by one artist.
    max_per_artist : int
        Most tracks by one artist among 13 in a row; 0 allows all.
    relevance : float
        What a candidate costs more for each hundred that belong better; see `disco.make`.
    apart : DistanceQuantiles
        For the grade of the sound; see `transitions`.

    Returns
    -------
    list of Replacement
        The cheapest first.

    Raises
    ------
    DiscoError
        If there is no such position.

    Examples
    --------
    >>> import disco
    >>> playlist = disco.make(disco.open(), "sunday night staircase", length=3)
    >>> len(replacements(playlist, 2, n=5))
    5
    """
    around = playlist.surroundings
    if not 0 <= position < len(playlist):
        raise DiscoError(f"there is no position {position + 1} in a playlist of {len(playlist)} tracks")
    if around is None:
        return []
    path, rules = around.rows, Rules(around.tracks, artist_gap, max_per_artist)
    ends = path[max(position - 1, 0) : position], path[position + 1 : position + 2]
    before, coming = path[:position].tolist(), path[position + 1 :].tolist()
    others = without(np.arange(len(around.tracks)), path).tolist()
    options = np.array([row for row in others if rules.allows_before(before, row, coming)], dtype=np.intp)
    if not len(options):
        return []
    cost = PairwiseCost(around.tracks, playlist.knobs, around.vectors, playlist.mixing)
    total = np.zeros(len(options))
    if len(ends[0]):
        total += cost.costs(cost.start(ends[0]), options)[0]
    if len(ends[1]):
        total += np.array([cost.terms(np.r_[row, ends[1]])["cost"][0] for row in options])
    # As `disco.make` chooses: what belongs better costs less.
    ordered = total + relevance / 100 * around.ranks[options]
    best = np.argsort(ordered, kind="stable")[:n]
    found = []
    for i in best.tolist():
        rows = np.r_[ends[0], options[i], ends[1]]
        three = replace(
            playlist, tracks=around.tracks.take(rows), terms=cost.terms(rows),
            surroundings=replace(around, rows=rows), unmatched=(), arc=None,
        )  # fmt: skip
        described = transitions(three, apart)
        (track,) = around.tracks.tracks(options[[i]])
        follows, followed = described[0] if len(ends[0]) else None, described[-1] if len(ends[1]) else None
        found.append(Replacement(track, float(total[i]), follows, followed))
    return found
