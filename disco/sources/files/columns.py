"""Columns of tables from any maker, converted to the columns of `SCHEMA` by their names and values."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from disco.catalogue import FEATURES, SCHEMA, Catalogue
from disco.catalogue.deduplicate import deduplicate
from disco.catalogue.music import parse_key
from disco.catalogue.schema import PROVENANCE_COLUMNS
from disco.catalogue.text import TRACK_LINK, clean_text, fold_accents
from disco.errors import DataError

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
    **{name: (name.replace("_", ""),) for names in PROVENANCE_COLUMNS.values() for name in names},
}
# Columns by which the maker of a table is recognised, for a note only.
_MAKERS = {
    "DISCO": {"track_id", "tempo_bpm", "feature_set"},
    "Spotify Tracks Dataset (114k)": {"track_id", "album_name", "track_genre"},
    "TidyTuesday spotify_songs": {"track_id", "track_album_id", "playlist_subgenre"},
    "Spotify 1.2M+ tracks_features": {"id", "artist_ids", "disc_number"},
    "Spotify 600k tracks": {"id", "id_artists"},
    "Exportify": {"Track URI", "Artist Name(s)"},
}
# A value outside these limits is an error in the file and becomes unknown.
_LIMITS = {
    **dict.fromkeys((*FEATURES, "key_confidence", "tempo_confidence"), (0.0, 1.0)),
    "loudness": (-100.0, 20.0),
    "tempo_bpm": (10.0, 1000.0),
    "popularity": (0.0, 1e12),
    "duration_ms": (1.0, 2.0**31 - 1),
    "time_signature": (0.0, 127.0),
}
# Columns that hold numbers, and texts in them that stand for unknown.
NUMBERS = (
    "duration_ms",
    "popularity",
    "time_signature",
    "tempo_bpm",
    *FEATURES,
    "key_confidence",
    "tempo_confidence",
)
NOTHING = ("", "nan", "null", "none", "na", "n/a")
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
# Of a list of names as one text; of a longer one the rest is left out.
_LONGEST_CELL = 5000
_ONE_NAME = re.compile(r"\['([^'\\]*)'\]")  # most list literals; ten times faster than ast


def known_columns(names: list[str], path: Path) -> dict[str, list[str]]:
    """Map each column of `SCHEMA` to the columns of a file that hold it: several for genres, one for the others.

    Raises
    ------
    DataError
        If no column identifies the tracks, two columns have the same name, or a feature is misspelt.
    """
    letters = {name: re.sub(r"[^a-z0-9]", "", name.lower()) for name in dict.fromkeys(names)}
    found: dict[str, list[str]] = {}
    for column, known_as in _NAMES.items():
        matching = sorted((n for n in letters if letters[n] in known_as), key=lambda n: known_as.index(letters[n]))
        if matching:
            found[column] = matching if column == "genres" else matching[:1]
    if "track_id" not in found and not {"title", "artists"} <= set(found):
        listed = ", ".join(repr(name) for name in names[:12]) + (", ..." if len(names) > 12 else "")
        raise DataError(
            path,
            "has no column of track ids (track_id, id or Track URI), nor of titles and artists; "
            f"its columns are {listed}",
        )
    taken = [name for group in found.values() for name in group]
    if twice := [name for name in taken if names.count(name) > 1]:
        raise DataError(path, f"has {names.count(twice[0])} columns called {twice[0]!r}; leave one")
    import difflib  # used by this alone

    for feature in FEATURES:
        close = difflib.get_close_matches(feature, [letters[n] for n in names if n not in taken], cutoff=0.8)
        if feature not in found and close:
            name = next(n for n in names if letters[n] == close[0])
            raise DataError(path, f"column {name!r} is not known; did you mean {feature!r}?")
    return found


def is_header(names: list[str]) -> bool:
    """Whether these are the column names of a table of tracks."""
    try:
        return len(names) > 1 and bool(known_columns(names, Path()))
    except DataError:
        return False


def catalogue(raw: pa.Table, header: list[str], path: Path, row_name: Callable[[int], str]) -> Catalogue:
    """Make a catalogue of a table; its notes report what was read, joined, dropped and unknown.

    Parameters
    ----------
    raw : pa.Table
        With the columns that `known_columns` finds.
    header : list of str
        Names of all columns of the file.
    path : Path
    row_name : callable
        The name of a row of `raw` in messages, as `tracks.csv, line 3`.
    """
    names = known_columns(header, path)
    unknown: list[str] = []

    def column(name: str) -> pa.Array:
        if name not in names:
            return pa.nulls(raw.num_rows, pa.string())
        return _plain(raw[names[name][0]], names[name][0], path, lists=name == "artists")

    def number(name: str) -> pa.Array:
        return _within(_numbers(column(name), names.get(name, [""])[0], path, row_name), name, unknown)

    title, artists = _text(column("title")), _people(column("artists"), _comma(header))
    key, mode = _keys(column("key"), column("mode"), unknown)
    columns = {
        "track_id": ids(column("track_id"), title, artists),
        "title": title,
        "artists": artists,
        "album": _text(column("album")),
        "genres": _genres([_plain(raw[n], n, path, lists=True) for n in names.get("genres", [])], raw.num_rows),
        "explicit": _each(column("explicit"), lambda t: _TRUTH.get(t.lower()), pa.bool_()),
        "isrc": _text(column("isrc")),
        "path": _text(column("path")),
        "key": key,
        "mode": mode,
        **{name: number(name) for name in NUMBERS},
        "feature_set": _text(column("feature_set")),
    }
    for name, (origin, _) in PROVENANCE_COLUMNS.items():
        origins = _text(column(origin)) if origin in names else pa.scalar("table")
        columns[origin] = pc.if_else(columns[name].is_valid(), origins, pa.scalar(None, pa.string()))
    known_features = [columns[f].is_valid().to_numpy(zero_copy_only=False) for f in FEATURES]
    unnamed = np.logical_or.reduce(known_features) & columns["feature_set"].is_null().to_numpy(zero_copy_only=False)
    if unnamed.any():
        feature_set = "unknown" if "feature_set" in names else "spotify"
        columns["feature_set"] = pc.if_else(pa.array(unnamed), feature_set, columns["feature_set"])
    table = pa.table([_cast(columns[field.name], field, path) for field in SCHEMA], schema=SCHEMA)
    return _with_notes(table, header, unknown, path)


def _plain(column: pa.ChunkedArray, name: str, path: Path, lists: bool) -> pa.Array:
    """A column as one array of texts, numbers or, if `lists`, lists of texts."""
    values = column.combine_chunks()
    try:
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if pa.types.is_binary(values.type) or pa.types.is_large_unicode(values.type):
            return values.cast(pa.string())
        if lists and (pa.types.is_list(values.type) or pa.types.is_large_list(values.type)):
            return values.cast(pa.list_(pa.string()))
        if not pa.types.is_nested(values.type):
            return values if _is_number_type(values.type) else values.cast(pa.string())
    except pa.ArrowException:
        pass
    raise DataError(path, f"column {name!r} holds {values.type}, which cannot be read")


def _with_notes(table: pa.Table, header: list[str], unknown: list[str], path: Path) -> Catalogue:
    rows = table.num_rows
    maker = next((maker for maker, signs in _MAKERS.items() if signs <= set(header)), None)
    if table["track_id"].null_count:
        table = table.filter(pc.is_valid(table["track_id"]))
    if not table.num_rows:
        raise DataError(path, "has no row with a track id")
    with_id = table.num_rows
    table = deduplicate(table)
    notes = [f"{path}: {rows:,} rows, {table.num_rows:,} tracks" + (f" ({maker})" if maker else "")]
    if rows > with_id:
        notes.append(f"{path}: {rows - with_id:,} rows without an id dropped")
    if with_id > table.num_rows:
        notes.append(f"{path}: {with_id - table.num_rows:,} rows joined to a track of the same id")
    read = {name for group in known_columns(header, path).values() for name in group}
    if others := [name for name in header if name and name not in read]:
        listed = ", ".join(others[:8]) + (f" and {len(others) - 8} more" if len(others) > 8 else "")
        notes.append(f"{path}: columns not used: {listed}")
    if unknown:
        notes.append(f"{path}: taken as unknown: {', '.join(unknown)}")
    return Catalogue(table, str(path), tuple(notes))


def _cast(values: pa.Array, field: pa.Field, path: Path) -> pa.Array:
    if values.type == field.type:
        return values
    if pa.types.is_integer(field.type) and pa.types.is_floating(values.type):
        values = pc.round(values)
    try:
        return values.cast(field.type)
    except pa.ArrowException as error:
        reason = str(error).split("\n")[0]
        raise DataError(path, f"column {field.name!r} cannot be read ({reason})") from None


def _is_number_type(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _each(values: pa.Array, parse: Callable[[str], Any], to: pa.DataType) -> pa.Array:
    """Value of each text, computed once for each distinct text; null where `parse` gives None."""
    if values.type == to or values.null_count == len(values):
        return values.cast(to) if values.type == to else pa.nulls(len(values), to)
    encoded = values.dictionary_encode()
    parsed = pa.array(
        [parse(clean_text(str(value), _LONGEST_CELL).strip()) for value in encoded.dictionary.to_pylist()], to
    )
    return parsed.take(encoded.indices)


def _text(values: pa.Array) -> pa.Array:
    """Texts without white space around them, blanks as null."""
    texts = values.cast(pa.string())
    trimmed = pc.utf8_trim_whitespace(texts)
    if trimmed.equals(texts):
        trimmed = texts  # saves the memory of a copy
    shortest = pc.min(pc.binary_length(trimmed)).as_py()
    return trimmed if shortest else pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def _numbers(values: pa.Array, name: str, path: Path, row_name: Callable[[int], str]) -> pa.Array:
    """Numbers of a column, blanks as null; raises an error for the first text that is not a number."""
    if not pa.types.is_string(values.type):
        return values
    trimmed = pc.utf8_lower(pc.utf8_trim_whitespace(values))
    texts = pc.if_else(pc.is_in(trimmed, value_set=pa.array(NOTHING)), pa.scalar(None, pa.string()), trimmed)
    if _castable(texts):
        return texts.cast(pa.float64())
    first, end = 0, len(texts)  # bisect for the first row that is not a number
    while end - first > 1:
        middle = (first + end) // 2
        if _castable(texts.slice(first, middle - first)):
            first = middle
        else:
            end = middle
    text = values[first].as_py().strip()
    raise DataError(row_name(first), f"column {name!r} holds {text[:40]!r}, which is not a number")


def _castable(texts: pa.Array) -> bool:
    try:
        texts.cast(pa.float64())
    except pa.ArrowException:
        return False
    return True


def _within(values: pa.Array, name: str, unknown: list[str]) -> pa.Array:
    """Values outside the limits of a quantity as null; how many is added to `unknown`."""
    array = values.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
    low, high = _LIMITS[name]
    bad = (array < low) | (array > high)
    missing = np.isnan(array)
    if not bad.any() and missing.sum() == values.null_count:
        return values
    zeros = int((array[bad] == 0).sum())
    if zeros:
        unknown.append(f"{zeros:,} x {name} 0")
    if bad.sum() > zeros:
        unknown.append(f"{int(bad.sum()) - zeros:,} x {name} outside {low:g} to {high:g}")
    return pa.array(array, mask=bad | missing)


def _keys(key: pa.Array, mode: pa.Array, unknown: list[str]) -> tuple[pa.Array, pa.Array]:
    """Keys 0-11 and modes 0-1 from numbers or from names such as 8A and F#m, null where unknown."""

    def parse(text: str) -> tuple[int, int | None] | None:
        try:
            number = float(text)
        except ValueError:
            return parse_key(text)
        return (int(number), None) if number in range(12) else None

    encoded = key.dictionary_encode()
    texts = [str(value).strip() for value in encoded.dictionary.to_pylist()]
    parsed = [parse(text) or (None, None) for text in texts]
    keys, modes = (pa.array([pair[part] for pair in parsed], pa.int8()).take(encoded.indices) for part in (0, 1))
    odd = [i for i, text in enumerate(texts) if parsed[i][0] is None and text.lower() not in NOTHING]
    if unreadable := int(np.isin(encoded.indices.drop_null().to_numpy(), odd).sum()) if odd else 0:
        unknown.append(f"{unreadable:,} x key -1 or no key's name")
    return keys, pc.coalesce(modes, _each(mode, lambda text: _MODES.get(text.lower()), pa.int8()))


