"""Several playlists that differ from each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

from disco.errors import DiscoError
from disco.playlist.playlist import Playlist
from disco.playlist.sequence import Constraints

# Randomness of the first alternative: less than the cost of most transitions, and enough to change some.
_LITTLE_RANDOMNESS = 0.5
# Share of transitions that two alternatives may have in common.
_MOST_IN_COMMON = 0.7
# More than are ever tried.
_MOST = 100

Made = TypeVar("Made", bound=Playlist)


def alternatives(make: Callable[[Constraints], Made], constraints: Constraints, n: int) -> list[Made]:
    """Make playlists that differ from each other in at least 3 of 10 transitions.

    Parameters
    ----------
    make : callable
        Called with constraints of growing randomness, each time with another random seed; returns a playlist.
    constraints : Constraints
        Of the first one.
    n : int
        Number of playlists; fewer are returned if not enough that differ are found.

    Returns
    -------
    list of Playlist
        The first one made without additional randomness.

    Raises
    ------
    DiscoError
        If n is below 1.
    """
    check_number(n)
    found = [make(constraints)]
    randomness = max(constraints.randomness, _LITTLE_RANDOMNESS)
    # After 20 times a quarter more it has grown 86-fold: then the noise outweighs every cost.
    for i in range(1, 1 if n == 1 else 21):
        made = make(replace(constraints, randomness=randomness, random_seed=constraints.random_seed + i))
        if all(_in_common(made, other) <= _MOST_IN_COMMON for other in found):
            found.append(made)
        if len(found) == n:
            break
        randomness *= 1.25
    return found


def check_number(n: int) -> None:
    """Refuse a number of alternatives that cannot be.

    Raises
    ------
    DiscoError
        If there is none, or more than are ever tried.
    """
    if not 1 <= n <= _MOST:
        raise DiscoError(f"there can be 1 to {_MOST} alternatives, not {n}")


def _in_common(one: Playlist, other: Playlist) -> float:
    """Share of the transitions of `one` that `other` has too, in either direction; seeds are not counted."""
    sets = []
    for playlist in (one, other):
        ids = playlist.tracks.column("track_id").to_pylist()[max(playlist.seeds - 1, 0) :]
        sets.append({frozenset(pair) for pair in pairwise(ids)})
    return len(sets[0] & sets[1]) / max(len(sets[0]), 1)
