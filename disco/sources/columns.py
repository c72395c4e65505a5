"""Anybody's columns, as the columns of `SCHEMA`: a column is known by its name, a value by its look."""

from __future__ import annotations

import ast
import difflib
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from disco.catalogue import FEATURES, SCHEMA, Catalogue
from disco.catalogue.table import one_row_a_track
from disco.catalogue.text import song_key
from disco.errors import DataError
from disco.music import parse_key

# Names that a column goes by, letters and digits alone, the preferred first.
_NAMES: dict[str, tuple[str, ...]] = {
    "track_id": ("trackid", "trackuri", "spotifytrackid", "spotifyid", "spotifyuri", "uri", "id"),
    "title": ("title", "trackname", "name", "tracktitle"),
    "artists": ("artists", "artistnames", "trackartist", "artist", "artistname"),
    "album": ("album", "albumname", "trackalbumname"),
    "genres": ("genres", "trackgenre", "genre", "playlistgenre", "playlistsubgenre"),
    "duration_ms": ("durationms", "trackdurationms", "tracklengthms"),
    "popularity": ("popularity", "trackpopularity"),
    "explicit": ("explicit",),
    "time_signature": ("timesignature",),
    "isrc": ("isrc",),
    "path": ("path", "location"),
    "tempo_bpm": ("tempobpm", "tempo", "bpm"),
    "key": ("key", "initialkey", "camelot"),
    "mode": ("mode",),
    **{feature: (feature,) for feature in FEATURES},
    "feature_set": ("featureset",),
}
# Signs by which a table's maker is known; only said aloud, never relied upon.
_MAKERS = {
    "DISCO": {"track_id", "tempo_bpm", "feature_set"},
    "Spotify Tracks Dataset (114k)": {"track_id", "album_name", "track_genre"},
    "TidyTuesday spotify_songs": {"track_id", "track_album_id", "playlist_subgenre"},
    "Spotify 1.2M+ tracks_features": {"id", "artist_ids", "disc_number"},
    "Spotify 600k tracks": {"id", "id_artists"},
    "Exportify": {"Track URI", "Artist Name(s)"},
}
# A value outside what the quantity can be is a slip of the file, and so unknown. Sounds below -100 dB or
# above 20 dB full scale, and tempos outside 10-1000 beats a minute, are nobody's music.
_LIMITS = {
    **dict.fromkeys(FEATURES, (0.0, 1.0)),
    "loudness": (-100.0, 20.0),
    "tempo_bpm": (10.0, 1000.0),
    "duration_ms": (1.0, 2.0**31 - 1),
    "time_signature": (0.0, 127.0),
}
_TRUTH = {
    "true": True,
    "1": True,
    "1.0": True,
    "yes": True,
    "false": False,
    "0": False,
    "0.0": False,
    "no": False,
}
_MODES = {"1": 1, "1.0": 1, "major": 1, "maj": 1, "0": 0, "0.0": 0, "minor": 0, "min": 0}
_URI = r"^(?:spotify:track:|https?://open\.spotify\.com/(?:intl-\w+/)?track/)(\w+).*$"


def known(names: list[str], path: Path) -> dict[str, list[str]]:
    """Columns of a file that stand for each column of `SCHEMA`: several for genres, one for the others.

    Raises
    ------
    DataError
        If no column can tell the tracks apart, or one is a feature misspelt.
    """
    letters = {name: re.sub(r"[^a-z0-9]", "", name.lower()) for name in names}
    found: dict[str, list[str]] = {}
    for column, known_as in _NAMES.items():
        matching = sorted((n for n in names if letters[n] in known_as), key=lambda n: known_as.index(letters[n]))
        if matching:
            found[column] = matching if column == "genres" else matching[:1]
    if "track_id" not in found and not {"title", "artists"} <= set(found):
        listed = ", ".join(repr(name) for name in names[:12]) + (", ..." if len(names) > 12 else "")
        raise DataError(
            path,
            "has no column of track ids (track_id, id or Track URI), nor of titles and artists; "
            f"its columns are {listed}",
        )
    taken = {name for group in found.values() for name in group}
    for feature in FEATURES:
        close = difflib.get_close_matches(feature, [letters[n] for n in names if n not in taken], cutoff=0.8)
        if feature not in found and close:
            name = next(n for n in names if letters[n] == close[0])
            raise DataError(path, f"column {name!r} is not known; did you mean {feature!r}?")
    return found


