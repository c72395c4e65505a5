"""The same for assistants: a server of the Model Context Protocol over standard input and output.

Its tools are the verbs of the JSON API, with the same fields and answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anyio
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)

import disco
from disco.app.play import Music
from disco.app.verbs import VERBS
from disco.errors import DiscoError

_INSTRUCTIONS = (
    "DISCO makes and orders playlists that flow in key and tempo, from the tracks of a catalogue. Search for tracks "
    "first where names may be misspelt; refer to them by id afterwards. Notes in an answer say what was not found, "
    "guessed or left out: pass them on to the person."
)


def server_of(music: Callable[[], Music]) -> Server[Any]:
    """A server whose tools answer from a catalogue.

    Parameters
    ----------
    music : callable
        The catalogue and what was loaded for it; may wait, and raises `DiscoError` where it is not there.
    """
    verbs = {verb.name: verb for verb in VERBS}
    tools = [
        Tool(
            name=verb.name,
            description=verb.does,
            input_schema=verb.request.model_json_schema(),
            annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
        )
        for verb in VERBS
    ]

    async def list_tools(_: ServerRequestContext[Any], __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=tools)

    def answer(name: str, sent: dict[str, Any]) -> dict[str, Any]:
        if name not in verbs:
            raise DiscoError(f"there is no tool {name[:40]!r}; there are {', '.join(verbs)}")
        return verbs[name].answer(music(), sent)

    async def call_tool(_: ServerRequestContext[Any], asked: CallToolRequestParams) -> CallToolResult:
        try:
            # In a thread, so that one request does not stop the others.
            found = await anyio.to_thread.run_sync(answer, asked.name, asked.arguments or {})
        except DiscoError as error:
            return CallToolResult(content=[TextContent(text=str(error))], is_error=True)
        text = json.dumps(found, ensure_ascii=False)
        return CallToolResult(content=[TextContent(text=text)], structured_content=found)

    return Server(
        "disco",
        version=disco.__version__,
        title="DISCO",
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def serve(music: Callable[[], Music]) -> None:
    """Answer what comes on standard input until it ends."""
    server = server_of(music)

    async def run() -> None:
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    anyio.run(run)
