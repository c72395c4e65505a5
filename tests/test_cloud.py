"""The commands on Ray: results as without it, whoever dies on the way, and sentences for what cannot be done."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.catalogues import random_catalogue
from helpers.needs import need

need("ray")

from ray import get_runtime_context  # noqa: E402
from ray.exceptions import RayError  # noqa: E402

from cloud import cluster, generate, prepare, sessions, train  # noqa: E402
from disco.catalogue import Catalogue  # noqa: E402
from disco.errors import DataError, DiscoError  # noqa: E402
from disco.playlist.make import RELEVANCE  # noqa: E402
from disco.playlist.many import generate_many  # noqa: E402
from disco.playlist.mixing import FOR_NEW_PLAYLISTS  # noqa: E402
from disco.sources.files import tables  # noqa: E402
from disco.training.prepare import new_files  # noqa: E402

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.xdist_group("cloud")
on_ray = [pytest.mark.slow, pytest.mark.process, pytest.mark.network]


def marked(test: Callable[..., None]) -> Callable[..., None]:
    """A test that needs Ray's processes."""
    for mark in on_ray:
        test = mark(test)
    return test


@pytest.fixture(scope="module")
def ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Ray on this machine, started once, with folders of its own for what belongs to a user."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DISCO_DATA", "DISCO_CONFIG", "DISCO_CACHE"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        # Workers load what is replaced here from this module.
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]))
        with cluster.connected(workers=2):
            yield


@pytest.fixture(scope="module")
def catalogue_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("catalogue") / "tracks.parquet"
    tables.write(random_catalogue(600, seed=1), path)
    return path


def seeds_file(path: Path, catalogue: Catalogue, n: int = 12) -> Path:
    rng = np.random.default_rng(0)
    rows = [{"id": f"u{i}", "seeds": catalogue.ids(rng.choice(len(catalogue), 2, replace=False))} for i in range(n)]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return path


def write_slices(folder: Path, n: int) -> None:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for k in range(n):
        lists = [
            {
                "pid": 10 * k + i,
                "name": "mine",
                "tracks": [{"track_uri": f"t{row:05}"} for row in rng.permutation(600)[:12]],
            }
            for i in range(10)
        ]
        (folder / f"mpd.slice.{k}.json").write_text(json.dumps({"playlists": lists}), encoding="utf-8")


def dies_once(flag: Path) -> None:
    """End this process, as a lost machine would, if a file is there, and take the file away."""
    try:
        flag.unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


