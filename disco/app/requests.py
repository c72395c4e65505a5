"""Models of requests, made from the signatures of the functions that they call.

Name, type, default and description of a field are those of the parameter that it sets. This module adds only what the
requests of another program need besides: limits, and one sentence on what is wrong.
"""

from __future__ import annotations

import difflib
import inspect
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, ValidationError, create_model

from disco.app.state import MOST_ADDED, MOST_KNOB, MOST_TRACKS
from disco.cli.options import help_of
from disco.errors import DiscoError
from disco.playlist.key_rules import KEY_RULES
from disco.playlist.sequence import SEQUENCERS
from disco.playlist.sequence.wishes import ALBUMS, ARTISTS, GENRES

# What is loaded once for all, what would read files of the server or search without end, and what asks a person.
_OWN = ("predictor", "recommender", "exclude_playlist", "iterations", "seconds", "choose")
_MOST_SHOWN = 40
# Lowest and highest values, so that no request holds the server for long.
_RANGES: dict[str, tuple[float, float]] = {
    "length": (0, MOST_ADDED),
    **dict.fromkeys(("minutes", "best_minutes"), (1, 24 * 60)),
    "n": (1, 100),
    "candidates": (1, 1000),
    "width": (1, 64),
    **dict.fromkeys(("artist_gap", "max_per_artist"), (0, MOST_TRACKS)),
    "drop": (0, 50),
    "best": (2, MOST_TRACKS),
    "random_seed": (0, 2**31 - 1),
    **dict.fromkeys(("flow", "spicyness", "sweetness", "smoothness"), (0, MOST_KNOB)),
    **dict.fromkeys(("relevance", "randomness", "rising_tempo", "arc_weight", "tempo_arc_weight"), (0, 100)),
}
_NAMES: dict[str, Sequence[str]] = {
    "key_rule": tuple(KEY_RULES),
    "sequencer": tuple(SEQUENCERS),
    "artists": ARTISTS,
    "albums": ALBUMS,
    "genres": GENRES,
}
Text = Annotated[str, Field(max_length=300)]
_SCALARS: dict[Any, Any] = {str: Text, int: StrictInt, float: StrictFloat, bool: StrictBool, type(None): None}
_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
}
_PLURALS = {"string": "texts", "integer": "whole numbers", "number": "numbers", "array": "lists"}
Model = TypeVar("Model", bound=BaseModel)


def request_of(name: str, of: Callable[..., Any], **first: tuple[Any, str]) -> type[BaseModel]:
    """A model of the keyword arguments of a function.

    Parameters
    ----------
    name : str
        Of the model.
    of : callable
    **first : (type, description)
        Fields that come before; those whose type allows None may be left out.

    Examples
    --------
    >>> import disco
    >>> model = request_of("Next", disco.next_tracks, tracks=(Text, "the track that was played last"))
    >>> model(tracks="sunday night staircase", n=3).model_dump(exclude_unset=True)
    {'tracks': 'sunday night staircase', 'n': 3}
    """
    fields: dict[str, Any] = {
        field: (kind, Field(None if type(None) in typing.get_args(kind) else ..., description=description))
        for field, (kind, description) in first.items()
    }
    hints = typing.get_type_hints(of)
    for parameter in inspect.signature(of).parameters.values():
        field = parameter.name
        if parameter.kind is not parameter.KEYWORD_ONLY or field in _OWN:
            continue
        kind = _kind(hints[field])
        if field in _NAMES:
            names: Any = Literal[tuple(_NAMES[field])]
            kind = names | None if parameter.default is None else names
        elif field in _RANGES:
            low, high = _RANGES[field]
            kind = Annotated[kind, Field(ge=low, le=high)]
        fields[field] = (kind, Field(parameter.default, description=help_of(of, field)))
    made: type[BaseModel] = create_model(name, __config__=CLOSED, **fields)
    return made


