"""ONNX networks, verified against their card and run by ONNX Runtime."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from disco.errors import DataError
from disco.models.card import Card

if TYPE_CHECKING:
    import onnxruntime


@dataclass(frozen=True)
class Network:
    """An ONNX network that was verified against its card.

    Attributes
    ----------
    card : Card
    session : onnxruntime.InferenceSession
    outputs : tuple of str
    """

    card: Card
    session: onnxruntime.InferenceSession
    outputs: tuple[str, ...]

    def __call__(self, **inputs: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Outputs by name for inputs by name; the first axis is the batch."""
        try:
            found = self.session.run(list(self.outputs), inputs)
        except Exception as error:  # ONNX Runtime has no common class of errors
            what = f"holds a network that does not do what its card says ({str(error).splitlines()[0][:100]})"
            raise DataError(self.card.path, what) from None
        return dict(zip(self.outputs, found, strict=True))


def load_network(card: Card, part: str = "network") -> Network:
    """Load a network that a card describes.

    Parameters
    ----------
    card : Card
    part : str
        Key of the network on the card.

    Raises
    ------
    DataError
        If the file is missing, differs from the card, or is not an ONNX network.

    Examples
    --------
    >>> from disco.models.card import read_card
    >>> network = load_network(read_card("classic", "predictor"))
    >>> step = network(inputs=np.zeros((2, 9), np.float32), state=np.zeros((2, 32), np.float32))
    >>> step["vector"].shape
    (2, 8)
    """
    described = card[part]
    path = card.folder / described["file"]
    if not path.is_file():
        raise DataError(card.path, f"names {described['file']}, which does not exist")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != described["sha256"]:
        raise DataError(path, "is not the file that its card describes (the checksums differ)")
    import onnxruntime  # 0.05 s, which an order without a network does without

    options = onnxruntime.SessionOptions()
    # A step takes microseconds, less than waking other threads.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has no common class of errors for unreadable files
        raise DataError(path, f"is not a readable ONNX network ({str(error)[:100]})") from None
    _check("input", session.get_inputs(), described["inputs"], path)
    _check("output", session.get_outputs(), described["outputs"], path)
    return Network(card, session, tuple(described["outputs"]))


def _check(what: str, found: Sequence[Any], described: dict[str, int], path: Path) -> None:
    widths = {node.name: node.shape[-1] for node in found}
    if widths != described:
        raise DataError(path, f"has the {what}s {widths}, but its card describes {described}")
