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
        "set that were still to come, and among 400 of the DJ's collection or of the catalogue, by the costs of "
        "DISCO and of other programs.",
    )
    v.add_argument(
        "--sets",
        type=Path,
        required=True,
        metavar="FILE",
        help="Parquet or CSV with set_id, position, tempo_bpm, key, mode, and perhaps kind, dj, artist, title, "
        "genre, track_id",
    )
    options.add_catalogue(v, default="none: energies stay unknown, and no others are drawn from it")
    options.add_enrichment(v)
    v.add_argument(
        "--among-many",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="rank also among 400 of the DJ's collection and of the catalogue (yes)",
    )
    options.add_random_seed(v, "for what is drawn, and the intervals")
    v.add_argument("--json", action="store_true", help="print one JSON object")
    v.set_defaults(measure=_measure, show=_show)


def _measure(catalogue: Catalogue | None, arguments: argparse.Namespace) -> dict[str, Any]:
    return dj(arguments.sets, catalogue, random_seed=arguments.random_seed, among_many=arguments.among_many)


def _show(results: dict[str, Any]) -> None:
    print(f"{'cost':<41}{'cases':<41}{'n':>7}{'hit@1':>8}{'95 %':>14}{'hit@10':>8}{'MRR':>8}{'percentile':>12}")
    for r in results["costs"]:
        low, high = r["interval"]["hit@1"]
        bounds = f"{low:.3f}-{high:.3f}"
        print(f"{r['cost']:<41}{r['cases']:<41}{r['n']:>7,}{r['hit@1']:>8.3f}{bounds:>14}", end="")
        print(f"{r['hit@10']:>8.3f}{r['mrr']:>8.3f}{r['percentile']:>12.3f}")
    print(f"\n{'order':<26}{'cases':<24}{'sets':>7}{'pairs':>7}{'neighbours kept':>17}{'95 %':>14}")
    for r in results["orders"]:
        low, high = r["interval"]
        print(f"{r['order']:<26}{r['cases']:<24}{r['sets']:>7,}{r['pairs']:>7,}{r['kept']:>17.3f}", end="")
        print(f"{f'{low:.3f}-{high:.3f}':>14}")
