"""Playlist: tracks in an order, and why they stand in it. `generate` makes one in the four steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np

from disco.catalogue import Catalogue, Filters, Floats, Rows
from disco.errors import DiscoError
from disco.model import scaled_features, scaler
from disco.music import camelot
from disco.predict import PREDICTORS, Predictor, load_predictor
from disco.recommend import RECOMMENDERS, Query
from disco.sequence import SEQUENCERS, Rules
from disco.transition import Flow, Knobs

# A track whose duration nobody knows counts as this long, the median of 380,000 tracks.
_USUAL_SECONDS = 215.0


Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Playlist:
    """Tracks in playing order with the terms of every join.

    Attributes
    ----------
    name : str
    tracks : Catalogue
        The tracks alone, in playing order.
    seeds : int
        How many of the first tracks were given.
    knobs : Knobs
    catalogue : dict
        `where` the tracks are from, and how many `tracks` there are.
    predictor, recommender, sequencer : str
        Names of what made it.
    terms : dict of ndarray, shape (n - 1,)
        Of each join: `cost`, `distance`, `key_similarity`, `tempo_similarity`, and `tempo_change` in per
        cent with half and double time folded; NaN where unknown.
    notes : tuple of str
        What its maker should tell the listener, in sentences.
    """

    name: str
    tracks: Catalogue
    seeds: int
    knobs: Knobs
    catalogue: dict[str, Any]
    predictor: str
    recommender: str
    sequencer: str
    terms: dict[str, Floats]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.tracks)

    def as_dict(self) -> dict[str, Any]:
        """The playlist as one JSON object; `join` tells how a track follows the one before it."""
        return {
            "name": self.name,
            "knobs": asdict(self.knobs),
            "catalogue": self.catalogue,
            "predictor": self.predictor,
            "recommender": self.recommender,
            "sequencer": self.sequencer,
            "tracks": [
                {
                    "position": i + 1,
                    "seed": i < self.seeds,
                    "id": track["track_id"],
                    "title": track["title"],
                    "artist": ", ".join(track["artists"] or []) or None,
                    "camelot": key_name(track),
                    "key": track["key"],
                    "mode": track["mode"],
                    "tempo_bpm": _rounded(track["tempo_bpm"], 2),
                    "duration_ms": track["duration_ms"],
                    "join": self._join(i) if i else None,
                }
                for i, track in enumerate(self.tracks.table.to_pylist())
            ],
        }

    def _join(self, i: int) -> dict[str, float | None]:
        names = ("cost", "distance", "key_similarity", "tempo_similarity")
        return {name: _rounded(float(self.terms[name][i - 1]), 4) for name in names}


def key_name(track: dict[str, Any]) -> str | None:
    """Camelot name of a track's key, None where unknown."""
    known = track["key"] is not None and track["mode"] is not None
    return camelot(track["key"], track["mode"]) if known else None


