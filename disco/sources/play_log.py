"""What the user played, and when, as `disco learn` found it: a private file in the user's data folder.

Each play is kept once, however often its history is read: by its track and when it started, or where that is not
known by its track and set.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue
from disco.catalogue.same_recording import Recordings
from disco.errors import DataError
from disco.sources import storage
from disco.sources.plays import PlayedSet, track_keys
from disco.sources.tracklist import Entry

_COLUMNS = ("started", "artist", "title", "path", "set")


@dataclass(frozen=True, eq=False)
class TrackPlays:
    """How often the tracks of a catalogue were played, and when last.

    Attributes
    ----------
    times : ndarray of int, shape (n,)
    last : ndarray of datetime64[s], shape (n,)
        NaT where a track was not played, or nothing is known of when.
    """

    times: NDArray[np.intp]
    last: NDArray[np.datetime64]


def user_file() -> Path:
    """The file in which plays are kept."""
    return storage.user_data_dir() / "plays.csv"


def add(sets: Iterable[PlayedSet]) -> tuple[int, int]:
    """Keep the plays of sets, beside those that are kept already.

    Returns
    -------
    (added, kept) : int
        How many were new, and how many there are now.

    Raises
    ------
    DataError
        If the file cannot be read or written.
    """
    path = user_file()
    new = [
        (
            play.started.isoformat(sep=" ", timespec="seconds") if play.started else "",
            play.entry.artist or "",
            play.entry.title or play.entry.text or "",
            play.entry.path or "",
            one.name,
        )
        for one in sets
        for play in one.plays
    ]
    with storage.locked(path):
        rows = _read(path)
        known = set(_identities(rows))
        added = {identity: row for identity, row in zip(_identities(new), new, strict=True) if identity not in known}
        if added:
            # Plays without a time come first, so that those with one are in their order.
            rows = sorted([*rows, *added.values()], key=lambda row: row[0])
            text = io.StringIO()
            writer = csv.writer(text, lineterminator="\r\n")  # as the standard has it, so that \r is quoted too
            writer.writerow(_COLUMNS)
            writer.writerows(rows)
            storage.write_atomic(path, text.getvalue(), private=True)
    return len(added), len(rows)


def forget() -> bool:
    """Remove the file; whether there was one."""
    return storage.remove(user_file())


def plays_of(catalogue: Catalogue) -> TrackPlays:
    """How often each track of a catalogue was played, and when last, as far as plays are kept.

    Raises
    ------
    DataError
        If the file of plays cannot be read.

    Examples
    --------
    >>> import os
    >>> os.environ["DISCO_DATA"] = "/nowhere"
    >>> plays_of(Catalogue.from_tracks([{"track_id": "a", "title": "Night Bus"}])).times.tolist()
    [0]
    >>> del os.environ["DISCO_DATA"]
    """
    times = np.zeros(len(catalogue), dtype=np.intp)
    last = np.full(len(catalogue), np.datetime64("NaT"), dtype="datetime64[s]")
    rows = _read(user_file())
    if not rows:
        return TrackPlays(times, last)
    paths = [row[3] or None for row in rows]
    found = Recordings.of(catalogue).find(
        ids=paths, paths=paths, titles=[row[2] or None for row in rows], artists=[row[1] or None for row in rows]
    )
    for row, (started, *_) in zip(found.tolist(), rows, strict=True):
        if row < 0:
            continue
        times[row] += 1
        if started and not last[row] > np.datetime64(started):
            last[row] = np.datetime64(started)
    return TrackPlays(times, last)


def _identities(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, str]]:
    """By what each play is known: its track, and its time to the minute or else its set."""
    entries = [
        Entry(title=title or None, artist=artist or None, path=path or None) for _, artist, title, path, _ in rows
    ]
    return [(key, row[0][:16] or f"set {row[4]}") for key, row in zip(track_keys(entries), rows, strict=True)]


def _read(path: Path) -> list[tuple[str, ...]]:
    """Rows of the file; none if there is no file."""
    try:
        text = path.read_bytes().decode("utf-8")
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None
    except (ValueError, csv.Error):
        rows = []
    if not rows or tuple(rows[0]) != _COLUMNS or not all(map(_is_row, rows[1:])):
        raise DataError(path, "is damaged; run disco learn --forget, then disco learn with your histories")
    return [tuple(row) for row in rows[1:]]


def _is_row(row: list[str]) -> bool:
    try:
        return len(row) == len(_COLUMNS) and (not row[0] or bool(datetime.fromisoformat(row[0])))
    except ValueError:
        return False
