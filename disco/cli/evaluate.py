"""`disco evaluate next-track|continuation|flow|end-to-end|dj`: measure models, orders and whole configurations."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from disco.catalogue import Catalogue
from disco.cli import console, evaluate_dj, options
from disco.errors import DiscoError
from disco.evaluation import protocols
from disco.evaluation.baselines import BASELINES
from disco.evaluation.configurations import CONFIGURATIONS, play_all
from disco.evaluation.continuation import PROTOCOLS
from disco.evaluation.methods import DEFAULT
from disco.evaluation.variants import VARIANTS
from disco.evaluation.whole_playlists import Play
from disco.playlist.cost import Knobs
from disco.playlist.make import make
from disco.playlist.mixing import Mixing
from disco.playlist.parsing import parse_arc

# Options of `disco generate` that describe one more configuration.
_MODELS = ("predictor", "recommender", "sequencer", "candidates", "width", "artist_gap", "max_per_artist")
_CONFIGURED = (*_MODELS, *options.KNOBS, "relevance", *options.MIXING, "avoid_clashes")


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    p = argparse.ArgumentParser(
        prog="disco evaluate",
        description="Measure predictors, recommenders, orders and whole configurations on playlists.",
    )
    verbs = p.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_next_track(verbs)
    _add_continuation(verbs)
    _add_flow(verbs)
    _add_end_to_end(verbs)
    evaluate_dj.add(verbs)
    return p


def _add_next_track(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    v = verbs.add_parser(
        "next-track",
        help="rank the true next track among 399 sampled others",
        description="At each position of a playlist from the sixth track on, rank the true next track among 399 "
        "sampled others.",
    )
    _add_playlists(v, "training playlists: they define the warm tracks and add a popularity baseline")
    v.add_argument(
        "--predictor",
        action="append",
        metavar="NAME",
        help="a predictor, or the folder of a model; may be given several times (default: all that are shipped)",
    )
    v.add_argument(
        "--spicyness",
        type=float,
        nargs="+",
        default=[1.2],
        metavar="X",
        help="factor of the predicted vector; one row for each (1.2)",
    )
    v.add_argument("--history", type=int, metavar="N", help="give the predictor only the N previous tracks")
    v.add_argument("--shuffle", action="store_true", help="give the predictor the previous tracks in a random order")
    options.option(
        v,
        "--hard-negatives",
        old=["--hard"],
        action="store_true",
        help="sample the others from the true track's genre",
    )
    v.add_argument("--hide-genres", action="store_true", help="hide genres from the predictors")
    v.add_argument("--cases", type=int, default=10_000, metavar="N", help="at most N cases of each set (10000)")
    options.add_random_seed(v, "for the sampling of cases and negatives")
    v.add_argument("--json", action="store_true", help="print one JSON object")
    v.set_defaults(measure=_next_track, show=_show_next_track)


def _add_continuation(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    v = verbs.add_parser(
        "continuation",
        help="find the withheld tracks of a playlist from its first ones, or from its title",
        description="Given the first tracks of a playlist, or its title, find its other tracks with 500 "
        "recommendations.",
    )
    _add_playlists(v, "training playlists: they add a popularity baseline")
    v.add_argument(
        "--protocol",
        required=True,
        metavar="NAME",
        help=f"what is given: {', '.join(PROTOCOLS)} (the ten categories of the RecSys Challenge 2018)",
    )
    v.add_argument(
        "--recommender",
        action="append",
        metavar="NAME",
        help="a recommender, or the folder of a model; may be given several times (default: all that fit)",
    )
    v.add_argument(
        "--titles",
        action=argparse.BooleanOptionalAction,
        help="give the title besides the first tracks, or never (default: both, a row each, for recommenders that "
        "read titles)",
    )
    options.option(
        v, "--max-playlists", old=["--playlists-at-most"], type=int, metavar="N", help="measure at most N playlists"
    )
    options.add_random_seed(v, "for what is sampled")
    v.add_argument("--json", action="store_true", help="print one JSON object")
    v.set_defaults(measure=_continuation, show=_show_continuation)


def _add_flow(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    v = verbs.add_parser(
        "flow",
        help="compare orders: people's, the baselines' and DISCO's",
        description="Order the tracks of real playlists, or sampled tracks, by every method and measure keys, "
        "tempos, steps, coherence and cost; with --generate, measure playlists made from seeds.",
    )
    v.add_argument(
        "--playlists", type=Path, metavar="FILE", help="real playlists; of a prepared table those of its test split"
    )
    _add_source(v)
    options.add_catalogue(v)
    options.add_enrichment(v)
    v.add_argument(
        "--lengths", default="20-50", metavar="A-B", help="playlists of A to B tracks with features (20-50)"
    )
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
    v.add_argument(
        "--generate", type=int, metavar="N", help="instead of either: playlists made from N seeds, sampled at random"
    )
    v.add_argument("--length", type=int, default=20, metavar="N", help="tracks to add to each seed (20)")
    v.add_argument("--candidates", type=int, default=400, metavar="N", help="tracks to choose them from (400)")
    v.add_argument(
        "--genre", default="", metavar="A,B", help="sample tracks and seeds, and recommend, of these genres only"
    )
    v.add_argument(
        "--predictor", action="append", metavar="NAME", help="for --generate; several (default: all that are shipped)"
    )
    v.add_argument(
        "--recommender", metavar="NAME", help="for --generate: what recommends the candidates (as in disco generate)"
    )
    options.option(
        v,
        "--baseline",
        old=["--rival"],
        action="append",
        metavar="NAME",
        help=f"may be given several times (default: all): {', '.join(BASELINES)}",
    )
    g = v.add_argument_group("the cost")
    options.add(g, Knobs, *options.KNOBS)
    options.add(g, make, "artist_gap")
    options.add(v.add_argument_group("how transitions are graded"), Mixing, *options.MIXING)
    v.add_argument(
        "--arc", metavar="ARC", help="energy arc that `order` aims at; its fit is measured for all methods"
    )
    options.add_random_seed(v, "for what is sampled")
    v.add_argument("--json", action="store_true", help="print one JSON object")
    v.set_defaults(measure=_flow, show=_show_flow)


def _add_end_to_end(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    v = verbs.add_parser(
        "end-to-end",
        help="play whole playlists from the first tracks of real ones",
        description="From the first tracks of real playlists, or their titles, play ten more by whole configurations "
        "and measure how many belong to the playlist and how well they mix.",
    )
    _add_playlists(v, "training playlists: they say what is popular")
    v.add_argument(
        "--split",
        default="test",
        metavar="NAME",
        help="of a prepared table: choose on validation (test)",
    )
    v.add_argument(
        "--seeds",
        default="3",
        metavar="N",
        help="the first N tracks are given, or the title alone: title (3)",
    )
    v.add_argument("--max-playlists", type=int, metavar="N", help="at most N playlists, sampled at random")
    v.add_argument(
        "--names",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="table track_id, title, artist of tracks of the playlists whose ids the catalogue does not have",
    )
    v.add_argument("--variant", choices=VARIANTS, help="what is hidden from the configurations, or made smaller")
    options.add(v, make, "include", "exclude")
    v.add_argument(
        "--configuration",
        action="append",
        default=[],
        metavar="NAME",
        help=f"may be given several times: {', '.join(CONFIGURATIONS)}, a recommender or the folder of one (default: "
        f"{DEFAULT}, published, seeds' artists, and with --train popular tracks)",
    )
    g = v.add_argument_group("one more configuration; what is not named is the default")
    options.add(g, make, *_CONFIGURED, default=None)
    options.add_random_seed(v, "for the sampling of playlists and tracks")
    v.add_argument("--json", action="store_true", help="print one JSON object")
    v.set_defaults(measure=end_to_end, show=_show_end_to_end)


def _add_playlists(v: argparse.ArgumentParser, train: str) -> None:
    v.add_argument(
        "--playlists",
        type=Path,
        required=True,
        metavar="FILE",
        help="test playlists; of a prepared table with a column `split`, those of the test split",
    )
    _add_source(v)
    options.add_catalogue(v)
    options.add_enrichment(v)
    v.add_argument("--train", type=Path, metavar="FILE", help=train)


def _add_source(v: argparse.ArgumentParser) -> None:
    v.add_argument(
        "--source", action="append", metavar="NAME", help="only playlists of this source; may be given several times"
    )


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print one row for each method and set of cases."""
    arguments = parser().parse_args(argv)
    catalogue = None
    if arguments.catalogue or arguments.verb != "dj":
        catalogue = options.open_catalogue(
            arguments.catalogue, arguments.enrich_from, arguments.corrections, notes=False, cache=arguments.cache
        )
    print_results(arguments.measure(catalogue, arguments), arguments)
    return 0


