"""Predictors of the next track's vector, one step at a time: a track and a state in, a vector and a state out.

The vector is in the space of `embed`, where distances to candidates are measured. Each row of a batch is one
sequence, so that a beam search keeps its states side by side.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from disco.catalogue import FEATURES, Catalogue, Floats, Rows
from disco.errors import DiscoError
from disco.models.card import as_described, read_card
from disco.models.music import load_music
from disco.models.network import Network, load_network
from disco.models.scaler import Scaler, scaled_features, scaler
from disco.models.track_inputs import encode_tracks

log = logging.getLogger(__name__)

State = Floats
# Tracks embedded at a time: the layers for them take 30 MB.
_BATCH = 8192

# The k of sum / (n + k). The ratio of the variances within and between playlists, 2.8, minimises the squared error;
# 0.25 minimises the absolute error on the validation playlists of `classic`: 0.6028, against 0.6040 at 0, 0.6046 at 1
# and 0.6132 at 2.8.
SHRINKAGE = 0.25


class Predictor(Protocol):
    """Predicts the vector of the next track from those before it."""

    @property
    def name(self) -> str:
        """Name on the command line."""

    @property
    def predicts_features(self) -> bool:
        """Whether its vectors are the eight scaled features, so that their error can be measured."""

    def embed(self, catalogue: Catalogue) -> Floats:
        """Vectors of the tracks, shape (n, d); NaN where a component is unknown."""

    def inputs(self, catalogue: Catalogue, embedded: Floats, rows: Rows) -> Floats:
        """Inputs of `step` for these tracks, shape (n, i), with unknown values imputed."""

    def start(self, n: int, title: str = "") -> State:
        """State before the first track, for n sequences; its first axis is the sequence.

        Only some predictors read the title of the playlist.
        """

    def step(self, tracks: Floats, state: State) -> tuple[Floats, State]:
        """Predicted vectors of the next tracks, shape (n, d), and the next state.

        Parameters
        ----------
        tracks : ndarray, shape (n, i)
            The current track of each sequence, from `inputs`.
        state : ndarray
            From `start` or the step before.
        """


@dataclass(frozen=True)
class Mean:
    """Mean of the tracks so far, shrunk towards the mean of all music; nothing is learned.

    After n tracks it predicts their sum / (n + `SHRINKAGE`).
    """

    scaler: Scaler
    name: str = "mean"
    predicts_features: bool = True

    def embed(self, catalogue: Catalogue) -> Floats:
        """Scaled features, shape (n, 8)."""
        return scaled_features(catalogue, self.scaler)

    def inputs(self, catalogue: Catalogue, embedded: Floats, rows: Rows) -> Floats:
        """Scaled features, shape (n, 8); the mean, 0, where unknown."""
        known: Floats = np.nan_to_num(embedded[rows], nan=0.0)
        return known

    def start(self, n: int, title: str = "") -> State:
        """Zero sums and counts, shape (n, 9)."""
        return np.zeros((n, 9), dtype=np.float32)

    def step(self, tracks: Floats, state: State) -> tuple[Floats, State]:
        """Add the tracks to the sums and return the shrunk means."""
        state = state + np.c_[tracks, np.ones(len(tracks), dtype=np.float32)]
        vectors: Floats = state[:, :8] / (state[:, 8:] + np.float32(SHRINKAGE))
        return vectors, state


@dataclass(frozen=True)
class Recurrent:
    """A recurrent network over the eight scaled features and the mode: `classic` and `gru`.

    `classic` is the published network of taylorhawks' DISCO: two linear SimpleRNN layers of 16 and a Dense of 8.
    """

    network: Network
    scaler: Scaler

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.network.card.name

    @property
    def predicts_features(self) -> bool:
        """Whether the network predicts the eight features."""
        return tuple(self.network.card["output"]) == FEATURES

    def embed(self, catalogue: Catalogue) -> Floats:
        """Scaled features, shape (n, 8)."""
        return scaled_features(catalogue, self.scaler)

    def inputs(self, catalogue: Catalogue, embedded: Floats, rows: Rows) -> Floats:
        """Scaled features and mode, shape (n, 9); means where unknown."""
        mode = np.nan_to_num(catalogue.modes[rows], nan=self.network.card["mode_when_unknown"])
        return np.asarray(np.c_[np.nan_to_num(embedded[rows], nan=0.0), mode], dtype=np.float32)

    def start(self, n: int, title: str = "") -> State:
        """Zeros, as in training."""
        return np.zeros((n, self.network.card["network"]["state"]), dtype=np.float32)

    def step(self, tracks: Floats, state: State) -> tuple[Floats, State]:
        """Run the network for one track of each sequence."""
        after = self.network(inputs=tracks, state=state)
        return after["vector"], after["next_state"]


@dataclass(frozen=True)
class LearnedSpace:
    """A network that embeds tracks (the tower), and a recurrent one that predicts the next vector: `rank`.

    Both were trained to rank the true next track first. The space was shifted and scaled so that its distances weigh
    against key and tempo as those between scaled features do, and 0 is the middle of what is played:
    `disco.training.ranking.fit_space_transform`.
    """

    tower: Network
    network: Network
    scaler: Scaler
    predicts_features: bool = False

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.network.card.name

    def embed(self, catalogue: Catalogue) -> Floats:
        """Vectors of the tracks, shape (n, d); NaN for tracks without any feature or genre."""
        card = self.network.card
        encoded = encode_tracks(catalogue, card["inputs"], self.scaler, card["genre_words"])
        vectors = np.full((len(encoded), card["network"]["inputs"]["inputs"]), np.nan, dtype=np.float32)
        rows = np.flatnonzero(~np.isnan(encoded.numbers[:, 0]))
        for start in range(0, len(rows), _BATCH):
            some = rows[start : start + _BATCH]
            vectors[some] = self.tower(inputs=encoded.take(some))["vector"]
        return vectors

    def inputs(self, catalogue: Catalogue, embedded: Floats, rows: Rows) -> Floats:
        """Vectors of the tracks, shape (n, d); 0, the middle of what is played, where unknown."""
        known: Floats = np.nan_to_num(embedded[rows], nan=0.0)
        return known

    def start(self, n: int, title: str = "") -> State:
        """Zeros, as in training."""
        return np.zeros((n, self.network.card["network"]["state"]), dtype=np.float32)

    def step(self, tracks: Floats, state: State) -> tuple[Floats, State]:
        """Run the encoder for one track of each sequence."""
        after = self.network(inputs=tracks, state=state)
        return after["vector"], after["next_state"]


# The first is the default: on held-out playlists it finds the true next track most often (docs/research/results.md).
PREDICTORS = ("music", "rank", "classic", "gru", "mean")


def load_predictor(name: str | Path = PREDICTORS[0]) -> Predictor:
    """Load a predictor.

    Parameters
    ----------
    name : str or Path
        A name in `PREDICTORS`, the name of a trained predictor, or its folder.

    Raises
    ------
    NotFoundError, DataError
        If there is none, or its files are invalid.

    Examples
    --------
    >>> import disco
    >>> catalogue, predictor = disco.open(), load_predictor("mean")
    >>> embedded = predictor.embed(catalogue)
    >>> tracks = predictor.inputs(catalogue, embedded, np.array([0]))
    >>> vectors, state = predictor.step(tracks, predictor.start(1))
    >>> vectors.shape
    (1, 8)
    """
    if name == "mean":
        return Mean(scaler())
    try:
        card = read_card(name, "predictor")
        if "space_scale" in card.fields:
            with as_described(card.folder):
                return load_music(card.folder)
    except DiscoError as error:
        if name != PREDICTORS[0]:
            raise
        log.warning("the model %s is not used: %s; the mean of the tracks so far predicts the next", name, error)
        return Mean(scaler())
    with as_described(card.folder):
        transform = scaler(card["scaler"]["model"], card["scaler"]["version"])
        if "tower" in card.fields:
            return LearnedSpace(load_network(card, "tower"), load_network(card), transform)
        return Recurrent(load_network(card), transform)
