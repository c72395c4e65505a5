"""Train vectors of tracks, and layers over their mean and variance, to name the last tracks of playlists.

A playlist is cut to a window of thirty tracks, another one in every epoch. The tracks before a cut, drawn anew too,
are what is known; those after it are to be named: cross-entropy over all tracks of the vocabulary. The vectors begin
as singular vectors of the matrix of playlists and tracks, because most tracks are in too few playlists to find a
place from nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow
from numpy.typing import NDArray
from scipy.sparse import csr_array

from disco.catalogue import Floats
from disco.evaluation import continuation, metrics
from disco.models.recommenders import Query
from disco.models.recommenders.embedding_mlp import moments
from disco.models.recommenders.scoring import top_n
from disco.training.data import Card, Run
from disco.training.export import export_network
from disco.training.fitting import Batch, Task
from disco.training.recipes import EmbeddingMlpRecipe
from disco.training.recommenders import Interactions, save_artifacts, split_playlists, training_interactions
from disco.training.seeds import fit_best

# Validation playlists per epoch: a 95 % interval of about 0.01.
_VALIDATION_PLAYLISTS = 400
# At most so many of the tracks after a cut are targets: each takes a row of the batch.
_MAX_TARGETS = 5


def network(size: int, width: int, dropout: float) -> keras.Model:
    """Mean and variance (n, size) each -> a vector (n, size), whose inner product with a track's output is its logit.

    Each of the two goes through layers of its own; what comes out corrects the mean.
    """
    mean, variance = keras.Input((size,), name="mean"), keras.Input((size,), name="variance")
    branches = []
    for x, name in ((mean, "of_mean"), (variance, "of_variance")):
        x = keras.layers.Dense(width, activation="silu", name=f"{name}_1")(keras.layers.LayerNormalization()(x))
        branches.append(
            keras.layers.Dense(width, activation="silu", name=f"{name}_2")(keras.layers.Dropout(dropout)(x))
        )
    both = keras.layers.Dropout(dropout)(keras.layers.Concatenate()(branches))
    # It begins as the mean alone, which is what the factors were made for.
    correction = keras.layers.Dense(size, kernel_initializer="zeros", name="correction")(both)
    return keras.Model([mean, variance], {"vector": keras.layers.Add(name="vector")([mean, correction])})


def initial_weights(by: Interactions, size: int, rounds: int = 5) -> Floats:
    """Where the tracks' vectors begin, shape (tracks, size): right singular vectors by power iterations.

    An entry of the matrix is (tracks of the playlist * playlists of the track) to the power of -1/4; a vector is
    scaled by the roots of the singular values and then brought nearer to length 1, those of rare tracks least. On
    validation playlists their mean alone finds as much as tuned least squares (NDCG .337; with a power of -1/2 for
    the tracks .30, without the scaling .32). Method: Halko, Martinsson and Tropp (2011), "Finding structure with
    randomness".
    """
    lists = by.playlists
    weights = lists.lengths.astype(np.float32).repeat(lists.lengths) * by.counts[lists.columns]
    matrix = csr_array((weights**-0.25, lists.columns, lists.starts), shape=(len(lists), lists.width))
    wide = min(size + 10, *matrix.shape)
    basis = np.random.default_rng(0).normal(size=(lists.width, wide)).astype(np.float32)
    for _ in range(rounds):
        basis = np.linalg.qr(matrix.T @ (matrix @ basis))[0]
    _, values, turns = np.linalg.svd(matrix @ basis, full_matrices=False)
    vectors = ((basis @ turns.T) * np.sqrt(values))[:, :size]
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= lengths + 0.3 * np.median(lengths)
    # With fewer playlists than components the last stay 0; a component is about 1, as layers expect.
    made = np.zeros((lists.width, size), dtype=np.float32)
    made[:, : vectors.shape[1]] = vectors * size**0.5
    return made


class EmbeddingMlp:
    """What is trained: vectors in, the network, vectors out (the same if tied), and a bias for each track."""

    def __init__(self, by: Interactions, start: Floats, recipe: EmbeddingMlpRecipe) -> None:
        self.network = network(recipe.size, recipe.width, recipe.dropout)
        self.embeddings = keras.Variable(start, name="embeddings")
        self.outputs = self.embeddings if recipe.tied else keras.Variable(start, name="outputs")
        frequent = np.log((by.counts + 1) / (by.counts + 1).sum()).astype(np.float32)
        self.bias = keras.Variable(frequent, name="bias")
        # Inner products of playlists with all tracks begin with a standard deviation of a half: 1 and 0.25 find less.
        mean = np.stack([start[tracks].mean(axis=0) for tracks in _lists(by)[:200]])
        self.sharpness = keras.Variable(np.float32(np.log(0.5 / (mean @ start.T).std())), name="temperature")

    @property
    def weights(self) -> list[Any]:
        """All that is trained."""
        tables = [self.embeddings] if self.outputs is self.embeddings else [self.embeddings, self.outputs]
        return [*self.network.trainable_variables, *tables, self.bias, self.sharpness]

    def arrays(self) -> dict[str, Floats]:
        """What is written: vectors in and out, and biases."""
        outputs = self.outputs.numpy() * np.exp(self.sharpness.numpy())
        return {"embeddings": self.embeddings.numpy(), "outputs": outputs, "bias": self.bias.numpy()}


def task(parts: EmbeddingMlp, by: Interactions, recipe: EmbeddingMlpRecipe, error: Callable[[], float]) -> Task:
    """The task of naming the tracks after a cut, by the tracks before it."""

    def loss(tracks: Any, weights: Any, wanted: Any) -> Any:
        vectors = tensorflow.gather(parts.embeddings.value, tracks)
        mean = tensorflow.reduce_sum(vectors * weights[..., None], 1)
        variance = tensorflow.reduce_sum((vectors - mean[:, None]) ** 2 * weights[..., None], 1)
        vector = parts.network([mean, variance], training=True)["vector"]
        sharp = tensorflow.exp(parts.sharpness.value)
        logits = sharp * tensorflow.matmul(vector, parts.outputs.value, transpose_b=True) + parts.bias.value
        right = tensorflow.gather(logits, tensorflow.maximum(wanted, 0), batch_dims=1)
        there = tensorflow.cast(wanted >= 0, logits.dtype)
        misses = (tensorflow.reduce_logsumexp(logits, -1, keepdims=True) - right) * there
        return tensorflow.reduce_sum(misses) / tensorflow.maximum(tensorflow.reduce_sum(there), 1.0)

    lists = [tracks for tracks in _lists(by) if len(tracks) >= 2]
    n_batches = -(-len(lists) // recipe.batch_size)

    def batches(rng: np.random.Generator) -> Iterator[Batch]:
        order = rng.permutation(len(lists))
        for start in range(0, len(lists), recipe.batch_size):
            yield cut([lists[i] for i in order[start : start + recipe.batch_size]], recipe.window, rng)

    return Task(parts.weights, list(parts.network.non_trainable_variables), loss, batches, n_batches, error)


def _lists(by: Interactions) -> list[NDArray[np.int32]]:
    return np.split(by.playlists.columns, by.playlists.starts[1:-1])


def cut(
    lists: list[NDArray[np.int32]], window: int, rng: np.random.Generator
) -> tuple[NDArray[np.int32], Floats, NDArray[np.int32]]:
    """Tracks before a cut (n, window), weights that sum to 1, and some tracks after it (n, 5), -1 for none."""
    known = np.zeros((len(lists), window), dtype=np.int32)
    weights = np.zeros((len(lists), window), dtype=np.float32)
    wanted = np.full((len(lists), _MAX_TARGETS), -1, dtype=np.int32)
    for i, tracks in enumerate(lists):
        begin = int(rng.integers(max(len(tracks) - window, 0) + 1))
        some = tracks[begin : begin + window]
        # Short beginnings are what is asked most: half of the cuts are among the first ten.
        longest = len(some) - 1
        at = int(rng.integers(1, (min(longest, 10) if rng.random() < 0.5 else longest) + 1))
        before, after = some[:at], rng.permutation(np.setdiff1d(some[at:], some[:at]))[:_MAX_TARGETS]
        known[i, :at], weights[i, :at] = before, 1 / at
        wanted[i, : len(after)] = after
    return known, weights, wanted


def validation_error(parts: EmbeddingMlp, by: Interactions, run: Run) -> Callable[[], float]:
    """Measure of what is trained as it stands: 1 - NDCG@500 of validation playlists, five and one track given."""
    tracks, titles = split_playlists(run, "validation")
    cases = [
        continuation.sample_cases(tracks, titles, protocol, _VALIDATION_PLAYLISTS)[0]
        for protocol in ("first-5", "first-1")
    ]
    numbers = np.full(len(run.catalogue), -1, dtype=np.int32)
    numbers[by.rows] = np.arange(len(by.rows))

    def error() -> float:
        arrays, found = parts.arrays(), []
        for part in cases:
            seeds = [numbers[query.seeds][numbers[query.seeds] >= 0] for query in part.queries]
            mean, variance = moments(arrays["embeddings"], seeds)
            vectors = np.asarray(parts.network([mean, variance], training=False)["vector"])
            queries = [Query(query.seeds) for query in part.queries]
            answers = top_n(vectors @ arrays["outputs"].T + arrays["bias"], queries, metrics.DEPTH, rows=by.rows)
            found.append(np.mean([metrics.ndcg(a.rows, t) for a, t in zip(answers, part.relevant, strict=True)]))
        return 1 - float(np.mean(found))

    return error


def train(recipe: EmbeddingMlpRecipe, run: Run) -> Card:
    """Train vectors and layers, write them to the run's folder and return what their card says."""
    by = training_interactions(run)
    start = initial_weights(by, recipe.size)

    def build() -> tuple[EmbeddingMlp, Task]:
        parts = EmbeddingMlp(by, start, recipe)
        return parts, task(parts, by, recipe, validation_error(parts, by, run))

    parts, errors = fit_best(recipe, build, run.saved, run.workers)
    says = export_network(parts.network, run.folder / "network.onnx", ("mean", "variance"), ("vector",))
    parts.network.save(run.folder / "network.keras")
    return {
        **save_artifacts(recipe, run, by, parts.arrays()),
        "network": says,
        "validation_error_by_seed": {str(seed): round(error, 5) for seed, error in errors.items()},
    }
