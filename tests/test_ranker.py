"""Titles, two towers, the ranker and the blend: the contract, what they learn, and what they refuse."""

from __future__ import annotations

import json
import shutil

import numpy as np
import onnxruntime
import pyarrow as pa
import pytest
from helpers.trained import CLOUD, KIND, KINDS, TrainedTests, data_files, library, trained

from disco.catalogue import Catalogue
from disco.cli import train
from disco.errors import DataError
from disco.models.card import load_card
from disco.models.network import load_network
from disco.models.recommenders import DEFAULT, Query, default_recommender, load_recommender
from disco.models.recommenders.blend import BlendParams, fuse_ranks
from disco.models.recommenders.ranker_features import candidate_pools
from disco.models.scaler import scaled_features, scaler
from disco.training.blending import coordinate_search
from disco.training.trees import write_trees

NEEDED = ("playlist-knn", "item-knn", "als", "title-knn")
TITLES = [f"Kind {kind}!" for kind in range(KINDS)]


def titled_share(recommender) -> float:
    """Share of a kind's tracks among the first 30 for its title alone."""
    found = recommender.recommend_many([Query(np.empty(0, dtype=np.intp), title) for title in TITLES], 30)
    return float(np.mean([(KIND[each.rows] == kind).mean() for kind, each in enumerate(found)]))


class TestTitleKnn(TrainedTests):
    recipe, changes = "title-knn", ("least_titles = 1",)

    def recommender(self):
        return load_recommender(trained(self.recipe, *self.changes), library())

    @pytest.mark.parametrize("n", [1, 277, 10_000])
    def test_candidates_are_unique_best_first_and_never_seeds(self, n):
        query = Query(np.array([5, 200, 17]), "kind 2")
        found = self.recommender().recommend(query, n)
        self.check(found, query, n)
        assert len(found.rows) == min(n, 300 - len(self.unknown) - 3)

    def test_only_allowed_tracks_are_candidates_and_filters_act_before_the_ranking(self):
        allowed = np.arange(300) % 7 == 0
        found = self.recommender().recommend(Query(np.array([1]), "kind 3", allowed), 38)
        everything = self.recommender().recommend(Query(np.array([1]), "kind 3"), 300).rows
        assert found.rows.tolist() == [row for row in everything if allowed[row]][:38]

    def share(self, recommender):
        return titled_share(recommender)

    def test_seeds_without_a_title_have_no_candidates(self):
        assert not len(self.recommender().recommend(Query(np.array([5, 200])), 10).rows)


@pytest.mark.train
class TestTwoTower(TrainedTests):
    recipe = "two-tower"
    changes = ("least_titles = 1", "width = 16", "size = 16", "batch_size = 128", "epochs = 30", "patience = 30")
    changes = (*changes, "learning_rate = 0.01")
    learns = 0.85

    @pytest.fixture(autouse=True)
    def _keras(self):
        pytest.importorskip("keras_rs")
        pytest.importorskip("tensorflow")

    def test_a_title_alone_is_answered(self):
        assert titled_share(self.recommender()) >= 0.85

    def test_the_exported_tower_agrees_with_keras(self):
        import keras

        folder = trained(self.recipe, *self.changes)
        rng = np.random.default_rng(3)
        given = {
            "last": rng.normal(size=(7, 5, 16)),
            "counts": rng.random((7, 5)),
            "title": rng.normal(size=(7, 16)),
        }
        given = {name: array.astype(np.float32) for name, array in given.items()}
        written = load_network(load_card(folder, "recommender"))(**given)["vector"]
        kept = keras.models.load_model(folder / "playlist.keras")
        np.testing.assert_allclose(written, np.asarray(kept(given)["vector"]), atol=1e-5)
        inputs, vectors = (np.load(folder / f"{name}.npy", allow_pickle=False) for name in ("heard", "vectors"))
        np.testing.assert_allclose(keras.models.load_model(folder / "track.keras")(inputs), vectors, atol=1e-5)

    def test_only_the_last_five_tracks_are_used(self):
        long, short = np.r_[np.arange(60, 80), 5, 10, 15, 25, 30], np.array([5, 10, 15, 25, 30])
        recommender = self.recommender()
        one, other = (recommender.recommend(Query(seeds), 280) for seeds in (long, short))
        kept = other.rows[~np.isin(other.rows, long)]
        assert one.rows.tolist() == kept.tolist()


def parts(noise: bool = False) -> list[str]:
    """Folders of the recommenders that a ranker needs."""
    changes = {"als": ("factors = 8",), "title-knn": ("least_titles = 1",)}
    return [str(trained(name, *changes.get(name, ()), noise=noise)) for name in NEEDED]


def ranker_changes(noise: bool = False) -> tuple[str, ...]:
    return (f"parts = {parts(noise)}", "held = 0.4", "trees = 20", "smallest = 5", "negatives = 1.0")


