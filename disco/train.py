"""Door: fit a model from a recipe, `python -m disco.train RECIPE.toml --tracks FILE [--playlists FILE]`.

A recipe is a TOML file that says everything but where the data is. `kind = "features"` fits the scaler
(Yeo & Johnson 2000, then mean 0 and standard deviation 1) and the PCA; `kind = "predictor"` trains a
network that says what the next track should sound like, `kind = "ranker"` a tower and a follower that find
it, and both export one step as ONNX. The result is a folder with a card. What is interrupted goes on after
its last epoch when the same command is given again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
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

from disco import cli, next_track
from disco.catalogue import FEATURES, Catalogue, Rows
from disco.errors import DataError, DiscoError, MissingExtra
from disco.model import FORMAT, read_card, scaled_features, scaler
from disco.predict import load_predictor
from disco.recipe import FeaturesRecipe, PredictorRecipe, RankerRecipe, read_recipe
from disco.sources import playlists, tables
from disco.tower import NUMBERS, tower_inputs

Card = dict[str, Any]
# Where the run with a seed is saved to, and goes on from.
Saved = Callable[[int], Path]

# Cases of each part that a card's own measures are taken on.
_CASES = 5000
# What a model folder may hold: anything else in a folder is somebody's, and --force does not replace it.
_WRITTEN = {"card.json", "step.onnx", "tower.onnx", "network.keras", "tower.keras", "follower.keras"}


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


def load_networks() -> ModuleType:
    """The module `disco.networks`, once all that training and exporting need is there."""
    for package in ("keras", "tensorflow", "tf2onnx"):
        if find_spec(package) is None:
            raise MissingExtra(package, "train")
    from disco import networks

    return networks


Recipes = PredictorRecipe | RankerRecipe


def fit_best(recipe: Recipes, build: Callable[[], tuple[Any, Any]], saved: Saved) -> tuple[Any, dict[int, float]]:
    """Fit what `build` makes (networks and their task) once a seed; the best networks, and every seed's error."""
    networks = load_networks()
    from disco import fitting

    schedule = fitting.Schedule(
        recipe.epochs, recipe.patience, recipe.learning_rate, getattr(recipe, "weight_decay", 0.0)
    )
    best, errors = None, dict[int, float]()
    for seed in recipe.seeds:
        networks.start_from(seed)
        made, task = build()
        errors[seed] = fitting.fit(task, schedule, seed, saved(seed), f"{recipe.name} seed {seed}")["error"]
        if errors[seed] == min(errors.values()):
            best = made
    return best, errors


