"""Sparse matrices in compressed-row form, with the products that recommenders need, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats


@dataclass(frozen=True)
class Sparse:
    """A compressed-row matrix: row i has weights[starts[i]:starts[i + 1]] at columns[starts[i]:starts[i + 1]].

    Attributes
    ----------
    starts : ndarray of int, shape (rows + 1,)
    columns : ndarray of int, shape (entries,)
    weights : ndarray, shape (entries,)
    width : int
        Number of columns.

    Examples
    --------
    >>> matrix = Sparse(np.array([0, 2, 3]), np.array([0, 2, 1]), np.array([1, 2, 3], dtype=np.float32), 3)
    >>> matrix.combined(np.array([0, 1]), np.array([1, 10], dtype=np.float32)).tolist()
    [1.0, 30.0, 2.0]
    >>> matrix.transposed().columns.tolist()
    [0, 1, 0]
    """

    starts: NDArray[np.int64]
    columns: NDArray[np.int32]
    weights: Floats
    width: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Entries of each row, shape (rows,)."""
        return np.diff(self.starts)

    def entries(self, rows: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions of all entries of some rows, one row after another, and the number of each row."""
        counts = self.starts[rows + 1] - self.starts[rows]
        shift = np.repeat(self.starts[rows] - (np.cumsum(counts) - counts), counts)
        return shift + np.arange(len(shift)), counts

    def combined(self, rows: NDArray[np.integer], factors: Floats) -> Floats:
        """Weighted sum of some rows, shape (width,)."""
        positions, counts = self.entries(rows)
        weights = self.weights[positions] * np.repeat(factors, counts)
        return np.bincount(self.columns[positions], weights, self.width).astype(np.float32)

    def counted(self, rows: NDArray[np.integer]) -> Floats:
        """Number of some rows with an entry in each column, shape (width,)."""
        positions, _ = self.entries(rows)
        return np.bincount(self.columns[positions], minlength=self.width).astype(np.float32)

    def transposed(self) -> Sparse:
        """The transposed matrix."""
        order = np.argsort(self.columns, kind="stable")
        starts = np.r_[0, np.cumsum(np.bincount(self.columns, minlength=self.width))]
        row = np.repeat(np.arange(len(self), dtype=np.int32), self.lengths)
        return Sparse(starts, row[order], self.weights[order], len(self))
