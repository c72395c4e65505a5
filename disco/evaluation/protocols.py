"""The evaluation protocols: rank the next track, continue a playlist, compare orders, play whole playlists.

Each function measures methods on a catalogue and returns what `disco evaluate ... --json` prints: one record per
method and set of cases, and the protocol that they were measured by.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.numbering import artist_numbers
from disco.errors import DiscoError
from disco.evaluation import continuation as continuation_cases
from disco.evaluation import flow_benchmark, metrics
from disco.evaluation import next_track as next_track_cases
from disco.evaluation.baselines import BASELINES
from disco.evaluation.data import (
    count_in_catalogue,
    entries_of,
    rows_with_genres,
    sample_lists,
    sample_playlists,
    sequences_of,
)
from disco.evaluation.methods import predictor_by_name, recommender_by_name, recommenders_by_name
from disco.evaluation.variants import without_genres
from disco.evaluation.whole_playlists import end_to_end
from disco.models.predictors import PREDICTORS, Predictor, load_predictor
from disco.models.recommenders import Recommender, default_recommender
from disco.playlist.cost import Knobs
from disco.playlist.mixing import FOR_ORDERING, Mixing
from disco.playlist.sequence import Constraints
from disco.sources.files import playlist_tables
from disco.sources.progress import progress

log = logging.getLogger(__name__)
__all__ = ["continuation", "end_to_end", "flow", "next_track"]


def next_track(
    catalogue: Catalogue,
    playlists: str | Path,
    *,
    source: Sequence[str] | None = None,
    train: str | Path | None = None,
    predictor: Sequence[str] | None = None,
    spicyness: Sequence[float] = (1.2,),
    history: int | None = None,
    shuffle: bool = False,
    hard_negatives: bool = False,
    hide_genres: bool = False,
    cases: int = 10_000,
    random_seed: int = 0,
) -> dict[str, Any]:
    """Rank the true next track of real playlists among 399 sampled others, by each predictor.

    Parameters
    ----------
    catalogue : Catalogue
        Only its tracks with all eight features count.
    playlists : str or Path
        Test playlists; of a prepared table with a column `split`, those of the test split.
    source : sequence of str, optional
        Only playlists of these sources.
    train : str or Path, optional
        Training playlists: they define the warm tracks, and add a popularity baseline.
    predictor : sequence of str, optional
        Names of predictors or folders of models, `default` for the one that is used where none is named; all that are
        shipped by default.
    spicyness : sequence of float
        Factors that the predicted vector is multiplied by; one record for each.
    history : int, optional
        Number of previous tracks that a predictor reads; all by default.
    shuffle : bool
        Whether a predictor reads the previous tracks in a random order.
    hard_negatives : bool
        Whether the others share a genre with the true track.
    hide_genres : bool
        Whether genres are hidden from the predictors.
    cases : int
        At most so many cases of each set (`all`, `cold`, `warm`).
    random_seed : int

    Returns
    -------
    dict
        `predictors`, a list of records with hit@10, MRR and median rank, and `protocol`.

    Raises
    ------
    DiscoError
        If no playlist has enough tracks of the catalogue.

    Examples
    --------
    >>> import disco
    >>> import pyarrow as pa, pyarrow.parquet as pq
    >>> from tempfile import TemporaryDirectory
    >>> ids = [f"demo-{i:05}" for i in range(1, 41)]
    >>> names, positions = ["one"] * 20 + ["two"] * 20, [*range(20), *range(20)]
    >>> entries = pa.table({"playlist_id": names, "position": positions, "track_id": ids})
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "playlists.parquet")
    ...     pq.write_table(entries, path)
    ...     results = next_track(disco.open(), path, predictor=["mean"])
    >>> results["predictors"][0]["n"]
    30
    """
    test, counts = sequences_of(Path(playlists), "test", catalogue, source)
    made: list[dict[str, Any]] = []
    warm, play_count = None, np.zeros(len(catalogue), dtype=np.intp)
    if train:
        training, _ = sequences_of(Path(train), "train", catalogue)
        play_count = np.bincount(np.concatenate(training), minlength=len(catalogue)) if training else play_count
        warm = play_count > 0
    sampled = next_track_cases.sample_cases(catalogue, test, warm, cases, random_seed, hard_negatives)
    if train:
        # A space of one dimension in which the most frequent track is the one nearest to every prediction.
        space = -play_count[:, None].astype(np.float32)
        top = np.full((len(sampled.playlist), 1), space.min(), dtype=np.float32)
        ranks = next_track_cases.ranks(space, top, sampled)
        made += next_track_cases.records(ranks, sampled, predictor="popularity", spicyness=None)
    readable = without_genres(catalogue) if hide_genres else catalogue
    for name in predictor or PREDICTORS:
        loaded = predictor_by_name(name)
        space = loaded.embed(readable)
        rng = np.random.default_rng(random_seed) if shuffle else None
        vectors = next_track_cases.predictions(loaded, catalogue, space, sampled, history, rng)
        made += _next_track_records(loaded, space, vectors, sampled, spicyness)
    protocol = {
        "playlists": str(playlists),
        "sources": _listed(source),
        "catalogue": catalogue.where,
        **counts,
        "others": next_track_cases.NEGATIVES,
        "drawn_from": "entries of the true track's genre" if hard_negatives else "all entries",
        "first": next_track_cases.FIRST_POSITION,
        "history": history,
        "shuffled": shuffle,
        "genres_hidden": hide_genres,
        "seed": random_seed,
        "interval": "95 %, bootstrap over playlists",
    }
    return {"predictors": made, "protocol": protocol}


def continuation(
    catalogue: Catalogue,
    playlists: str | Path,
    *,
    protocol: str,
    source: Sequence[str] | None = None,
    train: str | Path | None = None,
    recommender: Sequence[str] | None = None,
    titles: bool | None = None,
    max_playlists: int | None = None,
    random_seed: int = 0,
) -> dict[str, Any]:
    """Recommend 500 tracks from a part of each playlist and look for the withheld tracks among them.

    Parameters
    ----------
    catalogue : Catalogue
    playlists : str or Path
        Test playlists; of a prepared table with a column `split`, those of the test split.
    protocol : str
        What is given of each playlist: `first-1`, `first-5`, `first-10`, `title`, or `challenge`, the ten categories
        of the RecSys Challenge 2018.
    source : sequence of str, optional
        Only playlists of these sources.
    train : str or Path, optional
        Training playlists: they add a popularity baseline.
    recommender : sequence of str, optional
        Names of recommenders or folders of models, `default` for the one that is used where none is named; by default
        all that fit the catalogue.
    titles : bool, optional
        Whether the title is given besides the first tracks; by default both, in a record each, for recommenders that
        read titles.
    max_playlists : int, optional
        At most so many playlists.
    random_seed : int

    Returns
    -------
    dict
        `recommenders`, a list of records with R-precision, NDCG, clicks and coverage, and `protocol`.

    Raises
    ------
    DiscoError
        If there is no such protocol, or no playlist is long enough for it.
    """
    gives_titles = protocol in ("title", "challenge")
    if gives_titles and titles is False:
        raise DiscoError(f"the protocol {protocol!r} gives titles; leave out --no-titles")
    if max_playlists is not None and max_playlists < 1:
        raise DiscoError(f"--max-playlists {max_playlists}: at least one playlist must be measured")
    entries = entries_of(Path(playlists), "test", source)
    test, test_titles = playlist_tables.titled(entries, catalogue)
    sampled = continuation_cases.sample_cases(test, test_titles, protocol, max_playlists, random_seed)
    recommenders, known = recommenders_by_name(recommender, catalogue), None
    if train:
        training, _ = playlist_tables.titled(entries_of(Path(train), "train"), catalogue)
        play_count = np.bincount(np.concatenate([np.empty(0, np.intp), *training]), minlength=len(catalogue))
        known = round(continuation_cases.known_share(sampled, play_count), 4)
        if "popularity" not in [one.name for one in recommenders]:
            recommenders.insert(0, continuation_cases.popularity_baseline(play_count))
    artists, made = artist_numbers(catalogue), []
    for one in recommenders:
        asked = sampled
        if not gives_titles:
            both = titles is None and one.reads_titles
            with_titles = [continuation_cases.with_titles(part, test_titles) for part in sampled]
            asked = [*sampled, *with_titles] if both else with_titles if titles else sampled
        answers = [_answers(one, part) for part in asked]
        names = {"recommender": one.name, "protocol": protocol}
        made += [
            continuation_cases.record([part], artists, random_seed, **names, category=part.cases.category.name)
            for part in answers
        ]
        if protocol == "challenge":
            made.append(continuation_cases.record(answers, artists, random_seed, **names, category="mean"))
    described = {
        "playlists": str(playlists),
        "sources": _listed(source),
        "catalogue": catalogue.where,
        "test_playlists": sum(len(part.playlist) for part in sampled),
        "entries_read": len(entries),
        "entries_unknown": len(entries) - count_in_catalogue(entries, catalogue),
        "to_be_found": sum(len(tracks) for part in sampled for tracks in part.relevant),
        "known_from_training": known,
        "recommendations": metrics.DEPTH,
        "hidden_at_least": continuation_cases.MIN_HOLDOUTS,
        "seed": random_seed,
        "interval": "95 %, bootstrap over playlists; of the coverage by the jackknife",
    }
    return {"recommenders": made, "protocol": described}


def flow(
    catalogue: Catalogue,
    playlists: str | Path | None = None,
    *,
    samples: int | None = None,
    generate: int | None = None,
    source: Sequence[str] | None = None,
    lengths: tuple[int, int] = (20, 50),
    max_playlists: int = 200,
    sample_length: int = 30,
    length: int = 20,
    candidates: int = 400,
    genre: Sequence[str] = (),
    predictor: Sequence[str] | None = None,
    recommender: str | None = None,
    baseline: Sequence[str] | None = None,
    knobs: Knobs = Knobs(),  # noqa: B008 - frozen
    mixing: Mixing = Mixing(),  # noqa: B008 - frozen
    artist_gap: int = 1,
    arc: Sequence[float] = (),
    random_seed: int = 0,
) -> dict[str, Any]:
    """Order the same tracks by every method, or generate from the same seeds, and measure how the results flow.

    One of `playlists`, `samples` and `generate` is required.

    Parameters
    ----------
    catalogue : Catalogue
    playlists : str or Path, optional
        Real playlists to order; of a prepared table with a column `split`, those of the test split.
    samples : int, optional
        Instead: the number of sets of randomly sampled tracks to order.
    generate : int, optional
        Instead: the number of randomly sampled seeds to generate playlists from.
    source : sequence of str, optional
        Only playlists of these sources.
    lengths : (int, int)
        Least and greatest number of tracks with features in a playlist.
    max_playlists : int
        At most so many playlists.
    sample_length : int
        Tracks in each sampled set.
    length, candidates : int
        Tracks to add to each seed, and the number of candidates to choose them from.
    genre : sequence of str
        Sample tracks and seeds, and recommend candidates, of these genres only.
    predictor : sequence of str, optional
        With `generate`: names of predictors or folders of models; all that are shipped by default.
    recommender : str, optional
        With `generate`: what recommends the candidates; the catalogue's default recommender by default.
    baseline : sequence of str, optional
        Names of `BASELINES`; all by default.
    knobs : Knobs
    mixing : Mixing
    artist_gap : int
        Least number of tracks between two of one artist.
    arc : sequence of float
        Energy heights, 0-1, that the methods `order` are asked for.
    random_seed : int

    Returns
    -------
    dict
        `orders`, a list of records of flow metrics, and `protocol`.

    Raises
    ------
    DiscoError
        If not exactly one kind of lists is asked for, or there are no such lists.

    Examples
    --------
    >>> import disco
    >>> results = flow(disco.open(), samples=1, sample_length=6, baseline=["random"])
    >>> [record["method"] for record in results["orders"]]
    ['random', 'greedy', 'order', 'order, all knobs 1', 'order, all knobs 1, artists free']
    """
    kinds = [n for n, v in (("playlists", playlists), ("draws", samples), ("generate", generate)) if v is not None]
    if len(kinds) != 1:
        raise DiscoError("name what is to be measured: one of --playlists FILE, --samples N or --generate N")
    if random_seed < 0:
        raise DiscoError(f"a random seed must be 0 or more, not {random_seed}")
    setting = flow_benchmark.FlowProtocol(
        mean=load_predictor("mean"),
        knobs=knobs,
        mixing=mixing,
        ordering=FOR_ORDERING if mixing == Mixing() else replace(mixing, graded=False),
        artist_gap=artist_gap,
        constraints=Constraints(arc=tuple(arc)),
    )
    protocol: dict[str, Any] = {"catalogue": catalogue.where, "seed": random_seed, "genres": ",".join(genre) or None}
    pool = rows_with_genres(catalogue, [name.strip() for name in genre if name.strip()])
    if generate is not None:
        if not 0 < generate <= len(pool) or length < 2 or candidates < 1:
            raise DiscoError(f"--generate needs 1 to {len(pool):,} seeds, --length 2 or more, and a candidate")
        few = catalogue.take(pool)
        loaded = recommender_by_name(recommender, few) if recommender else default_recommender(few)
        predictors = [predictor_by_name(name) for name in predictor or PREDICTORS]
        seeds = np.random.default_rng(random_seed).choice(len(few), generate, replace=False)
        steps = flow_benchmark.measure_generated(few, seeds, setting, loaded, predictors, length, candidates)
        total, compared = len(seeds), "walk"
        protocol |= {"candidates": candidates, "of": len(few), "recommender": loaded.name, "added": length}
    else:
        if samples is not None:
            lists = sample_lists(pool, samples, sample_length, random_seed)
            protocol |= {"tracks": sample_length, "of": len(pool)}
        else:
            read = playlist_tables.sequences(entries_of(Path(str(playlists)), "test", source), catalogue, 1)
            lists = sample_playlists(read, lengths, max_playlists, random_seed)
            protocol |= {"playlists": str(playlists), "sources": _listed(source), "lengths": lengths}
            protocol |= {"tracks": sum(map(len, lists))}
        names = list(baseline or BASELINES)
        steps = flow_benchmark.measure_orders(catalogue, lists, setting, names, playlists is not None, random_seed)
        total, compared = len(lists), flow_benchmark.ORDER
    for measured, _ in progress(steps, total, "lists ordered"):
        last = measured
    made = flow_benchmark.records(last, kinds[0], compared, random_seed)
    protocol |= {"compared": compared, "interval": "95 %, bootstrap over lists"}
    return {"orders": made, "protocol": protocol}


def _next_track_records(
    predictor: Predictor, space: Floats, vectors: Floats, cases: next_track_cases.Cases, spicyness: Sequence[float]
) -> list[dict[str, Any]]:
    made = []
    for factor in spicyness:
        ranks = next_track_cases.ranks(space, np.float32(factor) * vectors, cases)
        made += next_track_cases.records(ranks, cases, predictor=predictor.name, spicyness=factor)
    if predictor.predicts_features:
        made[0] |= next_track_cases.errors(space, vectors, cases)
    return made


def _answers(recommender: Recommender, cases: continuation_cases.Cases) -> continuation_cases.Answers:
    rows: list[Rows] = []
    seconds, what = 0.0, f"playlists continued by {recommender.name}"
    steps = continuation_cases.recommend_in_batches(recommender, cases.queries)
    for some, took in progress(steps, len(cases.queries), what, lambda step: len(step[0])):
        rows += some
        seconds += took
    if seconds > 2:
        log.info("%s, %s: %.1f ms per playlist", recommender.name, cases.category.name, 1000 * seconds / len(rows))
    return continuation_cases.Answers(cases, rows)


def _listed(names: Sequence[str] | None) -> list[str] | None:
    return None if names is None else list(names)
