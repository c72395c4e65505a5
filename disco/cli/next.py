"""`disco next`: what goes well after a track."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence

from disco.catalogue.lookup import track_name
from disco.catalogue.text import printable
from disco.cli import console, options
from disco.models.recommenders import data_notice
from disco.playlist.cost import Knobs
from disco.playlist.next_tracks import NextTracks, next_tracks

log = logging.getLogger(__name__)


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    p = argparse.ArgumentParser(
        prog="disco next",
        usage="disco next TRACK [options]",
        description="List what goes well after a track, best first, each with its reasons.",
        epilog='example: disco next "girlfriend is better" --catalogue tracks.parquet -n 5',
    )
    p.add_argument("tracks", nargs="+", metavar="TRACK", help="the track played last; of several, the last of them")
    g = p.add_argument_group("what most people need")
    options.add_catalogue(g)
    g.add_argument("-n", type=int, default=15, metavar="N", help="number of tracks to list (15)")
    options.add(g, next_tracks, "include", "exclude", "bpm", "compatible_with")
    options.add_json(g)

    g = p.add_argument_group("how it flows")
    options.add(g, Knobs, *options.KNOBS)
    options.add(g, next_tracks, "relevance", "artist_gap", *options.MIXING, "avoid_clashes")

    g = p.add_argument_group("which tracks may be played")
    options.add(g, next_tracks, "duration", "explicit", *options.PLAYED)

    g = p.add_argument_group("models and methods")
    options.add(g, next_tracks, "predictor", "recommender", "candidates")

    options.add_enrichment(p.add_argument_group("where tracks come from"))
    g = p.add_argument_group("output")
    options.option(g, "--interactive", action="store_true", help="ask which track is meant where several could be")
    options.add_verbosity(g)
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Print what goes well after a track."""
    arguments = parser().parse_args(argv)
    console.set_verbosity(arguments.quiet, arguments.verbose)
    options.check_values(arguments)
    catalogue = options.open_catalogue(
        arguments.catalogue, arguments.enrich_from, arguments.corrections, cache=arguments.cache
    )
    if notice := data_notice(arguments.recommender):
        log.info("%s", notice)
    wished = options.values(arguments, next_tracks) | {"choose": console.ask if arguments.interactive else None}
    found = next_tracks(catalogue, arguments.tracks, **wished)
    for note in found.notes:
        log.info("%s", note)
    if arguments.json:
        print(json.dumps(found.to_dict(), ensure_ascii=False, indent=2))
    else:
        _show(found)
    return 0


def _show(found: NextTracks) -> None:
    before, *after = found.tracks.tracks()
    facts = found.to_dict()
    print(f"After {printable(track_name(before))}: {_key_and_tempo(facts['after'])}\n")
    print(f"{'':>4}  {'Title':<32}  {'Artist':<24}  {'Key':>3}  {'BPM':>3}  Why")
    for track, record in zip(after, facts["tracks"], strict=True):
        title = _cut(printable(track["title"] or track["track_id"]), 32)
        artist = _cut(printable(record["artist"] or ""), 24)
        bpm = "?" if record["tempo_bpm"] is None else f"{record['tempo_bpm']:.0f}"
        key = record["camelot"] or "?"
        print(f"{record['position']:>4}  {title:<32}  {artist:<24}  {key:>3}  {bpm:>3}  {record['reason']}")


def _key_and_tempo(record: dict[str, object]) -> str:
    key, tempo, energy = record["camelot"], record["tempo_bpm"], record["energy"]
    parts = [str(key) if key else "key unknown", f"{tempo:.0f} BPM" if tempo else "tempo unknown"]
    return ", ".join([*parts, *([] if energy is None else [f"energy {energy:.2f}"])])


def _cut(text: str, n: int) -> str:
    return text if len(text) <= n else f"{text[: n - 1]}…"
