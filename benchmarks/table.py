"""Time a function, and print rows of a Markdown table."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np


def machine(*packages: str) -> str:
    """The date, the machine, its load and the versions of Python and packages, in a line."""
    cpu = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = next((line.split(":")[1].strip() for line in cpu.splitlines() if line.startswith("model name")), "")
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    versions = [f"Python {platform.python_version()}"]
    for package in ("numpy", *packages):
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return f"{date.today()}, {model or platform.machine()}, {os.cpu_count()} cores{load}; {', '.join(versions)}"


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
    print(f"\n{title} ({platform.machine()}, NumPy {np.__version__}, Python {platform.python_version()})")
    names(*columns)


def names(*columns: str) -> None:
    """Print the head of a table without a title."""
    print("\n| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))


def row(*cells: object) -> None:
    """Print one row."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)
