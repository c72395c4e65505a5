"""Where arrays that belong to a catalogue are kept from one process to the next, its search index among them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from disco.catalogue.search import PARTS, TextIndex


class ArrayStore(Protocol):
    """Keeps arrays by name.

    Where it is `shared`, what was computed is memory-mapped: large arrays take the memory of a machine once.
    """

    shared: bool

    def array(self, name: str, compute: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """The array of this name; computed, and kept, where there is none that can be used."""


def kept_index(store: ArrayStore, build: Callable[[], TextIndex], popularity: NDArray[np.float32]) -> TextIndex:
    """The search index of a catalogue from its store, built where it is not there.

    A store that is shared has its parts as they are used, any other one all of them compressed.
    """
    if store.shared:
        parts = cache(lambda: build().parts())
        arrays = {name: store.array(f"search-{name}", partial(lambda name: parts()[name], name)) for name in PARTS}
        return TextIndex.of_parts(arrays, popularity)
    built: list[TextIndex] = []

    def packed() -> NDArray[np.uint8]:
        built.append(build())
        return built[0].pack()

    found = store.array("search", packed)
    return built[0] if built else TextIndex.unpack(found, popularity)
