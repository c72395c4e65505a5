"""Time to train `classic` to the error that the published training ends with, both in one run.

Published: Keras `fit`, a Masking layer, SimpleRNN and Adam with their defaults, batches of 32, ten epochs. DISCO: the
recipe, stopped at the first epoch that is as good. Imports do not count.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from table import head, row

from disco.models.scaler import scaled_features, scaler
from disco.sources.files import tables
from disco.training.data import split_sequences
from disco.training.export import load_networks
from disco.training.recipes import PredictorRecipe, read_recipe

CLASSIC = Path(__file__).parents[1] / "cloud" / "classic.toml"


def main() -> None:
    """Print the table."""
    p = argparse.ArgumentParser(description="Compare the time of two trainings of `classic`.")
    p.add_argument("--tracks", type=Path, required=True)
    p.add_argument("--playlists", type=Path, required=True, help="as disco prepare wrote them")
    arguments = p.parse_args()
    recipe = read_recipe(CLASSIC)
    assert isinstance(recipe, PredictorRecipe)
    networks = load_networks()
    import keras

    from disco.training import fitting, regression

    catalogue = tables.read(arguments.tracks)
    sequences = split_sequences(recipe, arguments.playlists, catalogue)
    inputs = np.c_[scaled_features(catalogue, scaler()), np.nan_to_num(catalogue.modes, nan=0.64)].astype(np.float32)
    cut = {name: regression.windows(sequences[name], inputs, recipe) for name in ("train", "validation")}

    published = keras.Sequential(
        [
            keras.Input((None, 9)),
            keras.layers.Masking(),
            keras.layers.SimpleRNN(16, activation="linear", return_sequences=True),
            keras.layers.SimpleRNN(16, activation="linear", return_sequences=True),
            keras.layers.Dense(8),
        ]
    )
    published.compile("adam", "mae")
    start = time.perf_counter()
    published.fit(
        cut["train"].inputs,
        cut["train"].targets,
        sample_weight=cut["train"].weights,
        batch_size=32,
        epochs=10,
        verbose=0,
    )
    published_seconds = time.perf_counter() - start
    predicted = published.predict(cut["validation"].inputs, verbose=0)
    target = regression.mean_absolute_error(predicted, cut["validation"])

    networks.set_seed(1)
    network = networks.classic()
    task = regression.task(network, recipe, cut["train"], cut["validation"])
    reached: list[float] = []

    class Reached(Exception):
        pass

    start = time.perf_counter()

    def error() -> float:
        reached.append(task.error())
        if reached[-1] <= target:
            raise Reached
        return reached[-1]

    with contextlib.suppress(Reached):
        fitting.fit(
            replace(task, error=error), fitting.Schedule(recipe.epochs, recipe.patience, recipe.learning_rate), 1
        )
    seconds = time.perf_counter() - start
    head(
        "Training `classic` to the same validation error", "training", "seconds", "epochs", "validation MAE", "ratio"
    )
    row("published: batches of 32, Keras defaults", f"{published_seconds:.1f}", 10, f"{target:.4f}", "1")
    row(
        "cloud/classic.toml",
        f"{seconds:.1f}",
        len(reached),
        f"{min(reached):.4f}",
        f"{published_seconds / seconds:.1f} x faster",
    )


if __name__ == "__main__":
    main()
