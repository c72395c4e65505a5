"""Content: what it learns of genres that no distance sees, nothing in noise, and that it is exported as trained."""

from __future__ import annotations

import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from helpers.contracts import RecommenderTests

from disco.catalogue import FEATURES, Catalogue
from disco.cli import train
from disco.errors import DataError
from disco.evaluation import metrics
from disco.models.card import MODELS, load_card
from disco.models.recommenders import Query, load_recommender
from disco.models.recommenders.content import ContentParams, cosine_recommender, embed_tracks
from disco.models.scaler import check_feature_set, scaled_features, scaler
from disco.models.track_inputs import tower_inputs
from disco.sources.files import playlist_tables, tables

CLOUD = Path(__file__).parents[1] / "cloud"
_FOLDER = tempfile.TemporaryDirectory(prefix="disco-tests-")


def units(n: int = 300, seed: int = 1) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(n, 12)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class TestSimilar(RecommenderTests):
    def recommender(self):
        space = units()
        space[list(self.unknown)] = np.nan
        return cosine_recommender("content", space, ContentParams(6.0))

    def test_seeds_without_features_have_no_candidates(self):
        assert not len(self.recommender().recommend(Query(np.array([41, 42])), 10).rows)

    def test_candidates_agree_with_a_plain_implementation(self):
        space, seeds = units(), [5, 77, 200]
        found = cosine_recommender("content", space, ContentParams(6.0)).recommend(Query(np.array(seeds)), 60)
        exact = space.astype(float)
        plain = {
            row: np.log(sum(np.exp(6 * float(exact[row] @ exact[seed])) for seed in seeds) / 3) / 6
            for row in range(300)
            if row not in seeds
        }
        assert found.rows.tolist() == sorted(plain, key=lambda row: (-plain[row], row))[:60]
        np.testing.assert_allclose(found.scores, [plain[row] for row in found.rows], atol=1e-5)

    def test_high_sharpness_favours_the_nearest_seed(self):
        space = np.array([[1, 0], [0, 1], [0.995, 0.0999], [0.7071, 0.7071]], dtype=np.float32)
        seeds = Query(np.array([0, 1]))
        assert cosine_recommender("sharp", space, ContentParams(50.0)).recommend(seeds, 1).rows.tolist() == [2]
        assert cosine_recommender("flat", space, ContentParams(0.01)).recommend(seeds, 1).rows.tolist() == [3]


def lost(catalogue: Catalogue) -> Catalogue:
    """The same, without features where the contract has unknown tracks."""
    tracks = catalogue.table.to_pylist()
    for row in RecommenderTests.unknown:
        tracks[row] |= dict.fromkeys(FEATURES)
    return catalogue_of(tracks)


class TestShipped(RecommenderTests):
    def recommender(self):
        return load_recommender("content", lost(random_catalogue(300, seed=2, unknown=0.1)))


def corners(n: int, seed: int, noise: bool = False) -> Catalogue:
    """Tracks of 8 genres, each two opposite corners of a cube: no distance and no mean tells one from another."""
    rng = np.random.default_rng(seed)
    corner = rng.integers(0, 2, (n, 4))
    kinds = np.where(corner[:, :1] == 1, 1 - corner, corner)[:, 1:] @ [1, 2, 4]
    tracks = random_catalogue(n, seed, artists=n).table.to_pylist()
    for track, values, kind in zip(tracks, corner, rng.permutation(kinds) if noise else kinds, strict=True):
        track |= {"genres": [f"genre {kind}"], "track_id": f"{seed}-{track['track_id']}"}
        four = zip(("acousticness", "danceability", "energy", "valence"), values, rng.normal(0, 0.12, 4), strict=True)
        track |= {name: float(np.clip(0.25 + 0.5 * c + e, 0, 1)) for name, c, e in four}
    return catalogue_of(tracks)


def labels(catalogue: Catalogue) -> np.ndarray:
    return np.array([int(genres[0].split()[1]) for genres in catalogue.table["genres"].to_pylist()])


@cache
def trained(noise: bool = False, epochs: int = 12) -> Path:
    """Folder of a content model of 2,000 such tracks, and of playlists that are each of one genre."""
    pytest.importorskip("keras")
    folder = Path(tempfile.mkdtemp(dir=_FOLDER.name))
    catalogue = corners(2000, 1, noise)
    tables.write(catalogue, folder / "tracks.parquet")
    ids, rng = np.array(catalogue.ids(np.arange(2000))), np.random.default_rng(2)
    rows = [
        {
            "playlist_id": f"p{k:03}",
            "position": i,
            "track_id": track,
            "split": "validation" if k % 8 == 0 else "train",
        }
        for k in range(80)
        for i, track in enumerate(rng.permutation(ids[labels(catalogue) == k % 8])[:20])
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "playlists.parquet")
    changes = {
        "epochs": epochs,
        "patience": epochs,
        "width": 64,
        "size": 16,
        "periods": 2,
        "least": 20,
        "dropout": 0.0,
    }
    changes |= {"batch_tracks": 256, "learning_rate": 0.005, "shorter": 1}
    asked = ["--tracks", folder / "tracks.parquet", "--playlists", folder / "playlists.parquet"]
    sets = [part for key, value in changes.items() for part in ("--set", f"{key}={value}")]
    assert train.main([str(a) for a in (CLOUD / "content.toml", *asked, "--output", folder / "content", *sets)]) == 0
    return folder / "content"


def hits(space: np.ndarray, catalogue: Catalogue, queries: np.ndarray) -> float:
    return float(metrics.label_precision(space, labels(catalogue), queries).mean())


