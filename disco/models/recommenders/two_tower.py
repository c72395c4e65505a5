"""Two towers: one embeds a playlist by its last tracks and its title, the other a track; inner products are scores.

Source: Covington, Adams and Sargin (2016), "Deep Neural Networks for YouTube Recommendations". Vectors of tracks are
computed once, by `disco.training.two_tower`.
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
    """How much of a playlist is used.

    Attributes
    ----------
    last : int
        Number of tracks, from the end.
    """

    last: int


def query_encoder(
    folder: Artifacts, inputs: Floats, title_vectors: Floats, terms: Titles, network: Network, params: TwoTowerParams
) -> Callable[[Sequence[Query]], Floats]:
    """A function from queries to vectors of the playlist tower, (queries, size); NaN without a known seed or title.

    Parameters
    ----------
    inputs : ndarray, shape (tracks, width)
        Input of the playlist tower for each track.
    title_vectors : ndarray, shape (terms, width)
        Input for each term of a title.
    """

    def encode(queries: Sequence[Query]) -> Floats:
        last = np.zeros((len(queries), params.last, inputs.shape[1]), dtype=np.float32)
        counts = np.zeros((len(queries), params.last), dtype=np.float32)
        titles = np.zeros((len(queries), inputs.shape[1]), dtype=np.float32)
        bags = terms.bags([query.title for query in queries])
        for i, query in enumerate(queries):
            known = folder.known(query.seeds)[-params.last :]
            last[i, : len(known)] = inputs[known]
            counts[i, : len(known)] = 1 / max(len(known), 1)
            entries = slice(bags.starts[i], bags.starts[i + 1])
            titles[i] = bags.weights[entries] @ title_vectors[bags.columns[entries]]
        vectors = np.array(network(last=last, counts=counts, title=titles)["vector"], dtype=np.float32)
        vectors[(counts.sum(axis=1) == 0) & (bags.lengths == 0)] = np.nan
        return vectors

    return encode


def load(folder: Artifacts) -> VectorRecommender:
    """Load a two-tower recommender; a query without a known seed or title has no candidates."""
    terms, tracks = Titles.read(folder), len(folder.rows)
    vectors = folder.array("vectors", tracks, None).astype(np.float32)
    inputs = folder.array("heard", tracks, None).astype(np.float32)
    titles = folder.array("titles", len(terms), inputs.shape[1]).astype(np.float32)
    network = load_network(folder.card)
    if network.card["network"]["outputs"]["vector"] != vectors.shape[1]:
        raise DataError(folder.card.folder / "vectors.npy", "has vectors of another size than the playlist tower's")
    encode = query_encoder(folder, inputs, titles, terms, network, folder.parameters(TwoTowerParams))
    return VectorRecommender(folder.card.name, vectors, encode, rows=folder.rows, reads_titles=True)
