"""The beam search of `sequence.beam` over the pools of many playlists at once, with the cost of `FlowCost`.

One playlist alone is many small arrays and a network that steps for sixteen tracks: most of its time goes to calls.
Here each step is made for many playlists together. All costs are computed by matrix products; those of the cheapest
few are computed once more as `FlowCost` computes them, so that the same tracks are chosen, ties included.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.models.predictors import Predictor
from disco.playlist.columns import Columns, mean_of_nearest
from disco.playlist.cost import Knobs
from disco.playlist.mixing import TEMPO_GROWTH, TEMPO_PENALTY, Mixing
from disco.playlist.sequence.rules import NEIGHBOURS

Mask = NDArray[np.bool_]
Numbers = NDArray[np.int32]
# Options of which the exact cost is computed, beside as many as are chosen: those that matrix products put in a wrong
# order differ by a millionth.
_SPARE = 8


class Pools(NamedTuple):
    """The pools of q playlists with s seeds and p candidates each: seeds first, candidates by ascending row.

    Attributes
    ----------
    rows : ndarray of rows, shape (q, s + p)
        In the catalogue.
    embeddings : ndarray, shape (q, s + p, d)
        Without NaN.
    key : ndarray, shape (q, s + p)
        Numbers in the tables of the mixing.
    cosine, sine, octave : ndarray, shape (q, s + p)
        Of the tempo; the octave is NaN where it is unknown.
    songs : ndarray of int, shape (q, s + p)
        The same for versions of a song; different for tracks of which no title is known.
    members : ndarray of uint8, shape (q, s + p, a)
        Whether an artist of several tracks of the pool plays in a track; `a` is a multiple of 64.
    ranks : ndarray, shape (q, p)
        What each candidate costs for its place in the recommender's ranking.
    """

    rows: Rows
    embeddings: Floats
    key: NDArray[np.uint8]
    cosine: Floats
    sine: Floats
    octave: Floats
    songs: Numbers
    members: NDArray[np.uint8]
    ranks: Floats


@dataclass(frozen=True)
class ManyCosts:
    """The cost of `FlowCost` for tracks of many pools.

    Attributes
    ----------
    catalogue : Catalogue
    embeddings : ndarray, shape (n, d)
        Of all tracks of the catalogue.
    predictor : Predictor
    knobs : Knobs
    mixing : Mixing
        One that `supports` accepts.
    """

    catalogue: Catalogue
    embeddings: Floats
    predictor: Predictor
    knobs: Knobs
    mixing: Mixing

    @staticmethod
    def supports(mixing: Mixing) -> bool:
        """Whether keys and tempos are judged as published, but for limits of tempo and of clashes."""
        return mixing.learned is None and mixing.pitch is None and mixing.graded and mixing.half_time_weight == 1

    def start(self, seeds: Rows, memory: Floats) -> tuple[Floats, Floats]:
        """Predicted vectors and memories after the seeds of each playlist, shape (q, 1, d) and (q, m)."""
        vectors = np.empty((len(seeds), 0), dtype=np.float32)
        for column in seeds.T:
            vectors, memory = self.step(column, memory)
        return vectors[:, None], memory

    def step(self, rows: Rows, memory: Floats) -> tuple[Floats, Floats]:
        """Predicted vectors and memories after one more track of each sequence."""
        return self.predictor.step(self.predictor.inputs(self.catalogue, self.embeddings, rows), memory)

    def lookahead(self, pools: Pools, seeds: int) -> Floats:
        """Mean cost of the cheapest transitions from each candidate, shape (q, p)."""
        values = np.float32(self.knobs.sweetness) * self.mixing.key_tables[0]
        made = np.empty(pools.ranks.shape, dtype=np.float32)
        for i in range(len(made)):
            key = pools.key[i, seeds:]
            columns = Columns(
                pools.embeddings[i, seeds:].T,
                None,
                key,
                pools.cosine[i, seeds:],
                pools.sine[i, seeds:],
                None,
                None,
            )
            keys = values[:, key][key]
            made[i] = mean_of_nearest(columns, keys, self.knobs.flow, self.knobs.smoothness)
        return made


class Search:
    """What the searches of some pools need of them, laid out once.

    Parameters
    ----------
    pools : Pools
    seeds : int
        Tracks that each begins with.
    costs : ManyCosts
    """

    def __init__(self, pools: Pools, seeds: int, costs: ManyCosts) -> None:
        self.pools, self.seeds, self.costs = pools, seeds, costs
        self.options = np.ascontiguousarray(pools.embeddings[:, seeds:])
        squares = np.einsum("qpd,qpd->qp", self.options, self.options)[:, :, None]
        across = np.concatenate([self.options, np.ones_like(squares), squares], axis=2)
        # Products with it take a third of those with the array that it is transposed from.
        self.across = np.ascontiguousarray(across.transpose(0, 2, 1))
        similarity, penalty = costs.mixing.key_tables
        # What each key before, and its rank, costs each option, shape (q, keys, p).
        self.sweet = np.float32(costs.knobs.sweetness) * similarity - penalty
        keys = pools.ranks[:, None] - self.sweet[:, pools.key[:, seeds:]].transpose(1, 0, 2)
        self.keys = np.ascontiguousarray(keys)
        self.tempo = np.stack([pools.cosine, pools.sine], axis=2)
        self.tempo_across = np.ascontiguousarray(self.tempo[:, seeds:].transpose(0, 2, 1))
        self.bits = np.packbits(pools.members, axis=2).view(np.uint64)
        self.has_limit = costs.mixing.max_tempo_change is not None

    def part(self, some: slice) -> Search:
        """The same of some of the pools."""
        part = copy.copy(self)
        part.pools = Pools._make(each[some] for each in self.pools)
        for name in ("options", "across", "keys", "tempo", "tempo_across", "bits"):
            setattr(part, name, getattr(self, name)[some])
        return part

    def approximate(self, targets: Floats, last: Rows) -> Floats:
        """Costs of all options after the last track of each beam by matrix products, shape (q, beams, p)."""
        knobs, seeds, q = self.costs.knobs, self.seeds, np.arange(len(last))[:, None]
        squares = np.einsum("qbd,qbd->qb", targets, targets)[:, :, None]
        # |a - b|^2 = -2 a b + |a|^2 + |b|^2, in one product.
        left = np.concatenate([targets * np.float32(-2), squares, np.ones_like(squares)], axis=2)
        costs: Floats = np.matmul(left, self.across)
        np.sqrt(np.abs(costs, out=costs), out=costs)
        if knobs.flow != 1:
            costs *= np.float32(knobs.flow)
        costs += self.keys[q, self.pools.key[q, last]]
        tempo = self.tempo[q, last] * np.float32(-knobs.smoothness)
        term = np.matmul(tempo, self.tempo_across)
        costs += term
        if self.has_limit:
            # The penalties of `Mixing.tempo_penalties`, of which none is beyond half an octave here.
            beyond = np.subtract(self.pools.octave[:, None, seeds:], self.pools.octave[q, last][:, :, None], out=term)
            beyond -= np.rint(beyond)
            np.abs(beyond, out=beyond)
            beyond -= np.float32(self.costs.mixing.octaves)
            np.fmax(beyond, 0, out=beyond)  # 0 where a tempo is unknown
            far = beyond > 0
            beyond *= np.float32(TEMPO_GROWTH)
            beyond += np.float32(TEMPO_PENALTY)
            # Twenty times as fast as to add where it is far.
            beyond *= far
            costs += beyond
        return costs

    def exact(self, targets: Floats, last: Rows, parents: Rows, picks: Rows) -> Floats:
        """Costs of some options after some beams, as `FlowCost` computes them one by one, shape (q, k)."""
        knobs, seeds, pools = self.costs.knobs, self.seeds, self.pools
        q = np.arange(len(last))[:, None]
        ends = self.options[q, picks].reshape(-1, self.options.shape[2])
        aims = targets[q, parents].reshape(-1, self.options.shape[2])
        difference = np.ascontiguousarray((ends - aims).T)
        costs: Floats = np.sqrt(np.einsum("ij,ij->j", difference, difference)).reshape(picks.shape)
        if knobs.flow != 1:
            costs *= np.float32(knobs.flow)
        before, option = last[q, parents], seeds + picks
        costs -= self.sweet[pools.key[q, before], pools.key[q, option]]
        costs -= pools.cosine[q, option] * (np.float32(knobs.smoothness) * pools.cosine[q, before])
        costs -= pools.sine[q, option] * (np.float32(knobs.smoothness) * pools.sine[q, before])
        if self.has_limit:
            apart = pools.octave[q, option] - pools.octave[q, before]
            costs += self.costs.mixing.tempo_penalties(np.abs(apart - np.rint(apart)))
        costs += pools.ranks[q, picks]
        return costs

    def by_artists(self, last: Rows, counts: NDArray[np.uint8], gap: Rows, limit: int) -> Mask:
        """Options that an artist rules out, shape (q, beams, p).

        Parameters
        ----------
        counts : ndarray, shape (q, beams, a)
            Tracks of each artist among the last ones.
        gap : ndarray of int, shape (q, beams, g)
            Tracks that share no artist with the next.
        """
        q = np.arange(len(last))[:, None]
        out = np.zeros((*last.shape, self.options.shape[1]), dtype=bool)
        if not self.bits.shape[2]:
            return out
        forbidden = np.bitwise_or.reduce(self.bits[q[:, :, None], gap], axis=2)
        if limit:
            forbidden = forbidden | np.packbits(counts >= limit, axis=2).view(np.uint64)
        for word in range(self.bits.shape[2]):
            out |= (forbidden[:, :, None, word] & self.bits[:, None, self.seeds :, word]) != 0
        return out


def search(
    work: Search,
    length: int,
    memory: Floats,
    width: int,
    artist_gap: int,
    max_per_artist: int,
    advance: Floats | None,
) -> tuple[Rows, NDArray[np.float64], Mask]:
    """Search in all pools; see `sequence.beam.search`.

    Parameters
    ----------
    work : Search
    length : int
        Tracks that are added.
    memory : ndarray, shape (q, m)
        Of the predictor before the first seed.
    width, artist_gap, max_per_artist : int
    advance : ndarray, shape (q, p), optional

    Returns
    -------
    paths : ndarray of rows, shape (q, length)
        Candidates in each pool that were added.
    paid : ndarray, shape (q,)
        What they cost.
    done : ndarray of bool, shape (q,)
        False where fewer candidates were allowed at a step than the beam is wide: what was found is not valid.
    """
    pools, seeds, costs = work.pools, work.seeds, work.costs
    n, n_options = pools.ranks.shape
    q = np.arange(n)[:, None]
    vectors, memory = costs.start(pools.rows[:, :seeds], memory)
    history = np.broadcast_to(np.arange(seeds), (n, 1, seeds))
    songs = pools.songs[:, seeds:]
    played = (songs[:, :, None] == pools.songs[:, None, :seeds]).any(axis=2)[:, None]
    counts = pools.members[:, max(0, seeds - NEIGHBOURS + 1) : seeds].sum(axis=1, dtype=np.uint8)[:, None]
    paid, done = np.zeros((n, 1)), np.ones(n, dtype=bool)
    spare = min(width + _SPARE, n_options)
    for position in range(length):
        last = history[:, :, -1]
        targets = np.float32(costs.knobs.spicyness) * vectors
        totals = work.approximate(targets, last)
        ahead = None if advance is None else (length - position - 1) * advance
        totals += paid.astype(np.float32)[:, :, None]
        if ahead is not None:
            totals += ahead[:, None]
        out = played
        if artist_gap or max_per_artist:
            gap = history[:, :, -artist_gap:] if artist_gap else history[:, :, :0]
            out = played | work.by_artists(last, counts, gap, max_per_artist)
        np.putmask(totals, out, np.inf)
        picks = np.argpartition(totals.min(axis=1), spare - 1, axis=1)[:, :spare]
        among = np.take_along_axis(totals, picks[:, None], axis=2)
        parents = among.argmin(axis=1)
        allowed = np.isfinite(among.min(axis=1))
        total = paid[q, parents] + work.exact(targets, last, parents, picks)
        scores = total if ahead is None else total + ahead[q, picks]
        scores = np.where(allowed, scores, np.inf)
        best = np.lexsort((parents * n_options + picks, scores), axis=1)[:, :width]
        done &= np.isfinite(scores[q, best[:, -1:]][:, 0])
        parents, picks, paid = parents[q, best], picks[q, best], total[q, best]
        history = np.concatenate([history[q, parents], seeds + picks[:, :, None]], axis=2)
        if position + 1 == length:
            break
        played = played[q, parents] | (songs[:, None] == songs[q, picks][:, :, None])
        if max_per_artist:
            counts = counts[q, parents] + pools.members[q, seeds + picks]
            if history.shape[2] >= NEIGHBOURS:
                counts -= pools.members[q, history[:, :, -NEIGHBOURS]]
        states = memory.reshape(n, -1, memory.shape[1])[q, parents].reshape(-1, memory.shape[1])
        rows = pools.rows[q, seeds + picks]
        vectors, memory = costs.step(rows.ravel(), states)
        vectors = vectors.reshape(n, width, -1)
    cheapest = paid.argmin(axis=1)
    return history[np.arange(n), cheapest, seeds:] - seeds, paid[np.arange(n), cheapest], done
