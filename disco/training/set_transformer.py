"""The set transformer in Keras, and the loss that it is trained by.

Sources: Lee et al. (2019), "Set Transformer": blocks of set attention, pooling by multi-head attention; Weston,
Bengio and Usunier (2011), "WSABIE": the weighted approximate-rank pairwise loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
import tensorflow

from disco.training.fitting import Batch, Task
from disco.training.recipes import SetTransformerRecipe

# Adam moves every weight by about the learning rate, however rare its gradients are. The vectors of rare tracks and
# terms are small and seldom corrected: they are stored so much larger that a step is small beside them.
_TRACK_STEP, _TERM_STEP = 3.0, 3.0


def network(recipe: SetTransformerRecipe, n_inputs: int, first_terms: Any) -> keras.Model:
    """From a set of tracks and a title to a vector whose inner products with the tracks' own are their scores.

    heard (n, set, inputs): inputs of the song encoder for each track, the last a flag of tracks without features;
    known (n, set, size): the vector that was learned for a track, zero for a track outside the vocabulary;
    mask (n, set, 1): 1 for a track, 0 for padding; title (n, terms) -> vector (n, size).

    The vector is the mean of the set (of its tracks, and of the title), corrected by attention over the whole set.
    The correction starts at zero, so that training starts from the plain mean, and the title has a short way to the
    output.

    Parameters
    ----------
    first_terms : ndarray, shape (terms, size)
        Vector of each term of a title, to start from.
    """
    size, layers, terms = recipe.size, keras.layers, len(first_terms)
    features = keras.Input((None, n_inputs), name="heard")
    known = keras.Input((None, size), name="known")
    mask = keras.Input((None, 1), name="mask")
    title = keras.Input((terms,), name="title")

    song = layers.Dense(size, name="song_out")(layers.Dense(2 * size, activation="silu", name="song_in")(features))
    tracks = layers.Dense(size, name="track")(layers.Concatenate()([known, song]))
    title_input = layers.Dropout(recipe.term_dropout)(title)
    named = keras.ops.expand_dims(layers.Dense(size, name="title_element")(title_input), 1)
    # 0 for a title without known terms: it is then no element of the set.
    titled = keras.ops.cast(keras.ops.sum(title, axis=-1, keepdims=True) > 0, "float32")
    elements = layers.Dropout(recipe.dropout)(layers.Concatenate(axis=1)([named, tracks]))
    present = keras.ops.concatenate([keras.ops.expand_dims(titled, 1), mask], axis=1)
    heeded = keras.ops.transpose(present, (0, 2, 1))
    for i in range(recipe.blocks):
        elements = _block(elements, elements, heeded, recipe, f"block{i}")
    # One question to the whole set, the same for every playlist.
    question = layers.Dense(size, use_bias=False, name="question")(keras.ops.expand_dims(0 * titled + 1, 1))
    pooled = _block(question, elements, heeded, recipe, "pool")[:, 0]

    plain = layers.Dense(size, use_bias=False, name="title_plain")(title_input / _TERM_STEP)
    together = keras.ops.sum(known * mask, axis=1) + plain
    mean = together / keras.ops.maximum(keras.ops.sum(mask, axis=1) + titled, 1.0)
    corrected = layers.Dense(size, kernel_initializer="zeros", name="correction")(
        layers.Dropout(recipe.dropout)(pooled)
    )
    vector = layers.Add(name="vector")([mean, corrected])
    model = keras.Model([features, known, mask, title], {"vector": vector}, name="set_transformer")
    model.get_layer("title_plain").kernel.assign(first_terms * _TERM_STEP)
    return model


def _block(asking: Any, asked: Any, heeded: Any, recipe: SetTransformerRecipe, name: str) -> Any:
    """Multihead attention block: normalised sum with the attention, then with a layer for each element."""
    layers, size = keras.layers, recipe.size
    attention = layers.MultiHeadAttention(recipe.heads, size // recipe.heads, name=f"{name}_attention")
    x = layers.LayerNormalization(name=f"{name}_norm1")(asking + attention(asking, asked, attention_mask=heeded))
    each = layers.Dense(size, activation="relu", name=f"{name}_each")(x)
    return layers.LayerNormalization(name=f"{name}_norm2")(x + each)


def warp(wanted: Any, others: Any, allowed: Any, weights: Any, tracks: int, margin: float) -> Any:
    """Weighted approximate-rank pairwise loss, a mean over playlists.

    Weston draws others until one comes within the margin of the wanted track, takes the number of draws as a measure
    of the wanted track's rank, and pushes the two apart by the sum of 1/1 to 1/rank. Here all draws are looked at
    together: with v of K too near, K / v draws were to be expected until the first, so the rank is about
    v / K (tracks - 1), and the mean over the v is what is to be expected of the one found.

    Parameters
    ----------
    wanted : tensor, shape (playlists, wanted)
        Scores of the tracks that belong in each playlist.
    others, allowed : tensors, shape (playlists, wanted, K)
        Scores of the tracks drawn for each of these, and 0 where the one drawn is in the playlist itself.
    weights : tensor, shape (playlists, wanted)
        What each wanted track counts, 0 for padding.
    tracks : int
        How many tracks there are.
    """
    excess = tensorflow.nn.relu(margin - wanted[..., None] + others) * allowed
    near = tensorflow.cast(excess > 0, "float32")
    violating = tensorflow.reduce_sum(near, -1)
    drawn = tensorflow.maximum(tensorflow.reduce_sum(allowed, -1), 1.0)
    rank = tensorflow.floor(violating / drawn * (tracks - 1))
    heavy = tensorflow.stop_gradient(harmonic(rank))
    each = heavy * tensorflow.reduce_sum(excess, -1) / tensorflow.maximum(violating, 1.0)
    return tensorflow.reduce_sum(each * weights) / tensorflow.cast(tensorflow.shape(wanted)[0], "float32")


def harmonic(n: Any) -> Any:
    """1/1 + 1/2 + ... + 1/n, to 1e-3 from n = 1 on, and 0 for 0 (Euler: log n + 0.5772 + 1/2n - 1/12n^2)."""
    n_ = tensorflow.maximum(n, 1.0)
    return (tensorflow.math.log(n_) + 0.5772157 + 0.5 / n_ - 1 / (12 * n_**2)) * tensorflow.cast(n > 0, "float32")


def task(
    model: keras.Model,
    table: Table,
    encoded: Any,
    recipe: SetTransformerRecipe,
    batches: Callable[[np.random.Generator], Iterable[Batch]],
    n_batches: int,
    error: Callable[[], float],
) -> Task:
    """What is fitted: the network and the tracks' vectors, by sets that were drawn.

    A batch is, in its order: tracks (n, set) in numbers, -1 for padding; titles (n, terms); wanted (n, wanted)
    numbers and their weights; pool (blocks, K) of numbers of tracks drawn as others, allowed (n, blocks, K), and the
    block (n, wanted) that each wanted track is compared with.

    Parameters
    ----------
    encoded : ndarray, shape (tracks, inputs)
        Inputs of every track; of these the first, as many as the table has, have vectors.
    """
    features = tensorflow.constant(encoded)

    def loss(tracks: Any, titles: Any, wanted: Any, weights: Any, pool: Any, allowed: Any, block: Any) -> Any:
        there = tensorflow.cast(tracks >= 0, "float32")[..., None]
        number = tensorflow.maximum(tracks, 0)
        inside = tensorflow.cast((tracks >= 0) & (tracks < table.size), "float32")[..., None]
        number_inside = tensorflow.where((tracks >= 0) & (tracks < table.size), tracks, 0)
        known = table.of(number_inside) * tensorflow.gather(table.gains, number_inside)[..., None] * inside
        vector = model([tensorflow.gather(features, number), known, there, titles], training=True)["vector"]
        scores = tensorflow.einsum("nd,nwd->nw", vector, table.of(wanted)) + tensorflow.gather(
            table.bias.value, wanted
        )
        flat = tensorflow.reshape(pool, [-1])
        others = tensorflow.matmul(vector, table.of(flat), transpose_b=True)
        others = tensorflow.reshape(others + tensorflow.gather(table.bias.value, flat), tensorflow.shape(allowed))
        compared = tensorflow.gather(others, block, batch_dims=1)
        open_to = tensorflow.gather(allowed, block, batch_dims=1)
        return warp(scores, compared, open_to, weights, table.size, recipe.margin)

    seeds = [v for layer in model.layers for v in layer.non_trainable_variables]
    return Task([*model.trainable_variables, table.stored, table.bias], seeds, loss, batches, n_batches, error)


class Table:
    """The tracks' own vectors and biases, as Keras variables, and the gains of the vectors as inputs.

    The input of a track is its vector times its gain: tracks in many playlists say less about one of them.

    Parameters
    ----------
    vectors, gains : ndarray, shape (tracks, size) and (tracks,)
    scales : ndarray, shape (tracks,)
        About how large the vectors' components are.
    """

    def __init__(self, vectors: Any, gains: Any, scales: Any) -> None:
        self.size = len(vectors)
        self.scales = tensorflow.constant(scales / _TRACK_STEP, dtype="float32")
        self.stored = keras.Variable(vectors / np.asarray(self.scales)[:, None], name="tracks", dtype="float32")
        self.bias = keras.Variable(np.zeros(len(vectors)), name="bias", dtype="float32")
        self.gains = tensorflow.constant(gains, dtype="float32")

    def of(self, numbers: Any) -> Any:
        """Vectors of some tracks, shape (..., size)."""
        return tensorflow.gather(self.stored.value, numbers) * tensorflow.gather(self.scales, numbers)[..., None]

    @property
    def vectors(self) -> Any:
        """Vectors of all tracks, an ndarray of shape (tracks, size)."""
        return self.stored.numpy() * np.asarray(self.scales)[:, None]
