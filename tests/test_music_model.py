"""The model `music`: names in any spelling, tracks of which little is known, damaged files, titles, the cache."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from hypothesis import given
from hypothesis import strategies as st

import disco
from disco.catalogue import Catalogue
from disco.errors import DataError
from disco.models import music
from disco.models.card import MODELS
from disco.models.music import load_music
from disco.models.names import (
    NameVectors,
    artist_keys,
    genre_keys,
    id_marks,
    look_up,
    name_hashes,
    name_inputs,
    other_releases,
    rounded_names,
    song_keys,
)
from disco.models.predictors import load_predictor
from disco.models.recommenders import Query, default_recommender, load_recommender

FOLDER = MODELS / "music"


def named(*artists: str, title: str = "Song") -> Catalogue:
    return catalogue_of([{"track_id": str(i), "title": title, "artists": [a]} for i, a in enumerate(artists)])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Beatles", "beatles"),
        ("Beyoncé", "BEYONCE"),
        ("Simon & Garfunkel", "Simon and Garfunkel"),
        ("Sigur Rós", "sigur ros"),
        ("P!nk", "Pink"),
    ],
)
def test_an_artist_is_the_same_in_every_spelling(one: str, other: str):
    first, second = artist_keys(named(one, other)).to_pylist()
    assert first == second != ""


@pytest.mark.parametrize("artist", ["坂本龍一", "Кино", "فيروز", "!!!", "방탄소년단"])
def test_an_artist_in_another_script_has_a_name_of_its_own(artist: str):
    key, abba = artist_keys(named(artist, "ABBA")).to_pylist()
    assert key
    assert key != abba


def test_the_and_names_that_only_begin_so_stay():
    assert artist_keys(named("The The", "Theory", "the")).to_pylist() == ["the", "theory", "the"]


def test_a_song_is_the_same_with_its_guests_and_remasters_and_another_live():
    titles = ["Halo", "Halo (feat. X)", "HALO - 2011 Remaster", "Halo (Live)"]
    tracks = [{"track_id": str(i), "title": t, "artists": ["Beyoncé"]} for i, t in enumerate(titles)]
    keys = song_keys(catalogue_of(tracks)).to_pylist()
    assert keys[0] == keys[1] == keys[2] != keys[3]


def test_a_track_without_a_title_or_an_artist_is_no_song():
    tracks = [{"track_id": "a", "title": "Halo"}, {"track_id": "b", "artists": ["Beyoncé"]}]
    assert song_keys(catalogue_of(tracks)).to_pylist() == [None, None]


@given(st.lists(st.text(max_size=8), unique=True, max_size=30))
def test_names_that_are_stored_are_found_and_no_others(names: list[str]):
    stored = rounded_names(name_hashes("song", names), np.ones((len(names), 2), np.float32), np.zeros(len(names)))
    assert sorted(stored.find(name_hashes("song", names)).tolist()) == list(range(len(names)))
    assert (stored.find(name_hashes("artist", names)) == -1).all()


@given(st.integers(1, 20), st.integers(0, 9))
def test_rounded_vectors_differ_by_less_than_half_a_step(n: int, seed: int):
    vectors = np.random.default_rng(seed).normal(size=(n, 5)).astype(np.float32)
    hashes = name_hashes("song", map(str, range(n)))
    stored = rounded_names(hashes, vectors, np.zeros(n, np.float32))
    found = stored.take(stored.find(hashes))
    steps = np.abs(vectors).max(axis=1, keepdims=True) / 127
    assert (np.abs(found - vectors) <= 0.51 * steps + 2e-3 * np.abs(vectors)).all()


def plain_inputs(names: NameVectors, catalogue: Catalogue, numbers: np.ndarray) -> np.ndarray:
    """What `name_inputs` gives, track by track."""
    vectors = {int(h): names.vectors[i] * names.scales[i] for i, h in enumerate(names.hashes)}
    rows = []
    for i, track in enumerate(catalogue.table.to_pylist()):
        parts, known = [], []
        for kind, key in (("song", song_keys(catalogue)[i].as_py()), ("artist", artist_keys(catalogue)[i].as_py())):
            vector = vectors.get(int(name_hashes(kind, [key])[0])) if key is not None else None
            known.append(vector is not None)
            parts.append(np.zeros(names.vectors.shape[1]) if vector is None else vector)
        keys = {key for genre in track["genres"] or [] for key in genre_keys(genre)}
        genres = [vectors[h] for key in keys if (h := int(name_hashes("genre", [key])[0])) in vectors]
        parts.append(sum(genres) / np.sqrt(len(genres)) if genres else np.zeros(names.vectors.shape[1]))
        rows.append(np.r_[np.concatenate(parts), numbers[i], known, bool(genres)])
    return np.array(rows)


def test_inputs_are_those_of_a_plain_loop():
    rng = np.random.default_rng(3)
    tracks = random_catalogue(40, artists=8).table.to_pylist()
    for i, track in enumerate(tracks):
        track["genres"] = [None, [], ["deep house", "House"], ["drum & bass", "techno", "odd"]][i % 4]
    catalogue = catalogue_of(tracks)
    hashes = np.concatenate(
        [
            name_hashes("song", song_keys(catalogue).to_pylist()[::3]),
            name_hashes("artist", ["artist 1", "artist 2"]),
            name_hashes("genre", ["house", "deep", "drum bass", "techno"]),
        ]
    )
    names = rounded_names(hashes, rng.normal(size=(len(hashes), 6)).astype(np.float32), np.zeros(len(hashes)))
    names = replace(names, scales=names.scales.astype(np.float32))
    numbers = rng.normal(size=(40, 3)).astype(np.float32)
    found = name_inputs(names.take, look_up(names, catalogue), numbers, np.arange(40))
    np.testing.assert_allclose(found, plain_inputs(names, catalogue, numbers), atol=1e-5)


def test_an_unknown_name_and_an_empty_vocabulary_give_zeros():
    none = rounded_names(np.empty(0, np.uint64), np.empty((0, 4), np.float32), np.empty(0, np.float32))
    found = name_inputs(none.take, look_up(none, named("ABBA")), np.ones((1, 2), np.float32), np.array([0]))
    assert found.tolist() == [[0.0] * 12 + [1.0, 1.0] + [0.0] * 3]


def test_a_track_is_placed_by_what_is_known_of_it():
    space = load_music(FOLDER)
    full = {
        "track_id": "a",
        "artists": ["Nobody Whom Anyone Knows"],
        "title": "Nothing",
        "energy": 0.9,
        "genres": ["techno"],
    }
    catalogue = catalogue_of(
        [full, {"track_id": "b", "genres": ["techno"]}, {"track_id": "c", "artists": ["No One At All"]}]
    )
    points, priors = space.place(catalogue)
    assert np.isfinite(points[:2]).all()
    assert np.isfinite(priors[:2]).all()
    assert np.isnan(points[2]).all()
    assert np.isnan(priors[2])


def test_tracks_of_which_nothing_is_known_are_no_candidates():
    tracks = random_catalogue(30).table.to_pylist()
    for name in ("genres", *disco.catalogue.FEATURES):
        tracks[7][name] = None
    catalogue = catalogue_of(tracks)
    found = load_recommender("music", catalogue).recommend(Query(np.array([0, 7])), 30)
    assert 7 not in found.rows
    assert len(found.rows) == 28
    assert not len(load_recommender("music", catalogue).recommend(Query(np.array([7])), 30).rows)


def test_candidates_are_ranked_by_point_and_prior():
    space, catalogue = load_music(FOLDER), random_catalogue(200, artists=50)
    points, priors = space.place(catalogue)
    (vector,) = space.next_points([points[[3, 5, 9]]], [""])
    seeds = priors[[3, 5, 9]].mean() / space.card["prior_scale"]
    weight = min(max(1 + 0.15 * (seeds + 1), 0.5), 1)  # few play such seeds
    assert weight < 1
    scores = points @ vector - (points**2).sum(axis=1) / 2 + weight * priors
    artists = [catalogue.artists(row)[0] for row in range(200)]
    scores += space.card["artist_bonus"] * np.isin(artists, [artists[row] for row in (3, 5, 9)])
    found = load_recommender("music", catalogue).recommend(Query(np.array([3, 5, 9])), 20)
    exact = np.argsort(-np.where(np.isin(np.arange(200), [3, 5, 9]), -np.inf, scores))
    # Points are rounded to integers of 8 bits, so near scores may change places.
    assert len(set(found.rows.tolist()) & set(exact[:25].tolist())) >= 18
    np.testing.assert_allclose(found.scores, scores[found.rows], atol=0.15)


def test_only_one_version_of_a_song_is_a_candidate():
    tracks = random_catalogue(40).table.to_pylist()
    for track in tracks[10:14]:
        track |= {"title": "Halo", "artists": ["Beyoncé"]}
    tracks[12]["title"] = "Halo - 2011 Remaster"
    tracks[13]["title"] = "Ha Lo"
    found = load_recommender("music", catalogue_of(tracks)).recommend(Query(np.array([0])), 39)
    assert sum(10 <= row < 14 for row in found.rows) == 1


def releases(ids: str, known: str | None) -> list[bool]:
    """Which of these releases of one song are others than the known one."""
    tracks = [{"track_id": i, "title": "Halo", "artists": ["Beyoncé"]} for i in ids]
    catalogue = catalogue_of([*tracks, {"track_id": "x", "title": "If I Were a Boy", "artists": ["Beyoncé"]}])
    hashes = name_hashes("song", song_keys(catalogue).to_pylist()[-2:])
    marks = np.array([int(id_marks([known])[0]) if known else 0, 0], np.uint16)
    names = rounded_names(hashes, np.ones((2, 2), np.float32), np.zeros(2, np.float32), marks)
    *found, of_another_song = other_releases(names, look_up(names, catalogue).songs, catalogue).tolist()
    assert not of_another_song
    return found


def test_where_the_release_that_playlists_have_is_there_the_others_stand_behind_it():
    assert releases("abc", "b") == [True, False, True]


@pytest.mark.parametrize(("ids", "known"), [("abc", "z"), ("abc", None), ("a", "a"), ("a", "z")])
def test_no_release_stands_behind_one_that_the_catalogue_lacks(ids: str, known: str | None):
    assert not any(releases(ids, known))


def test_of_several_releases_the_one_that_playlists_have_is_the_candidate(monkeypatch):
    tracks = random_catalogue(40).table.to_pylist()
    for track in tracks[10:14]:
        track |= {"title": "Halo", "artists": ["Beyoncé"]}
    catalogue = catalogue_of(tracks)
    recommender = load_recommender("music", catalogue)
    names = recommender.space.names
    song = names.find(name_hashes("song", song_keys(catalogue).to_pylist()[10:11]))
    assert song[0] >= 0
    for row in range(10, 14):
        marks = names.releases.copy()
        marks[song] = id_marks(catalogue.ids(np.array([row])))
        space = replace(recommender.space, names=replace(names, releases=marks))
        found = replace(recommender, space=space, catalogue=catalogue_of(tracks)).recommend(Query(np.array([0])), 39)
        assert [r for r in found.rows if 10 <= r < 14] == [row]


def test_a_word_that_no_title_had_is_read_by_its_parts():
    space = load_music(FOLDER)
    assert space.knows_title("partyyying")
    points = space.next_points([np.empty((0, space.size), np.float32)] * 3, ["partyyying", "party", "xmas"])
    near, far = (np.linalg.norm(points[0] - other) for other in points[1:])
    assert near < far


def test_many_queries_have_the_candidates_of_each_alone():
    catalogue = random_catalogue(300, artists=40)
    recommender = load_recommender("music", catalogue)
    queries = [Query(np.array([1])), Query(np.array([2, 3, 4, 5])), Query(np.array([6, 7]))]
    for query, found in zip(queries, recommender.recommend_many(queries, 15), strict=True):
        np.testing.assert_array_equal(found.rows, recommender.recommend(query, 15).rows)


def test_steps_give_what_whole_sequences_give():
    space, catalogue = load_music(FOLDER), random_catalogue(20)
    embedded = space.embed(catalogue)
    state = space.start(1)
    for row in (4, 8, 15):
        vector, state = space.step(space.inputs(catalogue, embedded, np.array([row])), state)
    (whole,) = space.next_points([space.place(catalogue)[0][[4, 8, 15]]], [""])
    np.testing.assert_allclose(vector[0], whole * space.scale, rtol=1e-4, atol=1e-4)


def test_a_title_alone_finds_candidates_and_an_unknown_one_none():
    space, recommender = load_music(FOLDER), load_recommender("music", random_catalogue(50))
    known = next(word for word in ("party", "summer", "chill", "country", "rap", "rock") if space.knows_title(word))
    assert len(recommender.recommend(Query(np.empty(0, np.intp), known), 10).rows) == 10
    assert not len(recommender.recommend(Query(np.empty(0, np.intp), "zzqx"), 10).rows)


@pytest.mark.parametrize("title", ["Norah Jones", "r.e.m.", "Trance", "🎄 workouts2016"])
def test_a_title_may_be_an_artist_a_genre_or_a_variant_of_a_known_word(title: str):
    recommender = load_recommender("music", random_catalogue(50))
    assert len(recommender.recommend(Query(np.empty(0, np.intp), title), 10).rows) == 10


def test_the_scale_of_the_space_is_the_card_s():
    space, catalogue = load_music(FOLDER), random_catalogue(5)
    np.testing.assert_allclose(
        space.embed(catalogue), space.place(catalogue)[0] * space.card["space_scale"], rtol=1e-5
    )


def damaged(folder: Path, how: str) -> None:
    if how == "cut off":
        file = folder / "name_vectors.npy"
        file.write_bytes(file.read_bytes()[:-1])
    elif how == "missing":
        (folder / "tower.onnx").unlink()
    elif how == "of a newer format":
        card = json.loads((folder / "card.json").read_text())
        (folder / "card.json").write_text(json.dumps({**card, "format": 99}))
    else:
        (folder / "card.json").write_text("{")


@pytest.mark.parametrize("how", ["cut off", "missing", "of a newer format", "no JSON"])
def test_a_damaged_model_is_left_out_with_a_warning_and_a_playlist_is_made(tmp_path, monkeypatch, caplog, how):
    models = shutil.copytree(MODELS, tmp_path / "weights")
    damaged(models / "music", how)
    monkeypatch.setattr("disco.models.card.MODELS", models)
    music._load.cache_clear()
    with caplog.at_level(logging.WARNING):
        playlist = disco.make(random_catalogue(60), np.array([0, 1]), length=5)
    assert len(playlist) == 7
    assert playlist.recommender == "nearest"
    assert playlist.predictor == "mean"
    assert "music is not used" in caplog.text


def test_a_damaged_folder_that_is_named_is_an_error(tmp_path):
    folder = shutil.copytree(FOLDER, tmp_path / "mine")
    damaged(folder, "cut off")
    with pytest.raises(DataError, match="checksums"):
        load_predictor(folder)


def test_music_is_the_default_and_fits_into_the_repository():
    assert default_recommender(random_catalogue(5)).name == load_predictor().name == "music"
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 15e6


def test_the_names_are_stored_as_hashes_alone():
    for path in FOLDER.glob("*.npy"):
        assert np.load(path, allow_pickle=False).dtype.kind in "uif"
    assert "Beatles" not in (FOLDER / "card.json").read_text()


def test_a_playlist_says_where_no_artist_is_known():
    playlist = disco.make(random_catalogue(60), np.array([0, 1]), length=3)
    assert "the model music knows none of the seeds' artists: it goes by genres and sound" in playlist.notes


def test_a_predictor_that_finds_no_candidates_is_no_recommender():
    with pytest.raises(DataError, match="is a model of kind 'predictor' where 'recommender' is needed"):
        load_recommender("gru", random_catalogue(5))
