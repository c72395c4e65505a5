"""`disco generate`: make a playlist that flows on from a few seeds."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from disco import export
from disco.catalogue import Catalogue
from disco.cli import console, options, output, settings
from disco.models.predictors import PREDICTORS
from disco.models.recommenders import METHODS, ONLINE, RECOMMENDERS, data_notice
from disco.playlist.cost import Knobs
from disco.playlist.make import EXAMPLE, PUBLISHED, make, make_alternatives
from disco.playlist.sequence import SEQUENCERS
from disco.sources import EXAMPLE_SEEDS

log = logging.getLogger(__name__)

BEGIN = """\
Name a few tracks to begin with, and your tracks to choose from:

  disco generate "them changes thundercat" "girlfriend is better" --catalogue tracks.parquet

No tracks at hand? Three seeds from a demo of invented tracks:

  disco generate --example

`disco generate --help` lists all options.
"""


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    p = argparse.ArgumentParser(
        prog="disco generate",
        usage="disco generate SEED ... [options]",
        description="Make a playlist that begins with the seeds and flows on from them.",
        epilog='example: disco generate "them changes thundercat" "girlfriend is better" --catalogue tracks.parquet',
    )
    p.add_argument("seeds", nargs="*", help="tracks to begin with: title and artist in any order, ids, Spotify links")
    g = p.add_argument_group("what most people need")
    g.add_argument("--example", action="store_true", help="three seeds from the demo of invented tracks")
    options.add_catalogue(g)
    long = g.add_mutually_exclusive_group()
    options.add(long, make, "length", "minutes", default=None)
    options.add(g, make, "include", "exclude", "bpm")
    options.add_output(g)
    options.add_plot(g)
    options.add_upload(g)

    g = p.add_argument_group("how it flows")
    options.add(g, Knobs, *options.KNOBS)
    options.add(g, make, "relevance", "artist_gap", "max_per_artist", *options.MIXING, "avoid_clashes")
    options.add(g, make, "arc", "arc_weight", "start_key", "end_key")
    options.add(g, make, "tempo_arc", "tempo_arc_weight", "max_tempo_drift")

    g = p.add_argument_group("which tracks stand where")
    options.add(g, make, "end_track", "pin", "keep_positions")
    options.add(g, make, "randomness", "random_seed")
    g.add_argument(
        "--alternatives", type=int, default=1, metavar="N", help="playlists that differ from each other (1)"
    )

    g = p.add_argument_group("which tracks may be played")
    options.add(g, make, "duration", "explicit", "exclude_playlist", "compatible_with", *options.PLAYED)

    g = p.add_argument_group("models and methods")
    g.add_argument("--published", action="store_true", help="use the published method and knobs")
    options.add(g, make, "predictor", help=f"{', '.join(PREDICTORS)}, or a model's folder ({PREDICTORS[0]})")
    options.add(
        g,
        make,
        "recommender",
        help=f"{', '.join(RECOMMENDERS)}, {', '.join(METHODS)} once trained, a model's folder, or, "
        f"over the network, {', '.join(ONLINE)}",
    )
    options.add(g, make, "candidates")
    options.add(g, make, "sequencer", help=f"{', '.join(SEQUENCERS)} (beam)")
    options.add(g, make, "width")

    g = p.add_argument_group("where tracks come from")
    options.add_enrichment(g)
    options.option(
        g,
        "--candidates-from",
        old=["--source"],
        choices=["spotify"],
        help="find seeds and candidates there; --catalogue lends features",
    )
    options.option(
        g,
        "--features-from",
        old=["--features"],
        choices=["reccobeats"],
        help="with --candidates-from: ask it for features that are nowhere else",
    )
    options.option(
        g,
        "--interactive",
        old=["--pick"],
        action="store_true",
        help="ask which track is meant where several could be",
    )

    g = p.add_argument_group("output")
    options.add(g, make, "title")
    options.add_json(g)
    options.add_style(g)
    g.add_argument("--force", action="store_true", help="overwrite files that exist")
    g.add_argument("--settings", type=Path, metavar="FILE.toml", help="read knobs and filters from a file")
    g.add_argument("--save-settings", type=Path, metavar="FILE.toml", help="write knobs and filters to a file")
    options.add_verbosity(g)
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Make a playlist, write what was asked for, and print it."""
    argv = sys.argv[1:] if argv is None else argv
    if not argv:
        sys.stderr.write(BEGIN)
        return 2
    arguments = _parse(argv)
    console.set_verbosity(arguments.quiet, arguments.verbose)
    options.check_values(arguments)
    output.check_files(arguments)
    if arguments.save_settings:
        export.check_output(arguments.save_settings, arguments.force, (".toml",))
    catalogue, seeds = _catalogue_and_seeds(arguments)
    if notice := data_notice(arguments.recommender):
        log.info("%s", notice)
    wished = options.values(arguments, make) | {"choose": console.ask if arguments.interactive else None}
    wished["length"] = 10 if arguments.length is None else arguments.length
    playlists = make_alternatives(arguments.alternatives, catalogue, seeds, **wished)
    output.log_notes(playlists, arguments.alternatives)
    output.write_files(arguments, playlists)
    if arguments.save_settings:
        export.write_text(settings.as_toml(arguments), arguments.save_settings, arguments.force)
        log.info("written: %s", arguments.save_settings)
    if arguments.json:
        output.print_json([playlist.to_dict() for playlist in playlists], arguments.alternatives)
    else:
        for playlist in playlists:
            export.show(playlist)
    output.upload(arguments, playlists)
    return 0


def _catalogue_and_seeds(arguments: argparse.Namespace) -> tuple[Catalogue, Sequence[str]]:
    if not arguments.candidates_from:
        catalogue = options.open_catalogue(
            arguments.catalogue, arguments.enrich_from, arguments.corrections, cache=arguments.cache
        )
        return catalogue, EXAMPLE_SEEDS if arguments.example else arguments.seeds
    from disco.cli import services  # loads the HTTP client

    own = None
    if arguments.catalogue:
        own = options.open_catalogue(
            arguments.catalogue, arguments.enrich_from, arguments.corrections, cache=arguments.cache
        )
    return services.find_candidates(arguments, own)


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    """Arguments over the settings of a file over the published method over the defaults."""
    p = parser()
    arguments = p.parse_args(argv)
    defaults = dict(PUBLISHED) if arguments.published else {}
    if arguments.example and not arguments.published:
        defaults |= EXAMPLE
    if arguments.settings:
        defaults |= settings.read(arguments.settings)
        if arguments.length is not None or arguments.minutes is not None:
            defaults = {name: value for name, value in defaults.items() if name not in ("length", "minutes")}
    if defaults:
        p.set_defaults(**defaults)
        arguments = p.parse_args(argv)
    if arguments.seeds and arguments.example:
        p.error("give seeds or --example, not both")
    if not (arguments.seeds or arguments.example or arguments.title.strip()):
        p.error("give seeds, or --example, or a --title for a recommender that reads titles")
    if arguments.example and arguments.catalogue:
        p.error("--example plays the demo; leave out --catalogue")
    if arguments.candidates_from and not arguments.seeds:
        p.error("--candidates-from finds tracks for seeds; give some")
    if arguments.example and arguments.upload_to:
        p.error("--example plays invented tracks, which no service has; leave out --upload-to")
    return arguments
