"""`disco recommend`: the tracks that belong to a playlist, to some tracks, or to a title."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from typing import Any

from disco.catalogue.text import printable
from disco.cli import console, options
from disco.models.recommenders import METHODS, ONLINE, RECOMMENDERS, data_notice
from disco.playlist.recommend import recommend

log = logging.getLogger(__name__)


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    p = argparse.ArgumentParser(
        prog="disco recommend",
        usage="disco recommend FILE|TITLE|SEED ... [options]",
        description="Name the tracks that belong to a playlist, to some tracks, or to a title.",
        epilog="example: disco recommend mine.csv --recommender playlist-knn -n 5 --catalogue tracks.parquet",
    )
    p.add_argument(
        "query",
        nargs="*",
        metavar="FILE|TITLE|SEED",
        help="a file with a playlist; or tracks, as for `disco generate`; or a title",
    )
    options.add_catalogue(p)
    p.add_argument("-n", type=int, default=15, metavar="N", help="number of tracks to recommend (15)")
    options.add(p, recommend, "title")
    p.add_argument("--playlist", metavar="NAME", help="which playlist, where the file has several")
    options.add(
        p,
        recommend,
        "recommender",
        help=f"{', '.join(RECOMMENDERS)}, {', '.join(METHODS)} once trained, a model's folder, or, "
        f"over the network, {', '.join(ONLINE)}",
    )
    options.add_enrichment(p)
    options.add_json(p)
    options.add_verbosity(p)
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Print the best tracks for the query."""
    p = parser()
    arguments = p.parse_args(argv)
    console.set_verbosity(arguments.quiet, arguments.verbose)
    if not any(text.strip() for text in arguments.query) and not arguments.title.strip():
        p.error("give a file with a playlist, tracks, or a title")
    if arguments.n < 1:
        p.error("-n must be 1 or more")
    catalogue = options.open_catalogue(
        arguments.catalogue, arguments.enrich_from, arguments.corrections, cache=arguments.cache
    )
    if notice := data_notice(arguments.recommender):
        log.info("%s", notice)
    found = recommend(catalogue, arguments.query, **options.values(arguments, recommend)).to_dict()
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _show(found["tracks"], found["scores_are"])
    return 0


def _show(tracks: Sequence[dict[str, Any]], scores_are: str) -> None:
    print(f"{'':>4}  {'Title':<40}  {'Artist':<30}  {scores_are.capitalize():>10}")
    for track in tracks:
        title, artist = (_cut(printable(track[name]), n) for name, n in (("title", 40), ("artist", 30)))
        number = f"{track['score']:.1%}" if scores_are == "confidence" else f"{track['score']:.4g}"
        print(f"{track['position']:>4}  {title:<40}  {artist:<30}  {number:>10}")


def _cut(text: str, n: int) -> str:
    return text if len(text) <= n else f"{text[: n - 1]}…"