@pytest.mark.train
def test_genres_without_linear_structure_are_learned_for_held_out_tracks():
    catalogue = corners(2000, 1)
    card = load_card(trained(), "recommender")
    cold = np.flatnonzero(playlist_tables.is_cold(catalogue.ids(np.arange(2000))))
    assert hits(embed_tracks(card, catalogue), catalogue, cold) > 0.85
    # Tracks of one corner are near, of the opposite one far: a distance finds the former only.
    assert hits(scaled_features(catalogue, scaler()), catalogue, cold) < 0.75
    other = corners(500, 9)
    assert hits(embed_tracks(card, other), other, np.arange(500)) > 0.85


@pytest.mark.train
def test_random_playlists_teach_nothing():
    other = corners(1000, 9)
    shuffled = corners(1000, 9, noise=True)
    space = embed_tracks(load_card(trained(noise=True, epochs=4), "recommender"), other)
    assert hits(space, shuffled, np.arange(1000)) == pytest.approx(0.125, abs=0.03)


def plain_vectors(folder: Path, catalogue: Catalogue, share: float) -> np.ndarray:
    """What the tower says in Keras, moved towards its genres by hand."""
    keras = pytest.importorskip("keras")
    import disco.training.content  # noqa: F401 - makes its layers known to Keras

    network = keras.saving.load_model(folder / "tower.keras")
    inputs = tower_inputs(catalogue, load_card(folder)["inputs"], scaler())
    vector, logits = (np.asarray(each, dtype=float) for each in network(inputs, training=False))
    kernel = network.get_layer("kinds").kernel.numpy().astype(float)
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    towards = (likely / likely.sum(axis=1, keepdims=True)) @ (kernel / np.linalg.norm(kernel, axis=0)).T
    moved = (1 - share) * vector + share * towards / np.linalg.norm(towards, axis=1, keepdims=True)
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)


@pytest.mark.train
def test_the_export_is_the_trained_tower_shrunk_towards_its_genres():
    catalogue = corners(300, 3)
    space = embed_tracks(load_card(trained()), catalogue)
    np.testing.assert_allclose(space, plain_vectors(trained(), catalogue, 0.5), atol=1e-5)


@pytest.mark.train
def test_the_shipped_tower_agrees_with_keras():
    catalogue = random_catalogue(200, seed=5, unknown=0.3)
    space = embed_tracks(load_card(MODELS / "content"), catalogue)
    np.testing.assert_allclose(np.linalg.norm(space, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(space, plain_vectors(MODELS / "content", catalogue, 0.5), atol=1e-5)


@pytest.mark.train
def test_other_releases_of_cold_tracks_are_held_out_too():
    pytest.importorskip("keras")
    from disco.training.content import held_out

    tracks = random_catalogue(60, seed=1).table.to_pylist()
    ids = [track["track_id"] for track in tracks]
    cold = np.flatnonzero(playlist_tables.is_cold(ids))
    warm = np.flatnonzero(~playlist_tables.is_cold(ids))
    again, twin, cover, untitled = warm[:4]
    tracks[again] |= {"title": tracks[cold[0]]["title"].upper(), "artists": tracks[cold[0]]["artists"]}
    tracks[twin] |= {name: tracks[cold[1]][name] for name in FEATURES}
    tracks[cover]["title"] = tracks[cold[0]]["title"]
    tracks[untitled]["title"] = tracks[cold[2]]["title"] = None
    assert np.flatnonzero(held_out(catalogue_of(tracks))).tolist() == sorted([*cold, again, twin])


def test_features_of_another_set_are_used_but_not_trained_on():
    tracks = random_catalogue(5).table.to_pylist()
    for track in tracks:
        track["feature_set"] = "audio-1"
    catalogue = catalogue_of(tracks)
    assert len(load_recommender("content", catalogue).recommend(Query(np.array([1])), 3).rows) == 3
    with pytest.raises(DataError, match=r"features of the set 'audio-1'; the model knows 'spotify'"):
        check_feature_set(catalogue, scaler())


def test_a_catalogue_without_features_has_no_candidates():
    tracks = [{"track_id": f"t{i}", "title": "x", "artists": ["y"]} for i in range(5)]
    assert not len(load_recommender("content", catalogue_of(tracks)).recommend(Query(np.array([1])), 3).rows)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"parameters": {"sharpness": "high"}}, r"parameters\[...\]: expected `float`, got `str`"),
        ({"parameters": {}}, "parameters: the key `sharpness` is missing"),
        ({"inputs": ["energy", "loudnes"]}, "has no input 'loudnes'"),
    ],
)
def test_an_invalid_card_is_reported(tmp_path, change, sentence):
    folder = shutil.copytree(MODELS / "content", tmp_path / "content")
    card = json.loads((folder / "card.json").read_text()) | change
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(DataError, match=sentence):
        load_recommender(folder, random_catalogue(5))


def test_an_invalid_tower_is_reported(tmp_path):
    folder = shutil.copytree(MODELS / "content", tmp_path / "content")
    (folder / "tower.onnx").write_bytes(b"nothing")
    with pytest.raises(DataError, match="checksums differ"):
        load_recommender(folder, random_catalogue(5))


@pytest.mark.train
def test_training_without_genres_is_refused(tmp_path, capsys):
    pytest.importorskip("keras")
    where = trained().parent
    tracks = [{**track, "genres": None} for track in corners(2000, 1).table.to_pylist()]
    tables.write(catalogue_of(tracks), tmp_path / "tracks.parquet")
    asked = ["--tracks", tmp_path / "tracks.parquet", "--playlists", where / "playlists.parquet"]
    assert train.main([str(a) for a in (CLOUD / "content.toml", *asked, "--output", tmp_path / "made")]) == 1
    assert "has no genre of 200 tracks" in capsys.readouterr().err
    assert not (tmp_path / "made").exists()
