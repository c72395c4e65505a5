"""What the libraries of DJ programs have in common: texts of their entries as a catalogue, and their playlists."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from disco.catalogue import SCHEMA, Catalogue
from disco.catalogue.music import parse_key
from disco.errors import DataError
from disco.sources.files import columns
from disco.sources.tracklist import Entry, Tracklist, entries_of

# An entry that no file belongs to says in its comment which track it is, where DISCO wrote it.
OUR_ID = "disco:"
# Energy as Mixed In Key writes it, 1-10, as a part of a comment of its own: `8A - Energy 6`. A lone number may
# mean anything, and `Energy 52` is a club.
_ENERGY = re.compile(r"(?:^|[-–—|;,/])\s*energy(?:\s+level)?\s*[:=]?\s*(10|[1-9])\s*(?:$|[-–—|;,/])", re.IGNORECASE)


def catalogue(entries: Sequence[Entry], path: Path, name: str, notes: Sequence[str] = ()) -> Catalogue:
    """Entries as a catalogue, with notes on what was joined, dropped or unknown.

    Parameters
    ----------
    entries : sequence of Entry
    path : Path
        Of the library.
    name : str
        What its format is called.
    notes : sequence of str
        What its reader has to tell besides.

    Raises
    ------
    DataError
        If there is no track.
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
    # What stands in a column as 0 is how these programs write that they do not know.
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
            "feature_set": pa.array([None if e is None else "comment" for e in numbers["energy"]], texts),
        }
    )
    made = columns.catalogue(raw, raw.column_names, path, lambda row: f"{path}, track {row + 1}")
    told = [f"{path}: {len(entries):,} tracks ({name})", *made.notes[1:], *notes]
    odd = sum(entry.key not in (None, "") and key is None for entry, key in zip(entries, keys, strict=True))
    if odd:
        told.append(f"{path}: taken as unknown: {odd:,} x a key that is no key's name")
    if said := sum(value is not None for value in numbers["energy"]):
        told.append(f"{path}: energy of {said:,} tracks from their comments")
    return Catalogue(made.table, made.where, tuple(told))


def rows(known: Catalogue) -> dict[str, int]:
    """Row of each track by its id."""
    return {track_id: row for row, track_id in enumerate(known.table["track_id"].to_pylist())}


def listed(
    title: str, folders: Sequence[str], entries: Sequence[Entry], known: Catalogue, places: Mapping[str, int]
) -> Tracklist:
    """A playlist of entries, each of which keeps its place: one that the library lacks with what is said of it.

    Parameters
    ----------
    title : str
    folders : sequence of str
        Those that it is in, from the outermost.
    entries : sequence of Entry
    known : Catalogue
        The library.
    places : mapping
        Of `rows(known)`, which is made once for all playlists.
    """
    ids = [entry.id or entry.title or "" for entry in entries]
    absent = [i for i, track_id in enumerate(ids) if track_id not in places]
    strangers = [
        {
            **dict.fromkeys(SCHEMA.names),
            "track_id": ids[i],
            "title": entries[i].title or None,
            "artists": [entries[i].artist] if entries[i].artist else None,
            "path": entries[i].path,
        }
        for i in absent
    ]
    at = np.array([places.get(track_id, -1) for track_id in ids], dtype=np.intp)
    at[absent] = len(known) + np.arange(len(absent))
    whole = pa.concat_tables([known.table, pa.Table.from_pylist(strangers, SCHEMA)]) if absent else known.table
    tracks = Catalogue(whole.take(pa.array(at)), known.where, known.notes)
    return Tracklist(title, entries_of(tracks), tracks, " / ".join(folders), tuple(absent))


def identified(entries: Sequence[Entry]) -> list[Entry]:
    """The same entries; those without an id get one made of title and artist, those without a title none."""
    titles = pa.array([(entry.title or "").strip() or None for entry in entries], pa.string())
    artists = pa.array([[entry.artist or ""] for entry in entries], pa.list_(pa.string()))
    said = pa.array([entry.id for entry in entries], pa.string())
    made = columns.ids(said, titles, artists).to_pylist()
    return [replace(entry, id=i) if i != entry.id else entry for entry, i in zip(entries, made, strict=True)]


def energy(comment: str | None) -> float | None:
    """Energy, 0.1-1, that a comment clearly tells, None otherwise."""
    said = _ENERGY.search(comment or "")
    return int(said[1]) / 10 if said else None


def number(value: Any, factor: float = 1) -> float | None:
    """A number of an attribute or column, None where it is none."""
    try:
        number = factor * float(value.replace(",", ".") if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if np.isfinite(number) else None


def _each_once(values: Sequence[Any], meaning: Any) -> list[Any]:
    """Meaning of each value, worked out once for each that occurs."""
    meanings: Mapping[Any, Any] = {value: meaning(value) for value in dict.fromkeys(values)}
    return [meanings[value] for value in values]


def _key(said: str | tuple[int, int] | None) -> tuple[int, int] | None:
    return parse_key(said) if isinstance(said, str) else said


def _genres(text: str | None) -> list[str] | None:
    return [part.strip() for part in re.split("[,;]", text or "") if part.strip()] or None


def _artists(texts: list[str | None]) -> list[list[str] | None]:
    """Artists of each text: several where each stands alone elsewhere, so that `Tyler, The Creator` stays whole."""
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
