"""The set transformer: its loss by hand, its network as exported, what it learns from titles and tracks."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.needs import need
from helpers.trained import CLOUD, KIND, KINDS, TrainedTests, data_files, library, trained

from disco.cli import train
from disco.errors import DataError
from disco.evaluation import metrics
from disco.models.card import Card, load_card
from disco.models.network import load_network
from disco.models.recommenders import Query, load_recommender
from disco.models.recommenders.artifacts import Artifacts
from disco.models.recommenders.sparse import Sparse
from disco.training import sets
from disco.training.data import Run
from disco.training.recipes import SetTransformerRecipe, read_recipe
from disco.training.recommenders import Interactions

need("keras", "tf2onnx")
pytestmark = pytest.mark.train

# Small enough for 120 playlists, and for a few seconds.
CHANGES = ("size = 16", "blocks = 1", "epochs = 4", "batch_size = 40", "learning_rate = 0.01")
NO_SEEDS = np.array([], dtype=np.intp)


def model(noise: bool = False):
    return load_recommender(trained("set-transformer", *CHANGES, noise=noise), library())


class TestSetTransformer(TrainedTests):
    recipe, changes = "set-transformer", CHANGES

    def test_a_title_alone_finds_tracks_of_its_kind(self):
        found = model().recommend_many([Query(NO_SEEDS, f"Kind {kind}!!") for kind in range(KINDS)], 30)
        assert np.mean([(KIND[each.rows] == kind).mean() for kind, each in enumerate(found)]) >= 0.9

    def test_titles_of_random_playlists_teach_nothing(self):
        found = model(noise=True).recommend_many([Query(NO_SEEDS, f"kind {kind}") for kind in range(KINDS)], 30)
        assert np.mean([(KIND[each.rows] == kind).mean() for kind, each in enumerate(found)]) <= 0.35

    def test_different_queries_get_different_candidates(self):
        queries = [Query(np.flatnonzero(kind == KIND)[[3, 9]]) for kind in range(KINDS)]
        titles = [Query(NO_SEEDS, f"kind {kind}") for kind in range(KINDS)]
        for asked in (queries, titles):
            answers = [found.rows for found in model().recommend_many(asked, 10)]
            assert metrics.coverage(answers) >= 40, "five kinds, ten tracks each"

    def test_a_title_of_another_kind_changes_the_candidates(self):
        seeds = np.flatnonzero(KIND == 0)[[3]]
        right, wrong = model().recommend_many([Query(seeds, "kind 0"), Query(seeds, "kind 3")], 30)
        assert (KIND[right.rows] == 0).mean() > (KIND[wrong.rows] == 0).mean()

    def test_seeds_outside_the_vocabulary_are_encoded_by_their_features(self):
        outside = list(self.unknown)
        assert len(model().recommend(Query(np.array(outside[:3])), 10).rows) == 10

    def test_order_and_repeats_of_seeds_do_not_matter(self):
        recommender, rows = model(), np.array([5, 100, 201, 33, 47])
        shuffled = [rows, rows[::-1], rows[[2, 0, 4, 1, 3]], np.r_[rows, rows[:2]]]
        first, *others = recommender.encode([Query(some, "kind 1") for some in shuffled])
        for other in others:
            np.testing.assert_allclose(other, first, atol=1e-5)

    def test_padding_does_not_matter(self):
        queries = [
            Query(np.arange(1)),
            Query(np.arange(60, 140), "kind 2"),
            Query(np.array([7, 8])),
            Query(NO_SEEDS, "kind 4"),
        ]
        recommender = model()
        together = recommender.encode(queries)
        np.testing.assert_allclose(together, np.concatenate([recommender.encode([q]) for q in queries]), atol=1e-5)

    def test_an_empty_query_has_no_candidates(self):
        recommender = model()
        for title in ("", "🤖", "xyzzy", "\n" * 10_000):
            assert not len(recommender.recommend(Query(NO_SEEDS, title), 10).rows)
            with_seeds, blind = recommender.recommend_many([Query(np.array([5]), title), Query(np.array([5]))], 10)
            assert with_seeds.rows.tolist() == blind.rows.tolist()


def test_the_export_agrees_with_keras():
    import keras

    folder = trained("set-transformer", *CHANGES)
    network, exported = keras.models.load_model(folder / "network.keras"), load_network(load_card(folder))
    widths, rng = load_card(folder)["network"]["inputs"], np.random.default_rng(1)
    for n, longest in ((1, 1), (3, 7), (2, 50)):
        mask = (np.arange(longest) < rng.integers(0, longest + 1, (n, 1))).astype(np.float32)[..., None]
        inputs = {
            "heard": rng.normal(size=(n, longest, widths["heard"])).astype(np.float32),
            "known": rng.normal(size=(n, longest, widths["known"])).astype(np.float32),
            "mask": mask,
            "title": rng.random((n, widths["title"])).astype(np.float32),
        }
        inputs["title"][:1] = 0
        theirs = np.asarray(network([inputs[node.name] for node in network.inputs])["vector"])
        np.testing.assert_allclose(exported(**inputs)["vector"], theirs, atol=1e-5, rtol=1e-5)


def plain_warp(wanted, others, allowed, weights, tracks, margin):
    """As the paper has it, with the number of draws that is to be expected."""
    total = 0.0
    for i in range(len(wanted)):
        for j in range(len(wanted[i])):
            drawn = [s for s, a in zip(others[i][j], allowed[i][j], strict=True) if a]
            near = [margin - wanted[i][j] + s for s in drawn if margin - wanted[i][j] + s > 0]
            if near:
                rank = int(len(near) / len(drawn) * (tracks - 1) + 1e-9)
                total += weights[i][j] * sum(1 / k for k in range(1, rank + 1)) * sum(near) / len(near)
    return total / len(wanted)


@pytest.mark.parametrize("tracks", [2, 101, 5001])
def test_the_warp_loss_agrees_with_a_plain_implementation(tracks):
    from disco.training import set_transformer

    rng = np.random.default_rng(tracks)
    wanted = rng.normal(2, 1, (4, 6)).astype(np.float32)
    others = rng.normal(0, 1, (4, 6, 50)).astype(np.float32)
    allowed = (rng.random((4, 6, 50)) < 0.9).astype(np.float32)
    wanted[0, 0] = 100.0  # far above all others: nothing to learn
    allowed[1, 1] = 0.0  # all that were drawn are in the playlist
    weights = rng.random((4, 6)).astype(np.float32)
    weights[2, 3:] = 0
    loss = set_transformer.warp(wanted, others, allowed, weights, tracks, 1.0)
    assert float(loss) == pytest.approx(plain_warp(wanted, others, allowed, weights, tracks, 1.0), rel=2e-3)


def recipe(**changes) -> SetTransformerRecipe:
    found = read_recipe(CLOUD / "set-transformer.toml")
    assert isinstance(found, SetTransformerRecipe)
    return replace(found, **changes)


def test_training_sets_are_sampled_as_the_recipe_says():
    tracks, playlists = data_files()
    run = Run(tracks, playlists, Path(), lambda seed: Path(str(seed)))
    asked = recipe(alone=0.25, few=0.25, untitled=0.5, reconstruction=0.5, batch_size=40, window=12)
    data = sets.set_data(asked, run)
    shares, shown_sizes, alone, untitled = [], [], 0, 0
    drawn = [b for seed in range(20) for b in sets.batches(data, asked)(np.random.default_rng(seed))]
    owners = [set(p.tolist()) for p in data.playlists]
    for shown, titled, wanted, weights, pool, allowed, block in drawn:
        assert pool.shape[1] == asked.negatives
        assert block.max() < len(pool)
        for i in range(len(shown)):
            visible = shown[i][shown[i] >= 0].tolist()
            hidden = wanted[i][: len([w for w in weights[i] if w > 0]) - len(visible)].tolist()
            assert len(visible) <= 12
            assert len(set(visible)) == len(visible)
            assert not set(visible) & set(hidden)
            owner = [o for o in owners if set(visible) | set(hidden) <= o]
            assert owner, "all of one playlist"
            counted = weights[i].sum()
            assert counted == pytest.approx(1.5 if visible else 1.0, rel=1e-5)
            if len(owner) == 1:
                taken = np.isin(pool, list(owner[0]))
                np.testing.assert_array_equal(allowed[i] == 0, taken)
            alone += not visible
            assert visible or titled[i].any(), "something is always shown"
            untitled += bool(visible) and not titled[i].any()
            shown_sizes.append(len(visible))
            shares.append(len(hidden) / (len(hidden) + len(visible)))
    n = len(shares)
    assert alone / n == pytest.approx(0.25, abs=0.05)
    assert untitled / (n - alone) == pytest.approx(0.5, abs=0.05)
    middle = np.mean([0.1 <= share <= 0.5 for share in shares])
    assert middle >= 0.45


def test_the_first_vectors_are_factors_of_the_matrix():
    rng = np.random.default_rng(3)
    dense = rng.random((30, 12)) < 0.3
    _, column = np.nonzero(dense)
    starts = np.r_[0, np.cumsum(dense.sum(axis=1))]
    matrix = Sparse(starts, column.astype(np.int32), np.ones(len(column), dtype=np.float32), 12)
    vectors, gains = sets.first_vectors(Interactions(np.arange(12), matrix, [""] * 30), 5, 0)
    counts, lengths = dense.sum(axis=0), np.maximum(dense.sum(axis=1), 1)
    weighted = dense * (lengths[:, None] * counts[None, :]) ** -0.25
    _, values, right = np.linalg.svd(weighted)
    plain = (right[:5].T * values[:5]) @ right[:5]
    plain *= (counts[:, None] * counts[None, :]) ** 0.25
    inner = vectors @ vectors.T
    np.testing.assert_allclose(inner / inner[0, 0], plain / plain[0, 0], atol=1e-4)
    np.testing.assert_allclose(gains / gains[0], (counts / counts[0]) ** -0.5, rtol=1e-3)
    assert ((vectors * gains[:, None]) ** 2).mean() == pytest.approx(1, rel=1e-4)


def test_the_first_terms_are_a_ridge_regression():
    tracks, playlists = data_files()
    data = sets.set_data(recipe(), Run(tracks, playlists, Path(), lambda seed: Path(str(seed))))
    vectors = np.random.default_rng(1).normal(size=(len(data.by.rows), 3)).astype(np.float32)
    bags = data.titles.vectors(data.by.titles).astype(float)
    means = np.stack([vectors[p].mean(axis=0) for p in data.playlists])
    plain = np.linalg.solve(bags.T @ bags + np.eye(bags.shape[1]), bags.T @ means)
    np.testing.assert_allclose(sets.first_terms(data, vectors), plain, atol=2e-3)


def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained("set-transformer", *CHANGES), tmp_path / "model"))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda says: says.update(scaler="features"), "scaler: expected `object`, got `str`"),
        (lambda says: says.update(inputs=["energy"]), "whose inputs do not fit its tracks, terms or features"),
        (lambda says: says.update(inputs=["loudness of colour"]), "has no input"),
        (lambda says: says["files"].pop("titles.parquet"), "names no file 'titles.parquet'"),
        (lambda says: says["network"].update(sha256="0"), "checksums differ"),
        (lambda says: says.pop("network"), "has no 'network'"),
    ],
)
def test_an_invalid_model_folder_is_reported_in_one_sentence(spoil, sentence, tmp_path):
    folder = copied(tmp_path)
    says = json.loads((folder / "card.json").read_text())
    spoil(says)
    (folder / "card.json").write_text(json.dumps(says))
    with pytest.raises(DataError, match=sentence):
        load_recommender(folder, library())


def test_a_catalogue_without_known_tracks_is_reported(tmp_path):
    folder = Artifacts(
        Card(copied(tmp_path), json.loads((copied(tmp_path / "b") / "card.json").read_text())), library()
    )
    assert len(folder.rows) == 280
    with pytest.raises(DataError, match="none of which is in"):
        load_recommender(folder.card.folder, library().take(np.array(list(TrainedTests.unknown))))


def test_impossible_training_is_reported_in_one_sentence(tmp_path, capsys):
    tracks, playlists = data_files()
    asked = [str(CLOUD / "set-transformer.toml"), "--tracks", str(tracks), "--playlists", str(playlists)]
    asked += ["--output", str(tmp_path / "x")]
    assert train.main([*asked, "--set", "least_playlists = 1000"]) == 1
    assert "has no track in 1000 playlists" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_playlists_without_titles_can_be_trained_on(tmp_path):
    tracks, playlists = data_files()
    table = pq.read_table(playlists)
    untitled = pa.nulls(len(table), pa.string())
    pq.write_table(
        table.set_column(table.column_names.index("title"), "title", untitled), tmp_path / "untitled.parquet"
    )
    asked = [str(CLOUD / "set-transformer.toml"), "--tracks", str(tracks), "--output", str(tmp_path / "x")]
    asked += [
        "--playlists",
        str(tmp_path / "untitled.parquet"),
        "--set",
        "size = 8",
        "--set",
        "blocks = 1",
        "--set",
        "epochs = 1",
    ]
    assert train.main(asked) == 0
    found = load_recommender(tmp_path / "x", library())
    assert not len(found.recommend(Query(NO_SEEDS, "kind 1"), 10).rows)
    assert len(found.recommend(Query(np.array([1]), "kind 1"), 10).rows) == 10


def test_a_resumed_training_gives_the_same_model(tmp_path, monkeypatch):
    from disco.training import fitting

    folder = trained("set-transformer", *CHANGES)

    def as_trained_before(network, path, *_):
        # Writing ONNX takes longer than all the rest, and `test_the_export_agrees_with_keras` looks at it.
        shutil.copy(folder / "network.onnx", path)
        return load_card(folder)["network"]

    monkeypatch.setattr(sets, "export_network", as_trained_before)
    tracks, playlists = data_files()
    changes = [part for c in (*CHANGES[:2], "epochs = 2", "batch_size = 60") for part in ("--set", c)]
    asked = [str(CLOUD / "set-transformer.toml"), "--tracks", str(tracks), "--playlists", str(playlists), *changes]
    save, ends = fitting._save, {}

    def killed(where, kept, best, done):
        save(where, kept, best, done)
        raise KeyboardInterrupt

    def seen(where, kept, best, done):
        save(where, kept, best, done)
        # The best epoch may be the first, which says nothing of what came after: all that is trained is compared.
        ends.setdefault(len(done), []).append([variable.numpy() for variable in kept])

    # The name of the checkpoint depends on the output folder.
    for name, saving, code in (("whole", seen, 0), ("half", killed, 130), ("half", seen, 0)):
        monkeypatch.setattr(fitting, "_save", saving)
        assert train.main([*asked, "--output", str(tmp_path / name)]) == code
    assert len(ends[1]) == 1, "the first epoch was not trained again"
    for whole, half in zip(*ends[2], strict=True):
        np.testing.assert_allclose(half, whole, atol=1e-6)
