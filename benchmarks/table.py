"""Time a function, and print rows of a Markdown table."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence

import numpy as np


def seconds(work: Callable[[], object], rounds: int = 5, warm_up: bool = True) -> np.ndarray:
    """Seconds of each round, after one warm-up."""
    if warm_up:
        work()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return np.array(times)


def ratio(work: Sequence[float], floor: Sequence[float]) -> str:
    """Median of the rounds' ratios, with the least and the greatest."""
    ratios = np.asarray(work) / np.asarray(floor)
    return f"{np.median(ratios):.2f} ({ratios.min():.2f}-{ratios.max():.2f})"


def head(title: str, *columns: str) -> None:
    """Print the title and the head of a table."""
    print(f"\n{title} ({platform.machine()}, NumPy {np.__version__}, Python {platform.python_version()})\n")
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))


def row(*cells: object) -> None:
    """Print one row."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)
