"""Points in cells of near ones, so that the best of millions are found without a look at most of them.

A query goes through the cells by what the best of each may score, and stops where no other cell can be expected to
have better ones than were found. Whatever is found has its exact score.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats, Rows
from disco.catalogue.table import Mask
from disco.models.recommenders.scoring import TopOfParts

# Cells for each root of the number of points: 25,000 for ten million.
_CELLS_PER_ROOT = 8
# Points from which the middle of a group of cells and that of a cell are learned, and rounds in which they are.
_OF_A_GROUP, _OF_A_CELL, _ROUNDS = 256, 40, 6
# What a nat of the prior counts against a unit of the space where points are divided: so much as it does in scores.
_PRIOR = 0.8
# Standard deviations above the mean score of a cell that its best point is expected to reach: of the exact 400 of the
# shipped model, 3 find .991, 4 find .998, and look at twice the points (docs/research/scaling.md).
_REACH = 4.0
# Points that are scored between two looks at whether to stop, or assigned at a time.
_BATCH = 8192


@dataclass(frozen=True)
class Cells:
    """Cells of points, each with the mean and spread of what its points score.

    Attributes
    ----------
    rows : ndarray of int32, shape (points,)
        Of the points, cell after cell, ascending in each.
    starts : ndarray of int32, shape (cells + 1,)
        Where the rows of each cell begin.
    means : ndarray, shape (cells, d + 2)
        Of the components in steps, of the offset, and of half the squared norm.
    variances : ndarray, shape (cells, 2)
        Of a component in steps, and of a prior.

    Examples
    --------
    >>> points = np.random.default_rng(0).integers(-9, 9, size=(500, 4), dtype=np.int8)
    >>> cells = Cells.unpack(divide(points, np.zeros(500, dtype=np.float16), np.float32(0.1)))
    >>> sorted(cells.rows.tolist()) == list(range(500))
    True
    """

    rows: NDArray[np.int32]
    starts: NDArray[np.int32]
    means: Floats
    variances: Floats

    def pack(self) -> NDArray[np.int32]:
        """All as one array, so that the parts of different divisions never meet."""
        head = np.array([len(self.starts) - 1, self.means.shape[1]], dtype=np.int32)
        bits = [np.ascontiguousarray(each, dtype=np.float32).view(np.int32) for each in (self.means, self.variances)]
        return np.concatenate([head, self.starts, *(each.ravel() for each in bits), self.rows])

    @classmethod
    def unpack(cls, packed: NDArray[np.int32]) -> Cells:
        """The cells of such an array, in its memory."""
        cells, width = packed[:2].tolist()
        ends = np.cumsum([2, cells + 1, cells * width, cells * 2])
        starts, means, variances = (packed[begin:end] for begin, end in pairwise(ends))
        return cls(
            packed[ends[-1] :],
            starts,
            means.view(np.float32).reshape(cells, width),
            variances.view(np.float32).reshape(cells, 2),
        )

    def search(
        self, vector: Floats, less: np.float32, score: Callable[[Rows], Floats], top: TopOfParts, allowed: Mask | None
    ) -> int:
        """Add the scores of the rows of promising cells to those that are highest; return how many were scored.

        Parameters
        ----------
        vector : ndarray, shape (d,)
            In units of a score for a step.
        less : np.float32
            Share of the priors that does not count, 0-1.
        score : callable
            Exact scores of rows.
        top : TopOfParts
        allowed : mask, shape (tracks,), optional
        """
        weights = np.r_[vector, 1 - less, -less].astype(np.float32)
        squares = np.array([vector @ vector, (1 - less) ** 2], dtype=np.float32)
        reach = self.means @ weights + np.float32(_REACH) * np.sqrt(self.variances @ squares)
        order = np.argsort(-reach, kind="stable")
        sizes = np.diff(self.starts)[order]
        until = np.cumsum(sizes)
        scored = first = 0
        while first < len(order) and not reach[order[first]] < top.least:
            last = int(np.searchsorted(until, until[first] - sizes[first] + _BATCH)) + 1
            rows = self._rows_of(order[first:last], sizes[first:last])
            rows = rows if allowed is None else rows[allowed[rows]]
            top.add(rows, score(rows))
            scored += len(rows)
            first = last
        return scored

    def _rows_of(self, cells: Rows, sizes: NDArray[np.int32]) -> Rows:
        ends = np.cumsum(sizes)
        places = np.repeat(self.starts[cells] - (ends - sizes), sizes) + np.arange(ends[-1])
        return np.asarray(self.rows[places], dtype=np.intp)


def divide(points: NDArray[np.int8], offsets: NDArray[np.float16], step: np.float32) -> NDArray[np.int32]:
    """Divide points into packed cells of near points with like priors, by k-means in two levels.

    Parameters
    ----------
    points : ndarray, shape (n, d)
        Components in steps.
    offsets : ndarray, shape (n,)
        Priors less half the squared norms; minus infinity for points that are left out.
    step : float
        Of the components, in units of the space.
    """
    rows, rng = np.flatnonzero(np.isfinite(offsets)), np.random.default_rng(0)
    wanted = max(min(round(_CELLS_PER_ROOT * len(rows) ** 0.5), len(rows) // 8), 1)
    groups = max(round(wanted**0.5), 1)
    place = partial(_placed, points, offsets, step)
    some = np.sort(rng.choice(rows, min(len(rows), _OF_A_GROUP * groups), replace=False))
    middles = _middles(place(some), groups, rng) if len(some) else np.empty((0, points.shape[1] + 1), np.float32)
    group = np.empty(len(rows), dtype=np.int32)
    for start in range(0, len(rows), _BATCH):
        group[start : start + _BATCH] = _nearest(place(rows[start : start + _BATCH]), middles)
    order, bounds = _sorted_by(group, len(middles))
    parts = [
        _cells_of(here, place(here), step, max(round(wanted * len(here) / len(rows)), 1), rng)
        for begin, end in pairwise(bounds)
        if len(here := rows[order[begin:end]])
    ]
    if not parts:
        empty = np.empty(0, dtype=np.int32), np.zeros(1, dtype=np.int32)
        return Cells(*empty, np.empty((0, points.shape[1] + 2), np.float32), np.empty((0, 2), np.float32)).pack()
    sizes = np.concatenate([np.diff(part.starts) for part in parts])
    starts = np.r_[0, np.cumsum(sizes)].astype(np.int32)
    every = (np.concatenate([getattr(part, name) for part in parts]) for name in ("means", "variances"))
    return Cells(np.concatenate([part.rows for part in parts]), starts, *every).pack()


def _placed(points: NDArray[np.int8], offsets: NDArray[np.float16], step: np.float32, rows: Rows) -> Floats:
    """Where points are divided: their components, and their priors by what they count."""
    components = points[rows].astype(np.float32) * step
    priors = offsets[rows].astype(np.float32) + (components**2).sum(axis=1) / 2
    placed: Floats = np.c_[components, np.float32(_PRIOR) * priors]
    return placed


def _cells_of(rows: Rows, placed: Floats, step: np.float32, n: int, rng: np.random.Generator) -> Cells:
    """At most n cells of some points."""
    middles = _middles(placed[rng.choice(len(rows), min(len(rows), _OF_A_CELL * n), replace=False)], n, rng)
    parts = [_nearest(placed[start : start + _BATCH], middles) for start in range(0, len(rows), _BATCH)]
    order, bounds = _sorted_by(np.concatenate(parts), n)
    starts = bounds[np.r_[np.diff(bounds) > 0, True]]
    count = np.diff(starts)[:, None]

    def mean(values: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(np.add.reduceat(values[order], starts[:-1], axis=0, dtype=np.float64) / count)

    components, priors = placed[:, :-1] / step, placed[:, -1:] / np.float32(_PRIOR)
    squares = (components**2).sum(axis=1, keepdims=True)
    norms = squares * (step**2 / 2)
    means = mean(np.c_[components, priors - norms, norms])
    component = (mean(squares) - (means[:, :-2] ** 2).sum(axis=1, keepdims=True)) / components.shape[1]
    prior = mean(priors**2) - mean(priors) ** 2
    variances = np.maximum(np.c_[component, prior], 0)
    return Cells(
        rows[order].astype(np.int32), starts.astype(np.int32), means.astype(np.float32), variances.astype(np.float32)
    )


def _middles(sample: Floats, n: int, rng: np.random.Generator) -> Floats:
    """Middles of n cells of a sample, by k-means."""
    middles: Floats = sample[rng.choice(len(sample), min(n, len(sample)), replace=False)]
    for _ in range(_ROUNDS):
        order, bounds = _sorted_by(_nearest(sample, middles), len(middles))
        filled = np.flatnonzero(np.diff(bounds))
        sums = np.add.reduceat(sample[order], bounds[filled], axis=0)
        middles[filled] = sums / np.diff(bounds)[filled, None].astype(np.float32)
    return middles


def _nearest(points: Floats, middles: Floats) -> NDArray[np.intp]:
    return np.asarray((points @ middles.T - (middles**2).sum(axis=1) / 2).argmax(axis=1), dtype=np.intp)


def _sorted_by(numbers: NDArray[np.integer], n: int) -> tuple[Rows, Rows]:
    """Order of numbers below n, equal ones as they stand, and where those of each begin, with the end."""
    order = np.argsort(numbers, kind="stable")
    return order, np.searchsorted(numbers[order], np.arange(n + 1)).astype(np.intp)
