"""`disco COMMAND ...`: finds the command and calls its main."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

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


# They multiply large matrices for minutes.
_ON_ALL_CORES = ("prepare", "train", "evaluate")


def _multiply_on_one_core() -> None:
    """Let NumPy, which is still to be loaded, use one thread.

    The matrices of a playlist are small: a second thread shortens nothing and spins while it waits, so that an answer
    of the page took 128 ms of two processors rather than 68 of one, and two processes took turns.
    """
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


class _NoPandas:
    """Finds every module but pandas, which is not there for it."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def _leave_out_pandas() -> None:
    """Tell PyArrow that there is no pandas, once and for this process.

    It would import pandas, where that is installed, at the first list that becomes an array: half a second, twice
    what all other imports of a command take, and no command needs it. Other packages can still import it.
    """
    import pyarrow as pa

    finder: Any = _NoPandas
    sys.meta_path.insert(0, finder)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(finder)


def run(command: str | None = None) -> None:
    """Entry point of the console script, and of the module of one command."""
    try:
        arguments = [*([] if command is None else [command]), *sys.argv[1:]]
        if arguments:
            if arguments[0] not in _ON_ALL_CORES:
                _multiply_on_one_core()
            _leave_out_pandas()
        code = main(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:  # before a command, or after it
        code = 130
    except OSError as error:  # of the list of commands, whose reader is gone or whose disk is full
        code = 0 if isinstance(error, BrokenPipeError) else 1
        if code:
            print(f"disco: standard output: {error.strerror}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
