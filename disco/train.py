"""Door: fit a model from a recipe, `python -m disco.train RECIPE.toml --tracks FILE [--playlists FILE]`.

A recipe is a TOML file that says everything but where the data is. `kind = "features"` fits the scaler
(Yeo & Johnson 2000, then mean 0 and standard deviation 1) and the PCA; `kind = "predictor"` trains a
network that says what the next track should sound like and exports one step of it as ONNX. Either way
the result is a folder with a card. Method: taylorhawks, RNN-music-recommender.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from disco import cli
from disco.catalogue import FEATURES, Catalogue, Floats, Rows
from disco.errors import DataError, DiscoError, MissingExtra
from disco.model import FORMAT, read_card, scaled_features, scaler
from disco.recipe import FeaturesRecipe, PredictorRecipe, read_recipe
from disco.sources import playlists, tables

Card = dict[str, Any]

# What a model folder may hold: anything else in a folder is somebody's, and --force does not replace it.
_WRITTEN = {"card.json", "step.onnx", "network.keras"}


@dataclass(frozen=True)
class Windows:
    """Playlists cut into windows, ready for a network.

    Attributes
    ----------
    inputs : ndarray, shape (n, tracks - 1, 9)
        Scaled features and mode, zero where a window has ended.
    targets : ndarray, shape (n, tracks - 1, 8)
        Scaled features of the track after each.
    weights : ndarray, shape (n, tracks - 1)
        1 where there is a track after it, 0 in the padding.
    """

    inputs: Floats
    targets: Floats
    weights: Floats


def read_columns(path: Path, columns: Sequence[str]) -> pa.Table:
    """Those columns of a Parquet or CSV file, rows with a null left out; a missing file or column is a DataError."""
    try:
        table = (pa.csv.read_csv if path.suffix.lower() == ".csv" else pa.parquet.read_table)(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(path, f"is not a readable table ({str(error).splitlines()[0]})") from None
    if missing := [name for name in columns if name not in table.column_names]:
        raise DataError(path, f"has no column {', '.join(missing)}; it has {', '.join(table.column_names)}")
    return table.select(list(columns)).drop_null()


def fit_features(values: NDArray[np.float64], components: int) -> Card:
    """Scaler and PCA of unique tracks (n, 8), as the numbers of a card.

    scaled = (yeo_johnson(x; lambda) - mean) / scale; place = (scaled - pca mean) @ components.T. The
    largest loading of each component is positive: its sign is otherwise an accident of the solver.
    """
    try:
        from sklearn.decomposition import PCA
        from sklearn.preprocessing import PowerTransformer, StandardScaler
    except ImportError:
        raise MissingExtra("scikit-learn", "train") from None
    power = PowerTransformer(standardize=False).fit(values)
    standard = StandardScaler().fit(power.transform(values))
    pca = PCA(components, svd_solver="full").fit(standard.transform(power.transform(values)))
    largest = np.abs(pca.components_).argmax(axis=1)
    signs = np.sign(pca.components_[np.arange(components), largest])
    return {
        "scaler": {
            "lambdas": power.lambdas_.tolist(),
            "mean": standard.mean_.tolist(),
            "scale": standard.scale_.tolist(),
        },
        "pca": {
            "mean": pca.mean_.tolist(),
            "components": (pca.components_ * signs[:, None]).tolist(),
            "explained_variance_ratio": pca.explained_variance_ratio_.tolist(),
        },
    }


def train_features(recipe: FeaturesRecipe, tracks: Path) -> Card:
    """What a card says of the scaler and the PCA fitted on the tracks of a table, each once."""
    catalogue = tables.read(tracks)
    chosen = read_columns(tracks, ["track_id", *recipe.only])
    for column, value in recipe.only.items():
        chosen = chosen.filter(pc.equal(chosen[column], value))
    ids = catalogue.table["track_id"]
    named = pc.is_in(ids, value_set=chosen["track_id"].cast(pa.string())).to_numpy()
    kept = named & catalogue.measured & ~playlists.is_cold(ids.to_pylist())
    if kept.sum() <= len(FEATURES):
        raise DataError(tracks, f"has {kept.sum()} tracks to fit on: with all features, and {recipe.only}")
    return {
        "feature_set": catalogue.feature_set,
        "inputs": list(FEATURES),
        **fit_features(catalogue.features()[kept].astype(np.float64), recipe.components),
        "data": {"name": recipe.data, "tracks": int(kept.sum()), "source": recipe.source},
    }


def windows(playlists: Iterable[Rows], inputs: Floats, recipe: PredictorRecipe) -> Windows:
    """Cut playlists into windows of so many tracks; an end shorter than the minimum length is left out.

    `inputs`, shape (tracks, 9), holds scaled features and mode of every row.
    """
    size = recipe.window
    cuts = [tracks[start : start + size] for tracks in playlists for start in range(0, len(tracks), size)]
    cuts = [cut for cut in cuts if len(cut) >= recipe.minimum_length]
    rows = np.full((len(cuts), size), -1, dtype=np.intp)
    for padded, cut in zip(rows, cuts, strict=True):
        padded[: len(cut)] = cut
    there = rows >= 0
    known = np.where(there[..., None], inputs[rows], np.float32(0))
    return Windows(known[:, :-1], known[:, 1:, : len(FEATURES)], there[:, 1:].astype(np.float32))


def mean_absolute_error(predicted: Floats, on: Windows) -> float:
    """Mean absolute error over all joins and features; `predicted` broadcasts to the targets' shape."""
    errors = np.abs(predicted - on.targets).mean(axis=-1, dtype=np.float64)
    return float(np.average(errors, weights=on.weights))