def exported(network: Any, path: Path, inputs: Sequence[str], outputs: Sequence[str]) -> Card:
    """Write a network as ONNX; return what the card says of it, in the order in which it is called and answers."""
    load_networks().export(network, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    widths = {node.name: node.shape[-1] for node in (*session.get_inputs(), *session.get_outputs())}
    return {
        "file": path.name,
        "inputs": {name: widths[name] for name in inputs},
        "outputs": {name: widths[name] for name in outputs},
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def exported_step(step: Any, folder: Path) -> Card:
    """The same for one step of a recurrent network."""
    says = exported(step, folder / "step.onnx", ("inputs", "state"), ("vector", "next_state"))
    return {**says, "state": says["inputs"]["state"]}


def parts(recipe: Recipes, where: Path, catalogue: Catalogue) -> dict[str, list[Rows]]:
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


def said_of(recipe: Recipes, found: dict[str, list[Rows]], errors: dict[int, float]) -> Card:
    """What a card says of the data that a network was trained on, and of how it was chosen."""
    return {
        "scaler": {"model": recipe.scaler, "version": read_card(recipe.scaler, "features")["version"]},
        "data": {
            "name": recipe.data,
            "source": recipe.source,
            "tracks": len(np.unique(np.concatenate(found["train"]))),
            "playlists": {name: len(part) for name, part in found.items()},
            "entries": {name: sum(map(len, part)) for name, part in found.items()},
            "split": "by playlist, as prepared; tracks whose crc32 is divisible by 10 occur in the test alone",
            "seed": min(errors, key=lambda seed: errors[seed]),
        },
        "validation_error_by_seed": {str(seed): round(error, 5) for seed, error in errors.items()},
    }


def train_predictor(
    recipe: PredictorRecipe, catalogue: Catalogue, found: dict[str, list[Rows]], folder: Path, saved: Saved
) -> Card:
    """Train a network for the next track's features, write it to a folder and return what its card says."""
    networks = load_networks()
    if recipe.network not in networks.NETWORKS:
        raise DiscoError(
            f"{recipe.name}: there is no network {recipe.network!r}, there is {', '.join(networks.NETWORKS)}"
        )
    from disco import regression

    transform = scaler(recipe.scaler)
    major = round(float(np.nanmean(catalogue.modes[np.unique(np.concatenate(found["train"]))])), 4)
    mode = np.nan_to_num(catalogue.modes, nan=major)
    inputs = np.c_[scaled_features(catalogue, transform), mode].astype(np.float32)
    cut = {name: regression.windows(part, inputs, recipe) for name, part in found.items()}

    def build() -> tuple[Any, Any]:
        network = networks.NETWORKS[recipe.network]()
        return network, regression.task(network, recipe, cut["train"], cut["validation"])

    network, errors = fit_best(recipe, build, saved)
    network.save(folder / "network.keras")
    metrics: Card = {"measure": "mean absolute error of the next track's eight scaled features; lower is better"}
    for name in ("validation", "test") if found["test"] else ("validation",):
        error = regression.mean_absolute_error(network.predict(cut[name].inputs, verbose=0), cut[name])
        each = {recipe.name: error, **regression.plain_errors(cut[name], cut["train"])}
        metrics[name] = {"joins": int(cut[name].weights.sum()), **{k: round(e, 4) for k, e in each.items()}}
    return {
        "feature_set": transform.feature_set,
        "inputs": [*FEATURES, "mode"],
        "output": list(FEATURES),
        "mode_when_unknown": major,
        "network": exported_step(networks.step(network), folder),
        **said_of(recipe, found, errors),
        "metrics": metrics,
    }


def train_ranker(
    recipe: RankerRecipe, catalogue: Catalogue, found: dict[str, list[Rows]], folder: Path, saved: Saved
) -> Card:
    """Train a tower and a follower to rank, write both to a folder and return what their card says."""
    networks = load_networks()
    from disco import ranking

    transform = scaler(recipe.scaler)
    heard = tower_inputs(catalogue, recipe.inputs, transform)
    numbers = sum(name in NUMBERS for name in recipe.inputs)

    def build() -> tuple[Any, Any]:
        made = (
            networks.tower(
                len(recipe.inputs),
                numbers,
                recipe.size,
                recipe.width,
                recipe.blocks,
                recipe.periods,
                recipe.memory,
                recipe.blur,
                recipe.dropout,
            ),
            networks.follower(recipe.size, recipe.units, recipe.memory, recipe.dropout, recipe.recurrent),
        )
        error = ranking.validation(*made, heard, catalogue, found["validation"])
        return made, ranking.task(*made, heard, found["train"], recipe, error)

    (tower, follower), errors = fit_best(recipe, build, saved)
    tower.save(folder / "tower.keras")
    follower.save(folder / "follower.keras")
    place, scale = ranking.placing(tower, follower, heard, catalogue, found, recipe)
    return {
        "feature_set": transform.feature_set,
        "inputs": recipe.inputs,
        "output": "a learned space",
        "tower": exported(networks.placed(tower, place), folder / "tower.onnx", ("inputs",), ("vector",)),
        "network": exported_step(networks.follower_step(follower, recipe.memory, place), folder),
        "scale": round(scale, 4),
        **said_of(recipe, found, errors),
    }


def next_tracks(folder: Path, catalogue: Catalogue, found: dict[str, list[Rows]]) -> Card:
    """How often the exported model finds the true next track, on what it was chosen by and on the test.

    Printed as lines for a table too: model, playlists, hit@10, MRR.
    """
    predictor = load_predictor(folder)
    space, measured = predictor.embed(catalogue), Card()
    for name in ("validation", "test"):
        if not any(len(tracks) > next_track.FIRST for tracks in found[name]):
            continue
        cases = next_track.draw(catalogue, found[name], None, most=_CASES)
        ranks = next_track.ranks(space, next_track.predictions(predictor, catalogue, space, cases), cases)
        record = next_track.records(ranks, cases)[0]
        measured[name] = {key: record[key] for key in ("n", "hit@10", "mrr", "median_rank")}
        print(f"| {predictor.name} | {name} | {record['hit@10']:.3f} | {record['mrr']:.3f} |")
    return measured


def write_card(card: Card, folder: Path) -> None:
    """Write what a model says of itself."""
    text = json.dumps(card, indent=2, ensure_ascii=False)
    (folder / "card.json").write_text(text + "\n", encoding="utf-8")


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
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="instead of the recipe's, in TOML"
    )
    parser.add_argument("--force", action="store_true", help="replace a model that is there")
    said = parser.parse_args(argv)
    recipe = read_recipe(said.recipe, said.set)
    output = said.output or Path(recipe.name)
    # Another recipe or other data is another run.
    files = [repr(recipe).encode(), *(str(p.resolve()).encode() for p in (said.tracks, said.playlists) if p)]
    run = hashlib.sha256(b"\0".join(files)).hexdigest()[:8]

    def saved(seed: int) -> Path:
        return output.parent / f".{output.name}-{run}-{seed}.npz"

    with new_folder(output, said.force) as folder:
        card: Card = {"format": FORMAT, "name": recipe.name, "version": recipe.version, "kind": "predictor"}
        if isinstance(recipe, FeaturesRecipe):
            card |= {"kind": "features", **train_features(recipe, said.tracks)}
        elif said.playlists is None:
            parser.error("a predictor is trained on --playlists")
        else:
            catalogue = tables.read(said.tracks)
            found = parts(recipe, said.playlists, catalogue)
            if isinstance(recipe, RankerRecipe):
                card |= train_ranker(recipe, catalogue, found, folder, saved)
            else:
                card |= train_predictor(recipe, catalogue, found, folder, saved)
            write_card(card, folder)
            card["metrics"] = card.get("metrics", {}) | {"next_track": next_tracks(folder, catalogue, found)}
        made_by = " ".join([said.recipe.name, *(f"--set '{change}'" for change in said.set)])
        write_card({**card, "terms": recipe.terms, "date": date.today().isoformat(), "recipe": made_by}, folder)
    for seed in getattr(recipe, "seeds", []):
        saved(seed).unlink(missing_ok=True)
    print(f"{output}: {recipe.name} {recipe.version} written", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
