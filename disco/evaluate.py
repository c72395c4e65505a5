"""Door: how good is it, on whose playlists. `python -m disco.evaluate next-track|continuation|flow --help`."""

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

from disco import cli, continuation, metrics, next_track, options, scorecard
from disco.catalogue import Catalogue, Rows
from disco.catalogue.codes import artist_numbers
from disco.errors import DataError, DiscoError
from disco.predict import PREDICTORS, Predictor, load_predictor
from disco.recommend import RECOMMENDERS, Recommender, default_recommender, load_recommender, trained
from disco.rivals import RIVALS
from disco.sequence import Wishes
from disco.sources import playlists
from disco.transition import Knobs

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
    _add_playlists(v, "training playlists, to know warm tracks; may be the same")
    v.add_argument("--predictor", action="append", metavar="NAME", help="a predictor, or a model's folder; several")
    v.add_argument(
        "--spicyness", type=float, nargs="+", default=list(SPICYNESS), metavar="X", help="one row for each (1.2)"
    )
    v.add_argument("--history", type=int, metavar="N", help="hear only the N tracks before")
    v.add_argument("--shuffle", action="store_true", help="hear the tracks before in a random order")
    v.add_argument("--hard", action="store_true", help="draw the others from the true track's genre")
    v.add_argument("--hide-genres", action="store_true", help="let predictors hear no genre, only features")
    v.add_argument("--cases", type=int, default=10_000, metavar="N", help="at most N cases of each set (10000)")
    v.add_argument("--seed", type=int, default=0, metavar="N", help="for cases and others (0)")
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
    v.add_argument("--playlists-at-most", type=int, metavar="N", help="measure at most N playlists")
    v.add_argument("--seed", type=int, default=0, metavar="N", help="for what is drawn (0)")
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
    cli.add_catalogue(v)
    v.add_argument("--lengths", default="20-50", metavar="A-B", help="playlists of A to B measured tracks (20-50)")
    v.add_argument("--playlists-at-most", type=int, default=200, metavar="N", help="at most N playlists (200)")
    v.add_argument("--draws", type=int, metavar="N", help="instead of playlists: N sets of tracks, drawn at random")
    v.add_argument("--draw-length", type=int, default=30, metavar="N", help="tracks in each (30)")
    v.add_argument("--generate", type=int, metavar="N", help="instead of either: playlists from N seeds, drawn")
    v.add_argument("--length", type=int, default=20, metavar="N", help="tracks to add to each seed (20)")
    v.add_argument("--candidates", type=int, default=400, metavar="N", help="tracks to choose them from (400)")
    v.add_argument("--genre", default="", metavar="A,B", help="draw tracks or seeds, and candidates, of these genres")
    v.add_argument("--predictor", action="append", metavar="NAME", help="for --generate; several (all there are)")
    v.add_argument("--recommender", metavar="NAME", help="for --generate: whose candidates (as disco generate)")
    v.add_argument("--rival", action="append", metavar="NAME", help=f"several (all): {', '.join(RIVALS)}")
    options.add_knobs(v.add_argument_group("our cost"))
    options.add_mixing(v.add_argument_group("how joins are judged"))
    v.add_argument("--arc", metavar="ARC", help="of energy, which `order` is asked for; its fit is measured for all")
    v.add_argument("--seed", type=int, default=0, metavar="N", help="for what is drawn (0)")
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
    cli.add_catalogue(v)
    v.add_argument("--train", type=Path, metavar="FILE", help=train)


@cli.door
def main(argv: Sequence[str] | None = None) -> int:
    """Measure predictors or recommenders and print one row for each and its set of cases."""
    arguments = parser().parse_args(argv)
    catalogue = cli.open_catalogue(arguments.catalogue, True, arguments.fill, arguments.corrections)
    said = arguments.measure(catalogue, arguments)
    if arguments.json:
        print(json.dumps(said, indent=2))
    else:
        arguments.show(said)
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
        "genres_hidden": arguments.hide_genres,
        "seed": arguments.seed,
        "interval": "95 %, bootstrap over playlists",
    }
    return {"predictors": made, "protocol": protocol}


def _measured(
    predictor: Predictor, catalogue: Catalogue, cases: next_track.Cases, arguments: argparse.Namespace
) -> list[dict[str, Any]]:
    space = predictor.embed(_without_genres(catalogue) if arguments.hide_genres else catalogue)
    shuffled = np.random.default_rng(arguments.seed) if arguments.shuffle else None
    vectors = next_track.predictions(predictor, catalogue, space, cases, arguments.history, shuffled)
    made = []
    for spicyness in arguments.spicyness:
        found = next_track.ranks(space, np.float32(spicyness) * vectors, cases)
        made += next_track.records(found, cases, predictor=predictor.name, spicyness=spicyness)
    if predictor.predicts_features:
        made[0] |= next_track.errors(space, vectors, cases)
    return made


