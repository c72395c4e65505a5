"""Pitch: keys without key lock, against a plain reading of the definition, in costs, orders, tables and JSON."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from hypothesis import given
from hypothesis import strategies as st

import disco
from disco.catalogue.music import camelot
from disco.cli import next as next_command
from disco.cli import order as order_command
from disco.errors import DiscoError
from disco.models.predictors import load_predictor
from disco.playlist.cost import FlowCost, Knobs, PairwiseCost
from disco.playlist.key_rules import UNKNOWN, camelot_name, key_index, key_rule
from disco.playlist.mixing import FOR_ORDERING, KEY_PENALTY, Mixing
from disco.playlist.pitch import pitch_percent, pitch_semitones, transposed

MIXINGS = [
    Mixing("camelot", graded=False, pitch=6),
    Mixing("fifths", pitch=8, max_tempo_change=6, avoid_clashes=True),
    Mixing("tonal", pitch=13, half_time_weight=0.0),
    Mixing("camelot-wide", pitch=2, half_time_weight=0.6, graded=False),
]
KNOBS = Knobs(0.7, 1.1, 1.9, 0.4)


def plain_semitones(a, b, mixing, value):
    """How much higher b sounds: the tempo of a where it is in reach, else the fewest semitones towards it."""
    limit = 12 * math.log2(1 + mixing.pitch / 100)
    wanted = None
    if a["tempo_bpm"] and b["tempo_bpm"]:
        octaves = math.log2(a["tempo_bpm"] / b["tempo_bpm"])
        wanted = 12 * (octaves - round(octaves) if mixing.half_time_weight else octaves)
        if abs(wanted) <= limit + 1e-4:
            return wanted
    steps = [0, *(sign * n for n in range(1, int(limit + 1e-4) + 1) for sign in (1, -1))]
    allowed = [n for n in steps if n == 0 or wanted is None or n * wanted > 0]
    return max(allowed, key=lambda n: (round(value(n), 5), -abs(n), n))


def plain_value(a, b, mixing):
    """What the keys of a pair are worth, and whether they clash as they sound."""
    if None in (a["key"], a["mode"], b["key"], b["mode"]):
        return (0.0 if mixing.graded else 0.5), False
    rule = key_rule(mixing.key_rule, mixing.energy_boost)

    def value(n):
        keys = [int(key_index(a["key"], a["mode"])), int(key_index((b["key"] + n) % 12, b["mode"]))]
        return float(rule.similarity[keys[0], keys[1]] if mixing.graded else rule.compatible[keys[0], keys[1]])

    semitones = plain_semitones(a, b, mixing, value)
    low = math.floor(semitones)
    near = math.floor(semitones + 0.5)
    clash = not rule.compatible[
        int(key_index(a["key"], a["mode"])), int(key_index((b["key"] + near) % 12, b["mode"]))
    ]
    return (low + 1 - semitones) * value(low) + (semitones - low) * value(low + 1), clash


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize("unknown", [0.0, 0.3])
def test_costs_differ_from_those_with_key_lock_by_the_keys_that_sound(mixing, unknown):
    catalogue = random_catalogue(40, seed=5, unknown=unknown)
    locked = Mixing(**{**vars_of(mixing), "pitch": None})
    tracks, rows, mean = catalogue.table.to_pylist(), np.arange(40), load_predictor("mean")
    space = mean.embed(catalogue)
    costs = [PairwiseCost(catalogue, KNOBS, space, m).matrix(rows) for m in (mixing, locked)]
    flows = [FlowCost(catalogue, mean, KNOBS, space, m) for m in (mixing, locked)]
    flowing = [flow.costs(flow.start(np.array([7])), rows)[0] for flow in flows]
    rule = key_rule(mixing.key_rule)
    for i in range(40):
        for j in range(40):
            value, clash = plain_value(tracks[i], tracks[j], mixing)
            a, b = (
                key_index(*(np.nan if t[n] is None else t[n] for n in ("key", "mode")))
                for t in (tracks[i], tracks[j])
            )
            known = UNKNOWN not in (a, b)
            own = (rule.similarity if mixing.graded else rule.compatible)[a, b] if known else value
            more = KNOBS.sweetness * (float(own) - value)
            more += KEY_PENALTY * mixing.avoid_clashes * (clash - float(known and not rule.compatible[a, b]))
            if i != j:
                assert costs[0][i, j] - costs[1][i, j] == pytest.approx(more, abs=2e-3)
            if i == 7:
                assert flowing[0][j] - flowing[1][j] == pytest.approx(more, abs=2e-3)


def vars_of(mixing):
    names = (
        "key_rule",
        "energy_boost",
        "half_time_weight",
        "max_tempo_change",
        "avoid_clashes",
        "graded",
        "style",
        "pitch",
    )
    return {name: getattr(mixing, name) for name in names}


@pytest.mark.parametrize("rule", ["camelot", "fifths", "tonal"])
def test_costs_are_the_same_in_both_directions_so_that_the_quick_search_serves(rule):
    catalogue = random_catalogue(60, seed=2, unknown=0.2)
    cost = PairwiseCost(
        catalogue, Knobs(), load_predictor("mean").embed(catalogue), Mixing(rule, graded=False, pitch=6)
    )
    matrix = cost.matrix(np.arange(60))
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-4)


@given(st.integers(0, 11), st.sampled_from([0, 1]), st.integers(-30, 30))
def test_transposing_a_key_moves_its_note_and_keeps_its_mode(key, mode, semitones):
    moved = transposed(key_index(key, mode), semitones)
    assert int(moved) == int(key_index((key + semitones) % 12, mode))
    assert camelot_name(int(moved)) == camelot((key + semitones) % 12, mode)


@given(st.floats(60, 180), st.floats(0.95, 1.05), st.floats(0.9, 1.1))
def test_playing_both_tracks_faster_changes_nothing_about_their_keys(tempo, ratio, faster):
    keys = np.array([3], dtype=np.uint8)
    values = key_rule("camelot").padded
    found = [
        pitch_semitones(keys, keys, [math.log2(b / a)], 6, values)
        for a, b in ((tempo, tempo * ratio), (tempo * faster, tempo * ratio * faster))
    ]
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)
    # Pitched by so many per cent the second track has the tempo of the first.
    assert tempo * ratio * (1 + pitch_percent(found[0])[0] / 100) == pytest.approx(tempo)


def test_pitch_is_never_beyond_the_limit():
    rng = np.random.default_rng(0)
    for percent in (1, 6, 8, 16, 50):
        keys = [rng.integers(0, 25, 500).astype(np.uint8) for _ in range(2)]
        octaves = np.where(rng.random(500) < 0.1, np.nan, rng.normal(0, 0.2, 500))
        found = pitch_percent(pitch_semitones(*keys, octaves, percent, key_rule("tonal").padded))
        assert (np.abs(found) <= percent + 1e-2).all()
        assert np.abs(found).max() > percent / 2 or percent < 3


def test_a_faster_record_of_the_next_semitone_goes_with_the_slower_one():
    # The example of Mixed In Key: F minor played 6 % faster is F sharp minor, 11A.
    tracks = [
        {"track_id": "a", "title": "a", "artists": ["a"], "key": 6, "mode": 0, "tempo_bpm": 132.5},
        {"track_id": "b", "title": "b", "artists": ["b"], "key": 5, "mode": 0, "tempo_bpm": 125.0},
        {"track_id": "c", "title": "c", "artists": ["c"], "key": 6, "mode": 0, "tempo_bpm": 125.0},
    ]
    made = disco.reorder(catalogue_of(tracks), ["a", "b"], start_track="a", pitch=6)
    second = made.to_dict()["tracks"][1]
    assert (second["join"]["pitch"], second["join"]["sounding_key"], second["join"]["cents"]) == (6.0, "11A", 1)
    assert made.after.compatible == 1
    assert disco.reorder(catalogue_of(tracks), ["a", "b"], start_track="a").after.compatible == 0
    # And the same key does not, once one of them is pitched by a semitone.
    assert disco.reorder(catalogue_of(tracks), ["a", "c"], start_track="a", pitch=6).after.compatible == 0


def test_the_table_and_json_say_what_to_pitch_by_and_what_sounds(tmp_path, capsys):
    catalogue = disco.open()
    where = tmp_path / "mine.txt"
    where.write_text("\n".join(catalogue.column("track_id").to_pylist()[:8]))
    assert order_command.main([str(where), "--pitch", "--json", "-q"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["mixing"]["pitch"] == 6.0
    assert all({"pitch", "sounding_key", "cents"} < set(track["join"]) for track in record["tracks"][1:])
    assert all(abs(track["join"]["pitch"]) <= 6.01 for track in record["tracks"][1:])
    assert order_command.main([str(where), "--pitch", "8", "-q"]) == 0
    assert "Pitch" in capsys.readouterr().out
    assert order_command.main([str(where), "-q"]) == 0
    assert "Pitch" not in capsys.readouterr().out
    assert next_command.main(["sunday night staircase", "--pitch", "--json", "-q"]) == 0
    found = json.loads(capsys.readouterr().out)["tracks"]
    assert all({"pitch", "sounding_key", "cents"} < set(track) for track in found)
    assert any("pitched" in track["reason"] for track in found)


def test_a_made_playlist_avoids_clashes_of_the_keys_that_sound():
    made = disco.make(disco.open(), "sunday night staircase", pitch=6)
    sounding = made.mixing.sounding_keys(made.tracks)
    assert made.mixing.keys.allows(sounding.before, sounding.after).all()
    assert len(made.pitched()) == len(made) - 1


@pytest.mark.parametrize("percent", [0, -3, 51, math.inf, math.nan])
def test_a_pitch_that_means_nothing_is_refused(percent):
    with pytest.raises(DiscoError, match="pitched by more than 0 and at most 50 per cent"):
        Mixing(pitch=percent)


def test_without_pitch_saved_settings_of_judging_are_as_before():
    assert "pitch" not in FOR_ORDERING.as_dict()
    assert Mixing(pitch=6).as_dict()["pitch"] == 6
