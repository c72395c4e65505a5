"""Train two towers: what a playlist is heard as, and what its other tracks are, as vectors that lie near each other.

Source: Yi et al. (2019), "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations". The other
tracks of a batch are the negatives; a popular track is one more often than its turn, so the logarithm of how often is
taken off its score (in Keras: `keras_rs.layers.SamplingProbabilityCorrection`), and a track is no negative of itself
(`keras_rs.layers.RemoveAccidentalHits`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import keras
import numpy as np
import tensorflow
from numpy.typing import NDArray

from disco import metrics
from disco.catalogue import Floats
from disco.errors import MissingExtra
from disco.recipe import TwoTowerRecipe
from disco.recommend.sparse import Sparse
from disco.recommend.two_tower import LAST, title_parts
from disco.training.fitting import Task

# Playlists of the validation that an epoch is judged by, with so many of their first tracks given.
_SEEDS = (1, 5)
# Parts of a title that are heard; the longest titles have some more.
PIECES = 48


@dataclass(frozen=True)
class Inputs:
    """What is known of the tracks of the vocabulary.

    Attributes
    ----------
    artists, albums : ndarray of int, shape (tracks,)
        0 where unknown.
    sound : ndarray, shape (tracks, inputs)
    """

    artists: NDArray[np.int32]
    albums: NDArray[np.int32]
    sound: Floats


@dataclass(frozen=True)
class Towers:
    """The networks that are trained, and what is exported of them.

    Attributes
    ----------
    hearing : keras.Model
        From numbers of tracks, their artists, albums and sound to what both towers hear of a track, (n, width).
    track : keras.Model
        From that to the track's vector, (n, size).
    playlist : keras.Model
        From what is heard of the last tracks (n, LAST, width), how much each counts (n, LAST) and the title's
        vector (n, width) to the playlist's vector, (n, size).
    titles : keras.layers.Embedding
        A vector for each part of a title.
    """

    hearing: Any
    track: Any
    playlist: Any
    titles: Any


def towers(tracks: int, inputs: Inputs, parts: int, recipe: TwoTowerRecipe) -> Towers:
    """Networks to be trained."""
    width, small = recipe.width, keras.initializers.RandomNormal(stddev=0.05)

    def embedding(n: int, name: str) -> Any:
        return keras.layers.Embedding(n, width, embeddings_initializer=small, name=name)

    numbers = {name: keras.Input((), dtype="int32", name=name) for name in ("tracks", "artists", "albums")}
    sound = keras.Input((inputs.sound.shape[1],), name="sound")
    sizes = (tracks, int(inputs.artists.max()) + 1, int(inputs.albums.max()) + 1)
    embedded = [embedding(n, f"{name}_vectors")(each) for n, (name, each) in zip(sizes, numbers.items(), strict=True)]
    heard = keras.layers.Dense(width, activation="relu", name="sound_hidden")(sound)
    heard = keras.layers.Dense(width, name="sound_heard")(heard)
    hearing = keras.Model([*numbers.values(), sound], keras.layers.Add()([*embedded, heard]), name="hearing")

    one = keras.Input((width,), name="heard")
    x = keras.layers.Dense(2 * width, activation="relu", name="track_hidden")(one)
    track = keras.Model(one, _unit(keras.layers.Dense(recipe.size, name="track_out")(x)), name="track")

    last, counts = keras.Input((LAST, width), name="last"), keras.Input((LAST,), name="counts")
    title = keras.Input((width,), name="title")
    middle = keras.layers.Dot(axes=(1, 1), name="mean")([counts, last])
    x = keras.layers.Concatenate()([middle, title])
    x = keras.layers.Dense(4 * width, activation="relu", name="playlist_hidden")(x)
    x = keras.layers.Dropout(recipe.dropout)(x)
    playlist = keras.Model(
        [last, counts, title], _unit(keras.layers.Dense(recipe.size, name="playlist_out")(x)), name="playlist"
    )
    titles = embedding(parts, "title_vectors")
    titles.build(())
    return Towers(hearing, track, playlist, titles)


def _unit(x: Any) -> Any:
    return keras.layers.UnitNormalization(axis=-1)(x)


def task(
    made: Towers, inputs: Inputs, playlists: Sparse, titles: list[str], parts: int, recipe: TwoTowerRecipe,
    error: Callable[[], float],
) -> Task:
    """The task of putting a playlist nearest to its other tracks.

    For every track of every playlist in turn one of the others is hidden, and the last five of a random part of the
    playlist are heard, often fewer, sometimes none; with the title every other time.
    """
    if find_spec("keras_rs") is None:
        raise MissingExtra("keras-rs", "train")
    import keras_rs

    corrected = keras_rs.layers.SamplingProbabilityCorrection(epsilon=1e-9)
    without_itself = keras_rs.layers.RemoveAccidentalHits()
    temperature = keras.Variable(np.float32(np.log(recipe.temperature)), dtype="float32", name="temperature")
    nets = (made.hearing, made.track, made.playlist)
    weights = [*(w for net in nets for w in net.trainable_variables), *made.titles.trainable_variables, temperature]
    counts = np.bincount(playlists.columns, minlength=playlists.width)
    chance = tensorflow.constant((counts / counts.sum()).astype(np.float32))
    artists, albums, sound = (tensorflow.constant(x) for x in (inputs.artists, inputs.albums, inputs.sound))
    pieces = _pieces(titles, parts)

    def loss(last: Any, heard: Any, title: Any, true: Any) -> Any:
        asked = tensorflow.concat([tensorflow.reshape(last, [-1]), true], axis=0)
        unique, place = tensorflow.unique(asked)
        of = (tensorflow.gather(x, unique) for x in (artists, albums, sound))
        known = made.hearing([unique, *of], training=True)
        given = tensorflow.reshape(tensorflow.gather(known, place[: tensorflow.size(last)]), [-1, LAST, recipe.width])
        vectors = made.track(tensorflow.gather(known, place[tensorflow.size(last) :]), training=True)
        read = title_vectors(made.titles.embeddings, title)
        query = made.playlist([given, heard, read], training=True)
        logits = tensorflow.exp(temperature.value) * tensorflow.matmul(query, vectors, transpose_b=True)
        logits = corrected(logits, tensorflow.broadcast_to(tensorflow.gather(chance, true), tensorflow.shape(logits)))
        right = tensorflow.eye(tensorflow.shape(true)[0])
        logits = without_itself(logits, right, true)
        return tensorflow.reduce_mean(tensorflow.nn.softmax_cross_entropy_with_logits(right, logits))

    def batches(rng: np.random.Generator) -> Iterator[tuple[NDArray[Any], ...]]:
        order = rng.permutation(len(playlists.columns))
        owner = np.repeat(np.arange(len(playlists)), playlists.lengths)
        for start in range(0, len(order) - recipe.batch + 1, recipe.batch):
            yield _batch(order[start : start + recipe.batch], owner, playlists, pieces, recipe, rng)

    return Task(weights, [], loss, batches, len(playlists.columns) // recipe.batch, error)


def title_vectors(vectors: Any, pieces: Any) -> Any:
    """Mean of the vectors of a title's parts; part 0 is none."""
    there = tensorflow.cast(pieces > 0, "float32")[..., None]
    total = tensorflow.reduce_sum(tensorflow.gather(vectors, pieces) * there, axis=1)
    return total / tensorflow.maximum(tensorflow.reduce_sum(there, axis=1), 1.0)


