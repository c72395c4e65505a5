"""Time of the first and of later commands on a catalogue, compared with importing what they need."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import synthetic_tracks
from command import FLOOR, compile_package
from table import head, ratio, row, seconds

ROUNDS = 7


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--catalogue", type=Path, help="Parquet with a column track_id (default: 1,000,000 made up)")
    parser.add_argument("seeds", nargs="*", help="ids, or words of title and artist (default: three ids)")
    parser.add_argument("--recommender", metavar="NAME", help="as in disco generate (default: the default)")
    arguments = parser.parse_args()
    compile_package()
    path = arguments.catalogue or synthetic_tracks.file(1_000_000)
    ids = pq.read_table(path, columns=["track_id"])["track_id"]
    seeds = arguments.seeds or [ids[i].as_py() for i in range(3)]
    work = [sys.executable, "-m", "disco", "generate", *seeds, "--catalogue", str(path)]
    work += ["--recommender", arguments.recommender] if arguments.recommender else []

    def run(command: list[str], cache: str) -> float:
        start = {"env": {**os.environ, "DISCO_CACHE": cache}, "check": True, "capture_output": True}
        return float(seconds(lambda: subprocess.run(command, **start), 1, warm_up=False)[0])

    with tempfile.TemporaryDirectory() as cache:
        first = run(work, cache)
        rounds = np.array([[run(command, cache) for command in (work, FLOOR)] for _ in range(ROUNDS)])
        size = sum(file.stat().st_size for file in Path(cache).rglob("*") if file.is_file())
    floor = float(np.median(rounds[:, 1]))
    head(f"{len(ids):,} tracks, whole process", "command", "seconds", "ratio")
    row("the first time", f"{first:.2f}", f"{first / floor:.2f}")
    row("later", f"{np.median(rounds[:, 0]):.2f}", ratio(rounds[:, 0], rounds[:, 1]))
    row("importing numpy, pyarrow, pyarrow.parquet, onnxruntime", f"{floor:.2f}", 1)
    print(f"\nThe cache takes {size / path.stat().st_size:.2f} times the file.")


if __name__ == "__main__":
    main()
