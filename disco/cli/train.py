"""The command `disco train RECIPE.toml --tracks FILE [--playlists FILE]`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from disco.cli import console
from disco.models.card import Card, load_card
from disco.training.run import train

_EPILOG = """\
A recipe is a TOML file with every setting of a model except the paths of its data; its `kind` says what is trained.
The result is a folder with a card. An interrupted run is resumed after its last epoch by the same command.
"""


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    p = argparse.ArgumentParser("disco train", description="Train a model from a recipe.", epilog=_EPILOG)
    p.add_argument("recipe", type=Path, metavar="RECIPE.toml", help="settings of the model, as in cloud/")
    p.add_argument("--tracks", type=Path, required=True, metavar="FILE", help="table of tracks with features")
    p.add_argument("--playlists", type=Path, metavar="FILE", help="prepared playlists; for all kinds but features")
    p.add_argument(
        "--names",
        type=Path,
        metavar="FILE",
        help="table track_id, title, artist of tracks that --tracks does not have (music)",
    )
    p.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="by default the recipe's name; for a recommender, in your data folder",
    )
    p.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="replaces a value of the recipe, in TOML"
    )
    p.add_argument("--force", action="store_true", help="replace a model that exists")
    p.add_argument("-q", "--quiet", action="store_true", help="print errors and warnings alone on stderr")
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Train a model from a recipe and print its validation metrics."""
    arguments = parser().parse_args(argv)
    console.set_verbosity(arguments.quiet)
    folder = train(**settings(arguments))
    for line in metrics(load_card(folder)):
        print(line)
    return 0


def settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """What is trained, and where it is written, as the arguments of `disco.training.run.train`."""
    named = {name: getattr(arguments, name) for name in ("recipe", "tracks", "playlists", "output", "force", "names")}
    return {**named, "changes": arguments.set}


def metrics(card: Card) -> Iterator[str]:
    """Rows of a table in Markdown: model, protocol or split, and its measures."""
    measured = card.fields.get("metrics", {})
    for protocol, values in measured.get("continuation", {}).get("validation", {}).items():
        numbers = " | ".join(f"{values[name]:.4f}" for name in ("r_precision", "ndcg", "clicks"))
        yield f"| {card.name} | {protocol} | {values['playlists']} | {numbers} |"
    for split, values in measured.get("next_track", {}).items():
        yield f"| {card.name} | {split} | {values['hit@10']:.3f} | {values['mrr']:.3f} |"
