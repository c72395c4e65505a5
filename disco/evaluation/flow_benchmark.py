"""The flow benchmark: compare orders of the same tracks, by every method, with the metrics of `flow_metrics`.

*Orders.* The lists are real playlists, or sampled sets of tracks; every method orders the tracks with features of
each list. Metrics are means over lists, with 95 % bootstrap intervals over lists. Features are the eight scaled ones,
whatever space a method measures in. The methods are the original order, the baselines, `greedy` from the first track
under DISCO's cost, and `order` three times: as `disco order` does it (the given knobs of keys and tempos times its
usual ones), with the knobs as given, and with the knobs as given but without an artist gap. The cost in the records
is DISCO's cost by the given knobs; `gap` is its excess over the cheapest order of the list by any method. DISCO's
search also minimises each baseline's own cost, from scratch.

*Generated.* Sequences of a given length from the same seeds and candidates, by each sequencer and predictor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from disco.catalogue import Catalogue, Floats, Rows
from disco.errors import DiscoError
from disco.evaluation import metrics
from disco.evaluation.baseline_costs import Costs, Tracks, baseline_tracks
from disco.evaluation.baseline_reklawdbox import cheapest_by_whole_cost, wide_beams
from disco.evaluation.baselines import BASELINES, Baseline
from disco.models.predictors import Predictor
from disco.models.recommenders import Query, Recommender
from disco.playlist.cost import FlowCost, Knobs, PairwiseCost
from disco.playlist.flow_metrics import FlowMetrics, flow_metrics
from disco.playlist.key_rules import KEY_RULES
from disco.playlist.mixing import FOR_ORDERING, Mixing
from disco.playlist.reorder import KNOBS
from disco.playlist.sequence import Constraints, PositionCosts, Rules, beam, greedy, order, walk
from disco.playlist.sequence.local_search import Problem
from disco.playlist.sequence.order import Budget, Order, optimise_order

# The order that its maker gave the list.
ORIGINAL = "as it was"
ORDER, ORDER_UNWEIGHTED, ORDER_FREE_ARTISTS = "order", "order, all knobs 1", "order, all knobs 1, artists free"
# Perturbations per track, under DISCO's cost and under the baselines' costs: fewer than usual, so that 200 lists take
# minutes.
_ITERATIONS_PER_TRACK, _BASELINE_ITERATIONS_PER_TRACK = 10, 10
OUR_SEARCH = "{}, our search"
# Metrics that are better when higher; all others are better when lower.
HIGHER_IS_BETTER = (*(f"key {name}" for name in KEY_RULES), "within_5", "within_10", "coherence")
# Keys, tempos, sound: the three by which `order` is compared with each baseline.
AXES = ("key fifths", "tempo_change", "step")
# A smaller difference of costs is a rounding error.
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class FlowProtocol:
    """How transitions are judged, and what orders are asked for.

    Attributes
    ----------
    mean : Predictor
        Its space, the scaled features, is the one that metrics are computed in.
    knobs : Knobs
    mixing : Mixing
        How transitions are judged.
    ordering : Mixing
        How `order` judges them as `disco order` does.
    artist_gap : int
        Least number of tracks between two of one artist.
    constraints : Constraints
        Only its arc counts.
    """

    mean: Predictor
    knobs: Knobs = Knobs()  # noqa: RUF009 - frozen
    mixing: Mixing = Mixing()  # noqa: RUF009 - frozen
    ordering: Mixing = FOR_ORDERING
    artist_gap: int = 1
    constraints: Constraints = Constraints()  # noqa: RUF009 - frozen


@dataclass
class Measurements:
    """Metrics of each list by each method.

    Attributes
    ----------
    values : dict of str to list of dict
        By method and list: numbers by name, NaN where unknown.
    own : dict of str to list of (float, float)
        By baseline and list: its own cost of what its search found, and of what DISCO's search found.
    """

    values: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    own: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, method: str, flow: FlowMetrics) -> None:
        """Add the metrics of one more list by a method."""
        self.values.setdefault(method, []).append(metric_values(flow))


def metric_values(flow: FlowMetrics) -> dict[str, float]:
    """Flow metrics as one number each.

    Parameters
    ----------
    flow : FlowMetrics

    Returns
    -------
    dict of str to float
        NaN where unknown, as the artist gap of a list in which no artist occurs twice.
    """
    return {
        **{f"key {name}": share for name, share in flow.allowed.items()},
        **{name: getattr(flow, name) for name in ("clashes", "tempo_change", "tempo_p90", "within_5", "within_10")},
        **{name: getattr(flow, name) for name in ("folded", "step", "worst_step", "coherence", "arc_rmse")},
        **{name: getattr(flow, name) for name in ("arc_spearman", "from_seeds", "drift")},
        "artist_gap": np.nan if flow.artist_gap is None else float(flow.artist_gap),
        "same_artist": float(flow.same_artist),
        "cost": flow.mean_cost,
        "total_cost": flow.total_cost,
    }


def measure_orders(
    catalogue: Catalogue,
    lists: Sequence[Rows],
    protocol: FlowProtocol,
    baselines: Sequence[str],
    is_human_order: bool,
    seed: int,
) -> Iterator[tuple[Measurements, int]]:
    """Order lists by every method and measure the orders, one list at a time.

    Parameters
    ----------
    catalogue : Catalogue
    lists : sequence of ndarray of rows
    protocol : FlowProtocol
    baselines : sequence of str
        Keys of `BASELINES`.
    is_human_order : bool
        Whether somebody put the lists in this order, which then counts as a method.
    seed : int

    Yields
    ------
    Measurements
        The same object each time, with one more list.
    int
        Number of lists measured.

    Raises
    ------
    DiscoError
        If there is no such baseline.
    """
    if unknown := [name for name in baselines if name not in BASELINES]:
        raise DiscoError(f"there is no baseline {unknown[0]!r}; there are: {', '.join(BASELINES)}")
    measured = Measurements()
    for number, rows in enumerate(lists):
        few = catalogue.take(rows)
        cost = PairwiseCost(few, protocol.knobs, protocol.mean.embed(few), protocol.mixing)
        positions = PositionCosts(few, len(few), protocol.constraints, protocol.mixing.keys, whole=True)
        orders: dict[str, Order] = {ORIGINAL: np.arange(len(few))} if is_human_order else {}
        rng = np.random.default_rng([seed, number])
        orders |= _baseline_orders(few, protocol, baselines, rng, measured)
        orders |= _disco_orders(few, protocol, cost, positions)
        flows = {method: flow_metrics(few, path, cost, positions) for method, path in orders.items()}
        least = min(flow.total_cost for flow in flows.values())
        for method, flow in flows.items():
            measured.add(method, flow)
            measured.values[method][-1]["gap"] = flow.total_cost / least - 1 if least > _TOLERANCE else 0.0
        yield measured, number + 1


def _baseline_orders(
    few: Catalogue,
    protocol: FlowProtocol,
    baselines: Sequence[str],
    rng: np.random.Generator,
    measured: Measurements,
) -> dict[str, Order]:
    """Orders by baselines, and by DISCO's search under their costs; what both cost is added to the measurements."""
    n, tracks = len(few), baseline_tracks(few, protocol.mean.embed(few))
    orders: dict[str, Order] = {}
    for name in baselines:
        baseline = BASELINES[name]
        costs = baseline.cost(tracks) if baseline.cost else np.zeros((n, n))
        orders[name] = baseline.search(tracks, costs, rng)
        if baseline.cost:
            ours = our_order(baseline, tracks, costs, rng)
            own = baseline.total(tracks, costs, orders[name]), baseline.total(tracks, costs, ours)
            measured.own.setdefault(name, []).append(own)
            if baseline.weighs_all:
                orders[OUR_SEARCH.format(name)] = ours
    return orders


