"""The move from one key to the next in words, and the keys that may follow one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from disco.catalogue import Catalogue, Filters
from disco.catalogue.lookup import track_name
from disco.catalogue.music import camelot
from disco.errors import DiscoError
from disco.playlist.key_rules import UNKNOWN, KeyRule, key_index

Key = tuple[int, int]
# What DJs call a move, by the steps on the Camelot wheel, up or down, and whether the mode changes.
_MOVES = {
    (0, False): "the same key",
    (0, True): "the relative key",
    (1, False): "a fifth up",
    (-1, False): "a fifth down",
    (1, True): "a diagonal up",
    (-1, True): "a diagonal down",
    (2, False): "a tone up",
    (-2, False): "a tone down",
    (-5, False): "a semitone up",
    (5, False): "a semitone down",
}


def key_move(before: int, after: int) -> str:
    """Name of the move between two keys, given by their indices (`key_rules.key_index`).

    Examples
    --------
    >>> from disco.playlist.key_rules import key_index
    >>> a_minor, e_minor = key_index([9, 4], [0, 0]).tolist()
    >>> key_move(a_minor, e_minor), key_move(a_minor, a_minor)
    ('a fifth up', 'the same key')
    """
    if UNKNOWN in (before, after):
        return "a key is unknown"
    steps = (after - before) % 12
    steps = steps if steps <= 6 else steps - 12
    other_mode = (before < 12) != (after < 12)
    letter = " and the other letter" if other_mode else ""
    return _MOVES.get((steps, other_mode), f"{abs(steps)} steps apart on the wheel{letter}")


def keys_after(catalogue: Catalogue, row: int, rule: KeyRule) -> tuple[Key, ...]:
    """Keys that a rule allows after that of a track; the track's own is among them.

    Raises
    ------
    DiscoError
        If the key of the track is unknown.
    """
    before = int(key_index(catalogue.numbers("key")[[row]], catalogue.modes[[row]])[0])
    if before == UNKNOWN:
        name = track_name(catalogue.tracks(np.array([row]))[0])
        raise DiscoError(
            f"the key of {name} is unknown, so that no key is compatible with it; `disco catalogue set` sets it"
        )
    keys = [(key, mode) for mode in (0, 1) for key in range(12)]
    allowed = np.pad(rule.compatible, (0, 1))[before]
    return tuple(key for key in keys if allowed[int(key_index(*key))] or int(key_index(*key)) == before)


def compatible_filters(filters: Filters, keys: tuple[Key, ...], track: str) -> Filters:
    """The filters with keys that go together with those of a track as well.

    Raises
    ------
    DiscoError
        If conditions on keys exclude all of them.
    """
    wanted = filters.wanted_keys
    if wanted and not set(wanted) & set(keys):
        names, others = (
            ",".join(sorted((camelot(*key) for key in some), key=lambda name: (int(name[:-1]), name)))
            for some in (wanted, keys)
        )
        raise DiscoError(
            f"--include key={names} and --compatible-with {track!r} ({others}) leave no key; give one of them"
        )
    return replace(filters, keys=keys)
