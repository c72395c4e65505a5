"""ReccoBeats: audio features by Spotify id, from a free service of unknown owners; asked only when the user says so.

It publishes neither terms nor limits, and its numbers look like a copy of those that Spotify gave until 2024, by
whose names and scales they come; so they count as the feature set `spotify`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from disco.errors import DiscoError
from disco.sources.services import spotify_values
from disco.sources.services.http import Refused, ask, service

URL = "https://api.reccobeats.com/v1"
SEEDS = 5  # of a recommendation
AT_ONCE = 40  # ids of a call; more are dropped without a word
# Waited for at most; the service says no more of its limits than this header.
SHORT_S = 60
TRIES = 3
TIMEOUT_S = (10, 30)
DATA_NOTICE = (
    "ReccoBeats is asked for features: it is told the Spotify ids of these tracks and nothing of you; nobody vouches "
    "for its numbers"
)


class ReccoBeatsError(DiscoError):
    """ReccoBeats cannot be asked; begins with its name."""

    def __init__(self, what: str) -> None:
        super().__init__(f"ReccoBeats: {what}")


def features(ids: Sequence[str]) -> list[dict[str, Any]]:
    """Features of at most 40 Spotify ids as rows of `SCHEMA`'s names; unknown ones are left out.

    Raises
    ------
    ReccoBeatsError
        If it cannot be reached, wants to be left alone, or answers nonsense.
    """
    asked = list(ids[:AT_ONCE])
    said = _get("audio-features", {"ids": ",".join(asked)})
    content = said.get("content") if isinstance(said, dict) else None
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
    DiscoError
        As `asking.ask`, or if the answer is nonsense.
    """
    whom = service("ReccoBeats", "DISCO_RECCOBEATS", URL)
    try:
        said = ask(whom, "track/recommendation", [("size", str(size)), ("seeds", ",".join(seeds[:SEEDS]))])
    except Refused as error:
        if error.status in (400, 404):
            return []
        raise
    content = said.get("content") if isinstance(said, dict) else None
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


def _text(said: Any) -> str:
    return said if isinstance(said, str) else ""


def _get(what: str, query: dict[str, str]) -> Any:
    import requests

    url = os.environ.get("DISCO_RECCOBEATS", URL).rstrip("/")
    if urlsplit(url).scheme != "https" and urlsplit(url).hostname != "127.0.0.1":
        raise DiscoError(f"{url}: asked over https alone; change DISCO_RECCOBEATS")
    trouble = "cannot be reached; try again later, or leave it out"
    for i in range(TRIES):
        try:
            answer = requests.get(f"{url}/{what}", query, timeout=TIMEOUT_S, allow_redirects=False)
            if answer.status_code == 200:
                return answer.json()
        except (requests.RequestException, ValueError, RecursionError):
            time.sleep(i + 1)
            continue
        seconds = answer.headers.get("Retry-After", "")
        if answer.status_code == 429 and seconds.isdecimal() and int(seconds) <= SHORT_S:
            trouble = "asks again and again to wait; try again later"
            time.sleep(int(seconds))
        elif answer.status_code >= 500:
            trouble = f"has a fault of its own ({answer.status_code}); try again later"
            time.sleep(i + 1)
        else:
            raise ReccoBeatsError(f"refuses ({answer.status_code}); try again later, or leave it out")
    raise ReccoBeatsError(trouble)
