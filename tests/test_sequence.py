"""Greedy against an oracle written plainly from the published formulas, and the rules."""

import math

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from helpers.contracts import SequencerTests
from helpers.examples import at_most
from hypothesis import given
from hypothesis import strategies as st

from disco.catalogue import Catalogue
from disco.models.predictors import load_predictor
from disco.playlist.cost import FlowCost, Knobs
from disco.playlist.sequence import Rules, beam, greedy

FIFTHS = ["C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#", "F"]
NAMES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]


class TestGreedy(SequencerTests):
    sequencer = greedy

    def predictor(self):
        return load_predictor("mean")


class TestBeam(SequencerTests):
    sequencer = beam

    def predictor(self):
        return load_predictor("classic")


def oracle(catalogue: Catalogue, predictor, start, pool, length: int, knobs: Knobs, artist_gap: int) -> list[int]:
    """The published method with the rules, one candidate and one term at a time, in double precision."""
    tracks, space = catalogue.table.to_pylist(), predictor.embed(catalogue).astype(float)

    def consonance(a, b):
        if None in (a["key"], a["mode"], b["key"], b["mode"]):
            return 0.0
        keys = [FIFTHS.index(NAMES[(t["key"] + (0 if t["mode"] else 3)) % 12]) for t in (a, b)]
        steps = min((keys[0] - keys[1]) % 12, (keys[1] - keys[0]) % 12)
        return 1 - (max(steps, 1) - 1) / 2.5

    def likeness(a, b):
        if a["tempo_bpm"] is None or b["tempo_bpm"] is None:
            return 0.0
        return math.cos(2 * math.pi * math.log2(a["tempo_bpm"] / b["tempo_bpm"]))

    path = [int(row) for row in start]
    for _ in range(length):
        state = predictor.start(1)
        for row in path:
            vector, state = predictor.step(
                predictor.inputs(catalogue, space.astype(np.float32), np.array([row])), state
            )
        best = None
        for row in sorted(int(r) for r in pool):
            recent = [a for r in path[len(path) - artist_gap :] for a in tracks[r]["artists"]] if artist_gap else []
            if row in path or set(recent) & set(tracks[row]["artists"]):
                continue
            apart = math.dist(knobs.spicyness * vector[0].astype(float), space[row])
            last, track = tracks[path[-1]], tracks[row]
            cost = (
                knobs.flow * apart
                - knobs.sweetness * consonance(last, track)
                - knobs.smoothness * likeness(last, track)
            )
            if best is None or cost < best[0]:
                best = cost, row
        if best is None:
            break
        path.append(best[1])
    return path


@pytest.mark.slow
@at_most(40)
@given(
    st.integers(0, 10_000),
    st.builds(Knobs, *[st.floats(-0.5, 3).map(lambda x: round(x, 3))] * 4),
    st.sampled_from(["mean", "classic", "rank"]),
    st.sampled_from([0, 1, 2]),
    st.sampled_from([0.0, 0.3]),
)
def test_greedy_equals_the_oracle_track_for_track(seed, knobs, name, artist_gap, unknown):
    rng = np.random.default_rng(seed)
    catalogue = random_catalogue(int(rng.integers(15, 60)), seed, artists=int(rng.integers(3, 40)), unknown=unknown)
    rows = rng.permutation(len(catalogue))
    start, pool = rows[:3], rows[3 : int(rng.integers(8, len(rows)))]
    predictor = load_predictor(name)
    cost = FlowCost(catalogue, predictor, knobs, predictor.embed(catalogue))
    path = greedy(start, pool, 8, cost, Rules(catalogue, artist_gap))
    assert path.tolist() == oracle(catalogue, predictor, start, pool, 8, knobs, artist_gap)


@pytest.mark.slow
def test_ties_go_to_the_lower_row_anywhere_in_a_large_pool():
    """Identical tracks cost the same to the last bit, in whatever block of the computation they lie."""
    one = random_catalogue(1).table.to_pylist()[0]
    tracks = [{**one, "track_id": str(i), "title": f"T{i}", "artists": [f"A{i}"]} for i in range(20_001)]
    catalogue = catalogue_of(tracks)
    mean = load_predictor("mean")
    cost = FlowCost(catalogue, mean, Knobs(), mean.embed(catalogue))
    pool = np.random.default_rng(0).permutation(np.arange(1, 20_001))
    assert greedy(np.array([0]), pool, 5, cost, Rules(catalogue)).tolist() == [0, 1, 2, 3, 4, 5]
    costs = cost.costs(cost.start(np.array([0])), np.arange(20_001))
    assert len(np.unique(costs)) == 1


@pytest.mark.parametrize(
    ("title", "artist", "same"),
    [
        ("Sunrise", "Ann", True),
        ("Sunrise - Remastered 2011", "Ann", True),
        ("SUNRISE (Live at the Mill)", "Ann", True),
        ("Sunrise (feat. Bob)", "Ann", True),
        ("Sunrise - En Vivo en Bogotá", "Ann", True),
        ("Sunrise (Ao Vivo)", "Ann", True),
        ("Sunrise - Versão Acústica", "Ann", True),
        ("Sunrise", "Bob", False),
        ("Sunrise Again", "Ann", False),
    ],
)
def test_no_second_version_of_the_same_song(title, artist, same):
    catalogue = catalogue_of(
        [
            {"track_id": "1", "title": "Sunrise", "artists": ["Ann"]},
            {"track_id": "2", "title": "Another", "artists": ["Cid"]},
            {"track_id": "3", "title": title, "artists": [artist]},
        ]
    )
    assert Rules(catalogue)([0, 1], 2) is not same


def test_featured_artists_count_and_gap_zero_allows_them():
    catalogue = catalogue_of(
        [
            {"track_id": "1", "title": "One", "artists": ["Ann", "Bob"]},
            {"track_id": "2", "title": "Two", "artists": ["Bob"]},
        ]
    )
    assert not Rules(catalogue)([0], 1)
    assert Rules(catalogue, artist_gap=0)([0], 1)


def test_untitled_tracks_are_different_songs():
    catalogue = catalogue_of([{"track_id": "1"}, {"track_id": "2"}, {"track_id": "3"}])
    assert Rules(catalogue)([0, 1], 2)


def test_many_forbidden_candidates_are_skipped_by_ascending_cost():
    """More than are looked at one by one before the rest is sorted."""
    catalogue = random_catalogue(200, seed=3)
    mean = load_predictor("mean")
    cost = FlowCost(catalogue, mean, Knobs(), mean.embed(catalogue))
    start, pool = np.array([0]), np.arange(1, 200)
    by_cost = np.argsort(cost.costs(cost.start(start), pool)[0], kind="stable")
    wanted = int(pool[by_cost[150]])
    path = greedy(start, pool, 1, cost, lambda path, row: row == wanted)
    assert path.tolist() == [0, wanted]
