"""Reading the playlists that a protocol measures on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from disco.catalogue import Catalogue, Rows
from disco.errors import DataError
from disco.evaluation.next_track import MINIMUM_LENGTH
from disco.sources.files import playlist_tables


def entries_of(where: Path, split: str, sources: Sequence[str] | None = None) -> pa.Table:
    """Playlist entries of a file: of these sources, and of this split if the file has splits."""
    entries = playlist_tables.read(where)
    if sources:
        entries = entries.filter(pc.is_in(entries["source"].cast(pa.string()), value_set=pa.array(list(sources))))
        if not len(entries):
            raise DataError(where, f"has no playlist of the source {' or '.join(sources)}")
    if "split" in entries.column_names:
        entries = entries.filter(pc.equal(entries["split"].cast(pa.string()), split))
        if not len(entries):
            raise DataError(where, f"has no playlist of the split {split!r}")
    return entries


def sequences_of(
    where: Path, split: str, catalogue: Catalogue, sources: Sequence[str] | None = None
) -> tuple[list[Rows], dict[str, int]]:
    """Rows of the playlists of a file that are long enough for the next-track protocol, and counts of them."""
    entries = entries_of(where, split, sources)
    long_enough = playlist_tables.sequences(entries, catalogue, MINIMUM_LENGTH)
    if not long_enough:
        raise DataError(
            where,
            f"has no playlist with {MINIMUM_LENGTH} different tracks that {catalogue.where} has with "
            f"all features ({count_in_catalogue(entries, catalogue):,} of {len(entries):,} entries are in it at all)",
        )
    counts = {"test_playlists": len(long_enough), "testentries_of": sum(map(len, long_enough))}
    return long_enough, counts | {"entries_read": len(entries)}


def count_in_catalogue(entries: pa.Table, catalogue: Catalogue) -> int:
    """How many entries are of tracks that the catalogue has."""
    ids = entries["track_id"].cast(pa.string())
    return pc.sum(pc.is_in(ids, value_set=catalogue.table["track_id"])).as_py() or 0
