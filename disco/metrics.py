"""How good a next track is: pure functions from ranks to numbers.

*Conventions.* A rank is 1 for the best and counts ties as half; ranks are of the true next track among
itself and sampled others. An interval is a percentile bootstrap (Efron 1979) over playlists: cases of
one playlist are alike, so that playlists, not cases, are what chance drew.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats

Values = NDArray[np.float64]


def ranks(true: Floats, others: Floats) -> Values:
    """Rank of each true track by its cost among the costs of others; lower cost is better.

    Parameters
    ----------
    true : ndarray, shape (n,)
    others : ndarray, shape (n, k)

    Returns
    -------
    ndarray, shape (n,), from 1 to k + 1
        1 + the number of others that are better + half the number that are equal.
    """
    better = (others < true[:, None]).sum(axis=1)
    equal = (others == true[:, None]).sum(axis=1)
    return np.asarray(1 + better + equal / 2, dtype=np.float64)


def reciprocal(ranks: Values) -> Values:
    """Reciprocal ranks; their mean is the MRR."""
    return 1 / ranks


def hits(ranks: Values, k: int = 10) -> Values:
    """1 where the true track is among the first k, 0 where not; their mean is hit@k."""
    return (ranks <= k).astype(np.float64)


def interval(
    values: Values, groups: NDArray[np.intp], rounds: int = 1000, seed: int = 0, share: float = 0.95
) -> tuple[float, float]:
    """Percentile bootstrap interval of a mean, whole groups drawn with replacement.

    Parameters
    ----------
    values : ndarray, shape (n,)
    groups : ndarray of int, shape (n,)
        Group (playlist) of each value.
    """
    _, group = np.unique(groups, return_inverse=True)
    sums, counts = np.bincount(group, values), np.bincount(group)
    drawn = np.random.default_rng(seed).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=rounds)
    means = (drawn @ sums) / (drawn @ counts)
    low, high = np.quantile(means, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)
