"""Which tracks of a playlist are left out when that is allowed: misfits, or all but the best of a pool."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from disco.catalogue import Catalogue, Rows
from disco.catalogue.lookup import track_name
from disco.errors import DiscoError
from disco.playlist.cost import PairwiseCost
from disco.playlist.duration import seconds as durations_of
from disco.playlist.key_moves import key_move
from disco.playlist.key_rules import UNKNOWN
from disco.playlist.playlist import Playlist
from disco.playlist.sequence import Budget, Constraints, PositionCosts, Rules
from disco.playlist.sequence.blocks import with_terms
from disco.playlist.sequence.order import cost_problem, order
from disco.playlist.sequence.selection import Selection, best_of, without_misfits
from disco.playlist.sequence.wishes import Wishes, WishTerms, wish_terms

# Larger changes of tempo are part of the reason why a track is left out, in per cent.
_LARGE_CHANGE = 5.0
# Names in a note.
_NAMED = 5


@dataclass(frozen=True)
class Choice:
    """How many tracks of a playlist are played.

    Attributes
    ----------
    drop : int
        At most so many misfits are left out: tracks without which the playlist costs less by more than 1.1 ordinary
        transitions each.
    best : int, optional
        Only so many are played, those that flow best in a row.
    best_minutes : float, optional
        Only so many minutes are played.

    Raises
    ------
    DiscoError
        If a value is out of range, or two contradict each other.
    """

    drop: int = 0
    best: int | None = None
    best_minutes: float | None = None

    def __post_init__(self) -> None:
        if self.drop < 0:
            raise DiscoError(f"the number of tracks to leave out must be 0 or more, not {self.drop}")
        if self.best is not None and self.best < 1:
            raise DiscoError(f"the number of the best tracks must be 1 or more, not {self.best}")
        if self.best_minutes is not None and not 0 < self.best_minutes < math.inf:
            raise DiscoError(f"the minutes of the best tracks must be above 0, not {self.best_minutes}")
        given = {"--drop": self.drop, "--best": self.best, "--best-minutes": self.best_minutes}
        if len(named := [name for name, value in given.items() if value]) > 1:
            raise DiscoError(f"{' and '.join(named)} both say how many tracks are played; give one of them")

    @property
    def plays_all(self) -> bool:
        """Whether nothing may be left out."""
        return not self.drop and self.best is None and self.best_minutes is None


@dataclass(frozen=True)
class LeftOut:
    """A track that is not played, and why."""

    track: dict[str, Any]
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """The track for JSON."""
        artist = ", ".join(self.track["artists"] or []) or None
        return {
            "id": self.track["track_id"],
            "title": self.track["title"],
            "artist": artist,
            "reason": self.reason,
        }


def choose_tracks(
    tracks: Catalogue,
    choice: Choice,
    cost: PairwiseCost,
    rules: Rules,
    constraints: Constraints,
    wishes: Wishes,
    budget: Budget,
    unmatched: Rows,
) -> tuple[Rows, list[LeftOut], list[str]]:
    """Choose which tracks are played.

    Returns
    -------
    kept : ndarray of rows
        Ascending.
    left_out : list of LeftOut
        Those that are not played and why; with `best`, unmatched ones alone, since of a pool most are not played.
    notes : list of str
    """
    terms = wish_terms(tracks, wishes, constraints.max_tempo_drift, cost.mixing.folds)
    stop = budget.stop()
    if choice.drop:
        return _without_misfits(tracks, choice.drop, cost, rules, constraints, terms, budget, unmatched, stop)
    return _best(tracks, choice, cost, rules, constraints, terms, unmatched, stop)


def _best(
    tracks: Catalogue,
    choice: Choice,
    cost: PairwiseCost,
    rules: Rules,
    constraints: Constraints,
    terms: WishTerms,
    unmatched: Rows,
    stop: Callable[[], bool],
) -> tuple[Rows, list[LeftOut], list[str]]:
    n, durations = len(tracks), durations_of(tracks)
    left_out = [LeftOut(track, "unmatched: nothing is known of it") for track in tracks.tracks(unmatched)]
    known = np.setdiff1d(np.arange(n), unmatched)
    if asked := sorted(set(constraints.required) & set(unmatched.tolist())):
        name = track_name(tracks.tracks(np.array(asked[:1]))[0])
        raise DiscoError(f"{name} is unmatched, so that it cannot be among the best tracks")
    wanted = 0.0 if choice.best_minutes is None else choice.best_minutes * 60
    size = choice.best or max(1, round(wanted / float(durations[known].mean())))
    if len(known) <= (choice.best or 0) or (choice.best is None and durations[known].sum() <= wanted):
        what = f"{choice.best} tracks" if choice.best else f"{choice.best_minutes:g} minutes"
        return known, left_out, [f"the playlist has no more than {what}: all that are known are played"]
    held = {row for position, row in constraints.pinned} | {*constraints.required}
    if choice.best is not None and len(held) > choice.best:
        raise DiscoError(
            f"{len(held)} tracks have fixed positions, more than the {choice.best} of --best; give fewer"
        )
    limits = constraints if choice.best is not None else replace(constraints, end_track=None, end_key=None)
    position_costs = PositionCosts(tracks, size, limits, cost.mixing.keys)
    problem = with_terms(cost_problem(np.arange(n), cost, rules, position_costs), replace(terms, drift=None))
    # Unmatched tracks cost nothing, and would be the first to be chosen.
    blocks = [block for block in terms.blocks if not np.isin(block, unmatched).any()]
    selection = Selection(
        problem, replace(terms, blocks=blocks), position_costs.pinned, frozenset(constraints.required)
    )
    timed = None if choice.best is not None else durations.astype(float)
    kept = np.sort(best_of(selection, size, timed, wanted, constraints.random_seed, stop))
    minutes = float(durations[kept].sum()) / 60
    notes = [f"the best {len(kept)} of {len(known)} tracks, {minutes:.0f} minutes; the others are left out"]
    if choice.best is not None and len(kept) != choice.best:
        notes.append(f"{len(kept)} tracks instead of {choice.best}: of those kept together all are played, or none")
    return kept, left_out, notes


def _without_misfits(
    tracks: Catalogue,
    most: int,
    cost: PairwiseCost,
    rules: Rules,
    constraints: Constraints,
    terms: WishTerms,
    budget: Budget,
    unmatched: Rows,
    stop: Callable[[], bool],
) -> tuple[Rows, list[LeftOut], list[str]]:
    n = len(tracks)
    if n - most < 2:
        raise DiscoError(f"--drop {most} could leave fewer than two of {n} tracks; allow fewer")
    # Positions that are fixed are those of the playlist that is left: here they only say what must be played.
    free = replace(constraints, pinned=(), start_track=None, end_track=None)
    position_costs = PositionCosts(tracks, n, free, cost.mixing.keys, whole=True)
    nothing, everything = np.empty(0, dtype=np.intp), np.arange(n)
    best = order(nothing, everything, n, cost, rules, position_costs, budget, constraints.random_seed, wishes=terms)
    problem = with_terms(cost_problem(everything, cost, rules, position_costs), replace(terms, drift=None))
    required = frozenset({*constraints.required, *unmatched.tolist()})
    selection = Selection(problem, terms, {}, required)
    kept = without_misfits(selection, best, most, constraints.random_seed, stop)
    gone = [(i, row) for i, row in enumerate(best.tolist()) if row not in set(kept.tolist())]
    left_out = [LeftOut(tracks.tracks(np.array([row]))[0], _reason(tracks, best, i, cost, terms)) for i, row in gone]
    notes = [f"left out: {track_name(left.track)}: {left.reason}" for left in left_out[:_NAMED]]
    if len(left_out) > _NAMED:
        notes.append(f"left out as well: {'; '.join(track_name(left.track) for left in left_out[_NAMED:])}")
    if len(left_out) < most:
        notes.append(
            f"only {len(left_out)} of the {most} tracks that may be left out are left out: without more, transitions "
            "would cost little less"
        )
    return np.sort(kept), left_out, notes


def _reason(tracks: Catalogue, path: Rows, i: int, cost: PairwiseCost, terms: WishTerms) -> str:
    """Why a track is a misfit: what is worst about it in the best order of all tracks."""
    if terms.drift is not None and terms.drift[path[0], path[i]]:
        return f"its tempo of {tracks.tempos[path[i]]:.0f} BPM is too far from the first"
    around = path[max(i - 1, 0) : i + 2]
    own, sounding, _ = cost.mixing.sounding_keys(tracks, around)
    allowed = cost.mixing.keys.allows(own, sounding)
    found = cost.terms(around)
    changes = np.abs(np.nan_to_num(found["tempo_change"]))
    parts = []
    bad = [k for k in range(len(around) - 1) if not allowed[k] and UNKNOWN not in (own[k], sounding[k])]
    if bad:
        parts.append(f"key ({key_move(int(own[bad[0]]), int(sounding[bad[0]]))})")
    if len(changes) and changes.max() > _LARGE_CHANGE:
        parts.append(f"tempo ({found['tempo_change'][int(changes.argmax())]:+.1f} %)")
    what = " and ".join(parts) if parts else f"sound ({float(np.nan_to_num(found['distance']).max()):.1f} apart)"
    where = "among all tracks the nearest to it differ in" if parts else "among all tracks even the nearest differ in"
    return f"{where} {what}; its transitions would cost {float(found['cost'].sum()):.1f}"


def restricted(
    playlist: Playlist, tracks: Catalogue, kept: Rows, unmatched: Rows, constraints: Constraints, wishes: Wishes
) -> tuple[Playlist, Constraints, Wishes]:
    """A playlist of some of its different tracks, and what is asked for by their new rows."""
    new = {int(row): i for i, row in enumerate(kept)}
    start, end = (None if row is None else new[row] for row in (constraints.start_track, constraints.end_track))
    pinned = tuple((position, new[row]) for position, row in constraints.pinned)
    together = tuple(tuple(new[row] for row in rows) for rows in wishes.together if all(row in new for row in rows))
    some = replace(
        playlist,
        tracks=tracks.take(kept),
        unmatched=tuple(i for i, row in enumerate(kept.tolist()) if row in set(unmatched.tolist())),
    )
    limits = replace(constraints, pinned=pinned, start_track=start, end_track=end)
    return some, limits, replace(wishes, together=together)
