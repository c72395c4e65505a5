"""The command `disco prepare PLAYLISTS... --tracks FILE --output FOLDER`."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

from disco.cli import console, options
from disco.training.prepare import Report, prepare


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
    add("--output", type=Path, required=True, metavar="FOLDER", help="where to write the prepared tables")
    add("--minimum-length", type=int, default=10, metavar="N", help="fewest tracks of a playlist (10)")
    add("--maximum-length", type=int, default=0, metavar="N", help="most tracks of a playlist (0: no limit)")
    add("--minimum-coverage", type=float, default=0.0, metavar="SHARE", help="of tracks that the catalogue knows")
    options.option(
        p,
        "--known-tracks-only",
        old=["--covered-only"],
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
    add("--quiet", action="store_true", help="print errors and skipped slices alone on stderr")
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Read playlists, match their tracks, and write those that are kept, split and counted."""
    p = parser()
    arguments = vars(p.parse_args(argv))
    as_json = arguments.pop("json")
    console.set_verbosity(arguments.pop("quiet"))
    default = 0.0 if arguments["hold_out"] else 0.1
    test = default if arguments["test"] is None else arguments["test"]
    if not (min(arguments["validation"], test) >= 0 and arguments["validation"] + test < 1):
        p.error("--validation and --test are shares, together less than 1")
    if not 0 <= arguments["minimum_coverage"] <= 1:
        p.error("--minimum-coverage is a share, 0 to 1")
    report = prepare(**arguments)
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        show(report)
    return 0
