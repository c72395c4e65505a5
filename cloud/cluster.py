"""What the commands share: the connection to Ray, its errors in one sentence, and the options that name it."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from disco.errors import DiscoError, MissingExtra

# Exit code of a command that did its work but had to leave something out, which it named.
LEFT_OUT = 3
# A host that answers does so at once; Ray itself would try for half a minute and more.
_PATIENCE_S = 3.0
# Ray's servers talk HTTP/2, in which a client begins with this and empty settings (RFC 9113, 3.4); a server answers
# with its own settings, whose fourth byte says that they are such.
_HELLO, _SETTINGS = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]), b"\x04"
_ROOT = Path(__file__).parents[1]
# Each worker is one process on one core: threads of its own would only wait for those of the others.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
# What workers on this machine need to know of this process: where the user's files are, and how to find the code.
_SHARED = ("DISCO_DATA", "DISCO_CONFIG", "DISCO_CACHE")

log = logging.getLogger("disco.cloud")


def add_options(parser: argparse.ArgumentParser, workers: str) -> None:
    """Add the options of every command; `workers` says what the workers do."""
    add = parser.add_argument
    add(
        "--address",
        metavar="HOST:PORT",
        help="a Ray cluster, or auto for that of this machine (none: start Ray here)",
    )
    add("--workers", type=_count, metavar="N", help=f"processes that {workers} (as many as there are cores)")


def _count(text: str) -> int:
    """A number of workers, 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of workers, 1 or more")
    return int(text)


@contextmanager
def connected(address: str | None = None, workers: int | None = None) -> Iterator[int]:
    """Connect to Ray, or start it here, and give the number of workers; Ray's own errors become sentences.

    Parameters
    ----------
    address : str, optional
        `HOST:PORT`, `ray://HOST:PORT` or `auto`; by default Ray is started on this machine, and ends with the block.
        Where the process is connected already, that connection is used.
    workers : int, optional
        As many as there are cores by default.

    Raises
    ------
    DiscoError
        If nothing answers there, if the connection is lost, or if a worker fails again and again.
    """
    # Ray talks on every occasion; what matters are the errors that it raises.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    # As urgent as this process: otherwise anything else on the machine would come first.
    os.environ.setdefault("RAY_worker_niceness", "0")
    os.environ.setdefault("RAY_TRAIN_V2_ENABLED", "1")
    try:
        import ray
        import ray.data
    except ImportError:
        raise MissingExtra("ray", "cloud") from None
    if address:
        _check_that_it_answers(address)
    started = not ray.is_initialized()
    try:
        if started:
            with nothing_on_stderr():
                ray.init(address or "local", logging_level=logging.ERROR, **_settings(address, workers))
        quiet()
        # There Ray would report lost workers, among the results.
        with redirect_stdout(sys.stderr):
            yield workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    except (ConnectionError, TimeoutError, ray.exceptions.RaySystemError, ray.exceptions.RpcError) as error:
        raise DiscoError(f"{address or 'Ray on this machine'}: the connection failed ({_reason(error)})") from None
    except ray.exceptions.RayError as error:
        raise DiscoError(f"a worker failed: {_reason(error)}; start again to go on") from None
    finally:
        if started and ray.is_initialized():
            with nothing_on_stderr():
                ray.shutdown()


@contextmanager
def nothing_on_stderr() -> Iterator[None]:
    """Let nothing be printed on standard error, where Ray would say at which level it logs, and what it ends."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _settings(address: str | None, workers: int | None) -> dict[str, object]:
    threads = dict.fromkeys(_THREADS, "1")
    if address:
        return {"runtime_env": {"env_vars": threads}, "log_to_driver": False}
    here = {name: os.environ[name] for name in _SHARED if name in os.environ}
    here["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    # Never fewer processors than workers: a laptop's two cores may serve three workers.
    processors = max(workers or 1, os.cpu_count() or 1)
    return {
        "runtime_env": {"env_vars": threads | here},
        "num_cpus": processors,
        "include_dashboard": False,
        "log_to_driver": False,
    }


def quiet() -> None:
    """Let Ray's data engine print neither progress bars nor what it does."""
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    for name in ("ray", "ray.data", "ray.train"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _check_that_it_answers(address: str) -> None:
    """Refuse an address at which nothing answers within seconds.

    Raises
    ------
    DiscoError
        With what to do.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if address in ("auto", "local"):
        return
    if not (colon and host and port.isdecimal() and int(port) < 1 << 16):
        raise DiscoError(f"--address {address}: write HOST:PORT, ray://HOST:PORT or auto")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _PATIENCE_S) as there:
            there.sendall(_HELLO)
            if os.environ.get("RAY_USE_TLS", "0") != "1" and there.recv(9)[3:4] != _SETTINGS:
                raise DiscoError(f"{address}: what answers there is no Ray cluster")
    except OSError as error:
        raise DiscoError(
            f"{address}: no Ray cluster answers ({error.strerror or error}); start one with: ray start --head"
        ) from None


def value_of(shared: Any) -> Any:
    """What Ray keeps in the memory that the workers of a machine share; arrays in it are not copied."""
    import ray

    return ray.get(shared)


def _reason(error: BaseException) -> str:
    """The first line of the error that Ray wraps, for a message."""
    while (inner := getattr(error, "cause", None) or error.__cause__) is not None:
        error = inner
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}"[:200]
