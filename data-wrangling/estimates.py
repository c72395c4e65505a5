"""Fit the estimates of features from loudness and tempo alone on a table of real tracks.

    python data-wrangling/estimates.py TRACKS

prints the numbers in `disco/sources/audio/estimates.py`: piecewise linear functions, fitted by least squares on four
fifths of the tracks, and their error on the last fifth (split by the crc32 of the id).
"""

from __future__ import annotations

import sys
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue
from disco.sources.files import tables

Values = NDArray[np.float64]
# Estimated feature: input, and knots.
FITS: dict[str, tuple[str, tuple[float, ...]]] = {
    "energy": ("loudness", (-40, -30, -20, -14, -10, -7, -5, -3)),
    "acousticness": ("loudness", (-40, -30, -20, -14, -10, -7, -5, -3)),
    "danceability": ("tempo_bpm", (60, 75, 90, 105, 120, 135, 150, 170, 200)),
}
# Features that stay unknown; their fits show why.
UNKNOWN = ("instrumentalness", "liveness", "speechiness", "valence")


def hats(x: Values, knots: Values) -> Values:
    """Weight of each knot's height in the piecewise linear function at x, shape (n, knots)."""
    return np.stack([np.interp(x, knots, row) for row in np.eye(len(knots))], axis=1)


def fit(x: Values, y: Values, knots: Values, tested: NDArray[np.bool_]) -> tuple[Values, float, float]:
    """Heights at the knots; root mean squared error, and standard deviation, on the test tracks."""
    heights = np.linalg.lstsq(hats(x[~tested], knots), y[~tested], rcond=None)[0]
    error = y[tested] - np.interp(x[tested], knots, heights)
    return heights, float(np.sqrt((error**2).mean())), float(y[tested].std())


def report(catalogue: Catalogue) -> list[str]:
    """One line per fit."""
    tested = np.array([crc32(i.encode()) % 5 == 0 for i in catalogue.table["track_id"].to_pylist()])
    lines = []
    for name, (by, knots) in {**FITS, **dict.fromkeys(UNKNOWN, FITS["energy"])}.items():
        x, y = (catalogue.numbers(column).astype(np.float64) for column in (by, name))
        known = np.isfinite(x) & np.isfinite(y)
        heights, error, deviation = fit(x[known], y[known], np.array(knots, float), tested[known])
        shown = ", ".join(f"{h:.3f}" for h in heights)
        lines.append(f"{name} by {by} at {knots}: ({shown}); error {error:.3f}, deviation {deviation:.3f}")
    return lines


if __name__ == "__main__":
    print(*report(tables.read(Path(sys.argv[1]))), sep="\n")
