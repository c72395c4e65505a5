"""Any number of tracks for benchmarks: the demo's, sampled with replacement, jittered and renamed.

They are made and written in parts, so that ten million take no more memory than one part.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from disco import sources
from disco.catalogue import FEATURES, SCHEMA, Catalogue
from disco.sources.storage import atomic_file

# Beside the other build products, ignored by git.
FOLDER = Path(__file__).parents[1] / "build" / "bench"
# Tracks that are made at a time.
PART = 250_000
_TRACKS_OF_AN_ARTIST = 7


def parts(n: int, seed: int = 0) -> Iterator[pa.Table]:
    """Sample n tracks with the demo's statistics and titles of words of its titles, about seven per artist."""
    demo = sources.open().table.combine_chunks()
    words = pa.array(sorted({word for title in demo["title"].to_pylist() for word in title.split()}))
    rng = np.random.default_rng(seed)
    artists = n // _TRACKS_OF_AN_ARTIST + 1
    word_of_artist = rng.integers(len(words), size=artists)
    for start in range(0, n, PART):
        size = min(PART, n - start)
        table = demo.take(pa.array(rng.integers(len(demo), size=size)))
        columns = {name: table[name] for name in SCHEMA.names}
        ids = pa.array(np.arange(start, start + size)).cast(pa.string())
        columns["track_id"] = pc.binary_join_element_wise("m", pc.utf8_lpad(ids, 9, "0"), "")
        three = rng.integers(len(words), size=(3, size))
        columns["title"] = pc.binary_join_element_wise(*(words.take(pa.array(each)) for each in three), " ")
        numbers = rng.integers(artists, size=size)
        names = words.take(pa.array(word_of_artist[numbers]))
        names = pc.binary_join_element_wise(names, pa.array(numbers).cast(pa.string()), " ")
        columns["artists"] = pa.ListArray.from_arrays(pa.array(np.arange(size + 1), pa.int32()), names)
        for name in FEATURES:
            values, deviation = table[name].to_numpy(), float(np.std(demo[name].to_numpy()))
            jittered = values + rng.normal(0, 0.2 * deviation, size)
            columns[name] = pa.array(jittered if name == "loudness" else np.abs(jittered) % 1, pa.float32())
        columns["tempo_bpm"] = pa.array(table["tempo_bpm"].to_numpy() * rng.normal(1, 0.02, size), pa.float32())
        yield pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def tracks(n: int, seed: int = 0) -> Catalogue:
    """So many made-up tracks as a catalogue."""
    return Catalogue(pa.concat_tables(parts(n, seed)).combine_chunks(), f"{n:,} made-up tracks")


def file(n: int) -> Path:
    """Parquet file of n such tracks, written once."""
    path = FOLDER / f"made-up-{n}.parquet"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as temporary, pq.ParquetWriter(temporary, SCHEMA, compression="zstd") as writer:
            for part in parts(n):
                writer.write_table(part)
    return path
