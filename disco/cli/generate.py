"""Door: make a playlist that flows on from a few seeds. `python -m disco.generate --help`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from disco import export
from disco.catalogue import Filters
from disco.cli import console, options, settings
from disco.cli.options import add_catalogue, open_catalogue
from disco.models.predictors import PREDICTORS, load_predictor
from disco.models.recommenders import (
    DATA_NOTICES,
    METHODS,
    ONLINE,
    RECOMMENDERS,
    default_recommender,
    load_recommender,
)
from disco.playlist.alternatives import alternatives
from disco.playlist.cost import Knobs
from disco.playlist.generate import generate
from disco.playlist.playlist import Playlist
from disco.playlist.sequence import SEQUENCERS, Constraints
from disco.sources import EXAMPLE_SEEDS, playlist_files


def parser() -> argparse.ArgumentParser:
    """The options of this door."""
    p = argparse.ArgumentParser(
        prog="disco generate",
        description="Make a playlist that begins with the seeds and flows on from them.",
        epilog='example: disco generate "them changes thundercat" "girlfriend is better" --catalogue tracks.parquet',
    )
    p.add_argument("seeds", nargs="*", help="tracks to begin with: title and artist in any order, ids, Spotify links")
    p.add_argument("--example", action="store_true", help="three seeds from the embedded demo")
    add_catalogue(p)
    options.option(
        p,
        "--candidates-from",
        old=["--source"],
        choices=["spotify"],
        help="find seeds and candidates there; --catalogue lends features",
    )
    options.option(
        p,
        "--features-from",
        old=["--features"],
        choices=["reccobeats"],
        help="with --candidates-from: ask it for features that are nowhere else",
    )
    options.option(
        p,
        "--interactive",
        old=["--pick"],
        action="store_true",
        help="ask which track is meant where several could be",
    )

    g = p.add_argument_group("how long")
    long = g.add_mutually_exclusive_group()
    long.add_argument("--length", type=int, metavar="N", help="tracks to add after the seeds (10)")
    long.add_argument("--minutes", type=float, metavar="M", help="or: as near as can be to so many minutes in all")

    g = p.add_argument_group("how it flows")
    options.add_knobs(g)
    g.add_argument("--candidates", type=int, default=400, metavar="N", help="tracks to choose from (400)")
    g.add_argument(
        "--predictor", default=PREDICTORS[0], metavar="NAME", help=f"{', '.join(PREDICTORS)}, or a model's folder"
    )
    g.add_argument(
        "--recommender",
        metavar="NAME",
        help=f"{', '.join(RECOMMENDERS)}, {', '.join(METHODS)} once trained, a model's folder, or, "
        f"over the network, {', '.join(ONLINE)}",
    )
    g.add_argument("--sequencer", default="beam", metavar="NAME", help=", ".join(SEQUENCERS))
    g.add_argument("--width", type=int, metavar="N", help="sequences that beam and path carry on (16, 32)")
    options.add_mixing(g)

    g = p.add_argument_group("what is asked for")
    options.add_wishes(g)

    g = p.add_argument_group("what may be played")
    options.option(
        g,
        "--include",
        old=["--only"],
        action="append",
        default=[],
        metavar="COLUMN=TEXT",
        help="only tracks with genre=techno, artist=, title=, album=",
    )
    g.add_argument("--exclude", action="append", default=[], metavar="COLUMN=TEXT", help="the same, kept out")
    g.add_argument("--bpm", type=_range, metavar="LOW-HIGH", help="tempo, as 118-126")
    g.add_argument(
        "--duration", type=_durations, metavar="LOW-HIGH", help="length of a track, as 2:00-6:30 or 90-400 (s)"
    )
    g.add_argument(
        "--exclude-playlist", action="append", default=[], type=Path, metavar="FILE", help="leave its tracks out"
    )
    g.add_argument("--explicit", action=argparse.BooleanOptionalAction, default=True, help="explicit lyrics")

    g = p.add_argument_group("what comes out")
    g.add_argument("--title", default="", metavar="TEXT", help="name of the playlist; some recommenders read it")
    options.add_written(g)
    options.add_to(g)
    g.add_argument("--plot", type=Path, metavar="FILE.html", help="draw its flow, on a page that needs no network")
    g.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    g.add_argument("--quiet", action="store_true", help="print no notes")
    g.add_argument("--force", action="store_true", help="overwrite files that exist")
    g.add_argument("--settings", type=Path, metavar="FILE.toml", help="knobs and filters from a file")
    g.add_argument("--save-settings", type=Path, metavar="FILE.toml", help="keep knobs and filters in a file")
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Make a playlist, print it, and write what was asked for."""
    p = parser()
    arguments = p.parse_args(argv)
    if arguments.settings:
        said = settings.read(arguments.settings)
        if arguments.length is not None or arguments.minutes is not None:
            said = {key: value for key, value in said.items() if key not in ("length", "minutes")}
        p.set_defaults(**said)
        arguments = p.parse_args(argv)
    if arguments.seeds and arguments.example:
        p.error("give seeds or --example, not both")
    if not (arguments.seeds or arguments.example or arguments.title.strip()):
        p.error("give seeds, or --example, or a --title for a recommender that reads titles")
    if arguments.example and arguments.catalogue:
        p.error("--example plays the embedded demo; leave out --catalogue")
    if arguments.candidates_from and not arguments.seeds:
        p.error("--candidates-from finds tracks for seeds; give some")
    if arguments.example and arguments.upload_to:
        p.error("--example plays invented tracks, which cannot be sent anywhere; leave out --upload-to")
    _check_files(arguments)

    keep, judged = options.places(arguments.keep_positions), options.mixing(arguments)
    without = [playlist_files.read(file) for file in arguments.exclude_playlist]
    asked = EXAMPLE_SEEDS if arguments.example else arguments.seeds
    if arguments.candidates_from:
        from disco.cli import services  # loads what speaks to the network

        own = None
        if arguments.catalogue:
            own = open_catalogue(arguments.catalogue, arguments.quiet, arguments.enrich_from, arguments.corrections)
        catalogue, asked = services.find_candidates(arguments, own)
    else:
        catalogue = open_catalogue(arguments.catalogue, arguments.quiet, arguments.enrich_from, arguments.corrections)
    choose = console.ask if arguments.interactive else None
    seeds = catalogue.find(*asked, choose=choose)

    def row(text: str) -> int:
        return int(catalogue.find(text, choose=choose)[0])

    # Loaded once, however many alternatives are made.
    name = arguments.recommender
    console.say_all([DATA_NOTICES[name]] if name in DATA_NOTICES else [], arguments.quiet)
    recommender = load_recommender(name, catalogue) if name else default_recommender(catalogue)
    predictor = load_predictor(arguments.predictor)

    def make(wishes: Constraints) -> Playlist:
        return generate(
            catalogue,
            seeds,
            length=10 if arguments.length is None else arguments.length,
            minutes=arguments.minutes,
            candidates=arguments.candidates,
            knobs=Knobs(arguments.flow, arguments.spicyness, arguments.sweetness, arguments.smoothness),
            predictor=predictor,
            recommender=recommender,
            sequencer=arguments.sequencer,
            filters=Filters(
                tuple(arguments.include),
                tuple(arguments.exclude),
                arguments.bpm,
                arguments.duration,
                arguments.explicit,
            ),
            artist_gap=arguments.artist_gap,
            title=arguments.title,
            mixing=judged,
            constraints=wishes,
            exclude=np.unique(np.concatenate([listed.rows(catalogue) for listed in without])) if without else None,
            keep_positions=keep,
            width=arguments.width,
        )

    wanted = arguments.alternatives
    playlists = alternatives(make, options.wishes(arguments, row), wanted)
    console.say_notes(playlists, wanted, arguments.quiet)
    if arguments.json:
        sys.stdout.write(export.to_json(playlists[0]) if wanted == 1 else _together(playlists))
    else:
        for playlist in playlists:
            console.show(playlist)
    _write_files(arguments, playlists)
    if arguments.upload_to:
        from disco.export.upload import upload

        console.set_verbosity(arguments.quiet)
        for address in upload(playlists, arguments.upload_to):
            console.say(f"made: {address}")
    return 0


