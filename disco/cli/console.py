"""What the commands share: errors as exit codes, messages and questions on stderr."""

from __future__ import annotations

import contextlib
import errno
import functools
import logging
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np

from disco.catalogue import Catalogue, Match
from disco.catalogue.lookup import track_name
from disco.catalogue.text import printable
from disco.errors import DiscoError


class Main(Protocol):
    """A command's main: arguments (those of the process by default) to exit code."""

    def __call__(self, argv: Sequence[str] | None = None) -> int:
        """Do what the arguments say."""


def command(main: Callable[[Sequence[str] | None], int]) -> Main:
    """Turn errors into one line on stderr and an exit code: 1 could not be done, 2 wrong usage, 130 interrupted."""

    @functools.wraps(main)
    def guarded(argv: Sequence[str] | None = None) -> int:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # an old terminal shows ? rather than a traceback
        set_verbosity()
        code, message = 1, ""
        try:
            code = main(argv)
            sys.stdout.flush()  # here, where a full disk or a closed pipe can still be reported
        except DiscoError as error:
            message = str(error)
        except SystemExit as stop:  # argparse has printed what it does not understand
            code = stop.code if isinstance(stop.code, int) else 2
        except KeyboardInterrupt:
            code, message = 130, "interrupted"
        except BrokenPipeError:  # the reader (head, less) has read enough
            code = 0
            _discard_stdout()
        except OSError as error:
            message = f"{error.filename or 'standard output'}: {error.strerror or error}"
            if error.errno in (errno.ENOSPC, errno.EIO):
                _discard_stdout()
        except MemoryError:
            message = "there is not enough memory for this; try a smaller catalogue"
        finally:
            logging.getLogger("disco").removeHandler(_MESSAGES)
        if message:
            say(f"disco: {message}")
        return code

    return guarded


def _discard_stdout() -> None:
    """Let what is still to be written go nowhere, so that the end of the process does not fail on it."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def read_line() -> str:
    """What is answered on standard input, with the end of its line; empty where nothing can be, or it is closed."""
    try:
        return sys.stdin.readline() if sys.stdin is not None else ""
    except (OSError, ValueError):
        return ""


def say(text: str) -> None:
    """Print a line on stderr, without control characters that a track's text may hold."""
    print(printable(text), file=sys.stderr)


def say_all(notes: Iterable[str], quiet: bool) -> None:
    """Print notes on stderr, a line each, unless `quiet`."""
    for note in () if quiet else notes:
        say(note)


class _Messages(logging.Handler):
    """Prints what the library logs on stderr, a line each."""

    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())


_MESSAGES = _Messages()


def set_verbosity(quiet: bool = False, verbose: bool = False) -> None:
    """Print the library's warnings alone (`quiet`), its notes too (the default), or details as well (`verbose`)."""
    level = logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO
    logger = logging.getLogger("disco")
    logger.setLevel(min(level, logging.INFO))  # the page shows progress even where the terminal is to be quiet
    _MESSAGES.setLevel(level)
    if _MESSAGES not in logger.handlers:
        logger.addHandler(_MESSAGES)


def ask(catalogue: Catalogue, text: str, matches: Sequence[Match]) -> int:
    """Row of the match that the person at the terminal picks; see `lookup.Choose`."""
    print(f"Which one is {printable(text)!r}?", file=sys.stderr)
    rows = np.array([match.row for match in matches], dtype=np.intp)
    for number, track in enumerate(catalogue.tracks(rows), start=1):
        album = f" ({printable(track['album'])})" if track["album"] else ""
        print(f"  {number}  {track_name(track)}{album}", file=sys.stderr)
    while True:
        print(f"1-{len(matches)} [1]: ", end="", file=sys.stderr, flush=True)
        answer = read_line()
        if not answer:
            raise DiscoError(f"no answer to which track {text!r} is; leave out --interactive, or give an id")
        if not answer.strip():
            return matches[0].row
        if answer.strip().isdecimal() and 1 <= int(answer) <= len(matches):
            return matches[int(answer) - 1].row
