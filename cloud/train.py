"""`python -m cloud.train RECIPE --tracks FILE --playlists FILE`: `disco train` on several workers, by Ray Train.

Each worker runs the library's own trainer; a step takes a batch for each worker, and the mean of their gradients,
which TensorFlow's collective operations compute, moves the weights of all (data-parallel). After each epoch the first
worker saves all of it beside the output; when a worker dies Ray starts all of them again, and they go on from there,
as a command that was stopped does. Recipes without a network are trained by one worker.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cloud import cluster
from disco.cli import console
from disco.cli import train as command
from disco.errors import DataError, DiscoError
from disco.models.card import load_card
from disco.sources.storage import locked, reason_of
from disco.training.recipes import read_recipe
from disco.training.run import output_of

# Kinds of recipes whose networks are fitted by `disco.training.fitting`.
NETWORKS = frozenset(
    "predictor rank-predictor music set-transformer two-tower embedding-mlp content autoencoder".split()
)
# Times that all workers are started again.
RETRIES = 5
# Seconds between looks at what the first worker has reported, and at how many cores there are.
_WATCH_S, _LOOK_S = 1.0, 10.0

log = logging.getLogger("disco.cloud")


def parser() -> argparse.ArgumentParser:
    """The options of `disco train`, and those of Ray."""
    p = command.parser()
    p.prog = "python -m cloud.train"
    cluster.add_options(p, "train")
    return p


def train(
    recipe: Path,
    tracks: Path,
    playlists: Path | None,
    output: Path | None = None,
    *,
    force: bool = False,
    changes: Sequence[str] = (),
    names: Path | None = None,
    address: str | None = None,
    workers: int | None = None,
) -> Path:
    """Train a model on several workers; see `disco.training.run.train`.

    Parameters
    ----------
    recipe, tracks, playlists, output, force, changes, names
        As for `disco.training.run.train`; all workers must see the files and the output.
    address, workers
        As for `cluster.connected`.

    Returns
    -------
    Path
        The folder of the model.

    Raises
    ------
    DiscoError
        If the recipe or the data cannot be used, or workers fail again and again.
    """
    settings = read_recipe(recipe, changes)
    target = (output or output_of(settings)).absolute()
    if target.exists() and not force:
        raise DataError(target, "exists already; use --force to replace the model there")
    target.parent.mkdir(parents=True, exist_ok=True)
    work = target.parent / f".{target.name}-workers"
    paths = {"recipe": recipe, "tracks": tracks, "playlists": playlists, "names": names}
    config = {
        **{name: None if path is None else str(path.absolute()) for name, path in paths.items()},
        "output": str(target),
        "force": force,
        "changes": list(changes),
        "failed": str(work / "failed.txt"),
        "log": str(work / "log.txt"),
    }
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # Ray imports it here too
    with locked(work):
        try:
            _fit(config, settings.kind, work, address, workers)
            if (failed := work / "failed.txt").exists():
                raise DiscoError(failed.read_text(encoding="utf-8"))
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return target


def _fit(config: dict[str, Any], kind: str, work: Path, address: str | None, workers: int | None) -> None:
    """Let Ray start the workers, anew in a folder of the run's own."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    with cluster.connected(address, workers) as n:
        import ray.train
        from ray.train.tensorflow import TensorflowTrainer

        number = n if kind in NETWORKS else 1
        trainer = TensorflowTrainer(
            _loop,
            train_loop_config=config,
            scaling_config=ray.train.ScalingConfig(num_workers=number),
            run_config=ray.train.RunConfig(
                name="run", storage_path=str(work), failure_config=ray.train.FailureConfig(max_failures=RETRIES)
            ),
        )
        try:
            with _followed(work / "log.txt", number, _cores):
                trainer.fit()
        except ray.train.TrainingFailedError as error:
            raise DiscoError(f"training failed {RETRIES + 1} times: {_why(error)}; start again to go on") from None


