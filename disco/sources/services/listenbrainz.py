"""ListenBrainz: recordings that people hear together with others; MusicBrainz names the recording of an ISRC.

Both are asked only when the user says so, without an account. Their core data is in the public domain (CC0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from disco.errors import DiscoError
from disco.sources.services.http import Refused, Service, ask, service

# Which recordings count as played together: sessions of 9,000 days, a pause of 300 s ends one, the 50 nearest.
ALGORITHM = "session_based_days_9000_session_300_contribution_5_threshold_15_limit_50_skip_30"
# Recordings of one question for Spotify's ids.
AT_ONCE = 50
# MusicBrainz asks for no more than a question a second.
PAUSE_S = 1.1


@dataclass(frozen=True)
class Similar:
    """A recording that is played together with those asked for; a higher score is nearer."""

    mbid: str
    title: str
    artist: str
    score: float


def recordings(isrc: str | None, artist: str | None, title: str | None) -> list[str]:
    """MusicBrainz' ids of a track: of its ISRC, or else of its artist and title; [] if it is not known.

    Raises
    ------
    DiscoError
        If a service cannot be asked.
    """
    code = (isrc or "").replace("-", "").upper()
    if code.isascii() and code.isalnum() and len(code) == 12:
        query = [("fmt", "json")]
        answer = _known(_musicbrainz(), f"ws/2/isrc/{quote(code)}", query)
        found = [one.get("id") for one in _dicts(answer.get("recordings") if isinstance(answer, dict) else None)]
        if ids := [one for one in found if isinstance(one, str) and one]:
            return ids
    if not (artist or "").strip() or not (title or "").strip():
        return []
    named = [("artist_name", artist or ""), ("recording_name", title or "")]
    answer = _known(_listenbrainz(), "1/metadata/lookup/", named)
    mbid = answer.get("recording_mbid") if isinstance(answer, dict) else None
    return [mbid] if isinstance(mbid, str) and mbid else []


def similar(mbids: Sequence[str]) -> list[Similar]:
    """At most 100 recordings played together with these, the best first."""
    answer = ask(_labs(), "similar-recordings/json", [("recording_mbids", ",".join(mbids)), ("algorithm", ALGORITHM)])
    found: dict[str, Similar] = {}
    for row in _list(answer):
        mbid, score = row.get("recording_mbid"), row.get("score")
        if isinstance(mbid, str) and isinstance(score, int | float) and mbid not in mbids:
            one = Similar(mbid, _text(row, "recording_name"), _text(row, "artist_credit_name"), float(score))
            if mbid not in found or one.score > found[mbid].score:
                found[mbid] = one
    return sorted(found.values(), key=lambda one: -one.score)


def spotify_ids(mbids: Sequence[str]) -> dict[str, list[str]]:
    """Spotify's ids of recordings; those that have none are left out."""
    found: dict[str, list[str]] = {}
    for start in range(0, len(mbids), AT_ONCE):
        asked = [{"recording_mbid": one} for one in mbids[start : start + AT_ONCE]]
        for row in _list(ask(_labs(), "spotify-id-from-mbid/json", rows=asked)):
            ids, mbid = row.get("spotify_track_ids"), row.get("recording_mbid")
            if isinstance(mbid, str) and isinstance(ids, list):
                found[mbid] = [one for one in ids if isinstance(one, str)]
    return found


def _known(whom: Service, path: str, query: list[tuple[str, str]]) -> Any:
    """The answer, {} where the service says that it knows no such thing."""
    try:
        return ask(whom, path, query)
    except Refused as error:
        if error.status in (400, 404):
            return {}
        raise


def _listenbrainz() -> Service:
    return service("ListenBrainz", "DISCO_LISTENBRAINZ", "https://api.listenbrainz.org")


def _labs() -> Service:
    return service("ListenBrainz' labs", "DISCO_LISTENBRAINZ_LABS", "https://labs.api.listenbrainz.org")


def _musicbrainz() -> Service:
    return service("MusicBrainz", "DISCO_MUSICBRAINZ", "https://musicbrainz.org", PAUSE_S)


def _list(answer: Any) -> list[dict[str, Any]]:
    if not isinstance(answer, list):
        raise DiscoError("ListenBrainz' labs: its answer cannot be read; try again later")
    return _dicts(answer)


def _dicts(answer: Any) -> list[dict[str, Any]]:
    return [one for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []


def _text(row: dict[str, Any], name: str) -> str:
    return row[name] if isinstance(row.get(name), str) else ""
