"""Time to select the next tracks after loading, compared with plain passes over the same bytes.

The floor is x.sum() over the scoring columns as float32 (eight features, two for the tempo, one for the key), one
pass per track. The work is `greedy` with all its rules (no repeats, no second version, artist gap).
"""

from __future__ import annotations

import sys

import numpy as np
import synthetic_tracks
from table import head, ratio, row, seconds

from disco.models.predictors import load_predictor
from disco.playlist.cost import FlowCost, Knobs
from disco.playlist.sequence import Rules, greedy

ROUNDS = 7


def main() -> None:
    """Print how the time grows with the number of candidates and with the length."""
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    catalogue = synthetic_tracks.tracks(largest)
    predictor = load_predictor("classic")
    cost = FlowCost(catalogue, predictor, Knobs(), predictor.embed(catalogue))
    start = np.array([0, 1, 2])
    head("Selecting tracks from candidates", "candidates", "tracks", "seconds", "passes over the columns", "ratio")
    sizes = [(n, 10) for n in (1_000, 10_000, 100_000, 1_000_000) if n <= largest]
    longer = [(n, length) for n in (10_000, largest) if n <= largest for length in (30, 100)]
    for n, length in [*sizes, *longer]:
        pool, columns = np.arange(3, n), np.random.default_rng(0).random((11, n), dtype=np.float32)
        work, floor = [], []
        for _ in range(ROUNDS):  # alternately, so that both meet the same load of the machine
            work += seconds(lambda: greedy(start, pool, length, cost, Rules(catalogue)), 1).tolist()  # noqa: B023
            floor += seconds(lambda: [columns.sum() for _ in range(length)], 1).tolist()  # noqa: B023
        row(f"{n:,}", length, f"{np.median(work):.4f}", f"{np.median(floor):.4f}", ratio(work, floor))


if __name__ == "__main__":
    main()
