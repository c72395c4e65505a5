"""The networks of `music`, in Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from disco.training.recipes import MusicRecipe


class MusicNetworks:
    """The parts that are trained together.

    Attributes
    ----------
    vectors, priors : Variable, shapes (names, name size) and (names,)
    words : Variable, shape (words, size)
    tower, encoder : keras.Model
    """

    def __init__(self, recipe: MusicRecipe, priors: Any, words: int) -> None:
        small = keras.initializers.RandomNormal(stddev=0.05)
        self.vectors = keras.Variable(
            small, shape=(len(priors), recipe.name_size), dtype="float32", name="name_vectors"
        )
        # Learned from where counting leaves off: from 0, those of rare songs do not get far.
        self.priors = keras.Variable(np.asarray(priors, dtype=np.float32), name="name_priors")
        self.words = keras.Variable(small, shape=(words, recipe.size), dtype="float32", name="word_vectors")
        self.tower = tower(recipe)
        self.encoder = encoder(recipe)

    @property
    def weights(self) -> list[Any]:
        """All that is trained."""
        own = [self.vectors, self.priors, self.words]
        return [*own, *self.tower.trainable_variables, *self.encoder.trainable_variables]

    @property
    def state(self) -> list[Any]:
        """What else changes in training."""
        return [*self.tower.non_trainable_variables, *self.encoder.non_trainable_variables]


def tower(recipe: MusicRecipe) -> keras.Model:
    """From what is known of a track, as `names.name_inputs` gives it, to its point and its prior."""
    named = 3 * recipe.name_size
    inputs = keras.Input((named + len(recipe.inputs) + 3,), name="inputs")
    hidden = keras.layers.Dense(recipe.width, activation="silu", name="hidden")(inputs)
    prior = keras.layers.Dense(1, bias_initializer=keras.initializers.Constant(-4.0), name="prior")(hidden)
    kept = keras.layers.Dropout(recipe.dropout)(hidden)
    straight = keras.layers.Dense(recipe.size, use_bias=False, name="straight")(inputs[:, :named])
    vector = keras.layers.Dense(recipe.size, name="vector")(kept) + straight
    return keras.Model(inputs, {"vector": vector, "prior": prior}, name="tower")


def encoder(recipe: MusicRecipe) -> keras.Model:
    """From points of a title and of tracks, (playlists, tracks, size), to where the next track lies after each.

    The last component is 0: there a track's point only adds to its norm, which makes it less likely everywhere.
    """
    points = keras.Input((None, recipe.size), name="inputs")
    count = keras.ops.cumsum(keras.ops.ones_like(points[..., :1]), axis=1)
    mean = keras.ops.cumsum(points, axis=1) / count
    cell = keras.layers.GRUCell(recipe.units, name="cell")
    kept = keras.layers.Dropout(recipe.dropout)(points)
    recurrent = keras.layers.RNN(cell, return_sequences=True, name="recurrent")(kept)
    correction = keras.layers.Dense(recipe.size - 1, name="correction")(keras.layers.Concatenate()([recurrent, mean]))
    vector = keras.ops.pad(correction + mean[..., :-1], ((0, 0), (0, 0), (0, 1)))
    return keras.Model(points, vector, name="encoder")


def encoder_step(network: keras.Model) -> keras.Model:
    """One step of an encoder, with its weights: the state is that of the recurrent layer, a sum and a count."""
    size, cell = network.input_shape[-1], network.get_layer("recurrent").cell
    point, state = keras.Input((size,), name="inputs"), keras.Input((cell.units + size + 1,), name="state")
    total, count = state[:, cell.units : -1] + point, state[:, -1:] + 1.0
    mean = total / count
    output, after = cell(point, [state[:, : cell.units]])
    correction = network.get_layer("correction")(keras.layers.Concatenate()([output, mean]))
    vector = keras.ops.pad(correction + mean[:, :-1], ((0, 0), (0, 1)))
    hidden = after[0] if isinstance(after, (list, tuple)) else after
    following = keras.layers.Concatenate(name="next_state")([hidden, total, count])
    return keras.Model([point, state], {"vector": vector, "next_state": following}, name="encoder_step")
