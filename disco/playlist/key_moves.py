"""Moves from one key to the next: one table of their names and terms, and the keys that may follow one."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Filters
from disco.catalogue.lookup import track_name
from disco.catalogue.music import camelot
from disco.errors import DiscoError
from disco.playlist.key_rules import UNKNOWN, KeyRule, key_index

Key = tuple[int, int]


class Move(NamedTuple):
    """A move from one key to another that has a name."""

    name: str  # what DJs call it
    term: str  # the term of `joins` that weighs it
    fifths: int  # steps up on the wheel, 0-11
    other_mode: bool
    from_mode: int | None = None  # the mode that it begins in, 1 major, 0 minor; None either


# Every move that has a name and a weight; the others clash. Relations are those on the wheel: a step up is a fifth
# up, a tone up is two steps, a semitone seven; to the parallel minor it is three steps back, and from there three on.
MOVES = (
    Move("the same key", "same key", 0, False),
    Move("a fifth up", "fifth up", 1, False),
    Move("a fifth down", "fifth down", 11, False),
    Move("the relative key", "relative key", 0, True),
    Move("the parallel key", "parallel key", 9, True, 1),
    Move("the parallel key", "parallel key", 3, True, 0),
    Move("a diagonal up", "diagonal", 1, True),
    Move("a diagonal down", "diagonal", 11, True),
    Move("a tone up", "tone up", 2, False),
    Move("a tone down", "tone down", 10, False),
    Move("a semitone up", "semitone up", 7, False),
    Move("a semitone down", "semitone down", 5, False),
)
KEY_TERMS = tuple(dict.fromkeys(move.term for move in MOVES))


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
    number = int(_moves()[before, after])
    if number >= 0:
        return MOVES[number].name
    up = (after - before) % 12
    letter = " and the other letter" if (before < 12) != (after < 12) else ""
    return f"{min(up, 12 - up)} steps apart on the wheel{letter}"


def key_relations() -> NDArray[np.intp]:
    """Number of the relation of each two keys in `KEY_TERMS`, shape (25, 25); -1 for clashes and unknown keys.

    Examples
    --------
    >>> relations = key_relations()
    >>> KEY_TERMS[relations[0, 1]], KEY_TERMS[relations[0, 12]], int(relations[0, 6])  # from C major
    ('fifth up', 'relative key', -1)
    """
    terms = [KEY_TERMS.index(move.term) for move in MOVES]
    return np.asarray(np.array([*terms, -1], dtype=np.intp)[_moves()])


@cache
def _moves() -> NDArray[np.intp]:
    """Number of the move between each two keys in `MOVES`, shape (25, 25); -1 where it has no name or is unknown."""
    number, minor = np.arange(UNKNOWN) % 12, np.arange(UNKNOWN) // 12
    up, other = (number[None, :] - number[:, None]) % 12, minor[:, None] != minor[None, :]
    found = np.full((UNKNOWN + 1, UNKNOWN + 1), -1, dtype=np.intp)
    for i, move in enumerate(MOVES):
        here = (up == move.fifths) & (other == move.other_mode)
        if move.from_mode is not None:
            here &= (1 - minor[:, None]) == move.from_mode
        found[:UNKNOWN, :UNKNOWN][here] = i
    return found


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
