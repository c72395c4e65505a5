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


def distances(columns: Floats, target: Floats) -> Floats:
    """Euclidean distance of each column, shape (d, n), from a target, shape (d,): shape (n,)."""
    out = np.empty(columns.shape[1], dtype=np.float32)
    work = np.empty((len(columns), min(_BLOCK, len(out))), dtype=np.float32)
    for block in blocks(len(out)):
        near = out[block]
        apart = np.subtract(columns[:, block], target[:, None], out=work[:, : len(near)])
        np.sqrt(np.einsum("ij,ij->j", apart, apart, out=near), out=near)
    return out
