"""Fit a tower and a follower to rank: the true next track above the other tracks of its batch.

The loss is a sampled softmax (Bengio & Senécal 2008) over the negatives that a batch holds already: its
different tracks, each weighed by how often it occurs in the batch, none from the playlist itself. So
negatives come in proportion to how often a track occurs, and nothing corrects for it: the score learns
how much likelier a track is *here* than anywhere, which popularity alone cannot answer. Vectors have
length 1, so that the nearest is the one with the greatest inner product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow

from disco import metrics, next_track
from disco.catalogue import Catalogue, Floats, Rows
from disco.model import scaled_features, scaler
from disco.recipe import RankerRecipe
from disco.recommend import Nearest, Query
from disco.training.fitting import Task
from disco.training.networks import Place

# Score of what must not be chosen: far below any other.
_NEVER = -1e9
# Enough that two epochs which differ by a hundredth in hit@10 are told apart.
_VALIDATION_CASES = 4000
_PLACING_PLAYLISTS = 100


def task(
    tower: keras.Model,
    follower: keras.Model,
    heard: Floats,
    playlists: list[Rows],
    recipe: RankerRecipe,
    error: Callable[[], float],
) -> Task:
    """The task of ranking the true next track of these playlists.

    Parameters
    ----------
    heard : ndarray, shape (tracks, inputs)
        What the tower hears of each track of the catalogue.
    """
    temperatures = [
        keras.Variable(np.float32(np.log(recipe.temperature)), dtype="float32", name="temperature") for _ in range(2)
    ]
    weights = [*tower.trainable_variables, *follower.trainable_variables, *temperatures]
    half = recipe.size // 2

    def loss(inputs: Any, tracks: Any, there: Any, occurrence: Any, own: Any) -> Any:
        known = tower(inputs, training=True)
        predicted = follower(tensorflow.gather(known, tracks[:, :-1]), training=True)
        places = tensorflow.where(there[:, 1:])
        predicted = tensorflow.gather_nd(predicted, places)
        true = tensorflow.gather_nd(tracks[:, 1:], places)
        bias = occurrence + tensorflow.gather(tensorflow.where(own, _NEVER, 0.0), places[:, 0])

        def ranked(predicted: Any, known: Any, temperature: Any) -> Any:
            sharp = tensorflow.exp(temperature.value)
            others = sharp * tensorflow.matmul(predicted, known, transpose_b=True) + bias
            right = sharp * tensorflow.reduce_sum(predicted * tensorflow.gather(known, true), -1)
            return tensorflow.reduce_mean(tensorflow.nn.softplus(tensorflow.reduce_logsumexp(others, -1) - right))

        # The kinds of music must do alone too: new tracks have nothing else to be found by.
        alone = (1 - recipe.memory) ** -0.5
        kinds = ranked(predicted[:, :half] * alone, known[:, :half] * alone, temperatures[1])
        return ranked(predicted, known, temperatures[0]) + kinds

    def batches(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
        return (_batch(some, heard, recipe, rng) for some in shuffled(playlists, recipe, rng))

    n_batches = sum(1 for _ in shuffled(playlists, recipe, np.random.default_rng(0)))
    state = [*tower.non_trainable_variables, *follower.non_trainable_variables]
    return Task(weights, state, loss, batches, n_batches, error)


def shuffled(playlists: list[Rows], recipe: RankerRecipe, rng: np.random.Generator) -> Iterator[list[Rows]]:
    """Windows of all playlists in batches of about so many tracks, those of like length together."""
    windows = []
    for tracks in playlists:
        start = 0 if len(tracks) <= recipe.window else -int(rng.integers(recipe.window))
        for begin in range(start, len(tracks) - 3, recipe.window):
            window = tracks[max(begin, 0) : begin + recipe.window]
            if len(window) >= 5:  # fewer teach little and fill a batch with padding
                windows.append(window)
    lengths = np.array([len(window) for window in windows])
    order = np.argsort(lengths * rng.uniform(0.85, 1.15, len(lengths)))
    batches: list[list[Rows]] = [[]]
    longest = 0
    for i in order:
        if batches[-1] and max(longest, lengths[i]) * (len(batches[-1]) + 1) > recipe.batch_tracks:
            batches.append([])
            longest = 0
        batches[-1].append(windows[i])
        longest = max(longest, int(lengths[i]))
    return (batches[i] for i in rng.permutation(len(batches)))


def _batch(windows: list[Rows], heard: Floats, recipe: RankerRecipe, rng: np.random.Generator) -> tuple[Any, ...]:
    """One batch: inputs of its different tracks, and everything else as places among them."""
    shape = len(windows), max(map(len, windows))
    rows = np.full(shape, -1, dtype=np.intp)
    for padded, window in zip(rows, windows, strict=True):
        padded[: len(window)] = window
    there = rows >= 0
    unique, place, count = np.unique(rows[there], return_inverse=True, return_counts=True)
    tracks = np.zeros(shape, dtype=np.int32)
    tracks[there] = place
    own = np.zeros((len(windows), len(unique)), dtype=bool)
    own[np.nonzero(there)[0], place] = True
    inputs = blurred(heard[unique], recipe, rng)
    return inputs, tracks, there, np.log(count).astype(np.float32), own


def blurred(inputs: Floats, recipe: RankerRecipe, rng: np.random.Generator) -> Floats:
    """Inputs with noise on every number of a share of the tracks: what was never met exactly must be heard too."""
    noisy = rng.random(len(inputs)) < recipe.noisy_share
    noise = rng.normal(0, recipe.noise, inputs.shape) * noisy[:, None]
    return np.asarray(inputs + noise, dtype=np.float32)


def validation(
    tower: keras.Model, follower: keras.Model, heard: Floats, catalogue: Catalogue, playlists: list[Rows]
) -> Callable[[], float]:
    """Measure of the networks as they stand: the share of validation cases not found among the first 10."""
    cases = next_track.draw(catalogue, playlists, None, most=_VALIDATION_CASES)
    needed = np.unique(np.concatenate([*playlists, cases.others.ravel()]))

    def error() -> float:
        space = embedded(tower, heard, needed)
        after = said(follower, space, playlists)
        vectors = np.stack([after[p][i - 1] for p, i in zip(cases.playlist, cases.position, strict=True)])
        return 1 - float(metrics.hits(next_track.ranks(space, vectors, cases)).mean())

    return error


def embedded(tower: keras.Model, heard: Floats, rows: Rows) -> Floats:
    """Vectors of these rows in an array for all tracks, 0 elsewhere."""
    space = np.zeros((len(heard), tower.output_shape[-1]), dtype=np.float32)
    space[rows] = tower.predict(heard[rows], batch_size=8192, verbose=0)
    return space


def said(follower: keras.Model, space: Floats, playlists: list[Rows]) -> list[Floats]:
    """What a follower says after each track of each playlist, shape (length, size) each."""
    after: list[Floats] = [space[:0]] * len(playlists)
    order = np.argsort([len(tracks) for tracks in playlists], kind="stable")
    for start in range(0, len(order), 64):
        some = order[start : start + 64]
        padded = np.zeros((len(some), len(playlists[some[-1]]), space.shape[1]), dtype=np.float32)
        for row, i in zip(padded, some, strict=True):
            row[: len(playlists[i])] = space[playlists[i]]
        for row, i in zip(np.asarray(follower(padded, training=False)), some, strict=True):
            after[i] = row[: len(playlists[i])]
    return after


def placing(
    tower: keras.Model,
    follower: keras.Model,
    heard: Floats,
    catalogue: Catalogue,
    found: dict[str, list[Rows]],
    recipe: RankerRecipe,
) -> tuple[Place, float]:
    """Where the learned space lies for those who measure, and how much it was scaled.

    The halves of the vectors are weighed anew: `recall` is the share of memory in an inner product from now on.
    The centre is the mean vector of the training entries, so that spicyness leads away from the middle of
    what is played. The scale makes the standard deviation of the distance among 400 candidates of three
    seeds (median over validation playlists) that of the predictor `mean` at a spicyness of 1.2: so flow
    weighs against sweetness and smoothness as it does in the published space.
    """
    shares = np.array([(1 - recipe.recall) / (1 - recipe.memory), recipe.recall / recipe.memory], dtype=np.float32)
    weights = np.repeat(np.sqrt(shares), recipe.size // 2)
    scaled = scaled_features(catalogue, scaler())
    rng = np.random.default_rng(0)
    some = [found["validation"][i] for i in rng.permutation(len(found["validation"]))[:_PLACING_PLAYLISTS]]
    playable = catalogue.measured & catalogue.named
    pools = [Nearest(scaled).recommend(Query(tracks[:3], allowed=playable), 400).rows for tracks in some]
    entries = np.concatenate(found["train"])
    space = embedded(tower, heard, np.unique(np.concatenate([*pools, *some, entries])))
    centre = space[entries].mean(axis=0)
    after = said(follower, space, [tracks[:3] for tracks in some])
    spreads = []
    for tracks, pool, vectors in zip(some, pools, after, strict=True):
        published = 1.2 * scaled[tracks[:3]].mean(axis=0)
        learned, around = 1.2 * weights * (vectors[-1] - centre), weights * (space[pool] - centre)
        pairs = ((scaled[pool], published), (around, learned))
        spreads.append([np.linalg.norm(places - target, axis=1).std() for places, target in pairs])
    published_spread, learned_spread = np.median(spreads, axis=0)
    scale = float(published_spread / learned_spread)
    return Place(np.float32(scale) * weights, centre), scale
