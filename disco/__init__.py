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
>>> len(playlist)
6
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from disco.catalogue import Catalogue, Filters
    from disco.errors import DiscoError
    from disco.evaluation import protocols as evaluate
    from disco.export import save, show
    from disco.export.console_table import table
    from disco.export.plot import figure
    from disco.playlist.cost import Knobs
    from disco.playlist.from_file import lint, reorder
    from disco.playlist.make import PUBLISHED, make, make_alternatives
    from disco.playlist.mixing import Mixing
    from disco.playlist.next_tracks import next_tracks
    from disco.playlist.playlist import Playlist
    from disco.playlist.recommend import recommend
    from disco.sources import open, open_playlist  # noqa: A004 - `disco.open` is what it does

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
    "next_tracks",
    "open",
    "open_playlist",
    "recommend",
    "reorder",
    "save",
    "show",
    "table",
]

# Module and attribute of the public names, imported on first use (PEP 562): `import disco` itself loads nothing.
_HOMES = {
    "PUBLISHED": "disco.playlist.make:PUBLISHED",
    "Catalogue": "disco.catalogue:Catalogue",
    "DiscoError": "disco.errors:DiscoError",
    "Filters": "disco.catalogue:Filters",
    "Knobs": "disco.playlist.cost:Knobs",
    "Mixing": "disco.playlist.mixing:Mixing",
    "Playlist": "disco.playlist.playlist:Playlist",
    "figure": "disco.export.plot:figure",
    "lint": "disco.playlist.from_file:lint",
    "make": "disco.playlist.make:make",
    "make_alternatives": "disco.playlist.make:make_alternatives",
    "next_tracks": "disco.playlist.next_tracks:next_tracks",
    "open": "disco.sources:open",
    "open_playlist": "disco.sources:open_playlist",
    "recommend": "disco.playlist.recommend:recommend",
    "reorder": "disco.playlist.from_file:reorder",
    "save": "disco.export:save",
    "show": "disco.export:show",
    "table": "disco.export.console_table:table",
}


def __getattr__(name: str) -> Any:
    if name == "evaluate":
        return import_module("disco.evaluation.protocols")
    if name not in _HOMES:
        raise AttributeError(f"module 'disco' has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
