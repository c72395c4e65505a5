"""Spotify ids of tracks of any catalogue: their own, or found by ISRC."""

from __future__ import annotations

from disco.catalogue import Catalogue
from disco.catalogue.same_recording import same_recording
from disco.catalogue.text import fold_isrcs
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
    codes = fold_isrcs(tracks.table["isrc"].combine_chunks()).to_pylist()
    return [_find_id(client, *track) for track in zip(tracks.table["track_id"].to_pylist(), codes, strict=True)]


def _find_id(client: Client, track_id: str, isrc: str | None) -> str | None:
    if ID.fullmatch(track_id):
        return track_id
    rows = client.search(f"isrc:{isrc}") if isrc else []
    return next((row["track_id"] for row in rows if same_recording({"isrc": isrc}, {"isrc": row["isrc"]})), None)
