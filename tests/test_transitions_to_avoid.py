"""Changes of tempo and clashes of keys are made where there are no others, and cost nothing in what is reported."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from helpers.examples import at_most
from hypothesis import given
from hypothesis import strategies as st

import disco
from disco.export.plot.matrix import costs as drawn_costs
from disco.models.predictors import load_predictor
from disco.playlist.cost import FlowCost, Knobs, PairwiseCost
from disco.playlist.generate import generate
from disco.playlist.key_rules import KEY_RULES, key_rule
from disco.playlist.make import PUBLISHED
from disco.playlist.mixing import FOR_NEW_PLAYLISTS, Mixing
from disco.playlist.sequence import SEQUENCERS, Rules, greedy


def faults(one, other, mixing):
    """How many of two things are wrong with a transition, worked out from what musicians call key and tempo."""
    wrong = 0
    if None not in (one["key"], other["key"]):
        majors = [(track["key"] + (0 if track["mode"] else 3)) % 12 for track in (one, other)]
        fifths = (majors[1] - majors[0]) * 7 % 12
        same_mode = one["mode"] == other["mode"]
        if mixing.key_rule == "fifths":
            wrong += fifths not in (0, 1, 11)
        else:  # camelot
            wrong += not (fifths == 0 or (same_mode and fifths in (1, 11)))
    if None not in (one["tempo_bpm"], other["tempo_bpm"]):
        ratio = other["tempo_bpm"] / one["tempo_bpm"]
        folded = min((ratio * 2.0**octave for octave in range(-3, 4)), key=lambda each: abs(np.log2(each)))
        wrong += max(folded, 1 / folded) > 1 + mixing.max_tempo_change / 100
    return wrong


@at_most(40)
@given(st.integers(0, 10_000), st.sampled_from(["fifths", "camelot"]), st.integers(4, 30), st.sampled_from([0, 0.3]))
def test_greedy_makes_a_bad_transition_only_where_each_other_is_as_bad(seed, rule, n, unknown):
    catalogue = random_catalogue(n, seed, unknown=unknown)
    tracks, mean = catalogue.table.to_pylist(), load_predictor("mean")
    mixing = Mixing(rule, max_tempo_change=10, avoid_clashes=True)
    space = mean.embed(catalogue)
    for cost in (FlowCost(catalogue, mean, Knobs(), space, mixing), PairwiseCost(catalogue, Knobs(), space, mixing)):
        path = greedy(np.array([0]), np.arange(1, n), n - 1, cost, Rules(catalogue)).tolist()
        assert len(path) == n
        for i in range(1, n):
            last = tracks[path[i - 1]]
            least = min(faults(last, tracks[row], mixing) for row in path[i:])
            assert faults(last, tracks[path[i]], mixing) == least


@pytest.mark.parametrize("rule", KEY_RULES)
def test_keys_clash_where_the_rule_does_not_allow_them_and_never_where_one_is_unknown(rule):
    keys = np.arange(25, dtype=np.uint8)
    clashes = Mixing(rule, avoid_clashes=True).key_clashes(keys[:, None], keys[None, :])
    np.testing.assert_array_equal(clashes[:24, :24], ~key_rule(rule).compatible)
    assert not clashes[24].any()
    assert not clashes[:, 24].any()
    assert not Mixing(rule).key_clashes(keys[:, None], keys[None, :]).any()


@pytest.mark.parametrize("sequencer", sorted(set(SEQUENCERS) - {"path", "order"}))
def test_a_new_playlist_mixes_where_the_candidates_allow_it(sequencer):
    catalogue = random_catalogue(400, 6)
    made = disco.make(catalogue, ["t00005"], sequencer=sequencer, recommender="nearest", predictor="mean")
    tracks = made.tracks.table.to_pylist()
    assert [faults(a, b, FOR_NEW_PLAYLISTS) for a, b in pairwise(tracks)] == [0] * 10
    assert not [note for note in made.notes if "there were no others" in note]
    free = disco.make(
        catalogue, ["t00005"], sequencer=sequencer, recommender="nearest", predictor="mean", max_tempo_change=None,
        avoid_clashes=False,
    )  # fmt: skip
    tracks = free.tracks.table.to_pylist()
    assert sum(faults(a, b, FOR_NEW_PLAYLISTS) for a, b in pairwise(tracks)) > 0


def test_notes_count_what_could_not_be_avoided_without_the_seeds_own_transitions():
    tracks = random_catalogue(8, 4).table.to_pylist()
    tracks = [
        # Four seeds whose keys and tempos all differ, and four others alike but far from the last seed.
        {
            **track,
            "mode": 1,
            "key": (0, 6, 0, 6)[i] if i < 4 else 2,
            "tempo_bpm": (100, 140, 100, 140)[i] if i < 4 else 120,
        }
        for i, track in enumerate(tracks)
    ]
    made = disco.make(catalogue_of(tracks), [f"t0000{i}" for i in range(4)], length=4, recommender="nearest")
    assert "1 transitions clash in key: there were no others" in made.notes
    assert "1 transitions change the tempo by more than 6 %: there were no others" in made.notes
    # The penalties are not part of what is reported.
    assert np.abs(made.terms["cost"]).max() < 20
    assert np.nanmax(drawn_costs(made)) < 20
    plain = disco.make(
        catalogue_of(tracks), [f"t0000{i}" for i in range(4)], length=4, recommender="nearest",
        max_tempo_change="none", avoid_clashes=False,
    )  # fmt: skip
    assert not [note for note in plain.notes if "there were no others" in note]


def test_the_published_method_allows_all_transitions_and_the_defaults_do_not():
    catalogue = random_catalogue(300, 2)
    made = disco.make(catalogue, ["t00005", "t00009"], **PUBLISHED)
    plain = generate(
        catalogue, np.array([5, 9]), predictor="classic", recommender="nearest", sequencer="greedy", artist_gap=0
    )
    assert made.to_dict() == plain.to_dict()
    assert made.mixing == Mixing()
    assert disco.make(catalogue, ["t00005"], length=2).mixing == FOR_NEW_PLAYLISTS
