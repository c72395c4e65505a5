"""What `generate`, `order` and `lint` do with playlists: write files, upload, and report."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from disco import export
from disco.cli import console, options
from disco.playlist.playlist import Playlist

log = logging.getLogger(__name__)


def check_files(arguments: argparse.Namespace) -> None:
    """Refuse files that could not be written, before the work is done."""
    for path in _paths(getattr(arguments, "output", None), getattr(arguments, "alternatives", 1)):
        export.check_output(path, arguments.force, tuple(export.OUTPUTS))
    if arguments.plot:
        export.check_output(arguments.plot, arguments.force, (".html",))


def write_files(arguments: argparse.Namespace, playlists: Sequence[Playlist]) -> None:
    """Write playlists and the page that draws the first one, and report where."""
    written = _paths(getattr(arguments, "output", None), len(playlists))
    for playlist, path in zip(playlists, written, strict=False):
        for note in export.save(playlist, path, options.style(arguments), arguments.force):
            log.info("%s", note)
    if arguments.plot:
        from disco.export import plot  # plotly takes longer to load than the playlist to make

        export.write_text(plot.page(playlists[0]), arguments.plot, arguments.force)
        written.append(arguments.plot)
    if written:
        log.info("written: %s", ", ".join(map(str, written)))


def upload(arguments: argparse.Namespace, playlists: Sequence[Playlist]) -> None:
    """Create the playlists on the service of `--upload-to`."""
    if arguments.upload_to:
        from disco.export.upload import upload as create  # loads the HTTP client

        for address in create(playlists, arguments.upload_to):
            console.say(f"made: {address}")


def log_notes(playlists: Sequence[Playlist], wanted: int = 1) -> None:
    """Log the notes of playlists, each once, and whether there are fewer playlists than wanted."""
    for note in dict.fromkeys(note for playlist in playlists for note in playlist.notes):
        log.info("%s", note)
    if len(playlists) < wanted:
        log.info("only %d of %d alternatives: no others that differ enough were found", len(playlists), wanted)


def print_json(records: Sequence[dict[str, Any]], wanted: int = 1) -> None:
    """Print one object, of several alternatives one that holds them all."""
    record = records[0] if wanted == 1 else {"alternatives": records}
    sys.stdout.write(json.dumps(record, ensure_ascii=False, indent=2) + "\n")


def _paths(output: Path | None, n: int) -> list[Path]:
    """Where n alternatives are written: the file itself, then FILE-2 and so on beside it."""
    if output is None:
        return []
    return [output, *(output.with_name(f"{output.stem}-{i}{output.suffix}") for i in range(2, n + 1))]
