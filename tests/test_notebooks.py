"""The notebook runs from top to bottom, and what is committed of it is what it puts out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.catalogues import random_catalogue

from disco.sources.files import tables

nbformat = pytest.importorskip("nbformat")

ROOT = Path(__file__).parents[1]
PIPELINE = ROOT / "pipeline.ipynb"


@pytest.fixture
def notebook() -> Any:
    return nbformat.read(PIPELINE, as_version=4)


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


@pytest.mark.slow
@pytest.mark.notebook
@pytest.mark.process
@pytest.mark.network
def test_the_notebook_runs_from_top_to_bottom(notebook: Any, tmp_path: Path) -> None:
    pytest.importorskip("ipykernel")
    nbclient = pytest.importorskip("nbclient")
    for cell in notebook.cells:
        cell.pop("outputs", None)
        if cell.cell_type == "code":
            cell.outputs = []
    # As data, a picture needs no browser.
    environment = {**os.environ, "PLOTLY_RENDERER": "json", "PYTHONPATH": str(ROOT)}
    nbclient.NotebookClient(
        notebook, kernel_name="python3", timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    ).execute(env=environment)
    assert not [output for output in outputs(notebook) if output.output_type == "error"]
    assert sum("application/json" in output.get("data", {}) for output in outputs(notebook)) == 5
    assert {path.name for path in tmp_path.iterdir()} == {"playlist.m3u8", "flow.html"}


def test_the_committed_notebook_was_run_in_order_and_shows_its_pictures(notebook: Any) -> None:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [
        output for output in outputs(notebook) if output.output_type == "error" or output.get("name") == "stderr"
    ]
    assert sum("image/png" in output.get("data", {}) for output in outputs(notebook)) == 5


def test_the_committed_notebook_is_small_and_says_nothing_of_the_machine_that_ran_it(notebook: Any) -> None:
    text = PIPELINE.read_text(encoding="utf-8")
    # What GitHub still shows without complaint, and a clone does not feel.
    assert len(text.encode()) < 600_000
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    for trace in ("/home/", "/root", "/tmp/", "/work/", "/Users/", "C:\\\\"):
        assert trace not in text, trace


def test_the_notebook_plays_the_demo_and_another_catalogue_takes_one_line(notebook: Any) -> None:
    lines = [line for cell in notebook.cells if cell.cell_type == "code" for line in cell.source.splitlines()]
    assert [line for line in lines if "disco.open(" in line] == [
        'catalogue = disco.open()  # or disco.open(["my_tracks.parquet"])'
    ]
    assert "5,000 tracks from the demo (invented tracks)" in PIPELINE.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.train
@pytest.mark.notebook
@pytest.mark.process
@pytest.mark.network
def test_the_training_notebook_goes_from_playlists_to_a_measured_model(tmp_path: Path) -> None:
    pytest.importorskip("ipykernel")
    pytest.importorskip("keras")
    nbclient = pytest.importorskip("nbclient")
    tables.write(random_catalogue(300, seed=1), tmp_path / "tracks.parquet")
    rng = np.random.default_rng(0)
    rows = [
        {"playlist_id": f"p{k:03}", "title": f"list {k}", "position": i, "track_id": f"t{row:05}"}
        for k in range(60)
        for i, row in enumerate(rng.permutation(300)[:20])
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "playlists.parquet")
    recipe = (ROOT / "cloud" / "classic.toml").read_text(encoding="utf-8")
    (tmp_path / "small.toml").write_text(recipe.replace("epochs = 30", "epochs = 1").replace("[1, 2, 3]", "[1]"))
    files = {"DISCO_TRACKS": "tracks.parquet", "DISCO_PLAYLISTS": "playlists.parquet", "DISCO_RECIPE": "small.toml"}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **{name: str(tmp_path / f) for name, f in files.items()}}
    notebook = nbformat.read(ROOT / "cloud" / "model.ipynb", as_version=4)
    nbclient.NotebookClient(
        notebook, kernel_name="python3", timeout=300, resources={"metadata": {"path": str(tmp_path)}}
    ).execute(env=environment)
    assert (tmp_path / "model" / "step.onnx").is_file()
    assert "hit@10" in "".join(o.get("text", "") for o in outputs(notebook))
