"""Train `music`: vectors of names, a tower that places tracks, and a recurrent network that says where the next lies.

From positions of a playlist all its later tracks are ranked above the tracks of other playlists, by two softmax
losses over one matrix of scores. In the first, negatives come as often as they occur, so that the space learns how
much likelier a track is here than anywhere, which popularity cannot answer. In the second, scores get the track's
prior, and negatives are weighed by the inverse of their chance of being in the batch (importance sampling; Jean et
al. 2015, "On using very large target vocabulary"), so that it ranks among all tracks, those that nobody plays
included. What is known of a track is hidden at random, so that each input can stand for the others.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow

from disco.catalogue import Catalogue, Floats, Rows
from disco.errors import DiscoError
from disco.evaluation import metrics, next_track
from disco.models.music import MAX_WORDS
from disco.models.names import (
    NamedTracks,
    NameVectors,
    artist_keys,
    genre_keys,
    look_up,
    name_hashes,
    name_inputs,
    rounded_names,
    song_keys,
)
from disco.models.scaler import check_feature_set, scaler
from disco.models.title_words import tokens
from disco.models.track_inputs import tower_inputs
from disco.sources.files import playlist_tables
from disco.training.data import Card, Run, data_card, split_sequences
from disco.training.export import export_network, export_step
from disco.training.fitting import Task
from disco.training.music_networks import MusicNetworks, encoder_step
from disco.training.recipes import MusicRecipe
from disco.training.seeds import fit_best

# Score of what must not be chosen: far below any other.
_NEVER = -1e9
_SHORTEST = 5
_CHECKED = (
    "files hold numbers alone; names are hashes, of songs of three or more playlists; by tests/test_music_model.py"
)
_VALIDATION_CASES = 3000
_VALIDATION_PLAYLISTS = 200
# Share of the components, over all tracks, that lie within the range of the integers of 8 bits.
_WITHIN = 0.9999


@dataclass(frozen=True)
class _Vocabulary:
    """Hashes of the names that are learned, and the names' numbers for each track of the catalogue."""

    names: NameVectors
    words: NameVectors
    named: NamedTracks
    numbers: Floats
    unknown: Floats  # the numbers of a track of which none is known


@dataclass(frozen=True)
class _Playlists:
    """Training playlists as rows, the numbers of their titles' words, and how often each track occurs."""

    rows: list[Rows]
    words: list[Rows]
    share: Floats


def train(recipe: MusicRecipe, run: Run) -> Card:
    """Train the model, write its files and return the fields of its card."""
    catalogue, transform = run.named_catalogue, scaler(recipe.scaler)
    check_feature_set(run.catalogue, transform)
    found = split_sequences(recipe, run.playlists, run.catalogue)
    rows, titles = _training_playlists(run, catalogue, recipe)
    vocabulary = _vocabulary(catalogue, rows, titles, recipe)
    playlists = _Playlists(
        rows,
        [vocabulary.words.find(name_hashes("title", tokens(title))).astype(np.intp) for title in titles],
        (np.bincount(np.concatenate(rows), minlength=len(catalogue)) / sum(map(len, rows))).astype(np.float32),
    )

    def build() -> tuple[MusicNetworks, Task]:
        made = MusicNetworks(recipe, len(vocabulary.names.hashes), len(vocabulary.words.hashes))
        error = validation_error(made, vocabulary, run.catalogue, found["validation"])
        return made, task(made, vocabulary, playlists, recipe, error)

    made, errors = fit_best(recipe, build, run.saved)
    return {
        "feature_set": transform.feature_set,
        "inputs": recipe.inputs,
        "output": "a learned space",
        "space_scale": recipe.space_scale,
        "artist_bonus": recipe.artist_bonus,
        "space_range": _space_range(made, vocabulary),
        "tower": export_network(made.tower, run.folder / "tower.onnx", ("inputs",), ("vector", "prior")),
        "network": export_step(encoder_step(made.encoder), run.folder),
        "files": _write_names(made, vocabulary, run),
        "names": {
            "songs": int((np.unique(vocabulary.named.songs) >= 0).sum()),
            "artists": int((np.unique(vocabulary.named.artists) >= 0).sum()),
            "genres": len(np.unique(vocabulary.named.genres)),
            "words_of_titles": len(vocabulary.words.hashes),
        },
        "checked": _CHECKED,
        **data_card(recipe, found, errors),
    }


