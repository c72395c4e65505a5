"""Content-based: cosine similarity to the seeds in a space learned from genres, artists and playlists.

The network that embeds a track (the tower) reads features alone, so it works for tracks that it was not trained on.
`disco.training.content` trains it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from disco.catalogue import Catalogue, Floats, Rows
from disco.models.card import Card
from disco.models.network import Network, load_network
from disco.models.recommenders.artifacts import Artifacts
from disco.models.recommenders.query import Query, Recommender
from disco.models.recommenders.scoring import Scored
from disco.models.scaler import scaler
from disco.models.track_inputs import tower_inputs

# Seeds whose cosines with all tracks are in memory at a time: 128 MB for a million tracks.
_SEEDS = 32
# Tracks that the network embeds at a time: few enough that a small catalogue keeps several threads busy.
_BATCH = 1024


@dataclass(frozen=True)
class ContentParams:
    """How the cosines with several seeds become one score.

    Attributes
    ----------
    sharpness : float
        A track's score is log(mean over seeds of exp(sharpness * cosine)) / sharpness: near 0 this is the mean
        cosine, for large values the maximum.
    """

    sharpness: float


def embed_tracks(card: Card, catalogue: Catalogue) -> Floats:
    """Embeddings of the tracks of a catalogue, shape (n, d), of length 1; NaN for tracks without features."""
    by = scaler(card["scaler"]["model"], card["scaler"]["version"])
    inputs = tower_inputs(catalogue, card["inputs"], by)
    return run_in_batches(load_network(card, "tower"), inputs, "vector")


def run_in_batches(network: Network, inputs: Floats, output: str) -> Floats:
    """Output of a network for each row of its inputs, shape (n, d); NaN for rows that begin with NaN."""
    width = next(node.shape[-1] for node in network.session.get_outputs() if node.name == output)
    outputs = np.full((len(inputs), width), np.nan, dtype=np.float32)
    rows = np.flatnonzero(~np.isnan(inputs[:, 0]))

    def run(batch: Rows) -> None:
        outputs[batch] = network(inputs=inputs[batch])[output]

    # A network runs on one thread and releases the interpreter lock.
    with ThreadPoolExecutor() as threads:
        list(threads.map(run, np.split(rows, range(_BATCH, len(rows), _BATCH))))
    return outputs


def cosine_recommender(name: str, embeddings: Floats, params: ContentParams) -> Scored:
    """A recommender by cosine similarity to the seeds; seeds without an embedding are ignored.

    Parameters
    ----------
    name : str
    embeddings : ndarray, shape (n, d)
        Of length 1, or NaN.
    params : ContentParams

    Examples
    --------
    >>> embeddings = np.array([[1, 0], [0.6, 0.8], [0, 1]], dtype=np.float32)
    >>> cosine_recommender("content", embeddings, ContentParams(5.0)).recommend(Query(np.array([0])), 2).rows.tolist()
    [1, 2]
    """
    columns = np.ascontiguousarray(embeddings.T)
    known = ~np.isnan(embeddings.sum(axis=1))

    def score(queries: Sequence[Query]) -> Floats:
        seeds = [query.seeds[known[query.seeds]] for query in queries]
        scores = np.full((len(queries), len(embeddings)), np.nan, dtype=np.float32)
        for group in _query_groups([len(rows) for rows in seeds]):
            rows = np.concatenate([seeds[i] for i in group])
            cosines = embeddings[rows] @ columns
            cosines *= params.sharpness
            np.exp(cosines, out=cosines)
            counts = np.array([len(seeds[i]) for i in group])
            sums = np.add.reduceat(cosines, np.cumsum(counts) - counts, axis=0)
            scores[group] = np.log(sums / counts[:, None]) / params.sharpness
        return scores

    return Scored(name, len(embeddings), score)


def _query_groups(seeds: Sequence[int]) -> list[list[int]]:
    """Queries in groups of at most `_SEEDS` seeds, by their numbers of seeds; those without a seed are in none."""
    groups: list[list[int]] = [[]]
    size = 0
    for query, count in enumerate(seeds):
        if not count:
            continue
        if groups[-1] and size + count > _SEEDS:
            groups.append([])
            size = 0
        groups[-1].append(query)
        size += count
    return groups if groups[0] else []


def load(folder: Artifacts) -> Recommender:
    """Load a recommender by content; it knows every track that has the eight features."""
    return cosine_recommender(
        folder.card.name, embed_tracks(folder.card, folder.catalogue), folder.parameters(ContentParams)
    )
