"""Wishes of `disco order`: what is kept together is, the best are the best, and contradictions name both sides."""

from __future__ import annotations

from itertools import combinations, pairwise, permutations

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from hypothesis import given, settings
from hypothesis import strategies as st

import disco
from disco.errors import DiscoError
from disco.playlist.sequence.arrange import SPREAD, Arrangement, arrange
from disco.playlist.sequence.blocks import order_blocks
from disco.playlist.sequence.local_search import SOFT_PENALTY, Problem
from disco.playlist.sequence.order import optimise_order
from disco.playlist.sequence.selection import Selection, best_of
from disco.playlist.sequence.tempo_costs import far_from
from disco.playlist.sequence.wishes import Wishes, WishTerms, wish_terms


def singles(n):
    return [np.array([row]) for row in range(n)]


def random_problem(n, seed, symmetric=True):
    costs = np.random.default_rng(seed).random((n, n)) * 5
    costs = (costs + costs.T) / 2 if symmetric else costs
    np.fill_diagonal(costs, 0)
    return Problem(costs, np.zeros(n))


def optimise(problem, fixed):
    return optimise_order(problem, fixed)


def plain_cost(problem, order, groups=()):
    """The cost of an order, written plainly."""
    total = problem.first[order[0]] + sum(problem.transitions[a, b] for a, b in pairwise(order))
    for rows in groups:
        places = sorted(order.index(row) for row in rows if row in order)
        ideal = max(len(order) // len(rows), 1)
        total += sum(SPREAD * max(0, 1 - (b - a) / ideal) ** 2 for a, b in pairwise(places))
    return total


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), size=st.integers(2, 7))
def test_costs_of_arrangements_are_those_written_plainly(seed, size):
    problem = random_problem(7, seed, symmetric=False)
    groups = [np.array([0, 2, 4]), np.array([1, 6])]
    order = np.random.default_rng(seed).permutation(7)[:size].tolist()
    assert Arrangement(problem, groups=groups).cost(order) == pytest.approx(plain_cost(problem, order, groups))
    longer = np.array([[*order, *[7] * (9 - size)]])
    assert Arrangement(problem, groups=groups).costs(longer)[0] == pytest.approx(plain_cost(problem, order, groups))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_blocks_are_put_into_their_best_order(seed):
    problem = random_problem(8, seed, symmetric=False)
    blocks = [np.array([3, 1]), np.array([0]), np.array([2]), np.array([4, 6, 5]), np.array([7])]
    found = order_blocks(problem, {}, WishTerms(blocks), optimise).tolist()
    best = min(
        plain_cost(problem, np.concatenate([blocks[i] for i in order]).tolist()) for order in permutations(range(5))
    )
    assert plain_cost(problem, found) == pytest.approx(best)
    assert found.index(1) == found.index(3) + 1


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_spread_order_is_the_cheapest_of_all(seed):
    problem, groups = random_problem(6, seed), [np.array([0, 1, 2]), np.array([3, 4])]
    found = order_blocks(problem, {2: 5}, WishTerms(singles(6), groups=groups), optimise, seed=seed).tolist()
    best = min(plain_cost(problem, list(order), groups) for order in permutations(range(6)) if order[2] == 5)
    assert found[2] == 5
    assert plain_cost(problem, found, groups) == pytest.approx(best)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_best_so_many_of_a_pool_cost_hardly_more_than_the_cheapest_choice(seed):
    problem = random_problem(8, seed)
    selection = Selection(problem, WishTerms(singles(8)), {}, frozenset({3}))
    found = best_of(selection, 4, seed=seed).tolist()
    best = min(
        plain_cost(problem, list(order))
        for some in combinations(range(8), 4)
        if 3 in some
        for order in permutations(some)
    )
    assert len(found) == 4
    assert 3 in found
    assert plain_cost(problem, found) <= 1.1 * best + 1e-9


