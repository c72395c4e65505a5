"""Speed and memory of the main job at all sizes, beside the published way, the memory's floor and two existing tools.

    python benchmarks/curves.py --output build/bench/curves [--pictures docs/images] [--tracks FILE] [--long]

Each point is measured in a process of its own, so that its peak of memory is its own: after a first run up to five
more, each next to a pass through 400 MB that tells the memory's bandwidth at that moment. The floor of a selection is
the bytes that its steps must read over that bandwidth. Writes `curves.json`, prints tables, draws a picture of each
curve. Takes about 15 minutes on two free cores, and 3 more the first time for ten million made-up tracks.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from table import machine

# Candidates that ten tracks are chosen from, and lengths that are chosen from so many; djkr8 takes a minute for 300.
SIZES, LENGTHS, FIXED = (10**3, 10**4, 10**5, 10**6, 10**7), (10, 100, 1000), 10**5
SELECTIONS: dict[str, tuple[int, ...]] = {
    "greedy": SIZES,
    "beam": SIZES[:4],
    "make": SIZES[:4],
    "published": SIZES,
    "kd-tree": SIZES,
    "brute": SIZES,
    "djkr8": (50, 100, 200),
}
LONGER = ("greedy", "beam", "published", "kd-tree")
ORDERED, LONG = (30, 100, 300, 1000, 3000, 10_000), 100_000
# djkr8 stops itself after a minute; where another process takes longer than this, its point is left out.
_LIMIT_S = 240
_ROUNDS, _ROUNDS_S = 5, 12.0
_PACKAGES = ("pandas", "keras", "scikit-learn", "fast-tsp", "djkr8")

Point = dict[str, Any]


def main() -> None:
    """Measure all points, print tables and draw pictures; or measure one point and print it."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--output", type=Path, default=Path("build/bench/curves"), metavar="FOLDER")
    p.add_argument("--pictures", type=Path, metavar="FOLDER", help="draw the curves there (extra notebook)")
    p.add_argument("--tracks", type=Path, metavar="FILE", help="order tracks of this table (default: made-up ones)")
    p.add_argument("--largest", type=int, default=max(SIZES), metavar="N", help="most candidates (10,000,000)")
    p.add_argument("--long", action="store_true", help=f"order {LONG:,} tracks too, which takes seven minutes")
    p.add_argument("--ways", nargs="+", metavar="NAME", help="measure these ways alone, and keep the other points")
    p.add_argument("--draw", action="store_true", help="measure nothing: tables and pictures of what is there")
    p.add_argument("--select", nargs=3, metavar=("WAY", "N", "LENGTH"), help=argparse.SUPPRESS)
    p.add_argument("--order", nargs=2, metavar=("WAY", "N"), help=argparse.SUPPRESS)
    arguments = p.parse_args()
    if arguments.select:
        way, n, length = arguments.select
        print(json.dumps(selected(way, int(n), int(length))))
    elif arguments.order:
        print(json.dumps(ordered(arguments.order[0], int(arguments.order[1]), arguments.tracks)))
    else:
        whole(arguments)


def whole(arguments: argparse.Namespace) -> None:
    """Measure what is asked for, one process after the other, and show it."""
    import curve_pictures

    path = arguments.output / "curves.json"
    points: list[Point] = json.loads(path.read_text())["points"] if path.exists() else []
    if not arguments.draw:
        arguments.output.mkdir(parents=True, exist_ok=True)
        for command in _commands(arguments):
            kind, *about = command
            points = [point for point in points if [point["kind"], *point["asked"]] != [kind, *about]]
            points.append({"kind": kind, "asked": about, **_measured(command, arguments.tracks)})
            path.write_text(json.dumps({"machine": machine(*_PACKAGES), "points": points}, indent=1))
    curve_pictures.tables(json.loads(path.read_text()))
    if arguments.pictures:
        curve_pictures.draw(points, arguments.pictures)


def _commands(arguments: argparse.Namespace) -> Iterator[list[str]]:
    """What to measure: select WAY N LENGTH, or order WAY N."""
    import ordering

    asked = [
        *(
            ["select", way, str(n), "10"]
            for way, sizes in SELECTIONS.items()
            for n in sizes
            if n <= arguments.largest
        ),
        *(["select", way, str(FIXED), str(length)] for way in LONGER for length in LENGTHS[1:]),
        *(
            ["order", name, str(n)]
            for name, way in ordering.WAYS.items()
            for n in (*ORDERED, *([LONG] if arguments.long else []))
            if n <= way.most
        ),
    ]
    yield from (command for command in asked if not arguments.ways or command[1] in arguments.ways)


def _measured(command: list[str], tracks: Path | None) -> Point:
    """One point, in a process of its own; why there is none if there is none."""
    given = [
        sys.executable,
        __file__,
        f"--{command[0]}",
        *command[1:],
        *(["--tracks", str(tracks)] if tracks else []),
    ]
    print(" ".join(command), end=" ", file=sys.stderr, flush=True)
    try:
        done = subprocess.run(
            given, capture_output=True, text=True, timeout=_LIMIT_S + (600 if command[-1] == str(LONG) else 0),
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        point = {"failed": f"takes more than {_LIMIT_S} s"}
    else:
        lines = done.stdout.splitlines() if done.returncode == 0 else []
        last = (done.stderr.strip().splitlines() or ["no reason on stderr"])[-1]
        point = json.loads(lines[-1]) if lines else {"failed": last[:200]}
    print(point.get("failed") or f"{np.median(point['seconds']):.4f} s", file=sys.stderr, flush=True)
    return point


def selected(name: str, n: int, length: int) -> Point:
    """Time one way to select, and what it needs."""
    import selecting

    begun = time.perf_counter()
    select = selecting.WAYS[name].prepare(n)
    prepared = time.perf_counter() - begun
    first = _seconds(select, length)
    if name == "published" and n == min(SIZES):
        assert list(select(length)) == selecting.published_by_disco(n, length), "the published way chooses others"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    memory = np.ones(100_000_000, dtype=np.float32)
    work, passes = [], []
    while not work or (len(work) < _ROUNDS and sum(wall for wall, _ in work) + first[0] < _ROUNDS_S):
        passes.append(_seconds(memory.max))
        work.append(_seconds(select, length))
    share = length * n * selecting.BYTES / memory.nbytes
    found: Point = {"prepared": prepared, "peak_mb": peak}
    for i, name in enumerate(("seconds", "cpu")):
        found[name] = [each[i] for each in work]
        found[f"floor_{name}"] = [share * each[i] for each in passes]
    return found


def ordered(name: str, n: int, table: Path | None) -> Point:
    """Time one way to order, and what the order costs."""
    import ordering

    catalogue = ordering.tracks(n, table)
    cost, rules = ordering.cost_of(catalogue), ordering.Rules(catalogue)
    found: list[np.ndarray] = []
    seconds, cpu = _seconds(lambda: found.append(ordering.WAYS[name].order(catalogue, cost, rules)))
    path = found[0]
    assert len(np.unique(path)) == len(path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    mean = float(cost.terms(path)["cost"].mean())
    return {"seconds": [seconds], "cpu": [cpu], "cost": mean, "played": len(path), "peak_mb": peak}


def _seconds(work: Any, *given: Any) -> tuple[float, float]:
    """Seconds that work takes, by the clock and of processors."""
    start, used = time.perf_counter(), time.process_time()
    work(*given)
    return time.perf_counter() - start, time.process_time() - used


if __name__ == "__main__":
    main()