def _cores() -> float:
    """Cores of the cluster, as many as there may be where it does not answer, which others report."""
    import ray

    try:
        return float(ray.cluster_resources().get("CPU", 0))
    except (ray.exceptions.RayError, ConnectionError):
        return float("inf")


def _why(error: Exception) -> str:
    """The sentence of the first failure that Ray reports."""
    failures: dict[int, Exception] = getattr(error, "worker_failures", {})
    lines = [line.strip() for line in str(next(iter(failures.values()), error)).splitlines() if line.strip()]
    line = lines[-1] if lines[0].startswith("Traceback") else lines[0]
    return re.sub(r"^disco\.errors\.\w+: ", "", line)[:300]


@contextlib.contextmanager
def _followed(path: Path, workers: int, cores: Callable[[], float]) -> Iterator[None]:
    """Report what the first worker writes to a file, and cores that are lacking, for as long as the block lasts."""
    ended = threading.Event()

    def follow() -> None:
        at, last, lacking, looked = 0, False, False, -_LOOK_S
        while not last:
            last = ended.wait(_WATCH_S)
            if path.exists():
                lines = path.read_bytes()[at:].rpartition(b"\n")[0]
                at += len(lines) + 1 if lines else 0
                for line in lines.decode("utf-8", "replace").splitlines():
                    log.info("%s", line)
            if not last and time.monotonic() - looked >= _LOOK_S:
                looked, lacked, there = time.monotonic(), lacking, cores()
                lacking = there < workers
                if lacking and not lacked:
                    log.warning("waiting: the cluster has %d of the %d cores that the workers need", there, workers)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _report_to(path: Path) -> None:
    """Write what the library reports in this process to a file, for `_followed`."""
    again = path.exists()
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(message)s"))
    library = logging.getLogger("disco")
    library.addHandler(handler)
    library.setLevel(logging.INFO)
    if again:
        log.info("a worker was lost: all of them have been started again, and go on from the last checkpoint")


class Together:
    """The workers of a run, of which this process is one; see `disco.training.data.Workers`.

    It must be made before TensorFlow computes anything.
    """

    def __init__(self, rank: int, size: int) -> None:
        import tensorflow

        self.rank, self.size = rank, size
        self._tensorflow = tensorflow
        self._strategy = tensorflow.distribute.MultiWorkerMirroredStrategy()

    def mean(self, values: list[Any]) -> list[Any]:
        """Means of tensors over all workers."""
        tf = self._tensorflow

        def reduced(*some: Any) -> Any:
            here = [tf.identity(value) for value in some]  # of the device of this worker
            return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, here)

        return list(self._strategy.run(reduced, args=tuple(values)))


def _loop(config: dict[str, Any]) -> None:
    """What each worker does."""
    import ray.train

    failed = Path(config["failed"])
    if failed.exists():  # it would fail in the same way once more
        return
    context = ray.train.get_context()
    rank, size = context.get_world_rank(), context.get_world_size()
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if rank == 0:
        _report_to(Path(config["log"]))
    together = Together(rank, size) if size > 1 else None
    from disco.training import run

    recipe, tracks, playlists, names = (config[name] for name in ("recipe", "tracks", "playlists", "names"))
    output, changes = config["output"], config["changes"]
    try:
        if rank == 0:
            run.train(recipe, tracks, playlists, output, config["force"], changes, names, together)
        elif together is not None:
            run.take_part(recipe, tracks, playlists, output, changes, names, together)
    except (DiscoError, OSError) as error:
        if isinstance(error, (ConnectionError, TimeoutError)):  # of a worker that is lost
            raise
        text = str(error) if isinstance(error, DiscoError) else f"{error.filename or output}: {reason_of(error)}"
        with contextlib.suppress(OSError):
            failed.write_text(text, encoding="utf-8")
        raise DiscoError(text) from None


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Train a model and print its folder."""
    arguments = parser().parse_args(argv)
    console.set_verbosity(arguments.quiet)
    folder = train(**command.settings(arguments), address=arguments.address, workers=arguments.workers)
    for line in command.metrics(load_card(folder)):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
