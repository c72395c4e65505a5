"""Training `music` on playlists with a known answer and on noise; and that it is exported as trained."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from helpers.trained import CLOUD, KIND, KINDS, data_files, library, once

from disco.cli import train
from disco.models.card import load_card
from disco.models.music import load_music
from disco.models.names import id_marks, look_up
from disco.models.predictors import load_predictor
from disco.models.recommenders import Query, load_recommender

pytestmark = pytest.mark.train
_SETTINGS = {
    **{"epochs": 10, "size": 16, "name_size": 16, "width": 32, "units": 8, "batch_playlists": 16, "negatives": 50},
    **{"least_song": 2, "least_genre": 1, "least_word": 2, "least_part": 2, "learning_rate": 0.02, "dropout": 0.3},
    **{"artist_bonus": 0.0},
}


@cache
def trained(noise: bool = False) -> Path:
    """Folder of a small model of the invented library."""
    pytest.importorskip("keras")

    def build(folder: Path) -> None:
        tracks, playlists = data_files(noise)
        arguments = [CLOUD / "music.toml", "--tracks", tracks, "--playlists", playlists, "--output", folder / "model"]
        changes = [part for key, value in _SETTINGS.items() for part in ("--set", f"{key}={value}")]
        assert train.main([str(each) for each in (*arguments, *changes, "--quiet")]) == 0

    return once(f"music-{noise}", build) / "model"


def share_of_kind(folder: Path) -> float:
    """Share of the first 15 candidates of three seeds of one kind that are of this kind."""
    recommender, shares = load_recommender(str(folder), library()), []
    for kind in range(KINDS):
        seeds = np.flatnonzero(kind == KIND)[10:13]
        found = recommender.recommend(Query(seeds), 15).rows
        shares.append((KIND[found] == kind).mean())
    return float(np.mean(shares))


def test_it_learns_which_tracks_are_played_together():
    # By chance 0.2. A hundred and twenty playlists are few for a recurrent network.
    assert share_of_kind(trained()) > 0.6


def test_of_noise_it_learns_nothing():
    assert share_of_kind(trained(noise=True)) < 0.4


def test_a_title_finds_the_tracks_that_it_names():
    recommender = load_recommender(str(trained()), library())
    found = [recommender.recommend(Query(np.empty(0, np.intp), f"kind {kind}"), 15).rows for kind in range(KINDS)]
    assert np.mean([(KIND[rows] == kind).mean() for kind, rows in enumerate(found)]) > 0.8


def test_a_song_keeps_the_mark_of_the_release_that_playlists_have():
    names = load_music(trained()).names
    catalogue = library()
    songs = look_up(names, catalogue).songs
    assert (songs >= 0).any()
    known = np.flatnonzero(songs >= 0)
    marks = names.releases[songs[known]]
    assert (marks > 0).mean() > 0.9
    assert (marks == id_marks(catalogue.ids(known)))[marks > 0].mean() > 0.9


def test_words_are_drawn_whole_or_in_parts_with_weights_that_add_up():
    pytest.importorskip("keras")
    from disco.training.music_names import drawn_words

    rng = np.random.default_rng(0)
    words = [(0, np.array([1, 2], np.int32)), (5, np.array([], np.int32)), (-1, np.array([3, 4, 6], np.int32))]
    numbers, weights = drawn_words(words, 1.0, rng)
    assert numbers.tolist() == [1, 2, 5, 3, 4, 6]
    np.testing.assert_allclose(weights * np.sqrt(3), [1 / 2, 1 / 2, 1, 1 / 3, 1 / 3, 1 / 3], rtol=1e-6)
    assert drawn_words(words, 0.0, rng)[0].tolist() == [0, 5, 3, 4, 6]
    assert len(drawn_words([], 0.5, rng)[0]) == 0


def test_the_exported_networks_are_those_of_keras():
    keras = pytest.importorskip("keras")
    space, rng = load_music(trained()), np.random.default_rng(0)
    card = load_card(trained())
    inputs = rng.normal(size=(7, card["tower"]["inputs"]["inputs"])).astype(np.float32)
    tower, encoder = (keras.saving.load_model(trained() / f"{name}.keras") for name in ("tower", "encoder"))
    exported, own = space.tower(inputs=inputs), tower(inputs, training=False)
    for name in ("vector", "prior"):
        np.testing.assert_allclose(exported[name], np.asarray(own[name]), atol=1e-5)
    points = rng.normal(size=(2, 6, space.size)).astype(np.float32)
    whole = np.asarray(encoder(points, training=False))
    state = np.zeros((2, card["network"]["state"]), dtype=np.float32)
    for t in range(6):
        after = space.network(inputs=points[:, t], state=state)
        np.testing.assert_allclose(after["vector"], whole[:, t], atol=1e-5)
        state = after["next_state"]


def test_the_folder_is_a_predictor_and_a_recommender():
    assert load_predictor(str(trained())).name == load_recommender(str(trained()), library()).name == "music"
