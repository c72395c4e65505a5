"""`python -m disco.generate`: make a playlist that flows on from a few seeds; see `disco.cli.generate`."""

from __future__ import annotations

from disco.cli.generate import main, parser

__all__ = ["main", "parser"]

if __name__ == "__main__":
    from disco.cli.main import run

    run("generate")
