"""The networks, in Keras: what a recipe trains and what is exported of it.

Only `disco.cli.train` imports this module. A network reads whole playlists, (playlists, tracks, inputs), and
says at each track what the next one sounds like; `step` is the same network, weights shared, one track at
a time, so that a playlist costs as much as it is long.
"""

from __future__ import annotations

import math
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# TensorFlow, because Keras exports ONNX from it; 3 keeps its notes on missing GPUs off the screen, and without
# oneDNN the same seed gives the same sums on more machines.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import keras
import numpy as np
import tensorflow

# Added where a square root would have no slope.
_TINY = 1e-12


def classic(inputs: int = 9, outputs: int = 8, units: int = 16) -> keras.Model:
    """Published network: two SimpleRNN of 16 and a Dense of 8, linear (taylorhawks, RNN-music-recommender).

    (playlists, tracks, 9) scaled features and mode -> (playlists, tracks, 8) scaled features of the next
    track. There is no mask inside: padding follows the tracks, so that no output before it can see it, and
    the loss leaves it out by its weights.
    """
    return keras.Sequential(
        [
            keras.Input((None, inputs), name="inputs"),
            _linear(units, "first"),
            _linear(units, "second"),
            keras.layers.Dense(outputs, name="vector"),
        ],
        name="classic",
    )


def _linear(units: int, name: str) -> keras.layers.RNN:
    """Linear SimpleRNN; its cell has a name of its own, because a step holds all cells side by side."""
    cell = keras.layers.SimpleRNNCell(units, activation="linear", name=f"{name}_cell")
    return keras.layers.RNN(cell, return_sequences=True, name=name)


def gru(inputs: int = 9, outputs: int = 8, units: int = 64) -> keras.Model:
    """A GRU (Cho et al. 2014) of 64 and a Dense of 8 on the inputs of `classic`, and trained like it."""
    cell = keras.layers.GRUCell(units, name="gru_cell")
    return keras.Sequential(
        [
            keras.Input((None, inputs), name="inputs"),
            keras.layers.RNN(cell, return_sequences=True, name="gru"),
            keras.layers.Dense(outputs, name="vector"),
        ],
        name="gru",
    )


def step(network: keras.Model) -> keras.Model:
    """One step of a network of recurrent and pointwise layers in a row, sharing its weights.

    inputs (n, features), state (n, width) -> vector (n, outputs), next_state (n, width), all float32. The
    state holds those of all layers side by side, in their order; it is zero before the first track.
    """
    recurrent = [layer for layer in network.layers if isinstance(layer, keras.layers.RNN)]
    widths = [width for layer in recurrent for width in _widths(layer)]
    inputs = keras.Input(network.input_shape[-1:], name="inputs")
    state = keras.Input((sum(widths),), name="state")
    vector, start = inputs, 0
    after: list[Any] = []
    for layer in network.layers:
        if layer not in recurrent:
            vector = layer(vector)
            continue
        before = []
        for width in _widths(layer):
            before.append(state[:, start : start + width])
            start += width
        vector, states = layer.cell(vector, before)
        after += states if isinstance(states, (list, tuple)) else [states]
    outputs = {
        "vector": vector,
        "next_state": keras.layers.Concatenate(name="next_state")(after),
    }
    return keras.Model([inputs, state], outputs, name=f"{network.name}_step")


def _widths(layer: Any) -> list[int]:
    """Widths of the states that a recurrent layer carries from track to track."""
    size = layer.cell.state_size
    return list(size) if isinstance(size, (list, tuple)) else [size]


NETWORKS = {"classic": classic, "gru": gru}


