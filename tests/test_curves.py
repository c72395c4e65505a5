"""What the benchmarks conclude from the times that they measure."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

pytest.importorskip("plotly")
import curve_pictures
import scaling


def point(way: str, n: int, seconds: list[float], length: int = 10) -> curve_pictures.Point:
    return {
        "kind": "select", "asked": [way, str(n), str(length)], "seconds": seconds, "cpu": seconds,
        "floor_seconds": [n * 1e-8] * len(seconds), "floor_cpu": [n * 1e-8] * len(seconds),
        "peak_mb": 100.0, "prepared": 1.0,
    }  # fmt: skip


POINTS = [point("greedy", 10**k, [3 * 10 ** (0.9 * k - 6), 10**k], 10) for k in (3, 4, 5, 6, 7)]


def test_the_exponent_is_that_of_the_least_rounds_from_a_size_on():
    line = curve_pictures.line(POINTS, "select", "greedy", 1, _2="10")
    assert [size for size, _ in line] == [1e3, 1e4, 1e5, 1e6, 1e7]
    assert curve_pictures.exponent(line, 1e5) == pytest.approx(0.9)
    assert curve_pictures.exponent([(1, 50), (10, 50), *((x, x**1.1) for x in (100, 1000))], 100) == pytest.approx(
        1.1
    )


def test_points_that_failed_leave_a_gap_and_not_a_value(capsys):
    failed = {"kind": "select", "asked": ["published", "1000", "10"], "failed": "takes more than 240 s"}
    curve_pictures.tables({"machine": "a machine", "points": [*POINTS, failed, point("published", 10**4, [2.0])]})
    rows = {
        line.split("|")[1].strip(): line.split("|")
        for line in reversed(capsys.readouterr().out.splitlines())
        if "|" in line
    }
    assert curve_pictures.curves([*POINTS, failed])["candidates"].keys() == {"greedy", curve_pictures.FLOOR}
    assert "Ten tracks from so many candidates, s" in rows
    assert rows["1,000"][3].strip() == "-"
    assert rows["10,000"][3].strip() == "2"


def test_what_is_extrapolated_lies_on_the_straight_line():
    assert scaling.straight({10: (1.0, 4.0), 20: (2.0, 4.0)}, 100) == (10.0, 4.0)
