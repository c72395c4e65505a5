"""Renew what the README shows of the example playlist: what the command prints, and the picture of its flow.

    BROWSER_PATH=/usr/bin/chromium python data-wrangling/example.py

Needs the extra [notebook] (kaleido) and a Chromium. Run it where the demo or a default changes.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import disco
from disco.cli import generate
from disco.playlist.make import EXAMPLE
from disco.sources import EXAMPLE_SEEDS

ROOT = Path(__file__).resolve().parents[1]
MARK = "<!-- disco generate --example -->\n```text\n"


def printed() -> str:
    """What the command prints, without the spaces at the ends of lines."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        generate.main(["--example", "--quiet"])
    return "\n".join(line.rstrip() for line in out.getvalue().strip().splitlines()) + "\n"


def main() -> None:
    """Write the README and the picture."""
    readme = ROOT / "README.md"
    before, after = readme.read_text(encoding="utf-8").split(MARK)
    readme.write_text(before + MARK + printed() + after[after.index("```") :], encoding="utf-8")
    playlist = disco.make(disco.open(), list(EXAMPLE_SEEDS), **EXAMPLE)
    playlist.figure().write_image(ROOT / "docs" / "images" / "flow.png", width=900, height=600, scale=4 / 3)


if __name__ == "__main__":
    main()
