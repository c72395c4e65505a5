"""`disco COMMAND ...`: finds the command and calls its main."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from disco import __version__

COMMANDS = {
    "generate": ("disco.cli.generate", "make a playlist that flows on from a few seeds"),
    "order": ("disco.cli.order", "put a playlist that you have into its best order"),
    "lint": ("disco.cli.lint", "grade the transitions of a playlist that you have"),
    "next": ("disco.cli.next", "list what goes well after a track, with reasons"),
    "app": ("disco.cli.app", "open the page: turn the knobs, and see the playlist change"),
    "mcp": ("disco.cli.mcp", "let assistants make and order playlists (Model Context Protocol)"),
    "learn": ("disco.cli.learn", "learn your own style, and what you played when, from histories"),
    "recommend": ("disco.cli.recommend", "name the tracks that belong to a playlist or a title"),
    "models": ("disco.cli.models", "list the models, show or remove one"),
    "catalogue": ("disco.cli.catalogue", "show what is in a table of tracks"),
    "spotify": ("disco.cli.spotify", "log in to Spotify, read your library, remove it all"),
    "prepare": ("disco.cli.prepare", "turn raw playlists into tables to train and to evaluate with"),
    "train": ("disco.cli.train", "fit a model from a recipe"),
    "evaluate": ("disco.cli.evaluate", "measure predictors, recommenders and orders on playlists"),
}

_BEGIN = "To begin with: disco generate --example"


def main(argv: Sequence[str] | None = None) -> int:
    """Call the command that the first argument names."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments[0] if arguments else ""
    if name in ("", "-h", "--help"):
        lines = [f"  {command:<12}{what}" for command, (_, what) in COMMANDS.items()]
        text = "\n".join(["usage: disco COMMAND ...", "", *lines, "", _BEGIN, "Help: disco COMMAND --help"])
        print(text, file=sys.stdout if name else sys.stderr)
        return 0 if name else 2
    if name == "--version":
        print(f"disco {__version__}")
        return 0
    if name not in COMMANDS:
        print(f"disco: there is no command {name!r}; there are {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    try:
        code: int = import_module(COMMANDS[name][0]).main(arguments[1:])
    except KeyboardInterrupt:  # while modules are loaded
        print("disco: interrupted", file=sys.stderr)
        return 130
    return code


def run() -> None:
    """Entry point of the console script."""
    # Arrow loads pandas, where it is installed, to ask whether a list is one of its columns: half a second.
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
    try:
        code = main()
        sys.stdout.flush()
    except KeyboardInterrupt:  # before a command, or after it
        code = 130
    except OSError as error:  # of the list of commands, whose reader is gone or whose disk is full
        code = 0 if isinstance(error, BrokenPipeError) else 1
        if code:
            print(f"disco: standard output: {error.strerror}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
