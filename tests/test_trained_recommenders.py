"""Popularity, neighbours and factors: the contract, the plain way by hand, and folders that are broken or strange."""

from __future__ import annotations

import json
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from helpers.catalogues import random_catalogue
from helpers.trained import KIND, TrainedTests, data_files, library, trained

from disco.cli import train
from disco.errors import DataError, DiscoError
from disco.models.card import load_card
from disco.models.recommenders import METHODS, Query, als, collective, load_recommender, playlist_knn
from disco.models.recommenders import trained_recommenders as names_of_trained
from disco.models.recommenders.artifacts import Artifacts
from disco.models.recommenders.sparse import Sparse


class TestPopularity(TrainedTests):
    recipe, learns, noise_at_most = "popularity", 0.0, 1.0


class TestPlaylistKnn(TrainedTests):
    recipe = "playlist-knn"


class TestItemKnn(TrainedTests):
    recipe = "item-knn"


class TestAls(TrainedTests):
    recipe, changes = "als", ("factors = 8",)

    @pytest.fixture(autouse=True)
    def _implicit(self):
        pytest.importorskip("implicit")


class TestCollective(TrainedTests):
    recipe, changes = "collective", ("factors = 8", "least_titles = 1")

    @pytest.fixture(autouse=True)
    def _implicit(self):
        pytest.importorskip("implicit")

    def test_a_title_alone_is_answered(self):
        queries = [Query(np.empty(0, dtype=np.intp), f"Kind {kind}!") for kind in range(5)]
        found = self.recommender().recommend_many(queries, 30)
        assert np.mean([(KIND[each.rows] == kind).mean() for kind, each in enumerate(found)]) >= 0.9

    def test_tracks_artists_and_title_are_folded_in_together(self):
        model = collective.load_factors(
            Artifacts(load_card(trained(self.recipe, *self.changes), "recommender"), library())
        )
        query, n, how = Query(np.array([3, 8, 13, 8]), "kind 3"), len(model.folder.rows), model.params
        confidence = np.ones(len(model.factors))
        confidence[[int(np.flatnonzero(model.folder.rows == row)[0]) for row in (3, 8, 13)]] = how.confidence
        names = model.names.to_pylist()
        for name, count in Counter(library().artists(row)[0].lower() for row in query.seeds.tolist()).items():
            confidence[n + names.index(name)] = how.confidence * how.artists * np.log1p(count)
        bag = model.terms.bags([query.title])
        confidence[n + len(names) + bag.columns] = how.confidence * how.titles * bag.weights
        held = confidence != 1
        left = np.r_[model.factors * np.sqrt(confidence)[:, None], np.sqrt(how.regularization) * np.eye(8)]
        right = np.r_[np.sqrt(confidence) * held, np.zeros(8)]
        plain = np.linalg.lstsq(left, right)[0]
        np.testing.assert_allclose(model.encode([query])[0], plain, rtol=1e-3, atol=1e-5)
        artist = names.index(library().artists(3)[0].lower())
        number = int(np.flatnonzero(model.folder.rows == 3)[0])
        borrowed = model.factors[number] + how.borrowed * model.factors[n + artist]
        np.testing.assert_allclose(model.tracks[number], borrowed, rtol=1e-5)


def playlists_of(split: str = "train") -> list[list[int]]:
    """Rows of the playlists that the recommenders are trained on."""
    listed = defaultdict(list)
    for entry in pq.read_table(data_files()[1]).to_pylist():
        if entry["split"] == split:
            listed[entry["playlist_id"]].append(int(entry["track_id"][1:]))
    return [listed[name] for name in sorted(listed)]


def test_popularity_ranks_by_count():
    found = load_recommender(trained("popularity"), library()).recommend(Query(np.array([3])), 40)
    counts = Counter(row for rows in playlists_of() for row in rows)
    assert found.rows.tolist() == sorted(counts.keys() - {3}, key=lambda row: (-counts[row], row))[:40]
    assert found.scores.tolist() == [counts[row] for row in found.rows]


def test_playlist_neighbours_agree_with_a_plain_implementation():
    how = {"neighbours": 7, "idf": 1.5, "length": 0.4, "power": 2.0, "rarity": 0.5, "filling": 0.01}
    changes = [f"{name} = {value}" for name, value in how.items()]
    seeds = [0, 5, 100, 45]  # 45 is in no playlist
    found = load_recommender(trained("playlist-knn", *changes), library()).recommend(Query(np.array(seeds)), 30)

    lists = playlists_of()
    counts = Counter(row for rows in lists for row in rows)
    idf = {row: np.log(len(lists) / count) for row, count in counts.items()}
    similar = [
        sum(idf[row] ** 1.5 for row in set(seeds) & set(rows)) / sum(idf[row] ** 1.5 for row in rows) ** 0.4
        for rows in lists
    ]
    nearest = sorted(range(len(lists)), key=lambda i: (-similar[i], i))[:7]
    whole = sum(similar[i] ** 2 for i in nearest)
    scores = {
        row: sum(similar[i] ** 2 / whole for i in nearest if row in lists[i]) * idf[row] ** 0.5
        + 0.01 * count / max(counts.values())
        for row, count in counts.items()
        if row not in seeds
    }
    np.testing.assert_allclose(found.scores, [scores[row] for row in found.rows], rtol=1e-4)
    assert found.scores.tolist() == pytest.approx(sorted(scores.values(), reverse=True)[:30], rel=1e-4)