def print_results(results: dict[str, Any], arguments: argparse.Namespace) -> None:
    """Print what was measured, as one JSON object or as a table and the protocol."""
    if arguments.json:
        print(json.dumps(results, indent=2))
    else:
        arguments.show(results)
        print("\n" + ", ".join(f"{name} {value}" for name, value in results["protocol"].items() if value is not None))


def _next_track(catalogue: Catalogue, arguments: argparse.Namespace) -> dict[str, Any]:
    return protocols.next_track(
        catalogue,
        arguments.playlists,
        source=arguments.source,
        train=arguments.train,
        predictor=arguments.predictor,
        spicyness=arguments.spicyness,
        history=arguments.history,
        shuffle=arguments.shuffle,
        hard_negatives=arguments.hard_negatives,
        hide_genres=arguments.hide_genres,
        cases=arguments.cases,
        random_seed=arguments.random_seed,
    )


def _continuation(catalogue: Catalogue, arguments: argparse.Namespace) -> dict[str, Any]:
    return protocols.continuation(
        catalogue,
        arguments.playlists,
        protocol=arguments.protocol,
        source=arguments.source,
        train=arguments.train,
        recommender=arguments.recommender,
        titles=arguments.titles,
        max_playlists=arguments.max_playlists,
        random_seed=arguments.random_seed,
    )


