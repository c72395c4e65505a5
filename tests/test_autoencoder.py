"""The autoencoder: what can be copied is copied, the code tells genres, and the export is what was trained."""

from __future__ import annotations

import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from helpers.contracts import RecommenderTests

from disco.catalogue import Catalogue
from disco.catalogue.numbering import genre_numbers
from disco.cli import train
from disco.errors import DataError
from disco.models.card import MODELS, load_card
from disco.models.recommenders import load_recommender
from disco.models.recommenders.autoencoder import INPUTS, autoencoder_codes, raw_inputs, standardise
from disco.sources.files import tables
from disco.training.data import first_of_each_title

CLOUD = Path(__file__).parents[1] / "cloud"
_FOLDER = tempfile.TemporaryDirectory(prefix="disco-tests-")


class TestShipped(RecommenderTests):
    def recommender(self):
        tracks = random_catalogue(300, seed=2, unknown=0.1).table.to_pylist()
        for row in self.unknown:
            tracks[row]["energy"] = None
        return load_recommender("autoencoder", catalogue_of(tracks))


def measured_in_threes(n: int, seed: int, noise: bool = False) -> Catalogue:
    """Tracks of three genres, each with a place of its own; in noise the genres are dealt out anew."""
    rng = np.random.default_rng(seed)
    tracks = random_catalogue(n, seed).table.to_pylist()
    kinds = np.arange(n) % 3
    for track, kind, genre in zip(tracks, kinds, rng.permutation(kinds) if noise else kinds, strict=True):
        track |= {"time_signature": 4, "genres": [f"genre {genre}"], "track_id": f"{seed}-{track['track_id']}"}
        for name in ("energy", "valence", "danceability", "acousticness"):
            track[name] = float(np.clip(0.2 + 0.3 * kind + rng.normal(0, 0.05), 0, 1))
    return catalogue_of(tracks)


@cache
def trained(noise: bool = False) -> Path:
    pytest.importorskip("keras")
    folder = Path(tempfile.mkdtemp(dir=_FOLDER.name))
    tables.write(measured_in_threes(1500, 1, noise), folder / "tracks.parquet")
    asked = [CLOUD / "autoencoder.toml", "--tracks", folder / "tracks.parquet", "--output", folder / "autoencoder"]
    epochs, settling = (2, 1) if noise else (10, 2)
    changes = {"epochs": epochs, "settling": settling, "patience": epochs, "batch_size": 32}
    sets = [part for key, value in changes.items() for part in ("--set", f"{key} = {value}")]
    assert train.main([str(part) for part in [*asked, *sets]]) == 0
    return folder / "autoencoder"


@pytest.mark.train
def test_the_autoencoder_reconstructs_and_neighbours_share_a_genre():
    card = load_card(trained(), "recommender")
    measured = card["metrics"]
    assert measured["all"]["tracks"] == 1500
    assert measured["validation"]["mean"] < 0.05  # of a variance of 1, on tracks that were not trained on
    assert measured["all"]["maximum"] >= measured["all"]["mean"]
    assert measured["genre_hits@10"] > 0.6
    assert load_card(trained(noise=True))["metrics"]["genre_hits@10"] == pytest.approx(1 / 3, abs=0.05)


@pytest.mark.train
@pytest.mark.parametrize("where", ["trained", "shipped"])
def test_the_exported_encoder_agrees_with_keras(where):
    keras = pytest.importorskip("keras")
    folder = trained() if where == "trained" else MODELS / "autoencoder"
    card, catalogue = load_card(folder), measured_in_threes(100, 5)
    network = keras.saving.load_model(folder / "network.keras")
    inputs = standardise(catalogue, card["standard"]["mean"], card["standard"]["scale"])
    code = inputs
    for layer in network.layers[:3]:
        code = layer(code)
    plain = np.asarray(code, dtype=float)
    plain /= np.linalg.norm(plain, axis=1, keepdims=True)
    np.testing.assert_allclose(autoencoder_codes(card, catalogue), plain, atol=1e-5)
    assert plain.shape == (100, 128)


def test_the_shipped_autoencoder_is_as_accurate_as_the_published_one():
    card = load_card(MODELS / "autoencoder")
    assert card["metrics"]["all"]["tracks"] == 73_609
    assert card["metrics"]["all"]["mean"] <= 0.0009


def test_unknown_values_are_imputed_and_tracks_without_features_have_no_code():
    tracks = random_catalogue(3).table.to_pylist()
    tracks[1]["popularity"] = tracks[1]["key"] = None
    tracks[2]["energy"] = None
    catalogue = catalogue_of(tracks)
    inputs = standardise(catalogue, [2.0] * 15, [4.0] * 15)
    assert inputs[1, INPUTS.index("popularity")] == inputs[1, INPUTS.index("key")] == 0
    assert inputs[0, INPUTS.index("tempo_bpm")] == pytest.approx((tracks[0]["tempo_bpm"] - 2) / 4)
    assert np.isnan(inputs[2]).all()
    assert np.isnan(raw_inputs(catalogue)[1, INPUTS.index("key")])


def test_the_first_track_of_each_title_is_kept_with_its_first_genre():
    titles = ["a", "b", "a", None, "c", None, "b"]
    genres = [["x", "y"], ["y"], ["x"], None, [], ["x"], ["x"]]
    tracks = [
        {"track_id": str(i), "title": t, "genres": g} for i, (t, g) in enumerate(zip(titles, genres, strict=True))
    ]
    catalogue = catalogue_of(tracks)
    assert first_of_each_title(catalogue).tolist() == [0, 1, 3, 4]
    labels = genre_numbers(catalogue).tolist()
    assert labels[0] == labels[2] == labels[5] == labels[6]
    assert labels[1] not in (-1, labels[0])
    assert labels[3] == labels[4] == -1


def test_the_original_table_has_73_609_titles(shared):
    catalogue = tables.read(shared / "kaggle_spotify_tracks_114k.parquet")
    assert len(first_of_each_title(catalogue)) == 73_609
    # Of the 114 genres one never comes first: every track of it is in one before it in the file.
    assert len(np.unique(genre_numbers(catalogue))) == 113


@pytest.mark.parametrize(
    ("standard", "expected"),
    [
        ({"mean": [0.0] * 14, "scale": [1.0] * 15}, "standard.mean: expected `array` of length >= 15"),
        ({"mean": [0.0] * 15}, "the key `scale` is missing in standard"),
        ({}, "the key `mean` is missing in standard"),
    ],
)
def test_an_invalid_card_is_reported(tmp_path, standard, expected):
    folder = shutil.copytree(MODELS / "autoencoder", tmp_path / "autoencoder")
    card = json.loads((folder / "card.json").read_text()) | {"standard": standard}
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(DataError, match=expected):
        load_recommender(folder, random_catalogue(5))


@pytest.mark.train
@pytest.mark.parametrize(("n", "expected"), [(2, "too few to train on"), (200, "says nothing of time_signature")])
def test_tables_without_enough_data_are_reported(tmp_path, capsys, n, expected):
    pytest.importorskip("keras")
    tables.write(random_catalogue(n), tmp_path / "tracks.parquet")
    asked = [CLOUD / "autoencoder.toml", "--tracks", tmp_path / "tracks.parquet", "--output", tmp_path / "made"]
    assert train.main([str(part) for part in asked]) == 1
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "made").exists()
