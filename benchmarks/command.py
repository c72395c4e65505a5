"""Time of the whole command on the demo (ten tracks from 400 candidates), compared with importing what it needs."""

from __future__ import annotations

import compileall
import subprocess
import sys
from pathlib import Path

import numpy as np
from table import head, ratio, row, seconds

FLOOR = [sys.executable, "-c", "import numpy, pyarrow, pyarrow.parquet, onnxruntime"]
WORK = [sys.executable, "-m", "disco.generate", "--example"]
ROUNDS = 9


def compile_package() -> None:
    """Compile DISCO as pip compiles what it installs: Python may be set to leave that out in a source folder."""
    compileall.compile_dir(str(Path(__file__).parents[1] / "disco"), quiet=2)


def main() -> None:
    """Print the table."""
    compile_package()

    def run(command: list[str]) -> float:
        return float(seconds(lambda: subprocess.run(command, check=True, capture_output=True), 1)[0])

    rounds = np.array([[run(command) for command in (WORK, FLOOR)] for _ in range(ROUNDS)])
    head("A playlist from the demo, whole process", "command", "seconds", "ratio")
    row("python -m disco.generate --example", f"{np.median(rounds[:, 0]):.3f}", ratio(rounds[:, 0], rounds[:, 1]))
    row("importing numpy, pyarrow, pyarrow.parquet, onnxruntime", f"{np.median(rounds[:, 1]):.3f}", 1)


if __name__ == "__main__":
    main()
