"""Columns that are read when they are needed, where a catalogue is not given as a whole table."""

from __future__ import annotations

from typing import Any, Protocol

import pyarrow as pa

from disco.catalogue.schema import SCHEMA


class Columns(Protocol):
    """Columns of tracks, by the names of `SCHEMA`, each read when it is first needed."""

    def __len__(self) -> int: ...
    def __getitem__(self, name: str) -> pa.ChunkedArray: ...
    def null_count(self, name: str) -> int:
        """Number of unknown values."""


class WholeTable:
    """The attribute `table` of a catalogue that may have been given as `Columns`: put together when it is needed."""

    def __get__(self, catalogue: Any, owner: Any) -> pa.Table:
        if catalogue is None:
            raise AttributeError("table")  # so that the field has no default
        columns = catalogue.__dict__["_columns"]
        if not isinstance(columns, pa.Table):
            columns = pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)
            catalogue.__dict__["_columns"] = columns
        return columns

    def __set__(self, catalogue: Any, columns: pa.Table | Columns) -> None:
        catalogue.__dict__["_columns"] = columns


class TakenColumns:
    """Columns of some rows of others.

    Examples
    --------
    >>> taken = TakenColumns(pa.table({"track_id": ["a", "b"]}), pa.array([1]))
    >>> len(taken), taken["track_id"].to_pylist()
    (1, ['b'])
    """

    def __init__(self, columns: Columns, rows: pa.Array) -> None:
        self._of, self._rows = columns, rows
        self._columns = {"track_id": columns["track_id"].take(rows)}  # fails where there is no such row

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, name: str) -> pa.ChunkedArray:
        if name not in self._columns:
            self._columns[name] = self._of[name].take(self._rows)
        return self._columns[name]

    def null_count(self, name: str) -> int:
        """Number of unknown values."""
        return int(self[name].null_count)
