"""A playlist that somebody has, put into its best order, and what that betters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from disco.catalogue import SCHEMA, Catalogue, Rows
from disco.errors import DiscoError
from disco.models.predictors import Predictor, load_predictor
from disco.models.scaler import quantile_match_notes, scaler
from disco.playlist.cost import Knobs, PairwiseCost
from disco.playlist.flow_metrics import FlowMetrics, flow_metrics
from disco.playlist.generate import tempo_notes
from disco.playlist.mixing import Mixing
from disco.playlist.playlist import Playlist
from disco.playlist.sequence import Budget, Constraints, PositionCosts, Rules, order
from disco.sources.tracklist import Tracklist

# Neighbours in a list are about 2.5 apart, and the best and the worst keys and tempos differ by 2: with all knobs 1
# the sound decides, and rivals that weigh all three keep better keys. So weighed no rival that weighs all three is
# ahead in more than one of keys, tempos and sound (docs/research/results.md).
KNOBS = Knobs(sweetness=4.0, smoothness=4.0)


@dataclass(frozen=True)
class Given:
    """The tracks of a list as a catalogue of their own, in their order.

    Attributes
    ----------
    tracks : Catalogue
    unmatched : ndarray of rows
        Those of which no more than a name is known.
    title : str
    notes : tuple of str
    path : ndarray of rows
        Row of each line of the list, in its order, those that stand in it again and the unknown ones too.
    """

    tracks: Catalogue
    unmatched: Rows
    title: str
    notes: tuple[str, ...]
    path: Rows


@dataclass(frozen=True)
class Ordered:
    """A playlist in its best order, with figures of its transitions before and after.

    Attributes
    ----------
    playlist : Playlist
    before, after : Figures
        Joins to and from what no more than a name is known of cost nothing.
    """

    playlist: Playlist
    before: FlowMetrics
    after: FlowMetrics


def given(listed: Tracklist, catalogue: Catalogue) -> Given:
    """What a catalogue, or else the list itself, knows of the tracks of a list; each is there once.

    Raises
    ------
    DiscoError
        If none is known.
    """
    found = listed.match(catalogue)
    own = listed.tracks
    rows: list[int] = list(dict.fromkeys(found[found >= 0].tolist()))
    known = catalogue.take(np.array(rows, dtype=np.intp))
    # Place in the list of each track's first mention, by which all are put in their order.
    mentioned = [int(np.flatnonzero(found == row)[0]) for row in rows]
    tables, notes = [known.table], []
    _, first = np.unique(np.array(listed.ids, dtype=object), return_index=True)
    lost = np.intersect1d(np.flatnonzero(found < 0), first)
    here = np.zeros(len(lost), dtype=bool)
    if own is not None and len(lost):
        here = ~(np.isnan(own.tempos[lost]) & np.isnan(own.circle_positions[lost]) & ~own.has_any_feature[lost])
        tables.append(own.take(lost[here]).table)
        mentioned += lost[here].tolist()
    if not mentioned:
        raise DiscoError(f"none of the {len(listed.ids):,} tracks of the list is in {catalogue.where}")
    nameless: dict[str, int] = {}
    for place in lost[~here].tolist():
        nameless.setdefault(listed.ids[place], place)
    names = dict(zip(listed.ids, listed.names, strict=True))
    if nameless:
        tables.append(_named(listed, list(nameless.values())))
        shown = "; ".join(repr((names[i] or i)[:60]) for i in list(nameless)[:3])
        shown += "; ..." if len(nameless) > 3 else ""
        notes.append(
            f"{len(nameless)} of {len(listed.ids):,} tracks are not in {catalogue.where} and keep their "
            f"places: {shown}"
        )
    order = np.argsort([*mentioned, *nameless.values()], kind="stable")
    table = pa.concat_tables(tables).take(pa.array(order))
    if twice := len(found) - table.num_rows:
        notes.append(f"{twice} tracks stand in the list more than once; each is played once")
    tracks = Catalogue(table, catalogue.where, parent=known.parent)
    lines = np.array(listed.ids, dtype=object)
    lines[found >= 0] = catalogue.ids(found[found >= 0])
    unmatched = np.flatnonzero(order >= len(mentioned))
    return Given(tracks, unmatched, listed.name, tuple(notes), tracks.rows(lines.tolist()))


def _named(listed: Tracklist, places: list[int]) -> pa.Table:
    """What a list says of tracks that nothing else is known of."""
    if listed.tracks is not None:
        return listed.tracks.take(np.array(places)).table
    named = [(listed.ids[place], listed.names[place]) for place in places]
    rows = [{"track_id": i, "title": name if name != i else None} for i, name in named]
    return pa.Table.from_pylist([dict.fromkeys(SCHEMA.names) | row for row in rows], SCHEMA)


def reorder(
    given: Given,
    *,
    knobs: Knobs = KNOBS,
    predictor: str | Predictor = "mean",
    mixing: Mixing = Mixing(),  # noqa: B008 - frozen
    constraints: Constraints = Constraints(),  # noqa: B008 - frozen
    artist_gap: int = 1,
    keep_positions: Rows | None = None,
    budget: Budget = Budget(),  # noqa: B008 - frozen
) -> Ordered:
    """The best order of all tracks of a list that are known, around the others, which keep their places.

    Parameters
    ----------
    given : Given
    knobs : Knobs
        Usually keys and tempos count four times what they do for `generate`.
    predictor : str or Predictor
        In whose embeddings distance is measured; that of `mean` is the eight scaled features themselves.
    mixing, constraints, artist_gap, budget
        As for the sequencers; rows are places in the list as it is.
    keep_positions : ndarray of int, optional
        Places whose tracks stay.
    """
    tracks, n = given.tracks, len(given.tracks)
    kept = [] if keep_positions is None else keep_positions.tolist()
    if bad := [place for place in kept if not 0 <= place < n]:
        raise DiscoError(f"there is no place {bad[0] + 1} to keep among {n} tracks")
    constraints = replace(constraints, pinned=(*constraints.pinned, *((place, place) for place in kept)))
    constraints = replace(constraints, pinned=(*constraints.pinned, *_pinned_unmatched(given, constraints)))
    model = load_predictor(predictor) if isinstance(predictor, str) else predictor
    embeddings = model.embed(tracks)
    cost = PairwiseCost(tracks, knobs, embeddings, mixing, given.unmatched)
    rules = Rules(tracks, artist_gap)
    # Ranks of energy are those among the tracks that are known: the others have none.
    places = PositionCosts(tracks, n, constraints, mixing.keys, whole=True)
    before = np.arange(n)
    after = order(np.empty(0, dtype=np.intp), before, n, cost, rules, places, budget, constraints.random_seed)
    notes = [*given.notes, *places.notes(after), *tempo_notes(tracks.take(after), mixing)]
    known = np.setdiff1d(before, given.unmatched)
    placed = not np.isnan(embeddings).all()
    mute = bool(np.isnan(tracks.tempos).all() and np.isnan(tracks.circle_positions).all())
    if mute and not placed:
        notes.append("nothing is known of the tracks but their names: one order is as good as another")
    elif mute:
        notes.append("no track's key or tempo is known: the order is by features alone")
    elif not placed:
        notes.append("no track has features (acousticness ... valence): the order is by key and tempo alone")
    if tracks.has_any_feature.any() and (partly := len(known) - int(tracks.has_all_features[known].sum())):
        notes.append(
            f"{partly} of {len(known)} tracks lack some of the eight features, which count as the usual ones"
        )
    notes += quantile_match_notes(tracks, scaler().feature_set)
    shared = rules.clashes(after)
    if near := sum(int(np.diagonal(shared, apart).sum()) for apart in range(1, artist_gap + 1)):
        notes.append(f"{near} tracks follow one by the same artist sooner than was asked: no other order was found")
    playlist = Playlist(
        name=given.title or "In order",
        tracks=tracks.take(after),
        seeds=0,
        knobs=knobs,
        catalogue={"where": tracks.where, "tracks": len(tracks)},
        predictor=model.name,
        recommender="none",
        sequencer="order",
        terms=cost.terms(after),
        notes=tuple(notes),
        mixing=mixing,
        arc=places.arc_energy,
    )
    return Ordered(playlist, flow_metrics(tracks, before, cost), flow_metrics(tracks, after, cost))


def _pinned_unmatched(given: Given, constraints: Constraints) -> list[tuple[int, int]]:
    """Place and row of each track that no more than a name is known of: its own, or the next that no wish is for."""
    n = len(given.tracks)
    ends = {place for place, row in ((0, constraints.start_track), (n - 1, constraints.end_track)) if row is not None}
    held = {row for _, row in constraints.pinned} | {constraints.start_track, constraints.end_track}
    taken = {place for place, _ in constraints.pinned} | ends
    places = []
    for row in given.unmatched.tolist():
        if row in held:
            continue
        place = next((p for p in (*range(row, n), *range(row - 1, -1, -1)) if p not in taken), None)
        if place is not None:
            taken.add(place)
            places.append((place, row))
    return places
