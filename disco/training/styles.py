"""Fit a style: what keys and tempos are worth to those who mix, or to those who make playlists."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue
from disco.errors import DataError
from disco.evaluation.data import entries_of
from disco.evaluation.dj_costs import set_tracks
from disco.evaluation.dj_many import MANY_TERMS, SOUND_TERMS, fit_many, many_pools, many_terms, style_values
from disco.evaluation.dj_ranks import DJ_AT_MOST, choices_of, dj_numbers, importance_of
from disco.evaluation.dj_sets import Cases, DjSet, DjSets, cases_of, read_sets
from disco.playlist.choice_fit import (
    Choices,
    Fit,
    fit_choices,
    held_out,
    log_likelihoods,
)
from disco.playlist.joins import TEMPO_TERMS, join_tracks
from disco.playlist.key_moves import KEY_TERMS
from disco.playlist.key_rules import key_rule
from disco.playlist.styles import CARDS, DJ, FORMAT, LISTENER, read_card
from disco.sources.files import playlist_tables
from disco.sources.storage import write_atomic

TERMS_OF_SETS = "no licence declared for the sets: a few readable numbers fitted to them, no rows"
TERMS_OF_PLAYLISTS = (
    "Million Playlist Dataset (research, no redistribution) and others: a few numbers fitted, no rows"
)
# Playlists of fewer tracks are left out, and of longer ones the beginning is used.
_SHORTEST, _LONGEST = 10, 40
_FITTED = (*KEY_TERMS, *TEMPO_TERMS)


def fit_style(name: str, read: DjSets, cases: Cases, terms_of_use: str, scale: float | None = None) -> dict[str, Any]:
    """The card of a style fitted to sets, each case with its importance; see `importance_of`.

    Parameters
    ----------
    name : str
    read : DjSets
    cases : Cases
        What was chosen in them.
    terms_of_use : str
        On what terms the data may be used.
    scale : float, optional
        What a nat is worth; by default so much that the style varies as much as the published K + T.

    Returns
    -------
    dict
        The card: `weights` with a standard error each, `scale`, `data`, and `metrics` in nats a choice, of chance and
        of weights that were fitted on other DJs.
    """
    choices, djs = choices_of(join_tracks(read.tracks), cases, _FITTED), dj_numbers(read, cases)
    importance = importance_of(read, cases)
    merged = _merged(fit_choices(choices, importance))
    choices = Choices(choices.terms @ merged, choices.sizes)
    fit = fit_choices(choices, importance)
    others = held_out(choices, djs, importance) if len(np.unique(djs)) > 1 else np.zeros((len(cases), len(_FITTED)))
    values = (choices.terms * others[choices.choice]).sum(axis=1)
    shared = np.where(merged.any(axis=1), merged.argmax(axis=1), np.arange(len(_FITTED)))
    weights = {
        term: {"weight": round(float(weight), 4), "error": round(float(error), 4)}
        for term, weight, error in zip(_FITTED, fit.weights[shared], fit.errors[shared], strict=True)
    }
    kinds = [one.kind for one in read.sets]
    used = np.unique(cases.number).tolist()
    return {
        "format": FORMAT,
        "name": name,
        "kind": "style",
        "weights": weights,
        "scale": round(_scale(choices, fit.weights, read, cases), 4) if scale is None else scale,
        "data": {
            "transitions": len(cases),
            "sets": {kind: sum(kinds[number] == kind for number in used) for kind in sorted(set(kinds))},
            "djs": len(np.unique(djs)),
            "most_transitions_of_one_dj_that_count": DJ_AT_MOST,
        },
        "metrics": {
            "chance": round(float(np.average(-np.log(cases.sizes), weights=importance)), 4),
            "fitted": round(fit.log_likelihood, 4),
            "fitted on other DJs": round(float(np.average(log_likelihoods(choices, values), weights=importance)), 4),
        },
        "terms": terms_of_use,
        "date": date.today().isoformat(),
    }


def train_dj_style(sets: Path, output: Path, name: str = "dj") -> dict[str, Any]:
    """Fit a style to DJs' sets and write its card.

    Parameters
    ----------
    sets : Path
        As for `disco evaluate dj`.
    output : Path
        The card, `NAME.json`.
    name : str

    Raises
    ------
    DataError
        If the file shows no choice.
    """
    read = read_sets(sets)
    cases = cases_of(read)
    if not len(cases):
        raise DataError(sets, "shows no choice: no set has three tracks in a row with known keys and tempos")
    card = fit_style(name, read, cases, TERMS_OF_SETS)
    write_card(card, output)
    return card


def weights_among_many(read: DjSets, catalogue: Catalogue | None) -> dict[str, Any]:
    """Weights that find a DJ's next track among many, for `among_many` of the card of the shipped style.

    Parameters
    ----------
    read : DjSets
    catalogue : Catalogue, optional
        Without one there are weights for the DJs' collections alone.

    Returns
    -------
    dict
        By pool, by what is known (`sound`, `sound and music`), by term: `weight` in nats, and its standard `error`.
    """
    pools, known = many_pools(read, catalogue)
    found: dict[str, Any] = {}
    for drawn in pools:
        terms = many_terms(drawn, known, style_values(set_tracks(drawn.tracks), drawn.cases))
        found[drawn.name] = {}
        for name, names in (("sound", SOUND_TERMS), ("sound and music", MANY_TERMS)):
            fit = fit_many(terms, names, read, drawn.cases)
            numbers = zip(names, fit.weights, fit.errors, strict=True)
            found[drawn.name][name] = {
                term: {"weight": round(float(weight), 4), "error": round(float(error), 4)}
                for term, weight, error in numbers
            }
    return found


def train_listener_style(
    playlists: Path, catalogue: Catalogue, output: Path, most: int = 1000, seed: int = 0, name: str = LISTENER
) -> dict[str, Any]:
    """Fit a style to playlists that listeners put in their order, and write its card.

    A nat counts as much as in the shipped style of DJs, so keys and tempos count as little as listeners heed them.

    Parameters
    ----------
    playlists : Path
        As `disco prepare` writes them; those of the training split are used.
    catalogue : Catalogue
        Has the keys and tempos of their tracks.
    output : Path
    most : int
        At most so many playlists, sampled.
    seed : int
    name : str
    """
    entries = entries_of(playlists, "train")
    found = playlist_tables.sequences(entries, catalogue, _SHORTEST)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(found))[:most])
    # A window of a long playlist: what came a hundred tracks later was hardly a choice.
    parts = [found[i][:_LONGEST] for i in chosen]
    tracks = catalogue.take(np.concatenate(parts))
    sets, first = [], 0
    for number, rows in enumerate(parts):
        here = np.arange(first, first + len(rows))
        sets.append(DjSet(str(number), "playlist", str(number), here, np.arange(len(rows))))
        first += len(rows)
    read = DjSets(tracks, sets, {})
    card = fit_style(name, read, cases_of(read), TERMS_OF_PLAYLISTS, read_card(CARDS / f"{DJ}.json")["scale"])
    write_card(card, output)
    return card


def _merged(fit: Fit) -> NDArray[np.float64]:
    """Which terms share a weight, shape (terms, terms): moves up and down whose weights may as well be the same.

    They may if they differ by less than two standard errors. A style in which all directions are alike costs the same
    forwards and backwards, and orders are then found in a fraction of the time.
    """
    merged, weights, errors = np.eye(len(_FITTED)), fit.weights, fit.errors
    for term in (name for name in KEY_TERMS if name.endswith(" up")):
        up, down = _FITTED.index(term), _FITTED.index(term.replace(" up", " down"))
        if abs(weights[up] - weights[down]) < 2 * np.hypot(errors[up], errors[down]):
            merged[down, up], merged[down, down] = 1, 0
    rises = _FITTED.index("tempo rises")
    if abs(weights[rises]) < 2 * errors[rises]:
        merged[rises, rises] = 0
    return merged


def write_card(card: dict[str, Any], output: Path) -> None:
    """Write the card of a style."""
    output.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(output, json.dumps(card, indent=2) + "\n")


def _scale(choices: Choices, weights: NDArray[np.float64], read: DjSets, cases: Cases) -> float:
    """Factor by which the values of options vary as much as K + T of the published DISCO."""
    tracks = join_tracks(read.tracks)
    last = np.repeat(cases.last, cases.sizes)
    k = key_rule().padded[tracks.key[last], tracks.key[cases.options]]
    t = np.cos(2 * np.pi * np.log2(tracks.tempo[cases.options] / tracks.tempo[last]))
    spread = float((choices.terms @ weights).std())
    return float((k + t).std()) / spread if spread > 0 else 1.0
