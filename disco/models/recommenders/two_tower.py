"""Two towers: a playlist, heard by its last tracks and its title, and tracks, as vectors that meet.

Source of the retrieval: Covington, Adams and Sargin (2016), "Deep Neural Networks for YouTube Recommendations"; of
how it is trained, `disco.training.two_tower` says more. The tracks' vectors are worked out once, in training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from disco.catalogue import Floats
from disco.errors import DataError
from disco.models.network import Network, load_network
from disco.models.recommenders.artifacts import Artifacts
from disco.models.recommenders.query import Query
from disco.models.recommenders.scoring import VectorRecommender
from disco.models.recommenders.titles import Titles


@dataclass(frozen=True)
class TwoTowerParams:
    """How much of a playlist is heard.

    Attributes
    ----------
    last : int
        So many tracks: its last.
    """

    last: int


def query_encoder(
    folder: Artifacts, heard: Floats, title_vectors: Floats, terms: Titles, network: Network, how: TwoTowerParams
) -> Callable[[Sequence[Query]], Floats]:
    """From queries to the playlist tower's vectors, shape (queries, size); NaN without a known seed or title.

    Parameters
    ----------
    heard : ndarray, shape (tracks, width)
        What the playlist tower hears of each track.
    title_vectors : ndarray, shape (terms, width)
        What it hears of each term of a title.
    """

    def encode(queries: Sequence[Query]) -> Floats:
        last = np.zeros((len(queries), how.last, heard.shape[1]), dtype=np.float32)
        counts = np.zeros((len(queries), how.last), dtype=np.float32)
        titles = np.zeros((len(queries), heard.shape[1]), dtype=np.float32)
        bags = terms.bags([query.title for query in queries])
        for i, query in enumerate(queries):
            known = folder.known(query.seeds)[-how.last :]
            last[i, : len(known)] = heard[known]
            counts[i, : len(known)] = 1 / max(len(known), 1)
            there = slice(bags.starts[i], bags.starts[i + 1])
            titles[i] = bags.weights[there] @ title_vectors[bags.columns[there]]
        vectors = np.array(network(last=last, counts=counts, title=titles)["vector"], dtype=np.float32)
        vectors[(counts.sum(axis=1) == 0) & (bags.lengths == 0)] = np.nan
        return vectors

    return encode


def load(folder: Artifacts) -> VectorRecommender:
    """A recommender by two towers; of a query without a known seed or title it says nothing."""
    terms, tracks = Titles.read(folder), len(folder.rows)
    vectors = folder.array("vectors", tracks, None).astype(np.float32)
    heard = folder.array("heard", tracks, None).astype(np.float32)
    titles = folder.array("titles", len(terms), heard.shape[1]).astype(np.float32)
    network = load_network(folder.card)
    if network.card["network"]["outputs"]["vector"] != vectors.shape[1]:
        raise DataError(folder.card.folder / "vectors.npy", "has vectors of another size than the playlist tower's")
    encode = query_encoder(folder, heard, titles, terms, network, folder.parameters(TwoTowerParams))
    return VectorRecommender(folder.card.name, vectors, encode, rows=folder.rows, reads_titles=True)
