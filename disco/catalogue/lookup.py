"""Tracks from what a person types: free text, ids and links."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from disco.catalogue import Catalogue, Match, Rows
from disco.catalogue.search import ENOUGH
from disco.catalogue.text import TRACK_LINK, printable
from disco.errors import NotFoundError

log = logging.getLogger(__name__)
# Picks one of several matches of a text: catalogue, text, matches (best first) to a row.
Choose = Callable[[Catalogue, str, Sequence[Match]], int]


def find_seeds(catalogue: Catalogue, asked: Sequence[str], choose: Choose | None = None) -> Rows:
    """Rows of the tracks that texts, ids, URIs or links mean; ambiguous matches are logged.

    Parameters
    ----------
    catalogue : Catalogue
    asked : sequence of str
    choose : callable, optional
        Picks one of several matches of a text, best first; the best by default.

    Raises
    ------
    NotFoundError
        If nothing is near enough, with the nearest five as a hint.
    """
    return np.array([_find_seed(catalogue, text, choose) for text in asked], dtype=np.intp)


def _find_seed(catalogue: Catalogue, text: str, choose: Choose | None) -> int:
    text = text.encode(errors="replace").decode()  # what a terminal wrote in no UTF-8
    link = re.fullmatch(TRACK_LINK, text.strip())
    try:
        return int(catalogue.rows([link[1] if link else text.strip()])[0])
    except NotFoundError:
        if link:
            raise
    matches = catalogue.search(text, 50)
    if not matches or matches[0].score < ENOUGH:
        nearest = "; ".join(f"{name!r}" for name in _names(catalogue, matches)[:5])
        hint = f"; the nearest are {nearest}" if nearest else ""
        raise NotFoundError(f"no track found for {text!r} in {catalogue.where}{hint}")
    songs = _distinct(catalogue, matches)
    best, others = songs[0], [m for m in songs[1:] if m.score >= ENOUGH][:4]
    rivals = [m for m in others if m.score > best.score - 0.01]
    if choose and len(songs) > 1:
        return choose(catalogue, text, songs[:9])
    if not best.exact or best.score < 0.9 or rivals:
        names = _names(catalogue, [best, *others])
        also = f"; it could also be {'; '.join(map(repr, names[1:]))}" if others else ""
        log.info("%s", f"asked for {text!r}, took {names[0]!r}{also} (--interactive asks)")
    return best.row


def _distinct(catalogue: Catalogue, matches: Sequence[Match]) -> list[Match]:
    """The best match of each song: its other versions and releases are no other song."""
    songs: dict[str, Match] = {}
    for match in matches:
        songs.setdefault(catalogue.song_key(match.row) or str(match.row), match)
    return list(songs.values())


def _names(catalogue: Catalogue, matches: Sequence[Match]) -> list[str]:
    rows = np.array([match.row for match in matches], dtype=np.intp)
    return list(dict.fromkeys(track_name(track) for track in catalogue.tracks(rows)))


def track_name(track: dict[str, Any]) -> str:
    """Title and artists of a track as one clean line; its id if it has no title."""
    title = printable(track["title"]) or printable(track["track_id"])
    artists = printable(", ".join(track["artists"] or []))
    return f"{title} by {artists}" if artists else title
