"""Two towers in Keras, and the loss that brings a playlist's vector near to those of its other tracks.

Source: Yi et al. (2019), "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations". The true
tracks of the other queries of a batch are the negatives. A popular track is one more often than its turn, so that the
logarithm of its frequency is taken off its score, and no track is a negative of itself: both with the layers of
keras-rs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import keras_rs
import numpy as np
import tensorflow
from numpy.typing import NDArray

from disco.catalogue import Floats
from disco.models.recommenders.sparse import Sparse
from disco.training.fitting import Task
from disco.training.recipes import TwoTowerRecipe

# Terms of a title that are used in training; few titles have more.
_TERMS = 64
# Standard deviation of the first embeddings: small beside the part from the features, which is known at once.
_SMALL = 0.05

Numbers = NDArray[np.int32]


@dataclass(frozen=True)
class ItemFeatures:
    """What is known of the tracks of the vocabulary.

    Attributes
    ----------
    artists, albums : ndarray of int, shape (tracks,)
        From 0.
    sound : ndarray, shape (tracks, inputs)
        0 where unknown.
    """

    artists: Numbers
    albums: Numbers
    sound: Floats

    @property
    def sizes(self) -> tuple[int, int, int]:
        """How many tracks, artists and albums there are."""
        return len(self.sound), int(self.artists.max()) + 1, int(self.albums.max()) + 1


@dataclass(frozen=True)
class Towers:
    """The networks that are trained.

    Attributes
    ----------
    encode : keras.Model
        From numbers of tracks, artists and albums, and sound, to the input of both towers for a track, (n, width).
    track : keras.Model
        From that to the track's vector, (n, size), of length 1.
    playlist : keras.Model
        From the inputs of the last tracks, `last` (n, tracks, width), how much each counts, `counts` (n, tracks),
        and the title, `title` (n, width), to the playlist's `vector`, (n, size), of length 1.
    titles : keras.Variable, shape (terms, width)
        Input of each term of a title.
    """

    encode: Any
    track: Any
    playlist: Any
    titles: Any


def towers(about: ItemFeatures, terms: int, recipe: TwoTowerRecipe) -> Towers:
    """Networks to be trained."""
    width, normal = recipe.width, keras.initializers.RandomNormal(stddev=_SMALL)
    numbers = [keras.Input((), dtype="int32", name=name) for name in ("tracks", "artists", "albums")]
    sound = keras.Input((about.sound.shape[1],), name="sound")
    parts = [
        keras.layers.Embedding(size, width, embeddings_initializer=normal, name=f"{each.name}_vectors")(each)
        for size, each in zip(about.sizes, numbers, strict=True)
    ]
    hidden = keras.layers.Dense(width, activation="relu", name="sound_hidden")(sound)
    parts.append(keras.layers.Dense(width, name="sound_heard")(hidden))
    encode = keras.Model([*numbers, sound], keras.layers.Add(name="heard")(parts), name="hearing")

    one = keras.Input((width,), name="heard")
    track = keras.Model(one, _vector(one, 2 * width, recipe.size, 0.0), name="track")

    last, counts = keras.Input((recipe.last, width), name="last"), keras.Input((recipe.last,), name="counts")
    title = keras.Input((width,), name="title")
    mean = keras.layers.Dot(axes=(1, 1), name="mean")([counts, last])
    both = keras.layers.Concatenate(name="both")([mean, title])
    vector = _vector(both, 4 * width, recipe.size, recipe.dropout)
    playlist = keras.Model([last, counts, title], {"vector": vector}, name="playlist")
    titles = keras.Variable(normal((terms, width)), dtype="float32", name="titles")
    return Towers(encode, track, playlist, titles)


def _vector(x: Any, width: int, size: int, dropout: float) -> Any:
    x = keras.layers.Dense(width, activation="relu", name="hidden")(x)
    x = keras.layers.Dropout(dropout)(x)
    return keras.layers.UnitNormalization(name="vector")(keras.layers.Dense(size, name="out")(x))


def task(
    made: Towers,
    about: ItemFeatures,
    playlists: Sparse,
    titles: Sparse,
    recipe: TwoTowerRecipe,
    error: Callable[[], float],
) -> Task:
    """The task of putting a playlist nearest to its other tracks.

    In an epoch every track of every playlist is once the true one. The inputs are the tracks before a random
    position of the playlist, without the true one; for some queries fewer or none, but always tracks or a title.

    Parameters
    ----------
    playlists : Sparse, shape (playlists, tracks)
    titles : Sparse, shape (playlists, terms)
        Terms of their titles, as `Titles.bags` has them.
    error : callable
        On the validation playlists, as it stands.
    """
    corrected = keras_rs.layers.SamplingProbabilityCorrection(epsilon=1e-9)
    without_itself = keras_rs.layers.RemoveAccidentalHits()
    temperature = keras.Variable(np.float32(np.log(recipe.temperature)), dtype="float32", name="temperature")
    networks = (made.encode, made.track, made.playlist)
    weights = [*(w for each in networks for w in each.trainable_variables), made.titles, temperature]
    state = [w for each in networks for w in each.non_trainable_variables]
    counts = np.bincount(playlists.columns, minlength=playlists.width)
    chance = tensorflow.constant((counts / counts.sum()) ** recipe.correction, "float32")
    artists, albums, sound = (tensorflow.constant(x) for x in (about.artists, about.albums, about.sound))

    def loss(last: Any, shares: Any, terms: Any, weighed: Any, true: Any) -> Any:
        asked = tensorflow.concat([tensorflow.reshape(last, [-1]), true], axis=0)
        tracks, place = tensorflow.unique(asked)
        of = [tensorflow.gather(x, tracks) for x in (artists, albums, sound)]
        inputs = tensorflow.gather(made.encode([tracks, *of], training=True), place)
        before = tensorflow.reshape(inputs[: tensorflow.size(last)], [-1, recipe.last, recipe.width])
        vectors = made.track(inputs[tensorflow.size(last) :], training=True)
        title = tensorflow.einsum("nt,ntw->nw", weighed, tensorflow.gather(made.titles.value, terms))
        query = made.playlist([before, shares, title], training=True)["vector"]
        logits = tensorflow.exp(temperature.value) * tensorflow.matmul(query, vectors, transpose_b=True)
        logits = corrected(logits, tensorflow.zeros_like(logits) + tensorflow.gather(chance, true))
        right = tensorflow.eye(tensorflow.shape(true)[0])
        logits = without_itself(logits, right, true)
        return tensorflow.reduce_mean(tensorflow.nn.softmax_cross_entropy_with_logits(right, logits))

    terms, weighed = _padded(titles)
    owner = np.repeat(np.arange(len(playlists)), playlists.lengths)

    def batches(rng: np.random.Generator) -> Iterator[tuple[NDArray[Any], ...]]:
        order = rng.permutation(len(owner))
        for start in range(0, max(len(order) - recipe.batch_size, 0) + 1, recipe.batch_size):
            entries = order[start : start + recipe.batch_size]
            last, shares, titled = _sample_inputs(entries, owner, playlists, titles.lengths > 0, recipe, rng)
            of = owner[entries]
            yield last, shares, terms[of], weighed[of] * titled[:, None], playlists.columns[entries]

    return Task(weights, state, loss, batches, max(len(owner) // recipe.batch_size, 1), error)


def _padded(titles: Sparse) -> tuple[Numbers, Floats]:
    """Terms of each title and their weights, both of shape (titles, terms); the weight is 0 where there are none."""
    terms = np.zeros((len(titles), min(_TERMS, int(titles.lengths.max(initial=1)))), dtype=np.int32)
    weights = np.zeros(terms.shape, dtype=np.float32)
    at = np.arange(terms.shape[1])
    there = at < titles.lengths[:, None]
    entries = (titles.starts[:-1, None] + at)[there]
    terms[there], weights[there] = titles.columns[entries], titles.weights[entries]
    return terms, weights


def _sample_inputs(
    entries: NDArray[np.int64],
    owner: NDArray[np.int64],
    playlists: Sparse,
    has_title: NDArray[np.bool_],
    recipe: TwoTowerRecipe,
    rng: np.random.Generator,
) -> tuple[Numbers, Floats, Floats]:
    """For each true track the tracks before it, the weight of each, and 1 where the title is shown."""
    n, of = len(entries), owner[entries]
    begin, at = playlists.starts[of], np.arange(recipe.last)
    end = begin + rng.integers(1, playlists.lengths[of] + 1)
    before = end[:, None] - 1 - at
    most = np.where(rng.random(n) < recipe.few, rng.integers(0, recipe.last, n), recipe.last)
    # Without a title at least one track is shown, if there is another at all.
    most = np.where((most == 0) & ~has_title[of], 1, most)
    there = (before >= begin[:, None]) & (before != entries[:, None]) & (at < most[:, None])
    last = np.where(there, playlists.columns[np.maximum(before, 0)], 0).astype(np.int32)
    shares = (there / np.maximum(there.sum(axis=1, keepdims=True), 1)).astype(np.float32)
    titled = (rng.random(n) < recipe.titled) | ~there.any(axis=1)
    return last, shares, titled.astype(np.float32)
