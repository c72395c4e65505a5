"""What a title does: right, wrong, none and alone, and how many different tracks are named.

python benchmarks/titles.py RECOMMENDER [RECOMMENDER ...] --playlists PREPARED --catalogue FILE [--source NAME]

One table in Markdown, a row for each recommender and what it is given: R-precision, NDCG and clicks at 500, and how
many different tracks are among five recommendations for each of 200 playlists.
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

# As the original's measure of collapse has it.
ASKED, NAMED = 200, 5


def given(tracks: list[Rows], titles: list[str], seed: int) -> dict[str, tuple[list[Query], list[Rows]]]:
    """Queries and what is to be found: the same playlists, those of a title, for all but the last.

    A wrong title is that of another of the playlists, one that is spelled otherwise.
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
            places = np.roll(order, -i)
            other = next(right[j].title for j in places if right[j].title.casefold() != query.title.casefold())
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


def row(recommender: Recommender, name: str, queries: list[Query], truth: list[Rows], seed: int) -> str:
    """One line of the table."""
    found = [rows for some, _ in continuation.recommend_in_batches(recommender, queries) for rows in some]
    measures = (metrics.r_precision, metrics.ndcg, metrics.clicks)
    means = [float(np.mean([f(*pair) for pair in zip(found, truth, strict=True)])) for f in measures]
    some = np.random.default_rng(seed).permutation(len(found))[:ASKED]
    distinct = metrics.coverage([found[i] for i in some], NAMED)
    numbers = " | ".join(f"{mean:.{digits}f}" for mean, digits in zip(means, (4, 4, 2), strict=True))
    return f"| {recommender.name} | {name} | {len(found)} | {numbers} | {distinct} of {len(some) * NAMED} |"


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What does a title do?")
    parser.add_argument("recommender", nargs="+", help="a recommender, or a model's folder")
    parser.add_argument("--playlists", type=Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--source", default="mpd_slice0", help="only playlists of this source; '' for all")
    parser.add_argument("--catalogue", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    said = parser.parse_args(argv)
    catalogue = options.open_catalogue([said.catalogue], notes=False)
    entries = playlist_tables.read(said.playlists)
    kept = pc.equal(entries["split"].cast(pa.string()), said.split)
    if said.source:
        kept = pc.and_(kept, pc.equal(entries["source"].cast(pa.string()), said.source))
    asked = given(*playlist_tables.titled(entries.filter(kept), catalogue), said.seed)
    print(f"| recommender | given | playlists | R-precision | NDCG | clicks | distinct in {NAMED} for {ASKED} |")
    print("|---|---|---|---|---|---|---|")
    for name in said.recommender:
        recommender = load_recommender(name, catalogue)
        for what, (queries, truth) in asked.items():
            print(row(recommender, what, queries, truth, said.seed), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
