"""The networks, in Keras: what a recipe trains and what is exported of it.

Only `disco.train` imports this module. A network reads whole playlists, (playlists, tracks, inputs), and
says at each track what the next one sounds like; `step` is the same network, weights shared, one track at
a time, so that a playlist costs as much as it is long.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

# TensorFlow, because Keras exports ONNX from it; 3 keeps its notes on missing GPUs off the screen, and without
# oneDNN the same seed gives the same sums on more machines.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import keras
import tensorflow


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
    """A GRU (Cho et al. 2014) of 64 and a Dense of 8 on what `classic` hears, and trained like it."""
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


def start_from(seed: int) -> None:
    """Make what follows depend on the seed alone: first weights, order of the batches, sums in TensorFlow."""
    keras.utils.set_random_seed(seed)
    tensorflow.config.experimental.enable_op_determinism()


def export(one_step: keras.Model, path: Path) -> None:
    """Write a step as ONNX, the size of the batch left open."""
    # Keras exports no model that was never called.
    one_step([keras.ops.zeros((1, *each.shape[1:])) for each in one_step.inputs])
    with warnings.catch_warnings():
        # Keras mends tf2onnx for NumPy 2, and NumPy warns of the question whether it must.
        warnings.simplefilter("ignore", FutureWarning)
        one_step.export(path, format="onnx", verbose=False)
