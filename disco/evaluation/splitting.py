"""Select playlists, and split them into training, validation and test sets: pure functions.

A playlist is identified by its tracks in their order: equal playlists have one digest, and the split depends on the
digest and the seed alone. So no list of tracks is in two splits, and the order of the files does not matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.errors import DiscoError
from disco.sources.files import playlist_tables

SPLITS = ("train", "validation", "test")
# Why a playlist is excluded; the first reason that applies counts.
REASONS = ("no_track_known", "too_short", "too_long", "coverage_too_low", "duplicate")


@dataclass(frozen=True)
class SplitRules:
    """Which playlists are used, and how they are split.

    Attributes
    ----------
    minimum_length, maximum_length : int
        Number of tracks of a playlist after unmatched tracks and repeats are removed; a maximum of 0 means none.
    minimum_coverage : float in [0, 1]
        Least share of its tracks that the catalogue has.
    keep_repeats : bool
        Whether a track's later occurrences in a playlist stay.
    covered_only : bool
        Whether tracks that the catalogue does not have are removed.
    keep_duplicates : bool
        Whether playlists with the same tracks in the same order all stay.
    validation, test : float in [0, 1)
        Shares of the playlists.
    hold_out : tuple of str
        Sources whose playlists are all in the test split, besides its share.
    seed : int
        The split depends on it and on the tracks of the playlists alone.
    """

    minimum_length: int = 10
    maximum_length: int = 0
    minimum_coverage: float = 0.0
    keep_repeats: bool = False
    covered_only: bool = False
    keep_duplicates: bool = False
    validation: float = 0.05
    test: float = 0.1
    hold_out: tuple[str, ...] = ()
    seed: int = 1


def match_entries(
    batch: pa.Table, names: playlist_tables.Names, rules: SplitRules
) -> tuple[pa.Table, dict[str, Any], dict[str, int]]:
    """Match entries to the catalogue's tracks, and summarise each playlist.

    Parameters
    ----------
    batch : pa.Table
        Entries of whole playlists, in order, with the columns playlist_id, title, source, position, track_id,
        track_title and track_artist.
    names : playlist_tables.Names
        The catalogue's tracks by id and by name.
    rules : SplitRules

    Returns
    -------
    entries : pa.Table
        playlist (number in the batch), position (0, 1, 2 ... in each), track_id.
    facts : dict
        Of each playlist: playlist_id, title, source; length and covered (numbers of tracks); digest (uint64).
    counts : dict
        Numbers of entries matched by id, matched by name, unmatched and removed.
    """
    columns = {name: playlist_tables.encode(batch[name]) for name in batch.column_names if name != "position"}
    starts = np.flatnonzero(batch["position"].to_numpy() == 0)
    playlist = np.repeat(np.arange(len(starts), dtype=np.int32), np.diff(starts, append=len(batch)))
    own, track = columns["track_id"].dictionary, columns["track_id"].indices.to_numpy()
    first = np.zeros(len(own), dtype=np.int64)
    first[track[::-1]] = np.arange(len(track))[::-1]  # of several writes the last stays: the first entry
    titles, artists = (
        columns[name].take(pa.array(first)).cast(pa.string()) for name in ("track_title", "track_artist")
    )
    row, by_name = names.find(own, titles, artists)
    merged = pc.coalesce(names.ids.take(pa.array(row, mask=row < 0)), own).dictionary_encode()
    ids, code = merged.dictionary, merged.indices.to_numpy()[track]
    covered = row[track] >= 0
    counts = {"by_id": int((covered & ~by_name[track]).sum()), "by_name": int(by_name[track].sum())}
    counts["unknown"] = len(track) - sum(counts.values())
    used = np.flatnonzero(covered) if rules.covered_only else np.arange(len(track))
    counts["left_out_unknown"] = len(track) - len(used)
    if not rules.keep_repeats:
        _, first_of_each = np.unique(playlist[used].astype(np.int64) * len(ids) + code[used], return_index=True)
        counts["left_out_repeats"] = len(used) - len(first_of_each)
        used = used[np.sort(first_of_each)]
    playlist, code, covered = playlist[used], code[used], covered[used]
    length = np.bincount(playlist, minlength=len(starts))
    begin = np.cumsum(length) - length
    entries = pa.table(
        {
            "playlist": pa.array(playlist, pa.int32()),
            "position": pa.array(np.arange(len(code)) - begin[playlist], pa.int32()),
            "track_id": pa.DictionaryArray.from_arrays(pa.array(code), ids),
        }
    )
    facts = {
        name: columns[name].take(pa.array(starts)).cast(pa.string()) for name in ("playlist_id", "title", "source")
    }
    facts |= {"length": length, "covered": np.bincount(playlist, covered, len(starts)).astype(np.int64)}
    facts["digest"] = digests(ids, code, begin, rules.seed)
    return entries, facts, counts


def digests(ids: pa.Array, code: NDArray[Any], begin: NDArray[Any], seed: int) -> NDArray[np.uint64]:
    """64-bit digest of the tracks of each playlist in their order; another seed gives unrelated digests.

    The probability that any two of a million different playlists share a digest is 3 in 100 million.

    Parameters
    ----------
    ids : pa.Array of str
    code : ndarray of int, shape (entries,)
        Index of each entry's track in `ids`.
    begin : ndarray of int, shape (playlists,)
        Index of each playlist's first entry.
    seed : int

    Returns
    -------
    ndarray of uint64, shape (playlists,)

    Examples
    --------
    >>> one, two, three = digests(pa.array(["a", "b"]), np.array([0, 1, 0, 1, 1, 0]), np.array([0, 2, 4]), seed=1)
    >>> one == two, one == three
    (np.True_, np.False_)
    """
    each = b"".join(hashlib.blake2b(track_id.encode(), digest_size=8).digest() for track_id in ids.to_pylist())
    content = memoryview(np.frombuffer(each, dtype=np.uint64)[code].tobytes())
    key, ends = str(seed).encode(), np.append(begin, len(code))[1:]
    made = [
        hashlib.blake2b(content[8 * a : 8 * b], digest_size=8, key=key).digest()
        for a, b in zip(begin.tolist(), ends.tolist(), strict=True)
    ]
    return np.frombuffer(b"".join(made), dtype="<u8")


def exclusion_reasons(facts: dict[str, Any], held_out: NDArray[np.bool_], rules: SplitRules) -> NDArray[np.int8]:
    """Why each playlist is excluded.

    Parameters
    ----------
    facts : dict
        As `match_entries` returns them.
    held_out : mask, shape (playlists,)
        Playlists of sources that are held out; among duplicates one of these stays.
    rules : SplitRules

    Returns
    -------
    ndarray of int, shape (playlists,)
        Index in `REASONS`, or -1 if it is not excluded.
    """
    length, covered, digest = facts["length"], facts["covered"], facts["digest"]
    checks = [
        covered == 0,
        length < rules.minimum_length,
        (length > rules.maximum_length) & (rules.maximum_length > 0),
        covered < rules.minimum_coverage * length,
    ]
    why = np.select(checks, range(len(checks)), -1).astype(np.int8)
    if not rules.keep_duplicates:
        used = np.flatnonzero(why < 0)
        used = used[np.lexsort((used, ~held_out[used], digest[used]))]  # held out ones first among duplicates
        why[used[1:][digest[used][1:] == digest[used][:-1]]] = REASONS.index("duplicate")
    return why


def assign_splits(digest: NDArray[np.uint64], held_out: NDArray[np.bool_], rules: SplitRules) -> NDArray[np.int8]:
    """Split of each playlist: test if it is held out, otherwise by the rank of its digest.

    Equal playlists have equal digests, and so are never in two splits.

    Parameters
    ----------
    digest : ndarray of uint64, shape (playlists,)
    held_out : mask, shape (playlists,)
    rules : SplitRules

    Returns
    -------
    ndarray of int, shape (playlists,)
        Index in `SPLITS`.

    Examples
    --------
    >>> digest = np.arange(100, dtype=np.uint64)
    >>> np.bincount(assign_splits(digest, np.zeros(100, dtype=bool), SplitRules()))
    array([85,  5, 10])
    """
    is_held_out = np.isin(digest, digest[held_out])
    unique = np.unique(digest[~is_held_out])  # in the order of digests, which is independent of the music
    rank = np.searchsorted(unique, digest)
    test = round(rules.test * len(unique))
    validation = test + round(rules.validation * len(unique))
    return np.select([is_held_out | (rank < test), rank < validation], [2, 1], 0).astype(np.int8)


def split_playlists(facts: dict[str, Any], rules: SplitRules) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Why each playlist is excluded, and its split.

    Parameters
    ----------
    facts : dict
        As `match_entries` returns them.
    rules : SplitRules

    Returns
    -------
    reasons : ndarray of int, shape (playlists,)
        As `exclusion_reasons` returns them.
    splits : ndarray of int, shape (playlists,)
        As `assign_splits` returns them; -1 for an excluded playlist.

    Raises
    ------
    DiscoError
        If all playlists are excluded, none comes from a source to hold out, or a split is empty.
    """
    sources = set(pc.unique(facts["source"]).to_pylist())
    if missing := [source for source in rules.hold_out if source not in sources]:
        raise DiscoError(f"no playlist comes from {missing[0]!r}; they come from {', '.join(sorted(sources))}")
    held_out = pc.is_in(facts["source"], value_set=pa.array(rules.hold_out, pa.string()))
    held_out = held_out.to_numpy(zero_copy_only=False)
    reasons = exclusion_reasons(facts, held_out, rules)
    used = reasons < 0
    if not used.any():
        counts = ", ".join(f"{n:,} {reason.replace('_', ' ')}" for reason, n in count_excluded(reasons).items() if n)
        raise DiscoError(f"none of {len(reasons):,} playlists is left ({counts}); ask for less")
    splits = np.full(len(reasons), -1, dtype=np.int8)
    splits[used] = assign_splits(facts["digest"][used], held_out[used], rules)
    for number, share in enumerate((1.0, rules.validation, rules.test + len(rules.hold_out))):
        if share and not (splits == number).any():
            raise DiscoError(
                f"the {SPLITS[number]} split is empty: {int(used.sum()):,} playlists are too few for these "
                "shares; keep more of them, or change --validation and --test (0 asks for none)"
            )
    return reasons, splits


def count_excluded(reasons: NDArray[np.int8]) -> dict[str, int]:
    """Number of excluded playlists for each reason.

    Parameters
    ----------
    reasons : ndarray of int, shape (playlists,)
        As `exclusion_reasons` returns them.

    Returns
    -------
    dict of str to int

    Examples
    --------
    >>> count_excluded(np.array([-1, 1, 1], dtype=np.int8))["too_short"]
    2
    """
    return {reason: int((reasons == number).sum()) for number, reason in enumerate(REASONS)}


def unique_ids(ids: Sequence[str]) -> list[str]:
    """The same ids, with a number after each repeated one.

    Parameters
    ----------
    ids : sequence of str

    Returns
    -------
    list of str

    Examples
    --------
    >>> unique_ids(["a", "b", "a"])
    ['a', 'b', 'a (2)']
    """
    taken, seen, numbers, unique = set(ids), set[str](), dict[str, int](), list[str]()
    for name in ids:
        candidate = name
        while candidate in seen or (candidate != name and candidate in taken):
            numbers[name] = numbers.get(name, 1) + 1
            candidate = f"{name} ({numbers[name]})"
        seen.add(candidate)
        unique.append(candidate)
    return unique
