"""Fit the user's own style: what keys and tempos are worth in the sets that someone really played.

*Method.* The conditional logit of the shipped style `dj`, whose weights are what is expected before anything is
known of the user: few sets change them a little, many a lot (`choice_fit.fit_choices`). *Held out.* Each set is
predicted with weights that were fitted on the other sets, ten parts in all. A style that predicts held-out sets
worse than `dj` does is not kept: what was read is then no order of a set, such as a crate or a list sorted by name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue
from disco.catalogue.key_names import parse_key
from disco.catalogue.same_recording import Recordings
from disco.errors import DiscoError
from disco.evaluation import metrics
from disco.evaluation.dj_costs import published, set_tracks
from disco.evaluation.dj_ranks import choices_of, ranks
from disco.evaluation.dj_sets import Cases, DjSet, DjSets, cases_of
from disco.playlist import styles
from disco.playlist.choice_fit import Choices, fit_choices, held_out, log_likelihoods
from disco.playlist.joins import TEMPO_TERMS
from disco.playlist.key_moves import KEY_TERMS
from disco.sources import storage
from disco.sources.plays import PlayedSet
from disco.sources.tracklist import Entry

MINE = "mine"
FITTED = (*KEY_TERMS, *TEMPO_TERMS)
# Measured on sets of four DJs, each with a style `dj` that was fitted without him: from 40 transitions on the live
# sets left out were never predicted worse than by `dj`; from 10 they were in every fourth of the samples.
LEAST_TRANSITIONS = 40
# As if each weight were known to lie within 0.3 of the shipped one (10 is 1 / 0.3 squared): of 1, 3, 10 and 30 the
# best for 20 to 320 transitions, and as good as any for 640.
PENALTY = 10.0
# Transitions of a part of a set, where there is but one set to hold out from.
_PART = 10

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Learned:
    """What was learned from sets.

    Attributes
    ----------
    card : dict
        As `styles.read_card` reads it: `weights`, `scale`, `data`, and `metrics` on held-out sets.
    better : bool
        Whether held-out sets are predicted at least as well as by the shipped style.
    """

    card: dict[str, Any]
    better: bool


def learn_style(sets: Sequence[PlayedSet], catalogue: Catalogue | None = None, seed: int = 0) -> Learned:
    """Fit the style of sets, and measure it on sets left out of the fit.

    Parameters
    ----------
    sets : sequence of PlayedSet
    catalogue : Catalogue, optional
        Has keys and tempos of tracks where the histories have none.
    seed : int
        Of the bootstrap for the interval.

    Returns
    -------
    Learned

    Raises
    ------
    DiscoError
        If too few transitions have known keys and tempos, with the number that is needed.
    """
    read = dj_sets(sets, catalogue)
    cases = cases_of(read)
    if len(cases) < LEAST_TRANSITIONS:
        joins = sum(len(one) - 1 for one in sets)
        raise DiscoError(
            f"a style is learned from {LEAST_TRANSITIONS} transitions or more in which the keys and tempos of both "
            f"tracks are known and others were to come; of the {joins:,} transitions here {len(cases):,} are such"
            + ("; name your tracks with --catalogue" if catalogue is None and _lacks_values(read.tracks) else "")
        )
    tracks = set_tracks(read.tracks)
    choices = choices_of(tracks.joins, cases, FITTED)
    shipped = styles.read_card(styles.CARDS / f"{styles.DJ}.json")
    around = np.array([shipped["weights"].get(term, {"weight": 0.0})["weight"] for term in FITTED])
    fit = fit_choices(choices, penalty=PENALTY, around=around)
    groups = _groups(cases)
    values = {
        MINE: (choices.terms * held_out(choices, groups, penalty=PENALTY, around=around)[choices.choice]).sum(axis=1),
        styles.DJ: choices.terms @ around,
        styles.PUBLISHED: -published(tracks, cases),
        "chance": np.zeros(len(cases.options)),
    }
    found = {name: _measures(choices, of) for name, of in values.items()}
    difference = ranks(-values[MINE], cases.sizes).hit_1 - ranks(-values[styles.DJ], cases.sizes).hit_1
    low, high = metrics.bootstrap_interval(difference, groups, seed=seed)
    gain = {"hit@1": round(float(difference.mean()), 4), "interval": [round(low, 4), round(high, 4)]}
    likelihoods = (log_likelihoods(choices, values[name]).mean() for name in (MINE, styles.DJ))
    mine, theirs = likelihoods
    card = {
        "format": styles.FORMAT,
        "name": MINE,
        "kind": "style",
        "weights": {
            term: {"weight": round(float(weight), 4), "error": round(float(error), 4)}
            for term, weight, error in zip(FITTED, fit.weights, fit.errors, strict=True)
        },
        "scale": shipped["scale"],
        "data": {
            "transitions": len(cases),
            "sets": len(np.unique(cases.number)),
            "plays": len(read.tracks),
        },
        "metrics": {"held_out": found, "gain": gain},
        "terms": "fitted to what you played; yours alone",
        "date": date.today().isoformat(),
    }
    return Learned(card, bool(mine >= theirs))


def dj_sets(sets: Sequence[PlayedSet], catalogue: Catalogue | None = None) -> DjSets:
    """Sets as the fit reads them: every play is a track of its own, completed from the catalogue.

    Examples
    --------
    >>> from disco.sources.plays import Play
    >>> from disco.sources.tracklist import Entry
    >>> one = PlayedSet("Friday", [Play(Entry(title="Night Bus", artist="Mira Vale", key="8A"))])
    >>> songs = Catalogue.from_tracks([{"track_id": "a", "title": "Night Bus", "artists": ["Mira Vale"],
    ...                                 "key": 0, "mode": 1, "tempo_bpm": 122}])
    >>> track = dj_sets([one], songs).tracks.table.to_pylist()[0]
    >>> track["key"], track["mode"], track["tempo_bpm"]
    (9, 0, 122.0)
    """
    plays = [play for one in sets for play in one.plays]
    known = _known([play.entry for play in plays], catalogue)
    rows = [
        _row(str(number), play.entry, other) for number, (play, other) in enumerate(zip(plays, known, strict=True))
    ]
    made, first = [], 0
    for one in sets:
        here = np.arange(first, first + len(one))
        made.append(DjSet(one.name, "live", "you", here, np.arange(len(one))))
        first += len(one)
    return DjSets(Catalogue.from_tracks(rows, "what you played"), made, {})


def keep(card: dict[str, Any]) -> Path:
    """Write the card where `--style mine` finds it, readable by the user alone.

    Raises
    ------
    DataError
        If it cannot be written.
    """
    path = user_file()
    storage.write_atomic(path, json.dumps(card, indent=2) + "\n", private=True)
    return path


def forget() -> bool:
    """Remove the user's style; whether there was one."""
    return storage.remove(user_file())


