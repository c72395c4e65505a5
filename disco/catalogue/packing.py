"""Several arrays in one: compressed bytes that can be kept and unpacked again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

# Level 9 of zstd packs the search index of 380,000 tracks a tenth smaller than 3, in half a second.
_CODEC = ("zstd", 9)


def pack(arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.uint8]:
    """One array of bytes that holds several arrays of numbers; `unpack` gives them back.

    The first bytes of all numbers are compressed together, then the second, ...: of small numbers most are zeros.

    Examples
    --------
    >>> unpack(pack({"a": np.arange(3), "b": np.array([True])}))
    {'a': array([0, 1, 2]), 'b': array([ True])}
    """
    codec = pa.Codec(*_CODEC)
    parts, facts = [], []
    for name, array in arrays.items():
        planes = np.ascontiguousarray(array).view(np.uint8).reshape(len(array), array.itemsize).T
        parts.append(np.frombuffer(codec.compress(np.ascontiguousarray(planes)), dtype=np.uint8))
        facts.append((name, array.dtype.str, len(array), len(parts[-1])))
    head = json.dumps(facts).encode()
    return np.concatenate([np.frombuffer(head + b"\n", dtype=np.uint8), *parts])


def unpack(packed: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """The arrays that `pack` packed, by name; each has one dimension."""
    codec, data = pa.Codec(*_CODEC), np.ascontiguousarray(packed).data
    start = bytes(data[: 1 << 16]).index(b"\n") + 1
    arrays: dict[str, NDArray[Any]] = {}
    for name, kind, length, size in json.loads(bytes(data[:start])):
        dtype = np.dtype(kind)
        bytes_of_all = codec.decompress(data[start : start + size], length * dtype.itemsize) if length else b""
        planes = np.frombuffer(bytes_of_all, dtype=np.uint8).reshape(dtype.itemsize, length)
        arrays[name] = np.ascontiguousarray(planes.T).view(dtype).reshape(length)
        start += size
    return arrays
