"""Grades of joins: golden values by hand, what is unknown, and what is reported as wrong."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.catalogues import catalogue_of

from disco.catalogue.key_names import parse_key
from disco.playlist.cost import Knobs, PairwiseCost
from disco.playlist.mixing import Mixing
from disco.playlist.playlist import Playlist
from disco.playlist.transition_grades import (
    GRADES,
    UNKNOWN,
    DistanceQuantiles,
    Grades,
    distance_quantiles,
    grade_transitions,
    issues,
    worst_transitions,
)

APART = DistanceQuantiles(1.0, 2.0)


def playlist(*tracks: tuple[str | None, float | None], distance=None, mixing=Mixing()) -> Playlist:  # noqa: B008
    """Tracks by key and tempo, with distances of the joins."""
    rows = []
    for i, (key, tempo) in enumerate(tracks):
        number, mode = parse_key(key) if key else (None, None)
        rows.append({"track_id": f"t{i}", "key": number, "mode": mode, "tempo_bpm": tempo})
    catalogue = catalogue_of(rows)
    cost = PairwiseCost(catalogue, Knobs(), np.full((len(rows), 8), np.nan, dtype=np.float32), mixing)
    terms = cost.terms(np.arange(len(rows)))
    if distance is not None:
        terms["distance"] = np.array(distance, dtype=np.float32)
        terms["cost"] = terms["cost"] + np.nan_to_num(terms["distance"])
    where = {"where": "a test", "tracks": len(rows)}
    return Playlist("A", catalogue, 0, Knobs(), where, "mean", "none", "as it is", terms, mixing=mixing)


@pytest.mark.parametrize(
    ("rule", "before", "after", "expected"),
    [
        ("fifths", "8A", "8A", "good"), ("fifths", "8A", "9B", "good"), ("fifths", "8A", "10A", "fair"),
        ("fifths", "8A", "11A", "clash"), ("fifths", "1A", "12A", "good"), ("camelot", "8A", "9B", "fair"),
        ("camelot-wide", "8A", "9B", "good"), ("tonal", "8B", "5A", "good"),
    ],
)  # fmt: skip
def test_keys_are_graded_by_the_rule_and_the_circle(rule, before, after, expected):
    made = playlist((before, 120.0), (after, 120.0), mixing=Mixing(rule))
    assert GRADES[grade_transitions(made, APART).key[0]] == expected


@pytest.mark.parametrize(
    ("before", "after", "mixing", "expected"),
    [
        (100, 105, Mixing(), "good"), (100, 105.1, Mixing(), "fair"), (100, 110, Mixing(), "fair"),
        (100, 110.2, Mixing(), "clash"), (100, 90, Mixing(), "fair"), (70, 140, Mixing(), "good"),
        (70, 140, Mixing(half_time_weight=0.5), "fair"), (70, 140, Mixing(half_time_weight=0), "clash"),
        (100, 104, Mixing(max_tempo_change=3), "clash"),
    ],
)  # fmt: skip
def test_tempos_are_graded_by_their_change(before, after, mixing, expected):
    made = playlist(("8A", before), ("8A", after), mixing=mixing)
    assert GRADES[grade_transitions(made, APART).tempo[0]] == expected


def test_sound_is_graded_by_quantiles_and_the_whole_by_the_worst_part():
    made = playlist(*[("8A", 120.0)] * 4, distance=[1.0, 1.5, 2.5])
    grades = grade_transitions(made, APART)
    assert [GRADES[g] for g in grades.sound] == ["good", "fair", "clash"]
    assert grades.counts() == {"good": 1, "fair": 1, "clash": 1}
    assert worst_transitions(made, grades) == [2, 1]


def test_unknown_parts_have_no_grade_and_are_not_blamed():
    made = playlist((None, None), ("8A", 120.0), (None, 120.0), distance=[np.nan, 0.5])
    grades = grade_transitions(made, APART)
    assert grades.key.tolist() == [UNKNOWN, UNKNOWN]
    assert grades.tempo.tolist() == [UNKNOWN, 0]
    assert grades.whole.tolist() == [UNKNOWN, 0]
    assert worst_transitions(made, grades) == []
    assert issues(made, grades, APART, 0)[:2] == ["a key is unknown", "a tempo is unknown"]


def test_problems_are_described_in_words():
    made = playlist(("8A", 70.0), ("1B", 154.0), distance=[2.5])
    result = issues(made, grade_transitions(made, APART), APART, 0)
    assert result == [
        "keys 8A → 1B: 5 steps apart on the wheel, which fifths does not allow",
        "tempo 70 → 154 BPM: +10.0 %, double time folded",
        "sound 2.50 apart, where half of all pairs is within 2.00",
    ]


def test_of_equal_grades_the_costlier_transition_comes_first():
    made = playlist(("8A", 120.0), ("2A", 120.0), ("2A", 150.0), ("2A", 150.0), distance=[0.5, 0.9, 2.9])
    grades = grade_transitions(made, APART)
    assert worst_transitions(made, grades, 2) == [2, 0]
    assert grades.whole.tolist() == [2, 2, 2]


def test_distance_quantiles_match_those_of_all_pairs():
    line = np.arange(100, dtype=np.float32)[:, None]
    # |a - b| of two uniform places lies under x of 1 with probability 2x - x^2: a quarter at 0.134, half at 0.293.
    assert distance_quantiles(line) == DistanceQuantiles(pytest.approx(13.4, abs=0.7), pytest.approx(29.3, abs=0.8))
    few = distance_quantiles(line[:9])
    assert np.isnan(few.near)
    assert grade_transitions(playlist(("8A", 120.0), ("8A", 120.0), distance=[0.5]), few).sound.tolist() == [UNKNOWN]


def test_a_single_track_has_no_grades():
    empty = grade_transitions(playlist(("8A", 120.0)), APART)
    assert isinstance(empty, Grades)
    assert len(empty.whole) == 0
