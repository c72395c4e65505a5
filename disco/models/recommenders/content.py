"""What sounds like the seeds to a tower that learned from genres, artists and playlists; it knows new tracks too."""

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

# Seeds whose cosines with all tracks are held at a time: of a million tracks that is 128 MB.
_SEEDS = 32
# Tracks that go through the tower at a time: few enough that a small catalogue keeps several threads busy.
_AT_A_TIME = 1024


@dataclass(frozen=True)
class ContentParams:
    """How the seeds' cosines become one score.

    Attributes
    ----------
    sharpness : float
        A track's score is the logarithm of the mean of exp(sharpness * cosine) over the seeds, divided by sharpness:
        near 0 that is the mean cosine, far above it the greatest.
    """

    sharpness: float


def embed_tracks(card: Card, catalogue: Catalogue) -> Floats:
    """Where a model's tower places the tracks, shape (n, d), vectors of length 1; NaN for tracks without features."""
    by = scaler(card["scaler"]["model"], card["scaler"]["version"])
    return run_in_batches(load_network(card, "tower"), tower_inputs(catalogue, card["inputs"], by), "vector")


def run_in_batches(network: Network, heard: Floats, output: str) -> Floats:
    """What a network says of each row of its inputs, shape (n, d); NaN for rows that begin with NaN."""
    width = next(node.shape[-1] for node in network.session.get_outputs() if node.name == output)
    space = np.full((len(heard), width), np.nan, dtype=np.float32)
    rows = np.flatnonzero(~np.isnan(heard[:, 0]))

    def place(some: Rows) -> None:
        space[some] = network(inputs=heard[some])[output]

    # A network runs on one thread, and lets others run meanwhile.
    with ThreadPoolExecutor() as threads:
        list(threads.map(place, np.split(rows, range(_AT_A_TIME, len(rows), _AT_A_TIME))))
    return space


def cosine_recommender(name: str, space: Floats, how: ContentParams) -> Scored:
    """A recommender of the tracks that lie near the seeds, shape (n, d); of seeds without a place it says nothing."""
    columns = np.ascontiguousarray(space.T)
    placed = ~np.isnan(space.sum(axis=1))

    def score(queries: Sequence[Query]) -> Floats:
        seeds = [query.seeds[placed[query.seeds]] for query in queries]
        scores = np.full((len(queries), len(space)), np.nan, dtype=np.float32)
        for some in _together([len(rows) for rows in seeds]):
            rows = np.concatenate([seeds[i] for i in some])
            cosines = space[rows] @ columns
            cosines *= how.sharpness
            np.exp(cosines, out=cosines)
            counts = np.array([len(seeds[i]) for i in some])
            sums = np.add.reduceat(cosines, np.cumsum(counts) - counts, axis=0)
            scores[some] = np.log(sums / counts[:, None]) / how.sharpness
        return scores

    return Scored(name, len(space), score)


def _together(seeds: Sequence[int]) -> list[list[int]]:
    """Queries in groups of so few seeds that their cosines can be held at once; those without a seed are in none."""
    groups: list[list[int]] = [[]]
    held = 0
    for query, count in enumerate(seeds):
        if not count:
            continue
        if groups[-1] and held + count > _SEEDS:
            groups.append([])
            held = 0
        groups[-1].append(query)
        held += count
    return groups if groups[0] else []


def load(folder: Artifacts) -> Recommender:
    """A recommender by content; it has no vocabulary, and knows every track that has the eight features."""
    return cosine_recommender(
        folder.card.name, embed_tracks(folder.card, folder.catalogue), folder.parameters(ContentParams)
    )
