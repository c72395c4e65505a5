"""Metrics of how well an order flows: compatible keys, changes of tempo, distances, coherence, cost.

*Coherence.* 1 - SV / PV of Schweiger, Schedl and others ("Does track sequence in user-generated playlists matter?",
ISMIR 2021; "The coherence of user-generated playlists", EPJ Data Science 2025): SV, the sequential variance, is half
the mean squared distance of neighbours, PV, that of the playlist, half the mean over all pairs. A shuffle has 0;
at 1 neighbours are equal, below 0 they differ more than random pairs.

*Tempo.* 86 % of the transitions of DJs change the tempo by at most 5 %, 94 % by at most 10 % (Kim et al., "A
computational analysis of real-world DJ mixes", ISMIR 2020); here half and double time are folded unless their weight
is 0.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.music import tempo_change, tempo_octaves
from disco.playlist.cost import PairwiseCost
from disco.playlist.key_rules import KEY_RULES, key_rule
from disco.playlist.sequence.constraints import PositionCosts, ranks
from disco.playlist.sequence.rules import Rules

Values = NDArray[np.float64]

# K of keys two steps apart on the circle of fifths; further apart most listeners notice a clash.
_COMPATIBLE = 0.6
# Names of fields in JSON, where they differ.
_JSON_NAMES = {"transitions": "joins", "large_tempo_jumps": "too_far"}


@dataclass(frozen=True)
class FlowMetrics:
    """Metrics of the transitions of one order.

    Shares are of the transitions with known keys, or tempos; NaN where none are known.

    Attributes
    ----------
    transitions : int
    mean_cost, total_cost : float
        As reported, never negative; 0 without transitions.
    compatible, keys : int
        Transitions that the key rule of the cost allows, and transitions whose keys are known.
    allowed : dict of str to float
        Share of transitions that each key rule allows.
    clashes : float
        Of ten transitions, those whose keys are more than two steps apart on the circle of fifths.
    tempo_change, tempo_p90 : float
        Mean and 90th percentile of the absolute change of tempo in per cent, half and double time folded unless
        their weight is 0.
    within_5, within_10 : float
        Shares of transitions with a change of at most 5 or 10 per cent.
    folded : float
        Share of transitions whose tempos are closer to half or double time than to the same.
    large_tempo_jumps : int
        Transitions that change the tempo by more than is allowed.
    step, worst_step : float
        Mean and largest distance of neighbours, between the embeddings of the cost.
    coherence : float
        Of the same embeddings, at most 1; NaN for fewer than two different tracks.
    artist_gap : int, optional
        Smallest number of tracks between two by one artist; None if no artist repeats.
    same_artist : int
        Transitions of two tracks by one artist.
    arc_rmse, arc_spearman : float
        Root mean squared error of the ranks of energy from the arc that was asked for, and their rank correlation.
    from_seeds, drift : float
        Distance of the mean of the other tracks from the mean of the seeds, and by how much the distance of a track
        from there grows, by linear regression, from the first of them to the last.
    worst : int
        Position, from 0, of the track whose transition from the one before costs most; 0 without transitions.
    worst_cost : float
    """

    transitions: int = 0
    mean_cost: float = 0.0
    total_cost: float = 0.0
    compatible: int = 0
    keys: int = 0
    allowed: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KEY_RULES, np.nan))
    clashes: float = np.nan
    tempo_change: float = np.nan
    tempo_p90: float = np.nan
    within_5: float = np.nan
    within_10: float = np.nan
    folded: float = np.nan
    large_tempo_jumps: int = 0
    step: float = np.nan
    worst_step: float = np.nan
    coherence: float = np.nan
    artist_gap: int | None = None
    same_artist: int = 0
    arc_rmse: float = np.nan
    arc_spearman: float = np.nan
    from_seeds: float = np.nan
    drift: float = np.nan
    worst: int = 0
    worst_cost: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The metrics for JSON, rounded to four decimals; unknown values are None."""
        return {_JSON_NAMES.get(name, name): _plain(value) for name, value in asdict(self).items()}


