"""Genre precision of embeddings: share of a track's ten nearest neighbours with its genre, on the 114k dataset.

python benchmarks/genres.py kaggle_spotify_tracks_114k.parquet [--model NAME ...]

One track per title with its first genre, as in the original notebook. `held out` are the tracks that no recipe trains
on; their neighbours come from all tracks. Genres are not an input.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
from table import head, row

from disco.catalogue import Catalogue, Floats
from disco.catalogue.numbering import genre_numbers
from disco.evaluation import metrics
from disco.models.card import find_model, read_card
from disco.models.recommenders import autoencoder, content
from disco.models.scaler import scaled_features, scaler
from disco.sources.files import playlist_tables, tables
from disco.training.data import first_of_each_title


def standardised_inputs(catalogue: Catalogue) -> Floats:
    """The autoencoder's 15 inputs, each standardised."""
    values = autoencoder.raw_inputs(catalogue)
    return autoencoder.standardise(catalogue, np.nanmean(values, axis=0).tolist(), np.nanstd(values, axis=0).tolist())


def without(catalogue: Catalogue, *columns: str) -> Catalogue:
    """The same tracks with nulls in these columns."""
    table = catalogue.table
    for name in columns:
        column = pa.nulls(len(table), table.schema.field(name).type)
        table = table.set_column(table.column_names.index(name), name, column)
    return Catalogue(table, catalogue.where)


def main() -> None:
    """Print the table."""
    p = argparse.ArgumentParser(description="Genre precision at 10.")
    p.add_argument("tracks", type=Path)
    p.add_argument("--model", action="append", default=[], metavar="NAME", help="content or autoencoder, by folder")
    p.add_argument("--all", action="store_true", help="measure all tracks too, which takes ten times as long")
    arguments = p.parse_args()
    whole = tables.read(arguments.tracks)
    catalogue = whole.take(first_of_each_title(whole))
    labels, cold = (
        genre_numbers(catalogue),
        np.flatnonzero(playlist_tables.is_cold(catalogue.ids(np.arange(len(catalogue))))),
    )
    without_both = without(catalogue, "popularity", "explicit")
    spaces = {
        "chance": np.random.default_rng(0).normal(size=(len(catalogue), 8)).astype(np.float32),
        "15 standardised inputs": standardised_inputs(catalogue),
        "eight scaled features": scaled_features(catalogue, scaler()),
    }
    for name in arguments.model or ["autoencoder", "content"]:
        card = read_card(find_model(name), "recommender")
        embed = autoencoder.autoencoder_codes if card["method"] == "autoencoder" else content.embed_tracks
        spaces[card.name] = embed(card, catalogue)
        spaces[f"{card.name}, popularity and explicit unknown"] = embed(card, without_both)
    head(f"Genre precision at 10, {len(catalogue):,} tracks", "space", "held out", *["all"][: arguments.all])
    for name, space in spaces.items():
        known = np.nan_to_num(space, nan=0.0)
        precision = metrics.label_precision(known, labels, cold)
        low, high = metrics.bootstrap_interval(precision, np.arange(len(precision)))
        cells = [f"{precision.mean():.3f} ({low:.3f}-{high:.3f})"]
        if arguments.all:
            cells.append(f"{metrics.label_precision(known, labels, np.arange(len(labels))).mean():.3f}")
        row(name, *cells)


if __name__ == "__main__":
    main()
