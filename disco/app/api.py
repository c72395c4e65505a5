"""The same over JSON: `POST /v1/playlists`, `/v1/order`, `/v1/search`, `/v1/next`, described by OpenAPI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from disco.app.play import Music
from disco.app.verbs import VERBS, Verb
from disco.errors import DiscoError

_WRONG = {
    "description": "What is wrong with the request, in a sentence",
    "content": {
        "application/json": {
            "schema": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
        }
    },
}


def add_api(app: FastAPI, music: Callable[[], Music], several: CapacityLimiter) -> None:
    """Put the four verbs on a server.

    Parameters
    ----------
    app : FastAPI
    music : callable
        The catalogue and what was loaded for it; raises `DiscoError` where it is not there.
    several : CapacityLimiter
        How many playlists are made at once.
    """
    for verb in VERBS:
        app.add_api_route(
            f"/v1/{verb.path}",
            _endpoint(verb, music, None if verb.path == "search" else several),
            methods=["POST"],
            operation_id=verb.name,
            summary=verb.does,
            tags=["DISCO"],
            response_model=None,
            responses={200: {"description": f"As `--json`, and `notes`: {_ANSWERS[verb.path]}"}, 400: _WRONG},
            openapi_extra={
                "requestBody": {"required": True, "content": {"application/json": {"schema": _schema(verb)}}}
            },
        )


_ANSWERS = {
    "playlists": "a playlist",
    "order": "a playlist, with the metrics `before` and `after`",
    "search": "the `tracks` that were found, best first",
    "next": "the track played last as `after`, and the `tracks` that go well, best first",
}


def _endpoint(verb: Verb, music: Callable[[], Music], limiter: CapacityLimiter | None) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return JSONResponse({"error": "send JSON, with the header content-type: application/json"}, 400)
        body = await request.body()
        return await to_thread.run_sync(answer, body, limiter=limiter)

    def answer(body: bytes) -> Response:
        try:
            found = verb.answer(music(), read_json(body))
        except DiscoError as error:
            return JSONResponse({"error": str(error)}, 400)
        return Response(msgspec.json.encode(found), media_type="application/json")

    return endpoint


def read_json(body: bytes) -> Any:
    """What a body of JSON says.

    Raises
    ------
    DiscoError
        If it is none.

    Examples
    --------
    >>> read_json(b'{"n": 3}')
    {'n': 3}
    """
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        why = "too many levels" if isinstance(error, RecursionError) else str(error)
        raise DiscoError(
            f"what was sent is no JSON: {why[:1].lower()}{why[1:].removeprefix('SON is malformed: ')}"
        ) from None


def _schema(verb: Verb) -> dict[str, Any]:
    """The schema of a request in one piece, since OpenAPI keeps definitions elsewhere than JSON Schema does."""
    schema = verb.request.model_json_schema()
    definitions = schema.pop("$defs", {})

    def whole(part: Any) -> Any:
        if isinstance(part, list):
            return [whole(each) for each in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return whole(definitions[part["$ref"].rpartition("/")[2]])
        return {name: whole(each) for name, each in part.items()}

    made: dict[str, Any] = whole(schema)
    return made
