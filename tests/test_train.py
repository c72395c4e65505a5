"""Fitting: numbers that agree with scikit-learn, learning on data with a known answer and on noise."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from disco.catalogue import FEATURES
from disco.cli import train
from disco.errors import DataError, MissingExtra
from disco.models.card import read_card
from disco.models.network import load_network
from disco.sources.files import tables
from disco.sources.files.playlist_tables import is_cold
from disco.training import data, export, features, seeds
from disco.training.recipes import PredictorRecipe, read_recipe

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
CLOUD = ROOT / "cloud"


def predictor_recipe(**changed: object) -> PredictorRecipe:
    recipe = read_recipe(CLOUD / "classic.toml")
    assert isinstance(recipe, PredictorRecipe)
    return replace(recipe, **changed)


def drawn_features(n: int) -> np.ndarray:
    """Like the real ones: shares crowded at 0 or 1, a loudness in dB that is mostly negative."""
    drawn = np.random.default_rng(1)
    values = drawn.beta(drawn.uniform(0.3, 2, 8), drawn.uniform(0.3, 4, 8), size=(n, 8))
    values[:, FEATURES.index("loudness")] = 2 - drawn.gamma(2, 5, size=n)
    return values


def write_recipe(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_missing_keras_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(MissingExtra, match=r"keras is not installed; run, .*: pip install .*\[train\]"):
        export.load_networks()


# --- features


def yeo_johnson(x: np.ndarray, power: np.ndarray) -> np.ndarray:
    """Plainly from the paper, through expm1 and log1p, in float32 as a card is used."""
    x, power = x.astype(np.float32), power.astype(np.float32)
    risen = np.expm1(power * np.log1p(np.maximum(x, 0))) / power
    fallen = -np.expm1((2 - power) * np.log1p(np.maximum(-x, 0))) / (2 - power)
    return np.where(x >= 0, risen, fallen)


@pytest.mark.slow
def test_a_fitted_scaler_agrees_with_scikit_learn() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    decomposition = pytest.importorskip("sklearn.decomposition")
    values = drawn_features(3000)
    card = features.fit_features(values, 3)
    lambdas, mean, scale = (np.array(card["scaler"][key]) for key in ("lambdas", "mean", "scale"))
    expected = preprocessing.PowerTransformer().fit_transform(values)
    scaled = (yeo_johnson(values, lambdas) - mean.astype(np.float32)) / scale.astype(np.float32)
    np.testing.assert_allclose(scaled, expected, atol=1e-5)

    pca = card["pca"]
    projected = (scaled - np.float32(pca["mean"])) @ np.float32(pca["components"]).T
    theirs = decomposition.PCA(3, svd_solver="full").fit_transform(expected)
    np.testing.assert_allclose(np.abs(projected), np.abs(theirs), atol=5e-5)
    assert all(max(component, key=abs) > 0 for component in pca["components"])


@pytest.mark.slow
def test_features_are_fitted_on_unique_tracks_that_are_not_cold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn")
    values = drawn_features(400)
    table = pa.table(
        {
            "track_id": [f"t{i}" for i in range(400)],
            "match": ["id" if i % 4 else "name" for i in range(400)],
            **dict(zip(FEATURES, values.T, strict=True)),
        }
    )
    pq.write_table(table, tmp_path / "tracks.parquet")
    arguments = [str(CLOUD / "features.toml"), "--tracks", str(tmp_path / "tracks.parquet")]
    arguments += ["--output", str(tmp_path / "features")]
    assert train.main(arguments) == 0
    card = json.loads((tmp_path / "features" / "card.json").read_text(encoding="utf-8"))
    used = np.array([i % 4 > 0 for i in range(400)]) & ~is_cold(f"t{i}" for i in range(400))
    assert card["data"]["tracks"] == used.sum()
    again = features.fit_features(values[used].astype(np.float32).astype(np.float64), 3)
    assert card["scaler"] == again["scaler"]

    assert train.main(arguments) == 1
    assert "exists already; use --force" in capsys.readouterr().err
    assert train.main([*arguments, "--force"]) == 0
    (tmp_path / "features" / "diary.txt").write_text("mine")
    assert train.main([*arguments, "--force"]) == 1
    assert "holds other files than a model's" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"features", "tracks.parquet"}


def test_a_failure_leaves_no_folder(tmp_path: Path) -> None:
    recipe = str(CLOUD / "features.toml")
    assert train.main([recipe, "--tracks", "nowhere.parquet", "--output", str(tmp_path / "new")]) == 1
    assert not list(tmp_path.iterdir())


def test_shipped_scaler_standardises_real_tracks() -> None:
    if not (DATA / "tracks.parquet").exists():
        pytest.skip("needs the table of real tracks, which is not part of the project")
    card = json.loads((ROOT / "disco/models/weights/features/card.json").read_text(encoding="utf-8"))
    table = pq.read_table(DATA / "tracks.parquet", columns=[*FEATURES])
    values = np.stack([table[name].to_numpy() for name in FEATURES], axis=1)
    scaled = yeo_johnson(values, np.array(card["scaler"]["lambdas"]))
    scaled = (scaled - card["scaler"]["mean"]) / card["scaler"]["scale"]
    # Also the tracks whose features are copied, and the cold ones, which the fit left out.
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(scaled.std(axis=0), 1, atol=0.05)


# --- playlists


def catalogue_of(ids: list[str], tmp_path: Path, unmeasured: str = "") -> tables.Catalogue:
    values = drawn_features(len(ids))
    values[[track_id == unmeasured for track_id in ids]] = np.nan
    table = pa.table({"track_id": ids, "mode": [1] * len(ids), **dict(zip(FEATURES, values.T, strict=True))})
    pq.write_table(table, tmp_path / "tracks.parquet")
    return tables.read(tmp_path / "tracks.parquet")


@pytest.mark.train
def test_windows_pair_each_track_with_the_next() -> None:
    inputs = np.arange(7 * 9, dtype=np.float32).reshape(7, 9)
    cut = regression().windows([np.arange(7)], inputs, predictor_recipe(window=4, minimum_length=2))
    np.testing.assert_array_equal(cut.inputs[0], inputs[:3])
    np.testing.assert_array_equal(cut.targets[0], inputs[1:4, :8])
    np.testing.assert_array_equal(cut.inputs[1], inputs[4:7])
    np.testing.assert_array_equal(cut.weights, [[1, 1, 1], [1, 1, 0]])


def prepared(tmp_path: Path, ids: int, **splits: int) -> Path:
    """A prepared table of so many playlists in each split, 30 tracks each."""
    names = [name for name, n in splits.items() for _ in range(n)]
    rows = [
        {"playlist_id": f"p{p}", "position": i, "track_id": f"t{(11 * p + 3 * i) % ids}", "split": name}
        for p, name in enumerate(names)
        for i in range(30)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "playlists.parquet")
    return tmp_path / "playlists.parquet"


def test_cold_tracks_are_in_the_test_split_only(tmp_path: Path) -> None:
    ids = [f"t{i}" for i in range(200)]
    catalogue = catalogue_of(ids, tmp_path)
    parts = data.split_sequences(
        predictor_recipe(), prepared(tmp_path, 200, train=24, validation=8, test=6), catalogue
    )
    assert {name: len(part) for name, part in parts.items()} == {"train": 24, "validation": 8, "test": 6}
    cold = is_cold(ids)
    assert not any(cold[rows].any() for name in ("train", "validation") for rows in parts[name])
    assert any(cold[rows].any() for rows in parts["test"])


@pytest.mark.parametrize(
    ("splits", "sentence"),
    [({"train": 9}, "no playlist of 10 covered tracks in the split 'validation'"), ({None: 9}, "disco prepare")],
)
def test_unprepared_playlists_are_reported(tmp_path: Path, splits: dict[str, int], sentence: str) -> None:
    catalogue = catalogue_of([f"t{i}" for i in range(200)], tmp_path)
    where = prepared(tmp_path, 200, **{str(name): n for name, n in splits.items()})
    if None in splits:
        pq.write_table(pq.read_table(where).drop_columns(["split"]), where)
    with pytest.raises(DataError, match=sentence) as error:
        data.split_sequences(predictor_recipe(), where, catalogue)
    assert str(where) in str(error.value)


# --- learning


def regression() -> Any:
    pytest.importorskip("keras")
    from disco.training import regression

    return regression


def fitted(recipe: PredictorRecipe, taught: Any, chosen_by: Any, folder: Path) -> Any:
    """The recipe's network fitted to windows, as the command does it; what it saves goes to the folder."""
    folder.mkdir(exist_ok=True)

    def build() -> tuple[Any, Any]:
        network = export.load_networks().NETWORKS[recipe.network]()
        return network, regression().task(network, recipe, taught, chosen_by)

    return seeds.fit_best(recipe, build, lambda seed: folder / f"{seed}.npz")[0]


