"""Entries of DJ libraries and playlists as a catalogue, and the playlists that refer to them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from disco.catalogue import SCHEMA, Catalogue
from disco.catalogue.key_names import parse_key
from disco.catalogue.paths import without_number
from disco.catalogue.same_recording import WAYS, Recordings
from disco.catalogue.text import TRACK_LINK
from disco.errors import DataError
from disco.sources.files import columns
from disco.sources.tracklist import Entry, Tracklist, entries_of

# Where a track has no file, DISCO writes its id behind this prefix into the comment of the entry.
ID_PREFIX = "disco:"
# Energy as Mixed In Key writes it, 1-10, as a separate part of a comment: `8A - Energy 6`. A number alone may mean
# anything, and `Energy 52` is a club.
_ENERGY = re.compile(r"(?:^|[-–—|;,/])\s*energy(?:\s+level)?\s*[:=]?\s*(10|[1-9])\s*(?:$|[-–—|;,/])", re.IGNORECASE)

# A playlist of a library: its folders from the outermost, its name, and its entries.
Named = tuple[Sequence[str], str, Sequence[Entry]]


def catalogue(
    entries: Sequence[Entry], path: Path, format_name: str, notes: Sequence[str] = (), in_ms: bool = True
) -> Catalogue:
    """Make a catalogue of the entries of a library; its notes report what was joined, dropped or unknown.

    Parameters
    ----------
    entries : sequence of Entry
        Entries without an id are dropped; see `with_ids`.
    path : Path
        Of the library.
    format_name : str
        As the notes call it.
    notes : sequence of str
        Further notes of the reader.
    in_ms : bool
        Whether the format says that durations are in ms, or the reader has seen to it; else all of them decide.

    Raises
    ------
    DataError
        If there is no track.

    Examples
    --------
    >>> tracks = [Entry("a", "Night Bus", "Mira Vale", key="8A", tempo_bpm=122.5, comment="8A - Energy 6")]
    >>> bus = catalogue(tracks, Path("library.xml"), "rekordbox XML").table.to_pylist()[0]
    >>> bus["key"], bus["mode"], bus["tempo_bpm"]
    (9, 0, 122.5)
    """
    if not entries:
        raise DataError(path, "holds no tracks" + (f" ({'; '.join(notes)})" if notes else ""))
    texts = pa.string()
    keys = _each_once([entry.key for entry in entries], _key)
    numbers = {
        "duration_ms": [entry.duration_ms for entry in entries],
        "tempo_bpm": [entry.tempo_bpm for entry in entries],
        "key": [None if key is None else key[0] for key in keys],
        "mode": [None if key is None else key[1] for key in keys],
        "energy": [energy(entry.comment) for entry in entries],
    }
    # DJ programs write 0 for an unknown duration or tempo.
    for unknown in ("duration_ms", "tempo_bpm"):
        numbers[unknown] = [value or None for value in numbers[unknown]]
    raw = pa.table(
        {
            "track_id": pa.array([entry.id for entry in entries], texts),
            "title": pa.array([entry.title for entry in entries], texts),
            "artists": pa.array(_artists([entry.artist for entry in entries]), pa.list_(texts)),
            "album": pa.array([entry.album for entry in entries], texts),
            "genres": pa.array(_each_once([entry.genre for entry in entries], _genres), pa.list_(texts)),
            "isrc": pa.array([entry.isrc for entry in entries], texts),
            "path": pa.array([entry.path for entry in entries], texts),
            **{column: pa.array(values, pa.float64()) for column, values in numbers.items()},
            "feature_set": pa.array([None if value is None else "comment" for value in numbers["energy"]], texts),
        }
    )
    made = columns.catalogue(raw, raw.column_names, path, lambda row: f"track {row + 1}", in_ms=in_ms)
    all_notes = [f"{path}: {len(entries):,} tracks ({format_name})", *made.notes[1:], *notes]
    odd = sum(entry.key not in (None, "") and key is None for entry, key in zip(entries, keys, strict=True))
    if odd:
        all_notes.append(f"{path}: taken as unknown: {odd:,} x a key that is no key's name")
    if with_energy := sum(value is not None for value in numbers["energy"]):
        all_notes.append(f"{path}: energy of {with_energy:,} tracks from their comments")
    return Catalogue(made.table, made.where, tuple(all_notes))


def tracklists(playlists: Iterable[Named], library: Catalogue) -> list[Tracklist]:
    """Make tracklists of the playlists of a library.

    Every entry keeps its position. One that the library does not have is unmatched, with its id, title, artist and
    path alone.
    """
    row_of = {track_id: row for row, track_id in enumerate(library.table["track_id"].to_pylist())}
    return [_tracklist(folders, name, entries, library, row_of) for folders, name, entries in playlists]


def _tracklist(
    folders: Sequence[str], name: str, entries: Sequence[Entry], library: Catalogue, row_of: Mapping[str, int]
) -> Tracklist:
    ids = [entry.id or entry.title or "" for entry in entries]
    ids = _in_other_spelling(ids, entries, library, row_of)
    unmatched = [i for i, track_id in enumerate(ids) if track_id not in row_of]
    others = [
        {
            **dict.fromkeys(SCHEMA.names),
            "track_id": ids[i],
            "title": entries[i].title or None,
            "artists": [entries[i].artist] if entries[i].artist else None,
            "path": entries[i].path,
        }
        for i in unmatched
    ]
    rows = np.array([row_of.get(track_id, -1) for track_id in ids], dtype=np.intp)
    rows[unmatched] = len(library) + np.arange(len(unmatched))
    every = pa.concat_tables([library.table, pa.Table.from_pylist(others, SCHEMA)]) if unmatched else library.table
    tracks = Catalogue(every.take(pa.array(rows)), library.where, library.notes)
    return Tracklist(name, entries_of(tracks), tracks, " / ".join(folders), tuple(unmatched))


def _in_other_spelling(
    ids: list[str], entries: Sequence[Entry], library: Catalogue, row_of: Mapping[str, int]
) -> list[str]:
    """The ids with those of the library for files that the playlist spells otherwise, as in another letter case."""
    others = [i for i, track_id in enumerate(ids) if track_id not in row_of and entries[i].path]
    if not others:
        return ids
    rows, ways = Recordings.of(library).find_with_ways(paths=[entries[i].path for i in others])
    of_library = library.table["track_id"]
    found = {i: row for i, row, way in zip(others, rows.tolist(), ways, strict=True) if way == WAYS.index("path")}
    return [of_library[found[i]].as_py() if i in found else track_id for i, track_id in enumerate(ids)]


def with_ids(entries: Sequence[Entry]) -> list[Entry]:
    """Give entries without an id one made of title and artist; those without a title stay without.

    Examples
    --------
    >>> [entry.id for entry in with_ids([Entry("a"), Entry(title="Night Bus", artist="Mira Vale"), Entry()])]
    ['a', 'n:0daf86509bc5da121b7e', None]
    """
    titles = pa.array([(entry.title or "").strip() or None for entry in entries], pa.string())
    artists = pa.array([[entry.artist or ""] for entry in entries], pa.list_(pa.string()))
    given = pa.array([entry.id for entry in entries], pa.string())
    made = columns.ids(given, titles, artists).to_pylist()
    return [replace(entry, id=i) if i != entry.id else entry for entry, i in zip(entries, made, strict=True)]


def bare_id(text: str) -> str:
    """The id in a link to a track or its URI; any other text as it is.

    Examples
    --------
    >>> bare_id("https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC?si=1"), bare_id("a.mp3")
    ('4uLU6hMCjMI75M1A2tKUQC', 'a.mp3')
    """
    link = re.fullmatch(TRACK_LINK, text)
    return link[1] if link else text


def each_once(entries: Iterable[Entry]) -> list[Entry]:
    """Entries of a playlist without those of an id that came before.

    Examples
    --------
    >>> [entry.title for entry in each_once([Entry("a", "Night Bus"), Entry("b"), Entry("a", "Bus")])]
    ['Night Bus', None]
    """
    first: dict[str | None, Entry] = {}
    for entry in entries:
        first.setdefault(entry.id, entry)
    return list(first.values())


def named_after_file(stem: str, numbered: bool = False) -> tuple[str, str]:
    """Artist (empty if unknown) and title in a file's name: `Artist - Title`, `03 - Title`, `03. Artist - Title`.

    Parameters
    ----------
    stem : str
        The name without its ending.
    numbered : bool
        Whether the files beside it are numbered too; see `disco.catalogue.paths.without_number`.

    Examples
    --------
    >>> named_after_file("03. Mira Vale - Night Bus"), named_after_file("Night Bus")
    (('Mira Vale', 'Night Bus'), ('', 'Night Bus'))
    """
    name = without_number(stem.replace("_", " ").strip(), numbered)
    parts = [part.strip() for part in name.split(" - ") if part.strip()]
    return (parts[0], " - ".join(parts[1:])) if len(parts) > 1 else ("", parts[0] if parts else stem)


def id_in_comment(comment: str | None) -> str | None:
    """The id that DISCO wrote into the comment of a track without a file; None if there is none."""
    return comment.removeprefix(ID_PREFIX).strip() if comment and comment.startswith(ID_PREFIX) else None


def energy(comment: str | None) -> float | None:
    """Energy, 0.1-1, that a comment clearly states; None otherwise.

    Examples
    --------
    >>> energy("8A - Energy 6"), energy("Energy 52")
    (0.6, None)
    """
    found = _ENERGY.search(comment or "")
    return int(found[1]) / 10 if found else None


def number(value: Any, factor: float = 1) -> float | None:
    """A finite number from an attribute or a database column, times a factor; None if it is not a number.

    Examples
    --------
    >>> number("90,25"), number("fast"), number(201.5, 1000)
    (90.25, None, 201500.0)
    """
    try:
        found = factor * float(value.replace(",", ".") if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if np.isfinite(found) else None


def _each_once(values: Sequence[Any], meaning: Any) -> list[Any]:
    """Meaning of each value, computed once for each distinct value."""
    meanings: Mapping[Any, Any] = {value: meaning(value) for value in dict.fromkeys(values)}
    return [meanings[value] for value in values]


def _key(key: str | tuple[int, int] | None) -> tuple[int, int] | None:
    return parse_key(key) if isinstance(key, str) else key


def _genres(text: str | None) -> list[str] | None:
    return [part.strip() for part in re.split("[,;]", text or "") if part.strip()] or None


def _artists(texts: list[str | None]) -> list[list[str] | None]:
    """Artists of each text: several where each has a track alone, so that `Tyler, The Creator` stays one."""
    alone = set(texts)

    def parts(text: str | None) -> list[str] | None:
        if not text or not text.strip():
            return None
        several = text.split(", ")
        return (
            several
            if len(several) > 1 and all(name.strip() == name != "" and name in alone for name in several)
            else [text]
        )

    return _each_once(texts, parts)
