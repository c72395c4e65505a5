"""The ranker on music with a known answer that no mean can see, and on noise; and that it is exported as trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.catalogues import catalogue_of, random_catalogue

from disco.catalogue import FEATURES, Catalogue
from disco.cli import train
from disco.errors import DataError
from disco.evaluation import next_track
from disco.models.card import MODELS
from disco.models.predictors import load_predictor
from disco.models.scaler import scaler
from disco.models.track_inputs import NUMBERS, OTHERS, encode_tracks, tower_inputs
from disco.sources.files import tables

CLOUD = Path(__file__).parents[1] / "cloud"


def opposites(n: int, seed: int) -> tuple[Catalogue, np.ndarray]:
    """Tracks of 16 kinds, each two opposite corners of a cube: the mean of every kind is the same."""
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 2, (n, 5))
    kinds = np.where(corners[:, :1] == 1, 1 - corners, corners)[:, 1:] @ [1, 2, 4, 8]
    tracks = random_catalogue(n, seed).table.to_pylist()
    for track, corner in zip(tracks, corners, strict=True):
        noise = rng.normal(0, 0.03, 5)
        five = ("acousticness", "danceability", "energy", "liveness", "valence")
        track |= {name: float(0.25 + 0.5 * c + e) for name, c, e in zip(five, corner, noise, strict=True)}
    return catalogue_of(tracks), kinds


def trained(catalogue: Catalogue, playlists: list[np.ndarray], folder: Path, epochs: int) -> Path:
    pytest.importorskip("keras")
    tables.write(catalogue, folder / "tracks.parquet")
    # By sixteens, so that each split has playlists of every kind.
    part = np.arange(len(playlists)) // 16 % 8
    split = ["validation" if p == 0 else "test" if p == 1 else "train" for p in part]
    rows = [
        {"playlist_id": f"p{k:04}", "position": i, "track_id": f"t{row:05}", "split": split[k]}
        for k, rows in enumerate(playlists)
        for i, row in enumerate(rows)
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "playlists.parquet")
    text = (CLOUD / "rank.toml").read_text(encoding="utf-8")
    changed = {"epochs": epochs, "width": 64, "units": 32, "size": 64, "periods": 4, "noisy_share": 0.0}
    changed |= {"seeds": [1], "batch_tracks": 256, "learning_rate": 0.003, "dropout": 0.0, "patience": epochs}
    lines = [
        f"{key} = {changed[key]}" if (key := line.split(" = ")[0]) in changed else line for line in text.splitlines()
    ]
    (folder / "small.toml").write_text("\n".join(lines), encoding="utf-8")
    arguments = ["--tracks", folder / "tracks.parquet", "--playlists", folder / "playlists.parquet"]
    assert train.main([str(a) for a in (folder / "small.toml", *arguments, "--output", folder / "rank")]) == 0
    return folder / "rank"


def found(catalogue: Catalogue, playlists: list[np.ndarray], name: str) -> float:
    """hit@10 on playlists that nobody trained on."""
    cases = next_track.sample_cases(catalogue, playlists, None, most=1500)
    predictor = load_predictor(name)
    space = predictor.embed(catalogue)
    ranks = next_track.ranks(space, next_track.predictions(predictor, catalogue, space, cases), cases)
    return float(np.mean(ranks <= 10))


def drawn(kinds: np.ndarray, n: int, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.permutation(np.flatnonzero(kinds == k % 16))[:25] for k in range(n)]


@pytest.fixture(scope="module")
def of_opposites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a model of `opposites(1600, seed=1)`."""
    catalogue, kinds = opposites(1600, seed=1)
    return trained(catalogue, drawn(kinds, 384, seed=2), tmp_path_factory.mktemp("opposites"), epochs=6)


@pytest.mark.train
def test_a_pattern_that_the_mean_cannot_predict_is_learned(of_opposites: Path) -> None:
    catalogue, kinds = opposites(1600, seed=1)
    rank = of_opposites
    unseen = drawn(kinds, 100, seed=3)
    # A sixteenth of the others are as good: at best 10 of 26 are found.
    assert found(catalogue, unseen, str(rank)) > 0.25
    assert found(catalogue, unseen, "mean") < 0.1

    other, kinds = opposites(1600, seed=4)  # tracks that it was not trained on
    assert found(other, drawn(kinds, 100, seed=5), str(rank)) > 0.2


@pytest.mark.train
def test_random_playlists_teach_nothing(tmp_path: Path) -> None:
    catalogue, rng = random_catalogue(1200, seed=1), np.random.default_rng(2)
    playlists = [rng.permutation(1200)[:25] for _ in range(160)]
    rank = trained(catalogue, playlists, tmp_path, epochs=2)
    unseen = [rng.permutation(1200)[:25] for _ in range(80)]
    assert found(catalogue, unseen, str(rank)) == pytest.approx(0.025, abs=0.02)


