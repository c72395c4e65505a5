"""What should the next track sound like? Predictors, stepwise: a track and a state in, a vector and a state out.

The vector lives where `embed` puts the tracks, and the distance of a candidate is measured there. One
row of the batch is one sequence, so that a beam carries its states side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from disco.catalogue import FEATURES, Catalogue, Floats, Rows
from disco.models.card import read_card
from disco.models.network import Network, load_network
from disco.models.scaler import Scaler, scaled_features, scaler
from disco.models.track_inputs import encode_tracks

State = Floats
# Tracks placed at a time: the tower's layers for them take 30 MB.
_BATCH = 8192

# The k of sum / (n + k). Theory says 2.8, the variance of the scaled features within playlists over that between
# them (which shrinks to the least squared error); the least absolute error on the validation playlists of `classic`
# has 0.25: 0.6028 against 0.6040 at 0, 0.6046 at 1 and 0.6132 at 2.8.
SHRINKAGE = 0.25


class Predictor(Protocol):
    """Predicts the vector of the next track from those before it."""

    @property
    def name(self) -> str:
        """Name on the command line."""

    @property
    def predicts_features(self) -> bool:
        """Whether its vectors are the eight scaled features, so that their error can be told."""

    def embed(self, catalogue: Catalogue) -> Floats:
        """Where the tracks lie, shape (n, d); NaN for what is not known of it."""

    def inputs(self, catalogue: Catalogue, embedded: Floats, rows: Rows) -> Floats:
        """What `step` wants to know of these tracks, shape (n, i), the unknown replaced by the usual."""

    def start(self, n: int) -> State:
        """State before the first track, for n sequences."""

    def step(self, tracks: Floats, state: State) -> tuple[Floats, State]:
        """Vectors (n, d) of the track after these (n, i), and the state then."""


@dataclass(frozen=True)
class Mean:
    """Running mean of the tracks so far, shrunk towards the mean of all music: nothing is learned.

    After n tracks it predicts their sum / (n + k), with k = `SHRINKAGE`.
    """

    scaler: Scaler
    name: str = "mean"
    predicts_features: bool = True

    def embed(self, catalogue: Catalogue) -> Floats:
        """Scaled features, shape (n, 8)."""
        return scaled_features(catalogue, self.scaler)

    def inputs(self, catalogue: Catalogue, embedded: Floats, rows: Rows) -> Floats:
        """Scaled features, shape (n, 8); those of the mean of all music where they are not known."""
        known: Floats = np.nan_to_num(embedded[rows], nan=0.0)
        return known

    def start(self, n: int) -> State:
        """Sum of no tracks, and their number."""
        return np.zeros((n, 9), dtype=np.float32)

    def step(self, tracks: Floats, state: State) -> tuple[Floats, State]:
        """Add the tracks to the sums."""
        state = state + np.c_[tracks, np.ones(len(tracks), dtype=np.float32)]
        vectors: Floats = state[:, :8] / (state[:, 8:] + np.float32(SHRINKAGE))
        return vectors, state


@dataclass(frozen=True)
class Recurrent:
    """A recurrent network over the eight scaled features and the mode, run one step at a time."""

    network: Network
    scaler: Scaler

    @property
    def name(self) -> str:
        """The name on its card."""
        return self.network.card.name

    @property
    def predicts_features(self) -> bool:
        """Whether its card says so."""
        return tuple(self.network.card["output"]) == FEATURES

    def embed(self, catalogue: Catalogue) -> Floats:
        """Scaled features, shape (n, 8)."""
        return scaled_features(catalogue, self.scaler)

    def inputs(self, catalogue: Catalogue, embedded: Floats, rows: Rows) -> Floats:
        """Scaled features and mode, shape (n, 9); means where they are not known."""
        mode = np.nan_to_num(catalogue.modes[rows], nan=self.network.card["mode_when_unknown"])
        return np.asarray(np.c_[np.nan_to_num(embedded[rows], nan=0.0), mode], dtype=np.float32)

    def start(self, n: int) -> State:
        """Zeros, the state in which training sequences start."""
        return np.zeros((n, self.network.card["network"]["state"]), dtype=np.float32)

    def step(self, tracks: Floats, state: State) -> tuple[Floats, State]:
        """Run the network for one track of each sequence."""
        after = self.network(inputs=tracks, state=state)
        return after["vector"], after["next_state"]


@dataclass(frozen=True)
class LearnedSpace:
    """A tower that places tracks in a learned space, and a sequence encoder that says where the next one lies.

    The space was moved and scaled so that its distances weigh against key and tempo as those between scaled
    features do, and so that 0 is the middle of what is played: `ranking.placing` says how.
    """

    tower: Network
    network: Network
    scaler: Scaler
    predicts_features: bool = False

    @property
    def name(self) -> str:
        """The name on its card."""
        return self.network.card.name

    def embed(self, catalogue: Catalogue) -> Floats:
        """Where the tower places the tracks, shape (n, d); NaN for those without any feature or genre."""
        card = self.network.card
        heard = encode_tracks(catalogue, card["inputs"], self.scaler, card["genre_words"])
        space = np.full((len(heard), card["network"]["inputs"]["inputs"]), np.nan, dtype=np.float32)
        rows = np.flatnonzero(~np.isnan(heard.numbers[:, 0]))
        for start in range(0, len(rows), _BATCH):
            some = rows[start : start + _BATCH]
            space[some] = self.tower(inputs=heard.take(some))["vector"]
        return space

    def inputs(self, catalogue: Catalogue, embedded: Floats, rows: Rows) -> Floats:
        """Their vectors, shape (n, d); the middle where a track is not known."""
        known: Floats = np.nan_to_num(embedded[rows], nan=0.0)
        return known

    def start(self, n: int) -> State:
        """Zeros, the state in which training sequences start."""
        return np.zeros((n, self.network.card["network"]["state"]), dtype=np.float32)

    def step(self, tracks: Floats, state: State) -> tuple[Floats, State]:
        """Run the encoder for one track of each sequence."""
        after = self.network(inputs=tracks, state=state)
        return after["vector"], after["next_state"]


# The first is the default: on held-out playlists it finds the true next track most often (docs/research/results.md).
PREDICTORS = ("rank", "classic", "gru", "mean")


def load_predictor(name: str | Path = PREDICTORS[0]) -> Predictor:
    """A predictor by its name, or by the folder of a model that the user trained."""
    if name == "mean":
        return Mean(scaler())
    card = read_card(name, "predictor")
    transform = scaler(card["scaler"]["model"], card["scaler"]["version"])
    if "tower" in card.fields:
        return LearnedSpace(load_network(card, "tower"), load_network(card), transform)
    return Recurrent(load_network(card), transform)