def our_order(baseline: Baseline, tracks: Tracks, costs: Costs, rng: np.random.Generator) -> Order:
    """DISCO's search under a baseline's cost; it does not start from the baseline's order."""
    if baseline.whole_score is not None:
        score = baseline.whole_score(tracks)
        return cheapest_by_whole_cost(score.costs, wide_beams(score), rng)
    n = len(tracks)
    return optimise_order(Problem(costs, np.zeros(n)), budget=Budget(iterations=_BASELINE_ITERATIONS_PER_TRACK * n))


def _disco_orders(
    few: Catalogue, protocol: FlowProtocol, cost: PairwiseCost, positions: PositionCosts
) -> dict[str, Order]:
    n, rows, given = len(few), np.arange(len(few)), protocol.knobs
    orders = {"greedy": greedy(rows[:1], rows[1:], n - 1, cost, lambda path, row: row not in path)}
    knobs = replace(
        given, sweetness=KNOBS.sweetness * given.sweetness, smoothness=KNOBS.smoothness * given.smoothness
    )
    weighted = PairwiseCost(few, knobs, protocol.mean.embed(few), protocol.ordering)
    no_start, budget = np.empty(0, dtype=np.intp), Budget(iterations=_ITERATIONS_PER_TRACK * n)
    for name, minimised, gap in (
        (ORDER, weighted, protocol.artist_gap),
        (ORDER_UNWEIGHTED, cost, protocol.artist_gap),
        (ORDER_FREE_ARTISTS, cost, 0),
    ):
        orders[name] = order(no_start, rows, n, minimised, Rules(few, gap), positions, budget)
    return orders