def check_export(folder: Path, catalogue: Catalogue, rows: list[np.ndarray]) -> None:
    """What ONNX Runtime says track by track is what Keras says of the whole, but for one centre and one scale."""
    keras = pytest.importorskip("keras")
    import disco.training.networks  # noqa: F401 - makes its layers known to Keras

    tower, follower = (keras.saving.load_model(folder / f"{name}.keras") for name in ("tower", "follower"))
    predictor = load_predictor(str(folder))
    card = predictor.network.card  # type: ignore[attr-defined]
    inputs = encode_tracks(catalogue, card["inputs"], scaler(), card["genre_words"]).take(np.arange(len(catalogue)))
    space = predictor.embed(catalogue)
    vectors = np.asarray(tower(inputs, training=False))
    # One stretch for each half and one centre for each component, found from the two tracks that differ most.
    far = np.abs(vectors - vectors[0]).argmax(axis=0), np.arange(vectors.shape[1])
    stretch = (space - space[0])[far] / (vectors - vectors[0])[far]
    stretch = np.repeat(np.median(stretch.reshape(2, -1), axis=1), len(stretch) // 2)
    centre = vectors[0] - space[0] / stretch
    np.testing.assert_allclose(space / stretch, vectors - centre, atol=1e-5)
    stepped = np.stack(next_track.predict_sequences(predictor, catalogue, space, rows))
    whole = np.asarray(follower(vectors[np.stack(rows)], training=False))
    np.testing.assert_allclose(stepped / stretch, whole - centre, atol=1e-5)


@pytest.mark.train
def test_the_export_is_the_trained_network_shifted_and_scaled(of_opposites: Path) -> None:
    catalogue, kinds = opposites(800, seed=6)
    check_export(of_opposites, catalogue, drawn(kinds, 3, seed=7))


@pytest.mark.train
@pytest.mark.parametrize("n", [1, 7])
def test_the_shipped_rank_predictor_agrees_with_keras(n: int) -> None:
    rng = np.random.default_rng(n)
    check_export(MODELS / "rank", random_catalogue(200, seed=n), [rng.permutation(200)[:50] for _ in range(n)])


def test_tower_inputs_are_finite_and_bounded() -> None:
    catalogue = random_catalogue(200, seed=3, unknown=0.3)
    inputs = tower_inputs(catalogue, (*NUMBERS, *OTHERS), scaler())
    assert inputs.shape == (200, len(NUMBERS) + len(OTHERS))
    assert np.isfinite(inputs).all()
    by_name: dict[str, Any] = dict(zip((*NUMBERS, *OTHERS), inputs.T, strict=True))
    unknown = np.isnan(catalogue.circle_positions)
    assert (by_name["key_unknown"] == unknown).all()
    assert (by_name["fifths_cos"][unknown] == 0).all()
    np.testing.assert_allclose((by_name["fifths_cos"] ** 2 + by_name["fifths_sin"] ** 2)[~unknown], 1, atol=1e-5)


def test_double_tempo_is_the_same_point_of_its_circle() -> None:
    tracks = random_catalogue(2, seed=1).table.to_pylist()
    tracks[1] = {**tracks[0], "track_id": "b", "tempo_bpm": 2 * tracks[0]["tempo_bpm"]}
    circle = tower_inputs(catalogue_of(tracks), ["tempo_cos", "tempo_sin"], scaler())
    np.testing.assert_allclose(circle[0], circle[1], atol=1e-5)


def test_tracks_without_features_have_no_inputs_and_unknown_inputs_are_reported() -> None:
    tracks = random_catalogue(2, seed=1).table.to_pylist()
    tracks[0]["energy"] = None
    tracks[1] |= dict.fromkeys((*FEATURES, "feature_set"))
    inputs = tower_inputs(catalogue_of(tracks), FEATURES, scaler())
    assert np.isnan(inputs[1]).all()
    assert np.isfinite(inputs[0]).all()
    assert inputs[0][FEATURES.index("energy")] == 0
    with pytest.raises(DataError, match=r"'temp_cos'.*tempo_cos"):
        tower_inputs(catalogue_of(tracks), ["temp_cos"], scaler())


# --- genres as inputs


def genre_inputs(*genres: list[str] | None, slots: int = 512) -> np.ndarray:
    tracks = random_catalogue(len(genres), seed=1).table.to_pylist()
    catalogue = catalogue_of([{**track, "genres": g} for track, g in zip(tracks, genres, strict=True)])
    return encode_tracks(catalogue, FEATURES, scaler(), slots).take(np.arange(len(genres)))[:, len(FEATURES) :]


def test_genres_are_encoded_by_their_normalised_words() -> None:
    one, same, longer, none, empty = genre_inputs(["Deep House"], ["deep-house"], ["deep house", "techno"], None, [])
    assert (one == same).all()
    assert np.count_nonzero(one) == 3  # deep, house, deep house
    assert np.count_nonzero(longer) == 4
    assert not none.any()
    assert not empty.any()
    np.testing.assert_allclose([np.linalg.norm(one), np.linalg.norm(longer)], 2, rtol=1e-6)


def test_inputs_of_a_track_do_not_depend_on_the_others() -> None:
    catalogue = random_catalogue(60, seed=2)
    inputs = encode_tracks(catalogue, FEATURES, scaler(), 32)
    whole, rows = inputs.take(np.arange(60)), np.array([7, 3, 59, 3, 0])
    np.testing.assert_array_equal(inputs.take(rows), whole[rows])
    assert inputs.take(rows[:0]).shape == (0, inputs.width) == (0, len(FEATURES) + 32)


def test_without_slots_genres_are_not_encoded() -> None:
    assert genre_inputs(["techno"], None, slots=0).shape == (2, 0)


def test_genres_with_unusual_characters_are_encoded() -> None:
    inputs = genre_inputs(["\u202etechno\n<b>"], ["🎉"], [" "])
    assert np.isfinite(inputs).all()
    assert not inputs[1:].any()


def test_the_shipped_rank_predictor_works_without_genres_and_uses_them() -> None:
    tracks = random_catalogue(30, seed=5).table.to_pylist()
    rank = load_predictor("rank")
    bare = rank.embed(catalogue_of([{**track, "genres": None} for track in tracks]))
    assert np.isfinite(bare).all()
    assert not np.allclose(rank.embed(catalogue_of(tracks)), bare)
