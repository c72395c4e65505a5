"""Several processes that answer, forked from one that has read the catalogue, and share its memory.

One process imports the packages, reads the catalogue and serves meanwhile, so that the page shows how far it is. Once
it has read it stops answering, forks, and watches over the others: what is there before a fork is in memory once. A
process that is started anew for each, as uvicorn's own supervisor does it, costs some 100 MB for its packages alone.
What forks must have no thread of its own at work: those of Python have ended, and those of Arrow and of NumPy's BLAS
are made anew by these libraries in the process that was forked.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import uvicorn

from disco.app import answers
from disco.app.server import Options, create, reading_of

log = logging.getLogger(__name__)
# macOS ends processes that forked and then use its own libraries; Windows cannot fork.
CAN_FORK = sys.platform == "linux"
# The catalogue of most people is read within this time, and then one process need not serve before the others do.
_SOON_S = 1.0
# Who has connected by the time that a process ends has asked by then; uvicorn would close the connection at once.
_JUST_CONNECTED_S = 0.2
# Cores beyond these are used by the libraries for one playlist.
_MOST_USUAL = 4
# Tenths of a second after which a process that has answered gives back what it no longer uses. It takes 1 ms; without
# it two processes have 277 MB after 10,000 playlists, with it 210.
_TICKS = 100
# What a process that is asked to end may take for what it still answers.
_PATIENCE_S = 10
# One that ends this soon after its start would be started over and over: the next waits so long.
_PAUSE_S = 1.0
_WATCHED = {signal.SIGINT, signal.SIGTERM, signal.SIGCHLD} if CAN_FORK else set()
# Parameters of glibc's `mallopt`: the size from which memory is given back at once, and how many heaps there are.
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8


class Server(uvicorn.Server):
    """A server that gives back memory, and that also ends when something has happened."""

    def __init__(self, config: uvicorn.Config, ends: Callable[[], bool] = lambda: False) -> None:
        super().__init__(config)
        self._ends, self._answered = ends, 0

    async def on_tick(self, counter: int) -> bool:
        """What is done ten times a second; whether to end."""
        if counter % _TICKS == 0 and self._answered != self.server_state.total_requests:
            self._answered = self.server_state.total_requests
            _give_back_memory()
        return await super().on_tick(counter) or self._ends()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer those who have asked, and end."""
        for each in (*self.servers, *(sockets or ())):
            each.close()  # whoever connects from now on is answered by those who listen still, or come to
        await asyncio.sleep(_JUST_CONNECTED_S)
        await super().shutdown(sockets)


def usual_workers() -> int:
    """How many processes answer if nobody says: one for each core, up to four; one where they share no memory."""
    return min(len(os.sched_getaffinity(0)), _MOST_USUAL) if CAN_FORK else 1


def serve(options: Options, listening: socket.socket, workers: int, settings: dict[str, Any]) -> None:
    """Serve from several processes until interrupted.

    Parameters
    ----------
    options : Options
    listening : socket
        It listens already; those who ask before anybody answers wait.
    workers : int
        How many processes answer, at least two; one more watches over them.
    settings : dict
        Of `uvicorn.Config`.
    """
    settings = {**settings, "timeout_graceful_shutdown": _PATIENCE_S}
    reading = reading_of(options)
    reading.start()
    if not (reading.wait(_SOON_S) and reading.music):
        alone = uvicorn.Config(create(options, reading), **settings)
        Server(alone, lambda: reading.music is not None).run(sockets=[listening.dup()])
    if reading.music is None:  # it was asked to end
        return
    _wait_for_threads()
    # What the first playlist loads and prepares is there for all, and the page begins with it.
    answers.play_answer(reading.music, {"state": {"seeds": reading.first}, "figure": "map"})
    config = uvicorn.Config(create(options, reading), **settings)
    config.load()
    watching = os.getpid()
    gc.collect()
    gc.freeze()  # or the first collection of each process would copy the memory of all objects
    _give_back_memory()
    _watch(workers, lambda: Server(config, lambda: os.getppid() != watching).run(sockets=[listening]))


def _watch(workers: int, work: Callable[[], None]) -> None:
    """Fork so many processes, fork another where one dies, and end them all when asked to."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    started: dict[int, float] = {}
    try:
        while True:
            while len(started) < workers:
                started[_fork(work)] = time.monotonic()
            happened = signal.sigwait(_WATCHED)
            if happened == signal.SIGINT:
                raise KeyboardInterrupt
            if happened == signal.SIGTERM:
                return
            for ended in _ended(started):
                lived = time.monotonic() - started.pop(ended)
                log.warning("the process %d, which answered, has ended; another takes its place", ended)
                time.sleep(_PAUSE_S if lived < _PAUSE_S else 0)
    finally:
        _end(started)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)


def _fork(work: Callable[[], None]) -> int:
    if child := os.fork():
        return child
    code = 1
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
        work()
        code = 0
    except KeyboardInterrupt:
        code = 0
    except BaseException:
        log.exception("a process that answers cannot go on")
    finally:
        # Not what the process that was forked has registered for its own end.
        os._exit(code)


def _ended(processes: dict[int, float]) -> list[int]:
    """Those of the processes that have ended; one signal may stand for several."""
    return [process for process in processes if os.waitpid(process, os.WNOHANG)[0]]


def _end(started: dict[int, float]) -> None:
    for process in started:
        os.kill(process, signal.SIGTERM)
    end = time.monotonic() + _PATIENCE_S + 1
    while started:
        for process in _ended(started):
            del started[process]
        if time.monotonic() > end:
            for process in started:
                os.kill(process, signal.SIGKILL)
        time.sleep(0.02)


def _wait_for_threads() -> None:
    """Let the threads end that read and answered: they have been asked to, and take a moment."""
    end = time.monotonic() + _PATIENCE_S
    while threading.active_count() > 1 and time.monotonic() < end:
        time.sleep(0.01)


def keep_memory_small() -> None:
    """Have this process, and those that it forks, keep no more memory than serving needs."""
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another C library than glibc
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, 1 << 18)
        library.mallopt(_ARENA_MAX, 2)


def _give_back_memory() -> None:
    pa.default_memory_pool().release_unused()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
