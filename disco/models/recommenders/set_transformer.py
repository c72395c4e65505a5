"""A title and some tracks, as one set, attended to as a whole; from that a vector, and scores of all tracks.

Sources: Lee et al. (2019), "Set Transformer"; Algo-Rhythms' playlist generator, which put the title into the set.
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

# Seeds that are heard, the first of a longer list: attention costs their square.
MAX_SET = 100
# Queries encoded at a time: those of about as many seeds together, so that little of a batch is padding.
_AT_A_TIME = 64


def song_inputs(catalogue: Catalogue, inputs: Sequence[str], by: Scaler) -> Floats:
    """What the song encoder hears of tracks, shape (n, inputs + 1): a tower's inputs, and a flag where unknown."""
    heard = tower_inputs(catalogue, inputs, by)
    unknown = np.asarray(np.isnan(heard).any(axis=1))
    heard[unknown] = 0
    return np.concatenate([heard, unknown[:, None].astype(np.float32)], axis=1)


@dataclass(frozen=True)
class Encoder:
    """From queries to vectors by a network, shape (queries, size), float32; NaN where nothing is said.

    Seeds outside the vocabulary are heard by their features; one with neither says nothing.

    Attributes
    ----------
    network : callable
        From the arrays `heard`, `known`, `mask` and `title` to a dict with `vector`.
    tracks, gains : ndarray, shape (tracks, size) and (tracks,)
        Vectors of the vocabulary, and what each is multiplied by where it is heard.
    numbers : ndarray of int, shape (n,)
        Number in the vocabulary of each track of the catalogue, -1 outside it.
    heard : ndarray, shape (n, inputs + 1)
        Of each track of the catalogue, as `heard_of` has it.
    titles : Titles
    """

    network: Callable[..., dict[str, Floats]]
    tracks: Floats
    gains: Floats
    numbers: NDArray[np.int32]
    heard: Floats
    titles: Titles

    def __call__(self, queries: Sequence[Query]) -> Floats:
        """The vectors, those of about as many seeds together."""
        vectors = np.full((len(queries), self.tracks.shape[1]), np.nan, dtype=np.float32)
        said = self.titles.vectors([query.title for query in queries])
        readable = (self.numbers >= 0) | (self.heard[:, -1] == 0)
        # A seed given twice is one element of the set.
        seeds = [np.array(list(dict.fromkeys(query.seeds.tolist())), dtype=np.intp) for query in queries]
        seeds = [rows[readable[rows]][:MAX_SET] for rows in seeds]
        lengths = np.array([len(rows) for rows in seeds])
        order = np.argsort(lengths, kind="stable")
        order = order[(lengths[order] > 0) | said[order].any(axis=1)]
        for start in range(0, len(order), _AT_A_TIME):
            some = order[start : start + _AT_A_TIME]
            vectors[some] = self._encoded([seeds[i] for i in some], said[some])
        return vectors

    def _encoded(self, seeds: list[Rows], said: Floats) -> Floats:
        longest = max(1, max(len(rows) for rows in seeds))
        rows, mask = np.zeros((len(seeds), longest), dtype=np.intp), np.zeros((len(seeds), longest, 1), np.float32)
        for i, some in enumerate(seeds):
            rows[i, : len(some)], mask[i, : len(some)] = some, 1
        numbers = self.numbers[rows]
        inside = mask * (numbers >= 0)[..., None]
        known = self.tracks[numbers] * self.gains[numbers][..., None] * inside
        # A network has a place for a term even where none was learned.
        said = said if said.shape[1] else np.zeros((len(said), 1), dtype=np.float32)
        heard = self.heard[rows] * mask
        return np.asarray(self.network(heard=heard, known=known, mask=mask, title=said)["vector"])


def load(folder: Artifacts) -> Recommender:
    """A recommender by the set of seeds and title; of a query of which it can read neither it says nothing."""
    card = folder.card
    titles, network = Titles.read(folder), load_network(card)
    tracks = folder.array("tracks", len(folder.rows), None).astype(np.float32)
    gains, bias = (folder.array(name, len(folder.rows)).astype(np.float32) for name in ("gains", "bias"))
    by = scaler(card["scaler"]["model"], card["scaler"]["version"])
    heard, size = song_inputs(folder.catalogue, card["inputs"], by), tracks.shape[1]
    inputs = {"heard": heard.shape[1], "known": size, "mask": 1, "title": max(len(titles), 1)}
    if card["network"]["inputs"] != inputs or card["network"]["outputs"] != {"vector": size}:
        raise DataError(card.folder, "has a network that does not fit its tracks, its terms or what it hears")
    encode = Encoder(network, tracks, gains, folder.numbers, heard, titles)
    return VectorRecommender(card.name, tracks, encode, bias, folder.rows, reads_titles=True)