def generate(
    catalogue: Catalogue,
    seeds: Rows,
    *,
    length: int = 10,
    minutes: float | None = None,
    candidates: int = 400,
    knobs: Knobs = Knobs(),  # noqa: B008 - frozen
    predictor: str | Predictor = PREDICTORS[0],
    recommender: str = "nearest",
    sequencer: str = "greedy",
    filters: Filters = Filters(),  # noqa: B008 - frozen
    artist_gap: int = 1,
    title: str = "",
) -> Playlist:
    """Make a playlist that begins with the seeds and flows on from them.

    Parameters
    ----------
    catalogue : Catalogue
    seeds : ndarray of rows
        Tracks to begin with, at least one.
    length : int
        Tracks to add after the seeds.
    minutes : float, optional
        Instead of a length: add tracks until the whole comes as near as it can to so many minutes.
    candidates : int
        Tracks to choose from.
    artist_gap : int
        Tracks between two by one artist: 1 means none in a row, 0 the published behaviour.

    Raises
    ------
    DiscoError
        If no track can follow the seeds, with the reason.
    """
    seeds = np.array(list(dict.fromkeys(int(row) for row in seeds)), dtype=np.intp)
    if not len(seeds) or length < 0 or candidates < 1 or (minutes is not None and not 0 < minutes < math.inf):
        raise DiscoError("a playlist needs a seed, a length of 0 or more (or minutes above 0), and a candidate")
    # 1 candidates
    playable = catalogue.measured & catalogue.named
    recommend = choose(RECOMMENDERS, recommender, "recommender")(scaled_features(catalogue, scaler())).recommend
    found = recommend(Query(seeds, title, playable & filters.mask(catalogue)), candidates)
    if not len(found.rows):
        raise DiscoError(_why_nothing(catalogue, filters))
    # From here on there are only the seeds and the candidates, the latter in the catalogue's order: 0, 1, 2, ...
    few = catalogue.take(np.r_[seeds, np.sort(found.rows)])
    start, pool = np.arange(len(seeds)), np.arange(len(seeds), len(few))
    # 2 predict, 3 choose, 4 step on: the sequencer asks the cost, the cost asks the predictor
    model = load_predictor(predictor) if isinstance(predictor, str) else predictor
    cost, rules = Flow(few, model, knobs, model.embed(few)), Rules(few, artist_gap)
    sequence = choose(SEQUENCERS, sequencer, "sequencer")
    if minutes is None:
        path = sequence(start, pool, length, cost, rules)
    else:
        path, length = _of_minutes(few, minutes, len(seeds), lambda n: sequence(start, pool, n, cost, rules))
    tracks = few.take(path)
    notes = []
    if unplayable := int(len(catalogue) - playable.sum()):
        notes.append(f"{unplayable:,} of {len(catalogue):,} tracks skipped: no title, artist or all eight features")
    if len(path) < len(seeds) + length:
        notes.append(
            f"only {len(path) - len(seeds)} of {length} tracks could be added: the rules leave none of the "
            f"{len(pool)} candidates; allow more with --candidates, --artist-gap 0 or fewer filters"
        )
    return Playlist(
        name=title or f"From {tracks.table['title'][0].as_py() or tracks.table['track_id'][0].as_py()}",
        tracks=tracks,
        seeds=len(seeds),
        knobs=knobs,
        catalogue={"where": catalogue.where, "tracks": len(catalogue)},
        predictor=model.name,
        recommender=recommender,
        sequencer=sequencer,
        terms=cost.terms(path),
        notes=tuple(notes),
    )


def choose(choices: dict[str, Choice], name: str, what: str) -> Choice:
    """One of several by its name; a wrong name is told which there are."""
    if name not in choices:
        raise DiscoError(f"there is no {what} {name!r}; there are: {', '.join(choices)}")
    return choices[name]


def _of_minutes(
    catalogue: Catalogue, minutes: float, seeds: int, sequence: Callable[[int], Rows]
) -> tuple[Rows, int]:
    """The path whose duration is nearest to so many minutes, and how many tracks it adds to the seeds."""
    length = max(1, math.ceil(minutes * 60 / _USUAL_SECONDS))
    while True:
        path = sequence(length)
        seconds = np.nan_to_num(catalogue.numbers("duration_ms")[path] / 1000, nan=_USUAL_SECONDS)
        total = np.cumsum(seconds)
        if total[-1] >= minutes * 60 or len(path) < seeds + length:
            break
        length *= 2
    if total[-1] < minutes * 60:
        return path, length
    end = max(seeds, int(np.argmin(np.abs(total - minutes * 60))) + 1)
    return path[:end], end - seeds


def _why_nothing(catalogue: Catalogue, filters: Filters) -> str:
    if not catalogue.measured.any():
        return f"{catalogue.where}: no track has all eight features (acousticness ... valence), so none can be chosen"
    if not filters.mask(catalogue).any():
        return "the filters leave no track; loosen --only, --exclude, --bpm, --duration or --no-explicit"
    return "no other track with a title, an artist and the eight features is left to choose from"


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or math.isnan(value) else round(value, digits)
