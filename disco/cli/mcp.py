"""`disco mcp`: answer assistants over the Model Context Protocol."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from disco.cli import console, options
from disco.errors import MissingExtra

if TYPE_CHECKING:
    from disco.app.play import Music


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    p = argparse.ArgumentParser(
        prog="disco mcp",
        usage="disco mcp [options]",
        description="Let assistants make and order playlists: a server of the Model Context Protocol, which the "
        "assistant's program starts, and which speaks on standard input and output.",
        epilog="example: disco mcp --catalogue tracks.parquet",
    )
    options.add_catalogue(p)
    options.add_enrichment(p)
    options.add_verbosity(p)
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Serve until standard input ends."""
    arguments = parser().parse_args(argv)
    console.set_verbosity(arguments.quiet, arguments.verbose)
    try:
        from disco.app.mcp import serve
        from disco.app.reading import Reading
    except ImportError as error:
        raise MissingExtra(error.name or "mcp", "mcp") from None
    # In the background: programs wait only a few seconds for the server, and a million tracks take longer.
    reading = Reading(
        lambda: options.open_catalogue(
            arguments.catalogue, arguments.enrich_from, arguments.corrections, cache=arguments.cache
        )
    )
    reading.start()

    def music() -> Music:
        reading.wait()
        return reading.now()

    serve(music)
    return 0
