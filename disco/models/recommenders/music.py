"""Candidates by the model `music`: the tracks that lie where its recurrent network expects the next one, and a prior.

The points of a catalogue are kept in its cache as integers of 8 bits, each once where most tracks share theirs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.arrays import among, ascending
from disco.catalogue.numbering import every_artist, song_numbers
from disco.catalogue.table import Mask
from disco.models.music import MusicSpace, load_music
from disco.models.recommenders.cells import Cells, divide
from disco.models.recommenders.query import Candidates, Query
from disco.models.recommenders.scoring import TopOfParts

# Components are rounded to steps of the space's `step`, -127 to 127 of them.
_LARGEST = 127
# Different points, their offsets, and which of them each track has: none where each has its own.
_Placed = tuple[NDArray[np.int8], NDArray[np.float16], NDArray[np.int32]]
# Queries that are answered by one pass through the points.
_QUERIES = 64
# Rows whose scores are computed at a time: their points as float32 are 1 MB, which stays in the processor's cache.
_BLOCK = 4096
# The same for many queries: to look at the scores of each takes longer than to compute those of all.
_BLOCK_OF_MANY = 16384
# Tracks up to which all are scored: a million take a core 60 to 100 ms.
EXACT_TRACKS = 2_000_000
# Where a query allows fewer, all of these are scored: they lie in more cells than the best of all tracks do.
_FEW = 500_000
# More candidates than asked for are ranked by this factor, so that enough are left once versions of one song are out.
_SPARE = 2.0
# From this many queries on, songs and artists are numbered for the whole catalogue, and compared by their numbers.
_MANY = 16
# Mean prior of the seeds, in nats, from which on priors count in full; what they lose for each nat below; the least
# that is left: who seeds what few play wants no hits. Chosen on validation playlists (docs/research/experiments.md).
_PLAYED, _LOSS, _LEAST = -1.0, 0.15, 0.5


@dataclass(frozen=True)
class MusicRecommender:
    """Ranks tracks by their inner product with the predicted point, less half their squared norm, plus their prior.

    Tracks by the artists of the seeds get the model's `artist_bonus` more.
    Only the best of several versions of a song is a candidate.

    Attributes
    ----------
    space : MusicSpace
    catalogue : Catalogue
    """

    space: MusicSpace
    catalogue: Catalogue
    reads_titles: bool = True
    gives_probabilities: bool = False

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.space.name

    def recommend(self, query: Query, n: int) -> Candidates:
        """At most n candidates."""
        return self.recommend_many([query], n)[0]

    def recommend_many(self, queries: Sequence[Query], n: int) -> list[Candidates]:
        """Candidates of each query."""
        choose = self._one_of_each_song if len(queries) < _MANY else self._one_of_each_song_by_number
        found: list[Candidates] = []
        for start in range(0, len(queries), _QUERIES):
            some = queries[start : start + _QUERIES]
            best = self._best(some, round(_SPARE * n) + 10)
            found += [choose(each, query, n) for each, query in zip(best, some, strict=True)]
        return found

    def _best(self, queries: Sequence[Query], n: int) -> list[Candidates]:
        """The n tracks with the highest scores for each query, without its seeds; equal scores by the lower row."""
        vectors, less, usable = self._asked(queries)
        # More than n, so that n are left without the seeds.
        tops = [TopOfParts(n + len(query.seeds)) for query in queries]
        if self._cells is None:
            for rows, scores in self._scores(vectors, less):
                _leave_out(queries, rows, scores)
                for top, some, here in zip(tops, scores, usable, strict=True):
                    if here:
                        top.add(rows.start, some)
        else:
            for top, query, vector, share, here in zip(tops, queries, vectors, less, usable, strict=True):
                if here:
                    self._search(self._cells, top, query.allowed, vector, share)
        found = []
        for top, query in zip(tops, queries, strict=True):
            best, scores = top.best
            kept = ~among(best, query.seeds)
            found.append(Candidates(best[kept][:n], scores[kept][:n]))
        return found

    def _search(self, cells: Cells, top: TopOfParts, allowed: Mask | None, vector: Floats, less: np.float32) -> None:
        """Look at the tracks of promising cells, or at all that are allowed where these are few."""

        def score(rows: Rows) -> Floats:
            weights, block = self._weights(vector[None], np.array([less])), self._block(len(rows))
            return self._score(self._points[rows], self._offsets[rows], weights, block).ravel()

        if allowed is None or np.count_nonzero(allowed) >= _FEW:
            cells.search(vector, less, score, top, allowed)
            return
        rows = np.flatnonzero(allowed)
        for start in range(0, len(rows), _BLOCK):
            top.add(rows[start : start + _BLOCK], score(rows[start : start + _BLOCK]))

    def _asked(self, queries: Sequence[Query]) -> tuple[Floats, Floats, list[bool]]:
        """Where the next track of each query lies, in steps; the share of priors left out; whether it is known."""
        known = [query.seeds[np.isfinite(self._offsets[self._place_of(query.seeds)])] for query in queries]
        usable = [len(rows) > 0 or self.space.knows_title(q.title) for rows, q in zip(known, queries, strict=True)]
        rows = ascending(np.concatenate([np.empty(0, np.intp), *known]))
        points, priors = self.space.place(self.catalogue.take(rows))
        at = [np.searchsorted(rows, each) for each in known]
        less = np.array([1 - self._weight_of_priors(priors[each]) for each in at], dtype=np.float32)
        vectors = self.space.next_points([points[each] for each in at], [query.title for query in queries])
        return vectors * self._step, less, usable

    def _scores(self, vectors: Floats, less: Floats) -> Iterator[tuple[slice, Floats]]:
        """Scores of all tracks, block by block: the rows of the block, and an array of shape (queries, rows)."""
        places, n = self._places, len(self._points)
        if len(places):
            every = np.concatenate([scores.copy() for _, scores in self._scores_of_points(vectors, less)], axis=1)
            for start in range(0, len(places), _BLOCK):
                rows = slice(start, min(start + _BLOCK, len(places)))
                yield rows, every[:, places[rows]]
        elif n:
            yield from self._scores_of_points(vectors, less)

    def _scores_of_points(self, vectors: Floats, less: Floats) -> Iterator[tuple[slice, Floats]]:
        """The same of the points that are kept; each array is used again for the next block."""
        size = min(_BLOCK if len(vectors) < _MANY else _BLOCK_OF_MANY, len(self._points))
        weights, block = self._weights(vectors, less), self._block(size)
        scores = np.empty((len(vectors), size), dtype=np.float32)
        for start in range(0, len(self._points), size):
            rows = slice(start, min(start + size, len(self._points)))
            n = rows.stop - start
            yield rows, self._score(self._points[rows], self._offsets[rows], weights, block[:n], scores[:, :n])

    def _block(self, n: int) -> Floats:
        """Room for n points as float32, their offsets, and what is taken back where priors do not count in full."""
        return np.empty((n, self.space.size + 2), dtype=np.float32)

    def _weights(self, vectors: Floats, less: Floats) -> Floats:
        """What the columns of a block count for each query; without the last one where all priors count in full."""
        weights = np.concatenate([vectors, np.ones((len(less), 1), dtype=np.float32), -less[:, None]], axis=1)
        return weights if less.any() else weights[:, :-1]

    def _score(
        self,
        points: NDArray[np.int8],
        offsets: NDArray[np.float16],
        weights: Floats,
        block: Floats,
        scores: Floats | None = None,
    ) -> Floats:
        """Scores of some points, shape (queries, points), in the memory of `scores` if given, by one product."""
        size = self.space.size
        components, biases = block[:, :size], block[:, size]
        components[:] = points
        biases[:] = offsets
        if weights.shape[1] > size + 1:
            norms = np.einsum("ij,ij->i", components, components) * (self._step**2 / 2)
            block[:, -1] = np.where(np.isfinite(biases), biases + norms, 0)
        return np.matmul(weights, block[:, : weights.shape[1]].T, out=scores)

    def _weight_of_priors(self, priors: Floats) -> float:
        """Share of the priors that counts, from 0.5 to 1, by those of the seeds."""
        if not len(priors):
            return 1.0
        mean = float(priors.mean()) / self.space.card["prior_scale"]
        return float(np.clip(1 + _LOSS * (mean - _PLAYED), _LEAST, 1))

    def _place_of(self, rows: Rows) -> NDArray[np.intp] | NDArray[np.int32]:
        return self._places[rows] if len(self._places) else rows

    def _one_of_each_song(self, found: Candidates, query: Query, n: int) -> Candidates:
        found = self._with_artists_of_seeds(found, query)
        tracks = self.catalogue.take(np.r_[query.seeds, found.rows])
        seen = {tracks.song_key(i) for i in range(len(query.seeds))}
        kept: list[int] = []
        for i in range(len(found.rows)):
            song = tracks.song_key(len(query.seeds) + i)
            if song and song in seen:
                continue
            seen.add(song)
            kept.append(i)
            if len(kept) == n:
                break
        return Candidates(found.rows[kept], found.scores[kept])

    def _one_of_each_song_by_number(self, found: Candidates, query: Query, n: int) -> Candidates:
        """The same, from the numbers of the songs and artists of all tracks: once seconds for a million."""
        starts, codes = every_artist(self.catalogue)
        rows = np.r_[query.seeds, found.rows]
        begin = starts[rows]
        first = np.where(starts[rows + 1] > begin, codes[np.minimum(begin, len(codes) - 1)], -1)
        seeds = len(query.seeds)
        same = (first[seeds:] >= 0) & among(first[seeds:], first[:seeds])
        scores = found.scores + np.float32(self.space.card["artist_bonus"]) * same.astype(np.float32)
        order = np.lexsort((found.rows, -scores))
        songs = song_numbers(self.catalogue)[found.rows[order]]
        fresh = np.zeros(len(songs), dtype=bool)
        fresh[np.unique(songs, return_index=True)[1]] = True
        fresh &= ~among(songs, song_numbers(self.catalogue)[query.seeds])
        kept = order[fresh | (songs < 0)][:n]
        return Candidates(found.rows[kept], scores[kept])

    def _with_artists_of_seeds(self, found: Candidates, query: Query) -> Candidates:
        """The same candidates, those by a seed's first artist with a higher score: few components tell no artist."""
        rows = np.r_[query.seeds, found.rows]
        artists = self.catalogue.take(rows).column("artists").to_pylist()
        first = [each[0].casefold() if each else "" for each in artists]
        of_seeds = set(first[: len(query.seeds)]) - {""}
        same = np.array([name in of_seeds for name in first[len(query.seeds) :]], dtype=np.float32)
        scores = found.scores + np.float32(self.space.card["artist_bonus"]) * same
        order = np.lexsort((found.rows, -scores))
        return Candidates(found.rows[order], scores[order])

    @property
    def _step(self) -> np.float32:
        return np.float32(self.space.card["space_range"] / _LARGEST)

    @property
    def _points(self) -> NDArray[np.int8]:
        return self._placed[0]

    @property
    def _offsets(self) -> NDArray[np.float16]:
        return self._placed[1]

    @property
    def _places(self) -> NDArray[np.int32]:
        return self._placed[2]

    @property
    def _fingerprint(self) -> str:
        """Changes with all that points and priors depend on."""
        card = self.space.card
        parts = (
            card["tower"]["sha256"],
            card["files"],
            card["prior_scale"],
            card["unfamiliar_prior"],
            card["inputs"],
            card["space_range"],
        )
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]

    @cached_property
    def _cells(self) -> Cells | None:
        """Where to look first in a catalogue so large that its scores take a second; None if all are computed."""
        if len(self.catalogue) <= EXACT_TRACKS or len(self._places):
            return None
        divided = partial(divide, self._points, self._offsets, self._step)
        return Cells.unpack(self.catalogue.cached(f"music-{self._fingerprint}-cells-1", divided))

    @cached_property
    def _placed(self) -> _Placed:
        computed: list[_Placed] = []

        def part(i: int) -> NDArray[Any]:
            if not computed:
                whole = np.empty((len(self.catalogue), self.space.size), dtype=np.int8)
                offsets = np.empty(len(self.catalogue), dtype=np.float16)
                for rows, points, priors in self.space.place_in_parts(self.catalogue):
                    offsets[rows] = np.nan_to_num(priors - (points**2).sum(axis=1) / 2, nan=-np.inf)
                    steps = np.rint(np.nan_to_num(points, nan=0.0) / self._step)
                    whole[rows] = np.clip(steps, -_LARGEST, _LARGEST)
                computed.append(_each_once(whole, offsets))
            return computed[0][i]

        version = f"music-{self._fingerprint}"
        points, offsets, places = (
            self.catalogue.cached(f"{version}-{name}", partial(part, i))
            for i, name in enumerate(("points", "offsets", "places"))
        )
        return points, offsets, places


