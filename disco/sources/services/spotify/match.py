"""Spotify ids of tracks of any catalogue: their own, or found by ISRC."""

from __future__ import annotations

from disco.catalogue import Catalogue
from disco.sources.services.spotify.client import Client
from disco.sources.services.spotify.responses import ID


def find_ids(client: Client, tracks: Catalogue) -> list[str | None]:
    """Find the Spotify id of each track.

    Parameters
    ----------
    client : Client
    tracks : Catalogue

    Returns
    -------
    list of str or None
        In the order of `tracks`: the track's own id where it is a Spotify id, else that of the first track which a
        search for its ISRC finds, else None.

    Raises
    ------
    SpotifyError
        If Spotify cannot be asked.
    """
    return [_find_id(client, **row) for row in tracks.table.select(["track_id", "isrc"]).to_pylist()]


def _find_id(client: Client, track_id: str, isrc: str | None) -> str | None:
    if ID.fullmatch(track_id):
        return track_id
    code = (isrc or "").replace("-", "").upper()
    if not code.isalnum():
        return None
    return next((row["track_id"] for row in client.search(f"isrc:{code}") if row["isrc"] == code), None)
