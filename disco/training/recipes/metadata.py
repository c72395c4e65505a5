"""What every recipe says, and what every recipe of a network says besides."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """What kind of model it is and what it is called; what it is trained on, where from, and under which terms."""

    kind: str
    name: str
    version: str
    data: str
    source: str
    terms: str


@dataclass(frozen=True)
class Fitted:
    """How long and how fast a network is fitted, once a seed; `patience` counts epochs."""

    seeds: list[int]
    epochs: int
    patience: int
    learning_rate: float