CLOSED = ConfigDict(extra="forbid", allow_inf_nan=False)


def several(kind: Any, most: int = MOST_TRACKS) -> Any:
    """The type of a list of at most so many.

    Examples
    --------
    >>> several(int, 3)
    typing.Annotated[list[int], FieldInfo(annotation=NoneType, required=True, metadata=[MaxLen(max_length=3)])]
    """
    return Annotated[list[kind], Field(max_length=most)]


def _kind(hint: Any) -> Any:
    """A type as JSON has it: what JSON cannot hold is left out of a union."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, UnionType):
        kinds = [_kind(each) for each in arguments]
        return typing.Union[tuple(kind for kind in kinds if kind is not NotImplemented)]  # noqa: UP007 - made here
    if origin is Sequence:
        return several(_kind(arguments[0]))
    if origin is Mapping:
        # Keys of objects are texts in JSON.
        value: Any = _kind(arguments[1])
        return Annotated[dict[int, value], Field(max_length=MOST_TRACKS)]
    if origin is tuple:
        return tuple.__class_getitem__(tuple(_kind(each) for each in arguments))
    return _SCALARS.get(hint, NotImplemented)


def checked(model: type[Model], sent: object) -> Model:
    """A request that was sent.

    Raises
    ------
    DiscoError
        With the first thing that is wrong with it.

    Examples
    --------
    >>> import disco
    >>> checked(request_of("Playlist", disco.make), {"lenght": 3})
    Traceback (most recent call last):
    disco.errors.DiscoError: there is no field 'lenght'; did you mean 'length'?
    """
    if not isinstance(sent, Mapping):
        raise DiscoError("send one JSON object")
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=True, include_input=True)
    # Of the alternatives of a union, the one that was nearly met.
    telling = ("too_long", "string_too_long", "extra_forbidden")
    first = next((each for each in errors if each["type"] in telling), errors[0])
    raise DiscoError(_sentence(model, first))


def _sentence(model: type[BaseModel], error: Any) -> str:
    names = model.model_json_schema()["properties"]
    field = str(error["loc"][0])[:_MOST_SHOWN]
    if error["type"] == "extra_forbidden":
        unknown = str(error["loc"][-1])[:_MOST_SHOWN]
        if len(error["loc"]) > 1:
            return f"an entry of {field} has no field {unknown!r}"
        near = difflib.get_close_matches(unknown, names, 1)
        others = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
        return f"there is no field {unknown!r}; {others}"
    if error["type"] == "missing":
        return f"the field {field!r} is missing: {names[field].get('description', '')}"
    context = error.get("ctx", {})
    if error["type"] in ("greater_than_equal", "less_than_equal") and field in _RANGES:
        low, high = _RANGES[field]
        return f"{field} must be from {low:g} to {high:g}, not {_shown(error['input'])}"
    if error["type"] in ("too_long", "string_too_long"):
        unit = "characters" if error["type"] == "string_too_long" else "entries"
        return f"{field} is too long: at most {context['max_length']:,} {unit}"
    if error["type"] == "literal_error":
        return f"there is no {field} {_shown(error['input'])}; there are {', '.join(_NAMES[field])}"
    kinds = " or ".join(dict.fromkeys(_kinds(names[field]))) if field in names else "something else"
    inside = any(isinstance(part, int) for part in error["loc"])
    return f"{field} must be {kinds}, not {'one with ' if inside else ''}{_shown(error['input'])}"


def _kinds(schema: Mapping[str, Any]) -> Iterator[str]:
    """What a value may be, in words."""
    for each in schema.get("anyOf", [schema]):
        if "anyOf" in each:
            yield from _kinds(each)
        elif each.get("type") == "array":
            items = each.get("items") or each["prefixItems"][0]
            yield f"a list of {_PLURALS.get(items.get('type', ''), 'tracks')}"
        elif each.get("type") in _WORDS:
            yield _WORDS[each["type"]]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
