"""Libraries of Traktor, `collection.nml`, and the playlists and histories that it exports in the same format.

A history is a playlist whose entries have EXTENDEDDATA of the type HistoryData: DURATION in seconds, STARTTIME in
seconds since midnight, STARTDATE as year * 65536 + month * 256 + day, and PLAYEDPUBLIC, 0 where only the headphones
had it. MUSICAL_KEY is a number, 0-11 for C to B major and 12-23 for C to B minor. KEY of INFO is text: `10m` is C
minor in Open Key notation (5A in Camelot's).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from disco.catalogue import Catalogue
from disco.errors import DataError
from disco.sources import entries as library
from disco.sources import play_times
from disco.sources.dj import xml
from disco.sources.file_urls import from_primary_key, from_traktor
from disco.sources.plays import Play, PlayedSet
from disco.sources.tracklist import Entry, Tracklist

NAME = "Traktor NML"
_ROOT = "NML"
_ROOT_FOLDER = "$ROOT"
_HISTORY = "historydata"
# Traktor's first; a smaller one is no date.
_FIRST_YEAR = 2000

_Track = dict[str, dict[str, str]]


def can_read(path: Path) -> bool:
    """Whether a file begins as Traktor's NML does; never raises."""
    return xml.begins(path, _ROOT)


def read(path: Path) -> Catalogue:
    """Read the tracks of a library.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    tracks, _, notes = _parse(path)
    return library.catalogue(library.with_ids([entry(track) for track in tracks]), path, NAME, notes)


def playlists(path: Path) -> list[Tracklist]:
    """Read the playlists of a library, in its order; smart lists are rules without tracks and are left out.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    tracks, found, notes = _parse(path)
    entries = library.with_ids([entry(track) for track in tracks])
    if not found or not entries:
        return []
    by_id = {entry.id or "": entry for entry in entries}

    named = [
        (
            [folder for folder in playlist.folders if folder != _ROOT_FOLDER],
            playlist.name,
            [_entry_of(key, by_id) for key in playlist.keys],
        )
        for playlist in found
    ]
    return library.tracklists(named, library.catalogue(entries, path, NAME, notes))


def histories(path: Path) -> list[PlayedSet]:
    """Read the sets of a history, as Traktor keeps one a day in its folder History.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file, or if it holds no history.
    """
    tracks, found, _ = _parse(path)
    by_id = {entry.id or "": entry for entry in library.with_ids([entry(track) for track in tracks])}
    sets = []
    for playlist in found:
        if not any(details.get("EXTENDEDTYPE", "").lower() == _HISTORY for details in playlist.details):
            continue
        public = [details.get("PLAYEDPUBLIC") != "0" for details in playlist.details]
        # With a mixer of its own Traktor cannot know what the public had, and writes 0 for all.
        kept = [i for i, is_public in enumerate(public) if is_public or not any(public)]
        details = [playlist.details[i] for i in kept]
        started = _started(details, path)
        sets.append(
            PlayedSet(
                path.stem if playlist.name == "HISTORY" else playlist.name,
                [
                    Play(_entry_of(playlist.keys[i], by_id), moment, library.number(of.get("DURATION")))
                    for i, of, moment in zip(kept, details, started, strict=True)
                ],
            )
        )
    if not sets:
        raise DataError(path, "is a file of Traktor, but holds no history; those lie in Traktor's folder History")
    return sets


def _started(details: Sequence[dict[str, str]], path: Path) -> list[datetime | None]:
    """When each play started; where the date is not known, it is that of the file's name."""
    seconds = [library.number(of.get("STARTTIME")) for of in details]
    days = [_day(library.number(of.get("STARTDATE"))) for of in details]
    clocks = [
        None if value is None or not 0 < value < 86_400 else (datetime.min + timedelta(seconds=value)).time()
        for value in seconds
    ]
    from_name = play_times.in_sequence(play_times.moment(path.stem)[0], clocks)
    return [
        datetime.combine(day, clock) if day and clock else other
        for day, clock, other in zip(days, clocks, from_name, strict=True)
    ]


def _day(packed: float | None) -> date | None:
    """The date in a STARTDATE; None where it is none, as in files that other programs made."""
    number = int(packed or 0)
    year, month, day = number >> 16, number >> 8 & 255, number & 255
    try:
        return date(year, month, day) if year >= _FIRST_YEAR else None
    except (ValueError, OverflowError):
        return None


def _entry_of(key: str, by_id: dict[str, Entry]) -> Entry:
    """The entry that the key of a track in a playlist means."""
    own = library.id_in_comment(key)
    file = from_primary_key(key) if own is None else None
    track_id = (file or key) if own is None else own
    return by_id.get(track_id) or Entry(track_id, path=file)


def entry(track: _Track) -> Entry:
    """An entry from the attributes of an ENTRY and its children."""
    location, info = track.get("LOCATION", {}), track.get("INFO", {})
    file = from_traktor(location.get("VOLUME", ""), location.get("DIR", ""), location.get("FILE", ""))
    title, artist = (track["ENTRY"].get(name, "").strip() for name in ("TITLE", "ARTIST"))
    comment, value = info.get("COMMENT", ""), track.get("MUSICAL_KEY", {}).get("VALUE", "")
    number = int(value) if value.isascii() and value.isdigit() and int(value[:3]) < 24 else None
    return Entry(
        id=file or library.id_in_comment(comment),
        path=file,
        title=title,
        artist=artist,
        album=track.get("ALBUM", {}).get("TITLE"),
        genre=info.get("GENRE"),
        duration_ms=library.number(info.get("PLAYTIME_FLOAT") or info.get("PLAYTIME"), 1000),
        tempo_bpm=library.number(track.get("TEMPO", {}).get("BPM")),
        key=info.get("KEY") if number is None else (number % 12, 1 if number < 12 else 0),
        comment=comment,
    )


def _parse(path: Path) -> tuple[list[_Track], list[xml.Playlist], list[str]]:
    """Attributes of every track of the collection, by the elements that have them, every playlist, and notes."""
    tracks: list[_Track] = []
    tree = xml.Tree()
    part = ""

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal part
        if part == "COLLECTION":
            if name == "ENTRY":
                tracks.append({name: attributes})
            elif name in ("LOCATION", "ALBUM", "INFO", "TEMPO", "MUSICAL_KEY") and tracks:
                tracks[-1].setdefault(name, attributes)
        elif part == "PLAYLISTS":
            if name == "NODE":
                tree.start(attributes.get("NAME", ""), attributes, attributes.get("TYPE") == "PLAYLIST")
            elif name == "PRIMARYKEY":
                tree.add(attributes.get("KEY", ""))
            elif name == "EXTENDEDDATA":
                tree.describe(attributes)
        if name in ("COLLECTION", "PLAYLISTS", "SETS", "INDEXING", _ROOT):
            part = name
        elif not part:
            raise DataError(path, f"is XML, but not of Traktor: it begins with <{name}>, not with <{_ROOT}>")

    def end(name: str) -> None:
        if name == "NODE":
            tree.end()

    notes = xml.parse(path, start, end)
    return tracks, tree.playlists, notes
