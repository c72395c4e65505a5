"""Fit a network once a seed, and keep the best."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from disco.training.data import Saved
from disco.training.export import load_networks


class Scheduled(Protocol):
    """What a recipe of a network says of how long and how fast it is fitted."""

    @property
    def name(self) -> str:
        """The model's name."""

    @property
    def seeds(self) -> list[int]:
        """One run for each."""

    @property
    def epochs(self) -> int:
        """At most so many."""

    @property
    def patience(self) -> int:
        """Epochs without a better error, before it stops."""

    @property
    def learning_rate(self) -> float:
        """At its highest."""


def fit_best(recipe: Scheduled, build: Callable[[], tuple[Any, Any]], saved: Saved) -> tuple[Any, dict[int, float]]:
    """Fit what `build` makes (networks and their task) once a seed; the best networks, and every seed's error."""
    networks = load_networks()
    from disco.training import fitting

    schedule = fitting.Schedule(
        recipe.epochs, recipe.patience, recipe.learning_rate, getattr(recipe, "weight_decay", 0.0)
    )
    best, errors = None, dict[int, float]()
    for seed in recipe.seeds:
        networks.set_seed(seed)
        made, task = build()
        errors[seed] = fitting.fit(task, schedule, seed, saved(seed), f"{recipe.name} seed {seed}")["error"]
        if errors[seed] == min(errors.values()):
            best = made
    return best, errors
