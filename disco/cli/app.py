"""`disco app`: the page in the browser."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import threading
import time
import webbrowser
from collections.abc import Sequence
from typing import Any

from disco.cli import console, options
from disco.errors import DiscoError, MissingExtra

log = logging.getLogger(__name__)
FROM_ENVIRONMENT = "DISCO_APP_PASSWORD"
# More would only wait for each other.
_MOST_WORKERS = 64


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    p = argparse.ArgumentParser(
        prog="disco app",
        usage="disco app [options]",
        description="Open the page: make and order playlists with the knobs, and see how they flow.",
        epilog="example: disco app --catalogue tracks.parquet",
    )
    g = p.add_argument_group("what most people need")
    options.add_catalogue(g)
    options.option(g, "--no-browser", dest="browser", action="store_false", help="do not open the browser")
    g = p.add_argument_group("where it is served")
    options.option(g, "--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on (127.0.0.1)")
    options.option(
        g, "--port", type=int, default=8050, metavar="N", help="port to listen on (8050); 0 for any free one"
    )
    options.option(
        g, "--workers", type=int, metavar="N", help="processes that answer at once (as many as cores, at most 4)"
    )
    g.description = f"Whoever is to reach it from elsewhere needs the password in {FROM_ENVIRONMENT}."
    options.add_verbosity(p.add_argument_group("output"))
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Serve the page until it is interrupted."""
    arguments = parser().parse_args(argv)
    console.set_verbosity(arguments.quiet, arguments.verbose)
    try:
        import uvicorn
        from uvicorn.supervisors import Multiprocess

        from disco.app.processes import CAN_FORK, Server, keep_memory_small, serve, usual_workers
        from disco.app.server import Options, create, to_environment
    except ImportError as error:
        raise MissingExtra(error.name or "dash", "app") from None
    wished = Options(tuple(arguments.catalogue), arguments.host, arguments.port, os.environ.get(FROM_ENVIRONMENT, ""))
    workers = usual_workers() if arguments.workers is None else arguments.workers
    if not 1 <= workers <= _MOST_WORKERS:
        raise DiscoError(f"--workers must be from 1 to {_MOST_WORKERS}, not {workers}")
    listening = _listen(wished.host, wished.port)
    port = listening.getsockname()[1]
    everywhere = wished.host in ("0.0.0.0", "::")  # noqa: S104 - only shown
    shown = "127.0.0.1" if everywhere else f"[{wished.host}]" if ":" in wished.host else wished.host
    address = f"http://{shown}:{port}/"
    print(f"DISCO is at {address}   (Ctrl-C ends it)", flush=True)
    keep_memory_small()
    quiet: dict[str, Any] = {"log_level": "warning", "access_log": False, "server_header": False}
    if workers > 1:
        if arguments.browser:
            webbrowser.open(address)  # which waits until one answers
        if CAN_FORK:
            serve(wished, listening, workers, quiet)
        else:  # each reads the catalogue for itself
            to_environment(wished)
            made = uvicorn.Config("disco.app.server:from_environment", factory=True, workers=workers, **quiet)
            Multiprocess(made, [listening]).run()
        return 0
    server = Server(uvicorn.Config(create(wished), **quiet))
    if arguments.browser:
        threading.Thread(target=_open_when_started, args=(server, address), daemon=True).start()
    server.run(sockets=[listening])
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens; claimed before anything is read, so that a taken port is reported at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except (OSError, OverflowError) as error:
        listening.close()
        why = getattr(error, "strerror", None) or error
        raise DiscoError(f"cannot listen on {host}, port {port} ({why}); try another --port, or 0 for any") from None
    return listening


def _open_when_started(server: object, address: str) -> None:
    while not getattr(server, "started", True):
        time.sleep(0.05)
    webbrowser.open(address)
