"""Keys and modes of the columns of a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from disco.catalogue.key_names import read_key
from disco.sources.files.numbers import BLANKS, Report, or_null

_MODES = {
    **dict.fromkeys(("1", "1.0", "major", "maj", "dur", "majeur", "mayor", "maggiore", "maior", "true"), 1),
    **dict.fromkeys(("0", "0.0", "minor", "min", "moll", "mineur", "menor", "minore", "m", "false"), 0),
}
# Notes without a word for the mode are major, as DJ programs write keys; but where not one of so many is minor, the
# column only has notes: of eight tracks, all are major in one of 300 playlists.
_MOST_BARE = 8

Small = NDArray[np.int8]


def keys(columns: Sequence[pa.Array], mode: pa.Array, report: Report) -> tuple[pa.Array, pa.Array]:
    """Keys 0-11 and modes 0-1 from numbers or from names such as 8A and F#m, null where unknown.

    A name with a mode counts first, of whatever column; a note alone, or its number, takes the mode from the column
    of modes.

    Parameters
    ----------
    columns : sequence of pa.Array
        Columns of keys, the preferred first, of texts or numbers.
    mode : pa.Array
        Modes, null where unknown.
    report : Report

    Returns
    -------
    keys, modes : pa.Array of int8
    """
    n = len(mode)
    key, of_key, bare, odd = (np.full(n, -1, np.int8) for _ in range(4))
    for column in columns:
        note, with_mode, is_odd = _read(column)
        better = (with_mode >= 0) & (of_key < 0)
        key[better], of_key[better] = note[better], with_mode[better]
        odd = np.where((odd < 0) & is_odd, 0, odd)
        alone = (with_mode < 0) & (note >= 0) & (bare < 0)
        bare[alone] = note[alone]
    given = _modes(mode)
    alone = (key < 0) & (bare >= 0)
    key[alone] = bare[alone]
    modes = np.where(of_key >= 0, of_key, given).astype(np.int8)
    if alone.any() and not (given >= 0).any() and any(pa.types.is_string(column.type) for column in columns):
        named = alone & _is_name(columns)
        if named.sum() < _MOST_BARE or (of_key == 0).any():
            modes[named] = 1
        elif named.any():
            report.odd(int(named.sum()), "mode of a key that is a note alone", int(np.argmax(named)))
    if (unread := (odd == 0) & (key < 0)).any():
        report.odd(int(unread.sum()), "key -1 or no key's name", int(np.argmax(unread)))
    return or_null(key, key < 0), or_null(modes, modes < 0)


def _read(column: pa.Array) -> tuple[Small, Small, NDArray[np.bool_]]:
    """Note and mode of each key, -1 where unknown, and whether there is something that is no key."""
    encoded = column.dictionary_encode()
    texts = [str(value).strip() for value in encoded.dictionary.to_pylist()]
    parsed = [_parse(text) for text in texts]
    note = [-1 if pair is None else pair[0] for pair in parsed]
    mode = [-1 if pair is None or pair[1] is None else pair[1] for pair in parsed]
    odd = [pair is None and text.casefold() not in BLANKS for pair, text in zip(parsed, texts, strict=True)]
    at = encoded.indices.fill_null(len(texts)).to_numpy().astype(np.intp)
    return (
        np.array([*note, -1], np.int8)[at],
        np.array([*mode, -1], np.int8)[at],
        np.array([*odd, False], dtype=bool)[at],
    )


def _parse(text: str) -> tuple[int, int | None] | None:
    try:
        number = float(text)
    except ValueError:
        return read_key(text)
    return (int(number), None) if number in range(12) else None


def _is_name(columns: Sequence[pa.Array]) -> NDArray[np.bool_]:
    """Whether a key is written as a name, in the first column that has one, and not as a number."""
    named = np.zeros(len(columns[0]), dtype=bool)
    for column in columns:
        texts = column.cast(pa.string())
        named |= np.array([text is not None and any(c.isalpha() for c in text) for text in texts.to_pylist()])
    return named


def _modes(mode: pa.Array) -> Small:
    encoded = mode.dictionary_encode()
    texts = [str(value).strip() for value in encoded.dictionary.to_pylist()]
    meant = [1 if text == "M" else _MODES.get(text.casefold(), -1) for text in texts]
    at = encoded.indices.fill_null(len(texts)).to_numpy().astype(np.intp)
    return np.asarray(np.array([*meant, -1], np.int8)[at])