def catalogue(raw: pa.Table, path: Path) -> Catalogue:
    """A table as it was read, as a catalogue with notes on what was kept, joined, dropped and unknown."""
    names = known(raw.column_names, path)
    maker = next((maker for maker, signs in _MAKERS.items() if signs <= set(raw.column_names)), None)
    unknown: list[str] = []

    def column(name: str) -> pa.Array:
        return raw[names[name][0]].combine_chunks() if name in names else pa.nulls(raw.num_rows, pa.string())

    def number(name: str) -> pa.Array:
        values = _numbers(column(name), names.get(name, [""])[0], path)
        return _within(values, name, unknown)

    title, key, mode = _text(column("title")), *_keys(column("key"), column("mode"), unknown)
    columns = {
        "track_id": _ids(column("track_id"), title, column("artists")),
        "title": title,
        "artists": _people(column("artists"), comma_parts=maker == "Exportify"),
        "album": _text(column("album")),
        "genres": _genres([raw[name].combine_chunks() for name in names.get("genres", [])], raw.num_rows),
        "explicit": _each(column("explicit"), lambda t: _TRUTH.get(t.lower()), pa.bool_()),
        "isrc": _text(column("isrc")),
        "path": _text(column("path")),
        "key": key,
        "mode": mode,
        **{name: number(name) for name in ("duration_ms", "popularity", "time_signature", "tempo_bpm", *FEATURES)},
    }
    columns["feature_set"] = _text(column("feature_set"))
    if "feature_set" not in names:
        measured = np.logical_or.reduce([columns[f].is_valid().to_numpy(zero_copy_only=False) for f in FEATURES])
        columns["feature_set"] = pa.array(np.where(measured, "spotify", ""), pa.string(), mask=~measured)
    table = pa.table([_cast(columns[field.name], field, path) for field in SCHEMA], schema=SCHEMA)
    return _told(table, maker, unknown, path)


def _told(table: pa.Table, maker: str | None, unknown: list[str], path: Path) -> Catalogue:
    rows = table.num_rows
    table = table.filter(pc.is_valid(table["track_id"]))
    if not table.num_rows:
        raise DataError(path, "has no row with a track id")
    with_id = table.num_rows
    table = one_row_a_track(table)
    notes = [f"{path}: {rows:,} rows, {table.num_rows:,} tracks" + (f" ({maker})" if maker else "")]
    if rows > with_id:
        notes.append(f"{path}: {rows - with_id:,} rows without an id dropped")
    if with_id > table.num_rows:
        notes.append(f"{path}: {with_id - table.num_rows:,} rows joined to a track of the same id")
    if unknown:
        notes.append(f"{path}: taken as unknown: {', '.join(unknown)}")
    return Catalogue(table, str(path), tuple(notes))


def _cast(values: pa.Array, field: pa.Field, path: Path) -> pa.Array:
    if pa.types.is_integer(field.type) and pa.types.is_floating(values.type):
        values = pc.round(values)
    try:
        return values.cast(field.type)
    except pa.ArrowException as error:
        reason = str(error).split("\n")[0]
        raise DataError(path, f"column {field.name!r} cannot be read ({reason})") from None


def _is_text(values: pa.Array) -> bool:
    return bool(pa.types.is_string(values.type) or pa.types.is_large_string(values.type))


def _each(values: pa.Array, meaning: Callable[[str], Any], to: pa.DataType) -> pa.Array:
    """Meaning of each text, worked out once for each that occurs; null where it has none."""
    encoded = values.cast(pa.string()).dictionary_encode()
    meanings = pa.array([meaning(text.strip()) for text in encoded.dictionary.to_pylist()], to)
    return meanings.take(encoded.indices)


def _text(values: pa.Array) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(values.cast(pa.string()))
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def _numbers(values: pa.Array, name: str, path: Path) -> pa.Array:
    """Numbers of a column as float64, blanks as null; the first text that is no number is named."""
    if not _is_text(values):
        try:
            return values.cast(pa.float64())
        except pa.ArrowException:
            raise DataError(path, f"column {name!r} holds {values.type}, not numbers") from None
    trimmed = _text(values)
    nothing = pc.is_in(pc.utf8_lower(trimmed), value_set=pa.array(["nan", "null", "none", "na", "n/a"]))
    trimmed = pc.if_else(nothing, pa.scalar(None, pa.string()), trimmed)
    try:
        return trimmed.cast(pa.float64())
    except pa.ArrowException:
        row, text = next((row, text) for row, text in enumerate(trimmed.to_pylist(), 1) if not _is_number(text))
        raise DataError(
            f"{path}, line {row + 1}", f"column {name!r} holds {text[:40]!r}, which is not a number"
        ) from None


def _is_number(text: str | None) -> bool:
    try:
        float(text or 0)
    except ValueError:
        return False
    return True


