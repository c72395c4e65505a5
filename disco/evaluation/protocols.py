"""Evaluation protocols: next track, continuation, flow."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from disco.catalogue import Catalogue, Rows
from disco.catalogue.numbering import artist_numbers
from disco.cli import options
from disco.errors import DataError, DiscoError
from disco.evaluation import continuation, flow_benchmark, metrics, next_track
from disco.evaluation.baselines import BASELINES
from disco.models.predictors import PREDICTORS, Predictor, load_predictor
from disco.models.recommenders import RECOMMENDERS, Recommender, default_recommender, load_recommender, trained
from disco.playlist.cost import Knobs
from disco.playlist.sequence import Constraints
from disco.sources.files import playlist_tables
from disco.sources.progress import progress

log = logging.getLogger(__name__)


def next_tracks(catalogue: Catalogue, arguments: argparse.Namespace) -> dict[str, Any]:
    """The records of the next-track protocol, and the protocol itself."""
    test, counts = _playlists(arguments.playlists, "test", catalogue, arguments.source)
    warm, heard = None, np.zeros(len(catalogue), dtype=np.intp)
    if arguments.train:
        train, _ = _playlists(arguments.train, "train", catalogue)
        heard = np.bincount(np.concatenate(train), minlength=len(catalogue)) if train else heard
        warm = heard > 0
    cases = next_track.sample_cases(
        catalogue, test, warm, arguments.cases, arguments.random_seed, arguments.hard_negatives
    )
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
        "others": next_track.NEGATIVES,
        "drawn_from": "entries of the true track's genre" if arguments.hard_negatives else "all entries",
        "first": next_track.FIRST_POSITION,
        "history": arguments.history,
        "shuffled": arguments.shuffle,
        "genres_hidden": arguments.hide_genres,
        "seed": arguments.random_seed,
        "interval": "95 %, bootstrap over playlists",
    }
    return {"predictors": made, "protocol": protocol}


def _measured(
    predictor: Predictor, catalogue: Catalogue, cases: next_track.Cases, arguments: argparse.Namespace
) -> list[dict[str, Any]]:
    space = predictor.embed(_without_genres(catalogue) if arguments.hide_genres else catalogue)
    shuffled = np.random.default_rng(arguments.random_seed) if arguments.shuffle else None
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
    if arguments.max_playlists is not None and arguments.max_playlists < 1:
        raise DiscoError(f"--max-playlists {arguments.max_playlists}: at least one playlist must be measured")
    entries = _entries(arguments.playlists, "test", arguments.source)
    test, titles = playlist_tables.titled(entries, catalogue)
    cases = continuation.sample_cases(
        test, titles, arguments.protocol, arguments.max_playlists, arguments.random_seed
    )
    heard, known = None, None
    if arguments.train:
        train, _ = playlist_tables.titled(_entries(arguments.train, "train"), catalogue)
        heard = np.bincount(np.concatenate([np.empty(0, np.intp), *train]), minlength=len(catalogue))
        known = round(continuation.known_share(cases, heard), 4)
    measured = _recommenders(arguments.recommender, catalogue)
    if heard is not None and "popularity" not in [recommender.name for recommender in measured]:
        measured.insert(0, continuation.popularity_baseline(heard))
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
            continuation.record([part], artists, arguments.random_seed, **said, category=part.cases.given.name)
            for part in found
        ]
        if arguments.protocol == "challenge":
            made.append(continuation.record(found, artists, arguments.random_seed, **said, category="mean"))
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
        "hidden_at_least": continuation.MIN_HOLDOUTS,
        "seed": arguments.random_seed,
        "interval": "95 %, bootstrap over playlists; of the coverage by the jackknife",
    }
    return {"recommenders": made, "protocol": protocol}


def flows(catalogue: Catalogue, arguments: argparse.Namespace) -> dict[str, Any]:
    """The records of the flow protocol, and the protocol itself."""
    asked = [name for name in ("playlists", "samples", "generate") if getattr(arguments, name) is not None]
    if len(asked) != 1:
        raise DiscoError("name what is to be measured: one of --playlists FILE, --samples N or --generate N")
    if arguments.random_seed < 0:
        raise DiscoError(f"a random seed must be 0 or more, not {arguments.random_seed}")
    cases, seed = "draws" if asked[0] == "samples" else asked[0], arguments.random_seed
    setting = flow_benchmark.FlowProtocol(
        mean=load_predictor("mean"),
        knobs=Knobs(arguments.flow, arguments.spicyness, arguments.sweetness, arguments.smoothness),
        mixing=options.mixing(arguments),
        artist_gap=arguments.artist_gap,
        wishes=Constraints(arc=options.arc(arguments.arc)),
    )
    protocol: dict[str, Any] = {"catalogue": catalogue.where, "seed": seed, "genres": arguments.genre or None}
    pool = flow_benchmark.rows_with_genres(catalogue, [g.strip() for g in arguments.genre.split(",") if g.strip()])
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
        steps = flow_benchmark.measure_generated(few, seeds, setting, recommender, predictors, *sizes)
        total, compared = len(seeds), "walk"
        protocol |= {"candidates": arguments.candidates, "of": len(few), "recommender": recommender.name}
        protocol |= {"added": arguments.length}
    else:
        if cases == "draws":
            lists = flow_benchmark.sample_lists(pool, arguments.samples, arguments.sample_length, seed)
            protocol |= {"tracks": arguments.sample_length, "of": len(pool)}
        else:
            entries = _entries(arguments.playlists, "test", arguments.source)
            lengths = _lengths(arguments.lengths)
            read = playlist_tables.sequences(entries, catalogue, 1)
            lists = flow_benchmark.sample_playlists(read, lengths, arguments.max_playlists, seed)
            protocol |= {"playlists": str(arguments.playlists), "sources": arguments.source, "lengths": lengths}
            protocol |= {"tracks": sum(map(len, lists))}
        rivals = arguments.baseline or list(BASELINES)
        steps = flow_benchmark.measure_orders(catalogue, lists, setting, rivals, cases == "playlists", seed)
        total, compared = len(lists), flow_benchmark.ORDER
    for measured, _ in progress(steps, total, "lists ordered"):
        last = measured
    made = flow_benchmark.records(last, cases, compared, seed)
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
            log.info("left out: %s", error)
    return found


def _continued(recommender: Recommender, cases: continuation.Cases) -> continuation.Answers:
    """What a recommender answers; on stderr how far it is, and how long it took."""
    rows: list[Rows] = []
    seconds, what = 0.0, f"playlists continued by {recommender.name}"
    steps = continuation.recommend_in_batches(recommender, cases.queries)
    for some, took in progress(steps, len(cases.queries), what, lambda step: len(step[0])):
        rows += some
        seconds += took
    if seconds > 2:
        log.info("%s, %s: %.1f ms a playlist", recommender.name, cases.given.name, 1000 * seconds / len(rows))
    return continuation.Answers(cases, rows)


def _entries(where: Path, split: str, sources: list[str] | None = None) -> pa.Table:
    """Entries of the playlists of a file: of these sources, and of its split, if it has any."""
    entries = playlist_tables.read(where)
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
    kept = playlist_tables.sequences(entries, catalogue, next_track.MINIMUM_LENGTH)
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
