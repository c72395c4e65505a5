"""Door: put a playlist that someone has into its best order. `disco order --help`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from disco import export
from disco.cli import console, options
from disco.cli.options import add_list, open_list
from disco.playlist.alternatives import alternatives
from disco.playlist.cost import Knobs
from disco.playlist.matching import match_tracklist
from disco.playlist.reorder import Reordered, distinct_tracks, reorder
from disco.playlist.sequence import Budget, Constraints


def parser() -> argparse.ArgumentParser:
    """The options of this door."""
    p = argparse.ArgumentParser(
        prog="disco order",
        description="Put a playlist that you have into its best order; nothing is added, nothing left out.",
        epilog="example: disco order mine.m3u8 --catalogue tracks.parquet --arc peak --output better.m3u8",
    )
    add_list(p)

    g = p.add_argument_group("how it flows")
    options.add_judging(g)

    g = p.add_argument_group("what is asked for")
    options.option(g, "--start-track", old=["--first"], metavar="TRACK", help="the track to begin with")
    options.add_wishes(g)

    g = p.add_argument_group("how long to look")
    options.add_iterations(g, "depends on the number of tracks")
    g.add_argument("--seconds", type=float, metavar="S", help="or: stop after so long, with the best so far")

    g = p.add_argument_group("what comes out")
    g.add_argument("--title", default="", metavar="TEXT", help="name of the playlist")
    options.add_written(g)
    options.add_to(g)
    g.add_argument("--plot", type=Path, metavar="FILE.html", help="draw its flow, on a page that needs no network")
    g.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    g.add_argument("--quiet", action="store_true", help="print no notes")
    g.add_argument("--force", action="store_true", help="overwrite files that exist")
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Order a playlist, print it, say what is better now, and write what was asked for."""
    arguments = parser().parse_args(argv)
    console.set_verbosity(arguments.quiet)
    for place in console.outputs(arguments.output, arguments.alternatives):
        export.check_output(place, arguments.force, tuple(export.FORMATS))
    if arguments.plot:
        export.check_output(arguments.plot, arguments.force, (".html",))
    budget, keep = Budget(arguments.iterations, arguments.seconds), options.places(arguments.keep_positions)
    judged = options.mixing(arguments)
    listed, catalogue = open_list(arguments)
    playlist = match_tracklist(listed, catalogue)
    if arguments.title:
        playlist = replace(playlist, name=arguments.title)
    tracks, _ = distinct_tracks(playlist)

    def row(text: str) -> int:
        return int(tracks.find(text)[0])

    def make(wishes: Constraints) -> Reordered:
        return reorder(
            playlist,
            knobs=Knobs(flow=arguments.flow, sweetness=arguments.sweetness, smoothness=arguments.smoothness),
            predictor=arguments.predictor,
            mixing=judged,
            constraints=wishes,
            artist_gap=arguments.artist_gap,
            keep_positions=keep or (),
            budget=budget,
        )

    wanted = arguments.alternatives
    made = alternatives(make, options.wishes(arguments, row), wanted)
    console.say_notes(made, wanted, arguments.quiet)
    if arguments.json:
        said = [ordered.to_dict() for ordered in made]
        print(json.dumps(said[0] if wanted == 1 else {"alternatives": said}, ensure_ascii=False, indent=2))
    for ordered in [] if arguments.json else made:
        console.show(ordered)
        print(_better(ordered))
    written = console.outputs(arguments.output, len(made))
    for ordered, where in zip(made, written, strict=False):
        console.say_all(export.save(ordered, where, options.style(arguments), arguments.force), arguments.quiet)
    if arguments.plot:
        from disco.export import plot  # plotly takes longer to load than the playlist to order

        export.write_text(plot.page(made[0]), arguments.plot, arguments.force)
        written.append(arguments.plot)
    if written and not arguments.quiet:
        console.say(f"written: {', '.join(map(str, written))}")
    if arguments.upload_to:
        from disco.export.upload import upload

        for address in upload(made, arguments.upload_to):
            console.say(f"made: {address}")
    return 0


def _better(ordered: Reordered) -> str:
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
