"""One way to fit every network: steps down a loss, an epoch at a time, and the best epoch is kept.

After every epoch all of it is saved beside, so that a run that was killed goes on where it was; what an
epoch draws hangs on the seed and the epoch alone, so that it then ends as if it had never stopped.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow

from disco.sources.storage import atomic_file
from disco.training.data import Workers

Batch = tuple[Any, ...]
# Batches whose sizes are compared: enough to see what differs, and soon drawn.
_COMPARED = 32

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """What is to be fitted, and how it is measured.

    Attributes
    ----------
    weights, state : list of keras variables
        All that is trained; and what else changes on the way, such as the seeds of dropout.
    loss : callable
        From a batch to a loss, in TensorFlow; compiled here.
    batches : callable
        From a generator to the batches of one epoch, arrays.
    n_batches : int
        About how many an epoch has, for the learning rate's way down.
    error : callable
        Error on the validation playlists as it stands; the epoch with the lowest is kept.
    """

    weights: list[Any]
    state: list[Any]
    loss: Callable[..., Any]
    batches: Callable[[np.random.Generator], Iterable[Batch]]
    n_batches: int
    error: Callable[[], float]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Attributes
    ----------
    epochs, patience : int
        Epochs at most; and without a better error, before it stops.
    learning_rate : float
        Of Adam, at its highest: it rises for the first hundredth and falls to zero along a cosine.
    weight_decay : float
        Decoupled (Loshchilov & Hutter 2019); biases and scales are left out.
    """

    epochs: int
    patience: int
    learning_rate: float
    weight_decay: float = 0.0


def fit(
    task: Task,
    schedule: Schedule,
    seed: int,
    saved: Path | None = None,
    name: str = "",
    workers: Workers | None = None,
) -> dict[str, Any]:
    """Fit in place, leave the weights at their best epoch, and return its error and every epoch's.

    Parameters
    ----------
    saved : Path, optional
        File that the run is saved to after each epoch and goes on from; removed by nobody here.
    workers : Workers, optional
        Processes that fit the same network together: a step takes a batch for each, and the mean of their gradients.
        All of them must see the file.
    """
    size = workers.size if workers else 1
    n_batches = -(-task.n_batches // size)
    optimizer = keras.optimizers.AdamW(schedule.learning_rate, weight_decay=schedule.weight_decay, clipnorm=1.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "temperature"])
    optimizer.build(task.weights)
    step = _compiled(task, optimizer, workers)
    kept = [*task.weights, *task.state, *optimizer.variables]
    done: list[float] = []
    best = [weight.numpy() for weight in task.weights]
    if saved is not None and saved.exists():
        done, best = _resumed(saved, kept, len(task.weights))
        log.info("%s: resumed after epoch %d", name, len(done))
    for epoch in range(len(done), schedule.epochs):
        if done and len(done) - 1 - int(np.argmin(done)) >= schedule.patience:
            break
        began, losses = time.monotonic(), []
        batches = iter(task.batches(np.random.default_rng([seed, epoch])))
        for i in itertools.count():
            if not (several := list(itertools.islice(batches, size))):
                break
            so_far = epoch * n_batches + i
            optimizer.learning_rate.assign(_rate(schedule, so_far, schedule.epochs * n_batches))
            # Of the last few there may be fewer than workers.
            losses.append(step(*several[workers.rank % len(several) if workers else 0]))
        done.append(_error(task, workers))
        if done[-1] == min(done):
            best = [weight.numpy() for weight in task.weights]
        if saved is not None and (workers is None or workers.rank == 0):
            _save(saved, kept, best, done)
        loss = float(np.mean([each.numpy() for each in losses]))
        log.info(
            "%s  epoch %3d/%d  loss %.4f  validation error %.4f  %.0f s",
            *(name, epoch + 1, schedule.epochs, loss, done[-1], time.monotonic() - began),
        )
    for weight, value in zip(task.weights, best, strict=True):
        weight.assign(value)
    return {"error": min(done), "errors": done}


def _rate(schedule: Schedule, step: int, steps: int) -> float:
    share = min(step / steps, 1.0)
    rise = min(1.0, (100 * step + 1) / steps)
    return schedule.learning_rate * rise * (0.5 + 0.5 * float(np.cos(np.pi * share))) + 1e-9


def _error(task: Task, workers: Workers | None) -> float:
    """The error, the same for all workers: sums may be rounded in other ways on other machines."""
    if workers is None:
        return task.error()
    return float(workers.mean([tensorflow.constant(task.error(), tensorflow.float64)])[0])


def _compiled(task: Task, optimizer: Any, workers: Workers | None = None) -> Callable[..., Any]:
    """One step, compiled for the sizes that differ among the first batches.

    Compiled for the first batch alone, it would be compiled again when the second has another size, which takes
    seconds. No loss branches on a tensor, so that TensorFlow need not read its code for that.
    """

    @tensorflow.function(reduce_retracing=True, autograph=False)  # type: ignore[untyped-decorator]
    def step(*batch: Any) -> Any:
        with tensorflow.GradientTape() as tape:
            loss = task.loss(*batch)
        gradients = tape.gradient(loss, [weight.value for weight in task.weights])
        optimizer.apply(gradients if workers is None else workers.mean(gradients), task.weights)
        return loss

    def constants(batch: Batch) -> list[Any]:
        return [tensorflow.constant(part) for part in batch]

    seen = [constants(batch) for batch in islice(task.batches(np.random.default_rng(0)), _COMPARED)]
    step.get_concrete_function(*(_specification(parts) for parts in zip(*seen, strict=True)))
    return lambda *batch: step(*constants(batch))


def _specification(parts: Sequence[Any]) -> Any:
    sizes = zip(*(part.shape for part in parts), strict=True)
    return tensorflow.TensorSpec([same[0] if len(set(same)) == 1 else None for same in sizes], parts[0].dtype)


def _save(where: Path, kept: list[Any], best: list[Any], done: list[float]) -> None:
    """Save all variables as plain arrays, atomically, so that a kill while saving loses one epoch at most."""
    arrays = {f"now{i}": variable.numpy() for i, variable in enumerate(kept)}
    arrays |= {f"best{i}": value for i, value in enumerate(best)}
    with atomic_file(where) as temporary, temporary.open("wb") as file:
        np.savez(file, done=np.array(done), **arrays)


def _resumed(where: Path, kept: list[Any], n_best: int) -> tuple[list[float], list[Any]]:
    with np.load(where, allow_pickle=False) as arrays:
        for i, variable in enumerate(kept):
            variable.assign(arrays[f"now{i}"])
        return arrays["done"].tolist(), [arrays[f"best{i}"] for i in range(n_best)]
