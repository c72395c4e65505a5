"""Train the set transformer: sets drawn from playlists, tracks of which are hidden, and a start by factors."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats, Rows
from disco.errors import DataError, DiscoError, MissingExtra
from disco.evaluation import continuation, metrics
from disco.models.card import read_card
from disco.models.recommenders import Query
from disco.models.recommenders.scoring import VectorRecommender
from disco.models.recommenders.set_transformer import Encoder, song_inputs
from disco.models.recommenders.sparse import Sparse
from disco.models.recommenders.titles import TITLES, Titles, learn_terms
from disco.models.scaler import scaler
from disco.training.data import Card, Run
from disco.training.export import export_network, load_networks
from disco.training.recipes import SetTransformerRecipe
from disco.training.recommenders import Interactions, save_artifacts, split_playlists, training_interactions
from disco.training.seeds import fit_best

Batch = tuple[Any, ...]

log = logging.getLogger(__name__)

Numbers = NDArray[np.int32]
# Validation playlists of each protocol per epoch: more would cost more than they gain in precision.
_VALIDATION_PLAYLISTS = 400
# Blocks of others that a batch draws, each as many as the recipe's negatives: a wanted track is compared with one of
# them, so that a product with 2,000 tracks serves all of a batch.
_BLOCKS = 40


@dataclass(frozen=True)
class SetData:
    """The training playlists as the network sees them.

    Attributes
    ----------
    by : Interactions
        Of the vocabulary alone.
    rows : ndarray of rows, shape (numbers,)
        Every training track: first the vocabulary in its order, then those known by their features alone.
    playlists : list of ndarray of int
        Their tracks by number there.
    titles : Titles
    term_counts : Sparse, shape (playlists, terms)
    """

    by: Interactions
    rows: Rows
    playlists: list[Numbers]
    titles: Titles
    term_counts: Sparse


def set_data(recipe: SetTransformerRecipe, run: Run) -> SetData:
    """Vocabulary, titles and playlists of a run.

    Raises
    ------
    DataError
        If no track is in as many playlists as the recipe asks for.
    """
    every = training_interactions(run)
    often = every.counts >= recipe.least_playlists
    if not often.any():
        raise DataError(run.playlists, f"has no track in {recipe.least_playlists} playlists to train on")
    order = np.argsort(~often, kind="stable")
    number = np.empty(len(order), dtype=np.int32)
    number[order] = np.arange(len(order))
    columns, size = number[every.playlists.columns], int(often.sum())
    row = np.repeat(np.arange(len(every.playlists)), every.playlists.lengths)
    inside = columns < size
    starts = np.r_[0, np.cumsum(np.bincount(row[inside], minlength=len(every.playlists)))]
    ones = np.ones(int(inside.sum()), dtype=np.float32)
    by = Interactions(every.rows[order[:size]], Sparse(starts, columns[inside], ones, size), every.titles)
    titles = learn_terms([title for title in every.titles if title], recipe.least_titles, recipe.most_terms)
    playlists = np.split(columns, every.playlists.starts[1:-1])
    return SetData(by, every.rows[order], playlists, titles, titles.bags(every.titles))


def first_vectors(by: Interactions, size: int, seed: int) -> tuple[Floats, Floats]:
    """Vectors (tracks, size) and gains (tracks,) to start from: factors of the matrix of playlists and tracks.

    Entries weigh (length of the playlist x playlists with the track)^-1/4: of the powers tried, the one whose factors
    alone continue the validation playlists best. With V the right singular vectors and S the singular values, a track
    of c playlists has the vector V S^1/2 c^1/4 and the input V S^1/2 c^-1/4, both scaled: components of inputs
    are 1 in the mean square, and a track scores 2, twice the margin, above others for the mean of its own playlist.
    """
    svds = _scipy("linalg").svds
    playlists, counts = by.playlists, np.maximum(by.counts, 1).astype(np.float64)
    lengths = np.repeat(playlists.lengths, playlists.lengths)
    weights = ((lengths * counts[playlists.columns]) ** -0.25).astype(np.float32)
    matrix = _matrix(replace(playlists, weights=weights))
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(playlists.width, size)) * 1e-3
    if (n := min(size, min(matrix.shape) - 1)) > 0:
        _, values, right = svds(matrix, n, random_state=seed)
        vectors[:, :n] = right.T * np.sqrt(values)
    input_vectors = vectors * counts[:, None] ** -0.25
    input_vectors /= np.sqrt((input_vectors**2).mean())
    vectors *= counts[:, None] ** 0.25
    ahead = []
    for i in rng.permutation(np.flatnonzero(playlists.lengths > 1))[:1000]:
        tracks = playlists.columns[playlists.starts[i] : playlists.starts[i + 1]]
        mean, others = input_vectors[tracks].mean(axis=0), rng.integers(0, playlists.width, 50)
        ahead.append((vectors[tracks] @ mean).mean() - (vectors[others] @ mean).mean())
    vectors *= 2 / max(float(np.mean(ahead)) if ahead else 1.0, 1e-6)
    gains = np.sqrt((input_vectors**2).sum(axis=1) / np.maximum((vectors**2).sum(axis=1), 1e-12))
    return vectors.astype(np.float32), gains.astype(np.float32)


def first_terms(data: SetData, input_vectors: Floats) -> Floats:
    """What each term of a title says by itself, shape (terms, size), to start from: ridge regression.

    Ridge regression from the titles of the training playlists to the mean input of their tracks.

    Parameters
    ----------
    input_vectors : ndarray, shape (tracks, size)
    """
    if not data.term_counts.width:
        return np.zeros((1, input_vectors.shape[1]), dtype=np.float32)
    playlists = data.by.playlists
    means = (_matrix(playlists) @ input_vectors) / np.maximum(playlists.lengths, 1)[:, None]
    has_title = (data.term_counts.lengths > 0) & (playlists.lengths > 0)
    term_counts = _matrix(data.term_counts)[has_title]
    # Titles have length 1: a term that is alone in one title counts by half.
    left, right = (
        (term_counts.T @ term_counts + _scipy("").eye_array(term_counts.shape[1])).tocsr(),
        term_counts.T @ means[has_title],
    )
    columns = [
        _scipy("linalg").cg(left, right[:, i], rtol=1e-3, maxiter=50)[0] for i in range(input_vectors.shape[1])
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _scipy(part: str) -> ModuleType:
    try:
        return import_module(f"scipy.sparse.{part}".rstrip("."))
    except ImportError:
        raise MissingExtra("scipy", "train") from None


def _matrix(rows: Sparse) -> Any:
    """The same for SciPy."""
    return _scipy("").csr_array((rows.weights, rows.columns, rows.starts), shape=(len(rows), rows.width))


def batches(data: SetData, recipe: SetTransformerRecipe) -> Callable[[np.random.Generator], Iterator[Batch]]:
    """From a generator to the batches of an epoch, as `training.set_transformer.task` has them."""
    size = data.by.playlists.width
    odds = np.cumsum(data.by.counts.astype(np.float64) ** recipe.popular)
    lengths = np.array([len(tracks) for tracks in data.playlists])
    # Of a playlist of one track none can be hidden and another shown.
    usable = np.flatnonzero(lengths > 1)
    titled = data.term_counts.lengths > 0

    def drawn(rng: np.random.Generator) -> Iterator[Batch]:
        order = rng.permutation(usable)
        for start in range(0, len(order), recipe.batch_size):
            some = order[start : start + recipe.batch_size]
            sets = [_split(data.playlists[i], bool(titled[i]), recipe, rng) for i in some]
            term_counts = _dense(data.term_counts, some)
            has_title = np.array([not len(shown) or rng.random() >= recipe.untitled for shown, _ in sets])
            pool = np.searchsorted(odds, rng.random((_BLOCKS, recipe.negatives)) * odds[-1])
            wanted, weights = _wanted(sets, size, recipe)
            allowed = np.ones((len(some), size), dtype=bool)
            for row, i in enumerate(some):
                allowed[row, data.playlists[i][data.playlists[i] < size]] = False
            block = rng.integers(0, _BLOCKS, wanted.shape).astype(np.int32)
            others = allowed[:, pool].astype(np.float32)
            yield (
                _padded([s for s, _ in sets], -1),
                term_counts * has_title[:, None],
                wanted,
                weights,
                pool,
                others,
                block,
            )

    return drawn


def _split(
    tracks: Numbers, titled: bool, recipe: SetTransformerRecipe, rng: np.random.Generator
) -> tuple[Numbers, Numbers]:
    """Tracks that are shown, and those that are hidden: a title alone, the first few, or all but 10-50 %."""
    kind = rng.random()
    if kind < recipe.alone and titled:
        return tracks[:0], rng.permutation(tracks)[: recipe.window]
    if kind < recipe.alone + recipe.few:
        # As they are given by those who ask: from the beginning, half of the time.
        tracks = tracks if rng.random() < 0.5 else rng.permutation(tracks)
        n = int(rng.integers(1, min(10, len(tracks) - 1) + 1))
        return tracks[:n], rng.permutation(tracks[n:])[: recipe.window]
    tracks = rng.permutation(tracks)[: 2 * recipe.window]
    n = min(max(1, round(len(tracks) * rng.uniform(0.1, 0.5))), len(tracks) - 1)
    return tracks[n:][: recipe.window], tracks[:n]


def _wanted(
    sets: list[tuple[Numbers, Numbers]], size: int, recipe: SetTransformerRecipe
) -> tuple[Numbers, NDArray[np.float32]]:
    """Tracks that should score high, and what each counts: the hidden of a set 1 in all, the shown less."""
    found, counted = [], []
    for shown, hidden in sets:
        shown, hidden = shown[shown < size], hidden[hidden < size]
        found.append(np.concatenate([hidden, shown]))
        shares = np.full(len(hidden), 1 / max(len(hidden), 1)), np.full(len(shown), 1 / max(len(shown), 1))
        counted.append(np.concatenate([shares[0], recipe.reconstruction * shares[1]]).astype(np.float32))
    return _padded(found, 0), _padded(counted, 0)


def _padded(parts: list[Any], filling: int) -> Any:
    made = np.full((len(parts), max(1, max(map(len, parts)))), filling, dtype=parts[0].dtype)
    for row, part in zip(made, parts, strict=True):
        row[: len(part)] = part
    return made


def _dense(matrix: Sparse, rows: NDArray[np.integer]) -> Floats:
    dense = np.zeros((len(rows), max(matrix.width, 1)), dtype=np.float32)
    cells, counts = matrix.entries(rows)
    dense[np.repeat(np.arange(len(rows)), counts), matrix.columns[cells]] = matrix.weights[cells]
    return dense


def validation_queries(run: Run) -> dict[str, tuple[list[Query], list[Rows]]]:
    """What validation playlists ask, and what is to be found: by title, by one track, by five, by five and title.

    Raises
    ------
    DataError
        If no validation playlist is fit for any of these.
    """
    tracks, titles = split_playlists(run, "validation")
    found = {}
    for protocol in ("title", "first-1", "first-5"):
        try:
            cases = continuation.sample_cases(tracks, titles, protocol, _VALIDATION_PLAYLISTS)[0]
        except DiscoError:  # none is long enough, or titled
            continue
        found[protocol] = cases.queries, cases.relevant
        if protocol == "first-5":
            found["first-5 and title"] = continuation.with_titles(cases, titles).queries, cases.relevant
    if not found:
        raise DataError(run.playlists, "has no playlist of 11 tracks in the split 'validation' to choose by")
    return found


def train_set_transformer(recipe: SetTransformerRecipe, run: Run) -> Card:
    """Train a set transformer, write it to the run's folder and return what its card says."""
    load_networks()
    from disco.training import set_transformer

    data, transform = set_data(recipe, run), scaler(recipe.scaler)
    input_vectors = song_inputs(run.catalogue, recipe.inputs, transform)
    numbers = np.full(len(run.catalogue), -1, dtype=np.int32)
    numbers[data.by.rows] = np.arange(len(data.by.rows))
    questions = validation_queries(run)
    vectors, gains = first_vectors(data.by, recipe.size, recipe.seeds[0])
    terms = first_terms(data, vectors * gains[:, None])
    # Vectors grow with the fourth root of the frequency.
    scales = data.by.counts**0.25
    scales *= np.sqrt(((vectors / scales[:, None]) ** 2).mean())

    def recommender(model: Any, table: Any) -> VectorRecommender:
        def run_network(**inputs: Floats) -> dict[str, Floats]:
            return {"vector": np.asarray(model([inputs[node.name] for node in model.inputs])["vector"])}

        now = table.vectors
        encode = Encoder(run_network, now, np.asarray(table.gains), numbers, input_vectors, data.titles)
        return VectorRecommender(recipe.name, now, encode, table.bias.numpy(), data.by.rows)

    at_start: list[float] = []

    def build() -> tuple[Any, Any]:
        model = set_transformer.network(recipe, input_vectors.shape[1], terms)
        table = set_transformer.Table(vectors, gains, scales)

        def error() -> float:
            asks, means = recommender(model, table), []
            for queries, truth in questions.values():
                answers = asks.recommend_many(queries, metrics.DEPTH)
                pairs = zip(answers, truth, strict=True)
                means.append(float(np.mean([metrics.ndcg(found.rows, true) for found, true in pairs])))
            each = ", ".join(f"{name} {mean:.4f}" for name, mean in zip(questions, means, strict=True))
            log.info("%s  NDCG by %s", recipe.name, each)
            return 1 - float(np.mean(means))

        at_start.append(error())
        n_batches = -(-len(data.playlists) // recipe.batch_size)
        drawn = batches(data, recipe)
        task = set_transformer.task(model, table, input_vectors[data.rows], recipe, drawn, n_batches, error)
        return (model, table), task

    (model, table), errors = fit_best(recipe, build, run.saved, run.workers)
    model.save(run.folder / "network.keras")
    arrays = {"tracks": table.vectors, "bias": table.bias.numpy(), "gains": np.asarray(table.gains)}
    says = save_artifacts(recipe, run, data.by, arrays)
    data.titles.write(run.folder / TITLES)
    says["files"][TITLES] = hashlib.sha256((run.folder / TITLES).read_bytes()).hexdigest()
    inputs = [node.name for node in model.inputs]
    return {
        **says,
        "feature_set": transform.feature_set,
        "scaler": {"model": recipe.scaler, "version": read_card(recipe.scaler, "features")["version"]},
        "inputs": recipe.inputs,
        "network": export_network(model, run.folder / "network.onnx", inputs, ["vector"]),
        "validation_error_by_seed": {str(seed): round(error, 5) for seed, error in errors.items()},
        "validation_error_at_start": round(at_start[0], 5),
        "validation_error": "1 less the mean NDCG at 500 of title, first 1, first 5, and first 5 with title",
    }
