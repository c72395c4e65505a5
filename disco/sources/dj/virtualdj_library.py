"""Libraries of VirtualDJ: its `database.xml`, and the lists of its folder MyLists, `*.vdjfolder`.

`Song` has the path; `Tags` what a person or a file's tags say; `Infos` the length in seconds; `Scan` what VirtualDJ
measured. A tempo there is in seconds a beat, 0.5 for 120 BPM; in lists it is in BPM.
"""

from __future__ import annotations

from pathlib import Path

from disco.catalogue import Catalogue
from disco.errors import DataError
from disco.sources import entries as library
from disco.sources.dj import xml
from disco.sources.file_urls import from_url, is_file
from disco.sources.tracklist import Entry, Tracklist

NAME = "VirtualDJ library"
_DATABASE, _LIST = "VirtualDJ_Database", "VirtualFolder"
# A tempo in seconds a beat is below this, 6 BPM; one in beats per minute is above.
_MOST_SECONDS = 10.0

_Song = dict[str, dict[str, str]]


def can_read(path: Path) -> bool:
    """Whether a file begins as VirtualDJ's do; never raises."""
    return xml.begins(path, _DATABASE) or xml.begins(path, _LIST)


def read(path: Path) -> Catalogue:
    """Read the tracks of a database or a list.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    _, entries, notes = _parse(path)
    return library.catalogue(library.each_once(library.with_ids(entries)), path, NAME, notes)


def playlists(path: Path) -> list[Tracklist]:
    """Read the one playlist of a list; a database has none.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    is_list, entries, notes = _parse(path)
    if not is_list or not entries:
        return []
    entries = library.with_ids(entries)
    tracks = library.catalogue(library.each_once(entries), path, NAME, notes)
    return library.tracklists([([], path.stem, entries)], tracks)


def _parse(path: Path) -> tuple[bool, list[Entry], list[str]]:
    """Whether a file is a list, its tracks, and notes."""
    songs: list[_Song] = []
    root = ""

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal root
        if not root:
            root = name
            if name not in (_DATABASE, _LIST):
                raise DataError(path, f"is XML, but not of VirtualDJ: it begins with <{name}>")
        elif name.lower() == "song":
            songs.append({"song": {key.lower(): value for key, value in attributes.items()}})
        elif songs and name in ("Tags", "Infos", "Scan"):
            songs[-1].setdefault(name.lower(), {key.lower(): value for key, value in attributes.items()})

    comment: list[str] = []

    def end(name: str) -> None:
        if name == "Comment" and songs:
            songs[-1]["comment"] = {"text": "".join(comment)}
        comment.clear()

    notes = xml.parse(path, start, end, lambda text: comment.append(text) if len(comment) < 1000 else None)
    return root == _LIST, [entry(song) for song in songs], notes


def entry(song: _Song) -> Entry:
    """An entry from the attributes of a Song and its children."""
    own, tags, infos, scan = (song.get(name, {}) for name in ("song", "tags", "infos", "scan"))
    place = own.get("filepath") or own.get("path") or ""
    file = from_url(place) or place
    title, remix = tags.get("title") or own.get("title") or "", tags.get("remix") or own.get("remix") or ""
    if remix and remix.casefold() not in title.casefold():
        title = f"{title} ({remix})".strip()
    length = infos.get("songlength") or own.get("songlength")
    return Entry(
        id=file or None,
        path=file if is_file(file) else None,
        title=title or None,
        artist=tags.get("author") or own.get("artist") or own.get("author"),
        album=tags.get("album") or own.get("album"),
        genre=tags.get("genre") or own.get("genre"),
        duration_ms=library.number(length, 1000),
        tempo_bpm=_tempo(scan.get("bpm")) or _tempo(tags.get("bpm")) or _tempo(own.get("bpm")),
        key=scan.get("key") or tags.get("key") or own.get("key"),
        comment=song.get("comment", {}).get("text"),
    )


def _tempo(text: str | None) -> float | None:
    value = library.number(text)
    if not value or value <= 0:
        return None
    return 60 / value if value < _MOST_SECONDS else value
