"""Which playlists are kept, and which to train with, to choose by and to test with: pure functions.

A playlist is what its tracks are, in their order: equal ones have one digest, and the split hangs on the
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
# Why a playlist is left out, in the order of asking: the first reason counts.
REASONS = ("no_track_known", "too_short", "too_long", "coverage_too_low", "duplicate")


@dataclass(frozen=True)
class SplitRules:
    """Which playlists are kept, and how they are split.

    Attributes
    ----------
    minimum_length, maximum_length : int
        Tracks of a playlist, once those left out are left out; a maximum of 0 means none.
    minimum_coverage : float in [0, 1]
        Share of its tracks that the catalogue knows.
    keep_repeats, covered_only, keep_duplicates : bool
        Keep a track's later occurrences in a playlist; leave tracks out that the catalogue does not know;
        keep playlists of the same tracks in the same order.
    validation, test : float in [0, 1)
        Shares of the playlists.
    hold_out : tuple of str
        Sources that are test, whole, besides the share.
    seed : int
        What the split hangs on, besides what the playlists hold.
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
    """Entries with the ids of the catalogue's tracks, facts of each playlist, and counts.

    Returns
    -------
    entries : pa.Table
        playlist (number in the batch), position (0, 1, 2 ... in each), track_id.
    facts : dict
        Of each playlist: playlist_id, title, source; length and covered (tracks); digest (uint64).
    counts : dict
        Entries by what became of them.
    """
    columns = {name: playlist_tables.encode(batch[name]) for name in batch.column_names if name != "position"}
    starts = np.flatnonzero(batch["position"].to_numpy() == 0)
    playlist = np.repeat(np.arange(len(starts), dtype=np.int32), np.diff(starts, append=len(batch)))
    own, track = columns["track_id"].dictionary, columns["track_id"].indices.to_numpy()
    first = np.zeros(len(own), dtype=np.int64)
    first[track[::-1]] = np.arange(len(track))[::-1]  # of several the last written stays, which is the first entry
    titles, artists = (
        columns[name].take(pa.array(first)).cast(pa.string()) for name in ("track_title", "track_artist")
    )
    row, by_name = names.find(own, titles, artists)
    merged = pc.coalesce(names.ids.take(pa.array(row, mask=row < 0)), own).dictionary_encode()
    ids, code = merged.dictionary, merged.indices.to_numpy()[track]
    covered = row[track] >= 0
    counts = {"by_id": int((covered & ~by_name[track]).sum()), "by_name": int(by_name[track].sum())}
    counts["unknown"] = len(track) - sum(counts.values())
    kept = np.flatnonzero(covered) if rules.covered_only else np.arange(len(track))
    counts["left_out_unknown"] = len(track) - len(kept)
    if not rules.keep_repeats:
        _, once = np.unique(playlist[kept].astype(np.int64) * len(ids) + code[kept], return_index=True)
        counts["left_out_repeats"] = len(kept) - len(once)
        kept = kept[np.sort(once)]
    playlist, code, covered = playlist[kept], code[kept], covered[kept]
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
    """A number that stands for the tracks of a playlist in their order, and falls anywhere with another seed.

    64 bits: that any two of a million playlists share one by accident has a chance of 3 in 100 million.
    """
    each = b"".join(hashlib.blake2b(track_id.encode(), digest_size=8).digest() for track_id in ids.to_pylist())
    content = memoryview(np.frombuffer(each, dtype=np.uint64)[code].tobytes())
    key, ends = str(seed).encode(), np.append(begin, len(code))[1:]
    made = [
        hashlib.blake2b(content[8 * a : 8 * b], digest_size=8, key=key).digest()
        for a, b in zip(begin.tolist(), ends.tolist(), strict=True)
    ]
    return np.frombuffer(b"".join(made), dtype="<u8")


def exclusion_reasons(facts: dict[str, Any], aside: NDArray[np.bool_], rules: SplitRules) -> NDArray[np.int8]:
    """Why each playlist is left out, as a number in `REASONS`, or -1 if it is kept."""
    length, covered, digest = facts["length"], facts["covered"], facts["digest"]
    checks = [
        covered == 0,
        length < rules.minimum_length,
        (length > rules.maximum_length) & (rules.maximum_length > 0),
        covered < rules.minimum_coverage * length,
    ]
    why = np.select(checks, range(len(checks)), -1).astype(np.int8)
    if not rules.keep_duplicates:
        kept = np.flatnonzero(why < 0)
        kept = kept[np.lexsort((kept, ~aside[kept], digest[kept]))]  # of equals, one that is held out stays
        why[kept[1:][digest[kept][1:] == digest[kept][:-1]]] = REASONS.index("duplicate")
    return why


def assign_splits(digest: NDArray[np.uint64], aside: NDArray[np.bool_], rules: SplitRules) -> NDArray[np.int8]:
    """Split of each playlist, as a number in `SPLITS`: test if held out, or else by its digest.

    Equal playlists have equal digests, and so are never in two splits.
    """
    held = np.isin(digest, digest[aside])
    drawn = np.unique(digest[~held])  # sorted, and so in an order that knows nothing of music
    place = np.searchsorted(drawn, digest)
    test = round(rules.test * len(drawn))
    validation = test + round(rules.validation * len(drawn))
    return np.select([held | (place < test), place < validation], [2, 1], 0).astype(np.int8)


def split_playlists(facts: dict[str, Any], rules: SplitRules) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Why each playlist is left out, as `reasons`, and its split, as `draw`; -1 for none.

    Raises
    ------
    DiscoError
        If no playlist is left, none comes from a source held out, or a split that was asked for is empty.
    """
    there = set(pc.unique(facts["source"]).to_pylist())
    if strange := [source for source in rules.hold_out if source not in there]:
        raise DiscoError(f"no playlist comes from {strange[0]!r}; they come from {', '.join(sorted(there))}")
    aside = pc.is_in(facts["source"], value_set=pa.array(rules.hold_out, pa.string()))
    aside = aside.to_numpy(zero_copy_only=False)
    why = exclusion_reasons(facts, aside, rules)
    kept = why < 0
    if not kept.any():
        said = ", ".join(f"{n:,} {reason.replace('_', ' ')}" for reason, n in count_excluded(why).items() if n)
        raise DiscoError(f"none of {len(why):,} playlists is left ({said}); ask for less")
    drawn = np.full(len(why), -1, dtype=np.int8)
    drawn[kept] = assign_splits(facts["digest"][kept], aside[kept], rules)
    for number, share in enumerate((1.0, rules.validation, rules.test + len(rules.hold_out))):
        if share and not (drawn == number).any():
            raise DiscoError(
                f"the {SPLITS[number]} split is empty: {int(kept.sum()):,} playlists are too few for these "
                "shares; keep more of them, or change --validation and --test (0 asks for none)"
            )
    return why, drawn


def count_excluded(why: NDArray[np.int8]) -> dict[str, int]:
    """How many playlists are left out for each reason."""
    return {reason: int((why == number).sum()) for number, reason in enumerate(REASONS)}


def unique_ids(ids: Sequence[str]) -> list[str]:
    """The same ids; one that comes again, as two places may happen to give it, gets a number."""
    taken, seen, numbers, made = set(ids), set[str](), dict[str, int](), list[str]()
    for name in ids:
        chosen = name
        while chosen in seen or (chosen != name and chosen in taken):
            numbers[name] = numbers.get(name, 1) + 1
            chosen = f"{name} ({numbers[name]})"
        seen.add(chosen)
        made.append(chosen)
    return made
