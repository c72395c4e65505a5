"""Arrays of texts that are compared, numbered and masked, for Arrow and NumPy together."""

from __future__ import annotations

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
