"""Arrays of texts that are compared, numbered and masked, for Arrow and NumPy together, and sets of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def equal_pairs(given: pa.Array, column: pa.Array | pa.ChunkedArray) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions in two arrays of texts at which these are equal, all pairs; null equals nothing."""
    sought = pc.unique(given).drop_null()
    codes, theirs = (
        pc.fill_null(pc.index_in(texts, value_set=sought), -1).to_numpy(zero_copy_only=False)
        if isinstance(texts, pa.Array)
        else pc.fill_null(pc.index_in(texts, value_set=sought), -1).to_numpy()
        for texts in (given, column)
    )
    rows = np.flatnonzero(theirs >= 0)
    rows = rows[np.argsort(theirs[rows], kind="stable")]
    counts = np.bincount(theirs[rows], minlength=len(sought))
    starts = np.cumsum(counts) - counts
    numbers = np.flatnonzero(codes >= 0)
    each = counts[codes[numbers]]
    first = np.repeat(starts[codes[numbers]] - (np.cumsum(each) - each), each)
    return np.repeat(numbers, each), rows[first + np.arange(each.sum())]


def where(texts: pa.Array, mask: NDArray[np.bool_]) -> pa.Array:
    """The texts under a mask, null elsewhere."""
    return pc.if_else(pa.array(mask), texts, pa.scalar(None, pa.string()))


def is_known(texts: pa.Array) -> NDArray[np.bool_]:
    """Mask of the texts that are not null."""
    return np.asarray(texts.is_valid().to_numpy(zero_copy_only=False))


def as_mask(values: pa.Array) -> NDArray[np.bool_]:
    """Arrow booleans as a NumPy mask; null is False."""
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), dtype=bool)


def number_texts(texts: pa.Array | pa.ChunkedArray) -> NDArray[np.intp]:
    """A number for each text, the same for equal ones, -1 where unknown."""
    texts = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    indices = texts.dictionary_encode().indices
    return np.asarray(pc.fill_null(indices, -1).to_numpy(zero_copy_only=False), dtype=np.intp)


def row_array(rows: NDArray[Any]) -> pa.Array:
    """Rows as an Arrow array in the same memory: `pa.array` would load `numpy.ma` first, a tenth of a command's time.

    Examples
    --------
    >>> pa.array(["a", "b"]).take(row_array(np.array([1]))).to_pylist()
    ['b']
    """
    rows = np.ascontiguousarray(rows, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(rows), [None, pa.py_buffer(rows)])


def ascending(numbers: NDArray[Any]) -> NDArray[Any]:
    """The different numbers in ascending order: `np.unique` without `numpy.ma`.

    Examples
    --------
    >>> ascending(np.array([3, 1, 3])).tolist()
    [1, 3]
    """
    numbers = np.sort(numbers)
    return numbers[np.r_[True, numbers[1:] != numbers[:-1]]] if len(numbers) else numbers


def among(numbers: NDArray[Any], others: NDArray[Any]) -> NDArray[np.bool_]:
    """Mask of the numbers that are among others: `np.isin` without `numpy.ma`, and fast for millions.

    Examples
    --------
    >>> among(np.array([3, 1, 2]), np.array([2, 3])).tolist()
    [True, False, True]
    """
    return among_ascending(numbers, np.sort(others))


def among_ascending(numbers: NDArray[Any], others: NDArray[Any]) -> NDArray[np.bool_]:
    """Mask of the numbers that are among others, which are in ascending order already."""
    if not len(others):
        return np.zeros(len(numbers), dtype=bool)
    return np.asarray(others[np.minimum(np.searchsorted(others, numbers), len(others) - 1)] == numbers)


def without(numbers: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """The different numbers that are not among others, in ascending order: `np.setdiff1d` without `numpy.ma`.

    Examples
    --------
    >>> without(np.array([3, 1, 2, 1]), np.array([2])).tolist()
    [1, 3]
    """
    kept = ascending(numbers)
    return kept[~among(kept, others)]