def test_minutes_are_met_where_durations_allow_it():
    problem = random_problem(24, 1)
    seconds = np.random.default_rng(2).uniform(120, 400, 24)
    selection = Selection(problem, WishTerms(singles(24)), {}, frozenset())
    found = best_of(selection, 7, seconds, 1800.0)
    assert abs(seconds[found].sum() - 1800) < 30


def test_an_arrangement_never_costs_more_than_the_one_given():
    problem = random_problem(30, 3, symmetric=False)
    arrangement = Arrangement(problem, groups=[np.arange(10)])
    begun = list(range(30))
    found = arrange(arrangement, singles(30), begun, disturbed=1)
    assert sorted(found) == begun
    assert arrangement.cost(found) < arrangement.cost(begun)
    assert arrange(arrangement, singles(30), begun, disturbed=1) == found
    assert arrange(arrangement, singles(30), begun, stop=lambda: True) == begun


@pytest.fixture(scope="module")
def catalogue():
    return random_catalogue(60, seed=3, artists=12)


IDS = [f"t{i:05}" for i in range(20)]


def ids_of(playlist):
    return playlist.tracks.column("track_id").to_pylist()


def test_tracks_kept_together_follow_each_other_in_their_order(catalogue):
    together = [["t00003", "t00015"], ["t00015", "t00007"], ["t00001", "t00002"]]
    found = ids_of(disco.reorder(catalogue, IDS, together=together, arc="peak", iterations=3))
    assert sorted(found) == IDS
    at = found.index("t00003")
    assert found[at : at + 3] == ["t00003", "t00015", "t00007"]
    assert found[found.index("t00001") + 1] == "t00002"


def test_a_pinned_track_brings_those_kept_with_it_to_its_position(catalogue):
    together = [["t00003", "t00015"]]
    found = ids_of(disco.reorder(catalogue, IDS, together=together, pin=["7=t00015"], end_track="t00000"))
    assert found[5:7] == ["t00003", "t00015"]
    assert found[-1] == "t00000"


def albums(n=12):
    """Tracks of four albums in turn, of which two have the same title."""
    rows = random_catalogue(n, seed=8).tracks()
    for i, row in enumerate(rows):
        row |= {"album": ("Night", "Day", "Greatest Hits", "Greatest Hits")[i % 4], "artists": [f"Artist {i % 4}"]}
        row["genres"] = [("techno", "house", "soul")[i % 3]]
    return catalogue_of(rows)


def test_albums_are_played_without_a_break_in_the_order_of_the_playlist():
    tracks = albums()
    order = tracks.ids(np.random.default_rng(1).permutation(12))
    found = disco.reorder(tracks, order, albums="whole")
    artists = [row["artists"][0] for row in found.tracks.tracks()]
    assert sum(a != b for a, b in pairwise(artists)) == 3
    for artist in set(artists):
        own = [i for i in ids_of(found) if int(i[1:]) % 4 == int(artist[-1])]
        assert own == [i for i in order if int(i[1:]) % 4 == int(artist[-1])]
    # That tracks of an album are by one artist is no broken rule.
    assert not any("by the same artist" in note for note in found.notes)


def test_genres_are_played_in_runs_or_spread():
    tracks = albums()

    def changes(**wish):
        genres = [
            row["genres"][0] for row in disco.reorder(tracks, tracks.ids(np.arange(12)), **wish).tracks.tracks()
        ]
        return sum(a != b for a, b in pairwise(genres))

    assert changes(genres="runs") == 2
    assert changes(genres="spread") == 11


def test_artists_are_spread_farther_than_the_gap_alone_keeps_them():
    tracks = albums()
    found = disco.reorder(tracks, tracks.ids(np.arange(12)), artists="spread")
    artists = [row["artists"][0] for row in found.tracks.tracks()]
    assert all(len(set(artists[i : i + 3])) == 3 for i in range(10))


def test_a_rising_tempo_falls_only_where_it_must():
    tracks = random_catalogue(12, seed=4)
    found = disco.reorder(tracks, tracks.ids(np.arange(12)), rising_tempo=1000, half_time_weight=0)
    assert (np.diff(found.tracks.tempos) >= 0).all()


