"""Embeddings of tracks, dense layers over their mean and variance in a playlist, and a softmax over all tracks.

Source: after Weber and Yen, "Spotify Playlist Continuation" (a student project): embeddings of tracks, dense layers
over their mean and variance, and a softmax over all tracks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats
from disco.models.network import load_network
from disco.models.recommenders.artifacts import Artifacts
from disco.models.recommenders.query import Query, Recommender
from disco.models.recommenders.scoring import Scored


def moments(embeddings: Floats, playlists: Sequence[NDArray[np.integer]]) -> tuple[Floats, Floats]:
    """Mean and variance of each playlist's embeddings, shape (playlists, d) each; NaN without a track."""
    mean, variance = (np.full((len(playlists), embeddings.shape[1]), np.nan, dtype=np.float32) for _ in range(2))
    for i, tracks in enumerate(playlists):
        if len(tracks):
            vectors = embeddings[np.unique(tracks)]
            mean[i], variance[i] = vectors.mean(axis=0), vectors.var(axis=0)
    return mean, variance


def softmax(logits: Floats) -> Floats:
    """Softmax of each row, computed in place; a row of NaN stays NaN.

    Examples
    --------
    >>> softmax(np.zeros((1, 4), dtype=np.float32)).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits


def load(folder: Artifacts) -> Recommender:
    """Load a recommender whose scores are probabilities; a query without a known seed has no candidates."""
    tracks = len(folder.rows)
    network = load_network(folder.card)
    size = int(folder.card["network"]["inputs"]["mean"])
    embeddings = folder.array("embeddings", tracks, size).astype(np.float32)
    columns = np.ascontiguousarray(folder.array("outputs", tracks, size).astype(np.float32).T)
    bias = folder.array("bias", tracks).astype(np.float32)

    def scores(queries: Sequence[Query]) -> Floats:
        mean, variance = moments(embeddings, [folder.known(query.seeds) for query in queries])
        return softmax(network(mean=mean, variance=variance)["vector"] @ columns + bias)

    return Scored(folder.card.name, tracks, scores, folder.rows, gives_probabilities=True)
