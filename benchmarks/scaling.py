"""What follows from the measured curves for 100 million tracks and a billion playlists: bytes, hours and money.

    python benchmarks/scaling.py [--measured build/bench]

Reads `curves/curves.json` (of `curves.py`) and `rates.json` (of `rates.py`), first checks how well what was measured
up to a million candidates predicts the measured ten million, and prints the tables of docs/research/scaling.md.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from curve_pictures import line
from table import names, row

# Files of a track in the cache, of a million made-up tracks, by `later_command.py`.
CACHE = {"columns": 179, "vectors": 66, "search index": 28}
# Seconds and GB of the first command, and of a later one, by the number of tracks (the same, 2026-11-29).
FIRST = {10**6: (21.5, 1.2), 10**7: (283, 6.1)}
LATER = {10**6: (1.19, 0.36), 10**7: (2.26, 2.3)}
# Dollars an hour, AWS on demand, Linux, us-east-1: name, cores, GB, price. From SkyPilot's copy of the list of AWS
# (github.com/skypilot-org/skypilot-catalog, catalogs/v7/aws/vms.csv, commit 001367d, read 2026-11-29).
MACHINES = (
    ("r7i.large", 2, 16, 0.1323),
    ("r7i.4xlarge", 16, 128, 1.0584),
    ("r7i.8xlarge", 32, 256, 2.1168),
)
FLEX = ("c7i-flex.4xlarge", 16, 32, 0.6783)
# Peak memory of reading what is learned from, in bytes a playlist: 206,280 playlists of 50 tracks took 1.36 GB.
READING = 6.6e3
EPOCHS = {"classic": 30, "music": 13}


def straight(values: dict[int, tuple[float, ...]], n: float) -> tuple[float, ...]:
    """Values at n, on the straight lines through those at two sizes."""
    (x, first), (z, second) = values.items()
    return tuple(a + (b - a) * (n - x) / (z - x) for a, b in zip(first, second, strict=True))


def main() -> None:
    """Print the tables."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--measured", type=Path, default=Path("build/bench"), metavar="FOLDER")
    folder = p.parse_args().measured
    points = json.loads((folder / "curves" / "curves.json").read_text())["points"]
    rates: list[dict[str, Any]] = json.loads((folder / "rates.json").read_text())["rates"]
    predicted(points)
    tracks(points)
    playlists(rates)


def predicted(points: list[dict[str, Any]]) -> None:
    """How well straight lines through 100,000 and a million candidates predict what ten million take."""
    names("Ten tracks of 10,000,000", "predicted, processor s", "measured", "error")
    for way in ("greedy", "published", "brute"):
        found = dict(line(points, "select", way, 1, "cpu", _2="10"))
        if 10**7 in found:
            (expected,) = straight({n: (found[n],) for n in (10**5, 10**6)}, 1e7)
            row(way, f"{expected:.2f}", f"{found[10**7]:.2f}", f"{100 * (expected / found[10**7] - 1):+.0f} %")


def tracks(points: list[dict[str, Any]]) -> None:
    """Bytes, time and a machine for so many tracks."""
    found = dict(line(points, "select", "greedy", 1, "cpu", _2="10"))
    times = ("First command, s", "its memory, GB", "Later command, s", "its memory, GB", "Ten of all, s")
    names("Tracks", "Cache, GB", *times)
    for n in (10**6, 10**7, 10**8):
        (begun, most), (later, needs) = straight(FIRST, n), straight(LATER, n)
        (chosen,) = straight({size: (found[size],) for size in (10**6, 10**7)}, n)
        cache = sum(CACHE.values()) * n / 1e9
        row(
            f"{n:,}",
            f"{cache:.1f}",
            f"{begun:,.0f}",
            f"{most:.1f}",
            f"{later:.1f}",
            f"{needs:.1f}",
            f"{chosen:.2f}",
        )
    names(
        "Machine",
        "Cores",
        "GB",
        "Dollars an hour",
        "Tracks whose first command fits",
        "Playlists that are learned from",
    )
    (_, low), (_, high) = FIRST[10**6], FIRST[10**7]
    for name, cores, memory, price in MACHINES:
        fits = 1e6 + (memory - low) * 9e6 / (high - low)
        row(name, cores, memory, price, f"{fits / 1e6:,.0f} million", f"{memory * 1e3 / READING:,.1f} million")


def playlists(rates: list[dict[str, Any]]) -> None:
    """Hours and dollars for so many playlists: prepared, learned from and made."""
    name, cores, _, price = FLEX
    of = {each["what"].split(",")[0] if "learned" not in each["what"] else each["what"]: each for each in rates[::-1]}
    each = next(rate["rate_cpu"] for rate in rates if rate["what"].startswith("made, a worker"))
    size = of["bytes of a playlist"]
    print(f"\nOn {name}: {cores} cores at {price / cores:.4f} dollars an hour of a core.\n")
    work = ("prepare, core hours", "dollars", "make, core hours", "dollars")
    names("Playlists", "raw, GB", "prepared, GB", *work)
    for n in (10**6, 10**7, 10**8, 10**9):
        hours = [n / of["prepared"]["rate_cpu"] / 3600, n / each / 3600]
        cells = [cell for h in hours for cell in (f"{h:,.1f}", f"{h * price / cores:,.2f}")]
        row(f"{n:,}", *(f"{size[kind] * n / 1e9:,.1f}" for kind in ("raw", "prepared")), *cells)
    names("Learn from", *(name for what in EPOCHS for name in (f"{what}, core hours", "dollars")))
    for n in (10**6, 10**7, 10**8, 10**9):
        cells = []
        for what, epochs in EPOCHS.items():
            hours = n * epochs / of[f"learned from, {what}"]["rate_cpu"] / 3600
            cells += [f"{hours:,.1f}", f"{hours * price / cores:,.2f}"]
        row(f"{n:,}", *cells)


if __name__ == "__main__":
    main()
