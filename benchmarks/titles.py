"""The effect of a title on recommendations: the right one, a wrong one, none, and a title alone.

python benchmarks/titles.py RECOMMENDER [RECOMMENDER ...] --playlists PREPARED --catalogue FILE [--source NAME]

One table in Markdown, a row per recommender and input: R-precision, NDCG and clicks at 500, and the number of
different tracks among five recommendations for each of 200 playlists.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from disco.catalogue import Rows
from disco.cli import console, options
from disco.evaluation import continuation, metrics
from disco.models.recommenders import Query, Recommender, load_recommender
from disco.sources.files import playlist_tables

# Playlists, and recommendations for each, of the published measure of mode collapse.
N_PLAYLISTS, N_TRACKS = 200, 5


def queries_by_input(tracks: list[Rows], titles: list[str], seed: int) -> dict[str, tuple[list[Query], list[Rows]]]:
    """Queries and withheld tracks by input; all but the last are of the same playlists, those with a title.

    A wrong title is the different title of another of the playlists.
    """
    titled = [i for i, title in enumerate(titles) if title.strip()]
    tracks, titles = [tracks[i] for i in titled], [titles[i] for i in titled]
    made: dict[str, tuple[list[Query], list[Rows]]] = {}
    for protocol in ("first-5", "first-1"):
        cases = continuation.sample_cases(tracks, titles, protocol)[0]
        right = continuation.with_titles(cases, titles).queries
        order = np.random.default_rng(seed).permutation(len(right))
        wrong = []
        for i, query in enumerate(right):
            others = np.roll(order, -i)
            other = next(right[j].title for j in others if right[j].title.casefold() != query.title.casefold())
            wrong.append(replace(query, title=other))
        name = cases.category.name
        made |= {
            f"{name} and the right title": (right, cases.relevant),
            f"{name} and no title": (cases.queries, cases.relevant),
            f"{name} and a wrong title": (wrong, cases.relevant),
        }
        if protocol == "first-1":
            made["wrong title alone"] = ([Query(q.seeds[:0], q.title) for q in wrong], cases.relevant)
            made["neither"] = ([Query(q.seeds[:0]) for q in wrong], cases.relevant)
    cases = continuation.sample_cases(tracks, titles, "title")[0]
    return {**made, "title alone": (cases.queries, cases.relevant)}


def row(recommender: Recommender, name: str, queries: list[Query], relevant: list[Rows], seed: int) -> str:
    """One line of the table."""
    answers = [rows for some, _ in continuation.recommend_in_batches(recommender, queries) for rows in some]
    measures = (metrics.r_precision, metrics.ndcg, metrics.clicks)
    means = [float(np.mean([f(*pair) for pair in zip(answers, relevant, strict=True)])) for f in measures]
    some = np.random.default_rng(seed).permutation(len(answers))[:N_PLAYLISTS]
    distinct = metrics.coverage([answers[i] for i in some], N_TRACKS)
    numbers = " | ".join(f"{mean:.{digits}f}" for mean, digits in zip(means, (4, 4, 2), strict=True))
    return f"| {recommender.name} | {name} | {len(answers)} | {numbers} | {distinct} of {len(some) * N_TRACKS} |"


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure the effect of a title on recommendations.")
    parser.add_argument("recommender", nargs="+", help="a recommender, or a model's folder")
    parser.add_argument("--playlists", type=Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--source", default="mpd_slice0", help="only playlists of this source; '' for all")
    parser.add_argument("--catalogue", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    catalogue = options.open_catalogue([arguments.catalogue], notes=False)
    entries = playlist_tables.read(arguments.playlists)
    selected = pc.equal(entries["split"].cast(pa.string()), arguments.split)
    if arguments.source:
        selected = pc.and_(selected, pc.equal(entries["source"].cast(pa.string()), arguments.source))
    cases = queries_by_input(*playlist_tables.titled(entries.filter(selected), catalogue), arguments.seed)
    print(f"| recommender | given | playlists | R-precision | NDCG | clicks | distinct, {N_TRACKS} x {N_PLAYLISTS} |")
    print("|---|---|---|---|---|---|---|")
    for name in arguments.recommender:
        recommender = load_recommender(name, catalogue)
        for what, (queries, relevant) in cases.items():
            print(row(recommender, what, queries, relevant, arguments.seed), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