def _without_genres(catalogue: Catalogue) -> Catalogue:
    genres = catalogue.table.schema.get_field_index("genres")
    field = catalogue.table.schema.field(genres)
    return Catalogue(catalogue.table.set_column(genres, field, pa.nulls(len(catalogue), field.type)), catalogue.where)


def continuations(catalogue: Catalogue, arguments: argparse.Namespace) -> dict[str, Any]:
    """The records of the continuation protocol, and the protocol itself."""
    named = arguments.protocol in ("title", "challenge")
    if named and arguments.titles is False:
        raise DiscoError(f"the protocol {arguments.protocol!r} gives titles; leave out --no-titles")
    if arguments.playlists_at_most is not None and arguments.playlists_at_most < 1:
        raise DiscoError(f"--playlists-at-most {arguments.playlists_at_most}: at least one playlist must be measured")
    entries = _entries(arguments.playlists, "test", arguments.source)
    test, titles = playlists.titled(entries, catalogue)
    cases = continuation.draw(test, titles, arguments.protocol, arguments.playlists_at_most, arguments.seed)
    heard, known = None, None
    if arguments.train:
        train, _ = playlists.titled(_entries(arguments.train, "train"), catalogue)
        heard = np.bincount(np.concatenate([np.empty(0, np.intp), *train]), minlength=len(catalogue))
        known = round(continuation.known_share(cases, heard), 4)
    measured = _recommenders(arguments.recommender, catalogue)
    if heard is not None and "popularity" not in [recommender.name for recommender in measured]:
        measured.insert(0, continuation.popular(heard))
    artists, made = artist_numbers(catalogue), []
    for recommender in measured:
        asked = cases
        if not named:
            both = arguments.titles is None and recommender.reads_titles
            seeing = [continuation.with_titles(part, titles) for part in cases]
            asked = [*cases, *seeing] if both else seeing if arguments.titles else cases
        found = [_continued(recommender, part) for part in asked]
        said = {"recommender": recommender.name, "protocol": arguments.protocol}
        made += [
            continuation.record([part], artists, arguments.seed, **said, category=part.cases.given.name)
            for part in found
        ]
        if arguments.protocol == "challenge":
            made.append(continuation.record(found, artists, arguments.seed, **said, category="mean"))
    ids = entries["track_id"].cast(pa.string())
    covered = pc.sum(pc.is_in(ids, value_set=catalogue.table["track_id"])).as_py()
    protocol = {
        "playlists": str(arguments.playlists),
        "sources": arguments.source,
        "catalogue": catalogue.where,
        "test_playlists": sum(len(part.playlist) for part in cases),
        "entries_read": len(entries),
        "entries_unknown": len(entries) - covered,
        "to_be_found": sum(len(tracks) for part in cases for tracks in part.truth),
        "known_from_training": known,
        "recommendations": metrics.DEPTH,
        "hidden_at_least": continuation.HIDDEN,
        "seed": arguments.seed,
        "interval": "95 %, bootstrap over playlists; of the coverage by the jackknife",
    }
    return {"recommenders": made, "protocol": protocol}


