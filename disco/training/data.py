"""Training data: the tracks and the split playlists of one training run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from disco.catalogue import Catalogue, Rows, merge
from disco.errors import DataError, DiscoError
from disco.models.card import read_card
from disco.sources.files import playlist_tables, tables
from disco.training.recipes import ContentRecipe, MusicRecipe, PredictorRecipe, RankPredictorRecipe

Card = dict[str, Any]
# From a seed to the checkpoint of its run.
Saved = Callable[[int], Path]


class Workers(Protocol):
    """Processes that fit one network together, each on other batches (data-parallel); this is one of them."""

    @property
    def rank(self) -> int:
        """Number of this process, from 0; the first alone writes files."""

    @property
    def size(self) -> int:
        """Number of processes."""

    def mean(self, values: list[Any]) -> list[Any]:
        """Means of tensors over all processes, the same in each; every process must ask for as many."""


@dataclass(frozen=True)
class Run:
    """One training run: the paths of its data and of the model.

    Attributes
    ----------
    tracks : Path
    playlists_at : Path or None
        Prepared playlists, or None.
    folder : Path
        Files of the model are written here, except the card.
    saved : callable
        From a seed to the checkpoint of its run.
    names_at : Path, optional
        Titles and artists of further tracks of the playlists, which have no features.
    workers : Workers, optional
        Processes that train the same networks together, this one among them.
    """

    tracks: Path
    playlists_at: Path | None
    folder: Path
    saved: Saved
    names_at: Path | None = None
    workers: Workers | None = None

    @cached_property
    def catalogue(self) -> Catalogue:
        """The tracks."""
        return tables.read(self.tracks)

    @cached_property
    def named_catalogue(self) -> Catalogue:
        """The tracks, and then those of which only title and artist are known."""
        if self.names_at is None:
            return self.catalogue
        return merge([self.catalogue, tables.read(self.names_at)])

    @cached_property
    def entries(self) -> pa.Table:
        """Entries of the playlists, with the column `split`.

        Raises
        ------
        DataError
            If they are not prepared.
        """
        return split_entries(self.playlists)

    @property
    def playlists(self) -> Path:
        """Path of the playlists.

        Raises
        ------
        DiscoError
            If there are none.
        """
        if self.playlists_at is None:
            raise DiscoError("this recipe is trained on playlists; name them with --playlists")
        return self.playlists_at


def read_columns(path: Path, columns: Sequence[str]) -> pa.Table:
    """Read columns of a Parquet or CSV file, without rows that have a null; a missing one is a DataError."""
    try:
        table = (pa.csv.read_csv if path.suffix.lower() == ".csv" else pa.parquet.read_table)(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(path, f"is not a readable table ({str(error).splitlines()[0]})") from None
    if missing := [name for name in columns if name not in table.column_names]:
        raise DataError(path, f"has no column {', '.join(missing)}; it has {', '.join(table.column_names)}")
    return table.select(list(columns)).drop_null()


def split_entries(where: Path) -> pa.Table:
    """Entries of prepared playlists, with the column `split`; a DataError if they have none."""
    entries = playlist_tables.read(where)
    if "split" not in entries.column_names:
        raise DataError(where, "has no column 'split'; make it with: disco prepare")
    return entries


def split_sequences(
    recipe: PredictorRecipe | RankPredictorRecipe | MusicRecipe | ContentRecipe, where: Path, catalogue: Catalogue
) -> dict[str, list[Rows]]:
    """Sequences of rows of the playlists in each split; cold tracks are in the test split only.

    Raises
    ------
    DataError
        If they are not prepared, or the training or validation split is empty.
    """
    entries = split_entries(where)
    cold = playlist_tables.cold_entries(entries)
    found = {}
    for name in ("train", "validation", "test"):
        kept = pc.equal(entries["split"].cast(pa.string()), name)
        if name != "test":
            kept = pc.and_not(kept, cold)
        found[name] = playlist_tables.sequences(entries.filter(kept), catalogue, recipe.minimum_length)
        if name != "test" and not found[name]:
            raise DataError(where, f"has no playlist of {recipe.minimum_length} covered tracks in the split {name!r}")
    return found


def data_card(
    recipe: PredictorRecipe | RankPredictorRecipe | MusicRecipe,
    found: dict[str, list[Rows]],
    errors: dict[int, float],
) -> Card:
    """Fields of a card on the training data of a network, and its validation errors."""
    return {
        "scaler": {"model": recipe.scaler, "version": read_card(recipe.scaler, "features")["version"]},
        "data": {
            "name": recipe.data,
            "source": recipe.source,
            "tracks": len(np.unique(np.concatenate(found["train"]))),
            "playlists": {name: len(part) for name, part in found.items()},
            "entries": {name: sum(map(len, part)) for name, part in found.items()},
            "split": "by playlist, as prepared; tracks whose crc32 is divisible by 10 occur in the test alone",
            "seed": min(errors, key=lambda seed: errors[seed]),
        },
        "validation_error_by_seed": {str(seed): round(error, 5) for seed, error in errors.items()},
    }


def first_of_each_title(catalogue: Catalogue) -> Rows:
    """Row of the first track of each title; tracks without a title count as one title."""
    titles = catalogue.table["title"].combine_chunks().dictionary_encode().indices
    codes = np.asarray(pc.fill_null(titles, -1).to_numpy(zero_copy_only=False))
    return np.sort(np.unique(codes, return_index=True)[1]).astype(np.intp)
