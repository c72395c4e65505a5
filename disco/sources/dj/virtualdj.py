"""Histories of VirtualDJ: `History/2026-05-01.m3u`, in which `#EXTVDJ:` stands before each file, and `tracklist.txt`.

Any other M3U is a set without times. `<lastplaytime>` is in seconds since 1970, `<time>` the time of day.
"""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

from disco.errors import DataError
from disco.sources import play_times
from disco.sources.entries import number
from disco.sources.file_urls import from_url, is_file
from disco.sources.files.decoding import text_of
from disco.sources.plays import Play, PlayedSet
from disco.sources.tracklist import Entry

NAME = "VirtualDJ history"
_TAG = re.compile(r"<(\w+)>(.*?)</\1>", re.DOTALL)
_TRACKLIST = "VirtualDJ History"
_LINE = re.compile(r"(\d{1,2}[:.]\d{2}(?:[:.]\d{2})?)\s*:\s*(.+)")


def is_m3u(path: Path, start: str) -> bool:
    """Whether a file of this name that begins with this text is M3U."""
    return path.suffix.lower() in (".m3u", ".m3u8") or start.startswith(("#EXTM3U", "#EXTVDJ"))


def is_tracklist(start: str) -> bool:
    """Whether a text is VirtualDJ's `tracklist.txt`."""
    return start.startswith(_TRACKLIST)


def m3u(path: Path) -> list[PlayedSet]:
    """Read the set of an M3U file.

    Raises
    ------
    NotFoundError, DataError
        If it cannot be read, or names no track.
    """
    plays, entry, tags = [], Entry(), dict[str, str]()
    day = play_times.moment(path.stem)[0]
    for line in filter(None, map(str.strip, text_of(path).splitlines())):
        if line.startswith("#EXTVDJ:"):
            tags = {name.lower(): html.unescape(value).strip() for name, value in _TAG.findall(line)}
        elif line.startswith("#EXTINF:"):
            seconds, _, name = line.removeprefix("#EXTINF:").partition(",")
            length = number(re.split(r"\s", seconds.strip() or "0")[0])
            entry = _named(name.strip(), length if length and length > 0 else None)
        elif not line.startswith("#"):
            file = from_url(line) or line
            named = _tagged(tags) if tags else entry
            made = replace(named, id=file, path=file if is_file(file) else None)
            stamp = number(tags.get("lastplaytime")) or 0
            plays.append((Play(made, play_times.since_1970(stamp)), play_times.moment(tags.get("time", ""))[1]))
            entry, tags = Entry(), {}
    if not plays:
        raise DataError(path, "is M3U, but names no track")
    if all(play.started is None for play, _ in plays) and day:
        moments = play_times.in_sequence(day, [clock for _, clock in plays])
        return [PlayedSet(path.stem, [replace(p, started=m) for (p, _), m in zip(plays, moments, strict=True)])]
    return [PlayedSet(path.stem, [play for play, _ in plays])]


def tracklist(path: Path) -> list[PlayedSet]:
    """Read the sets of `tracklist.txt`, one a day.

    Raises
    ------
    NotFoundError, DataError
        If it cannot be read, or names no track.
    """
    days: list[tuple[str, list[tuple[str, str]]]] = []
    for line in text_of(path).splitlines():
        if line.startswith(_TRACKLIST):
            days.append((line.removeprefix(_TRACKLIST).strip(), []))
        elif days and (match := _LINE.match(line.strip())):
            days[-1][1].append((match[1], match[2].strip()))
    sets = []
    for name, lines in days:
        clocks = [play_times.moment(clock)[1] for clock, _ in lines]
        moments = play_times.in_sequence(play_times.moment(name)[0], clocks)
        plays = [Play(_named(text, None), moment) for (_, text), moment in zip(lines, moments, strict=True)]
        sets.append(PlayedSet(name, plays))
    if not any(sets):
        raise DataError(path, "is a history of VirtualDJ, but names no track")
    return sets


def _tagged(tags: dict[str, str]) -> Entry:
    title, remix = tags.get("title", ""), tags.get("remix", "")
    if remix and remix.lower() not in title.lower():
        title = f"{title} ({remix})"
    length = number(tags.get("songlength"))
    return Entry(
        title=title or None,
        artist=tags.get("artist") or None,
        duration_ms=length * 1000 if length else None,
        tempo_bpm=number(tags.get("bpm")),
        key=tags.get("key") or None,
    )


def _named(text: str, seconds: float | None) -> Entry:
    """An entry of `artist - title`."""
    artist, dash, title = text.partition(" - ")
    length = None if seconds is None else seconds * 1000
    if dash:
        return Entry(title=title.strip(), artist=artist.strip(), duration_ms=length)
    return Entry(title=text or None, duration_ms=length)
