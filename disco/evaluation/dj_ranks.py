"""How high costs rank what DJs really played next, and what their choices weigh in a fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from disco.evaluation import metrics
from disco.evaluation.dj_sets import PLAYLIST, Cases, DjSets
from disco.playlist.choice_fit import Choices, equal_importance
from disco.playlist.joins import ENERGY_TERMS, TEMPO_TERMS, TERMS, JoinTracks, join_terms
from disco.playlist.key_moves import KEY_TERMS

Costs = NDArray[np.float64]
Numbers = NDArray[np.intp]

# A DJ counts as many joins at most, about ten sets' worth, so that nobody's habits become the style.
DJ_AT_MOST = 200
# Of 130 playlists 76 show an order at all, by a mixture of the fitted weights with chance; the others are crates. A
# half was chosen from 1, 1/2, 1/4 and 1/10 by looking at the sets that are measured here: live sets and mixes gain a
# little.
PLAYLIST_COUNTS = 0.5
KEY_TEMPO_ENERGY = (*KEY_TERMS, *TEMPO_TERMS, *ENERGY_TERMS)
# A DJ with fewer cases gets no number of his own.
_A_DJ = 20
# A smaller difference of costs is a rounding error.
_DIGITS = 7


class Ranks(NamedTuple):
    """Results of a cost, a value a case, shape (cases,) each."""

    hit_1: Costs
    hit_10: Costs
    reciprocal: Costs
    percentile: Costs


def ranks(costs: Costs, sizes: Numbers) -> Ranks:
    """How high the first option of each case ranks; options that cost the same share their ranks.

    Parameters
    ----------
    costs : ndarray, shape (options,)
        Lower is better.
    sizes : ndarray of int, shape (cases,)

    Returns
    -------
    Ranks
        Expected values where options cost the same; a percentile of 1 is the first place, 0 the last.

    Examples
    --------
    >>> found = ranks(np.array([1.0, 2.0, 1.0, 5.0, 4.0]), np.array([3, 2]))
    >>> found.hit_1.tolist(), found.reciprocal.tolist(), found.percentile.tolist()
    ([0.5, 0.0], [0.75, 0.5], [0.75, 0.0])
    """
    costs = np.round(costs, _DIGITS)
    starts = np.cumsum(sizes) - sizes
    true = np.repeat(costs[starts], sizes)
    less, equal = (np.add.reduceat(mask.astype(float), starts) for mask in (costs < true, costs == true))
    # The sum of 1 / r over the ranks that are shared, from the sums of all reciprocals up to each rank.
    sums = np.r_[0, np.cumsum(1 / np.arange(1, sizes.max(initial=1) + 1))]
    upper = (less + equal).astype(np.intp)
    return Ranks(
        np.where(less == 0, 1 / equal, 0),
        np.clip(10 - less, 0, equal) / equal,
        (sums[upper] - sums[less.astype(np.intp)]) / equal,
        1 - (less + (equal - 1) / 2) / np.maximum(sizes - 1, 1),
    )


def records(
    cost: str, costs: Costs, read: DjSets, cases: Cases, seed: int = 0, among: str = ""
) -> list[dict[str, Any]]:
    """One record of a cost for each kind of set.

    Parameters
    ----------
    cost : str
        Its name.
    costs : ndarray, shape (options,)
    read : DjSets
    cases : Cases
    seed : int
        Of the bootstrap.
    among : str
        What the names of the cases say after the kind.

    Returns
    -------
    list of dict
        Means over the cases with intervals, and `by_dj`, the hits of each DJ with 20 cases or more.
    """
    found = ranks(costs, cases.sizes)
    kinds, djs = (np.array([getattr(one, name) for one in read.sets])[cases.number] for name in ("kind", "dj"))
    made = []
    for kind in dict.fromkeys(kinds.tolist()):
        here = kinds == kind
        values = dict(zip(("hit@1", "hit@10", "mrr", "percentile"), (one[here] for one in found), strict=True))
        sets = cases.number[here]
        record: dict[str, Any] = {
            "cost": cost,
            "cases": kind + among,
            "n": int(here.sum()),
            "sets": len(np.unique(sets)),
        }
        record |= {name: round(float(of.mean()), 4) for name, of in values.items()}
        names, counts = np.unique(djs[here], return_counts=True)
        several = names[counts >= _A_DJ].tolist() if len(names) > 1 else []
        by_dj = {dj: round(float(found.hit_1[here & (djs == dj)].mean()), 4) for dj in several}
        bounds = {name: metrics.bootstrap_interval(of, sets, seed=seed) for name, of in values.items()}
        rounded = {name: [round(low, 4), round(high, 4)] for name, (low, high) in bounds.items()}
        made.append(record | {"by_dj": by_dj, "interval": rounded})
    return made


def choices_of(tracks: JoinTracks, cases: Cases, names: Sequence[str] = KEY_TEMPO_ENERGY) -> Choices:
    """The choices of cases, with some of the terms of all their options."""
    terms = join_terms(tracks.take(np.repeat(cases.last, cases.sizes)), tracks.take(cases.options))
    return Choices(terms[:, [TERMS.index(name) for name in names]], cases.sizes)


def importance_of(read: DjSets, cases: Cases) -> Costs:
    """How much each case counts in a fit, shape (cases,): playlists half, and no DJ more than `DJ_AT_MOST`."""
    playlist = np.array([one.kind == PLAYLIST for one in read.sets])[cases.number]
    return equal_importance(dj_numbers(read, cases), DJ_AT_MOST) * np.where(playlist, PLAYLIST_COUNTS, 1.0)


def dj_numbers(read: DjSets, cases: Cases) -> Numbers:
    """Number of the DJ of each case, shape (cases,)."""
    numbers = np.unique([one.dj for one in read.sets], return_inverse=True)[1]
    return np.asarray(numbers[cases.number], dtype=np.intp)