def measure_generated(
    catalogue: Catalogue,
    seeds: Rows,
    protocol: FlowProtocol,
    recommender: Recommender,
    predictors: Sequence[Predictor],
    length: int,
    candidates: int,
) -> Iterator[tuple[Measurements, int]]:
    """Generate a sequence from each seed by every method and measure it, one seed at a time.

    The methods are `greedy` and `beam` with each predictor, `walk`, and the nearest neighbour in features alone.

    Parameters
    ----------
    catalogue : Catalogue
    seeds : ndarray of rows
    protocol : FlowProtocol
    recommender : Recommender
    predictors : sequence of Predictor
    length, candidates : int
        Tracks to add to each seed, and the number of candidates to choose them from.

    Yields
    ------
    Measurements
        The same object each time, with one more sequence.
    int
        Number of seeds measured.

    Raises
    ------
    DiscoError
        If a seed has no candidates.
    """
    measured = Measurements()
    features_only = Knobs(sweetness=0, smoothness=0)
    for number, seed in enumerate(seeds.tolist()):
        recommended = recommender.recommend(
            Query(np.array([seed]), "", catalogue.has_comparable_features & catalogue.has_title_and_artist),
            candidates,
        )
        few = catalogue.take(np.r_[seed, np.sort(recommended.rows)])
        if len(few) < 2:
            raise DiscoError(f"{recommender.name} has no candidates for a seed; try another --recommender")
        start, pool, rules = np.array([0]), np.arange(1, len(few)), Rules(few, protocol.artist_gap)
        space = protocol.mean.embed(few)
        cost = PairwiseCost(few, protocol.knobs, space, protocol.mixing)
        distance_only = PairwiseCost(few, features_only, space)
        paths = {
            "nearest neighbour": greedy(start, pool, length, distance_only, rules),
            "walk": walk(start, pool, length, cost, rules),
        }
        for predictor in predictors:
            flow = FlowCost(few, predictor, protocol.knobs, predictor.embed(few), protocol.mixing)
            paths[f"greedy, {predictor.name}"] = greedy(start, pool, length, flow, rules)
            paths[f"beam, {predictor.name}"] = beam(start, pool, length, flow, rules)
        for method, path in paths.items():
            measured.add(method, flow_metrics(few, path, cost, seeds=1))
        yield measured, number + 1


