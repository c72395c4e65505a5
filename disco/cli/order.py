"""`disco order`: put a playlist that exists into its best order."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from disco import export
from disco.cli import console, options, output
from disco.playlist.from_file import reorder, reorder_alternatives
from disco.playlist.reorder import Reordered
from disco.playlist.sequence.wishes import ALBUMS, ARTISTS, GENRES


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    p = argparse.ArgumentParser(
        prog="disco order",
        usage="disco order FILE [options]",
        description="Put a playlist that you have into its best order; no track is added, and none is left out "
        "unless you allow it.",
        epilog="example: disco order mine.m3u8 --catalogue tracks.parquet --arc peak --output better.m3u8",
    )
    options.add_playlist(p)
    g = p.add_argument_group("what most people need")
    options.add_catalogue(g)
    options.add(g, reorder, "start_track", "end_track", "keep_positions", "arc")
    options.add_output(g)
    options.add_plot(g)
    options.add_upload(g)

    g = p.add_argument_group("how it flows")
    options.add_judging(g, reorder)
    options.add(g, reorder, "arc_weight", "start_key", "end_key")
    options.add(g, reorder, "tempo_arc", "tempo_arc_weight", "max_tempo_drift", "rising_tempo")

    g = p.add_argument_group("which tracks are played")
    options.add(g, reorder, "drop")
    some = g.add_mutually_exclusive_group()
    options.add(some, reorder, "best", "best_minutes")

    g = p.add_argument_group("which tracks belong together or apart")
    options.add(g, reorder, "together", nargs="+")
    options.add(g, reorder, "artists", choices=ARTISTS)
    options.add(g, reorder, "albums", choices=ALBUMS)
    options.add(g, reorder, "genres", choices=GENRES)

    g = p.add_argument_group("which tracks stand where")
    options.add(g, reorder, "pin", "randomness", "random_seed")
    g.add_argument("--alternatives", type=int, default=1, metavar="N", help="orders that differ from each other (1)")

    g = p.add_argument_group("which tracks may be played")
    options.add(g, reorder, *options.PLAYED)

    g = p.add_argument_group("how long to search")
    options.add(g, reorder, "iterations", "seconds")

    g = p.add_argument_group("where tracks come from")
    options.add_enrichment(g)

    g = p.add_argument_group("output")
    options.add(g, reorder, "title")
    options.add_json(g)
    options.add_style(g)
    g.add_argument("--force", action="store_true", help="overwrite files that exist")
    options.add_verbosity(g)
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Order a playlist, write what was asked for, print it, and report what is better."""
    arguments = parser().parse_args(argv)
    console.set_verbosity(arguments.quiet, arguments.verbose)
    options.check_values(arguments)
    output.check_files(arguments)
    tracklist, catalogue = options.read_playlist(arguments)
    orders = reorder_alternatives(arguments.alternatives, catalogue, tracklist, **options.values(arguments, reorder))
    output.log_notes(orders, arguments.alternatives)
    output.write_files(arguments, orders)
    if arguments.json:
        output.print_json([order.to_dict() for order in orders], arguments.alternatives)
    else:
        for order in orders:
            export.show(order)
            print(_comparison(order))
    output.upload(arguments, orders)
    return 0


def _comparison(order: Reordered) -> str:
    """Before and after, as lines of a small table."""
    lines = [f"{'':<24}{'before':>16}{'after':>16}"]
    pair = (order.before, order.after)
    rows = {
        "mean cost": [f"{found.mean_cost:.2f}" for found in pair],
        "keys that go together": [f"{found.compatible} of {found.keys}" for found in pair],
        "change of tempo": ["?" if np.isnan(found.tempo_change) else f"{found.tempo_change:.1f} %" for found in pair],
        "worst transition": [f"{found.worst_cost:.2f}" for found in pair],
        "  to track": [str(found.worst + 1) if found.worst else "-" for found in pair],
    }
    lines += [f"{what:<24}{before:>16}{after:>16}" for what, (before, after) in rows.items()]
    return "\n".join(lines) + "\n"
