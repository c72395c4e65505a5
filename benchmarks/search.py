"""Time of free-text search among a million tracks, compared with plain scans of the titles for a word."""

from __future__ import annotations

import time

import numpy as np
import pyarrow.compute as pc
import synthetic_tracks
from table import head, ratio, row, seconds

ROUNDS = 7


def main() -> None:
    """Print the table."""
    catalogue = synthetic_tracks.tracks(1_000_000)
    titles = catalogue.table["title"]
    start = time.perf_counter()
    catalogue.search("anything")
    built = time.perf_counter() - start
    some = catalogue.tracks(np.array([123_456]))[0]
    title, artist = some["title"], some["artists"][0]
    queries = {
        "title and artist": f"{title} {artist}",
        "two letters swapped": f"{artist} {title[0]}{title[2]}{title[1]}{title[3:]}",
        "a frequent word": "midnight",
        "no such words": "xyzzyqw plughqx",
    }
    head("Searching 1,000,000 tracks", "query", "seconds", "plain scan, s", "ratio")
    for what, query in queries.items():
        work, floor = [], []
        for _ in range(ROUNDS):
            work += seconds(lambda: catalogue.search(query), 1).tolist()  # noqa: B023
            floor += seconds(lambda: pc.match_substring(titles, "midnight"), 1).tolist()
        row(what, f"{np.median(work):.3f}", f"{np.median(floor):.4f}", ratio(work, floor))
    print(f"\nThe index is built once, at the first search: {built:.1f} s.")


if __name__ == "__main__":
    main()
