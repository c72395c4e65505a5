"""Which few of very many options may be the cheapest, by costs from a matrix product.

A product reads the columns once, where the differences that `FlowCost` sums up are written and read again: half the
time for a million options. It is less exact, so it only says which few are to be priced exactly.
"""

from __future__ import annotations

import numpy as np

from disco.catalogue import Floats, Rows
from disco.models.distance import blocks
from disco.playlist.columns import Columns

# Options from which on it is worth it.
MANY = 1 << 16
# At least so many options are surely priced: rules seldom exclude more.
_SURE = 32
# Options whose least cost stands for them when the bound is found.
_GROUP = 512
# Largest relative error of a squared distance: of float32, times the number of sums in a product of eight columns
# and of twice as many, rounded up.
_ERROR = 4e-6


class NearCosts:
    """Costs of options that are nearly exact.

    Parameters
    ----------
    columns : Columns
        Of the options.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._squares = np.einsum("ij,ij->j", columns.embeddings, columns.embeddings)
        self._largest = float(self._squares.max(initial=0))
        if columns.missing_variance is not None:
            self._squares += columns.missing_variance

    def few(self, target: Floats, keys: Floats, flow: float, cosine: float, sine: float) -> tuple[Rows, float]:
        """Options of which some are cheaper than a bound, and the bound: none of the others is cheaper than it.

        Parameters
        ----------
        target : ndarray, shape (d,)
        keys : ndarray, shape (keys,)
            What each key is worth.
        flow : float
            Weight of the distance.
        cosine, sine : float
            What those of the tempo are worth.

        Returns
        -------
        ndarray of positions
            Ascending.
        float
        """
        columns, own = self._columns, np.float32((target**2).sum())
        costs = np.empty(len(columns.key), dtype=np.float32)
        least = []
        product, work = np.float32(-2) * target, np.empty(min(len(costs), 1 << 15), dtype=np.float32)
        for block in blocks(len(costs)):
            cost = np.matmul(product, columns.embeddings[:, block], out=costs[block])
            term = work[: len(cost)]
            cost += self._squares[block]
            cost += own
            np.sqrt(np.maximum(cost, 0, out=cost), out=cost)
            if flow != 1:
                cost *= np.float32(flow)
            cost -= np.take(keys, columns.key[block], out=term, mode="clip")
            cost -= np.multiply(columns.cosine[block], np.float32(cosine), out=term)
            cost -= np.multiply(columns.sine[block], np.float32(sine), out=term)
            whole = len(cost) - len(cost) % _GROUP
            least.append(cost[:whole].reshape(-1, _GROUP).min(axis=1))
            if whole < len(cost):
                least.append(cost[whole:].min(keepdims=True))
        minima = np.concatenate(least)
        at = min(_SURE, len(minima)) - 1
        bound = float(np.partition(minima, at)[at])
        # A root differs by no more than the root of the difference.
        error = abs(flow) * (_ERROR * (self._largest + float(own))) ** 0.5
        return np.flatnonzero(costs <= np.float32(bound + error)), bound - error