def plain_errors(on: Windows, trained: Windows) -> dict[str, float]:
    """Errors of what needs no network: two constants of the training data, and the mean of the tracks so far.

    The error about the mean is the mean absolute deviation that the published error stands next to.
    """
    seen = trained.targets[trained.weights > 0]
    so_far = on.inputs[..., : len(FEATURES)].cumsum(axis=1)
    so_far /= np.arange(1, so_far.shape[1] + 1, dtype=np.float32)[:, None]
    return {
        "running_mean": mean_absolute_error(so_far, on),
        "constant_median": mean_absolute_error(np.median(seen, axis=0), on),
        "constant_mean": mean_absolute_error(seen.mean(axis=0), on),
    }


def load_networks() -> ModuleType:
    """The module `disco.networks`, once all that training and exporting need is there."""
    for package in ("keras", "tensorflow", "tf2onnx"):
        if find_spec(package) is None:
            raise MissingExtra(package, "train")
    from disco import networks

    return networks


def fit(network: Any, recipe: PredictorRecipe, seed: int, train: Windows, validation: Windows) -> float:
    """Train a network in place and return its error on the validation windows, at its best epoch.

    Adam on the mean absolute error; the learning rate falls to zero along a cosine.
    """
    import keras

    def report(epoch: int, logs: dict[str, float]) -> None:
        done = f"seed {seed}  epoch {epoch + 1:3d}/{recipe.epochs}"
        print(f"{done}  loss {logs['loss']:.4f}  validation {logs['val_mae']:.4f}", file=sys.stderr)

    steps = recipe.epochs * -(-len(train.inputs) // recipe.batch_size)
    rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps)
    network.compile(
        # A linear network has nothing that bounds it: one steep batch could throw it out of range.
        keras.optimizers.Adam(rate, clipnorm=1.0),
        # Divided by the weights and not by the padded size, so that padding neither counts nor dilutes.
        keras.losses.MeanAbsoluteError(reduction="mean_with_sample_weight"),
        weighted_metrics=[keras.metrics.MeanAbsoluteError(name="mae")],
    )
    history = network.fit(
        train.inputs,
        train.targets,
        sample_weight=train.weights,
        validation_data=(validation.inputs, validation.targets, validation.weights),
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        verbose=0,
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_end=report),
            keras.callbacks.EarlyStopping("val_mae", mode="min", patience=recipe.patience, restore_best_weights=True),
        ],
    )
    return float(min(history.history["val_mae"]))


def fit_best(recipe: PredictorRecipe, train: Windows, validation: Windows) -> tuple[Any, dict[int, float]]:
    """Train the recipe's network once a seed; the one with the lowest validation error, and all errors."""
    networks = load_networks()
    best, errors = None, dict[int, float]()
    for seed in recipe.seeds:
        networks.start_from(seed)
        network = networks.NETWORKS[recipe.network]()
        errors[seed] = fit(network, recipe, seed, train, validation)
        if errors[seed] == min(errors.values()):
            best = network
    return best, errors


