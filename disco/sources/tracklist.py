"""A playlist as a file describes it, before its tracks are looked up in a catalogue."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from disco.catalogue import Catalogue, Rows
from disco.catalogue.search import ENOUGH


@dataclass(frozen=True, slots=True)
class Entry:
    """What a file says of one track; None and the empty text are unknown.

    Parameters
    ----------
    id : str, optional
        Id, or path or text by which the file names the track.
    title, artist, album, genre, isrc, comment : str, optional
        `artist` holds all artists as the file joins them.
    path : str, optional
        Of the audio file.
    duration_ms, tempo_bpm : float, optional
        In ms and in beats per minute.
    key : str or tuple of int, optional
        In any spelling, or key 0-11 and mode.
    text : str, optional
        Artist and title as one text, where the file does not separate them.

    Examples
    --------
    >>> Entry(title="Night Bus", artist="Mira Vale").name
    'Night Bus Mira Vale'
    """

    id: str | None = None
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    isrc: str | None = None
    path: str | None = None
    duration_ms: float | None = None
    tempo_bpm: float | None = None
    key: str | tuple[int, int] | None = None
    comment: str | None = None
    text: str | None = None

    @property
    def name(self) -> str:
        """Title and artist as one text, by which the track can be searched; empty where no title is known."""
        if self.text:
            return self.text
        return f"{self.title} {self.artist}" if self.title and self.artist else self.title or ""


@dataclass(frozen=True)
class Tracklist:
    """Tracks in the order of a playlist, as a file describes them.

    Parameters
    ----------
    name : str
        Empty where the file gives none.
    entries : list of Entry
        In the order of the playlist; a track that is in it twice has two.
    tracks : Catalogue, optional
        One row per entry, where the file says more of its tracks than names.
    folder : str
        Names of the folders that contain the playlist, separated by ` / `; empty if there are none.
    unmatched : tuple of int
        Positions of entries that the file's own collection does not have.

    Examples
    --------
    >>> friday = Tracklist("Friday", [Entry("t1"), Entry(title="Night Bus", artist="Mira Vale")], folder="Sets")
    >>> friday.full_name
    'Sets / Friday'
    >>> friday.ids
    ['t1', 'Night Bus Mira Vale']
    """

    name: str
    entries: list[Entry]
    tracks: Catalogue | None = None
    folder: str = ""
    unmatched: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def full_name(self) -> str:
        """Name with the folders that contain the playlist, as DJ programs show it."""
        return f"{self.folder} / {self.name}" if self.folder else self.name

    @property
    def ids(self) -> list[str]:
        """Id of each entry, or else its name."""
        return [entry.id or entry.name for entry in self.entries]

    @property
    def names(self) -> list[str]:
        """Title and artist of each entry, empty where unknown."""
        return [entry.name for entry in self.entries]

    def rows(self, catalogue: Catalogue) -> Rows:
        """Rows of the tracks that the catalogue has, in the order of the playlist and each once."""
        found = self.match(catalogue)
        return np.array(list(dict.fromkeys(found[found >= 0].tolist())), dtype=np.intp)

    def match(self, catalogue: Catalogue) -> Rows:
        """Find each entry in a catalogue, by id, path or name.

        Returns
        -------
        ndarray of int, shape (n entries,)
            Row in the catalogue, -1 where unmatched.
        """
        found = np.full(len(self.entries), -1, dtype=np.intp)
        ids, paths = self.ids, catalogue.table["path"]
        files = [entry.path for entry in self.entries]
        for wanted, column in ((ids, catalogue.table["track_id"]), (ids, paths), (files, None)):
            if (found < 0).any() and any(wanted):
                among = _absolute(paths) if column is None else column
                rows = pc.index_in(pa.array(wanted, pa.string()), value_set=among, skip_nulls=True)
                found = np.where(found < 0, pc.fill_null(rows, -1).to_numpy(), found)
        if catalogue is self.tracks:
            found[list(self.unmatched)] = -1
            return found
        for i in np.flatnonzero(found < 0):
            name = self.entries[i].name
            matches = catalogue.search(name, 1) if name else []
            if matches and matches[0].score >= ENOUGH:
                found[i] = matches[0].row
        return found


def entries_of(tracks: Catalogue) -> list[Entry]:
    """The rows of a catalogue as entries."""
    names = ("track_id", "title", "artists", "album", "isrc", "path", "duration_ms")
    columns = [tracks.table[name].to_pylist() for name in names]
    return [
        Entry(track_id, title, ", ".join(artists or []), album, None, isrc, path, duration)
        for track_id, title, artists, album, isrc, path, duration in zip(*columns, strict=True)
    ]


def _absolute(paths: pa.ChunkedArray) -> pa.Array:
    """Normalised absolute paths; those that are relative begin in the folder that DISCO runs in."""
    rooted = pc.match_substring_regex(paths, r"^(?:/|\\\\|[A-Za-z][A-Za-z0-9+.-]*:)")
    whole = pc.if_else(rooted, paths, pc.binary_join_element_wise(str(Path.cwd()), paths, os.sep)).combine_chunks()
    odd = pc.fill_null(pc.match_substring_regex(whole, r"//|/\.\.?(?:/|$)"), False)
    plain = [os.path.normpath(path) for path in whole.filter(odd).to_pylist()]
    return pc.replace_with_mask(whole, odd, pa.array(plain, pa.string()))