def flow_metrics(
    catalogue: Catalogue, path: Rows, cost: PairwiseCost, position_costs: PositionCosts | None = None, seeds: int = 0
) -> FlowMetrics:
    """Compute the metrics of tracks in an order.

    Parameters
    ----------
    catalogue : Catalogue
    path : ndarray of rows
    cost : PairwiseCost
        Over the catalogue.
    position_costs : PositionCosts, optional
        With the arc that was asked for.
    seeds : int
        How many of the first tracks were given.
    """
    if len(path) < 2:
        return FlowMetrics()
    terms, mixing = cost.terms(path), cost.mixing
    costs, steps = terms["cost"], terms["distance"]
    before, after, _ = mixing.sounding_keys(catalogue, path)
    sweetness = key_rule().between(before, after)
    known = ~np.isnan(sweetness)
    tempos = catalogue.tempos[path]
    change = np.abs(tempo_change(tempos[:-1], tempos[1:], mixing.folds))
    octaves = tempo_octaves(tempos[:-1], tempos[1:], fold=False)
    gap, same = artist_gap(catalogue, path)
    rmse, spearman = (np.nan, np.nan) if position_costs is None else arc_fit(position_costs, path)
    distance, drift = from_seeds(cost.embeddings[path], seeds)
    return FlowMetrics(
        transitions=len(costs),
        mean_cost=float(costs.mean()),
        total_cost=float(costs.sum()),
        compatible=int(mixing.keys.allows(before, after).sum()),
        keys=int(known.sum()),
        allowed={name: _mean(key_rule(name).allows(before, after)[known]) for name in KEY_RULES},
        clashes=10 * _mean(sweetness[known] < _COMPATIBLE - 1e-6),  # K is rounded, up or down
        tempo_change=_mean(change),
        tempo_p90=float(np.nanquantile(change, 0.9)) if not np.isnan(change).all() else np.nan,
        within_5=_share(change, 5),
        within_10=_share(change, 10),
        folded=1 - _share(np.abs(octaves), 0.5) if mixing.folds else 0.0,
        large_tempo_jumps=int(mixing.large_tempo_jumps(tempos[:-1], tempos[1:]).sum()),
        step=_mean(steps),
        worst_step=float(np.nanmax(steps)) if not np.isnan(steps).all() else np.nan,
        coherence=coherence(cost.embeddings[path]),
        artist_gap=gap,
        same_artist=same,
        arc_rmse=rmse,
        arc_spearman=spearman,
        from_seeds=distance,
        drift=drift,
        worst=int(costs.argmax()) + 1,
        worst_cost=float(costs.max()),
    )


def coherence(embeddings: Floats) -> float:
    """1 - SV / PV of tracks in order, shape (n, d); rows with NaN are skipped, NaN where no two tracks differ.

    Half the mean squared distance over all pairs equals the sum of the columns' sample variances.

    Examples
    --------
    >>> coherence(np.array([[0.0], [1.0], [2.0]], dtype=np.float32))
    0.5
    """
    points = embeddings[~np.isnan(embeddings).any(axis=1)].astype(float)
    if len(points) < 2:
        return np.nan
    sequential = float((np.diff(points, axis=0) ** 2).sum(axis=1).mean()) / 2
    whole = float(points.var(axis=0, ddof=1).sum())
    return 1 - sequential / whole if whole > 1e-12 else np.nan


def arc_fit(position_costs: PositionCosts, path: Rows) -> tuple[float, float]:
    """RMSE of the ranks of energy from the arc, and Spearman's correlation with it; NaN without an arc."""
    if position_costs.arc_heights is None:
        return np.nan, np.nan
    heights, energy = position_costs.arc_heights[: len(path)].astype(float), position_costs.energy[path].astype(float)
    known = ~np.isnan(energy)
    if not known.any():
        return np.nan, np.nan
    rmse = float(np.sqrt(np.mean((energy[known] - heights[known]) ** 2)))
    a, b = ranks(energy[known]), ranks(heights[known])
    flat = a.std() < 1e-9 or b.std() < 1e-9
    return rmse, np.nan if flat else float(np.corrcoef(a, b)[0, 1])


def artist_gap(catalogue: Catalogue, path: Rows) -> tuple[int | None, int]:
    """Fewest tracks between two by one artist (None if no artist repeats), and the transitions between two by one."""
    rules = Rules(catalogue)
    least = min((int(np.diff(places).min()) for places in rules.same_artists(path)), default=0)
    return (least - 1 if least else None), rules.violations(path)


def from_seeds(embeddings: Floats, seeds: int) -> tuple[float, float]:
    """Distance of the tracks after the seeds from the seeds' mean, and its growth; embeddings of shape (n, d)."""
    given, added = (
        part[~np.isnan(part).any(axis=1)].astype(float) for part in (embeddings[:seeds], embeddings[seeds:])
    )
    if not len(given) or not len(added):
        return np.nan, np.nan
    middle = given.mean(axis=0)
    distance = float(np.linalg.norm(added.mean(axis=0) - middle))
    if len(added) < 2:
        return distance, np.nan
    return distance, float(np.polyfit(np.linspace(0, 1, len(added)), np.linalg.norm(added - middle, axis=1), 1)[0])


def _mean(values: NDArray[Any]) -> float:
    known = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    return float(known.mean()) if len(known) else np.nan


def _share(values: Values, most: float) -> float:
    """Share of the known values up to a limit, with a tolerance for float32."""
    known = values[~np.isnan(values)]
    return _mean(known <= most * (1 + 1e-5))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, float):
        return None if np.isnan(value) else round(value, 4)
    return value
