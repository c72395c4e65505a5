"""A playlist that somebody has, put into its best order, and what that betters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from disco.catalogue import SCHEMA, Catalogue, Rows
from disco.errors import DiscoError
from disco.flow import Figures, figures
from disco.mixing import Mixing
from disco.playlist import Playlist, too_far
from disco.predict import Predictor, load_predictor
from disco.sequence import Budget, Places, Rules, Wishes, order
from disco.sequence.order import Progress
from disco.sources.lists import Listed
from disco.transition import Knobs, Pairwise


@dataclass(frozen=True)
class Given:
    """The tracks of a list as a catalogue of their own, in their order.

    Attributes
    ----------
    tracks : Catalogue
        Those that are known, then those that are not, of which there is a name at most.
    unknown : int
        How many these are.
    title : str
    notes : tuple of str
    """

    tracks: Catalogue
    unknown: int
    title: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Ordered:
    """A playlist in its best order, with figures of its joins before and after.

    Attributes
    ----------
    playlist : Playlist
    before, after : Figures
        Without the tracks that nothing is known of.
    """

    playlist: Playlist
    before: Figures
    after: Figures


def given(listed: Listed, catalogue: Catalogue) -> Given:
    """What a catalogue, or else the list itself, knows of the tracks of a list; each is there once.

    Raises
    ------
    DiscoError
        If none is known.
    """
    found = listed.found(catalogue)
    own = listed.tracks
    tables, notes = [], []
    rows: list[int] = list(dict.fromkeys(found[found >= 0].tolist()))
    known = catalogue.take(np.array(rows, dtype=np.intp))
    # Place in the list of each track's first mention, by which known and own tracks are put in their order.
    mentioned = [int(np.flatnonzero(found == row)[0]) for row in rows]
    _, first = np.unique(np.array(listed.ids, dtype=object), return_index=True)
    lost = np.intersect1d(np.flatnonzero(found < 0), first)
    tables.append(known.table)
    here = np.zeros(len(lost), dtype=bool)
    if own is not None and len(lost):
        here = ~(np.isnan(own.tempos[lost]) & np.isnan(own.positions[lost]) & ~own.measured[lost])
        tables.append(own.take(lost[here]).table)
        mentioned += lost[here].tolist()
    if not mentioned:
        raise DiscoError(f"none of the {len(listed.ids):,} tracks of the list is in {catalogue.where}")
    table = pa.concat_tables(tables).take(pa.array(np.argsort(mentioned, kind="stable")))
    nameless = list(dict.fromkeys(listed.ids[i] for i in lost[~here]))
    names = dict(zip(listed.ids, listed.names, strict=True))
    strangers = [
        {**dict.fromkeys(SCHEMA.names), "track_id": i, "title": names[i] if names[i] != i else None} for i in nameless
    ]
    if nameless:
        table = pa.concat_tables([table, pa.Table.from_pylist(strangers, SCHEMA)])
        shown = "; ".join(repr((names[i] or i)[:60]) for i in nameless[:3]) + ("; ..." if len(nameless) > 3 else "")
        notes.append(
            f"{len(nameless)} of {len(listed.ids):,} tracks are not in {catalogue.where} and come last: {shown}"
        )
    if twice := len(found) - table.num_rows:
        notes.append(f"{twice} tracks stand in the list more than once; each is played once")
    return Given(Catalogue(table, catalogue.where), len(nameless), listed.title, tuple(notes))


def put_in_order(
    given: Given,
    *,
    knobs: Knobs = Knobs(),  # noqa: B008 - frozen
    predictor: str | Predictor = "mean",
    mixing: Mixing = Mixing(),  # noqa: B008 - frozen
    wishes: Wishes = Wishes(),  # noqa: B008 - frozen
    artist_gap: int = 1,
    keep: Rows | None = None,
    budget: Budget = Budget(),  # noqa: B008 - frozen
    progress: Progress | None = None,
) -> Ordered:
    """The best order of all tracks of a list that are known; the others come last, as they stood.

    Parameters
    ----------
    given : Given
    knobs : Knobs
    predictor : str or Predictor
        In whose space distance is measured; that of `mean` is the eight scaled features themselves.
    mixing, wishes, artist_gap, budget, progress
        As for the sequencers; rows are places in the list as it is.
    keep : ndarray of int, optional
        Places whose tracks stay.
    """
    tracks, n = given.tracks, len(given.tracks) - given.unknown
    kept = [] if keep is None else keep.tolist()
    if bad := [place for place in kept if not 0 <= place < n]:
        raise DiscoError(f"there is no place {bad[0] + 1} to keep among {n} tracks that are known")
    wishes = replace(wishes, held=(*wishes.held, *((place, place) for place in kept)))
    model = load_predictor(predictor) if isinstance(predictor, str) else predictor
    cost = Pairwise(tracks, knobs, model.embed(tracks), mixing)
    rules = Rules(tracks, artist_gap)
    # Ranks of energy are those among the tracks that are known: the others have none.
    places = Places(tracks, n, wishes, mixing.keys, whole=True)
    before = np.arange(n)
    after = order(np.empty(0, dtype=np.intp), before, n, cost, rules, places, budget, wishes.seed, progress)
    path = np.r_[after, np.arange(n, len(tracks))]
    notes = [*given.notes, *places.notes(after), *too_far(tracks.take(after), mixing)]
    if n and np.isnan(tracks.tempos[:n]).all() and np.isnan(tracks.positions[:n]).all():
        notes.append("no track's key or tempo is known: the order is by features alone")
    if unmeasured := n - int(tracks.measured[:n].sum()):
        notes.append(f"{unmeasured} of {n} tracks lack some of the eight features: their distance counts for nothing")
    shared = rules.clashes(after)
    if near := sum(int(np.diagonal(shared, apart).sum()) for apart in range(1, artist_gap + 1)):
        notes.append(f"{near} tracks follow one by the same artist sooner than was asked: no other order was found")
    playlist = Playlist(
        name=given.title or "In order",
        tracks=tracks.take(path),
        seeds=0,
        knobs=knobs,
        catalogue={"where": tracks.where, "tracks": len(tracks)},
        predictor=model.name,
        recommender="none",
        sequencer="order",
        terms=cost.terms(path),
        notes=tuple(notes),
        mixing=mixing,
    )
    return Ordered(playlist, figures(tracks, before, cost), figures(tracks, after, cost))
