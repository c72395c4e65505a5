"""Door: how good is it, on whose playlists. `disco evaluate next-track|continuation|flow --help`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from disco.cli import console, options
from disco.evaluation import continuation
from disco.evaluation.baselines import BASELINES
from disco.evaluation.protocols import continuations, flows, next_tracks
from disco.playlist.cost import Knobs
from disco.playlist.make import make
from disco.playlist.mixing import Mixing

# Where the published spicyness of 1.2 comes from can be seen around it.
SPICYNESS = (1.2,)


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    p = argparse.ArgumentParser(prog="disco evaluate", description="How good is it, on whose playlists?")
    verbs = p.add_subparsers(dest="verb", required=True, metavar="VERB")
    v = verbs.add_parser(
        "next-track",
        help="is the true next track found among 399 others?",
        description="At each place of a playlist from the sixth track on, rank the true next track among 399 others.",
    )
    _add_playlists(v, "training playlists, to know warm tracks; may be the same")
    v.add_argument("--predictor", action="append", metavar="NAME", help="a predictor, or a model's folder; several")
    v.add_argument(
        "--spicyness", type=float, nargs="+", default=list(SPICYNESS), metavar="X", help="one row for each (1.2)"
    )
    v.add_argument("--history", type=int, metavar="N", help="hear only the N tracks before")
    v.add_argument("--shuffle", action="store_true", help="hear the tracks before in a random order")
    options.option(
        v,
        "--hard-negatives",
        old=["--hard"],
        action="store_true",
        help="sample the others from the true track's genre",
    )
    v.add_argument("--hide-genres", action="store_true", help="let predictors hear no genre, only features")
    v.add_argument("--cases", type=int, default=10_000, metavar="N", help="at most N cases of each set (10000)")
    options.add_random_seed(v, "for the sampling of cases and negatives")
    v.add_argument("--json", action="store_true", help="print one JSON object")
    v.set_defaults(measure=next_tracks, show=_show_next_tracks)
    v = verbs.add_parser(
        "continuation",
        help="are the other tracks of a playlist found from a few of them, or from its title?",
        description="Given the first tracks of a playlist, or its title, find all its other tracks among 500 "
        "recommendations.",
    )
    _add_playlists(v, "training playlists: adds a row for their most frequent tracks")
    v.add_argument(
        "--protocol",
        required=True,
        metavar="NAME",
        help=f"what is given: {', '.join(continuation.PROTOCOLS)} (the ten categories of the RecSys Challenge 2018)",
    )
    v.add_argument(
        "--recommender",
        action="append",
        metavar="NAME",
        help="a recommender, or a model's folder; several (all there are)",
    )
    v.add_argument(
        "--titles",
        action=argparse.BooleanOptionalAction,
        help="give the title besides the first tracks, or never (both, in a row each, for those that read titles)",
    )
    options.option(
        v, "--max-playlists", old=["--playlists-at-most"], type=int, metavar="N", help="measure at most N playlists"
    )
    options.add_random_seed(v, "for what is sampled")
    v.add_argument("--json", action="store_true", help="print one JSON object")
    v.set_defaults(measure=continuations, show=_show_continuations)
    _add_flow(verbs)
    return p


def _add_flow(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    v = verbs.add_parser(
        "flow",
        help="how do orders flow: people's, rivals' and ours?",
        description="Put the tracks of real playlists, or drawn ones, in order by everybody's way and measure keys, "
        "tempos, steps, coherence and cost; with --generate, measure what is made from seeds.",
    )
    v.add_argument("--playlists", type=Path, metavar="FILE", help="real playlists; of a column `split`, the test's")
    v.add_argument("--source", action="append", metavar="NAME", help="only playlists of this source; several")
    options.add_catalogue(v)
    options.add_enrichment(v)
    v.add_argument("--lengths", default="20-50", metavar="A-B", help="playlists of A to B measured tracks (20-50)")
    options.option(
        v,
        "--max-playlists",
        old=["--playlists-at-most"],
        type=int,
        default=200,
        metavar="N",
        help="at most N playlists (200)",
    )
    options.option(
        v,
        "--samples",
        old=["--draws"],
        type=int,
        metavar="N",
        help="instead of playlists: N sets of tracks, sampled at random",
    )
    options.option(
        v, "--sample-length", old=["--draw-length"], type=int, default=30, metavar="N", help="tracks in each (30)"
    )
    v.add_argument("--generate", type=int, metavar="N", help="instead of either: playlists from N seeds, drawn")
    v.add_argument("--length", type=int, default=20, metavar="N", help="tracks to add to each seed (20)")
    v.add_argument("--candidates", type=int, default=400, metavar="N", help="tracks to choose them from (400)")
    v.add_argument("--genre", default="", metavar="A,B", help="draw tracks or seeds, and candidates, of these genres")
    v.add_argument("--predictor", action="append", metavar="NAME", help="for --generate; several (all there are)")
    v.add_argument("--recommender", metavar="NAME", help="for --generate: whose candidates (as disco generate)")
    options.option(
        v,
        "--baseline",
        old=["--rival"],
        action="append",
        metavar="NAME",
        help=f"may be given several times (default: all): {', '.join(BASELINES)}",
    )
    g = v.add_argument_group("our cost")
    options.add(g, Knobs, *options.KNOBS)
    options.add(g, make, "artist_gap")
    options.add(v.add_argument_group("how transitions are judged"), Mixing, *options.MIXING)
    v.add_argument("--arc", metavar="ARC", help="of energy, which `order` is asked for; its fit is measured for all")
    options.add_random_seed(v, "for what is sampled")
    v.add_argument("--json", action="store_true", help="print one JSON object")
    v.set_defaults(measure=flows, show=_show_flows)


def _add_playlists(v: argparse.ArgumentParser, train: str) -> None:
    v.add_argument(
        "--playlists",
        type=Path,
        required=True,
        metavar="FILE",
        help="test playlists; of a prepared table with a column `split`, those of the test",
    )
    v.add_argument("--source", action="append", metavar="NAME", help="only playlists of this source; several")
    options.add_catalogue(v)
    options.add_enrichment(v)
    v.add_argument("--train", type=Path, metavar="FILE", help=train)


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Measure predictors or recommenders and print one row for each and its set of cases."""
    arguments = parser().parse_args(argv)
    catalogue = options.open_catalogue(arguments.catalogue, arguments.enrich_from, arguments.corrections, notes=False)
    said = arguments.measure(catalogue, arguments)
    if arguments.json:
        print(json.dumps(said, indent=2))
    else:
        arguments.show(said)
    return 0