def tower(
    inputs: int,
    numbers: int,
    slots: int,
    size: int,
    width: int,
    blocks: int,
    periods: int,
    memory: float,
    blur: float,
    dropout: float,
) -> keras.Model:
    """Track tower: what is known of a track, (n, inputs + slots), to a vector of length 1, (n, size).

    The vector has two halves, each with a trunk of its own. One takes the inputs with noise of sd `blur` in
    training, and words of genres in the last `slots` of them, so that it learns kinds of music and no single
    track. The other takes the first `numbers` of them through sines and cosines of learned frequencies too
    (`periods` of them each; Gorishniy et al. 2022, "On embeddings for numerical features"), by which it knows a
    track again from its numbers alone and remembers what it was played with. How well it knows it is the
    length of what it says; the last component of the vector takes the rest, and no prediction ever points there.
    So what nobody played in training is found by the first half and not misplaced by the second. `memory` is the
    share of the second in every squared length.
    """
    track = keras.Input((inputs + slots,), name="inputs")
    blurred = keras.layers.GaussianNoise(blur)(track[:, :inputs])
    if slots:
        blurred = keras.layers.Concatenate()([blurred, track[:, inputs:]])
    waves = keras.layers.Concatenate()([track[:, :inputs], Periodic(periods, name="periodic")(track[:, :numbers])])
    half = size // 2
    kinds = keras.layers.UnitNormalization()(_trunk(blurred, half, width, blocks, dropout))
    known = _trunk(waves, half - 1, width, blocks, dropout)
    length = keras.ops.sqrt(keras.ops.sum(known * known, -1, keepdims=True) + _TINY)
    how_well = keras.ops.tanh(length)
    # sqrt(1 - tanh^2), in the form that keeps its digits where tanh is nearly 1.
    rest = 2 * keras.ops.exp(-length) / (1 + keras.ops.exp(-2 * length))
    parts = [kinds * (1 - memory) ** 0.5, known * (how_well / length * memory**0.5), rest * memory**0.5]
    return keras.Model(track, keras.layers.Concatenate(name="halves")(parts), name="tower")


def _trunk(x: Any, size: int, width: int, blocks: int, dropout: float) -> Any:
    """Residual blocks of two layers."""
    x = keras.ops.silu(keras.layers.LayerNormalization()(keras.layers.Dense(width)(x)))
    for _ in range(blocks):
        inner = keras.layers.Dense(width, activation="silu")(keras.layers.LayerNormalization()(x))
        x = x + keras.layers.Dense(width)(keras.layers.Dropout(dropout)(inner))
    return keras.layers.Dense(size)(keras.layers.Dropout(dropout)(keras.layers.LayerNormalization()(x)))


