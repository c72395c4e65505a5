"""Playlists created on Spotify or on a Navidrome server."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from disco.catalogue import Catalogue, lookup
from disco.playlist.playlist import Playlist

log = logging.getLogger(__name__)
# The services on which a playlist can be created.
SERVICES = ("spotify", "navidrome")
# So many unmatched tracks are named in a message.
_NAMED = 3


def upload(playlists: Sequence[Playlist], to: str) -> list[str]:
    """Create private playlists on a service.

    Tracks that the service does not have are left out and named in a log message. An upload that was interrupted is
    resumed by uploading the same playlist again.

    Parameters
    ----------
    playlists : sequence of Playlist
        Alternatives after the first get a number at the end of their name.
    to : str
        One of `SERVICES`.

    Returns
    -------
    list of str
        The address of each playlist.

    Raises
    ------
    DiscoError
        If nobody is logged in, the service cannot be reached or refuses.
    """
    names = [f"{playlist.name} ({i})" if i > 1 else playlist.name for i, playlist in enumerate(playlists, start=1)]
    send = {"spotify": _to_spotify, "navidrome": _to_navidrome}[to]
    return send(names, [playlist.tracks for playlist in playlists])


def _to_spotify(names: Sequence[str], tracks: Sequence[Catalogue]) -> list[str]:
    from disco.sources.services.spotify import TERMS, match
    from disco.sources.services.spotify import upload as spotify
    from disco.sources.services.spotify.client import connect

    client = connect()
    log.info(TERMS)
    addresses = []
    for name, each in zip(names, tracks, strict=True):
        ids = match.find_ids(client, each)
        _log_unmatched(each, ids, "have no id or ISRC that Spotify knows")
        addresses.append(spotify.write(client, name, [one for one in ids if one]))
    return addresses


def _to_navidrome(names: Sequence[str], tracks: Sequence[Catalogue]) -> list[str]:
    from disco.sources.services.navidrome import match
    from disco.sources.services.navidrome import upload as navidrome
    from disco.sources.services.navidrome.client import Client, login

    client = Client(login())
    if client.unencrypted:
        log.warning("%s is reached without encryption: anyone on the network can read the login", client.login.url)
    addresses = []
    for name, each in zip(names, tracks, strict=True):
        ids = match.find_ids(client, each)
        _log_unmatched(each, ids, "are not on the server")
        addresses.append(navidrome.write(client, name, [one for one in ids if one]))
    return addresses


def _log_unmatched(tracks: Catalogue, ids: Sequence[str | None], why: str) -> None:
    unmatched = np.array([i for i, one in enumerate(ids) if one is None], dtype=np.intp)
    if len(unmatched):
        few = "; ".join(map(lookup.track_name, tracks.tracks(unmatched[:_NAMED])))
        log.info("%s", f"{len(unmatched)} tracks left out, which {why}: {few}{'; ...' * (len(unmatched) > _NAMED)}")
