"""Shared by the trainers of recommenders: training playlists, files of the folder, and validation metrics."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from disco.catalogue import Rows
from disco.errors import DataError, DiscoError
from disco.evaluation import continuation, metrics
from disco.models.recommenders import load_recommender
from disco.models.recommenders.artifacts import VOCABULARY
from disco.models.recommenders.sparse import Sparse
from disco.sources.files import playlist_tables
from disco.training.data import Card, Run
from disco.training.recipes import ContentRecipe, RecommenderRecipe

log = logging.getLogger(__name__)
# Protocols of the validation metrics on a card; the title only if it is read.
_PROTOCOLS = ("first-5", "first-1", "title")


@dataclass(frozen=True)
class Interactions:
    """Training playlists as a matrix of playlists and tracks.

    Attributes
    ----------
    rows : ndarray of rows, shape (tracks,)
        The vocabulary: ascending rows of the tracks that occur in training playlists.
    playlists : Sparse, shape (playlists, tracks)
        1 where a playlist has a track; entries of a row are in playlist order.
    titles : list of str
        Of each playlist; empty where unknown.
    """

    rows: Rows
    playlists: Sparse
    titles: list[str]

    @property
    def counts(self) -> NDArray[np.int32]:
        """Number of playlists with each track, shape (tracks,)."""
        return np.bincount(self.playlists.columns, minlength=len(self.rows)).astype(np.int32)


def split_playlists(run: Run, split: str) -> tuple[list[Rows], list[str]]:
    """Rows and title of each playlist of a split; a title is empty where unknown."""
    entries = run.entries.filter(pc.equal(run.entries["split"].cast(pa.string()), split))
    return playlist_tables.titled(entries, run.catalogue) if len(entries) else ([], [])


def training_interactions(run: Run) -> Interactions:
    """The training playlists of a run.

    Raises
    ------
    DataError
        If no training playlist has a track of the catalogue.
    """
    tracks, titles = split_playlists(run, "train")
    if not tracks:
        raise DataError(run.playlists, f"has no playlist to train on with a track that {run.tracks} has")
    rows, numbers = np.unique(np.concatenate(tracks), return_inverse=True)
    starts = np.r_[0, np.cumsum([len(each) for each in tracks])]
    ones = np.ones(len(numbers), dtype=np.float32)
    return Interactions(rows, Sparse(starts, numbers.astype(np.int32), ones, len(rows)), titles)


def save_artifacts(
    recipe: RecommenderRecipe, run: Run, by: Interactions, arrays: dict[str, NDArray[Any]], others: Sequence[str] = ()
) -> Card:
    """Write vocabulary and arrays to the run's folder; return the fields of every recommender's card.

    Parameters
    ----------
    arrays : dict of ndarray
        By file name; integers are stored as int32, others as float32.
    others : sequence of str
        Other files that were written to the folder.
    """
    ids = run.catalogue.table["track_id"].take(pa.array(by.rows)).combine_chunks()
    pq.write_table(pa.table({"track_id": ids}), run.folder / VOCABULARY)
    for name, array in arrays.items():
        kept = np.int32 if array.dtype.kind in "iu" else np.float32
        np.save(run.folder / f"{name}.npy", array.astype(kept), allow_pickle=False)
    files = [VOCABULARY, *(f"{name}.npy" for name in arrays), *others]
    validation, _ = split_playlists(run, "validation")
    parts = {"train": np.diff(by.playlists.starts), "validation": np.array([len(tracks) for tracks in validation])}
    return {
        "method": recipe.kind,
        "settings": asdict(recipe),
        "files": {name: hashlib.sha256((run.folder / name).read_bytes()).hexdigest() for name in files},
        "catalogue": {"where": str(run.tracks), "tracks": len(run.catalogue)},
        "data": {
            "name": recipe.data,
            "source": recipe.source,
            "tracks": len(by.rows),
            "playlists": {name: len(lengths) for name, lengths in parts.items()},
            "entries": {name: int(lengths.sum()) for name, lengths in parts.items()},
            "split": "by playlist, as prepared; all tracks of the training playlists that the catalogue has",
        },
    }


def sparse_arrays(name: str, matrix: Sparse, weighted: bool = True) -> dict[str, NDArray[Any]]:
    """Arrays of a sparse matrix, as `Artifacts.sparse` reads them."""
    arrays: dict[str, NDArray[Any]] = {f"{name}_starts": matrix.starts, f"{name}_columns": matrix.columns}
    if weighted:
        arrays[f"{name}_weights"] = matrix.weights
    return arrays


def params_card(recipe: RecommenderRecipe, kind: type[Any]) -> Card:
    """The field `parameters` of a card: values of a recipe, as `Artifacts.parameters` reads them."""
    return {"parameters": {name: getattr(recipe, name) for name in kind.__dataclass_fields__}}


def continuation_metrics(recipe: RecommenderRecipe | ContentRecipe, run: Run) -> Card:
    """R-precision, NDCG, clicks and coverage of the trained recommender on the validation playlists, by protocol."""
    recommender, measured = load_recommender(run.folder, run.catalogue), Card()
    tracks, titles = split_playlists(run, "validation")
    for protocol in _PROTOCOLS:
        if protocol == "title" and not recommender.reads_titles:
            continue
        try:
            cases = continuation.sample_cases(tracks, titles, protocol)[0]
        except DiscoError:  # no playlist is long enough, or titled
            continue
        began = time.perf_counter()
        answers = [found.rows for found in recommender.recommend_many(cases.queries, metrics.DEPTH)]
        each = (time.perf_counter() - began) * 1000 / len(answers)
        of = {"r_precision": metrics.r_precision, "ndcg": metrics.ndcg, "clicks": metrics.clicks}
        pairs = list(zip(answers, cases.relevant, strict=True))
        means = {name: round(float(np.mean([f(a, t) for a, t in pairs])), 4) for name, f in of.items()}
        measured[protocol] = {"playlists": len(answers), **means, "coverage": metrics.coverage(answers)}
        log.info("%s: %s answered in %.1f ms a playlist", recipe.name, protocol, each)
    return {"continuation": {"validation": measured}}