@keras.saving.register_keras_serializable("disco")
class Periodic(keras.layers.Layer):  # type: ignore[misc]
    """Each number as sines and cosines of learned frequencies, then a small dense layer of its own.

    (n, numbers) -> (n, numbers * periods).
    """

    def __init__(self, periods: int, **others: Any) -> None:
        super().__init__(**others)
        self.periods = periods

    def build(self, shape: Any) -> None:
        """Frequencies begin normal with sd 1, in turns for each standard deviation of the number."""
        numbers, k = shape[-1], self.periods
        normal, uniform = keras.initializers.RandomNormal(stddev=1.0), keras.initializers.RandomUniform
        bound = (2 * k) ** -0.5
        self.frequency = self.add_weight(shape=(numbers, k), initializer=normal, name="frequency")
        self.kernel = self.add_weight(
            shape=(numbers, 2 * k + 1, k), initializer=uniform(-bound, bound), name="kernel"
        )
        self.bias = self.add_weight(shape=(numbers, 1, k), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        """(n, numbers) -> (n, numbers * periods)."""
        x = keras.ops.expand_dims(x, -1)
        angle = 2 * math.pi * x * self.frequency
        waves = keras.ops.concatenate([keras.ops.cos(angle), keras.ops.sin(angle), x], -1)
        each = keras.ops.relu(keras.ops.matmul(keras.ops.transpose(waves, (1, 0, 2)), self.kernel) + self.bias)
        return keras.ops.reshape(keras.ops.transpose(each, (1, 0, 2)), (-1, each.shape[0] * each.shape[2]))

    def get_config(self) -> dict[str, Any]:
        """What `__init__` was given."""
        return {**super().get_config(), "periods": self.periods}


def sequence_encoder(size: int, units: int, dropout: float, recurrent: str = "gru") -> keras.Model:
    """What comes next: vectors of the tower, (playlists, tracks, size), to one of length 1 after each track.

    The output of a recurrent layer over the vectors corrects their running mean; with `recurrent`
    none the mean is corrected by itself alone. The last component is 0, as the tower needs it.
    """
    vectors = keras.Input((None, size), name="inputs")
    mean = keras.ops.cumsum(vectors, axis=1) / keras.ops.cumsum(keras.ops.ones_like(vectors[..., :1]), axis=1)
    # A vector of length 1 has components of about 1 / sqrt(size): inputs of layers should be about 1.
    summaries = [mean * size**0.5]
    if recurrent != "none":
        cell = _CELLS[recurrent](units, name="cell")
        summaries.append(keras.layers.RNN(cell, return_sequences=True, name="recurrent")(vectors * size**0.5))
    together = keras.layers.Dropout(dropout)(
        keras.layers.Concatenate()(summaries) if len(summaries) > 1 else summaries[0]
    )
    vector = keras.layers.Dense(size - 1, name="correction")(together) + summaries[0][..., :-1]
    vector = keras.layers.UnitNormalization()(vector)
    return keras.Model(vectors, keras.ops.pad(vector, ((0, 0), (0, 0), (0, 1))), name="follower")


_CELLS = {"gru": keras.layers.GRUCell, "simple": keras.layers.SimpleRNNCell}


def sequence_encoder_step(network: keras.Model, place: SpaceTransform) -> keras.Model:
    """One step of a sequence encoder in the space that users measure in.

    inputs (n, size), state (n, width) -> vector (n, size), next_state (n, width). The state is that of the
    recurrent layer, the sum of the recurrent_output and their number; it is zero before the first track. Moving and
    scaling are worked into the weights, since a step's time goes to the number of its operations.
    """
    size = network.input_shape[-1]
    cell = network.get_layer("recurrent").cell if _is_recurrent(network) else None
    units = cell.units if cell else 0
    inputs = keras.Input((size,), name="inputs")
    state = keras.Input((units + size + 1,), name="state")
    total, count = state[:, units:-1] + inputs, state[:, -1:] + 1.0
    summaries, after = [total / count], [total, count]
    # A vector v of the tower arrives as stretch * (v - centre); the layers take sqrt(size) * v.
    loud, middle = size**0.5 / place.stretch, size**0.5 * place.centre
    kernel, bias = (weight.numpy() for weight in network.get_layer("correction").weights)
    kernel[: size - 1] += np.eye(size - 1, dtype=np.float32)
    bias += middle @ kernel[:size]
    kernel[:size] *= loud[:, None]
    if cell:
        recurrent_output, hidden = _shifted_cell(cell, loud, middle)(inputs, [state[:, :units]])
        summaries.append(recurrent_output)
        after.insert(0, hidden[0] if isinstance(hidden, (list, tuple)) else hidden)
    together = keras.layers.Concatenate()(summaries) if len(summaries) > 1 else summaries[0]
    correction = keras.layers.Dense(size, name="correction")
    correction.build(together.shape)
    correction.set_weights([np.pad(kernel, ((0, 0), (0, 1))), np.pad(bias, (0, 1))])
    vector = keras.layers.UnitNormalization()(correction(together))
    outputs = {"vector": place.of(vector), "next_state": keras.layers.Concatenate(name="next_state")(after)}
    return keras.Model([inputs, state], outputs, name="follower_step")


def _shifted_cell(cell: Any, loud: Any, middle: Any) -> Any:
    """A recurrent cell that says of x what the given one says of loud * x + middle."""
    moved = cell.__class__.from_config(cell.get_config())
    moved.build((None, len(loud)))
    kernel, recurrent, bias = cell.get_weights()
    bias = bias.copy()
    # A GRU has one bias for its input and another for its state.
    bias[(0,) if bias.ndim == 2 else ...] += middle @ kernel
    moved.set_weights([kernel * loud[:, None], recurrent, bias])
    return moved


@dataclass(frozen=True)
class SpaceTransform:
    """Affine map from the vectors of a tower to the space of inference: stretch * (vector - centre), (size,) each."""

    stretch: Any
    centre: Any

    def of(self, vector: Any) -> Any:
        """A vector there."""
        return keras.layers.Rescaling(self.stretch, -self.stretch * self.centre)(vector)


def transformed_tower(network: keras.Model, place: SpaceTransform) -> keras.Model:
    """A tower whose recurrent_output are in the space that users measure in."""
    return keras.Model(network.inputs, {"vector": place.of(network.outputs[0])}, name="tower")


def _is_recurrent(network: keras.Model) -> bool:
    return any(layer.name == "recurrent" for layer in network.layers)


def set_seed(seed: int, deterministic: bool = True) -> None:
    """Make what follows depend on the seed alone: first weights, order of the batches, sums in TensorFlow.

    Without `deterministic` sums are taken in any order, which is twice as fast where large tables are gathered from.
    """
    keras.utils.set_random_seed(seed)
    if deterministic:
        tensorflow.config.experimental.enable_op_determinism()


def export(one_step: keras.Model, path: Path) -> None:
    """Write a network as ONNX, the size of the batch and of sets left open."""
    # Keras exports no model that was never called.
    one_step([keras.ops.zeros([n or 1 for n in each.shape]) for each in one_step.inputs])
    with warnings.catch_warnings():
        # Keras mends tf2onnx for NumPy 2, and NumPy warns of the question whether it must.
        warnings.simplefilter("ignore", FutureWarning)
        one_step.export(path, format="onnx", verbose=False)
