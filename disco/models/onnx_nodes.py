"""What the nodes of an ONNX file do, read from its bytes before anything runs: a network within one may never end."""

from __future__ import annotations

from collections.abc import Iterator

# Numbers of fields in onnx.proto3 (github.com/onnx/onnx), by the messages that have them.
_MODEL_GRAPH, _MODEL_FUNCTION, _GRAPH_NODE, _FUNCTION_NODE = 7, 25, 1, 7
_NODE_OPERATION, _NODE_ATTRIBUTE, _ATTRIBUTE_GRAPHS = 4, 5, (6, 11)
# Kinds of values in protocol buffers: whole numbers of any length, 8 bytes, what tells its length, 4 bytes.
_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5


def with_networks_inside(content: bytes) -> list[str]:
    """Operations of an ONNX file that run another network, perhaps for ever: Loop, Scan, If and the like.

    Parameters
    ----------
    content : bytes
        Of the file.

    Returns
    -------
    list of str
        Each once, sorted.

    Raises
    ------
    ValueError
        If the content is cut off, or no ONNX at all.

    Examples
    --------
    >>> from disco.models.card import MODELS
    >>> with_networks_inside((MODELS / "gru" / "step.onnx").read_bytes())
    []
    """
    found = set()
    for field, value in _fields(memoryview(content)):
        if field in (_MODEL_GRAPH, _MODEL_FUNCTION):
            nodes = _GRAPH_NODE if field == _MODEL_GRAPH else _FUNCTION_NODE
            found |= {name for part, node in _fields(value) if part == nodes for name in _holder(node)}
    return sorted(found)


def _holder(node: memoryview) -> list[str]:
    """The operation of a node that has a network among its attributes; empty for any other."""
    fields = list(_fields(node))
    attributes = [value for field, value in fields if field == _NODE_ATTRIBUTE]
    if not any(part in _ATTRIBUTE_GRAPHS for attribute in attributes for part, _ in _fields(attribute)):
        return []
    return ["".join(bytes(value).decode(errors="replace") for field, value in fields if field == _NODE_OPERATION)]


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Number and content of each field of a message that tells its length: texts and messages."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == _VARINT:
            _, at = _varint(message, at)
        elif kind == _LENGTH:
            size, at = _varint(message, at)
            if size > len(message) - at:
                raise ValueError("it is cut off")
            yield tag >> 3, message[at : at + size]
            at += size
        elif kind in (_EIGHT, _FOUR):
            at += 8 if kind == _EIGHT else 4
        else:
            raise ValueError("it is no ONNX file")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A whole number in groups of seven bits, the lowest first, and where it ends."""
    number = shift = 0
    while at < len(message) and shift < 70:
        number |= (message[at] & 127) << shift
        if message[at] < 128:
            return number, at + 1
        at, shift = at + 1, shift + 7
    raise ValueError("it is cut off")
