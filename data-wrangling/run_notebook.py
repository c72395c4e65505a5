"""Run notebooks from top to bottom and store their outputs, with static pictures instead of interactive ones.

    BROWSER_PATH=/usr/bin/chromium python data-wrangling/run_notebook.py pipeline.ipynb

Plotly's pictures are rendered by kaleido in Chrome or Chromium; BROWSER_PATH is its path where it is not in the usual
place. Files that a notebook writes go to a temporary folder; modules beside it can be imported.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
# Wide enough for the labels, sharp enough for most screens, and small enough to commit.
_PICTURES = "import plotly.io; plotly.io.defaults.default_width = 920; plotly.io.defaults.default_scale = 1.2"


def run(path: Path) -> None:
    """Execute one notebook and write it back with its outputs, without paths of the machine."""
    notebook, beside = nbformat.read(path, as_version=4), path.resolve().parent  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            notebook,
            kernel_name="python3",
            timeout=300,
            record_timing=False,
            resources={"metadata": {"path": folder}},
            extra_arguments=[f"--IPKernelApp.exec_lines={_PICTURES}"],
        ).execute(env={**os.environ, "PLOTLY_RENDERER": "png", "PYTHONPATH": f"{ROOT}{os.pathsep}{beside}"})
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells, 1):
        cell.id, cell.metadata = f"cell-{number}", {}
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output["data"]["image/png"] = small(output["data"]["image/png"])
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


def small(png: str) -> str:
    """The same picture, in base64, with 256 colours, in a third of the size."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    file = io.BytesIO()
    picture.quantize(256, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def main() -> None:
    """Run the notebooks named on the command line."""
    parser = argparse.ArgumentParser(description="Run notebooks and store their outputs.")
    parser.add_argument("notebooks", nargs="+", type=Path)
    for path in parser.parse_args().notebooks:
        run(path)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
