"""Train an autoencoder of 15 numbers of a track, each standardised, on the tracks of a table, one a title.

The published network: 15 -> 32 -> dropout -> 128 (linear) -> 32 -> 15, mean squared error, Adam, early stopping; then
some epochs without dropout. Tracks whose crc32 is divisible by 10 are not trained on: they say when to stop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
import tensorflow

from disco.catalogue import Catalogue, Floats
from disco.catalogue.numbering import genre_numbers
from disco.catalogue.table import Mask
from disco.errors import DataError
from disco.evaluation import metrics
from disco.models.recommenders.autoencoder import INPUTS, raw_inputs, standardise
from disco.models.recommenders.content import ContentParams
from disco.sources.files import playlist_tables
from disco.training import fitting
from disco.training.data import Card, Run, first_of_each_title
from disco.training.export import export_network
from disco.training.fitting import Batch, Task
from disco.training.recipes import AutoencoderRecipe
from disco.training.seeds import fit_best


def network(recipe: AutoencoderRecipe, inputs: int = len(INPUTS)) -> keras.Model:
    """The published network: (n, 15) -> (n, 15); its layer `code` is the code."""
    return keras.Sequential(
        [
            keras.Input((inputs,), name="inputs"),
            keras.layers.Dense(recipe.width, activation="relu", name="in"),
            keras.layers.Dropout(recipe.dropout),
            keras.layers.Dense(recipe.size, name="code"),
            keras.layers.Dense(recipe.width, activation="relu", name="out"),
            keras.layers.Dense(inputs, name="copy"),
        ],
        name="autoencoder",
    )


def encoder(whole: keras.Model) -> keras.Model:
    """From inputs to the code, sharing the weights."""
    return keras.Model(whole.inputs, {"code": whole.get_layer("code").output}, name="encoder")


def task(whole: keras.Model, teaching: Floats, asked: Floats, recipe: AutoencoderRecipe, dropout: bool) -> Task:
    """The task of copying tracks, shape (n, 15); the error is that of the copies of other tracks, shape (m, 15)."""

    def loss(inputs: Any) -> Any:
        return tensorflow.reduce_mean((whole(inputs, training=dropout) - inputs) ** 2)

    def batches(rng: np.random.Generator) -> Iterator[Batch]:
        order = rng.permutation(len(teaching))
        for start in range(0, len(order), recipe.batch_size):
            yield (teaching[order[start : start + recipe.batch_size]],)

    def error() -> float:
        return float(errors_of(whole, asked).mean())

    n_batches = -(-len(teaching) // recipe.batch_size)
    return Task(whole.trainable_variables, whole.non_trainable_variables, loss, batches, n_batches, error)


def errors_of(whole: keras.Model, encoded: Floats) -> Floats:
    """Mean squared error of each track's copy, in squared standard deviations, shape (n,)."""
    return np.asarray(((whole.predict(encoded, batch_size=8192, verbose=0) - encoded) ** 2).mean(axis=1))


def train(recipe: AutoencoderRecipe, run: Run) -> Card:
    """Train the autoencoder, write its encoder to the run's folder and return what its card says."""
    catalogue = run.catalogue
    rows = first_of_each_title(catalogue)
    rows = rows[catalogue.has_comparable_features[rows]]
    cold = playlist_tables.is_cold(catalogue.ids(rows))
    if cold.all() or not cold.any():
        raise DataError(
            run.tracks, f"has {len(rows)} tracks with features, too few to train on some and stop by others"
        )
    some = catalogue.take(rows)
    values = raw_inputs(some)[~cold].astype(np.float64)
    unknown = np.isnan(values).all(axis=0)
    if unknown.any():
        raise DataError(run.tracks, f"says nothing of {INPUTS[int(unknown.argmax())]}, which is an input")
    mean, scale = np.nanmean(values, axis=0), np.maximum(np.nanstd(values, axis=0), 1e-6)
    encoded = standardise(some, mean.tolist(), scale.tolist())
    teaching, asked = encoded[~cold], encoded[cold]

    def build() -> tuple[keras.Model, Task]:
        whole = network(recipe)
        return whole, task(whole, teaching, asked, recipe, dropout=True)

    whole, errors = fit_best(recipe, build, run.saved, run.workers)
    # Dropout makes the copies too small, by its rate: .95 of what they should be, which alone is an error of .0025.
    last = fitting.Schedule(recipe.settling, recipe.patience, recipe.learning_rate / 3)
    settled = fitting.fit(task(whole, teaching, asked, recipe, dropout=False), last, 0, name=f"{recipe.name} settles")
    whole.save(run.folder / "network.keras")
    per_track = errors_of(whole, encoded)
    return {
        "method": "autoencoder",
        "feature_set": catalogue.feature_set,
        "inputs": list(INPUTS),
        "output": "a code, compared by cosine",
        "standard": {"mean": mean.tolist(), "scale": scale.tolist()},
        "encoder": export_network(encoder(whole), run.folder / "encoder.onnx", ("inputs",), ("code",)),
        "parameters": asdict(ContentParams(recipe.sharpness)),
        "data": {
            "name": recipe.data,
            "source": recipe.source,
            "tracks": int((~cold).sum()),
            "split": "one track a title; those whose crc32 is divisible by 10 say when to stop",
        },
        "validation_error_by_seed": {str(seed): round(error, 6) for seed, error in errors.items()},
        "validation_error_settled": round(settled["error"], 6),
        "metrics": {
            "measure": "mean squared error of a track's 15 standardised numbers, in squared standard deviations",
            **{
                name: {
                    "tracks": len(part),
                    "mean": round(float(part.mean()), 6),
                    "maximum": round(float(part.max()), 4),
                }
                for name, part in (("all", per_track), ("validation", per_track[cold]))
            },
            **genre_hits(whole, some, encoded, cold),
        },
    }


def genre_hits(whole: keras.Model, catalogue: Catalogue, encoded: Floats, asked: Mask) -> Card:
    """Mean share of the ten neighbours in the code that have the first genre of a track that is asked about.

    Neighbours come from all tracks with a genre.
    """
    labels = genre_numbers(catalogue)
    known = np.flatnonzero(labels >= 0)
    queries = np.flatnonzero(asked[known])
    if len(known) <= metrics.PAGE or not len(queries):
        return {}
    code = encoder(whole).predict(encoded[known], batch_size=8192, verbose=0)["code"]
    return {"genre_hits@10": round(float(metrics.label_precision(code, labels[known], queries).mean()), 4)}
