"""A playlist that exists, looked up in a catalogue: from a Tracklist to a Playlist."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from disco.catalogue import SCHEMA, Catalogue, Rows
from disco.catalogue.same_recording import WAYS
from disco.catalogue.text import printable
from disco.errors import DiscoError
from disco.models.predictors import Predictor, load_predictor
from disco.playlist.cost import Knobs, PairwiseCost
from disco.playlist.mixing import FOR_ORDERING, Mixing
from disco.playlist.playlist import Playlist
from disco.sources.tracklist import Tracklist

# Neighbours in a playlist are about 2.5 apart: a clash of keys is worth one and a half ordinary steps, a tempo out of
# reach half of one. Chosen with `mixing.FOR_ORDERING` on sampled sets of club tracks and on playlists: the most
# transitions that mix in key and in tempo of all weights that leave playlists as coherent as the published terms do
# with 4 and 4, within 5 per cent (docs/research/experiments.md).
KNOBS = Knobs(sweetness=3.45, smoothness=1.2)


def match_tracklist(
    tracklist: Tracklist,
    catalogue: Catalogue,
    *,
    knobs: Knobs = KNOBS,
    predictor: str | Predictor = "mean",
    mixing: Mixing = FOR_ORDERING,
) -> Playlist:
    """Look up the tracks of a playlist and return it in the order that it has.

    Parameters
    ----------
    tracklist : Tracklist
        What a file says of the playlist. Where a track is not in the catalogue, key, tempo and features that the
        file itself has are used.
    catalogue : Catalogue
        Where tracks are looked up, by id, path or name.
    knobs : Knobs
        Weights of the terms in the cost of its transitions.
    predictor : str or Predictor
        Model in whose embeddings distance is measured; `mean` stands for the eight scaled features themselves.
    mixing : Mixing
        How keys and tempos are judged.

    Returns
    -------
    Playlist
        Every entry of the tracklist, repeated ones too; `unmatched` has the positions of tracks of which nothing but
        a name is known.

    Raises
    ------
    DiscoError
        If no track is known.

    Examples
    --------
    >>> import disco
    >>> from disco.sources.tracklist import Entry, Tracklist
    >>> tracklist = Tracklist("Friday", [Entry("demo-00001"), Entry(text="Nobody - Nothing"), Entry("demo-00002")])
    >>> playlist = match_tracklist(tracklist, disco.open())
    >>> len(playlist), playlist.unmatched
    (3, (1,))
    """
    found, ways = tracklist.match_with_ways(catalogue)
    tracks, unmatched, order = _known_tracks(tracklist, catalogue, found)
    notes = []
    if by_end := int(np.count_nonzero(ways == WAYS.index("path end"))):
        notes.append(f"{by_end:,} found by the ends of their paths: the files are elsewhere in {catalogue.where}")
    if unmatched:
        count = f"{len(unmatched)} of {len(tracklist):,} tracks"
        shown = _quoted(tracklist, unmatched)
        notes.append(f"{count} are not in {catalogue.where}, only their names are known: {shown}")
    model = load_predictor(predictor) if isinstance(predictor, str) else predictor
    rows_unmatched = np.unique(order[list(unmatched)]) if unmatched else np.empty(0, dtype=np.intp)
    cost = PairwiseCost(tracks, knobs, model.embed(tracks), mixing, rows_unmatched)
    return Playlist(
        name=tracklist.name,
        tracks=tracks.take(order),
        seeds=0,
        knobs=knobs,
        catalogue={"where": catalogue.where, "tracks": len(catalogue)},
        predictor=model.name,
        recommender="none",
        sequencer="as it is",
        terms=cost.terms(order),
        notes=tuple(notes),
        mixing=mixing,
        unmatched=tuple(np.flatnonzero(np.isin(order, rows_unmatched)).tolist()),
    )


def _known_tracks(tracklist: Tracklist, catalogue: Catalogue, found: Rows) -> tuple[Catalogue, list[int], Rows]:
    """The different tracks in the order of their first entries, positions of the unmatched, and each entry's row."""
    ids = np.array(tracklist.ids, dtype=object)
    own = tracklist.tracks
    rows: list[int] = list(dict.fromkeys(found[found >= 0].tolist()))
    matched = catalogue.take(np.array(rows, dtype=np.intp))
    tables, positions = [matched.table], [int(np.flatnonzero(found == row)[0]) for row in rows]
    _, first = np.unique(ids, return_index=True)
    rest = np.intersect1d(np.flatnonzero(found < 0), first)
    if own is not None and len(rest):
        nothing = np.isnan(own.tempos) & np.isnan(own.circle_positions) & ~own.has_any_feature
        own_rows = rest[~nothing[rest]]
        tables.append(own.take(own_rows).table)
        positions += own_rows.tolist()
        rest = rest[nothing[rest]]
    if not positions:
        shown = _quoted(tracklist, rest.tolist())
        raise DiscoError(f"none of the {len(tracklist):,} tracks of the list is in {catalogue.where}: {shown}")
    unmatched: list[int] = rest.tolist()
    if unmatched:
        tables.append(_names_only(tracklist, unmatched))
    order = np.argsort([*positions, *unmatched], kind="stable")
    tracks = Catalogue(pa.concat_tables(tables).take(pa.array(order)), catalogue.where, parent=matched.parent)
    ids[found >= 0] = catalogue.ids(found[found >= 0])
    return tracks, unmatched, tracks.rows(ids.tolist())


def _quoted(tracklist: Tracklist, positions: list[int]) -> str:
    """Names of the tracks at positions for a message, three at most."""
    names = [printable(tracklist.names[position] or tracklist.ids[position]) for position in positions]
    return "; ".join(repr(name[:60]) for name in names[:3]) + ("; ..." if len(names) > 3 else "")


def _names_only(tracklist: Tracklist, positions: list[int]) -> pa.Table:
    """What a tracklist says of tracks of which nothing else is known."""
    if tracklist.tracks is not None:
        return tracklist.tracks.take(np.array(positions)).table
    ids, names = tracklist.ids, tracklist.credits
    rows = []
    for position in positions:
        entry, (title, artist) = tracklist.entries[position], names[position]
        known = {
            "track_id": ids[position],
            "title": title,
            "artists": [artist] if artist else None,
            "album": entry.album,
            "isrc": entry.isrc,
            "path": entry.path,
            "duration_ms": None if entry.duration_ms is None else round(entry.duration_ms),
        }
        rows.append(dict.fromkeys(SCHEMA.names) | known)
    return pa.Table.from_pylist(rows, SCHEMA)