def ids(given: pa.Array, titles: pa.Array, artists: pa.Array) -> pa.Array:
    """Ids without `spotify:track:` or link; a missing one is made of title and artists."""
    given = _text(given)
    if pc.any(pc.match_substring(given, "track")).as_py():
        given = pc.replace_substring_regex(given, TRACK_LINK, r"\1")
    missing = pc.and_(pc.is_null(given), pc.is_valid(titles))
    if not pc.any(missing).as_py():
        return given
    names = pc.binary_join(pc.fill_null(artists.filter(missing), []), ";")
    made = zip(fold_accents(titles.filter(missing)).to_pylist(), fold_accents(names).to_pylist(), strict=True)
    hashes = [hashlib.sha256("\t".join(parts).encode()).hexdigest()[:20] for parts in made]
    return pc.replace_with_mask(given, missing, pa.array([f"n:{digest}" for digest in hashes], pa.string()))


def _comma(header: list[str]) -> str | None:
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

    return _each(values, parts, pa.list_(pa.string()))


def _lists(values: pa.Array) -> pa.Array:
    """Lists without blanks, null where they are empty."""
    names = values.flatten()
    if names.null_count or not _text(names).equals(names):
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
        return _lists(columns[0]) if columns[0].type == lists else _each(columns[0], parts, lists)
    texts = [pc.binary_join(_lists(c), ";") if c.type == lists else c.cast(pa.string()) for c in columns]
    return _each(pc.binary_join_element_wise(*texts, ";", null_handling="skip"), parts, lists)