def _pieces(titles: list[str], parts: int) -> NDArray[np.int32]:
    """Numbers of the parts of each title, shape (titles, PIECES), 0 where there are no more."""
    made = np.zeros((len(titles), PIECES), dtype=np.int32)
    for i, title in enumerate(titles):
        found = title_parts(title, parts)[:PIECES]
        made[i, : len(found)] = found
    return made


def _batch(
    places: NDArray[np.int64],
    owner: NDArray[np.int64],
    playlists: Sparse,
    pieces: NDArray[np.int32],
    recipe: TwoTowerRecipe,
    rng: np.random.Generator,
) -> tuple[NDArray[Any], ...]:
    """The true tracks at some places, and up to five tracks that end at a random place, the true one left out."""
    n, of = len(places), owner[places]
    begin, length = playlists.starts[of], playlists.lengths[of]
    end = begin + rng.integers(1, length + 1)
    at = end[:, None] - 1 - np.arange(LAST)[None, :]
    wanted = rng.choice(LAST + 1, size=n, p=recipe.heard)
    there = (at >= begin[:, None]) & (at != places[:, None]) & (np.arange(LAST)[None, :] < wanted[:, None])
    last = np.where(there, playlists.columns[np.maximum(at, 0)], 0).astype(np.int32)
    titled = (rng.random(n) < 0.5) | ~there.any(axis=1)
    title = np.where(titled[:, None], pieces[of], 0).astype(np.int32)
    heard = there / np.maximum(there.sum(axis=1, keepdims=True), 1)
    return last, heard.astype(np.float32), title, playlists.columns[places].astype(np.int32)
