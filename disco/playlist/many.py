"""Playlists for many seeds at once: the tracks that `generate` chooses for each, tens of times as fast."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.music import tempo_angle
from disco.catalogue.numbering import every_artist, song_numbers
from disco.catalogue.table import Mask
from disco.errors import DiscoError
from disco.models.predictors import PREDICTORS, Predictor, load_predictor
from disco.models.recommenders import Candidates, Query, Recommender, default_recommender, load_recommender
from disco.playlist.cost import Knobs, weighted
from disco.playlist.generate import generate
from disco.playlist.many_beams import ManyCosts, Pools, Search, search
from disco.playlist.mixing import Mixing
from disco.playlist.sequence.beam import ADVANCE, FEW, WIDTH

# Queries whose scores are computed together, and playlists that are searched for together by a beam: the costs of all
# options of so many fit the processor's cache.
_QUERIES, _AT_ONCE = 64, 16
_BITS = 64


def generate_many(
    catalogue: Catalogue,
    seeds: Sequence[Rows],
    *,
    titles: Sequence[str] = (),
    length: int = 10,
    candidates: int = 400,
    knobs: Knobs = Knobs(),  # noqa: B008 - frozen
    predictor: str | Predictor = PREDICTORS[0],
    recommender: str | Recommender | None = None,
    sequencer: str = "beam",
    artist_gap: int = 1,
    max_per_artist: int = 0,
    mixing: Mixing = Mixing(),  # noqa: B008 - frozen
    relevance: float = 0.0,
    width: int | None = None,
) -> list[Rows | DiscoError]:
    """Choose the tracks of many playlists.

    Those of sequencers, styles and seeds for which there is no faster way are made by `generate`, one by one.

    Parameters
    ----------
    catalogue : Catalogue
    seeds : sequence of ndarray of rows
        Of each playlist.
    titles : sequence of str, optional
        Of each playlist.
    length, candidates, knobs, predictor, recommender, sequencer, artist_gap, max_per_artist, mixing, relevance, width
        As for `generate`, the same for all.

    Returns
    -------
    list of ndarray of rows or DiscoError
        The tracks of each playlist, seeds first, as `generate` has them; or why there is none. Costs are rounded in
        another way, so that where two tracks cost the same to a millionth the other one may be chosen.

    Raises
    ------
    DiscoError
        If there is no such predictor or recommender.

    Examples
    --------
    >>> import disco
    >>> catalogue = disco.open()
    >>> first, second = generate_many(catalogue, [np.array([0]), np.array([5, 9])], length=4)
    >>> len(first), len(second), second[:2].tolist()
    (5, 6, [5, 9])
    """
    recommender = load_recommender(recommender, catalogue) if isinstance(recommender, str) else recommender
    recommender = recommender or default_recommender(catalogue)
    predictor = load_predictor(predictor) if isinstance(predictor, str) else predictor
    seeds = [np.array(list(dict.fromkeys(rows.tolist())), dtype=np.intp) for rows in seeds]
    named = list(titles) or [""] * len(seeds)
    found: dict[int, Rows] = {}
    beam = width or WIDTH if sequencer == "beam" else 1
    if sequencer in ("beam", "greedy") and ManyCosts.supports(mixing) and beam <= candidates <= FEW and length:
        tracks = _Tracks(catalogue, predictor, weighted(knobs, mixing), mixing)
        many = _Many(tracks, length, candidates, beam, artist_gap, max_per_artist, relevance)
        for start in range(0, len(seeds), _QUERIES):
            part = range(start, min(start + _QUERIES, len(seeds)))
            found |= many.made(part, [seeds[i] for i in part], [named[i] for i in part], recommender)

    def one(i: int) -> Rows | DiscoError:
        if i in found:
            return found[i]
        try:
            playlist = generate(
                catalogue, seeds[i], length=length, candidates=candidates, knobs=knobs, predictor=predictor,
                recommender=recommender, sequencer=sequencer, artist_gap=artist_gap, max_per_artist=max_per_artist,
                mixing=mixing, relevance=relevance, width=width, title=named[i],
            )  # fmt: skip
        except DiscoError as error:
            return error
        return catalogue.rows(playlist.tracks.column("track_id").to_pylist())

    return [one(i) for i in range(len(seeds))]


def prepare_many(catalogue: Catalogue, predictor: Predictor) -> Floats:
    """Compute all that `generate_many` needs of a catalogue and a predictor; where the tracks lie, shape (n, d)."""
    song_numbers(catalogue)
    every_artist(catalogue)
    # Not in the store of the catalogue, for which vectors of four bytes a component are too large.
    held: dict[str, Floats] = catalogue.__dict__.setdefault("_embedded", {})
    if (name := _name_of(predictor)) not in held:
        held[name] = predictor.embed(catalogue)
    return held[name]


def _name_of(predictor: Predictor) -> str:
    """The name of a predictor, with a hash of its card."""
    card = getattr(predictor, "card", None) or getattr(getattr(predictor, "network", None), "card", None)
    text = json.dumps(card.fields, sort_keys=True, default=str) if card else ""
    return f"{predictor.name} {hashlib.sha256(text.encode()).hexdigest()}"


class _Tracks:
    """What the costs read of all tracks of a catalogue."""

    def __init__(self, catalogue: Catalogue, predictor: Predictor, knobs: Knobs, mixing: Mixing) -> None:
        self.catalogue, self.embeddings = catalogue, prepare_many(catalogue, predictor)
        self.costs = ManyCosts(catalogue, self.embeddings, predictor, knobs, mixing)
        angle = tempo_angle(catalogue.tempos).astype(np.float32)
        self.cosine, self.sine = np.nan_to_num(np.cos(angle), nan=0.0), np.nan_to_num(np.sin(angle), nan=0.0)
        self.octave = angle / np.float32(2 * np.pi)
        self.key = mixing.key_numbers(catalogue)
        self.known: Mask = np.asarray(~np.isnan(self.embeddings).any(axis=1))
        songs = song_numbers(catalogue)
        self.songs = np.where(songs < 0, -1 - np.arange(len(songs), dtype=np.int32), songs).astype(np.int32)
        self.starts, self.artists = every_artist(catalogue)

    def pools(self, rows: Rows, ranks: Floats) -> Pools:
        """The pools of tracks with these rows, shape (q, s + p)."""
        return Pools(
            rows,
            self.embeddings[rows],
            self.key[rows],
            self.cosine[rows],
            self.sine[rows],
            self.octave[rows],
            self.songs[rows],
            self._members(rows),
            ranks,
        )

    def _members(self, rows: Rows) -> NDArray[np.uint8]:
        """Which artists of several tracks of each pool play in which track, shape (q, s + p, a)."""
        each = self.starts[rows + 1] - self.starts[rows]
        total = int(each.sum())
        at = np.arange(total) - np.repeat(np.cumsum(each.ravel()) - each.ravel(), each.ravel())
        codes = self.artists[np.repeat(self.starts[rows].ravel(), each.ravel()) + at].astype(np.int64)
        track = np.repeat(np.arange(rows.size), each.ravel())
        pool = track // rows.shape[1]
        # Each artist of each pool, and how many of its tracks are by them.
        keys = pool * (int(self.artists.max(initial=0)) + 1) + codes
        different, place, times = np.unique(keys, return_inverse=True, return_counts=True)
        several = times > 1
        pool_of = different // (int(self.artists.max(initial=0)) + 1)
        running = np.r_[0, np.cumsum(several)]
        # Their numbers begin with 0 in each pool.
        number = running[:-1] - running[np.searchsorted(pool_of, np.arange(len(rows)))][pool_of]
        widest = int((number[several] + 1).max(initial=0))
        members = np.zeros((rows.size, -(-widest // _BITS) * _BITS), dtype=np.uint8)
        chosen = several[place]
        members[track[chosen], number[place[chosen]]] = 1
        return members.reshape(*rows.shape, -1)


class _Many:
    """The search for playlists of one length from so many candidates."""

    def __init__(
        self,
        tracks: _Tracks,
        length: int,
        candidates: int,
        width: int,
        artist_gap: int,
        max_per_artist: int,
        relevance: float,
    ) -> None:
        self._tracks, self._length, self._candidates, self._width = tracks, length, candidates, width
        self._gap, self._most = artist_gap, max_per_artist
        self._ranks = (relevance / 100 * np.arange(candidates)).astype(np.float32)

    def made(
        self, numbers: Sequence[int], seeds: Sequence[Rows], titles: Sequence[str], recommender: Recommender
    ) -> dict[int, Rows]:
        """Tracks of those playlists, by their numbers, that could be made together."""
        allowed = self._tracks.catalogue.has_title_and_artist
        queries = [Query(rows, title, allowed) for rows, title in zip(seeds, titles, strict=True)]
        alike: dict[int, list[tuple[int, Candidates]]] = defaultdict(list)
        for i, answer in enumerate(recommender.recommend_many(queries, self._candidates)):
            rows = answer.rows
            if len(seeds[i]) and len(rows) == self._candidates and self._tracks.known[np.r_[seeds[i], rows]].all():
                alike[len(seeds[i])].append((i, answer))
        found: dict[int, Rows] = {}
        for answers in alike.values():
            which = [i for i, _ in answers]
            paths, done = self._search([seeds[i] for i in which], [titles[i] for i in which], [c for _, c in answers])
            found |= {numbers[i]: paths[k] for k, i in enumerate(which) if done[k]}
        return found

    def _search(
        self, seeds: Sequence[Rows], titles: Sequence[str], answers: Sequence[Candidates]
    ) -> tuple[Rows, Mask]:
        n, costs = len(seeds[0]), self._tracks.costs
        rows = np.empty((len(seeds), n + self._candidates), dtype=np.intp)
        ranks = np.empty((len(seeds), self._candidates), dtype=np.float32)
        for i, (given, answer) in enumerate(zip(seeds, answers, strict=True)):
            order = np.argsort(answer.rows)
            rows[i, :n], rows[i, n:], ranks[i] = given, answer.rows[order], self._ranks[order]
        whole = Search(self._tracks.pools(rows, ranks), n, costs)
        starts = {title: costs.predictor.start(1, title) for title in set(titles)}
        memory = np.concatenate([starts[title] for title in titles])
        rules = (self._gap, self._most)
        paths, paid, done = search(whole, self._length, memory, 1, *rules, None)
        for start in range(0, len(rows), _AT_ONCE) if self._width > 1 else ():
            part = slice(start, start + _AT_ONCE)
            some = whole.part(part)
            advance = np.float32(ADVANCE) * costs.lookahead(some.pools, n) if self._candidates > 1 else None
            wide, cost, also = search(some, self._length, memory[part], self._width, *rules, advance)
            paths[part] = np.where((cost < paid[part])[:, None], wide, paths[part])
            done[part] &= also
        return np.concatenate([rows[:, :n], np.take_along_axis(rows, n + paths, axis=1)], axis=1), done


__all__ = ["generate_many", "prepare_many"]
