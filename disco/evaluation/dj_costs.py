"""Costs of what DJs may play next: those of DISCO and its styles, and those of other programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Rows
from disco.catalogue.music import tempo_similarity
from disco.evaluation.baseline_costs import Tracks, baseline_tracks
from disco.evaluation.baselines import BASELINES
from disco.evaluation.dj_sets import Cases
from disco.models.predictors import load_predictor
from disco.playlist.joins import JoinTracks, join_tracks
from disco.playlist.key_rules import key_rule
from disco.playlist.styles import Style

Costs = NDArray[np.float64]


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
    """The cost of a transition in another program, one of `BASELINES`; some of them compare all tracks of a set.

    Cases of one set follow one another.
    """
    cost = BASELINES[name].cost
    assert cost is not None  # noqa: S101 - only those that have one are asked for

    def costs(tracks: SetTracks, cases: Cases) -> Costs:
        found, numbers = np.empty(len(cases.options)), np.repeat(cases.number, cases.sizes)
        lasts = np.repeat(cases.last, cases.sizes)
        starts = np.flatnonzero(np.r_[True, numbers[1:] != numbers[:-1]]).tolist()
        for start, end in pairwise([*starts, len(numbers)]):
            here = slice(start, end)
            last, options = lasts[here], cases.options[here]
            rows = np.union1d(last, options)
            matrix = cost(_take(tracks.baseline, rows))
            found[here] = matrix[np.searchsorted(rows, last), np.searchsorted(rows, options)]
        return found

    return costs


def costs_to_compare() -> dict[str, CaseCost]:
    """Every cost by its name: chance, the published one and its parts, and those of other programs."""
    simple = {"chance": chance, "published": published, "key alone": key_alone, "tempo alone": tempo_alone}
    return simple | {name: program(name) for name, one in BASELINES.items() if one.weighs_all}


def style_parts(style: Style, tracks: SetTracks, cases: Cases) -> tuple[Costs, Costs]:
    """What keys and tempos of options are worth in a style, in nats times its scale, shape (options,) each."""
    last, joins = np.repeat(cases.last, cases.sizes), tracks.joins
    keys = style.sweetness * style.keys[joins.key[last], joins.key[cases.options]]
    tempos = np.nan_to_num(style.tempo_values(joins.tempo[last], joins.tempo[cases.options]))
    return keys.astype(float), style.smoothness * tempos.astype(float)


def _take(tracks: Tracks, rows: Rows) -> Tracks:
    return Tracks(**{column.name: getattr(tracks, column.name)[rows] for column in fields(tracks)})