def records(measured: Measurements, cases: str, compared: str, seed: int = 0) -> list[dict[str, Any]]:
    """One record per method: means over the lists, intervals, and how far `compared` is ahead of it.

    Parameters
    ----------
    measured : Measurements
    cases : str
        Kind of the lists.
    compared : str
        The method that all others are compared with.
    seed : int
        Of the bootstrap.

    Returns
    -------
    list of dict
        Besides the metrics: `ahead`, the mean difference on each of the three axes over the lists where both are
        known, positive where `compared` is better, with its interval; `dominated`, whether `compared` is nowhere
        better by these means and somewhere worse; `own`, of a baseline, the ratio of its own cost of DISCO's orders
        to that of its own orders, and the number of lists where DISCO's cost no more and where it cost less;
        `step_ratio`, the mean step over that of `nearest neighbour`.
    """
    best, made = measured.values.get(compared), []
    nearest = measured.values.get("nearest neighbour")
    for method, lists in measured.values.items():
        record: dict[str, Any] = {"method": method, "cases": cases, "n": len(lists)}
        bounds: dict[str, list[float]] = {}
        for name in lists[0]:
            record[name], bound = _mean_and_interval(np.array([values[name] for values in lists]), seed)
            if bound:
                bounds[name] = bound
        if nearest is not None:
            record["step_ratio"], bounds["step_ratio"] = _step_ratio(lists, nearest, seed)
        if best is not None and method != compared:
            record["ahead"] = _differences(best, lists, seed)
            means = [record["ahead"][axis]["mean"] for axis in AXES]
            record["dominated"] = all(m is not None and m <= 0 for m in means) and any(
                m is not None and m < 0 for m in means
            )
        if method in measured.own:
            record["own"] = _own_cost(measured.own[method])
        made.append(record | {"interval": bounds})
    return made


def _step_ratio(
    lists: Sequence[dict[str, float]], nearest: Sequence[dict[str, float]], seed: int
) -> tuple[float, list[float]]:
    steps, least = (np.array([values["step"] for values in one]) for one in (lists, nearest))
    means, least_means = (metrics.bootstrap_means(v, np.arange(len(v)), seed=seed) for v in (steps, least))
    bounds = metrics.percentile_interval(means / least_means)
    return _rounded(float(steps.mean() / least.mean())), [_rounded(bound) for bound in bounds]


def _own_cost(pairs: Sequence[tuple[float, float]]) -> dict[str, Any]:
    theirs, ours = np.array(pairs).T
    return {
        "ratio": _rounded(float(ours.sum() / theirs.sum())) if theirs.sum() > _TOLERANCE else 1.0,
        "no_dearer": int((ours <= theirs * (1 + _TOLERANCE) + _TOLERANCE).sum()),
        "cheaper": int((ours < theirs * (1 - 1e-4) - _TOLERANCE).sum()),
    }


def _differences(best: Sequence[dict[str, float]], other: Sequence[dict[str, float]], seed: int) -> dict[str, Any]:
    """By axis: how much better `best` is on average, with its interval."""
    differences = {}
    for axis in AXES:
        sign = 1 if axis in HIGHER_IS_BETTER else -1
        values = np.array([sign * (a[axis] - b[axis]) for a, b in zip(best, other, strict=True)])
        mean, bound = _mean_and_interval(values, seed)
        differences[axis] = {"mean": mean, "interval": bound}
    return differences


def _mean_and_interval(values: Floats | metrics.Values, seed: int) -> tuple[float | None, list[float] | None]:
    """Mean of the known values, and its interval; None if none is known."""
    known = values[~np.isnan(values)].astype(float)
    if not len(known):
        return None, None
    low, high = metrics.bootstrap_interval(known, np.arange(len(known)), seed=seed)
    return _rounded(float(known.mean())), [_rounded(low), _rounded(high)]


def _rounded(value: float) -> float:
    return round(value, 4)
