"""Time of one step of each predictor, for one sequence and for a beam of eight, and to embed 400 tracks."""

from __future__ import annotations

import numpy as np
from table import head, row, seconds

from disco import sources
from disco.models.predictors import PREDICTORS, load_predictor

STEPS = 2000


def main() -> None:
    """Print the table."""
    catalogue = sources.open()
    head("Predictors, one step", "predictor", "one sequence, µs", "beam of 8, µs", "embedding 400 tracks, ms")
    few = catalogue.take(np.arange(400))
    for name in PREDICTORS:
        predictor = load_predictor(name)
        space = predictor.embed(few)
        times = []
        for beams in (1, 8):
            inputs = predictor.inputs(few, space, np.arange(beams))
            state = predictor.start(beams)
            rounds = seconds(lambda: [predictor.step(inputs, state) for _ in range(STEPS)])  # noqa: B023
            times.append(1e6 * rounds / STEPS)
        embedding = 1e3 * seconds(lambda: predictor.embed(few))  # noqa: B023
        row(name, *(f"{np.median(t):.0f} ({t.min():.0f}-{t.max():.0f})" for t in (*times, embedding)))


if __name__ == "__main__":
    main()
