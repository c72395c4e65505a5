"""Put the tracks of a playlist that exists into their best order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from disco.catalogue import Catalogue, Rows
from disco.errors import DiscoError
from disco.models.predictors import Predictor, load_predictor
from disco.models.scaler import quantile_match_notes, scaler
from disco.playlist.cost import Knobs, PairwiseCost
from disco.playlist.flow_metrics import FlowMetrics, flow_metrics
from disco.playlist.generate import tempo_notes
from disco.playlist.leave_out import Choice, LeftOut, choose_tracks, restricted
from disco.playlist.matching import KNOBS
from disco.playlist.mixing import FOR_ORDERING, Mixing
from disco.playlist.playlist import Playlist, Surroundings
from disco.playlist.sequence import Budget, Constraints, PositionCosts, Rules, order
from disco.playlist.sequence.constraints import pinned_by_position
from disco.playlist.sequence.wishes import Wishes, block_pins, check_wishes, wish_terms
from disco.playlist.worse import WORSE, asked_for, worse_notes

__all__ = ["KNOBS", "Reordered", "distinct_tracks", "reorder"]


@dataclass(frozen=True)
class Reordered(Playlist):
    """A playlist in its best order, with metrics of the order that it had and of the one that it has.

    Attributes
    ----------
    before, after : FlowMetrics
        Transitions to and from unmatched tracks cost nothing.
    left_out : tuple of LeftOut
        Tracks that are not played, and why; empty where all are, and of those that `best` does not choose.
    """

    before: FlowMetrics = field(default_factory=FlowMetrics)
    after: FlowMetrics = field(default_factory=FlowMetrics)
    left_out: tuple[LeftOut, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The playlist as one JSON object, with the metrics before and after; unknown values are None."""
        left_out = {"left_out": [left.as_dict() for left in self.left_out]} if self.left_out else {}
        return {**super().to_dict(), **left_out, "before": self.before.as_dict(), "after": self.after.as_dict()}


def reorder(
    playlist: Playlist,
    *,
    knobs: Knobs = KNOBS,
    predictor: str | Predictor = "mean",
    mixing: Mixing = FOR_ORDERING,
    constraints: Constraints = Constraints(),  # noqa: B008 - frozen
    artist_gap: int = 1,
    keep_positions: Sequence[int] = (),
    budget: Budget = Budget(),  # noqa: B008 - frozen
    wishes: Wishes = Wishes(),  # noqa: B008 - frozen
    choice: Choice = Choice(),  # noqa: B008 - frozen
) -> Reordered:
    """Put the tracks of a playlist into their best order; none is added, and none left out unless that is asked for.

    Unmatched tracks keep their positions. A track that is in the playlist more than once is played once.

    Parameters
    ----------
    playlist : Playlist
        From `match_tracklist`, or any other.
    knobs : Knobs
        Weights of the terms in the cost: what a clash of keys costs, and a change of tempo that is just too large.
    predictor : str or Predictor
        Model in whose embeddings distance is measured; `mean` stands for the eight scaled features themselves.
    mixing : Mixing
        How keys and tempos are judged.
    constraints : Constraints
        Pinned tracks, an arc of energy, keys of the ends, randomness. Rows are those of `distinct_tracks(playlist)`.
    artist_gap : int
        Tracks between two by one artist, as far as possible.
    keep_positions : sequence of int
        Positions, from 0, whose tracks stay where they are.
    budget : Budget
        How long to search.
    wishes : Wishes
        What is asked for about groups of tracks, by the rows of `distinct_tracks(playlist)`.
    choice : Choice
        How many tracks are played.

    Returns
    -------
    Reordered

    Raises
    ------
    DiscoError
        If the constraints contradict each other, or the tracks are too many.

    Examples
    --------
    >>> import disco
    >>> from disco.playlist.matching import match_tracklist
    >>> from disco.sources.tracklist import Entry, Tracklist
    >>> tracklist = Tracklist("Friday", [Entry(f"demo-0000{i}") for i in range(1, 7)])
    >>> better = reorder(match_tracklist(tracklist, disco.open()))
    >>> better.after.mean_cost < better.before.mean_cost
    True
    """
    tracks, rows = distinct_tracks(playlist)
    n = len(tracks)
    unmatched = np.unique(rows[list(playlist.unmatched)])
    if bad := [position for position in keep_positions if not 0 <= position < n]:
        raise DiscoError(f"there is no position {bad[0] + 1} to keep among {n} tracks")
    if keep_positions and not choice.plays_all:
        raise DiscoError("--keep-positions keeps tracks where they are, and --drop or --best moves them; give one")
    kept = ((position, position) for position in keep_positions)
    constraints = replace(constraints, pinned=(*constraints.pinned, *kept))
    check_wishes(wishes, constraints.tempo_arc)
    model = load_predictor(predictor) if isinstance(predictor, str) else predictor
    embeddings = model.embed(tracks)
    cost = PairwiseCost(tracks, knobs, embeddings, mixing, unmatched)
    rules = Rules(tracks, artist_gap)
    if not choice.plays_all:
        chosen, left_out, choice_notes = choose_tracks(
            tracks, choice, cost, rules, constraints, wishes, budget, unmatched
        )
        some, limits, rest = restricted(playlist, tracks, chosen, unmatched, constraints, wishes)
        made = reorder(
            some, knobs=knobs, predictor=model, mixing=mixing, constraints=limits, artist_gap=artist_gap,
            budget=budget, wishes=rest,
        )  # fmt: skip
        given = flow_metrics(tracks, np.arange(n), cost)
        notes = [note for note in made.notes if not note.startswith(WORSE)]
        notes += worse_notes(given, made.after, asked_for(constraints, wishes))
        return replace(made, before=given, left_out=tuple(left_out), notes=(*choice_notes, *notes))
    asked = asked_for(replace(constraints, pinned=constraints.pinned[: -len(keep_positions) or None]), wishes)
    asked += ["--keep-positions"] if keep_positions else []
    terms = wish_terms(tracks, wishes, constraints.max_tempo_drift, mixing.folds)
    pinned = block_pins(tracks, terms.blocks, pinned_by_position(constraints, n), n)
    if terms.has_blocks:
        constraints = replace(constraints, pinned=tuple(pinned.items()), start_track=None, end_track=None)
    movable = [row for block in terms.blocks if len(block) > 1 for row in block.tolist()]
    unplaced = np.setdiff1d(unmatched, movable)
    constraints = replace(constraints, pinned=(*constraints.pinned, *_pin_unmatched(unplaced, n, constraints)))
    position_costs = PositionCosts(tracks, n, constraints, mixing.keys, whole=True, fold=mixing.folds)
    before = np.arange(n)
    nothing = np.empty(0, dtype=np.intp)
    after = order(nothing, before, n, cost, rules, position_costs, budget, constraints.random_seed, wishes=terms)
    if not asked and not len(unmatched) and rules.violations(before) <= rules.violations(after):
        given_cost, found_cost = (float(cost.terms(path)["cost"].sum()) for path in (before, after))
        jumps = [
            int(mixing.large_tempo_jumps(tracks.tempos[p[:-1]], tracks.tempos[p[1:]]).sum()) for p in (before, after)
        ]
        if given_cost < found_cost and jumps[0] <= jumps[1]:
            after = before
    notes = [*playlist.notes]
    if repeated := len(playlist) - n:
        notes.append(f"{repeated} tracks are in the playlist more than once; each is played once")
    if len(unmatched):
        notes.append(f"{len(unmatched)} unmatched tracks keep their positions")
    notes += [*position_costs.notes(after), *tempo_notes(tracks.take(after), mixing)]
    notes += _missing_value_notes(tracks, cost, np.setdiff1d(before, unmatched))
    notes += quantile_match_notes(tracks, scaler().feature_set)
    kept_together = sum(rules.violations(block) for block in terms.blocks if len(block) > 1)
    if near := rules.violations(after) - kept_together:
        notes.append(f"{near} tracks follow one by the same artist sooner than was asked: no other order was found")
    was, now = (flow_metrics(tracks, path, cost) for path in (before, after))
    notes += worse_notes(was, now, asked)
    return Reordered(
        name=playlist.name or "In order",
        tracks=tracks.take(after),
        seeds=0,
        knobs=knobs,
        catalogue={"where": tracks.where, "tracks": n},
        predictor=model.name,
        recommender="none",
        sequencer="order",
        terms=cost.terms(after),
        notes=tuple(notes),
        mixing=mixing,
        arc=position_costs.arc_energy,
        unmatched=tuple(np.flatnonzero(np.isin(after, unmatched)).tolist()),
        surroundings=Surroundings(tracks, embeddings, after, np.zeros(n, dtype=np.intp)),
        before=was,
        after=now,
    )


