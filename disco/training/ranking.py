"""Fit a tower and a sequence encoder to rank: the true next track above the other tracks of its batch.

The loss is a sampled softmax (Bengio & Senécal 2008) over the negatives that a batch holds already: its
different tracks, each weighed by how often it occurs in the batch, none from the playlist itself. So
negatives come in proportion to how often a track occurs, and nothing corrects for it: the score learns
how much likelier a track is *here* than anywhere, which popularity alone cannot answer. Vectors have
length 1, so that the nearest is the one with the greatest inner product.

Besides playlists, tracks by one artist are played in random orders: they cover four times as many tracks as
playlists do and teach which tracks sound similar. Genres are hidden from whole batches and from single tracks,
so that the tower works without them. Of tracks in no training playlist it should remember nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.numbering import artist_numbers
from disco.evaluation import metrics, next_track
from disco.models.recommenders import Nearest, Query
from disco.models.scaler import scaled_features, scaler
from disco.models.track_inputs import EncodedTracks
from disco.sources.files.playlist_tables import is_cold
from disco.training.fitting import Task
from disco.training.networks import SpaceTransform
from disco.training.recipes import RankPredictorRecipe

# Score of what must not be chosen: far below any other.
_NEVER = -1e9
# Enough to distinguish two epochs that differ by 0.01 in hit@10.
_VALIDATION_CASES = 4000
_PLACING_PLAYLISTS = 100
# Shorter sequences teach little and fill a batch with padding.
_SHORTEST = 5
# Tracks of an artist in one batch, as long as a usual playlist; unplayed tracks in one, a fifth of its tracks.
_OF_AN_ARTIST = 30
_UNPLAYED = 256
# Of tracks whose genre is hidden where others' genres are not.
_HIDDEN_AMONG_OTHERS = 0.25
_AT_A_TIME = 8192


def task(
    tower: keras.Model,
    encoder: keras.Model,
    encoded: EncodedTracks,
    music: TrainingMusic,
    recipe: RankPredictorRecipe,
    error: Callable[[], float],
) -> Task:
    """The task of ranking the true next track of these playlists."""
    temperatures = [
        keras.Variable(np.float32(np.log(recipe.temperature)), dtype="float32", name="temperature") for _ in range(2)
    ]
    weights = [*tower.trainable_variables, *encoder.trainable_variables, *temperatures]
    half = recipe.size // 2

    def loss(inputs: Any, tracks: Any, there: Any, occurrence: Any, own: Any, unplayed: Any) -> Any:
        known = tower(inputs, training=True)
        predicted = encoder(tensorflow.gather(known, tracks[:, :-1]), training=True)
        positions = tensorflow.where(there[:, 1:])
        predicted = tensorflow.gather_nd(predicted, positions)
        true = tensorflow.gather_nd(tracks[:, 1:], positions)
        bias = occurrence + tensorflow.gather(tensorflow.where(own, _NEVER, 0.0), positions[:, 0])

        def ranked(predicted: Any, known: Any, temperature: Any) -> Any:
            sharp = tensorflow.exp(temperature.value)
            others = sharp * tensorflow.matmul(predicted, known, transpose_b=True) + bias
            right = sharp * tensorflow.reduce_sum(predicted * tensorflow.gather(known, true), -1)
            return tensorflow.reduce_mean(tensorflow.nn.softplus(tensorflow.reduce_logsumexp(others, -1) - right))

        # The first half must also work alone: new tracks have nothing else to be found by.
        kinds = ranked(_unit(predicted[:, :half]), _unit(known[:, :half]), temperatures[1])
        remembered = tower(unplayed, training=True)[:, half:-1]
        familiar = tensorflow.reduce_sum(remembered**2) / (_UNPLAYED * recipe.memory)
        return ranked(predicted, known, temperatures[0]) + kinds + familiar

    def batches(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
        return (_batch(some, encoded, music.unplayed, recipe, rng) for some in _mixed_batches(music, recipe, rng))

    n_batches = sum(1 for _ in _mixed_batches(music, recipe, np.random.default_rng(0)))
    state = [*tower.non_trainable_variables, *encoder.non_trainable_variables]
    return Task(weights, state, loss, batches, n_batches, error)


def _unit(vectors: Any) -> Any:
    return vectors * tensorflow.math.rsqrt(tensorflow.reduce_sum(vectors * vectors, -1, keepdims=True) + 1e-12)


@dataclass(frozen=True)
class TrainingMusic:
    """Sequences and tracks to learn from.

    Attributes
    ----------
    playlists : list of rows
    artists : list of rows
        The tracks of each artist who has enough of them.
    unplayed : ndarray of rows
        Tracks that no training playlist holds.
    """

    playlists: list[Rows]
    artists: list[Rows]
    unplayed: Rows


def training_music(catalogue: Catalogue, playlists: list[Rows]) -> TrainingMusic:
    """Playlists, tracks of each artist and unplayed tracks of a catalogue, without cold tracks."""
    open_to = catalogue.has_comparable_features & ~is_cold(catalogue.table["track_id"].to_pylist())
    artists = artist_numbers(catalogue)
    known = np.flatnonzero(open_to & (artists >= 0))
    known = known[np.argsort(artists[known], kind="stable")]
    groups = np.split(known, np.flatnonzero(np.diff(artists[known])) + 1)
    played = np.zeros(len(catalogue), dtype=bool)
    played[np.concatenate(playlists)] = True
    return TrainingMusic(playlists, [g for g in groups if len(g) >= _SHORTEST], np.flatnonzero(open_to & ~played))


def _mixed_batches(
    music: TrainingMusic, recipe: RankPredictorRecipe, rng: np.random.Generator
) -> Iterator[list[Rows]]:
    """Batches of all playlists, mixed with `recipe.artists` times as many batches of tracks by one artist."""
    batches = list(shuffled_windows(music.playlists, recipe, rng))
    if recipe.artists:
        some = [rng.permutation(tracks)[:_OF_AN_ARTIST] for tracks in music.artists]
        batches += list(shuffled_windows(some, recipe, rng))[: round(recipe.artists * len(batches))]
    return (batches[i] for i in rng.permutation(len(batches)))


def shuffled_windows(
    playlists: list[Rows], recipe: RankPredictorRecipe, rng: np.random.Generator
) -> Iterator[list[Rows]]:
    """Windows of all playlists in batches of about `recipe.batch_tracks` tracks, similar lengths together."""
    windows = []
    for tracks in playlists:
        start = 0 if len(tracks) <= recipe.window else -int(rng.integers(recipe.window))
        for begin in range(start, len(tracks) - 3, recipe.window):
            window = tracks[max(begin, 0) : begin + recipe.window]
            if len(window) >= _SHORTEST:
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
    return (batches[i] for i in rng.permutation(len(batches)) if batches[i])


def _batch(
    windows: list[Rows], encoded: EncodedTracks, unplayed: Rows, recipe: RankPredictorRecipe, rng: np.random.Generator
) -> tuple[Any, ...]:
    """One batch: inputs of its different tracks, the rest as positions among them; inputs of unplayed tracks."""
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
    inputs = add_noise(encoded.take(unique), encoded.slots, recipe, rng)
    if len(unplayed):
        unplayed = unplayed[rng.integers(len(unplayed), size=_UNPLAYED)]
    occurrence = np.log(count).astype(np.float32)
    return inputs, tracks, there, occurrence, own, encoded.take(unplayed if len(unplayed) else unique[:0])


def add_noise(inputs: Floats, slots: int, recipe: RankPredictorRecipe, rng: np.random.Generator) -> Floats:
    """Inputs with noise on every number of a share of the tracks, and with genres hidden, of all or of some.

    The tower must also work for tracks whose exact numbers it never saw, and for tracks without genres, alone or
    among others that have some.
    """
    numbers = inputs.shape[1] - slots
    noisy = rng.random(len(inputs)) < recipe.noisy_share
    inputs[:, :numbers] += (rng.normal(0, recipe.noise, (len(inputs), numbers)) * noisy[:, None]).astype(np.float32)
    all_hidden = rng.random() < recipe.hidden
    inputs[rng.random(len(inputs)) < (1.0 if all_hidden else _HIDDEN_AMONG_OTHERS), numbers:] = 0
    return inputs


def validation_error(
    tower: keras.Model, encoder: keras.Model, encoded: EncodedTracks, catalogue: Catalogue, playlists: list[Rows]
) -> Callable[[], float]:
    """Function that measures the networks: the share of validation cases not found among the first 10.

    The mean of two measurements: with the genres of the catalogue, and with none.
    """
    cases = next_track.sample_cases(catalogue, playlists, None, most=_VALIDATION_CASES)
    needed = np.unique(np.concatenate([*playlists, cases.negatives.ravel()]))

    def missed(hidden: bool) -> float:
        space = embed_rows(tower, encoded, needed, hidden)
        after = sequence_vectors(encoder, space, playlists)
        vectors = np.stack([after[p][i - 1] for p, i in zip(cases.playlist, cases.position, strict=True)])
        return 1 - float(metrics.hits(next_track.ranks(space, vectors, cases)).mean())

    return lambda: (missed(False) + missed(True)) / 2 if encoded.slots else missed(False)


def embed_rows(tower: keras.Model, encoded: EncodedTracks, rows: Rows, hidden: bool = False) -> Floats:
    """Vectors of these rows in an array for all tracks, 0 elsewhere; with `hidden` without their genres."""
    space = np.zeros((len(encoded), tower.output_shape[-1]), dtype=np.float32)
    for start in range(0, len(rows), _AT_A_TIME):
        some = rows[start : start + _AT_A_TIME]
        inputs = encoded.take(some)
        if hidden:
            inputs[:, encoded.width - encoded.slots :] = 0
        space[some] = np.asarray(tower(inputs, training=False))
    return space


def sequence_vectors(encoder: keras.Model, space: Floats, playlists: list[Rows]) -> list[Floats]:
    """Predictions of a sequence encoder after each track of each playlist, shape (length, size) each."""
    after: list[Floats] = [space[:0]] * len(playlists)
    order = np.argsort([len(tracks) for tracks in playlists], kind="stable")
    for start in range(0, len(order), 64):
        some = order[start : start + 64]
        padded = np.zeros((len(some), len(playlists[some[-1]]), space.shape[1]), dtype=np.float32)
        for row, i in zip(padded, some, strict=True):
            row[: len(playlists[i])] = space[playlists[i]]
        for row, i in zip(np.asarray(encoder(padded, training=False)), some, strict=True):
            after[i] = row[: len(playlists[i])]
    return after


def fit_space_transform(
    tower: keras.Model,
    encoder: keras.Model,
    encoded: EncodedTracks,
    catalogue: Catalogue,
    found: dict[str, list[Rows]],
    recipe: RankPredictorRecipe,
) -> tuple[SpaceTransform, float]:
    """Weights and centre of the learned space at inference, and the scale that was applied.

    The second half of the vectors, which remembers tracks, is multiplied by `recall`. The centre is the mean vector
    of the training entries, so that spicyness leads away from the average of what is played. The scale makes the
    standard deviation of the distance among 400 candidates of three seeds (median over validation playlists) equal
    to that of the predictor `mean` at a spicyness of 1.2, so that flow weighs against sweetness and smoothness as it
    does in the published space.
    """
    weights = np.repeat(np.array([1, recipe.recall], dtype=np.float32), recipe.size // 2)
    scaled = scaled_features(catalogue, scaler())
    rng = np.random.default_rng(0)
    some = [found["validation"][i] for i in rng.permutation(len(found["validation"]))[:_PLACING_PLAYLISTS]]
    playable = catalogue.has_comparable_features & catalogue.has_title_and_artist
    pools = [Nearest(scaled).recommend(Query(tracks[:3], allowed=playable), 400).rows for tracks in some]
    entries = np.concatenate(found["train"])
    space = embed_rows(tower, encoded, np.unique(np.concatenate([*pools, *some, entries])))
    centre = space[entries].mean(axis=0)
    after = sequence_vectors(encoder, space, [tracks[:3] for tracks in some])
    spreads = []
    for tracks, pool, vectors in zip(some, pools, after, strict=True):
        published = 1.2 * scaled[tracks[:3]].mean(axis=0)
        learned, around = 1.2 * weights * (vectors[-1] - centre), weights * (space[pool] - centre)
        pairs = ((scaled[pool], published), (around, learned))
        spreads.append([np.linalg.norm(positions - target, axis=1).std() for positions, target in pairs])
    published_spread, learned_spread = np.median(spreads, axis=0)
    scale = float(published_spread / learned_spread)
    return SpaceTransform(np.float32(scale) * weights, centre), scale
