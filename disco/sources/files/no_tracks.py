"""Rows of tables that are no tracks: sessions, podcasts, what is gone from a service, and what has no name."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue import FEATURES
from disco.sources.play_times import moment

# What programs write for a name that is not there.
_UNDEFINED = ["undefined", "null", "none", "nan", "[undefined]", "undefined undefined"]
_EPISODE = (
    r"^(?:spotify:(?:episode|show|audiobook|chapter):|https?://open\.spotify\.com/(?:intl-\w+/)?(?:episode|show)/)"
)
# Where as many titles as this are unknown, ids are all that a table has.
_NAMED = 0.5


def no_tracks(
    table: pa.Table, given: pa.Array, links: pa.Array, started: pa.Array
) -> tuple[NDArray[np.bool_], list[str]]:
    """Which rows are no tracks, and what is reported of them.

    Parameters
    ----------
    table : pa.Table
        With the columns of `SCHEMA`.
    given, links, started : pa.Array of string
        Ids as the file has them, pages of the tracks, and when each was played.

    Returns
    -------
    mask : ndarray of bool, shape (n rows,)
    notes : list of str
        One for each kind, beginning with its number.
    """
    title, artist = table["title"].combine_chunks(), _first(table["artists"].combine_chunks())
    known = _known(table)
    kinds: list[tuple[NDArray[np.bool_], str, str]] = []
    nobody = pc.or_(artist.is_null(), pc.is_in(pc.utf8_lower(artist), value_set=pa.array(_UNDEFINED)))
    undefined = pc.and_(pc.is_in(pc.utf8_lower(title), value_set=pa.array(_UNDEFINED)), nobody)
    gone = _mask(undefined) & ~_mask(given.is_valid()) & ~known
    kinds.append((gone, "entry is gone from its service", "entries are gone from their service"))
    episodes = _matches(given, _EPISODE) | _matches(links, _EPISODE)
    kinds.append((episodes, "podcast episode", "podcast episodes"))
    sessions = _sessions(title, artist, started)
    kinds.append((sessions, "row of a session, which is no track", "rows of sessions, which are no tracks"))
    out, notes = np.zeros(len(title), dtype=bool), []
    for mask, one, several in kinds:
        if n := int((mask & ~out).sum()):
            notes.append(f"{n:,} {one if n == 1 else several}: left out")
        out |= mask
    return out, notes


def untitled(table: pa.Table) -> NDArray[np.bool_]:
    """Which rows have an id and nothing else, where most have a title: no tracks, unless something knows the id.

    Parameters
    ----------
    table : pa.Table
        With the columns of `SCHEMA`.

    Returns
    -------
    ndarray of bool, shape (n rows,)
    """
    if table.num_rows - table["title"].null_count < _NAMED * table.num_rows:
        return np.zeros(table.num_rows, dtype=bool)
    return ids_alone(table)


def ids_alone(table: pa.Table) -> NDArray[np.bool_]:
    """Which rows have an id and nothing by which a track is known: title, path, ISRC, tempo or a feature."""
    known = _known(table) | _mask(table["isrc"].is_valid()) | _mask(table["path"].is_valid())
    return _mask(table["title"].is_null()) & ~known & _mask(table["track_id"].is_valid())


def _first(artists: pa.Array) -> pa.Array:
    lengths = pc.fill_null(pc.list_value_length(artists), 0)
    some = pc.if_else(pc.greater(lengths, 0), artists, pa.scalar(None, artists.type))
    return pc.list_element(some, 0)


def _known(table: pa.Table) -> NDArray[np.bool_]:
    """Whether the sound of each row is known: tempo or any feature."""
    known = np.zeros(table.num_rows, dtype=bool)
    for name in ("tempo_bpm", *FEATURES):
        known |= _mask(table[name].is_valid())
    return known


def _sessions(title: pa.Array, artist: pa.Array, started: pa.Array) -> NDArray[np.bool_]:
    """Rows that Serato writes for the session itself: no artist, a date as the name, and a date as its start."""
    mask = _mask(artist.is_null()) & _mask(title.is_valid()) & _mask(started.is_valid())
    for row in np.flatnonzero(mask):
        texts = [column[int(row)].as_py() for column in (title, started)]
        mask[row] = all(moment(text)[0] or moment(text, False)[0] for text in texts)
    return mask


def _matches(texts: pa.Array, pattern: str) -> NDArray[np.bool_]:
    return _mask(pc.match_substring_regex(texts, pattern))


def _mask(mask: pa.Array | pa.ChunkedArray) -> NDArray[np.bool_]:
    if isinstance(mask, pa.ChunkedArray):
        mask = mask.combine_chunks()
    return np.array(pc.fill_null(mask, False).to_numpy(zero_copy_only=False), dtype=bool)