def distinct_tracks(playlist: Playlist) -> tuple[Catalogue, Rows]:
    """The different tracks of a playlist in the order of their first positions, and the row of each position."""
    ids = playlist.tracks.column("track_id").combine_chunks()
    distinct = pa.array(dict.fromkeys(ids.to_pylist()), pa.string())
    rows = pc.index_in(ids, value_set=distinct).to_numpy(zero_copy_only=False).astype(np.intp)
    if len(distinct) == len(ids):
        return playlist.tracks, rows
    return playlist.tracks.take(np.unique(rows, return_index=True)[1]), rows


def _missing_value_notes(tracks: Catalogue, cost: PairwiseCost, known: Rows) -> list[str]:
    """What the order does without because it is unknown."""
    notes = []
    no_features = bool(np.isnan(cost.embeddings).all())
    if np.isnan(tracks.tempos).all() and np.isnan(tracks.circle_positions).all():
        if no_features:
            notes.append("nothing but names is known of the tracks: one order is as good as another")
        else:
            notes.append("no track's key or tempo is known: the order is by features alone")
    elif no_features:
        notes.append("no track has features (acousticness ... valence): the order is by key and tempo alone")
    if tracks.has_any_feature.any() and (partly := len(known) - int(tracks.has_all_features[known].sum())):
        notes.append(f"{partly} of {len(known)} tracks lack some of the eight features; their means are used instead")
    return notes


def _pin_unmatched(unmatched: Rows, n: int, constraints: Constraints) -> list[tuple[int, int]]:
    """Position and row of each unmatched track: its own position, or the next one that no constraint is for."""
    start_and_end = ((0, constraints.start_track), (n - 1, constraints.end_track))
    ends = {position for position, row in start_and_end if row is not None}
    placed = {row for _, row in constraints.pinned} | {constraints.start_track, constraints.end_track}
    taken = {position for position, _ in constraints.pinned} | ends
    pinned = []
    for row in unmatched.tolist():
        if row in placed:
            continue
        position = next((p for p in (*range(row, n), *range(row - 1, -1, -1)) if p not in taken), None)
        if position is not None:
            taken.add(position)
            pinned.append((position, row))
    return pinned
