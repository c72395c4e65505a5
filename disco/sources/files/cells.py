"""Columns of a table as texts, lists or numbers of one kind, whatever kind the file has them in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from disco.catalogue.text import clean_text
from disco.errors import DataError
from disco.sources.files.numbers import is_number_type

# Of a list of names as one text; of a longer one the rest is left out.
_LONGEST = 5000


def plain(column: pa.ChunkedArray, name: str, path: Path, lists: bool) -> pa.Array:
    """A column as one array of texts, numbers or, if `lists`, lists of texts.

    Raises
    ------
    DataError
        If it holds something else.
    """
    values = column.combine_chunks()
    try:
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if pa.types.is_binary(values.type) or pa.types.is_large_unicode(values.type):
            return values.cast(pa.string())
        if lists and (pa.types.is_list(values.type) or pa.types.is_large_list(values.type)):
            return values.cast(pa.list_(pa.string()))
        if not pa.types.is_nested(values.type):
            return values if is_number_type(values.type) else values.cast(pa.string())
    except pa.ArrowException:
        pass
    raise DataError(path, f"column {name!r} holds {values.type}, which cannot be read")


def cast(values: pa.Array, field: pa.Field, path: Path) -> pa.Array:
    """Values in the type of a column of `SCHEMA`; whole numbers are rounded.

    Raises
    ------
    DataError
        If they cannot be had in it.
    """
    if values.type == field.type:
        return values
    if pa.types.is_integer(field.type) and pa.types.is_floating(values.type):
        values = pc.round(values)
    try:
        return values.cast(field.type)
    except pa.ArrowException as error:
        reason = str(error).split("\n")[0]
        raise DataError(path, f"column {field.name!r} cannot be read ({reason})") from None


def each(values: pa.Array, parse: Callable[[str], Any], to: pa.DataType) -> pa.Array:
    """Value of each text, computed once for each distinct text; null where `parse` gives None."""
    if values.type == to or values.null_count == len(values):
        return values.cast(to) if values.type == to else pa.nulls(len(values), to)
    encoded = values.dictionary_encode()
    parsed = pa.array(
        [parse(clean_text(str(value), _LONGEST).strip()) for value in encoded.dictionary.to_pylist()], to
    )
    return parsed.take(encoded.indices)


def text(values: pa.Array) -> pa.Array:
    """Texts without white space around them, blanks as null."""
    texts = values.cast(pa.string())
    trimmed = pc.utf8_trim_whitespace(texts)
    if trimmed.equals(texts):
        trimmed = texts  # saves the memory of a copy
    shortest = pc.min(pc.binary_length(trimmed)).as_py()
    return trimmed if shortest else pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
