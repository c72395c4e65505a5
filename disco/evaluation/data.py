"""Read and sample the playlists that a protocol measures on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from disco.catalogue import Catalogue, Rows
from disco.catalogue.table import Mask
from disco.catalogue.text import fold_accents, normalise
from disco.errors import DataError, DiscoError
from disco.evaluation.next_track import MINIMUM_LENGTH
from disco.sources.files import playlist_tables


def entries_of(where: Path, split: str, sources: Sequence[str] | None = None) -> pa.Table:
    """Playlist entries of a file: of these sources, and of this split if the file has splits."""
    entries = playlist_tables.read(where)
    if sources:
        entries = entries.filter(pc.is_in(entries["source"].cast(pa.string()), value_set=pa.array(list(sources))))
        if not len(entries):
            raise DataError(where, f"has no playlist of the source {' or '.join(sources)}")
    if "split" in entries.column_names:
        entries = entries.filter(pc.equal(entries["split"].cast(pa.string()), split))
        if not len(entries):
            raise DataError(where, f"has no playlist of the split {split!r}")
    return entries


def sequences_of(
    where: Path, split: str, catalogue: Catalogue, sources: Sequence[str] | None = None
) -> tuple[list[Rows], dict[str, int]]:
    """Rows of the playlists of a file that are long enough for the next-track protocol, and counts of them."""
    entries = entries_of(where, split, sources)
    long_enough = playlist_tables.sequences(entries, catalogue, MINIMUM_LENGTH)
    if not long_enough:
        raise DataError(
            where,
            f"has no playlist with {MINIMUM_LENGTH} different tracks that {catalogue.where} has with "
            f"all features ({count_in_catalogue(entries, catalogue):,} of {len(entries):,} entries are in it at all)",
        )
    counts = {"test_playlists": len(long_enough), "test_entries": sum(map(len, long_enough))}
    return long_enough, counts | {"entries_read": len(entries)}


def match_names(entries: pa.Table, catalogue: Catalogue, names: Catalogue | None = None) -> pa.Table:
    """The same entries by the catalogue's ids: tracks whose ids it does not have are matched by title and artist.

    Parameters
    ----------
    entries : pa.Table
        As `playlist_tables.read` returns them.
    catalogue : Catalogue
    names : Catalogue, optional
        Titles and artists of ids, where the entries have none.

    Returns
    -------
    pa.Table
        Tracks that are unmatched keep their ids.
    """
    if names is None and entries["track_title"].null_count == len(entries):
        return entries
    tracks = playlist_tables.encode(entries["track_id"])
    ids, codes = tracks.dictionary, tracks.indices.to_numpy()
    used, first = np.unique(codes, return_index=True)
    missing = pc.invert(pc.is_in(ids.take(pa.array(used)), value_set=catalogue.table["track_id"]))
    used, first = (at[missing.to_numpy(zero_copy_only=False)] for at in (used, first))
    titles, artists = (
        entries[name].take(pa.array(first)).cast(pa.string()).combine_chunks()
        for name in ("track_title", "track_artist")
    )
    rows, _ = playlist_tables.Names(catalogue, names).find(ids.take(pa.array(used)), titles, artists)
    of_code = np.full(len(ids), -1, dtype=np.intp)
    of_code[used] = rows
    theirs = catalogue.table["track_id"].take(pa.array(of_code, mask=of_code < 0)).combine_chunks()
    matched = pc.coalesce(theirs, ids).take(tracks.indices)
    return entries.set_column(entries.schema.get_field_index("track_id"), "track_id", matched.dictionary_encode())


def count_in_catalogue(entries: pa.Table, catalogue: Catalogue) -> int:
    """How many entries are of tracks that the catalogue has."""
    ids = entries["track_id"].cast(pa.string())
    return pc.sum(pc.is_in(ids, value_set=catalogue.table["track_id"])).as_py() or 0


def rows_with_genres(catalogue: Catalogue, genres: Sequence[str]) -> Rows:
    """Rows of the tracks with all features, title and artist that have one of some genres; of all if none is given.

    Parameters
    ----------
    catalogue : Catalogue
    genres : sequence of str
        Compared without case, accents and hyphens.

    Returns
    -------
    ndarray of rows

    Raises
    ------
    DiscoError
        If no track has one of them.

    Examples
    --------
    >>> import disco
    >>> len(rows_with_genres(disco.open(), ["Deep House"]))
    146
    """
    usable: Mask = catalogue.has_comparable_features & catalogue.has_title_and_artist
    if not genres:
        return np.flatnonzero(usable)
    column = catalogue.table["genres"].combine_chunks()
    encoded = column.flatten().dictionary_encode()
    normalised = normalise(fold_accents(encoded.dictionary))
    asked = normalise(fold_accents(pa.array(genres)))
    missing = pc.invert(pc.is_in(asked, value_set=normalised)).to_pylist()
    if any(missing):
        counts = encoded.value_counts().to_pylist()
        frequent = sorted(counts, key=lambda c: -c["counts"])[:8]
        hint = f"its most frequent are {', '.join(c['values'] for c in frequent)}" if frequent else "it has no genres"
        raise DiscoError(f"no track of {catalogue.where} has the genre {genres[missing.index(True)]!r}; {hint}")
    is_asked = pc.is_in(normalised, value_set=asked).take(encoded.indices).to_numpy(zero_copy_only=False)
    has_genre = np.zeros(len(catalogue), dtype=bool)
    has_genre[pc.list_parent_indices(column).to_numpy(zero_copy_only=False)[is_asked]] = True
    return np.flatnonzero(usable & has_genre)


def sample_lists(pool: Rows, samples: int, length: int, seed: int) -> list[Rows]:
    """Random sets of different rows of a pool, each in a random order.

    Parameters
    ----------
    pool : ndarray of rows
    samples, length : int
        Number of sets, and of rows in each.
    seed : int

    Returns
    -------
    list of ndarray of rows

    Raises
    ------
    DiscoError
        If the pool is too small, or a set would have no transition.

    Examples
    --------
    >>> [len(rows) for rows in sample_lists(np.arange(100), samples=2, length=30, seed=0)]
    [30, 30]
    """
    if samples < 1 or length < 2:
        raise DiscoError(
            f"{samples} samples of {length} tracks are nothing to order; ask for 1 sample or more of 2 tracks or more"
        )
    if len(pool) < length:
        raise DiscoError(f"cannot sample {length} of {len(pool):,} tracks that have title, artist and features")
    rng = np.random.default_rng(seed)
    return [rng.choice(pool, length, replace=False) for _ in range(samples)]


def sample_playlists(playlists: Sequence[Rows], lengths: tuple[int, int], most: int, seed: int) -> list[Rows]:
    """At most so many playlists with a length in a range.

    Parameters
    ----------
    playlists : sequence of ndarray of rows
    lengths : (int, int)
        Least and greatest number of tracks.
    most : int
    seed : int

    Returns
    -------
    list of ndarray of rows

    Raises
    ------
    DiscoError
        If there is none.

    Examples
    --------
    >>> [len(rows) for rows in sample_playlists([np.arange(10), np.arange(25)], (20, 50), most=200, seed=0)]
    [25]
    """
    low, high = lengths
    fitting = [tracks for tracks in playlists if low <= len(tracks) <= high]
    if not fitting or most < 1:
        longest = max((len(tracks) for tracks in playlists), default=0)
        raise DiscoError(
            f"no playlist has {low} to {high} tracks with features; of {len(playlists):,} the longest has {longest}"
        )
    sampled = np.sort(np.random.default_rng(seed).permutation(len(fitting))[:most])
    return [fitting[i] for i in sampled]
