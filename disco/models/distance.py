"""Distance of one vector to very many, column by column and in blocks that stay in the processor's cache.

Columns rather than a matrix product: the differences are exact where tracks are near, the same for the
same track wherever it stands (so that ties stay ties), and a million tracks still take a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from disco.catalogue import Floats

# Eight columns of 32,768 float32 are 1 MB: about what a second-level cache holds, and so large that Python's
# share of the time is small. Twice or half as much is slower.
_BLOCK = 32_768


def blocks(n: int) -> Iterator[slice]:
    """Slices that cover n columns, one block each."""
    for start in range(0, n, _BLOCK):
        yield slice(start, min(start + _BLOCK, n))


def workspace(columns: Floats) -> Floats:
    """Room for the differences of one block."""
    return np.empty((len(columns), min(_BLOCK, columns.shape[1])), dtype=np.float32)


def block_distances(columns: Floats, target: Floats, out: Floats, work: Floats, more: Floats | None = None) -> None:
    """Euclidean distance of each column of one block, shape (d, n), from a target, shape (d,), into out (n,).

    `more`, shape (n,), is added to the squares: what `filled` says of unknown components.
    """
    apart = np.subtract(columns, target[:, None], out=work[:, : len(out)])
    np.einsum("ij,ij->j", apart, apart, out=out)
    if more is not None:
        out += more
    np.sqrt(out, out=out)


def impute(space: Floats) -> tuple[Floats, Floats | None]:
    """Columns (d, n) of a space (n, d) whose unknown components, NaN, stand at the mean of the known; what is owed.

    What is owed, shape (n,), is the sum of the variances of a track's unknown components; None where all is known.
    Added to the squares of both tracks of a distance it makes of each the square that is to be expected: so what is
    unknown speaks neither for a track nor against it. (To stretch the distance over what both know instead favours
    the least known, whose chance to lie near is the greatest: with six in ten components of half of the tracks
    hidden, the true next track of real playlists then has an MRR of 0.021, against 0.042 so and 0.067 with nothing
    hidden: benchmarks/missing_features.py.)
    """
    columns = space.T
    unknown = np.isnan(columns)
    if not unknown.any():
        return columns, None
    counts = np.maximum((~unknown).sum(axis=1), 1)
    known = np.where(unknown, np.float32(0), columns)
    mean = known.sum(axis=1, dtype=np.float64) / counts
    apart = np.where(unknown, 0, columns - mean[:, None])
    variance = (apart**2).sum(axis=1) / counts
    owed = (unknown * variance[:, None]).sum(axis=0)
    return np.where(unknown, mean[:, None], columns).astype(np.float32), owed.astype(np.float32)


def distances(columns: Floats, target: Floats) -> Floats:
    """Euclidean distance of each of any number of columns from a target: shape (n,)."""
    out, work = np.empty(columns.shape[1], dtype=np.float32), workspace(columns)
    for block in blocks(len(out)):
        block_distances(columns[:, block], target, out[block], work)
    return out