def _together(playlists: Sequence[Playlist]) -> str:
    said = [playlist.as_dict() for playlist in playlists]
    return json.dumps({"alternatives": said}, ensure_ascii=False, indent=2) + "\n"


def _check_files(arguments: argparse.Namespace) -> None:
    """Refuse what could not be written before the work is done."""
    for where in console.outputs(arguments.output, arguments.alternatives):
        export.check_output(where, arguments.force, tuple(export.FORMATS))
    if arguments.plot:
        export.check_output(arguments.plot, arguments.force, (".html",))
    if arguments.save_settings:
        export.check_output(arguments.save_settings, arguments.force, (".toml",))


def _write_files(arguments: argparse.Namespace, playlists: Sequence[Playlist]) -> None:
    written = console.outputs(arguments.output, len(playlists))
    for playlist, where in zip(playlists, written, strict=False):
        console.say_all(export.save(playlist, where, options.style(arguments), arguments.force), arguments.quiet)
    if arguments.plot:
        from disco.export import plot  # plotly takes longer to load than the playlist to make

        export.write_text(plot.page(playlists[0]), arguments.plot, arguments.force)
        written.append(arguments.plot)
    if arguments.save_settings:
        export.write_text(settings.as_toml(arguments), arguments.save_settings, arguments.force)
        written.append(arguments.save_settings)
    if written and not arguments.quiet:
        console.say(f"written: {', '.join(map(str, written))}")


def _range(text: str) -> tuple[float, float]:
    low, _, high = text.partition("-")
    try:
        return float(low), float(high)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no range; write LOW-HIGH, as 118-126") from None


def _durations(text: str) -> tuple[float, float]:
    """Seconds from `2:00-6:30` or `90-400`."""
    try:
        low, high = (
            sum(float(part) * 60**i for i, part in enumerate(reversed(end.split(":")))) for end in text.split("-")
        )
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no range; write LOW-HIGH, as 2:00-6:30 or 90-400") from None
    return low, high
