"""Which track may follow a sequence: none twice, no second version of a song, no artist too soon or too often."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Rows

Mask = NDArray[np.bool_]
Allows = Callable[[Sequence[int], int], bool]

# Neighbouring tracks among which the tracks by one artist are limited: the usual playlist, three seeds and ten more.
NEIGHBOURS = 13


class Rules:
    """Rules on repeated tracks, songs and artists over one catalogue.

    Parameters
    ----------
    catalogue : Catalogue
    artist_gap : int
        Tracks between two by one artist: 1 means none in a row, 0 allows everything. All artists of a track count,
        featured ones too.
    max_per_artist : int
        Tracks by one artist among any `NEIGHBOURS` neighbouring ones; 0 allows all.
    """

    def __init__(self, catalogue: Catalogue, artist_gap: int = 1, max_per_artist: int = 0) -> None:
        self._catalogue, self.artist_gap, self.max_per_artist = catalogue, artist_gap, max_per_artist
        self._songs: dict[int, str] = {}
        self._artists: dict[int, frozenset[str]] = {}
        self._path: list[int] = []
        self._played: tuple[set[int], set[str]] = set(), set()

    def __call__(self, path: Sequence[int], row: int) -> bool:
        """Whether a row may follow a sequence."""
        rows, songs = self._played_in(path)
        if row in rows:
            return False
        if self.artist_gap:
            artists = self.artists(row)
            if any(artists & self.artists(r) for r in path[-self.artist_gap :]):
                return False
        if self.max_per_artist and self._too_many(path[1 - NEIGHBOURS :], row):
            return False
        song = self._song(row)
        return not song or song not in songs

    def after(self, path: Sequence[int]) -> Callable[[int], bool]:
        """Make what says whether a row may follow a sequence: quick where many rows are asked for one sequence."""
        rows, songs = set(path), {song for row in path if (song := self._song(row))}
        near = path[-self.artist_gap :] if self.artist_gap else ()
        out = {artist for row in near for artist in self.artists(row)}
        if self.max_per_artist:
            counts = Counter(artist for row in path[1 - NEIGHBOURS :] for artist in self.artists(row))
            out.update(artist for artist, n in counts.items() if n >= self.max_per_artist)
        return lambda row: row not in rows and out.isdisjoint(self.artists(row)) and self._song(row) not in songs

    def allows_before(self, path: Sequence[int], row: int, coming: Sequence[int | None]) -> bool:
        """Whether a row may follow a sequence where tracks after it are fixed; None is a free position."""
        if not self(path, row):
            return False
        if any(held is not None and not self([row], held) for held in coming[: self.artist_gap]):
            return False
        if not self.max_per_artist:
            return True
        before: list[int | None] = list(path[1 - NEIGHBOURS :])
        around = [*before, row, *coming[: NEIGHBOURS - 1]]
        windows = (around[i : i + NEIGHBOURS] for i in range(len(before) + 1))
        return not any(self._too_many([r for r in window if r != row], row) for window in windows)

    def with_limit(self, max_per_artist: int) -> Rules:
        """The same rules with another limit of tracks by one artist."""
        return Rules(self._catalogue, self.artist_gap, max_per_artist)

    def within_limit(self, ranked: Rows, start: Rows, n: int, required: Collection[int] = ()) -> Rows:
        """The first n tracks of a ranking that keep the limit in any order: it holds for all of them and the start.

        Those required are among them, whatever the limit says.
        """
        if not self.max_per_artist:
            return ranked[:n]
        found = [row for row in ranked.tolist() if row in required][:n]
        counts = Counter(artist for row in (*start.tolist(), *found) for artist in self.artists(row))
        for row in ranked.tolist():
            if row in found or len(found) >= n:
                continue
            if all(counts[artist] < self.max_per_artist for artist in self.artists(row)):
                found.append(row)
                counts.update(self.artists(row))
        return np.array(found, dtype=np.intp)

    def artist_excess(self, path: Rows, given: Collection[int]) -> int:
        """Most tracks by one artist among `NEIGHBOURS` neighbouring ones if these are more than allowed, or else 0.

        Tracks that are given (seeds, pinned ones) do not count where no other track is by their artist.
        """
        if not self.max_per_artist:
            return 0
        rows, most = path.tolist(), 0
        for i in range(len(rows)):
            window = rows[i : i + NEIGHBOURS]
            counts = Counter(artist for row in window for artist in self.artists(row))
            chosen = {artist for row in window if row not in given for artist in self.artists(row)}
            most = max([most, *(counts[artist] for artist in chosen)])
        return most if most > self.max_per_artist else 0

    def artists(self, row: int) -> frozenset[str]:
        """Artists of a track."""
        if row not in self._artists:
            # One artist may be written in two ways: "WizKid", "Wizkid".
            self._artists[row] = frozenset(artist.casefold() for artist in self._catalogue.artists(row))
        return self._artists[row]

    def same_artists(self, rows: Rows) -> list[Rows]:
        """Places, among n tracks, of those by one artist, for each artist of several."""
        by_artist: dict[str, list[int]] = defaultdict(list)
        for i, row in enumerate(rows.tolist()):
            for artist in self.artists(row):
                by_artist[artist].append(i)
        return [np.array(places, dtype=np.intp) for places in by_artist.values() if len(places) > 1]

    def clashes(self, rows: Rows) -> Mask:
        """Which of n tracks share an artist, shape (n, n); False on the diagonal, and everywhere if the gap is 0."""
        shared = np.zeros((len(rows), len(rows)), dtype=bool)
        for places in self.same_artists(rows) if self.artist_gap else []:
            shared[np.ix_(places, places)] = True
        np.fill_diagonal(shared, False)
        return shared

    def violations(self, path: Rows) -> int:
        """How many tracks of a sequence follow one by the same artist sooner than the gap allows."""
        artists = [self.artists(row) for row in path.tolist()] if self.artist_gap else []
        return sum(
            not one.isdisjoint(other)
            for apart in range(1, self.artist_gap + 1)
            for one, other in zip(artists, artists[apart:], strict=False)
        )

    def _too_many(self, others: Sequence[int | None], row: int) -> bool:
        """Whether a row and others are more tracks by one of its artists than are allowed."""
        artists = self.artists(row) & self._frequent
        if not artists:
            return False
        shared = [both for other in others if other is not None and (both := artists & self.artists(other))]
        if len(shared) < self.max_per_artist:
            return False
        return max(Counter(artist for both in shared for artist in both).values()) >= self.max_per_artist

    @cached_property
    def _frequent(self) -> frozenset[str]:
        """Artists with more tracks than are allowed; no others need be counted."""
        counts = Counter(
            artist.casefold() for artists in self._catalogue.column("artists").to_pylist() for artist in artists or ()
        )
        return frozenset(artist for artist, n in counts.items() if n > self.max_per_artist)

    def _played_in(self, path: Sequence[int]) -> tuple[set[int], set[str]]:
        """Tracks and songs of a sequence; kept, so that one that grows is not read anew at each question."""
        known = len(self._path)
        if path[:known] != self._path:
            known, self._path, self._played = 0, [], (set(), set())
        if added := list(path[known:]):
            self._path += added
            rows, songs = self._played
            rows.update(added)
            songs.update(self._song(row) for row in added)
        return self._played

    def _song(self, row: int) -> str:
        if row not in self._songs:
            self._songs[row] = self._catalogue.song_key(row)
        return self._songs[row]
