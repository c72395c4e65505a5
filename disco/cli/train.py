"""Door: fit a model from a recipe, `disco train RECIPE.toml --tracks FILE [--playlists FILE]`.

A recipe is a TOML file that says everything but where the data is; its `kind` says what is trained. The
result is a folder with a card. What is interrupted goes on after its last epoch when the same command is
given again.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from disco.cli import console
from disco.models.card import FORMAT, user_models
from disco.training.data import Card, Run
from disco.training.recipes import RecommenderRecipe, read_recipe
from disco.training.run import TRAINERS, new_folder, write_card


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    p = argparse.ArgumentParser("disco train", description="Fit a model from a recipe.")
    p.add_argument("recipe", type=Path, metavar="RECIPE.toml", help="what to train, as in cloud/")
    p.add_argument("--tracks", type=Path, required=True, help="table of tracks with features")
    p.add_argument("--playlists", type=Path, help="prepared playlists; for all but features")
    p.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="by default the recipe's name, a recommender's in your data folder",
    )
    p.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="instead of the recipe's, in TOML")
    p.add_argument("--force", action="store_true", help="replace a model that is there")
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Fit what a recipe says and write the model folder."""
    said = parser().parse_args(argv)
    recipe = read_recipe(said.recipe, said.set)
    # Those with a vocabulary of tracks are the user's own.
    usual = user_models() / recipe.name if isinstance(recipe, RecommenderRecipe) else Path(recipe.name)
    output = said.output or usual
    # Another recipe or other data is another run.
    files = [repr(recipe).encode(), *(str(p.resolve()).encode() for p in (said.tracks, said.playlists) if p)]
    digest = hashlib.sha256(b"\0".join(files)).hexdigest()[:8]

    def saved(seed: int) -> Path:
        return output.parent / f".{output.name}-{digest}-{seed}.npz"

    kind, train, measure = TRAINERS[recipe.kind]
    with new_folder(output, said.force) as folder:
        run = Run(said.tracks, said.playlists, folder, saved)
        made_by = " ".join([said.recipe.name, *(f"--set '{change}'" for change in said.set)])
        card: Card = {"format": FORMAT, "name": recipe.name, "version": recipe.version, "kind": kind}
        card |= train(recipe, run)
        card |= {"terms": recipe.terms, "date": date.today().isoformat(), "recipe": made_by}
        write_card(card, folder)
        if measure:
            write_card({**card, "metrics": card.get("metrics", {}) | measure(recipe, run)}, folder)
    for seed in getattr(recipe, "seeds", []):
        saved(seed).unlink(missing_ok=True)
    print(f"{output}: {recipe.name} {recipe.version} written", file=sys.stderr)
    return 0
