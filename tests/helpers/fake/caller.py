"""The plainest client there is: one call, no retries, no state. For tests of the fakes themselves."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from helpers.fake.server import Server


@dataclass
class Reply:
    status: int
    body: bytes
    headers: dict[str, str]  # names in lower case

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(
    server: Server,
    method: str,
    where: str,
    body: Any = None,
    *,
    query: dict[str, Any] | list[tuple[str, Any]] | None = None,
    token: str | None = None,
    form: dict[str, str] | list[tuple[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> Reply:
    """One request on a connection of its own; `where` is a path, or a whole URL of the server."""
    sent, given = None, {"User-Agent": "a test", **(headers or {})}
    if token is not None:
        given["Authorization"] = f"Bearer {token}"
    if body is not None:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        given.setdefault("Content-Type", "application/json")
    if form is not None:
        sent = urlencode(form).encode()
        given["Content-Type"] = "application/x-www-form-urlencoded"
    path = where.removeprefix(server.url) + ("?" + urlencode(query) if query else "")
    if not server.sockets:
        return _in_process(server, method, path, sent or b"", given)
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    try:
        connection.request(method, path, sent, given)
        got = connection.getresponse()
        return Reply(got.status, got.read(), {name.lower(): value for name, value in got.getheaders()})
    finally:
        connection.close()


def _in_process(server: Server, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
    _, answer, sent, ending = server.exchange(method, path, headers, body)
    if answer is None:
        raise http.client.RemoteDisconnected("Remote end closed connection without response")
    if ending == "cut":
        raise http.client.IncompleteRead(sent[: len(sent) // 2], len(sent) - len(sent) // 2)
    names = {"date": server.date(), **{name.lower(): value for name, value in answer.headers.items()}}
    if sent:
        names["content-type"] = answer.kind
    return Reply(answer.status, sent, {**names, "content-length": str(len(sent))})
