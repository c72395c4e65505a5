"""Cost and time of ordering real tracks, compared with OR-tools where it is installed.

    python benchmarks/order.py tracks.parquet [SECONDS_OF_ORTOOLS]

Sets of tracks are sampled at random. `cost` is the mean over the sets; ratios are to the lowest cost of any method
for a set. Seconds are processor time of one core. OR-tools (`pip install ortools`; no dependency) gets the same costs
in whole thousandths, starts with its cheapest arcs and continues with guided local search.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from table import head, row

from disco import sources
from disco.catalogue import Catalogue
from disco.models.predictors import load_predictor
from disco.models.recommenders import Query, load_recommender
from disco.playlist.cost import FlowCost, Knobs, PairwiseCost, reported_cost
from disco.playlist.sequence import Rules, beam, greedy
from disco.playlist.sequence.local_search import Problem
from disco.playlist.sequence.order import Budget, optimise_order

# Number of tracks in a set, and number of sets.
SIZES = {12: 200, 50: 5, 200: 3}
# Seeds of playlists with twenty tracks from 400 candidates.
SEEDS = 200


def main() -> None:
    """Print both tables."""
    catalogue = sources.open([sys.argv[1]])
    beams(catalogue)
    orders(catalogue)


def beams(catalogue: Catalogue) -> None:
    """Print cost and time of beams of several widths, relative to greedy from the same seeds."""
    playable = catalogue.has_comparable_features & catalogue.has_title_and_artist
    recommender = load_recommender("nearest", catalogue)
    head("Twenty tracks from 400 real candidates", "cost", "width", "to greedy's", "each to its own", "time", "s")
    for name, pairwise in (("rank", False), ("classic", False), ("mean", False), ("mean", True)):
        predictor, rng = load_predictor(name), np.random.default_rng(1)
        costs, seconds = [], []
        widths = (1, 8, 16, 32)
        for seed in rng.choice(np.flatnonzero(playable), SEEDS, replace=False):
            recommended = recommender.recommend(Query(np.array([seed]), "", playable), 400)
            few = catalogue.take(np.r_[seed, np.sort(recommended.rows)])
            space, pool, start = predictor.embed(few), np.arange(1, len(few)), np.array([0])
            cost = PairwiseCost(few, Knobs(), space) if pairwise else FlowCost(few, predictor, Knobs(), space)
            costs.append([])
            seconds.append([])
            for width in widths:
                start_time = time.process_time()
                if width == 1:
                    path = greedy(start, pool, 20, cost, Rules(few))
                else:
                    path = beam(start, pool, 20, cost, Rules(few), width=width)
                seconds[-1].append(time.process_time() - start_time)
                costs[-1].append(float(reported_cost(cost.terms(path), Knobs()).sum()))
        totals, times_taken = np.array(costs), np.array(seconds)
        for i, width in enumerate(widths):
            costs_to = totals[:, i].sum() / totals[:, 0].sum(), np.mean(totals[:, i] / totals[:, 0])
            times = np.median(times_taken[:, i] / times_taken[:, 0]), np.median(times_taken[:, i])
            what = "pairwise, its features" if pairwise else f"flow, {name}"
            row(what, width, f"{costs_to[0]:.3f}", f"{costs_to[1]:.3f}", f"{times[0]:.1f}", f"{times[1]:.4f}")


def orders(catalogue: Catalogue) -> None:
    """Print one row per size and method."""
    limit = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    mean = load_predictor("mean")
    playable = np.flatnonzero(catalogue.has_comparable_features & catalogue.has_title_and_artist)
    rng = np.random.default_rng(0)
    head("Ordering real tracks", "tracks", "sets", "method", "cost", "to the best", "worst", "best in", "s")
    for n, sets in SIZES.items():
        methods: dict[str, Callable[[PairwiseCost, Problem], np.ndarray]] = {
            "as sampled": lambda cost, problem: np.arange(len(problem)),
            "greedy": lambda cost, problem: greedy(
                np.array([0]), np.arange(1, len(problem)), len(problem) - 1, cost, lambda path, r: r not in path
            ),
            "order, search alone": lambda cost, problem: optimise_order(problem, dynamic=False),
            "order": lambda cost, problem: optimise_order(problem),
        }
        if n > 12:
            del methods["order, search alone"]
            methods["order, ten times the iterations"] = lambda cost, problem: optimise_order(
                problem, budget=Budget(iterations=10 * min(40 * len(problem), 8000))
            )
            if find_spec("ortools"):
                methods[f"OR-tools, {limit:g} s"] = lambda cost, problem: with_ortools(problem.transitions, limit)
        costs = {method: [] for method in methods}
        seconds = {method: [] for method in methods}
        for _ in range(sets):
            few = catalogue.take(rng.choice(playable, n, replace=False))
            cost = PairwiseCost(few, Knobs(), mean.embed(few))
            problem = Problem(cost.matrix(np.arange(n)).astype(float), np.zeros(n))
            for method, search in methods.items():
                start_time = time.process_time()
                costs[method].append(problem.cost(search(cost, problem)))
                seconds[method].append(time.process_time() - start_time)
        least = np.min(list(costs.values()), axis=0)
        for method, values in costs.items():
            ratios = np.array(values) / least
            same = f"{(ratios < 1 + 1e-5).sum()} of {sets}"
            row(
                n,
                sets,
                method,
                f"{np.mean(values):.2f}",
                f"{ratios.mean():.4f}",
                f"{ratios.max():.4f}",
                same,
                f"{np.mean(seconds[method]):.3f}",
            )


def with_ortools(transitions: np.ndarray, limit: float) -> np.ndarray:
    """OR-tools' best order: an open path is a round trip through one more node at distance 0 from all."""
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    n = len(transitions)
    whole = np.zeros((n + 1, n + 1), dtype=int)
    whole[:n, :n] = np.round(transitions * 1000)
    costs = whole.tolist()
    manager = pywrapcp.RoutingIndexManager(n + 1, 1, n)
    routing = pywrapcp.RoutingModel(manager)
    transit = routing.RegisterTransitMatrix(costs)
    routing.SetArcCostEvaluatorOfAllVehicles(transit)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PATH_CHEAPEST_ARC
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    parameters.time_limit.FromMilliseconds(int(1000 * limit))
    solution = routing.SolveWithParameters(parameters)
    node, order = routing.Start(0), []
    while not routing.IsEnd(node):
        order.append(manager.IndexToNode(node))
        node = solution.Value(routing.NextVar(node))
    return np.array(order[1:])


if __name__ == "__main__":
    main()
