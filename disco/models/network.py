"""ONNX networks, verified against their card and run by ONNX Runtime."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from disco.errors import DataError
from disco.models.card import MODELS, Card
from disco.models.onnx_nodes import with_networks_inside

if TYPE_CHECKING:
    import onnxruntime

# Tracks are given in batches of 8,192 at most, for which the largest shipped network needs 0.1 GB.
_MOST_BYTES = 1 << 30
# Below this ONNX Runtime prints what it then also raises.
_FATAL = 4


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
        if not all(np.isfinite(values).all() for values in found) and all(map(_is_finite, inputs.values())):
            raise DataError(self.card.path, "holds a network that gives values which are not finite numbers")
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
    options.log_severity_level = _FATAL
    if path.parent.parent != MODELS:
        _bound_memory(options)
    else:
        # An arena keeps the most that was ever needed, in each process that serves; without it no step is slower.
        options.enable_cpu_mem_arena = False
    try:
        inside = with_networks_inside(content)
    except ValueError as error:
        raise DataError(path, f"is not a readable ONNX network ({error})") from None
    if inside:
        raise DataError(path, f"holds networks within the network ({', '.join(inside)[:100]}), which may never end")
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has no common class of errors for unreadable files
        raise DataError(path, f"is not a readable ONNX network ({str(error)[:100]})") from None
    _check("input", session.get_inputs(), described["inputs"], path)
    _check("output", session.get_outputs(), described["outputs"], path)
    return Network(card, session, tuple(described["outputs"]))


def _is_finite(values: NDArray[np.float32]) -> bool:
    return bool(np.isfinite(values).all())


def _bound_memory(options: onnxruntime.SessionOptions) -> None:
    """Let a network that is not shipped have no more than `_MOST_BYTES` at once, whatever sizes it asks for."""
    with contextlib.suppress(RuntimeError):  # who imports DISCO may have one of their own
        _register_memory()
    options.add_session_config_entry("session.use_env_allocators", "1")


@cache
def _register_memory() -> None:
    import onnxruntime

    kind, place = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, onnxruntime.OrtMemType.DEFAULT
    memory = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, place)
    onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg({"max_mem": _MOST_BYTES}))


def _check(what: str, found: Sequence[Any], described: dict[str, int], path: Path) -> None:
    widths = {node.name: node.shape[-1] for node in found}
    if widths != described:
        raise DataError(path, f"has the {what}s {widths}, but its card describes {described}")
