"""Train a model from a recipe and write its folder."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from disco.errors import DataError
from disco.models.card import FORMAT, user_models
from disco.sources.folders import folder_beside, recover, replace_folder
from disco.sources.storage import locked, write_atomic
from disco.training.blending import train_blend
from disco.training.data import Card, Run, Saved, Workers
from disco.training.export import load_networks
from disco.training.factors import train_als, train_collective
from disco.training.features import train_features
from disco.training.neighbours import train_item_knn, train_playlist_knn, train_popularity, train_title_knn
from disco.training.predictors import next_track_metrics, train_predictor, train_rank_predictor
from disco.training.recipes import Recipe, RecommenderRecipe, read_recipe
from disco.training.recommenders import continuation_metrics
from disco.training.reranker import train_reranker
from disco.training.retrieval import train_two_tower
from disco.training.sets import train_set_transformer

log = logging.getLogger(__name__)


def _keras(module: str) -> Callable[[Any, Run], Card]:
    """`train` of a module of `disco.training` that imports Keras, which takes seconds and may not be there."""

    def train(recipe: Any, run: Run) -> Card:
        load_networks()
        card: Card = import_module(f"disco.training.{module}").train(recipe, run)
        return card

    return train


# Of each kind of recipe: the `kind` of the model's card; the function that trains, writes files and returns fields of
# the card; and the function that measures the written model.
Trainer = tuple[str, Callable[[Any, Run], Card], Callable[[Any, Run], Card] | None]


TRAINERS: dict[str, Trainer] = {
    "features": ("features", train_features, None),
    "predictor": ("predictor", train_predictor, next_track_metrics),
    "rank-predictor": ("predictor", train_rank_predictor, next_track_metrics),
    "music": ("predictor", _keras("music"), next_track_metrics),
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


def train(
    recipe: str | Path,
    tracks: str | Path,
    playlists: str | Path | None = None,
    output: str | Path | None = None,
    force: bool = False,
    changes: Sequence[str] = (),
    names: str | Path | None = None,
    workers: Workers | None = None,
) -> Path:
    """Train a model as a recipe describes, and write its folder.

    An interrupted run is resumed after its last epoch when the same call is made again.

    Parameters
    ----------
    recipe : str or Path
        TOML file; those of the shipped models are in `cloud/`.
    tracks : str or Path
        Table of tracks with features.
    playlists : str or Path, optional
        Playlists as `disco prepare` writes them; needed by every recipe except those of kind `features`.
    output : str or Path, optional
        Folder to write; by default the recipe's name, which for recommenders is in the user's data folder.
    force : bool
        Replace a model that exists.
    changes : sequence of str
        `key = value` in TOML, replacing values of the recipe.
    names : str or Path, optional
        Table of titles and artists of tracks of the playlists that `tracks` does not have; only `music` reads it.
    workers : Workers, optional
        Processes that train the same networks together; the first of them, with rank 0, calls this, the others
        `take_part`.

    Returns
    -------
    Path
        The folder, with `card.json`.

    Raises
    ------
    DataError
        If the recipe or the data cannot be used, or `output` exists and `force` is false.
    MissingExtra
        If a package of the extra `train` is missing.

    Examples
    --------
    >>> from disco.sources import DEMO
    >>> train("cloud/features.toml", DEMO, output="scaler", changes=["only = {}"]).name
    'scaler'
    """
    settings = read_recipe(Path(recipe), changes)
    target = Path(output) if output else output_of(settings)
    paths, checkpoint = _files(settings, target, tracks, playlists, names)
    kind, fit, measure = TRAINERS[settings.kind]
    with new_folder(target, force) as folder:
        run = Run(*paths, folder, checkpoint, Path(names) if names else None, workers)
        made_by = " ".join([Path(recipe).name, *(f"--set '{change}'" for change in changes)])
        card: Card = {"format": FORMAT, "name": settings.name, "version": settings.version, "kind": kind}
        card |= fit(settings, run)
        card |= {"terms": settings.terms, "date": date.today().isoformat(), "recipe": made_by}
        write_card(card, folder)
        if measure:
            write_card({**card, "metrics": card.get("metrics", {}) | measure(settings, run)}, folder)
    for seed in getattr(settings, "seeds", []):
        checkpoint(seed).unlink(missing_ok=True)
    log.info("%s: %s %s written", target, settings.name, settings.version)
    return target


def take_part(
    recipe: str | Path,
    tracks: str | Path,
    playlists: str | Path | None,
    output: str | Path,
    changes: Sequence[str],
    names: str | Path | None,
    workers: Workers,
) -> None:
    """Train networks together with the process that calls `train` with the same arguments; nothing is kept here."""
    settings = read_recipe(Path(recipe), changes)
    paths, checkpoint = _files(settings, Path(output), tracks, playlists, names)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(*paths, Path(folder), checkpoint, Path(names) if names else None, workers)
        TRAINERS[settings.kind][1](settings, run)


def output_of(settings: Recipe) -> Path:
    """Where a model is written if the user names no folder."""
    # A recommender knows the user's own tracks, so it belongs to the user's data.
    return user_models() / settings.name if isinstance(settings, RecommenderRecipe) else Path(settings.name)


def _files(
    settings: Recipe,
    target: Path,
    tracks: str | Path,
    playlists: str | Path | None,
    names: str | Path | None,
) -> tuple[tuple[Path, Path | None], Saved]:
    """The tracks and playlists, and the checkpoint of each seed: another recipe or other data is another run."""
    paths = Path(tracks), Path(playlists) if playlists else None
    identity = [
        repr(settings).encode(),
        *(str(path.resolve()).encode() for path in (*paths, Path(names) if names else None) if path),
    ]
    digest = hashlib.sha256(b"\0".join(identity)).hexdigest()[:8]
    return paths, lambda seed: target.parent / f".{target.name}-{digest}-{seed}.npz"


# Files of a model. A folder with any other file is not replaced, even by --force.
_WRITTEN = ("card.json", "tracks.parquet", "titles.parquet", "*.onnx", "*.keras", "*.npy")


def write_card(card: Card, folder: Path) -> None:
    """Write `card.json`."""
    text = json.dumps(card, indent=2, ensure_ascii=False)
    write_atomic(folder / "card.json", text + "\n")


def _written(path: Path) -> bool:
    return any(path.match(pattern) for pattern in _WRITTEN)


@contextmanager
def new_folder(folder: Path, force: bool) -> Iterator[Path]:
    """A temporary folder that replaces `folder` when the block succeeds; a failure leaves nothing.

    Raises
    ------
    DataError
        If `folder` exists and may not be replaced: without `force`, or if it holds more than a model; or if another
        process trains a model there.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        recover(folder)
        if folder.exists() and not force:
            raise DataError(folder, "exists already; use --force to replace the model there")
        if folder.exists() and (not folder.is_dir() or any(not _written(path) for path in folder.iterdir())):
            raise DataError(folder, "holds other files than a model's, so it is not replaced")
        with folder_beside(folder) as fresh:
            yield fresh
            replace_folder(fresh, folder)
