"""The tables "End to end" of docs/research/results.md: whole playlists by whole configurations.

They are written by `python benchmarks/results.py`, or alone, which takes about half an hour with 300 playlists:

python benchmarks/results.py --only end-to-end --tracks data/tracks.parquet --playlists data/playlists.parquet
    [--electronic dataset.csv] [--names names.parquet ...] [--configuration NAME ...] [--max-playlists N]
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disco.evaluation.variants import VARIANTS

if TYPE_CHECKING:
    from results import Tables

# Start of the headings of these tables.
HEADING = "End to end: "
USUAL = ("default", "published", "content", "popular tracks", "seeds' artists")
CLUB = ("house", "techno", "trance", "drum-and-bass")
HEADS = ["track", "artist", "new artist", "genre", "keys", "within 6 %", "worst <= 10 %", "within 3 %"]
HEADS += ["most by one artist", "over three", "plays", "different tracks", "s a list", "failed"]
EXPLAINED = (
    "Shares of the ten tracks that are added: in the rest of the playlist; by an artist of the playlist; by one who is none of the seeds'; "
    "of a genre of the playlist. From the last seed on: keys at most one step apart on the circle of fifths; tempo changes of at most 6 and 3 per cent, octaves folded; "
    "lists whose largest change is at most 10 per cent. Most tracks by one artist of a list, seeds included, and lists with more than three; "
    "mean of the training playlists of a track that is played; different tracks over all lists. In brackets 95 % intervals, bootstrap over playlists."
)


def end_to_end(
    t: Tables,
    source: str,
    others: Sequence[str],
    configurations: Sequence[str],
    electronic: Path | None,
    names: Sequence[Path],
    most: int,
) -> None:
    """Tables of the end-to-end protocol.

    Parameters
    ----------
    t : Tables
    source, others : str and sequence of str
        The source that most tables are of, and those of the table of other sources.
    configurations : sequence of str
        Besides the usual ones.
    electronic : Path, optional
        The 114k set.
    names : sequence of Path
        Tables of titles and artists of the playlists' ids, for the 114k set.
    most : int
        At most so many playlists of each set of cases.
    """
    shared: list[object] = ["--train", t.playlists, "--max-playlists", most]
    own = [*shared, "--source", source]
    whole: list[object] = ["--catalogue", t.tracks]
    chosen = [*USUAL, *(name for name in configurations if name not in USUAL)]

    records = t.end_to_end(*own, *whole, *_named(chosen))
    t.table(
        f"{HEADING}{source}, three seeds",
        f"The first three tracks of {records[0]['n']} playlists. The default is the predictor `{records[0]['predictor']}` with the recommender `{records[0]['recommender']}`. {EXPLAINED}",
        ["configuration", *HEADS],
        [[f"`{record['configuration']}`", *_cells(record)] for record in records],
    )
    t.table(
        f"{HEADING}which playlists",
        "The default of the table above, by popularity of the seeds and by how many of them are in three or more training playlists.",
        ["playlists", "n", *HEADS],
        [[f"{part['by']}: {part['part']}", str(part["n"]), *_cells(part)] for part in records[0]["parts"]],
    )
    rows = [["three", *_cells(records[0])]]
    for seeds, called in (("1", "one"), ("title", "the title alone")):
        rows += [
            [called, *_cells(record)] for record in t.end_to_end(*own, *whole, "--seeds", seeds, *_named(["default"]))
        ]
    t.table(f"{HEADING}what is given", "The default with fewer seeds.", ["seeds", *HEADS], rows)

    rows = []
    for other in others:
        (record,) = t.end_to_end(*shared, "--source", other, *whole, *_named(["default"]))
        rows.append([other, str(record["n"]), *_cells(record)])
    t.table(f"{HEADING}other sources", "The default on the other held-out sources.", ["source", "n", *HEADS], rows)

    rows = [["as it is", str(records[0]["n"]), *_cells(records[0])]]
    for variant, what in VARIANTS.items():
        (record,) = t.end_to_end(*own, *whole, "--variant", variant, *_named(["default"]))
        rows.append([f"`{variant}`: {what}", str(record["n"]), *_cells(record)])
    if electronic:
        tables = [option for table in (t.tracks, *names) for option in ("--names", table)]
        (record,) = t.end_to_end(*own, "--catalogue", electronic, *tables, *_named(["default"]))
        rows.append(["the 114k set", str(record["n"]), *_cells(record)])
    club = [option for genre in CLUB for option in ("--include", f"genre={genre}")]
    (record,) = t.end_to_end(*shared, *whole, *club, *_named(["default"]))
    rows.append([f"{', '.join(CLUB)} alone, playlists of all held-out sources", str(record["n"]), *_cells(record)])
    t.table(
        f"{HEADING}catalogues as users have them",
        "The default; what a variant hides is hidden from it, not from the metrics.",
        ["catalogue", "n", *HEADS],
        rows,
    )


def _named(configurations: Sequence[str]) -> list[object]:
    return [option for name in configurations for option in ("--configuration", name)]


def _cells(record: dict[str, Any]) -> list[str]:
    """One row: shares with intervals where they are reported most, and counts."""

    def share(name: str, bracketed: bool = False, digits: int = 3) -> str:
        if record[name] is None:
            return ""
        low, high = record["interval"][name]
        interval = f" ({low:.{digits}f}-{high:.{digits}f})" if bracketed else ""
        return f"{record[name]:.{digits}f}{interval}"

    belonging = [share(name, bracketed=True) for name in ("track", "artist", "new_artist")]
    mixing = [share(name) for name in ("genre", "keys", "within_6", "worst_10", "within_3")]
    variety = [share("most_by_artist", digits=1), share("over_3"), share("plays", digits=0), f"{record['tracks']:,}"]
    return [*belonging, *mixing, *variety, f"{record['seconds']:.2f}", str(record["failures"])]
