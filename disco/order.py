"""Door: put a playlist that someone has into its best order. `python -m disco.order --help`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from disco import cli, export, options
from disco.ordering import Ordered, given, put_in_order
from disco.playlist import alternatives
from disco.predict import PREDICTORS
from disco.sequence import Budget, Wishes
from disco.sequence.order import Progress
from disco.sources import lists
from disco.transition import Knobs


def parser() -> argparse.ArgumentParser:
    """The options of this door."""
    p = argparse.ArgumentParser(
        prog="disco order",
        description="Put a playlist that you have into its best order; nothing is added, nothing left out.",
        epilog="example: disco order mine.m3u8 --catalogue tracks.parquet --arc peak --output better.m3u8",
    )
    p.add_argument(
        "file",
        metavar="FILE",
        help="M3U8, JSON, JSPF, CSV, a library of rekordbox, Traktor or Mixxx, or tracks, one a line; - is stdin",
    )
    p.add_argument("--playlist", metavar="NAME", help="which one, where the file has several")
    cli.add_catalogue(p)

    g = p.add_argument_group("how it flows")
    options.add_knobs(g, spicyness=False)
    g.add_argument(
        "--predictor",
        default="mean",
        metavar="NAME",
        help=f"in whose space distance is measured: {', '.join(PREDICTORS)} (mean: the features themselves)",
    )
    options.add_mixing(g)

    g = p.add_argument_group("what is asked for")
    g.add_argument("--first", metavar="TRACK", help="the track to begin with")
    options.add_wishes(g)

    g = p.add_argument_group("how long to look")
    g.add_argument("--moves", type=int, metavar="N", help="disturbances to try (by the number of tracks)")
    g.add_argument("--seconds", type=float, metavar="S", help="or: stop after so long, with the best so far")

    g = p.add_argument_group("what comes out")
    g.add_argument("--title", default="", metavar="TEXT", help="name of the playlist")
    options.add_written(g)
    g.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    g.add_argument("--quiet", action="store_true", help="print no notes")
    g.add_argument("--force", action="store_true", help="overwrite files that exist")
    return p


@cli.door
def main(argv: Sequence[str] | None = None) -> int:
    """Order a playlist, print it, say what is better now, and write what was asked for."""
    arguments = parser().parse_args(argv)
    for place in cli.outputs(arguments.output, arguments.alternatives):
        export.check(place, arguments.force, tuple(export.FORMATS))
    budget, keep = Budget(arguments.moves, arguments.seconds), options.places(arguments.keep)
    judged = options.mixing(arguments)
    listed = _read(arguments.file, arguments.playlist)
    own = listed.tracks if not arguments.catalogue else None
    catalogue = own or cli.open_catalogue(arguments.catalogue, arguments.quiet)
    if own is not None:
        cli.say_all(own.notes, arguments.quiet)
    had = given(listed, catalogue)
    if arguments.title:
        had = replace(had, title=arguments.title)

    def row(text: str) -> int:
        return int(cli.find_seeds(had.tracks, [text], quiet=arguments.quiet)[0])

    def make(wishes: Wishes) -> Ordered:
        return put_in_order(
            had,
            knobs=Knobs(flow=arguments.flow, sweetness=arguments.sweetness, smoothness=arguments.smoothness),
            predictor=arguments.predictor,
            mixing=judged,
            wishes=wishes,
            artist_gap=arguments.artist_gap,
            keep=None if keep is None else np.array(keep),
            budget=budget,
            progress=None if arguments.quiet else _progress(),
        )

    wanted = arguments.alternatives
    made = alternatives(make, options.wishes(arguments, row), wanted, lambda ordered: ordered.playlist)
    cli.say_notes([ordered.playlist for ordered in made], wanted, arguments.quiet)
    if arguments.json:
        said = [_as_dict(ordered) for ordered in made]
        print(json.dumps(said[0] if wanted == 1 else {"alternatives": said}, ensure_ascii=False, indent=2))
    for ordered in [] if arguments.json else made:
        cli.show(ordered.playlist)
        print(_better(ordered))
    written = cli.outputs(arguments.output, len(made))
    for ordered, where in zip(made, written, strict=False):
        cli.say_all(export.save(ordered.playlist, where, options.style(arguments), arguments.force), arguments.quiet)
    if written and not arguments.quiet:
        cli.say(f"written: {', '.join(map(str, written))}")
    return 0


def _read(file: str, playlist: str | None) -> lists.Listed:
    """The playlist of a file, or on standard input."""
    if file != "-":
        return lists.read(Path(file), playlist)
    text = sys.stdin.buffer.read().decode("utf-8-sig", errors="replace")
    return lists.parse(text, Path("standard input"), playlist)


def _progress() -> Progress:
    said = time.monotonic()

    def progress(cost: float, moves: int) -> None:
        nonlocal said
        if time.monotonic() - said > 2:
            said = time.monotonic()
            cli.say(f"best so far costs {cost:,.1f} in all, after {moves:,} moves")

    return progress


def _as_dict(ordered: Ordered) -> dict[str, Any]:
    """The playlist as one JSON object, with the figures of before and after; what is unknown is null."""
    figures = {}
    for name, held in (("before", ordered.before), ("after", ordered.after)):
        numbers = {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(held).items()}
        figures[name] = {key: None if value != value else value for key, value in numbers.items()}
    return {**ordered.playlist.as_dict(), **figures}


def _better(ordered: Ordered) -> str:
    """Before and after, as lines of a small table."""
    lines = [f"{'':<24}{'before':>16}{'after':>16}"]
    pair = (ordered.before, ordered.after)
    rows = {
        "mean cost": [f"{held.mean_cost:.2f}" for held in pair],
        "keys that go together": [f"{held.compatible} of {held.keys}" for held in pair],
        "change of tempo": ["?" if np.isnan(held.tempo_change) else f"{held.tempo_change:.1f} %" for held in pair],
        "worst join": [f"{held.worst_cost:.2f}" for held in pair],
        "  to track": [str(held.worst + 1) if held.worst else "-" for held in pair],
    }
    lines += [f"{what:<24}{before:>16}{after:>16}" for what, (before, after) in rows.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
