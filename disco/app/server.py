"""The server of the page: what is asked for from a browser or another program, behind checks of who asks."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response

import disco
from disco.app import answers
from disco.app.api import add_api, read_json
from disco.app.page_files import PageFiles, add_page, page_files
from disco.app.play import Music
from disco.app.reading import Reading
from disco.errors import DiscoError

MOST_BYTES = 24 * 2**20
# Playlists that one process makes at once. More take longer in all, since Python runs one thread at a time and
# switching costs: 20 people wait 1.3 s at the median with 2, 1.9 s with 40. With one, a slow one stops the others.
_AT_ONCE = 2
# Where the processes of `disco app --workers` find how they are served.
_ENVIRONMENT = "DISCO_APP_OPTIONS"
# The variable with the password.
FROM_ENVIRONMENT = "DISCO_APP_PASSWORD"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
Scope = MutableMapping[str, Any]
Asgi = Callable[[Scope, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


@dataclass(frozen=True)
class Options:
    """How the page is served.

    Attributes
    ----------
    catalogue : tuple of str
        As for `disco.open`; empty for the demo.
    host : str
    port : int
    password : str
        Asked for by the browser; empty for none, which is allowed on loopback alone.
    """

    catalogue: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8050
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not self.password and not self.is_local:
            raise DiscoError(
                f"{self.host} can be reached by others: set a password in DISCO_APP_PASSWORD, or serve on 127.0.0.1"
            )

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches the server."""
        return self.host in LOOPBACK


def reading_of(options: Options) -> Reading:
    """The catalogue that these options name, not begun to be read."""
    return Reading(lambda: disco.open(options.catalogue))


def create(options: Options = Options(), reading: Reading | None = None) -> FastAPI:
    """Make the application that a server runs; the catalogue is read in the background.

    Parameters
    ----------
    options : Options
    reading : Reading, optional
        Of the same catalogue, where it has begun already.

    Examples
    --------
    >>> app = create()
    >>> any(route.path == "/page/play" for route in app.routes)
    True
    """
    app = FastAPI(
        title="DISCO", version=disco.__version__, docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json"
    )
    if reading is None:
        reading = reading_of(options)
        reading.start()
    folders = tuple(Path(path).resolve() for path in options.catalogue if Path(path).is_dir())
    several = CapacityLimiter(_AT_ONCE)
    _routes(app, reading, folders, several)
    add_api(app, reading.now, several)
    page = page_files(_made)
    add_page(app, page)
    app.add_middleware(_Checks, options=options, scripts=page.hashes)
    app.state.reading = reading
    return app


def _made() -> PageFiles:
    from disco.app import layout  # with Dash, which takes a second

    return layout.made()


def to_environment(options: Options) -> None:
    """Say to processes that are started from here how they serve; the password they have from the environment too."""
    facts = {"catalogue": options.catalogue, "host": options.host, "port": options.port}
    os.environ[_ENVIRONMENT] = json.dumps(facts)
    os.environ[FROM_ENVIRONMENT] = options.password


def from_environment() -> FastAPI:
    """Make the application of one of several processes."""
    facts = json.loads(os.environ[_ENVIRONMENT])
    return create(
        Options(tuple(facts["catalogue"]), facts["host"], facts["port"], os.environ.get(FROM_ENVIRONMENT, ""))
    )


