"""`disco VERB ...`: finds the door named VERB and calls its main."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from disco import __version__

COMMANDS = {
    "generate": ("disco.cli.generate", "make a playlist that flows on from a few seeds"),
    "order": ("disco.cli.order", "put a playlist that you have into its best order"),
    "lint": ("disco.cli.lint", "explain the order of a playlist that you have"),
    "recommend": ("disco.cli.recommend", "name the tracks that belong to a playlist or a title"),
    "models": ("disco.cli.models", "list the models that are here, show or remove one"),
    "catalogue": ("disco.cli.catalogue", "show what is in a table of tracks"),
    "spotify": ("disco.cli.spotify", "log in to Spotify, read your library, forget it all"),
    "prepare": ("disco.cli.prepare", "turn raw playlists into tables to train and to measure with"),
    "train": ("disco.cli.train", "fit a model from a recipe"),
    "evaluate": ("disco.cli.evaluate", "measure how good it is, on whose playlists"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Go through the door that the first argument names."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    verb = arguments[0] if arguments else "--help"
    if verb in ("-h", "--help"):
        print("usage: disco VERB ...\n")
        for name, (_, what) in COMMANDS.items():
            print(f"  {name:<12}{what}")
        print("\n`disco VERB --help` says more.")
        return 0 if arguments else 2
    if verb == "--version":
        print(f"disco {__version__}")
        return 0
    if verb not in COMMANDS:
        print(f"disco: there is no verb {verb!r}; there are {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    door: int = import_module(COMMANDS[verb][0]).main(arguments[1:])
    return door


def run() -> None:
    """Entry point of the console script."""
    sys.exit(main())
