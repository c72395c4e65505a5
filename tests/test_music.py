"""Key and tempo against values worked out by hand from the published formulas, and what must always hold."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disco.catalogue.key_names import parse_key
from disco.catalogue.music import (
    NOTES,
    camelot,
    circle_position,
    key_name,
    key_similarity,
    open_key,
    tempo_change,
    tempo_similarity,
)

C, D_FLAT, D, E_FLAT, E, F, F_SHARP, G, A_FLAT, A, B_FLAT, B = range(12)
MAJOR, MINOR = 1, 0
keys = st.tuples(st.integers(0, 11), st.integers(0, 1))
tempos = st.floats(20, 400)


def similarity(a: tuple[int, int], b: tuple[int, int]) -> float:
    return float(key_similarity(circle_position(*a), circle_position(*b)))


# K = 1 - (max(d, 1) - 1) / 2.5 with d counted on a drawn circle of fifths:
# C G D A E B F# D♭ A♭ E♭ B♭ F, a minor key at its relative major.
@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((C, MAJOR), (C, MAJOR), 1.0),  # d = 0
        ((C, MAJOR), (A, MINOR), 1.0),  # relative, d = 0
        ((C, MAJOR), (G, MAJOR), 1.0),  # a fifth, d = 1
        ((C, MAJOR), (F, MAJOR), 1.0),  # a fourth, d = 1
        ((C, MAJOR), (E, MINOR), 1.0),  # E minor counts as G
        ((C, MAJOR), (D, MAJOR), 0.6),  # d = 2
        ((C, MAJOR), (E_FLAT, MAJOR), 0.2),  # d = 3
        ((C, MAJOR), (C, MINOR), 0.2),  # parallel: C minor counts as E♭, d = 3
        ((C, MAJOR), (A_FLAT, MAJOR), -0.2),  # d = 4
        ((C, MAJOR), (E, MAJOR), -0.2),  # d = 4
        ((C, MAJOR), (B, MAJOR), -0.6),  # d = 5
        ((C, MAJOR), (F_SHARP, MAJOR), -1.0),  # opposite, d = 6
        ((A, MINOR), (E_FLAT, MINOR), -1.0),  # opposite, d = 6
        ((B_FLAT, MINOR), (F, MAJOR), -0.2),  # D♭ at 7 o'clock and F at 11, d = 4
    ],
)
def test_key_similarity_is_the_published_formula(a, b, expected):
    assert similarity(a, b) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (120, 120, 1.0),
        (70, 140, 1.0),
        (174, 87, 1.0),
        (100, 100 * math.sqrt(2), -1.0),  # half an octave: the worst
        (120, 126, 0.903783),  # log2(1.05) = 0.0703893: cos(0.442269) = 1 - 0.097801 + 0.001594 - 0.000010
        (128, 64 * 2 ** (1 / 4), 0.0),  # three quarters of an octave
        (90, 135, -0.860862),  # log2(1.5) = 0.5849625: -cos(0.533835) = -(1 - 0.142490 + 0.003384 - 0.000032)
    ],
)
def test_tempo_similarity_is_the_published_formula(a, b, expected):
    assert float(tempo_similarity(a, b)) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(
    ("a", "b", "per_cent"),
    [(100, 103, 3.0), (100, 97, -3.0), (140, 70, 0.0), (70, 147, 5.0), (174, 86, -1.149), (100, 141, 41.0)],
)
def test_tempo_change_folds_half_and_double_time(a, b, per_cent):
    assert float(tempo_change(a, b)) == pytest.approx(per_cent, abs=1e-3)


@pytest.mark.parametrize(
    ("key", "mode", "camelot_name", "open_name", "name"),
    [
        (C, MAJOR, "8B", "1d", "C major"),
        (A, MINOR, "8A", "1m", "A minor"),
        (G, MAJOR, "9B", "2d", "G major"),
        (F, MAJOR, "7B", "12d", "F major"),
        (C, MINOR, "5A", "10m", "C minor"),
        (F_SHARP, MINOR, "11A", "4m", "F♯ minor"),
        (A_FLAT, MINOR, "1A", "6m", "A♭ minor"),
        (B, MAJOR, "1B", "6d", "B major"),
        (D_FLAT, MAJOR, "3B", "8d", "D♭ major"),
        (E, MAJOR, "12B", "5d", "E major"),
    ],
)
def test_camelot_open_key_and_key_names(key, mode, camelot_name, open_name, name):
    assert camelot(key, mode) == camelot_name
    assert open_key(key, mode) == open_name
    assert key_name(key, mode) == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8A", (A, MINOR)),
        (" 8b ", (C, MAJOR)),
        ("10m", (C, MINOR)),  # Open Key, as Traktor writes it: 5A on the Camelot wheel
        ("1d", (C, MAJOR)),
        ("Am", (A, MINOR)),
        ("F#m", (F_SHARP, MINOR)),
        ("Bb", (B_FLAT, MAJOR)),
        ("B♭ minor", (B_FLAT, MINOR)),
        ("Ebmaj", (E_FLAT, MAJOR)),
        ("C major", (C, MAJOR)),
        ("D min", (D, MINOR)),
        ("Cb", (B, MAJOR)),
        ("08A", (A, MINOR)),
        ("8A/Am", (A, MINOR)),
        ("8A - 7", (A, MINOR)),  # Mixed In Key: key and energy
        ("Am (8A)", (A, MINOR)),
        ("8A/9A", None),  # two keys: neither
        ("A-minor", (A, MINOR)),
        ("F sharp minor", (F_SHARP, MINOR)),
        ("E flat major", (E_FLAT, MAJOR)),
        ("fis-Moll", (F_SHARP, MINOR)),
        ("As-Dur", (A_FLAT, MAJOR)),
        ("B-Dur", (B_FLAT, MAJOR)),  # German: B is B flat, H is B
        ("H-Dur", (B, MAJOR)),
        ("AM", (A, MAJOR)),
        ("13A", None),
        ("0B", None),
        ("", None),
        ("off", None),
        ("all", None),
    ],
)
def test_parse_key_reads_common_spellings(text, expected):
    assert parse_key(text) == expected


@given(keys)
def test_names_of_keys_are_parsed_back(key):
    assert parse_key(camelot(*key)) == key
    assert parse_key(open_key(*key)) == key
    assert parse_key(key_name(*key)) == key


def test_relative_keys_share_a_circle_position():
    assert sorted(circle_position(range(12), [1] * 12).tolist()) == list(range(12))
    for key in range(12):
        assert circle_position(key, MINOR) == circle_position((key + 3) % 12, MAJOR)
    assert len(set(NOTES)) == 12


@given(keys, keys)
def test_key_similarity_is_symmetric_and_in_range(a, b):
    assert similarity(a, b) == similarity(b, a)
    assert -1 <= similarity(a, b) <= 1


@given(keys, keys, st.integers(0, 11))
def test_key_similarity_does_not_change_under_transposition(a, b, up):
    shifted = [((key + up) % 12, mode) for key, mode in (a, b)]
    assert similarity(*shifted) == pytest.approx(similarity(a, b), abs=1e-12)


@given(tempos, tempos, st.integers(-2, 2), st.integers(-2, 2))
def test_tempo_similarity_is_symmetric_in_range_and_ignores_octaves(a, b, up, also_up):
    plain = float(tempo_similarity(a, b))
    assert -1 <= plain <= 1
    assert float(tempo_similarity(b, a)) == pytest.approx(plain, abs=1e-9)
    assert float(tempo_similarity(a * 2.0**up, b * 2.0**also_up)) == pytest.approx(plain, abs=1e-9)


@given(tempos, tempos)
def test_tempo_change_is_the_smallest_among_octaves(a, b):
    change = float(tempo_change(a, b))
    assert 100 * (2**-0.5 - 1) - 1e-9 <= change <= 100 * (2**0.5 - 1) + 1e-9
    octaves = math.log2(b / a) - math.log2(1 + change / 100)
    assert octaves == pytest.approx(round(octaves), abs=1e-9)


def test_unknown_values_give_nan():
    nan = float("nan")
    assert np.isnan(circle_position([nan, 0], [1, nan])).all()
    assert np.isnan(key_similarity([nan, 3], [3, nan])).all()
    assert np.isnan(tempo_similarity([nan, 0, 120], [120, 120, 0])).all()
    assert np.isnan(tempo_change([nan, 0], [120, 120])).all()
