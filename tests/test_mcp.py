"""`disco mcp`: assistants use the four verbs over a real process, with the official package's own client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from helpers.documents import ROOT, named_catalogue

from disco.sources.files import tables

mcp = pytest.importorskip("mcp")

from disco.app.verbs import VERBS  # noqa: E402

pytestmark = [pytest.mark.process, pytest.mark.slow]


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mcp") / "tracks.parquet"
    tables.write(named_catalogue(), path)
    return path


def use(tracks: Path, ask: Callable[[Any], Awaitable[Any]]) -> Any:
    """What somebody gets who connects to the server and asks."""
    import anyio

    command = mcp.StdioServerParameters(
        command=sys.executable, args=["-m", "disco", "mcp", "-q", "--catalogue", str(tracks)], env=dict(os.environ)
    )

    async def connected() -> Any:
        async with mcp.Client(command, read_timeout_seconds=300) as client:
            return await ask(client)

    return anyio.run(connected)


def validated(schema: str, answer: Any) -> Any:
    text = (ROOT / f"docs/reference/{schema}.schema.json").read_text(encoding="utf-8")
    jsonschema.validate(answer, json.loads(text))
    return answer


def test_an_assistant_searches_makes_orders_and_goes_on(tracks: Path) -> None:
    async def ask(client: Any) -> list[Any]:
        tools = (await client.list_tools()).tools
        assert {tool.name for tool in tools} == {verb.name for verb in VERBS}
        for tool in tools:
            jsonschema.Draft202012Validator.check_schema(tool.input_schema)
            assert tool.description
        found = await client.call_tool("search_tracks", {"text": "night bus", "n": 2})
        best = found.structured_content["tracks"][0]["id"]
        made = await client.call_tool("make_playlist", {"seeds": [best], "length": 5})
        ids = [track["id"] for track in made.structured_content["tracks"]]
        ordered = await client.call_tool("order_playlist", {"tracks": ids, "start_track": best})
        after = await client.call_tool("next_tracks", {"tracks": ids, "n": 3})
        return [found, made, ordered, after]

    answers = use(tracks, ask)
    for schema, answer in zip(("search", "playlist", "playlist", "next"), answers, strict=True):
        assert not answer.is_error
        validated(schema, answer.structured_content)
        assert json.loads(answer.content[0].text) == answer.structured_content
    found, made, ordered, after = (answer.structured_content for answer in answers)
    assert made["tracks"][0]["title"] == "Night Bus"
    assert sorted(track["id"] for track in ordered["tracks"]) == sorted(track["id"] for track in made["tracks"])
    assert ordered["tracks"][0]["id"] == found["tracks"][0]["id"]
    assert after["after"]["id"] == made["tracks"][-1]["id"]


def test_what_is_wrong_is_a_sentence_that_an_assistant_can_act_on(tracks: Path) -> None:
    async def ask(client: Any) -> list[Any]:
        wrong: list[tuple[str, dict[str, Any]]] = [
            ("make_playlist", {"seeds": ["night bus"], "lenght": 3}),
            ("make_playlist", {"seeds": ["xyzzyqw plughqx"]}),
            ("next_tracks", {}),
            ("play_loud", {}),
        ]
        return [await client.call_tool(name, sent) for name, sent in wrong]

    answers = use(tracks, ask)
    assert all(answer.is_error for answer in answers)
    sentences = [answer.content[0].text for answer in answers]
    assert sentences[0] == "there is no field 'lenght'; did you mean 'length'?"
    assert sentences[1].startswith("no track found for 'xyzzyqw plughqx'")
    assert sentences[2].startswith("the field 'tracks' is missing")
    assert sentences[3].startswith("there is no tool 'play_loud'; there are make_playlist")


def test_a_catalogue_that_is_not_there_is_a_sentence_and_not_the_end_of_the_server(tmp_path: Path) -> None:
    async def ask(client: Any) -> Any:
        return [await client.call_tool("search_tracks", {"text": "a"}) for _ in range(2)]

    for answer in use(tmp_path / "none.parquet", ask):
        assert answer.is_error
        assert "none.parquet" in answer.content[0].text


def test_standard_output_has_nothing_but_the_protocol_and_the_end_of_input_ends_it(tracks: Path) -> None:
    first = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    done = subprocess.run(
        [sys.executable, "-m", "disco", "mcp", "-v", "--catalogue", str(tracks)],
        input=json.dumps(first) + "\nthis is no JSON\n",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[0]["result"]["serverInfo"]["name"] == "disco"
    assert all(line["jsonrpc"] == "2.0" for line in lines)
