"""Catalogues of millions are searched in cells of near points, which find what all scores find."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from helpers.catalogues import random_catalogue
from hypothesis import given
from hypothesis import strategies as st

import disco
from disco.models.recommenders import Query, cells, load_recommender, music
from disco.models.recommenders.cells import Cells, divide
from disco.models.recommenders.scoring import TopOfParts, top_n_indices
from disco.sources import mapped_columns
from disco.sources.cache import user_cache

STEP = np.float32(0.02)


def some_points(n: int, size: int = 16, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points in clusters, as music lies, and their offsets."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(0, 25, size=(max(n // 100, 1), size))
    points = np.clip(np.rint(middles[rng.integers(len(middles), size=n)] + rng.normal(0, 10, (n, size))), -127, 127)
    offsets = rng.normal(-6, 2, n) - ((points * STEP) ** 2).sum(axis=1) / 2
    return points.astype(np.int8), offsets.astype(np.float16)


def all_scores(points: np.ndarray, offsets: np.ndarray, vector: np.ndarray, less: np.float32) -> np.ndarray:
    values, biases = points.astype(np.float32), offsets.astype(np.float32)
    norms = (values**2).sum(axis=1) * STEP**2 / 2
    return values @ vector + biases - less * (biases + norms)


def test_the_best_are_found_with_a_look_at_a_few(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cells, "_BATCH", 512)
    points, offsets = some_points(30_000)
    divided = Cells.unpack(divide(points, offsets, STEP))
    rng, recalls, looked = np.random.default_rng(1), [], []
    for less in np.float32([0, 0, 0, 0.2, 0.5]):
        vector = (points[rng.integers(len(points), size=3)].mean(axis=0) * STEP * STEP).astype(np.float32)
        scores, top = all_scores(points, offsets, vector, less), TopOfParts(400)
        looked.append(divided.search(vector, less, lambda rows, scores=scores: scores[rows], top, None))
        recalls.append(np.isin(top_n_indices(scores, 400), top.best[0]).mean())
    assert np.mean(recalls) >= 0.99
    assert max(looked) < len(points) / 2


@given(st.integers(0, 300), st.integers(0, 3), st.booleans())
def test_each_known_point_is_in_one_cell_with_its_mean(n: int, seed: int, same: bool):
    points, offsets = some_points(n, 6, seed)
    if same:
        points[:] = points[:1]
    offsets[::3] = -np.inf
    divided = Cells.unpack(divide(points, offsets, STEP))
    assert np.sort(divided.rows).tolist() == np.flatnonzero(np.isfinite(offsets)).tolist()
    assert (np.diff(divided.starts) > 0).all()
    for cell in range(len(divided.means)):
        rows = divided.rows[divided.starts[cell] : divided.starts[cell + 1]]
        assert (np.diff(rows) > 0).all()
        np.testing.assert_allclose(divided.means[cell, :-2], points[rows].mean(axis=0), atol=1e-3)
        np.testing.assert_allclose(divided.means[cell, -2], offsets[rows].astype(float).mean(), atol=1e-2)


@pytest.fixture
def divided_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(music, "EXACT_TRACKS", 0)
    monkeypatch.setattr(music, "_FEW", 50)
    monkeypatch.setattr(cells, "_BATCH", 64)


@pytest.mark.usefixtures("divided_at_once")
def test_candidates_are_those_of_all_scores_and_allowed(monkeypatch: pytest.MonkeyPatch):
    catalogue, rng = random_catalogue(2000, artists=300), np.random.default_rng(2)
    masks = [None, rng.random(2000) < 0.5, catalogue.tempos > 190, np.arange(2000) < 40, np.zeros(2000, dtype=bool)]
    queries = [Query(rng.choice(2000, 3), allowed=mask) for mask in masks for _ in range(2)]
    found = load_recommender("music", catalogue).recommend_many(queries, 60)
    monkeypatch.setattr(music, "EXACT_TRACKS", 2000)
    every = load_recommender("music", catalogue).recommend_many(queries, 60)
    for query, some, true in zip(queries, found, every, strict=True):
        assert np.isin(true.rows, some.rows).mean() >= 0.99 if len(true.rows) else not len(some.rows)
        both, here, there = np.intersect1d(some.rows, true.rows, return_indices=True)
        np.testing.assert_allclose(some.scores[here], true.scores[there], rtol=1e-4, atol=1e-4)
        assert query.allowed is None or query.allowed[some.rows].all()
        assert len(both) == len(true.rows) or query.allowed is None or query.allowed.sum() >= 50


@pytest.mark.usefixtures("divided_at_once")
def test_cells_are_kept_in_the_cache_and_made_again_where_they_are_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(mapped_columns, "MAPPED_TRACKS", 1)
    monkeypatch.setattr(mapped_columns, "BYTES_A_TRACK", 10_000)
    path, made = tmp_path / "tracks.parquet", []
    pq.write_table(random_catalogue(300).table, path)
    monkeypatch.setattr(music, "divide", lambda *given: made.append(1) or divide(*given))

    def asked() -> list[int]:
        return load_recommender("music", disco.open(path)).recommend(Query(np.array([3, 5])), 30).rows.tolist()

    before = asked()
    assert asked() == before
    assert len(made) == 1
    (kept,) = user_cache().rglob("*-cells-1.npy")
    whole = bytearray(kept.read_bytes())
    whole[len(whole) // 2] ^= 1
    kept.write_bytes(whole)
    assert asked() == before
    assert len(made) == 2
    assert [r.getMessage() for r in caplog.records] == [f"{kept}: is damaged; it is computed again"]