def drawn_windows(follow: float, seed: int, n: int = 800) -> Any:
    """Sequences in which each vector is `follow` times the last one plus normal noise of sd 1."""
    drawn = np.random.default_rng(seed)
    tracks = drawn.normal(size=(n, 20, 9)).astype(np.float32)
    for t in range(1, 20):
        tracks[:, t, :8] += follow * tracks[:, t - 1, :8]
    there = np.arange(1, 20) < drawn.integers(10, 21, size=(n, 1))
    return regression().Windows(tracks[:, :-1], tracks[:, 1:, :8], there.astype(np.float32))


@pytest.fixture(scope="module")
def networks() -> object:
    pytest.importorskip("keras")
    return export.load_networks()


def learn(follow: float, tmp_path: Path, seed: int = 1) -> tuple[float, dict[str, float]]:
    recipe = predictor_recipe(seeds=[seed], epochs=12, patience=12, batch_size=64)
    taught, unseen = drawn_windows(follow, seed=1), drawn_windows(follow, seed=2)
    network = fitted(recipe, taught, drawn_windows(follow, seed=3), tmp_path)
    error = regression().mean_absolute_error(network.predict(unseen.inputs, verbose=0), unseen)
    return error, regression().plain_errors(unseen, taught)


# Mean absolute value of the normal noise: no predictor can do better.
FLOOR = np.sqrt(2 / np.pi)


