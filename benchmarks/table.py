"""Time a function, and print rows of a table with the medians and the spread of several rounds."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence

import numpy as np


def seconds(work: Callable[[], object], rounds: int = 5) -> np.ndarray:
    """Seconds of each round after one that does not count."""
    work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return np.array(times)


def ratio(work: Sequence[float], floor: Sequence[float]) -> str:
    """Median of the rounds' ratios with the least and the greatest, floor and work taken in turn."""
    ratios = np.asarray(work) / np.asarray(floor)
    return f"{np.median(ratios):.2f} ({ratios.min():.2f}-{ratios.max():.2f})"


def head(title: str, *columns: str) -> None:
    """Title and head of a Markdown table."""
    print(f"\n{title} ({platform.machine()}, NumPy {np.__version__}, Python {platform.python_version()})\n")
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))


def row(*cells: object) -> None:
    """One row."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)