def _training_playlists(run: Run, catalogue: Catalogue, recipe: MusicRecipe) -> tuple[list[Rows], list[str]]:
    """Rows and titles of the training playlists, without cold tracks."""
    cold = pa.array(playlist_tables.is_cold(run.entries["track_id"].cast(pa.string()).to_pylist()))
    kept = pc.and_not(pc.equal(run.entries["split"].cast(pa.string()), "train"), cold)
    rows, titles = playlist_tables.titled(run.entries.filter(kept), catalogue)
    long = [i for i, tracks in enumerate(rows) if len(tracks) >= _SHORTEST]
    if not long:
        raise DiscoError(f"{recipe.name}: no training playlist has {_SHORTEST} tracks that are known by name")
    return [rows[i] for i in long], [titles[i] for i in long]


def _vocabulary(catalogue: Catalogue, rows: list[Rows], titles: list[str], recipe: MusicRecipe) -> _Vocabulary:
    """The names that enough playlists have, and the numbers of those of each track."""
    playlist = np.repeat(np.arange(len(rows)), [len(tracks) for tracks in rows])
    track = np.concatenate(rows)
    hashes = [
        _frequent("song", song_keys(catalogue), playlist, track, recipe.least_song),
        _frequent("artist", artist_keys(catalogue), playlist, track, recipe.least_artist),
        name_hashes("genre", _frequent_genres(catalogue, recipe.least_genre)),
    ]
    count = Counter(word for title in titles for word in set(tokens(title)))
    words = name_hashes("title", sorted(word for word, n in count.items() if n >= recipe.least_word))
    names = _empty(np.concatenate(hashes))
    transform = scaler(recipe.scaler)
    known = np.ones(len(catalogue), dtype=bool)
    empty = Catalogue.from_tracks([{"track_id": "nothing"}])
    return _Vocabulary(
        names,
        _empty(words),
        look_up(names, catalogue),
        tower_inputs(catalogue, recipe.inputs, transform, known),
        tower_inputs(empty, recipe.inputs, transform, known[:1])[0],
    )


def _empty(hashes: Any) -> NameVectors:
    n = len(hashes)
    return NameVectors(np.sort(hashes), np.zeros((n, 1), np.int8), np.zeros(n, np.float32), np.zeros(n, np.float32))


def _frequent(kind: str, keys: pa.Array, playlist: Any, track: Rows, least: int) -> Any:
    """Hashes of the names that at least so many playlists have."""
    encoded = keys.dictionary_encode()
    codes = pc.fill_null(encoded.indices, -1).to_numpy().astype(np.int64)[track]
    pairs = np.unique((playlist.astype(np.int64) << 32 | codes)[codes >= 0])
    count = np.bincount(pairs & 0xFFFFFFFF, minlength=len(encoded.dictionary))
    return name_hashes(kind, encoded.dictionary.take(pa.array(np.flatnonzero(count >= least))).to_pylist())


def _frequent_genres(catalogue: Catalogue, least: int) -> list[str]:
    counted = pc.value_counts(pc.list_flatten(catalogue.table["genres"].combine_chunks())).to_pylist()
    count: Counter[str] = Counter()
    for genre in counted:
        for key in genre_keys(genre["values"] or ""):
            count[key] += genre["counts"]
    return sorted(key for key, n in count.items() if n >= least)


