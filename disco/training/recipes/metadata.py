"""Fields that recipes share, and the types of their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

Count = Annotated[int, Meta(ge=1)]
CountOrZero = Annotated[int, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
NonNegative = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]


@dataclass(frozen=True)
class Metadata:
    """What every recipe has.

    Attributes
    ----------
    kind : str
        Which recipe class reads it: a key of `disco.training.recipes.RECIPES`.
    name, version : str
        Of the model, as its card gives them.
    data, source, terms : str
        What it is trained on, where that came from, and under which terms.
    """

    kind: str
    name: str
    version: str
    data: str
    source: str
    terms: str


@dataclass(frozen=True)
class Fitting:
    """How long and how fast a network is fitted.

    Attributes
    ----------
    seeds : list of int
        One run for each; the one with the lowest validation error is kept.
    epochs : int
        Maximum number of epochs.
    patience : int
        Epochs without a lower validation error before training stops.
    learning_rate : float
        Maximum learning rate of AdamW.
    """

    seeds: list[Count]
    epochs: Count
    patience: Count
    learning_rate: Positive
