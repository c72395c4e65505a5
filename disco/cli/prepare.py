"""Door: raw playlists to Parquet, `disco prepare PLAYLISTS... --tracks FILE --output FOLDER`.

Every slice becomes a part of its own, several at a time; a run that was stopped goes on after the parts
that are there. Then the entries find their tracks in the catalogue by id, or else by artist and title;
playlists are left out by length, coverage and sameness; the rest is split by what it holds, so that no
list of tracks is in two splits. In FOLDER: `playlists.parquet` (playlist_id, title, position, track_id,
source, split), `tracks.parquet` and `report.json`, which counts everything.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from disco.cli import console, options
from disco.evaluation import splitting
from disco.sources.files import playlist_tables, tables
from disco.training.prepare import _FILES, Report, new_files, prepare, write_parts

# --- Slices to parts


# --- Parts to playlists


def show(report: Report) -> None:
    """Print a report as a table on stdout."""
    sections = {
        "slices": {"read": report["slices"]["read"], "skipped": len(report["slices"]["broken"])},
        "playlists": {
            **{name: report["playlists"][name] for name in ("read", "empty")},
            **report["playlists"]["left_out"],
            **{name: report["playlists"][name] for name in ("kept", "renamed")},
        },
        "entries": report["entries"],
        **{f"{name} split": sizes for name, sizes in report["splits"].items()},
        "tracks": {name: report["tracks"][name] for name in ("catalogue", "used", "written")},
    }
    for head, counts in sections.items():
        for i, (name, count) in enumerate(counts.items()):
            print(f"{head if i == 0 else '':<18}{name.replace('_', ' '):<24}{count:>14,}")


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    p = argparse.ArgumentParser("disco prepare", description="Turn raw playlists into Parquet, joined and split.")
    add = p.add_argument
    add("playlists", nargs="+", metavar="PLAYLISTS", help="table, slice, or folder or zip file of slices")
    add("--tracks", action="append", required=True, metavar="FILE", help="table of tracks; several are merged")
    add("--names", metavar="FILE", help="table track_id, title, artist of tracks that the others do not name")
    add("--output", type=Path, required=True, metavar="FOLDER")
    add("--minimum-length", type=int, default=10, metavar="N", help="fewest tracks of a playlist (10)")
    add("--maximum-length", type=int, default=0, metavar="N", help="most tracks of a playlist (0: no limit)")
    add("--minimum-coverage", type=float, default=0.0, metavar="SHARE", help="of tracks that the catalogue knows")
    options.option(
        p,
        "--known-tracks-only",
        old=["--covered-only"],
        dest="covered_only",
        action="store_true",
        help="leave out tracks that the catalogue does not have",
    )
    add("--keep-repeats", action="store_true", help="keep a track's later occurrences in a playlist")
    add("--keep-duplicates", action="store_true", help="keep playlists of the same tracks in the same order")
    add("--validation", type=float, default=0.05, metavar="SHARE", help="of the playlists (0.05)")
    add("--test", type=float, metavar="SHARE", help="of the playlists (0.1, or 0 with --hold-out)")
    add("--hold-out", action="append", default=[], metavar="SOURCE", help="playlists of this source are all test")
    options.option(
        p,
        "--random-seed",
        old=["--seed"],
        dest="seed",
        type=int,
        default=1,
        metavar="N",
        help="of the split (1)",
    )
    add("--used-tracks-only", action="store_true", help="write only tracks that occur, not the whole catalogue")
    add("--processes", type=int, default=min(4, os.cpu_count() or 1), metavar="N", help="that read slices")
    add("--keep-parts", action="store_true", help="keep what was read, to try other filters soon")
    add("--force", action="store_true", help="replace files that are there")
    add("--json", action="store_true", help="print the report as one JSON object")
    add("--quiet", action="store_true", help="say nothing but errors and skipped slices on stderr")
    return p


def _rules(parser: argparse.ArgumentParser, said: argparse.Namespace) -> splitting.SplitRules:
    test = said.test if said.test is not None else 0.0 if said.hold_out else 0.1
    if not (min(said.validation, test) >= 0 and said.validation + test < 1):
        parser.error("--validation and --test are shares, together less than 1")
    if not 0 <= said.minimum_coverage <= 1:
        parser.error("--minimum-coverage is a share, 0 to 1")
    given = {name: getattr(said, name) for name in splitting.SplitRules.__dataclass_fields__}
    return splitting.SplitRules(**given | {"test": test, "hold_out": tuple(said.hold_out)})


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Read playlists, find their tracks, and write those that are kept, split and counted."""
    p = parser()
    said = p.parse_args(argv)
    console.set_verbosity(said.quiet)
    rules = _rules(p, said)
    places = [place for where in said.playlists for place in playlist_tables.find(where)]
    with new_files(said.output, said.force, said.keep_parts) as (folder, fresh):
        catalogue = options.open_catalogue(said.tracks)
        named = tables.read(said.names) if said.names else None
        names = playlist_tables.Names(catalogue, named)
        parts, broken = write_parts(places, folder, said.processes)
        report, used = prepare(parts, names, rules, fresh)
        chosen = catalogue.take(np.flatnonzero(used)) if said.used_tracks_only else catalogue
        # A track whose artist is known is found by it, and may be played.
        chosen = chosen.fill(named) if named else chosen
        tables.write(chosen, fresh / _FILES[1])
        tracks = {"where": catalogue.where, "catalogue": len(catalogue), "used": int(used.sum())}
        report = {
            "slices": {"read": len(parts), "broken": broken},
            **report,
            "tracks": {**tracks, "written": len(chosen)},
            "rules": asdict(rules),
        }
        text = json.dumps(report, ensure_ascii=False, indent=2)
        (fresh / _FILES[2]).write_text(text + "\n", encoding="utf-8")
    if not said.quiet:
        remark(report)
    if said.json:
        print(text)
    else:
        show(report)
    return 0


def remark(report: Report) -> None:
    """Say on stderr what a report holds that its reader may not expect."""
    unknown, read = report["entries"]["unknown"], report["entries"]["read"]
    if unknown and not report["rules"]["covered_only"]:
        kept = "they keep their own ids (--known-tracks-only leaves them out)"
        console.say(f"{unknown:,} of {read:,} entries are of tracks that the catalogue does not know; {kept}")
    if n := report["playlists"]["left_out"]["no_track_known"]:
        console.say(f"{n:,} playlists have no track that the catalogue knows; they are left out")
