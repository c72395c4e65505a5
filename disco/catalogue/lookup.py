"""Tracks from what a person types: free text, ids and links."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from disco.catalogue import Catalogue, Match, Rows
from disco.catalogue.search import ENOUGH
from disco.catalogue.text import TRACK_LINK, printable
from disco.cli.console import say
from disco.errors import DiscoError, NotFoundError

if TYPE_CHECKING:
    pass


def find_seeds(catalogue: Catalogue, asked: Sequence[str], pick: bool = False, quiet: bool = False) -> Rows:
    """Rows that texts, ids, URIs or links mean; a doubtful match is said aloud, or asked about with `pick`.

    Raises
    ------
    NotFoundError
        If nothing is near enough, with the nearest five as a hint.
    """
    return np.array([_find_seed(catalogue, text, pick, quiet) for text in asked], dtype=np.intp)


def _find_seed(catalogue: Catalogue, text: str, pick: bool, quiet: bool) -> int:
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
    if pick and len(songs) > 1:
        return _ask(catalogue, text, songs[:9])
    if not quiet and (not best.exact or best.score < 0.9 or rivals):
        names = _names(catalogue, [best, *others])
        also = f"; it could also be {'; '.join(map(repr, names[1:]))}" if others else ""
        say(f"asked for {text!r}, took {names[0]!r}{also} (--pick asks)")
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


def _ask(catalogue: Catalogue, text: str, matches: Sequence[Match]) -> int:
    print(f"Which one is {printable(text)!r}?", file=sys.stderr)
    rows = np.array([match.row for match in matches], dtype=np.intp)
    for number, track in enumerate(catalogue.tracks(rows), start=1):
        album = f" ({printable(track['album'])})" if track["album"] else ""
        print(f"  {number}  {track_name(track)}{album}", file=sys.stderr)
    while True:
        print(f"1-{len(matches)} [1]: ", end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
        if not answer:
            raise DiscoError(f"no answer to which track {text!r} is; leave out --pick, or give an id")
        if not answer.strip():
            return matches[0].row
        if answer.strip().isdecimal() and 1 <= int(answer) <= len(matches):
            return matches[int(answer) - 1].row


def track_name(track: dict[str, Any]) -> str:
    """Title and artists of a track as one clean line; its id if it has no title."""
    title = printable(track["title"]) or printable(track["track_id"])
    artists = printable(", ".join(track["artists"] or []))
    return f"{title} by {artists}" if artists else title
