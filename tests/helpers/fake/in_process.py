"""The fakes reached by `requests` without a socket: what the adapter would send is handed to the fake directly.

Answers come back through the same classes of urllib3 as from a socket, so that broken connections, cut answers and
time-outs raise what they raise there. A slow answer takes no time: it passes the time-out or it does not.
"""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from helpers.fake.server import Server

_running: dict[str, Server] = {}
_true_send = HTTPAdapter.send
_time = threading.local()


def add(server: Server) -> None:
    """Hand requests for a server's address to it from now on."""
    _running[server.url] = server
    HTTPAdapter.send = _send


def remove(server: Server) -> None:
    _running.pop(server.url, None)
    if not _running:
        HTTPAdapter.send = _true_send


def wait(seconds: float) -> None:
    """Let the answer that is being made come so much later."""
    _time.late = getattr(_time, "late", 0.0) + seconds


def _send(
    self: HTTPAdapter, request: Any, stream: bool = False, timeout: Any = None, *given: Any, **more: Any
) -> requests.Response:
    origin = "/".join(request.url.split("/", 3)[:3])
    server = _running.get(origin)
    if server is None:
        return _true_send(self, request, stream, timeout, *given, **more)
    body = request.body or b""
    _time.late = 0.0
    _, answer, sent, ending = server.exchange(
        request.method,
        request.url.removeprefix(origin),
        dict(request.headers),
        body.encode() if isinstance(body, str) else body,
    )
    patience = timeout[1] if isinstance(timeout, tuple) else timeout
    if patience is not None and _time.late > patience:
        raise requests.ReadTimeout(f"Read timed out. (read timeout={patience})", request=request)
    if answer is None:
        broken = urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError("closed"))
        raise requests.ConnectionError(broken, request=request)
    headers = {"Date": server.date(), **answer.headers, "Content-Length": str(len(sent))}
    if sent:
        headers["Content-Type"] = answer.kind
    raw = urllib3.HTTPResponse(
        io.BytesIO(sent[: len(sent) // 2] if ending == "cut" else sent),
        headers,
        answer.status,
        preload_content=False,
        request_method=request.method,
        enforce_content_length=True,
    )
    response = self.build_response(request, raw)
    if not stream:
        _ = response.content  # as the true adapter does, so that a cut answer is an error of the request
    return response
