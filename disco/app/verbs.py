"""What other programs ask for, over HTTP or MCP: four verbs, each one call of the library."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field, create_model

import disco
from disco.app.play import Music
from disco.app.requests import CLOSED, Text, checked, request_of, several
from disco.catalogue import FEATURES, Catalogue
from disco.catalogue.key_names import parse_key
from disco.catalogue.search import ENOUGH
from disco.errors import DiscoError
from disco.playlist.playlist import key_name
from disco.sources.tracklist import Entry, Tracklist

_MOST_SEEDS = 100
_MOST_NOTES = 20
# Where it is logged which track was taken for a text that could mean several.
_GUESSES = "disco.catalogue.lookup"
_SHARES = tuple(name for name in FEATURES if name != "loudness")
# A track of a list that brings values of its own, by the names of `--json`; one that is left out is unknown.
_LIMITS: dict[str, Any] = {
    **dict.fromkeys(("id", "title", "artist", "album", "genre", "isrc"), Text),
    "key": Annotated[int, Field(ge=0, le=11, description="0-11 with C = 0, beside `mode`")]
    | Annotated[Text, Field(description="in any spelling, as 8A or Am")],
    "mode": Annotated[int, Field(ge=0, le=1, description="1 major, 0 minor")],
    "tempo_bpm": Annotated[float, Field(ge=10, le=1000)],
    "duration_ms": Annotated[int, Field(ge=0, le=10**9)],
    **dict.fromkeys(_SHARES, Annotated[float, Field(ge=0, le=1)]),
    "loudness": Annotated[float, Field(ge=-60, le=20, description="in dB")],
}
_FIELDS: dict[str, Any] = {name: (kind | None, None) for name, kind in _LIMITS.items()}
_OwnTrack: Any = create_model("Track", __config__=CLOSED, **_FIELDS)


@dataclass(frozen=True)
class Verb:
    """Something that can be asked for.

    Attributes
    ----------
    name : str
        Of the tool.
    path : str
        Of its address.
    does : str
        In one sentence.
    request : type
        Its fields.
    """

    name: str
    path: str
    does: str
    request: type[BaseModel]
    _answer: Callable[..., dict[str, Any]]

    def answer(self, music: Music, sent: object) -> dict[str, Any]:
        """The object of `--json`, and `notes`: what was not found, guessed, or left out.

        Raises
        ------
        DiscoError
            With what is wrong with the request, or why there is no answer.

        Examples
        --------
        >>> from disco.app.play import music_of
        >>> made = VERBS[0].answer(music_of(disco.open()), {"seeds": ["demo-00001"], "length": 2})
        >>> [track["position"] for track in made["tracks"]], type(made["notes"])
        ([1, 2, 3], <class 'list'>)
        """
        wished = checked(self.request, sent)
        values = {name: getattr(wished, name) for name in wished.model_fields_set}
        with _Guesses() as guesses:
            answer = self._answer(music, **values)
        answer["notes"] = [*guesses.added, *answer["notes"]][:_MOST_NOTES]
        return answer


def _make_playlist(music: Music, seeds: list[str] | None = None, **wished: Any) -> dict[str, Any]:
    if not seeds and not wished.get("title", "").strip():
        raise DiscoError("name a song or two in seeds, or give a title")
    made = disco.make(
        music.catalogue, seeds or (), **wished, recommender=music.recommender, predictor=music.predictor
    )
    return {**made.to_dict(), "notes": list(made.notes)}


def _order_playlist(music: Music, tracks: list[Any], **wished: Any) -> dict[str, Any]:
    ordered = disco.reorder(music.catalogue, _tracklist(tracks), **wished)
    return {**ordered.to_dict(), "notes": list(ordered.notes)}


def _tracklist(tracks: list[Any]) -> Tracklist:
    """A list as one that was read from a file, with the values that it brings."""
    entries, rows = [], []
    for track in tracks:
        known: dict[str, Any] = {}
        if isinstance(track, str):
            entry = Entry(track, text=track)
        else:
            known = track.model_dump(exclude_none=True)
            names = {name: known.pop(name, None) for name in ("id", "title", "artist", "album", "isrc")}
            entry = Entry(**names)
            if not entry.id and not entry.name:
                raise DiscoError("an entry of tracks has neither id nor title")
            known |= {"album": names["album"], "isrc": names["isrc"]}
            known["genres"] = [known.pop("genre")] if "genre" in known else None
            if isinstance(known.get("key"), str):
                key = parse_key(known["key"])
                if key is None:
                    raise DiscoError(
                        f"{known['key'][:20]!r} is no key; write it as 8A, Am or 1m, or 0-11 with a mode"
                    )
                known["key"], known["mode"] = key
        entries.append(entry)
        rows.append(known)
    tracklist = Tracklist("", entries)
    for row, track_id, (title, artist) in zip(rows, tracklist.ids, tracklist.credits, strict=True):
        row |= {"track_id": track_id, "title": title, "artists": [artist] if artist else None}
    return replace(tracklist, tracks=Catalogue.from_tracks(rows, "the list"))


def _next_tracks(music: Music, tracks: list[str], **wished: Any) -> dict[str, Any]:
    found = disco.next_tracks(
        music.catalogue, tracks, **wished, recommender=music.recommender, predictor=music.predictor
    )
    return {**found.to_dict(), "notes": list(found.notes)}


def _search_tracks(music: Music, text: str, *, n: int = 10) -> dict[str, Any]:
    """Find tracks.

    Parameters
    ----------
    text : str
    n : int
        Number of tracks to find.
    """
    matches = [match for match in music.catalogue.search(" ".join(text.split()), n) if match.score >= ENOUGH]
    tracks = music.catalogue.tracks(np.array([match.row for match in matches], dtype=np.intp))
    found = [
        {
            "position": i + 1,
            "id": track["track_id"],
            "title": track["title"],
            "artist": ", ".join(track["artists"] or []) or None,
            "album": track["album"],
            "genres": track["genres"] or [],
            "camelot": key_name(track),
            "key": track["key"],
            "mode": track["mode"],
            "tempo_bpm": _rounded(track["tempo_bpm"], 2),
            "energy": _rounded(track["energy"], 3),
            "duration_ms": track["duration_ms"],
            "score": round(float(match.score), 3),
        }
        for i, (track, match) in enumerate(zip(tracks, matches, strict=True))
    ]
    notes = [] if found else [f"nothing is found for {text[:80]!r} in {music.catalogue.where}"]
    return {"tracks": found, "notes": notes}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(float(value), digits)


class _Guesses(logging.Handler):
    """While it is used: which tracks were taken for texts that could mean several, in this thread alone."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.added: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.added.append(record.getMessage().removesuffix(" (--interactive asks)"))

    def __enter__(self) -> _Guesses:
        logging.getLogger(_GUESSES).addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger(_GUESSES).removeHandler(self)


