"""A playlist as a file names its tracks, and which tracks of a catalogue these are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from disco.catalogue import Catalogue, Rows
from disco.catalogue.search import ENOUGH


@dataclass(frozen=True)
class Tracklist:
    """Tracks of a playlist as a file names them.

    Attributes
    ----------
    title : str
        Empty where the file has none.
    ids : list of str
        Id, or path, or text, of each track.
    names : list of str
        Artist and title of each where its id may be unknown; otherwise empty.
    tracks : Catalogue, optional
        What the file itself knows of its tracks, one row each in their order, where it tells more than names. A
        track of which nothing is known has a row with its id alone, one that stands in the list twice has two.
    folder : str
        Names of the folders that the playlist is in, parted by ` / `; empty if it is in none.
    files : list of str, optional
        Absolute path that each id means if it is one, empty if it is none.
    absent : tuple of int
        Places of tracks that the file names, but that are not among those it knows.
    """

    title: str
    ids: list[str]
    names: list[str]
    tracks: Catalogue | None = None
    folder: str = ""
    files: list[str] | None = None
    absent: tuple[int, ...] = ()

    @property
    def place(self) -> str:
        """Title with the folders that it is in, as a person finds it."""
        return f"{self.folder} / {self.title}" if self.folder else self.title

    def rows(self, catalogue: Catalogue) -> Rows:
        """Rows of those tracks that the catalogue has, by id, path or name, in their order and each once."""
        found = self.found(catalogue)
        return np.array(list(dict.fromkeys(found[found >= 0].tolist())), dtype=np.intp)

    def found(self, catalogue: Catalogue) -> Rows:
        """Row of each track in the catalogue, by id, path or name; -1 where it has none."""
        found = np.full(len(self.ids), -1, dtype=np.intp)
        paths = catalogue.table["path"]
        for wanted, column in ((self.ids, catalogue.table["track_id"]), (self.ids, paths), (self.files, None)):
            if wanted is not None and (found < 0).any():
                among = _absolute(paths) if column is None else column
                rows = pc.fill_null(pc.index_in(pa.array(wanted, pa.string()), value_set=among), -1).to_numpy()
                found = np.where(found < 0, rows, found)
        if catalogue is self.tracks:
            found[list(self.absent)] = -1
            return found
        for i in np.flatnonzero(found < 0):
            matches = catalogue.search(self.names[i], 1) if self.names[i] else []
            if matches and matches[0].score >= ENOUGH:
                found[i] = matches[0].row
        return found


def _absolute(paths: pa.ChunkedArray) -> pa.Array:
    """Paths from the root, without detours; those that are relative begin in the folder that DISCO runs in."""
    rooted = pc.match_substring_regex(paths, r"^(?:/|\\\\|[A-Za-z][A-Za-z0-9+.-]*:)")
    whole = pc.if_else(rooted, paths, pc.binary_join_element_wise(str(Path.cwd()), paths, os.sep)).combine_chunks()
    odd = pc.fill_null(pc.match_substring_regex(whole, r"//|/\.\.?(?:/|$)"), False)
    plain = [os.path.normpath(path) for path in whole.filter(odd).to_pylist()]
    return pc.replace_with_mask(whole, odd, pa.array(plain, pa.string()))