def _flow(catalogue: Catalogue, arguments: argparse.Namespace) -> dict[str, Any]:
    return protocols.flow(
        catalogue,
        arguments.playlists,
        samples=arguments.samples,
        generate=arguments.generate,
        source=arguments.source,
        lengths=_lengths(arguments.lengths),
        max_playlists=arguments.max_playlists,
        sample_length=arguments.sample_length,
        length=arguments.length,
        candidates=arguments.candidates,
        genre=arguments.genre.split(",") if arguments.genre else (),
        predictor=arguments.predictor,
        recommender=arguments.recommender,
        baseline=arguments.baseline,
        knobs=Knobs(arguments.flow, arguments.spicyness, arguments.sweetness, arguments.smoothness),
        mixing=options.mixing(arguments),
        artist_gap=arguments.artist_gap,
        arc=parse_arc(arguments.arc),
        random_seed=arguments.random_seed,
    )


def end_to_end(catalogue: Catalogue, arguments: argparse.Namespace, play: Play = play_all) -> dict[str, Any]:
    """Measure whole configurations as the arguments say."""
    named = {name: value for name in _CONFIGURED if (value := getattr(arguments, name)) is not None}
    return protocols.end_to_end(
        catalogue,
        arguments.playlists,
        configurations=[*arguments.configuration, *([named] if named else [])],
        seeds=arguments.seeds,
        source=arguments.source,
        split=arguments.split,
        train=arguments.train,
        names=arguments.names,
        variant=arguments.variant,
        include=arguments.include,
        exclude=arguments.exclude,
        max_playlists=arguments.max_playlists,
        random_seed=arguments.random_seed,
        play=play,
    )


