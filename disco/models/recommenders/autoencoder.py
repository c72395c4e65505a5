"""Cosine neighbours in the code of an autoencoder of 15 numbers of a track.

Source: a student project, "Music Recommendation System": 15 numbers -> 32 -> 128 -> 32 -> 15, cosine neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from disco.catalogue import Catalogue, Floats
from disco.errors import DataError
from disco.models.card import Card
from disco.models.network import load_network
from disco.models.recommenders.artifacts import Artifacts
from disco.models.recommenders.content import ContentParams, cosine_recommender, run_in_batches
from disco.models.recommenders.query import Recommender

INPUTS = (
    *("popularity", "duration_ms", "explicit", "danceability", "energy", "key", "loudness", "mode", "speechiness"),
    *("acousticness", "instrumentalness", "liveness", "valence", "tempo_bpm", "time_signature"),
)


def raw_inputs(catalogue: Catalogue) -> Floats:
    """The 15 columns of the catalogue, shape (n, 15); NaN where unknown."""
    return np.stack([catalogue.numbers(name) for name in INPUTS], axis=1).astype(np.float32)


def standardise(catalogue: Catalogue, mean: Sequence[float], scale: Sequence[float]) -> Floats:
    """The 15 columns standardised, shape (n, 15): 0 where unknown, NaN for tracks without features."""
    centre, spread = (np.asarray(values, dtype=np.float32) for values in (mean, scale))
    inputs = np.asarray((raw_inputs(catalogue) - centre) / spread, dtype=np.float32)
    np.nan_to_num(inputs, copy=False, nan=0.0)
    inputs[~catalogue.has_comparable_features] = np.nan
    return inputs


def autoencoder_codes(card: Card, catalogue: Catalogue) -> Floats:
    """Code of each track, shape (n, d), scaled to length 1; NaN for tracks without features."""
    moments = card["standard"]
    if catalogue.has_comparable_features.any() and catalogue.feature_set != card["feature_set"]:
        raise DataError(
            catalogue.where,
            f"has features of the set {catalogue.feature_set!r}; the model knows {card['feature_set']!r}",
        )
    inputs = standardise(catalogue, moments["mean"], moments["scale"])
    code = run_in_batches(load_network(card, "encoder"), inputs, "code")
    code /= np.maximum(np.linalg.norm(code, axis=1, keepdims=True), 1e-12)
    return code


def load(folder: Artifacts) -> Recommender:
    """Load a recommender by the code; it knows every track that has the eight features."""
    return cosine_recommender(
        folder.card.name, autoencoder_codes(folder.card, folder.catalogue), folder.parameters(ContentParams)
    )
