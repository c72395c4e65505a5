"""Where tracks come from: one module a source, each with `read(where) -> Catalogue`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from disco.catalogue import Catalogue, merge
from disco.sources import tables

# Three that a party could begin with, as `data-wrangling/make_demo.py` names them.
EXAMPLE_SEEDS = ("demo-01197", "demo-01426", "demo-01169")
DEMO_NAME = "the demo (invented tracks)"
DEMO = Path(__file__).parents[1] / "demo" / "tracks.parquet"


def open(where: Sequence[str | Path] = ()) -> Catalogue:  # noqa: A001 - `sources.open` is what it does
    """Open one or several places as one catalogue; none means the embedded demo.

    Parameters
    ----------
    where : sequence of str or Path
        Files of tracks: CSV or Parquet, recognised by their columns.
    """
    if not where:
        demo = tables.read(DEMO)
        return Catalogue(demo.table, DEMO_NAME, (f"{len(demo):,} invented tracks; no such music exists",))
    return merge([tables.read(place) for place in where])