def _show_next_tracks(said: dict[str, Any]) -> None:
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


def _show_continuations(said: dict[str, Any]) -> None:
    heads = f"{'recommender':<18}{'given':<22}{'n':>6}{'R-prec.':>9}{'95 %':>16}{'+artists':>10}{'NDCG':>8}"
    print(f"{heads}{'95 %':>16}{'clicks':>8}{'95 %':>14}{'coverage':>10}{'@10':>8}")
    for r in said["recommenders"]:
        bounds = {name: f"{low:.3f}-{high:.3f}" for name, (low, high) in r["interval"].items()}
        low, high = r["interval"]["clicks"]
        print(
            f"{r['recommender']:<18}{r['category']:<22}{r['n']:>6,}{r['r_precision']:>9.4f}"
            f"{bounds['r_precision']:>16}{r['r_precision_artists']:>10.4f}{r['ndcg']:>8.4f}{bounds['ndcg']:>16}"
            f"{r['clicks']:>8.2f}{f'{low:.2f}-{high:.2f}':>14}{r['coverage']:>10,}{r['coverage@10']:>8,}"
        )
    print("\n" + ", ".join(f"{name} {value}" for name, value in said["protocol"].items() if value is not None))


def _show_flows(said: dict[str, Any]) -> None:
    names = {"key fifths": "keys", "key camelot": "Camelot", "tempo_change": "BPM %", "within_5": "in 5 %"}
    names |= {"step": "step", "worst_step": "worst", "coherence": "coher.", "same_artist": "artist", "cost": "cost"}
    generated = any("step_ratio" in r for r in said["orders"])
    names |= {"step_ratio": "ratio"} if generated else {"gap": "gap"}
    print(f"{'way':<30}" + "".join(f"{name:>9}" for name in names.values()) + f"{'own cost':>14}")
    for r in said["orders"]:
        values = "".join(f"{'?' if r.get(name) is None else format(r[name], '.3f'):>9}" for name in names)
        own = f"{r['own']['ratio']:.3f}, {r['own']['no_dearer']}/{r['n']}" if "own" in r else ""
        print(f"{r['method']:<30}{values}{own:>14}")
    print("\n" + ", ".join(f"{name} {value}" for name, value in said["protocol"].items() if value is not None))
