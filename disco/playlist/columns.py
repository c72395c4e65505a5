"""The values of tracks that the cost reads, in columns, and the cheapest transitions among them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.playlist.key_rules import KeyIndex

# Cheapest transitions from a track that the lookahead cost averages. 10 and 40 do as well.
_NEAR = 20
# Tracks whose transitions to all others are priced at a time: for a pool of 400 they fit the second-level cache.
_ROWS = 128
# Up to so many values NumPy sorts them all in less time than it finds the lowest.
_SORTED = 800


class Columns(NamedTuple):
    """Values of a set of tracks that the cost reads, contiguous in memory."""

    embeddings: Floats  # shape (d, n), missing components imputed with the mean
    missing_variance: Floats | None  # expected squared error of the imputed components; None without any
    key: KeyIndex
    cosine: Floats
    sine: Floats
    octave: Floats | None  # log2 of the tempo, where half and double time differ from the same tempo
    steps: NDArray[np.intp] | None  # the tempo in steps, where a style has values for its changes

    def take(self, rows: Rows) -> Columns:
        """These tracks alone; a slice without gaps is not copied."""
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
            part: slice | Rows = slice(int(rows[0]), int(rows[-1]) + 1)
            embeddings = self.embeddings[:, part]
        else:
            part, embeddings = rows, np.take(self.embeddings, rows, axis=1)
        octave = None if self.octave is None else self.octave[part]
        steps = None if self.steps is None else self.steps[part]
        missing_variance = None if self.missing_variance is None else self.missing_variance[part]
        missing_variance = missing_variance if missing_variance is not None and missing_variance.any() else None
        cosine, sine = self.cosine[part], self.sine[part]
        return Columns(embeddings, missing_variance, self.key[part], cosine, sine, octave, steps)


def mean_of_nearest(columns: Columns, keys: Floats, flow: float, smoothness: float) -> Floats:
    """Mean cost of the twenty cheapest transitions from each of n tracks to the others, without constants: (n,).

    Parameters
    ----------
    columns : Columns
    keys : ndarray, shape (n, n)
        What the keys of each transition are worth, in the cost.
    flow, smoothness : float
        Weights of the distance and of the tempo.
    """
    embeddings = np.ascontiguousarray(columns.embeddings.T)
    tempo = np.stack([columns.cosine, columns.sine], axis=1)
    n, one = len(embeddings), np.ones((len(embeddings), 1), dtype=np.float32)
    squares = np.einsum("ij,ij->i", embeddings, embeddings)[:, None]
    squares += 0 if columns.missing_variance is None else columns.missing_variance[:, None]
    # |a - b|^2 = -2 a b + |a|^2 + |b|^2, in one product.
    left = np.concatenate([embeddings * np.float32(-2), squares, one], axis=1)
    right = np.concatenate([embeddings, one, squares], axis=1).T
    means, near = np.empty(n, dtype=np.float32), min(_NEAR, n - 1)
    for start in range(0, n, _ROWS):
        rows = slice(start, min(start + _ROWS, n))
        costs = left[rows] @ right
        # Rounding leaves a millionth on either side of 0.
        np.sqrt(np.abs(costs, out=costs), out=costs)
        if flow != 1:
            costs *= np.float32(flow)
        costs -= keys[rows]
        costs -= (np.float32(smoothness) * tempo[rows]) @ tempo.T
        np.fill_diagonal(costs[:, start:], np.inf)
        if n <= _SORTED:
            costs.sort(axis=1)
        else:
            costs.partition(near - 1, axis=1)
        means[rows] = costs[:, :near].mean(axis=1)
    return means


def on_circles(catalogue: Catalogue, rows: Rows, key_radius: float, tempo_radius: float) -> Floats:
    """Places of tracks on the circle of fifths and on that of tempos an octave apart, of given radii, shape (n, 4).

    Unknown keys and tempos are in the middle.
    """
    turns = np.stack([catalogue.circle_positions[rows] / 12, np.log2(catalogue.tempos[rows])], axis=1)
    places = np.nan_to_num(np.array([key_radius, tempo_radius]) * np.exp(2j * np.pi * turns), nan=0.0)
    return np.concatenate([places.real, places.imag], axis=1).astype(np.float32)
