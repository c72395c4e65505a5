"""Key rules against what the wheel's users and the literature say, move by move."""

from __future__ import annotations

import numpy as np
import pytest

from disco.catalogue.key_names import parse_key
from disco.catalogue.music import circle_position, key_similarity
from disco.errors import DiscoError
from disco.playlist.key_rules import KEY_RULES, UNKNOWN, key_index, key_rule


def place(text: str) -> int:
    return int(key_index(*parse_key(text)))


def test_keys_are_ordered_as_on_the_wheel_with_unknown_last():
    codes = [f"{(i + 7) % 12 + 1}{letter}" for letter in "BA" for i in range(12)]
    assert [place(code) for code in codes] == list(range(24))
    assert key_index([np.nan, 3, 5], [1, np.nan, 0]).tolist()[:2] == [UNKNOWN, UNKNOWN]


# From the key of the row: what follows it by each rule.
FOLLOWS = {
    "camelot": {"8A": "8A 7A 9A 8B", "8B": "8B 7B 9B 8A", "1A": "1A 12A 2A 1B", "12B": "12B 11B 1B 12A"},
    "camelot-wide": {"8A": "8A 7A 9A 8B 7B 9B", "1A": "1A 12A 2A 1B 12B 2B"},
    "fifths": {"8A": "8A 7A 9A 8B 7B 9B"},
    # A minor: itself, E and D minor, C major, A major (parallel), F major (whose third it holds).
    "tonal": {"8A": "8A 7A 9A 8B 11B 7B", "8B": "8B 7B 9B 8A 5A 9A"},
}


@pytest.mark.parametrize(("name", "code"), [(name, code) for name, moves in FOLLOWS.items() for code in moves])
def test_compatible_keys_of_each_rule(name, code):
    allowed = np.flatnonzero(key_rule(name).compatible[place(code)])
    assert set(allowed) == {place(other) for other in FOLLOWS[name][code].split()}


@pytest.mark.parametrize("name", KEY_RULES)
def test_tables_are_circular_with_values_from_minus_1_to_1(name):
    rule = key_rule(name)
    table = rule.similarity
    assert table.shape == (24, 24)
    assert table.dtype == np.float32
    np.testing.assert_array_equal(table, table.T)
    assert (np.diag(table) == table.max()).all()
    assert np.diag(table) == pytest.approx(1)
    assert table.min() >= -1
    turned = np.r_[np.arange(1, 12), 0, np.arange(13, 24), 12]
    np.testing.assert_allclose(table[turned][:, turned], table, atol=1e-6)
    assert table[rule.compatible].min() > table[~rule.compatible].max()


def test_fifths_equals_the_published_similarity_exactly():
    key, mode = np.tile(np.arange(12), 2), np.repeat([1, 0], 12)
    indices, positions = key_index(key, mode), circle_position(key, mode)
    published = key_similarity(positions[:, None], positions[None, :]).astype(np.float32)
    np.testing.assert_array_equal(key_rule().between(indices[:, None], indices[None, :]), published)


def test_tonal_correlations_match_the_literature():
    """Krumhansl (1990), Cognitive Foundations of Musical Pitch, table 2.4, rounded there to three digits."""
    table = key_rule("tonal").similarity
    for code, with_c_major in {"9B": 0.591, "8A": 0.651, "5A": 0.511, "2B": -0.683, "10B": 0.040}.items():
        assert table[place("8B"), place(code)] == pytest.approx(with_c_major, abs=0.0015)


def test_unknown_keys_have_no_similarity_and_are_not_compatible():
    rule, known = key_rule("camelot"), np.array([3], np.uint8)
    unknown = np.array([UNKNOWN], np.uint8)
    assert np.isnan(rule.between(known, unknown)).all()
    assert not rule.allows(unknown, unknown).any()
    assert (rule.padded[UNKNOWN] == 0).all()
    assert (rule.padded[:, UNKNOWN] == 0).all()


@pytest.mark.parametrize("name", KEY_RULES)
def test_energy_boosts_allow_one_or_two_semitones_up_but_not_down(name):
    plain, boosted = key_rule(name), key_rule(name, energy_boost=True)
    added = boosted.compatible & ~plain.compatible
    from_8a = {place("3A"), place("10A")}
    assert set(np.flatnonzero(added[place("8A")])) == from_8a
    assert added.sum() == 48
    assert (boosted.similarity[added] == plain.similarity[place("8B"), place("9B")]).all()
    assert not plain.compatible[added].any()
    assert not (boosted.compatible & ~added & ~plain.compatible).any()


def test_message_on_an_unknown_rule_lists_the_rules():
    with pytest.raises(DiscoError, match="no key rule 'mixolydian'; there are: fifths, camelot, camelot-wide, tonal"):
        key_rule("mixolydian")
