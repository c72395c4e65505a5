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


def block_distances(columns: Floats, target: Floats, out: Floats, work: Floats) -> None:
    """Euclidean distance of each column of one block, shape (d, n), from a target, shape (d,), into out (n,)."""
    apart = np.subtract(columns, target[:, None], out=work[:, : len(out)])
    np.sqrt(np.einsum("ij,ij->j", apart, apart, out=out), out=out)


def distances(columns: Floats, target: Floats) -> Floats:
    """Euclidean distance of each of any number of columns from a target: shape (n,)."""
    out, work = np.empty(columns.shape[1], dtype=np.float32), workspace(columns)
    for block in blocks(len(out)):
        block_distances(columns[:, block], target, out[block], work)
    return out
