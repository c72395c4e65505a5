"""Which few of very many options may be the cheapest, by squared distances from a matrix product.

Keys and tempo are worth no more than so much, so an option that is too far away cannot be among the cheapest,
whatever its key. A sample tells how far that is; then one product reads the vectors once, and only what is near
enough gets a price. A product is less exact than the differences that `FlowCost` sums up, so this only says which few
are to be priced exactly.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats, Rows
from disco.playlist.columns import Columns

# Options from which on it is worth it.
MANY = 1 << 16
# So many options are to be priced: rules seldom exclude more.
_SURE = 32
# Options that are priced first, spread over all: the cheapest of so many leave a hundredth near enough.
_SAMPLE = 1 << 14
# Where more than so many are near enough, the nearest 32nd of these are priced first: they leave few of the others.
_FEW, _NEAREST = 1024, 32
# Options at a time: their squared distances fit the second-level cache, and products of twice as many are divided
# among threads, which on a busy machine wait for each other ten times as long as one takes.
_BLOCK = 1 << 15
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
        sample = np.arange(0, len(columns.key), max(len(columns.key) // _SAMPLE, 1))
        self._sampled, self._sampled_squares = columns.take(sample), self._squares[sample]

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
        own, product = float((target**2).sum()), np.float32(-2) * target
        # A root differs by no more than the root of the difference.
        error = (_ERROR * (self._largest + own)) ** 0.5

        def costs(squares: Floats, columns: Columns, options: Rows | slice) -> NDArray[np.float32]:
            found = np.float32(flow) * np.sqrt(np.maximum(squares + np.float32(own), 0))
            found -= keys[columns.key[options]]
            found -= np.float32(cosine) * columns.cosine[options]
            found -= np.float32(sine) * columns.sine[options]
            return np.asarray(found, dtype=np.float32)

        def limit(bound: float) -> np.float32:
            """The squared distance, without the square of the target, beyond which nothing costs less than this."""
            if flow <= 0:
                return np.float32(math.inf)
            reach = (bound + float(keys.max()) + math.hypot(cosine, sine)) / flow + 2 * error
            return np.float32(max(reach, 0.0) ** 2 - own)

        # Of those that cost no more than the cheapest of the sample there are about as many times more in all.
        sampled, times = self._sampled, len(self._squares) // len(self._sampled.key)
        squares = product @ sampled.embeddings + self._sampled_squares
        bound = _least(costs(squares, sampled, slice(None)), 2 * _SURE // times)
        squares, options = self._nearer_than(limit(bound), product)
        if flow > 0 and len(options) > _FEW:
            some = squares[:: len(options) // _FEW]
            nearest = squares <= _least(some, len(some) // _NEAREST)
            bound = min(bound, _least(costs(squares[nearest], self._columns, options[nearest])))
            near = squares <= limit(bound)
            squares, options = squares[near], options[near]
        priced = costs(squares, self._columns, options)
        bound = min(bound, _least(priced))
        error *= abs(flow)
        return options[priced <= np.float32(bound + error)], bound - error

    def _nearer_than(self, limit: np.float32, product: Floats) -> tuple[Floats, Rows]:
        """Squared distances, without the square of the target, of options within a limit, and which these are."""
        n = len(self._squares)
        work = np.empty(min(n, _BLOCK), dtype=np.float32)
        squares, options = [], []
        for start in range(0, n, _BLOCK):
            block = slice(start, min(start + _BLOCK, n))
            found = np.matmul(product, self._columns.embeddings[:, block], out=work[: block.stop - start])
            found += self._squares[block]
            near = np.flatnonzero(found <= limit)
            squares.append(found[near])
            options.append(near + start)
        return np.concatenate(squares), np.concatenate(options)


def _least(costs: Floats, n: int = _SURE) -> float:
    """A cost that n of these do not exceed, at least two, or all where there are fewer."""
    if not len(costs):
        return math.inf
    at = min(max(n, 2), len(costs)) - 1
    return float(np.partition(costs, at)[at])
