"""Options of the commands, made from the parameters and fields that they set.

Name, type, default and help of an option are those of a parameter of `disco.make`, `disco.reorder`, ..., or of a
field of `Knobs`, `Mixing`, ...: its signature, and the first sentence on it in the docstring. This module adds only
what the command line needs besides: how a value is shown, and old spellings.
"""

from __future__ import annotations

import argparse
import inspect
import logging
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from disco import export, sources
from disco.catalogue import Catalogue
from disco.errors import DiscoError
from disco.export.upload import SERVICES
from disco.playlist.alternatives import check_number
from disco.playlist.cost import Knobs
from disco.playlist.make import make
from disco.playlist.mixing import Mixing
from disco.playlist.parsing import parse_bpm, parse_duration, parse_positions, parse_tempo_arc, parse_tempo_change
from disco.playlist.pitch import USUAL_PITCH
from disco.playlist.played import parse_since
from disco.sources.tracklist import Tracklist

log = logging.getLogger(__name__)
KNOBS = ("flow", "spicyness", "sweetness", "smoothness")
# How transitions are judged in all commands; `avoid_clashes` is for those that choose tracks.
MIXING = ("style", "key_rule", "energy_boost", "half_time_weight", "max_tempo_change", "pitch")

# Which tracks are left out since they were played.
PLAYED = ("unplayed", "not_played_since")


class Shown(NamedTuple):
    """What the command line adds to a parameter."""

    metavar: str | None = None
    old: tuple[str, ...] = ()
    check: Callable[[str], object] | None = None
    without: float | None = None  # the value of an option that is named without one


SHOWN = {
    "flow": Shown("X"),
    "spicyness": Shown("X", ("spiciness",)),
    "sweetness": Shown("X"),
    "smoothness": Shown("X"),
    "relevance": Shown("X"),
    "length": Shown("N"),
    "minutes": Shown("M"),
    "candidates": Shown("N"),
    "artist_gap": Shown("N"),
    "max_per_artist": Shown("N"),
    "predictor": Shown("NAME"),
    "recommender": Shown("NAME"),
    "sequencer": Shown("NAME"),
    "width": Shown("N"),
    "key_rule": Shown("NAME"),
    "style": Shown("NAME"),
    "half_time_weight": Shown("X", ("half-time",)),
    "max_tempo_change": Shown("P", ("max-bpm-change",)),
    "pitch": Shown("P", without=USUAL_PITCH),
    "start_track": Shown("TRACK", ("first",)),
    "end_track": Shown("TRACK", ("last",)),
    "pin": Shown("N=TRACK", ("hold",)),
    "keep_positions": Shown("N-M", ("keep",)),
    "arc": Shown("ARC"),
    "arc_weight": Shown("X"),
    "start_key": Shown("KEY"),
    "end_key": Shown("KEY"),
    "tempo_arc": Shown("BPM,BPM", check=parse_tempo_arc),
    "tempo_arc_weight": Shown("X"),
    "max_tempo_drift": Shown("P"),
    "rising_tempo": Shown("X"),
    "together": Shown("TRACK"),
    "artists": Shown("spread"),
    "albums": Shown("whole|spread"),
    "genres": Shown("runs|spread"),
    "drop": Shown("N"),
    "best": Shown("N"),
    "best_minutes": Shown("M"),
    "randomness": Shown("X", ("variety",)),
    "random_seed": Shown("N", ("seed",)),
    "include": Shown("COLUMN=TEXT", ("only",)),
    "exclude": Shown("COLUMN=TEXT"),
    "bpm": Shown("LOW-HIGH", check=parse_bpm),
    "duration": Shown("LOW-HIGH", check=parse_duration),
    "exclude_playlist": Shown("FILE"),
    "compatible_with": Shown("TRACK"),
    "not_played_since": Shown("SPAN", check=parse_since),
    "iterations": Shown("N", ("moves",)),
    "seconds": Shown("S"),
    "title": Shown("TEXT"),
    "n": Shown("N"),
}


@cache
def descriptions(of: Callable[..., Any]) -> dict[str, str]:
    """First sentence on each parameter or attribute in a numpydoc docstring, by name.

    Examples
    --------
    >>> sorted(descriptions(Mixing))
    ['avoid_clashes', 'energy_boost', 'graded', 'half_time_weight', 'key_rule', 'max_tempo_change', 'pitch', 'style']
    """
    text = inspect.getdoc(of) or ""  # none with `python -OO`
    found: dict[str, str] = {}
    for section in re.findall(r"^(?:Parameters|Attributes)\n-+\n(.*?)(?=^\w+\n-{3,}$|\Z)", text, re.M | re.S):
        for names, body in re.findall(r"^(\w[\w, ]*)[^\n]*\n((?:[ ]+[^\n]*\n?)*)", section, re.M):
            sentence = re.split(r"[.;](?:\s|$)", " ".join(body.split()))[0]
            sentence = sentence[:1].lower() + sentence[1:] if sentence[1:2].islower() else sentence
            found |= dict.fromkeys(re.split(r", ?", names.strip()), sentence)
    return found


