"""Train where tracks lie by their numbers alone, from what genres, artists and playlists bring together.

Every track of a batch is to be given its genres (softmax over the genres, vectors of length 1), and to find in the
batch the tracks by its artist and those of its playlist (supervised contrast: Khosla et al. 2020; the other tracks
are the negatives, so in proportion to how often they occur). Tracks whose crc32 is divisible by 10 are in none of it,
nor are other releases of them, so that they measure tracks that the tower never saw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.numbering import artist_numbers
from disco.catalogue.table import Mask
from disco.catalogue.text import fold_accents
from disco.errors import DataError
from disco.evaluation import metrics, next_track
from disco.models.card import read_card
from disco.models.recommenders.content import ContentParams
from disco.models.scaler import check_feature_set, scaler
from disco.models.track_inputs import NUMBERS, tower_inputs
from disco.sources.files import playlist_tables
from disco.training.data import Card, Run, split_sequences
from disco.training.export import export_network
from disco.training.fitting import Batch, Task
from disco.training.networks import Periodic, _trunk
from disco.training.recipes import ContentRecipe
from disco.training.seeds import fit_best

_NEVER = -1e9
# What a genre that is not named first counts.
_OTHERS = 0.25
# Tracks of one playlist in a batch, and by one artist; and the part of a batch that is from playlists.
_TOGETHER = 8
_BY_ONE = 2
_FROM_PLAYLISTS = 1 / 4
_VALIDATION_CASES = 2000


@keras.saving.register_keras_serializable("disco", name="Kinds")  # its name in saved towers
class GenreHead(keras.layers.Layer):  # type: ignore[misc]
    """Cosines of a vector with one vector a genre, sharpened, plus a bias: (n, size) -> logits (n, genres).

    `towards` is the other way: the mean of the genres' vectors, each weighing as much as the genre is likely.
    """

    def __init__(self, genres: int, temperature: float, **others: Any) -> None:
        super().__init__(**others)
        self.genres, self.temperature = genres, temperature

    def build(self, shape: Any) -> None:
        """One vector for each genre."""
        self.kernel = self.add_weight(shape=(shape[-1], self.genres), initializer="glorot_normal", name="kernel")
        self.bias = self.add_weight(shape=(self.genres,), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        """Logits."""
        return self.temperature * keras.ops.matmul(x, self._units()) + self.bias

    def towards(self, x: Any) -> Any:
        """(n, size) -> (n, size)."""
        return keras.ops.matmul(keras.ops.softmax(self.call(x)), keras.ops.transpose(self._units()))

    def _units(self) -> Any:
        return self.kernel / keras.ops.sqrt(keras.ops.sum(self.kernel**2, 0, keepdims=True) + 1e-9)

    def get_config(self) -> dict[str, Any]:
        """What `__init__` was given."""
        return {**super().get_config(), "genres": self.genres, "temperature": self.temperature}


# Keras finds the weights of a layer in saved towers by the name of its class.
GenreHead.__name__ = "Kinds"


@keras.saving.register_keras_serializable("disco", name="Leaning")
class GenreShrinkage(keras.layers.Layer):  # type: ignore[misc]
    """A vector moved towards the genres that it is likely of, and brought back to length 1; `kinds` holds them."""

    def __init__(self, kinds: GenreHead, share: float, **others: Any) -> None:
        super().__init__(**others)
        self.kinds, self.share = kinds, share

    def call(self, x: Any) -> Any:
        """(n, size) -> (n, size)."""
        towards = _unit(self.kinds.towards(x))
        return _unit((1 - self.share) * x + self.share * towards)


def _unit(x: Any) -> Any:
    return x / keras.ops.sqrt(keras.ops.sum(x**2, -1, keepdims=True) + 1e-9)


def tower(recipe: ContentRecipe, genres: int) -> keras.Model:
    """What is known of a track, (n, inputs), to a vector of length 1, (n, size), and logits, (n, genres)."""
    numbers = sum(name in NUMBERS for name in recipe.inputs)
    encoded = keras.Input((len(recipe.inputs),), name="inputs")
    x = keras.layers.GaussianNoise(recipe.noise)(encoded)
    if recipe.periods:
        x = keras.layers.Concatenate()([x, Periodic(recipe.periods, name="periodic")(x[:, :numbers])])
    vector = keras.layers.UnitNormalization(name="vector")(
        _trunk(x, recipe.size, recipe.width, recipe.blocks, recipe.dropout)
    )
    return keras.Model(encoded, [vector, GenreHead(genres, recipe.temperature, name="kinds")(vector)], name="tower")


def shrunk_to_genres(network: keras.Model, share: float) -> keras.Model:
    """What is exported: the vectors moved by so much towards their genres."""
    vector = GenreShrinkage(network.get_layer("kinds"), share, name="leaning")(network.outputs[0])
    return keras.Model(network.inputs, {"vector": vector}, name="content")


@dataclass(frozen=True)
class ContentData:
    """What is known of the tracks of a catalogue that may be learnt from.

    Attributes
    ----------
    encoded : ndarray, shape (tracks, inputs)
    tracks : ndarray of rows
        Those with a genre.
    chances : ndarray, shape (len(tracks),)
        How likely each is drawn: the more, the rarer its genres.
    genres : ndarray, shape (tracks, genres), float16
        Share of each genre in a track's label, the first and rare ones weighing more; all 0 where none is known.
    artists : ndarray of int, shape (tracks,)
        -1 where unknown.
    names : list of str
        The genres.
    """

    encoded: Floats
    tracks: Rows
    chances: NDArray[np.float64]
    genres: NDArray[np.float16]
    artists: NDArray[np.intp]
    names: list[str]


def held_out(catalogue: Catalogue) -> Mask:
    """Which tracks are cold, or other releases of a cold one: by name, or by all of their numbers, shape (n,)."""
    cold: Mask = playlist_tables.is_cold(catalogue.table["track_id"].to_pylist())
    titles = fold_accents(catalogue.table["title"].combine_chunks()).dictionary_encode().indices
    artists = artist_numbers(catalogue)
    title = np.asarray(pc.fill_null(titles, -1).to_numpy(zero_copy_only=False), dtype=np.intp)
    songs = np.where((title >= 0) & (artists >= 0), artists * (title.max(initial=0) + 1) + title, -1)
    _, numbers = np.unique(catalogue.features(), axis=0, return_inverse=True)
    numbers = np.where(catalogue.has_comparable_features, numbers.ravel(), -1)
    return np.asarray(
        cold | (np.isin(songs, songs[cold]) & (songs >= 0)) | (np.isin(numbers, numbers[cold]) & (numbers >= 0))
    )


def content_data(catalogue: Catalogue, recipe: ContentRecipe) -> ContentData:
    """What is to be learnt from a catalogue's tracks.

    Raises
    ------
    DataError
        If no genre has enough of them.
    """
    check_feature_set(catalogue, scaler(recipe.scaler))
    encoded = tower_inputs(catalogue, recipe.inputs, scaler(recipe.scaler))
    may = catalogue.has_comparable_features & ~held_out(catalogue)
    listed = catalogue.table["genres"].combine_chunks()
    of, names = np.asarray(pc.list_parent_indices(listed)), pc.list_flatten(listed).dictionary_encode()
    codes = np.asarray(names.indices.fill_null(-1))
    counts = np.bincount(codes[may[of] & (codes >= 0)], minlength=len(names.dictionary))
    kept = np.flatnonzero(counts >= recipe.least)
    if not len(kept):
        raise DataError(catalogue.where, f"has no genre of {recipe.least} tracks with features to learn from")
    column = np.full(len(counts) + 1, -1)
    column[kept] = np.arange(len(kept))
    there = column[codes] >= 0
    genres = np.zeros((len(catalogue), len(kept)), dtype=np.float32)
    # Of "black metal" and "metal" the rarer says more, and most says the one that is named first.
    is_first = np.diff(of, prepend=-1) > 0
    genres[of[there], column[codes[there]]] = np.where(is_first, 1.0, _OTHERS)[there] * (
        (counts[kept].min() / counts[codes[there]]) ** 0.5
    )
    whole = genres.sum(axis=1, dtype=np.float64)
    genres /= np.maximum(whole, 1e-6)[:, None]
    tracks = np.flatnonzero(may & (whole > 0))
    kinds = names.dictionary.take(pa.array(kept)).to_pylist()
    return ContentData(
        encoded,
        tracks,
        whole[tracks] / whole[tracks].sum(),
        genres.astype(np.float16),
        artist_numbers(catalogue),
        kinds,
    )


def task(
    network: keras.Model, by: ContentData, lists: Sequence[Rows], recipe: ContentRecipe, error: Callable[[], float]
) -> Task:
    """The task of naming genres and of finding the tracks by the same artist and of the same playlist."""
    groups = max(1, int(recipe.batch_tracks * _FROM_PLAYLISTS) // _TOGETHER)
    pairs = (recipe.batch_tracks - groups * _TOGETHER) // _BY_ONE
    hidden = np.flatnonzero([name.startswith(("explicit", "popularity")) for name in recipe.inputs])
    unknown = np.array([float(recipe.inputs[i].endswith("_unknown")) for i in hidden], dtype=np.float32)
    artists = by.artists[by.tracks]
    order = np.argsort(artists, kind="stable")
    first, last = (np.searchsorted(artists[order], artists, side=side) for side in ("left", "right"))
    n_batches = max(1, len(by.tracks) // pairs // recipe.shorter)

    def contrast(vectors: Any, groups: Any) -> Any:
        """Mean negative log likelihood of the tracks of one's group among all others."""
        others = 1 - tensorflow.eye(tensorflow.shape(vectors)[0])
        scores = recipe.temperature * tensorflow.matmul(vectors, vectors, transpose_b=True) + (1 - others) * _NEVER
        same = tensorflow.cast((groups[:, None] == groups) & (groups >= 0), tensorflow.float32) * others
        misses = tensorflow.reduce_logsumexp(scores, 1, keepdims=True) - scores
        count = tensorflow.reduce_sum(same, 1)
        each = tensorflow.reduce_sum(misses * same, 1) / tensorflow.maximum(count, 1.0)
        return tensorflow.reduce_sum(each) / tensorflow.maximum(
            tensorflow.math.count_nonzero(count, dtype="float32"), 1
        )

    def loss(inputs: Any, genres: Any, artist: Any, playlist: Any) -> Any:
        vectors, logits = network(inputs, training=True)
        labelled = tensorflow.reduce_sum(genres, 1)
        wanted = genres * (1 - recipe.smoothing) + recipe.smoothing / len(by.names)
        misses = tensorflow.nn.softmax_cross_entropy_with_logits(wanted, logits) * labelled
        total = tensorflow.reduce_sum(misses) / tensorflow.maximum(tensorflow.reduce_sum(labelled), 1.0)
        if recipe.artists:
            total += recipe.artists * contrast(vectors, artist)
        if recipe.playlists:
            total += recipe.playlists * contrast(vectors[pairs * _BY_ONE :], playlist)
        return total

    def batches(rng: np.random.Generator) -> Iterator[Batch]:
        for _ in range(n_batches):
            some = rng.choice(len(by.tracks), pairs, p=by.chances)
            # Beside each track another by its artist, if there is one.
            others = order[first[some] + rng.integers(last[some] - first[some])]
            others = np.where(artists[some] >= 0, others, rng.integers(len(by.tracks), size=len(some)))
            rows, playlist = [by.tracks[some], by.tracks[others]], np.repeat(np.arange(groups), _TOGETHER)
            rows += [rng.choice(lists[i], _TOGETHER) for i in rng.integers(len(lists), size=groups)]
            batch = np.concatenate(rows)
            inputs = by.encoded[batch]
            unheard = np.flatnonzero(rng.random(len(batch)) < recipe.hidden)
            inputs[np.ix_(unheard, hidden)] = unknown
            # A track beside itself would teach that equal numbers are equal.
            group = np.where(_repeated(batch[pairs * _BY_ONE :]), -1, playlist).astype(np.int32)
            artist = np.where(_repeated(batch), -1, by.artists[batch]).astype(np.int32)
            yield inputs, by.genres[batch].astype(np.float32), artist, group

    return Task(network.trainable_variables, network.non_trainable_variables, loss, batches, n_batches, error)


