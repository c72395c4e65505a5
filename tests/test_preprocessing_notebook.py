"""The notebook about the data runs on a small slice of anything, and what is committed of it holds no row of data."""

from __future__ import annotations

import os
import re
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
NOTEBOOK = ROOT / "data-wrangling" / "preprocessing.ipynb"
PICTURES = 11


@pytest.fixture
def notebook() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def write_playlists(path: Path, tracks: int) -> None:
    """Sixty playlists of three sources, a few of their tracks unknown and one too short to count."""
    rng = np.random.default_rng(0)
    made = []
    for number in range(60):
        chosen = rng.choice(tracks + 20, 5 if number == 0 else rng.integers(20, 40), replace=False)
        source = ("mpd_any", "editorial_any", "attic")[number % 3]
        made += [
            {"playlist_id": f"p{number}", "position": i, "track_id": f"t{row:05}", "source": source}
            for i, row in enumerate(chosen)
        ]
    pq.write_table(pa.Table.from_pylist(made), path)


@pytest.mark.slow
@pytest.mark.notebook
@pytest.mark.process
@pytest.mark.network
def test_the_notebook_runs_on_a_slice_of_any_data(notebook: Any, tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("ipykernel")
    nbclient = pytest.importorskip("nbclient")
    tables.write(random_catalogue(400, artists=40, unknown=0.05), tmp_path / "tracks.parquet")
    write_playlists(tmp_path / "playlists.parquet", 400)
    (tmp_path / "work").mkdir()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    # As data, a picture needs no browser.
    environment = {
        **os.environ,
        "PLOTLY_RENDERER": "json",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{NOTEBOOK.parent}",
        "DISCO_TRACKS": str(tmp_path / "tracks.parquet"),
        "DISCO_PLAYLISTS": str(tmp_path / "playlists.parquet"),
    }
    nbclient.NotebookClient(
        notebook, kernel_name="python3", timeout=120, resources={"metadata": {"path": str(tmp_path / "work")}}
    ).execute(env=environment)
    made = outputs(notebook)
    result = "".join(output.get("text", "") for output in made if output.get("name") == "stdout")
    assert not [output for output in made if output.output_type == "error" or output.get("name") == "stderr"]
    assert sum("application/json" in output.get("data", {}) for output in made) == PICTURES
    assert "400 tracks, 400 of them with all eight features" in result
    assert "60 playlists" in result
    assert "in 59 playlists" in result
    # Features drawn at random are not those that the shipped card was fitted on.
    assert float(re.search(r"lambdas +differs by at most ([\d.e+-]+)", result)[1]) > 0.1
    assert not list((tmp_path / "work").iterdir())


def test_the_committed_notebook_was_run_in_order_and_shows_its_pictures(notebook: Any) -> None:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [
        output for output in outputs(notebook) if output.output_type == "error" or output.get("name") == "stderr"
    ]
    assert sum("image/png" in output.get("data", {}) for output in outputs(notebook)) == PICTURES


def test_the_committed_notebook_is_small_and_says_nothing_of_the_machine_that_ran_it(notebook: Any) -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text.encode()) < 1_200_000
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    for trace in ("/home/", "/root", "/tmp/", "/work/", "/Users/", "C:\\\\"):
        assert trace not in text, trace


def test_the_committed_notebook_holds_no_row_of_data(notebook: Any) -> None:
    for output in outputs(notebook):
        # Pictures as pixels, and printed numbers: no table, and no picture that carries what it was drawn from.
        assert output.output_type == "stream" or set(output.data) == {"image/png"}
        assert not re.search(r"\b[0-9A-Za-z]{22}\b|\bmpd:\d", output.get("text", ""))


def test_the_data_is_named_in_one_cell_and_by_no_path_of_a_machine(notebook: Any) -> None:
    naming = [cell.source for cell in notebook.cells if "DISCO_TRACKS" in cell.source or "parquet" in cell.source]
    assert len(naming) == 1
    assert naming[0].count("os.environ.get(") == 2
