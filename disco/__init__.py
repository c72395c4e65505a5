"""DISCO puts songs in an order that flows, as a good DJ would.

Packages, from the top down; imports only point down::

    cli         the commands: each parses its options, calls the library and prints
    training    fits models from recipes          export      playlists as files, tables and figures
    evaluation  metrics, protocols and baselines
    playlist    the four steps; start reading at `playlist.generate`
    models      predictors, recommenders, distance
    sources     where tracks and playlists come from, and services they go to
    catalogue   tracks in columns: schema, search, filters, music theory
    errors      what went wrong, where, and what to do

Examples
--------
>>> import disco
>>> catalogue = disco.open()  # the demo of invented tracks, or the paths of your tables
>>> playlist = disco.make(catalogue, ["sunday night staircase"], length=5)
>>> playlist.tracks.table["title"][0].as_py()
'Sunday Night, Staircase'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from disco import evaluation as evaluate
    from disco.catalogue import Catalogue, Filters
    from disco.errors import DiscoError
    from disco.export import save, show
    from disco.export.plot import figure
    from disco.playlist.cost import Knobs
    from disco.playlist.from_file import lint, reorder
    from disco.playlist.make import PUBLISHED, make, make_alternatives
    from disco.playlist.mixing import Mixing
    from disco.playlist.playlist import Playlist
    from disco.playlist.recommend import recommend
    from disco.sources import open  # noqa: A004 - `disco.open` is what it does

__version__ = "0.1.0"
__all__ = [
    "PUBLISHED",
    "Catalogue",
    "DiscoError",
    "Filters",
    "Knobs",
    "Mixing",
    "Playlist",
    "evaluate",
    "figure",
    "lint",
    "make",
    "make_alternatives",
    "open",
    "recommend",
    "reorder",
    "save",
    "show",
]

# Modules of the public names, imported when a name is first used (PEP 562): `import disco` itself loads nothing.
_HOMES = {
    "PUBLISHED": "disco.playlist.make",
    "Catalogue": "disco.catalogue",
    "DiscoError": "disco.errors",
    "Filters": "disco.catalogue",
    "Knobs": "disco.playlist.cost",
    "Mixing": "disco.playlist.mixing",
    "Playlist": "disco.playlist.playlist",
    "figure": "disco.export.plot",
    "lint": "disco.playlist.from_file",
    "make": "disco.playlist.make",
    "make_alternatives": "disco.playlist.make",
    "open": "disco.sources",
    "recommend": "disco.playlist.recommend",
    "reorder": "disco.playlist.from_file",
    "save": "disco.export",
    "show": "disco.export",
}


def __getattr__(name: str) -> Any:
    if name == "evaluate":
        return import_module("disco.evaluation")
    if name not in _HOMES:
        raise AttributeError(f"module 'disco' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
