"""Time and memory from opening a Parquet file of a million tracks to the first selected track."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import synthetic_tracks
from table import head, row

ROUNDS = 5
WORK = """
import resource, sys, time
import numpy, pyarrow, pyarrow.parquet, onnxruntime
from disco.playlist import generate
from disco import sources
start = time.perf_counter()
catalogue = sources.open([sys.argv[1]], cache=False)
opened = time.perf_counter()
generate(catalogue, catalogue.rows(["m000000001", "m000000002", "m000000003"]), length=1)
print(opened - start, time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


def main() -> None:
    """Print the table."""
    path = synthetic_tracks.file(1_000_000)
    rounds = []
    for _ in range(ROUNDS):
        done = subprocess.run([sys.executable, "-c", WORK, str(path)], check=True, capture_output=True, text=True)
        rounds.append([float(number) for number in done.stdout.split()])
    opened, selected, memory = np.array(rounds).T
    head("A Parquet file of 1,000,000 tracks", "what", "median", "least", "greatest")
    for what, values in (("opened, s", opened), ("first track selected, s", selected), ("peak memory, GB", memory)):
        row(what, *(f"{f(values):.2f}" for f in (np.median, np.min, np.max)))


if __name__ == "__main__":
    main()
