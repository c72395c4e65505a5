"""Door: what is in a table of tracks. `python -m disco.catalogue info PATH...`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow.compute as pc

from disco import cli
from disco.catalogue import FEATURES, SCHEMA, Catalogue
from disco.catalogue.text import printable


def info(catalogue: Catalogue) -> dict[str, Any]:
    """Facts about a catalogue: how many tracks, what share of them each column covers, ranges, genres."""
    n = len(catalogue)
    columns = [field.name for field in SCHEMA if field.name not in FEATURES and field.name != "feature_set"]
    covered = {name: int(pc.sum(pc.is_valid(catalogue.table[name])).as_py() or 0) for name in columns}
    sets = catalogue.table["feature_set"].drop_null().value_counts().to_pylist()
    genres = pc.value_counts(catalogue.table["genres"].combine_chunks().flatten()).to_pylist()
    tempos = catalogue.tempos[~np.isnan(catalogue.tempos)]
    return {
        "where": catalogue.where,
        "tracks": n,
        "eight_features": int(catalogue.measured.sum()),
        "covered": covered,
        "feature_sets": {row["values"]: row["counts"] for row in sets},
        "tempo_bpm": [round(float(q), 1) for q in np.quantile(tempos, [0.05, 0.5, 0.95])] if len(tempos) else None,
        "genres": {r["values"]: r["counts"] for r in sorted(genres, key=lambda r: (-r["counts"], r["values"]))[:10]},
        "notes": list(catalogue.notes),
    }


def _show(facts: dict[str, Any]) -> None:
    n = facts["tracks"]
    print(f"{printable(facts['where'])}\n{n:,} tracks\n")
    for note in facts["notes"]:
        print(printable(f"  {note}"))
    print("\ncovered")
    for name, count in {"all eight features": facts["eight_features"], **facts["covered"]}.items():
        print(f"  {name:<20}{count:>12,}{count / n:>8.1%}")
    sets = ", ".join(f"{printable(name)} ({count:,})" for name, count in facts["feature_sets"].items())
    print(f"\nfeatures measured by  {sets or 'nobody'}")
    if facts["tempo_bpm"]:
        print("tempo (5, 50, 95 %)   " + ", ".join(f"{tempo:.0f}" for tempo in facts["tempo_bpm"]) + " BPM")
    if facts["genres"]:
        genres = ", ".join(f"{printable(name)} ({count:,})" for name, count in facts["genres"].items())
        print(f"most frequent genres  {genres}")


@cli.door
def main(argv: Sequence[str] | None = None) -> int:
    """Show how many tracks there are, what is known of them, and from where."""
    p = argparse.ArgumentParser(prog="disco catalogue", description="Look into tables of tracks.")
    verbs = p.add_subparsers(dest="verb", required=True, metavar="VERB")
    v = verbs.add_parser("info", help="how many tracks, what is known of them, from where")
    v.add_argument("paths", nargs="*", metavar="PATH", help="tables of tracks (default: the embedded demo)")
    v.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = p.parse_args(argv)
    facts = info(cli.open_catalogue(arguments.paths, quiet=True))
    if arguments.json:
        print(json.dumps(facts, ensure_ascii=False, indent=2))
    else:
        _show(facts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