def test_neighbouring_tracks_agree_with_a_plain_implementation():
    how = {"neighbours": 12, "length": 0.5, "popularity": 0.3, "shrinkage": 0.7, "power": 1.5, "filling": 0.001}
    folder = trained("item-knn", *[f"{name} = {value}" for name, value in how.items()])
    seeds = [0, 7, 45]
    found = load_recommender(folder, library()).recommend(Query(np.array(seeds)), 20)

    lists = playlists_of()
    together = defaultdict(Counter)
    for rows in lists:
        for one in rows:
            for other in rows:
                together[one][other] += len(rows) ** -0.5
    counts, scores = Counter(row for rows in lists for row in rows), Counter()
    for seed in (0, 7):
        near = {
            row: value / (together[seed][seed] ** 0.7 * together[row][row] ** 0.3 + 0.7)
            for row, value in together[seed].items()
            if row != seed
        }
        for row in sorted(near, key=lambda row: (-round(near[row], 6), row))[:12]:
            scores[row] += near[row] ** 1.5 / 2
    plain = {r: scores[r] + 0.001 * counts[r] / max(counts.values()) for r in counts if r not in seeds}
    np.testing.assert_allclose(found.scores, [plain[row] for row in found.rows], rtol=1e-4)
    assert found.scores.tolist() == pytest.approx(sorted(plain.values(), reverse=True)[:20], rel=1e-4)


def test_folding_in_agrees_with_least_squares():
    factors = np.random.default_rng(1).normal(size=(30, 4)).astype(np.float32)
    fold = als.fold_in(factors, als.AlsParams(confidence=6.0, regularization=0.5))
    seeds = np.array([3, 9, 9, 20])
    # Every track wants 0 with weight 1, the seeds 1 with weight 6, and the factors 0 with weight 0.5.
    weights = np.ones(30)
    weights[[3, 9, 20]] = 6
    left = np.r_[factors * np.sqrt(weights)[:, None], np.sqrt(0.5) * np.eye(4)]
    right = np.r_[np.sqrt(weights) * (weights > 1), np.zeros(4)]
    np.testing.assert_allclose(fold([seeds])[0], np.linalg.lstsq(left, right)[0], rtol=1e-4)
    assert np.isnan(fold([np.array([], dtype=int)])).all()


def test_sparse_products_and_transpose_agree_with_dense_ones():
    rng = np.random.default_rng(2)
    dense = rng.random((20, 13)).astype(np.float32) * (rng.random((20, 13)) < 0.3)
    row, column = np.nonzero(dense)
    matrix = Sparse(np.r_[0, np.cumsum((dense > 0).sum(axis=1))], column.astype(np.int32), dense[row, column], 13)
    some, factors = np.array([3, 0, 19]), np.array([1, 2, -1], dtype=np.float32)
    np.testing.assert_allclose(matrix.combined(some, factors), factors @ dense[some], rtol=1e-5, atol=1e-6)
    turned = matrix.transposed()
    np.testing.assert_allclose(turned.combined(np.array([4, 7]), np.ones(2)), dense[:, [4, 7]].sum(axis=1), rtol=1e-5)
    assert matrix.combined(np.array([], dtype=int), np.array([])).tolist() == [0] * 13


# --- other catalogues


def test_models_of_other_catalogues_are_reported_and_partly_known_ones_work():
    folder = trained("playlist-knn")
    with pytest.raises(DataError, match=r"playlist-knn knows 280 tracks, none of which is in .*another catalogue"):
        load_recommender(folder, random_catalogue(40).take(np.arange(40, 40)))
    some = library().take(np.random.default_rng(1).permutation(300)[:80])
    rows = np.flatnonzero(KIND[[int(i[1:]) for i in some.ids(np.arange(80))]] == 2)
    found = load_recommender(folder, some).recommend(Query(rows[:3]), 8)
    assert (KIND[[int(i[1:]) for i in some.ids(found.rows)]] == 2).all()
    every = load_recommender(folder, some).recommend(Query(rows[:3]), 500)
    known = [i for i in some.ids(np.arange(80)) if int(i[1:]) not in TrainedTests.unknown]
    assert len(every.rows) == len(set(known) - set(some.ids(rows[:3])))


# --- folders


def copied(tmp_path: Path, recipe: str = "playlist-knn") -> Path:
    return Path(shutil.copytree(trained(recipe), tmp_path / "model"))


