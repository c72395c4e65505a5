"""Tracks that the user played, left out of what may be played; what was played is known from `disco learn`."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np

from disco.catalogue import Rows
from disco.catalogue.lookup import track_name
from disco.catalogue.table import Catalogue
from disco.errors import DiscoError
from disco.playlist.playlist import Playlist
from disco.sources import play_log

_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
# Names in a note.
_NAMED = 5


def parse_since(since: str | date, today: date | None = None) -> date:
    """The first day of a span of time: `30d`, `4w`, `6m` (of 30 days) or `1y` before today, or a date itself.

    Raises
    ------
    DiscoError
        If it is neither.

    Examples
    --------
    >>> parse_since("30d", date(2026, 5, 31)), parse_since("2026-05-01")
    (datetime.date(2026, 5, 1), datetime.date(2026, 5, 1))
    """
    if isinstance(since, date):
        return since
    text = since.strip().lower()
    try:
        if span := re.fullmatch(r"(\d{1,5})\s*([dwmy])", text):
            return (today or date.today()) - timedelta(days=int(span[1]) * _DAYS[span[2]])
        return date.fromisoformat(text)
    except (ValueError, OverflowError):
        raise DiscoError(f"{since!r} is no span of time; write 30d, 4w, 6m or 1y, or a date as 2026-01-31") from None


def played_rows(
    catalogue: Catalogue, unplayed: bool = False, not_played_since: str | date | None = None
) -> tuple[Rows, list[str]]:
    """Rows of the tracks that are left out as played, and a note on how many there are.

    Parameters
    ----------
    catalogue : Catalogue
    unplayed : bool
        Leave out whatever was ever played.
    not_played_since : str or date, optional
        Leave out what was played on this day or later, or nobody knows when; see `parse_since`.

    Raises
    ------
    DiscoError
        If nothing is known of what was played, or nothing would be left.

    Examples
    --------
    >>> played_rows(Catalogue.from_tracks([{"track_id": "a"}]))
    (array([], dtype=int64), [])
    """
    if not unplayed and not_played_since is None:
        return np.empty(0, dtype=np.intp), []
    first = None if not_played_since is None else parse_since(not_played_since)
    if not play_log.user_file().is_file():
        raise DiscoError("nothing is known of what you played; run disco learn with your histories first")
    plays = play_log.plays_of(catalogue)
    played, when = plays.times > 0, "you have played"
    if not unplayed and first is not None:
        known = ~np.isnat(plays.last)
        played &= ~known | (plays.last >= np.datetime64(datetime.combine(first, datetime.min.time()), "s"))
        when = f"you have played since {first.isoformat()}"
        if unknown := int((played & ~known).sum()):
            when += f", or at an unknown time ({unknown:,} of them)"
    rows = np.flatnonzero(played)
    if len(rows) == len(catalogue):
        raise DiscoError(f"{when} all {len(rows):,} tracks of {catalogue.where}: none is left")
    return rows, [f"{len(rows):,} tracks of {catalogue.where} left out, which {when}"]


def without_played(playlist: Playlist, unplayed: bool, not_played_since: str | date | None) -> Playlist:
    """A playlist without the tracks that are left out as played, each of them named in its notes.

    Raises
    ------
    DiscoError
        As `played_rows`.
    """
    rows, _ = played_rows(playlist.tracks, unplayed, not_played_since)
    if not len(rows):
        return playlist
    kept = np.setdiff1d(np.arange(len(playlist)), rows)
    names = [track_name(track) for track in playlist.tracks.tracks(rows)]
    shown = "; ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")
    still = {int(row) for row in playlist.unmatched}
    return replace(
        playlist,
        tracks=playlist.tracks.take(kept),
        unmatched=tuple(i for i, row in enumerate(kept.tolist()) if row in still),
        notes=(*playlist.notes, f"left out, since you have played them: {shown}"),
    )
