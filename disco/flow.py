"""How well an order flows, in a few numbers: what its joins cost, how many keys go together, how tempos change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from disco.catalogue import Catalogue, Rows
from disco.keys import key_places
from disco.music import tempo_change
from disco.transition import Pairwise


@dataclass(frozen=True)
class Figures:
    """Of the joins of one order.

    Attributes
    ----------
    mean_cost : float
        As reported, never negative; 0 without joins.
    compatible, keys : int
        Joins whose keys the rule allows, of so many whose keys are known.
    tempo_change : float
        Mean of the absolute change of tempo in per cent, half and double time folded where they count; NaN where
        none is known.
    too_far : int
        Joins that change the tempo by more than was allowed.
    worst : int
        Place of the track whose join to the one before costs most, from 0; 0 without joins.
    worst_cost : float
    """

    mean_cost: float
    compatible: int
    keys: int
    tempo_change: float
    too_far: int
    worst: int
    worst_cost: float


def figures(catalogue: Catalogue, path: Rows, cost: Pairwise) -> Figures:
    """Figures of tracks in an order, by a cost over their catalogue."""
    if len(path) < 2:
        return Figures(0.0, 0, 0, np.nan, 0, 0, 0.0)
    costs, mixing = cost.terms(path)["cost"], cost.mixing
    keys = key_places(catalogue.numbers("key")[path], catalogue.modes[path])
    known = ~np.isnan(mixing.keys.between(keys[:-1], keys[1:]))
    a, b = catalogue.tempos[path[:-1]], catalogue.tempos[path[1:]]
    change = np.abs(tempo_change(a, b, mixing.folds))
    return Figures(
        mean_cost=float(costs.mean()),
        compatible=int(mixing.keys.allows(keys[:-1], keys[1:]).sum()),
        keys=int(known.sum()),
        tempo_change=float(np.nanmean(change)) if not np.isnan(change).all() else np.nan,
        too_far=int(mixing.too_far(a, b).sum()),
        worst=int(costs.argmax()) + 1,
        worst_cost=float(costs.max()),
    )
