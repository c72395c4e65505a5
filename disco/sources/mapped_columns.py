"""The columns of a large catalogue in the cache folder, in one Arrow file that is memory-mapped.

Columns that are read from Parquet are unpacked by each process for itself. Those of a mapped file are used where they
lie: a command reads only the parts that it looks at, and all processes of a machine share one copy. For that they are
not compressed, and take more room on the disk than `disco.sources.cached_columns`, which is for all smaller ones.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from disco.catalogue import SCHEMA, Catalogue
from disco.sources.cache import CatalogueCache
from disco.sources.cached_columns import joined_names, notes_as_written, notes_by_file

# Catalogues of at least so many tracks are mapped. Below, reading what is needed takes less than 0.2 s.
MAPPED_TRACKS = 500_000
# What a mapped catalogue may take, with its vectors and search index, per track: made-up ones take 280 bytes.
BYTES_A_TRACK = 600
_NAME = "columns.arrow"
_NOTES = b"notes"


def load(cache: CatalogueCache, paths: Sequence[Path], files: Sequence[Path]) -> Catalogue | None:
    """The catalogue of files from the cache, memory-mapped; None if it is not there.

    Parameters
    ----------
    cache : CatalogueCache
    paths : sequence of Path
        Files of the tracks, as the user wrote them.
    files : sequence of Path
        The same and all others that notes may name.
    """
    if (content := cache.read(_NAME, mapped=True)) is None:
        return None
    table = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(content))).read_all()
    notes = notes_as_written(json.loads(table.schema.metadata[_NOTES]), files)
    _share(cache, table.num_rows)
    return Catalogue(table.replace_schema_metadata(), joined_names(paths), notes).with_store(cache)


def store(cache: CatalogueCache, catalogue: Catalogue, paths: Sequence[Path], files: Sequence[Path]) -> Catalogue:
    """Store a catalogue for `load`, and give it as it is mapped from there; as it was where it cannot be stored."""
    stored = catalogue.with_store(cache)
    if not catalogue.table.schema.equals(SCHEMA) or catalogue.where != joined_names(paths):
        return stored
    _share(cache, len(catalogue))
    facts = {_NOTES: json.dumps(notes_by_file(catalogue.notes, files)).encode()}

    def write(file: BinaryIO) -> None:
        # One batch, so that each column is in one piece.
        table = catalogue.table.combine_chunks().replace_schema_metadata(facts)
        with pa.ipc.new_file(pa.PythonFile(file, mode="w"), table.schema) as writer:
            writer.write_table(table)

    cache.write_by(_NAME, catalogue.table.nbytes, write)
    mapped = load(cache, paths, files)
    return stored if mapped is None else mapped


def _share(cache: CatalogueCache, tracks: int) -> None:
    cache.limit = max(cache.limit, BYTES_A_TRACK * tracks)
    cache.shared = True