@pytest.mark.train
def test_a_known_pattern_is_learned(networks: object, tmp_path: Path) -> None:
    error, plain = learn(0.9, tmp_path)
    assert FLOOR * 0.97 < error < FLOOR * 1.03
    assert error < 0.8 * min(plain.values())


@pytest.mark.train
def test_noise_teaches_nothing(networks: object, tmp_path: Path) -> None:
    error, plain = learn(0.0, tmp_path)
    # Four standard errors of the mean of some 70,000 absolute values, whose sd is 0.6.
    assert abs(plain["constant_mean"] - FLOOR) < 0.01
    assert error > plain["constant_mean"] - 0.01


@pytest.mark.train
def test_the_same_seed_gives_the_same_network(networks: object, tmp_path: Path) -> None:
    recipe, windows = predictor_recipe(seeds=[4], epochs=2), drawn_windows(0.5, seed=1, n=200)
    first, second = (fitted(recipe, windows, windows, tmp_path / name) for name in ("first", "second"))
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.train
def test_a_killed_run_resumes_with_the_same_result(
    networks: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, windows = predictor_recipe(seeds=[4], epochs=5), drawn_windows(0.5, seed=1, n=200)
    whole = fitted(recipe, windows, windows, tmp_path / "whole")
    from disco.training import fitting

    save = fitting._save

    def killed(where: Path, kept: Any, best: Any, done: list[float]) -> None:
        save(where, kept, best, done)
        if len(done) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(fitting, "_save", killed)
    with pytest.raises(KeyboardInterrupt):
        fitted(recipe, windows, windows, tmp_path / "killed")
    monkeypatch.setattr(fitting, "_save", save)
    resumed = fitted(recipe, windows, windows, tmp_path / "killed")
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.train
def test_the_command_writes_a_model_that_loads_and_runs(networks: object, tmp_path: Path) -> None:
    catalogue_of([f"t{i}" for i in range(300)], tmp_path)
    prepared(tmp_path, 300, train=30, validation=6, test=4)
    text = (CLOUD / "classic.toml").read_text(encoding="utf-8")
    for old, new in (("epochs = 30", "epochs = 1"), ("[1, 2, 3]", "[1]")):
        text = text.replace(old, new)
    recipe = write_recipe(tmp_path / "small.toml", text)
    arguments = ["--tracks", tmp_path / "tracks.parquet", "--playlists", tmp_path / "playlists.parquet"]
    assert train.main([str(a) for a in (recipe, *arguments, "--output", tmp_path / "small")]) == 0
    assert {path.name for path in (tmp_path / "small").iterdir()} == {"card.json", "step.onnx", "network.keras"}
    network = load_network(read_card(tmp_path / "small", "predictor"))
    result = network(inputs=np.ones((5, 9), dtype=np.float32), state=np.zeros((5, 32), dtype=np.float32))
    assert {name: values.shape for name, values in result.items()} == {"vector": (5, 8), "next_state": (5, 32)}
    assert all(np.isfinite(values).all() for values in result.values())


# --- several workers


class Pair:
    """One of two workers that are threads of this process, each with a copy of the network."""

    def __init__(self, rank: int, meeting: threading.Barrier, brought: list[Any]) -> None:
        self.rank, self.size, self._meeting, self._brought = rank, 2, meeting, brought

    def mean(self, values: list[Any]) -> list[Any]:
        tensorflow = pytest.importorskip("tensorflow")
        if not tensorflow.executing_eagerly():
            return values  # of a compilation, whose result is not used
        self._brought[self.rank] = values
        self._meeting.wait(30)
        means = [(one + other) / 2 for one, other in zip(*self._brought, strict=True)]
        self._meeting.wait(30)
        return means


def learned(batch: int, saved: Path, workers: Pair | None = None, dies_after: int = 4) -> list[Any]:
    """The weights and the errors of a linear regression, fitted with batches of a size."""
    keras, tensorflow = pytest.importorskip("keras"), pytest.importorskip("tensorflow")
    from disco.training import fitting

    drawn = np.random.default_rng(0)
    x = drawn.normal(size=(64, 3)).astype(np.float32)
    y = x @ np.array([1, -2, 3], dtype=np.float32) + drawn.normal(scale=0.1, size=64).astype(np.float32)
    weight = keras.Variable(np.zeros(3, dtype=np.float32))
    measured: list[float] = []

    def batches(rng: np.random.Generator) -> list[tuple[Any, ...]]:
        return [(x[rows], y[rows]) for rows in np.split(rng.permutation(64), 64 // batch)]

    def error() -> float:
        if len(measured) == dies_after:
            raise InterruptedError
        measured.append(float(np.abs(x @ weight.numpy() - y).mean()))
        return measured[-1]

    def loss(x: Any, y: Any) -> Any:
        return tensorflow.reduce_mean((tensorflow.linalg.matvec(x, weight.value) - y) ** 2)

    task = fitting.Task([weight], [], loss, batches, 64 // batch, error)
    found = fitting.fit(task, fitting.Schedule(4, 4, 0.5), 1, saved, workers=workers)
    return [weight.numpy(), found["errors"]]


def both(work: Callable[[Pair], list[Any]]) -> list[list[Any] | None]:
    """What each of two workers finds; None of one that is interrupted."""
    meeting, brought, found = threading.Barrier(2), [None, None], [None, None]

    def one(rank: int) -> None:
        with contextlib.suppress(InterruptedError):
            found[rank] = work(Pair(rank, meeting, brought))

    threads = [threading.Thread(target=one, args=(rank,)) for rank in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.fixture
def eagerly() -> Iterator[None]:
    """Steps run line by line, in the thread that asks for them, so that threads can wait for each other."""
    tensorflow = pytest.importorskip("tensorflow")
    tensorflow.config.run_functions_eagerly(True)
    yield
    tensorflow.config.run_functions_eagerly(False)


@pytest.mark.train
def test_two_workers_learn_what_one_learns_from_both_batches_also_after_a_kill(
    networks: object, tmp_path: Path, eagerly: None
) -> None:
    weight, errors = learned(16, tmp_path / "alone.npz")
    assert errors[-1] < 0.3 * errors[0]
    undisturbed = both(lambda worker: learned(8, tmp_path / "both.npz", worker))
    for found in undisturbed:
        assert found
        np.testing.assert_allclose(found[0], weight, rtol=1e-5)
        np.testing.assert_allclose(found[1], errors, rtol=1e-4)
    assert both(lambda worker: learned(8, tmp_path / "killed.npz", worker, dies_after=2)) == [None, None]
    for one, other in zip(both(lambda worker: learned(8, tmp_path / "killed.npz", worker)), undisturbed, strict=True):
        assert one
        assert other
        np.testing.assert_array_equal(one[0], other[0])
        assert one[1] == other[1]
