"""An order that somebody has, explained: its transitions graded, and what would better the worst of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Rows
from disco.models.predictors import Predictor, load_predictor
from disco.playlist.cost import Knobs, PairwiseCost
from disco.playlist.mixing import TEMPO_PENALTY, Mixing
from disco.playlist.playlist import Playlist
from disco.playlist.reorder import KNOBS, Given, Ordered, reorder
from disco.playlist.sequence import Budget, Rules
from disco.playlist.sequence.order import MOST
from disco.playlist.transition_grades import (
    DistanceQuantiles,
    Grades,
    distance_quantiles,
    grade_transitions,
    issues,
    worst_transitions,
)

Costs = NDArray[np.float64]
# Less is no betterment, but rounding.
_LITTLE = 0.01
# The cheapest tracks that are looked at for one that the rules allow.
_LOOKED_AT = 200
# Disturbances that the order is searched with: it shows what there is to gain, `disco order` looks for longer.
_MOVES = 200


@dataclass(frozen=True)
class Suggestion:
    """One change that betters a transition.

    Attributes
    ----------
    kind : str
        `bring` a track of the list between the two; `move` one of the two to another place; `replace` one of the two
        by a track of the catalogue; `bridge` them with one.
    track : dict
        The track that is brought, moved or put in, by the names of the schema.
    place : int
        Where it stands (`bring`, `move`), or the one that it replaces, from 0; of a bridge, the place before it.
    to : int
        The place after which it comes, from 0; -1 is before all.
    saves : float
        By how much the list costs less; of a bridge, by how much the costliest transition there does.
    leaps : int
        How many transitions fewer change the tempo by more than was allowed.
    """

    kind: str
    track: dict[str, Any]
    place: int
    to: int
    saves: float
    leaps: int = 0


class Issue(NamedTuple):
    """A bad transition: between which places, from 0, what is wrong in words, and what would better it."""

    place: int
    wrong: list[str]
    better: list[Suggestion]


@dataclass(frozen=True)
class Explanation:
    """An order, and what there is to say of it.

    Attributes
    ----------
    playlist : Playlist
        The list as it is; a track that stands in it twice is there twice.
    grades : Grades
    spread : Spread
        By which the sound was graded.
    worst : tuple of Fault
        Of transitions that are not good, the worst first.
    ordered : Ordered, optional
        What `disco order` would make of it; None where the tracks are too many.
    ordered_grades : Grades, optional
    """

    playlist: Playlist
    grades: Grades
    spread: DistanceQuantiles
    worst: tuple[Issue, ...]
    ordered: Ordered | None
    ordered_grades: Grades | None


def explain(
    given: Given,
    catalogue: Catalogue,
    *,
    knobs: Knobs = KNOBS,
    predictor: str | Predictor = "mean",
    mixing: Mixing = Mixing(),  # noqa: B008 - frozen
    artist_gap: int = 1,
    budget: Budget | None = None,
) -> Explanation:
    """Grade the transitions of a list in its order, and look for what would better it.

    Parameters
    ----------
    given : Given
        The list.
    catalogue : Catalogue
        Where other tracks may be taken from, and what says how far apart tracks are.
    budget : Budget, optional
        How long to look for the best order.
    """
    model = load_predictor(predictor) if isinstance(predictor, str) else predictor
    here = pc.is_in(catalogue.table["track_id"], value_set=given.tracks.table["track_id"].combine_chunks())
    tables = pa.concat_tables([given.tracks.table, catalogue.table.filter(pc.invert(here))])
    everything = Catalogue(tables, catalogue.where)
    embeddings = model.embed(everything)
    cost, apart, path = (
        PairwiseCost(everything, knobs, embeddings, mixing),
        distance_quantiles(embeddings),
        given.path,
    )
    playlist = Playlist(
        name=given.title or "As it is",
        tracks=everything.take(path),
        seeds=0,
        knobs=knobs,
        catalogue={"where": catalogue.where, "tracks": len(catalogue)},
        predictor=model.name,
        recommender="none",
        sequencer="as it is",
        terms=cost.terms(path),
        notes=tuple(_notes(given, artist_gap)),
        mixing=mixing,
    )
    grades = grade_transitions(playlist, apart)
    better = _SuggestionFinder(everything, path, len(given.tracks), cost, Rules(everything, artist_gap))
    faults = [Issue(i, issues(playlist, grades, apart, i), better.of(i)) for i in worst_transitions(playlist, grades)]
    ordered = None
    if len(given.tracks) - len(given.unmatched) <= MOST:
        ordered = reorder(
            given,
            knobs=knobs,
            predictor=model,
            mixing=mixing,
            artist_gap=artist_gap,
            budget=budget or Budget(iterations=_MOVES),
        )
    return Explanation(
        playlist,
        grades,
        apart,
        tuple(faults),
        ordered,
        None if ordered is None else grade_transitions(ordered.playlist, apart),
    )


def _notes(given: Given, artist_gap: int) -> list[str]:
    path, tracks = given.path, given.tracks
    notes = []
    if len(given.unmatched):
        notes.append(
            f"{len(given.unmatched)} of {len(path):,} tracks are not in {tracks.where}: nothing is known of them"
        )
    if twice := len(path) - len(np.unique(path)):
        notes.append(f"{twice} tracks stand in the list more than once; `disco order` plays each once")
    if len(path) - twice - len(given.unmatched) > MOST:
        notes.append(f"{MOST:,} tracks are the most to order at once, so what an order would gain is not said")
    shared = Rules(tracks, artist_gap).clashes(path) if len(path) <= MOST else np.zeros((1, 1), dtype=bool)
    if near := sum(int(np.diagonal(shared, gap).sum()) for gap in range(1, artist_gap + 1)):
        notes.append(f"{near} tracks follow one by the same artist sooner than with --artist-gap {artist_gap}")
    return notes


class _Change(NamedTuple):
    """A change to a path, as `Advice` says it; `saves` counts what a forbidden change of tempo adds."""

    saves: float
    kind: str
    row: int
    place: int
    to: int


class _SuggestionFinder:
    """Looks for changes to a path: rows below `n` are the list's, the others the catalogue's."""

    def __init__(self, tracks: Catalogue, path: Rows, n: int, cost: PairwiseCost, rules: Rules) -> None:
        self._tracks, self._path, self._cost, self._rules = tracks, path, cost, rules
        self._versions = Rules(tracks, artist_gap=0)
        # Of what does not sound like anything known, a small cost says nothing.
        heard = (
            tracks.has_comparable_features
            if tracks.has_comparable_features[path].any()
            else np.ones(len(tracks), dtype=bool)
        )
        self._others = n + np.flatnonzero((heard & tracks.has_title_and_artist)[n:])
        self._known, self._heard = heard, heard[path]
        self._terms = self._between(path[:-1], path[1:])

    def of(self, i: int) -> list[Suggestion]:
        """The best changes for the transition from position i to i + 1, within the list and from the catalogue."""
        within = max(filter(None, (self._bring(i), self._move(i), self._move(i + 1))), default=None)
        put_in = max(filter(None, (self._replace(i), self._replace(i + 1))), default=None)
        return [self._advice(change) for change in (within, put_in, self._bridge(i)) if change is not None]

    def _between(self, a: Rows, b: Rows) -> Costs:
        """What transitions from rows to rows cost when they are chosen among, shape (n,)."""
        a, b = np.broadcast_arrays(a, b)
        costs = self._cost.terms(np.stack([a, b], axis=-1).ravel())["cost"][::2].astype(float)
        tempos = self._tracks.tempos
        return np.asarray(costs + TEMPO_PENALTY * self._cost.mixing.large_tempo_jumps(tempos[a], tempos[b]))

    def _bring(self, i: int) -> _Change | None:
        """The track of the list that stands best between the two."""
        path = self._path
        saves = self._without() + self._terms[i] - self._between(path[[i]], path) - self._between(path, path[[i + 1]])
        saves = np.where(self._heard, saves, -np.inf)
        saves[[i, i + 1]] = -np.inf
        return self._first(saves, lambda k: _Change(float(saves[k]), "bring", int(path[k]), k, i))

    def _move(self, place: int) -> _Change | None:
        """The best other place for a track of the list."""
        path, rest = self._path, np.delete(self._path, place)
        if not self._heard[place] or len(rest) < 2:
            return None
        row = path[[place]]
        more = np.r_[0, self._between(rest, row)] + np.r_[self._between(row, rest), 0]
        more[1:-1] -= self._between(rest[:-1], rest[1:])
        saves = more[place] - more
        # After k of the rest, of which those behind its place stand one further in the list.
        return self._first(
            saves, lambda k: _Change(float(saves[k]), "move", int(row[0]), place, k - 1 if k <= place else k)
        )

    def _replace(self, place: int) -> _Change | None:
        """The track of the catalogue that stands best in the stead of one of the list."""
        path, rows = self._path, self._others
        saves = np.full(len(rows), self._terms[max(place - 1, 0) : place + 1].sum())
        if place:
            saves -= self._between(path[[place - 1]], rows)
        if place + 1 < len(path):
            saves -= self._between(rows, path[[place + 1]])
        return self._first(saves, lambda k: _Change(float(saves[k]), "replace", int(rows[k]), place, place - 1))

    def _bridge(self, i: int) -> _Change | None:
        """The track of the catalogue that makes one bad transition into two better ones."""
        path, rows = self._path, self._others
        costliest = np.maximum(self._between(path[[i]], rows), self._between(rows, path[[i + 1]]))
        saves = self._terms[i] - costliest
        return self._first(saves, lambda k: _Change(float(saves[k]), "bridge", int(rows[k]), i, i))

    def _without(self) -> Costs:
        """What the list costs less when a track is taken out, shape (n,)."""
        path = self._path
        gone = np.r_[0, self._terms] + np.r_[self._terms, 0]
        gone[1:-1] -= self._between(path[:-2], path[2:])
        return np.asarray(gone)

    def _first(self, saves: Costs, change: Callable[[int], _Change]) -> _Change | None:
        """The change that saves most of those that the rules allow; None where none saves anything."""
        if not len(saves):
            return None
        few = min(_LOOKED_AT, len(saves))
        some = np.argpartition(-saves, few - 1)[:few]
        for k in some[np.lexsort((some, -saves[some]))].tolist():
            if saves[k] < _LITTLE:
                break
            if self._allowed(change(k)):
                return change(k)
        return None

    def _allowed(self, change: _Change) -> bool:
        """Whether a change puts no track beside itself, another version or, too near, one by the same artist."""
        path, at = self._changed(change)
        rules, reach = self._rules, max(self._rules.artist_gap, 1)
        around = [*path[max(at - reach, 0) : at].tolist(), *path[at + 1 : at + 1 + reach].tolist()]
        if change.row in around:
            return False
        if rules.artist_gap and any(rules.artists(change.row) & rules.artists(row) for row in around):
            return False
        if change.kind == "move" and self._known[path[max(at - 1, 0) : at + 2]].sum() < 2:
            return False  # among tracks that nothing is known of it would cost little, and flow no better
        return change.kind in ("bring", "move") or self._versions(np.delete(path, at).tolist(), change.row)

    def _changed(self, change: _Change) -> tuple[Rows, int]:
        """The path with a change made, and where its track stands then."""
        path, at = self._path, change.to + 1
        if change.kind != "bridge":
            path = np.delete(path, change.place)
            at -= change.place <= change.to
        return np.insert(path, at, change.row), at

    def _advice(self, change: _Change) -> Suggestion:
        path, at = self._changed(change)
        before, after = (self._cost.terms(rows)["cost"] for rows in (self._path, path))
        saves = before.sum() - after.sum()
        if change.kind == "bridge":
            saves = before[change.place] - after[at - 1 : at + 1].max()
        tempos = [self._tracks.tempos[rows] for rows in (self._path, path)]
        leaps = [int(self._cost.mixing.large_tempo_jumps(tempo[:-1], tempo[1:]).sum()) for tempo in tempos]
        track = self._tracks.tracks(np.array([change.row]))[0]
        return Suggestion(change.kind, track, change.place, change.to, float(saves), leaps[0] - leaps[1])
