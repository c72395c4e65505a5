"""Features for tracks that Spotify gives none of: from the user's own tables, from old endpoints, from ReccoBeats."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from disco.catalogue import FEATURES, Catalogue
from disco.catalogue.same_recording import Recordings
from disco.errors import DiscoError
from disco.sources.services import reccobeats, spotify_values
from disco.sources.services.spotify import library, responses
from disco.sources.services.spotify.errors import Withheld

if TYPE_CHECKING:
    from disco.sources.services.spotify.client import Client

log = logging.getLogger(__name__)

MEASURED = (*FEATURES, "feature_set")
BESIDE = ("tempo_bpm", "key", "mode", "time_signature")


def fill(
    tracks: Catalogue,
    own: Catalogue | None = None,
    client: Client | None = None,
    recco: bool = False,
) -> Catalogue:
    """The same tracks with features where they had none; notes say from where, and how many stay unknown.

    Parameters
    ----------
    tracks : Catalogue
    own : Catalogue, optional
        The user's tables, looked into first: by id, then ISRC, then artist, title and length.
    client : Client, optional
        Asked next, where the app still has the endpoint. What stops it half-way is a note; what it gave is kept.
    recco : bool
        Ask ReccoBeats last.
    """
    notes = []
    if own is not None:
        before = int(tracks.has_comparable_features.sum())
        tracks = join(tracks, own)
        notes.append(f"features of {int(tracks.has_comparable_features.sum()) - before:,} tracks from {own.where}")
    if client is not None and client.state.can_call("audio-features") is not False:
        tracks, note = _ask(tracks, client.features, 100, "Spotify")
        notes += note
    if recco:
        tracks, note = _ask(tracks, reccobeats.features, reccobeats.AT_ONCE, "ReccoBeats")
        notes += note
    if unknown := int((~tracks.has_comparable_features).sum()):
        notes.append(f"features of {unknown:,} of {len(tracks):,} tracks are unknown")
    return Catalogue(tracks.table, tracks.where, (*tracks.notes, *notes))


def add_features(
    made: library.Library, client: Client | None, own: Catalogue | None = None, recco: bool = False
) -> tuple[library.Library, list[str]]:
    """Add features to the tracks of a library that have none, and store it where any were found.

    Returns
    -------
    Library
        The library with the features.
    list of str
        Notes on where they come from.
    """
    filled = fill(made.tracks, own, client, recco)
    notes = list(filled.notes[len(made.tracks.notes) :])
    if not filled.table.equals(made.tracks.table):
        made = replace(made, tracks=filled)
        library.write(made)
    return made, notes


def _ask(
    tracks: Catalogue,
    ask: Callable[[Sequence[str]], list[spotify_values.Row]],
    at_once: int,
    who: str,
) -> tuple[Catalogue, list[str]]:
    ids = [i for i in tracks.ids(np.flatnonzero(~tracks.has_comparable_features)) if responses.ID.fullmatch(i)]
    rows: list[spotify_values.Row] = []
    notes = []
    if len(ids) > at_once:
        log.info("asking %s for the features of %s tracks: %s calls", who, f"{len(ids):,}", -(-len(ids) // at_once))
    for start in range(0, len(ids), at_once):
        try:
            rows += ask(ids[start : start + at_once])
        except Withheld:
            break
        except DiscoError as error:  # what came before is kept
            notes.append(f"features of {len(ids) - start:,} tracks not asked for: {error}")
            break
        if start and start % (10 * at_once) == 0:
            log.info("features of %s of %s tracks asked for", f"{start:,}", f"{len(ids):,}")
    if rows:
        before = int(tracks.has_comparable_features.sum())
        tracks = tracks.fill(responses.catalogue(rows, who))
        notes.append(f"features of {int(tracks.has_comparable_features.sum()) - before:,} tracks from {who}")
    return tracks, notes


def join(tracks: Catalogue, own: Catalogue) -> Catalogue:
    """The same tracks with the features, key and tempo that the other catalogue has for them.

    Matched by `disco.catalogue.same_recording` among the tracks that have features. A track that has its eight
    features already keeps all that it has.
    """
    known = own.take(np.flatnonzero(own.has_comparable_features))
    match = Recordings(known).find_tracks(tracks)
    match[tracks.has_comparable_features] = -1
    there = match >= 0
    if not there.any():
        return tracks
    taken = pa.array(np.where(there, match, 0), mask=~there)
    table, mask = tracks.table, pa.array(there)
    for name in (*MEASURED, *BESIDE):
        theirs, ours = known.table[name].combine_chunks().take(taken), table[name].combine_chunks()
        # The features go together; what stands beside them may be known to either.
        column = pc.if_else(mask, theirs, ours) if name in MEASURED else pc.coalesce(theirs, ours)
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return Catalogue(table.cast(tracks.table.schema), tracks.where, tracks.notes)
