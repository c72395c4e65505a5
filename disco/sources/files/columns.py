"""Columns of tables from any maker, converted to the columns of `SCHEMA` by their names and values."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from disco.catalogue import FEATURES, SCHEMA, Catalogue
from disco.catalogue.deduplicate import deduplicate
from disco.catalogue.schema import PROVENANCE_COLUMNS
from disco.catalogue.text import TRACK_LINK, clean_text, fold_accents
from disco.errors import DataError
from disco.sources.files import cells
from disco.sources.files.column_names import known_columns, letters, misspelt
from disco.sources.files.no_tracks import no_tracks, untitled
from disco.sources.files.numbers import (
    Report,
    durations,
    is_in_per_cent,
    numbers,
    on_scale,
    parse_metre,
    within,
)
from disco.sources.files.table_keys import keys

# Columns by which the maker of a table is recognised, for a note only.
_MAKERS = {
    "DISCO": {"track_id", "tempo_bpm", "feature_set"},
    "Spotify Tracks Dataset (114k)": {"track_id", "album_name", "track_genre"},
    "TidyTuesday spotify_songs": {"track_id", "track_album_id", "playlist_subgenre"},
    "Spotify 1.2M+ tracks_features": {"id", "artist_ids", "disc_number"},
    "Spotify 600k tracks": {"id", "id_artists"},
    "Exportify": {"Track URI", "Artist Name(s)"},
    "TuneMyMusic": {"Track name", "Playlist name", "Type"},
    "Soundiiz": {"title", "addedDate", "addedBy"},
    "Chosic": {"Song", "Parent Genres", "Camelot"},
    "Shazam": {"TagTime", "TrackKey"},
}
# Columns of the tables that DISCO writes, Parquet and CSV: their durations are in ms however short they are, and what
# has an id alone is a track, since it was one.
_OWN = ({"track_id", "tempo_bpm", "feature_set"}, {"Track URI", "Duration (ms)", "feature_set", "seed"})
# Columns that hold numbers.
NUMBERS = (
    "duration_ms",
    "popularity",
    "time_signature",
    "tempo_bpm",
    *FEATURES,
    "key_confidence",
    "tempo_confidence",
)
_TRUTH = {
    "true": True,
    "1": True,
    "1.0": True,
    "yes": True,
    "explicit": True,
    "e": True,
    "false": False,
    "0": False,
    "0.0": False,
    "no": False,
}
_ONE_NAME = re.compile(r"\['([^'\\]*)'\]")  # most list literals; ten times faster than ast


@dataclass(frozen=True)
class TableTracks:
    """The tracks of a table, one for each row that is one.

    Parameters
    ----------
    table : pa.Table
        With the columns of `SCHEMA`; a track that is in several rows is there several times.
    rows : ndarray of int, shape (n tracks,)
        The row of the file that each is from.
    untitled : ndarray of bool, shape (n tracks,)
        Which have an id and nothing else, where most have a title.
    playlists : list of str or None
        The playlist of each, where the file names one.
    notes : list of str
        What was dropped and unknown.
    """

    table: pa.Table
    rows: np.typing.NDArray[np.intp]
    untitled: np.typing.NDArray[np.bool_]
    playlists: list[str | None]
    notes: list[str]

    def with_names(self, path: Path) -> TableTracks:
        """The tracks that have more than an id, with a note of how many have not."""
        kept = np.flatnonzero(~self.untitled)
        n = len(self.untitled) - len(kept)
        return TableTracks(
            self.table.take(pa.array(kept)),
            self.rows[kept],
            self.untitled[kept],
            [self.playlists[i] for i in kept] if self.playlists else [],
            [f"{path}: {without_names(n)}", *self.notes],
        )


def without_names(n: int) -> str:
    """What is reported of ids that stand alone."""
    return f"{n:,} {'id' if n == 1 else 'ids'} without a name: left out"


def catalogue(
    raw: pa.Table,
    header: Sequence[str],
    path: Path,
    row_name: Callable[[int], str],
    notes: Sequence[str] = (),
    need_names: bool = False,
    in_ms: bool = False,
) -> Catalogue:
    """Make a catalogue of a table; its notes report what was read, joined, dropped and unknown.

    Parameters
    ----------
    raw : pa.Table
        With the columns that `known_columns` finds.
    header : sequence of str
        Names of all columns of the file.
    path : Path
    row_name : callable
        What a row of `raw` is called in notes, as `line 3`; empty where rows have no place.
    notes : sequence of str
        Further notes of the reader.
    need_names : bool
        Leave out ids without a name, where most tracks have one; libraries know their tracks without.
    in_ms : bool
        Whether durations are known to be in ms; else the column decides.

    Raises
    ------
    DataError
        If there is no track.
    """
    found = tracks(raw, header, path, row_name, in_ms)
    if need_names and found.untitled.any():
        found = found.with_names(path)
    return of_tracks(found, raw.num_rows, header, path, notes)


def of_tracks(found: TableTracks, n_rows: int, header: Sequence[str], path: Path, notes: Sequence[str]) -> Catalogue:
    """Make a catalogue of what `tracks` found in a number of rows; see `catalogue`."""
    table = deduplicate(found.table)
    maker = next((maker for maker, signs in _MAKERS.items() if signs <= set(header)), None)
    first = f"{path}: {n_rows:,} rows, {table.num_rows:,} tracks" + (f" ({maker})" if maker else "")
    joined = found.table.num_rows - table.num_rows
    twice = [f"{path}: {joined:,} rows joined to a track of the same id"] if joined else []
    return Catalogue(table, str(path), (first, *twice, *notes, *found.notes))


def tracks(
    raw: pa.Table,
    header: Sequence[str],
    path: Path,
    row_name: Callable[[int], str],
    in_ms: bool = False,
) -> TableTracks:
    """Convert every row of a table that is a track; see `catalogue`.

    Raises
    ------
    DataError
        If there is no track.
    """
    names = known_columns(header, path)
    report = Report(row_name)

    def column(name: str) -> pa.Array:
        if name not in names:
            return pa.nulls(raw.num_rows, pa.string())
        return cells.plain(raw[names[name][0]], names[name][0], path, lists=name == "artists")

    title, artists = cells.text(column("title")), _people(column("artists"), _comma(header))
    given = cells.text(column("track_id"))
    linked = cells.text(column("link"))
    given = pc.coalesce(given, pc.if_else(pc.match_substring_regex(linked, TRACK_LINK), linked, None))
    own = any(signs <= set(header) for signs in _OWN)
    measured = _measured(names, column, report, in_ms or own)
    key, mode = keys(
        [cells.plain(raw[n], n, path, lists=False) for n in names.get("key", [])], column("mode"), report
    )
    genres = _genres([cells.plain(raw[n], n, path, lists=True) for n in names.get("genres", [])], raw.num_rows)
    columns = {
        "track_id": ids(given, title, artists),
        "title": title,
        "artists": artists,
        "album": cells.text(column("album")),
        "genres": genres,
        "explicit": cells.each(column("explicit"), lambda t: _TRUTH.get(t.lower()), pa.bool_()),
        "isrc": cells.text(column("isrc")),
        "path": cells.text(column("path")),
        "key": key,
        "mode": mode,
        **measured,
        "feature_set": cells.text(column("feature_set")),
    }
    for name, (origin, _) in PROVENANCE_COLUMNS.items():
        origins = cells.text(column(origin)) if origin in names else pa.scalar("table")
        columns[origin] = pc.if_else(columns[name].is_valid(), origins, pa.scalar(None, pa.string()))
    columns["feature_set"] = _feature_sets(columns, names, report)
    table = pa.table([cells.cast(columns[field.name], field, path) for field in SCHEMA], schema=SCHEMA)
    others, left_out = no_tracks(table, given, linked, cells.text(column("started")))
    if table["track_id"].null_count:
        no_id = pc.and_(table["track_id"].is_null(), pc.invert(pa.array(others))).combine_chunks()
        others = others | no_id.to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(~others)
    notes = [f"{path}: {note}" for note in left_out]
    if without := int(others.sum()) - sum(map(_count_of, left_out)):
        notes.append(f"{path}: {without:,} rows without an id dropped")
    if not len(rows):
        raise DataError(path, "has no row with a track id" + (f" ({'; '.join(left_out)})" if left_out else ""))
    if len(rows) < table.num_rows:
        table = table.take(pa.array(rows))
    without_name = untitled(table) if "title" in names and not own else np.zeros(len(rows), dtype=bool)
    if without_name.any():
        table, without_name = _as_named_elsewhere(table, without_name)
    playlists = cells.text(column("playlist")).take(pa.array(rows)).to_pylist() if "playlist" in names else []
    return TableTracks(table, rows, without_name, playlists, [*notes, *_notes(header, names, report, path)])


def _as_named_elsewhere(
    table: pa.Table, without_name: np.typing.NDArray[np.bool_]
) -> tuple[pa.Table, np.typing.NDArray[np.bool_]]:
    """The tracks, those without a name as another row of the same id has them, and which have none still."""
    ids = table["track_id"].combine_chunks()
    named = np.flatnonzero(~without_name)
    at = pc.fill_null(pc.index_in(ids, value_set=ids.take(pa.array(named))), -1).to_numpy()
    named_elsewhere = without_name & (at >= 0)
    if not named_elsewhere.any():
        return table, without_name
    rows = np.where(named_elsewhere, named[at], np.arange(len(ids)))
    return table.take(pa.array(rows)), without_name & ~named_elsewhere


def _count_of(note: str) -> int:
    return int(note.partition(" ")[0].replace(",", ""))


def _measured(
    names: dict[str, list[str]], column: Callable[[str], pa.Array], report: Report, in_ms: bool
) -> dict[str, pa.Array]:
    """The columns of numbers within their limits, on the scales of a catalogue."""
    read: dict[str, tuple[str, Any, bool]] = {}
    for name in NUMBERS:
        if name in names:
            values, header = column(name), names[name][0]
            if name == "duration_ms" and not in_ms:
                array = durations(values, header, letters([header])[0], report)
            else:
                array = numbers(values, name, report, parse_metre if name == "time_signature" else None)
            read[name] = (header, array, is_in_per_cent(values, header))
    scaled = on_scale(read, report)
    absent = pa.nulls(len(column("track_id")), pa.float64())
    return {name: within(scaled[name], name, report) if name in scaled else absent for name in NUMBERS}


def _feature_sets(columns: dict[str, pa.Array], names: dict[str, list[str]], report: Report) -> pa.Array:
    """Who measured the features of each track: what the table says, else Spotify, as nearly all tables have them."""
    known = [columns[f].is_valid().to_numpy(zero_copy_only=False) for f in FEATURES]
    sets = columns["feature_set"]
    unnamed = np.logical_or.reduce(known) & sets.is_null().to_numpy(zero_copy_only=False)
    if not unnamed.any():
        return sets
    # Energy from 1 to 10 is Mixed In Key's, which comments have too.
    other = "comment" if report.energy_of_10 else "spotify"
    return pc.if_else(pa.array(unnamed), "unknown" if "feature_set" in names else other, sets)


def _notes(header: Sequence[str], names: dict[str, list[str]], report: Report, path: Path) -> list[str]:
    read = [name for group in names.values() for name in group]
    notes = [f"{path}: {', '.join(report.scales)}"] if report.scales else []
    if others := [name for name in header if name and name not in read]:
        listed = ", ".join(others[:8]) + (f" and {len(others) - 8} more" if len(others) > 8 else "")
        notes.append(f"{path}: columns not used: {listed}")
    for name, feature in misspelt(header, read):
        notes.append(f"{path}: column {name!r} is not known; did you mean {feature!r}?")
    if report.unknown:
        notes.append(f"{path}: taken as unknown: {', '.join(report.unknown)}")
    return notes


def ids(given: pa.Array, titles: pa.Array, artists: pa.Array) -> pa.Array:
    """Ids without `spotify:track:` or link; a missing one is made of title and artists."""
    given = cells.text(given)
    if pc.any(pc.match_substring(given, "track")).as_py():
        given = pc.replace_substring_regex(given, TRACK_LINK, r"\1")
    missing = pc.and_(pc.is_null(given), pc.is_valid(titles))
    if not pc.any(missing).as_py():
        return given
    names = pc.binary_join(pc.fill_null(artists.filter(missing), []), ";")
    made = zip(fold_accents(titles.filter(missing)).to_pylist(), fold_accents(names).to_pylist(), strict=True)
    hashes = [hashlib.sha256("\t".join(parts).encode()).hexdigest()[:20] for parts in made]
    return pc.replace_with_mask(given, missing, pa.array([f"n:{digest}" for digest in hashes], pa.string()))


def _comma(header: Sequence[str]) -> str | None:
    """Pattern of the comma that separates artists in the files of some makers.

    One Exportify writes `A, B` and escapes commas in names; another `A,B`, later `A;B`, without escapes.
    """
    if {"Artist URI", "Artist URI(s)"} & set(header):
        return r"(?<!\\), "
    return r",(?! )" if "Artist Name(s)" in header else None


def _people(values: pa.Array, comma: str | None) -> pa.Array:
    """Artists as lists: from lists, list literals, and names joined by semicolons or commas.

    A comma separates two names if it does in all files of this maker, or else if both names also occur alone in the
    column, so that "Tyler, The Creator" stays one artist.
    """
    if pa.types.is_list(values.type):
        return _lists(values)
    texts = set(values.unique().to_pylist())

    def parts(text: str) -> list[str] | None:
        if text.startswith("["):
            names = _literal(text)
        else:
            names = re.split(";" if ";" in text or not comma else comma, text)
            if len(names) == 1 and ", " in text and all(name in texts for name in text.split(", ")):
                names = text.split(", ")
            names = [name.replace("\\,", ",") for name in names]
        return [name.strip() for name in names if name.strip()] or None

    return cells.each(values, parts, pa.list_(pa.string()))


def _lists(values: pa.Array) -> pa.Array:
    """Lists without blanks, null where they are empty."""
    names = values.flatten()
    if names.null_count or not cells.text(names).equals(names):
        clean = ([name.strip() for name in row or [] if name and name.strip()] for row in values.to_pylist())
        return pa.array([row or None for row in clean], values.type)
    if pc.min(pc.list_value_length(values)).as_py() == 0:
        return pc.if_else(pc.equal(pc.list_value_length(values), 0), pa.scalar(None, values.type), values)
    return values


def _literal(text: str) -> list[str]:
    """Names in a Python list literal; any other text is one name."""
    if one := _ONE_NAME.fullmatch(text):
        return [one[1]]
    try:
        names = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return [text]
    return [clean_text(str(name)) for name in names] if isinstance(names, list) else [text]


def _genres(columns: list[pa.Array], n: int) -> pa.Array:
    """Genres of all columns that hold them, as lists without repeats."""

    def parts(text: str) -> list[str] | None:
        names = _literal(text) if text.startswith("[") else [text]
        if names == [text]:
            # Not inside a list literal; a text without one needs no look ahead from each of its signs.
            pieces = [piece.strip() for piece in re.split(r";(?![^\[]*\])" if "[" in text else ";", text)]
            names = [n for p in pieces for n in (_literal(p) if p.startswith("[") else p.split(","))]
        return list(dict.fromkeys(name.strip() for name in names if name.strip())) or None

    lists = pa.list_(pa.string())
    if not columns:
        return pa.nulls(n, lists)
    if len(columns) == 1:
        return _lists(columns[0]) if columns[0].type == lists else cells.each(columns[0], parts, lists)
    texts = [pc.binary_join(_lists(c), ";") if c.type == lists else c.cast(pa.string()) for c in columns]
    return cells.each(pc.binary_join_element_wise(*texts, ";", null_handling="skip"), parts, lists)
