"""Fit a network to the features of the next track: mean absolute error, as published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from disco.catalogue import FEATURES, Floats, Rows
from disco.training.fitting import Task
from disco.training.recipes import PredictorRecipe


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


def task(network: keras.Model, recipe: PredictorRecipe, train: Windows, validation: Windows) -> Task:
    """The task of predicting the next track's features in these windows."""

    def loss(inputs: Any, targets: Any, weights: Any) -> Any:
        errors = keras.ops.mean(keras.ops.abs(network(inputs, training=True) - targets), axis=-1)
        # Divided by the weights and not by the padded size, so that padding neither counts nor dilutes.
        return keras.ops.sum(errors * weights) / keras.ops.sum(weights)

    def batches(rng: np.random.Generator) -> Iterator[tuple[Floats, ...]]:
        order = rng.permutation(len(train.inputs))
        for start in range(0, len(order), recipe.batch_size):
            some = np.sort(order[start : start + recipe.batch_size])
            yield train.inputs[some], train.targets[some], train.weights[some]

    def error() -> float:
        return mean_absolute_error(network.predict(validation.inputs, batch_size=1024, verbose=0), validation)

    n_batches = -(-len(train.inputs) // recipe.batch_size)
    return Task(network.trainable_variables, network.non_trainable_variables, loss, batches, n_batches, error)
