"""Candidates by the model `music`: the tracks that lie where its recurrent network expects the next one, and a prior.

The points of a catalogue are kept in its cache as integers of 8 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats
from disco.catalogue.arrays import ascending
from disco.models.music import MusicSpace, load_music
from disco.models.recommenders.query import Candidates, Query
from disco.models.recommenders.scoring import Scored

# Components are rounded to steps of the space's `step`, -127 to 127 of them.
_LARGEST = 127
# Rows whose scores are computed at a time: their points as float32 are 4 MB.
_BLOCK = 16_384
# More candidates than asked for are ranked by this factor, so that enough are left once versions of one song are out.
_SPARE = 2.0


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
        scored = Scored(self.name, len(self.catalogue), self._scores)
        return [self._one_of_each_song(found, query, n) for found, query in zip(
            scored.recommend_many(queries, round(_SPARE * n) + 10), queries, strict=True
        )]  # fmt: skip

    def _scores(self, queries: Sequence[Query]) -> Floats:
        known = [query.seeds[np.isfinite(self._offsets[query.seeds])] for query in queries]
        usable = [len(rows) > 0 or self.space.knows_title(q.title) for rows, q in zip(known, queries, strict=True)]
        scores = np.full((len(queries), len(self.catalogue)), np.nan, dtype=np.float32)
        rows = ascending(np.concatenate([np.empty(0, np.intp), *known]))
        points = self.space.place(self.catalogue.take(rows))[0]
        seeds = [points[np.searchsorted(rows, each)] for each in known]
        vectors = np.stack([self.space.next_point(each, q.title) for each, q in zip(seeds, queries, strict=True)])
        vectors *= self._step
        for start in range(0, len(self.catalogue), _BLOCK):
            block = self._points[start : start + _BLOCK].astype(np.float32)
            scores[:, start : start + _BLOCK] = vectors @ block.T + self._offsets[start : start + _BLOCK]
        scores[~np.array(usable)] = np.nan
        return scores

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

    @cached_property
    def _offsets(self) -> Floats:
        return self._placed[1].astype(np.float32)

    @cached_property
    def _placed(self) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
        computed: list[tuple[Floats, Floats]] = []

        def placed() -> tuple[Floats, Floats]:
            if not computed:
                computed.append(self.space.place(self.catalogue))
            return computed[0]

        def points() -> NDArray[np.int8]:
            steps = np.rint(np.nan_to_num(placed()[0], nan=0.0) / self._step)
            return np.asarray(np.clip(steps, -_LARGEST, _LARGEST), dtype=np.int8)

        def offsets() -> NDArray[np.float16]:
            points, priors = placed()
            offsets = np.nan_to_num(priors - (points**2).sum(axis=1) / 2, nan=-np.inf)
            return np.asarray(offsets, dtype=np.float16)

        version = f"music-{self.space.card['tower']['sha256'][:12]}"
        return self.catalogue.cached(f"{version}-points", points), self.catalogue.cached(
            f"{version}-offsets", offsets
        )


def load(catalogue: Catalogue, folder: Path) -> MusicRecommender:
    """The recommender of a model `music` for a catalogue."""
    return MusicRecommender(load_music(folder), catalogue)
