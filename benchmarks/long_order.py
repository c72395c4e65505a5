"""How near to the best known order long lists come, and how long that takes.

    python benchmarks/long_order.py --tracks FILE [--sizes 1000 5000 10000] [--longer 5]

For each size so many tracks of the table, drawn at random, are put in order: by `disco order` as it is (the cost of
all transitions together), by the search for up to fifty tracks (`two_opt`, up to 6,000), and by a search that
takes `--longer` times as long, whose order is the best known if none of the others costs less.
"""

from __future__ import annotations

import argparse
import importlib
import resource
import time
from collections.abc import Callable

import numpy as np
from table import head, row

import disco
from disco.catalogue import Catalogue
from disco.models.predictors import load_predictor
from disco.playlist.cost import PairwiseCost
from disco.playlist.matching import KNOBS
from disco.playlist.mixing import FOR_ORDERING
from disco.playlist.sequence.lin_kernighan import usual_seconds
from disco.playlist.sequence.rules import Rules

# The package has the function under the name of its module.
search = importlib.import_module("disco.playlist.sequence.order")
_NOTHING = np.empty(0, dtype=np.intp)


def measured(catalogue: Catalogue, budget: search.Budget) -> tuple[float, int, float]:
    """Cost of the order that is found, transitions between two tracks by one artist in it, and processor seconds."""
    cost = PairwiseCost(catalogue, KNOBS, load_predictor("mean").embed(catalogue), FOR_ORDERING)
    rules, rows, begun = Rules(catalogue), np.arange(len(catalogue)), time.process_time()
    path = search.order(_NOTHING, rows, len(rows), cost, rules, budget=budget)
    assert len(np.unique(path)) == len(rows)
    return float(cost.terms(path)["cost"].sum()), rules.violations(path), time.process_time() - begun


def main() -> None:
    """Print the table."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--tracks", required=True, metavar="FILE")
    p.add_argument("--sizes", type=int, nargs="+", default=[200, 1000, 5000, 10_000], metavar="N")
    p.add_argument("--longer", type=float, default=5, metavar="TIMES")
    p.add_argument("--random-seed", type=int, default=1, metavar="N")
    arguments = p.parse_args()
    catalogue = disco.open(arguments.tracks)
    known = np.flatnonzero(catalogue.has_all_features & (catalogue.tempos > 0))
    head(
        "Long orders",
        "tracks",
        "way",
        "cost a transition",
        "above the best",
        "same artist",
        "CPU s",
        "peak, MB so far",
    )
    for n in arguments.sizes:
        some = np.random.default_rng(arguments.random_seed).choice(known, n, replace=False)
        tracks = catalogue.take(np.sort(some))
        ways: dict[str, Callable[[], search.Budget]] = {"`disco order`": search.Budget}
        if n <= search.MOST:
            ways["two_opt"] = lambda n=n: search.Budget(iterations=min(10 * n, 3000))
        ways[f"{arguments.longer:g} times as long"] = lambda n=n: search.Budget(
            seconds=arguments.longer * usual_seconds(n)
        )
        found = {name: measured(tracks, budget()) for name, budget in ways.items()}
        best = min(total for total, _, _ in found.values())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        for name, (total, near, seconds) in found.items():
            above = f"{100 * (total / best - 1):.2f} %"
            row(f"{n:,}", name, f"{total / (n - 1):.4f}", above, str(near), f"{seconds:.1f}", f"{peak:.0f}")


if __name__ == "__main__":
    main()
