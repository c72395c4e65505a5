"""ReccoBeats: audio features by Spotify id from a free service of unknown owners, used only on request.

It publishes neither terms nor limits, and its numbers look like a copy of those that Spotify gave until 2024, by
whose names and scales they come; so they count as the feature set `spotify`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from disco.sources.services import spotify_values
from disco.sources.services.http import MAX_SILENT_WAIT_S, Refused, Service, ServiceError, ask, service

URL = "https://api.reccobeats.com/v1"
SEEDS = 5  # of a recommendation
AT_ONCE = 40  # ids of a call; the service silently drops more
DATA_NOTICE = (
    "ReccoBeats is asked for features: it receives the Spotify ids of these tracks and nothing about you; nobody "
    "vouches for its numbers"
)


class ReccoBeatsError(ServiceError):
    """An answer of ReccoBeats that cannot be used; the sentence begins with its name."""

    def __init__(self, what: str) -> None:
        super().__init__(f"ReccoBeats: {what}")


def features(ids: Sequence[str]) -> list[dict[str, Any]]:
    """Features of at most 40 Spotify ids as rows of `SCHEMA`'s names; unknown ones are left out.

    Raises
    ------
    ServiceError
        If it cannot be reached, accepts no request now, or its answer cannot be read.
    """
    asked = list(ids[:AT_ONCE])
    answer = ask(_service(), "audio-features", [("ids", ",".join(asked))], cached=False)
    content = answer.get("content") if isinstance(answer, dict) else None
    if not isinstance(content, list):
        raise ReccoBeatsError("its answer cannot be read; try again later")
    rows = []
    for one in content:
        # Its order is its own, and its `id` another: the Spotify id is the end of `href`.
        where = one.get("href") if isinstance(one, dict) else None
        track_id = where.rpartition("/")[2] if isinstance(where, str) else ""
        if track_id in asked:
            rows.append({"track_id": track_id, **spotify_values.measured(one)})
    return rows


def recommended(seeds: Sequence[str], size: int = 100) -> list[dict[str, Any]]:
    """Tracks that it recommends for at most five Spotify ids, the best first; [] where it knows none of them.

    Returns
    -------
    list of dict
        `track_id` (Spotify's, by `href`; "" if it names none), `isrc`, `title` and `artists`.

    Raises
    ------
    ServiceError
        If it cannot be reached, accepts no request now, or its answer cannot be read.
    """
    # A recommender that waits a minute in the middle of a command is worse than one that says so.
    impatient = replace(_service(), max_wait_s=MAX_SILENT_WAIT_S)
    try:
        answer = ask(impatient, "track/recommendation", [("size", str(size)), ("seeds", ",".join(seeds[:SEEDS]))])
    except Refused as error:
        if error.status in (400, 404):
            return []
        raise
    content = answer.get("content") if isinstance(answer, dict) else None
    if not isinstance(content, list):
        raise ReccoBeatsError("its answer cannot be read; try again later")
    rows = []
    for one in content:
        if isinstance(one, dict):
            where, artists = one.get("href"), one.get("artists")
            artists = artists if isinstance(artists, list) else []
            names = [artist.get("name") for artist in artists if isinstance(artist, dict)]
            rows.append(
                {
                    "track_id": where.rpartition("/")[2] if isinstance(where, str) else "",
                    "isrc": _text(one.get("isrc")),
                    "title": _text(one.get("trackTitle")),
                    "artists": [name for name in names if isinstance(name, str)],
                }
            )
    return rows


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _service() -> Service:
    # Waits of up to a minute are worth it: its limits are unpublished, and short.
    return service("ReccoBeats", "DISCO_RECCOBEATS", URL, max_wait_s=60.0)
