"""Ordering real tracks: how near to the best, and how long it takes, beside OR-tools where it is installed.

    python benchmarks/order.py tracks.parquet [SECONDS_OF_ORTOOLS]

Sets of tracks are drawn at random. `cost` is the mean over the sets, as reported; ratios are to the best that any
found for a set. Seconds are those of the processor, of one core. OR-tools (`pip install ortools`; no part of DISCO)
gets the same costs in whole thousandths, begins with its cheapest arcs and goes on with guided local search.
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

# Tracks, and how many sets of so many.
SIZES = {12: 200, 50: 5, 200: 3}
# Seeds from which twenty tracks of 400 are played.
SEEDS = 200


def main() -> None:
    """Print both tables."""
    catalogue = sources.open([sys.argv[1]])
    beams(catalogue)
    orders(catalogue)


def beams(catalogue: Catalogue) -> None:
    """Print what beams of several widths cost and take, each beside greedy from the same seeds."""
    playable = catalogue.has_comparable_features & catalogue.has_title_and_artist
    recommender = load_recommender("nearest", catalogue)
    head("Twenty tracks from 400 real candidates", "cost", "width", "to greedy's", "each to its own", "time", "s")
    for name, pairwise in (("rank", False), ("classic", False), ("mean", False), ("mean", True)):
        predictor, rng = load_predictor(name), np.random.default_rng(1)
        costs, seconds = [], []
        widths = (1, 8, 16, 32)
        for seed in rng.choice(np.flatnonzero(playable), SEEDS, replace=False):
            found = recommender.recommend(Query(np.array([seed]), "", playable), 400)
            few = catalogue.take(np.r_[seed, np.sort(found.rows)])
            space, pool, start = predictor.embed(few), np.arange(1, len(few)), np.array([0])
            cost = PairwiseCost(few, Knobs(), space) if pairwise else FlowCost(few, predictor, Knobs(), space)
            costs.append([])
            seconds.append([])
            for width in widths:
                began = time.process_time()
                if width == 1:
                    path = greedy(start, pool, 20, cost, Rules(few))
                else:
                    path = beam(start, pool, 20, cost, Rules(few), width=width)
                seconds[-1].append(time.process_time() - began)
                costs[-1].append(float(reported_cost(cost.terms(path), Knobs()).sum()))
        paid, took = np.array(costs), np.array(seconds)
        for i, width in enumerate(widths):
            costs_to = paid[:, i].sum() / paid[:, 0].sum(), np.mean(paid[:, i] / paid[:, 0])
            times = np.median(took[:, i] / took[:, 0]), np.median(took[:, i])
            what = "pairwise, its features" if pairwise else f"flow, {name}"
            row(what, width, f"{costs_to[0]:.3f}", f"{costs_to[1]:.3f}", f"{times[0]:.1f}", f"{times[1]:.4f}")


def orders(catalogue: Catalogue) -> None:
    """Print one row a size and way of ordering."""
    limit = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    mean = load_predictor("mean")
    playable = np.flatnonzero(catalogue.has_comparable_features & catalogue.has_title_and_artist)
    rng = np.random.default_rng(0)
    head("Ordering real tracks", "tracks", "sets", "way", "cost", "to the best found", "worst", "best found in", "s")
    for n, sets in SIZES.items():
        ways: dict[str, Callable[[PairwiseCost, Problem], np.ndarray]] = {
            "as drawn": lambda cost, problem: np.arange(len(problem)),
            "greedy": lambda cost, problem: greedy(
                np.array([0]), np.arange(1, len(problem)), len(problem) - 1, cost, lambda path, r: r not in path
            ),
            "order, search alone": lambda cost, problem: optimise_order(problem, dynamic=False),
            "order": lambda cost, problem: optimise_order(problem),
        }
        if n > 12:
            del ways["order, search alone"]
            ways["order, ten times the moves"] = lambda cost, problem: optimise_order(
                problem, budget=Budget(iterations=10 * min(40 * len(problem), 8000))
            )
            if find_spec("ortools"):
                ways[f"OR-tools, {limit:g} s"] = lambda cost, problem: with_ortools(problem.transitions, limit)
        costs = {way: [] for way in ways}
        seconds = {way: [] for way in ways}
        for _ in range(sets):
            few = catalogue.take(rng.choice(playable, n, replace=False))
            cost = PairwiseCost(few, Knobs(), mean.embed(few))
            problem = Problem(cost.matrix(np.arange(n)).astype(float), np.zeros(n))
            for way, found in ways.items():
                began = time.process_time()
                costs[way].append(problem.cost(found(cost, problem)))
                seconds[way].append(time.process_time() - began)
        least = np.min(list(costs.values()), axis=0)
        for way, paid in costs.items():
            ratios = np.array(paid) / least
            same = f"{(ratios < 1 + 1e-5).sum()} of {sets}"
            row(
                n,
                sets,
                way,
                f"{np.mean(paid):.2f}",
                f"{ratios.mean():.4f}",
                f"{ratios.max():.4f}",
                same,
                f"{np.mean(seconds[way]):.3f}",
            )


def with_ortools(joins: np.ndarray, limit: float) -> np.ndarray:
    """Its best order: an open path is a round trip through one more point that is as near as can be to all."""
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    n = len(joins)
    whole = np.zeros((n + 1, n + 1), dtype=int)
    whole[:n, :n] = np.round(joins * 1000)
    costs = whole.tolist()
    manager = pywrapcp.RoutingIndexManager(n + 1, 1, n)
    routing = pywrapcp.RoutingModel(manager)
    told = routing.RegisterTransitMatrix(costs)
    routing.SetArcCostEvaluatorOfAllVehicles(told)
    asked = pywrapcp.DefaultRoutingSearchParameters()
    asked.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PATH_CHEAPEST_ARC
    asked.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    asked.time_limit.FromMilliseconds(int(1000 * limit))
    found = routing.SolveWithParameters(asked)
    at, order = routing.Start(0), []
    while not routing.IsEnd(at):
        order.append(manager.IndexToNode(at))
        at = found.Value(routing.NextVar(at))
    return np.array(order[1:])


if __name__ == "__main__":
    main()
