"""`python -m disco COMMAND ...` is `disco COMMAND ...`."""

from __future__ import annotations

from disco.cli.main import main, run

__all__ = ["main", "run"]

if __name__ == "__main__":
    run()