def test_an_arc_of_tempo_is_followed_and_how_nearly_is_reported():
    rows = random_catalogue(21, seed=4).tracks()
    tempos = np.random.default_rng(0).permutation(np.linspace(110, 130, 21))
    tracks = catalogue_of([row | {"tempo_bpm": float(tempo)} for row, tempo in zip(rows, tempos, strict=True)])
    ids = tracks.ids(np.arange(21))
    risen = disco.reorder(tracks, ids, tempo_arc="110,130", tempo_arc_weight=1000)
    assert np.corrcoef(risen.tracks.tempos, np.arange(21))[0, 1] > 0.99
    assert not any("arc of tempo" in note for note in risen.notes)
    far = disco.reorder(tracks, ids, tempo_arc="150,150")
    assert any("arc of tempo is met within" in note for note in far.notes)


def test_the_first_track_is_one_from_which_the_fewest_drift_too_far(catalogue):
    found = disco.reorder(catalogue, IDS, max_tempo_drift=8)
    tempos = found.tracks.tempos
    far = far_from(tempos[:, None], tempos[None, :], 8).sum(axis=1)
    assert far[0] == far.min()
    assert any(f"{far[0]} of 20 tracks are more than 8 %" in note for note in found.notes)
    best = disco.reorder(catalogue, catalogue.ids(np.arange(60)), max_tempo_drift=8, best=5)
    assert not far_from(best.tracks.tempos[0], best.tracks.tempos, 8).any()


def test_a_playlist_stays_near_the_tempo_of_its_first_seed(catalogue):
    playlist = disco.make(catalogue, "t00003", length=5, max_tempo_drift=10)
    assert not far_from(playlist.tracks.tempos[0], playlist.tracks.tempos, 10).any()


def test_misfits_are_left_out_and_named():
    rows = random_catalogue(16, seed=4).tracks()
    for i, row in enumerate(rows):
        row |= {"key": 9, "mode": 0, "tempo_bpm": 120.0 + i / 10}
    rows[5] |= {"key": 3, "mode": 1, "tempo_bpm": 85.0, "title": "Odd One"}
    tracks = catalogue_of(rows)
    ids = tracks.ids(np.arange(16))
    found = disco.reorder(tracks, ids, drop=1)
    assert [left.track["title"] for left in found.left_out] == ["Odd One"]
    assert sorted([*ids_of(found), "t00005"]) == ids
    assert any(note.startswith("left out: Odd One by") for note in found.notes)
    assert found.to_dict()["left_out"][0]["id"] == "t00005"
    assert found.after.mean_cost < disco.reorder(tracks, ids).after.mean_cost
    kept = disco.reorder(tracks, ids, drop=1, pin=["3=odd one"])
    assert "t00005" in ids_of(kept)


def test_the_best_of_a_pool_flow_better_than_all_of_it(catalogue):
    whole = disco.reorder(catalogue, catalogue.ids(np.arange(30)))
    best = disco.reorder(catalogue, catalogue.ids(np.arange(30)), best=8, end_track="t00003")
    assert len(best) == 8
    assert ids_of(best)[-1] == "t00003"
    assert best.after.mean_cost < whole.after.mean_cost
    minutes = disco.reorder(catalogue, catalogue.ids(np.arange(30)), best_minutes=20)
    assert abs(minutes.tracks.numbers("duration_ms").sum() / 60_000 - 20) < 1


def test_more_than_there_are_is_all(catalogue):
    found = disco.reorder(catalogue, IDS[:5], best=9)
    assert sorted(ids_of(found)) == IDS[:5]
    assert any("no more than 9 tracks" in note for note in found.notes)


