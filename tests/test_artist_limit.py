"""Tracks by one artist: few among neighbours, where there are enough others."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from helpers.examples import at_most
from hypothesis import given
from hypothesis import strategies as st

import disco
from disco.errors import DiscoError
from disco.evaluation.configurations import Configuration
from disco.playlist.generate import generate
from disco.playlist.sequence import SEQUENCERS, Constraints, Rules


def most_by_one(catalogue, path, given=()):
    """The most tracks by one artist among 13 neighbours, of artists with a track that is not given."""
    most = 0
    for i in range(len(path)):
        window = path[i : i + 13]
        for artist, n in Counter(a for row in window for a in catalogue.artists(int(row))).items():
            if any(artist in catalogue.artists(int(row)) for row in window if row not in given):
                most = max(most, n)
    return most


def crowded(seed, n=120, artists=12):
    """Tracks of which half are by the first artist, alone or featured."""
    tracks = random_catalogue(n, seed, artists=artists).table.to_pylist()
    for i, track in enumerate(tracks):
        if i % 2 and "Artist 0" not in track["artists"]:
            track["artists"] = ["Artist 0"] if i % 4 == 1 else [*track["artists"], "Artist 0"]
    return catalogue_of(tracks)


@pytest.mark.parametrize(("gap", "limit"), [(0, 0), (1, 0), (3, 2), (0, 1), (20, 3)])
def test_what_may_follow_one_sequence_is_what_may_follow_any(gap, limit):
    catalogue = crowded(4)
    rules = Rules(catalogue, gap, limit)
    rng = np.random.default_rng(gap)
    answers = []
    for length in (0, 1, 5, 14, 30):
        path = rng.choice(len(catalogue), length, replace=False).tolist()
        may = rules.after(path)
        answers += [may(row) for row in range(len(catalogue))]
        assert answers[-len(catalogue) :] == [rules(path, row) for row in range(len(catalogue))]
    assert len(set(answers)) == 2


@at_most(40)
@given(
    st.integers(0, 1000),
    st.sampled_from(sorted(SEQUENCERS)),
    st.integers(1, 4),
    st.integers(0, 2),
    st.sampled_from([10, 24]),
    st.sampled_from([(), ((6, 41),), ((5, 41), (8, 43))]),
)
def test_every_sequencer_keeps_the_limit_among_any_thirteen_neighbours(seed, sequencer, limit, gap, length, pinned):
    catalogue = random_catalogue(120, seed, artists=40)
    playlist = generate(
        catalogue, np.array([5, 9, 2]), length=length, sequencer=sequencer, artist_gap=gap, max_per_artist=limit,
        predictor="mean", recommender="nearest",
        constraints=Constraints(pinned=pinned, end_track=50 if sequencer == "path" else None),
    )  # fmt: skip
    rows = catalogue.rows(playlist.tracks.table["track_id"].to_pylist())
    assert len(rows) == 3 + length
    assert most_by_one(catalogue, rows, {5, 9, 2, 50, *dict(pinned).values()}) <= limit or any(
        "neighbouring tracks are by one artist" in note for note in playlist.notes
    )
    if not pinned:
        assert not any("by one artist" in note for note in playlist.notes)


def test_an_artist_in_capital_and_small_letters_is_one():
    tracks = crowded(1).table.to_pylist()
    for i, track in enumerate(tracks):
        track["artists"] = [artist.upper() if i % 3 else artist for artist in track["artists"]]
    asked = {"artist_gap": 0, "max_per_artist": 2, "predictor": "mean", "recommender": "nearest"}
    playlist = generate(catalogue_of(tracks), np.array([5, 9, 2]), **asked)
    added = playlist.tracks.table["artists"].to_pylist()[3:]
    assert max(Counter(artist.casefold() for artists in added for artist in artists).values()) <= 2


@pytest.mark.parametrize("sequencer", sorted(set(SEQUENCERS) - {"path"}))
def test_an_artist_that_is_everywhere_is_played_no_more_often_than_allowed(sequencer):
    catalogue = crowded(1)
    asked = {"sequencer": sequencer, "artist_gap": 0, "predictor": "mean", "recommender": "nearest"}
    free = generate(catalogue, np.array([5, 9, 2]), **asked)
    limited = generate(catalogue, np.array([5, 9, 2]), max_per_artist=3, **asked)
    rows = [catalogue.rows(each.tracks.table["track_id"].to_pylist()) for each in (free, limited)]
    assert most_by_one(catalogue, rows[0]) > 3
    assert most_by_one(catalogue, rows[1]) == 3
    assert not [note for note in limited.notes if "one artist" in note]


@pytest.mark.parametrize("sequencer", ["greedy", "beam", "order"])
def test_a_playlist_as_long_as_asked_is_more_than_the_limit_and_a_note_says_so(sequencer):
    catalogue = random_catalogue(60, 3, artists=3)
    made = [
        generate(
            catalogue, np.array([5]), artist_gap=0, max_per_artist=limit, sequencer=sequencer, predictor="mean",
            recommender="nearest",
        )
        for limit in (3, 0)
    ]  # fmt: skip
    assert [len(each) for each in made] == [11, 11]
    rows = catalogue.rows(made[0].tracks.table["track_id"].to_pylist())
    most = most_by_one(catalogue, rows)
    assert most == 4  # 11 tracks by 3 artists: no fewer are possible
    assert [note for note in made[0].notes if f"{most} of 13 neighbouring tracks are by one artist" in note]
    assert not [note for note in made[1].notes if "one artist" in note]


def test_a_pinned_track_leaves_no_room_for_a_fourth_before_it():
    artists = ["A", "B", "C", "A", "D", "A", "E"]
    catalogue = catalogue_of(
        [{"track_id": str(i), "title": f"T{i}", "artists": [artist]} for i, artist in enumerate(artists)]
    )
    rules = Rules(catalogue, 0, 2)
    assert rules([0, 1], 3)
    assert not rules([0, 1, 3], 5)
    assert not rules.allows_before([0, 1], 3, [None, 5])
    assert rules.allows_before([0, 1], 2, [None, 5])
    assert rules.allows_before([0, *[1] * 11], 3, [5])  # the first is no longer among thirteen with the last


def test_the_default_limits_and_the_published_method_and_the_seeds_own_artists_do_not():
    catalogue = crowded(2)
    ids = catalogue.ids(np.array([2, 4, 6]))
    made = disco.make(catalogue, ids, artist_gap=0)
    assert most_by_one(catalogue, catalogue.rows(made.tracks.table["track_id"].to_pylist())) <= 3
    assert Configuration.of("published").options["max_per_artist"] == 0
    assert Configuration.of("seeds' artists").options["max_per_artist"] == 0


def test_a_limit_below_zero_is_refused():
    with pytest.raises(DiscoError, match="must be 0"):
        disco.make(disco.open(), "sunday night staircase", max_per_artist=-1)