def changed(folder: Path, **changes: object) -> None:
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, **changes}))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda f: (f / "playlists_columns.npy").write_bytes(b"other"), "the checksums differ"),
        (lambda f: (f / "playlists_columns.npy").unlink(), "names playlists_columns.npy, which cannot be read"),
        (lambda f: changed(f, files={}), "names no file"),
        (lambda f: changed(f, files="all"), "files: expected `object`, got `str`"),
        (lambda f: changed(f, method="magic"), "is by the method 'magic'; known are popularity"),
        (lambda f: changed(f, parameters={"idf": 1}), "parameters: the key `neighbours` is missing"),
        (lambda f: changed(f, kind="predictor"), "is not a predictor's card: the key `inputs` is missing"),
        (lambda f: changed(f, format=99), "newer than this program"),
        (lambda f: (f / "card.json").write_text("{"), "is not a readable card"),
    ],
)
def test_an_invalid_model_folder_is_reported_in_one_sentence(spoil, sentence, tmp_path):
    folder = copied(tmp_path)
    spoil(folder)
    with pytest.raises(DiscoError, match=sentence):
        load_recommender(folder, library())


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.array([object()]), "is not a readable array"),  # a pickle, which is never opened
        (np.zeros((3, 3), dtype=np.int32), "has the shape"),
        (np.array([0, 2, 1], dtype=np.int32), "is not an increasing list of row starts"),
        (np.array([0, np.nan, 1]), "values that are not finite numbers"),
    ],
)
def test_an_invalid_array_is_reported_in_one_sentence(array, sentence, tmp_path):
    import hashlib

    folder = copied(tmp_path)
    where = folder / "playlists_starts.npy"
    np.save(where, array, allow_pickle=True)
    files = json.loads((folder / "card.json").read_text())["files"]
    changed(folder, files={**files, where.name: hashlib.sha256(where.read_bytes()).hexdigest()})
    with pytest.raises(DataError, match=sentence):
        load_recommender(folder, library())


# --- the command


@pytest.mark.slow
def test_a_trained_recommender_is_found_by_name_in_the_users_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DISCO_DATA", str(tmp_path))
    tracks, playlists = data_files()
    asked = [str(trained("popularity").parents[1]), "--tracks", str(tracks), "--playlists", str(playlists)]
    asked[0] = str(Path(__file__).parents[1] / "cloud" / "popularity.toml")
    assert train.main(asked) == 0
    assert "| popularity | first-5 | 40 |" in capsys.readouterr().out
    assert load_recommender("popularity", library()).name == "popularity"
    assert names_of_trained() == ["autoencoder", "content", "popularity"]  # shipped ones first
    card = json.loads((tmp_path / "models" / "popularity" / "card.json").read_text())
    assert card["data"]["playlists"] == {"train": 120, "validation": 40}
    assert set(card["metrics"]["continuation"]["validation"]) == {"first-5", "first-1"}
    assert set(card["metrics"]["continuation"]["validation"]["first-5"]) >= {"r_precision", "ndcg", "clicks"}
    assert train.main(asked) == 1
    assert "exists already; use --force" in capsys.readouterr().err
    assert train.main([*asked, "--force"]) == 0


def test_training_without_playlists_is_refused(tmp_path, capsys):
    tracks, playlists = data_files()
    recipe = str(Path(__file__).parents[1] / "cloud" / "playlist-knn.toml")
    assert train.main([recipe, "--tracks", str(tracks), "--output", str(tmp_path / "x")]) == 1
    assert "name them with --playlists" in capsys.readouterr().err
    strange = pq.read_table(playlists)
    strange = strange.set_column(strange.column_names.index("track_id"), "track_id", [["z"] * len(strange)])
    pq.write_table(strange, tmp_path / "strange.parquet")
    where = ["--playlists", str(tmp_path / "strange.parquet"), "--output", str(tmp_path / "x")]
    assert train.main([recipe, "--tracks", str(tracks), *where]) == 1
    assert "has no playlist to train on" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_every_method_has_a_test():
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    for method in METHODS:
        assert f'"{method}"' in tests


@pytest.mark.slow
def test_the_top_500_of_a_playlist_are_found_in_time():
    """200,000 tracks, 10,000 playlists of 60 tracks each, the popular ones as popular as in the Million Playlists."""
    import time

    rng = np.random.default_rng(1)
    tracks = (rng.random(600_000) ** 3 * 200_000).astype(np.int32)
    matrix = Sparse(np.arange(10_001) * 60, tracks, np.ones(600_000, dtype=np.float32), 200_000)
    how = playlist_knn.PlaylistKnnParams(250, 2.0, 0.3, 1.5, 0.5, 0.01)
    score = playlist_knn.track_scores(matrix, how)
    from disco.models.recommenders.scoring import top_n

    seconds = []
    for i in range(20):
        seeds = matrix.columns[i * 60 : i * 60 + 50]
        began = time.perf_counter()
        top_n(score(seeds)[None], [Query(seeds.astype(np.intp))], 500)
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.020
