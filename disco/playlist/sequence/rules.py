"""Which track may follow a sequence: none twice, no second version of a song, no artist again too soon."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Rows

Mask = NDArray[np.bool_]
Allows = Callable[[Sequence[int], int], bool]


class Rules:
    """Rules on repeated tracks, songs and artists over one catalogue.

    Parameters
    ----------
    catalogue : Catalogue
    artist_gap : int
        Tracks between two by one artist: 1 means none in a row, 0 allows everything. All artists of a track count,
        featured ones too.
    """

    def __init__(self, catalogue: Catalogue, artist_gap: int = 1) -> None:
        self._catalogue, self.artist_gap = catalogue, artist_gap
        self._songs: dict[int, str] = {}
        self._artists: dict[int, frozenset[str]] = {}

    def __call__(self, path: Sequence[int], row: int) -> bool:
        """Whether a row may follow a sequence."""
        if row in path:
            return False
        if self.artist_gap:
            artists = self.artists(row)
            if any(artists & self.artists(r) for r in path[-self.artist_gap :]):
                return False
        song = self._song(row)
        return not song or all(song != self._song(r) for r in path)

    def artists(self, row: int) -> frozenset[str]:
        """Artists of a track."""
        if row not in self._artists:
            self._artists[row] = frozenset(self._catalogue.artists(row))
        return self._artists[row]

    def clashes(self, rows: Rows) -> Mask:
        """Which of n tracks share an artist, shape (n, n); False on the diagonal, and everywhere if the gap is 0."""
        shared = np.zeros((len(rows), len(rows)), dtype=bool)
        by_artist: dict[str, list[int]] = defaultdict(list)
        for i, row in enumerate(rows.tolist() if self.artist_gap else []):
            for artist in self.artists(row):
                by_artist[artist].append(i)
        for tracks in by_artist.values():
            shared[np.ix_(tracks, tracks)] = True
        np.fill_diagonal(shared, False)
        return shared

    def violations(self, path: Rows) -> int:
        """How many tracks of a sequence follow one by the same artist sooner than the gap allows."""
        shared = self.clashes(path)
        return sum(int(np.diagonal(shared, apart).sum()) for apart in range(1, self.artist_gap + 1))

    def _song(self, row: int) -> str:
        if row not in self._songs:
            self._songs[row] = self._catalogue.song_key(row)
        return self._songs[row]
