"""The order of a playlist explained: graded transitions, and changes that would improve the worst of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Rows
from disco.catalogue.music import tempo_octaves
from disco.models.predictors import Predictor, load_predictor
from disco.playlist.cost import Knobs, PairwiseCost
from disco.playlist.matching import KNOBS
from disco.playlist.mixing import FOR_ORDERING, Mixing
from disco.playlist.playlist import Playlist
from disco.playlist.reorder import Reordered, distinct_tracks, reorder
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
# A smaller gain is rounding.
_LEAST_GAIN = 0.01
# The cheapest tracks that are tried for one that the rules allow.
_TRIED = 200
# Iterations of the search for the best order: enough to show what there is to gain; `disco order` searches longer.
_ITERATIONS = 200


@dataclass(frozen=True)
class Suggestion:
    """One change that improves a transition.

    Attributes
    ----------
    kind : str
        `bring` a track of the playlist between the two; `move` one of the two to another position; `replace` one of
        the two by a track of the catalogue; `bridge` them with one.
    track : dict
        The track that is brought, moved or put in, by the names of the schema.
    position : int
        Where it is now (`bring`, `move`), or the one that it replaces, from 0; of a bridge, the position before it.
    after : int
        The position after which it comes, from 0; -1 is before all.
    saves : float
        By how much the playlist costs less; of a bridge, by how much its costlier transition costs less than the one
        that it replaces.
    large_tempo_jumps : int
        How many transitions fewer exceed the allowed change of tempo.
    """

    kind: str
    track: dict[str, Any]
    position: int
    after: int
    saves: float
    large_tempo_jumps: int = 0


class Issue(NamedTuple):
    """A bad transition: the position it starts from, from 0, what is wrong in words, and what would improve it."""

    position: int
    problems: list[str]
    suggestions: list[Suggestion]


@dataclass(frozen=True)
class Explanation:
    """Grades of the transitions of a playlist, the worst of them, and what its best order would gain.

    Attributes
    ----------
    playlist : Playlist
        In the order that it has; a track that is in it twice is there twice.
    grades : Grades
        Of its transitions.
    quantiles : DistanceQuantiles
        Distances of random pairs of tracks, by which the sound was graded.
    worst : tuple of Issue
        Transitions that are not good, the worst first.
    reordered : Reordered, optional
        What `disco order` would make of it; None where the tracks are too many.
    reordered_grades : Grades, optional
        Of the transitions of `reordered`.
    """

    playlist: Playlist
    grades: Grades
    quantiles: DistanceQuantiles
    worst: tuple[Issue, ...]
    reordered: Reordered | None
    reordered_grades: Grades | None


def explain(
    playlist: Playlist,
    catalogue: Catalogue,
    *,
    knobs: Knobs = KNOBS,
    predictor: str | Predictor = "mean",
    mixing: Mixing = FOR_ORDERING,
    artist_gap: int = 1,
    budget: Budget | None = None,
) -> Explanation:
    """Grade the transitions of a playlist in its order, and look for changes that improve the worst.

    Parameters
    ----------
    playlist : Playlist
        From `match_tracklist`, or any other.
    catalogue : Catalogue
        Where other tracks may be taken from; its tracks also tell which distances are usual.
    knobs, predictor, mixing
        How transitions are judged, as for `reorder`.
    artist_gap : int
        Tracks between two by one artist.
    budget : Budget, optional
        How long to search for the best order.

    Returns
    -------
    Explanation

    Examples
    --------
    >>> import disco
    >>> from disco.playlist.matching import match_tracklist
    >>> from disco.sources.tracklist import Entry, Tracklist
    >>> catalogue = disco.open()
    >>> tracklist = Tracklist("Friday", [Entry(f"demo-0000{i}") for i in range(1, 7)])
    >>> found = explain(match_tracklist(tracklist, catalogue), catalogue)
    >>> sum(found.grades.counts().values())
    5
    """
    model = load_predictor(predictor) if isinstance(predictor, str) else predictor
    distinct, order = distinct_tracks(playlist)
    n, unmatched = len(distinct), np.unique(order[list(playlist.unmatched)])
    here = pc.is_in(catalogue.column("track_id"), value_set=distinct.column("track_id").combine_chunks())
    tables = pa.concat_tables([distinct.table, catalogue.table.filter(pc.invert(here))])
    everything = Catalogue(tables, catalogue.where)
    embeddings = model.embed(everything)
    cost, quantiles = PairwiseCost(everything, knobs, embeddings, mixing), distance_quantiles(embeddings)
    now = replace(
        playlist,
        name=playlist.name or "As it is",
        tracks=everything.take(order),
        knobs=knobs,
        predictor=model.name,
        terms=cost.terms(order),
        notes=(*playlist.notes, *_notes(distinct, order, len(unmatched), artist_gap)),
        mixing=mixing,
    )
    grades = grade_transitions(now, quantiles)
    finder = _SuggestionFinder(everything, order, n, cost, Rules(everything, artist_gap))
    worst = tuple(
        Issue(i, issues(now, grades, quantiles, i), finder.suggestions(i)) for i in worst_transitions(now, grades)
    )
    if n - len(unmatched) > MOST:
        return Explanation(now, grades, quantiles, worst, None, None)
    reordered = reorder(
        playlist,
        knobs=knobs,
        predictor=model,
        mixing=mixing,
        artist_gap=artist_gap,
        budget=budget or Budget(iterations=_ITERATIONS),
    )
    return Explanation(now, grades, quantiles, worst, reordered, grade_transitions(reordered, quantiles))


def _notes(distinct: Catalogue, order: Rows, unmatched: int, artist_gap: int) -> list[str]:
    notes = []
    if repeated := len(order) - len(distinct):
        notes.append(f"{repeated} tracks are in the playlist more than once; `disco order` plays each once")
    if len(distinct) - unmatched > MOST:
        notes.append(
            f"what an order would gain is not searched for among more than {MOST:,} tracks: use `disco order`"
        )
    rules = Rules(distinct, artist_gap)
    if len(order) <= MOST and (near := rules.violations(order)):
        notes.append(f"{near} tracks follow one by the same artist sooner than with --artist-gap {artist_gap}")
    return notes


class _Change(NamedTuple):
    """A change to an order, as in `Suggestion`; `saves` includes the penalty of large tempo jumps."""

    saves: float
    kind: str
    row: int
    position: int
    after: int


class _SuggestionFinder:
    """Looks for changes to an order; rows from `n` on are not in the playlist."""

    def __init__(self, tracks: Catalogue, path: Rows, n: int, cost: PairwiseCost, rules: Rules) -> None:
        self._tracks, self._path, self._cost, self._rules = tracks, path, cost, rules
        self._versions = Rules(tracks, artist_gap=0)
        # Without features a low cost says nothing about the sound.
        comparable = tracks.has_comparable_features
        if not comparable[path].any():
            comparable = np.ones(len(tracks), dtype=bool)
        self._others = n + np.flatnonzero((comparable & tracks.has_title_and_artist)[n:])
        self._comparable, self._path_comparable = comparable, comparable[path]
        self._costs = self._between(path[:-1], path[1:])

    def suggestions(self, i: int) -> list[Suggestion]:
        """The best changes for the transition from position i on, within the playlist and from the catalogue."""
        within = max(filter(None, (self._bring(i), self._move(i), self._move(i + 1))), default=None)
        put_in = max(filter(None, (self._replace(i), self._replace(i + 1))), default=None)
        return [self._suggestion(change) for change in (within, put_in, self._bridge(i)) if change is not None]

    def _between(self, a: Rows, b: Rows) -> Costs:
        """Cost of transitions from rows to rows, with the penalty of large tempo jumps, shape (n,)."""
        a, b = np.broadcast_arrays(a, b)
        costs = self._cost.terms(np.stack([a, b], axis=-1).ravel())["cost"][::2].astype(float)
        tempos = self._tracks.tempos
        mixing = self._cost.mixing
        return np.asarray(costs + mixing.tempo_penalties(np.abs(tempo_octaves(tempos[a], tempos[b], mixing.folds))))

    def _bring(self, i: int) -> _Change | None:
        """The best track of the playlist to put between the two."""
        path = self._path
        saves = self._without() + self._costs[i] - self._between(path[[i]], path) - self._between(path, path[[i + 1]])
        saves = np.where(self._path_comparable, saves, -np.inf)
        saves[[i, i + 1]] = -np.inf
        return self._first(saves, lambda k: _Change(float(saves[k]), "bring", int(path[k]), k, i))

    def _move(self, position: int) -> _Change | None:
        """The best other position for a track of the playlist."""
        path, rest = self._path, np.delete(self._path, position)
        if not self._path_comparable[position] or len(rest) < 2:
            return None
        row = path[[position]]
        more = np.r_[0, self._between(rest, row)] + np.r_[self._between(row, rest), 0]
        more[1:-1] -= self._between(rest[:-1], rest[1:])
        saves = more[position] - more
        # After k of the rest, of which those behind it are one position further on in the playlist.
        return self._first(
            saves, lambda k: _Change(float(saves[k]), "move", int(row[0]), position, k - 1 if k <= position else k)
        )

    def _replace(self, position: int) -> _Change | None:
        """The best track of the catalogue to replace one of the playlist."""
        path, rows = self._path, self._others
        saves = np.full(len(rows), self._costs[max(position - 1, 0) : position + 1].sum())
        if position:
            saves -= self._between(path[[position - 1]], rows)
        if position + 1 < len(path):
            saves -= self._between(rows, path[[position + 1]])
        return self._first(saves, lambda k: _Change(float(saves[k]), "replace", int(rows[k]), position, position - 1))

    def _bridge(self, i: int) -> _Change | None:
        """The best track of the catalogue to insert between the two."""
        path, rows = self._path, self._others
        costliest = np.maximum(self._between(path[[i]], rows), self._between(rows, path[[i + 1]]))
        saves = self._costs[i] - costliest
        return self._first(saves, lambda k: _Change(float(saves[k]), "bridge", int(rows[k]), i, i))

    def _without(self) -> Costs:
        """By how much the playlist costs less without each of its tracks, shape (n,)."""
        path = self._path
        gone = np.r_[0, self._costs] + np.r_[self._costs, 0]
        gone[1:-1] -= self._between(path[:-2], path[2:])
        return np.asarray(gone)

    def _first(self, saves: Costs, change: Callable[[int], _Change]) -> _Change | None:
        """The change that saves most among those that the rules allow; None if none saves anything."""
        if not len(saves):
            return None
        few = min(_TRIED, len(saves))
        some = np.argpartition(-saves, few - 1)[:few]
        for k in some[np.lexsort((some, -saves[some]))].tolist():
            if saves[k] < _LEAST_GAIN:
                break
            if self._allowed(change(k)):
                return change(k)
        return None

    def _allowed(self, change: _Change) -> bool:
        """Whether a change repeats no track or song and keeps the artist gap."""
        path, at = self._changed(change)
        rules, reach = self._rules, max(self._rules.artist_gap, 1)
        around = [*path[max(at - reach, 0) : at].tolist(), *path[at + 1 : at + 1 + reach].tolist()]
        if change.row in around:
            return False
        if rules.artist_gap and any(rules.artists(change.row) & rules.artists(row) for row in around):
            return False
        if change.kind == "move" and self._comparable[path[max(at - 1, 0) : at + 2]].sum() < 2:
            return False  # among unknown tracks it would cost little, but flow no better
        return change.kind in ("bring", "move") or self._versions(np.delete(path, at).tolist(), change.row)

    def _changed(self, change: _Change) -> tuple[Rows, int]:
        """The order with a change made, and the new position of its track."""
        path, at = self._path, change.after + 1
        if change.kind != "bridge":
            path = np.delete(path, change.position)
            at -= change.position <= change.after
        return np.insert(path, at, change.row), at

    def _suggestion(self, change: _Change) -> Suggestion:
        path, at = self._changed(change)
        before, after = (self._cost.terms(rows)["cost"] for rows in (self._path, path))
        saves = before.sum() - after.sum()
        if change.kind == "bridge":
            saves = before[change.position] - after[at - 1 : at + 1].max()
        tempos = [self._tracks.tempos[rows] for rows in (self._path, path)]
        jumps = [int(self._cost.mixing.large_tempo_jumps(tempo[:-1], tempo[1:]).sum()) for tempo in tempos]
        track = self._tracks.tracks(np.array([change.row]))[0]
        return Suggestion(change.kind, track, change.position, change.after, float(saves), jumps[0] - jumps[1])
