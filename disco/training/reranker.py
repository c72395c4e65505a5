"""Train the second stage on playlists that the recommenders before it have not seen.

A part of the training playlists is held back; the recommenders are trained on the others, by the settings on their
cards, into a folder that is thrown away; their candidates for the held playlists, with as many seeds as people give,
are what the trees learn from. At run time the trees rank what the recommenders trained on all of them find.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue import Floats, Rows
from disco.errors import DataError
from disco.models.card import FORMAT
from disco.models.card import Card as Read
from disco.models.recommenders import Query
from disco.models.recommenders.ranker import AT_A_TIME, feature_names, ranker_data, trained_parts
from disco.models.recommenders.ranker_features import Pool, candidate_pools
from disco.models.recommenders.ranker_inputs import RankerData
from disco.training.data import Card, Run
from disco.training.factors import train_als
from disco.training.neighbours import train_item_knn, train_playlist_knn, train_title_knn
from disco.training.recipes import RerankerRecipe, checked_recipe
from disco.training.recommenders import save_artifacts, split_playlists, training_interactions
from disco.training.retrieval import train_two_tower
from disco.training.trees import fit_trees, write_trees

log = logging.getLogger(__name__)
# What trains a part anew, by its method.
TRAINERS: dict[str, Callable[[Any, Run], Card]] = {
    "playlist-knn": train_playlist_knn,
    "item-knn": train_item_knn,
    "als": train_als,
    "title-knn": train_title_knn,
    "two-tower": train_two_tower,
}
# Seeds that every held playlist is asked with, where it is long enough; of the others each gets one.
_ALWAYS, _SOMETIMES = (0, 1, 5), (2, 3, 10, 25, 50, 100)
# Share of the queries with seeds that have the title too; and of those with ten seeds or more that are drawn from all
# of the playlist, as in the RecSys Challenge 2018.
_TITLED, _DRAWN = 0.4, 0.3
# Fewest tracks that a query hides: one or two true candidates teach little.
_HIDDEN = 5
# Share of the held playlists that say how many trees are best.
_APART = 0.15


@dataclass(frozen=True)
class Examples:
    """Candidates of queries, and which are true.

    Attributes
    ----------
    features : ndarray, shape (n, features)
    true : ndarray of bool, shape (n,)
    sizes : ndarray of int, shape (queries,)
        How many candidates each query has, one query after another.
    recall : float
        Mean share of a query's hidden tracks that are candidates at all.
    """

    features: Floats
    true: NDArray[np.bool_]
    sizes: NDArray[np.intp]
    recall: float


def train_reranker(recipe: RerankerRecipe, run: Run) -> Card:
    """Fit the trees and write them; the card names the recommenders that they rank, as they are now.

    Raises
    ------
    DiscoError, DataError
        If one of these is missing, or was trained on other playlists; if too few playlists are left to learn from.
    """
    cards = trained_parts(recipe.parts)
    by = training_interactions(run)
    library = ranker_data(run.catalogue, cards)
    if not np.array_equal(library.parts.rows, by.rows):
        name = cards["playlist-knn"].name
        raise DataError(run.playlists, f"has other training playlists than {name}; train all on the same")
    with tempfile.TemporaryDirectory(prefix=".parts.", dir=run.folder.parent) as beside:
        held, seen = _without(run, recipe, Path(beside)), {}
        for method, card in cards.items():
            log.info("%s: training %s on the playlists that are not held out", recipe.name, card.name)
            seen[method] = _trained_again(card, held, Path(beside, method))
        before = ranker_data(run.catalogue, seen)
        playlists, titles = split_playlists(held, "held")
        log.info("%s: finding candidates for %s playlists", recipe.name, f"{len(playlists):,}")
        cut = round(len(playlists) * (1 - _APART))
        parts = [examples(before, playlists[part], titles[part], recipe) for part in (slice(cut), slice(cut, None))]
    if any(not part.true.any() for part in parts):
        raise DataError(run.playlists, f"has too few playlists to train {recipe.name} on: {len(playlists)} are held")
    shown, apart = ((part.features, part.true, part.sizes) for part in parts)
    log.info(
        "%s: fitting trees on %s candidates for %s queries", recipe.name, f"{len(shown[1]):,}", f"{len(shown[2]):,}"
    )
    booster = fit_trees(shown, apart, recipe)
    features = feature_names(library)
    write_trees(booster, len(features), run.folder / "trees.onnx")
    gains = booster.feature_importance("gain", iteration=booster.best_iteration)
    return {
        **save_artifacts(recipe, run, by, {}),
        # A recipe of the kind `ranker` is a predictor's.
        "method": "ranker",
        "parts": {m: {"name": str(_asked(recipe, c)), "files": c["files"]} for m, c in cards.items()},
        "features": features,
        "network": {
            "file": "trees.onnx",
            "inputs": {"features": len(features)},
            "outputs": {"score": 1},
            "sha256": hashlib.sha256((run.folder / "trees.onnx").read_bytes()).hexdigest(),
        },
        "trees": int(booster.best_iteration),
        "held": {
            "playlists": len(playlists),
            "queries": sum(len(part.sizes) for part in parts),
            "recall": round(parts[0].recall, 4),
            "how": "training playlists; for their candidates the parts were trained on the other training playlists",
        },
        "gains": {features[i]: round(float(gains[i] / gains.sum()), 4) for i in np.argsort(-gains, kind="stable")},
    }


def _asked(recipe: RerankerRecipe, card: Read) -> str | Path:
    """The name by which a part is found again: its own, or its folder if it was named by that."""
    return card.folder.resolve() if str(card.folder.name) not in recipe.parts else card.folder.name


def _without(run: Run, recipe: RerankerRecipe, beside: Path) -> Run:
    """The same run with a share of its training playlists in a split of their own, `held`."""
    entries = run.entries
    training = pc.equal(entries["split"].cast(pa.string()), "train")
    ids = np.sort(pc.unique(entries["playlist_id"].filter(training).cast(pa.string())).to_numpy(zero_copy_only=False))
    drawn = np.random.default_rng(recipe.seed).permutation(len(ids))[: round(len(ids) * recipe.held_out)]
    held = pc.is_in(entries["playlist_id"].cast(pa.string()), value_set=pa.array(ids[np.sort(drawn)]))
    split = pc.if_else(pc.and_(training, held), "held", entries["split"].cast(pa.string()))
    at = entries.column_names.index("split")
    made = Run(run.tracks, run.playlists_at, beside, lambda seed: beside / f"saved-{seed}.npz")
    # What is read once, and not again from the file, which says nothing of what is held.
    vars(made).update({"entries": entries.set_column(at, "split", split), "catalogue": run.catalogue})
    return made


def _trained_again(card: Read, run: Run, folder: Path) -> Read:
    """A recommender by the settings of another, trained on the training playlists of a run."""
    folder.mkdir()
    again = Run(run.tracks, run.playlists_at, folder, lambda seed: folder / f"saved-{seed}.npz")
    vars(again).update({"entries": run.entries, "catalogue": run.catalogue})
    recipe = checked_recipe(card["settings"], card.path)
    says = TRAINERS[card["method"]](recipe, again)
    return Read(folder, {"format": FORMAT, "kind": "recommender", "name": card.name, **says})


def queries(playlists: Sequence[Rows], titles: Sequence[str], seed: int) -> Iterator[tuple[Query, Rows]]:
    """What each playlist is asked with, and the tracks that this hides."""
    for number, (tracks, title) in enumerate(zip(playlists, titles, strict=True)):
        rng = np.random.default_rng([seed, number])
        for given in (*_ALWAYS, int(rng.choice(_SOMETIMES))):
            titled = bool(title.strip()) and (given == 0 or rng.random() < _TITLED)
            if (not given and not titled) or len(tracks) < given + _HIDDEN:
                continue
            is_seed = np.arange(len(tracks)) < given
            if given >= 10 and rng.random() < _DRAWN:
                is_seed = rng.permutation(is_seed)
            yield Query(tracks[is_seed], title if titled else ""), tracks[~is_seed]


def _pooled(library: RankerData, asked: Iterator[tuple[Query, Rows]]) -> Iterator[tuple[Pool, Rows]]:
    """The candidates for each query, and the tracks that it hides."""
    while some := list(islice(asked, AT_A_TIME)):
        yield from zip(
            candidate_pools([query for query, _ in some], library), [hidden for _, hidden in some], strict=True
        )


def examples(
    library: RankerData, playlists: Sequence[Rows], titles: Sequence[str], recipe: RerankerRecipe
) -> Examples:
    """Candidates for what each playlist is asked with: all true ones, and a share of the others."""
    rng = np.random.default_rng(recipe.seed)
    features, true, recall = (
        [np.empty((0, len(feature_names(library))), dtype=np.float32)],
        [np.empty(0, bool)],
        [0.0],
    )
    for found, hidden in _pooled(library, queries(playlists, titles, recipe.seed)):
        right = np.isin(found.rows, hidden)
        recall.append(float(right.sum() / len(hidden)))
        if right.any():
            # In random order: in the order of the parts, the trees would learn how often each rank was shown.
            kept = right | (rng.random(len(right)) < recipe.negatives)
            features.append(found.values[kept])
            true.append(right[kept])
    sizes = np.array([len(each) for each in true[1:]], dtype=np.intp)
    return Examples(np.concatenate(features), np.concatenate(true), sizes, float(np.mean(recall[1:] or [0.0])))
