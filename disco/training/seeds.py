"""Fit a network once a seed, and keep the best."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from disco.training.data import Saved, Workers
from disco.training.export import load_networks


class Scheduled(Protocol):
    """Fields of a recipe that describe how a network is fitted."""

    @property
    def name(self) -> str:
        """The model's name."""

    @property
    def seeds(self) -> list[int]:
        """One run for each."""

    @property
    def epochs(self) -> int:
        """Maximum number of epochs."""

    @property
    def patience(self) -> int:
        """Epochs without a lower error before training stops."""

    @property
    def learning_rate(self) -> float:
        """Maximum learning rate."""


def fit_best(
    recipe: Scheduled, build: Callable[[], tuple[Any, Any]], saved: Saved, workers: Workers | None = None
) -> tuple[Any, dict[int, float]]:
    """Fit networks once for each seed.

    Parameters
    ----------
    recipe : Scheduled
    build : callable
        Returns new networks and their task.
    saved : callable
        From a seed to its checkpoint.
    workers : Workers, optional
        Processes that fit the same networks together.

    Returns
    -------
    networks
        Those with the lowest validation error.
    errors : dict
        Validation error of each seed.
    """
    networks = load_networks()
    from disco.training import fitting

    schedule = fitting.Schedule(
        recipe.epochs, recipe.patience, recipe.learning_rate, getattr(recipe, "weight_decay", 0.0)
    )
    best, errors = None, dict[int, float]()
    for seed in recipe.seeds:
        networks.set_seed(seed, getattr(recipe, "deterministic", True))
        made, task = build()
        name = f"{recipe.name} seed {seed}"
        errors[seed] = fitting.fit(task, schedule, seed, saved(seed), name, workers)["error"]
        if errors[seed] == min(errors.values()):
            best = made
    return best, errors
