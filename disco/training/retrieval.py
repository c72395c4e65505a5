"""Train two towers for the tracks of a playlist, write them, and say what their card says."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats
from disco.catalogue.numbering import album_numbers, artist_numbers
from disco.errors import DataError, MissingExtra
from disco.evaluation import continuation, metrics
from disco.models.card import read_card
from disco.models.recommenders.titles import TITLES, Titles, learn_terms
from disco.models.recommenders.two_tower import TwoTowerParams
from disco.models.scaler import check_feature_set, scaler
from disco.models.track_inputs import tower_inputs
from disco.training.data import Card, Run
from disco.training.export import export_network, load_networks
from disco.training.recipes import TwoTowerRecipe
from disco.training.recommenders import (
    Interactions,
    params_card,
    save_artifacts,
    split_playlists,
    training_interactions,
)
from disco.training.seeds import fit_best

# Validation queries per epoch: of so many playlists, with the first tracks of some and the title of others.
_VALIDATION_PLAYLISTS = 300
_SEEDS = 5
# Tracks whose vectors are worked out at a time.
_AT_A_TIME = 8192


def train_two_tower(recipe: TwoTowerRecipe, run: Run) -> Card:
    """Train the towers; write the tracks' vectors, the inputs of tracks and terms, and the playlist tower."""
    load_networks()
    if find_spec("keras_rs") is None:
        raise MissingExtra("keras-rs", "train")
    from disco.training import two_tower

    by, transform = training_interactions(run), scaler(recipe.scaler)
    check_feature_set(run.catalogue, transform)
    terms = learn_terms([title for title in by.titles if title.strip()], recipe.least_titles, recipe.most_terms)
    if not len(terms):
        raise DataError(run.playlists, f"has no word that {recipe.least_titles} titles to train on share")
    sound = np.nan_to_num(tower_inputs(run.catalogue, recipe.inputs, transform)[by.rows])
    about = two_tower.ItemFeatures(
        contiguous_ids(artist_numbers(run.catalogue), by), contiguous_ids(album_numbers(run.catalogue), by), sound
    )
    bags = terms.bags(by.titles)

    def build() -> tuple[Any, Any]:
        made = two_tower.towers(about, len(terms), recipe)
        error = _validation_error(made, about, by, terms, recipe, run)
        return made, two_tower.task(made, about, by.playlists, bags, recipe, error)

    made, errors = fit_best(recipe, build, run.saved, run.workers)
    input_vectors, vectors = _track_vectors(made, about)
    for name in ("encode", "track", "playlist"):
        getattr(made, name).save(run.folder / f"{name}.keras")
    terms.write(run.folder / TITLES)
    arrays: dict[str, NDArray[Any]] = {"heard": input_vectors, "vectors": vectors, "titles": made.titles.numpy()}
    return {
        **save_artifacts(recipe, run, by, arrays, [TITLES]),
        **params_card(recipe, TwoTowerParams),
        "inputs": recipe.inputs,
        "feature_set": transform.feature_set,
        "scaler": {"model": recipe.scaler, "version": read_card(recipe.scaler, "features")["version"]},
        "network": export_network(
            made.playlist, run.folder / "playlist.onnx", ("last", "counts", "title"), ("vector",)
        ),
        "validation_error_by_seed": {str(seed): round(error, 5) for seed, error in errors.items()},
    }


def contiguous_ids(numbers: NDArray[np.intp], by: Interactions) -> NDArray[np.int32]:
    """Numbers of the vocabulary's artists or albums from 0, those that one track alone has together with the unknown.

    Of what one track alone has nothing can be learned that its own vector does not say.
    """
    some = numbers[by.rows]
    often = np.bincount(some[some >= 0], minlength=1)
    kept = np.where((some >= 0) & (often[some] > 1), some, -1)
    return np.unique(kept, return_inverse=True)[1].astype(np.int32)


def _track_vectors(made: Any, about: Any) -> tuple[Floats, Floats]:
    """Input of each track, shape (tracks, width), and its vector, shape (tracks, size)."""
    input_vectors, vectors = [], []
    for start in range(0, len(about.sound), _AT_A_TIME):
        some = np.arange(start, min(start + _AT_A_TIME, len(about.sound)), dtype=np.int32)
        input_vectors.append(made.encode([some, about.artists[some], about.albums[some], about.sound[some]]))
        vectors.append(np.asarray(made.track(input_vectors[-1])))
    return np.concatenate([np.asarray(each) for each in input_vectors]), np.concatenate(vectors)


def _validation_error(
    made: Any, about: Any, by: Interactions, terms: Titles, recipe: TwoTowerRecipe, run: Run
) -> Callable[[], float]:
    """Share of the hidden tracks of validation playlists that are not found, the mean of first tracks and titles.

    Found means among as many tracks as are hidden; without validation playlists nothing can be chosen: 1.
    """
    numbers = np.full(len(run.catalogue), -1, dtype=np.intp)
    numbers[by.rows] = np.arange(len(by.rows))
    playlists, titles = split_playlists(run, "validation")
    some = [
        (known, title)
        for tracks, title in zip(playlists, titles, strict=True)
        if len(known := numbers[tracks][numbers[tracks] >= 0]) >= _SEEDS + continuation.MIN_HOLDOUTS
    ][:_VALIDATION_PLAYLISTS]

    def error() -> float:
        if not some:
            return 1.0
        input_vectors, vectors = _track_vectors(made, about)
        last = np.zeros((2 * len(some), recipe.last, recipe.width), dtype=np.float32)
        counts = np.zeros((2 * len(some), recipe.last), dtype=np.float32)
        for i, (known, _) in enumerate(some):
            given = known[:_SEEDS][-recipe.last :]
            last[i, : len(given)], counts[i, : len(given)] = input_vectors[given], 1 / len(given)
        title = terms.vectors([""] * len(some) + [title for _, title in some]) @ made.titles.numpy()
        queries = np.asarray(made.playlist([last, counts, title.astype(np.float32)])["vector"])
        misses = []
        for i, query in enumerate(queries):
            known, seeds = some[i % len(some)][0], _SEEDS if i < len(some) else 0
            scores = vectors @ query
            scores[known[:seeds]] = -np.inf
            truth = known[seeds:]
            found = np.argpartition(-scores, len(truth) - 1)[: len(truth)]
            misses.append(1 - metrics.r_precision(found, truth))
        return float(np.mean(misses))

    return error
