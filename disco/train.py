"""Door: fit a model from a recipe, `python -m disco.train RECIPE.toml --tracks FILE [--playlists FILE]`.

A recipe is a TOML file that says everything but where the data is; its `kind` says what is trained. The
result is a folder with a card. What is interrupted goes on after its last epoch when the same command is
given again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from disco import cli
from disco.errors import DataError
from disco.model import FORMAT
from disco.recipe import read_recipe
from disco.training.data import Card, Run
from disco.training.features import train_features
from disco.training.predictors import next_tracks, train_predictor, train_ranker

# What writes a kind's files and says what its card says of them; and what measures the folder that it wrote.
Trainer = tuple[Callable[[Any, Run], Card], Callable[[Any, Run], Card] | None]
TRAINERS: dict[str, Trainer] = {
    "features": (train_features, None),
    "predictor": (train_predictor, next_tracks),
    "ranker": (train_ranker, next_tracks),
}
# What the card of a recipe's kind calls it: the program that runs it does not ask how it was trained.
KINDS = {"features": "features", "predictor": "predictor", "ranker": "predictor"}

# What a model folder may hold: anything else in a folder is somebody's, and --force does not replace it.
_WRITTEN = {"card.json", "step.onnx", "tower.onnx", "network.keras", "tower.keras", "follower.keras"}


def write_card(card: Card, folder: Path) -> None:
    """Write what a model says of itself."""
    text = json.dumps(card, indent=2, ensure_ascii=False)
    (folder / "card.json").write_text(text + "\n", encoding="utf-8")


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
    if folder.exists() and (not folder.is_dir() or {path.name for path in folder.iterdir()} - _WRITTEN):
        raise DataError(folder, "is not a model's folder alone, so it is not replaced")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
        fresh, old = Path(beside, "new"), Path(beside, "old")
        fresh.mkdir()
        yield fresh
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)


@cli.door
def main(argv: Sequence[str] | None = None) -> int:
    """Fit what a recipe says and write the model folder."""
    parser = argparse.ArgumentParser("disco train", description="Fit a model from a recipe.")
    parser.add_argument("recipe", type=Path, metavar="RECIPE.toml")
    parser.add_argument("--tracks", type=Path, required=True, help="table of tracks with features")
    parser.add_argument("--playlists", type=Path, help="table playlist_id, position, track_id; for predictors")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="the recipe's name by default")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="instead of the recipe's, in TOML"
    )
    parser.add_argument("--force", action="store_true", help="replace a model that is there")
    said = parser.parse_args(argv)
    recipe = read_recipe(said.recipe, said.set)
    output = said.output or Path(recipe.name)
    # Another recipe or other data is another run.
    files = [repr(recipe).encode(), *(str(p.resolve()).encode() for p in (said.tracks, said.playlists) if p)]
    digest = hashlib.sha256(b"\0".join(files)).hexdigest()[:8]

    def saved(seed: int) -> Path:
        return output.parent / f".{output.name}-{digest}-{seed}.npz"

    train, measure = TRAINERS[recipe.kind]
    with new_folder(output, said.force) as folder:
        run = Run(said.tracks, said.playlists, folder, saved)
        made_by = " ".join([said.recipe.name, *(f"--set '{change}'" for change in said.set)])
        card: Card = {"format": FORMAT, "name": recipe.name, "version": recipe.version, "kind": KINDS[recipe.kind]}
        card |= train(recipe, run)
        card |= {"terms": recipe.terms, "date": date.today().isoformat(), "recipe": made_by}
        write_card(card, folder)
        if measure:
            write_card({**card, "metrics": card.get("metrics", {}) | measure(recipe, run)}, folder)
    for seed in getattr(recipe, "seeds", []):
        saved(seed).unlink(missing_ok=True)
    print(f"{output}: {recipe.name} {recipe.version} written", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
