"""Sparse matrices by rows, with what a recommender asks of them; NumPy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats


@dataclass(frozen=True)
class Sparse:
    """A matrix by rows: row i has weights[starts[i]:starts[i + 1]] in those columns.

    Attributes
    ----------
    starts : ndarray of int, shape (rows + 1,)
    columns : ndarray of int, shape (entries,)
    weights : ndarray, shape (entries,)
    width : int
        Number of columns.
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
        """Places of all entries of some rows, one row after another, and how many each row has."""
        counts = self.starts[rows + 1] - self.starts[rows]
        shift = np.repeat(self.starts[rows] - (np.cumsum(counts) - counts), counts)
        return shift + np.arange(len(shift)), counts

    def combined(self, rows: NDArray[np.integer], factors: Floats) -> Floats:
        """Sum of some rows, each times its factor, shape (width,)."""
        places, counts = self.entries(rows)
        weights = self.weights[places] * np.repeat(factors, counts)
        return np.bincount(self.columns[places], weights, self.width).astype(np.float32)

    def counted(self, rows: NDArray[np.integer]) -> Floats:
        """How many of some rows have an entry in each column, shape (width,)."""
        places, _ = self.entries(rows)
        return np.bincount(self.columns[places], minlength=self.width).astype(np.float32)

    def transposed(self) -> Sparse:
        """The same matrix by its columns."""
        order = np.argsort(self.columns, kind="stable")
        starts = np.r_[0, np.cumsum(np.bincount(self.columns, minlength=self.width))]
        row = np.repeat(np.arange(len(self), dtype=np.int32), self.lengths)
        return Sparse(starts, row[order], self.weights[order], len(self))