@marked
def test_a_killed_worker_and_a_corrupt_slice_cost_a_retry_and_a_line(
    ray: None,
    catalogue_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_slices(tmp_path / "slices", 6)
    (tmp_path / "slices" / "mpd.slice.3.json").write_text('{"playlists": [', encoding="utf-8")
    flag = tmp_path / "flag"
    flag.touch()
    read = prepare._read

    def deadly(batch: dict[str, Any]) -> dict[str, list[Any]]:
        if batch["number"][0] == 2:
            dies_once(flag)
        return read(batch)

    monkeypatch.setattr(prepare, "_read", deadly)
    options = ["--tracks", str(catalogue_file), "--minimum-length", "2"]
    code = prepare.main([str(tmp_path / "slices"), *options, "--output", str(tmp_path / "on-ray")])
    assert code == cluster.LEFT_OUT
    assert not flag.exists()
    out, err = capsys.readouterr()
    assert "raylet" not in out
    assert "skipped: " in err
    assert "mpd.slice.3.json: is not JSON" in err
    report = prepare.prepare([tmp_path / "slices"], catalogue_file, tmp_path / "here", minimum_length=2, processes=1)
    assert json.loads((tmp_path / "on-ray" / "report.json").read_text()) == json.loads(json.dumps(report))
    both = [pq.read_table(tmp_path / where / "playlists.parquet") for where in ("on-ray", "here")]
    assert both[0].equals(both[1])
    assert len(both[0]) == 600


@marked
def test_playlists_are_made_exactly_once_whoever_dies(
    ray: None, catalogue_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = tables.read(catalogue_file)
    seeds = seeds_file(tmp_path / "seeds.jsonl", catalogue)
    flag = tmp_path / "flag"
    flag.touch()

    class Deadly(generate.Maker):
        def __call__(self, part: pa.Table) -> pa.Table:
            if part["part"][0].as_py() == 1:
                dies_once(flag)
            return super().__call__(part)

    monkeypatch.setattr(generate, "Maker", Deadly)
    options, output = generate.Options(length=4, candidates=60), tmp_path / "made"
    # As a command leaves it that was killed after the first of three parts.
    ran = partial(generate.generate, seeds, [str(catalogue_file)], output, options, workers=2, part=5)
    table = generate.read_seeds(seeds)
    with monkeypatch.context() as patch:
        killed = {"made": 0, "failed": 0, "stop": "killed"}
        patch.setattr(generate, "_made_on_ray", lambda *_: (row for row in [killed]))
        with pytest.raises(DiscoError, match="killed"):
            ran()
    generate.Maker(catalogue, options, str(output))(table.slice(0, 5).append_column("part", pa.array([0] * 5)))
    assert ran() == {"made": 7, "kept": 5, "failed": 0}
    assert not flag.exists()
    made = pq.read_table(output)
    assert made["id"].to_pylist() == [f"u{i}" for i in range(12)]
    rows = [catalogue.rows(each) for each in table["seeds"].to_pylist()]
    direct = generate_many(
        catalogue, rows, length=4, candidates=60, max_per_artist=3, mixing=FOR_NEW_PLAYLISTS, relevance=RELEVANCE
    )
    assert made["tracks"].to_pylist() == [catalogue.ids(each) for each in direct if not isinstance(each, DiscoError)]
    assert ran() == {"made": 0, "kept": 12, "failed": 0}
    with pytest.raises(DataError, match="made with other options; --force replaces them"):
        generate.generate(seeds, [str(catalogue_file)], output, generate.Options(length=5), part=5)


def test_a_catalogue_that_is_replaced_while_it_is_read_is_reported(
    catalogue_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "tracks.parquet"
    shutil.copy(catalogue_file, own)
    seeds = seeds_file(tmp_path / "seeds.jsonl", tables.read(own))

    def replacing(
        catalogue: Catalogue, parts: list[pa.Table], output: Path, options: generate.Options, workers: int
    ) -> Iterator[dict[str, Any]]:
        for part in parts:
            shutil.copy(catalogue_file, own)
            yield generate.Maker(catalogue, options, str(output))(part).to_pylist()[0]

    monkeypatch.setattr(cluster, "connected", lambda *_: nullcontext(1))
    monkeypatch.setattr(generate, "_made_on_ray", replacing)
    with pytest.raises(DiscoError, match=r"tracks\.parquet: was replaced while playlists were made of it"):
        generate.generate(seeds, [str(own)], tmp_path / "made", generate.Options(length=3, candidates=40), part=5)


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(
    catalogue_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = tables.read(catalogue_file)
    seeds = generate.read_seeds(seeds_file(tmp_path / "seeds.jsonl", catalogue, 2))
    part = seeds.append_column("part", pa.array([0, 0]))

    def full(table: pa.Table, where: object, **more: object) -> None:
        Path(str(where)).write_bytes(b"PAR1")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    (tmp_path / "made").mkdir()
    row = generate.Maker(catalogue, generate.Options(length=2, candidates=30), str(tmp_path / "made"))(
        part
    ).to_pylist()
    assert row[0]["stop"].endswith("part-000000.parquet: cannot be written (No space left on device)")
    assert not list((tmp_path / "made").iterdir())
    write_slices(tmp_path / "slices", 1)
    slice_file = tmp_path / "slices" / "mpd.slice.0.json"
    batch = {
        "number": [0],
        "path": [str(slice_file)],
        "member": [""],
        "table": [False],
        "part": [str(tmp_path / "p")],
    }
    assert prepare._read(batch)["failed"] == [f"{tmp_path / 'p'}: cannot be written (No space left on device)"]
    with (
        pytest.raises(DataError, match=r"made: cannot be written .No space left.*start again to go on"),
        new_files(tmp_path / "made", force=False, keep_parts=False),
    ):
        full(pa.table({}), tmp_path / "joined.parquet")


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize("command", [prepare, generate])
def test_an_address_where_nothing_answers_is_one_sentence_within_seconds(
    command: Any, catalogue_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_slices(tmp_path / "slices", 1)
    seeds = seeds_file(tmp_path / "seeds.jsonl", tables.read(catalogue_file), 2)
    where = ["--output", str(tmp_path / "made"), "--address", "127.0.0.1:9"]
    given = (
        [str(tmp_path / "slices"), "--tracks", str(catalogue_file)]
        if command is prepare
        else [str(seeds), "--catalogue", str(catalogue_file)]
    )
    begun = time.monotonic()
    assert command.main([*given, *where]) == 1
    assert time.monotonic() - begun < 20
    assert "127.0.0.1:9: no Ray cluster answers" in capsys.readouterr().err


def test_a_training_that_would_fail_again_is_one_sentence_after_one_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    attempts: list[str] = []

    def full(*_: object) -> None:
        raise OSError(28, "Error writing bytes to file. Detail: [errno 28] No space left on device")

    def fit(config: dict[str, Any], kind: str, work: Path, *_: object) -> None:
        work.mkdir()
        with train._followed(work / "log.txt", 2, lambda: 1.0):
            for _ in range(3):  # Ray starts a worker that fails again
                attempts.append(kind)
                try:
                    train._loop(config)
                except DiscoError:
                    continue
                break
            time.sleep(0.1)

    monkeypatch.setattr("disco.training.run.train", full)
    monkeypatch.setattr("ray.train.get_context", lambda: Mock(get_world_rank=lambda: 0, get_world_size=lambda: 1))
    monkeypatch.setattr(train, "_fit", fit)
    monkeypatch.setattr(train, "_WATCH_S", 0.01)
    monkeypatch.setattr(train, "_report_to", lambda path: path.write_text("epoch 1\n", encoding="utf-8"))
    caplog.set_level("INFO", "disco.cloud")
    output = tmp_path / "model"
    with pytest.raises(DiscoError, match=f"^{re.escape(str(output))}: No space left on device$"):
        train.train(ROOT / "cloud" / "classic.toml", tmp_path / "tracks.parquet", None, output)
    assert attempts == ["predictor"] * 2
    assert not list(tmp_path.iterdir())
    assert sorted(caplog.messages) == ["epoch 1", "waiting: the cluster has 1 of the 2 cores that the workers need"]


@pytest.mark.parametrize(
    ("first", "sentence"),
    [
        ("Traceback (most recent call last):\n  File\ndisco.errors.DataError: a.csv: is empty\n", "a.csv: is empty"),
        ("The actor died.\n\tclass_name: Worker", "The actor died."),
    ],
)
def test_the_first_failure_of_a_training_is_its_reason(first: str, sentence: str) -> None:
    error = Exception("Training failed due to worker errors:")
    error.worker_failures = {1: Exception(first), 0: Exception("another")}  # type: ignore[attr-defined]
    assert train._why(error) == sentence


@pytest.mark.network
def test_an_address_where_something_else_answers_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        answer = threading.Thread(target=lambda: server.accept()[0].sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
        answer.start()
        with pytest.raises(DiscoError, match=f"^{address}: what answers there is no Ray cluster$"):
            cluster._check_that_it_answers(address)
        answer.join()


@marked
def test_a_cluster_answers_at_its_address(ray: None) -> None:
    cluster._check_that_it_answers(f"127.0.0.1:{get_runtime_context().gcs_address.rpartition(':')[2]}")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"id": "a", "seeds": ["x"]}, {"id": "a", "seeds": ["y"]}], "has the id 'a' more than once"),
        ([{"id": None, "seeds": ["x"]}], "has a row without an id"),
        ([{"name": "a"}], "has no column id, seeds"),
        ([{"id": "a", "seeds": "x"}], "has other values than texts"),
    ],
)
def test_seeds_that_cannot_be_used_are_one_sentence(rows: list[dict[str, Any]], message: str, tmp_path: Path) -> None:
    path = tmp_path / "seeds.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    with pytest.raises(DataError, match=message):
        generate.read_seeds(path)


def test_seeds_that_are_not_there_are_errors_of_their_rows(catalogue_file: Path, tmp_path: Path) -> None:
    catalogue = tables.read(catalogue_file)
    part = pa.table(
        {"id": ["a", "b"], "seeds": [["no such id at all"], catalogue.ids(np.array([3]))], "title": ["", ""]}
    )
    made = generate.Maker(catalogue, generate.Options(length=2, candidates=30), str(tmp_path)).playlists(part)
    assert made["error"][0].as_py().startswith("no track")
    assert made["tracks"][0].as_py() is None
    assert (made["error"][1].as_py(), len(made["tracks"][1])) == (None, 3)


def test_a_damaged_file_of_a_log_is_named_and_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, damaged = tmp_path / "1.parquet", tmp_path / "2.parquet"
    rng = np.random.default_rng(0)
    plays = pa.table(
        {"user_id": ["u"] * 500, "track_id": rng.bytes(2000).hex(" ", 4).split(), "timestamp": range(500)}
    )
    for path in (whole, damaged):
        pq.write_table(plays, path)
    content = damaged.read_bytes()
    damaged.write_bytes(content[:50] + b"Z" * 1000 + content[1050:])

    def write(files: list[Path], folder: Path, pause_minutes: float) -> None:
        if damaged in files:
            raise RayError("Invalid number of indices: 0")
        folder.mkdir()
        for file in files:
            pq.write_table(sessions.sessions(pq.read_table(file), pause_minutes), folder / file.name)

    def read(files: list[Path]) -> dict[Path, str]:
        reasons = {file: sessions._read({"file": str(file)})["reason"] for file in files}
        return {file: reason for file, reason in reasons.items() if reason}

    monkeypatch.setattr(sessions, "_write", write)
    monkeypatch.setattr(sessions, "_damaged", read)
    made, broken = sessions.of_log([tmp_path], tmp_path / "sessions")
    assert [path.name for path in made] == ["1.parquet"]
    assert len(broken) == 1
    assert broken[0].startswith(f"{damaged}: is damaged (")
    assert len(pq.read_table(made[0])) == 500


def test_a_session_ends_where_nothing_is_played_for_a_while() -> None:
    rng = np.random.default_rng(0)
    seconds = rng.integers(0, 20_000, 60)
    plays = pa.table({"user_id": ["u"] * 60, "track_id": [f"t{i}" for i in range(60)], "timestamp": seconds})
    made = sessions.sessions(plays, 10).to_pylist()
    order = sorted(range(60), key=lambda i: seconds[i])
    expected, last = [], -1e9
    for i in order:
        begin, position = (seconds[i], 0) if seconds[i] - last > 600 else (expected[-1][0], expected[-1][1] + 1)
        expected.append((begin, position, f"t{i}"))
        last = seconds[i]
    assert [(row["playlist_id"], row["position"], row["track_id"]) for row in made] == [
        (f"u:{begin}", position, track) for begin, position, track in expected
    ]
