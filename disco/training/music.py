"""Train `music`: vectors of names, a tower that places tracks, and a recurrent network that says where the next lies.

From positions of a playlist all its later tracks are ranked above the tracks of other playlists, by two softmax
losses over one matrix of scores. In the first, negatives come as often as they occur, so that the space learns how
much likelier a track is here than anywhere, which popularity cannot answer. In the second, scores get the track's
prior, and negatives are weighed by the inverse of their chance of being in the batch (importance sampling; Jean et
al. 2015, "On using very large target vocabulary"), so that it ranks among all tracks, those that nobody plays
included. What is known of a track is hidden at random, so that each input can stand for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow

from disco.catalogue import Catalogue, Floats, Rows
from disco.evaluation import metrics, next_track
from disco.models.names import name_inputs
from disco.models.scaler import check_feature_set, scaler
from disco.training.data import Card, Run, data_card, split_sequences
from disco.training.export import export_network, export_step
from disco.training.fitting import Task
from disco.training.music_names import (
    SHORTEST,
    TrainingPlaylists,
    Vocabulary,
    drawn_words,
    training_data,
    write_names,
)
from disco.training.music_networks import MusicNetworks, encoder_step
from disco.training.recipes import MusicRecipe
from disco.training.seeds import fit_best

# Score of what must not be chosen: far below any other.
_NEVER = -1e9
_CHECKED = (
    "files hold numbers alone; names are hashes, of songs and words that three or more playlists have; a release is "
    "a mark of 16 bits; by tests/test_music_model.py"
)
_VALIDATION_CASES = 3000
_VALIDATION_PLAYLISTS = 200
# Share of the components, over all tracks, that lie within the range of the integers of 8 bits.
_WITHIN = 0.9999


def train(recipe: MusicRecipe, run: Run) -> Card:
    """Train the model, write its files and return the fields of its card."""
    catalogue, transform = run.named_catalogue, scaler(recipe.scaler)
    check_feature_set(run.catalogue, transform)
    found = split_sequences(recipe, run.playlists, run.catalogue)
    vocabulary, playlists = training_data(recipe, run, catalogue)

    def build() -> tuple[MusicNetworks, Task]:
        made = MusicNetworks(recipe, vocabulary.names.priors, len(vocabulary.words.hashes))
        error = validation_error(made, vocabulary, run.catalogue, found["validation"])
        return made, task(made, vocabulary, playlists, recipe, error)

    made, errors = fit_best(recipe, build, run.saved, run.workers)
    return {
        "feature_set": transform.feature_set,
        "inputs": recipe.inputs,
        "output": "a learned space",
        "space_scale": recipe.space_scale,
        "artist_bonus": recipe.artist_bonus,
        "prior_scale": recipe.prior_scale,
        **_of_the_space(made, vocabulary),
        "tower": export_network(made.tower, run.folder / "tower.onnx", ("inputs",), ("vector", "prior")),
        "network": export_step(encoder_step(made.encoder), run.folder),
        "files": _write(made, vocabulary, run),
        "names": {
            "songs": int((np.unique(vocabulary.named.songs) >= 0).sum()),
            "artists": int((np.unique(vocabulary.named.artists) >= 0).sum()),
            "genres": len(np.unique(vocabulary.named.genres)),
            "words_of_titles_and_their_parts": len(vocabulary.words.hashes),
        },
        "checked": _CHECKED,
        **data_card(recipe, found, errors),
    }


def task(
    made: MusicNetworks,
    vocabulary: Vocabulary,
    playlists: TrainingPlaylists,
    recipe: MusicRecipe,
    error: Callable[[], float],
) -> Task:
    """The task of ranking the rest of each playlist."""

    def loss(
        songs: Any, artists: Any, genres: Any, genre_of: Any, numbers: Any, tracks: Any, there: Any, words: Any,
        word_of: Any, word_weights: Any, positions: Any, occurrence: Any, chance: Any, own: Any,
    ) -> Any:  # fmt: skip
        vectors = made.vectors.value
        songs_known, artists_known = _known(songs), _known(artists)
        n = tensorflow.shape(songs)[0]
        ones = tensorflow.ones_like(genre_of, dtype=tensorflow.float32)
        count = tensorflow.math.unsorted_segment_sum(ones, genre_of, n)[:, None]
        sums = tensorflow.math.unsorted_segment_sum(tensorflow.gather(vectors, genres), genre_of, n)
        inputs = tensorflow.concat(
            [
                tensorflow.gather(vectors, tensorflow.maximum(songs, 0)) * songs_known,
                tensorflow.gather(vectors, tensorflow.maximum(artists, 0)) * artists_known,
                sums / tensorflow.sqrt(tensorflow.maximum(count, 1.0)),
                numbers,
                songs_known,
                artists_known,
                tensorflow.minimum(count, 1.0),
            ],
            1,
        )
        placed = made.tower(inputs, training=True)
        points = placed["vector"]
        prior = (
            placed["prior"][:, 0]
            + tensorflow.gather(made.priors.value, tensorflow.maximum(songs, 0)) * (songs_known[:, 0])
        )
        n_lists = tensorflow.shape(tracks)[0]
        weighted = tensorflow.gather(made.words.value, words) * word_weights[:, None]
        title = tensorflow.math.unsorted_segment_sum(weighted, word_of, n_lists)
        titled = tensorflow.math.unsorted_segment_sum(word_weights, word_of, n_lists)[:, None] > 0
        read = tensorflow.concat([title[:, None], tensorflow.gather(points, tracks)[:, :-1]], 1)
        after = tensorflow.gather(made.encoder(read, training=True), positions, batch_dims=1)
        scores = tensorflow.einsum("lpd,td->lpt", after, points) - tensorflow.reduce_sum(points**2, 1) / 2
        # What is given counts for nothing; the rest of the playlist counts the same, the next track a little more.
        at, positions = tensorflow.range(tensorflow.shape(tracks)[1])[None, None], positions[:, :, None]
        later = tensorflow.cast(at >= positions, tensorflow.float32) * there[:, None]
        later /= tensorflow.maximum(tensorflow.reduce_sum(later, 2, keepdims=True), 1.0)
        following = tensorflow.cast(at == positions, tensorflow.float32) * there[:, None]
        weight = (1 - recipe.next_track) * later + recipe.next_track * following
        # Without a title there is nothing to go by before the first track.
        usable = tensorflow.where(positions == 0, tensorflow.cast(titled, tensorflow.float32)[:, None], 1.0)

        def ranked(scores: Any, of_sample: Any) -> Any:
            right = tensorflow.gather(scores, tracks, batch_dims=1, axis=2)
            others = tensorflow.reduce_logsumexp(scores + of_sample + own[:, None], 2, keepdims=True)
            errors = tensorflow.nn.softplus(others - right) * weight * usable
            return tensorflow.reduce_sum(errors) / tensorflow.reduce_sum(usable)

        norm = tensorflow.reduce_mean(tensorflow.reduce_sum(points**2, 1))
        return ranked(scores, occurrence) + recipe.full * ranked(scores + prior, -chance) + recipe.norm * norm

    def batches(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
        return _batches(vocabulary, playlists, recipe, rng)

    n_batches = -(-sum(-(-len(rows) // recipe.window) for rows in playlists.rows) // recipe.batch_playlists)
    return Task(made.weights, made.state, loss, batches, n_batches, error)


def _known(numbers: Any) -> Any:
    return tensorflow.cast(numbers >= 0, tensorflow.float32)[:, None]


def _batches(
    vocabulary: Vocabulary, playlists: TrainingPlaylists, recipe: MusicRecipe, rng: np.random.Generator
) -> Iterator[tuple[Any, ...]]:
    """Windows of all playlists in batches, similar lengths together."""
    windows: list[tuple[int, Rows]] = []
    for number, rows in enumerate(playlists.rows):
        begin = 0 if len(rows) <= recipe.window else -int(rng.integers(recipe.window))
        for start in range(begin, len(rows), recipe.window):
            window = rows[max(start, 0) : start + recipe.window]
            if len(window) >= SHORTEST:
                windows.append((number, window))
    lengths = np.array([len(window) for _, window in windows])
    order = np.argsort(lengths * rng.uniform(0.85, 1.15, len(lengths)))
    groups = [order[i : i + recipe.batch_playlists] for i in range(0, len(order), recipe.batch_playlists)]
    for group in rng.permutation(len(groups)):
        yield _batch([windows[i] for i in groups[group]], vocabulary, playlists, recipe, rng)


def _batch(
    windows: list[tuple[int, Rows]],
    vocabulary: Vocabulary,
    playlists: TrainingPlaylists,
    recipe: MusicRecipe,
    rng: np.random.Generator,
) -> tuple[Any, ...]:
    """One batch; its different tracks come first, and the playlists are positions among them."""
    # Few widths, so that few graphs are compiled.
    width = -(-max(len(rows) for _, rows in windows) // 10) * 10
    rows = np.full((len(windows), width), -1, dtype=np.intp)
    words: list[tuple[Any, Floats]] = []
    positions = np.zeros((len(windows), recipe.positions), dtype=np.int32)
    for i, (number, window) in enumerate(windows):
        rows[i, : len(window)] = rng.permutation(window) if rng.random() < recipe.shuffled else window
        title = playlists.words[number] if rng.random() < recipe.titled else []
        words.append(drawn_words(title, recipe.hidden_word, rng))
        # Mostly early positions: people seed a few tracks.
        chance = 1 / (np.arange(len(window)) + 2.0)
        some = rng.choice(len(window), recipe.positions, len(window) < recipe.positions, chance / chance.sum())
        positions[i] = some
    there = rows >= 0
    unique, place = np.unique(rows[there], return_inverse=True)
    occurrence = np.log(np.bincount(place)).astype(np.float32)
    others = np.setdiff1d(rng.integers(0, len(vocabulary.named), recipe.negatives), unique)
    every = np.r_[unique, others]
    tracks = np.zeros(rows.shape, dtype=np.int32)
    tracks[there] = place
    own = np.zeros((len(windows), len(every)), dtype=np.float32)
    own[np.nonzero(there)[0], place] = _NEVER
    expected = there.sum() * playlists.share[every] + recipe.negatives / len(vocabulary.named)
    return (
        *_hidden(every, vocabulary, recipe, rng),
        tracks,
        there.astype(np.float32),
        np.concatenate([numbers for numbers, _ in words]),
        np.repeat(np.arange(len(words)), [len(numbers) for numbers, _ in words]).astype(np.int32),
        np.concatenate([weights for _, weights in words]),
        positions,
        np.r_[occurrence, np.full(len(others), np.log(recipe.negatives_weight))].astype(np.float32),
        np.log(1 - np.exp(-expected)).astype(np.float32),
        own,
    )


def _hidden(
    rows: Rows, vocabulary: Vocabulary, recipe: MusicRecipe, rng: np.random.Generator
) -> tuple[Any, Any, Any, Any, Any]:
    """What is known of tracks, with parts of it hidden: songs, artists, genres and whose they are, numbers."""
    named, n = vocabulary.named, len(rows)

    def some(share: float) -> Any:
        return rng.random(n) < share

    songs, artists = named.songs[rows].copy(), named.artists[rows].copy()
    songs[some(1.0 if rng.random() < recipe.all_hidden else recipe.hidden_song)] = -1
    without_artist = some(recipe.hidden_artist)
    artists[without_artist] = -1
    songs[without_artist & some(0.5)] = -1
    count = named.n_genres[rows]
    count = np.where(some(1.0 if rng.random() < recipe.all_hidden else recipe.hidden_genres), 0, count)
    at = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count - named.genre_starts[rows], count)
    numbers = vocabulary.numbers[rows].copy()
    numbers[some(recipe.hidden_numbers)] = vocabulary.unknown
    without_popularity = some(recipe.hidden_popularity)
    for i, name in enumerate(recipe.inputs):
        if name.startswith("popularity"):
            numbers[without_popularity, i] = vocabulary.unknown[i]
    return songs, artists, named.genres[at], np.repeat(np.arange(n), count).astype(np.int32), numbers


def validation_error(
    made: MusicNetworks, vocabulary: Vocabulary, catalogue: Catalogue, playlists: list[Rows]
) -> Callable[[], float]:
    """Function that measures the networks: one less the mean of two shares.

    The true next tracks that are among the first 10 of 400, and the R-precision of the rest of a playlist after its
    first five tracks among all tracks.
    """
    cases = next_track.sample_cases(catalogue, playlists, None, most=_VALIDATION_CASES)
    continued = [rows for rows in playlists if len(rows) >= 15][:_VALIDATION_PLAYLISTS]

    def missed() -> float:
        points, priors = place(made, vocabulary, np.arange(len(catalogue)))
        after = _after(made, points, playlists)
        vectors = np.stack([after[p][i - 1] for p, i in zip(cases.playlist, cases.position, strict=True)])
        hits = metrics.hits(next_track.ranks(points, vectors, cases)).mean()
        offsets = priors - (points**2).sum(axis=1) / 2
        precisions = []
        for rows, vectors in zip(continued, _after(made, points, [rows[:5] for rows in continued]), strict=True):
            scores = points @ vectors[-1] + offsets
            scores[rows[:5]] = -np.inf
            best = np.argpartition(-scores, len(rows))[: len(rows) - 5]
            precisions.append(np.isin(best, rows[5:]).mean())
        return 1 - float(hits + np.mean(precisions or [0])) / 2

    return missed


def place(made: MusicNetworks, vocabulary: Vocabulary, rows: Rows) -> tuple[Floats, Floats]:
    """Points and priors of tracks."""
    vectors, priors = np.asarray(made.vectors), np.asarray(made.priors)
    points, found = [], []

    def take(numbers: Any) -> Floats:
        return np.asarray(vectors[numbers] * (numbers >= 0)[:, None], dtype=np.float32)

    for start in range(0, len(rows), 8192):
        some = rows[start : start + 8192]
        placed = made.tower(name_inputs(take, vocabulary.named, vocabulary.numbers, some), training=False)
        songs = vocabulary.named.songs[some]
        points.append(np.asarray(placed["vector"]))
        found.append(np.asarray(placed["prior"])[:, 0] + np.where(songs >= 0, priors[songs], 0))
    return np.concatenate(points), np.concatenate(found)


def _after(made: MusicNetworks, points: Floats, playlists: list[Rows]) -> list[Floats]:
    """Where the next track lies after each track of each playlist, without a title."""
    after: list[Floats] = [points[:0]] * len(playlists)
    order = np.argsort([len(rows) for rows in playlists], kind="stable")
    for start in range(0, len(order), 64):
        some = order[start : start + 64]
        read = np.zeros((len(some), len(playlists[some[-1]]) + 1, points.shape[1]), dtype=np.float32)
        for row, i in zip(read, some, strict=True):
            row[1 : len(playlists[i]) + 1] = points[playlists[i]]
        for row, i in zip(np.asarray(made.encoder(read, training=False)), some, strict=True):
            after[i] = row[1 : len(playlists[i]) + 1]
    return after


def _of_the_space(made: MusicNetworks, vocabulary: Vocabulary) -> dict[str, float]:
    """Range of the components of points, and the mean prior of tracks whose songs and artists are unknown."""
    points, priors = place(made, vocabulary, np.arange(len(vocabulary.named)))
    unfamiliar = (vocabulary.named.songs < 0) & (vocabulary.named.artists < 0)
    return {
        "space_range": round(float(np.quantile(np.abs(points), _WITHIN)), 4),
        "unfamiliar_prior": round(float(priors[unfamiliar].mean()), 4) if unfamiliar.any() else float(priors.min()),
    }


def _write(made: MusicNetworks, vocabulary: Vocabulary, run: Run) -> dict[str, str]:
    made.tower.save(run.folder / "tower.keras")
    made.encoder.save(run.folder / "encoder.keras")
    return write_names(vocabulary, np.asarray(made.vectors), np.asarray(made.priors), np.asarray(made.words), run)