def _routes(app: FastAPI, reading: Reading, folders: tuple[Path, ...], several: CapacityLimiter) -> None:
    async def answered(request: Request, answer: Callable[[Music, Any], Any], quick: bool = False) -> Response:
        body = await request.body()
        return await _answer(lambda: _json(answer(reading.now(), _object(body))), None if quick else several)

    async def _answer(make: Callable[[], Response], limiter: CapacityLimiter | None = several) -> Response:
        try:
            return await to_thread.run_sync(make, limiter=limiter)
        except DiscoError as error:
            return JSONResponse({"error": str(error)}, 400)

    @app.get("/page/ready", include_in_schema=False)
    async def ready() -> dict[str, Any]:
        music = reading.music
        if music is None:
            return {"ready": False, "error": reading.error, "progress": reading.progress, "share": reading.share}
        return {
            "ready": True,
            "where": music.catalogue.where,
            "tracks": len(music.catalogue),
            "notes": list(music.catalogue.notes[:20]),
            "first": list(reading.first),
            "audio": bool(folders),
        }

    @app.post("/page/play", include_in_schema=False)
    async def play(request: Request) -> Response:
        return await answered(request, answers.play_answer)

    @app.post("/page/search", include_in_schema=False)
    async def search(request: Request) -> Response:
        # A letter that is typed does not wait for the playlists of others.
        return await answered(
            request, lambda music, sent: answers.search_answer(music, str(sent.get("text", ""))), quick=True
        )

    @app.post("/page/choices", include_in_schema=False)
    async def choices(request: Request) -> Response:
        return await answered(request, answers.choices_answer)

    @app.post("/page/names", include_in_schema=False)
    async def names(request: Request) -> Response:
        return await answered(request, answers.names_answer)

    @app.post("/page/correct", include_in_schema=False)
    async def correct(request: Request) -> Response:
        return await answered(request, lambda music, sent: reading.correct(answers.correction_of(music, sent)))

    @app.post("/page/send", include_in_schema=False)
    async def send(request: Request) -> Response:
        return await answered(request, answers.send_answer)

    @app.post("/page/export", include_in_schema=False)
    async def export(request: Request) -> Response:
        body = await request.body()

        def write() -> Response:
            name, content = answers.export_answer(reading.now(), _object(body))
            attached = f"attachment; filename*=UTF-8''{quote(name)}"
            return Response(content, media_type="application/octet-stream", headers={"content-disposition": attached})

        return await _answer(write)

    @app.post("/page/open", include_in_schema=False)
    async def open_(request: Request) -> Response:
        content, query = await request.body(), request.query_params
        name, playlist = query.get("name", "list"), query.get("playlist")
        return await _answer(lambda: _json(answers.open_answer(reading.now(), name[:200], content, playlist)))

    @app.get("/page/audio/{track:path}", include_in_schema=False)
    def audio(track: str) -> Response:
        file = None if reading.music is None else answers.audio_file(reading.music, track, folders)
        if file is None:
            return JSONResponse({"error": "there is no such file"}, 404)
        return FileResponse(file, media_type=answers.AUDIO_TYPES[file.suffix.lower()])


def _object(body: bytes) -> dict[str, Any]:
    sent = read_json(body)
    if not isinstance(sent, dict):
        raise DiscoError("what was sent is no object of JSON")
    return sent


def _json(answer: Any) -> Response:
    # Unknown numbers (NaN) become null, which `json` cannot write.
    return Response(msgspec.json.encode(answer), media_type="application/json")


class _Checks:
    """Refuses requests of other sites, too large ones and those without the password, and says what a browser may do.

    Written for ASGI itself, so that nothing large is read before it is refused.
    """

    def __init__(self, app: Asgi, options: Options, scripts: Sequence[str]) -> None:
        self._app, self._options = app, options
        policy = {
            "default-src": "'self'",
            "script-src": " ".join(["'self'", *scripts]),
            # The components set sizes and colours of their parts as styles.
            "style-src": "'self' 'unsafe-inline'",
            "img-src": "'self' data: blob:",
            "connect-src": "'self'",
            "worker-src": "'self' blob:",
            "media-src": "'self'",
            "object-src": "'none'",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
        }
        self._headers = [
            (b"content-security-policy", "; ".join(f"{name} {value}" for name, value in policy.items()).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
        ]

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        status, why = self._refused(scope, headers)
        if scope["type"] == "websocket":
            if status:
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
            return

        async def send_checked(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._headers]
            await send(message)

        if status:
            response = JSONResponse({"error": why}, status)
            if status == 401:
                response.headers["www-authenticate"] = 'Basic realm="DISCO", charset="UTF-8"'
            await response(scope, receive, send_checked)
            return
        received = 0

        async def receive_limited() -> Any:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MOST_BYTES:  # a sender that does not tell how much it sends
                return {"type": "http.disconnect"}
            return message

        await self._app(scope, receive_limited, send_checked)

    def _refused(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str]:
        """Status and reason of a refusal; 0 if the request is welcome."""
        host = _host(f"//{headers.get('host', '')}")
        if self._options.is_local and host not in LOOPBACK:
            return 421, "this server answers for this machine alone"  # another site's name leads here
        origin = headers.get("origin")
        if origin is not None and origin.partition("//")[2] != headers.get("host", ""):
            return 403, "another site may not ask here"
        if headers.get("sec-fetch-site", "same-origin") == "cross-site" and scope.get("method") != "GET":
            return 403, "another site may not ask here"
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MOST_BYTES:
            return 413, f"the file is larger than the {MOST_BYTES // 2**20} MB that the page takes"
        if self._options.password and not self._knows_password(headers.get("authorization", "")):
            return 401, "the password is missing or wrong"
        return 0, ""

    def _knows_password(self, authorization: str) -> bool:
        scheme, _, encoded = authorization.partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return False
        return scheme.lower() == "basic" and hmac.compare_digest(given.encode(), self._options.password.encode())


def _host(address: str) -> str:
    """The host that an address names; empty where it names none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # an IPv6 address without its end
        return ""
