"""From Keras to a model folder: the extra [train] asked for, ONNX written, what the card says of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import onnxruntime

from disco.errors import MissingExtra
from disco.training.data import Card


def load_networks() -> ModuleType:
    """The module `disco.training.networks`, once all that training and exporting need is there."""
    for package in ("keras", "tensorflow", "tf2onnx"):
        if find_spec(package) is None:
            raise MissingExtra(package, "train")
    from disco.training import networks

    return networks


def export_network(network: Any, path: Path, inputs: Sequence[str], outputs: Sequence[str]) -> Card:
    """Write a network as ONNX; return what the card says of it, in the order in which it is called and answers."""
    load_networks().export(network, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    widths = {node.name: node.shape[-1] for node in (*session.get_inputs(), *session.get_outputs())}
    return {
        "file": path.name,
        "inputs": {name: widths[name] for name in inputs},
        "outputs": {name: widths[name] for name in outputs},
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def export_step(step: Any, folder: Path) -> Card:
    """The same for one step of a recurrent network."""
    says = export_network(step, folder / "step.onnx", ("inputs", "state"), ("vector", "next_state"))
    return {**says, "state": says["inputs"]["state"]}
