"""Door: how good is it, on whose playlists. `python -m disco.evaluate next-track --help`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from disco import cli, next_track
from disco.catalogue import Catalogue, Rows
from disco.errors import DataError
from disco.predict import PREDICTORS, Predictor, load_predictor
from disco.sources import playlists

# Where the published spicyness of 1.2 comes from can be seen around it.
SPICYNESS = (1.2,)


def parser() -> argparse.ArgumentParser:
    """The options of this door."""
    p = argparse.ArgumentParser(prog="disco evaluate", description="How good is it, on whose playlists?")
    verbs = p.add_subparsers(dest="verb", required=True, metavar="VERB")
    v = verbs.add_parser(
        "next-track",
        help="is the true next track found among 399 others?",
        description="At each place of a playlist from the sixth track on, rank the true next track among 399 others.",
    )
    v.add_argument(
        "--playlists",
        type=Path,
        required=True,
        metavar="FILE",
        help="test playlists; of a prepared table with a column `split`, those of the test",
    )
    v.add_argument("--source", action="append", metavar="NAME", help="only playlists of this source; several")
    cli.add_catalogue(v)
    v.add_argument(
        "--train", type=Path, metavar="FILE", help="training playlists, to know warm tracks; may be the same"
    )
    v.add_argument("--predictor", action="append", metavar="NAME", help="a predictor, or a model's folder; several")
    v.add_argument(
        "--spicyness", type=float, nargs="+", default=list(SPICYNESS), metavar="X", help="one row for each (1.2)"
    )
    v.add_argument("--history", type=int, metavar="N", help="hear only the N tracks before")
    v.add_argument("--shuffle", action="store_true", help="hear the tracks before in a random order")
    v.add_argument("--hard", action="store_true", help="draw the others from the true track's genre")
    v.add_argument("--cases", type=int, default=10_000, metavar="N", help="at most N cases of each set (10000)")
    v.add_argument("--seed", type=int, default=0, metavar="N", help="for cases and others (0)")
    v.add_argument("--json", action="store_true", help="print one JSON object")
    return p


@cli.door
def main(argv: Sequence[str] | None = None) -> int:
    """Measure predictors and print one row for each, its spicyness and set of cases."""
    arguments = parser().parse_args(argv)
    catalogue = cli.open_catalogue(arguments.catalogue, quiet=True)
    said = next_tracks(catalogue, arguments)
    if arguments.json:
        print(json.dumps(said, indent=2))
    else:
        _show(said)
    return 0


def next_tracks(catalogue: Catalogue, arguments: argparse.Namespace) -> dict[str, Any]:
    """The records of the next-track protocol, and the protocol itself."""
    test, counts = _playlists(arguments.playlists, "test", catalogue, arguments.source)
    warm, heard = None, np.zeros(len(catalogue), dtype=np.intp)
    if arguments.train:
        train, _ = _playlists(arguments.train, "train", catalogue)
        heard = np.bincount(np.concatenate(train), minlength=len(catalogue)) if train else heard
        warm = heard > 0
    cases = next_track.draw(catalogue, test, warm, arguments.cases, arguments.seed, arguments.hard)
    made: list[dict[str, Any]] = []
    if arguments.train:
        # Distance 0 for the most frequent track: a space of one dimension in which every target is its top.
        space = -heard[:, None].astype(np.float32)
        top = np.full((len(cases.playlist), 1), space.min(), dtype=np.float32)
        made += next_track.records(next_track.ranks(space, top, cases), cases, predictor="popularity", spicyness=None)
    for name in arguments.predictor or PREDICTORS:
        made += _measured(load_predictor(name), catalogue, cases, arguments)
    protocol = {
        "playlists": str(arguments.playlists),
        "sources": arguments.source,
        "catalogue": catalogue.where,
        **counts,
        "others": next_track.OTHERS,
        "drawn_from": "entries of the true track's genre" if arguments.hard else "all entries",
        "first": next_track.FIRST,
        "history": arguments.history,
        "shuffled": arguments.shuffle,
        "seed": arguments.seed,
        "interval": "95 %, bootstrap over playlists",
    }
    return {"predictors": made, "protocol": protocol}


def _measured(
    predictor: Predictor, catalogue: Catalogue, cases: next_track.Cases, arguments: argparse.Namespace
) -> list[dict[str, Any]]:
    space = predictor.embed(catalogue)
    shuffled = np.random.default_rng(arguments.seed) if arguments.shuffle else None
    vectors = next_track.predictions(predictor, catalogue, space, cases, arguments.history, shuffled)
    made = []
    for spicyness in arguments.spicyness:
        found = next_track.ranks(space, np.float32(spicyness) * vectors, cases)
        made += next_track.records(found, cases, predictor=predictor.name, spicyness=spicyness)
    if predictor.predicts_features:
        made[0] |= next_track.errors(space, vectors, cases)
    return made


def _playlists(
    where: Path, split: str, catalogue: Catalogue, sources: list[str] | None = None
) -> tuple[list[Rows], dict[str, int]]:
    """Covered tracks of the playlists of a file (of its split, if it has any), and how many there were."""
    entries = playlists.read(where)
    if sources:
        entries = entries.filter(pc.is_in(entries["source"].cast(pa.string()), value_set=pa.array(sources)))
        if not len(entries):
            raise DataError(where, f"has no playlist of the source {' or '.join(sources)}")
    if "split" in entries.column_names:
        entries = entries.filter(pc.equal(entries["split"].cast(pa.string()), split))
        if not len(entries):
            raise DataError(where, f"has no playlist of the split {split!r}")
    kept = playlists.sequences(entries, catalogue, next_track.MINIMUM_LENGTH)
    if not kept:
        ids = entries["track_id"].cast(pa.string())
        known = pc.sum(pc.is_in(ids, value_set=catalogue.table["track_id"])).as_py()
        raise DataError(
            where,
            f"has no playlist with {next_track.MINIMUM_LENGTH} different tracks that {catalogue.where} has with all "
            f"features ({known or 0:,} of {len(entries):,} entries are in it at all)",
        )
    counts = {"test_playlists": len(kept), "test_entries": sum(map(len, kept)), "entries_read": len(entries)}
    return kept, counts


def _show(said: dict[str, Any]) -> None:
    heads = f"{'predictor':<16}{'spicyness':>10}{'cases':>7}{'n':>8}{'hit@10':>9}{'95 %':>18}"
    print(f"{heads}{'MRR':>8}{'median':>8}{'MAE':>9}")
    for r in said["predictors"]:
        low, high = r["interval"]["hit@10"]
        spicyness = "" if r["spicyness"] is None else f"{r['spicyness']:g}"
        mae = f"{r['mae']:.4f}" if "mae" in r else ""
        print(
            f"{r['predictor']:<16}{spicyness:>10}{r['cases']:>7}{r['n']:>8,}{r['hit@10']:>9.3f}"
            f"{f'{low:.3f}-{high:.3f}':>18}{r['mrr']:>8.3f}{r['median_rank']:>8.0f}{mae:>9}"
        )
    print("\n" + ", ".join(f"{name} {value}" for name, value in said["protocol"].items() if value is not None))


if __name__ == "__main__":
    sys.exit(main())
