"""What mixing costs in belonging: whole playlists with more and more weight on key and tempo, and more candidates.

BROWSER_PATH=/usr/bin/chromium python benchmarks/trade_off.py --tracks tracks.parquet --playlists PREPARED \
    --output docs/images/trade-off.png

Validation playlists, on which the defaults were chosen; three seeds, ten tracks added. Prints a table of the points.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

import disco

WEIGHTS = (0.0, 0.5, 1.0, 2.0, 4.0)
CANDIDATES = (100, 200, 400)
_COLUMNS = ("track", "artist", "new_artist", "keys", "within_6", "worst_10")


def measure(tracks: Path, playlists: Path, lists: int) -> list[dict[str, Any]]:
    """One record for each number of candidates and weight of key and tempo."""
    catalogue, made = disco.open(tracks), []
    for candidates in CANDIDATES:
        for weight in WEIGHTS:
            settings = {"candidates": candidates, "sweetness": weight, "smoothness": weight}
            if not weight:
                settings |= {"max_tempo_change": None, "avoid_clashes": False}
            found = disco.evaluate.end_to_end(
                catalogue, playlists, split="validation", configurations=[settings], max_playlists=lists
            )["configurations"][0]
            made.append({"candidates": candidates, "weight": weight, **{name: found[name] for name in _COLUMNS}})
            print(f"| {candidates} | {weight:g} | " + " | ".join(f"{found[name]:.3f}" for name in _COLUMNS) + " |")
    return made


def figure(points: list[dict[str, Any]]) -> go.Figure:
    """Share of the added tracks by artists of the playlist, against transitions within 6 % and a fifth.

    The larger a point, the more key and tempo weigh.
    """
    drawn = go.Figure()
    for candidates in CANDIDATES:
        some = [point for point in points if point["candidates"] == candidates]
        drawn.add_scatter(
            x=[min(point["keys"], point["within_6"]) for point in some],
            y=[point["artist"] for point in some],
            name=f"{candidates} candidates",
            mode="lines+markers",
            marker={"size": [6 + 3 * point["weight"] for point in some]},
        )
    drawn.update_layout(
        template="plotly_white",
        xaxis_title="the smaller share: keys within a fifth, or tempos within 6 %",
        yaxis_title="share of tracks by artists of the playlist",
        yaxis_rangemode="tozero",
        legend={"x": 0.02, "y": 0.02},
        margin={"l": 70, "r": 20, "t": 20, "b": 60},
    )
    return drawn


def main() -> None:
    """Measure, print the table and draw the picture."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--tracks", type=Path, required=True, metavar="FILE")
    p.add_argument("--playlists", type=Path, required=True, metavar="PREPARED")
    p.add_argument("--lists", type=int, default=150, metavar="N", help="playlists (150)")
    p.add_argument("--output", type=Path, required=True, metavar="FILE.png")
    arguments = p.parse_args()
    print("| candidates | sweetness = smoothness | " + " | ".join(_COLUMNS) + " |")
    print("|---" * (2 + len(_COLUMNS)) + "|")
    points = measure(arguments.tracks, arguments.playlists, arguments.lists)
    figure(points).write_image(arguments.output, width=760, height=460, scale=1.5)


if __name__ == "__main__":
    main()
