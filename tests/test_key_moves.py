"""Moves between keys: their names and their terms, against a plain reading in notes."""

from __future__ import annotations

import pytest

from disco.playlist.key_moves import KEY_TERMS, MOVES, key_move, key_relations
from disco.playlist.key_rules import UNKNOWN, key_index

KEYS = [(key, mode) for mode in (1, 0) for key in range(12)]
# Semitones from one keynote to the next of the same mode.
SAME_MODE = {0: "same key", 7: "fifth up", 5: "fifth down", 2: "tone up", 10: "tone down", 1: "semitone up",
             11: "semitone down"}  # fmt: skip


def plain_relation(a: tuple[int, int], b: tuple[int, int]) -> str | None:
    """What a musician calls the relation of two keys."""
    up = (b[0] - a[0]) % 12
    if a[1] == b[1]:
        return SAME_MODE.get(up)
    if up == 0:
        return "parallel key"
    # The relative of a key, and its neighbours on the circle of fifths.
    relative = (a[0] + (9 if a[1] else 3)) % 12
    return {0: "relative key", 7: "diagonal", 5: "diagonal"}.get((b[0] - relative) % 12)


@pytest.mark.parametrize("a", KEYS)
def test_names_and_terms_of_all_moves_are_those_of_a_musician(a):
    for b in KEYS:
        i, j = (int(key_index(*key)) for key in (a, b))
        number, name, wanted = int(key_relations()[i, j]), key_move(i, j), plain_relation(a, b)
        assert (KEY_TERMS[number] if number >= 0 else None) == wanted
        if wanted is None:
            assert "steps apart on the wheel" in name
        else:
            assert name.split(" ", 1)[1].removesuffix(" up").removesuffix(" down") in wanted


def test_a_move_from_or_to_an_unknown_key_has_no_name_and_no_weight():
    assert key_move(UNKNOWN, 3) == key_move(3, UNKNOWN) == "a key is unknown"
    assert (key_relations()[UNKNOWN] == -1).all()
    assert (key_relations()[:, UNKNOWN] == -1).all()


def test_every_term_belongs_to_a_move():
    assert {move.term for move in MOVES} == set(KEY_TERMS)
    assert len(set(KEY_TERMS)) == len(KEY_TERMS)
