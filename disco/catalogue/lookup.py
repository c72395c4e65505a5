"""Find the tracks that a person means by free text, an id or a link."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from disco.catalogue.search import ENOUGH, Match
from disco.catalogue.text import LONGEST, TRACK_LINK, clean_text, printable
from disco.errors import NotFoundError

log = logging.getLogger(__name__)

Rows = NDArray[np.intp]
# So many matches are looked at, to tell songs from their versions.
_CONSIDERED = 50
# A match below this, or so near to the next song, is ambiguous.
_CERTAIN, _CLOSE = 0.9, 0.01
# Characters of a name in a message.
_SHOWN = 200


class _Searchable(Protocol):
    """What is needed of a `Catalogue`."""

    @property
    def where(self) -> str: ...
    def rows(self, ids: Sequence[str]) -> Rows: ...
    def tracks(self, rows: Rows | None = None, names: Sequence[str] = ()) -> list[dict[str, Any]]: ...
    def song_key(self, row: int) -> str: ...
    def search(self, text: str, n: int = 5) -> list[Match]: ...


# Picks one of several matches of a text, best first; returns its row.
Choose = Callable[[Any, str, Sequence[Match]], int]


def find(catalogue: _Searchable, text: str, choose: Choose | None = None) -> int:
    """Row of the track that a text means: an id, a Spotify link or URI, or words of its title and artist.

    An ambiguous match is logged, with the songs that it could also be.

    Parameters
    ----------
    catalogue : Catalogue
    text : str
        Words may come in any order and be roughly spelt.
    choose : callable, optional
        Called with the catalogue, the text and the matches of up to nine songs, best first, where there are several;
        returns the row of one. The best is taken by default.

    Returns
    -------
    int

    Raises
    ------
    NotFoundError
        If nothing is near enough; the message names the nearest five.

    Examples
    --------
    >>> from disco.catalogue import Catalogue
    >>> songs = Catalogue.from_tracks([{"track_id": "a", "title": "Night Bus", "artists": ["Mira Vale"]}])
    >>> find(songs, "mira night bus")
    0
    """
    if len(text) > LONGEST:
        raise NotFoundError(
            f"{text[:40]!r}... has {len(text):,} characters; a track's name or id has {LONGEST:,} at most"
        )
    text = clean_text(text)  # a terminal may pass what is no UTF-8
    try:
        return int(catalogue.rows([as_id(text)])[0])
    except NotFoundError:
        if re.fullmatch(TRACK_LINK, text.strip()):
            raise
    matches = catalogue.search(text, _CONSIDERED)
    if not matches or matches[0].score < ENOUGH:
        nearest = "; ".join(f"{name!r}" for name in _names(catalogue, matches)[:5])
        hint = f"; the nearest are {nearest}" if nearest else ""
        raise NotFoundError(f"no track found for {text!r} in {catalogue.where or 'the catalogue'}{hint}")
    songs = _best_of_each_song(catalogue, matches)
    best, others = songs[0], [m for m in songs[1:] if m.score >= ENOUGH][:4]
    if choose and len(songs) > 1:
        return choose(catalogue, text, songs[:9])
    close = any(other.score > best.score - _CLOSE for other in others)
    if not best.exact or best.score < _CERTAIN or close:
        names = _names(catalogue, [best, *others])
        also = f"; it could also be {'; '.join(map(repr, names[1:]))}" if others else ""
        log.info("%s", f"asked for {text!r}, took {names[0]!r}{also} (--interactive asks)")
    return best.row


def as_id(text: str) -> str:
    """The id that a text would be, alone or in a link.

    Examples
    --------
    >>> as_id(" spotify:track:4uLU6hMCjMI75M1A2tKUQC")
    '4uLU6hMCjMI75M1A2tKUQC'
    """
    text = text.encode(errors="replace").decode().strip()
    link = re.fullmatch(TRACK_LINK, text)
    return link[1] if link else text


def track_name(track: Mapping[str, Any]) -> str:
    """Title and artists of a track as one printable line; its id if it has no title.

    Parameters
    ----------
    track : mapping
        Values of a row by the names of `SCHEMA`.

    Examples
    --------
    >>> track_name({"track_id": "a", "title": "Night Bus", "artists": ["Mira Vale", "Bo"]})
    'Night Bus by Mira Vale, Bo'
    """
    title = printable(track["title"]) or printable(track["track_id"])
    artists = printable(", ".join(track["artists"] or []))
    return f"{title} by {artists}" if artists else title


def _best_of_each_song(catalogue: _Searchable, matches: Sequence[Match]) -> list[Match]:
    songs: dict[str, Match] = {}
    for match in matches:
        songs.setdefault(catalogue.song_key(match.row) or str(match.row), match)
    return list(songs.values())


def _names(catalogue: _Searchable, matches: Sequence[Match]) -> list[str]:
    rows = np.array([match.row for match in matches], dtype=np.intp)
    tracks = catalogue.tracks(rows, ("track_id", "title", "artists"))
    return list(dict.fromkeys(track_name(track)[:_SHOWN] for track in tracks))
