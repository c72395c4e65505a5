"""What the doors ask of services: candidates that Spotify has for seeds, and playlists made there or on Navidrome."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from disco.catalogue import Catalogue, lookup
from disco.cli import console
from disco.errors import NotFoundError
from disco.playlist.playlist import Playlist
from disco.sources.services import reccobeats
from disco.sources.services.spotify import candidates as gather
from disco.sources.services.spotify import responses, upload
from disco.sources.services.spotify.client import Client, connect

TERMS = (
    "Spotify's terms: tracks may be put in order, not mixed or faded into one another; its content must not go into "
    "learned models (--predictor mean --recommender nearest uses none)"
)


def candidates(arguments: argparse.Namespace, own: Catalogue | None) -> tuple[Catalogue, list[str]]:
    """Tracks that Spotify has for the seeds, and the seeds' ids; `own` is the catalogue of the user's tables."""
    say = _say(arguments.quiet)
    say(TERMS)
    recco = arguments.features_from == "reccobeats"
    if recco:
        say(reccobeats.TOLD)

    def choose(text: str, found: Catalogue) -> str:
        try:
            rows = lookup.find_seeds(found, [text], console.ask if arguments.interactive else None)
        except NotFoundError:  # Spotify forgives more than the search here: its first is taken, and told
            rows = np.array([0])
            say(f"asked for {text!r}, took Spotify's first, {lookup.track_name(found.tracks(rows)[0])!r}")
        return found.ids(rows)[0]

    gathered = gather.gather(connect(say), arguments.seeds, choose, arguments.candidates, own, recco, say)
    for note in gathered.tracks.notes:
        say(note)
    return gathered.tracks, gathered.seeds


def send(to: str, playlists: Sequence[Playlist], quiet: bool) -> list[str]:
    """Make playlists at a place of `options.SERVICES`, and return their addresses; tracks that it lacks are told."""
    return {"spotify": _to_spotify, "navidrome": _to_navidrome}[to](playlists, _say(quiet))


def _to_navidrome(playlists: Sequence[Playlist], say: Callable[[str], object]) -> list[str]:
    from disco.sources.services.navidrome import client as server
    from disco.sources.services.navidrome import match
    from disco.sources.services.navidrome import upload as lists

    client = server.Client(server.login())
    if client.in_the_clear:
        say(f"{client.who.url} is asked without encryption: who listens on the way can log in as you")
    addresses = []
    for name, playlist in zip(_names(playlists), playlists, strict=True):
        tracks = playlist.tracks.table.to_pylist()
        found = [match.find(client, track) for track in tracks]
        _tell_missing([track for track, own in zip(tracks, found, strict=True) if own is None], "on the server", say)
        addresses.append(lists.write(client, name, [own for own in found if own], say))
    return addresses


def _to_spotify(playlists: Sequence[Playlist], say: Callable[[str], object]) -> list[str]:
    client = connect(say)
    say(TERMS)
    addresses = []
    for name, playlist in zip(_names(playlists), playlists, strict=True):
        addresses.append(upload.write(client, name, _on_spotify(client, playlist.tracks, say), say))
    return addresses


def _names(playlists: Sequence[Playlist]) -> list[str]:
    """Names of alternatives, the first without a number."""
    return [f"{playlist.name} ({i})" if i > 1 else playlist.name for i, playlist in enumerate(playlists, start=1)]


def _tell_missing(tracks: Sequence[dict[str, Any]], where: str, say: Callable[[str], object]) -> None:
    if tracks:
        few = "; ".join(map(lookup.track_name, tracks[:3])) + ("; ..." if len(tracks) > 3 else "")
        say(f"{len(tracks)} tracks left out, which are not {where}: {few}")


def _on_spotify(client: Client, tracks: Catalogue, say: Callable[[str], object]) -> list[str]:
    """Spotify's ids of tracks: their own, or found by ISRC; the others are told."""
    found, missing = [], []
    for i, track in enumerate(tracks.table.select(["track_id", "isrc"]).to_pylist()):
        if responses.ID.fullmatch(track["track_id"]):
            found.append(track["track_id"])
            continue
        isrc = (track["isrc"] or "").replace("-", "").upper()
        same = [row for row in client.search(f"isrc:{isrc}") if row["isrc"] == isrc] if isrc.isalnum() else []
        if same:
            found.append(same[0]["track_id"])
        else:
            missing.append(lookup.track_name(tracks.tracks(np.array([i]))[0]))
    if missing:
        few = "; ".join(missing[:3]) + ("; ..." if len(missing) > 3 else "")
        say(f"{len(missing)} tracks left out, which have no id or ISRC that Spotify knows: {few}")
    return found


def _say(quiet: bool) -> Callable[[str], object]:
    return (lambda text: None) if quiet else console.say
