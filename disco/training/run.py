"""Train a model from a recipe and write its folder."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from disco.errors import DataError
from disco.sources.storage import write_atomic
from disco.training.blending import train_blend
from disco.training.data import Card, Run
from disco.training.export import load_networks
from disco.training.factors import train_als, train_collective
from disco.training.features import train_features
from disco.training.neighbours import train_item_knn, train_playlist_knn, train_popularity, train_title_knn
from disco.training.predictors import next_track_metrics, train_predictor, train_rank_predictor
from disco.training.recommenders import continuation_metrics
from disco.training.reranker import train_reranker
from disco.training.retrieval import train_two_tower
from disco.training.sets import train_set_transformer


def _keras(module: str) -> Callable[[Any, Run], Card]:
    """`train` of a module of `disco.training` that imports Keras, which takes seconds and may not be there."""

    def train(recipe: Any, run: Run) -> Card:
        load_networks()
        card: Card = import_module(f"disco.training.{module}").train(recipe, run)
        return card

    return train


# What the card calls a kind of recipe (the program that runs a model does not ask how it was trained); what writes
# the files and says what the card says of them; and what measures the folder that was written.
Trainer = tuple[str, Callable[[Any, Run], Card], Callable[[Any, Run], Card] | None]


TRAINERS: dict[str, Trainer] = {
    "features": ("features", train_features, None),
    "predictor": ("predictor", train_predictor, next_track_metrics),
    "rank-predictor": ("predictor", train_rank_predictor, next_track_metrics),
    "popularity": ("recommender", train_popularity, continuation_metrics),
    "playlist-knn": ("recommender", train_playlist_knn, continuation_metrics),
    "item-knn": ("recommender", train_item_knn, continuation_metrics),
    "als": ("recommender", train_als, continuation_metrics),
    "collective": ("recommender", train_collective, continuation_metrics),
    "set-transformer": ("recommender", train_set_transformer, continuation_metrics),
    "title-knn": ("recommender", train_title_knn, continuation_metrics),
    "two-tower": ("recommender", train_two_tower, continuation_metrics),
    "reranker": ("recommender", train_reranker, continuation_metrics),
    "blend": ("recommender", train_blend, continuation_metrics),
    "embedding-mlp": ("recommender", _keras("embedding_mlp"), continuation_metrics),
    "content": ("recommender", _keras("content"), continuation_metrics),
    "autoencoder": ("recommender", _keras("autoencoder"), None),
}


# What a model folder may hold: anything else in a folder is somebody's, and --force does not replace it.
_WRITTEN = ("card.json", "tracks.parquet", "titles.parquet", "*.onnx", "*.keras", "*.npy")


def write_card(card: Card, folder: Path) -> None:
    """Write what a model says of itself."""
    text = json.dumps(card, indent=2, ensure_ascii=False)
    write_atomic(folder / "card.json", text + "\n")


def _written(path: Path) -> bool:
    return any(path.match(pattern) for pattern in _WRITTEN)


@contextmanager
def new_folder(folder: Path, force: bool) -> Iterator[Path]:
    """A folder to write a model to, which becomes `folder` once it is whole; nothing is left of a failure.

    Raises
    ------
    DataError
        If `folder` exists and may not be replaced: without `force`, or if it holds more than a model.
    """
    if folder.exists() and not force:
        raise DataError(folder, "exists already; use --force to replace the model there")
    if folder.exists() and (not folder.is_dir() or any(not _written(path) for path in folder.iterdir())):
        raise DataError(folder, "is not a model's folder alone, so it is not replaced")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
        fresh, old = Path(beside, "new"), Path(beside, "old")
        fresh.mkdir()
        yield fresh
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