def flows(catalogue: Catalogue, arguments: argparse.Namespace) -> dict[str, Any]:
    """The records of the flow protocol, and the protocol itself."""
    asked = [name for name in ("playlists", "draws", "generate") if getattr(arguments, name) is not None]
    if len(asked) != 1:
        raise DiscoError("name what is to be measured: one of --playlists FILE, --draws N or --generate N")
    if arguments.seed < 0:
        raise DiscoError(f"a seed must be 0 or more, not {arguments.seed}")
    cases, seed = asked[0], arguments.seed
    setting = scorecard.Setting(
        mean=load_predictor("mean"),
        knobs=Knobs(arguments.flow, arguments.spicyness, arguments.sweetness, arguments.smoothness),
        mixing=options.mixing(arguments),
        artist_gap=arguments.artist_gap,
        wishes=Wishes(arc=options.arc(arguments.arc)),
    )
    protocol: dict[str, Any] = {"catalogue": catalogue.where, "seed": seed, "genres": arguments.genre or None}
    pool = scorecard.of_genres(catalogue, [g.strip() for g in arguments.genre.split(",") if g.strip()])
    if cases == "generate":
        if not 0 < arguments.generate <= len(pool) or arguments.length < 2 or arguments.candidates < 1:
            raise DiscoError(f"--generate needs 1 to {len(pool):,} seeds, --length 2 or more, and a candidate")
        few = catalogue.take(pool)
        recommender = (
            load_recommender(arguments.recommender, few) if arguments.recommender else default_recommender(few)
        )
        predictors = [load_predictor(name) for name in arguments.predictor or PREDICTORS]
        seeds = np.random.default_rng(seed).choice(len(few), arguments.generate, replace=False)
        sizes = (arguments.length, arguments.candidates)
        steps = scorecard.generated(few, seeds, setting, recommender, predictors, *sizes)
        total, compared = len(seeds), "walk"
        protocol |= {"candidates": arguments.candidates, "of": len(few), "recommender": recommender.name}
        protocol |= {"added": arguments.length}
    else:
        if cases == "draws":
            lists = scorecard.drawn(pool, arguments.draws, arguments.draw_length, seed)
            protocol |= {"tracks": arguments.draw_length, "of": len(pool)}
        else:
            entries = _entries(arguments.playlists, "test", arguments.source)
            lengths = _lengths(arguments.lengths)
            read = playlists.sequences(entries, catalogue, 1)
            lists = scorecard.chosen(read, lengths, arguments.playlists_at_most, seed)
            protocol |= {"playlists": str(arguments.playlists), "sources": arguments.source, "lengths": lengths}
            protocol |= {"tracks": sum(map(len, lists))}
        rivals = arguments.rival or list(RIVALS)
        steps = scorecard.ordered(catalogue, lists, setting, rivals, cases == "playlists", seed)
        total, compared = len(lists), scorecard.OURS
    for measured, _ in cli.progress(steps, total, "lists ordered", quiet=False):
        last = measured
    made = scorecard.records(last, cases, compared, seed)
    protocol |= {"compared": compared, "interval": "95 %, bootstrap over lists"}
    return {"orders": made, "protocol": protocol}


def _lengths(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    if not (low.strip().isdecimal() and high.strip().isdecimal() and 2 <= int(low) <= int(high)):
        raise DiscoError(f"{text!r} is no range of lengths; write it as 20-50, from 2 on")
    return int(low), int(high)


def _recommenders(names: list[str] | None, catalogue: Catalogue) -> list[Recommender]:
    """Those asked for, or else all there are that know this catalogue; on stderr why one of these is left out."""
    if names:
        return [load_recommender(name, catalogue) for name in names]
    found: list[Recommender] = []
    for name in [*RECOMMENDERS, *trained()]:
        try:
            found.append(load_recommender(name, catalogue))
        except DataError as error:
            cli.say(f"left out: {error}")
    return found


def _continued(recommender: Recommender, cases: continuation.Cases) -> continuation.Found:
    """What a recommender answers; on stderr how far it is, and how long it took."""
    rows: list[Rows] = []
    seconds, what = 0.0, f"playlists continued by {recommender.name}"
    steps = continuation.answers(recommender, cases.queries)
    for some, took in cli.progress(steps, len(cases.queries), what, quiet=False, size=lambda step: len(step[0])):
        rows += some
        seconds += took
    if seconds > 2:
        cli.say(f"{recommender.name}, {cases.given.name}: {1000 * seconds / len(rows):.1f} ms a playlist")
    return continuation.Found(cases, rows)


def _entries(where: Path, split: str, sources: list[str] | None = None) -> pa.Table:
    """Entries of the playlists of a file: of these sources, and of its split, if it has any."""
    entries = playlists.read(where)
    if sources:
        entries = entries.filter(pc.is_in(entries["source"].cast(pa.string()), value_set=pa.array(sources)))
        if not len(entries):
            raise DataError(where, f"has no playlist of the source {' or '.join(sources)}")
    if "split" in entries.column_names:
        entries = entries.filter(pc.equal(entries["split"].cast(pa.string()), split))
        if not len(entries):
            raise DataError(where, f"has no playlist of the split {split!r}")
    return entries


def _playlists(
    where: Path, split: str, catalogue: Catalogue, sources: list[str] | None = None
) -> tuple[list[Rows], dict[str, int]]:
    """Covered tracks of the playlists of a file (of its split, if it has any), and how many there were."""
    entries = _entries(where, split, sources)
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


if __name__ == "__main__":
    sys.exit(main())
