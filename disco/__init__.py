"""DISCO puts songs in an order that flows, as a good DJ would.

The map, from the doors down; every import points down::

    6 doors       generate  order  recommend.__main__  shelf  catalogue.__main__  prepare  train  evaluate  __main__
    5             cli  options  settings  export  plot  metrics  next_track  continuation  split  recipe  training
    4             playlist  ordering                the four steps; start reading here
    3             sequence  playing  flow
    2             recommend  predict  transition
    1             sources  model  tower
    0             errors  music  keys  mixing  catalogue  distance

>>> import disco
>>> catalogue = disco.open()                                    # the embedded demo, or paths of your tables
>>> from disco.playlist import generate
>>> playlist = generate(catalogue, catalogue.rows(["demo-00001"]))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from disco.catalogue import Catalogue, Filters
    from disco.playlist.cost import Knobs
    from disco.playlist.playlist import Playlist
    from disco.sources import open  # noqa: A004 - disco.open is what it does

__version__ = "0.1.0"
__all__ = ["Catalogue", "Filters", "Knobs", "Playlist", "open"]

_HOMES = {
    "Catalogue": "disco.catalogue",
    "Filters": "disco.catalogue",
    "Knobs": "disco.playlist.cost",
    "Playlist": "disco.playlist.playlist",
    "open": "disco.sources",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'disco' has no attribute {name!r}")