def user_file() -> Path:
    """The card of the user's own style."""
    return styles.own_styles() / f"{MINE}.json"


def _known(played: Sequence[Entry], catalogue: Catalogue | None) -> list[dict[str, Any]]:
    """What a catalogue has of each entry; empty where it is unmatched."""
    if catalogue is None:
        return [{} for _ in played]
    found = Recordings.of(catalogue).find(
        ids=[entry.id for entry in played],
        paths=[entry.path for entry in played],
        titles=[entry.title for entry in played],
        artists=[entry.artist for entry in played],
        durations_ms=[entry.duration_ms for entry in played],
    )
    tracks = iter(catalogue.tracks(found[found >= 0]))
    return [next(tracks) if row >= 0 else {} for row in found.tolist()]


def _row(track_id: str, entry: Entry, other: dict[str, Any]) -> dict[str, Any]:
    """An entry as a row of a catalogue; what it does not say is from the catalogue's track."""
    key = parse_key(entry.key) if isinstance(entry.key, str) else entry.key
    if key is None and other.get("key") is not None and other.get("mode") is not None:
        key = (other["key"], other["mode"])
    genres = [part for part in [entry.genre] if part]
    return {
        "track_id": track_id,
        "title": entry.title or entry.text or entry.path or other.get("title"),
        "artists": [entry.artist] if entry.artist else other.get("artists"),
        "genres": genres or other.get("genres"),
        "tempo_bpm": entry.tempo_bpm or other.get("tempo_bpm"),
        "key": None if key is None else key[0],
        "mode": None if key is None else key[1],
    }


def _lacks_values(tracks: Catalogue) -> bool:
    """Whether a key or a tempo is unknown."""
    return bool(np.isnan(tracks.numbers("key")).any() or np.isnan(tracks.tempos).any())


def _groups(cases: Cases) -> NDArray[np.intp]:
    """What is left out as a whole: sets, or parts of the only one."""
    if len(np.unique(cases.number)) > 1:
        return cases.number
    return np.arange(len(cases)) // _PART


def _measures(choices: Choices, values: Values) -> dict[str, float]:
    found = ranks(-values, choices.sizes)
    return {
        "hit@1": round(float(found.hit_1.mean()), 4),
        "mrr": round(float(found.reciprocal.mean()), 4),
        "log_likelihood": round(float(log_likelihoods(choices, values).mean()), 4),
    }
