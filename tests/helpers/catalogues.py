"""Catalogues to test with, made here; nothing of the real data is in the repository."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from disco.catalogue import FEATURES, SCHEMA, Catalogue

# Folder of the real tracks and playlists.
SHARED = Path(os.environ.get("DISCO_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")


def catalogue_of(tracks: list[dict[str, Any]]) -> Catalogue:
    """A catalogue of tracks given as dictionaries; columns left out are unknown."""
    rows = [{field.name: track.get(field.name) for field in SCHEMA} for track in tracks]
    return Catalogue(pa.Table.from_pylist(rows, SCHEMA), "a test")


def random_catalogue(n: int, seed: int = 0, artists: int | None = None, unknown: float = 0.0) -> Catalogue:
    """n random tracks; `artists` are shared among them, a share of keys and tempos is unknown."""
    rng = np.random.default_rng(seed)
    missing = rng.random((n, 2)) < unknown
    tracks = [
        {
            "track_id": f"t{i:05}",
            "title": f"Title {i}",
            "artists": [f"Artist {i if artists is None else rng.integers(artists)}"],
            "genres": [("techno", "house", "deep house")[i % 3]],
            "duration_ms": int(rng.integers(90_000, 400_000)),
            "popularity": float(rng.integers(0, 100)),
            "explicit": bool(rng.random() < 0.2),
            "tempo_bpm": None if missing[i, 0] else float(rng.uniform(60, 200)),
            "key": None if missing[i, 1] else int(rng.integers(12)),
            "mode": int(rng.integers(2)),
            "feature_set": "spotify",
            **{f: float(rng.uniform(-30, 0) if f == "loudness" else rng.random()) for f in FEATURES},
        }
        for i in range(n)
    ]
    return catalogue_of(tracks)
