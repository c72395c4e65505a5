"""Made-up playlists in the Million Playlist format: any number of slices of a thousand, and a table of their tracks.

`python benchmarks/synthetic_playlists.py FOLDER --slices 100` writes `FOLDER/slices/mpd.slice.0-999.json` and so on,
in the layout that the true ones have (66 entries a playlist on average), and `FOLDER/tracks.parquet`. What is played
follows a power law, and tracks of a playlist are of one of a few hundred kinds, as in the true ones.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import synthetic_tracks

from disco.catalogue import Catalogue
from disco.sources.files import tables

PER_SLICE = 1000
# Of the true ones: 66.3 entries a playlist on average, from 5 to 250.
MEAN_LENGTH = 66.3
KINDS = 300
LETTERS = np.array(list("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))


def fragments(ids: list[str], titles: list[str], artists: list[str], durations: list[int]) -> list[str]:
    """The JSON of each track within a playlist, without its position."""
    made = []
    for track, title, artist, duration in zip(ids, titles, artists, durations, strict=True):
        fields = {
            "artist_name": artist,
            "track_uri": f"spotify:track:{track}",
            "artist_uri": f"spotify:artist:{track[::-1]}",
            "track_name": title,
            "album_uri": f"spotify:album:{track[11:]}{track[:11]}",
            "duration_ms": duration,
            "album_name": f"{title} and more",
        }
        made.append(
            ",\n" + ",\n".join(f'          "{name}": {json.dumps(v)}' for name, v in fields.items()) + "\n        }"
        )
    return made


def of_tracks(n_tracks: int, seed: int = 0) -> tuple[list[str], list[int], list[np.ndarray]]:
    """The ids of tracks and their durations in milliseconds, and the tracks of each kind by their numbers."""
    rng = np.random.default_rng(seed)
    ids = ["".join(row) for row in LETTERS[rng.integers(len(LETTERS), size=(n_tracks, 22))]]
    durations = rng.integers(90_000, 420_000, n_tracks).tolist()
    kind_of = rng.integers(KINDS, size=n_tracks)
    by_kind = [np.flatnonzero((kind_of == kind) | (kind_of == (kind * 7 + 1) % KINDS)) for kind in range(KINDS)]
    return ids, durations, by_kind


def drawn(number: int, by_kind: list[np.ndarray], seed: int = 0) -> list[np.ndarray]:
    """The tracks of each playlist of a slice, by their numbers."""
    rng = np.random.default_rng([seed, number])
    lengths = np.clip(np.round(rng.lognormal(3.89, 0.85, PER_SLICE)), 5, 250).astype(int)
    playlists = []
    for length in lengths.tolist():
        kind = by_kind[int(len(by_kind) * rng.random() ** 2)]
        # A power law: half of what is played are the most frequent sixteenth of the tracks.
        playlists.append(kind[(len(kind) * rng.random(length) ** 4).astype(int)])
    return playlists


def slice_text(first: int, tracks: list[str], lists: list[np.ndarray]) -> str:
    """A slice: playlists numbered from `first` on."""
    playlists = []
    for i, rows in enumerate(lists):
        body = ",\n".join(f'        {{\n          "pos": {pos}{tracks[row]}' for pos, row in enumerate(rows.tolist()))
        about = {"name": f"playlist {first + i}", "collaborative": "false", "pid": first + i, "num_tracks": len(rows)}
        head = "".join(f'      "{name}": {json.dumps(value)},\n' for name, value in about.items())
        end = f'      "num_edits": 6,\n      "num_artists": {len(rows)}\n'
        playlists.append(f'    {{\n{head}      "tracks": [\n{body}\n      ],\n{end}    }}')
    info = {
        "generated_on": "2017-12-03 08:41:42.057563",
        "slice": f"{first}-{first + PER_SLICE - 1}",
        "version": "v1",
    }
    return f'{{\n  "info": {json.dumps(info)},\n  "playlists": [\n' + ",\n".join(playlists) + "\n  ]\n}\n"


def write(folder: Path, slices: int, n_tracks: int, seed: int = 0) -> None:
    """Write slices that are not there yet, and the table of tracks."""
    ids, durations, by_kind = of_tracks(n_tracks, seed)
    made = synthetic_tracks.tracks(n_tracks, seed).table
    (folder / "slices").mkdir(parents=True, exist_ok=True)
    if not (folder / "tracks.parquet").exists():
        at = made.schema.get_field_index("track_id")
        tables.write(Catalogue(made.set_column(at, "track_id", pa.array(ids)), "made-up"), folder / "tracks.parquet")
    artists = [names[0] for names in made["artists"].to_pylist()]
    texts = fragments(ids, made["title"].to_pylist(), artists, durations)
    for number in range(slices):
        first = number * PER_SLICE
        path = folder / "slices" / f"mpd.slice.{first}-{first + PER_SLICE - 1}.json"
        if not path.exists():
            path.write_text(slice_text(first, texts, drawn(number, by_kind, seed)), encoding="utf-8")


def main() -> None:
    """Write them."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("folder", type=Path)
    p.add_argument("--slices", type=int, default=100)
    p.add_argument("--tracks", type=int, default=400_000)
    arguments = p.parse_args()
    write(arguments.folder, arguments.slices, arguments.tracks)


if __name__ == "__main__":
    main()
