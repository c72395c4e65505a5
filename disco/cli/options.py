"""Options that several doors share: how joins are judged, what a sequence is asked for, how it is written."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from disco import export, sources
from disco.catalogue import Catalogue
from disco.catalogue.music import parse_key
from disco.cli.console import say, say_all
from disco.errors import DiscoError
from disco.models.predictors import PREDICTORS
from disco.playlist.cost import Knobs
from disco.playlist.key_rules import KEY_RULES
from disco.playlist.mixing import Mixing
from disco.playlist.reorder import KNOBS
from disco.playlist.sequence import ARCS, Constraints
from disco.sources.tracklist import Tracklist


def option(parser: argparse._ActionsContainer, *names: str, old: Sequence[str] = (), **settings: Any) -> None:
    """Add an option; its old spellings are accepted too, and not shown in help."""
    action = parser.add_argument(*names, **settings)
    for name in old:
        hidden = {"dest": action.dest, "default": argparse.SUPPRESS, "help": argparse.SUPPRESS}
        parser.add_argument(name, **settings | hidden)


def add_knobs(parser: argparse._ArgumentGroup, usual: Knobs = Knobs(), spicyness: bool = True) -> None:  # noqa: B008
    """Add the knobs."""
    add = parser.add_argument
    names = {"flow": "nearness to the predicted next", "spicyness": "boldness of it"}
    names |= {"sweetness": "consonance of keys", "smoothness": "likeness of tempos"}
    for name, what in names.items():
        if name != "spicyness" or spicyness:
            value = getattr(usual, name)
            old = ["--spiciness"] if name == "spicyness" else []
            option(parser, f"--{name}", old=old, type=float, default=value, metavar="X", help=f"{what} ({value:g})")
    add("--artist-gap", type=int, default=1, metavar="N", help="tracks between two by one artist (1)")


def add_judging(parser: argparse._ArgumentGroup) -> None:
    """Add what says how joins of neighbours are judged: the knobs as they are for orders, in whose space, mixing."""
    add_knobs(parser, KNOBS, spicyness=False)
    parser.add_argument(
        "--predictor",
        default="mean",
        metavar="NAME",
        help=f"in whose space distance is measured: {', '.join(PREDICTORS)} (mean: the features themselves)",
    )
    add_mixing(parser)


def add_mixing(parser: argparse._ArgumentGroup) -> None:
    """Add what `mixing` reads."""
    usual = Mixing()
    add = parser.add_argument
    add("--key-rule", default=usual.key_rule, metavar="NAME", help=f"which keys go together: {', '.join(KEY_RULES)}")
    add("--energy-boost", action="store_true", help="one or two semitones up are as good as a fifth")
    option(
        parser,
        "--half-time-weight",
        old=["--half-time"],
        type=float,
        default=usual.half_time_weight,
        metavar="X",
        help="credit of half and double time (1)",
    )
    option(
        parser,
        "--max-tempo-change",
        old=["--max-bpm-change"],
        type=float,
        metavar="P",
        help="per cent that the tempo may change from track to track",
    )


def mixing(arguments: argparse.Namespace) -> Mixing:
    """Mixing that the options ask for."""
    return Mixing(arguments.key_rule, arguments.energy_boost, arguments.half_time_weight, arguments.max_tempo_change)


def add_wishes(parser: argparse._ArgumentGroup) -> None:
    """Add what `wishes` reads, and `--keep-positions` and `--alternatives`."""
    usual = Constraints()
    add = parser.add_argument
    option(parser, "--end-track", old=["--last"], metavar="TRACK", help="the track to end with")
    option(
        parser,
        "--pin",
        old=["--hold"],
        action="append",
        default=[],
        metavar="N=TRACK",
        help="a track that is fixed at position N",
    )
    option(
        parser, "--keep-positions", old=["--keep"], metavar="N-M", help="positions that stay as they are, as 1-4,6-10"
    )
    add("--arc", metavar="ARC", help=f"of energy: {', '.join(ARCS)}, or heights from 0 to 1 as 0.2,0.9,0.4")
    add("--arc-weight", type=float, default=usual.arc_weight, metavar="X", help="how much the arc counts (5)")
    add("--start-key", metavar="KEY", help="key of the first track, as 8A, Am or 1m")
    add("--end-key", metavar="KEY", help="key of the last track")
    option(
        parser,
        "--randomness",
        old=["--variety"],
        type=float,
        default=usual.randomness,
        metavar="X",
        help="noise added to every cost: other good answers than the best (0)",
    )
    add_random_seed(parser, "of the randomness")
    add("--alternatives", type=int, default=1, metavar="N", help="answers that differ (1)")


def wishes(arguments: argparse.Namespace, row: Callable[[str], int]) -> Constraints:
    """Wishes that the options ask for; `row` finds the track that a text means.

    Raises
    ------
    DiscoError
        If an option means nothing.
    """
    if arguments.random_seed < 0:
        raise DiscoError(f"a random seed must be 0 or more, not {arguments.random_seed}")
    first = getattr(arguments, "start_track", None)
    return Constraints(
        pinned=tuple(_held(text, row) for text in arguments.pin),
        start_track=None if first is None else row(first),
        end_track=None if arguments.end_track is None else row(arguments.end_track),
        arc=arc(arguments.arc),
        arc_weight=arguments.arc_weight,
        start_key=_key(arguments.start_key),
        end_key=_key(arguments.end_key),
        randomness=arguments.randomness,
        random_seed=arguments.random_seed,
    )


# Where a playlist can be made, as `online.send` knows it.
PLACES = ("spotify", "navidrome")


def add_random_seed(parser: argparse._ActionsContainer, what: str, usual: int = 0) -> None:
    """Add `--random-seed`."""
    option(
        parser,
        "--random-seed",
        old=["--seed"],
        type=int,
        default=usual,
        metavar="N",
        help=f"{what}; the same seed gives the same result ({usual})",
    )


def add_iterations(parser: argparse._ActionsContainer, usual: str) -> None:
    """Add `--iterations`."""
    option(parser, "--iterations", old=["--moves"], type=int, metavar="N", help=f"iterations of the search ({usual})")


def add_to(parser: argparse._ArgumentGroup) -> None:
    """Add `--upload-to`."""
    option(parser, "--upload-to", old=["--to"], choices=PLACES, help="make it there too, as a private playlist")


def add_written(parser: argparse._ArgumentGroup) -> None:
    """Add `--output` and what `style` reads."""
    add = parser.add_argument
    add("--output", type=Path, metavar="FILE", help=f"write it too: {', '.join(export.FORMATS)}")
    add("--paths", choices=export.PATHS, help="how an M3U8 names files (as the catalogue does)")
    add("--key-names", choices=export.KEY_NAMES, default="camelot", help="of the keys in .xml and .nml (camelot)")


def style(arguments: argparse.Namespace) -> export.Style:
    """How a playlist is written."""
    return export.Style(paths=arguments.paths, key_names=arguments.key_names)


def arc(text: str | None) -> tuple[float, ...]:
    """Heights of an arc given by its name or by its points."""
    if text is None or text in ARCS:
        return ARCS.get(text or "", ())
    try:
        return tuple(float(point) for point in text.split(","))
    except ValueError:
        known = ", ".join(ARCS)
        raise DiscoError(f"{text!r} is no arc; there are {known}, or heights from 0 to 1 as 0.2,0.9,0.4") from None


def places(text: str | None) -> list[int] | None:
    """Places, from 0, that a text like `1-4,6` names, from 1."""
    if text is None:
        return None
    found: list[int] = []
    for part in text.split(","):
        ends = re.fullmatch(r"\s*(\d{1,6})(?:\s*-\s*(\d{1,6}))?\s*", part)
        if not ends or int(ends[1]) < 1 or (ends[2] and int(ends[2]) < int(ends[1])):
            raise DiscoError(f"{text!r} names no places; write them as 1-4,6-10")
        found += range(int(ends[1]) - 1, int(ends[2] or ends[1]))
    return found


def _held(text: str, row: Callable[[str], int]) -> tuple[int, int]:
    place, _, track = text.partition("=")
    if not place.strip().isdecimal() or not track.strip() or not 0 < int(place) < 10**6:
        raise DiscoError(f"{text!r} pins nothing; write a position and a track, as '5=girlfriend is better'")
    return int(place) - 1, row(track)


def _key(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    key = parse_key(text)
    if key is None:
        raise DiscoError(f"{text!r} is no key; write it as 8A, Am or 1m")
    return key


def add_catalogue(parser: argparse.ArgumentParser) -> None:
    """Add `--catalogue PATH`, which may be given several times."""
    parser.add_argument(
        "--catalogue",
        action="append",
        default=[],
        metavar="PATH",
        help="tracks: a table (CSV, Parquet), Spotify's data export, Million Playlist JSON; several are merged "
        "(default: the embedded demo of invented tracks)",
    )
    add_enrich_from(parser)
    parser.add_argument(
        "--corrections",
        type=Path,
        metavar="FILE.csv",
        help="your own key, bpm or energy of tracks, over what any source says",
    )


def add_enrich_from(parser: argparse.ArgumentParser) -> None:
    """Add `--enrich-from PATH`, which may be given several times."""
    option(
        parser,
        "--enrich-from",
        old=["--fill"],
        action="append",
        default=[],
        metavar="PATH",
        help="fills in missing values from another table; adds no tracks",
    )


def open_catalogue(
    paths: Sequence[str], quiet: bool = False, fill: Sequence[str] = (), corrections: Path | None = None
) -> Catalogue:
    """Open the catalogue and say what its readers kept, dropped and filled in."""
    catalogue = sources.open(paths, fill, corrections)
    if not quiet:
        for note in catalogue.notes:
            say(note)
    return catalogue


def add_list(parser: argparse.ArgumentParser) -> None:
    """Add what `open_list` reads: `FILE`, `--playlist`, and where tracks are from."""
    parser.add_argument(
        "file",
        metavar="FILE",
        help="M3U8, JSON, JSPF, CSV, a library of rekordbox, Traktor or Mixxx, or tracks, one a line; - is stdin",
    )
    parser.add_argument("--playlist", metavar="NAME", help="which one, where the file has several")
    add_catalogue(parser)


def open_list(arguments: argparse.Namespace) -> tuple[Tracklist, Catalogue]:
    """The playlist of a file, or on standard input, and the catalogue: the file's own where none is named."""
    stdin = arguments.file == "-"
    text = sys.stdin.buffer.read().decode("utf-8-sig", errors="replace") if stdin else None
    tracklist, catalogue = sources.open_playlist(
        "standard input" if stdin else arguments.file,
        arguments.playlist,
        arguments.catalogue,
        arguments.enrich_from,
        arguments.corrections,
        text,
    )
    say_all(catalogue.notes, arguments.quiet)
    return tracklist, catalogue