def _within(values: pa.Array, name: str, unknown: list[str]) -> pa.Array:
    """Values outside what the quantity can be, as null; what was taken so is added to `unknown`."""
    array = values.to_numpy(zero_copy_only=False)
    low, high = _LIMITS.get(name, (-np.inf, np.inf))
    bad = (array < low) | (array > high)
    if bad.any():
        zeros = int((array[bad] == 0).sum())
        if zeros:
            unknown.append(f"{zeros:,} x {name} 0")
        if bad.sum() > zeros:
            unknown.append(f"{int(bad.sum()) - zeros:,} x {name} outside {low:g} to {high:g}")
    return pa.array(array, mask=bad | np.isnan(array))


def _keys(key: pa.Array, mode: pa.Array, unknown: list[str]) -> tuple[pa.Array, pa.Array]:
    """Keys 0-11 and modes 0-1 from numbers or from names such as 8A and F#m, null where unknown."""

    def meaning(text: str) -> tuple[int, int | None] | None:
        if _is_number(text) and text:
            number = float(text)
            return (int(number), None) if number in range(12) else None
        return parse_key(text)

    meant = _each(key, lambda text: list(meaning(text) or (None, None)), pa.list_(pa.int8(), 2))
    flat = pc.list_flatten(pc.fill_null(meant, pa.scalar([None, None], meant.type)))
    keys, modes = (flat.take(pa.array(np.arange(start, len(flat), 2))) for start in (0, 1))
    lost = pc.sum(pc.and_(pc.is_valid(_text(key)), pc.is_null(keys))).as_py() or 0
    if lost:
        unknown.append(f"{lost:,} x key -1 or no key's name")
    modes = pc.coalesce(modes, _each(mode, lambda text: _MODES.get(text.lower()), pa.int8()))
    return keys, modes


def _ids(ids: pa.Array, titles: pa.Array, artists: pa.Array) -> pa.Array:
    """Bare ids of URIs and links; where there is none, one made of artist and title."""
    ids = _text(ids)
    if pc.any(pc.match_substring(ids, "track")).as_py():
        ids = pc.replace_substring_regex(ids, _URI, r"\1")
    if not ids.null_count:
        return ids
    missing = pc.and_(pc.is_null(ids), pc.is_valid(titles)).to_numpy(zero_copy_only=False)
    made = [_made_id(titles[i].as_py(), str(artists[i].as_py() or "")) for i in np.flatnonzero(missing).tolist()]
    return pc.replace_with_mask(ids, pa.array(missing), pa.array(made, pa.string()))


def _made_id(title: str, artist: str) -> str:
    return "n:" + hashlib.sha256(song_key(title, artist).encode()).hexdigest()[:20]


def _people(values: pa.Array, comma_parts: bool) -> pa.Array:
    """Artists as lists: from lists, list literals, and names joined by semicolons or commas.

    A comma parts two names if `comma_parts`, or else if both occur in the column on their own: so
    "Tyler, The Creator" stays whole.
    """
    if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        return _lists(values)
    texts = set(values.unique().to_pylist())

    def parts(text: str) -> list[str] | None:
        names = _literal(text) if text.startswith("[") else text.split(";")
        if len(names) == 1 and ", " in names[0]:
            split = names[0].replace("\\,", "\0").split(", ")
            if comma_parts or all(name in texts for name in split):
                names = [name.replace("\0", ",") for name in split]
        return [name.strip() for name in names if name.strip()] or None

    return _each(values, parts, pa.list_(pa.string()))


def _lists(values: pa.Array) -> pa.Array:
    values = values.cast(pa.list_(pa.string()))
    return pc.if_else(pc.equal(pc.list_value_length(values), 0), pa.scalar(None, values.type), values)


def _literal(text: str) -> list[str]:
    """Names in a Python list literal; a text that only looks like one is one name."""
    try:
        names = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return [text]
    return [str(name) for name in names] if isinstance(names, list) else [text]


def _genres(columns: list[pa.Array], n: int) -> pa.Array:
    """Genres as lists, of all the columns that hold them, each once."""

    def parts(text: str) -> list[str] | None:
        pieces = re.split(r";(?![^\[]*\])", text)  # but not inside a list literal
        names = [n for p in pieces for n in (_literal(p.strip()) if p.strip().startswith("[") else p.split(","))]
        return list(dict.fromkeys(name.strip() for name in names if name.strip())) or None

    none = pa.nulls(n, pa.list_(pa.string()))
    if not columns:
        return none
    if len(columns) == 1:
        column = columns[0]
        return _each(column, parts, none.type) if _is_text(column) else _lists(column)
    joined = pc.binary_join_element_wise(*(c.cast(pa.string()) for c in columns), ";", null_handling="skip")
    return _each(joined, parts, none.type)