@cache
def _parameters(of: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(of).parameters


@cache
def help_of(of: Callable[..., Any], name: str) -> str:
    """Help of an option: from the docstring of the field or parameter, or of the one that it refers to."""
    own = descriptions(of).get(name, "")
    shared = {**descriptions(make), **descriptions(Knobs), **descriptions(Mixing)}
    return shared.get(name, own) if not own or own.startswith(("as for", "how transitions", "the knobs")) else own


def option(parser: argparse._ActionsContainer, *names: str, old: Sequence[str] = (), **settings: Any) -> None:
    """Add an option; its old spellings are accepted too, and not shown in help."""
    action = parser.add_argument(*names, **settings)
    for name in old:
        hidden = {"dest": action.dest, "default": argparse.SUPPRESS, "help": argparse.SUPPRESS}
        parser.add_argument(name, **settings | hidden)


def add(parser: argparse._ActionsContainer, of: Callable[..., Any], *names: str, **settings: Any) -> None:
    """Add options for parameters of a function or fields of a dataclass; `settings` take precedence."""
    for name in names:
        parameter = _parameters(of)[name]
        default, annotation, shown = parameter.default, str(parameter.annotation), SHOWN.get(name, Shown())
        made: dict[str, Any] = {"default": default, "help": help_of(of, name)}
        if annotation == "bool":
            made["action"] = argparse.BooleanOptionalAction if default else "store_true"
        elif default == ():
            made |= {"action": "append", "default": [], "metavar": shown.metavar}
        else:
            made["metavar"] = shown.metavar
            made["type"] = _type(annotation) if shown.check is None else _checked(shown.check)
            if shown.without is not None:
                made |= {"nargs": "?", "const": shown.without, "type": _number_if_given}
                made["help"] += f" ({shown.without:g} if no number is given)"
            if default not in (None, ""):
                made["help"] += f" ({default:g})" if isinstance(default, float) else f" ({default})"
        option(parser, f"--{name.replace('_', '-')}", old=[f"--{old}" for old in shown.old], **made | settings)


def _type(annotation: str) -> Callable[[str], Any]:
    if annotation.startswith("float | str"):
        return _number_or_none
    return {"int": int, "float": float, "Path": Path}.get(annotation.split(" ")[0], str)


def _number_or_none(text: str) -> float | str:
    """A number, or the text none: None itself would mean that the option is not given."""
    try:
        return text if parse_tempo_change(text) is None else float(text)
    except DiscoError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _number_if_given(text: str) -> float:
    """The number of an option that may be named without one, and would take what comes next for it."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number; name files and tracks before this option") from None


def _checked(parse: Callable[[str], object]) -> Callable[[str], str]:
    """A type that keeps a text which `parse` understands."""

    def checked(text: str) -> str:
        try:
            parse(text)
        except DiscoError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return text

    return checked


def values(arguments: argparse.Namespace, of: Callable[..., Any]) -> dict[str, Any]:
    """The parsed values of the keyword arguments of a function, by name."""
    names = [p.name for p in _parameters(of).values() if p.kind is p.KEYWORD_ONLY]
    return {name: getattr(arguments, name) for name in names if hasattr(arguments, name)}


def check_values(arguments: argparse.Namespace) -> None:
    """Refuse values that are wrong for any catalogue, before one is opened."""
    mixing(arguments)
    check_number(getattr(arguments, "alternatives", 1))
    if getattr(arguments, "keep_positions", None) is not None:
        parse_positions(arguments.keep_positions)


def add_judging(parser: argparse._ActionsContainer, of: Callable[..., Any]) -> None:
    """Add what says how the transitions of a playlist are judged."""
    add(parser, of, *(knob for knob in KNOBS if knob != "spicyness"), "artist_gap")
    add(parser, of, "predictor", *MIXING, "graded")


def add_catalogue(parser: argparse._ActionsContainer, default: str = "a demo of invented tracks") -> None:
    """Add `--catalogue`; `default` says what is used without it."""
    parser.add_argument(
        "--catalogue",
        action="append",
        default=[],
        metavar="PATH",
        help="your tracks: a table (CSV, Parquet), a DJ library, a folder of audio files, Spotify's data export; "
        f"several are merged (default: {default})",
    )


def add_enrichment(parser: argparse._ActionsContainer) -> None:
    """Add `--enrich-from`, `--corrections` and `--no-cache`."""
    option(
        parser,
        "--enrich-from",
        old=["--fill"],
        action="append",
        default=[],
        metavar="PATH",
        help="fills in missing values from another table; adds no tracks",
    )
    parser.add_argument(
        "--corrections",
        type=Path,
        metavar="FILE.csv",
        help="your own keys, tempos and energies, which take precedence over all others",
    )
    add_cache(parser)


def add_cache(parser: argparse._ActionsContainer) -> None:
    """Add `--no-cache`."""
    parser.add_argument(
        "--no-cache",
        dest="cache",
        action="store_false",
        help="read and compute all of the catalogue again, and store nothing for the next command",
    )


def add_playlist(parser: argparse._ActionsContainer) -> None:
    """Add `FILE` and `--playlist`."""
    parser.add_argument(
        "file",
        metavar="FILE",
        help="M3U8, JSON, JSPF, CSV, a library of rekordbox, Traktor or Mixxx, or tracks, one a line; - is stdin",
    )
    parser.add_argument("--playlist", metavar="NAME", help="which playlist, where the file has several")


def add_output(parser: argparse._ActionsContainer) -> None:
    """Add `--output`, `--paths` and `--key-names`."""
    parser.add_argument("--output", type=Path, metavar="FILE", help=f"write it: {', '.join(export.OUTPUTS)}")


def add_style(parser: argparse._ActionsContainer) -> None:
    """Add `--paths` and `--key-names`."""
    parser.add_argument("--paths", choices=export.PATHS, help="paths in M3U8 files (as in the catalogue)")
    parser.add_argument(
        "--no-formulas",
        action="store_true",
        help="in .csv files: an apostrophe before texts that a spreadsheet would calculate",
    )
    parser.add_argument(
        "--key-names", choices=export.KEY_NAMES, default="camelot", help="key names in .xml and .nml (camelot)"
    )


def add_plot(parser: argparse._ActionsContainer) -> None:
    """Add `--plot`."""
    parser.add_argument(
        "--plot", type=Path, metavar="FILE.html", help="draw its flow, on a page that needs no network"
    )


def add_upload(parser: argparse._ActionsContainer) -> None:
    """Add `--upload-to`."""
    option(
        parser,
        "--upload-to",
        old=["--to"],
        choices=SERVICES,
        help="also create it there, as a private playlist",
    )


def add_verbosity(parser: argparse._ActionsContainer) -> None:
    """Add `--quiet` and `--verbose`."""
    parser.add_argument("-q", "--quiet", action="store_true", help="print no notes, only warnings and errors")
    parser.add_argument("-v", "--verbose", action="store_true", help="print details too")


def add_json(parser: argparse._ActionsContainer, instead: str = "the table") -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help=f"print one JSON object instead of {instead}")


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


def style(arguments: argparse.Namespace) -> export.Style:
    """How a playlist is written."""
    return export.Style(paths=arguments.paths, key_names=arguments.key_names, formulas=not arguments.no_formulas)


def open_catalogue(
    paths: Sequence[str],
    enrich_from: Sequence[str] = (),
    corrections: Path | None = None,
    notes: bool = True,
    cache: bool = True,
) -> Catalogue:
    """Open the catalogue, and log what its readers report."""
    catalogue = sources.open(paths, enrich_from, corrections, cache)
    for note in catalogue.notes if notes else ():
        log.info("%s", note)
    return catalogue


def read_playlist(arguments: argparse.Namespace) -> tuple[Tracklist, Catalogue]:
    """The playlist of a file, or on standard input, and the catalogue: the file's own where none is named."""
    stdin = arguments.file == "-"
    if stdin and sys.stdin is None:
        raise DiscoError("standard input is closed; give a file, or tracks on standard input")
    text = sys.stdin.buffer.read().decode("utf-8-sig", errors="replace") if stdin else None
    tracklist, catalogue = sources.open_playlist(
        "standard input" if stdin else arguments.file,
        arguments.playlist,
        arguments.catalogue,
        arguments.enrich_from,
        arguments.corrections,
        text,
        arguments.cache,
    )
    for note in catalogue.notes:
        log.info("%s", note)
    return tracklist, catalogue


def mixing(arguments: argparse.Namespace) -> Mixing:
    """How transitions are judged, as the options say."""
    named = {name: getattr(arguments, name) for name in MIXING}
    return Mixing(**named | {"max_tempo_change": parse_tempo_change(named["max_tempo_change"])})
