"""Files of a model beside its card: read whole and verified by the checksums on the card. No pickle is ever read."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disco.errors import DataError
from disco.models.card import Card


def file_content(card: Card, file: str) -> bytes:
    """Content of a file, whose checksum must be the one on the card.

    Raises
    ------
    DataError
        If the card does not name the file, or the file is missing or differs.

    Examples
    --------
    >>> from disco.models.card import read_card
    >>> len(file_content(read_card("music", "predictor"), "name_hashes.npy")) > 1000
    True
    """
    path, checksums = card.folder / file, card["files"]
    if file not in checksums:
        raise DataError(card.path, f"names no file {file!r}")
    try:
        content = path.read_bytes()
    except OSError:
        raise DataError(card.path, f"names {file}, which cannot be read") from None
    if hashlib.sha256(content).hexdigest() != checksums[file]:
        raise DataError(path, "is not the file that its card describes (the checksums differ)")
    return content


def file_array(card: Card, name: str, *shape: int | None) -> NDArray[Any]:
    """The array in `name.npy`; None in the shape is any size.

    Raises
    ------
    DataError
        If it is not an array of finite numbers of that shape.

    Examples
    --------
    >>> from disco.models.card import read_card
    >>> file_array(read_card("music", "predictor"), "name_hashes", None).dtype.name
    'uint64'
    """
    path = card.folder / f"{name}.npy"
    try:
        array: NDArray[Any] = np.load(io.BytesIO(file_content(card, path.name)), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise DataError(path, f"is not a readable array ({str(error).splitlines()[0][:100]})") from None
    if len(shape) != array.ndim or any(s not in (None, n) for s, n in zip(shape, array.shape, strict=True)):
        raise DataError(path, f"has the shape {array.shape} where {shape} is needed")
    if array.dtype.kind not in "fiu" or (array.dtype.kind == "f" and not np.isfinite(array).all()):
        raise DataError(path, "holds values that are not finite numbers")
    return array
