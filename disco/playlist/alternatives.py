"""Several playlists that differ from each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

from disco.errors import DiscoError
from disco.playlist.playlist import Playlist
from disco.playlist.sequence import Constraints

# The randomness that alternatives begin with: less than what most transitions cost, and enough to move some.
_LITTLE_RANDOMNESS = 0.5


# Share of transitions that two alternatives may have in common.
_MOST_IN_COMMON = 0.7


Made = TypeVar("Made", bound=Playlist)


def alternatives(make: Callable[[Constraints], Made], constraints: Constraints, n: int) -> list[Made]:
    """Make playlists that differ from each other in at least 3 of 10 transitions.

    Parameters
    ----------
    make : callable
        Asked with more and more randomness, each time with another random seed.
    constraints : Constraints
        Of the first one.
    n : int
        How many in all; fewer come back when so many that differ are not found.
    """
    if n < 1:
        raise DiscoError(f"there must be at least one alternative, not {n}")
    found = [make(constraints)]
    randomness = max(constraints.randomness, _LITTLE_RANDOMNESS)
    # A quarter more each time reaches, after 20, 86 times the least: then the noise outweighs every cost.
    for i in range(1, 1 if n == 1 else 21):
        made = make(replace(constraints, randomness=randomness, random_seed=constraints.random_seed + i))
        if all(_in_common(made, other) <= _MOST_IN_COMMON for other in found):
            found.append(made)
        if len(found) == n:
            break
        randomness *= 1.25
    return found


def _in_common(one: Playlist, other: Playlist) -> float:
    """Share of the transitions of `one` that `other` has too, in either direction; seeds are not counted."""
    sets = []
    for playlist in (one, other):
        ids = playlist.tracks.table["track_id"].to_pylist()[max(playlist.seeds - 1, 0) :]
        sets.append({frozenset(pair) for pair in pairwise(ids)})
    return len(sets[0] & sets[1]) / max(len(sets[0]), 1)
