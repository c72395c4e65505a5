"""Playlists made many at once are those that are made one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.catalogues import random_catalogue

import disco
from disco.catalogue import Catalogue
from disco.catalogue.numbering import every_artist, song_numbers
from disco.errors import DiscoError
from disco.models.recommenders import Query, load_recommender
from disco.playlist.generate import generate
from disco.playlist.many import generate_many
from disco.playlist.mixing import FOR_NEW_PLAYLISTS, Mixing

USUAL: dict[str, Any] = {"mixing": FOR_NEW_PLAYLISTS, "max_per_artist": 3, "relevance": 1.0, "candidates": 100}


def one_at_a_time(catalogue: Catalogue, seeds: list[Any], **options: Any) -> list[list[int] | str]:
    made: list[list[int] | str] = []
    for rows in seeds:
        try:
            playlist = generate(catalogue, rows, **options)
        except DiscoError as error:
            made.append(str(error))
        else:
            made.append(catalogue.rows(playlist.tracks.column("track_id").to_pylist()).tolist())
    return made


def listed(found: list[Any]) -> list[list[int] | str]:
    return [str(each) if isinstance(each, DiscoError) else each.tolist() for each in found]


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        USUAL,
        USUAL | {"sequencer": "greedy", "length": 14},
        USUAL | {"artist_gap": 3, "max_per_artist": 1, "width": 5},
        {"candidates": 40, "artist_gap": 0},
        USUAL | {"mixing": Mixing(style="dj")},  # for which there is no faster way
        USUAL | {"predictor": "classic", "recommender": "nearest"},
    ],
)
def test_the_same_tracks_are_chosen_as_one_at_a_time(options: dict[str, Any]) -> None:
    catalogue = disco.open()
    rng = np.random.default_rng(2)
    seeds = [rng.choice(len(catalogue), size, replace=False) for size in rng.integers(1, 5, 8)]
    assert listed(generate_many(catalogue, seeds, **options)) == one_at_a_time(catalogue, seeds, **options)


@pytest.mark.slow
def test_tracks_of_which_little_is_known_and_too_few_candidates_are_no_exception() -> None:
    catalogue = random_catalogue(60, seed=4)
    seeds = [np.array([i, i + 1]) for i in range(8)]
    for candidates in (20, 400):
        options = USUAL | {"candidates": candidates, "length": 12}
        assert listed(generate_many(catalogue, seeds, **options)) == one_at_a_time(catalogue, seeds, **options)


def test_seeds_for_which_nothing_can_be_made_are_errors_and_the_others_are_made() -> None:
    catalogue = disco.open()
    nothing, made = generate_many(catalogue, [np.empty(0, dtype=np.intp), np.array([3])], length=2, candidates=30)
    assert isinstance(nothing, DiscoError)
    assert len(made) == 3


def test_candidates_of_many_queries_are_those_of_each() -> None:
    catalogue = disco.open()
    recommender = load_recommender("music", catalogue)
    rng = np.random.default_rng(5)
    queries = [Query(rng.choice(len(catalogue), 3, replace=False)) for _ in range(20)]
    for query, many in zip(queries, recommender.recommend_many(queries, 200), strict=True):
        one = recommender.recommend(query, 200)
        # Scores may be rounded in another way, so that the last of the list may change.
        assert len(np.intersect1d(one.rows, many.rows)) >= 198


def test_songs_and_artists_are_numbered_as_single_tracks_name_them() -> None:
    titles = ["Halo", "HALO (Live)", "Halo - Remix", "", None, "...", "Héroe", "heroe", "(Live)", "Halo"]
    artists = [["Bo"], ["bo", "Al"], ["Bo"], ["Bo"], ["Bo"], ["Bo"], ["Zoé"], ["Zoe"], None, ["Al", "BO"]]
    tracks = [
        {"track_id": str(i), "title": title, "artists": names}
        for i, (title, names) in enumerate(zip(titles, artists, strict=True))
    ]
    catalogue = Catalogue.from_tracks(tracks)
    numbers, keys = song_numbers(catalogue).tolist(), [catalogue.song_key(i) for i in range(len(catalogue))]
    for i in range(len(keys)):
        assert (numbers[i] < 0) == (not keys[i])
        assert [n == numbers[i] for n in numbers] == [key == keys[i] for key in keys]
    starts, codes = every_artist(catalogue)
    lists = [set(codes[starts[i] : starts[i + 1]].tolist()) for i in range(len(catalogue))]
    names = [{name.casefold() for name in catalogue.artists(i)} for i in range(len(catalogue))]
    for i in range(len(lists)):
        assert [bool(lists[i] & other) for other in lists] == [bool(names[i] & other) for other in names]
