"""Set transformer: attention over a playlist's tracks and title gives a vector; inner products are scores.

Sources: Lee et al. (2019), "Set Transformer"; Algo-Rhythms' playlist generator, which put the title
into the set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.errors import DataError
from disco.models.network import load_network
from disco.models.recommenders.artifacts import Artifacts
from disco.models.recommenders.query import Query, Recommender
from disco.models.recommenders.scoring import VectorRecommender
from disco.models.recommenders.titles import Titles
from disco.models.scaler import Scaler, scaler
from disco.models.track_inputs import tower_inputs

# Seeds that are used, the first of a longer list: attention is quadratic in them.
MAX_SET = 100
# Queries encoded at a time, sorted by their number of seeds, so that little of a batch is padding.
_BATCH = 64


def song_inputs(catalogue: Catalogue, inputs: Sequence[str], by: Scaler) -> Floats:
    """Inputs of the song encoder, shape (n, inputs + 1): `tower_inputs`, and a flag for tracks without features."""
    values = tower_inputs(catalogue, inputs, by)
    unknown = np.asarray(np.isnan(values).any(axis=1))
    values[unknown] = 0
    return np.concatenate([values, unknown[:, None].astype(np.float32)], axis=1)


@dataclass(frozen=True)
class Encoder:
    """Turns queries into vectors, shape (queries, size); NaN without a usable seed or title.

    Seeds outside the vocabulary are encoded by their features; a seed with neither is ignored.

    Attributes
    ----------
    network : callable
        From the arrays `heard`, `known`, `mask` and `title` to a dict with `vector`.
    tracks, gains : ndarray, shape (tracks, size) and (tracks,)
        Vectors of the vocabulary, and the factor of each as an input.
    numbers : ndarray of int, shape (n,)
        Number in the vocabulary of each track of the catalogue, -1 outside it.
    inputs : ndarray, shape (n, inputs + 1)
        Of each track of the catalogue, from `song_inputs`.
    titles : Titles
    """

    network: Callable[..., dict[str, Floats]]
    tracks: Floats
    gains: Floats
    numbers: NDArray[np.int32]
    inputs: Floats
    titles: Titles

    def __call__(self, queries: Sequence[Query]) -> Floats:
        """Vectors of the queries."""
        vectors = np.full((len(queries), self.tracks.shape[1]), np.nan, dtype=np.float32)
        titles = self.titles.vectors([query.title for query in queries])
        readable = (self.numbers >= 0) | (self.inputs[:, -1] == 0)
        # A repeated seed is one element of the set.
        seeds = [np.array(list(dict.fromkeys(query.seeds.tolist())), dtype=np.intp) for query in queries]
        seeds = [rows[readable[rows]][:MAX_SET] for rows in seeds]
        lengths = np.array([len(rows) for rows in seeds])
        order = np.argsort(lengths, kind="stable")
        order = order[(lengths[order] > 0) | titles[order].any(axis=1)]
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            vectors[batch] = self._encode([seeds[i] for i in batch], titles[batch])
        return vectors

    def _encode(self, seeds: list[Rows], titles: Floats) -> Floats:
        longest = max(1, max(len(rows) for rows in seeds))
        rows, mask = np.zeros((len(seeds), longest), dtype=np.intp), np.zeros((len(seeds), longest, 1), np.float32)
        for i, some in enumerate(seeds):
            rows[i, : len(some)], mask[i, : len(some)] = some, 1
        numbers = self.numbers[rows]
        inside = mask * (numbers >= 0)[..., None]
        known = self.tracks[numbers] * self.gains[numbers][..., None] * inside
        # The network has one input for title terms even where none were learned.
        titles = titles if titles.shape[1] else np.zeros((len(titles), 1), dtype=np.float32)
        inputs = self.inputs[rows] * mask
        return np.asarray(self.network(heard=inputs, known=known, mask=mask, title=titles)["vector"])


def load(folder: Artifacts) -> Recommender:
    """Load a set transformer; a query without a usable seed or title has no candidates."""
    card = folder.card
    titles, network = Titles.read(folder), load_network(card)
    tracks = folder.array("tracks", len(folder.rows), None).astype(np.float32)
    gains, bias = (folder.array(name, len(folder.rows)).astype(np.float32) for name in ("gains", "bias"))
    by = scaler(card["scaler"]["model"], card["scaler"]["version"])
    song, size = song_inputs(folder.catalogue, card["inputs"], by), tracks.shape[1]
    inputs = {"heard": song.shape[1], "known": size, "mask": 1, "title": max(len(titles), 1)}
    if card["network"]["inputs"] != inputs or card["network"]["outputs"] != {"vector": size}:
        raise DataError(card.folder, "has a network whose inputs do not fit its tracks, terms or features")
    encode = Encoder(network, tracks, gains, folder.numbers, song, titles)
    return VectorRecommender(card.name, tracks, encode, bias, folder.rows, reads_titles=True)
