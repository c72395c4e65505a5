"""Tables and pictures of what `curves.py` measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import ordering
import plotly.graph_objects as go
import selecting
from table import names, row

Point = dict[str, Any]
Line = list[tuple[float, float]]
# Sizes from which on fixed costs no longer matter: those of a step of the network, 15 microseconds, and of Python.
FROM = {"candidates": 10**5, "length": 10, "orders": 1000}
_INK, _SOFT, _GRID, _WARM, _COOL = "#1f2933", "#8a95a1", "#e4e8ec", "#d55e00", "#0072b2"
_FONT = "Helvetica Neue, Helvetica, Arial, sans-serif"
FLOOR = "memory floor"
# Each line's colour, dash and width: DISCO's own stand out.
_STYLES = {
    "greedy": (_WARM, "solid", 4),
    "beam": (_WARM, "dash", 3),
    "make": (_WARM, "dot", 3),
    "order": (_WARM, "solid", 4),
    "longer": (_WARM, "dot", 2),
    "two_opt": (_WARM, "dash", 2.5),
    "published": (_COOL, "solid", 3),
    "kd-tree": ("#159a78", "solid", 2.5),
    "brute": ("#159a78", "dash", 2.5),
    "nearest": ("#159a78", "solid", 2.5),
    "djkr8": ("#7a3fa0", "solid", 2.5),
    FLOOR: (_SOFT, "dot", 2.5),
}
_BELOW = ("kd-tree", "two_opt")
_SHORT = {
    "greedy": "DISCO, greedy",
    "beam": "DISCO, beam",
    "make": "DISCO, 400 of them",
    "published": "published way",
    "kd-tree": "scikit-learn, k-d tree",
    "brute": "scikit-learn, brute",
    "djkr8": "djkr8",
    "order": "disco order",
    "longer": "five times as long",
    "two_opt": "two-opt alone",
    "nearest": "nearest track next",
    FLOOR: FLOOR,
}


def exponent(line: Line, least: float) -> float:
    """Slope of the logarithms, by least squares, over sizes from `least` on."""
    x, y = np.log(np.array([point for point in line if point[0] >= least])).T
    return float(np.polyfit(x, y, 1)[0])


def line(points: list[Point], kind: str, way: str, at: int, value: str = "seconds", **fixed: str) -> Line:
    """The least of a way's rounds over what it was asked for at one place, the others fixed.

    What else a machine does can only add to a time, so that the least says most about how times grow.
    """
    found = [
        (float(point["asked"][at]), float(np.min(point[value])))
        for point in points
        if point["kind"] == kind and point["asked"][0] == way and value in point
        if all(point["asked"][int(i[1:])] == wanted for i, wanted in fixed.items())
    ]
    return sorted(found)


def curves(points: list[Point], value: str = "seconds") -> dict[str, dict[str, Line]]:
    """Every line of each picture."""
    fixed = str(
        max((int(p["asked"][1]) for p in points if p["kind"] == "select" and p["asked"][2] != "10"), default=0)
    )
    found = {
        "candidates": {way: line(points, "select", way, 1, value, _2="10") for way in selecting.WAYS},
        "length": {way: line(points, "select", way, 2, value, _1=fixed) for way in selecting.WAYS},
        "orders": {way: line(points, "order", way, 1, value) for way in ordering.WAYS},
    }
    found["length"] = {way: each for way, each in found["length"].items() if len(each) > 1}
    found["candidates"][FLOOR] = line(points, "select", "greedy", 1, f"floor_{value}", _2="10")
    found["length"][FLOOR] = line(points, "select", "greedy", 2, f"floor_{value}", _1=fixed)
    return {kind: {way: each for way, each in lines.items() if each} for kind, lines in found.items()}


def tables(measured: dict[str, Any]) -> None:
    """Print Markdown."""
    points = measured["points"]
    print(f"\n{measured['machine']}. Medians of up to five rounds, in brackets the least and the greatest.")
    for kind, at, title in (
        ("select", 1, "Ten tracks from so many candidates, s"),
        ("select", 2, "So many tracks, s"),
    ):
        some = [point for point in points if point["kind"] == kind]
        some = [point for point in some if (point["asked"][2] == "10") == (at == 1)]
        _table(title, some, at, selecting.WAYS, _times)
        if at == 1:
            greedy = [point for point in some if point["asked"][0] == "greedy"]
            ours = {"greedy": selecting.WAYS["greedy"]}
            _table("Times the floor, by the clock", greedy, at, ours, lambda point: _ratio(point, "seconds"))
            _table("Times the floor, processor seconds", greedy, at, ours, lambda point: _ratio(point, "cpu"))
            _table("The same, processor seconds", some, at, selecting.WAYS, _cpu)
            _table("Ready after, s", some, at, selecting.WAYS, lambda point: f"{point['prepared']:.1f}")
            _table("Peak memory, MB", some, at, selecting.WAYS, lambda point: f"{point['peak_mb']:,.0f}")
    orders = [point for point in points if point["kind"] == "order"]
    _table("Orders of so many tracks, s", orders, 1, ordering.WAYS, _times)
    best = {
        n: min(p["cost"] for p in orders if p["asked"][1] == n and p.get("played") == int(n))
        for n in {p["asked"][1] for p in orders if "cost" in p}
    }
    _table(
        "Above the best known, %", [p for p in orders if p.get("played") == int(p["asked"][1])], 1, ordering.WAYS,
        lambda point: f"{100 * (point['cost'] / best[point['asked'][1]] - 1):.2f}",
    )  # fmt: skip
    print("\nExponents, by least squares on the logarithms of the processor seconds of the least rounds:\n")
    for kind, lines in curves(points, "cpu").items():
        for way, each in lines.items():
            if sum(size >= FROM[kind] for size, _ in each) > 1:
                most = f"{each[-1][0]:,.0f}"
                print(f"- {kind}, {_SHORT[way]}, {FROM[kind]:,} to {most}: {exponent(each, FROM[kind]):.2f}")


def _table(title: str, points: list[Point], at: int, ways: dict[str, Any], cell: Any) -> None:
    those = [way for way in ways if any(point["asked"][0] == way and "seconds" in point for point in points)]
    names(title, *(ways[way].label for way in those))
    for size in sorted({int(point["asked"][at]) for point in points}):
        cells = []
        for way in those:
            found = [p for p in points if p["asked"][0] == way and p["asked"][at] == str(size)]
            cells.append("" if not found else "-" if "failed" in found[0] else cell(found[0]))
        row(f"{size:,}", *cells)


def _times(point: Point) -> str:
    seconds = point["seconds"]
    middle = f"{np.median(seconds):.3g}"
    return middle if len(seconds) == 1 else f"{middle} [{min(seconds):.3g}-{max(seconds):.3g}]"


def _cpu(point: Point) -> str:
    return f"{np.median(point['cpu']):.3g}"


def _ratio(point: Point, value: str) -> str:
    ratios = np.array(point[value]) / np.array(point[f"floor_{value}"])
    return f"{np.median(ratios):.2f} [{ratios.min():.2f}-{ratios.max():.2f}]"


def draw(points: list[Point], folder: Path) -> None:
    """A picture of each curve."""
    found, memory = curves(points, "cpu"), curves(points, "peak_mb")
    pictures = {
        "speed-candidates.png": (
            found["candidates"],
            "candidates",
            "Processor seconds to choose ten tracks from so many candidates",
        ),
        "speed-length.png": (
            found["length"],
            "tracks chosen",
            "Processor seconds to choose so many tracks from 100,000 candidates",
        ),
        "speed-orders.png": (found["orders"], "tracks in order", "Processor seconds to put so many tracks in order"),
        "memory.png": (memory["candidates"], "candidates", "Peak memory, MB, of a process that chooses ten tracks"),
    }
    for name, (lines, across, title) in pictures.items():
        if lines:
            picture(lines, across, title).write_image(folder / name, width=900, height=560, scale=2)


def picture(lines: dict[str, Line], across: str, title: str) -> go.Figure:
    """Lines on logarithmic axes, each with its name at its end."""
    figure = go.Figure()
    for way, each in lines.items():
        colour, dash, width = _STYLES[way]
        x, y = zip(*each, strict=True)
        mode = "lines" if way == FLOOR else "lines+markers"
        figure.add_scatter(
            x=x, y=y, mode=mode, line={"color": colour, "dash": dash, "width": width}, marker={"size": 8},
            showlegend=False, cliponaxis=False,
        )  # fmt: skip
    heights = [np.log10(y) for each in lines.values() for _, y in each]
    last = max(x for each in lines.values() for x, _ in each)
    whole = {way: np.log10(each[-1][1]) for way, each in lines.items() if each[-1][0] == last}
    labels = _apart(whole, (max(heights) - min(heights)) / 15)
    for way, each in lines.items():
        ends = {"xanchor": "left", "xshift": 12, "y": labels[way]} if way in labels else {}
        # Of a line that ends before the others the name stands above its end, or below where another line passes.
        above = {"y": np.log10(each[-1][1]), "yshift": -18 if way in _BELOW else 18}
        figure.add_annotation(
            x=np.log10(each[-1][0]), text=_SHORT[way], showarrow=False, bgcolor="rgba(255, 255, 255, 0.75)",
            font={"color": _STYLES[way][0], "size": 15}, **(ends or above),
        )  # fmt: skip
    axis = {"type": "log", "gridcolor": _GRID, "zeroline": False, "dtick": 1, "ticks": "outside", "tickcolor": _GRID}
    sizes = [np.log10(x) for each in lines.values() for x, _ in each]
    ends = [min(sizes) - 0.15, max(sizes) + 0.1]
    figure.update_xaxes(title={"text": across, "standoff": 12}, tickformat=",", range=ends, **axis)
    if max(heights) - min(heights) < 2:
        axis["dtick"] = "D2"  # so few powers of ten would leave the reader without numbers
    figure.update_yaxes(tickformat=",~g", **axis)
    figure.update_layout(
        template="none", paper_bgcolor="white", plot_bgcolor="white",
        font={"family": _FONT, "size": 15, "color": _INK},
        title={"text": title, "x": 0.02, "xanchor": "left", "font": {"size": 20}},
        margin={"l": 95, "r": 200, "t": 60, "b": 80},
    )  # fmt: skip
    return figure


def _apart(heights: dict[str, float], least: float) -> dict[str, float]:
    """Heights of labels, moved up where they would cover each other."""
    placed: dict[str, float] = {}
    below = -np.inf
    for way, height in sorted(heights.items(), key=lambda item: item[1]):
        below = placed[way] = max(height, below + least)
    return placed
