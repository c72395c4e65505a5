"""Merge rows of the same id, so that no track mixes two measurements."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue.schema import COLUMN_GROUPS, PROVENANCE_COLUMNS


def deduplicate(table: pa.Table) -> pa.Table:
    """Merge rows of the same id: the first known value of each column, all genres.

    The columns of one of `COLUMN_GROUPS` come from the first row that knows all of them, or else any, and
    `PROVENANCE_COLUMNS` go with them: no track mixes two measurements.

    Parameters
    ----------
    table : pa.Table
        With the columns of `SCHEMA`.

    Returns
    -------
    pa.Table
        One row per id, in the order of their first rows.
    """
    codes = table["track_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    n = int(codes.max()) + 1 if len(codes) else 0
    if n == len(codes):
        return table
    grouped = {name: group for group in COLUMN_GROUPS for name in group}
    followers = {follower for names in PROVENANCE_COLUMNS.values() for follower in names}
    columns: dict[str, pa.ChunkedArray] = {}
    for name in table.column_names:
        if name in columns or name in followers:
            continue
        group = grouped.get(name, (name,))
        known = [pc.is_valid(table[member]).to_numpy(zero_copy_only=False) for member in group]
        first, partly = _first(codes, n, np.all(known, axis=0)), _first(codes, n, np.any(known, axis=0))
        first = np.where(first < 0, partly, first)
        for member in (*group, *PROVENANCE_COLUMNS.get(name, ())):
            columns[member] = table[member].take(pa.array(first, mask=first < 0))
    columns["genres"] = _all_genres(table["genres"].combine_chunks(), codes, n)
    return pa.table([columns[name] for name in table.column_names], schema=table.schema)


def _first(codes: NDArray[np.int32], n: int, valid: NDArray[np.bool_]) -> NDArray[np.int64]:
    """First row of each code at which the mask holds, -1 where it never does."""
    rows = np.flatnonzero(valid)[::-1]
    first = np.full(n, -1, dtype=np.int64)
    first[codes[rows]] = rows  # of several the last written stays, which is the first row
    return first


def _all_genres(genres: pa.Array, codes: NDArray[np.int32], n: int) -> pa.Array:
    flat = genres.flatten().dictionary_encode()
    track = codes[pc.list_parent_indices(genres).to_numpy(zero_copy_only=False)].astype(np.int64)
    pairs = track << 32 | flat.indices.to_numpy()
    _, first = np.unique(pairs, return_index=True)
    first = first[np.lexsort((first, track[first]))]
    counts = np.bincount(track[first], minlength=n)
    offsets = pa.array(np.r_[0, np.cumsum(counts)].astype(np.int32), mask=np.r_[counts == 0, False])
    return pa.ListArray.from_arrays(offsets, flat.take(pa.array(first)).cast(pa.string()))
