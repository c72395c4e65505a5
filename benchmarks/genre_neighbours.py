"""How many of the best 15 recommendations are of the playlist's genre, for country, rap and Christmas playlists.

python benchmarks/genre_neighbours.py --tracks tracks.parquet --playlists playlists.parquet [--recommender NAME ...]

The validation of Weber and Yen, on test playlists whose title names the genre; their first tracks are given. A track
is of the genre if one of its genres matches (for Christmas also its title or album), or if two other playlists with a
matching title have it.
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

GENRES = {
    "country": r"\bcountry\b",
    "rap": r"\b(rap|hip[ -]?hop|trap)\b",
    "Christmas": r"\b(christmas|xmas|holiday)\b",
}
N_TRACKS = 15


def matches(catalogue: Catalogue, pattern: str) -> np.ndarray:
    """Mask of the tracks whose genres, or title or album, match a pattern."""
    columns = [pc.binary_join(catalogue.table["genres"].combine_chunks(), "; ")]
    columns += [catalogue.table[name].combine_chunks() for name in ("title", "album")]
    masks = [pc.fill_null(pc.match_substring_regex(column, f"(?i){pattern}"), False) for column in columns]
    # A song with "country" in its title is about one.
    wanted = masks if "christmas" in pattern else masks[:1]
    return np.logical_or.reduce([np.asarray(each) for each in wanted])


def main() -> None:
    """Print the table."""
    p = argparse.ArgumentParser(description="How many of the best 15 recommendations are of the playlist's genre.")
    p.add_argument("--tracks", type=Path, required=True)
    p.add_argument("--playlists", type=Path, required=True, help="as disco prepare writes them")
    p.add_argument("--recommender", action="append", default=[], metavar="NAME")
    p.add_argument("--seeds", type=int, default=10)
    arguments = p.parse_args()
    catalogue, entries = tables.read(arguments.tracks), playlist_tables.read(arguments.playlists)
    tracks, titles = playlist_tables.titled(entries, catalogue)
    unseen, unseen_titles = playlist_tables.titled(entries.filter(pc.equal(entries["split"], "test")), catalogue)
    models = [load_recommender(name, catalogue) for name in arguments.recommender or ["embedding-mlp"]]
    head(f"Of the best {N_TRACKS}, of the genre", "genre", "playlists", "chance", *(model.name for model in models))
    for genre, pattern in GENRES.items():
        matching = [bool(re.search(pattern, title.lower())) for title in titles]
        counts = np.zeros(len(catalogue), dtype=np.intp)
        for rows, is_match in zip(tracks, matching, strict=True):
            counts[rows] += is_match
        by_name = matches(catalogue, pattern)
        playlists = [
            rows
            for rows, title in zip(unseen, unseen_titles, strict=True)
            if re.search(pattern, title.lower()) and len(rows) > arguments.seeds
        ]

        def share(answer: Rows, whole: Rows, by_name: np.ndarray = by_name, counts: np.ndarray = counts) -> float:
            others = counts[answer] - np.isin(answer, whole)
            return float((by_name[answer] | (others >= 2)).sum())

        cells = []
        for model in models:
            answers = model.recommend_many([Query(rows[: arguments.seeds]) for rows in playlists], N_TRACKS)
            of_genre = [share(answer.rows, whole) for answer, whole in zip(answers, playlists, strict=True)]
            cells.append(f"{np.mean(of_genre):.1f}" if of_genre else "")
        used = np.unique(np.concatenate(tracks))
        chance = N_TRACKS * float((by_name[used] | (counts[used] >= 2)).mean())
        row(genre, len(playlists), f"{chance:.1f}", *cells)


if __name__ == "__main__":
    main()
