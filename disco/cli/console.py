"""What the doors share: errors as exit codes, catalogues, seeds from free text, a playlist as a table."""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from disco.catalogue import Catalogue, Match
from disco.catalogue.lookup import track_name
from disco.catalogue.text import printable
from disco.errors import DiscoError
from disco.playlist.playlist import Playlist, key_name
from disco.playlist.transition_grades import Grades, grade_name

if TYPE_CHECKING:
    from rich.table import Table


T = TypeVar("T")

# K of keys up to two steps apart; further apart most listeners hear a clash.
_SWEET, _SOUR = 0.6, 0.0
_COLOURS = {"good": "green", "fair": "yellow", "clash": "red", "unknown": "dim"}


class Main(Protocol):
    """A door's main: arguments (those of the process by default) to exit code."""

    def __call__(self, argv: Sequence[str] | None = None) -> int:
        """Do what the arguments say."""


def command(main: Callable[[Sequence[str] | None], int]) -> Main:
    """Make a door's errors one line on stderr and an exit code: 1 could not be done, 2 wrong usage."""

    @functools.wraps(main)
    def guarded(argv: Sequence[str] | None = None) -> int:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # an old terminal shows ? rather than a traceback
        set_verbosity()
        try:
            return main(argv)
        except DiscoError as error:
            say(f"disco: {error}")
            return 1
        except SystemExit as stop:  # argparse has said what it does not understand
            return stop.code if isinstance(stop.code, int) else 2
        except KeyboardInterrupt:
            say("disco: interrupted")
            return 130
        except BrokenPipeError:  # the reader (head, less) has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except OSError as error:
            say(f"disco: {error.filename or 'a file'}: {error.strerror or error}")
            return 1
        except MemoryError:
            say("disco: there is not enough memory for this; try a smaller catalogue")
            return 1
        finally:
            logging.getLogger("disco").removeHandler(_MESSAGES)

    return guarded


def say(text: str) -> None:
    """Print a line on stderr, whatever a stranger's text in it may hold."""
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
    logger.setLevel(level)
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
        answer = sys.stdin.readline()
        if not answer:
            raise DiscoError(f"no answer to which track {text!r} is; leave out --interactive, or give an id")
        if not answer.strip():
            return matches[0].row
        if answer.strip().isdecimal() and 1 <= int(answer) <= len(matches):
            return matches[int(answer) - 1].row


def say_notes(playlists: Sequence[Playlist], wanted: int, quiet: bool) -> None:
    """Say what the makers of some playlists have to tell, each once, and if there are fewer than were wanted."""
    if quiet:
        return
    for note in dict.fromkeys(note for playlist in playlists for note in playlist.notes):
        say(note)
    if len(playlists) < wanted:
        say(f"only {len(playlists)} of {wanted} alternatives: no others that differ enough were found")


def outputs(output: Path | None, n: int) -> list[Path]:
    """Where n alternatives are written: the file itself, then FILE-2 and so on beside it."""
    if output is None:
        return []
    return [output, *(output.with_name(f"{output.stem}-{i}{output.suffix}") for i in range(2, n + 1))]


def show(playlist: Playlist, grades: Grades | None = None) -> None:
    """Print a playlist as a table on stdout, with the grades of its joins if there are any."""
    from rich.console import Console

    console = Console(soft_wrap=False)
    if not console.is_terminal:
        console.width = 120
    console.print(table(playlist, grades))


def table(playlist: Playlist, grades: Grades | None = None) -> Table:
    """A playlist as a table: each track, and how it follows the one before it; grades of joins colour it."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    facts = f"{len(playlist)} tracks, {_clock(playlist.tracks.numbers('duration_ms').tolist())}"
    grid = Table(
        box=box.SIMPLE_HEAD,
        title=Text(printable(playlist.name), style="bold"),
        caption=escape(printable(f"{facts} · {playlist.predictor} · {playlist.catalogue['where']}")),
        title_justify="left",
        caption_justify="left",
        pad_edge=False,
    )
    grid.add_column("", no_wrap=True, justify="right")
    for head in ("Title", "Artist"):  # where the terminal is narrow these give way, the numbers never
        grid.add_column(head, overflow="ellipsis")
    for head in ("Key", "BPM", "Key move", "Tempo", "Distance", "Cost", *(["Join"] if grades else [])):
        grid.add_column(head, no_wrap=True, justify="right")
    before = ""
    for i, (track, said) in enumerate(
        zip(playlist.tracks.table.to_pylist(), playlist.as_dict()["tracks"], strict=True)
    ):
        key = key_name(track) or "?"
        bpm = f"{track['tempo_bpm']:.0f}" if track["tempo_bpm"] else "?"
        row = [
            str(i + 1),
            _cell(track["title"] or track["track_id"]),
            _cell(", ".join(track["artists"] or [])),
            key,
            bpm,
        ]
        if said["join"] is not None:
            join, change = said["join"], float(playlist.terms["tempo_change"][i - 1])
            move, tempo = f"{before} → {key}", "?" if np.isnan(change) else f"{change:+.1f} %"
            distance, cost = "?" if join["distance"] is None else f"{join['distance']:.2f}", f"{join['cost']:.2f}"
            if grades is None:
                row += [_coloured(move, join["key_similarity"]), _coloured(tempo, join["tempo_similarity"])]
                row += [distance, cost]
            else:
                parts = (int(part[i - 1]) for part in (grades.key, grades.tempo, grades.sound, grades.whole))
                key_grade, tempo_grade, sound_grade, whole = parts
                row += [_graded(move, key_grade), _graded(tempo, tempo_grade), _graded(distance, sound_grade)]
                row += [cost, _graded(grade_name(whole), whole)]
        grid.add_row(*row, style="bold" if said["seed"] else None, end_section=i + 1 == playlist.seeds)
        before = key
    return grid


def _cell(text: str) -> Any:
    from rich.text import Text

    return Text(printable(text), overflow="ellipsis", no_wrap=True)


def _coloured(text: str, similarity: float | None) -> str:
    if similarity is None:
        return f"[dim]{text}[/]"
    return f"[{'green' if similarity >= _SWEET else 'yellow' if similarity >= _SOUR else 'red'}]{text}[/]"


def _graded(text: str, grade: int) -> str:
    return f"[{_COLOURS[grade_name(grade)]}]{text}[/]"


def _clock(durations_ms: Sequence[float]) -> str:
    known = [d for d in durations_ms if not np.isnan(d)]
    minutes = round(sum(known) / 60_000)
    return f"{'' if len(known) == len(durations_ms) else 'at least '}{minutes} min"
