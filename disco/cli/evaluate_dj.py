"""`disco evaluate dj`: rank what DJs really played next."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from disco.catalogue import Catalogue
from disco.cli import options
from disco.evaluation.dj import dj


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    v = verbs.add_parser(
        "dj",
        help="rank what DJs really played next, by each cost of a transition",
        description="At each transition of DJs' sets, rank the track that was really played next among those of the "
        "set that were still to come, by the costs of DISCO and of other programs.",
    )
    v.add_argument(
        "--sets",
        type=Path,
        required=True,
        metavar="FILE",
        help="Parquet or CSV with set_id, position, tempo_bpm, key, mode, and perhaps kind, dj, artist, title, "
        "genre, track_id",
    )
    options.add_catalogue(v, default="none: energies stay unknown")
    options.add_enrichment(v)
    options.add_random_seed(v, "for the intervals")
    v.add_argument("--json", action="store_true", help="print one JSON object")
    v.set_defaults(measure=_measure, show=_show)


def _measure(catalogue: Catalogue | None, arguments: argparse.Namespace) -> dict[str, Any]:
    return dj(arguments.sets, catalogue, random_seed=arguments.random_seed)


def _show(results: dict[str, Any]) -> None:
    print(f"{'cost':<26}{'cases':<24}{'n':>7}{'hit@1':>8}{'95 %':>14}{'MRR':>8}{'percentile':>12}")
    for r in results["costs"]:
        low, high = r["interval"]["hit@1"]
        bounds = f"{low:.3f}-{high:.3f}"
        print(f"{r['cost']:<26}{r['cases']:<24}{r['n']:>7,}{r['hit@1']:>8.3f}{bounds:>14}{r['mrr']:>8.3f}", end="")
        print(f"{r['percentile']:>12.3f}")