@pytest.mark.slow
class TestRanker(TrainedTests):
    recipe = "ranker"
    # Tracks that no playlist knows are answers too, by their sound.
    unknown = range(0)
    # A filter leaves room for other candidates, and a rank among them is another rank.
    ranks_each_track_by_itself = False

    @pytest.fixture(autouse=True)
    def _trees(self):
        pytest.importorskip("implicit")
        pytest.importorskip("lightgbm")

    def recommender(self):
        return load_recommender(trained(self.recipe, *ranker_changes()), library())

    def test_random_playlists_teach_nothing(self):
        noisy = load_recommender(trained(self.recipe, *ranker_changes(noise=True), noise=True), library())
        assert self.share(noisy) <= self.noise_at_most

    def test_a_title_alone_is_answered(self):
        assert titled_share(self.recommender()) >= 0.9

    def test_tracks_in_no_playlist_come_last_by_distance_in_features(self):
        recommender, query = self.recommender(), Query(np.array([5, 200]))
        found = recommender.recommend(query, 298).rows
        ranked = candidate_pools([query], recommender.data)[0].rows
        assert sorted(found[: len(ranked)].tolist()) == ranked.tolist()
        behind = found[len(ranked) :]
        assert len(behind) > 5
        assert set(behind.tolist()) <= set(range(40, 60))
        sound = scaled_features(library(), scaler())
        far = np.linalg.norm(sound[behind] - sound[[5, 200]].mean(axis=0), axis=1)
        assert (np.diff(far) >= -1e-5).all()

    def test_seeds_in_no_playlist_get_candidates_by_features_and_artists(self):
        found = self.recommender().recommend(Query(np.array([41, 52])), 100)
        assert len(found.rows) == 100
        assert not {41, 52} & set(found.rows.tolist())

    @pytest.mark.train
    def test_a_two_tower_recommender_is_an_optional_part(self):
        pytest.importorskip("keras_rs")
        folders = [*parts(), str(trained("two-tower", *TestTwoTower.changes))]
        changes = [change for change in ranker_changes() if not change.startswith("parts")]
        recommender = load_recommender(trained(self.recipe, f"parts = {folders}", *changes), library())
        assert "two_tower" in recommender.data.parts.others
        assert self.share(recommender) >= 0.9
        assert titled_share(recommender) >= 0.9

    def test_the_exported_trees_agree_with_lightgbm(self):
        lightgbm = pytest.importorskip("lightgbm")
        rng = np.random.default_rng(0)
        values = rng.normal(size=(3000, 6)).astype(np.float32)
        values[:, 2] = rng.integers(0, 5, 3000)  # many equal to a threshold
        values[rng.random(values.shape) < 0.2] = np.nan
        values[:, 5] = np.nan_to_num(values[:, 5])  # unknown only when it is asked
        true = np.nan_to_num(values[:, 0]) + np.nan_to_num(values[:, 2]) + values[:, 5] > 2
        parameters = {"objective": "binary", "num_leaves": 15, "verbose": -1, "min_data_in_leaf": 5}
        booster = lightgbm.train(parameters, lightgbm.Dataset(values, true.astype(int)), 30)
        path = self.folder / "trees.onnx"
        write_trees(booster, 6, path)
        values[::7, 5] = np.nan
        scores = onnxruntime.InferenceSession(path).run(None, {"features": values})[0][:, 0]
        np.testing.assert_allclose(scores, booster.predict(values, raw_score=True), atol=1e-4)

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path


def test_a_missing_part_is_reported_with_the_command_that_trains_it(tmp_path, capsys):
    tracks, playlists = data_files()
    output = tmp_path / "ranker"
    asked = [CLOUD / "ranker.toml", "--tracks", tracks, "--playlists", playlists, "--output", output]
    assert train.main([str(part) for part in asked]) == 1
    err = capsys.readouterr().err
    assert "playlist-knn, item-knn, als, title-knn" in err
    assert "disco train cloud/als.toml --tracks FILE --playlists FILE" in err
    assert not output.exists()


@pytest.mark.slow
def test_a_retrained_part_is_reported(tmp_path):
    pytest.importorskip("implicit")
    pytest.importorskip("lightgbm")
    folder = shutil.copytree(trained("ranker", *ranker_changes()), tmp_path / "ranker")
    card = json.loads((folder / "card.json").read_text())
    for change, match in (
        ({"files": {}}, r"was trained on another .*; train ranker again"),
        ({"name": "gone"}, r"ranks candidates of gone, which no longer exists"),
    ):
        changed_card = {**card, "parts": {**card["parts"], "als": {**card["parts"]["als"], **change}}}
        (folder / "card.json").write_text(json.dumps(changed_card))
        with pytest.raises(DataError, match=match):
            load_recommender(folder, library())
    (folder / "card.json").write_text(json.dumps({**card, "features": ["count"]}))
    with pytest.raises(DataError, match="other cross features"):
        load_recommender(folder, library())


# --- the blend


