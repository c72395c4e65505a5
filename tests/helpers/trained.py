"""Recommenders trained on 300 invented tracks of five kinds, whose playlists are each of one kind, or of none."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock
from helpers.catalogues import random_catalogue
from helpers.contracts import RecommenderTests

from disco.catalogue import Catalogue
from disco.cli import train
from disco.models.recommenders import Query, Recommender, load_recommender
from disco.sources.files import tables

CLOUD = Path(__file__).parents[2] / "cloud"
KINDS = 5
# Kind of each row; tracks of the rows `RecommenderTests.unknown` are in no playlist.
KIND = np.arange(300) % KINDS


def once(name: str, build: Callable[[Path], object]) -> Path:
    """Folder that `build` fills, once a session: all workers of pytest-xdist share it."""
    folder = Path(os.environ["DISCO_TEST_MODELS"], name)
    with FileLock(f"{folder}.lock"):
        done = Path(f"{folder}.done")
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            build(folder)
            done.touch()
    return folder


@cache
def library() -> Catalogue:
    """The 300 tracks."""
    return random_catalogue(300, seed=6, artists=60)


@cache
def data_files(noise: bool = False) -> tuple[Path, Path]:
    """Files of the tracks and of prepared playlists: 120 to train on, 40 to validate; titles name the kind."""
    folder = once(f"library-{noise}", lambda folder: _write_library(folder, noise))
    return folder / "tracks.parquet", folder / "playlists.parquet"


def _write_library(folder: Path, noise: bool) -> None:
    tables.write(library(), folder / "tracks.parquet")
    rng, rows = np.random.default_rng(7), []
    for number in range(160):
        kind = number % KINDS
        pool = np.setdiff1d(np.arange(300), RecommenderTests.unknown)
        pool = pool if noise else pool[KIND[pool] == kind]
        split = "train" if number < 120 else "validation"
        for position, row in enumerate(rng.permutation(pool)[:20]):
            about = {"playlist_id": f"p{number:03}", "title": f"kind {kind} ✨", "split": split, "source": "invented"}
            rows.append({**about, "position": position, "track_id": f"t{row:05}"})
    pq.write_table(pa.Table.from_pylist(rows), folder / "playlists.parquet")


@cache
def trained(recipe: str, *changes: str, noise: bool = False) -> Path:
    """Folder of the recommender that a recipe of `cloud/` trains, with changes as `disco train --set` takes them."""
    tracks, playlists = data_files(noise)
    sets = [part for change in changes for part in ("--set", change)]

    def build(folder: Path) -> None:
        asked = [CLOUD / f"{recipe}.toml", "--tracks", tracks, "--playlists", playlists, "--output", folder / recipe]
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            assert train.main([str(part) for part in [*asked, *sets]]) == 0

    return once(f"{recipe}-{crc32(repr((changes, noise)).encode()):08x}", build) / recipe


class TrainedTests(RecommenderTests):
    """The contract of a trained recommender, and that it finds tracks of the seeds' kind; a subclass has `recipe`."""

    recipe = ""
    # As `disco train --set` takes them: what makes it fit for 120 playlists.
    changes: tuple[str, ...] = ()
    # Share of a kind's tracks among the first 30, learnt and in noise; a fifth is chance.
    learns, noise_at_most = 0.9, 0.35

    def recommender(self) -> Recommender:
        return load_recommender(trained(self.recipe, *self.changes), library())

    def share(self, recommender: Recommender) -> float:
        queries = [Query(np.flatnonzero(kind == KIND)[[3, 20, 50]]) for kind in range(KINDS)]
        found = recommender.recommend_many(queries, 30)
        return float(np.mean([(KIND[each.rows] == kind).mean() for kind, each in enumerate(found)]))

    def test_tracks_of_the_same_playlists_are_recommended_together(self):
        assert self.share(self.recommender()) >= self.learns

    def test_random_playlists_teach_nothing(self):
        folder = trained(self.recipe, *self.changes, noise=True)
        assert self.share(load_recommender(folder, library())) <= self.noise_at_most
