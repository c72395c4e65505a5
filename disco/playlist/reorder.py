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
from disco.playlist.sequence.wishes import Wishes, WishTerms, block_pins, check_wishes, wish_terms
from disco.playlist.worse import WORSE, asked_for, gap_price, kept_together, tracks_together, worse_notes

# Tracks between two by one artist, where nothing else is asked for.
GAP = 1
# Costs per transition that differ by less are equal: sums of small numbers differ in their last places.
_EQUAL = 1e-6

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
    artist_gap: int | None = None,
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
    artist_gap : int, optional
        Tracks between two by one artist, as far as possible; 0 allows all. By default one, but tracks that the list
        has together stay so where parting them would make the order worse than the one given.
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
    rules = Rules(tracks, GAP if artist_gap is None else artist_gap)
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
    # Where nothing is known of a track, one position is as good as another, and its own is the person's choice.
    nothing_known = _nothing_known(tracks, cost) if wishes == Wishes() and not artist_gap else unmatched
    unplaced = np.setdiff1d(np.union1d(unmatched, nothing_known), movable)
    constraints = replace(constraints, pinned=(*constraints.pinned, *_pin_unmatched(unplaced, n, constraints)))
    position_costs = PositionCosts(tracks, n, constraints, mixing.keys, whole=True, fold=mixing.folds)
    before = np.arange(n)
    search = _Search(tracks, cost, rules, position_costs, budget, constraints.random_seed, terms)
    after = search.order(rules)
    gap_notes, price = [], ""
    if not asked:
        after = search.better(before, after)
        together = search.with_tracks_together(before, after)
        if together is not None:
            difference = search.mean(after) - search.mean(together)
            if artist_gap is None:
                gap_notes, after = [kept_together(tracks_together(tracks, together, rules), difference)], together
            else:
                price = gap_price(tracks_together(tracks, before, rules), difference)
    notes = [*playlist.notes]
    if repeated := len(playlist) - n:
        notes.append(f"{repeated} tracks are in the playlist more than once; each is played once")
    if len(unmatched):
        notes.append(f"{len(unmatched)} unmatched tracks keep their positions")
    notes += [*position_costs.notes(after), *tempo_notes(tracks.take(after), mixing)]
    notes += _missing_value_notes(tracks, cost, np.setdiff1d(before, unmatched))
    notes += quantile_match_notes(tracks, scaler().feature_set)
    in_blocks = sum(rules.violations(block) for block in terms.blocks if len(block) > 1)
    if gap_notes:
        notes += gap_notes
    elif near := rules.violations(after) - in_blocks:
        notes.append(f"{near} tracks follow one by the same artist sooner than was asked: no other order was found")
    was, now = (flow_metrics(tracks, path, cost) for path in (before, after))
    notes += worse_notes(was, now, asked, price)
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


@dataclass(frozen=True)
class _Search:
    """What is needed to order the same tracks with other rules, and to compare two orders."""

    tracks: Catalogue
    cost: PairwiseCost
    rules: Rules
    position_costs: PositionCosts
    budget: Budget
    seed: int
    wishes: WishTerms

    def order(self, rules: Rules) -> Rows:
        """All tracks in the best order that is found under rules."""
        every, nothing = np.arange(len(self.tracks)), np.empty(0, dtype=np.intp)
        return order(
            nothing,
            every,
            len(every),
            self.cost,
            rules,
            self.position_costs,
            self.budget,
            self.seed,
            wishes=self.wishes,
        )

    def mean(self, path: Rows) -> float:
        """Cost of an order, per transition."""
        return float(self.cost.terms(path)["cost"].sum()) / max(len(path) - 1, 1)

    def better(self, given: Rows, found: Rows) -> Rows:
        """The order that was given where the one that was found is no better and keeps no rule better."""
        as_good = self.mean(given) <= self.mean(found) + _EQUAL and self._jumps(given) <= self._jumps(found)
        return given if as_good and self.rules.violations(given) <= self.rules.violations(found) else found

    def with_tracks_together(self, given: Rows, found: Rows) -> Rows | None:
        """An order that parts no more tracks by one artist than the one given, where parting them made it worse.

        None where it was not worth less than before, or where the list had none together.
        """
        most, jumps = self.rules.violations(given), self._jumps(found)
        if most <= self.rules.violations(found) or self.mean(found) <= self.mean(given) + _EQUAL:
            return None
        orders = [given, self.order(Rules(self.tracks, 0))]
        kept = [path for path in orders if self.rules.violations(path) <= most and self._jumps(path) <= jumps]
        return min(kept, key=self.mean, default=None)

    def _jumps(self, path: Rows) -> int:
        tempos, folds = self.tracks.tempos[path], self.cost.mixing
        return int(folds.large_tempo_jumps(tempos[:-1], tempos[1:]).sum())


def _nothing_known(tracks: Catalogue, cost: PairwiseCost) -> Rows:
    """Tracks of which neither a key nor a tempo nor any feature or place among others is known."""
    no_place = np.isnan(cost.embeddings).any(axis=1) & ~tracks.has_any_feature
    return np.flatnonzero(np.isnan(tracks.tempos) & np.isnan(tracks.circle_positions) & no_place)


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
