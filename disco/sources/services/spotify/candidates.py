"""Candidates from Spotify for a few seeds: the published way where the app still has it, else the user's own library.

The published notebook searches three tracks, asks for recommendations and then for their audio features. An app of
2026 may only search; its candidates are what the user has, in the library and in tables.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from disco.catalogue import Catalogue, lookup
from disco.catalogue.text import TRACK_LINK
from disco.errors import DiscoError, NotFoundError
from disco.sources.services import spotify_values
from disco.sources.services.spotify import features, library, responses
from disco.sources.services.spotify.client import RECOMMENDED_AT_ONCE, SEEDS_AT_ONCE, Client
from disco.sources.services.spotify.errors import Withheld

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gathered:
    """Tracks to choose from, the seeds among them, and the ids of the seeds in the order they were asked for."""

    tracks: Catalogue
    seeds: list[str]


def gather(
    client: Client,
    asked: Sequence[str],
    choose: lookup.Choose | None = None,
    candidates: int = 400,
    own: Catalogue | None = None,
    recco: bool = False,
) -> Gathered:
    """Find the seeds on Spotify, and tracks that could follow them, with what features there are.

    Parameters
    ----------
    asked : sequence of str
        Words of title and artist, ids, URIs or links.
    choose : callable, optional
        Picks one of the tracks that a text finds; the best match by default.
    candidates : int
        How many recommendations to ask for; 100 come with a call.
    own : Catalogue, optional
        Tables of the user's: they lend features, and are candidates where Spotify recommends nothing.
    recco : bool
        Ask ReccoBeats for features that are nowhere else.

    Raises
    ------
    DiscoError
        If a seed is not found, or there is nothing to choose from.
    """
    found = [_seed(client, text, choose) for text in asked]
    try:
        rows = _recommended(client, [row["track_id"] for row in found], candidates)
        where = "Spotify's recommendations"
        tracks = features.fill(responses.catalogue(found + rows, where), own, client, recco)
    except Withheld:
        where = "your Spotify library"
        tracks = _without(responses.catalogue(found, where), own, client, recco)
    return Gathered(Catalogue(tracks.table, where, tracks.notes), [row["track_id"] for row in found])


def _without(seeds: Catalogue, own: Catalogue | None, client: Client, recco: bool) -> Catalogue:
    """Candidates for an app that gets no recommendations: the user's own."""
    try:
        mine = library.read().tracks
    except NotFoundError:
        mine = None
    if mine is None and own is None:
        raise DiscoError(
            "Spotify recommends nothing to apps like this one; run `disco spotify sync` to choose from your library, "
            "or name tables of tracks with --catalogue"
        )
    tracks = seeds if mine is None else responses.joined([seeds, mine])
    # The seeds matter most; a whole library is asked for once, by `sync`, which keeps it.
    filled = features.fill(seeds, own, client, recco)
    tracks = responses.joined([filled, tracks])
    if own is not None:
        tracks = responses.joined([features.join(tracks, own), own])
    note = f"Spotify recommends nothing to this app: {len(tracks):,} tracks of your own to choose from"
    return Catalogue(tracks.table, "", (note, *filled.notes))


def _seed(client: Client, text: str, choose: lookup.Choose | None) -> spotify_values.Row:
    link = re.fullmatch(TRACK_LINK, text.strip())
    track_id = link[1] if link else text.strip()
    if responses.ID.fullmatch(track_id):
        return client.track(track_id)
    if not text.strip():
        raise NotFoundError("a seed is empty; write a title and an artist, or a link")
    rows = client.search(text)
    if not rows:
        raise NotFoundError(f"Spotify finds no track for {text!r}")
    found = responses.catalogue(rows, "Spotify's search")
    try:
        chosen = int(found.find(text, choose=choose)[0])
    except NotFoundError:  # Spotify's search is more tolerant than ours
        chosen = 0
        name = lookup.track_name(found.tracks(np.array([0]))[0])
        log.warning("%s", f"asked for {text!r}, took the first result of Spotify's search, {name!r}")
    track_id = found.ids(np.array([chosen]))[0]
    return next(row for row in rows if row["track_id"] == track_id)


def _recommended(client: Client, seeds: list[str], n: int) -> list[spotify_values.Row]:
    """At most n recommendations: to all seeds, then to each alone, since one call gives a hundred at most."""
    unique = list(dict.fromkeys(seeds))
    several = [unique[:SEEDS_AT_ONCE], *([one] for one in unique if len(unique) > 1)]
    rows: dict[str, spotify_values.Row] = {}
    for few in several:
        if len(rows) < n:
            for row in client.recommended(few, min(RECOMMENDED_AT_ONCE, n)):
                rows.setdefault(row["track_id"], row)
    return [row for row in rows.values() if row["track_id"] not in unique][:n]