def _lengths(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    if not (low.strip().isdecimal() and high.strip().isdecimal() and 2 <= int(low) <= int(high)):
        raise DiscoError(f"{text!r} is not a range of lengths; write it as 20-50, with at least 2 tracks")
    return int(low), int(high)


def _show_next_track(results: dict[str, Any]) -> None:
    heads = f"{'predictor':<16}{'spicyness':>10}{'cases':>7}{'n':>8}{'hit@10':>9}{'95 %':>18}"
    print(f"{heads}{'MRR':>8}{'median':>8}{'MAE':>9}")
    for r in results["predictors"]:
        low, high = r["interval"]["hit@10"]
        spicyness = "" if r["spicyness"] is None else f"{r['spicyness']:g}"
        mae = f"{r['mae']:.4f}" if "mae" in r else ""
        print(
            f"{r['predictor']:<16}{spicyness:>10}{r['cases']:>7}{r['n']:>8,}{r['hit@10']:>9.3f}"
            f"{f'{low:.3f}-{high:.3f}':>18}{r['mrr']:>8.3f}{r['median_rank']:>8.0f}{mae:>9}"
        )


def _show_continuation(results: dict[str, Any]) -> None:
    heads = f"{'recommender':<18}{'given':<22}{'n':>6}{'R-prec.':>9}{'95 %':>16}{'+artists':>10}{'NDCG':>8}"
    print(f"{heads}{'95 %':>16}{'clicks':>8}{'95 %':>14}{'coverage':>10}{'@10':>8}")
    for r in results["recommenders"]:
        bounds = {name: f"{low:.3f}-{high:.3f}" for name, (low, high) in r["interval"].items()}
        low, high = r["interval"]["clicks"]
        print(
            f"{r['recommender']:<18}{r['category']:<22}{r['n']:>6,}{r['r_precision']:>9.4f}"
            f"{bounds['r_precision']:>16}{r['r_precision_artists']:>10.4f}{r['ndcg']:>8.4f}{bounds['ndcg']:>16}"
            f"{r['clicks']:>8.2f}{f'{low:.2f}-{high:.2f}':>14}{r['coverage']:>10,}{r['coverage@10']:>8,}"
        )


def _show_flow(results: dict[str, Any]) -> None:
    names = {"key fifths": "keys", "key camelot": "Camelot", "tempo_change": "BPM %", "within_5": "in 5 %"}
    names |= {"step": "step", "worst_step": "worst", "coherence": "coher.", "same_artist": "artist", "cost": "cost"}
    generated = any("step_ratio" in r for r in results["orders"])
    names |= {"step_ratio": "ratio"} if generated else {"gap": "gap"}
    print(f"{'method':<30}" + "".join(f"{name:>9}" for name in names.values()) + f"{'own cost':>14}")
    for r in results["orders"]:
        values = "".join(f"{'?' if r.get(name) is None else format(r[name], '.3f'):>9}" for name in names)
        own = f"{r['own']['ratio']:.3f}, {r['own']['no_dearer']}/{r['n']}" if "own" in r else ""
        print(f"{r['method']:<30}{values}{own:>14}")


def _show_end_to_end(results: dict[str, Any]) -> None:
    names = {"track": "track", "artist": "artist", "new_artist": "new", "genre": "genre", "keys": "keys"}
    names |= {"within_3": "in 3 %", "within_6": "in 6 %", "worst": "worst", "worst_10": "<= 10 %"}
    names |= {"most_by_artist": "artist's", "over_3": "over 3", "plays": "plays"}
    lines = [
        (record["configuration"] if one is record else f"  {one['by']}: {one['part']}", one)
        for record in results["configurations"]
        for one in (record, *record["parts"])
    ]
    width = max(len(name) for name, _ in lines) + 1
    print(f"{'configuration':<{width}}{'n':>5}" + "".join(f"{name:>9}" for name in names.values()), end="")
    print(f"{'tracks':>8}{'s':>7}{'failed':>8}")
    for name, one in lines:
        values = "".join(f"{'?' if one[column] is None else format(one[column], '.3f'):>9}" for column in names)
        print(f"{name:<{width}}{one['n']:>5}{values}{one['tracks']:>8,}{one['seconds']:>7.2f}{one['failures']:>8}")