def _repeated(rows: Rows) -> Mask:
    """Which of these rows came before."""
    again = np.ones(len(rows), dtype=bool)
    again[np.unique(rows, return_index=True)[1]] = False
    return again


def validation_error(
    network: keras.Model, encoded: Floats, catalogue: Catalogue, validation: list[Rows]
) -> Callable[[], float]:
    """Measure of a tower as it stands: share of true next tracks of playlists that are not among the first 10 of 400.

    The nearest to the mean of the tracks before come first.
    """
    cases = next_track.sample_cases(catalogue, validation, None, most=_VALIDATION_CASES)
    needed = np.unique(np.concatenate([*validation, cases.negatives.ravel()]))

    def error() -> float:
        space = np.zeros((len(encoded), network.output_shape[0][-1]), dtype=np.float32)
        for start in range(0, len(needed), 8192):
            some = needed[start : start + 8192]
            space[some] = np.asarray(network(encoded[some], training=False)[0])
        before = zip(cases.playlist, cases.position, strict=True)
        vectors = np.stack([space[validation[p][:i]].mean(axis=0) for p, i in before])
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return 1 - float(metrics.hits(next_track.ranks(space, vectors, cases)).mean())

    return error


def train(recipe: ContentRecipe, run: Run) -> Card:
    """Train the tower, write it to the run's folder and return what its card says."""
    catalogue = run.catalogue
    found, by = split_sequences(recipe, run.playlists, catalogue), content_data(catalogue, recipe)
    met = ~held_out(catalogue)
    lists = [tracks[met[tracks]] for tracks in found["train"] if met[tracks].sum() >= 2]

    def build() -> tuple[Any, Task]:
        network = tower(recipe, len(by.names))
        return network, task(
            network, by, lists, recipe, validation_error(network, by.encoded, catalogue, found["validation"])
        )

    network, errors = fit_best(recipe, build, run.saved, run.workers)
    network.save(run.folder / "tower.keras")
    whole = shrunk_to_genres(network, recipe.genre_shrinkage)
    return {
        "method": "content",
        "feature_set": catalogue.feature_set,
        "inputs": recipe.inputs,
        "output": "a learned space",
        "tower": export_network(whole, run.folder / "tower.onnx", ("inputs",), ("vector",)),
        "parameters": asdict(ContentParams(recipe.sharpness)),
        "scaler": {"model": recipe.scaler, "version": read_card(recipe.scaler, "features")["version"]},
        "genres": by.names,
        "data": {
            "name": recipe.data,
            "source": recipe.source,
            "tracks": len(np.unique(np.concatenate([by.tracks, *lists]))),
            "tracks_with_genres": len(by.tracks),
            "playlists": {"train": len(lists), "validation": len(found["validation"])},
            "split": "tracks whose crc32 is divisible by 10, and other releases of them, are in no training",
        },
        "validation_error_by_seed": {str(seed): round(error, 5) for seed, error in errors.items()},
    }
