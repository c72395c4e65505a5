"""Whether what is recommended is of the playlist's kind: country, rap and Christmas playlists, and their best 15.

python benchmarks/genre_neighbours.py --tracks tracks.parquet --playlists playlists.parquet [--recommender NAME ...]

The validation of Weber and Yen, on playlists that nobody trained on and whose title names the kind; their first
tracks are given. A track is of the kind if a genre of it says so (of Christmas its title or album too), or if two
other playlists that have it are called so.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
from table import head, row

from disco.catalogue import Catalogue, Rows
from disco.models.recommenders import Query, load_recommender
from disco.sources.files import playlist_tables, tables

KINDS = {
    "country": r"\bcountry\b",
    "rap": r"\b(rap|hip[ -]?hop|trap)\b",
    "Christmas": r"\b(christmas|xmas|holiday)\b",
}
ASKED = 15


def named(catalogue: Catalogue, pattern: str) -> np.ndarray:
    """Tracks whose genre, title or album says that they are of a kind."""
    columns = [pc.binary_join(catalogue.table["genres"].combine_chunks(), "; ")]
    columns += [catalogue.table[name].combine_chunks() for name in ("title", "album")]
    found = [pc.fill_null(pc.match_substring_regex(column, f"(?i){pattern}"), False) for column in columns]
    # A title that says "country" is a song about one.
    wanted = found if "christmas" in pattern else found[:1]
    return np.logical_or.reduce([np.asarray(each) for each in wanted])


def main() -> None:
    """Print the table."""
    p = argparse.ArgumentParser(description="How many of the best 15 are of the playlist's kind.")
    p.add_argument("--tracks", type=Path, required=True)
    p.add_argument("--playlists", type=Path, required=True, help="as disco prepare writes them")
    p.add_argument("--recommender", action="append", default=[], metavar="NAME")
    p.add_argument("--seeds", type=int, default=10)
    said = p.parse_args()
    catalogue, entries = tables.read(said.tracks), playlist_tables.read(said.playlists)
    tracks, titles = playlist_tables.titled(entries, catalogue)
    unseen, unseen_titles = playlist_tables.titled(entries.filter(pc.equal(entries["split"], "test")), catalogue)
    models = [load_recommender(name, catalogue) for name in said.recommender or ["embedding-mlp"]]
    head(f"Of the best {ASKED}, of the kind", "kind", "playlists", "chance", *(model.name for model in models))
    for kind, pattern in KINDS.items():
        said_so = [bool(re.search(pattern, title.lower())) for title in titles]
        counts = np.zeros(len(catalogue), dtype=np.intp)
        for rows, is_kind in zip(tracks, said_so, strict=True):
            counts[rows] += is_kind
        by_name = named(catalogue, pattern)
        asked = [
            rows
            for rows, title in zip(unseen, unseen_titles, strict=True)
            if re.search(pattern, title.lower()) and len(rows) > said.seeds
        ]

        def share(found: Rows, whole: Rows, by_name: np.ndarray = by_name, counts: np.ndarray = counts) -> float:
            others = counts[found] - np.isin(found, whole)
            return float((by_name[found] | (others >= 2)).sum())

        cells = []
        for model in models:
            answers = model.recommend_many([Query(rows[: said.seeds]) for rows in asked], ASKED)
            of_kind = [share(found.rows, whole) for found, whole in zip(answers, asked, strict=True)]
            cells.append(f"{np.mean(of_kind):.1f}" if of_kind else "")
        heard = np.unique(np.concatenate(tracks))
        chance = ASKED * float((by_name[heard] | (counts[heard] >= 2)).mean())
        row(kind, len(asked), f"{chance:.1f}", *cells)


if __name__ == "__main__":
    main()
