"""Tables of what was played: rekordbox's export of a history, Serato's in CSV and text, and CSV with times.

Which column is which is read from the header, in the languages of rekordbox and Serato, in any order; a number sign,
an artwork and the like are passed over. Columns are parted by tabs, commas or semicolons, or stand below their names
at fixed places, as in the text that Serato writes. Serato's first row is the set itself, with the date that the
times of its tracks lack.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path

import pyarrow as pa

from disco.catalogue.text import fold_accents
from disco.errors import DataError
from disco.sources import play_times
from disco.sources.entries import number
from disco.sources.files.decoding import text_of
from disco.sources.plays import Play, PlayedSet
from disco.sources.tracklist import Entry

NAME = "a table of plays"
# Names of columns, the preferred first; accents, capitals and what is no letter do not matter.
_NAMES: dict[str, list[str]] = {
    name: words.split()
    for name, words in {
        "title": "tracktitle title trackname track song name tracktitel titel titre titredumorceau titulo "
        "titulodelapista titulodafaixa titolo titolotraccia nummertitel название названиетрека трек "
        "トラックタイトル タイトル 曲名 曲目 歌曲标题 标题 曲目标题 標題 曲目標題 트랙제목 제목 곡명",
        "artist": "artist artists artistname trackartist kunstler interpret artiste artista artiest interprete "
        "исполнитель артист アーティスト 艺术家 艺人 演出者 歌手 아티스트",
        "album": "album albumname альбом アルバム 专辑 專輯 앨범",
        "genre": "genre genres genero genere жанр ジャンル 流派 类型 類型 장르",
        "bpm": "bpm tempo tempobpm",
        "key": "key initialkey camelot tonart tonalite tonalidad tonalita tonalidade toonsoort тональность "
        "キー 调 调性 調 音調 키 조성",
        "length": "time length duration zeit dauer temps duree tiempo duracion durata tempo tijd время "
        "時間 时间 시간",
        "played": "playtime secondsplayed playedseconds spielzeit",
        "started": "starttime started startedat playedat timeplayed dateplayed lastplayed datetime start timestamp "
        "startzeit heuredebut heurededebut horadeinicio oradiinizio datum date fecha data",
        "path": "location path file filename filepath fullpath",
        "id": "trackid trackuri uri id",
        "set": "setid set session sessionid playlist playlistid event",
    }.items()
}
_DELIMITERS = ("\t", ";", ",", "|")


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
    lines = [line for line in text.replace("\0", "").splitlines() if line.strip()]
    if not lines:
        return []
    counts = {delimiter: lines[0].count(delimiter) for delimiter in _DELIMITERS}
    best = max(counts, key=lambda delimiter: counts[delimiter])
    if counts[best]:
        try:
            return [row for row in csv.reader(lines, delimiter=best) if any(cell.strip() for cell in row)]
        except csv.Error:
            return [line.split(best) for line in lines]
    starts = [match.start() for match in re.finditer(r"(?:^|(?<=\s\s))\S", lines[0])]
    if len(starts) < 2:
        return [[line] for line in lines]
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
    letters = _letters(header)
    found: dict[str, int] = {}
    for column, known in _NAMES.items():
        names = _letters(known)
        matching = [i for i, name in enumerate(letters) if name in names and i not in found.values()]
        if matching:
            found[column] = min(matching, key=lambda i: names.index(letters[i]))
    return found


def _letters(names: Sequence[str]) -> list[str]:
    """The letters of names alone, without accents and in lower case."""
    folded = fold_accents(pa.array([name.casefold() for name in names], pa.string())).to_pylist()
    return [re.sub(r"[\W\d_]", "", name) for name in folded]
