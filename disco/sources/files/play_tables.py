"""Tables of what was played: rekordbox's export of a history, Serato's in CSV and text, and CSV with times.

Which column is which is read from the header, in the languages of rekordbox and Serato, in any order; a number sign,
an artwork and the like are passed over. Columns are parted by tabs, commas or semicolons, or stand below their names
at fixed places, as in the text that Serato writes. Serato's first row is the set itself, with the date that the
times of its tracks lack.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path

from disco.errors import DataError
from disco.sources import play_times
from disco.sources.entries import number
from disco.sources.files.column_names import NAMES, find_columns
from disco.sources.files.decoding import text_of
from disco.sources.files.table_layout import SEPARATORS, layout, records, split_lines
from disco.sources.plays import Play, PlayedSet
from disco.sources.tracklist import Entry

NAME = "a table of plays"
_BEGINNING = 1 << 16
# Names of columns, the preferred first: those of any table of tracks, and when and how long each was played.
_NAMES: dict[str, list[str]] = {
    "title": NAMES["title"],
    "artist": NAMES["artists"],
    "album": NAMES["album"],
    "genre": NAMES["genres"],
    "bpm": NAMES["tempo_bpm"],
    "key": NAMES["key"],
    "played": "playtime secondsplayed playedseconds spielzeit".split(),
    "length": NAMES["duration_ms"],
    "started": [
        *NAMES["started"],
        *"started startedat dateplayed lastplayed datetime start timestamp datum date fecha data".split(),
    ],
    "path": NAMES["path"],
    "id": "trackid trackuri uri id".split(),
    "set": "setid set session sessionid playlist playlistid event".split(),
}


def histories(path: Path) -> list[PlayedSet]:
    """Read the sets of a table: one, or one for each value of its column `set`.

    Raises
    ------
    NotFoundError, DataError
        If it cannot be read, or names neither titles nor files.
    """
    return parse(text_of(path), path)


def parse(text: str, path: Path) -> list[PlayedSet]:
    r"""Read the sets of the text of a table.

    Examples
    --------
    >>> table = "name,artist,start time,playtime\n5/31/2026,,\"5/31/2026, 9:00:00 PM\",\n"
    >>> table += "Night Bus,Mira Vale,9:00:05 PM,00:04:10\nSun,Solo,9:04:00 PM,00:03:00\n"
    >>> for play in parse(table, Path("friday.csv"))[0].plays:
    ...     print(play.entry.title, play.started, play.seconds)
    Night Bus 2026-05-31 21:00:05 250.0
    Sun 2026-05-31 21:04:00 180.0
    """
    rows = rows_of(text)
    header = rows[0] if rows else []
    columns = columns_of(header)
    if "title" not in columns and "path" not in columns:
        shown = ", ".join(repr(name[:30]) for name in header[:8] if name)
        raise DataError(
            path, f"names no column of titles or files, so it is no table of plays; it begins with {shown}"
        )
    cells = [{name: row[i].strip() if i < len(row) else "" for name, i in columns.items()} for row in rows[1:]]
    day_first = play_times.is_day_first(cell[name] for cell in cells for name in ("started", "title") if name in cell)
    by_set: dict[str, list[dict[str, str]]] = {}
    for cell in cells:
        by_set.setdefault(cell.get("set", ""), []).append(cell)
    return [_set(name or path.stem, part, path, day_first) for name, part in by_set.items()]


def _set(name: str, cells: list[dict[str, str]], path: Path, day_first: bool) -> PlayedSet:
    day = play_times.moment(path.stem, day_first)[0]
    if cells and _is_set(cells[0], day_first):
        first, cells = cells[0], cells[1:]
        dates = [play_times.moment(first.get(column, ""), day_first)[0] for column in ("started", "title")]
        day = next((found for found in dates if found), day)
    found = [play_times.moment(cell.get("started", ""), day_first) for cell in cells]
    day = day or next((own for own, _ in found if own), None)
    clocks = play_times.in_sequence(day, [None if own else clock for own, clock in found])
    started = [_together(own, clock) if own else passed for (own, clock), passed in zip(found, clocks, strict=True)]
    # A date alone is no time at which a track started: all would have started at once.
    if len(set(started)) == 1 and len(started) > 1:
        started = [None] * len(started)
    plays = [
        Play(_entry(cell), moment, play_times.duration(cell["played"]) if cell.get("played") else None)
        for cell, moment in zip(cells, started, strict=True)
    ]
    return PlayedSet(name, plays)


def _together(day: date, clock: time | None) -> datetime | None:
    return datetime.combine(day, clock) if clock else None


def _is_set(cell: dict[str, str], day_first: bool) -> bool:
    """Whether the first row is the set itself: no artist, and a date where tracks have a title or time."""
    if cell.get("artist") or "artist" not in cell:
        return False
    dates = (play_times.moment(cell.get(column, ""), day_first)[0] for column in ("title", "started"))
    return any(found is not None for found in dates)


def _entry(cell: dict[str, str]) -> Entry:
    seconds = play_times.duration(cell["length"]) if cell.get("length") else None
    path = cell.get("path") or None
    return Entry(
        id=cell.get("id") or path,
        title=cell.get("title") or None,
        artist=cell.get("artist") or None,
        album=cell.get("album") or None,
        genre=cell.get("genre") or None,
        path=path,
        duration_ms=None if seconds is None else seconds * 1000,
        tempo_bpm=number(cell["bpm"]) if cell.get("bpm") else None,
        key=cell.get("key") or None,
    )


def rows_of(text: str) -> list[list[str]]:
    """Cells of every row that is not blank, the header first."""
    text = text.replace("\0", "")
    if way := layout(text[:_BEGINNING], _names_tracks):
        return [way.header, *(values for _, values, _ in records(split_lines(text), way.separator, way.line))]
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return []
    starts = [match.start() for match in re.finditer(r"(?:^|(?<=\s\s))\S", lines[0])]
    if len(starts) < 2:
        sign = max(SEPARATORS, key=lines[0].count)
        return [line.split(sign) for line in lines]
    ends: list[int | None] = [*starts[1:], None]
    below = [line for line in lines if line.strip("-= \t")]  # a ruled line below the header
    return [[line[a:b].strip() for a, b in zip(starts, ends, strict=True)] for line in below]


def columns_of(header: Sequence[str]) -> dict[str, int]:
    """Position of each column that is known, by what it holds.

    Examples
    --------
    >>> columns_of(["#", "Titel", "Interpret", "BPM", "Tonart"])
    {'title': 1, 'artist': 2, 'bpm': 3, 'key': 4}
    """
    return {name: at[0] for name, at in find_columns(header, _NAMES).items()}


def _names_tracks(header: Sequence[str]) -> bool:
    """Whether these are names of several columns, one of which is of titles or files."""
    return len(header) > 1 and not {"title", "path"}.isdisjoint(columns_of(header))
