"""Rows of tracks that a service names: by id, by ISRC, or by artist and title in one spelling."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.numbering import artist_names
from disco.catalogue.text import fold_accents, normalise, recording_titles
from disco.models.recommenders.query import Candidates, Query

# What stands between the names of a credit; the first name is whom a track is found by.
_JOINED = re.compile(r"\s*(?:,|;|/|&|•|\b(?:feat|ft|featuring|with|and|vs|x)\b\.?).*$", re.IGNORECASE)
# More questions than these make somebody else's server do our work.
MAX_SEEDS = 10


class TrackMatcher:
    """Where each track of a catalogue is known by its id, its ISRC, and its first artist and title."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    @cached_property
    def _isrcs(self) -> pa.Array:
        codes = self._catalogue.table["isrc"].combine_chunks()
        return pc.utf8_upper(pc.replace_substring(codes, "-", ""))

    @cached_property
    def _names(self) -> pa.Array:
        titles = recording_titles(self._catalogue.table["title"].combine_chunks())
        return pc.binary_join_element_wise(artist_names(self._catalogue), titles, "\t")

    def by_id(self, ids: Sequence[str]) -> list[int | None]:
        """The row of each id, None for those that the catalogue lacks."""
        found: list[int | None] = pc.index_in(
            pa.array(ids, pa.string()), value_set=self._catalogue.table["track_id"]
        ).to_pylist()
        return found

    def by_isrc(self, isrcs: Sequence[str]) -> list[int | None]:
        """The first row of each ISRC, None where there is none."""
        codes = [isrc.replace("-", "").upper() or None for isrc in isrcs]
        return _first(pa.array(codes, pa.string()), self._isrcs)

    def by_name(self, artists: Sequence[str], titles: Sequence[str]) -> list[int | None]:
        """The first row of each artist and title: by the whole credit, or by the name that it begins with."""
        found: list[int | None] = [None] * len(titles)
        for names in (artists, [_JOINED.sub("", artist) for artist in artists]):
            whole = normalise(fold_accents(pa.array([_clean(name) for name in names], pa.string())))
            folded = recording_titles(pa.array([_clean(title) for title in titles], pa.string()))
            known = pc.and_(pc.not_equal(whole, ""), pc.is_valid(folded))
            pairs = pc.if_else(known, pc.binary_join_element_wise(whole, folded, "\t"), None)
            rows = _first(pairs, self._names)
            found = [old if old is not None else new for old, new in zip(found, rows, strict=True)]
        return found


def top_candidates(rows: Sequence[int | None], scores: Sequence[float], query: Query, n: int) -> Candidates:
    """Candidates of rows that may come more than once, where the highest score counts; without the seeds."""
    most: dict[int, float] = {}
    for row, score in zip(rows, scores, strict=True):
        if row is not None and (query.allowed is None or query.allowed[row]):
            most[row] = max(most.get(row, score), score)
    for seed in query.seeds.tolist():
        most.pop(seed, None)
    found: Rows = np.fromiter(most.keys(), np.intp, len(most))
    values: Floats = np.fromiter(most.values(), np.float32, len(most))
    order = np.lexsort((found, -values))[:n]
    return Candidates(found[order], values[order])


def evenly_spaced(seeds: Rows, n: int) -> Rows:
    """At most n of the seeds, each once, evenly from the first to the last."""
    each = np.array(list(dict.fromkeys(seeds.tolist())), dtype=np.intp)
    return each if len(each) <= n else each[np.linspace(0, len(each) - 1, n).round().astype(np.intp)]


def _first(wanted: pa.Array, column: pa.Array) -> list[int | None]:
    """The first row of each text in a column; a null is found nowhere."""
    found: list[int | None] = pc.index_in(wanted, value_set=column, skip_nulls=True).to_pylist()
    return found


def _clean(text: str) -> str:
    """Text that UTF-8 can hold."""
    return text.encode(errors="replace").decode()