_SEEDS = "tracks to begin with: title and artist in any order and roughly spelt, ids, or Spotify links"
_LIST = "the tracks of the playlist: ids, or `artist - title`, or objects with what is known of each"
_LAST = "the track that was played last; of several, the last of them, after the others"
VERBS = (
    Verb(
        "make_playlist",
        "playlists",
        "Make a playlist that begins with the seeds and flows on from them, in key and tempo.",
        request_of("PlaylistRequest", disco.make, seeds=(several(Text, _MOST_SEEDS) | None, _SEEDS)),
        _make_playlist,
    ),
    Verb(
        "order_playlist",
        "order",
        "Put the tracks of a playlist into the order in which they flow best.",
        request_of("OrderRequest", disco.reorder, tracks=(several(Text | _OwnTrack), _LIST)),
        _order_playlist,
    ),
    Verb(
        "search_tracks",
        "search",
        "Find tracks of the catalogue by words of title and artist, in any order and roughly spelt.",
        request_of("SearchRequest", _search_tracks, text=(Text, "what to search for")),
        _search_tracks,
    ),
    Verb(
        "next_tracks",
        "next",
        "List what goes well after a track, best first, each with its reasons.",
        request_of("NextRequest", disco.next_tracks, tracks=(several(Text, _MOST_SEEDS), _LAST)),
        _next_tracks,
    ),
)