def _leave_out(queries: Sequence[Query], rows: slice, scores: Floats) -> None:
    """Lower to minus infinity the scores of rows that queries do not allow."""
    if all(query.allowed is queries[0].allowed for query in queries):
        if queries[0].allowed is not None:
            scores[:, ~queries[0].allowed[rows]] = -np.inf
        return
    for query, some in zip(queries, scores, strict=True):
        if query.allowed is not None:
            some[~query.allowed[rows]] = -np.inf


def _each_once(points: NDArray[np.int8], offsets: NDArray[np.float16]) -> _Placed:
    """Each different point once, and which one each track has; as they are, and no places, where most differ.

    Where names alone are known, tracks that the model does not know lie where their artists do.
    """
    # A number for each: equal points have equal numbers, and different ones almost never the same.
    factors = np.random.default_rng(0).integers(1 << 63, size=points.shape[1] // 8 + 2, dtype=np.uint64) * 2 + 1
    numbers = offsets.view(np.uint16) * factors[-1]
    padding = ((0, 0), (0, -points.shape[1] % 8))
    for start in range(0, len(points), _BLOCK):
        eights = np.pad(points[start : start + _BLOCK].view(np.uint8), padding).view(np.uint64)
        numbers[start : start + _BLOCK] += (eights * factors[: eights.shape[1]]).sum(axis=1, dtype=np.uint64)
    _, first, places = np.unique(numbers, return_index=True, return_inverse=True)
    same = len(first) <= len(points) // 2 and (points[first][places] == points).all()
    if not same or (offsets[first][places].view(np.uint16) != offsets.view(np.uint16)).any():
        return points, offsets, np.empty(0, dtype=np.int32)
    return points[first], offsets[first], places.astype(np.int32)


def load(catalogue: Catalogue, folder: Path) -> MusicRecommender:
    """The recommender of a model `music` for a catalogue."""
    return MusicRecommender(load_music(folder), catalogue)