@pytest.mark.parametrize(
    ("wishes", "both"),
    [
        ({"drop": 2, "best": 5}, ("--drop", "--best")),
        ({"best": 5, "best_minutes": 30}, ("--best", "--best-minutes")),
        ({"best": 5, "keep_positions": "1-2"}, ("--keep-positions", "--best")),
        ({"tempo_arc": "118,126,122", "rising_tempo": 2}, ("--tempo-arc 118,126,122", "--rising-tempo")),
        ({"tempo_arc": "118,140", "max_tempo_drift": 8}, ("--tempo-arc 118,140", "--max-tempo-drift")),
        ({"albums": "whole", "genres": "spread"}, ("--albums whole", "--genres spread")),
        ({"albums": "whole", "artists": "spread"}, ("--albums whole", "--artists spread")),
        ({"together": [["t00000", "t00003"]], "genres": "spread"}, ("--together", "--genres spread")),
        ({"together": [["t00000", "t00001"]], "albums": "whole"}, ("--together", "--albums whole")),
        ({"together": [["t00000", "t00001"], ["t00002", "t00001"]]}, ("Title 0 by", "Title 2 by")),
        ({"together": [["t00000", "t00001"], ["t00001", "t00000"]]}, ("Title 0 by", "circle")),
        ({"together": [["t00000", "t00001"]], "end_track": "t00000"}, ("Title 0 by", "Title 1 by")),
        ({"together": [["t00000", "t00001"]], "start_track": "t00001"}, ("Title 0 by", "Title 1 by")),
        ({"together": [["t00000", "t00001"]], "pin": ["2=t00000", "9=t00001"]}, ("position 2", "at 9")),
        ({"together": [["t00000", "t00001"]], "pin": ["2=t00000", "3=t00005"]}, ("Title 5 by", "Title 1 by")),
    ],
)
def test_wishes_that_contradict_each_other_are_both_named(wishes, both):
    tracks = albums(24)
    with pytest.raises(DiscoError) as refused:
        disco.reorder(tracks, tracks.ids(np.arange(24)), **wishes)
    assert all(name in str(refused.value) for name in both), str(refused.value)


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        ({"tempo_arc": "118"}, "two tempos or more"),
        ({"tempo_arc": "fast"}, "is no arc of tempo"),
        ({"tempo_arc": "0,120"}, "from 10 to 1000 BPM"),
        ({"max_tempo_drift": -1}, "0 per cent or more"),
        ({"rising_tempo": float("nan")}, "0 or more"),
        ({"drop": -1}, "0 or more"),
        ({"drop": 19}, "fewer than two of 20"),
        ({"best": 0}, "1 or more"),
        ({"best_minutes": 0}, "above 0"),
        ({"genres": "mixed"}, "runs or spread"),
        ({"together": [["t00001"]]}, "keeps nothing together"),
        ({"together": [["t00001", "title 1"]]}, "the same track"),
    ],
)
def test_wishes_that_mean_nothing_are_refused(catalogue, wishes, sentence):
    with pytest.raises(DiscoError, match=sentence):
        disco.reorder(catalogue, IDS, **wishes)


def test_unknown_genres_and_albums_ask_for_nothing():
    tracks = catalogue_of([{"track_id": str(i), "tempo_bpm": 120.0 + i, "genres": None} for i in range(4)])
    terms = wish_terms(tracks, Wishes(albums="whole", genres="runs"))
    assert not terms.has_blocks
    assert (terms.transitions == 0).all()
    assert SOFT_PENALTY > SPREAD


def test_what_is_worse_than_it_was_is_reported_with_the_option_that_asks_for_it(catalogue):
    best = ids_of(disco.reorder(catalogue, IDS))
    again = disco.reorder(catalogue, best)
    assert again.after.mean_cost <= again.before.mean_cost
    assert not any("worse than the order given: the mean cost" in note for note in again.notes)
    other = disco.reorder(catalogue, best, rising_tempo=50)
    assert other.after.mean_cost > other.before.mean_cost
    note = next(note for note in other.notes if note.startswith("worse than the order given"))
    assert f"the mean cost ({other.after.mean_cost:.2f}, was {other.before.mean_cost:.2f})" in note
    assert "--rising-tempo asks" in note
    fewer = disco.reorder(catalogue, best, best=10)
    assert not any(note.startswith("worse than the order given: the mean cost") for note in fewer.notes)