@pytest.mark.slow
class TestBlend(TrainedTests):
    recipe = "blend"
    unknown = range(0)
    ranks_each_track_by_itself = False

    @pytest.fixture(autouse=True)
    def _implicit(self):
        pytest.importorskip("implicit")

    def recommender(self):
        return load_recommender(trained(self.recipe, f"parts = {parts()}"), library())

    def test_random_playlists_teach_nothing(self):
        noisy = load_recommender(trained(self.recipe, f"parts = {parts(noise=True)}", noise=True), library())
        assert self.share(noisy) <= self.noise_at_most

    def test_a_title_alone_is_answered(self):
        assert titled_share(self.recommender()) >= 0.9

    def test_recommend_many_agrees_with_recommend(self):
        # Without `als`: a product of matrices rounds otherwise than one with a vector, and where two tracks are as
        # good, a blend, which uses positions alone, makes a difference of that.
        folders = [folder for folder, name in zip(parts(), NEEDED, strict=True) if name != "als"]
        recommender, queries = load_recommender(trained(self.recipe, f"parts = {folders}"), library()), self.queries()
        for query, together in zip(queries, recommender.recommend_many(queries, 30), strict=True):
            alone = recommender.recommend(query, 30)
            assert (together.rows == alone.rows).all()
            assert (together.scores == alone.scores).all()
        assert recommender.recommend_many([], 30) == []

    def test_tracks_that_no_part_knows_follow_by_distance_in_features(self):
        found = self.recommender().recommend(Query(np.array([41, 52])), 30).rows
        sound = scaled_features(library(), scaler())
        far = np.linalg.norm(sound - sound[[41, 52]].mean(axis=0), axis=1)
        far[[41, 52]] = np.inf
        assert found.tolist() == np.argsort(far)[:30].tolist()


def test_rank_fusion_agrees_with_a_computation_by_hand():
    answers = [np.array([4, 2, 9]), np.array([2, 7]), np.array([], dtype=np.intp)]
    rows, sums = fuse_ranks(answers, [1.0, 0.5, 3.0], BlendParams(depth=3, offset=10))
    by_hand = {4: 1 / 11, 2: 1 / 12 + 0.5 / 11, 9: 1 / 13, 7: 0.5 / 12}
    assert rows.tolist() == sorted(by_hand, key=lambda row: -by_hand[row])
    np.testing.assert_allclose(sums, [by_hand[row] for row in rows], rtol=1e-6)
    rows, _ = fuse_ranks([np.array([8]), np.array([3])], [1.0, 1.0], BlendParams(3, 10))
    assert rows.tolist() == [3, 8]


def test_the_search_recovers_known_weights():
    def found(weights):
        return -sum((w - true) ** 2 for w, true in zip(weights, (0.25, 2.0, 0.0), strict=True))

    assert coordinate_search(found, 3) == [0.25, 2.0, 0.0]


@pytest.mark.slow
def test_a_blend_of_missing_parts_or_of_a_blend_is_refused(tmp_path, capsys):
    pytest.importorskip("implicit")
    tracks, playlists = data_files()
    asked = [CLOUD / "blend.toml", "--tracks", tracks, "--playlists", playlists, "--output", tmp_path / "blend"]
    assert train.main([str(part) for part in asked]) == 1
    assert "disco train cloud/playlist-knn.toml" in capsys.readouterr().err
    one = trained("blend", f"parts = {parts()}")
    folder = shutil.copytree(one, tmp_path / "changed")
    card = json.loads((folder / "card.json").read_text())
    for wrong_parts, match in (
        ({"gone": 1.0}, "blends gone, which no longer exists"),
        ({str(one): 1.0}, "which is a blend itself"),
        ({}, "names no recommenders with weights above 0"),
        ({parts()[0]: -1.0}, r"parts\[...\]: expected `float` > 0"),
    ):
        (folder / "card.json").write_text(json.dumps({**card, "parts": wrong_parts}))
        with pytest.raises(DataError, match=match):
            load_recommender(folder, library())


# --- the default


@pytest.mark.slow
def test_the_default_is_the_second_stage_with_the_best_validation_score(tmp_path, monkeypatch):
    pytest.importorskip("implicit")
    monkeypatch.setenv("DISCO_DATA", str(tmp_path))
    assert default_recommender(library()).name == DEFAULT
    for name, precision in (("worse", 0.1), ("better", 0.3)):
        folder = shutil.copytree(trained("blend", f"parts = {parts()}"), tmp_path / "models" / name)
        card = json.loads((folder / "card.json").read_text())
        measured = {"first-5": {"r_precision": precision, "ndcg": precision}}
        card |= {"name": name, "metrics": {"continuation": {"validation": measured}}}
        (folder / "card.json").write_text(json.dumps(card))
    shutil.copytree(trained("als", "factors = 8"), tmp_path / "models" / "als")
    assert default_recommender(library()).name == "better"
    # Of another catalogue none of them knows a track.
    strange = library().table.set_column(0, "track_id", pa.array([f"x{i}" for i in range(300)]))
    assert default_recommender(Catalogue(strange)).name == DEFAULT
    (tmp_path / "models" / "better" / "card.json").write_text("{")
    assert default_recommender(library()).name == "worse"
