"""Playlist: tracks in an order, and why they stand in it. `generate` makes one in the four steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np

from disco.catalogue import Catalogue, Filters, Floats, Rows
from disco.errors import DiscoError
from disco.music import camelot
from disco.predict import PREDICTORS, Predictor, load_predictor
from disco.recommend import DEFAULT, Query, Recommender, load_recommender
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
    recommender: str | Recommender = DEFAULT,
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
        Tracks to begin with; there may be none if the recommender reads titles, or needs neither. Then the best
        candidate comes first.
    length : int
        Tracks to add after the seeds.
    minutes : float, optional
        Instead of a length: add tracks until the whole comes as near as it can to so many minutes.
    candidates : int
        Tracks to choose from.
    artist_gap : int
        Tracks between two by one artist: 1 means none in a row, 0 the published behaviour.
    title : str
        Name of the playlist; recommenders that read titles hear it too.

    Raises
    ------
    DiscoError
        If no track can follow the seeds, with the reason.
    """
    seeds = np.array(list(dict.fromkeys(int(row) for row in seeds)), dtype=np.intp)
    if length < 0 or candidates < 1 or (minutes is not None and not 0 < minutes < math.inf):
        raise DiscoError("a playlist needs a length of 0 or more (or minutes above 0), and a candidate")
    if not len(seeds) and (length == 0 or not title.strip()):
        raise DiscoError("a playlist needs a seed, or a title and a length above 0")
    # 1 candidates
    playable = catalogue.measured & catalogue.named
    recommend = load_recommender(recommender, catalogue) if isinstance(recommender, str) else recommender
    query = Query(seeds, title, playable & filters.mask(catalogue))
    found = recommend.recommend(query, candidates)
    if not len(found.rows):
        raise DiscoError(_why_nothing(catalogue, filters, recommend, query))
    first = seeds if len(seeds) else found.rows[:1]
    added = length - (len(first) - len(seeds))
    # From here on there are only these and the other candidates, the latter in the catalogue's order: 0, 1, 2, ...
    few = catalogue.take(np.r_[first, np.setdiff1d(found.rows, first)])
    start, pool = np.arange(len(first)), np.arange(len(first), len(few))
    # 2 predict, 3 choose, 4 step on: the sequencer asks the cost, the cost asks the predictor
    model = load_predictor(predictor) if isinstance(predictor, str) else predictor
    cost, rules = Flow(few, model, knobs, model.embed(few)), Rules(few, artist_gap)
    sequence = choose(SEQUENCERS, sequencer, "sequencer")
    if minutes is None:
        path = sequence(start, pool, added, cost, rules)
    else:
        path, added = _of_minutes(few, minutes, len(first), lambda n: sequence(start, pool, n, cost, rules))
    tracks = few.take(path)
    notes = []
    if unplayable := int(len(catalogue) - playable.sum()):
        notes.append(f"{unplayable:,} of {len(catalogue):,} tracks skipped: no title, artist or all eight features")
    if len(path) < len(first) + added:
        notes.append(
            f"only {len(path) - len(seeds)} of {len(first) + added - len(seeds)} tracks could be added: the rules "
            f"leave none of the {len(pool)} candidates; allow more with --candidates, --artist-gap 0 or fewer filters"
        )
    return Playlist(
        name=title or f"From {tracks.table['title'][0].as_py() or tracks.table['track_id'][0].as_py()}",
        tracks=tracks,
        seeds=len(seeds),
        knobs=knobs,
        catalogue={"where": catalogue.where, "tracks": len(catalogue)},
        predictor=model.name,
        recommender=recommend.name,
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


def _why_nothing(catalogue: Catalogue, filters: Filters, recommender: Recommender, query: Query) -> str:
    if not catalogue.measured.any():
        return f"{catalogue.where}: no track has all eight features (acousticness ... valence), so none can be chosen"
    if not filters.mask(catalogue).any():
        return "the filters leave no track; loosen --only, --exclude, --bpm, --duration or --no-explicit"
    if not len(recommender.recommend(Query(query.seeds, query.title), 1).rows):
        return unanswered(recommender, query)
    return "no other track with a title, an artist and the eight features is left to choose from"


def unanswered(recommender: Recommender, query: Query) -> str:
    """Why a recommender has no candidate for a query, and what to do."""
    if len(query.seeds):
        return f"{recommender.name} knows none of the seeds; name others, or another --recommender"
    if not recommender.reads_titles:
        return f"{recommender.name} reads no titles; name seeds, or a --recommender that reads them"
    return f"{recommender.name} can say nothing of the title alone; name seeds, or another title"


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or math.isnan(value) else round(value, digits)
