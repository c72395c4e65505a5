"""The flow protocol: orders of the same tracks side by side, by everybody's way, on the figures of `flow`.

*Lists.* Real playlists, or sets of tracks drawn from some genres: of the measured tracks of each, every way orders
the same ones. *Generated.* From seeds, sequences of so many tracks from the same candidates. Figures are means over
lists, with 95 % intervals by a bootstrap over them; features are the eight scaled ones, whatever a way measures in.

*Ways.* The list as it was, the `rivals`, `greedy` from the first track under our cost, `order` as `disco order` does
it (the knobs of keys and tempos times what its usual ones are), and the same with the knobs as they are given, with
artists apart and let free. What it costs is our cost by the knobs that are given, as reported; `gap` is by how much
that is above the cheapest order of the list that any way found. Each rival's own cost is also given to our search,
which is never told what the rival found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.table import Mask
from disco.catalogue.text import fold_accents, normalise
from disco.errors import DiscoError
from disco.evaluation import metrics
from disco.evaluation.baselines import BASELINES, baseline_tracks
from disco.models.predictors import Predictor
from disco.models.recommenders import Query, Recommender
from disco.playlist.cost import FlowCost, Knobs, PairwiseCost
from disco.playlist.flow_metrics import FlowMetrics, flow_metrics
from disco.playlist.key_rules import KEY_RULES
from disco.playlist.mixing import Mixing
from disco.playlist.reorder import KNOBS
from disco.playlist.sequence import Constraints, PositionCosts, Rules, beam, greedy, order, walk
from disco.playlist.sequence.local_search import Problem
from disco.playlist.sequence.order import Budget, Order, optimise_order

# As it was, when that is somebody's order and not a draw.
ORIGINAL = "as it was"
ORDER, ORDER_UNWEIGHTED, ORDER_FREE_ARTISTS = "order", "order, all knobs 1", "order, all knobs 1, artists free"
# Disturbances a track, of our orders and of rivals' costs: fewer than usual, lest 200 lists take hours.
_ITERATIONS_PER_TRACK, _BASELINE_ITERATIONS_PER_TRACK = 10, 1
OUR_SEARCH = "{}, our search"
# Of figures that say more the higher they are; of all others less is better.
HIGHER_IS_BETTER = (*(f"key {name}" for name in KEY_RULES), "within_5", "within_10", "coherence")
# The three by which no rival may be ahead: keys, tempos, sound.
AXES = ("key fifths", "tempo_change", "step")
# A difference of costs below it is rounding.
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class FlowProtocol:
    """How joins are judged, and what is asked for.

    Attributes
    ----------
    mean : Predictor
        In whose space features are measured.
    knobs : Knobs
    mixing : Mixing
    artist_gap : int
    constraints : Constraints
        Its arc alone counts.
    """

    mean: Predictor
    knobs: Knobs = Knobs()  # noqa: RUF009 - frozen
    mixing: Mixing = Mixing()  # noqa: RUF009 - frozen
    artist_gap: int = 1
    constraints: Constraints = Constraints()  # noqa: RUF009 - frozen


@dataclass
class Measurements:
    """Figures of each list by each way.

    Attributes
    ----------
    values : dict of str to list
        By way and list: numbers by name, NaN where unknown.
    own : dict of str to list
        By rival and list: what its own search reaches under its own cost, and what ours does.
    """

    values: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    own: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def put(self, way: str, said: FlowMetrics) -> None:
        """Keep the figures of one more list by a way."""
        self.values.setdefault(way, []).append(metric_values(said))


def metric_values(said: FlowMetrics) -> dict[str, float]:
    """Figures as one number each; a join without artist twice has no gap."""
    return {
        **{f"key {name}": share for name, share in said.allowed.items()},
        **{name: getattr(said, name) for name in ("clashes", "tempo_change", "tempo_p90", "within_5", "within_10")},
        **{name: getattr(said, name) for name in ("folded", "step", "worst_step", "coherence", "arc_rmse")},
        **{name: getattr(said, name) for name in ("arc_spearman", "from_seeds", "drift")},
        "artist_gap": np.nan if said.artist_gap is None else float(said.artist_gap),
        "same_artist": float(said.same_artist),
        "cost": said.mean_cost,
        "total_cost": said.total_cost,
    }


def rows_with_genres(catalogue: Catalogue, genres: Sequence[str]) -> Rows:
    """Rows of the measured, named tracks that have one of some genres, hyphens or not; of all if none is asked for.

    Raises
    ------
    DiscoError
        If no track has one of them.
    """
    fit: Mask = catalogue.has_comparable_features & catalogue.has_title_and_artist
    if not genres:
        return np.flatnonzero(fit)
    column = catalogue.table["genres"].combine_chunks()
    encoded = column.flatten().dictionary_encode()
    spelt = normalise(fold_accents(encoded.dictionary))
    asked = normalise(fold_accents(pa.array(genres)))
    lost = pc.invert(pc.is_in(asked, value_set=spelt)).to_pylist()
    if any(lost):
        counts = encoded.value_counts().to_pylist()
        known = sorted(counts, key=lambda c: -c["counts"])[:8]
        there = f"its most frequent are {', '.join(c['values'] for c in known)}" if known else "it has no genres"
        raise DiscoError(f"no track of {catalogue.where} has the genre {genres[lost.index(True)]!r}; {there}")
    met = pc.is_in(spelt, value_set=asked).take(encoded.indices).to_numpy(zero_copy_only=False)
    some = np.zeros(len(catalogue), dtype=bool)
    some[pc.list_parent_indices(column).to_numpy(zero_copy_only=False)[met]] = True
    return np.flatnonzero(fit & some)


def sample_lists(pool: Rows, draws: int, length: int, seed: int) -> list[Rows]:
    """So many sets of so many different rows of a pool, each in a random order.

    Raises
    ------
    DiscoError
        If the pool is too small, or a set would have no join.
    """
    if draws < 1 or length < 2:
        raise DiscoError(
            f"{draws} draws of {length} tracks are nothing to order; draw 1 set or more of 2 tracks or more"
        )
    if len(pool) < length:
        raise DiscoError(f"{length} tracks cannot be drawn from {len(pool):,} that have title, artist and features")
    rng = np.random.default_rng(seed)
    return [rng.choice(pool, length, replace=False) for _ in range(draws)]


def sample_playlists(playlists: Sequence[Rows], lengths: tuple[int, int], most: int, seed: int) -> list[Rows]:
    """At most so many playlists of fitting lengths, drawn by a seed.

    Raises
    ------
    DiscoError
        If none fits.
    """
    low, high = lengths
    fit = [tracks for tracks in playlists if low <= len(tracks) <= high]
    if not fit or most < 1:
        longest = max((len(tracks) for tracks in playlists), default=0)
        raise DiscoError(
            f"no playlist has {low} to {high} measured tracks; of {len(playlists):,} the longest has {longest}"
        )
    kept = np.sort(np.random.default_rng(seed).permutation(len(fit))[:most])
    return [fit[i] for i in kept]


def measure_orders(
    catalogue: Catalogue, lists: Sequence[Rows], setting: FlowProtocol, rivals: Sequence[str], human: bool, seed: int
) -> Iterator[tuple[Measurements, int]]:
    """Figures of each list by each way: the same `Measured` after each, with what its number is.

    Parameters
    ----------
    rivals : sequence of str
        Of `rivals.RIVALS`.
    human : bool
        Whether the lists are in somebody's order, which counts as a way.
    """
    if unknown := [name for name in rivals if name not in BASELINES]:
        raise DiscoError(f"there is no rival {unknown[0]!r}; there are: {', '.join(BASELINES)}")
    measured = Measurements()
    for number, rows in enumerate(lists):
        few = catalogue.take(rows)
        n, space = len(few), setting.mean.embed(few)
        cost = PairwiseCost(few, setting.knobs, space, setting.mixing)
        places = PositionCosts(few, n, setting.constraints, setting.mixing.keys, whole=True)
        tracks, everyone, rng = baseline_tracks(few, space), np.arange(n), np.random.default_rng([seed, number])
        ways: dict[str, Order] = {ORIGINAL: everyone} if human else {}
        for name in rivals:
            rival = BASELINES[name]
            joins = rival.cost(tracks) if rival.cost else np.zeros((n, n))
            ways[name] = rival.search(tracks, joins, rng)
            if rival.cost:
                problem = Problem(joins, np.zeros(n))
                ours = optimise_order(problem, budget=Budget(iterations=_BASELINE_ITERATIONS_PER_TRACK * n))
                measured.own.setdefault(name, []).append((problem.cost(ways[name]), problem.cost(ours)))
                if rival.weighs:
                    ways[OUR_SEARCH.format(name)] = ours
        ways["greedy"] = greedy(everyone[:1], everyone[1:], n - 1, cost, lambda path, row: row not in path)
        nobody = np.empty(0, dtype=np.intp)
        said = setting.knobs
        knobs = replace(
            said, sweetness=KNOBS.sweetness * said.sweetness, smoothness=KNOBS.smoothness * said.smoothness
        )
        ordering = PairwiseCost(few, knobs, space, setting.mixing)
        for name, paid, gap in (
            (ORDER, ordering, setting.artist_gap),
            (ORDER_UNWEIGHTED, cost, setting.artist_gap),
            (ORDER_FREE_ARTISTS, cost, 0),
        ):
            ways[name] = order(
                nobody, everyone, n, paid, Rules(few, gap), places, Budget(iterations=_ITERATIONS_PER_TRACK * n)
            )
        found = {way: flow_metrics(few, path, cost, places) for way, path in ways.items()}
        least = min(one.total_cost for one in found.values())
        for way, one in found.items():
            measured.put(way, one)
            measured.values[way][-1]["gap"] = one.total_cost / least - 1 if least > _TOLERANCE else 0.0
        yield measured, number + 1


def measure_generated(
    catalogue: Catalogue,
    seeds: Rows,
    setting: FlowProtocol,
    recommender: Recommender,
    predictors: Sequence[Predictor],
    length: int,
    candidates: int,
) -> Iterator[tuple[Measurements, int]]:
    """Figures of sequences from each seed: the same `Measured` after each, with its number.

    By `greedy` and `beam` under each predictor, by `walk`, and by the nearest neighbour in features alone.
    """
    measured = Measurements()
    plain_knobs = Knobs(sweetness=0, smoothness=0)
    for number, seed in enumerate(seeds.tolist()):
        found = recommender.recommend(
            Query(np.array([seed]), "", catalogue.has_comparable_features & catalogue.has_title_and_artist),
            candidates,
        )
        few = catalogue.take(np.r_[seed, np.sort(found.rows)])
        if len(few) < 2:
            raise DiscoError(f"{recommender.name} has no candidates for a seed; try another --recommender")
        start, pool, rules = np.array([0]), np.arange(1, len(few)), Rules(few, setting.artist_gap)
        space = setting.mean.embed(few)
        cost = PairwiseCost(few, setting.knobs, space, setting.mixing)
        near = PairwiseCost(few, plain_knobs, space)
        paths = {
            "nearest neighbour": greedy(start, pool, length, near, rules),
            "walk": walk(start, pool, length, cost, rules),
        }
        for predictor in predictors:
            flow = FlowCost(few, predictor, setting.knobs, predictor.embed(few), setting.mixing)
            paths[f"greedy, {predictor.name}"] = greedy(start, pool, length, flow, rules)
            paths[f"beam, {predictor.name}"] = beam(start, pool, length, flow, rules)
        for way, path in paths.items():
            measured.put(way, flow_metrics(few, path, cost, seeds=1))
        yield measured, number + 1


def records(measured: Measurements, cases: str, compared: str, seed: int = 0) -> list[dict[str, Any]]:
    """One record of each way: means over the lists, intervals, and how far `compared` is ahead of it.

    `ahead` has for each of the three axes the mean difference over the lists where both are known, positive where
    `compared` is better, with its interval; `dominated` says whether `compared` is no better by any of the means and
    worse by one. `own` has, of a rival, the ratio of what our search reaches in all under its own cost to what its
    own does, and in how many lists ours was no dearer and in how many cheaper. `step_ratio` is the mean step to that
    of `nearest neighbour`.
    """
    best, made = measured.values.get(compared), []
    near = measured.values.get("nearest neighbour")
    for way, lists in measured.values.items():
        record: dict[str, Any] = {"method": way, "cases": cases, "n": len(lists)}
        bounds: dict[str, list[float]] = {}
        for name in lists[0]:
            values = np.array([values[name] for values in lists])
            record[name], bound = _mean_and_interval(values, seed)
            if bound:
                bounds[name] = bound
        if near is not None:
            steps, others = (np.array([v["step"] for v in one]) for one in (lists, near))
            groups = np.arange(len(steps))
            record["step_ratio"] = _rounded(float(steps.mean() / others.mean()))
            ratios = metrics.bootstrap_means(steps, groups, seed=seed) / metrics.bootstrap_means(
                others, groups, seed=seed
            )
            bounds["step_ratio"] = [_rounded(b) for b in metrics.percentile_interval(ratios)]
        if best is not None and way != compared:
            record["ahead"] = _differences(best, lists, seed)
            means = [record["ahead"][axis]["mean"] for axis in AXES]
            record["dominated"] = all(m is not None and m <= 0 for m in means) and any(
                m is not None and m < 0 for m in means
            )
        if way in measured.own:
            pairs = np.array(measured.own[way])
            theirs, ours = pairs.T
            record["own"] = {
                "ratio": _rounded(float(ours.sum() / theirs.sum())) if theirs.sum() > _TOLERANCE else 1.0,
                "no_dearer": int((ours <= theirs * (1 + _TOLERANCE) + _TOLERANCE).sum()),
                "cheaper": int((ours < theirs * (1 - 1e-4) - _TOLERANCE).sum()),
            }
        made.append(record | {"interval": bounds})
    return made


def _differences(best: Sequence[dict[str, float]], other: Sequence[dict[str, float]], seed: int) -> dict[str, Any]:
    found = {}
    for axis in AXES:
        sign = 1 if axis in HIGHER_IS_BETTER else -1
        apart = np.array([sign * (a[axis] - b[axis]) for a, b in zip(best, other, strict=True)])
        mean, bound = _mean_and_interval(apart, seed)
        found[axis] = {"mean": mean, "interval": bound}
    return found


def _mean_and_interval(values: Floats | metrics.Values, seed: int) -> tuple[float | None, list[float] | None]:
    """Mean of the known values, and its interval."""
    known = values[~np.isnan(values)].astype(float)
    if not len(known):
        return None, None
    low, high = metrics.bootstrap_interval(known, np.arange(len(known)), seed=seed)
    return _rounded(float(known.mean())), [_rounded(low), _rounded(high)]


def _rounded(value: float) -> float:
    return round(value, 4)
