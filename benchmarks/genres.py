"""Genre hits: of a track's ten nearest by cosine, how many have its genre, on the 114k Spotify Tracks Dataset.

python benchmarks/genres.py kaggle_spotify_tracks_114k.parquet [--model NAME ...]

One track a title and its first genre, as the original notebook counts. `held out` asks about the tracks that no
recipe trains on; their neighbours come from all tracks. No genre is known when asking.
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


def fifteen(catalogue: Catalogue) -> Floats:
    """The 15 numbers, each standardised."""
    values = autoencoder.raw_inputs(catalogue)
    return autoencoder.standardise(catalogue, np.nanmean(values, axis=0).tolist(), np.nanstd(values, axis=0).tolist())


def without(catalogue: Catalogue, *columns: str) -> Catalogue:
    """The same tracks, nothing known of these columns."""
    table = catalogue.table
    for name in columns:
        column = pa.nulls(len(table), table.schema.field(name).type)
        table = table.set_column(table.column_names.index(name), name, column)
    return Catalogue(table, catalogue.where)


def main() -> None:
    """Print the table."""
    p = argparse.ArgumentParser(description="Genre hits at 10.")
    p.add_argument("tracks", type=Path)
    p.add_argument("--model", action="append", default=[], metavar="NAME", help="content or autoencoder, by folder")
    p.add_argument("--all", action="store_true", help="ask about all tracks too, which takes ten times as long")
    said = p.parse_args()
    whole = tables.read(said.tracks)
    catalogue = whole.take(first_of_each_title(whole))
    labels, cold = (
        genre_numbers(catalogue),
        np.flatnonzero(playlist_tables.is_cold(catalogue.ids(np.arange(len(catalogue))))),
    )
    bare = without(catalogue, "popularity", "explicit")
    spaces = {
        "chance": np.random.default_rng(0).normal(size=(len(catalogue), 8)).astype(np.float32),
        "15 numbers": fifteen(catalogue),
        "eight scaled features": scaled_features(catalogue, scaler()),
    }
    for name in said.model or ["autoencoder", "content"]:
        card = read_card(find_model(name), "recommender")
        place = autoencoder.autoencoder_codes if card["method"] == "autoencoder" else content.embed_tracks
        spaces[card.name] = place(card, catalogue)
        spaces[f"{card.name}, popularity and explicit unknown"] = place(card, bare)
    head(f"Genre hits at 10, {len(catalogue):,} tracks", "space", "held out", *(["all"] if said.all else []))
    for name, space in spaces.items():
        known = np.nan_to_num(space, nan=0.0)
        held = metrics.label_precision(known, labels, cold)
        low, high = metrics.bootstrap_interval(held, np.arange(len(held)))
        cells = [f"{held.mean():.3f} ({low:.3f}-{high:.3f})"]
        if said.all:
            cells.append(f"{metrics.label_precision(known, labels, np.arange(len(labels))).mean():.3f}")
        row(name, *cells)


if __name__ == "__main__":
    main()