def export_step(network: Any, folder: Path) -> Card:
    """Write `network.keras` and its one step as `step.onnx`; return what the card says of them."""
    networks, path = load_networks(), folder / "step.onnx"
    network.save(folder / "network.keras")
    networks.export(networks.step(network), path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    widths = {node.name: node.shape[-1] for node in (*session.get_inputs(), *session.get_outputs())}
    return {
        "file": path.name,
        # In the order in which a step is called and answers; the file lists its outputs by the alphabet.
        "inputs": {name: widths[name] for name in ("inputs", "state")},
        "outputs": {name: widths[name] for name in ("vector", "next_state")},
        "state": widths["state"],
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def parts(recipe: PredictorRecipe, where: Path, catalogue: Catalogue) -> dict[str, list[Rows]]:
    """Prepared playlists to train on, to choose by and to test with; cold tracks are in the last alone.

    Raises
    ------
    DataError
        If they are not prepared, or there is none to train on or to choose by.
    """
    entries = playlists.read(where)
    if "split" not in entries.column_names:
        raise DataError(where, "does not say which playlists to train on; make it with: disco prepare")
    cold = pa.array(playlists.is_cold(entries["track_id"].cast(pa.string()).to_pylist()))
    found = {}
    for name in ("train", "validation", "test"):
        kept = pc.equal(entries["split"].cast(pa.string()), name)
        if name != "test":
            kept = pc.and_not(kept, cold)
        found[name] = playlists.sequences(entries.filter(kept), catalogue, recipe.minimum_length)
        if name != "test" and not found[name]:
            raise DataError(where, f"has no playlist of {recipe.minimum_length} covered tracks in the split {name!r}")
    return found


def train_predictor(recipe: PredictorRecipe, tracks: Path, prepared: Path, folder: Path) -> Card:
    """Train the recipe's network, write it to a folder and return what its card says."""
    if recipe.network not in (known := load_networks().NETWORKS):
        raise DiscoError(f"{recipe.name}: there is no network {recipe.network!r}, there is {', '.join(known)}")
    catalogue, transform = tables.read(tracks), scaler(recipe.scaler)
    found = parts(recipe, prepared, catalogue)
    heard, mode = np.unique(np.concatenate(found["train"])), catalogue.numbers("mode")
    major = round(float(np.nanmean(mode[heard])), 4)
    inputs = np.c_[scaled_features(catalogue, transform), np.nan_to_num(mode, nan=major)].astype(np.float32)
    cut = {name: windows(part, inputs, recipe) for name, part in found.items()}
    network, errors = fit_best(recipe, cut["train"], cut["validation"])
    metrics = {}
    for name in ("validation", "test") if found["test"] else ("validation",):
        error = mean_absolute_error(network.predict(cut[name].inputs, verbose=0), cut[name])
        each = {recipe.name: error, **plain_errors(cut[name], cut["train"])}
        metrics[name] = {"joins": int(cut[name].weights.sum()), **{k: round(e, 4) for k, e in each.items()}}
    return {
        "feature_set": transform.feature_set,
        "inputs": [*FEATURES, "mode"],
        "output": list(FEATURES),
        "scaler": {"model": recipe.scaler, "version": read_card(recipe.scaler, "features")["version"]},
        "network": export_step(network, folder),
        "mode_when_unknown": major,
        "data": {
            "name": recipe.data,
            "source": recipe.source,
            "tracks": len(heard),
            "playlists": {name: len(part) for name, part in found.items()},
            "entries": {name: sum(map(len, part)) for name, part in found.items()},
            "windows": {name: len(part.inputs) for name, part in cut.items()},
            "split": "by playlist, as prepared; tracks whose crc32 is divisible by 10 occur in the test alone",
            "seed": min(errors, key=lambda seed: errors[seed]),
        },
        "metrics": {
            "measure": "mean absolute error of the next track's eight scaled features; lower is better",
            "choice": "seed and epoch by the lowest validation error; the test served no choice",
            "validation_by_seed": {str(seed): round(error, 5) for seed, error in errors.items()},
            **metrics,
        },
    }


@contextmanager
def new_folder(folder: Path, force: bool) -> Iterator[Path]:
    """A folder to write a model to, which becomes `folder` once it is whole; nothing is left of a failure.

    Raises
    ------
    DataError
        If `folder` exists and may not be replaced: without `force`, or if it holds more than a model.
    """
    if folder.exists() and not force:
        raise DataError(folder, "exists already; use --force to replace the model there")
    if folder.exists() and (not folder.is_dir() or {path.name for path in folder.iterdir()} - _WRITTEN):
        raise DataError(folder, "is not a model's folder alone, so it is not replaced")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
        fresh, old = Path(beside, "new"), Path(beside, "old")
        fresh.mkdir()
        yield fresh
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)


@cli.door
def main(argv: Sequence[str] | None = None) -> int:
    """Fit what a recipe says and write the model folder."""
    parser = argparse.ArgumentParser("disco train", description="Fit a model from a recipe.")
    parser.add_argument("recipe", type=Path, metavar="RECIPE.toml")
    parser.add_argument("--tracks", type=Path, required=True, help="table of tracks with features")
    parser.add_argument("--playlists", type=Path, help="table playlist_id, position, track_id; for predictors")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="the recipe's name by default")
    parser.add_argument("--force", action="store_true", help="replace a model that is there")
    said = parser.parse_args(argv)
    recipe = read_recipe(said.recipe)
    output = said.output or Path(recipe.name)
    with new_folder(output, said.force) as folder:
        card: Card = {"format": FORMAT, "name": recipe.name, "version": recipe.version, "kind": recipe.kind}
        if isinstance(recipe, FeaturesRecipe):
            card |= train_features(recipe, said.tracks)
        elif said.playlists is None:
            parser.error("a predictor is trained on --playlists")
        else:
            card |= train_predictor(recipe, said.tracks, said.playlists, folder)
        card |= {"terms": recipe.terms, "date": date.today().isoformat(), "recipe": said.recipe.name}
        text = json.dumps(card, indent=2, ensure_ascii=False)
        (folder / "card.json").write_text(text + "\n", encoding="utf-8")
    print(f"{output}: {recipe.name} {recipe.version} written", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