def task(
    made: MusicNetworks,
    vocabulary: _Vocabulary,
    playlists: _Playlists,
    recipe: MusicRecipe,
    error: Callable[[], float],
) -> Task:
    """The task of ranking the rest of each playlist."""

    def loss(
        songs: Any, artists: Any, genres: Any, genre_of: Any, numbers: Any, tracks: Any, there: Any, words: Any,
        word_of: Any, positions: Any, occurrence: Any, chance: Any, own: Any,
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
        n_words = tensorflow.math.unsorted_segment_sum(
            tensorflow.ones_like(word_of, dtype=tensorflow.float32), word_of, n_lists
        )[:, None]
        title = tensorflow.math.unsorted_segment_sum(tensorflow.gather(made.words.value, words), word_of, n_lists)
        title = title / tensorflow.sqrt(tensorflow.maximum(n_words, 1.0))
        read = tensorflow.concat([title[:, None], tensorflow.gather(points, tracks)[:, :-1]], 1)
        after = tensorflow.gather(made.encoder(read, training=True), positions, batch_dims=1)
        scores = tensorflow.einsum("lpd,td->lpt", after, points) - tensorflow.reduce_sum(points**2, 1) / 2
        # What is given counts for nothing; the rest of the playlist counts the same, whatever its order.
        later = tensorflow.range(tensorflow.shape(tracks)[1])[None, None] >= positions[:, :, None]
        weight = tensorflow.cast(later, tensorflow.float32) * there[:, None]
        weight /= tensorflow.maximum(tensorflow.reduce_sum(weight, 2, keepdims=True), 1.0)
        # Without a title there is nothing to go by before the first track.
        usable = tensorflow.where(positions == 0, tensorflow.minimum(n_words, 1.0), 1.0)[:, :, None]

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
    vocabulary: _Vocabulary, playlists: _Playlists, recipe: MusicRecipe, rng: np.random.Generator
) -> Iterator[tuple[Any, ...]]:
    """Windows of all playlists in batches, similar lengths together."""
    windows: list[tuple[int, Rows]] = []
    for number, rows in enumerate(playlists.rows):
        begin = 0 if len(rows) <= recipe.window else -int(rng.integers(recipe.window))
        for start in range(begin, len(rows), recipe.window):
            window = rows[max(start, 0) : start + recipe.window]
            if len(window) >= _SHORTEST:
                windows.append((number, window))
    lengths = np.array([len(window) for _, window in windows])
    order = np.argsort(lengths * rng.uniform(0.85, 1.15, len(lengths)))
    groups = [order[i : i + recipe.batch_playlists] for i in range(0, len(order), recipe.batch_playlists)]
    for group in rng.permutation(len(groups)):
        yield _batch([windows[i] for i in groups[group]], vocabulary, playlists, recipe, rng)


def _batch(
    windows: list[tuple[int, Rows]],
    vocabulary: _Vocabulary,
    playlists: _Playlists,
    recipe: MusicRecipe,
    rng: np.random.Generator,
) -> tuple[Any, ...]:
    """One batch; its different tracks come first, and the playlists are positions among them."""
    # Few widths, so that few graphs are compiled.
    width = -(-max(len(rows) for _, rows in windows) // 10) * 10
    rows = np.full((len(windows), width), -1, dtype=np.intp)
    words: list[Any] = []
    positions = np.zeros((len(windows), recipe.positions), dtype=np.int32)
    for i, (number, window) in enumerate(windows):
        rows[i, : len(window)] = rng.permutation(window) if rng.random() < recipe.shuffled else window
        known = playlists.words[number]
        words.append(known[known >= 0][:MAX_WORDS] if rng.random() < recipe.titled else known[:0])
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
        np.concatenate(words).astype(np.int32),
        np.repeat(np.arange(len(words)), [len(each) for each in words]).astype(np.int32),
        positions,
        np.r_[occurrence, np.full(len(others), np.log(recipe.negatives_weight))].astype(np.float32),
        np.log(1 - np.exp(-expected)).astype(np.float32),
        own,
    )


def _hidden(
    rows: Rows, vocabulary: _Vocabulary, recipe: MusicRecipe, rng: np.random.Generator
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
    made: MusicNetworks, vocabulary: _Vocabulary, catalogue: Catalogue, playlists: list[Rows]
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


def place(made: MusicNetworks, vocabulary: _Vocabulary, rows: Rows) -> tuple[Floats, Floats]:
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


def _space_range(made: MusicNetworks, vocabulary: _Vocabulary) -> float:
    points, _ = place(made, vocabulary, np.arange(len(vocabulary.named)))
    return round(float(np.quantile(np.abs(points), _WITHIN)), 4)


def _write_names(made: MusicNetworks, vocabulary: _Vocabulary, run: Run) -> dict[str, str]:
    """Write the vectors of names and words as integers of 8 bits; return the checksums of the files."""
    kinds = {
        "name": (vocabulary.names.hashes, made.vectors, made.priors),
        "word": (vocabulary.words.hashes, made.words, np.zeros(len(vocabulary.words.hashes), dtype=np.float32)),
    }
    checksums = {}
    for kind, (hashes, vectors, priors) in kinds.items():
        rounded = rounded_names(hashes, np.asarray(vectors), np.asarray(priors))
        for what in ("hashes", "vectors", "scales", "priors"):
            path = run.folder / f"{kind}_{what}.npy"
            np.save(path, getattr(rounded, what), allow_pickle=False)
            checksums[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    made.tower.save(run.folder / "tower.keras")
    made.encoder.save(run.folder / "encoder.keras")
    return checksums
