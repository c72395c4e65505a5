"""Any number of tracks for benchmarks: the demo's, sampled with replacement, jittered and renamed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from disco import sources
from disco.catalogue import FEATURES, SCHEMA, Catalogue
from disco.sources.files import tables

# Beside the other build products, ignored by git.
FOLDER = Path(__file__).parents[1] / "build" / "bench"


def tracks(n: int, seed: int = 0) -> Catalogue:
    """Sample n tracks with the demo's statistics and titles of words of its titles, about seven per artist."""
    rng = np.random.default_rng(seed)
    demo = sources.open().table
    table = demo.take(pa.array(rng.integers(len(demo), size=n)))
    words = np.array(sorted({word for title in demo["title"].to_pylist() for word in title.split()}))
    titles = [" ".join(row) for row in words[rng.integers(len(words), size=(n, 3))]]
    artists = np.array([f"{name} {i}" for i, name in enumerate(words[rng.integers(len(words), size=n // 7 + 1)])])
    columns = {name: table[name] for name in SCHEMA.names}
    columns["track_id"] = pa.array([f"m{i:09}" for i in range(n)])
    columns["title"] = pa.array(titles)
    columns["artists"] = pa.array(artists[rng.integers(len(artists), size=n)][:, None].tolist())
    for name in FEATURES:
        values, deviation = table[name].to_numpy(), float(np.std(demo[name].to_numpy()))
        jittered = values + rng.normal(0, 0.2 * deviation, n)
        columns[name] = pa.array(jittered if name == "loudness" else np.abs(jittered) % 1, pa.float32())
    columns["tempo_bpm"] = pa.array(table["tempo_bpm"].to_numpy() * rng.normal(1, 0.02, n), pa.float32())
    return Catalogue(pa.table([columns[f.name] for f in SCHEMA], schema=SCHEMA), f"{n:,} made-up tracks")


def file(n: int) -> Path:
    """Parquet file of n such tracks, written once."""
    path = FOLDER / f"tracks-{n}.parquet"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        tables.write(tracks(n), path)
    return path
