"""Door: the tracks that belong to a playlist, or to a title. `disco recommend --help`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from disco.catalogue import Catalogue, Rows
from disco.catalogue.text import printable
from disco.cli import console, options
from disco.errors import DiscoError
from disco.models.recommenders import (
    DATA_NOTICES,
    METHODS,
    ONLINE,
    RECOMMENDERS,
    Query,
    Recommender,
    default_recommender,
    load_recommender,
)
from disco.playlist.candidates import no_candidates_reason
from disco.sources import looks_like_file, playlist_files
from disco.sources.tracklist import Entry, Tracklist

# A lone text that is answered worse than this by every track is a title, to those who read titles.
_SURELY = 0.9
# No track is called by so many characters.
_LONGEST_NAME = 300


def parser() -> argparse.ArgumentParser:
    """The options of this door."""
    p = argparse.ArgumentParser(
        prog="disco recommend",
        description="Name the tracks that belong to a playlist, to some tracks, or to a title.",
        epilog="example: disco recommend mine.csv --recommender playlist-knn -n 5 --catalogue tracks.parquet",
    )
    p.add_argument(
        "asked",
        nargs="*",
        metavar="FILE|TITLE|SEED",
        help="a file with a playlist; or tracks, as for `disco generate`; or a title",
    )
    p.add_argument("--playlist", metavar="NAME", help="which one, where the file has several")
    p.add_argument(
        "--recommender",
        metavar="NAME",
        help=f"{', '.join(RECOMMENDERS)}, {', '.join(METHODS)} once trained, a model's folder, or, "
        f"over the network, {', '.join(ONLINE)}",
    )
    p.add_argument("-n", type=int, default=15, metavar="N", help="tracks to name (15)")
    p.add_argument("--title", default="", metavar="TEXT", help="title of the playlist, for recommenders that read it")
    options.add_catalogue(p)
    p.add_argument("--json", action="store_true", help="print one JSON object")
    p.add_argument("--quiet", action="store_true", help="print no notes")
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Print the best tracks for what was asked."""
    p = parser()
    arguments = p.parse_args(argv)
    asked = [text for text in arguments.asked if text.strip()]
    if not asked and not arguments.title.strip():
        p.error("give a file with a playlist, tracks, or a title")
    if arguments.n < 1:
        p.error("-n must be 1 or more")
    catalogue = options.open_catalogue(
        arguments.catalogue, arguments.quiet, arguments.enrich_from, arguments.corrections
    )
    named = arguments.recommender
    console.say_all([DATA_NOTICES[named]] if named in DATA_NOTICES else [], arguments.quiet)
    recommender = load_recommender(named, catalogue) if named else default_recommender(catalogue)
    seeds, title = understood(asked, arguments.title, catalogue, recommender, arguments.quiet, arguments.playlist)
    # What has no title or artist could not be shown.
    query = Query(seeds, title, catalogue.has_title_and_artist)
    found = recommender.recommend(query, arguments.n)
    if not len(found.rows):
        raise DiscoError(no_candidates_reason(recommender, query))
    if len(found.rows) < arguments.n and not arguments.quiet:
        console.say(
            f"only {len(found.rows)} of {arguments.n} tracks: {recommender.name} knows no others in this catalogue"
        )
    tracks = [
        {
            "position": i + 1,
            "id": track["track_id"],
            "title": track["title"],
            "artist": ", ".join(track["artists"] or []),
            "score": round(float(score), 6),
        }
        for i, (track, score) in enumerate(zip(catalogue.tracks(found.rows), found.scores, strict=True))
    ]
    what = "confidence" if recommender.gives_probabilities else "score"
    if arguments.json:
        said = {
            "recommender": recommender.name,
            "catalogue": {"where": catalogue.where, "tracks": len(catalogue)},
            "title": title,
            "seeds": catalogue.ids(seeds),
            "scores_are": what,
            "tracks": tracks,
        }
        print(json.dumps(said, ensure_ascii=False, indent=2))
    else:
        _show(tracks, what)
    return 0


def understood(
    asked: Sequence[str],
    title: str,
    catalogue: Catalogue,
    recommender: Recommender,
    quiet: bool,
    playlist: str | None = None,
) -> tuple[Rows, str]:
    """Seeds and title that the arguments mean: a file's, tracks, or a lone title; `playlist` is which of a file.

    Raises
    ------
    DiscoError
        If a file holds no playlist or several, or a track is not found.
    """
    files = [text for text in asked if looks_like_file(text)]
    if files and len(asked) > 1:
        raise DiscoError(f"{files[0]} is a file; give one file alone, or tracks alone")
    if files:
        listed = playlist_files.read(files[0], playlist)
        seeds = listed.rows(catalogue)
        title = title or listed.name
        if not len(seeds) and not (title.strip() and recommender.reads_titles):
            raise DiscoError(f"none of the {len(listed.ids):,} tracks of {files[0]} is in {catalogue.where}")
        if len(seeds) < len(listed.ids) and not quiet:
            console.say(f"{len(seeds):,} of the {len(listed.ids):,} tracks of {files[0]} are in {catalogue.where}")
        return seeds, title
    if playlist is not None:
        raise DiscoError(f"--playlist {playlist!r} needs a file with playlists")
    if len(asked) == 1 and not title.strip() and recommender.reads_titles and not _is_track(asked[0], catalogue):
        if not quiet:
            console.say(f"{asked[0][:80]!r} is taken as a title: no track is surely called so")
        return np.empty(0, dtype=np.intp), asked[0]
    if too_long := next((text for text in asked if len(text) > _LONGEST_NAME), None):
        raise DiscoError(f"no track found for a text of {len(too_long):,} characters")
    return catalogue.find(*asked), title


def _is_track(text: str, catalogue: Catalogue) -> bool:
    """Whether a text is an id, or surely the name of a track."""
    if len(text) > _LONGEST_NAME:
        return False
    if len(Tracklist("", [Entry(text.strip())]).rows(catalogue)):
        return True
    matches = catalogue.search(text, 1)
    return bool(matches) and matches[0].exact and matches[0].score >= _SURELY


def _show(tracks: Sequence[dict[str, Any]], what: str) -> None:
    print(f"{'':>4}  {'Title':<40}  {'Artist':<30}  {what.capitalize():>10}")
    for track in tracks:
        title, artist = (_cut(printable(track[name]), n) for name, n in (("title", 40), ("artist", 30)))
        number = f"{track['score']:.1%}" if what == "confidence" else f"{track['score']:.4g}"
        print(f"{track['position']:>4}  {title:<40}  {artist:<30}  {number:>10}")


def _cut(text: str, n: int) -> str:
    return text if len(text) <= n else f"{text[: n - 1]}…"
