"""The columns of a catalogue in the cache folder: only those that its file does not already have as they are.

A table of a million tracks would take more room than its vectors and search index together. Most of its columns are
in the catalogue what they are in a Parquet file, so they are read from there, each when it is first needed; what was
converted or joined is stored, compressed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from disco.catalogue import SCHEMA, Catalogue
from disco.errors import DataError
from disco.sources.cache import VECTOR_BYTES, CatalogueCache
from disco.sources.files.column_names import known_columns
from disco.sources.fingerprints import FileContent

_NAME = "columns.parquet"
# Names of the facts beside the columns.
_SAME, _NOTES, _NULLS = b"columns of the file", b"notes", b"nulls"
# A third smaller than at level 1, 9 is written at 60 MB/s and read as fast as any.
_LEVEL = 9
# The columns that are read at once, the largest, and how many at a time.
_FIRST, _THREADS = ("track_id", "title", "artists"), 2


class CachedColumns:
    """Columns that are read from the cache, or from the file itself, when they are first needed.

    Parameters
    ----------
    stored : pa.Buffer
        Parquet with the columns that the file does not have.
    source : FileContent
        The file; it is read if any of its columns are used.

    Raises
    ------
    DataError
        If it is not the file any more that it was.
    """

    def __init__(self, stored: pa.Buffer, source: FileContent) -> None:
        file = pq.ParquetFile(pa.BufferReader(stored))
        facts = file.schema_arrow.metadata
        self.notes: list[tuple[int, str]] = [(number, note) for number, note in json.loads(facts[_NOTES])]
        self._nulls: dict[str, int] = json.loads(facts[_NULLS])
        self._rows = int(file.metadata.num_rows)
        self._places = {name: (stored, file.metadata, name) for name in file.schema_arrow.names}
        if same := json.loads(facts[_SAME]):
            if not source.parquet:
                raise DataError(source.path, "was changed while it was read")
            file = pq.ParquetFile(pa.BufferReader(source.parquet))
            self._places |= {name: (source.parquet, file.metadata, there) for name, there in same.items()}
        self._columns: dict[str, pa.ChunkedArray] = {}
        # Almost every command needs these: while they are read in threads, it imports and loads what else it needs.
        threads = ThreadPoolExecutor(_THREADS)
        self._reading = {name: threads.submit(self._read, name) for name in _FIRST}
        threads.shutdown(wait=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """As a whole table, for another process."""
        return _same_table, (pa.table([self[name] for name in SCHEMA.names], schema=SCHEMA),)

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, name: str) -> pa.ChunkedArray:
        if name not in self._columns:
            self._columns[name] = self._reading[name].result() if name in self._reading else self._read(name)
        return self._columns[name]

    def null_count(self, name: str) -> int:
        """Number of unknown values, for which the column need not be read."""
        return self._nulls[name]

    def _read(self, name: str) -> pa.ChunkedArray:
        content, metadata, there = self._places[name]
        file = pq.ParquetFile(pa.BufferReader(content), metadata=metadata)  # one is not for several threads
        return _as(file.read(columns=[there])[there], name)


def _same_table(table: pa.Table) -> pa.Table:
    return table


def load(
    cache: CatalogueCache, source: FileContent, paths: Sequence[Path], files: Sequence[Path]
) -> Catalogue | None:
    """The catalogue of files from the cache; None if it is not there, or the first file was changed just now.

    Parameters
    ----------
    cache : CatalogueCache
    source : FileContent
        The first file.
    paths : sequence of Path
        Files of the tracks, as the user wrote them.
    files : sequence of Path
        The same and all others that notes may name.
    """
    if (content := cache.read(_NAME)) is None:
        return None
    try:
        columns = CachedColumns(pa.py_buffer(content), source)
    except DataError:
        return None
    return Catalogue(columns, joined_names(paths), notes_as_written(columns.notes, files)).with_store(cache)


def store(
    cache: CatalogueCache, catalogue: Catalogue, source: FileContent, paths: Sequence[Path], files: Sequence[Path]
) -> Catalogue:
    """Store a catalogue for `load`, if it has the usual columns and leaves room for vectors."""
    stored = catalogue.with_store(cache)
    if not catalogue.table.schema.equals(SCHEMA) or catalogue.where != joined_names(paths):
        return stored
    same = _same_columns(catalogue.table, source.parquet, paths[0])
    facts = {
        _SAME: json.dumps(same).encode(),
        _NULLS: json.dumps({name: catalogue.null_count(name) for name in SCHEMA.names}).encode(),
        _NOTES: json.dumps(notes_by_file(catalogue.notes, files)).encode(),
    }
    table = catalogue.table.select([name for name in SCHEMA.names if name not in same])
    written = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(facts), written, compression="zstd", compression_level=_LEVEL)
    content = written.getvalue()
    again = CachedColumns(content, source)
    whole = all(again[name].equals(catalogue.column(name)) for name in table.column_names)
    room = max(cache.limit - VECTOR_BYTES * len(catalogue), cache.limit // 4)
    if whole and content.size <= room:
        cache.write(_NAME, content)
    return stored


def _same_columns(table: pa.Table, source: bytes, path: Path) -> dict[str, str]:
    """Columns of a catalogue that a Parquet file has as they are, and what it calls them."""
    if not source:
        return {}
    file, same = pq.ParquetFile(pa.BufferReader(source)), {}
    if file.metadata.num_rows != table.num_rows:
        return {}
    for name, (there, *_) in known_columns(file.schema_arrow.names, path).items():
        try:
            if _as(file.read(columns=[there])[there], name).equals(table[name]):
                same[name] = there
        except (pa.ArrowException, DataError, KeyError):
            continue
    # The number of tracks is that of the stored columns: one is stored in any case.
    return {name: there for name, there in same.items() if len(same) < len(SCHEMA) or name != "mode"}


def _as(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """A column of a file as that of `SCHEMA`, in one piece."""
    return pa.chunked_array([column.cast(SCHEMA.field(name).type).combine_chunks()])


def joined_names(paths: Sequence[Path]) -> str:
    """Where the catalogue of these files is from, in the words of the user."""
    return " + ".join(map(str, paths))


def notes_by_file(notes: Sequence[str], files: Sequence[Path]) -> list[tuple[int, str]]:
    """Of each note, which file it begins with, -1 for none, and the rest: a file may be written otherwise later.

    Examples
    --------
    >>> notes_by_file(["a.csv: 3 tracks"], [Path("a.csv")])
    [(0, '3 tracks')]
    """
    return [_split(note, files) for note in notes]


def notes_as_written(notes: Sequence[tuple[int, str]], files: Sequence[Path]) -> tuple[str, ...]:
    """The notes that `notes_by_file` took apart, with the files as they are written now."""
    return tuple((f"{files[number]}: " if number >= 0 else "") + note for number, note in notes)


def _split(note: str, files: Sequence[Path]) -> tuple[int, str]:
    for number, file in enumerate(files):
        if note.startswith(f"{file}: "):
            return number, note.removeprefix(f"{file}: ")
    return -1, note
