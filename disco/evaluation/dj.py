"""The next track of DJs: how high a cost ranks what a DJ really played next.

At each transition of a set the true next track is ranked among all tracks of the same set that were still to come.
Equal costs share their ranks, so that a cost that knows nothing gets what chance gets. Intervals are 95 %, by a
bootstrap over sets.

*Left out.* A cost that is fitted on the sets of the file is judged on DJs that it was not fitted on, in ten parts
with each DJ in one; and, for comparison, on sets that it was not fitted on. Where a DJ is not known, each set has one
of its own. Learning in the set: see `learn_in_sets`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Rows
from disco.catalogue.music import tempo_similarity
from disco.errors import DataError
from disco.evaluation import metrics
from disco.evaluation.baseline_costs import Tracks, baseline_tracks
from disco.evaluation.baselines import BASELINES
from disco.evaluation.dj_sets import PLAYLIST, Cases, DjSets, cases_of, read_sets
from disco.models.predictors import load_predictor
from disco.playlist.choice_fit import Choices, equal_importance, held_out, probabilities
from disco.playlist.joins import ENERGY_TERMS, TEMPO_TERMS, TERMS, JoinTracks, join_terms, join_tracks
from disco.playlist.key_moves import KEY_TERMS
from disco.playlist.key_rules import key_rule
from disco.playlist.styles import DJ, Style, load_style, style_names

Costs = NDArray[np.float64]
Numbers = NDArray[np.intp]

# A DJ counts as many joins at most, about ten sets' worth, so that nobody's habits become the style.
DJ_AT_MOST = 200
# Of 130 playlists 76 show an order at all, by a mixture of the fitted weights with chance; the others are crates. A
# half was chosen from 1, 1/2, 1/4 and 1/10 by looking at the sets that are measured here: live sets and mixes gain a
# little.
PLAYLIST_COUNTS = 0.5
# How much a DJ may go by key, and by the rest, against the fitted weights.
SCALES = (0.0, 0.5, 1.0, 2.0, 4.0)
# Names of the costs that are fitted on the file itself.
LEFT_OUT, LEFT_OUT_SETS, LEARNING = "fitted, DJs left out", "fitted, sets left out", "learning in the set"
KEY_TEMPO_ENERGY = (*KEY_TERMS, *TEMPO_TERMS, *ENERGY_TERMS)
# A DJ with fewer cases gets no number of his own.
_A_DJ = 20
# A smaller difference of costs is a rounding error.
_DIGITS = 7


@dataclass(frozen=True, eq=False)
class SetTracks:
    """What costs read of the entries of sets.

    Attributes
    ----------
    joins : JoinTracks
    baseline : Tracks
        What the costs of other programs read.
    """

    joins: JoinTracks
    baseline: Tracks


# Cost of each option of each case, shape (options,): lower is better.
CaseCost = Callable[[SetTracks, Cases], Costs]


def set_tracks(tracks: Catalogue) -> SetTracks:
    """What costs read of the entries of sets."""
    return SetTracks(join_tracks(tracks), baseline_tracks(tracks, load_predictor("mean").embed(tracks)))


def chance(tracks: SetTracks, cases: Cases) -> Costs:
    """All options cost the same."""
    return np.zeros(len(cases.options))


def key_alone(tracks: SetTracks, cases: Cases) -> Costs:
    """-K of the published DISCO; an unknown key counts 0."""
    last = np.repeat(cases.last, cases.sizes)
    return -key_rule().padded[tracks.joins.key[last], tracks.joins.key[cases.options]].astype(float)


def tempo_alone(tracks: SetTracks, cases: Cases) -> Costs:
    """-T of the published DISCO; an unknown tempo counts 0."""
    last = np.repeat(cases.last, cases.sizes)
    return -np.nan_to_num(tempo_similarity(tracks.joins.tempo[last], tracks.joins.tempo[cases.options]))


def published(tracks: SetTracks, cases: Cases) -> Costs:
    """-(K + T) of the published DISCO."""
    return key_alone(tracks, cases) + tempo_alone(tracks, cases)


def program(name: str) -> CaseCost:
    """The cost of a transition in another program, one of `BASELINES`; some of them compare all tracks of a set."""
    cost = BASELINES[name].cost
    assert cost is not None  # noqa: S101 - only those that have one are asked for

    def costs(tracks: SetTracks, cases: Cases) -> Costs:
        found, case = np.empty(len(cases.options)), np.repeat(np.arange(len(cases)), cases.sizes)
        for number in np.unique(cases.number):
            here = cases.number[case] == number
            last, options = cases.last[case[here]], cases.options[here]
            rows = np.union1d(last, options)
            matrix = cost(_take(tracks.baseline, rows))
            found[here] = matrix[np.searchsorted(rows, last), np.searchsorted(rows, options)]
        return found

    return costs


def costs_to_compare() -> dict[str, CaseCost]:
    """Every cost by its name: chance, the published one and its parts, and those of other programs."""
    simple = {"chance": chance, "published": published, "key alone": key_alone, "tempo alone": tempo_alone}
    return simple | {name: program(name) for name, one in BASELINES.items() if one.weighs_all}


class Ranks(NamedTuple):
    """Results of a cost, a value a case, shape (cases,) each."""

    hit_1: Costs
    hit_10: Costs
    reciprocal: Costs
    percentile: Costs


def ranks(costs: Costs, sizes: Numbers) -> Ranks:
    """How high the first option of each case ranks; options that cost the same share their ranks.

    Parameters
    ----------
    costs : ndarray, shape (options,)
        Lower is better.
    sizes : ndarray of int, shape (cases,)

    Returns
    -------
    Ranks
        Expected values where options cost the same; a percentile of 1 is the first place, 0 the last.

    Examples
    --------
    >>> found = ranks(np.array([1.0, 2.0, 1.0, 5.0, 4.0]), np.array([3, 2]))
    >>> found.hit_1.tolist(), found.reciprocal.tolist(), found.percentile.tolist()
    ([0.5, 0.0], [0.75, 0.5], [0.75, 0.0])
    """
    costs = np.round(costs, _DIGITS)
    starts = np.cumsum(sizes) - sizes
    true = np.repeat(costs[starts], sizes)
    less, equal = (np.add.reduceat(mask.astype(float), starts) for mask in (costs < true, costs == true))
    # The sum of 1 / r over the ranks that are shared, from the sums of all reciprocals up to each rank.
    sums = np.r_[0, np.cumsum(1 / np.arange(1, sizes.max(initial=1) + 1))]
    upper = (less + equal).astype(np.intp)
    return Ranks(
        np.where(less == 0, 1 / equal, 0),
        np.clip(10 - less, 0, equal) / equal,
        (sums[upper] - sums[less.astype(np.intp)]) / equal,
        1 - (less + (equal - 1) / 2) / np.maximum(sizes - 1, 1),
    )


def records(cost: str, costs: Costs, read: DjSets, cases: Cases, seed: int = 0) -> list[dict[str, Any]]:
    """One record of a cost for each kind of set.

    Parameters
    ----------
    cost : str
        Its name.
    costs : ndarray, shape (options,)
    read : DjSets
    cases : Cases
    seed : int
        Of the bootstrap.

    Returns
    -------
    list of dict
        Means over the cases with intervals, and `by_dj`, the hits of each DJ with 20 cases or more.
    """
    found = ranks(costs, cases.sizes)
    kinds, djs = (np.array([getattr(one, name) for one in read.sets])[cases.number] for name in ("kind", "dj"))
    made = []
    for kind in dict.fromkeys(kinds.tolist()):
        here = kinds == kind
        values = dict(zip(("hit@1", "hit@10", "mrr", "percentile"), (one[here] for one in found), strict=True))
        sets = cases.number[here]
        record: dict[str, Any] = {"cost": cost, "cases": kind, "n": int(here.sum()), "sets": len(np.unique(sets))}
        record |= {name: round(float(of.mean()), 4) for name, of in values.items()}
        names, counts = np.unique(djs[here], return_counts=True)
        several = names[counts >= _A_DJ].tolist() if len(names) > 1 else []
        by_dj = {dj: round(float(found.hit_1[here & (djs == dj)].mean()), 4) for dj in several}
        bounds = {name: metrics.bootstrap_interval(of, sets, seed=seed) for name, of in values.items()}
        rounded = {name: [round(low, 4), round(high, 4)] for name, (low, high) in bounds.items()}
        made.append(record | {"by_dj": by_dj, "interval": rounded})
    return made


def choices_of(tracks: JoinTracks, cases: Cases, names: Sequence[str] = KEY_TEMPO_ENERGY) -> Choices:
    """The choices of cases, with some of the terms of all their options."""
    terms = join_terms(tracks.take(np.repeat(cases.last, cases.sizes)), tracks.take(cases.options))
    return Choices(terms[:, [TERMS.index(name) for name in names]], cases.sizes)


def importance_of(read: DjSets, cases: Cases) -> Costs:
    """How much each case counts in a fit, shape (cases,): playlists half, and no DJ more than `DJ_AT_MOST`."""
    playlist = np.array([one.kind == PLAYLIST for one in read.sets])[cases.number]
    return equal_importance(dj_numbers(read, cases), DJ_AT_MOST) * np.where(playlist, PLAYLIST_COUNTS, 1.0)


def style_parts(style: Style, tracks: SetTracks, cases: Cases) -> tuple[Costs, Costs]:
    """What keys and tempos of options are worth in a style, in nats times its scale, shape (options,) each."""
    last, joins = np.repeat(cases.last, cases.sizes), tracks.joins
    keys = style.sweetness * style.keys[joins.key[last], joins.key[cases.options]]
    tempos = np.nan_to_num(style.tempo_values(joins.tempo[last], joins.tempo[cases.options]))
    return keys.astype(float), style.smoothness * tempos.astype(float)


def learn_in_sets(key: Costs, other: Costs, choices: Choices, numbers: Numbers) -> Costs:
    """Values of options when the joins so far in a set say how much its DJ goes by key, and how much by the rest.

    DJs differ: some go by key first, some by tempo first. Each pair of `SCALES`, one for keys and one for the rest,
    is a style that the DJ of the set may have; a scale is as likely from the start as its distance from 1 is small
    (normal in doublings, with a standard deviation of one). After each join each style counts by how likely it made
    the joins so far (Bayes), and an option is worth the logarithm of its probability, averaged over the styles.

    Parameters
    ----------
    key, other : ndarray, shape (options,)
        Values of keys, and of the rest.
    choices : Choices
    numbers : ndarray of int, shape (choices,)
        Of the set of each choice; the choices of a set follow one another in their order.

    Returns
    -------
    ndarray, shape (options,)
        What is learned of a set begins anew with the next.

    Examples
    --------
    >>> key, other = np.array([1.0, 0.0] * 9), np.array([0.0, 1.0] * 9)  # nine times the key decides
    >>> nine = Choices(np.zeros((18, 0)), np.full(9, 2))
    >>> values = learn_in_sets(key, other, nine, np.zeros(9)).reshape(9, 2)
    >>> bool(np.isclose(values[0, 0], values[0, 1])), bool(values[-1, 0] > values[-1, 1] + 1)
    (True, True)
    """
    styles = [(k, o) for k in SCALES for o in SCALES]
    # No weight at all is as far from 1 as two doublings and a half.
    doublings = [np.log2(max(scale, 0.18)) for scale in SCALES]
    first = np.array([-(k**2 + o**2) / 2 for k in doublings for o in doublings])
    found = np.stack([probabilities(choices, k * key + o * other) for k, o in styles])
    played = np.log(np.maximum(found[:, choices.starts], 1e-300))
    begins = np.r_[True, np.diff(numbers) != 0]
    before = np.cumsum(played, axis=1) - played
    before -= before[:, begins][:, np.cumsum(begins) - 1]
    evidence = first[:, None] + before
    weights = np.exp(evidence - evidence.max(axis=0))
    weights /= weights.sum(axis=0)
    return np.asarray(np.log((weights[:, choices.choice] * found).sum(axis=0)))


def dj_numbers(read: DjSets, cases: Cases) -> Numbers:
    """Number of the DJ of each case, shape (cases,)."""
    numbers = np.unique([one.dj for one in read.sets], return_inverse=True)[1]
    return np.asarray(numbers[cases.number], dtype=np.intp)


def _take(tracks: Tracks, rows: Rows) -> Tracks:
    return Tracks(**{column.name: getattr(tracks, column.name)[rows] for column in fields(tracks)})


def dj(
    sets: str | Path,
    catalogue: Catalogue | None = None,
    *,
    random_seed: int = 0,
) -> dict[str, Any]:
    r"""Rank what DJs really played next by the costs of a transition.

    Parameters
    ----------
    sets : str or Path
        Table of sets: Parquet or CSV with `set_id, position, tempo_bpm, key, mode`, and perhaps `kind, dj, artist,
        title, genre, track_id`.
    catalogue : Catalogue, optional
        Lends energies and other features of tracks whose `track_id` it has.
    random_seed : int

    Returns
    -------
    dict
        `costs`, a list of records with hit@1, MRR and mean percentile, and `protocol`.

    Raises
    ------
    DiscoError
        If the file cannot be used, or shows no choice.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> lines = ["set_id,position,tempo_bpm,key,mode", "a,0,120,0,1", "a,1,121,0,1", "a,2,140,6,1", "a,3,141,6,1"]
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "sets.csv")
    ...     _ = path.write_text("\n".join(lines))
    ...     results = dj(path)
    >>> [(r["cost"], r["hit@1"]) for r in results["costs"][:2]]
    [('chance', 0.4167), ('published', 1.0)]
    """
    where = Path(sets)
    read = read_sets(where, catalogue)
    cases = cases_of(read)
    if not len(cases):
        raise DataError(where, "shows no choice: no set has three tracks in a row with known keys and tempos")
    tracks, made = set_tracks(read.tracks), []
    for name, cost in costs_to_compare().items():
        made += records(name, cost(tracks, cases), read, cases, random_seed)
    choices, djs = choices_of(tracks.joins, cases), dj_numbers(read, cases)
    for name in style_names():
        if (style := load_style(name)) is not None:
            key, tempo = style_parts(style, tracks, cases)
            made += records(name, -(key + tempo), read, cases, random_seed)
            if name == DJ:
                values = learn_in_sets(key / style.scale, tempo / style.scale, choices, cases.number)
                made += records(f"{name}, {LEARNING}", -values, read, cases, random_seed)
    importance = importance_of(read, cases)
    for name, groups in ((LEFT_OUT, djs), (LEFT_OUT_SETS, cases.number)):
        if len(np.unique(groups)) < 2:
            continue
        weighted = choices.terms * held_out(choices, groups, importance)[choices.choice]
        key, other = weighted[:, : len(KEY_TERMS)].sum(axis=1), weighted[:, len(KEY_TERMS) :].sum(axis=1)
        made += records(name, -(key + other), read, cases, random_seed)
        if name == LEFT_OUT:
            values = learn_in_sets(key, other, choices, cases.number)
            made += records(f"{name}, {LEARNING}", -values, read, cases, random_seed)
    protocol = {
        "file": str(where),
        "catalogue": None if catalogue is None else catalogue.where,
        **read.counts,
        "others": "the tracks of the set that came later",
        "seed": random_seed,
        "interval": "95 %, bootstrap over sets",
    }
    return {"costs": made, "protocol": protocol}
